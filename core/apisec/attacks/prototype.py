"""Prototype pollution: names that reach the prototype of all objects."""

from __future__ import annotations

import re

from apisec.attacks.base import attack

POLLUTION = "injection.prototype"
POLLUTION_SCORE = 0.9
# Members of the prototype, in a path that a decoder made of brackets, of dots or of objects.
_REACHED = re.compile(r"(?:^|\.)(?:__proto__|constructor\.prototype)[.\[]")


def pollutes(path: str) -> bool:
    """Return whether a path of members leads to the prototype of all objects."""
    return "proto" in path and _REACHED.search(path) is not None


# Asked of the names of members too.
ATTACKS = (
    attack(
        POLLUTION,
        "prototype",
        (0.9, r"(?:^|[\[.\"'{,])__proto__(?:$|[\]\[.\"':=])|__(?:define|lookup)[gs]etter__", "__"),
        (
            0.85,
            r"constructor(?:\]?\[|\.|['\"]?\]\[?['\"]?)\W{0,2}prototype|constructor\W{1,6}prototype\W",
            "constructor",
        ),
        # What is left of it where somebody takes the word out once.
        (0.85, r"__pro__proto__to__|constconstructorructor", "__pro__", "constconst"),
        (0.6, r"\bprototype\[['\"]?\w|\bobject\.prototype\b.{0,20}=", "prototype"),
    ),
)
