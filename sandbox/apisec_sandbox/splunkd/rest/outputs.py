"""data/outputs/tcp: forwarding as configuration. The sandbox keeps and shows it, and forwards nothing.

Source: REST API Reference, "Output endpoint descriptions"; outputs.conf.spec for the names of stanzas.
"""

from __future__ import annotations

from apisec_sandbox.splunkd.atom import Entry, quoted
from apisec_sandbox.splunkd.confs import Stanza
from apisec_sandbox.splunkd.rest.call import Call, Route
from apisec_sandbox.splunkd.web import HttpError, Reply

PREFIXES = {"server": "tcpout-server://", "group": "tcpout:", "syslog": "syslog:"}


def _prefix(kind: str) -> str:
    if kind not in PREFIXES:
        raise HttpError(404, f"Could not find object id={kind}")
    return PREFIXES[kind]


def _entry(kind: str, stanza: Stanza) -> Entry:
    name = stanza.name.removeprefix(PREFIXES[kind])
    content = {**stanza.settings, "disabled": stanza.flag("disabled")}
    return Entry(name, content, f"data/outputs/tcp/{kind}/{quoted(name)}", stanza.app, "nobody", "system")


def listing(call: Call, kind: str) -> Reply:
    prefix = _prefix(kind)
    held = [stanza for name, stanza in call.splunkd.confs.stanzas("outputs").items() if name.startswith(prefix)]
    return call.feed(kind, [_entry(kind, stanza) for stanza in held])


def _stanza(call: Call, kind: str, name: str) -> Stanza:
    stanza = call.splunkd.confs.stanza("outputs", _prefix(kind) + name)
    if stanza is None:
        raise HttpError(404, f"Could not find object id={name}")
    return stanza


def show(call: Call, kind: str, name: str) -> Reply:
    return call.one(kind, _entry(kind, _stanza(call, kind, name)))


def create(call: Call, kind: str) -> Reply:
    call.require("edit_forwarders", "admin_all_objects")
    name = call.needed("name")
    if "\n" in name or "]" in name:
        raise HttpError(400, "Names of outputs must not hold line breaks or ]")
    if call.splunkd.confs.stanza("outputs", _prefix(kind) + name):
        raise HttpError(409, f"An object with name={name} already exists")
    call.splunkd.confs.write("outputs", _prefix(kind) + name, call.settings("name"), "system")
    return call.one(kind, _entry(kind, _stanza(call, kind, name)), 201)


def edit(call: Call, kind: str, name: str) -> Reply:
    call.require("edit_forwarders", "admin_all_objects")
    stanza = _stanza(call, kind, name)
    call.splunkd.confs.write("outputs", stanza.name, call.settings("name"), stanza.app)
    return show(call, kind, name)


def delete(call: Call, kind: str, name: str) -> Reply:
    call.require("edit_forwarders", "admin_all_objects")
    stanza = _stanza(call, kind, name)
    if not call.splunkd.confs.delete("outputs", stanza.name, stanza.app):
        raise HttpError(403, f"Cannot remove output '{name}': it comes with app {stanza.app}.")
    return listing(call, kind)


ROUTES: tuple[Route, ...] = (
    Route("GET", "data/outputs/tcp/{kind}", listing),
    Route("POST", "data/outputs/tcp/{kind}", create),
    Route("GET", "data/outputs/tcp/{kind}/{name}", show),
    Route("POST", "data/outputs/tcp/{kind}/{name}", edit),
    Route("DELETE", "data/outputs/tcp/{kind}/{name}", delete),
)
