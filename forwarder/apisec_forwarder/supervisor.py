"""Keeps the forwarder's processes running: workers, the exporter, and the control process when it is configured.

They fail apart: when control dies, traffic is still copied; when a worker dies, the others go on, and its successor
reads on from its checkpoint; when the exporter dies, events wait in the spool. On SIGHUP the configuration is read
again: new workers start before the old ones end, on the same listening sockets; files are handed over at their
checkpoints. A configuration that is bad, or with which the new workers do not start, changes nothing.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from apisec.errors import ApisecError
from apisec_forwarder import logs
from apisec_forwarder.child import Child
from apisec_forwarder.notify import Notifier
from apisec_forwarder.process import EXIT_USAGE, HANDOVER

logger = logging.getLogger(__name__)

STOP_SECONDS = 10.0  # longer than a child needs to drain; then it is killed
START_SECONDS = 60.0  # in which the workers of a new configuration must be ready
POLL_SECONDS = 0.1
REPORT_SECONDS = 1.0


@dataclass
class Generation:
    """The processes of one configuration. ``retire`` gives back what only this generation used."""

    workers: tuple[Child, ...]
    exporter: Child | None = None
    control: Child | None = None
    retire: Callable[[Generation | None], None] = field(default=lambda _: None)

    @property
    def children(self) -> tuple[Child, ...]:
        return tuple(one for one in (self.exporter, *self.workers, self.control) if one is not None)

    @property
    def essential(self) -> tuple[Child, ...]:
        """Those without which there is no copy in Splunk."""
        return tuple(one for one in (self.exporter, *self.workers) if one is not None)


@dataclass
class Reloads:
    """What became of the reloads; for the status file."""

    ok: bool = True
    accepted: int = 0
    refused: int = 0
    at: float = field(default_factory=time.time)


class Supervisor:
    """Runs generations. ``renew`` makes the next one, or raises ApisecError when the configuration is bad."""

    def __init__(
        self,
        first: Generation,
        renew: Callable[[], Generation],
        *,
        report: Callable[[Generation, Reloads], None] = lambda _, __: None,
        notifier: Notifier | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = first
        self._renew = renew
        self._report = report
        self._notifier = notifier or Notifier({})
        self._clock = clock
        self._reloads = Reloads()
        self._announced = False
        self._report_at = 0.0

    def run(self, stop: threading.Event, reload: threading.Event) -> int:
        """Return 0 after ``stop``; 2 when, at the start, a process says that its configuration is bad."""
        code = 0
        while not stop.is_set():
            if reload.is_set():
                reload.clear()
                self._reload(stop)
            if self._watch():
                code = EXIT_USAGE
                break
            self._tell()
            stop.wait(POLL_SECONDS)
        self._notifier.stopping()
        self._end(self._now)
        logs.emit(logger, logging.INFO, "supervisor.stopped", exit_code=code)
        return code

    def _watch(self) -> bool:
        """Look after all processes; whether the first start failed for good."""
        for child in self._now.children:
            ended = child.look()
            if ended == EXIT_USAGE and not self._announced and child in self._now.essential:
                return True
        if not self._announced and all(child.ready for child in self._now.essential):
            self._announced = True
            self._notifier.ready()
            logs.emit(logger, logging.INFO, "supervisor.ready", workers=len(self._now.workers))
        return False

    def _tell(self) -> None:
        now = self._clock()
        self._notifier.alive(now)
        if now >= self._report_at:
            self._report_at = now + REPORT_SECONDS
            self._report(self._now, self._reloads)

    def _reload(self, stop: threading.Event) -> None:
        self._notifier.reloading()
        try:
            following = self._renew()
        except ApisecError as error:
            self._refused(str(error))
        else:
            if self._start(following, stop):
                self._replace(following)
                self._reloads.ok = True
                self._reloads.accepted += 1
                self._reloads.at = time.time()
                logs.emit(logger, logging.INFO, "supervisor.reloaded", workers=len(following.workers))
            elif not stop.is_set():
                self._refused("the new workers did not start; the old ones go on")
        self._notifier.ready()
        self._report(self._now, self._reloads)

    def _refused(self, text: str) -> None:
        """Say that the old configuration goes on; the text is that of ``check-config``: no value of traffic."""
        self._reloads.ok = False
        self._reloads.refused += 1
        print(f"apisec-forwarder: error: {text}", file=sys.stderr, flush=True)
        logs.emit(logger, logging.ERROR, "supervisor.reload_refused")
        self._notifier.say("running with the configuration before the last reload, which was bad")

    def _start(self, following: Generation, stop: threading.Event) -> bool:
        """Start the new workers beside the old ones; whether all are ready. When not, they are ended again."""
        for child in following.workers:
            child.start()
        deadline = self._clock() + START_SECONDS
        while not stop.is_set() and self._clock() < deadline:
            if any(child.look() is not None for child in following.workers):
                break
            if all(child.ready for child in following.workers):
                return True
            self._watch()
            self._tell()
            stop.wait(POLL_SECONDS)
        end_all(following.workers, signal.SIGTERM)
        following.retire(self._now)
        return False

    def _replace(self, following: Generation) -> None:
        """The new workers run: end the old ones, then have the exporter and control take over."""
        before = self._now
        end_all(before.workers, HANDOVER)
        for old, new in ((before.exporter, following.exporter), (before.control, following.control)):
            if old is not None:
                end_all([old], HANDOVER if old is before.exporter else signal.SIGTERM)
            if new is not None:
                new.start()
        self._now = following
        before.retire(following)

    def _end(self, generation: Generation) -> None:
        """End everything: first who fills the spool, then who empties it."""
        others = [child for child in generation.children if child is not generation.exporter]
        end_all(others, signal.SIGTERM)
        self._report(generation, self._reloads)
        if generation.exporter is not None:
            end_all([generation.exporter], signal.SIGTERM)
        generation.retire(None)


def end_all(children: Sequence[Child], number: signal.Signals) -> None:
    """Signal all, then wait for each; SIGKILL to what does not end."""
    for child in children:
        child.tell(number)
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        child.end(deadline)
