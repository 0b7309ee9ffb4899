"""configs/conf-X and properties: configuration as entries and as bare values.

Source: REST API Reference, "Configuration endpoint descriptions".
"""

from __future__ import annotations

import re

from apisec_sandbox.splunkd.atom import Entry, quoted
from apisec_sandbox.splunkd.conffile import check_writable
from apisec_sandbox.splunkd.confs import NOBODY, Stanza, is_true
from apisec_sandbox.splunkd.rest import shared
from apisec_sandbox.splunkd.rest.call import Call, Route
from apisec_sandbox.splunkd.web import HttpError, Reply

CONF_NAME = re.compile(r"[A-Za-z0-9_\-]{1,80}\Z")
HIDDEN = "********"
# What an object of these confs always shows, set or not.
ALWAYS = {"macros": {"definition": "", "iseval": "0", "args": "", "validation": "", "errormsg": ""}}
# Confs whose change needs more than the right to write objects (authorize.conf.spec).
GUARDED = {
    "authentication": ("edit_authentication", "change_authentication", "admin_all_objects"),
    "authorize": ("edit_roles", "admin_all_objects"),
    "indexes": ("indexes_edit", "edit_indexes", "admin_all_objects"),
    "inputs": ("edit_modinput_any", "edit_monitor", "edit_tcp", "edit_udp", "edit_scripted", "admin_all_objects"),
    "limits": ("edit_limits", "admin_all_objects"),
    "outputs": ("edit_forwarders", "admin_all_objects"),
    "passwords": ("edit_storage_passwords", "admin_all_objects"),
    "server": ("edit_server", "admin_all_objects"),
    "web": ("edit_web_settings", "admin_all_objects"),
}
SECRET = {"passwords": ("password",), "authentication": ("bindDNpassword",), "server": ("pass4SymmKey", "sslPassword")}
SECRETS_OPEN = ("list_storage_passwords", "admin_all_objects")


def _conf(name: str) -> str:
    conf = name.removeprefix("conf-")
    if not name.startswith("conf-") or not CONF_NAME.match(conf):
        raise HttpError(404, "Not Found")
    return conf


def _shown(conf: str, settings: dict[str, str]) -> dict[str, str]:
    hidden = SECRET.get(conf, ())
    return {name: HIDDEN if name in hidden and value else value for name, value in settings.items()}


def _entry(call: Call, conf: str, stanza: Stanza) -> Entry:
    content: dict[str, object] = {
        **ALWAYS.get(conf, {}),
        **_shown(conf, stanza.settings),
        "eai:appName": stanza.app,
        "eai:userName": stanza.owner,
        "disabled": stanza.flag("disabled"),
    }
    return shared.entry(call, conf, stanza, f"configs/conf-{quoted(conf)}/{quoted(stanza.name)}", content)


def list_stanzas(call: Call, name: str) -> Reply:
    conf = _conf(name)
    return call.feed(f"conf-{conf}", [_entry(call, conf, stanza) for stanza in shared.visible(call, conf)])


def show(call: Call, name: str, stanza: str) -> Reply:
    conf = _conf(name)
    found = [_entry(call, conf, held) for held in _named(call, conf, stanza)]
    return call.one(f"conf-{conf}", found[0]) if len(found) == 1 else call.feed(f"conf-{conf}", found)


def _named(call: Call, conf: str, name: str) -> list[Stanza]:
    """Return the stanzas of the name, ``[default]`` too when it is asked for."""
    if name == "default":
        held = call.splunkd.confs.stanza(conf, name, call.context_app)
        return [held or Stanza("default", call.target_app, {})]
    return shared.named(call, conf, name)


def create(call: Call, name: str) -> Reply:
    conf, stanza = _conf(name), call.needed("name")
    _guard(call, conf)
    made = shared.create(call, conf, stanza, _settings(call, conf))
    return call.one(f"conf-{conf}", _entry(call, conf, made), 201)


def edit(call: Call, name: str, stanza: str) -> Reply:
    conf = _conf(name)
    _guard(call, conf)
    settings = _settings(call, conf)
    if stanza == "default":
        app, owner = shared.place_of_new(call, conf)
        shared.writable(call, call.splunkd.confs.permissions(conf, stanza, app, owner), owner)
        call.splunkd.confs.write(conf, stanza, settings, app, owner=owner)
        return show(call, name, stanza)
    return call.one(
        f"conf-{conf}", _entry(call, conf, shared.edit(call, conf, shared.one(call, conf, stanza), settings))
    )


def _settings(call: Call, conf: str) -> dict[str, str]:
    settings = call.settings("name")
    if conf == "macros" and "iseval" in settings:
        settings["iseval"] = "1" if is_true(settings["iseval"]) else "0"
    return settings


def _guard(call: Call, conf: str) -> None:
    if conf in GUARDED:
        call.require(*GUARDED[conf])


def delete(call: Call, name: str, stanza: str) -> Reply:
    conf = _conf(name)
    _guard(call, conf)
    shared.remove(call, conf, shared.one(call, conf, stanza))
    return list_stanzas(call, name)


