"""HEC's JSON protocol, by properties: prefixes, borders, fidelity, and errors that are HEC's."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from apisec_sandbox.splunkd.hec.body import gunzip
from apisec_sandbox.splunkd.hec.codes import EVENT_NUMBER, HecError, HttpRefusal
from apisec_sandbox.splunkd.hec.envelopes import Envelope, envelopes
from apisec_sandbox.splunkd.hec.events import indexed_fields, time_of

TEXT = st.text(max_size=20)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
SPACE = st.text(alphabet=" \t\r\n", max_size=3)
VALID = st.fixed_dictionaries({"event": VALUES.filter(lambda value: value is not None)}, optional={"host": TEXT})
INVALID = st.sampled_from(["nonsense", "{", '{"event"', '{"event":}', "]", '"x"', "7", "{,}", '{"event":1 2}', "\\"])


def refusal(call: Callable[[], object]) -> HecError | None:
    """The error of HEC that a call ends with; any other error fails the test."""
    try:
        call()
    except HecError as error:
        return error
    return None


def read(body: bytes) -> tuple[list[Envelope], int | None]:
    """Envelopes, and the number of the one that is invalid."""
    found: list[Envelope] = []
    error = refusal(lambda: found.extend(envelopes(body)))
    if error is None:
        return found, None
    number = error.extra[EVENT_NUMBER]
    assert error.code == 6
    assert isinstance(number, int)
    return found, number


def written(value: Any, ascii_only: bool) -> str:
    """The text of a JSON value; halves of surrogate pairs can only be written escaped."""
    return json.dumps(value, ensure_ascii=ascii_only)


@given(events=st.lists(VALID, max_size=6), spaces=st.lists(SPACE, min_size=7, max_size=7), ascii_only=st.booleans())
def test_what_is_stacked_comes_out_as_it_was_written(
    events: list[dict[str, Any]], spaces: list[str], ascii_only: bool
) -> None:
    texts = [written(event, ascii_only) for event in events]
    body = "".join(space + text for space, text in zip(spaces, texts, strict=False)) + spaces[-1]
    found, number = read(body.encode())
    assert number is None
    for envelope, event in zip(found, events, strict=True):
        value = event["event"]
        assert envelope.text == (value if isinstance(value, str) else written(value, ascii_only))
        assert envelope.members.get("host") == event.get("host")


@given(events=st.lists(VALID, max_size=5), broken=INVALID, behind=st.lists(VALID, max_size=2))
def test_what_comes_before_an_invalid_event_is_kept(
    events: list[dict[str, Any]], broken: str, behind: list[dict[str, Any]]
) -> None:
    body = "\n".join([*map(json.dumps, events), broken, *map(json.dumps, behind)])
    found, number = read(body.encode())
    assert number == len(events) == len(found)


@given(events=st.lists(VALID, min_size=1, max_size=4), data=st.data())
def test_a_batch_cut_at_any_byte_keeps_its_whole_events(events: list[dict[str, Any]], data: st.DataObject) -> None:
    texts = [written(event, ascii_only=False).encode() for event in events]
    body = b"".join(texts)
    cut = data.draw(st.integers(0, len(body)))
    ends = [sum(map(len, texts[: place + 1])) for place in range(len(texts))]
    whole = sum(end <= cut for end in ends)
    found, number = read(body[:cut])
    assert len(found) == whole
    assert number == (None if cut in (0, *ends) else whole)


@given(events=st.lists(VALID, min_size=1, max_size=5))
def test_an_array_is_the_same_as_a_stack(events: list[dict[str, Any]]) -> None:
    assert read(json.dumps(events).encode()) == read("".join(map(json.dumps, events)).encode())


@given(body=st.binary(max_size=60) | st.text(alphabet='{}[]":,\\ "event1e.-ntrufalsé', max_size=60).map(str.encode))
def test_any_bytes_are_events_or_an_error_of_hec(body: bytes) -> None:
    found, number = read(body)
    assert number is None or number == len(found)
    for envelope in found:
        for error in (
            refusal(lambda members=envelope.members: time_of(members.get("time"))),  # type: ignore[misc]
            refusal(lambda members=envelope.members: indexed_fields(members)),  # type: ignore[misc]
        ):
            assert error is None or error.code in (6, 15)


@given(depth=st.integers(1, 100_000), opening=st.sampled_from(["[", '{"a":', '{"event":', '{"event":[']))
def test_depth_is_bounded(depth: int, opening: str) -> None:
    _, number = read((opening * depth).encode())
    assert number == 0


@given(value=st.recursive(st.booleans() | NUMBERS | TEXT | st.none(), lambda x: st.lists(x) | st.dictionaries(TEXT, x)))
def test_fields_are_flat_or_refused(value: Any) -> None:
    (envelope,) = envelopes(json.dumps({"event": 1, "fields": {"f": value}}).encode())
    error = refusal(lambda: indexed_fields(envelope.members["fields"]))
    if error is not None:
        assert error.code == 15
        assert isinstance(value, dict) or any(isinstance(item, (dict, list)) or item is None for item in value)
        return
    fields = indexed_fields(envelope.members["fields"])
    if value is None:
        assert fields == {}
        return
    texts = fields["f"] if isinstance(value, list) else [fields["f"]]
    values = value if isinstance(value, list) else [value]
    assert texts == [item if isinstance(item, str) else json.dumps(item) for item in values]


@given(body=st.binary(max_size=3000), members=st.integers(1, 3), cut=st.integers(1, 8))
def test_gzip_is_the_same_as_plain_and_a_cut_stream_is_an_error(body: bytes, members: int, cut: int) -> None:
    packed = gzip.compress(body) * members
    assert gunzip(packed) == body * members
    error = refusal(lambda: gunzip(packed[:-cut]))
    assert error is not None
    assert error.code == 6


@given(body=st.binary(max_size=300))
def test_any_bytes_are_inflated_or_refused(body: bytes) -> None:
    try:
        gunzip(body)
    except (HecError, HttpRefusal):
        return
