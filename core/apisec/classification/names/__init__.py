"""Evidence from a field's name, by the stems of its parts and never by a list of exact names.

An identifier is split (``cardNumber``, ``card_no``, ``kartennr``, ``X-Api-Key``) into words, each word is broken
into known stems (``words``), each stem stands for a concept (``stems``), and a rule asks for concepts (``rules``).
Where words stay unknown, a classifier that learned how names are spelled decides (``model``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import FrozenSet, Optional, Sequence, Tuple

from apisec.classification.names.guessing import guess, turned
from apisec.classification.names.model import default_model
from apisec.classification.names.references import numbered, prose
from apisec.classification.names.rules import RULES, last_needed, match
from apisec.classification.names.stems.standards import LIKELY
from apisec.classification.names.words import HUNGARIAN, MAX_NAME, NATIONAL, meaning, meanings, split, undressed

__all__ = ["MAX_NAME", "NOTHING", "RULES", "NameEvidence", "evidence", "split"]

# A name of these alone is read with its parent's: card.number, name.first, phone.value.
_GENERIC_CONCEPTS = (
    "number name code first last full neutral date line holder key security verif expiry monthyear cid serialno display"
    " idword cp cap track doc long pin answer"
)
_GENERIC = frozenset(_GENERIC_CONCEPTS.split())
# What generic words stand for as well.
_BESIDE = frozenset(("paging", "kind_token", "spot", "asked", "validity", "valueword"))
TERSE = {name: data_class for data_class, names in LIKELY.items() for name in names.split()}
_DEVICE = frozenset(("device", "neutral", "person", "thing", "kind_token", "phone", "role"))
# Below a device these are its own, not a record's.
_OF_A_DEVICE = frozenset(("serial", "sn", "udid", "uuid", "guid", "fingerprint", "hash"))
_HOW_MANY = frozenset(("number", "no", "num", "nbr", "nr"))
_ROLES = frozenset(("role",))
_NO_ROLE = frozenset(
    ("reference", "identifier", "number", "code", "key", "turn", "asked", "verb")
)  # the count of customers
_ADDRESS = frozenset(("address", "neutral"))
_NO_STREET = frozenset(("email", "mac", "macword", "maconly", "ip", "wallet"))
# What the last word must not be when the classifier is asked: it would decide, however unknown the rest is.
_FINAL = frozenset(("meta", "turn", "identifier", "reference", "paging"))
_SENDER = frozenset(("address", "person", "neutral"))  # name below a shipping address is who lives there
_MAILBOXES = frozenset(("from", "to", "cc", "bcc", "replyto"))  # and below an envelope who wrote
_CARD = frozenset(("card", "cardno", "credit"))
_SECRET = frozenset(("secret", "credential", "apikey", "privatekey", "key"))
VETO = -5.0  # logits under a class's threshold from which on the classifier refutes the grammar where it is unsure


@dataclass(frozen=True)
class NameEvidence:
    """What a name says. ``data_class`` is None when it says nothing.

    ``reference`` says that digits under this name are an order, a time, a hash: not a number of a person.
    ``identifier`` says that the field holds an object's id.
    ``likely`` is the class of a name that says too little (``manager``, ``owner``): it holds only for a value whose own
    form says it as well (``redaction.values.confirmed``).
    """

    data_class: Optional[str] = None
    reference: bool = False
    identifier: bool = False
    likely: Optional[str] = None


NOTHING = NameEvidence()


@lru_cache(maxsize=8192)
def evidence(name: str, parent: str = "") -> NameEvidence:
    """Return what a field's name says; a generic name (``number``) is read with its parent's (``card``)."""
    words = split(name)
    if not words:
        return evidence(parent) if parent else NOTHING
    if _counts(words):
        return NameEvidence(reference=True)
    said = _said(name, words, parent)
    if said.data_class is None or words[0] in HUNGARIAN:
        bare = undressed(name, words)
        inner = evidence(bare, parent) if bare else NOTHING
        if inner.data_class is not None:
            return inner
    return said


def _counts(words: Sequence[str]) -> bool:
    """Return whether a name says how many: the number of phones."""
    return len(words) > 2 and words[0] in _HOW_MANY and words[1] == "of" and words[-1][-1:] == "s" != words[-1][-2:-1]


def _said(name: str, words: Tuple[str, ...], parent: str) -> NameEvidence:
    found = meanings(words)
    known: FrozenSet[str] = frozenset().union(*found)
    data_class = None if words == ("user", "name") else _class(found, name, parent)  # a login is no person's name
    if parent and known and known - _BESIDE <= _GENERIC:
        data_class = _class_below(found, parent) or data_class
    elif parent and data_class == "pii.address" and len(words) == 1 and known <= _ADDRESS:
        data_class = _address_of(found, parent)
    elif parent and data_class is None and len(words) == 1 and words[0] in _OF_A_DEVICE and _is_device(parent):
        data_class = "device.id"
    reference = data_class is None and not prose(words)
    if reference and not known & {"reference", "identifier"}:
        reference = numbered(name, words, found, parent)
    identifier = data_class in (None, "device.id") and "identifier" in known | meaning(words[-1])
    likely = _likely(words, found, known) if data_class is None else None
    return NameEvidence(data_class, reference, identifier, likely)


def _is_device(parent: str) -> bool:
    """Return whether a parent is a person's device and nothing more: not a device group, a device type."""
    found = meanings(split(parent))
    return any(known & {"device", "phone"} for known in found) and all(known and known <= _DEVICE for known in found)


