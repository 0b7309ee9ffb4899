"""Which operations read: by method, and by the verb that remote procedures and GraphQL's fields begin with.

And who writes to what was read: that is work, a migration or a correction of many things.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apisec.abuse.tally import Counted

READING = frozenset(("browse", "fetch", "find", "get", "list", "lookup", "query", "read", "search", "show", "view"))
REWRITTEN, LEAST_REWRITTEN = 0.1, 20.0  # of what lists gave in an hour, what was then written to, and at least
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


@lru_cache(maxsize=4096)
def reads(operation: str) -> bool:
    """Whether an operation reads: GET, HEAD, POST /getOrder or /orders:search, GraphQL's getOrder.

    The verbs are those of remote procedures that change nothing (google.aip.dev/130, OData functions). What GraphQL
    calls by no verb is not known.
    """
    method, _, path = operation.partition(" ")
    path, _, name = path.partition("#")
    if name:
        first = _WORD.match(name)
        return first is not None and first[0].lower() in READING
    if method in ("GET", "HEAD"):
        return True
    static = [part for part in path.split("/") if part and not part.startswith("{")]
    return bool(static) and not READING.isdisjoint(word.lower() for word in _WORD.findall(static[-1]))


def rewrites(counted: Counted, marking: bool = False) -> bool:
    """Whether the principal writes to much of what lists gave to it within an hour.

    ``marking``: the window is not in the trails yet.
    """
    given = written = 0.0
    for name in {*counted.part.operations, *counted.by_operation}:
        trail = counted.part.operations.get(name)
        counter = "given" if reads(name) else "objects"
        seen = trail.sums(counter)[0] if trail is not None else 0.0
        if marking:
            seen += counted.by_operation.get(name, {}).get(counter, 0.0)
        if counter == "given":
            given += seen
        else:
            written += seen
    return written >= max(LEAST_REWRITTEN, REWRITTEN * given)
