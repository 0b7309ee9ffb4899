"""Evidence from the names that stand beside a name, as members of one object.

A *name* alone is anybody's or anything's; beside an e-mail address or a password it is a person's. An *answer* beside
a security question opens an account. What stands beside never overrules what a name says by itself or by its parent.
"""

from __future__ import annotations

from functools import lru_cache
from typing import FrozenSet

from apisec.classification.names import evidence
from apisec.classification.names.words import NATIONAL, meanings, split

MAX_NAMES = 64  # of one object; a larger one is a table, and no person

_PERSONAL = frozenset(
    (
        "pii.email",
        "pii.dob",
        "pii.ssn",
        "pii.passport",
        "pii.driving_licence",
        "pii.name",
        "secret.password",
        "secret.otp",
        NATIONAL.rstrip("."),
    )
)
# What holds objects of any kind.
_CONTAINER_WORDS = (
    "rows row items item list lists elements element records record entries entry results result data values content"
    " objects object resources resource collection page nodes node edges hits docs payload body response"
)
_CONTAINERS = frozenset(_CONTAINER_WORDS.split())
# What only things are said to have: its e-mail address is a shop's.
_THINGS = frozenset(("reference", "vat", "companytax"))
_OF_A_PERSON, _OF_A_SECRET = "contact", "security"  # parents that stand for what was seen beside
_TELLS = {
    _OF_A_PERSON: frozenset(("pii.name", "pii.phone")),
    _OF_A_SECRET: frozenset(("secret.password",)),
}


def company(names: FrozenSet[str], parent: str = "") -> str:
    """Return what the names of an object's values say about it, as a name that may stand for its parent; or ""."""
    return _company(names, parent) if 1 < len(names) <= MAX_NAMES else ""


@lru_cache(maxsize=4096)
def _company(names: FrozenSet[str], parent: str) -> str:
    concepts = {name: frozenset().union(*meanings(split(name))) for name in names if name}
    if any({"security", "question"} <= known for known in concepts.values()):
        return _OF_A_SECRET
    if _is_thing(parent) or any(known & _THINGS and "identifier" not in known for known in concepts.values()):
        return ""
    classes = {evidence(name, parent).data_class or "" for name in names}
    personal = any(known in _PERSONAL or known.startswith(NATIONAL) for known in classes)
    return _OF_A_PERSON if personal else ""


def _is_thing(parent: str) -> bool:
    words = split(parent)
    if "".join(words) in _CONTAINERS:
        return False
    found: FrozenSet[str] = frozenset().union(*meanings(words))
    return bool(found & {"thing", "company", "reference"}) and "person" not in found


@lru_cache(maxsize=8192)
def parent_beside(name: str, parent: str, names: FrozenSet[str]) -> str:
    """Return the parent that a name is to be read with: its own, or what the names beside it stand for."""
    beside = company(names, parent)
    if not beside or evidence(name, parent).data_class is not None:
        return parent
    return beside if evidence(name, beside).data_class in _TELLS[beside] else parent
