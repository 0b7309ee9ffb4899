"""Operations of the inventory as a caller may see them: by owner, with an id that survives addresses."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, Dict, List, Optional

from apisec.endpoints.inventory import Inventory, OperationStats

from ..kvstore import INVENTORY, Collection, Document
from .table import Call, Parameter, not_found, path_parameter

SERVICE_PATTERN = "^[A-Za-z0-9][A-Za-z0-9._~-]*$"
OF_SERVICE = path_parameter("service", SERVICE_PATTERN, "name of the service, as its events have it")
OF_OPERATION = path_parameter("id", "^[0-9a-f]{16}$", "`id` of the operation in lists", 16)
# What ownership is decided by, and what names a row.
HEADS = ("_key", "service", "operation", "team", "servers", "gateways")


def operation_id(service: str, operation: str) -> str:
    """Return an operation's id: a name holds slashes and braces, which addresses and routers do not leave alone."""
    return hashlib.blake2b(f"{service}\0{operation}".encode("utf-8", "replace"), digest_size=8).hexdigest()


def load(call: Call, fields: Sequence[str] = (), query: Optional[Dict[str, Any]] = None) -> List[Document]:
    """Return the rows of operations that the caller sees, with ``id`` and the present ``team``.

    ``fields`` are those to read beside what names a row; without any the whole documents come, states too.
    """
    wanted = (*HEADS, *fields) if fields else ()
    rows = []
    for row in Collection(call.system, INVENTORY).load(query, wanted):
        team = call.owners.team_of(row)
        if call.caller.sees(team):
            identifier = operation_id(str(row.get("service") or ""), str(row.get("operation") or ""))
            rows.append({**row, "team": team, "id": identifier})
    return rows


def of_service(call: Call, service: str, fields: Sequence[str] = ()) -> List[Document]:
    """Return the rows of one service; Problem 404 when the caller sees none of it."""
    rows = load(call, fields, {"service": service})
    if not rows:
        raise not_found("service", "GET /services for those there are.")
    return rows


def one(call: Call) -> Document:
    """Return the whole document of the operation that the path names; Problem 404 when the caller sees none."""
    wanted = call.path["id"]
    key = next((str(row["_key"]) for row in load(call, ("_key",)) if row["id"] == wanted), None)
    document = Collection(call.system, INVENTORY).get(key) if key is not None else None
    if document is None:
        raise not_found("operation", "GET /operations for those there are.")
    return {**document, "id": wanted, "team": call.owners.team_of(document)}


def stats_of(document: Document) -> OperationStats:
    """Return what was learned of the operation of a document. DocumentError for one that is damaged."""
    return next(Inventory.from_documents([document]).operations())


def inventory_of(documents: Iterable[Document]) -> Inventory:
    """Return one inventory of documents, with their present teams in its rows."""
    inventory = Inventory()
    for document in documents:
        part = Inventory.from_documents([document])
        for stats in part.operations():
            stats.latest = (stats.latest[0], str(document["team"]), *stats.latest[2:])
        inventory.merge(part)
    return inventory


def text_filter(name: str, description: str, length: int = 300) -> Parameter:
    """Return a filter of the query that takes one value as it stands in rows."""
    return Parameter(name, {"type": "string", "minLength": 1, "maxLength": length}, description)


def choice_filter(name: str, choices: Sequence[str], description: str, default: str = "") -> Parameter:
    """Return a filter of the query that takes one of some words."""
    schema: Dict[str, Any] = {"type": "string", "enum": list(choices)}
    return Parameter(name, {**schema, "default": default} if default else schema, description)


def flag_filter(name: str, description: str) -> Parameter:
    """Return a filter of the query that is true or false."""
    return Parameter(name, {"type": "boolean"}, description)


def field_id(operation: str, message: str, location: str, path: str) -> str:
    """Return the id of a field of a message."""
    text = "\0".join((operation, message, location, path))
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=10).hexdigest()
