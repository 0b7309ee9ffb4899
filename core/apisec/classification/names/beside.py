"""Evidence from the names that stand beside a name, as members of one object.

A *name* alone is anybody's or anything's; beside an e-mail address or a password it is a person's. An *answer* beside
a security question opens an account. A *number* beside a month of expiry or a security code is a card's.
What stands beside never overrules what a name says by itself or by its parent.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Dict, FrozenSet

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
# Parents that stand for what was seen beside: company, and what the names in it are tried with.
_OF_A_PERSON, _OF_A_SECRET, _OF_A_CARD = "contact", "security", "card"
_PARENTS = {
    _OF_A_PERSON: ("contact",),
    _OF_A_SECRET: ("security",),
    _OF_A_CARD: ("card", "cardsecurity", "cardexpiry"),
}
_TELLS = {
    _OF_A_PERSON: frozenset(("pii.name", "pii.phone")),
    _OF_A_SECRET: frozenset(("secret.password",)),
    _OF_A_CARD: frozenset(("pci.pan", "pci.cvv", "pci.expiry", "pii.name")),
}
_OPENS_A_CARD = frozenset(("pci.cvv", "pci.track"))  # what only cards have
_NUMBER = frozenset(("number", "paging"))


def company(names: FrozenSet[str], parent: str = "") -> str:
    """Return what the names of an object's values say about it, as a name that may stand for its parent; or ""."""
    return _company(names, parent) if 1 < len(names) <= MAX_NAMES else ""


@lru_cache(maxsize=4096)
def _company(names: FrozenSet[str], parent: str) -> str:
    concepts = {name: frozenset().union(*meanings(split(name))) for name in names if name}
    if any({"security", "question"} <= known for known in concepts.values()):
        return _OF_A_SECRET
    classes = {name: evidence(name, parent).data_class or "" for name in names}
    if _is_card(concepts, classes):
        return _OF_A_CARD
    if _is_thing(parent) or any(known & _THINGS and "identifier" not in known for known in concepts.values()):
        return ""
    personal = any(known in _PERSONAL or known.startswith(NATIONAL) for known in classes.values())
    return _OF_A_PERSON if personal else ""


def _is_card(concepts: Dict[str, FrozenSet[str]], classes: Dict[str, str]) -> bool:
    """Return whether an object has a security code, or a month of expiry and a number: a passport's end is a date."""
    if not _OPENS_A_CARD.isdisjoint(classes.values()):
        return True
    ends = any(one == "pci.expiry" and "monthyear" in concepts[name] for name, one in classes.items() if name)
    return ends and any(known and known <= _NUMBER for known in concepts.values())


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
    for stand_in in _PARENTS[beside]:
        if evidence(name, stand_in).data_class in _TELLS[beside]:
            return stand_in
    return parent
