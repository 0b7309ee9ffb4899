"""Acknowledgement ids per token and channel: counted from 0, forgotten once reported true.

Source: Getting Data In, "About HTTP Event Collector Indexer Acknowledgment"; inputs.conf.spec (ackIdleCleanup,
maxIdleTime); limits.conf.spec [http_input].
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from apisec_sandbox.splunkd.hec import codes
from apisec_sandbox.splunkd.hec.codes import HecError
from apisec_sandbox.splunkd.hec.tokens import Limits, Token
from apisec_sandbox.splunkd.indexes import Store

NEAR = 0.9  # of a capacity: from here on code 25 is answered
SWEEP_SECONDS = 1.0  # between two searches for idle channels


@dataclass
class _Channel:
    used: float
    idle_seconds: float  # infinity when the token does not clean up
    following: int = 0
    pending: dict[int, int] = field(default_factory=dict)


class Acks:
    def __init__(self, store: Store, limits: Callable[[], Limits]) -> None:
        self._store = store
        self._limits = limits
        self._lock = threading.Lock()
        self._channels: dict[tuple[str, str], _Channel] = {}
        self._pending = 0
        self._swept = 0.0

    def check(self, token: Token, channel: str) -> None:
        """Refuse a request whose acknowledgement could not be kept.

        Raises:
            HecError: 27.
        """
        limits = self._limits()
        with self._lock:
            self._sweep()
            held = self._channels.get((token.value, channel))
            full = (
                self._pending >= limits.acks
                or (held is None and len(self._channels) >= limits.channels)
                or (held is not None and len(held.pending) >= limits.acks_per_channel)
            )
        if full:
            raise HecError(codes.ACK_FULL)

    def give(self, token: Token, channel: str, ticket: int) -> int:
        """Return the id under which the events of this ticket are asked for."""
        with self._lock:
            idle = token.idle_seconds if token.idle_cleanup else float("inf")
            held = self._channels.setdefault((token.value, channel), _Channel(0.0, idle))
            held.used, held.idle_seconds = self._store.clock(), idle
            number, held.following = held.following, held.following + 1
            held.pending[number] = ticket
            self._pending += 1
            return number

    def ask(self, token: Token, channel: str, ids: list[int]) -> dict[str, bool]:
        """An id that was never given, or was reported already, is not acknowledged."""
        with self._lock:
            self._sweep()
            held = self._channels.get((token.value, channel))
            if held is None:
                return {str(number): False for number in ids}
            held.used = self._store.clock()
            answers: dict[str, bool] = {}
            for number in ids:
                done = number in held.pending and self._store.durable(held.pending[number])
                answers[str(number)] = answers.get(str(number), False) or done
                if done:
                    del held.pending[number]
                    self._pending -= 1
            return answers

    def level(self) -> float:
        """How full it is, of 1."""
        limits = self._limits()
        with self._lock:
            largest = max((len(held.pending) for held in self._channels.values()), default=0)
            return max(
                self._pending / max(1, limits.acks),
                len(self._channels) / max(1, limits.channels),
                largest / max(1, limits.acks_per_channel),
            )

    def near(self, token: Token, channel: str) -> bool:
        """Whether this channel, or the whole, approaches its capacity."""
        limits = self._limits()
        with self._lock:
            held = self._channels.get((token.value, channel))
            mine = len(held.pending) if held else 0
            return mine >= NEAR * limits.acks_per_channel or self._pending >= NEAR * limits.acks

    def _sweep(self) -> None:
        """Drop channels that were idle for longer than their token allows."""
        now = self._store.clock()
        if abs(now - self._swept) < SWEEP_SECONDS:
            return
        self._swept = now
        for key in [key for key, held in self._channels.items() if now - held.used > held.idle_seconds]:
            self._pending -= len(self._channels.pop(key).pending)
