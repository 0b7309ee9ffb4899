"""auth/login, authentication/current-context and httpauth-tokens, authorization/tokens.

Source: REST API Reference, "Access endpoint descriptions".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.times import resolve
from apisec_sandbox.splunkd.atom import Entry, json_reply, quoted, xml_reply
from apisec_sandbox.splunkd.confs import is_true
from apisec_sandbox.splunkd.rest.call import Call, Route
from apisec_sandbox.splunkd.rest.users import user_entry
from apisec_sandbox.splunkd.tokens import STATES
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
        messages = f"<messages>\n    <msg code={quoteattr('')}></msg>\n  </messages>"
        reply = xml_reply(f"<response>\n  <sessionKey>{session.key}</sessionKey>\n  {messages}\n</response>")
    if is_true(call.params.get("cookie", "0")):
        reply.headers["set-cookie"] = cookie(call.splunkd, session)
    reply.user = name
    return reply


def cookie(splunkd: Splunkd, session: Session) -> str:
    """Set-Cookie of a session (docs: "Cookie-based authorization": splunkd_ and the management port)."""
    secure = "; Secure" if splunkd.runner.scheme == "https" else ""
    return f"splunkd_{splunkd.runner.mgmt_port}={session.key}; Path=/; HttpOnly{secure}"


def current_context(call: Call) -> Reply:
    content = user_entry(call, call.session.user).content
    return call.one("current-context", _fixed("context", content, "authentication/current-context/context"))


def _fixed(name: str, content: Any, path: str) -> Entry:
    return Entry(name, content, path, "", "system", "system", removable=False, modifiable=False)


# Sessions


def sessions(call: Call) -> Reply:
    """The user's own sessions; of all users for who may see them."""
    every = call.may("admin_all_objects")
    held = [item for item in call.splunkd.users.sessions() if every or item.user == call.session.user]
    return call.feed("httpauth-tokens", [_session_entry(item) for item in held])


def _session_entry(session: Session) -> Entry:
    content = {"authString": session.key, "userName": session.user, "searchId": ""}
    path = f"authentication/httpauth-tokens/{quoted(session.key)}"
    return Entry(session.key, content, path, "", session.user, "system")


def _session(call: Call, key: str) -> Session:
    for item in call.splunkd.users.sessions():
        if item.key == key and (item.user == call.session.user or call.may("admin_all_objects")):
            return item
    raise HttpError(404, f"Could not find object id={key}")


def session(call: Call, key: str) -> Reply:
    return call.one("httpauth-tokens", _session_entry(_session(call, key)))


def logout(call: Call, key: str) -> Reply:
    call.splunkd.users.close_session(_session(call, key).key)
    return call.empty("httpauth-tokens")


# Tokens


def tokens(call: Call) -> Reply:
    every = call.may("list_tokens_all", "edit_tokens_all")
    wanted = call.params.get("username", "")
    held = [about for about in call.splunkd.users.tokens.all() if every or about["user"] == call.session.user]
    return call.feed("tokens", [_token_entry(about) for about in held if wanted in ("", about["user"])])


def _token_entry(about: dict[str, Any]) -> Entry:
    claims = {
        "sub": about["user"],
        "aud": about["audience"],
        "iat": about["issued"],
        "exp": int(about["expires"]),
        "nbr": int(about.get("not_before", 0)),
        "idp": "Splunk",
    }
    content = {"claims": claims, "status": about["status"], "lastUsed": about["last_used"], "lastUsedIp": ""}
    return Entry(about["id"], content, f"authorization/tokens/{about['id']}", "", about["user"], "system")


def token(call: Call, name: str) -> Reply:
    for about in call.splunkd.users.tokens.all():
        if about["id"] == name and (call.may("list_tokens_all") or about["user"] == call.session.user):
            return call.one("tokens", _token_entry(about))
    raise HttpError(404, f"Could not find object id={name}")


def create_token(call: Call) -> Reply:
    """A token for the user himself, or with edit_tokens_all for anyone."""
    name = call.params.get("name") or call.session.user
    if name != call.session.user:
        call.require("edit_tokens_all")
    else:
        call.require("edit_tokens_own", "edit_tokens_all", "admin_all_objects")
    if call.splunkd.users.get(name) is None:
        raise HttpError(400, f"User with name={name} does not exist")
    moments = {key: _moment(call, key) for key in ("expires_on", "not_before")}
    if moments["expires_on"] and moments["expires_on"] <= max(call.splunkd.clock(), moments["not_before"]):
        raise HttpError(400, "expires_on must be later than now and than not_before")
    audience = call.needed("audience")
    made, value = call.splunkd.users.tokens.make(name, audience, moments["expires_on"], moments["not_before"])
    content = {"id": made, "token": value}
    return call.one("tokens", Entry("tokens", content, "authorization/tokens", "", name, "system"), 201)


def _moment(call: Call, key: str) -> float:
    text = call.params.get(key, "")
    try:
        return resolve(text, call.splunkd.clock()) if text else 0.0
    except SplError as error:
        raise HttpError(400, f"{key}: {error}") from error


def _users_token(call: Call, user: str) -> str:
    """``id`` of the form, a token of this user that the caller may change."""
    if user != call.session.user:
        call.require("edit_tokens_all")
    name = call.needed("id")
    if not any(about["id"] == name and about["user"] == user for about in call.splunkd.users.tokens.all()):
        raise HttpError(404, f"Could not find object id={name}")
    return name


def edit_token(call: Call, user: str) -> Reply:
    name, status = _users_token(call, user), call.needed("status")
    if status not in STATES:
        raise HttpError(400, f"Invalid status {status!r}; known: {', '.join(STATES)}")
    call.splunkd.users.tokens.change(name, status)
    return token(call, name)


def delete_token(call: Call, user: str) -> Reply:
    call.splunkd.users.tokens.delete(_users_token(call, user))
    return call.message(200, "INFO", "Token removed.")


ROUTES: tuple[Route, ...] = (
    Route("POST", "auth/login", login, open=True),
    Route("GET", "authentication/current-context", current_context),
    Route("GET", "authentication/current-context/context", current_context),
    Route("GET", "authentication/httpauth-tokens", sessions),
    Route("GET", "authentication/httpauth-tokens/{key}", session),
    Route("DELETE", "authentication/httpauth-tokens/{key}", logout),
    Route("GET", "authorization/tokens", tokens),
    Route("POST", "authorization/tokens", create_token),
    Route("GET", "authorization/tokens/{name}", token),
    Route("POST", "authorization/tokens/{user}", edit_token),
    Route("DELETE", "authorization/tokens/{user}", delete_token),
)
