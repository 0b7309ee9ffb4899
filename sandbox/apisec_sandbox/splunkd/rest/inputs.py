"""data/inputs: HEC tokens, modular inputs, oneshot uploads, and network, file and script inputs as configuration.

Source: REST API Reference, "Input endpoint descriptions". tcp, udp, monitor and script inputs are kept and shown;
the sandbox opens no ports for them and watches no files.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.splunkd.atom import Entry, quoted
from apisec_sandbox.splunkd.confs import Stanza, is_true
from apisec_sandbox.splunkd.rest.call import Call, Route
from apisec_sandbox.splunkd.rest.shared import writable
from apisec_sandbox.splunkd.web import HttpError, Reply

BASE = frozenset(("disabled", "host", "index", "source", "sourcetype"))
NETWORK = BASE | {"connection_host", "queue", "restrictToHost", "_rcvbuf", "SSL", "rawTcpDoneTimeout"}


@dataclass(frozen=True)
class Kind:
    """One kind of input: its address below data/inputs, its prefix in inputs.conf, who may edit, its arguments."""

    path: str
    scheme: str
    capability: str
    arguments: frozenset[str]
    defaults: tuple[tuple[str, Any], ...] = ()

    @property
    def network(self) -> bool:
        return self.scheme in ("tcp", "splunktcp", "udp")


COMMON = (("host", "$decideOnStartup"), ("index", "default"))
KINDS = {
    kind.path: kind
    for kind in (
        Kind(
            "http",
            "http",
            "edit_token_http",
            BASE | {"token", "indexes", "useACK", "description", "outputgroup", "persistentQueueSize", "queueSize"},
            (*COMMON, ("useACK", False)),
        ),
        Kind(
            "monitor",
            "monitor",
            "edit_monitor",
            BASE
            | {
                "blacklist",
                "check-index",
                "check-path",
                "crc-salt",
                "crcSalt",
                "followTail",
                "host_regex",
                "host_segment",
                "ignore-older-than",
                "recursive",
                "rename-source",
                "time-before-close",
                "whitelist",
            },
            (*COMMON, ("recursive", True)),
        ),
        Kind("script", "script", "edit_scripted", BASE | {"interval", "passAuth", "rename-source"}, COMMON),
        Kind("tcp/cooked", "splunktcp", "edit_tcp", NETWORK, (*COMMON, ("group", "listenerports"))),
        Kind("tcp/raw", "tcp", "edit_tcp", NETWORK, (*COMMON, ("group", "listenerports"), ("connection_host", "dns"))),
        Kind(
            "udp",
            "udp",
            "edit_udp",
            NETWORK | {"no_appending_timestamp", "no_priority_stripping"},
            (*COMMON, ("group", "listenerports"), ("connection_host", "ip")),
        ),
    )
}


def _kind(call: Call, path: str) -> Kind:
    known = KINDS.get(path)
    if known:
        return known
    if path not in call.splunkd.inputs.kinds():
        raise HttpError(404, f"Could not find object id={path}")
    return Kind(path, path, f"edit_modinput_{path}", frozenset())


def _may_edit(call: Call, kind: Kind) -> None:
    modular = ("edit_modinput_any",) if kind.path not in KINDS else ()
    call.require(kind.capability, *modular, "admin_all_objects")


def _name(kind: Kind, stanza: Stanza) -> str:
    """HEC tokens bear their whole stanza as a name, as splunkd shows them."""
    return stanza.name if kind.scheme == "http" else stanza.name.partition("://")[2]


def _entry(kind: Kind, stanza: Stanza) -> Entry:
    name = _name(kind, stanza)
    content: dict[str, Any] = {**dict(kind.defaults), **stanza.settings, "disabled": stanza.flag("disabled")}
    for flag in ("useACK", "recursive", "passAuth"):
        if flag in content:
            content[flag] = content[flag] if isinstance(content[flag], bool) else is_true(str(content[flag]))
    if kind.scheme == "http":
        content["indexes"] = [part.strip() for part in stanza.get("indexes").split(",") if part.strip()]
    return Entry(name, content, f"data/inputs/{kind.path}/{quoted(name)}", stanza.app, "nobody", "app")


# The tree of kinds


def kinds(call: Call) -> Reply:
    """The kinds, each with the links a client walks by: those with parts of their own have no ``create``."""
    names = sorted({path.partition("/")[0] for path in KINDS} | set(call.splunkd.inputs.kinds()))
    return call.feed("inputs", [_kind_entry(name, name not in ("tcp",)) for name in names])


def _kind_entry(path: str, creates: bool) -> Entry:
    entry = Entry(path.rpartition("/")[2], {}, f"data/inputs/{path}", "", "nobody", "system", plain=True)
    entry.links = {"list": entry.id_path} | ({"create": entry.id_path + "/_new"} if creates else {})
    return entry


def tcp(call: Call) -> Reply:
    return call.feed("tcp", [_kind_entry(path, True) for path in ("tcp/cooked", "tcp/raw")])


# Inputs of one kind


def _stanzas(call: Call, kind: Kind) -> list[Stanza]:
    if kind.scheme == "http":
        call.require("edit_token_http", "list_token_http", "list_inputs")
    stanzas = call.splunkd.confs.stanzas("inputs", call.context_app, call.session.user)
    return [stanza for name, stanza in sorted(stanzas.items()) if name.startswith(kind.scheme + "://")]


def listing(call: Call, path: str) -> Reply:
    kind = _kind(call, path)
    held = _stanzas(call, kind)
    if call.app not in ("", "-"):
        held = [stanza for stanza in held if stanza.app in (call.app, "system") or kind.path in KINDS]
    return call.feed(path.rpartition("/")[2], [_entry(kind, stanza) for stanza in held])


def _stanza(call: Call, kind: Kind, name: str) -> Stanza:
    bare = name.removeprefix(kind.scheme + "://")
    for stanza in _stanzas(call, kind):
        if stanza.name == f"{kind.scheme}://{bare}":
            return stanza
    raise HttpError(404, f"Could not find object id={name}")


def _own_to_change(call: Call, kind: Kind, name: str) -> Stanza:
    """The input, when the permissions of its app let the user write it."""
    stanza = _stanza(call, kind, name)
    writable(call, call.splunkd.confs.permissions("inputs", stanza.name, stanza.app), "nobody")
    return stanza


def show(call: Call, path: str, name: str) -> Reply:
    kind = _kind(call, path)
    return call.one(path.rpartition("/")[2], _entry(kind, _stanza(call, kind, name)))


def _checked_name(call: Call, kind: Kind, name: str) -> str:
    """The name as it stands in inputs.conf.

    Raises:
        HttpError: it is none of this kind, or another input has its port.
    """
    if "\n" in name or "]" in name:
        raise HttpError(400, "Names of inputs must not hold line breaks or ]")
    if not kind.network:
        if kind.scheme == "monitor" and not name.startswith(("/", "$SPLUNK_HOME")):
            raise HttpError(400, f"In handler 'monitor': {name!r} is no absolute path")
        return name
    if not name.isdigit() or not 0 < int(name) < 65536:
        raise HttpError(400, f"In handler '{kind.path}': Parameter name: {name!r} is no port; use 1 to 65535")
    host = call.params.get("restrictToHost", "")
    held = [stanza.name.partition("://")[2] for stanza in _stanzas(call, kind)]
    if host and name in held:
        raise HttpError(400, f"In handler '{kind.path}': port {name} is open to all hosts, it cannot be restricted")
    return f"{host}:{name}" if host else name


def _settings(call: Call, kind: Kind, name: str, held: dict[str, str]) -> dict[str, str]:
    """The arguments, checked: for a modular input by its own script."""
    settings = call.settings("name")
    if kind.path not in KINDS:
        try:
            call.splunkd.inputs.validate(kind.scheme, name, {**held, **settings})
        except SandboxError as error:
            raise HttpError(400, str(error)) from error
        return settings
    for key in settings:
        if key not in kind.arguments:
            raise HttpError(400, f'Argument "{key}" is not supported by this handler.')
    index = settings.get("index", "default")
    if index not in ("default", *call.splunkd.index_names()):
        raise HttpError(400, f"In handler '{kind.path}': Index '{index}' does not exist")
    if kind.scheme == "http":
        settings = _token_settings(call, settings)
    return settings


def _token_settings(call: Call, settings: dict[str, str]) -> dict[str, str]:
    listed = call.request.all("indexes")
    if listed:
        settings["indexes"] = ",".join(part.strip() for text in listed for part in text.split(",") if part.strip())
    if "token" in settings:
        try:
            uuid.UUID(settings["token"])
        except ValueError as error:
            raise HttpError(400, "token must be a GUID") from error
    return settings


def create(call: Call, path: str) -> Reply:
    kind = _kind(call, path)
    _may_edit(call, kind)
    name = _checked_name(call, kind, call.needed("name").removeprefix(kind.scheme + "://"))
    stanza = f"{kind.scheme}://{name}"
    if any(held.name == stanza for held in _stanzas(call, kind)):
        raise HttpError(409, f"An object with name={name} already exists")
    settings = _settings(call, kind, name, {})
    if kind.scheme == "http":
        settings.setdefault("token", str(uuid.uuid4()))
        settings.setdefault("disabled", "0")
    call.splunkd.confs.write("inputs", stanza, settings, call.target_app, _mode(kind))
    return call.one(path.rpartition("/")[2], _entry(kind, _stanza(call, kind, name)), 201)


def _mode(kind: Kind) -> int:
    """A file that holds tokens is its owner's alone."""
    return 0o600 if kind.scheme == "http" else 0o644