def _likely(words: Sequence[str], found: Sequence[FrozenSet[str]], known: FrozenSet[str]) -> Optional[str]:
    """Return the class that a terse name, or the word for a role alone, may stand for."""
    terse = TERSE.get("".join(words))
    if terse is not None:
        return terse
    return "pii.name" if found[-1] & _ROLES and not known & _NO_ROLE else None


def _class(words: Sequence[FrozenSet[str]], name: str, parent: str) -> Optional[str]:
    """Ask the grammar, then the rules of short forms, and the classifier about words that neither knows."""
    rule = match(words)
    shortened = guess(name) if not all(words) else None
    if shortened is not None:
        return shortened
    if rule is None:
        unsure = not all(words) and not words[-1] & _FINAL
        return default_model().says(name, parent) if unsure else None
    if not all(words[last_needed(words, rule) :]) and (
        turned(split(name)[-1:]) or _refuted(rule.data_class, name, parent)
    ):
        return None  # an unknown head: a phone carrier is no phone
    return rule.data_class


def _refuted(data_class: str, name: str, parent: str) -> bool:
    model = default_model()
    general = NATIONAL.rstrip(".") if data_class.startswith(NATIONAL) else data_class
    return general in model.classes and model.margins(name, parent)[model.classes.index(general)] < VETO


def _address_of(words: Sequence[FrozenSet[str]], parent: str) -> Optional[str]:
    """Return what an address is that stands below a mailbox, a network card, a wallet: ``email.address``."""
    above: FrozenSet[str] = frozenset().union(*meanings(split(parent)))
    if not above & _NO_STREET:
        return "pii.address"
    rule = match([above, *words])
    return rule.data_class if rule is not None else None


def _class_below(words: Sequence[FrozenSet[str]], parent: str) -> Optional[str]:
    words_above = split(parent)
    found_above = meanings(words_above)
    above: FrozenSet[str] = frozenset().union(*found_above)
    sender = all(found_above) and "address" in above and above <= _SENDER
    if (sender or "".join(words_above) in _MAILBOXES) and len(words) == 1:
        only = frozenset().union(*words) - _BESIDE
        if only == {"name"}:
            return "pii.name"
        if only == {"number"} and not sender:
            return "pii.phone"
    rule = match([*found_above, *words])
    if rule is None:
        return None
    if rule.data_class == "secret.otp" and all(concepts <= {"code", "neutral"} for concepts in words):
        return None  # the code of a verification is its result more often than what was sent
    if rule.data_class == "secret.api_key" and not above & _SECRET and "api" not in words_above:
        return None  # the key of an application, of an account: of an entry in a table
    if rule.data_class == "pci.expiry" and "date" in above and not above & _CARD:
        return None  # a part of the date when something else ends
    if rule.data_class == "health.mrn" and not all(words):
        return None  # what a patient has a number of
    return rule.data_class
