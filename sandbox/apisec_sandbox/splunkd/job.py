"""One search job: what it was asked, where it stands, and what it found.

Source: REST API Reference, "search/jobs/{search_id}".
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apisec_sandbox.spl.context import Context
from apisec_sandbox.spl.engine import Outcome
from apisec_sandbox.spl.values import Row
from apisec_sandbox.splunkd.job_properties import properties
from apisec_sandbox.splunkd.runtime import Runtime

DEFAULT_TTL = 600.0  # limits.conf [search] ttl
MAX_SECONDS = 3600.0


@dataclass
class Request:
    """What a job is asked to do; times are modifiers or epochs as text, empty for open."""

    search: str
    app: str = "search"
    owner: str = "admin"
    earliest: str = ""
    latest: str = ""
    now: float | None = None
    sid: str = ""
    ttl: float = DEFAULT_TTL
    max_seconds: float = MAX_SECONDS
    label: str = ""
    finalize_after: float = 0.0  # seconds of running after which what is found is the result; 0: no limit
    auto_cancel: float = 0.0  # seconds without a client's interest; 0: never
    status_buckets: int = 0
    priority: int = 5
    readers: tuple[str, ...] = ()  # roles beside the owner that may read the job: those of a shared saved search
    given: Mapping[str, str] = field(default_factory=dict)  # the parameters as the client wrote them


class Stoppable(Runtime):
    """The services of one job: its events end when the job is finalized."""

    job: Job | None = None

    def ended(self) -> bool:
        return self.job is not None and self.job.finalizing

    def indexed(self, *args: Any) -> Iterator[Row]:
        return self._until_final(super().indexed(*args))

    def _until_final(self, rows: Iterator[Row]) -> Iterator[Row]:
        job = self.job
        if job is None:
            yield from rows
            return
        for row in rows:
            if job.finalizing:
                return
            yield row


@dataclass
class Job:
    sid: str
    request: Request
    context: Context
    created: float
    folder: Path
    outcome: Outcome = field(default_factory=lambda: Outcome([], []))
    state: str = "QUEUED"
    error: str = ""
    duration: float = 0.0
    touched: float = 0.0
    ttl: float = DEFAULT_TTL
    finished: threading.Event = field(default_factory=threading.Event)
    cancel: threading.Event = field(default_factory=threading.Event)
    alerted: threading.Event = field(default_factory=threading.Event)  # a saved search's alert has been judged
    saved: bool = False
    priority: int = 5
    preview: bool = False
    finalizing: bool = False
    paused: bool = False
    going: threading.Event = field(default_factory=threading.Event)  # clear while paused
    updated: float = 0.0  # wall clock of the last change or touch
    normalized: str = ""
    commands: list[dict[str, Any]] = field(default_factory=list)

    @property
    def done(self) -> bool:
        return self.finished.is_set()

    @property
    def shown_state(self) -> str:
        if self.done or self.state != "RUNNING":
            return self.state
        return "PAUSED" if self.paused else "FINALIZING" if self.finalizing else "RUNNING"

    def content(self) -> dict[str, Any]:
        """The fields of a job's entry."""
        return properties(self)

    def disk_usage(self) -> int:
        path = self.folder / "results.csv.gz"
        return path.stat().st_size if path.exists() else 0

    def pause(self, paused: bool) -> None:
        self.paused = paused
        if paused:
            self.going.clear()
        else:
            self.going.set()

    def stop(self) -> None:
        """Have the search end with an error at its next check."""
        self.cancel.set()
        self.going.set()

    def finalize(self) -> None:
        """Have the search end with what it has found."""
        self.finalizing = True
        self.pause(False)

    def messages(self) -> list[dict[str, str]]:
        held = [{"type": kind, "text": text} for kind, text in self.context.messages]
        return [*held, {"type": "FATAL", "text": self.error}] if self.error else held
