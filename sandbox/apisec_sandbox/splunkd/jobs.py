"""Search jobs: run in threads, results kept in memory and in a dispatch folder.

Source: REST API Reference, "Search endpoint descriptions".
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import logging
import re
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apisec_sandbox.spl import engine, times
from apisec_sandbox.spl.context import Context
from apisec_sandbox.spl.custom import MV_PREFIX, encode_rows
from apisec_sandbox.spl.engine import Outcome
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.values import Row, to_text
from apisec_sandbox.splunkd.runtime import Runtime
from apisec_sandbox.splunkd.web import HttpError

if TYPE_CHECKING:
    from apisec_sandbox.splunkd.server import Splunkd

LOG = logging.getLogger("apisec_sandbox.jobs")
DEFAULT_TTL = 600.0  # limits.conf [search] ttl
MAX_SECONDS = 3600.0
MAX_RUNNING = 8
MAX_JOBS = 2000


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

    @property
    def done(self) -> bool:
        return self.finished.is_set()

    def content(self) -> dict[str, Any]:
        """The fields of a job's entry."""
        rows, context, events = self.outcome.rows, self.context, self.outcome.events
        return {
            "sid": self.sid,
            "search": self.request.search,
            "eventSearch": self.request.search if events else "",
            "label": self.request.label,
            "dispatchState": self.state,
            "doneProgress": 1.0 if self.done else 0.0,
            "isDone": self.done,
            "isFailed": self.state == "FAILED",
            "isFinalized": False,
            "isPaused": False,
            "isSaved": self.saved,
            "isSavedSearch": bool(self.request.label),
            "isZombie": False,
            "isPreviewEnabled": False,
            "isRealTimeSearch": False,
            "isBatchModeSearch": False,
            "isRemoteTimeline": False,
            "isEventsPreviewEnabled": False,
            "eventCount": len(rows) if events else context.scanned,
            "eventAvailableCount": len(rows) if events else 0,
            "scanCount": context.scanned,
            "resultCount": len(rows),
            "resultPreviewCount": len(rows),
            "resultIsStreaming": events,
            "reportSearch": None if events else self.request.search,
            "runDuration": round(self.duration, 3),
            "diskUsage": 0,
            "dropCount": 0,
            "priority": self.priority,
            "ttl": int(self.ttl),
            "defaultTTL": int(self.ttl),
            "earliestTime": _iso(context.earliest, 0.0),
            "latestTime": _iso(context.latest, context.now),
            "cursorTime": "1970-01-01T00:00:00.000+00:00",
            "numPreviews": 0,
            "statusBuckets": 0,
            "pid": "",
            "delegate": "",
            "keywords": "",
            "messages": self.messages(),
            "request": {"search": self.request.search},
            "runtime": {"auto_cancel": "0", "auto_pause": "0"},
            "searchProviders": ["apisec-sandbox"],
            "performance": {},
            "fieldMetadataStatic": {},
        }

    def messages(self) -> list[dict[str, str]]:
        held = [{"type": kind, "text": text} for kind, text in self.context.messages]
        return [*held, {"type": "FATAL", "text": self.error}] if self.error else held


def _iso(epoch: float, otherwise: float) -> str:
    return str(times.strftime(otherwise if abs(epoch) == float("inf") else epoch, "%Y-%m-%dT%H:%M:%S.%3N+00:00"))


