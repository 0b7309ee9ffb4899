"""Login, server, apps, tokens, messages, and the sandbox's own switches."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.splunkd.atom import Entry, json_reply, quoted, xml_reply
from apisec_sandbox.splunkd.builtin import BUILD, PRODUCT, VERSION
from apisec_sandbox.splunkd.confs import is_true
from apisec_sandbox.splunkd.rest.call import Call, Route
from apisec_sandbox.splunkd.rest.users import user_entry
from apisec_sandbox.splunkd.web import HttpError, Reply

if TYPE_CHECKING:
    from apisec_sandbox.splunkd.auth import Session
    from apisec_sandbox.splunkd.server import Splunkd


def login(call: Call) -> Reply:
    name, password = call.params.get("username", ""), call.params.get("password", "")
    session = call.splunkd.users.login(name, password)
    if session is None:
        raise HttpError(401, "Login failed", "WARN", "incorrect_username_or_password")
    if call.json:
        reply = json_reply({"sessionKey": session.key, "message": "", "code": ""})
    else:
        messages = '<messages><msg code=""></msg></messages>'
        reply = xml_reply(f"<response>\n  <sessionKey>{session.key}</sessionKey>\n  {messages}\n</response>")
    if is_true(call.params.get("cookie", "0")):
        reply.headers["set-cookie"] = cookie(call.splunkd, session)
    return reply


def cookie(splunkd: Splunkd, session: Session) -> str:
    """Set-Cookie of a session (docs: "Cookie-based authorization": splunkd_ and the management port)."""
    secure = "; Secure" if splunkd.runner.scheme == "https" else ""
    return f"splunkd_{splunkd.runner.mgmt_port}={session.key}; Path=/; HttpOnly{secure}"


def server_info(call: Call) -> Reply:
    content: dict[str, Any] = {
        "version": VERSION,
        "build": BUILD,
        "product_type": PRODUCT,
        "serverName": "apisec-sandbox",
        "host": "apisec-sandbox",
        "host_fqdn": "apisec-sandbox",
        "guid": "00000000-0000-4000-8000-000000000000",
        "mode": "normal",
        "isFree": False,
        "isTrial": False,
        "isForwarding": False,
        "activeLicenseGroup": "Enterprise",
        "licenseState": "OK",
        "kvStoreStatus": "ready",
        "health_info": "green",
        "server_roles": ["indexer", "search_head", "kv_store"],
        "os_name": "Linux",
        "cpu_arch": "x86_64",
        "startup_time": int(time.time()),
    }
    return call.one(
        "server-info", Entry("server-info", content, "server/info/server-info", "", "system", "system", False)
    )


def server_settings(call: Call) -> Reply:
    runner = call.splunkd.runner
    content = {
        "SPLUNK_DB": str(call.splunkd.home.data),
        "SPLUNK_HOME": str(call.splunkd.home.root),
        "enableSplunkWebSSL": False,
        "host": "apisec-sandbox",
        "httpport": 8000,
        "kvStorePort": 8191,
        "mgmtHostPort": runner.mgmt_port,
        "serverName": "apisec-sandbox",
        "sessionTimeout": "1h",
        "startwebserver": False,
    }
    return call.one("settings", Entry("settings", content, "server/settings/settings", "", "system", "system", False))


# Apps


def _app_entry(call: Call, name: str) -> Entry:
    stanzas = call.splunkd.confs.app_conf(name)
    launcher, ui, state = stanzas.get("launcher", {}), stanzas.get("ui", {}), stanzas.get("install", {})
    content: dict[str, Any] = {
        "label": ui.get("label", name),
        "version": launcher.get("version") or stanzas.get("id", {}).get("version", ""),
        "author": launcher.get("author", ""),
        "description": launcher.get("description", ""),
        "visible": is_true(ui.get("is_visible", "1")),
        "disabled": state.get("state", "enabled") == "disabled",
        "configured": is_true(state.get("is_configured", "0")),
        "check_for_updates": is_true(stanzas.get("package", {}).get("check_for_updates", "1")),
        "core": name in ("search", "launcher"),
        "state_change_requires_restart": False,
    }
    return Entry(name, content, f"apps/local/{quoted(name)}", name, "nobody", "app")


def apps(call: Call) -> Reply:
    return call.feed("localapps", [_app_entry(call, name) for name in call.splunkd.confs.all_apps()])


def app(call: Call, name: str) -> Reply:
    if name not in call.splunkd.confs.all_apps():
        raise HttpError(404, f"Could not find object id={name}")
    return call.one("localapps", _app_entry(call, name))


def edit_app(call: Call, name: str) -> Reply:
    call.require("edit_local_apps", "admin_all_objects")
    app(call, name)
    settings = call.settings("name")
    section = {"configured": ("install", "is_configured"), "visible": ("ui", "is_visible"), "label": ("ui", "label")}
    for key, value in settings.items():
        if key == "disabled":
            call.splunkd.confs.write("app", "install", {"state": "disabled" if is_true(value) else "enabled"}, name)
        elif key in section:
            call.splunkd.confs.write("app", section[key][0], {section[key][1]: value}, name)
        else:
            raise HttpError(400, f'Argument "{key}" is not supported by this endpoint.')
    return app(call, name)


def current_context(call: Call) -> Reply:
    entry = user_entry(call, call.session.user)
    return call.one(
        "current-context",
        Entry("context", entry.content, "authentication/current-context/context", "", "system", "system", False),
    )


def create_token(call: Call) -> Reply:
    name = call.params.get("name") or call.session.user
    if name != call.session.user:
        call.require("edit_tokens_all")
    if call.splunkd.users.get(name) is None:
        raise HttpError(400, f"User with name={name} does not exist")
    expires = 0.0
    if call.params.get("expires_on"):
        from apisec_sandbox.spl.times import resolve

        expires = resolve(call.params["expires_on"], call.splunkd.clock())
    token = call.splunkd.users.make_token(name, call.params.get("audience", ""), expires)
    return call.one(
        "tokens", Entry("tokens", {"id": name, "token": token}, "authorization/tokens", "", name, "system"), 201
    )


# Messages


def _message_entry(name: str, message: tuple[str, str]) -> Entry:
    content = {
        "severity": message[0],
        "message": message[1],
        "timeCreated_epochSecs": int(time.time()),
        name: message[1],
    }
    return Entry(name, content, f"messages/{quoted(name)}", "", "system", "system")


def messages(call: Call) -> Reply:
    return call.feed("messages", [_message_entry(*item) for item in call.splunkd.messages.items()])


def message(call: Call, name: str) -> Reply:
    if name not in call.splunkd.messages:
        raise HttpError(404, f"Could not find object id={name}")
    return call.one("messages", _message_entry(name, call.splunkd.messages[name]))


def create_message(call: Call) -> Reply:
    name, value = call.needed("name"), call.needed("value")
    severity = call.params.get("severity", "info")
    if severity not in ("info", "warn", "error"):
        raise HttpError(400, "severity must be one of info, warn, error")
    call.splunkd.messages[name] = (severity, value)
    return call.one("messages", _message_entry(name, (severity, value)), 201)


def delete_message(call: Call, name: str) -> Reply:
    message(call, name)
    del call.splunkd.messages[name]
    return messages(call)


# The sandbox's own


def set_overload(call: Call) -> Reply:
    """``code`` of HEC to answer with and for how many ``requests`` (-1: until code=0)."""
    call.require("admin_all_objects")
    try:
        code, requests = int(call.needed("code")), int(call.params.get("requests", "-1"))
    except ValueError as error:
        raise SandboxError("code and requests are whole numbers") from error
    call.splunkd.hec.overload.set(code, requests)
    return json_reply({"code": code, "requests": requests})


ROUTES: tuple[Route, ...] = (
    Route("POST", "auth/login", login, open=True),
    Route("GET", "server/info", server_info),
    Route("GET", "server/info/server-info", server_info),
    Route("GET", "server/settings", server_settings),
    Route("GET", "server/settings/settings", server_settings),
    Route("GET", "apps/local", apps),
    Route("GET", "apps/local/{name}", app),
    Route("POST", "apps/local/{name}", edit_app),
    Route("GET", "authentication/current-context", current_context),
    Route("GET", "authentication/current-context/context", current_context),
    Route("POST", "authorization/tokens", create_token),
    Route("GET", "messages", messages),
    Route("POST", "messages", create_message),
    Route("GET", "messages/{name}", message),
    Route("DELETE", "messages/{name}", delete_message),
    Route("POST", "sandbox/hec_overload", set_overload),
)
