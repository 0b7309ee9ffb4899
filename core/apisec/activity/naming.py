"""What a member of a response says by its name: that it holds an id, an owner, or something whose form has to tell."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import FrozenSet

from apisec.classification.names import evidence, split
from apisec.classification.names.words import meanings

# What a member may be, as bits: ids as numbers too, ids by their form, whom the record belongs to, ids as numbers of
# several digits (the nr or code of a record, which may also be a house's or a reason's).
IDENTIFIER, FORM, OWNER, NUMBERED = 1, 2, 4, 8
_NUMBERS = frozenset(("number", "code", "key"))
MAX_NAME = 64
_COUNTS = frozenset(("paging", "turn", "meta", "date", "validity"))  # a total, a page, a year: numbers that are no ids
_PERSONS = frozenset(("person", "role", "holder", "patientword"))
_OWNING = frozenset(
    ("owner", "tenant", "org", "organisation", "organization", "workspace", "company", "holder", "principal", "sub")
)
_OWNED = _OWNING | {"account", "data", "record"}
_MADE_BY = frozenset(("created", "author", "authored", "issued", "submitted", "uploaded", "placed", "requested"))
# Keys of a mapping from ids to records: two digits and more, or hexadecimal throughout.
_KEY = re.compile(r"(?=\D*\d\D*\d)[\w.~:-]{6,64}\Z")


@lru_cache(maxsize=16384)
def kind_of(name: str, parent: str = "") -> int:
    """Return bits for what a member holds."""
    if len(name) > MAX_NAME:
        return FORM
    said = evidence(name, parent)
    words = split(name)
    known: FrozenSet[str] = frozenset().union(*meanings(words)) if words else frozenset()
    kind = FORM
    if said.identifier or (said.reference and not known & _COUNTS):
        kind |= IDENTIFIER
    elif len(words) == 1 and known & _NUMBERS:
        kind |= NUMBERED
    if said.data_class in (None, "pii.name") and _owns(name, parent, said.identifier):
        kind |= OWNER
    return kind


def _owns(name: str, parent: str, identifier: bool) -> bool:
    """Whether it names who the record belongs to: owner, customer_id, account.holder, created_by, customer.id."""
    words = split(name)
    if identifier and len(words) == 1 and parent:  # the id below a customer
        words = (*split(parent), *words)
    if len(words) == 2 and words[1] == "by":
        return words[0] in _MADE_BY
    found = meanings(words)
    heads = [known for known, word in zip(found, words) if "identifier" not in known and word not in ("id", "ref")]
    if not 1 <= len(heads) <= 2:
        return False
    persons = bool(heads[-1] & _PERSONS) or words[len(heads) - 1] in _OWNING
    return persons and (len(heads) == 1 or words[0] in _OWNED or len(words) > len(heads))


def is_key(name: str) -> bool:
    """Whether the name of a member is no name but an id, by which a mapping holds records."""
    return _KEY.match(name) is not None
