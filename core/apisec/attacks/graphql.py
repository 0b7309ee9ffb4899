"""GraphQL abuse: introspection, batches of aliases and of operations, depth. A query by itself is no sign."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from typing import Dict, Iterable, Iterator

from apisec.attacks.base import attack

MAX_DEPTH = 12  # of selections; clients' own queries have four to eight
MAX_SAME = 20  # times that one field is asked under other names
MAX_BATCH = 50  # operations of one request; clients that gather them send ten (batchMax of Apollo's link)
MAX_DIRECTIVES = 50
BATCHED = "[].query"  # where the operations of a batch stand in a body
BATCH = "injection.graphql"
MAX_DEFINITIONS = 50
_ALIAS = re.compile(r"\b\w{1,40}\s{0,2}:\s{0,2}(\w{1,60})\s{0,2}[({]")
_FIRST = re.compile(r"[^{]{0,2000}\{\s{0,200}(?:\w{1,128}\s{0,20}:\s{0,20})?([_A-Za-z]\w{0,127})", re.ASCII)
_QUERY = re.compile(r"^\s{0,9}(?:#[^\n]{0,200}\n\s{0,9})?(?:query|mutation|subscription|fragment|\{)")


# Where a definition begins: at the document's beginning, or behind the end of another one.
_DEFINED = re.compile(r"(?:^|\})[\s,]{0,9}(?:fragment\s{1,9}(\w{1,60})\s{1,9}on\b|(?:query|mutation|subscription)\b)")
_SPREAD = re.compile(r"\.\.\.\s{0,9}(?!on\b)(\w{1,60})")


def _circular(text: str) -> bool:
    """Return whether fragments spread each other without end: a server that does not look hangs (spec, 5.5.2.2)."""
    begins = list(islice(_DEFINED.finditer(text), MAX_DEFINITIONS))
    ends = [*[each.start() for each in begins[1:]], len(text)]
    spreads = {
        each.group(1): set(_SPREAD.findall(text, each.end(), end)) for each, end in zip(begins, ends) if each.group(1)
    }
    left = set(spreads)
    while True:  # take out what spreads nothing that is left
        done = {name for name in left if not spreads[name] & left}
        if not done:
            return bool(left)
        left -= done


def batched(queries: Iterable[str]) -> float:
    """Return what an array of operations tells, 0 for nothing: each of them is asked, as each alias of a query is.

    One mutation over and over is how passwords and codes are guessed below a limit of requests; one query over and
    over may be a page with many rows.
    """
    operations = 0
    asked: Dict[str, Counter[str]] = {"mutation": Counter(), "": Counter()}
    for text in queries:
        first = _FIRST.match(text) if _QUERY.match(text) else None
        if first is None:
            continue
        operations += 1
        kind = "mutation" if text.lstrip().startswith("mutation") else ""
        asked[kind].update(_ALIAS.findall(text) or [first.group(1)])
    if max(asked["mutation"].values(), default=0) > MAX_SAME:
        return 0.75
    return 0.6 if operations > MAX_BATCH or max(asked[""].values(), default=0) > MAX_SAME else 0.0


def _judge(text: str) -> Iterator[float]:
    if not _QUERY.match(text) or '"' in text[:2]:
        return
    depth = deepest = 0
    for character in text:
        if character == "{":
            depth += 1
            deepest = max(deepest, depth)
        elif character == "}":
            depth -= 1
    if deepest > MAX_DEPTH:
        yield 0.7
    if text.count(":") > MAX_SAME and max(Counter(_ALIAS.findall(text)).values(), default=0) > MAX_SAME:
        yield 0.75
    if text.count("@") > MAX_DIRECTIVES:
        yield 0.7
    if "fragment" in text and "..." in text and _circular(text):
        yield 0.75


ATTACKS = (
    attack(
        "injection.graphql",
        "graphql",
        (
            0.7,
            r"\{\s{0,20}__schema\b|\b__schema\s{0,20}\{\s{0,20}(?:types|querytype|mutationtype|directives)",
            "__schema",
        ),
        (0.55, r"\b__type\s{0,4}\(\s{0,4}name\s{0,4}:", "__type"),
        judge=_judge,
        judged=("{",),
    ),
)
