"""The gate never misses: where it finds nothing in a value, the core finds nothing either."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec.decoders import Limits
from apisec.redaction.keys import Tokenizer
from apisec.redaction.redactor import Redactor
from tests.forwarder.test_leaks import ENCODINGS, KEYS, VALUES
from tests.forwarder.test_native import CACHE, detector_texts

gate = pytest.importorskip("apisec_forwarder.pipeline.native.gate", exc_type=ImportError)
loosen = pytest.importorskip("apisec_forwarder.pipeline.native.loosen", exc_type=ImportError)


def missed(text: str, strict: bool) -> bool:
    """Return whether the core finds something in a text that the gate lets through."""
    if gate.SEPARATOR in text:
        return False  # such values are left to the core
    found = gate.text_gate(strict, CACHE).places([text])
    return not found and Redactor(Tokenizer(KEYS), Limits(), strict).text(text) is not None


@pytest.mark.parametrize("strict", [False, True])
def test_no_case_of_a_detector_is_missed(strict: bool) -> None:
    assert [text for text in detector_texts() if missed(text, strict)] == []


@settings(max_examples=150, deadline=None)
@given(st.data(), st.booleans())
def test_no_value_is_missed_in_any_text(data: Any, strict: bool) -> None:
    value = data.draw(VALUES[data.draw(st.sampled_from(sorted(VALUES)))])
    encode = ENCODINGS[data.draw(st.sampled_from(sorted(ENCODINGS)))]
    around = st.text(max_size=12)
    assert not missed(f"{data.draw(around)} {encode(value)} {data.draw(around)}", strict)


@pytest.mark.parametrize(
    ("pattern", "needed"),
    [
        (r"\d", True),
        (r"[A-Z]{2}[0-9]{3,}", True),
        (r"(?:a1|2b)", True),
        (r"(?=.*\d)x", True),
        (r"(?<!\d)x", False),
        (r"(?:a1|b)", False),
        (r"\d*x", False),
        (r"[A-Z0-9]{6}", False),
        (r"(?!\d)x", False),
    ],
)
def test_whether_a_pattern_needs_a_digit(pattern: str, needed: bool) -> None:
    assert loosen.needs_digit(pattern) is needed
