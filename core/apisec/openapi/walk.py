"""Every object of a document, within bounds and without recursion; and the references that they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Dict, List, Tuple

from apisec.errors import LimitExceeded
from apisec.openapi.model import Node

MAX_NODES = 2_000_000  # values in a document; references and YAML's aliases repeat what they name
MAX_DEPTH = 128
# Names under which a document holds data and no part of itself …
_DATA = frozenset(("example", "examples", "default", "enum", "const"))
# … unless they are names that its author gave: a status called default, a property called example.
_NAMED = frozenset(
    (
        "properties", "patternProperties", "dependentSchemas", "definitions", "$defs", "responses", "schemas",
        "parameters", "headers", "requestBodies", "links", "callbacks", "pathItems", "paths", "examples",
    )
)  # fmt: skip


def objects(document: Any, where: str) -> Iterator[Node]:
    """Yield the objects that are parts of a document. LimitExceeded for one that is too large or nested too deep."""
    waiting: List[Tuple[Any, int, str, bool]] = [(document, 0, "", False)]
    count = 0
    while waiting:
        node, depth, above, data = waiting.pop()
        if depth > MAX_DEPTH:
            raise LimitExceeded(f"{where}: nested deeper than {MAX_DEPTH} levels")
        count += len(node)
        if count > MAX_NODES:
            raise LimitExceeded(f"{where}: more than {MAX_NODES} values (aliases count each time)")
        if isinstance(node, list):
            waiting.extend([(one, depth + 1, "", data) for one in node if isinstance(one, (Mapping, list))])
            continue
        if not data:
            yield node
        named = above in _NAMED
        for name, value in node.items():
            if isinstance(value, (Mapping, list)):
                waiting.append((value, depth + 1, "" if named else name, data or (name in _DATA and not named)))


def references(document: Any, where: str) -> Dict[str, int]:
    """Return a document's references and how often each stands there. LimitExceeded as for ``objects``."""
    found: Dict[str, int] = {}
    for node in objects(document, where):
        reference = node.get("$ref")
        if isinstance(reference, str):
            found[reference] = found.get(reference, 0) + 1
    return found
