"""storage/collections: configuration and data of the KV store.

Source: REST API Reference, "KV store endpoint descriptions"; limits.conf.spec [kvstore].
"""

from __future__ import annotations

import json
import re
from typing import Any

from apisec_sandbox.splunkd import kvstore
from apisec_sandbox.splunkd.atom import JSON_TYPE, Entry, json_reply, quoted
from apisec_sandbox.splunkd.confs import NOBODY, Stanza
from apisec_sandbox.splunkd.kvquery import encode
from apisec_sandbox.splunkd.kvschema import Schema
from apisec_sandbox.splunkd.kvstore import Scope, Selection
from apisec_sandbox.splunkd.rest import shared
from apisec_sandbox.splunkd.rest.call import Call, Route
from apisec_sandbox.splunkd.web import HttpError, Reply

CONFIG = "storage/collections/config"
DATA = "storage/collections/data/{name}"
COLLECTION_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,79}\Z")
SETTINGS = ("enforceTypes", "replicate", "disabled", "profilingEnabled", "profilingThresholdMs", "type")
LIMITS = "Request exceeds API limits - see limits.conf for details."
MAX_BATCH_BYTES = 50 * 1024 * 1024  # limits.conf [kvstore] max_size_per_batch_save_mb
MAX_QUERIES = 1000  # limits.conf [kvstore] max_queries_per_batch


# Configuration


def _entry(call: Call, stanza: Stanza) -> Entry:
    content: dict[str, Any] = {
        "disabled": stanza.flag("disabled"),
        "type": "undefined",
        "replicate": "false",
        "enforceTypes": "false",
        "profilingEnabled": "false",
        "profilingThresholdMs": "1000",
        **{name: value for name, value in stanza.settings.items() if name != "disabled"},
    }
    return shared.entry(call, "collections", stanza, f"{CONFIG}/{quoted(stanza.name)}", content)


def collections(call: Call) -> Reply:
    if call.app in ("", "-"):
        held = [stanza for app in call.splunkd.confs.apps() for stanza in _of_app(call, app).values()]
    else:
        held = list(_of_app(call, call.app).values())
    return call.feed(
        "collections-conf", [_entry(call, stanza) for stanza in sorted(held, key=lambda s: (s.name, s.app))]
    )


def _of_app(call: Call, app: str) -> dict[str, Stanza]:
    stanzas = call.splunkd.confs.stanzas("collections", app, call.session.user)
    return {name: stanza for name, stanza in stanzas.items() if name != "default" and stanza.app == app}


def _collection(call: Call, name: str) -> Stanza:
    """Find a collection in the app of the call; without one, in any app.

    Raises:
        HttpError: 404 when there is none of this name.
    """
    apps = [call.app] if call.app not in ("", "-") else ["search", *call.splunkd.confs.apps()]
    for app in apps:
        if stanza := _of_app(call, app).get(name):
            return stanza
    raise HttpError(404, f"Could not find object id={name}")


def collection(call: Call, name: str) -> Reply:
    return call.one("collections-conf", _entry(call, _collection(call, name)))


def _settings(call: Call) -> dict[str, str]:
    settings = call.settings("name")
    for key in settings:
        kind, _, rest = key.partition(".")
        if not (kind in ("field", "accelerated_fields") and rest) and key not in SETTINGS:
            raise HttpError(400, f'Argument "{key}" is not supported by this endpoint.')
    return settings


def _owner(call: Call) -> None:
    """Collections belong to nobody."""
    if call.owner not in ("", "-", "nobody"):
        raise HttpError(400, "Collections are shared: use the owner 'nobody' in the address.")


def _write(call: Call, name: str, app: str) -> Stanza:
    shared.writable(call, call.splunkd.confs.permissions("collections", name, app), NOBODY)
    call.splunkd.confs.write("collections", name, _settings(call), app)
    stanza = _of_app(call, app)[name]
    call.splunkd.kv.accelerate(app, name, Schema.of(stanza.settings).accelerated)
    return stanza


def create_collection(call: Call) -> Reply:
    _owner(call)
    name = call.needed("name")
    if not COLLECTION_NAME.match(name):
        raise HttpError(400, f"Invalid collection name {name!r}: use letters, digits, _ . -")
    app = call.app if call.app not in ("", "-") else "search"
    if name in _of_app(call, app):
        raise HttpError(409, f"An object with name={name} already exists")
    return call.one("collections-conf", _entry(call, _write(call, name, app)), 201)


def edit_collection(call: Call, name: str) -> Reply:
    _owner(call)
    stanza = _collection(call, name)
    return call.one("collections-conf", _entry(call, _write(call, name, stanza.app)))


def delete_collection(call: Call, name: str) -> Reply:
    _owner(call)
    stanza = _collection(call, name)
    shared.writable(call, stanza.permissions, NOBODY)
    if not call.splunkd.confs.delete("collections", name, stanza.app):
        raise HttpError(403, f"Cannot remove collection '{name}': it comes with app {stanza.app}.")
    call.splunkd.kv.drop(stanza.app, name)
    return collections(call)


def acl(call: Call, name: str) -> Reply:
    return shared.acl_reply(call, "collections-conf", _entry(call, _collection(call, name)))


def edit_acl(call: Call, name: str) -> Reply:
    if call.params.get("sharing") == "user":
        raise HttpError(400, "Collections are shared: a user cannot keep one alone.")
    changed = shared.share(call, "collections", _collection(call, name))
    return shared.acl_reply(call, "collections-conf", _entry(call, changed))


