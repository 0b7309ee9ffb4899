"""Canonical bytes (RFC 8785) and Ed25519 (RFC 8032), against their documents' own vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from apisec.bundles import canonical, ed25519
from apisec.errors import DocumentError

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases/bundles/ed25519.yml").read_text(encoding="utf-8"))


def parts(case: Dict[str, str]) -> Any:
    return [bytes.fromhex(case[name]) for name in ("key", "message", "signature")]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_rfc_8032(case: Dict[str, str]) -> None:
    key, message, signature = parts(case)
    assert ed25519.verify(key, message, signature)
    assert not ed25519.verify(key, message + b"\0", signature)
    for position in (0, 31, 32, 63):
        changed = bytearray(signature)
        changed[position] ^= 1
        assert not ed25519.verify(key, message, bytes(changed)), position


def test_a_second_signature_of_the_same_message_is_none() -> None:
    key, message, signature = parts(CASES[1])
    s = int.from_bytes(signature[32:], "little") + ed25519.L
    assert not ed25519.verify(key, message, signature[:32] + s.to_bytes(32, "little"))


@pytest.mark.parametrize(
    "key",
    [
        (1).to_bytes(32, "little"),  # the neutral element: every message would be signed
        bytes(32),  # of order 4
        (ed25519.P - 1).to_bytes(32, "little"),  # of order 2
        (ed25519.P + 1).to_bytes(32, "little"),  # not the canonical encoding of y = 1
        (2).to_bytes(32, "little"),  # no point of the curve
        (1 + (1 << 255)).to_bytes(32, "little"),  # x = 0 with a sign
        b"short",
    ],
)
def test_weak_and_bad_keys(key: bytes) -> None:
    assert not ed25519.is_key(key)
    signature = (1).to_bytes(32, "little") + bytes(32)  # R neutral, S zero: good for a key of small order
    assert not ed25519.verify(key, b"anything", signature)


@pytest.mark.parametrize("length", [0, 63, 65])
def test_signatures_of_other_lengths(length: int) -> None:
    key, message, signature = parts(CASES[0])
    assert not ed25519.verify(key, message, (signature + b"x")[:length])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        # RFC 8785, appendix B
        (0.0, "0"), (-0.0, "0"), (5e-324, "5e-324"), (-5e-324, "-5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (9007199254740992.0, "9007199254740992"), (295147905179352830000.0, "295147905179352830000"),
        (9.999999999999997e22, "9.999999999999997e+22"), (1e23, "1e+23"),
        (1.0000000000000001e23, "1.0000000000000001e+23"),
        (999999999999999700000.0, "999999999999999700000"), (999999999999999900000.0, "999999999999999900000"),
        (1e21, "1e+21"), (9.999999999999997e-7, "9.999999999999997e-7"), (0.000001, "0.000001"),
        (333333333.3333332, "333333333.3333332"), (333333333.33333325, "333333333.33333325"),
        (0.005, "0.005"), (10.0, "10"),
    ],
)  # fmt: skip
def test_numbers(value: float, text: str) -> None:
    assert canonical.number(value) == text


def test_rfc_8785_example() -> None:
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"\u002f",
        "literals": [None, True, False],
    }
    expected = (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert canonical.encode(value) == expected.encode()


def test_names_are_sorted_by_utf_16() -> None:
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    order = list(json.loads(canonical.encode(dict.fromkeys(names, 0))))
    assert order == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 2**53 + 1, 10**400, "\ud800", {1: 2}, b"x", {"a": {1, 2}}]
)
def test_what_has_no_canonical_form(value: Any) -> None:
    with pytest.raises(DocumentError):
        canonical.encode({"key": value})


def test_depth_is_bounded() -> None:
    value: Any = 1
    for _ in range(5000):
        value = [value]
    with pytest.raises(DocumentError, match="deeper"):
        canonical.encode(value)


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_canonical_text_is_the_same_json_and_its_own_canonical_form(value: Any) -> None:
    text = canonical.encode(value)
    assert canonical.encode(json.loads(text)) == text
    assert json.loads(text, parse_int=float) == json.loads(json.dumps(value), parse_int=float)
