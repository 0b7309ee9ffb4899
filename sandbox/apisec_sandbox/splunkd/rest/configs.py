"""configs/conf-X and properties: configuration as entries and as bare values."""

from __future__ import annotations

import re

from apisec_sandbox.splunkd.atom import Entry, quoted
from apisec_sandbox.splunkd.confs import Stanza
from apisec_sandbox.splunkd.rest.call import Call, Route
from apisec_sandbox.splunkd.web import HttpError, Reply

CONF_NAME = re.compile(r"[A-Za-z0-9_\-]{1,80}\Z")
SECRET_CONFS = frozenset(("passwords", "authentication"))
HIDDEN = "********"


def _conf(name: str) -> str:
    conf = name.removeprefix("conf-")
    if not name.startswith("conf-") or not CONF_NAME.match(conf):
        raise HttpError(404, "Not Found")
    return conf


def _entry(conf: str, stanza: Stanza) -> Entry:
    content: dict[str, object] = {
        **({k: HIDDEN if conf in SECRET_CONFS and k == "password" else v for k, v in stanza.settings.items()}),
        "eai:appName": stanza.app,
        "eai:userName": "nobody",
        "disabled": stanza.flag("disabled"),
    }
    return Entry(
        stanza.name, content, f"configs/conf-{quoted(conf)}/{quoted(stanza.name)}", stanza.app, "nobody", "app"
    )


def _stanzas(call: Call, conf: str) -> dict[str, Stanza]:
    if not call.splunkd.confs.exists(conf):
        raise HttpError(404, f"Could not find object id=conf-{conf}")
    return call.splunkd.confs.stanzas(conf, call.context_app)


def list_stanzas(call: Call, name: str) -> Reply:
    conf = _conf(name)
    entries = [_entry(conf, stanza) for key, stanza in sorted(_stanzas(call, conf).items()) if key != "default"]
    return call.feed(f"conf-{conf}", entries)


def _stanza(call: Call, conf: str, name: str) -> Stanza:
    stanza = _stanzas(call, conf).get(name)
    if stanza is None:
        raise HttpError(404, f"Could not find object id={name}")
    return stanza


def show(call: Call, name: str, stanza: str) -> Reply:
    conf = _conf(name)
    return call.one(f"conf-{conf}", _entry(conf, _stanza(call, conf, stanza)))


def create(call: Call, name: str) -> Reply:
    conf, stanza = _conf(name), call.needed("name")
    known = call.splunkd.confs.stanza(conf, stanza, call.context_app)
    if known is not None and (call.app in ("", "-") or known.app == call.target_app):
        raise HttpError(409, f"An object with name={stanza} already exists")
    _write(call, conf, stanza, call.settings("name"), call.target_app)
    return call.one(f"conf-{conf}", _entry(conf, _stanza(call, conf, stanza)), 201)


def edit(call: Call, name: str, stanza: str) -> Reply:
    conf = _conf(name)
    held = _stanza(call, conf, stanza)
    app = call.target_app if call.app not in ("", "-") else held.app
    _write(call, conf, stanza, call.settings("name"), app)
    return show(call, name, stanza)


def _write(call: Call, conf: str, stanza: str, settings: dict[str, str], app: str) -> None:
    if conf in ("authorize", "inputs", "passwords", "server"):
        call.require("admin_all_objects")
    if "\n" in stanza or "]" in stanza or any("\n" in key or "=" in key for key in settings):
        raise HttpError(400, "Names of stanzas and settings must not hold line breaks, ] or =")
    call.splunkd.confs.write(conf, stanza, settings, app)


def delete(call: Call, name: str, stanza: str) -> Reply:
    conf = _conf(name)
    held = _stanza(call, conf, stanza)
    app = call.target_app if call.app not in ("", "-") else held.app
    if not call.splunkd.confs.delete(conf, stanza, app):
        raise HttpError(403, f"Cannot remove stanza '{stanza}': it is not in the local configuration of {app}.")
    return list_stanzas(call, name)


# properties


def confs(call: Call) -> Reply:
    names = call.splunkd.confs.conf_names()
    return call.feed("properties", [Entry(name, {}, f"properties/{quoted(name)}", removable=False) for name in names])


def create_conf(call: Call) -> Reply:
    name = call.needed("__conf")
    if not CONF_NAME.match(name):
        raise HttpError(400, f"Invalid conf name {name!r}")
    call.splunkd.confs.create(name, call.target_app)
    return call.message(201, "INFO", f"Conf {name} created.")


def properties(call: Call, conf: str) -> Reply:
    stanzas = _stanzas(call, conf)
    return call.feed(conf, [Entry(name, {}, f"properties/{quoted(conf)}/{quoted(name)}") for name in sorted(stanzas)])


def create_stanza(call: Call, conf: str) -> Reply:
    stanza = call.needed("__stanza")
    _write(call, conf, stanza, {}, call.target_app)
    return call.message(201, "INFO", f"Stanza {stanza} created.")


def stanza_properties(call: Call, conf: str, stanza: str) -> Reply:
    held = _stanza(call, conf, stanza)
    path = f"properties/{quoted(conf)}/{quoted(stanza)}"
    return call.feed(
        stanza, [Entry(key, {"$text": value}, f"{path}/{quoted(key)}") for key, value in held.settings.items()]
    )


def edit_properties(call: Call, conf: str, stanza: str) -> Reply:
    _write(call, conf, stanza, call.settings(), call.target_app)
    return call.message(200, "INFO", f"Stanza {stanza} edited.")


def value(call: Call, conf: str, stanza: str, key: str) -> Reply:
    held = _stanza(call, conf, stanza).settings.get(key)
    if held is None:
        raise HttpError(404, f"Could not find object id={key}")
    return Reply(200, held.encode(), "text/plain; charset=UTF-8")


ROUTES: tuple[Route, ...] = (
    Route("GET", "configs/{name}", list_stanzas),
    Route("POST", "configs/{name}", create),
    Route("GET", "configs/{name}/{stanza}", show),
    Route("POST", "configs/{name}/{stanza}", edit),
    Route("DELETE", "configs/{name}/{stanza}", delete),
    Route("GET", "properties", confs),
    Route("POST", "properties", create_conf),
    Route("GET", "properties/{conf}", properties),
    Route("POST", "properties/{conf}", create_stanza),
    Route("GET", "properties/{conf}/{stanza}", stanza_properties),
    Route("POST", "properties/{conf}/{stanza}", edit_properties),
    Route("GET", "properties/{conf}/{stanza}/{key}", value),
)
