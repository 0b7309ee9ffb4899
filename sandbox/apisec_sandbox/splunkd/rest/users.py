"""authentication/users, authorization/roles and authorization/capabilities.

Source: REST API Reference, "Access endpoint descriptions"; authorize.conf.spec; authentication.conf.spec for the
least length of a password.
"""

from __future__ import annotations

import re
from typing import Any

from apisec_sandbox.splunkd.atom import Entry, quoted
from apisec_sandbox.splunkd.auth import split_list
from apisec_sandbox.splunkd.confs import Stanza
from apisec_sandbox.splunkd.rest.call import Call, Route
from apisec_sandbox.splunkd.web import HttpError, Reply

MIN_PASSWORD = 8  # authentication.conf [splunk_auth] minPasswordLength
ABOUT = ("realname", "email", "defaultApp", "tz", "lang")
USER_FIELDS = (*ABOUT, "password", "oldpassword", "roles", "force-change-pass", "createrole", "restart_background_jobs")
ROLE_NAME = re.compile(r"[^\s:;/\\*\[\]]{1,100}\Z")
LISTS = ("srchIndexesAllowed", "srchIndexesDefault", "srchIndexesDisallowed")
NUMBERS = {
    "srchJobsQuota": 3,
    "rtSrchJobsQuota": 6,
    "cumulativeSrchJobsQuota": 0,
    "cumulativeRTSrchJobsQuota": 0,
    "srchDiskQuota": 100,
    "srchTimeWin": -1,
    "srchTimeEarliest": -1,
}
TEXTS = ("srchFilter", "defaultApp", "srchFilterSelecting")


# Users


def user_entry(call: Call, name: str) -> Entry:
    about = call.splunkd.users.get(name) or {}
    rights = call.splunkd.users.rights(name)
    content = {
        "roles": list(rights.roles),
        "capabilities": sorted(rights.capabilities),
        "realname": about.get("realname") or None,
        "email": about.get("email") or None,
        "defaultApp": about.get("defaultApp") or "launcher",
        "defaultAppIsUserOverride": bool(about.get("defaultApp")),
        "defaultAppSourceRole": "system",
        "force-change-pass": False,
        "lang": about.get("lang") or "",
        "locked-out": False,
        "password": "********",
        "type": "Splunk",
        "tz": about.get("tz") or "",
        "username": name,
    }
    return Entry(name, content, f"authentication/users/{quoted(name)}", "", "system", "system")


def users(call: Call) -> Reply:
    names = call.splunkd.users.names() if call.may("edit_user", "list_all_users") else [call.session.user]
    return call.feed("users", [user_entry(call, name) for name in names])


def _known(call: Call, name: str) -> str:
    """The name as it is kept.

    Raises:
        HttpError: 404, no such user or none that the session may see.
    """
    known = call.splunkd.users.known_as(name)
    if known is None or not (call.may("edit_user", "list_all_users") or known == call.session.user):
        raise HttpError(404, f"Could not find object id={name}")
    return known


def user(call: Call, name: str) -> Reply:
    return call.one("users", user_entry(call, _known(call, name)))


def create_user(call: Call) -> Reply:
    call.require("edit_user")
    name = call.needed("name").lower()
    password = _password(call.needed("password"))
    if name != name.strip() or any(char in name for char in ' :/\\"\n'):
        raise HttpError(400, f"Invalid user name {name!r}: no spaces, colons, slashes, quotes")
    if call.splunkd.users.known_as(name):
        raise HttpError(400, f"User with name={name} already exists")
    roles = _roles(call)
    if not roles:
        raise HttpError(400, "The following required arguments are missing: roles.")
    call.splunkd.users.save(name, password, roles, **_about(call))
    return call.one("users", user_entry(call, name), 201)


def _password(password: str) -> str:
    if len(password) < MIN_PASSWORD:
        text = (
            "Password did not meet complexity requirements. Ensure it passes the following complexity requirement(s):"
            f" * At least {MIN_PASSWORD} printable ASCII character(s)."
        )
        raise HttpError(400, text)
    return password


def _roles(call: Call) -> list[str]:
    roles = [part for value in call.request.all("roles") for part in split_list(value)]
    for role in roles:
        if role not in call.splunkd.roles.names():
            raise HttpError(400, f"Role={role} does not exist")
    return list(dict.fromkeys(roles))


def _about(call: Call) -> dict[str, str]:
    for name in call.settings("name"):
        if name not in USER_FIELDS:
            raise HttpError(400, f'Argument "{name}" is not supported by this handler.')
    return {name: call.params[name] for name in ABOUT if name in call.params}


def edit_user(call: Call, name: str) -> Reply:
    known = _known(call, name)
    if known != call.session.user or "roles" in call.params:
        call.require("edit_user")
    password = call.params.get("password") or None
    if password is not None:
        _password(password)
        _own_password(call, known)
    call.splunkd.users.save(known, password, _roles(call) or None, **_about(call))
    return call.one("users", user_entry(call, known))


def _own_password(call: Call, name: str) -> None:
    """Who may not edit users changes the own password, and says the old one."""
    old = call.params.get("oldpassword")
    if not call.may("edit_user"):
        call.require("change_own_password")
        old = old or ""
    if old is not None and not call.splunkd.users.check(name, old):
        raise HttpError(400, "The old password is wrong or missing (oldpassword).")


