"""authentication/users, authorization/roles and authorization/capabilities.

Source: REST API Reference, "Access endpoint descriptions".
"""

from __future__ import annotations

from apisec_sandbox.splunkd.atom import Entry, quoted
from apisec_sandbox.splunkd.auth import split_list
from apisec_sandbox.splunkd.rest.call import Call, Route
from apisec_sandbox.splunkd.web import HttpError, Reply


def user_entry(call: Call, name: str) -> Entry:
    about = call.splunkd.users.get(name) or {}
    rights = call.splunkd.users.rights(name)
    content = {
        "roles": list(rights.roles),
        "capabilities": sorted(rights.capabilities),
        "realname": about.get("realname", ""),
        "email": about.get("email", ""),
        "defaultApp": "search",
        "type": "Splunk",
        "tz": "",
        "username": name,
    }
    return Entry(name, content, f"authentication/users/{quoted(name)}", "", "system", "system")


def users(call: Call) -> Reply:
    names = call.splunkd.users.names() if call.may("edit_user") else [call.session.user]
    return call.feed("users", [user_entry(call, name) for name in names])


def user(call: Call, name: str) -> Reply:
    if call.splunkd.users.get(name) is None or not (call.may("edit_user") or name == call.session.user):
        raise HttpError(404, f"Could not find object id={name}")
    return call.one("users", user_entry(call, name))


def create_user(call: Call) -> Reply:
    call.require("edit_user")
    name, password = call.needed("name"), call.needed("password")
    if call.splunkd.users.get(name):
        raise HttpError(400, f"User with name={name} already exists")
    call.splunkd.users.save(name, password, _roles(call) or ["user"], **_about(call))
    return call.one("users", user_entry(call, name), 201)


def _roles(call: Call) -> list[str]:
    roles = [part for value in call.request.all("roles") for part in split_list(value)]
    for role in roles:
        if role not in call.splunkd.roles.names():
            raise HttpError(400, f"Role={role} does not exist")
    return roles


def _about(call: Call) -> dict[str, str]:
    return {name: call.params[name] for name in ("realname", "email") if name in call.params}


def edit_user(call: Call, name: str) -> Reply:
    if name != call.session.user or "roles" in call.params:
        call.require("edit_user")
    user(call, name)
    call.splunkd.users.save(name, call.params.get("password") or None, _roles(call) or None, **_about(call))
    return call.one("users", user_entry(call, name))


def delete_user(call: Call, name: str) -> Reply:
    call.require("edit_user")
    user(call, name)
    if name == call.session.user:
        raise HttpError(400, "You cannot delete yourself.")
    call.splunkd.users.delete(name)
    return users(call)


def _role_entry(call: Call, name: str) -> Entry:
    stanza = call.splunkd.roles.stanza(name)
    assert stanza is not None
    own = call.splunkd.roles
    imported = split_list(stanza.get("importRoles"))
    inherited = own.rights(imported)
    content = {
        "capabilities": sorted(own.rights([name]).capabilities - inherited.capabilities),
        "imported_capabilities": sorted(inherited.capabilities),
        "imported_roles": imported,
        "srchIndexesAllowed": split_list(stanza.get("srchIndexesAllowed")),
        "srchIndexesDefault": split_list(stanza.get("srchIndexesDefault")),
        "imported_srchIndexesAllowed": list(inherited.indexes_allowed),
        "srchFilter": stanza.get("srchFilter"),
        "srchJobsQuota": stanza.get("srchJobsQuota", "3"),
    }
    return Entry(name, content, f"authorization/roles/{quoted(name)}", "", "system", "system")


def roles(call: Call) -> Reply:
    return call.feed("roles", [_role_entry(call, name) for name in call.splunkd.roles.names()])


def role(call: Call, name: str) -> Reply:
    if name not in call.splunkd.roles.names():
        raise HttpError(404, f"Could not find object id={name}")
    return call.one("roles", _role_entry(call, name))


def save_role(call: Call, name: str, status: int) -> Reply:
    call.require("edit_roles")
    known = set(call.splunkd.roles.capabilities())
    settings: dict[str, str] = {}
    for key in ("imported_roles", "srchIndexesAllowed", "srchIndexesDefault"):
        if key in call.params:
            settings[{"imported_roles": "importRoles"}.get(key, key)] = ";".join(call.request.all(key))
    if "srchFilter" in call.params:
        settings["srchFilter"] = call.params["srchFilter"]
    for capability in call.request.all("capabilities"):
        if capability not in known:
            raise HttpError(400, f"Capability={capability} does not exist")
        settings[capability] = "enabled"
    call.splunkd.confs.write("authorize", f"role_{name}", settings, "system")
    return call.one("roles", _role_entry(call, name), status)


def create_role(call: Call) -> Reply:
    name = call.needed("name")
    if name in call.splunkd.roles.names():
        raise HttpError(409, f"Role={name} already exists")
    return save_role(call, name, 201)


def edit_role(call: Call, name: str) -> Reply:
    role(call, name)
    return save_role(call, name, 200)


def delete_role(call: Call, name: str) -> Reply:
    call.require("edit_roles")
    role(call, name)
    if not call.splunkd.confs.delete("authorize", f"role_{name}", "system"):
        raise HttpError(400, f"Role={name} belongs to an app or to Splunk and cannot be removed")
    return roles(call)


def capabilities(call: Call) -> Reply:
    content = {"capabilities": call.splunkd.roles.capabilities()}
    return call.one(
        "capabilities", Entry("capabilities", content, "authorization/capabilities", "", "system", "system", False)
    )


ROUTES: tuple[Route, ...] = (
    Route("GET", "authentication/users", users),
    Route("POST", "authentication/users", create_user),
    Route("GET", "authentication/users/{name}", user),
    Route("POST", "authentication/users/{name}", edit_user),
    Route("DELETE", "authentication/users/{name}", delete_user),
    Route("GET", "authorization/roles", roles),
    Route("POST", "authorization/roles", create_role),
    Route("GET", "authorization/roles/{name}", role),
    Route("POST", "authorization/roles/{name}", edit_role),
    Route("DELETE", "authorization/roles/{name}", delete_role),
    Route("GET", "authorization/capabilities", capabilities),
)
