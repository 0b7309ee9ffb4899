"""Payload attacks: one family a file, registered here by an explicit list that refuses duplicates.

A new family is one file with ``ATTACKS``, its name below, and ``tests/cases/attacks/<family>.yml``. What of a request
is asked, and how, is in ``signals``; evidence in responses is in ``answers``, what heads tell in ``protocol``.
"""

from __future__ import annotations

from types import ModuleType
from typing import Dict, Iterable, Tuple

from apisec.attacks import (
    code,
    command,
    crlf,
    deserialisation,
    directory,
    encoding,
    graphql,
    inclusion,
    jndi,
    nosql,
    path_traversal,
    php,
    prototype,
    sqli,
    ssrf,
    template,
    xss,
    xxe,
)
from apisec.attacks.base import Attack

FAMILIES: Tuple[ModuleType, ...] = (
    sqli,
    xss,
    path_traversal,
    inclusion,
    command,
    php,
    code,
    ssrf,
    template,
    jndi,
    nosql,
    directory,
    xxe,
    crlf,
    deserialisation,
    prototype,
    graphql,
    encoding,
)


def register(families: Iterable[ModuleType]) -> Dict[str, Attack]:
    """Return the detectors of the families by id; a second one of the same id is a bug."""
    table: Dict[str, Attack] = {}
    for family in families:
        for attack in family.ATTACKS:
            if attack.id in table:
                raise ValueError(f"attack {attack.id!r} is registered twice")
            table[attack.id] = attack
    return table


ATTACKS: Dict[str, Attack] = register(FAMILIES)

__all__ = ["ATTACKS", "FAMILIES", "Attack", "register"]