class Jobs:
    """All jobs of this splunkd, run by a small pool."""

    def __init__(self, splunkd: Splunkd) -> None:
        self._splunkd = splunkd
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(MAX_RUNNING, thread_name_prefix="search")
        self._number = 0

    def list(self) -> list[Job]:
        with self._lock:
            return sorted(self._jobs.values(), key=lambda job: job.created, reverse=True)

    def get(self, sid: str) -> Job:
        """Return the job.

        Raises:
            HttpError: 404 when there is none.
        """
        job = self._jobs.get(sid)
        if job is None:
            raise HttpError(404, "Unknown sid.", "FATAL")
        job.touched = time.monotonic()
        return job

    def create(self, request: Request) -> Job:
        """Check the search and start it.

        Raises:
            HttpError: 400 with the reason when it does not parse.
        """
        job = self._new(request)
        try:
            self._context_times(job)
            engine.check(request.search, Runtime(self._splunkd, request.app, request.owner), job.context)
        except SplError as error:
            shutil.rmtree(job.folder, ignore_errors=True)
            raise HttpError(400, str(error), "FATAL") from error
        with self._lock:
            self._jobs[job.sid] = job
        self._pool.submit(self._run, job)
        return job

    def run(self, request: Request) -> Job:
        """Create a job and wait for its end."""
        job = self.create(request)
        job.finished.wait(request.max_seconds + 5)
        return job

    def _new(self, request: Request) -> Job:
        self._expire()
        now = self._splunkd.clock() if request.now is None else request.now
        sid = request.sid or self._sid(now)
        if not re.fullmatch(r"[A-Za-z0-9_.@\-]{1,200}", sid):
            raise HttpError(400, "Invalid sid: use letters, digits, _ . @ -")
        if sid in self._jobs:
            raise HttpError(409, f"A search job with sid {sid} already exists.")
        if len(self._jobs) >= MAX_JOBS:
            raise HttpError(503, "Too many search jobs; wait or delete some.")
        folder = self._splunkd.home.dispatch / sid
        folder.mkdir(parents=True, exist_ok=True)
        context = Context(
            Runtime(self._splunkd, request.app, request.owner),
            now,
            app=request.app,
            owner=request.owner,
            sid=sid,
            search=request.search,
            dispatch_dir=str(folder),
        )
        job = Job(sid, request, context, self._splunkd.clock(), folder, ttl=request.ttl, touched=time.monotonic())
        limit = time.monotonic() + request.max_seconds
        context.cancelled = lambda: job.cancel.is_set() or time.monotonic() > limit
        return job

    def _sid(self, now: float) -> str:
        with self._lock:
            self._number += 1
            return f"{now:.0f}.{self._number}"

    @staticmethod
    def _context_times(job: Job) -> None:
        context, request = job.context, job.request
        if request.earliest not in ("", "0"):
            context.earliest = times.resolve(request.earliest, context.now)
        if request.latest not in ("", "0"):
            context.latest = times.resolve(request.latest, context.now)
        if context.earliest > context.latest:
            raise SplError("Invalid earliest_time: it is later than latest_time")

    def _run(self, job: Job) -> None:
        started = time.monotonic()
        job.state = "RUNNING"
        session = self._splunkd.users.open_session(job.request.owner)
        job.context.session_key = session.key
        try:
            job.outcome = engine.execute(job.request.search, job.context.services, job.context)
            write_results(job.folder / "results.csv.gz", job.outcome)
            job.state = "DONE"
        except SplError as error:
            job.state, job.error = "FAILED", str(error)
        except Exception as error:
            LOG.exception("search %s failed", job.sid)
            job.state, job.error = "FAILED", f"Unexpected {type(error).__name__}: {error}"
        finally:
            self._splunkd.users.close_session(session.key)
            job.duration = time.monotonic() - started
            job.touched = time.monotonic()
            job.finished.set()

    def delete(self, sid: str) -> None:
        job = self.get(sid)
        job.cancel.set()
        with self._lock:
            self._jobs.pop(sid, None)
        shutil.rmtree(job.folder, ignore_errors=True)

    def control(self, sid: str, action: str, ttl: str) -> None:
        job = self.get(sid)
        if action in ("cancel",):
            self.delete(sid)
        elif action == "finalize":
            job.cancel.set()
        elif action == "setttl":
            if not ttl.isdigit():
                raise HttpError(400, "ttl must be a whole number of seconds")
            job.ttl = float(ttl)
        elif action in ("save", "unsave"):
            job.saved = action == "save"
            job.ttl = 7 * 86400.0 if job.saved else DEFAULT_TTL
        elif action not in ("touch", "pause", "unpause", "enablepreview", "disablepreview", "setpriority"):
            raise HttpError(400, f"Unknown action {action!r}")

    def _expire(self) -> None:
        now = time.monotonic()
        with self._lock:
            gone = [job for job in self._jobs.values() if job.done and now - job.touched > job.ttl]
            for job in gone:
                del self._jobs[job.sid]
        for job in gone:
            shutil.rmtree(job.folder, ignore_errors=True)

    def close(self) -> None:
        for job in self.list():
            job.cancel.set()
        self._pool.shutdown(wait=False, cancel_futures=True)


def write_results(path: Path, outcome: Outcome) -> None:
    """Write results.csv.gz as alert actions read it: with ``__mv_`` columns."""
    path.write_bytes(gzip.compress(encode_rows(outcome.rows, outcome.header), 1))


@dataclass(frozen=True)
class Window:
    """Which rows of a job a client wants."""

    offset: int = 0
    count: int = 100
    search: str = ""
    fields: tuple[str, ...] = ()


def window_rows(job: Job, window: Window, services: Runtime) -> Outcome:
    """Return the rows of a page, after the post-process search when there is one."""
    outcome = job.outcome
    if window.search:
        outcome = post_process(job, window.search, services)
    rows = outcome.rows[window.offset :]
    if window.count:
        rows = rows[: window.count]
    header = [name for name in outcome.header if name in window.fields] if window.fields else outcome.header
    return Outcome(rows, header, outcome.events)


