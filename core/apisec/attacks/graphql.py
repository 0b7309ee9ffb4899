"""GraphQL abuse: introspection, batches of aliases, depth. A query by itself is no sign."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from typing import Iterator

from apisec.attacks.base import attack

MAX_DEPTH = 12  # of selections; clients' own queries have four to eight
MAX_SAME = 20  # times that one field is asked under other names
MAX_DIRECTIVES = 50
MAX_DEFINITIONS = 50
_ALIAS = re.compile(r"\b\w{1,40}\s{0,2}:\s{0,2}(\w{1,60})\s{0,2}[({]")
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