def edit(call: Call, path: str, name: str) -> Reply:
    kind = _kind(call, path)
    _may_edit(call, kind)
    stanza = _own_to_change(call, kind, name)
    settings = _settings(call, kind, _name(kind, stanza), dict(stanza.own))
    call.splunkd.confs.write("inputs", stanza.name, settings, stanza.app, _mode(kind))
    return show(call, path, name)


def delete(call: Call, path: str, name: str) -> Reply:
    kind = _kind(call, path)
    _may_edit(call, kind)
    stanza = _own_to_change(call, kind, name)
    if not call.splunkd.confs.delete("inputs", stanza.name, stanza.app):
        raise HttpError(403, f"Cannot remove input '{name}': it comes with app {stanza.app}.")
    return listing(call, path)


def rotate(call: Call, name: str) -> Reply:
    """A new value for a HEC token (docs: data/inputs/http/{name}/rotate)."""
    kind = KINDS["http"]
    _may_edit(call, kind)
    stanza = _stanza(call, kind, name)
    call.splunkd.confs.write("inputs", stanza.name, {"token": str(uuid.uuid4())}, stanza.app, 0o600)
    return show(call, "http", name)


# HEC's own settings


GLOBAL = ("dedicatedIoThreads", "disabled", "enableSSL", "host", "index", "maxSockets", "maxThreads", "port", "source")
MORE_GLOBAL = ("sourcetype", "useDeploymentServer", "maxEventSize", "crossOriginSharingPolicy", "outputgroup")