def post_process(job: Job, search: str, services: Runtime) -> Outcome:
    """Run more commands over the finished rows."""
    from apisec_sandbox.spl.commands.base import Command
    from apisec_sandbox.spl.context import Stage, header_of

    text = search.strip()
    compiler = engine.Compiler(services, job.context)
    commands: list[Command] = compiler.compile_continuation(text)
    stage = Stage([dict(row) for row in job.outcome.rows], list(job.outcome.header), job.outcome.events)
    try:
        for command in commands:
            stage = command.apply(stage, job.context)
        rows = list(stage.rows)
    except SplError as error:
        raise HttpError(400, str(error), "FATAL") from error
    return Outcome(rows, header_of(stage, rows), stage.events)


# Formats


def as_json(job: Job, page: Outcome, offset: int) -> bytes:
    """``output_mode=json``: values are texts, multivalues lists of texts."""
    body = {
        "preview": not job.done,
        "init_offset": offset,
        "messages": job.messages(),
        "fields": [{"name": name} for name in page.header],
        "results": [_json_row(row, page.header) for row in page.rows],
        "highlighted": {},
    }
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def _json_row(row: Row, header: list[str]) -> dict[str, Any]:
    return {name: _json_value(row[name]) for name in header if row.get(name) is not None}


def _json_value(value: Any) -> Any:
    return [to_text(item) for item in value] if isinstance(value, list) else _shown(value)


def _shown(value: Any) -> str:
    return to_text(value)


def as_json_columns(job: Job, page: Outcome, offset: int) -> bytes:
    columns = [
        [_json_value(row[name]) if row.get(name) is not None else None for row in page.rows] for name in page.header
    ]
    body = {
        "preview": not job.done,
        "init_offset": offset,
        "messages": job.messages(),
        "fields": page.header,
        "columns": columns,
    }
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def as_json_rows(job: Job, page: Outcome, offset: int) -> bytes:
    rows = [
        [_json_value(row[name]) if row.get(name) is not None else None for name in page.header] for row in page.rows
    ]
    body = {
        "preview": not job.done,
        "init_offset": offset,
        "messages": job.messages(),
        "fields": page.header,
        "rows": rows,
    }
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def as_csv(page: Outcome) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(page.header)
    for row in page.rows:
        writer.writerow([to_text(row[name]) if row.get(name) is not None else "" for name in page.header])
    return text.getvalue().encode("utf-8", "replace")


def as_export(page: Outcome) -> bytes:
    """The export endpoint's JSON: one object a line."""
    lines = []
    last = len(page.rows) - 1
    for number, row in enumerate(page.rows):
        item: dict[str, Any] = {"preview": False, "offset": number}
        if number == last:
            item["lastrow"] = True
        lines.append(json.dumps({**item, "result": _json_row(row, page.header)}, ensure_ascii=False))
    if not lines:
        lines.append(json.dumps({"preview": False, "lastrow": True}))
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def as_xml(job: Job, page: Outcome, offset: int) -> bytes:
    from xml.sax.saxutils import escape, quoteattr

    from apisec_sandbox.splunkd.atom import ILLEGAL_XML

    def text(value: Any) -> str:
        return escape(to_text(value).translate(ILLEGAL_XML))

    parts = [
        f"<?xml version='1.0' encoding='UTF-8'?>\n<results preview='{0 if job.done else 1}'>\n<meta>\n<fieldOrder>"
    ]
    parts += [f"<field>{text(name)}</field>" for name in page.header]
    parts.append("</fieldOrder>\n</meta>\n<messages>")
    parts += [f"<msg type={quoteattr(m['type'])}>{text(m['text'])}</msg>" for m in job.messages()]
    parts.append("</messages>\n")
    for number, row in enumerate(page.rows, offset):
        parts.append(f"<result offset='{number}'>")
        for name in page.header:
            value = row.get(name)
            if value is None or name.startswith(MV_PREFIX):
                continue
            if name == "_raw":
                parts.append(f"<field k='_raw'><v xml:space='preserve' trunc='0'>{text(value)}</v></field>")
                continue
            values = value if isinstance(value, list) else [value]
            inner = "".join(f"<value><text>{text(item)}</text></value>" for item in values)
            parts.append(f"<field k={quoteattr(name)}>{inner}</field>")
        parts.append("</result>\n")
    parts.append("</results>")
    return "".join(parts).encode("utf-8", "replace")
