"""Requests to the endpoints that apps bring (splunkd/persistent.py keeps their processes).

Source: restmap.conf.spec; dev.splunk.com, "Custom REST endpoints", the fields of a request and of a reply; Splunk's own
rest-examples, echo_persistent_examples.md, which of them are missing when.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from apisec_sandbox.splunkd.atom import JSON_TYPE, Entry, quoted
from apisec_sandbox.splunkd.auth import SYSTEM_USER
from apisec_sandbox.splunkd.persistent import Target
from apisec_sandbox.splunkd.rest.call import CONTROL, Call
from apisec_sandbox.splunkd.web import HttpError, Reply, Request

TEXT = "text/plain; charset=UTF-8"
HOP = frozenset(("connection", "content-length", "transfer-encoding", "keep-alive", "server", "date"))


def is_open(target: Target) -> bool:
    """Whether the endpoint needs no session (requireAuthentication = false)."""
    return target.is_script and not target.stanza.flag("requireAuthentication", True)


def answer(call: Call, target: Target) -> Reply:
    """Let the app's process answer."""
    _guard(call, target)
    if target.is_script:
        if target.stanza.get("scripttype") != "persist":
            text = f"[{target.stanza.name}] is not of scripttype = persist: other scripts are not supported"
            raise HttpError(501, text)
        return _script(call, target)
    return _admin(call, target)


def _guard(call: Call, target: Target) -> None:
    """Hold ``capability`` and ``capability.<method>``: the one of the method wins."""
    own = target.stanza.get(f"capability.{call.request.method.lower()}") or target.stanza.get("capability")
    if own.strip():
        call.require(*[name.strip() for name in own.split("|") if name.strip()])


# [script:…]


def _script(call: Call, target: Target) -> Reply:
    reply = call.splunkd.handlers.ask(target, _request(call, target))
    status = reply.get("status", 200)
    if not isinstance(status, int) or not 100 <= status <= 599:
        raise HttpError(500, f"The endpoint's script answered with status {status!r}")
    body, kind = _payload(reply)
    headers = _headers(reply.get("headers"))
    return Reply(status, body, headers.pop("content-type", kind), headers)


def _payload(reply: dict[str, Any]) -> tuple[bytes, str]:
    if "payload_base64" in reply:
        try:
            return base64.b64decode(str(reply["payload_base64"]), validate=True), "application/octet-stream"
        except binascii.Error as error:
            raise HttpError(500, "The endpoint's script answered with payload_base64 that is no base64") from error
    payload = reply.get("payload", "")
    if isinstance(payload, str):
        return payload.encode("utf-8", "replace"), TEXT
    return json.dumps(payload).encode(), JSON_TYPE


def _headers(given: Any) -> dict[str, str]:
    """A dictionary, or pairs; those of the connection itself are the server's."""
    pairs = given.items() if isinstance(given, dict) else given if isinstance(given, list) else ()
    found = {str(name).lower(): str(value) for name, value in pairs}
    if any("\n" in text or "\r" in text for pair in found.items() for text in pair):
        raise HttpError(500, "The endpoint's script answered with a line break in a header")
    return {name: value for name, value in found.items() if name not in HOP}


def _request(call: Call, target: Target) -> dict[str, Any]:
    """Return the request as the handler reads it."""
    stanza, request = target.stanza, call.request
    made: dict[str, Any] = {
        "output_mode": call.params.get("output_mode", "xml"),
        "output_mode_explicit": "output_mode" in call.params,
        "method": request.method,
        "rest_path": "/" + "/".join(_bare(request)),
        "query": [list(pair) for pair in request.query],
        "server": {
            "rest_uri": call.splunkd.runner.uri,
            "hostname": "apisec-sandbox",
            "servername": "apisec-sandbox",
            "guid": "00000000-0000-4000-8000-000000000000",
        },
        "connection": {
            "src_ip": request.client,
            "ssl": call.splunkd.runner.scheme == "https",
            "listening_port": call.splunkd.runner.mgmt_port,
        },
    }
    if request.segments[:1] == ("servicesNS",):  # missing where not namespaced; wildcards are missing, too
        made["ns"] = {
            name: value for name, value in (("app", call.app), ("user", call.owner)) if value not in ("", "-")
        }
    if target.rest:
        made["path_info"] = "/".join(target.rest)
    made |= _optional(call, stanza.flag)
    made |= _body(request, stanza.get("passPayload", "false").strip().lower())
    if stanza.flag("passConf", True):
        made["restmap"] = {"name": stanza.name, "conf": dict(stanza.own)}
    return made


