"""Saved searches: dispatching, alert conditions, throttling, actions.

Source: savedsearches.conf.spec; Alerting Manual, "Configure alert trigger conditions", "Throttle alerts".
"""

from __future__ import annotations

import json
import logging
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.spl import engine
from apisec_sandbox.spl.context import Stage
from apisec_sandbox.spl.times import parse_span
from apisec_sandbox.spl.values import Row, to_number, to_text
from apisec_sandbox.splunkd.alert_actions import Result
from apisec_sandbox.splunkd.confs import Stanza, is_true
from apisec_sandbox.splunkd.home import write_atomic
from apisec_sandbox.splunkd.jobs import Job, Request
from apisec_sandbox.splunkd.web import HttpError

if TYPE_CHECKING:
    from apisec_sandbox.splunkd.server import Splunkd

LOG = logging.getLogger("apisec_sandbox.scheduler")
MAX_HISTORY = 50
PERIOD = re.compile(r"(\d+)([smhd]?)\Z")
RELATIONS = {
    "greater than": lambda a, b: a > b,
    "less than": lambda a, b: a < b,
    "equal to": lambda a, b: a == b,
    "not equal to": lambda a, b: a != b,
}


@dataclass
class Firing:
    """What one run of a saved search led to."""

    search: str
    sid: str
    triggered: bool
    suppressed: int
    results: list[Result]


class SavedSearches:
    """Runs saved searches. The throttle's memory is a file, so that a restart does not fire again."""

    def __init__(self, splunkd: Splunkd) -> None:
        self._splunkd = splunkd
        self._path = splunkd.home.data / "suppressions.json"
        self._lock = threading.Lock()
        self._suppressed: dict[str, float] = json.loads(self._path.read_text()) if self._path.exists() else {}
        self.history: dict[str, list[str]] = {}
        self.firings: list[Firing] = []

    def all(self, app: str | None = None) -> list[Stanza]:
        stanzas = self._splunkd.confs.stanzas("savedsearches", app)
        return [stanza for name, stanza in stanzas.items() if name != "default"]

    def get(self, name: str, app: str | None = None) -> Stanza:
        stanza = self._splunkd.confs.stanza("savedsearches", name, app)
        if stanza is None or name == "default":
            raise HttpError(404, f"Could not find object id={name}")
        return stanza

    def request(self, stanza: Stanza, owner: str, overrides: dict[str, str], now: float | None) -> Request:
        """Return the job of a saved search; overrides are ``dispatch.*`` and ``args.*`` of a dispatch."""
        text = stanza.get("search")
        for name, value in overrides.items():
            if name.startswith("args."):
                text = text.replace(f"${name[5:]}$", value)
        settings = {**stanza.settings, **{k: v for k, v in overrides.items() if k.startswith("dispatch.")}}
        return Request(
            text,
            stanza.app if stanza.app != "system" else "search",
            owner,
            settings.get("dispatch.earliest_time", ""),
            settings.get("dispatch.latest_time", ""),
            now,
            label=stanza.name,
        )

    def dispatch(
        self,
        stanza: Stanza,
        owner: str,
        overrides: dict[str, str] | None = None,
        now: float | None = None,
        trigger: bool = True,
    ) -> Job:
        """Start the search; with ``trigger`` its alert is judged when it is done."""
        request = self.request(stanza, owner, overrides or {}, now)
        request.sid = self._sid(stanza)
        job = self._splunkd.jobs.create(request)
        held = self.history.setdefault(stanza.name, [])
        held.insert(0, job.sid)
        del held[MAX_HISTORY:]
        if trigger:
            threading.Thread(target=self._after, args=(stanza, job), daemon=True, name="alert").start()
        else:
            job.alerted.set()
        return job

    def _sid(self, stanza: Stanza) -> str:
        import hashlib
        import itertools

        digest = hashlib.sha256(stanza.name.encode()).hexdigest()[:16]
        base = f"scheduler__nobody__{stanza.app}__{digest}_at_{int(self._splunkd.clock())}"
        taken = {job.sid for job in self._splunkd.jobs.list()}
        return next(sid for n in itertools.count() if (sid := f"{base}_{n}") not in taken)

    def _after(self, stanza: Stanza, job: Job) -> None:
        try:
            job.finished.wait()
            if job.state == "DONE":
                firing = self.judge(stanza, job)
                with self._lock:
                    self.firings.append(firing)
                    del self.firings[:-1000]
            else:
                LOG.warning('saved search "%s" failed: %s', stanza.name, job.error)
        except Exception:
            LOG.exception('the alert of saved search "%s" failed', stanza.name)
        finally:
            job.alerted.set()

    def judge(self, stanza: Stanza, job: Job) -> Firing:
        """Test the alert condition, throttle, run the actions."""
        rows = job.outcome.rows
        if not self._condition(stanza, job):
            return Firing(stanza.name, job.sid, False, 0, [])
        digest = stanza.flag("alert.digest_mode", True)
        batches = [rows] if digest else [[row] for row in rows]
        kept = [batch for batch in batches if not self._is_suppressed(stanza, batch, digest)]
        results = []
        for batch in kept:
            results += [self._act(stanza, job, name, batch) for name in actions_of(stanza)]
        return Firing(stanza.name, job.sid, bool(kept), len(batches) - len(kept), results)

    def _act(self, stanza: Stanza, job: Job, action: str, rows: list[Row]) -> Result:
        prefix = f"action.{action}."
        overrides = {key[len(prefix) :]: value for key, value in stanza.settings.items() if key.startswith(prefix)}
        copies = [dict(row) for row in rows]
        return self._splunkd.actions.run(action, overrides, copies, job.context, stanza.name, job.outcome.header)

    def _condition(self, stanza: Stanza, job: Job) -> bool:
        custom = stanza.get("alert_condition")
        if custom:
            return self._custom_condition(custom, job)
        kind = stanza.get("counttype", "always").lower()
        if kind == "always":
            return bool(job.outcome.rows) or not stanza.get("relation")
        if kind == "custom":
            return bool(job.outcome.rows)
        count = _count(kind, job.outcome.rows)
        relation = RELATIONS.get(stanza.get("relation").lower())
        quantity = to_number(stanza.get("quantity"))
        if relation is None or quantity is None:
            LOG.warning('saved search "%s": relation and quantity do not make a condition', stanza.name)
            return False
        return bool(relation(count, quantity))

    def _custom_condition(self, text: str, job: Job) -> bool:
        compiler = engine.Compiler(job.context.services, job.context)
        stage = Stage([dict(row) for row in job.outcome.rows], list(job.outcome.header))
        for command in compiler.compile_continuation(text):
            stage = command.apply(stage, job.context)
        return next(iter(stage.rows), None) is not None

    # Throttling

    def _is_suppressed(self, stanza: Stanza, rows: list[Row], digest: bool) -> bool:
        """Whether an alert of the same fields fired within the period; if not, start its period."""
        if not stanza.flag("alert.suppress"):
            return False
        period = seconds_of(stanza.get("alert.suppress.period") or "1h")
        names = [part.strip() for part in stanza.get("alert.suppress.fields").replace(",", " ").split()]
        first = {} if digest or not rows else rows[0]
        values = [to_text(first.get(name, "")) for name in names] if not digest else []
        group = stanza.get("alert.suppress.group_name") or stanza.name
        key = json.dumps([group, values])
        now = self._splunkd.clock()
        with self._lock:
            self._suppressed = {k: until for k, until in self._suppressed.items() if until > now}
            if key in self._suppressed:
                return True
            self._suppressed[key] = now + period
            write_atomic(self._path, json.dumps(self._suppressed).encode(), 0o600)
        return False

    def clear_suppressions(self, name: str) -> None:
        with self._lock:
            self._suppressed = {k: v for k, v in self._suppressed.items() if json.loads(k)[0] != name}
            write_atomic(self._path, json.dumps(self._suppressed).encode(), 0o600)