# Data


def _scope(call: Call, name: str, write: bool = True) -> tuple[Scope, Schema]:
    """Return where the documents are; reading and writing follow the permissions of the collection."""
    stanza = _collection(call, name)
    if write:
        shared.writable(call, stanza.permissions, NOBODY)
    if stanza.flag("disabled"):
        raise HttpError(404, f"Could not find object id={name}")
    owner = call.owner if call.owner not in ("", "-") else "nobody"
    if owner not in ("nobody", call.session.user):
        call.require("admin_all_objects")
        if call.splunkd.users.get(owner) is None:
            raise HttpError(404, f"User does not exist: {owner}")
    schema = Schema.of(stanza.settings)
    call.splunkd.kv.accelerate(stanza.app, name, schema.accelerated)
    return Scope(stanza.app, name, owner), schema


def _body(call: Call, kind: type, what: str) -> Any:
    """Parse the body as JSON of the kind that the endpoint takes."""
    try:
        value = json.loads(call.request.body or b"{}", parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise HttpError(400, f"JSON in the request is invalid. ( JSON parse error: {error} )") from error
    if not isinstance(value, kind):
        raise HttpError(400, f"JSON in the request is invalid. ( JSON {what} expected )")
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _rows(rows: list[kvstore.Document]) -> Reply:
    return Reply(200, encode(rows), JSON_TYPE)


def query(call: Call, name: str) -> Reply:
    scope, _ = _scope(call, name, write=False)
    selection = Selection.parse(call.params)
    return _rows(call.splunkd.kv.find(scope, selection, selection.shared))


def insert(call: Call, name: str) -> Reply:
    scope, schema = _scope(call, name)
    document = schema.conform(_body(call, dict, "object"))
    return json_reply({"_key": call.splunkd.kv.insert(scope, document)}, 201)


def delete_query(call: Call, name: str) -> Reply:
    scope, _ = _scope(call, name)
    if not call.params.get("query"):
        call.splunkd.kv.delete(scope, None)
        return json_reply({})
    selection = Selection.parse({"query": call.params["query"]})
    keys = [doc["_key"] for doc in call.splunkd.kv.candidates(scope, selection) if selection.test(doc)]
    call.splunkd.kv.delete(scope, keys)
    return json_reply({})


def get(call: Call, name: str, key: str) -> Reply:
    scope, _ = _scope(call, name, write=False)
    document = call.splunkd.kv.get(scope, key)
    if document is None:
        raise HttpError(404, "Could not find object.")
    return json_reply(document)


def replace(call: Call, name: str, key: str) -> Reply:
    scope, schema = _scope(call, name)
    document = schema.conform(_body(call, dict, "object"))
    if not call.splunkd.kv.replace(scope, key, document):
        raise HttpError(404, "Could not find object.")
    return json_reply({"_key": key})


def delete(call: Call, name: str, key: str) -> Reply:
    scope, _ = _scope(call, name)
    if not call.splunkd.kv.delete(scope, [key]):
        raise HttpError(404, "Could not find object.")
    return json_reply({})


def batch_save(call: Call, name: str) -> Reply:
    """Insert or replace up to max_documents_per_batch_save documents at once."""
    scope, schema = _scope(call, name)
    size = len(call.request.body)
    if size > MAX_BATCH_BYTES:
        raise HttpError(400, f"{LIMITS} (Batch save size={size} too large)")
    documents = _body(call, list, "array")
    most = int(_limit(call, "max_documents_per_batch_save", "1000"))
    if len(documents) > most:
        text = f"{LIMITS} (Too many documents for a single batch save, max_documents_per_batch_save={most})"
        raise HttpError(400, text)
    return json_reply(call.splunkd.kv.save(scope, [schema.conform(document) for document in documents]))


def _limit(call: Call, name: str, otherwise: str) -> str:
    stanza = call.splunkd.confs.stanza("limits", "kvstore")
    value = stanza.get(name, otherwise) if stanza else otherwise
    return value if value.isdigit() else otherwise


def batch_find(call: Call, name: str) -> Reply:
    """Several queries at once; the answer is a list of lists."""
    scope, _ = _scope(call, name, write=False)
    queries = _body(call, list, "array")
    if len(queries) > MAX_QUERIES:
        text = f"{LIMITS} (Too many queries for a single batch, max_queries_per_batch={MAX_QUERIES})"
        raise HttpError(400, text)
    if not all(isinstance(item, dict) for item in queries):
        raise HttpError(400, "JSON in the request is invalid. ( JSON object expected )")
    selections = [Selection.parse(item) for item in queries]
    found = [encode(call.splunkd.kv.find(scope, item, item.shared)) for item in selections]
    return Reply(200, b"[" + b",".join(found) + b"]", JSON_TYPE)


ROUTES: tuple[Route, ...] = (
    Route("GET", CONFIG, collections),
    Route("POST", CONFIG, create_collection),
    Route("GET", CONFIG + "/{name}", collection),
    Route("POST", CONFIG + "/{name}", edit_collection),
    Route("DELETE", CONFIG + "/{name}", delete_collection),
    Route("GET", CONFIG + "/{name}/acl", acl),
    Route("POST", CONFIG + "/{name}/acl", edit_acl),
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
