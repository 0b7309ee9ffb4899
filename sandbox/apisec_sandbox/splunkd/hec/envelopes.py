"""The JSON protocol: bytes to envelopes. Pure: nothing here knows a token, an index or a clock.

Events stand one behind another, with or without white space between (Getting Data In, "Format events for HTTP
Event Collector", batched data). An array of them is taken too, though not documented (measured by others on
Splunk Enterprise, and by Splunk's own people in an issue of the OpenTelemetry collector).

``_raw`` is the event's own text: of what is not a string the bytes as they came, so that 1.50, a number of thirty
digits, a doubled key and the white space stay what they were.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Iterator
from json.decoder import scanstring  # type: ignore[attr-defined] # the function of C that json itself uses
from typing import Any, NamedTuple

from apisec_sandbox.splunkd.hec import codes
from apisec_sandbox.splunkd.hec.codes import EVENT_NUMBER, HecError

SPACE = " \t\r\n"
_skip_space = re.compile(r"[ \t\r\n]*").match


class Number(str):
    """A JSON number by its own text, which tells it from a string."""

    __slots__ = ()


class Envelope(NamedTuple):
    """Members of one envelope but ``event``, and the event's text; None when there is no such member."""

    members: dict[str, Any]
    text: str | None
    structured: bool  # an object or an array, the text of which is JSON
    null: bool


class _MalformedError(Exception):
    """Not JSON, or not an envelope."""


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


# Numbers are never computed with: an integer of a million digits costs no more than its text.
def _scanner(number: type[str]) -> Callable[[str, int], tuple[Any, int]]:
    decoder = json.JSONDecoder(parse_float=number, parse_int=number, parse_constant=_no_constant)
    scanner: Callable[[str, int], tuple[Any, int]] = decoder.scan_once  # type: ignore[attr-defined]
    return scanner


_scan, _scan_text = _scanner(Number), _scanner(str)


def envelopes(body: bytes) -> Iterator[Envelope]:
    """Yield the envelopes of a request one by one.

    Raises:
        HecError: 6 with the number (from 0) of the first that is no envelope; those before it were given.
    """
    text, whole = _decoded(body)
    number = 0
    try:
        for envelope in _sequence(text):
            yield envelope
            number += 1
    except (_MalformedError, ValueError, IndexError, RecursionError) as error:
        raise HecError(codes.INVALID_FORMAT, str(error) or "not JSON", **{EVENT_NUMBER: number}) from error
    if not whole:
        raise HecError(codes.INVALID_FORMAT, "the bytes are no UTF-8", **{EVENT_NUMBER: number})


def _decoded(body: bytes) -> tuple[str, bool]:
    """The text up to the first byte that is no UTF-8, and whether that is all."""
    try:
        return body.decode("utf-8"), True
    except UnicodeDecodeError as error:
        return body[: error.start].decode("utf-8"), False


def _space(text: str, position: int) -> int:
    if position < len(text) and text[position] in SPACE:
        return _skip_space(text, position).end()  # type: ignore[union-attr]
    return position


def _sequence(text: str) -> Iterator[Envelope]:
    position = _space(text, 0)
    while position < len(text):
        if text[position] == "[":
            position = yield from _array(text, position + 1)
        else:
            envelope, position = _object(text, position)
            yield envelope
        position = _space(text, position)


def _array(text: str, position: int) -> Generator[Envelope, None, int]:
    """Envelopes of an array; the generator's value is where it ends."""
    position = _space(text, position)
    if text[position] == "]":
        return position + 1
    while True:
        envelope, position = _object(text, position)
        yield envelope
        position = _space(text, position)
        if text[position] == "]":
            return position + 1
        if text[position] != ",":
            raise _MalformedError
        position = _space(text, position + 1)


def _object(text: str, position: int) -> tuple[Envelope, int]:
    try:
        return _members(text, position)
    except StopIteration as error:  # the scanner of C is at its end; out of a generator it must not come
        raise _MalformedError from error


def _members(text: str, position: int) -> tuple[Envelope, int]:
    """Read one envelope; of members of one name the last counts."""
    if text[position] != "{":
        raise _MalformedError
    members: dict[str, Any] = {}
    event: tuple[str | None, bool, bool] = (None, False, False)
    position = _space(text, position + 1)
    while text[position] != "}":
        if text[position] != '"':
            raise _MalformedError
        name, position = scanstring(text, position + 1, True)
        position = _space(text, position)
        if text[position] != ":":
            raise _MalformedError
        position = _space(text, position + 1)
        if name == "event":
            event, position = _event(text, position)
        else:
            members[name], position = _scan(text, position)
        position = _space(text, position)
        if text[position] == ",":
            position = _space(text, position + 1)
            if text[position] != '"':
                raise _MalformedError
        elif text[position] != "}":
            raise _MalformedError
    return Envelope(members, *event), position + 1


def _event(text: str, position: int) -> tuple[tuple[str | None, bool, bool], int]:
    first = text[position]
    if first == '"':
        value, end = scanstring(text, position + 1, True)
        return (value if value.isascii() else _without_surrogates(value), False, False), end
    value, end = _scan_text(text, position)
    return (text[position:end], first in "{[", value is None), end


def _without_surrogates(text: str) -> str:
    """Half a surrogate pair (``\\ud800`` alone) is no character: it becomes U+FFFD."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
