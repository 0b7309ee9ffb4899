"""Children of the demo: started with their output in a log file, watched, and always ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.05
STOP_SECONDS = 8.0


class DemoError(Exception):
    """A part did not do what the loop needs; the message names the part, and its log where there is one."""


def wait_for(what: str, probe: Callable[[], T | None], seconds: float, *, poll: float = POLL_SECONDS) -> T:
    """Return the first value of ``probe`` that is not None.

    Raises:
        DemoError: nothing within ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = probe()
        if value is not None:
            return value
        if time.monotonic() > deadline:
            raise DemoError(f"{what}: not seen within {seconds:.0f} s")
        time.sleep(poll)


class Child:
    """One process in a session of its own, so that what it started can be ended with it."""

    def __init__(
        self, name: str, command: Sequence[str], logs: Path, *, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.command = list(command)
        self.log = logs / f"{name}.log"
        self.environment = {**os.environ, **(environment or {})}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Child:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - the demo's own parts
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=0o077,  # what the parts write, traffic among it, is for this user alone
                env=self.environment,
            )
        return self

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def check(self) -> None:
        """Raise DemoError with the end of the log when the process has ended."""
        if not self.alive:
            code = self.process.returncode if self.process else None
            raise DemoError(f"{self.name} ended with exit code {code}; the end of {self.log}:\n{self.tail()}")

    def tail(self, lines: int = 12) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return "(no log)"

    def wait_ready(self, ready_file: Path, seconds: float) -> dict[str, Any]:
        """Return what the child wrote into its ready file (JSON, written in one piece)."""

        def probe() -> dict[str, Any] | None:
            self.check()
            try:
                document = json.loads(ready_file.read_text())
            except (OSError, ValueError):
                return None
            return document if isinstance(document, dict) else None

        return wait_for(f"{self.name} ready", probe, seconds)

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to the whole session of the child."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, how)
            except ProcessLookupError:
                return

    def stop(self) -> None:
        """End it: politely, then not."""
        if self.process is None:
            return
        if self.alive:
            self.kill(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS)
        self.kill(signal.SIGKILL)
        self.process.wait()


class Children:
    """All children; leaving the block ends them in reverse order."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.by_name: dict[str, Child] = {}

    def start(self, name: str, command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Child:
        if name in self.by_name:
            self.by_name[name].stop()
        child = Child(name, command, self.logs, environment=environment).start()
        self.by_name[name] = child
        return child

    def check(self) -> None:
        for child in self.by_name.values():
            child.check()

    def __enter__(self) -> Children:
        return self

    def __exit__(self, *_: object) -> None:
        for child in reversed(self.by_name.values()):
            child.stop()


def run_tool(command: Sequence[str], *, stdin: bytes | None = None, seconds: float = 60) -> bytes:
    """Run one of the product's commands to its end and return its standard output.

    Raises:
        DemoError: it failed; the message carries its standard error.
    """
    done = subprocess.run(list(command), input=stdin, capture_output=True, timeout=seconds, check=False)  # noqa: S603
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        raise DemoError(f"{' '.join(command[:4])} … ended with exit code {done.returncode}: {said}")
    return done.stdout
