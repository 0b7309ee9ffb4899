"""The gate never misses: where it finds nothing in a value, the core finds nothing either."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from apisec.decoders import Limits
from apisec.detectors import DETECTORS
from apisec.detectors.base import Words, words
from apisec.redaction.encodings import BASE64, BASE64_GATE, BASE64_TEXT
from apisec.redaction.keys import Tokenizer
from apisec.redaction.redactor import Redactor
from tests.forwarder.test_leaks import ENCODINGS, KEYS, VALUES
from tests.forwarder.test_native import CACHE, detector_texts

gate = pytest.importorskip("apisec_forwarder.pipeline.native.gate", exc_type=ImportError)
cover = pytest.importorskip("apisec_forwarder.pipeline.native.cover", exc_type=ImportError)
loosen = pytest.importorskip("apisec_forwarder.pipeline.native.loosen", exc_type=ImportError)
shapes = pytest.importorskip("apisec_forwarder.pipeline.native.shapes", exc_type=ImportError)
spoken = pytest.importorskip("apisec_forwarder.pipeline.native.spoken", exc_type=ImportError)


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


# Shapes that hypothesis can write: it knows no backreferences, and those of secrets have literals before anything else.
WRITTEN = [d for d in DETECTORS.values() if not d.literals and d.near is not None and "\\1" not in d.shape.pattern]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_a_number_looks_like_it_is_hit(data: Any) -> None:
    """Not only those with a good checksum: the shape alone has to be enough for the gate."""
    detector = data.draw(st.sampled_from(WRITTEN))
    text = data.draw(st.from_regex(re.compile(detector.shape.pattern, detector.shape.flags)))
    assume(gate.SEPARATOR not in text and text.isprintable() and len(text) < 200)
    asked = detector.confidence != "context" or detector.checked
    found = gate.text_gate(True, CACHE).places([text])
    assert found or not asked or detector.shape.search(text) is None


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("name", ["password", "apiToken", "card2", "https.pin", "http_code", "x.ssn-1", "otp"])
@pytest.mark.parametrize(
    "written", ["{}=Zq7!x9kk", "{}: Zq7!x9kk", '"{}" : "Zq7!x9kk"', r"{}\": \"Zq7!x9kk\"", "a {}://q7x9kk"]
)
def test_a_name_that_is_given_a_value_is_hit(strict: bool, name: str, written: str) -> None:
    assert gate.text_gate(strict, CACHE).places([written.format(name)])


def test_addresses_of_the_web_are_not_taken_for_names() -> None:
    ordinary = [
        "https://img.example/4711.png",
        "http://a.example/x",
        "2026-01-05T12:00:00Z",
        "SKU-12345",
        "blue shirt",
        "PENDING",
    ]
    assert gate.text_gate(False, CACHE).places(ordinary) == []


def test_a_form_in_a_string_is_hit() -> None:
    assert gate.text_gate(False, CACHE).places(["a=1&b=2", "x"]) == [(gate.ASSIGNED, 0)]


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="abcAZ09/+-_=. iIJ", max_size=40))
def test_base64_with_text_in_it_is_never_missed(text: str) -> None:
    runs = [run.group() for run in BASE64.finditer(text)]
    if any(run != run.lower() and BASE64_TEXT.search(run) for run in runs):
        assert BASE64_GATE.search(text)


STEMS = (
    "account",
    "tax id",
    "née",
    "tarjeta*",
    "cartão",
    "numéro de sécu",
    "паспорт",
    "d o b",
    "date of birth",
    "zip code",
)


@pytest.mark.parametrize("stem", STEMS)
def test_a_part_of_a_telling_word_stands_wherever_the_word_does(stem: str) -> None:
    telling: Words = words(stem)
    (source,) = spoken.stems_of(telling)
    patterns = [re.compile(p.encode("latin-1"), re.IGNORECASE) for p in spoken.literals_of(source, 4)]
    exact = [re.compile(p.encode("latin-1"), re.IGNORECASE) for p in spoken.exact_of(source)]
    bare = stem.rstrip("*")
    for way in (bare, bare.upper(), bare.title(), bare.replace(" ", "_"), bare.replace(" ", "")):
        text = f"\x1fthe {way} 4711\x1f"
        assert telling.shape.search(text)
        assert any(p.search(text.encode()) for p in patterns)
        assert any(p.search(text.encode()) for p in exact)


@pytest.mark.parametrize(
    ("group", "pattern", "covered"),
    [
        (("[0-9]{3}",), "[0-9]{4}", True),
        (("[0-9]{3}",), "[0-9]{2}", False),
        (("[0-9]{3}",), "[0-9]{2}[a-z][0-9]{2}", False),
        (("[0-9]{3}",), "a?[0-9]{2}[0-9]", True),
        (("[0-9]{3}",), "(?:[0-9]{3}|ab)", False),
        (("[0-9]{3}", "ab"), "(?:[0-9]{3}|ab)", True),
        (("[^a]b",), "[^a]{0,}[c-d]b{1,}", True),
        (("[^a]b",), "[^c]b", False),
        (("[0-9]{2}[^0-9]",), "[0-9]{2,}", True),  # at the separator, at the latest
        (("a.{0,2}c",), "ab{0,3}c", False),
        (("a.{0,3}c",), "ab{0,3}c", True),
        (("@",), "[a-z@]{1,}@[a-z]{1,}", True),
    ],
)
def test_what_stands_for_what(group: tuple[str, ...], pattern: str, covered: bool) -> None:
    assert cover.stand_for([group], pattern) is covered


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_shape_that_stands_for_a_pattern_matches_in_all_its_texts(data: Any) -> None:
    pieces = st.sampled_from(["[ab]", "a", "b{1,3}", "[^a]", "c?", "(?:ab|c)", "b{2}", "a{0,}"])
    shape, pattern = ("".join(data.draw(st.lists(pieces, min_size=1, max_size=4))) for _ in range(2))
    if cover.stand_for([(shape,)], pattern):
        text = data.draw(st.from_regex(re.compile(pattern, re.DOTALL), fullmatch=True, alphabet="abcd"))
        assert re.search(shape, f"{text}\x1f", re.DOTALL)


def test_the_shapes_stand_for_nearly_all_numbers() -> None:
    """Each that they do not stand for costs all texts its own pattern."""
    asked = [d for d in DETECTORS.values() if not d.literals and d.confidence != "context"]
    alone = [
        d.id
        for d in asked
        if not cover.stand_for(shapes.GROUPS, loosen.whole(d.shape.pattern, d.shape.flags & ~re.UNICODE))
    ]
    assert len(asked) > 60
    assert len(alone) < 8


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
