"""Which operation a body asks for, where the path does not say it: GraphQL, JSON-RPC, SOAP."""

from __future__ import annotations

import json
import re
from typing import Any, Optional

from apisec.decoders import graphql
from apisec.decoders.base import Document

_NAME = re.compile(r"[A-Za-z_][\w./:-]{0,127}", re.ASCII)
_NAMED = re.compile(r"\s*(?:query|mutation|subscription)\s+([_A-Za-z]\w{0,127})", re.ASCII)
_FIRST_FIELD = re.compile(r"[^{]{0,2000}\{\s*(?:\w{1,128}\s*:\s*)?([_A-Za-z]\w{0,127})", re.ASCII)
_SOAP_BODY = "Envelope.Body."
_LOOK_AT = 64  # leaves: a SOAP header comes before the body
_TELLING = ('"jsonrpc"', '"query"', '"operationName"')  # without one of them no JSON names an operation


def operation_hint(document: Document) -> Optional[str]:
    """Return the operation's name as the client wrote it, or None. It may hold anything that a name can."""
    name = document.decoder.name
    if name == "json":
        return json_operation(document.text)
    if name == "graphql":
        return _of_graphql(document.text)
    if name == "xml":
        body = next((leaf.path for leaf in document.leaves[:_LOOK_AT] if leaf.path.startswith(_SOAP_BODY)), "")
        return _checked(body[len(_SOAP_BODY) :].partition(".")[0])
    return None


def json_operation(text: str) -> Optional[str]:
    """Return the operation of a JSON text, of its first element where it is a batch: JSON-RPC or GraphQL.

    None for a text that is cut, and for any other.
    """
    if not any(word in text for word in _TELLING):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, list):
        found = found[0] if found else None
    return _of_members(found) if isinstance(found, dict) else None


def _of_members(members: Any) -> Optional[str]:
    if isinstance(members.get("jsonrpc"), str):
        return _checked(members.get("method"))
    name, query = _checked(members.get("operationName")), members.get("query")
    if isinstance(query, str):
        return (name or _of_graphql(query)) if graphql.looks_like(query) else None
    return name if isinstance(members.get("extensions"), dict) else None  # a query that the server knows by its hash


def _of_graphql(text: str) -> Optional[str]:
    found = _NAMED.match(text) or _FIRST_FIELD.match(text)
    return found[1] if found else None


def _checked(name: object) -> Optional[str]:
    return name if isinstance(name, str) and _NAME.fullmatch(name) else None
