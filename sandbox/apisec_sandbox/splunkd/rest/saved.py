"""saved/searches and alerts/fired_alerts.

Source: REST API Reference, "Search endpoint descriptions" (saved/searches, alerts/fired_alerts).
"""

from __future__ import annotations

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.spl import engine
from apisec_sandbox.spl.context import Context
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.times import resolve, strftime
from apisec_sandbox.splunkd import cron, savedsearches
from apisec_sandbox.splunkd.alert_conditions import COMPARATORS, COUNTED
from apisec_sandbox.splunkd.atom import Entry, quoted
from apisec_sandbox.splunkd.confs import Stanza, is_true
from apisec_sandbox.splunkd.fired_alerts import Fired
from apisec_sandbox.splunkd.rest import shared
from apisec_sandbox.splunkd.rest.call import Call, Route
from apisec_sandbox.splunkd.rest.search import sid_reply
from apisec_sandbox.splunkd.runtime import Runtime
from apisec_sandbox.splunkd.saved_defaults import ALIASES, is_known
from apisec_sandbox.splunkd.savedsearches import content_of, group_of
from apisec_sandbox.splunkd.scheduler import scheduled
from apisec_sandbox.splunkd.web import HttpError, Reply

CONF, TITLE = "savedsearches", "savedsearch"
TYPES = ("always", "custom", *COUNTED)
PERIODS = ("alert.suppress.period", "alert.expires")
DATE = "%Y-%m-%d %H:%M:%S UTC"


def _entry(call: Call, stanza: Stanza) -> Entry:
    content = content_of(stanza, call.splunkd.scheduler.next_time(stanza))
    fired = [one for one in call.splunkd.saved.fired.list() if (one.app, one.savedsearch) == (stanza.app, stanza.name)]
    if fired:  # splunkd names the number only once there is one
        content["triggered_alert_count"] = len(fired)
    entry = shared.entry(call, CONF, stanza, f"saved/searches/{quoted(stanza.name)}", content)
    entry.links = {name: f"{entry.id_path}/{name}" for name in ("dispatch", "history")}
    return entry


def _get(call: Call, name: str) -> Stanza:
    return shared.one(call, CONF, name)


def list_all(call: Call) -> Reply:
    return call.feed(TITLE, [_entry(call, stanza) for stanza in shared.visible(call, CONF)])


def show(call: Call, name: str) -> Reply:
    found = [_entry(call, stanza) for stanza in shared.named(call, CONF, name)]
    return call.one(TITLE, found[0]) if len(found) == 1 else call.feed(TITLE, found)


# What is written


def _checked(call: Call, settings: dict[str, str]) -> dict[str, str]:
    """Validate as splunkd does before anything is written; return the file's names."""
    for key in settings:
        if not is_known(key):
            raise HttpError(400, f'Argument "{key}" is not supported by this endpoint.')
    named = {ALIASES.get(name, name): value for name, value in settings.items()}
    if is_true(named.get("enableSched", "0")):
        call.require("schedule_search")
    try:
        if named.get("cron_schedule"):
            cron.parse(named["cron_schedule"])
        for name in PERIODS:
            if named.get(name):
                savedsearches.checked_period(name, named[name])
    except SandboxError as error:
        raise HttpError(400, str(error)) from error
    _one_of("alert_comparator", named.get("relation", ""), COMPARATORS)
    _one_of("alert_type", named.get("counttype", ""), TYPES)
    return named


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value and value.lower() not in known:
        raise HttpError(400, f"Invalid value {value!r} for {name}; known: {', '.join(known)}")


def _check_search(call: Call, text: str) -> None:
    """Refuse a search that does not parse; tokens of arguments may stand anywhere."""
    if "$" in text:
        return
    services = Runtime(call.splunkd, call.target_app, call.session.user)
    context = Context(services, call.splunkd.clock(), app=call.target_app, owner=call.session.user)
    try:
        engine.check(text, services, context)
    except SplError as error:
        raise HttpError(400, f"Error in search: {error}") from error


