"""Objects that live in conf files and belong to an app or a user: finding, placing, guarding, showing them.

Source: REST API User Manual, "Namespaces" and "Access Control List"; Knowledge Manager Manual, "Manage knowledge
object permissions".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.splunkd.acl import Permissions
from apisec_sandbox.splunkd.atom import Entry
from apisec_sandbox.splunkd.conffile import check_writable
from apisec_sandbox.splunkd.confs import GLOBAL, NOBODY, Stanza
from apisec_sandbox.splunkd.rest.call import Call
from apisec_sandbox.splunkd.web import HttpError, Reply

DEFAULT_APP = "search"
SHARINGS = ("user", "app", "global")


def visible(call: Call, conf: str) -> list[Stanza]:
    """Return the objects that the address of the call leads to and its user may read, ``[default]`` left out."""
    _impersonation(call)
    user, held = call.session.user, call.splunkd.confs
    if call.app == "-" or (call.owner == "-" and call.app):
        found = [stanza for stanza in held.objects(conf, user) if call.app in ("-", stanza.app)]
        if call.owner != "-":
            found = [stanza for stanza in found if stanza.owner in (NOBODY, call.owner)]
        found += [s for s in held.stanzas(conf).values() if s.app == "system" and call.app == "-"]
    elif call.app in ("", "system"):
        merged = dict(held.stanzas(conf, None, user))
        private = held.stanzas(conf, DEFAULT_APP, user) if not call.app else {}
        found = list((merged | {name: s for name, s in private.items() if s.owner == user}).values())
    else:
        found = list(held.stanzas(conf, call.app, _viewer(call)).values())
        if call.owner == NOBODY:
            found = _shared_only(call, conf, found)
    return sorted((stanza for stanza in found if stanza.name != "default"), key=lambda s: (s.name, s.app, s.owner))


def _shared_only(call: Call, conf: str, found: list[Stanza]) -> list[Stanza]:
    """Leave the user's own objects out: the address names nobody."""
    shared = call.splunkd.confs.stanzas(conf, call.app)
    kept = [shared.get(stanza.name) if stanza.owner != NOBODY else stanza for stanza in found]
    return [stanza for stanza in kept if stanza is not None]


def _viewer(call: Call) -> str:
    return call.owner if call.owner not in ("", "-", NOBODY) else call.session.user


def _impersonation(call: Call) -> None:
    """Another user's address is open to who may administer all objects."""
    if call.owner not in ("", "-", NOBODY, call.session.user) and not call.may("admin_all_objects"):
        raise HttpError(403, f"You (user={call.session.user}) do not have permission to act as {call.owner}.")


def named(call: Call, conf: str, name: str) -> list[Stanza]:
    """Return all visible objects of the name: several when the address spans apps or users.

    Raises:
        HttpError: 404, there is none.
    """
    found = [stanza for stanza in visible(call, conf) if stanza.name == name]
    if not found:
        raise HttpError(404, f"Could not find object id={name}")
    return found


def one(call: Call, conf: str, name: str) -> Stanza:
    """Return the object of the name; of several the user's own, then one of the app that new things go to."""
    found = named(call, conf, name)
    rank = {call.session.user: 0, NOBODY: 1}
    return min(found, key=lambda s: (rank.get(s.owner, 2), s.app != call.target_app))


def place_of_new(call: Call, conf: str) -> tuple[str, str]:
    """Return app and owner of what the call creates: private unless the address says nobody."""
    if call.app == "system":
        return "system", NOBODY
    app = call.app if call.app not in ("", "-") else DEFAULT_APP
    if conf in GLOBAL or call.owner == NOBODY:
        return app, NOBODY
    _impersonation(call)
    return app, _viewer(call)


def create(call: Call, conf: str, name: str, settings: Mapping[str, str]) -> Stanza:
    """Write a new object.

    Raises:
        HttpError: 409 when its place holds one of that name, 403 when the user may not write there.
    """
    app, owner = place_of_new(call, conf)
    check_writable(name, settings)
    if name in call.splunkd.confs.own(conf, app, owner):
        raise HttpError(409, f"Unable to create {conf}: an object with name={name} already exists")
    writable(call, call.splunkd.confs.permissions(conf, name, app, owner), owner)
    call.splunkd.confs.write(conf, name, settings, app, owner=owner)
    return _at(call, conf, name, app, owner)


def edit(call: Call, conf: str, stanza: Stanza, settings: Mapping[str, str]) -> Stanza:
    """Change an object where it lives; what another app exports is overlaid in the app of the call."""
    check_writable(stanza.name, settings)
    app, owner = stanza.app, stanza.owner
    if call.app not in ("", "-", app):
        app, owner = call.app, NOBODY
    elif app == "system" and call.app in ("", "-"):
        app = "system"
    writable(call, call.splunkd.confs.permissions(conf, stanza.name, app, owner), owner)
    call.splunkd.confs.write(conf, stanza.name, settings, app, owner=owner)
    return _at(call, conf, stanza.name, app, owner)