def hec(call: Call) -> Reply:
    """The stanza [http], which every token inherits (docs: data/inputs/http/http)."""
    call.require("edit_token_http", "list_token_http", "list_inputs")
    stanza = call.splunkd.confs.stanza("inputs", "http")
    held = stanza.settings if stanza else {}
    content = {"host": "$decideOnStartup", "index": "default", **held, "disabled": is_true(held.get("disabled", "0"))}
    entry = Entry("http", content, "data/inputs/http/http", "splunk_httpinput", "nobody", "app", removable=False)
    return call.one("http", entry)


def edit_hec(call: Call) -> Reply:
    call.require("edit_token_http")
    settings = call.settings("name")
    for key in settings:
        if key not in (*GLOBAL, *MORE_GLOBAL):
            raise HttpError(400, f'Argument "{key}" is not supported by this handler.')
    call.splunkd.confs.write("inputs", "http", settings, "splunk_httpinput", 0o600)
    return hec(call)


# Uploads


def oneshot(call: Call) -> Reply:
    """Index a file of the server's once."""
    call.require("edit_monitor", "admin_all_objects")
    name = call.needed("name")
    settings = call.settings("name")
    unknown = [key for key in settings if key not in BASE | {"host_regex", "host_segment", "rename-source"}]
    if unknown or "host_regex" in settings or "host_segment" in settings:
        refused = unknown or [key for key in settings if key.startswith("host_")]
        raise HttpError(400, f'Argument "{refused[0]}" is not supported by this handler.')
    count = call.splunkd.intake.file(Path(name), settings)
    entry = Entry(name, {"Bytes Indexed": count, "Offset": count, "Size": count}, f"data/inputs/oneshot/{quoted(name)}")
    return call.one("oneshotinput", entry, 201)