def acl(call: Call, name: str, stanza: str) -> Reply:
    conf = _conf(name)
    return shared.acl_reply(call, f"conf-{conf}", _entry(call, conf, shared.one(call, conf, stanza)))


def edit_acl(call: Call, name: str, stanza: str) -> Reply:
    conf = _conf(name)
    changed = shared.share(call, conf, shared.one(call, conf, stanza))
    return shared.acl_reply(call, f"conf-{conf}", _entry(call, conf, changed))


def move(call: Call, name: str, stanza: str) -> Reply:
    conf = _conf(name)
    return call.one(f"conf-{conf}", _entry(call, conf, shared.move(call, conf, shared.one(call, conf, stanza))))


# properties


def confs(call: Call) -> Reply:
    call.require("rest_properties_get")
    names = call.splunkd.confs.conf_names()
    return call.feed("properties", [Entry(name, {}, f"properties/{quoted(name)}", removable=False) for name in names])


def create_conf(call: Call) -> Reply:
    call.require("rest_properties_set")
    name = call.needed("__conf")
    if not CONF_NAME.match(name):
        raise HttpError(400, f"Invalid conf name {name!r}")
    app, owner = shared.place_of_new(call, name)
    call.splunkd.confs.create(name, app, owner)
    return call.message(201, "INFO", f"Conf {name} created.")


def _properties(call: Call, conf: str) -> list[Stanza]:
    call.require("rest_properties_get")
    if not call.splunkd.confs.exists(conf):
        raise HttpError(404, f"Could not find object id={conf}")
    return shared.visible(call, conf)


def properties(call: Call, conf: str) -> Reply:
    names = dict.fromkeys(stanza.name for stanza in _properties(call, conf))
    return call.feed(conf, [Entry(name, {}, f"properties/{quoted(conf)}/{quoted(name)}") for name in names])


def create_stanza(call: Call, conf: str) -> Reply:
    call.require("rest_properties_set")
    _guard(call, conf)
    stanza = call.needed("__stanza")
    app, owner = shared.place_of_new(call, conf)
    shared.writable(call, call.splunkd.confs.permissions(conf, stanza, app, owner), owner)
    check_writable(stanza, {})
    call.splunkd.confs.write(conf, stanza, {}, app, owner=owner)
    return call.message(201, "INFO", f"Stanza {stanza} created.")


def _stanza(call: Call, conf: str, name: str) -> Stanza:
    _properties(call, conf)
    return _named(call, conf, name)[0]


def stanza_properties(call: Call, conf: str, stanza: str) -> Reply:
    held = _shown(conf, _stanza(call, conf, stanza).settings)
    path = f"properties/{quoted(conf)}/{quoted(stanza)}"
    return call.feed(stanza, [Entry(key, {"$text": value}, f"{path}/{quoted(key)}") for key, value in held.items()])


def edit_properties(call: Call, conf: str, stanza: str) -> Reply:
    call.require("rest_properties_set")
    _guard(call, conf)
    if stanza == "default":
        call.splunkd.confs.write(conf, stanza, call.settings(), shared.place_of_new(call, conf)[0], owner=NOBODY)
    else:
        shared.edit(call, conf, shared.one(call, conf, stanza), call.settings())
    return call.message(200, "INFO", f"Stanza {stanza} edited.")


def value(call: Call, conf: str, stanza: str, key: str) -> Reply:
    held = _shown(conf, _stanza(call, conf, stanza).settings).get(key)
    if held is None:
        raise HttpError(404, f"Could not find object id={key}")
    return Reply(200, held.encode(), "text/plain; charset=UTF-8")


def edit_value(call: Call, conf: str, stanza: str, key: str) -> Reply:
    call.require("rest_properties_set")
    _guard(call, conf)
    shared.edit(call, conf, shared.one(call, conf, stanza), {key: call.params.get("value", "")})
    return call.message(200, "INFO", f"Property {key} edited.")


CONF = "configs/{name}/{stanza}"
PROPERTIES = "properties/{conf}/{stanza}"
ROUTES: tuple[Route, ...] = (
    Route("GET", "configs/{name}", list_stanzas),
    Route("POST", "configs/{name}", create),
    Route("GET", CONF, show),
    Route("POST", CONF, edit),
    Route("DELETE", CONF, delete),
    Route("GET", CONF + "/acl", acl),
    Route("POST", CONF + "/acl", edit_acl),
    Route("POST", CONF + "/move", move),
    Route("GET", "properties", confs),
    Route("POST", "properties", create_conf),
    Route("GET", "properties/{conf}", properties),
    Route("POST", "properties/{conf}", create_stanza),
    Route("GET", PROPERTIES, stanza_properties),
    Route("POST", PROPERTIES, edit_properties),
    Route("GET", PROPERTIES + "/{key}", value),
    Route("POST", PROPERTIES + "/{key}", edit_value),
)