def remove(call: Call, conf: str, stanza: Stanza) -> None:
    """Delete what is local of an object.

    Raises:
        HttpError: 403 when it comes with an app, or the user may not.
    """
    writable(call, stanza.permissions, stanza.owner)
    if not call.splunkd.confs.delete(conf, stanza.name, stanza.app, owner=stanza.owner):
        raise HttpError(403, f"Cannot remove '{stanza.name}': it is not in the local configuration of {stanza.app}.")


def _at(call: Call, conf: str, name: str, app: str, owner: str) -> Stanza:
    """Read one object back from its place."""
    held = call.splunkd.confs
    if app == "system":
        return held.stanzas(conf)[name]
    return held.stanzas(conf, app, owner if owner != NOBODY else "")[name]


def writable(call: Call, permissions: Permissions, owner: str) -> None:
    """Raise 403 unless the user owns the object, holds a role that may write it, or administers all."""
    user = call.session.user
    if not may_write(call, permissions, owner):
        raise HttpError(403, f"You (user={user}) do not have permission to perform this operation.")


def may_write(call: Call, permissions: Permissions, owner: str) -> bool:
    if owner == call.session.user or call.may("admin_all_objects"):
        return True
    roles = frozenset(call.splunkd.roles.resolved(call.splunkd.users.roles_of(call.session.user)))
    return owner == NOBODY and (permissions.writable(roles) or permissions.owner == call.session.user)


def entry(call: Call, conf: str, stanza: Stanza, path: str, content: Mapping[str, Any]) -> Entry:
    """Show an object with who owns and shares it."""
    permissions = stanza.permissions
    write = may_write(call, permissions, stanza.owner)
    return Entry(
        stanza.name,
        content,
        path,
        stanza.app,
        permissions.owner if stanza.owner == NOBODY else stanza.owner,
        stanza.sharing,
        removable=write and call.splunkd.confs.removable(conf, stanza),
        perms=None if stanza.owner != NOBODY else permissions.perms(),
        modifiable=write,
        space=stanza.owner,
    )


# …/acl and …/move


def share(call: Call, conf: str, stanza: Stanza) -> Stanza:
    """POST …/acl: ``sharing``, ``owner``, ``perms.read`` and ``perms.write``."""
    sharing, owner = call.needed("sharing"), call.needed("owner")
    if sharing not in SHARINGS:
        raise HttpError(400, f"Invalid sharing {sharing!r}; known: {', '.join(SHARINGS)}")
    if owner != NOBODY and call.splunkd.users.get(owner) is None:
        raise HttpError(400, f"User '{owner}' does not exist.")
    writable(call, stanza.permissions, stanza.owner)
    if stanza.app == "system":
        raise HttpError(400, f"{stanza.name} belongs to Splunk itself: its permissions are fixed.")
    place = owner if sharing == "user" else NOBODY
    if place == NOBODY and sharing == "user":
        raise HttpError(400, "A private object needs a user as its owner.")
    read, write = (_perms(call, stanza, kind) for kind in _KINDS)
    permissions = Permissions(owner, sharing == "global", read, write)
    if place != stanza.owner:
        app_wide = call.splunkd.confs.permissions(conf, stanza.name, stanza.app)
        writable(call, app_wide, NOBODY)  # sharing, or taking back, changes the app
        _move(call, conf, stanza, stanza.app, place)
    if place == NOBODY:
        call.splunkd.confs.set_permissions(conf, stanza.name, stanza.app, permissions)
    return _at(call, conf, stanza.name, stanza.app, place)


_KINDS = ("read", "write")


def _perms(call: Call, stanza: Stanza, kind: str) -> tuple[str, ...]:
    """Roles as given; what is not given stays, and is nobody for what was private."""
    given = call.params.get(f"perms.{kind}")
    if given is None:
        held = stanza.permissions.read if kind == "read" else stanza.permissions.write
        return held if stanza.owner == NOBODY else ()
    roles = tuple(part.strip() for value in call.request.all(f"perms.{kind}") for part in value.split(","))
    for role in roles:
        if role not in ("", "*", NOBODY, *call.splunkd.roles.names()):
            raise HttpError(400, f"Role '{role}' does not exist.")
    return tuple(role for role in roles if role)


def move(call: Call, conf: str, stanza: Stanza) -> Stanza:
    """POST …/move: to ``app``, for ``user`` (nobody for all)."""
    app, owner = call.needed("app"), call.params.get("user", NOBODY)
    if app not in call.splunkd.confs.apps():
        raise HttpError(400, f"Application does not exist: {app}")
    writable(call, stanza.permissions, stanza.owner)
    writable(call, call.splunkd.confs.permissions(conf, stanza.name, app, owner), owner)
    _move(call, conf, stanza, app, owner)
    return _at(call, conf, stanza.name, app, owner)


def _move(call: Call, conf: str, stanza: Stanza, app: str, owner: str) -> None:
    try:
        call.splunkd.confs.move(conf, stanza, app, owner)
    except SandboxError as error:
        raise HttpError(400, str(error)) from error


def acl_reply(call: Call, title: str, shown: Entry) -> Reply:
    """GET …/acl: the entry without its content."""
    bare = Entry(
        shown.name,
        {},
        shown.path + "/acl",
        shown.app,
        shown.owner,
        shown.sharing,
        removable=shown.removable,
        perms=shown.perms,
        modifiable=shown.modifiable,
        space=shown.space,
    )
    return call.one(title, bare)
