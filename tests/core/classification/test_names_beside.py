"""What the names of one object's members say about each other."""

from __future__ import annotations

from typing import Dict, Optional, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec.classification.names import evidence
from apisec.classification.names.beside import MAX_NAMES, company, parent_beside

# parent, names of the object, and what is said of those that say nothing alone
OBJECTS: Tuple[Tuple[str, str, Dict[str, Optional[str]]], ...] = (
    ("", "name email", {"name": "pii.name"}),
    ("", "name password", {"name": "pii.name"}),
    ("rows", "name email city", {"name": "pii.name", "city": None}),
    ("rows", "name email price", {"name": None}),
    ("items", "name dob", {"name": "pii.name"}),
    ("shop", "name email", {"name": None}),  # an e-mail address of a thing
    ("product", "name email", {"name": None}),
    ("user", "name email", {"name": "pii.name"}),
    ("", "name email vatId", {"name": None}),  # a firm's
    ("", "name email order", {"name": None}),
    ("", "name colour size", {"name": None}),
    ("", "answer securityQuestion", {"answer": "secret.password"}),
    ("survey", "answer question", {"answer": None}),
    ("", "number exp_month exp_year cvc name", {"number": "pci.pan", "cvc": "pci.cvv", "name": "pii.name"}),
    ("payment", "number expMonth expYear code", {"number": "pci.pan", "code": "pci.cvv"}),
    ("source", "number month year cvv", {"number": "pci.pan", "month": "pci.expiry", "year": "pci.expiry"}),
    ("method", "type expiryMonth number", {"number": "pci.pan", "type": None}),
    ("passport", "number expiryDate", {"number": "pii.passport"}),  # what ends on a day is no card
    ("", "number expiryDate issuer", {"number": None}),
    ("invoice", "number month year", {"number": None, "month": None}),
    ("", "number page size", {"number": None}),
)
CASES = [(parent, names, name, said) for parent, names, members in OBJECTS for name, said in members.items()]


@pytest.mark.parametrize(("parent", "names", "name", "said"), CASES)
def test_beside(parent: str, names: str, name: str, said: Optional[str]) -> None:
    among = frozenset(names.split())
    assert evidence(name, parent_beside(name, parent, among)).data_class == said


@pytest.mark.parametrize(
    ("name", "parent", "said"),
    [
        ("serial", "device", "device.id"),
        ("serial", "customerDevice", "device.id"),
        ("uuid", "device", "device.id"),
        ("serial", "product", None),
        ("uuid", "user", None),
        ("uuid", "deviceGroup", None),
        ("fingerprint", "certificate", None),
        ("id", "device", None),  # of its record
    ],
)
def test_what_a_device_has(name: str, parent: str, said: Optional[str]) -> None:
    assert evidence(name, parent).data_class == said


SOME = "name email password number exp_month cvv code answer securityQuestion order vat phone id value dob x"
NAMES = st.sampled_from(SOME.split())


@given(
    NAMES, st.sampled_from(["", "card", "shop", "rows", "user", "xyz"]), st.frozensets(NAMES | st.text(), max_size=8)
)
def test_a_name_that_says_something_is_not_overruled(name: str, parent: str, among: frozenset[str]) -> None:
    said = evidence(name, parent).data_class
    if said is not None:
        assert parent_beside(name, parent, among | {name}) == parent


@given(st.frozensets(st.text(max_size=12), max_size=12), st.text(max_size=12))
def test_no_object_is_too_strange(names: frozenset[str], parent: str) -> None:
    for name in names:
        parent_beside(name, parent, names)


def test_a_table_is_nobodys() -> None:
    many = frozenset({"name", "email", *(f"column{at}" for at in range(MAX_NAMES))})
    assert company(many) == ""
    assert company(frozenset({"name"})) == ""
    assert company(frozenset({"name", "email"})) != ""