def uploads(call: Call) -> Reply:
    """Uploads under way: none, a file is indexed before the answer."""
    return call.feed("oneshotinput", [])


def modular_inputs(call: Call) -> Reply:
    return call.feed("modular-inputs", [_scheme(call, name) for name in call.splunkd.inputs.kinds()])


def modular_input(call: Call, name: str) -> Reply:
    if name not in call.splunkd.inputs.kinds():
        raise HttpError(404, f"Could not find object id={name}")
    return call.one("modular-inputs", _scheme(call, name))


def _scheme(call: Call, name: str) -> Entry:
    scheme = call.splunkd.inputs.scheme(name)
    args = {
        name: {
            "required_on_create": need,
            "required_on_edit": name in scheme.on_edit,
            "data_type": scheme.types.get(name, "string"),
        }
        for name, need in scheme.arguments.items()
    }
    content = {
        "title": scheme.title,
        "description": scheme.description,
        "streaming_mode": scheme.streaming,
        "use_single_instance": scheme.single,
        "use_external_validation": scheme.external_validation,
        "endpoint": {"args": args},
    }
    return Entry(name, content, f"data/modular-inputs/{quoted(name)}", scheme.app, "nobody", "app")


def _of(path: str, handler: Any) -> Any:
    """The handler for a kind whose address has two parts, tcp/raw and tcp/cooked."""
    return lambda call, *names: handler(call, path, *names)


ROUTES: tuple[Route, ...] = (
    Route("GET", "data/inputs", kinds),
    Route("GET", "data/inputs/tcp", tcp),
    *(
        Route(method, f"data/inputs/{path}{rest}", _of(path, handler))
        for path in ("tcp/raw", "tcp/cooked")
        for method, rest, handler in (
            ("GET", "", listing),
            ("POST", "", create),
            ("GET", "/{name}", show),
            ("POST", "/{name}", edit),
            ("DELETE", "/{name}", delete),
        )
    ),
    Route("GET", "data/inputs/http/http", hec),
    Route("POST", "data/inputs/http/http", edit_hec),
    Route("GET", "data/inputs/oneshot", uploads),
    Route("POST", "data/inputs/oneshot", oneshot),
    Route("GET", "data/inputs/{kind}", listing),
    Route("POST", "data/inputs/{kind}", create),
    Route("GET", "data/inputs/{kind}/{name}", show),
    Route("POST", "data/inputs/{kind}/{name}", edit),
    Route("DELETE", "data/inputs/{kind}/{name}", delete),
    Route("POST", "data/inputs/http/{name}/rotate", rotate),
    Route("GET", "data/modular-inputs", modular_inputs),
    Route("GET", "data/modular-inputs/{name}", modular_input),
)
