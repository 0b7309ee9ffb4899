"""Evidence from a field's name, by the stems of its parts and never by a list of exact names.

An identifier is split (``cardNumber``, ``card_no``, ``kartennr``, ``X-Api-Key``) into words, each word is broken
into known stems (``words``), each stem stands for a concept (``stems``), and a rule asks for concepts (``rules``).
Where words stay unknown, a classifier that learned how names are spelled decides (``model``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import FrozenSet, Optional, Sequence

from apisec.classification.names.guessing import guess
from apisec.classification.names.model import default_model
from apisec.classification.names.rules import RULES, last_needed, match
from apisec.classification.names.words import MAX_NAME, NATIONAL, meaning, meanings, split

__all__ = ["MAX_NAME", "NOTHING", "RULES", "NameEvidence", "evidence", "split"]

# A name of these alone is read with its parent's: card.number, name.first, phone.value.
_GENERIC_CONCEPTS = (
    "number name code first last full neutral date line holder key security verif expiry monthyear cid serialno display"
    " idword cp cap track doc long pin"
)
_GENERIC = frozenset(_GENERIC_CONCEPTS.split())
_BESIDE = frozenset(("paging", "kind_token", "spot", "asked", "validity"))  # what generic words stand for as well
# What the last word must not be when the classifier is asked: it would decide, however unknown the rest is.
_FINAL = frozenset(("meta", "turn", "identifier", "reference", "paging"))
VETO = -5.0  # logits under a class's threshold from which on the classifier refutes the grammar where it is unsure


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
    data_class = None if words == ("user", "name") else _class(found, name, parent)  # a login is no person's name
    if parent and known and known - _BESIDE <= _GENERIC:
        data_class = _class_below(found, parent) or data_class
    reference = data_class is None and bool(known & {"reference", "identifier"})
    identifier = data_class in (None, "device.id") and "identifier" in known | meaning(words[-1])
    return NameEvidence(data_class, reference, identifier)


def _class(words: Sequence[FrozenSet[str]], name: str, parent: str) -> Optional[str]:
    """Ask the grammar, then the rules of short forms, and the classifier about words that neither knows."""
    rule = match(words)
    if rule is None:
        if not all(words):
            shortened = guess(name)
            if shortened is not None:
                return shortened
        unsure = not all(words) and not words[-1] & _FINAL
        return default_model().says(name, parent) if unsure else None
    if not all(words[last_needed(words, rule) :]) and _refuted(rule.data_class, name, parent):
        return None  # an unknown head: a phone carrier is no phone
    return rule.data_class


def _refuted(data_class: str, name: str, parent: str) -> bool:
    model = default_model()
    general = NATIONAL.rstrip(".") if data_class.startswith(NATIONAL) else data_class
    return general in model.classes and model.margins(name, parent)[model.classes.index(general)] < VETO


def _class_below(words: Sequence[FrozenSet[str]], parent: str) -> Optional[str]:
    rule = match([*meanings(split(parent)), *words])
    if rule is None:
        return None
    if rule.data_class == "secret.otp" and all(concepts <= {"code", "neutral"} for concepts in words):
        return None  # the code of a verification is its result more often than what was sent
    if rule.data_class == "health.mrn" and not all(words):
        return None  # what a patient has a number of
    return rule.data_class