def create(call: Call) -> Reply:
    name, text = call.needed("name"), call.needed("search")
    settings = _checked(call, call.settings("name"))
    app, owner = shared.place_of_new(call, CONF)
    if name in call.splunkd.confs.own(CONF, app, owner):
        text = f"Unable to create saved search with name '{name}'. A saved search with that name already exists."
        raise HttpError(409, text)
    _check_search(call, text)
    return call.one(TITLE, _entry(call, shared.create(call, CONF, name, settings)), 201)


def edit(call: Call, name: str) -> Reply:
    stanza = _get(call, name)
    settings = _checked(call, call.settings("name"))
    if is_true(settings.get("enableSched", "0")) and not (settings.get("cron_schedule") or stanza.get("cron_schedule")):
        raise HttpError(400, "A scheduled search needs cron_schedule.")
    if "search" in settings:
        if not settings["search"].strip():
            raise HttpError(400, "search must not be empty.")
        _check_search(call, settings["search"])
    return call.one(TITLE, _entry(call, shared.edit(call, CONF, stanza, settings)))


def delete(call: Call, name: str) -> Reply:
    shared.remove(call, CONF, _get(call, name))
    return list_all(call)


# Running


def dispatch(call: Call, name: str) -> Reply:
    call.require("search")
    stanza = _get(call, name)
    if stanza.flag("disabled") and not call.flag("force_dispatch"):
        raise HttpError(400, f"Saved search '{name}' is disabled.")
    overrides = {key: value for key, value in call.settings().items() if key.startswith(("dispatch.", "args."))}
    now = call.params.get("dispatch.now")
    when = resolve(now, call.splunkd.clock()) if now and not is_true(now) else None
    owner = call.splunkd.saved.runs_as(stanza, call.session.user)
    job = call.splunkd.saved.dispatch(stanza, owner, overrides, when, call.flag("trigger_actions"))
    return sid_reply(call, job.sid)


def history(call: Call, name: str) -> Reply:
    stanza = _get(call, name)
    held = {sid: place for place, sid in enumerate(call.splunkd.saved.history(stanza))}
    entries = []
    for job in sorted((job for job in call.splunkd.jobs.list() if job.sid in held), key=lambda job: held[job.sid]):
        path = f"saved/searches/{quoted(name)}/history/{quoted(job.sid)}"
        content = {**job.content(), "savedsearch": name, "isAlerted": job.alerted.is_set()}
        entry = Entry(job.sid, content, path, job.request.app, job.request.owner)
        entry.published = str(strftime(job.created, "%Y-%m-%dT%H:%M:%S.000+00:00"))
        entries.append(entry)
    return call.feed("history", entries, order="published")


def scheduled_times(call: Call, name: str) -> Reply:
    stanza = _get(call, name)
    now = call.splunkd.clock()
    earliest, latest = (resolve(call.needed(key), now) for key in ("earliest_time", "latest_time"))
    content = {"scheduled_times": [int(when) for when in call.splunkd.scheduler.times(stanza, earliest, latest)]}
    return call.one("scheduled_times", Entry(name, content, f"saved/searches/{quoted(name)}/scheduled_times"))


def reschedule(call: Call, name: str) -> Reply:
    """Set the next start of a scheduled search: ``schedule_time``, or at once. What it answers is not documented."""
    stanza = _get(call, name)
    shared.writable(call, stanza.permissions, stanza.owner)
    if not scheduled(stanza):
        raise HttpError(400, f"Saved search '{name}' is not scheduled.")
    now, when = call.splunkd.clock(), call.params.get("schedule_time")
    call.splunkd.scheduler.reschedule(stanza, resolve(when, now) if when else now)
    return show(call, name)


def suppress(call: Call, name: str) -> Reply:
    stanza = _get(call, name)
    remaining = call.splunkd.saved.memory.remaining(group_of(stanza))
    content = {"suppressed": remaining > 0, "expiration": round(remaining)}
    return call.one("suppress", Entry(name, content, f"saved/searches/{quoted(name)}/suppress", stanza.app))


def set_suppress(call: Call, name: str) -> Reply:
    """Hold the alert back for ``expiration`` seconds; 0 lets it fire again."""
    stanza = _get(call, name)
    shared.writable(call, stanza.permissions, stanza.owner)
    call.needed("expiration")
    call.splunkd.saved.memory.suppress(group_of(stanza), float(call.whole("expiration", 0)))
    return suppress(call, name)


