"""Evidence from a field's name, by the stems of its parts and never by a list of exact names.

An identifier is split (``cardNumber``, ``card_no``, ``kartennr``, ``X-Api-Key``) into words, each word is broken
into known stems (``words``), each stem stands for a concept (``stems``), and a rule asks for concepts (``rules``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import FrozenSet, Optional, Sequence

from apisec.classification.names.rules import RULES, match
from apisec.classification.names.words import MAX_NAME, meaning, meanings, split

__all__ = ["MAX_NAME", "NOTHING", "RULES", "NameEvidence", "evidence", "split"]

# A name of these alone is read with its parent's: card.number, name.first, phone.value.
_GENERIC = frozenset(
    (
        *("number", "name", "code", "first", "last", "full", "neutral", "date", "line", "holder", "key", "security"),
        *(
            "verif",
            "expiry",
            "monthyear",
            "cid",
            "serialno",
            "display",
            "idword",
            "cp",
            "cap",
            "track",
            "doc",
            "long",
            "pin",
        ),
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


@lru_cache(maxsize=8192)
def evidence(name: str, parent: str = "") -> NameEvidence:
    """Return what a field's name says; a generic name (``number``) is read with its parent's (``card``)."""
    words = split(name)
    if not words:
        return evidence(parent) if parent else NOTHING
    found = meanings(words)
    known: FrozenSet[str] = frozenset().union(*found)
    data_class = None if words == ("user", "name") else _class(found)  # a login is no person's name
    if data_class is None and parent and known and known - {"paging", "kind_token", "spot"} <= _GENERIC:
        data_class = _class([*meanings(split(parent)), *found])
        if known <= {"code", "neutral"} and data_class == "secret.otp":
            data_class = None  # the code of a verification is its result more often than what was sent
    reference = data_class is None and bool(known & {"reference", "identifier"})
    identifier = data_class in (None, "device.id") and "identifier" in known | meaning(words[-1])
    return NameEvidence(data_class, reference, identifier)


def _class(words: Sequence[FrozenSet[str]]) -> Optional[str]:
    rule = match(words)
    return rule.data_class if rule else None
