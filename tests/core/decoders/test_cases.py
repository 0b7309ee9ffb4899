"""Every decoder against its cases: what its leaves are, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from apisec.decoders import (
    DECODERS,
    FORMATS,
    Document,
    Limits,
    MediaType,
    decode_body,
    decode_text,
    media_type,
    register,
)
from apisec.errors import ApisecError, DecodeError, LimitExceeded

FOLDER = Path(__file__).parents[2] / "cases" / "decoders"
CASES = [
    (path.stem, case)
    for path in sorted(FOLDER.glob("*.yml"))
    for case in yaml.safe_load(path.read_text(encoding="utf-8"))
]
LIMITS = Limits()
MEDIA = [
    "application/json",
    "application/x-www-form-urlencoded",
    "text/xml",
    "text/plain",
    "",
    "multipart/x; boundary=B",
]


def case_id(value: Any) -> str:
    return value if isinstance(value, str) else str(value.get("text", value.get("hex")))[:30]


def decoded(case: dict[str, Any]) -> Document:
    data = case["text"].encode() if "text" in case else bytes.fromhex(case["hex"])
    coding = case.get("message_coding", "")
    return decode_body(data, case["media"], None, LIMITS, truncated=case.get("cut", False), message_coding=coding)


@pytest.mark.parametrize(("decoder", "case"), CASES, ids=case_id)
def test_case(decoder: str, case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(ApisecError, match=case["error"]):
            decoded(case)
        return
    document = decoded(case)
    assert document.decoder.name == decoder
    leaves = [[leaf.path, leaf.kind, leaf.value] for leaf in document.leaves]
    assert (sorted(leaves) if case.get("unordered") else leaves) == (
        sorted(case["leaves"]) if case.get("unordered") else case["leaves"]
    )
    if "text" in case:
        assert (document.incomplete is not None) == (case.get("cut", False) or case.get("salvaged", False))
    if "shown" in case:
        assert document.render({}) == case["shown"]
    elif "text" in case and not case.get("cut") and not case.get("salvaged"):
        assert document.render({}) == case["text"].lstrip("\ufeff")


def test_every_case_becomes_a_test(request: pytest.FixtureRequest) -> None:
    if request.config.option.keyword or any("::" in arg for arg in request.config.args):
        pytest.skip("only some of the tests were selected")
    mine = [item for item in request.session.items if item.path == request.path and "test_case[" in item.name]
    assert len(mine) == len(CASES) > 40


def test_every_decoder_is_registered_and_has_cases() -> None:
    assert {decoder for decoder, _ in CASES} == set(DECODERS)
    assert all(sum(name == decoder for name, _ in CASES) >= 5 for decoder in DECODERS)
    with pytest.raises(ValueError, match="registered twice"):
        register([*FORMATS, FORMATS[0]])


@pytest.mark.parametrize(
    ("decoder", "case"), [c for c in CASES if not {"error", "cut", "salvaged"} & c[1].keys()], ids=str
)
def test_what_is_written_in_a_place_is_read_back(decoder: str, case: dict[str, Any]) -> None:
    """Every leaf can be replaced, and only it changes; a hostile replacement breaks no format."""
    media = media_type(case["media"])
    document = decoded(case)
    for index, leaf in enumerate(document.leaves):
        for new in ("~pci.pan~0123456789abcdef~", "a b"):
            if leaf.path.startswith("#"):
                continue  # boundaries, types and comments of the format itself
            again = decode_text(document.render({index: new}), media, LIMITS)
            values = [other.value for other in again.leaves]
            before = [other.value for other in document.leaves]
            assert values[index] == new
            assert values[:index] + values[index + 1 :] == before[:index] + before[index + 1 :]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def scalars(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in scalars(inner)]
    return [leaf for inner in value for leaf in scalars(inner)] if isinstance(value, list) else [value]


@given(values, st.booleans(), st.sampled_from([None, 2]))
def test_json_of_any_shape_has_the_leaves_that_json_loads_gives(
    value: Any, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    document = decode_text(text, MediaType("application/json"), LIMITS)
    found = [
        leaf.value if leaf.kind == "string" else json.loads(leaf.value)
        for leaf in document.leaves
        if leaf.kind != "key"
    ]
    assert found == scalars(json.loads(text))


@given(st.text(max_size=400), st.sampled_from(MEDIA), st.booleans())
def test_no_text_is_too_strange(text: str, media: str, cut: bool) -> None:
    try:
        document = decode_text(text, media_type(media), LIMITS, truncated=cut)
    except (DecodeError, LimitExceeded):
        return
    places = sorted((leaf.start, leaf.end) for leaf in document.leaves)
    assert all(0 <= start <= end <= len(text) for start, end in places)
    assert all(places[i - 1][1] <= places[i][0] for i in range(1, len(places)))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "<a>" * 100_000])
def test_depth_is_bounded(text: str) -> None:
    media = "text/xml" if text.startswith("<") else "application/json"
    with pytest.raises(LimitExceeded, match="deeper than 64 levels"):
        decode_text(text, media_type(media), LIMITS)


@pytest.mark.parametrize(
    ("text", "media"),
    [
        ("[" + "1," * 200 + "1]", "application/json"),
        ("a=1&" * 200, MEDIA[1]),
        ("<a>" + "<b>1</b>" * 200 + "</a>", "text/xml"),
    ],
)
def test_count_is_bounded_and_the_rest_is_cut(text: str, media: str) -> None:
    document = decode_text(text, media_type(media), Limits(leaves=100))
    assert len(document.leaves) == 100
    assert document.incomplete == "more than 100 values"
    assert len(document.render({})) < len(text)


@pytest.mark.parametrize(
    ("text", "media"),
    [('{"%s": 1}', "application/json"), ("%s=1", "application/x-www-form-urlencoded"), ("%s", MEDIA[1])],
)
def test_a_name_that_is_too_long_is_a_value(text: str, media: str) -> None:
    asked: list[str] = []
    name = "k" * 100_000
    document = decode_text(text % name, media_type(media), LIMITS, lambda n: asked.append(n) or n)  # type: ignore[func-returns-value]
    assert not asked
    assert name in [leaf.value for leaf in document.leaves]
    assert all(len(leaf.path) < 100 for leaf in document.leaves)
