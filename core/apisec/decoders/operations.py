"""Which operation a body asks for, where the path does not say it: GraphQL, JSON-RPC, SOAP."""

from __future__ import annotations

import re
from typing import Dict, Optional

from apisec.decoders import graphql
from apisec.decoders.base import Document

_NAME = re.compile(r"[A-Za-z_][\w./:-]{0,127}", re.ASCII)
_NAMED = re.compile(r"\s*(?:query|mutation|subscription)\s+([_A-Za-z]\w{0,127})", re.ASCII)
_FIRST_FIELD = re.compile(r"[^{]{0,2000}\{\s*(?:\w{1,128}\s*:\s*)?([_A-Za-z]\w{0,127})", re.ASCII)
_SOAP_BODY = "Envelope.Body."
_LOOK_AT = 64  # leaves; the members that name an operation come before its arguments or right after


def operation_hint(document: Document) -> Optional[str]:
    """Return the operation's name as the client wrote it, or None. It may hold anything that a name can."""
    found = _hint(document)
    return found if found and _NAME.fullmatch(found) else None


def _hint(document: Document) -> Optional[str]:
    name = document.decoder.name
    if name == "graphql":
        return _of_graphql(document.text)
    if name == "xml":
        body = next((leaf.path for leaf in document.leaves[:_LOOK_AT] if leaf.path.startswith(_SOAP_BODY)), "")
        return body[len(_SOAP_BODY) :].partition(".")[0] or None
    if name != "json":
        return None
    members: Dict[str, str] = {}
    for leaf in [*document.leaves[:_LOOK_AT], *document.leaves[-_LOOK_AT:]]:
        if leaf.kind == "string":
            members.setdefault(leaf.path[2:].lstrip(".") if leaf.path.startswith("[]") else leaf.path, leaf.value)
    if "jsonrpc" in members:
        return members.get("method")
    query = members.get("query", "")
    if not graphql.looks_like(query):
        return None
    return members.get("operationName") or _of_graphql(query)


def _of_graphql(text: str) -> Optional[str]:
    found = _NAMED.match(text) or _FIRST_FIELD.match(text)
    return found[1] if found else None
