"""What is asked first must never hide what is asked then."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec.attacks import ATTACKS
from apisec.attacks.base import Index, Literals, anchored

LITERALS = sorted({need for one in ATTACKS.values() for row in one.evidence for need in row.needs})
FOUND = Literals(LITERALS)


@given(st.lists(st.sampled_from([*LITERALS, "a", " ", "x"]), max_size=6).map("".join))
def test_all_literals_are_found(text: str) -> None:
    assert FOUND.present(text) == {literal for literal in LITERALS if literal in text}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("^a|^b", True),
        ("^a|b", False),
        ("^(?:a|b)", True),
        ("^[|]a", True),
        (r"^\|", True),
        ("a", False),
        ("^[]|]a", True),
    ],
)
def test_anchored(pattern: str, expected: bool) -> None:
    assert anchored(pattern) is expected


def test_what_is_asked_at_the_beginning_only_matches_nowhere_else() -> None:
    for one in ATTACKS.values():
        for row in one.evidence:
            if anchored(row.shape.pattern):
                assert "(?m" not in row.shape.pattern
                assert re.compile(row.shape.pattern).search("\n", 1) is None


def test_evidence_adds_up() -> None:
    index = Index(ATTACKS.values())
    assert index.scores("hello world") == {}
    one, both = index.scores("a' union select 1"), index.scores("a' union select 1 into outfile 'x'")
    assert both["injection.sqli"] > one["injection.sqli"]