def acknowledge(call: Call, name: str) -> Reply:
    """Lift the throttle of an alert."""
    stanza = _get(call, name)
    call.splunkd.saved.memory.suppress(group_of(stanza), 0)
    return call.one(TITLE, _entry(call, stanza))


def acl(call: Call, name: str) -> Reply:
    return shared.acl_reply(call, TITLE, _entry(call, _get(call, name)))


def edit_acl(call: Call, name: str) -> Reply:
    return shared.acl_reply(call, TITLE, _entry(call, shared.share(call, CONF, _get(call, name))))


def move(call: Call, name: str) -> Reply:
    return call.one(TITLE, _entry(call, shared.move(call, CONF, _get(call, name))))


# Fired alerts


def _fired(call: Call) -> list[Fired]:
    mine = call.splunkd.saved.fired.list()
    if not call.may("admin_all_objects"):
        seen = {(stanza.app, stanza.name) for stanza in call.splunkd.confs.objects(CONF, call.session.user)}
        mine = [fired for fired in mine if (fired.app, fired.savedsearch) in seen]
    return [fired for fired in mine if call.app in ("", "-", fired.app)]


def fired_groups(call: Call) -> Reply:
    """One entry for each alert that triggered, and ``-`` for all."""
    counts: dict[str, list[Fired]] = {}
    for fired in _fired(call):
        counts.setdefault(fired.savedsearch, []).append(fired)
    entries = [_group("-", sum(len(held) for held in counts.values()), "search")]
    entries += [_group(name, len(held), held[0].app) for name, held in sorted(counts.items())]
    return call.feed("fired-alerts", entries)


def _group(name: str, count: int, app: str) -> Entry:
    return Entry(name, {"triggered_alert_count": count}, f"alerts/fired_alerts/{quoted(name)}", app, removable=False)


def fired_of(call: Call, name: str) -> Reply:
    held = [fired for fired in _fired(call) if name in ("-", fired.savedsearch, fired.name)]
    if not held and name != "-":
        shared.named(call, CONF, name)  # one that never fired has an empty list
    return call.feed("fired-alerts", [_fired_entry(fired) for fired in held])


def _fired_entry(fired: Fired) -> Entry:
    content = {
        "actions": fired.actions,
        "alert_type": "historical",
        "digest_mode": fired.digest,
        "expiration_time_rendered": str(strftime(fired.expires, DATE)),
        "savedsearch_name": fired.savedsearch,
        "severity": fired.severity,
        "sid": fired.sid,
        "trigger_time": int(fired.time),
        "trigger_time_rendered": str(strftime(fired.time, DATE)),
        "triggered_alerts": fired.results,
    }
    entry = Entry(fired.name, content, f"alerts/fired_alerts/{quoted(fired.name)}", fired.app, fired.owner)
    entry.links = {"job": f"/services/search/jobs/{quoted(fired.sid)}"}
    return entry


def delete_fired(call: Call, name: str) -> Reply:
    if not any(fired.name == name for fired in _fired(call)):
        raise HttpError(404, f"Could not find object id={name}")
    call.splunkd.saved.fired.delete(name)
    return fired_groups(call)


SAVED = "saved/searches/{name}"
FIRED = "alerts/fired_alerts"
ROUTES: tuple[Route, ...] = (
    Route("GET", "saved/searches", list_all),
    Route("POST", "saved/searches", create),
    Route("GET", SAVED, show),
    Route("POST", SAVED, edit),
    Route("DELETE", SAVED, delete),
    Route("GET", SAVED + "/acl", acl),
    Route("POST", SAVED + "/acl", edit_acl),
    Route("POST", SAVED + "/move", move),
    Route("POST", SAVED + "/dispatch", dispatch),
    Route("GET", SAVED + "/history", history),
    Route("GET", SAVED + "/scheduled_times", scheduled_times),
    Route("GET", SAVED + "/suppress", suppress),
    Route("POST", SAVED + "/suppress", set_suppress),
    Route("POST", SAVED + "/acknowledge", acknowledge),
    Route("POST", SAVED + "/reschedule", reschedule),
    Route("GET", FIRED, fired_groups),
    Route("GET", FIRED + "/{name}", fired_of),
    Route("DELETE", FIRED + "/{name}", delete_fired),
)