def _optional(call: Call, flag: Any) -> dict[str, Any]:
    """What the stanza asks for: the session, a system token, headers, cookies."""
    made: dict[str, Any] = {}
    if call.session.user and flag("passSession", True):
        made["session"] = {"user": call.session.user, "authtoken": _key(call)}
    if flag("passSystemAuth"):
        made["system_authtoken"] = call.splunkd.users.open_session(SYSTEM_USER).key
    if flag("passHttpHeaders"):
        made["headers"] = [[name, value] for name, value in call.request.headers.items()]
    if flag("passHttpCookies"):
        parts = [part.strip().partition("=") for part in call.request.headers.get("cookie", "").split(";")]
        made["cookies"] = [[name, value] for name, _, value in parts if name]
    return made


def _key(call: Call) -> str:
    """The key of the session; a request with a name and a password gets one for the handler's use."""
    return call.session.key or call.splunkd.users.open_session(call.session.user).key


def _body(request: Request, passing: str) -> dict[str, Any]:
    """Return the body of a POST or PUT that is not empty: parsed as a form, and raw where that is asked for."""
    if request.method not in ("POST", "PUT") or not request.body:
        return {}
    made: dict[str, Any] = {"form": [list(pair) for pair in request.form]} if request.form else {}
    if passing == "base64":
        made["payload_base64"] = base64.b64encode(request.body).decode()
    elif passing in ("true", "1"):
        made["payload"] = request.body.decode("utf-8", "replace")
    return made


def _bare(request: Request) -> tuple[str, ...]:
    segments = request.segments
    return segments[1:] if segments[:1] == ("services",) else segments[3:]


# [admin_external:…]


def _admin(call: Call, target: Target) -> Reply:
    action = _action(call, target)
    allowed = {part.strip() for part in target.stanza.get("handleractions").split(",")}
    if action not in allowed and action != "_reload":
        raise HttpError(405, f"The action {action!r} is not among handleractions of [{target.stanza.name}].")
    return _entries(call, target, call.splunkd.handlers.ask(target, _admin_request(call, target, action)))


def _action(call: Call, target: Target) -> str:
    """GET lists, POST creates or edits, DELETE removes."""
    method, rest = call.request.method, target.rest
    if rest[-1:] == ("_reload",):
        return "_reload"
    if len(rest) > 1 and rest[1] not in ("enable", "disable"):
        raise HttpError(404, "Not Found")
    if method == "DELETE" and rest:
        return "remove"
    if method == "POST":
        return "edit" if rest else "create"
    if method == "GET":
        return "list"
    raise HttpError(405, "Method Not Allowed")


def _admin_request(call: Call, target: Target, action: str) -> dict[str, Any]:
    arguments: dict[str, list[str]] = {}
    for name, value in (*call.request.query, *call.request.form):
        if name not in CONTROL and name != "name":
            arguments.setdefault(name, []).append(value)
    if len(target.rest) == 2:
        arguments = {"disabled": ["1" if target.rest[1] == "disable" else "0"]}
    return {
        "action": action,
        "id": call.needed("name") if action == "create" else target.rest[0] if target.rest else None,
        "args": arguments,
        "user": call.owner or call.session.user,
        "app": call.app if call.app not in ("", "-") else target.stanza.app,
        "sessionKey": _key(call),
        "count": call.whole("count", 30),
        "offset": call.whole("offset", 0),
    }


def _entries(call: Call, target: Target, answer: dict[str, Any]) -> Reply:
    status = int(answer.get("status", 500))
    if status >= 400:
        raise HttpError(status, str(answer.get("text", "")))
    entries = [_entry(target, item) for item in answer.get("items", ())]
    created = 201 if call.request.method == "POST" and not target.rest else 200
    return call.feed(target.member, entries, created)


def _entry(target: Target, item: dict[str, Any]) -> Entry:
    name, content = str(item["name"]), dict(item["content"])
    meta = item.get("metadata", {})
    content |= {key: meta[key] for key in ("eai:appName", "eai:userName") if key in meta}
    acl = meta.get("eai:acl") or {}
    return Entry(
        name,
        content,
        f"{target.member}/{quoted(name)}",
        str(acl.get("app") or target.stanza.app),
        str(acl.get("owner") or "nobody"),
        str(acl.get("sharing") or "app"),
    )
