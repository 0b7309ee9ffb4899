"""Prototype pollution: names that reach the prototype of all objects."""

from __future__ import annotations

from apisec.attacks.base import attack

# Asked of the names of members too.
ATTACKS = (
    attack(
        "injection.prototype",
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
