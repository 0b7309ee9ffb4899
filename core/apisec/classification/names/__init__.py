"""Evidence from a field's name, by the stems of its parts and never by a list of exact names.

An identifier is split (``cardNumber``, ``card_no``, ``kartennr``, ``X-Api-Key``) into words, each word is broken
into known stems (``words``), each stem stands for a concept (``stems``), and a rule asks for concepts (``rules``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import FrozenSet, Optional, Sequence

from apisec.classification.classes import BY_NAME
from apisec.classification.names.rules import RULES, match
from apisec.classification.names.words import MAX_NAME, meaning, meanings, split

__all__ = ["MAX_NAME", "NOTHING", "RULES", "NameEvidence", "concepts", "evidence", "split"]

# A name of these alone is read with its parent's: card.number, name.first, phone.value.
_GENERIC = frozenset(
    (
        *("number", "name", "code", "first", "last", "full", "neutral", "date", "line", "holder", "key", "security"),
        *("verif", "expiry", "monthyear", "cid", "serialno", "display", "idword", "cp", "cap", "track"),
    )
)


@dataclass(frozen=True)
class NameEvidence:
    """What a name says. ``data_class`` is None when it says nothing.

    ``reference`` says that digits under this name are an order, a time, a hash: not a number of a person.
    ``identifier`` says that the field holds an object's id.
    """

    data_class: Optional[str] = None
    reference: bool = False
    identifier: bool = False


NOTHING = NameEvidence()


def concepts(words: Sequence[str]) -> FrozenSet[str]:
    """Return the concepts that words stand for; an unknown word gives none."""
    return frozenset().union(*meanings(words))


@lru_cache(maxsize=8192)
def evidence(name: str, parent: str = "") -> NameEvidence:
    """Return what a field's name says; a generic name (``number``) is read with its parent's (``card``)."""
    words = split(name)
    if not words:
        return evidence(parent) if parent else NOTHING
    known = concepts(words)
    data_class = None if words == ("user", "name") else _class(known)  # a login is no person's name
    if data_class is None and parent and known and known - {"paging", "kind_token", "meta"} <= _GENERIC:
        data_class = _class(concepts(split(parent)) | known)
    reference = data_class is None and bool(known & {"reference", "identifier"})
    identifier = data_class in (None, "device.id") and "identifier" in known | meaning(words[-1])
    return NameEvidence(data_class, reference, identifier)


def _class(known: FrozenSet[str]) -> Optional[str]:
    rule = match(known)
    return rule.data_class if rule and rule.data_class in BY_NAME else None
