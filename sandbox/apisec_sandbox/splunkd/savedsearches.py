"""Saved searches: dispatching them, judging their alerts, running their actions.

Source: savedsearches.conf.spec; REST API Reference, "saved/searches".
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.spl.times import strftime
from apisec_sandbox.spl.values import Row
from apisec_sandbox.splunkd import alert_conditions
from apisec_sandbox.splunkd.alert_actions import Result
from apisec_sandbox.splunkd.alert_conditions import Memory
from apisec_sandbox.splunkd.auth import SYSTEM_USER
from apisec_sandbox.splunkd.confs import NOBODY, Stanza, is_true
from apisec_sandbox.splunkd.fired_alerts import Fired, FiredAlerts
from apisec_sandbox.splunkd.job import Job, Request
from apisec_sandbox.splunkd.periods import seconds_of
from apisec_sandbox.splunkd.saved_defaults import ALIASES, DEFAULTS, FLAGS
from apisec_sandbox.splunkd.web import HttpError

if TYPE_CHECKING:
    from apisec_sandbox.splunkd.server import Splunkd

LOG = logging.getLogger("apisec_sandbox.scheduler")
MAX_HISTORY = 50
TRACKED = ("email", "script", "rss", "webhook")  # actions whose track_alert is on (alert_actions.conf)
Place = tuple[str, str, str]


@dataclass
class Firing:
    """What one run of a saved search led to."""

    search: str
    sid: str
    triggered: bool
    suppressed: int
    results: list[Result]


def place_of(stanza: Stanza) -> Place:
    return stanza.app, stanza.owner, stanza.name


class SavedSearches:
    """Runs saved searches."""

    def __init__(self, splunkd: Splunkd) -> None:
        self._splunkd = splunkd
        self._lock = threading.Lock()
        self.memory = Memory(splunkd.home.data / "suppressions.json", splunkd.clock)
        self.fired = FiredAlerts(splunkd.home.data / "fired_alerts.json", splunkd.clock)
        self._history: dict[Place, list[str]] = {}
        self.firings: list[Firing] = []

    def all(self) -> list[Stanza]:
        """Return the saved searches of all apps and users."""
        return self._splunkd.confs.objects("savedsearches")

    def get(self, name: str, app: str | None = None) -> Stanza:
        stanza = self._splunkd.confs.stanza("savedsearches", name, app)
        if stanza is None or name == "default":
            raise HttpError(404, f"Could not find object id={name}")
        return stanza

    def owner_of(self, stanza: Stanza) -> str:
        """As whom the scheduler runs it: its owner, else the system's user (savedsearches.conf.spec, dispatchAs)."""
        owner = stanza.permissions.owner if stanza.owner == NOBODY else stanza.owner
        return owner if self._splunkd.users.get(owner) else SYSTEM_USER

    def runs_as(self, stanza: Stanza, user: str) -> str:
        """As whom a dispatch by a user runs: a shared search as its owner, unless dispatchAs = user."""
        shared = stanza.owner == NOBODY and stanza.get("dispatchAs", "owner").strip().lower() != "user"
        return self.owner_of(stanza) if shared else user

    def request(self, stanza: Stanza, owner: str, overrides: dict[str, str], now: float | None) -> Request:
        """Return the job of a saved search; overrides are ``dispatch.*`` and ``args.*`` of a dispatch."""
        text = stanza.get("search")
        arguments = {k: v for k, v in stanza.settings.items() if k.startswith("args.")} | overrides
        for name, value in arguments.items():
            if name.startswith("args."):
                text = text.replace(f"${name[5:]}$", value)
        if text and not text.lstrip().startswith(("|", "search ", "search\t", "search\n")):
            text = f"search {text}"
        settings = {**stanza.settings, **{k: v for k, v in overrides.items() if k.startswith("dispatch.")}}
        request = Request(
            text,
            stanza.app if stanza.app != "system" else "search",
            owner,
            settings.get("dispatch.earliest_time", ""),
            settings.get("dispatch.latest_time", ""),
            now,
            label=stanza.name,
            status_buckets=int(buckets) if (buckets := settings.get("dispatch.buckets", "")).isdigit() else 0,
            readers=stanza.permissions.read if stanza.owner == NOBODY and owner == self.owner_of(stanza) else (),
        )
        return self._limited(request, stanza, settings)

    def _limited(self, request: Request, stanza: Stanza, settings: dict[str, str]) -> Request:
        """Hold dispatch.ttl (``2p`` is two periods of the schedule) and dispatch.max_time."""
        ttl = settings.get("dispatch.ttl", "2p").strip()
        if ttl.endswith("p") and ttl[:-1].isdigit():
            request.ttl = max(request.ttl, int(ttl[:-1]) * self._splunkd.scheduler.period(stanza))
        elif ttl.isdigit():
            request.ttl = float(ttl)
        longest = settings.get("dispatch.max_time", "0").strip()
        if longest.isdigit() and int(longest):
            request.finalize_after = float(longest)
        return request

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
        request.sid = self._sid(stanza, owner)
        job = self._splunkd.jobs.create(request)
        with self._lock:
            held = self._history.setdefault(place_of(stanza), [])
            held.insert(0, job.sid)
            del held[MAX_HISTORY:]
        if trigger:
            threading.Thread(target=self._after, args=(stanza, job), daemon=True, name="alert").start()
        else:
            job.alerted.set()
        return job

    def history(self, stanza: Stanza) -> list[str]:
        with self._lock:
            return list(self._history.get(place_of(stanza), ()))

    def _sid(self, stanza: Stanza, owner: str) -> str:
        digest = hashlib.sha256(stanza.name.encode()).hexdigest()[:16]
        user = re.sub(r"[^A-Za-z0-9_.@\-]", "_", owner if owner != SYSTEM_USER else NOBODY)[:60]
        base = f"scheduler__{user}__{stanza.app}__RMD5{digest}_at_{int(self._splunkd.clock())}"
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
        """Test the alert condition, throttle, note the alert, run the actions."""
        rows, group = job.outcome.rows, group_of(stanza)
        previous = self.memory.previous("/".join(place_of(stanza)), alert_conditions.count(stanza, rows))
        if not alert_conditions.triggers(stanza, job, previous):
            return Firing(stanza.name, job.sid, False, 0, [])
        digest = stanza.flag("alert.digest_mode", True)
        batches = [rows] if digest else [[row] for row in rows]
        kept = [batch for batch in batches if not self.memory.suppressed(stanza, group, batch, digest)]
        results = []
        for number, batch in enumerate(kept):
            if tracked(stanza):
                self._track(stanza, job, number, batch, digest)
            results += [self._act(stanza, job, name, batch) for name in actions_of(stanza)]
        return Firing(stanza.name, job.sid, bool(kept), len(batches) - len(kept), results)

    def _track(self, stanza: Stanza, job: Job, number: int, rows: list[Row], digest: bool) -> None:
        now = self._splunkd.clock()
        severity = stanza.get("alert.severity") or "3"
        self.fired.add(
            Fired(
                f"{job.sid}_{number}",
                stanza.name,
                stanza.app,
                job.request.owner,
                job.sid,
                now,
                now + seconds_of(stanza.get("alert.expires") or "24h"),
                int(severity) if severity.isdigit() else 3,
                ",".join(actions_of(stanza)),
                digest,
                len(rows),
            )
        )

    def _act(self, stanza: Stanza, job: Job, action: str, rows: list[Row]) -> Result:
        prefix = f"action.{action}."
        overrides = {key[len(prefix) :]: value for key, value in stanza.settings.items() if key.startswith(prefix)}
        copies = [dict(row) for row in rows]
        return self._splunkd.actions.run(action, overrides, copies, job.context, stanza.name, job.outcome.header)


