"""The linear engine agrees with ``re`` wherever both can, and its time does not explode."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec.errors import PatternError
from apisec.patterns.regex import Regex

ATOMS = ["a", "b", ".", "[ab]", "[^a]", "[b-d]", r"\d", r"\w", r"\.", "(?:ab|c)", "(a|b|)", r"\s", r"[\d_]", "é"]
QUANTIFIERS = ["", "", "", "*", "+", "?", "{2}", "{0,2}", "{1,}", "*?"]
pieces = st.tuples(st.sampled_from(ATOMS), st.sampled_from(QUANTIFIERS)).map("".join)
patterns = st.tuples(
    st.sampled_from(["", "^"]), st.lists(pieces, max_size=5).map("".join), st.sampled_from(["", "$", "|b$"])
).map("".join)
texts = st.text(st.sampled_from("abcdABÉé1_. "), max_size=12)


@given(patterns, texts, st.booleans())
def test_agrees_with_re(pattern: str, text: str, ignore_case: bool) -> None:
    expected = re.search(pattern, text, re.IGNORECASE if ignore_case else 0) is not None
    assert Regex(pattern, ignore_case=ignore_case).search(text) is expected


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+", "(?:a*b)*", "(a{1,5}){1,5}", r"(a)\1", "(?=a)", "(?!a)", "(?<=a)b", r"\bx", "(?i:a)", "(?P<n>a)(?P=n)",
     "[", "a{999}{999}", "a{5000}", "(?s).", "x" * 513],
)  # fmt: skip
def test_refuses(pattern: str) -> None:
    with pytest.raises(PatternError):
        Regex(pattern, where="here")


@pytest.mark.parametrize("pattern", [".*a.*b.*c", "a?a?a?a?a?a?a?aaaaaaac", ".*.*.*.*=c"])
def test_time_is_linear(pattern: str) -> None:
    """``re`` would need minutes for these: 64,000 characters pass in a moment."""
    machine = Regex(pattern)
    begun = time.process_time()
    assert machine.search("ab" * 32_000) is False
    assert time.process_time() - begun < 5.0


def test_only_the_first_part_of_a_value_is_read() -> None:
    assert Regex("z").search("a" * 65_536 + "z") is False
