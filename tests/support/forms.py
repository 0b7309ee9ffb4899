"""Random text of a pattern's form: what a validator meets when nothing but the shape is right."""

from __future__ import annotations

import random
from typing import Any

try:
    from re import _parser as sre_parse  # type: ignore[attr-defined]
except ImportError:  # Python 3.9 and 3.10
    import sre_parse


def sample(pattern: str, rng: random.Random) -> str:
    """Return text that matches the pattern: classes, ranges, groups, alternatives and repeats, no lookaround."""
    return "".join(_node(node, rng) for node in sre_parse.parse(pattern))


def _node(node: Any, rng: random.Random) -> str:
    kind, argument = str(node[0]), node[1]
    if kind == "LITERAL":
        return chr(argument)
    if kind == "IN":
        return rng.choice(_class(argument))
    if kind in ("MAX_REPEAT", "MIN_REPEAT"):
        low, high, inner = argument
        return "".join(_node(part, rng) for _ in range(rng.randint(low, high)) for part in inner)
    if kind == "SUBPATTERN":
        return "".join(_node(part, rng) for part in argument[3])
    if kind == "BRANCH":
        return "".join(_node(part, rng) for part in rng.choice(argument[1]))
    raise ValueError(f"pattern element {kind} has no sample")


def _class(parts: Any) -> str:
    out = ""
    for part in parts:
        kind = str(part[0])
        if kind == "LITERAL":
            out += chr(part[1])
        elif kind == "RANGE":
            out += "".join(map(chr, range(part[1][0], part[1][1] + 1)))
        elif str(part[1]) == "CATEGORY_DIGIT":
            out += "0123456789"
        else:
            raise ValueError(f"class element {part} has no sample")
    return out
