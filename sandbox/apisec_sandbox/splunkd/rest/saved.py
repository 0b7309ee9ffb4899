"""saved/searches: list, make, edit, dispatch, history, suppressions."""

from __future__ import annotations

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.spl import engine
from apisec_sandbox.spl.context import Context
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.splunkd import cron
from apisec_sandbox.splunkd.atom import Entry, quoted
from apisec_sandbox.splunkd.confs import Stanza, is_true
from apisec_sandbox.splunkd.rest.call import Call, Route
from apisec_sandbox.splunkd.rest.search import sid_reply
from apisec_sandbox.splunkd.runtime import Runtime
from apisec_sandbox.splunkd.savedsearches import content_of
from apisec_sandbox.splunkd.web import HttpError, Reply

# Names as savedsearches.conf takes them; anything else is refused as Splunk does.
KNOWN = frozenset(
    (
        *("search", "description", "disabled", "is_visible", "cron_schedule", "enableSched", "is_scheduled", "actions"),
        *("counttype", "relation", "quantity", "alert_condition", "alert_type", "alert_comparator", "alert_threshold"),
        *("schedule_window", "schedule_priority", "schedule_as", "realtime_schedule", "allow_skew", "max_concurrent"),
        *(
            "run_on_startup",
            "run_n_times",
            "displayview",
            "vsid",
            "request.ui_dispatch_app",
            "request.ui_dispatch_view",
        ),
        *("restart_on_searchpeer_add", "embed.enabled", "workload_pool", "defer_scheduled_searchable_idxc"),
        *("qualifiedSearch", "next_scheduled_time"),
    )
)
PREFIXES = ("dispatch.", "action.", "alert.", "auto_summarize", "display.", "args.", "request.", "durable.")
COMPARATORS = {"equal to", "not equal to", "greater than", "less than", "rises by", "drops by"}


def _entry(call: Call, stanza: Stanza) -> Entry:
    content = content_of(stanza, call.splunkd.scheduler.next_time(stanza))
    entry = Entry(stanza.name, content, f"saved/searches/{quoted(stanza.name)}", stanza.app, "nobody", "app")
    entry.links = {name: f"{entry.id_path}/{name}" for name in ("dispatch", "history")}
    return entry


def _get(call: Call, name: str) -> Stanza:
    stanza = call.splunkd.saved.get(name, call.context_app)
    if call.app not in ("", "-", stanza.app) and not _shared(call, stanza):
        raise HttpError(404, f"Could not find object id={name}")
    return stanza


def _shared(call: Call, stanza: Stanza) -> bool:
    return stanza.app in call.splunkd.confs.apps()


def list_all(call: Call) -> Reply:
    stanzas = call.splunkd.saved.all(call.context_app)
    if call.app not in ("", "-"):
        stanzas = [stanza for stanza in stanzas if stanza.app == call.app]
    return call.feed("savedsearch", [_entry(call, stanza) for stanza in sorted(stanzas, key=lambda s: s.name)])


def show(call: Call, name: str) -> Reply:
    return call.one("savedsearch", _entry(call, _get(call, name)))


def _checked(call: Call, settings: dict[str, str]) -> dict[str, str]:
    """Validate as splunkd does before anything is written."""
    for key in settings:
        if key not in KNOWN and not key.startswith(PREFIXES):
            raise HttpError(400, f'Argument "{key}" is not supported by this endpoint.')
    if "is_scheduled" in settings:
        settings["enableSched"] = settings.pop("is_scheduled")
    try:
        if settings.get("cron_schedule"):
            cron.parse(settings["cron_schedule"])
    except SandboxError as error:
        raise HttpError(400, str(error)) from error
    if is_true(settings.get("enableSched", "0")):
        call.require("schedule_search")
    _alert_shorthand(settings)
    return settings