def delete_user(call: Call, name: str) -> Reply:
    call.require("edit_user")
    known = call.splunkd.users.known_as(name)
    if known is None:
        raise HttpError(400, f"User does not exist: {name}")
    if known == call.session.user:
        raise HttpError(400, "You cannot delete yourself.")
    call.splunkd.users.delete(known)
    return users(call)


# Roles


def _role_entry(call: Call, name: str) -> Entry:
    stanza = call.splunkd.roles.stanza(name) or Stanza(f"role_{name}", "system", {})
    roles = call.splunkd.roles
    imported = split_list(stanza.get("importRoles"))
    inherited = roles.rights(imported)
    content: dict[str, Any] = {
        "capabilities": sorted(roles.rights([name]).capabilities - inherited.capabilities),
        "imported_capabilities": sorted(inherited.capabilities),
        "imported_roles": imported,
        "imported_srchIndexesAllowed": list(inherited.indexes_allowed),
        "imported_srchIndexesDefault": list(inherited.indexes_default),
        "imported_srchFilter": " OR ".join(f"({text})" for text in inherited.filters),
        "grantable_roles": [],
    }
    content |= {key: split_list(stanza.get(key)) for key in LISTS}
    content |= {key: _number(stanza.get(key), default) for key, default in NUMBERS.items()}
    content |= {"srchFilter": stanza.get("srchFilter"), "defaultApp": stanza.get("defaultApp")}
    return Entry(name, content, f"authorization/roles/{quoted(name)}", "", "system", "system")


def _number(text: str, default: int) -> int:
    return int(text) if re.fullmatch(r"-?\d{1,10}", text.strip()) else default


def _visible_roles(call: Call) -> list[str]:
    """All, for who may list or edit them; else those of the user (authorize.conf.spec, list_all_roles)."""
    if call.may("list_all_roles", "edit_roles", "edit_roles_grantable", "edit_user"):
        return call.splunkd.roles.names()
    return sorted(call.splunkd.roles.resolved(call.splunkd.users.rights(call.session.user).roles))


def roles(call: Call) -> Reply:
    return call.feed("roles", [_role_entry(call, name) for name in _visible_roles(call)])


def _role(call: Call, name: str) -> str:
    folded = name.lower()
    if folded not in _visible_roles(call):
        raise HttpError(404, f"Could not find object id={name}")
    return folded


def role(call: Call, name: str) -> Reply:
    return call.one("roles", _role_entry(call, _role(call, name)))


def _settings(call: Call, name: str) -> dict[str, str]:
    """Turn the arguments into the stanza's settings.

    Raises:
        HttpError: 400, an argument is unknown, no number, or names what does not exist.
    """
    settings: dict[str, str] = {}
    for key in call.settings("name"):
        if key == "imported_roles":
            settings["importRoles"] = ";".join(_imported(call, name))
        elif key in LISTS:
            settings[key] = ";".join(part for value in call.request.all(key) for part in split_list(value))
        elif key in NUMBERS:
            if not re.fullmatch(r"-?\d{1,10}", call.params[key].strip()):
                raise HttpError(400, f"Invalid value {call.params[key]!r} for {key}: a whole number is needed")
            settings[key] = call.params[key].strip()
        elif key in TEXTS:
            settings[key] = call.params[key]
        elif key == "capabilities":
            settings |= _capabilities(call, name)
        elif key != "grantable_roles":
            raise HttpError(400, f'Argument "{key}" is not supported by this handler.')
    return settings


def _imported(call: Call, name: str) -> list[str]:
    imported = [part for value in call.request.all("imported_roles") for part in split_list(value)]
    for one in imported:
        if one not in call.splunkd.roles.names():
            raise HttpError(400, f"Role={one} does not exist")
        if name in call.splunkd.roles.resolved([one]):
            raise HttpError(400, f"Role={name} cannot import {one}: it imports {name} itself")
    return imported


def _capabilities(call: Call, name: str) -> dict[str, str]:
    """The given ones are all that the role has of its own."""
    known = set(call.splunkd.roles.capabilities())
    wanted = [part for value in call.request.all("capabilities") for part in split_list(value)]
    for one in wanted:
        if one not in known:
            raise HttpError(400, f"Capability={one} does not exist")
    stanza = call.splunkd.roles.stanza(name)
    held = {key: "disabled" for key in (stanza.own if stanza else {}) if key in known}
    return held | dict.fromkeys(wanted, "enabled")


def create_role(call: Call) -> Reply:
    call.require("edit_roles")
    name = call.needed("name").lower()
    if not ROLE_NAME.match(name):
        raise HttpError(400, f"Invalid role name {name!r}: no spaces, colons, semicolons, slashes, wildcards")
    if name in call.splunkd.roles.names():
        raise HttpError(409, f"Role={name} already exists")
    call.splunkd.confs.write("authorize", f"role_{name}", _settings(call, name), "system")
    return call.one("roles", _role_entry(call, name), 201)


def edit_role(call: Call, name: str) -> Reply:
    call.require("edit_roles")
    name = _role(call, name)
    call.splunkd.confs.write("authorize", f"role_{name}", _settings(call, name), "system")
    return call.one("roles", _role_entry(call, name))


def delete_role(call: Call, name: str) -> Reply:
    call.require("edit_roles")
    name = _role(call, name)
    if not call.splunkd.confs.delete("authorize", f"role_{name}", "system") or name in call.splunkd.roles.names():
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
