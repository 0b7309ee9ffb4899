"""Tells systemd how it stands (sd_notify(3), the protocol of a datagram to $NOTIFY_SOCKET); without systemd, nobody."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping


class Notifier:
    """Sends states; a service manager that does not listen is no error of ours."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        known = os.environ if environment is None else environment
        self._address = known.get("NOTIFY_SOCKET", "")
        ours = known.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
        interval = known.get("WATCHDOG_USEC", "")
        # half of it, as sd_watchdog_enabled(3) recommends; None: nobody watches
        self._every = int(interval) / 2e6 if interval.isdigit() and ours else None
        self._beat_at = 0.0

    def ready(self) -> None:
        self._send("READY=1", "STATUS=running")

    def reloading(self) -> None:
        """Say that SIGHUP is being acted on (Type=notify-reload needs the monotonic time); ``ready`` ends it."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}", "STATUS=reading the configuration")

    def stopping(self) -> None:
        self._send("STOPPING=1", "STATUS=finishing what was taken in")

    def say(self, text: str) -> None:
        self._send(f"STATUS={text}")

    def alive(self, now: float) -> None:
        """Feed the watchdog when it is time; ``now`` is monotonic."""
        if self._every is not None and now >= self._beat_at:
            self._beat_at = now + self._every
            self._send("WATCHDOG=1")

    def _send(self, *states: str) -> None:
        if not self._address.startswith(("/", "@")):
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as link:
            link.setblocking(False)
            try:
                link.sendto("\n".join(states).encode(), address)
            except OSError:
                return
