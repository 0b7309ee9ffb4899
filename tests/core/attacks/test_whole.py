"""What no single value of a body tells: GraphQL's operations beside each other, and what stands before XML's root."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec.attacks.graphql import MAX_BATCH, MAX_SAME, batched
from apisec.attacks.xxe import MAX_PROLOG, prolog

LOGIN = 'mutation {{ login(user: "a", code: "{}") {{ token }} }}'
ROW = "query Row {{ user(id: {}) {{ name }} }}"
ALIASES = 'mutation {{ a: login(code: "{0}") {{ t }} b: login(code: "{0}1") {{ t }} c: login(code: "{0}2") {{ t }} }}'


@pytest.mark.parametrize(
    ("queries", "score"),
    [
        ([LOGIN.format(n) for n in range(MAX_SAME + 1)], 0.75),
        ([LOGIN.format(n) for n in range(MAX_SAME)], 0.0),
        ([ALIASES.format(n) for n in range(MAX_SAME // 3 + 1)], 0.75),
        ([ROW.format(n) for n in range(MAX_SAME + 1)], 0.6),
        ([f"query {{ field{n} {{ id }} }}" for n in range(MAX_BATCH + 1)], 0.6),
        ([f"query {{ field{n} {{ id }} }}" for n in range(MAX_BATCH)], 0.0),
        (["no query at all"] * 1_000, 0.0),
        ([], 0.0),
    ],
)
def test_each_operation_of_a_batch_counts(queries: list[str], score: float) -> None:
    assert batched(queries) == score


@given(st.lists(st.text(max_size=30), max_size=60))
def test_any_array_is_judged(queries: list[str]) -> None:
    assert batched(queries) in (0.0, 0.6, 0.75)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            '<?xml version="1.0"?><!DOCTYPE a SYSTEM "http://b.example/c"><a/>',
            '<!DOCTYPE a SYSTEM "http://b.example/c">',
        ),
        ("<a>none</a>", ""),
        ("<!DOCTYPE a SYSTEM", ""),
        (" " * MAX_PROLOG + "<!DOCTYPE a><a/>", ""),
    ],
)
def test_the_type_of_a_document_is_what_stands_before_its_first_element(text: str, found: str) -> None:
    assert prolog(text) == found
