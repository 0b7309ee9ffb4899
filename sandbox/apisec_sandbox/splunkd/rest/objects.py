"""data/indexes, data/inputs, data/modular-inputs, data/ui/views."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.spl.times import strftime
from apisec_sandbox.splunkd.atom import Entry, quoted
from apisec_sandbox.splunkd.confs import Stanza
from apisec_sandbox.splunkd.indexes import check_index_name
from apisec_sandbox.splunkd.rest.call import Call, Route
from apisec_sandbox.splunkd.web import HttpError, Reply

ISO = "%Y-%m-%dT%H:%M:%S+0000"


# Indexes


def _index_entry(call: Call, stanza: Stanza) -> Entry:
    stats = call.splunkd.store.index(stanza.name).stats() if stanza.name in call.splunkd.store.names() else None
    content: dict[str, Any] = {
        "disabled": stanza.flag("disabled"),
        "datatype": stanza.get("datatype", "event"),
        "totalEventCount": stats.events if stats else 0,
        "currentDBSizeMB": (stats.bytes >> 20) if stats else 0,
        "minTime": strftime(stats.earliest, ISO) if stats and stats.earliest is not None else "",
        "maxTime": strftime(stats.latest, ISO) if stats and stats.latest is not None else "",
        "isInternal": stanza.name.startswith("_"),
        "frozenTimePeriodInSecs": int(stanza.get("frozenTimePeriodInSecs", "188697600") or 0),
        "homePath": stanza.get("homePath"),
        "maxTotalDataSizeMB": int(stanza.get("maxTotalDataSizeMB", "500000") or 0),
    }
    return Entry(stanza.name, content, f"data/indexes/{quoted(stanza.name)}", stanza.app, "nobody", "app")


def indexes(call: Call) -> Reply:
    rights = call.splunkd.users.rights(call.session.user)
    stanzas = call.splunkd.confs.stanzas("indexes")
    names = [name for name in call.splunkd.index_names() if rights.may_search(name)]
    return call.feed("indexes", [_index_entry(call, stanzas[name]) for name in names])


def index(call: Call, name: str) -> Reply:
    if name not in call.splunkd.index_names():
        raise HttpError(404, f"Could not find object id={name}")
    return call.one("indexes", _index_entry(call, call.splunkd.confs.stanzas("indexes")[name]))


def create_index(call: Call) -> Reply:
    call.require("indexes_edit", "edit_indexes")
    name = check_index_name(call.needed("name"))
    if name in call.splunkd.confs.stanzas("indexes"):
        raise HttpError(409, f"Index name={name} already exists")
    settings = {"homePath": f"$SPLUNK_DB/{name}/db", **call.settings("name")}
    call.splunkd.confs.write("indexes", name, settings, call.target_app)
    return call.one("indexes", _index_entry(call, call.splunkd.confs.stanzas("indexes")[name]), 201)


def edit_index(call: Call, name: str) -> Reply:
    call.require("indexes_edit", "edit_indexes")
    index(call, name)
    stanza = call.splunkd.confs.stanzas("indexes")[name]
    call.splunkd.confs.write("indexes", name, call.settings("name"), stanza.app)
    return index(call, name)


def delete_index(call: Call, name: str) -> Reply:
    call.require("indexes_edit", "edit_indexes")
    index(call, name)
    stanza = call.splunkd.confs.stanzas("indexes")[name]
    if not call.splunkd.confs.delete("indexes", name, stanza.app):
        raise HttpError(403, f"Cannot remove index '{name}': it comes with {stanza.app}.")
    call.splunkd.store.delete(name)
    return indexes(call)


# Inputs


def _input_entry(stanza: Stanza) -> Entry:
    kind, _, name = stanza.name.partition("://")
    content = {**stanza.settings, "disabled": stanza.flag("disabled")}
    if kind == "http":
        content["token"] = stanza.get("token")
    return Entry(name, content, f"data/inputs/{kind}/{quoted(name)}", stanza.app, "nobody", "app")


def _kinds(call: Call) -> list[str]:
    return sorted({"http", *call.splunkd.inputs.kinds()})


def inputs(call: Call) -> Reply:
    """The kinds, each with the links a client walks by."""
    entries = []
    for kind in _kinds(call):
        entry = Entry(kind, {}, f"data/inputs/{quoted(kind)}", "system", "nobody", "system", removable=False)
        entry.links = {"create": entry.id_path + "/_new"}
        entries.append(entry)
    return call.feed("inputs", entries)


def _inputs_of(call: Call, kind: str) -> list[Stanza]:
    if kind not in _kinds(call):
        raise HttpError(404, f"Could not find object id={kind}")
    if kind == "http":
        call.require("edit_token_http", "list_inputs")
    stanzas = call.splunkd.confs.stanzas("inputs", call.context_app)
    return [stanza for name, stanza in sorted(stanzas.items()) if name.startswith(kind + "://")]


def inputs_of(call: Call, kind: str) -> Reply:
    held = _inputs_of(call, kind)
    if call.app not in ("", "-"):
        held = [stanza for stanza in held if stanza.app == call.app]
    return call.feed(kind, [_input_entry(stanza) for stanza in held])


def _input(call: Call, kind: str, name: str) -> Stanza:
    bare = name.removeprefix(kind + "://")
    for stanza in _inputs_of(call, kind):
        if stanza.name == f"{kind}://{bare}":
            return stanza
    raise HttpError(404, f"Could not find object id={name}")


def show_input(call: Call, kind: str, name: str) -> Reply:
    return call.one(kind, _input_entry(_input(call, kind, name)))


def _may_edit(call: Call, kind: str) -> None:
    if kind == "http":
        call.require("edit_token_http")
    else:
        call.require("edit_modinput_any", f"edit_modinput_{kind}", "admin_all_objects")


def _validated(call: Call, kind: str, name: str, settings: dict[str, str]) -> dict[str, str]:
    if kind == "http":
        if "token" not in settings:
            import uuid

            settings["token"] = str(uuid.uuid4())
        return settings
    try:
        call.splunkd.inputs.validate(kind, name, settings)
    except SandboxError as error:
        raise HttpError(400, str(error)) from error
    return settings


def create_input(call: Call, kind: str) -> Reply:
    _may_edit(call, kind)
    name = call.needed("name")
    if any(stanza.name == f"{kind}://{name}" for stanza in _inputs_of(call, kind)):
        raise HttpError(409, f"An object with name={name} already exists")
    settings = _validated(call, kind, name, call.settings("name"))
    call.splunkd.confs.write("inputs", f"{kind}://{name}", settings, call.target_app)
    return call.one(kind, _input_entry(_input(call, kind, name)), 201)


def edit_input(call: Call, kind: str, name: str) -> Reply:
    _may_edit(call, kind)
    stanza = _input(call, kind, name)
    settings = call.settings("name")
    if kind != "http":
        _validated(call, kind, name, {**stanza.own, **settings})
    call.splunkd.confs.write("inputs", stanza.name, settings, stanza.app)
    return show_input(call, kind, name)


def delete_input(call: Call, kind: str, name: str) -> Reply:
    _may_edit(call, kind)
    stanza = _input(call, kind, name)
    if not call.splunkd.confs.delete("inputs", stanza.name, stanza.app):
        raise HttpError(403, f"Cannot remove input '{name}': it comes with app {stanza.app}.")
    return inputs_of(call, kind)


def switch_input(call: Call, kind: str, name: str, state: str) -> Reply:
    _may_edit(call, kind)
    if state not in ("enable", "disable"):
        raise HttpError(404, "Not Found")
    stanza = _input(call, kind, name)
    call.splunkd.confs.write("inputs", stanza.name, {"disabled": "0" if state == "enable" else "1"}, stanza.app)
    return show_input(call, kind, name)


def modular_inputs(call: Call) -> Reply:
    entries = []
    for kind in call.splunkd.inputs.kinds():
        scheme = call.splunkd.inputs.scheme(kind)
        content = {
            "title": scheme.title,
            "description": scheme.description,
            "endpoint": {"args": {name: {"required_on_create": req} for name, req in scheme.arguments.items()}},
        }
        entries.append(Entry(kind, content, f"data/modular-inputs/{quoted(kind)}", scheme.app, "nobody", "app"))
    return call.feed("modular-inputs", entries)


# Views


def _views(call: Call) -> dict[str, tuple[str, Path]]:
    """Views by name; local ones win over those an app came with."""
    found: dict[str, tuple[str, Path]] = {}
    for app in call.splunkd.confs.apps():
        if call.app not in ("", "-", app):
            continue
        for layer in ("default", "local"):
            for path in sorted((call.splunkd.home.apps / app / layer / "data" / "ui" / "views").glob("*.xml")):
                found[path.stem] = (app, path)
    return found


def _view_entry(name: str, app: str, path: Path) -> Entry:
    text = path.read_text("utf-8", "replace")
    content = {"eai:data": text, "label": name, "isDashboard": True, "isVisible": True, "rootNode": "dashboard"}
    return Entry(name, content, f"data/ui/views/{quoted(name)}", app, "nobody", "app")


def views(call: Call) -> Reply:
    return call.feed("views", [_view_entry(name, app, path) for name, (app, path) in sorted(_views(call).items())])


def view(call: Call, name: str) -> Reply:
    found = _views(call).get(name)
    if found is None:
        raise HttpError(404, f"Could not find object id={name}")
    return call.one("views", _view_entry(name, *found))


ROUTES: tuple[Route, ...] = (
    Route("GET", "data/indexes", indexes),
    Route("POST", "data/indexes", create_index),
    Route("GET", "data/indexes/{name}", index),
    Route("POST", "data/indexes/{name}", edit_index),
    Route("DELETE", "data/indexes/{name}", delete_index),
    Route("GET", "data/inputs", inputs),
    Route("GET", "data/inputs/{kind}", inputs_of),
    Route("POST", "data/inputs/{kind}", create_input),
    Route("GET", "data/inputs/{kind}/{name}", show_input),
    Route("POST", "data/inputs/{kind}/{name}", edit_input),
    Route("DELETE", "data/inputs/{kind}/{name}", delete_input),
    Route("POST", "data/inputs/{kind}/{name}/{state}", switch_input),
    Route("GET", "data/modular-inputs", modular_inputs),
    Route("GET", "data/ui/views", views),
    Route("GET", "data/ui/views/{name}", view),
)
