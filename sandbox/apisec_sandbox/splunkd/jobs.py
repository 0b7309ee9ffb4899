"""Search jobs: run in threads, results kept in memory and in a dispatch folder.

Source: REST API Reference, "Search endpoint descriptions".
"""

from __future__ import annotations

import gzip
import logging
import re
import shutil
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from apisec_sandbox.spl import engine, times
from apisec_sandbox.spl.context import Context, Stage
from apisec_sandbox.spl.custom import encode_rows
from apisec_sandbox.spl.engine import Outcome
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.values import Row
from apisec_sandbox.splunkd.job import DEFAULT_TTL, MAX_SECONDS, Job, Request, Stoppable
from apisec_sandbox.splunkd.web import HttpError

if TYPE_CHECKING:
    from apisec_sandbox.splunkd.server import Splunkd

__all__ = ["DEFAULT_TTL", "MAX_SECONDS", "Job", "Jobs", "Request", "write_results"]
LOG = logging.getLogger("apisec_sandbox.jobs")
MAX_RUNNING = 8
MAX_JOBS = 2000
SAVED_TTL = 7 * 86400.0  # limits.conf [search] default_save_ttl
ACTIONS = {
    "pause": "Search job paused.",
    "unpause": "Search job continued.",
    "finalize": "Search job finalized.",
    "cancel": "Search job cancelled.",
    "touch": "Search job touched.",
    "setttl": "The ttl of the search job was changed.",
    "setpriority": "The search job's priority was changed.",
    "enablepreview": "Previews of the search job were enabled.",
    "disablepreview": "Previews of the search job were disabled.",
    "save": "The search job was saved.",
    "unsave": "The search job was unsaved.",
}


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

    def current(self) -> Sequence[Job]:
        """The jobs that have not outlived their time, newest first."""
        self._expire()
        return self.list()

    def get(self, sid: str) -> Job:
        """Return the job.

        Raises:
            HttpError: 404 when there is none.
        """
        self._expire()
        job = self._jobs.get(sid)
        if job is None:
            raise HttpError(404, "Unknown sid.", "FATAL")
        job.touched = time.monotonic()
        return job

    def create(self, request: Request) -> Job:
        """Check the search and start it.

        Raises:
            HttpError: 400 with the reason when it does not parse; 503 when the user runs as many as he may.
        """
        job = self.prepare(request)
        with self._lock:
            self._jobs[job.sid] = job
        self._pool.submit(self._run, job)
        return job

    def prepare(self, request: Request) -> Job:
        """A job that parses, not yet running."""
        job = self._new(request)
        try:
            self._context_times(job)
            parsed = engine.check(request.search, job.context.services, job.context)
        except SplError as error:
            shutil.rmtree(job.folder, ignore_errors=True)
            raise HttpError(400, str(error), "FATAL") from error
        job.normalized, job.commands = parsed["normalizedSearch"], parsed["commands"]
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
        self._check_quota(request)
        folder = self._splunkd.home.dispatch / sid
        folder.mkdir(parents=True, exist_ok=True)
        services = Stoppable(self._splunkd, request.app, request.owner)
        context = Context(
            services,
            now,
            app=request.app,
            owner=request.owner,
            sid=sid,
            search=request.search,
            dispatch_dir=str(folder),
        )
        created = self._splunkd.clock()
        job = Job(sid, request, context, created, folder, ttl=request.ttl, touched=time.monotonic(), updated=created)
        job.priority = request.priority
        job.going.set()
        services.job = job
        return job

    def _check_quota(self, request: Request) -> None:
        """srchJobsQuota: the largest of the user's roles counts (docs: authorize.conf.spec)."""
        users, roles = self._splunkd.users, self._splunkd.roles
        held = [roles.stanza(name) for name in roles.resolved(users.roles_of(request.owner))]
        quotas = [stanza.get("srchJobsQuota") or "3" for stanza in held if stanza]
        quota = max((int(text) for text in quotas if text.isdigit()), default=0)
        running = [job for job in self.list() if not job.done and job.request.owner == request.owner]
        if quota and not request.label and len(running) >= quota:
            raise HttpError(
                503,
                "This search could not be dispatched because the role-based concurrency limit of historical searches "
                f'for user "{request.owner}" has been reached (usage={len(running)}, quota={quota}).',
                "FATAL",
            )

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

    def _started(self, job: Job) -> str:
        """Start the clock of a job; return the session that its scripts use."""
        job.state = "RUNNING"
        started = time.monotonic()
        limit, final = started + job.request.max_seconds, job.request.finalize_after

        def cancelled() -> bool:
            job.going.wait()
            now = time.monotonic()
            if final and now > started + final and not job.finalizing:
                job.context.say("WARN", f"Search auto-finalized after time limit ({final:.0f} seconds) reached.")
                job.finalizing = True
            return job.cancel.is_set() or now > limit

        job.context.cancelled = cancelled
        job.context.session_key = self._splunkd.users.open_session(job.request.owner).key
        return job.context.session_key

    def _run(self, job: Job) -> None:
        started = time.monotonic()
        key = self._started(job)
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
            self._splunkd.users.close_session(key)
            job.duration = time.monotonic() - started
            job.touched, job.updated = time.monotonic(), self._splunkd.clock()
            job.finished.set()

    def stream(self, job: Job) -> tuple[Stage, Iterator[Row]]:
        """The rows of a prepared job as the search finds them; closing the iterator ends the search.

        Raises:
            HttpError: the search fails before its first row.
        """
        key = self._started(job)
        compiler = engine.Compiler(job.context.services, job.context)
        try:
            stage = engine.run_commands(compiler.compile(job.request.search), job.context)
        except SplError as error:
            self._finish(job, key)
            raise HttpError(400, str(error), "FATAL") from error
        return stage, self._rows(job, stage, key)

    def _rows(self, job: Job, stage: Stage, key: str) -> Iterator[Row]:
        try:
            yield from stage.rows
        except SplError as error:
            job.error = str(error)
        finally:
            self._finish(job, key)

    def _finish(self, job: Job, key: str) -> None:
        job.stop()
        self._splunkd.users.close_session(key)
        shutil.rmtree(job.folder, ignore_errors=True)

    def delete(self, sid: str) -> None:
        job = self.get(sid)
        job.stop()
        with self._lock:
            self._jobs.pop(sid, None)
        shutil.rmtree(job.folder, ignore_errors=True)

    def control(self, sid: str, action: str, params: Mapping[str, str]) -> str:
        """Do what the action says and return the message for the client.

        Raises:
            HttpError: the action is unknown, or lacks its number.
        """
        job = self.get(sid)
        job.updated = self._splunkd.clock()
        if action == "cancel":
            self.delete(sid)
        elif action in ("pause", "unpause"):
            job.pause(action == "pause")
        elif action == "finalize":
            job.finalize()
        elif action == "setttl":
            job.ttl = float(_number(params, "ttl"))
        elif action == "setpriority":
            job.priority = min(10, _number(params, "priority"))
        elif action in ("enablepreview", "disablepreview"):
            job.preview = action == "enablepreview"
        elif action in ("save", "unsave"):
            job.saved = action == "save"
            job.ttl = SAVED_TTL if job.saved else DEFAULT_TTL
        elif action != "touch":
            raise HttpError(400, f"Invalid action={action[:50]!r}; known: {', '.join(ACTIONS)}", "FATAL")
        return ACTIONS[action]

    def _expire(self) -> None:
        now = time.monotonic()
        with self._lock:
            gone = [job for job in self._jobs.values() if _outlived(job, now - job.touched)]
            for job in gone:
                del self._jobs[job.sid]
        for job in gone:
            job.stop()
            shutil.rmtree(job.folder, ignore_errors=True)

    def clear(self) -> None:
        """Forget every job: splunkd was restarted."""
        for job in self.list():
            if not job.saved:
                job.stop()
                with self._lock:
                    self._jobs.pop(job.sid, None)

    def close(self) -> None:
        for job in self.list():
            job.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)


def _number(params: Mapping[str, str], name: str) -> int:
    if not params.get(name, "").isdigit():
        raise HttpError(400, f"The following required arguments are missing or no whole numbers: {name}.")
    return int(params[name])


def _outlived(job: Job, idle: float) -> bool:
    """A job that nobody asked for within its time to live, or, while it runs, within auto_cancel."""
    if job.done:
        return idle > job.ttl
    return bool(job.request.auto_cancel) and idle > job.request.auto_cancel


def write_results(path: Path, outcome: Outcome) -> None:
    """Write results.csv.gz as alert actions read it: with ``__mv_`` columns."""
    path.write_bytes(gzip.compress(encode_rows(outcome.rows, outcome.header), 1))