def _alert_shorthand(settings: dict[str, str]) -> None:
    """The endpoint's alert_type, alert_comparator and alert_threshold are the file's counttype, relation, quantity."""
    comparator = settings.pop("alert_comparator", None)
    if comparator is not None:
        if comparator not in COMPARATORS:
            raise HttpError(400, f"Invalid alert_comparator {comparator!r}")
        settings["relation"] = comparator
    for source, target in (("alert_type", "counttype"), ("alert_threshold", "quantity")):
        if source in settings:
            settings[target] = settings.pop(source)


def _check_search(call: Call, text: str) -> None:
    services = Runtime(call.splunkd, call.target_app, call.session.user)
    context = Context(services, call.splunkd.clock(), app=call.target_app, owner=call.session.user)
    try:
        engine.check(text, services, context)
    except SplError as error:
        raise HttpError(400, f"Error in search: {error}") from error


def create(call: Call) -> Reply:
    name, text = call.needed("name"), call.needed("search")
    existing = call.splunkd.confs.stanza("savedsearches", name)
    if existing is not None:
        raise HttpError(
            409, f"Unable to create saved search with name '{name}'. A saved search with that name already exists."
        )
    settings = _checked(call, call.settings("name"))
    _check_search(call, text)
    call.splunkd.confs.write("savedsearches", name, settings, call.target_app)
    return call.one("savedsearch", _entry(call, _get(call, name)), 201)


def edit(call: Call, name: str) -> Reply:
    stanza = _get(call, name)
    settings = _checked(call, call.settings("name"))
    if "search" in settings:
        _check_search(call, settings["search"])
    call.splunkd.confs.write("savedsearches", name, settings, stanza.app)
    return show(call, name)


def delete(call: Call, name: str) -> Reply:
    stanza = _get(call, name)
    if not call.splunkd.confs.delete("savedsearches", name, stanza.app):
        raise HttpError(403, f"Cannot remove saved search '{name}': it comes with app {stanza.app}.")
    return list_all(call)


def dispatch(call: Call, name: str) -> Reply:
    call.require("search")
    stanza = _get(call, name)
    if stanza.flag("disabled") and not call.flag("force_dispatch"):
        raise HttpError(400, f"Saved search '{name}' is disabled.")
    overrides = {key: value for key, value in call.settings().items() if key.startswith(("dispatch.", "args."))}
    now = call.params.get("dispatch.now")
    from apisec_sandbox.spl.times import resolve

    when = resolve(now, call.splunkd.clock()) if now and not is_true(now) else None
    job = call.splunkd.saved.dispatch(stanza, call.session.user, overrides, when, call.flag("trigger_actions"))
    return sid_reply(call, job.sid)


def history(call: Call, name: str) -> Reply:
    _get(call, name)
    held = set(call.splunkd.saved.history.get(name, ()))
    entries = []
    for job in call.splunkd.jobs.list():
        if job.sid in held:
            path = f"saved/searches/{quoted(name)}/history/{quoted(job.sid)}"
            content = {**job.content(), "savedsearch": name, "isAlerted": job.alerted.is_set()}
            entries.append(Entry(job.sid, content, path, job.request.app, job.request.owner))
    return call.feed("history", entries)


def suppress(call: Call, name: str) -> Reply:
    stanza = _get(call, name)
    content = {"suppressed": stanza.flag("alert.suppress"), "expiration": 0}
    return call.one("suppress", Entry(name, content, f"saved/searches/{quoted(name)}/suppress", stanza.app))


def acknowledge(call: Call, name: str) -> Reply:
    """Lift the throttle of an alert."""
    _get(call, name)
    call.splunkd.saved.clear_suppressions(name)
    return show(call, name)


ROUTES: tuple[Route, ...] = (
    Route("GET", "saved/searches", list_all),
    Route("POST", "saved/searches", create),
    Route("GET", "saved/searches/{name}", show),
    Route("POST", "saved/searches/{name}", edit),
    Route("DELETE", "saved/searches/{name}", delete),
    Route("POST", "saved/searches/{name}/dispatch", dispatch),
    Route("GET", "saved/searches/{name}/history", history),
    Route("GET", "saved/searches/{name}/suppress", suppress),
    Route("POST", "saved/searches/{name}/acknowledge", acknowledge),
)
