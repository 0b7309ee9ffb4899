"""Which values are members of one object, in every format that has objects."""

from __future__ import annotations

from typing import Dict, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec.decoders import Limits, decode_body, embedded
from apisec.decoders.base import Document, Place

LIMITS = Limits()
MULTIPART = "multipart/form-data; boundary=B"


def together(document: Document) -> List[str]:
    """Return the values of each object, in the order of their first; a value of none stands in brackets."""
    found: Dict[int, List[str]] = {}
    for at, leaf in enumerate(document.leaves):
        found.setdefault(leaf.group if leaf.group >= 0 else -2 - at, []).append(leaf.value)
    return [" ".join(values) if group >= 0 else f"[{values[0]}]" for group, values in found.items()]


def part(name: str, value: str, media: str = "") -> str:
    typed = f"\r\nContent-Type: {media}" if media else ""
    return f'--B\r\nContent-Disposition: form-data; name="{name}"{typed}\r\n\r\n{value}\r\n'


@pytest.mark.parametrize(
    ("media", "text", "groups"),
    [
        ("application/json", '{"a": 1, "b": {"c": 2, "d": 3}, "e": 4}', ["1 4", "2 3"]),
        ("application/json", '[{"a": 1, "b": 2}, {"a": 3, "b": 4}]', ["1 2", "3 4"]),
        ("application/json", '{"l": [1, {"a": 2, "b": 3}, 4], "m": 5}', ["[1]", "2 3", "[4]", "5"]),
        ("application/json", "7", ["[7]"]),
        ("application/x-ndjson", '{"a": 1, "b": 2}\n{"a": 3}\n', ["1 2", "3"]),
        ("application/x-www-form-urlencoded", "a=1&u[x]=2&b=3&u[y]=4&u.z=5", ["1 3", "2 4 5"]),
        ("application/x-www-form-urlencoded", "i[0][a]=1&i[1][a]=2&i[0][b]=3&t[]=4&t[]=5", ["1 3", "2", "[4]", "[5]"]),
        ("text/xml", "<o><p><a>1</a><b>2</b></p><p><a>3</a><b>4</b></p></o>", ["1 2", "3 4"]),
        ("text/xml", '<o a="1"><b c="2">3</b></o>', ["1 3", "2"]),
        ("text/xml", "<a>1</a>", ["[1]"]),
        ("application/graphql", "{ f(a: 1, o: {x: 2, y: 3}, l: [4, {z: 5}]) { g(b: 6) } h(c: 7) }",
         ["1", "2 3", "[4]", "5", "6", "7"]),
        (MULTIPART, part("a", "1") + part("b", "2") + "--B--\r\n", ["1 2"]),
        (MULTIPART, part("a", "1") + part("j", '{"x": 2, "y": 3}', "application/json") + part("b", "4") + "--B--\r\n",
         ["1 4", "[application/json]", "2 3"]),
        ("text/event-stream", 'data: {"a": 1, "b": 2}\n\ndata: {"a": 3}\n\n', ["1 2", "3"]),
        ("text/plain", "hello", ["[hello]"]),
    ],
)  # fmt: skip
def test_members_of_one_object(media: str, text: str, groups: List[str]) -> None:
    assert together(decode_body(text.encode(), media, None, LIMITS)) == groups


JSON_TEXTS = [
    '{"a": 1, "b": {"c": 2}}',
    '{"query": 1}',
    "[{}, {}]",
    "<o><a>1</a><b>2</b></o>",
    '{ f(a: 1) { g(b: "x") } }',
]


@given(st.lists(st.sampled_from(JSON_TEXTS), min_size=2, max_size=5))
def test_documents_inside_another_keep_their_objects_apart(texts: List[str]) -> None:
    """Texts that stand one behind the other, each decoded by itself and put into its place."""
    seen: Dict[int, int] = {}
    start = 0
    for number, text in enumerate(texts):
        inner = embedded(text, "query", LIMITS)
        assert inner is not None
        for leaf in Place(start, f"part{number}").take(inner):
            if leaf.group >= 0:
                assert seen.setdefault(leaf.group, number) == number
        start += len(text) + 2
