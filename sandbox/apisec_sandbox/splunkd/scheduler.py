"""The scheduler: one thread that starts saved searches and modular inputs when their time has come."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.splunkd import cron
from apisec_sandbox.splunkd.confs import Stanza

if TYPE_CHECKING:
    from apisec_sandbox.splunkd.server import Splunkd

LOG = logging.getLogger("apisec_sandbox.scheduler")
TICK = 0.5  # seconds
CATCH_UP = 60.0  # a run that is later than this is skipped, as realtime_schedule does


class Scheduler:
    def __init__(self, splunkd: Splunkd) -> None:
        self._splunkd = splunkd
        self._stop = threading.Event()
        self._next: dict[tuple[str, ...], float] = {}
        self._moved: dict[tuple[str, ...], float] = {}  # next starts that were set by hand
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def next_time(self, stanza: Stanza) -> float | None:
        """Return when a scheduled search runs next, None when it does not."""
        if not scheduled(stanza):
            return None
        moved = self._moved.get(_key(stanza))
        if moved is not None:
            return moved
        try:
            return cron.parse(stanza.get("cron_schedule")).next(self._splunkd.clock())
        except SandboxError:
            return None

    def period(self, stanza: Stanza) -> float:
        """Seconds between two runs of a scheduled search, 0 for others."""
        first = self.next_time(stanza)
        return cron.parse(stanza.get("cron_schedule")).next(first) - first if first else 0.0

    def times(self, stanza: Stanza, earliest: float, latest: float, limit: int = 1000) -> list[float]:
        """Return when the search is scheduled in the span, at most ``limit`` times."""
        found: list[float] = []
        if not scheduled(stanza):
            return found
        schedule = cron.parse(stanza.get("cron_schedule"))
        when = schedule.next(earliest - 1)
        while when <= latest and len(found) < limit:
            found.append(when)
            when = schedule.next(when)
        return found

    def reschedule(self, stanza: Stanza, when: float) -> None:
        """Let a scheduled search run next at ``when``, and from then on as its schedule says."""
        self._moved[_key(stanza)] = when

    def _run(self) -> None:
        while not self._stop.wait(TICK):
            try:
                self.tick(self._splunkd.clock())
            except Exception:
                LOG.exception("the scheduler's tick failed")

    def tick(self, now: float) -> list[str]:
        """Start what is due; return the names of the saved searches that were started."""
        started = []
        live: set[tuple[str, ...]] = set()
        for stanza in self._splunkd.saved.all():
            if not scheduled(stanza):
                continue
            key = _key(stanza)
            live.add(key)
            if self._due(key, now):
                self._start(stanza, now)
                started.append(stanza.name)
        self._next = {key: due for key, due in self._next.items() if key in live}
        self._moved = {key: when for key, when in self._moved.items() if key in live}
        self._splunkd.inputs.tick(now)
        return started

    def _due(self, key: tuple[str, ...], now: float) -> bool:
        try:
            schedule = cron.parse(key[1])
        except SandboxError as error:
            if key not in self._next:
                LOG.warning('saved search "%s": %s', key[0], error)
                self._next[key] = float("inf")
            return False
        due = self._moved.get(key, self._next.setdefault(key, schedule.next(now)))
        if now < due:
            return False
        self._moved.pop(key, None)
        self._next[key] = schedule.next(now)
        return now - due <= CATCH_UP

    def _start(self, stanza: Stanza, now: float) -> None:
        try:
            self._splunkd.saved.dispatch(stanza, self._splunkd.saved.owner_of(stanza), now=now)
        except SandboxError as error:
            LOG.warning('saved search "%s" did not start: %s', stanza.name, error)


def _key(stanza: Stanza) -> tuple[str, ...]:
    return (stanza.name, stanza.get("cron_schedule"), stanza.app, stanza.owner)


def scheduled(stanza: Stanza) -> bool:
    return stanza.flag("enableSched") and not stanza.flag("disabled") and bool(stanza.get("cron_schedule").strip())