def _count(kind: str, rows: list[Row]) -> int:
    if kind == "number of hosts":
        return len({to_text(row.get("host", "")) for row in rows})
    if kind == "number of sources":
        return len({to_text(row.get("source", "")) for row in rows})
    return len(rows)


def actions_of(stanza: Stanza) -> list[str]:
    """Return enabled actions: named in ``actions``, or switched on by ``action.<name> = 1``."""
    named = [part.strip() for part in stanza.get("actions").split(",") if part.strip()]
    for key, value in stanza.settings.items():
        match = re.fullmatch(r"action\.([A-Za-z0-9_]+)", key)
        if match and is_true(value) and match[1] not in named:
            named.append(match[1])
    return named


def seconds_of(text: str) -> float:
    """``60``, ``60s``, ``5m``, ``2h``, ``1d``.

    Raises:
        SandboxError: it is no period.
    """
    match = PERIOD.match(text.strip())
    if not match:
        raise SandboxError(f"alert.suppress.period {text!r} is no period such as 60s, 5m, 2h")
    return parse_span(match[1] + (match[2] or "s"))[0]


def content_of(stanza: Stanza, next_time: float | None) -> dict[str, Any]:
    """The fields of a saved search's entry."""
    settings: dict[str, Any] = dict(stanza.settings)
    for name in (
        "disabled",
        "is_scheduled",
        "is_visible",
        "alert.digest_mode",
        "alert.suppress",
        "action.summary_index",
    ):
        settings[name] = is_true(str(settings.get(name, "0")))
    settings["is_scheduled"] = is_true(str(stanza.settings.get("enableSched", "0")))
    settings.pop("enableSched", None)
    settings["actions"] = ",".join(actions_of(stanza))
    settings.setdefault("qualifiedSearch", stanza.get("search"))
    from apisec_sandbox.spl.times import strftime

    settings["next_scheduled_time"] = strftime(next_time, "%Y-%m-%d %H:%M:%S UTC") if next_time else ""
    return settings