def group_of(stanza: Stanza) -> str:
    """Alerts of one group share their throttle (alert.suppress.group_name)."""
    return stanza.get("alert.suppress.group_name") or "/".join(place_of(stanza))


def tracked(stanza: Stanza) -> bool:
    """alert.track: true, false, or auto as the actions have it."""
    track = stanza.get("alert.track", "auto").strip().lower()
    if track in ("", "auto"):
        return any(action in TRACKED for action in actions_of(stanza))
    return is_true(track)


def actions_of(stanza: Stanza) -> list[str]:
    """Return enabled actions: named in ``actions``, or switched on by ``action.<name> = 1``."""
    named = [part.strip() for part in stanza.get("actions").split(",") if part.strip()]
    for key, value in stanza.settings.items():
        match = re.fullmatch(r"action\.([A-Za-z0-9_]+)", key)
        if match and is_true(value) and match[1] not in named:
            named.append(match[1])
    return named


def content_of(stanza: Stanza, next_time: float | None) -> dict[str, Any]:
    """The fields of a saved search's entry: every attribute, in the endpoint's names."""
    content: dict[str, Any] = {**DEFAULTS, **stanza.settings}
    for shown, kept in ALIASES.items():
        if kept in stanza.settings:
            content[shown] = stanza.settings[kept]
        content.pop(kept, None)
    content |= {name: is_true(str(content[name])) for name in FLAGS}
    content["alert.severity"] = int(content["alert.severity"]) if str(content["alert.severity"]).isdigit() else 3
    content["actions"] = ",".join(actions_of(stanza))
    content["qualifiedSearch"] = content["qualifiedSearch"] or _qualified(stanza.get("search"))
    content["next_scheduled_time"] = strftime(next_time, "%Y-%m-%d %H:%M:%S UTC") if next_time else ""
    return content


def _qualified(search: str) -> str:
    return search if search.lstrip().startswith("|") else f"search  {search}"


def checked_period(name: str, text: str) -> None:
    """Refuse what is no period.

    Raises:
        SandboxError: it names the setting.
    """
    try:
        seconds_of(text)
    except SandboxError as error:
        raise SandboxError(f"{name}: {error}") from error
