"""storage/passwords and storage/collections."""

from __future__ import annotations

import json
import re
from typing import Any

from apisec_sandbox.splunkd import kvstore
from apisec_sandbox.splunkd.atom import Entry, json_reply, quoted
from apisec_sandbox.splunkd.confs import Stanza, is_true
from apisec_sandbox.splunkd.kvstore import MAX_BATCH, Scope, Selection
from apisec_sandbox.splunkd.rest.call import Call, Route
from apisec_sandbox.splunkd.storage_passwords import Secret
from apisec_sandbox.splunkd.web import HttpError, Reply

COLLECTION_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,79}\Z")
FIELD_TYPES = ("array", "bool", "cidr", "number", "string", "time")


# Passwords


def _secret_entry(secret: Secret) -> Entry:
    content = {
        "clear_password": secret.password,
        "encr_password": secret.encrypted,
        "password": "********",
        "realm": secret.realm,
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
    secret = call.splunkd.passwords.get(name)
    if secret is None or (call.app not in ("", "-") and secret.app != call.app):
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
    call.splunkd.passwords.delete(_secret(call, name).name)
    return passwords(call)


# Collections: configuration


def _collections(call: Call) -> list[Stanza]:
    stanzas = call.splunkd.confs.stanzas("collections", call.context_app)
    return [stanza for name, stanza in sorted(stanzas.items()) if name != "default"]


def _collection_entry(stanza: Stanza) -> Entry:
    content: dict[str, Any] = {
        "disabled": stanza.flag("disabled"),
        "type": "undefined",
        "replicate": "false",
        **stanza.settings,
    }
    return Entry(stanza.name, content, f"storage/collections/config/{quoted(stanza.name)}", stanza.app, "nobody", "app")


def collections(call: Call) -> Reply:
    held = [stanza for stanza in _collections(call) if call.app in ("", "-", stanza.app)]
    return call.feed("collections-conf", [_collection_entry(stanza) for stanza in held])


def _collection(call: Call, name: str) -> Stanza:
    """Find a collection in the app of the call.

    Raises:
        HttpError: 404 when the app has none of this name.
    """
    stanza = call.splunkd.confs.stanza("collections", name, call.context_app)
    if stanza is None or name == "default" or (call.app not in ("", "-") and stanza.app != call.app):
        raise HttpError(404, f"Could not find object id={name}")
    return stanza


def collection(call: Call, name: str) -> Reply:
    return call.one("collections-conf", _collection_entry(_collection(call, name)))


def _collection_settings(call: Call) -> dict[str, str]:
    settings = call.settings("name")
    for key, value in settings.items():
        kind, _, rest = key.partition(".")
        if kind == "field" and rest:
            if value not in FIELD_TYPES:
                raise HttpError(400, f"Type {value!r} of {key} is not one of {', '.join(FIELD_TYPES)}")
        elif kind == "accelerated_fields" and rest:
            _json_object(value, key)
        elif key not in ("enforceTypes", "replicate", "disabled", "profilingEnabled", "type"):
            raise HttpError(400, f'Argument "{key}" is not supported by this endpoint.')
    return settings


def _json_object(text: str, what: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise HttpError(400, f"{what} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise HttpError(400, f"{what} must be a JSON object")
    return value


def create_collection(call: Call) -> Reply:
    name = call.needed("name")
    if not COLLECTION_NAME.match(name):
        raise HttpError(400, f"Invalid collection name {name!r}: use letters, digits, _ . -")
    stanza = call.splunkd.confs.stanza("collections", name, call.context_app)
    if stanza is not None and stanza.app == call.target_app:
        raise HttpError(409, f"An object with name={name} already exists")
    call.splunkd.confs.write("collections", name, _collection_settings(call), call.target_app)
    return call.one("collections-conf", _collection_entry(_collection(call, name)), 201)


def edit_collection(call: Call, name: str) -> Reply:
    stanza = _collection(call, name)
    call.splunkd.confs.write("collections", name, _collection_settings(call), stanza.app)
    return collection(call, name)


def delete_collection(call: Call, name: str) -> Reply:
    stanza = _collection(call, name)
    if not call.splunkd.confs.delete("collections", name, stanza.app):
        raise HttpError(403, f"Cannot remove collection '{name}': it comes with app {stanza.app}.")
    call.splunkd.kv.drop(stanza.app, name)
    return collections(call)


# Collections: data


def _scope(call: Call, name: str) -> tuple[Scope, Stanza]:
    stanza = _collection(call, name)
    owner = call.owner if call.owner not in ("", "-") else "nobody"
    if owner not in ("nobody", call.session.user) and not call.may("admin_all_objects"):
        raise HttpError(403, "insufficient permission to access this resource")
    return Scope(stanza.app, name, owner), stanza


def _document(call: Call) -> Any:
    try:
        return json.loads(call.request.body or b"{}")
    except (ValueError, RecursionError) as error:
        raise HttpError(400, f"JSON in the request is invalid. ( JSON parse error: {error} )") from error


def _typed(document: Any, stanza: Stanza) -> Any:
    """Hold field types where the collection enforces them (collections.conf.spec, enforceTypes)."""
    if not isinstance(document, dict) or not is_true(stanza.get("enforceTypes", "false")):
        return document
    for key, kind in stanza.settings.items():
        name = key.removeprefix("field.")
        if key.startswith("field.") and name in document and not _fits(document[name], kind):
            raise HttpError(400, f"Field {name!r} must be of type {kind}")
    return document


def _fits(value: Any, kind: str) -> bool:
    if kind in ("number", "time"):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    wanted = {"string": str, "bool": bool, "array": list, "cidr": str}.get(kind, object)
    return isinstance(value, wanted)


def query(call: Call, name: str) -> Reply:
    scope, _ = _scope(call, name)
    selection = Selection.parse(call.params)
    return json_reply(selection.apply(call.splunkd.kv.documents(scope)))


def insert(call: Call, name: str) -> Reply:
    scope, stanza = _scope(call, name)
    document = _document(call)
    if not isinstance(document, dict):
        raise HttpError(400, "JSON in the request is invalid. ( JSON object expected )")
    return json_reply({"_key": call.splunkd.kv.insert(scope, _typed(document, stanza))}, 201)


def delete_query(call: Call, name: str) -> Reply:
    scope, _ = _scope(call, name)
    text = call.params.get("query")
    if not text:
        call.splunkd.kv.delete(scope, None)
    else:
        test = kvstore.compile_query(_json_object(text, "query"))
        keys = [document["_key"] for document in call.splunkd.kv.documents(scope) if test(document)]
        call.splunkd.kv.delete(scope, keys)
    return json_reply({})


def get(call: Call, name: str, key: str) -> Reply:
    scope, _ = _scope(call, name)
    document = call.splunkd.kv.get(scope, key)
    if document is None:
        raise HttpError(404, "Could not find object.")
    return json_reply(document)


def replace(call: Call, name: str, key: str) -> Reply:
    scope, stanza = _scope(call, name)
    document = _document(call)
    if not isinstance(document, dict):
        raise HttpError(400, "JSON in the request is invalid. ( JSON object expected )")
    if not call.splunkd.kv.replace(scope, key, _typed(document, stanza)):
        raise HttpError(404, "Could not find object.")
    return json_reply({"_key": key})


def delete(call: Call, name: str, key: str) -> Reply:
    scope, _ = _scope(call, name)
    if not call.splunkd.kv.delete(scope, [key]):
        raise HttpError(404, "Could not find object.")
    return json_reply({})


def batch_save(call: Call, name: str) -> Reply:
    scope, stanza = _scope(call, name)
    documents = _document(call)
    if not isinstance(documents, list):
        raise HttpError(400, "JSON in the request is invalid. ( JSON array expected )")
    if len(documents) > MAX_BATCH:
        raise HttpError(400, f"Batch save size={len(documents)} is too large. Max size is {MAX_BATCH}.")
    return json_reply(call.splunkd.kv.save(scope, [_typed(document, stanza) for document in documents]))


def batch_find(call: Call, name: str) -> Reply:
    scope, _ = _scope(call, name)
    queries = _document(call)
    if not isinstance(queries, list):
        raise HttpError(400, "JSON in the request is invalid. ( JSON array expected )")
    held = list(call.splunkd.kv.documents(scope))
    return json_reply([Selection.parse(item if isinstance(item, dict) else {}).apply(held) for item in queries])


DATA = "storage/collections/data/{name}"
ROUTES: tuple[Route, ...] = (
    Route("GET", "storage/passwords", passwords),
    Route("POST", "storage/passwords", create_password),
    Route("GET", "storage/passwords/{name}", password),
    Route("POST", "storage/passwords/{name}", edit_password),
    Route("DELETE", "storage/passwords/{name}", delete_password),
    Route("GET", "storage/collections/config", collections),
    Route("POST", "storage/collections/config", create_collection),
    Route("GET", "storage/collections/config/{name}", collection),
    Route("POST", "storage/collections/config/{name}", edit_collection),
    Route("DELETE", "storage/collections/config/{name}", delete_collection),
    Route("GET", DATA, query),
    Route("POST", DATA, insert),
    Route("DELETE", DATA, delete_query),
    Route("POST", DATA + "/batch_save", batch_save),
    Route("POST", DATA + "/batch_find", batch_find),
    Route("GET", DATA + "/{key}", get),
    Route("POST", DATA + "/{key}", replace),
    Route("PUT", DATA + "/{key}", replace),
    Route("DELETE", DATA + "/{key}", delete),
)
