"""storage/passwords."""

from __future__ import annotations

from apisec_sandbox.splunkd.atom import Entry, quoted
from apisec_sandbox.splunkd.rest.call import Call, Route
from apisec_sandbox.splunkd.storage_passwords import Secret
from apisec_sandbox.splunkd.web import HttpError, Reply


def _secret_entry(secret: Secret) -> Entry:
    content = {
        "clear_password": secret.password,
        "encr_password": secret.encrypted,
        "password": "********",
        "realm": secret.realm or None,
        "username": secret.username,
    }
    return Entry(secret.name, content, f"storage/passwords/{quoted(secret.name)}", secret.app, "nobody", "app")


def _readable(call: Call) -> None:
    call.require("list_storage_passwords", "admin_all_objects")


def passwords(call: Call) -> Reply:
    _readable(call)
    held = call.splunkd.passwords.all()
    if call.app not in ("", "-"):
        held = [secret for secret in held if secret.app == call.app]
    return call.feed("passwords", [_secret_entry(secret) for secret in held])


def create_password(call: Call) -> Reply:
    call.require("edit_storage_passwords", "admin_all_objects")
    username, password = call.needed("name"), call.needed("password")
    saved = call.splunkd.passwords.save(call.params.get("realm", ""), username, password, call.target_app, create=True)
    return call.one("passwords", _secret_entry(saved), 201)


def _secret(call: Call, name: str) -> Secret:
    secret = call.splunkd.passwords.get(name, call.app if call.app not in ("", "-") else None)
    if secret is None:
        raise HttpError(404, f"Could not find object id={name}")
    return secret


def password(call: Call, name: str) -> Reply:
    _readable(call)
    return call.one("passwords", _secret_entry(_secret(call, name)))


def edit_password(call: Call, name: str) -> Reply:
    call.require("edit_storage_passwords", "admin_all_objects")
    held = _secret(call, name)
    new = call.needed("password")
    saved = call.splunkd.passwords.save(held.realm, held.username, new, held.app, create=False)
    return call.one("passwords", _secret_entry(saved))


def delete_password(call: Call, name: str) -> Reply:
    call.require("edit_storage_passwords", "admin_all_objects")
    call.splunkd.passwords.delete(_secret(call, name))
    return passwords(call)


ROUTES: tuple[Route, ...] = (
    Route("GET", "storage/passwords", passwords),
    Route("POST", "storage/passwords", create_password),
    Route("GET", "storage/passwords/{name}", password),
    Route("POST", "storage/passwords/{name}", edit_password),
    Route("DELETE", "storage/passwords/{name}", delete_password),
)
