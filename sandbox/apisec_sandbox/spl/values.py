"""Values of fields: text, numbers and multivalues; null is a field that is not there.

A field that comes from an event is text, as in Splunk, and counts as a number wherever it looks like one
(docs: Search Reference, "eval", "Field and value types"; "Evaluation functions", comparison rules).
"""

from __future__ import annotations

import functools
import ipaddress
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

Scalar = str | int | float
Value = str | int | float | list[Any]
Row = dict[str, Any]

NUMBER = re.compile(r"\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s*\Z")
WHOLE = re.compile(r"\s*[+-]?\d{1,18}\s*\Z")
CIDR = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}/\d{1,2}\Z|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*/\d{1,3}\Z")
EXACT_INTEGER = 2**53  # beyond it a double no longer holds every whole number


def to_number(value: Any) -> int | float | None:
    """Return the number that a value is or looks like, else None. A multivalue of one value counts as that value."""
    kind = type(value)
    if kind is int or kind is float:
        return value  # type: ignore[no-any-return]
    if kind is str:
        if WHOLE.match(value):
            return int(value)
        return float(value) if NUMBER.match(value) else None
    if kind is list and len(value) == 1:
        return to_number(value[0])
    if kind is Fixed:
        return float(value)
    return None


class Fixed(float):
    """A number that is shown with so many decimals: what round() and strptime() give."""

    __slots__ = ("digits",)
    digits: int

    def __new__(cls, number: float, digits: int) -> Fixed:
        made = super().__new__(cls, number)
        made.digits = digits
        return made

    def __repr__(self) -> str:
        return f"{float(self):.{self.digits}f}"

    __str__ = __repr__

    def __reduce__(self) -> tuple[type[Fixed], tuple[float, int]]:
        return Fixed, (float(self), self.digits)


def clean(number: int | float) -> int | float | None:
    """Whole doubles become integers; what is not finite becomes null."""
    if type(number) is int:
        return number
    if not math.isfinite(number):
        return None
    if number == int(number) and abs(number) < EXACT_INTEGER:
        return int(number)
    return number


def to_text(value: Any) -> str:
    """Return a value as text; a multivalue's values are joined by line breaks, as results show them."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is float:
        return format_float(value)
    if kind is bool:
        return "True" if value else "False"
    if kind is list:
        return "\n".join(to_text(item) for item in value)
    return str(value)


def format_float(number: float) -> str:
    """The shortest text that reads back as the same number, without exponent where it stays short."""
    if number == int(number) and abs(number) < EXACT_INTEGER if math.isfinite(number) else False:
        return str(int(number))
    text = repr(number)
    if "e" in text and 1e-7 < abs(number) < 1e17:
        text = f"{number:.15f}".rstrip("0").rstrip(".")
    return text


def values_of(value: Any) -> list[Any]:
    """Return the values of a field as a list: none for null, one for a single value."""
    if value is None:
        return []
    return value if type(value) is list else [value]


def collapse(values: list[Any]) -> Value | None:
    """Return a list of values as a field holds it."""
    if not values:
        return None
    return values[0] if len(values) == 1 else values


def compare(left: Any, right: Any) -> int:
    """-1, 0 or 1: as numbers when both look like numbers, else as texts by code point."""
    a, b = to_number(left), to_number(right)
    if a is not None and b is not None:
        return (a > b) - (a < b)
    x, y = to_text(left), to_text(right)
    return (x > y) - (x < y)


def sort_key(value: Any) -> tuple[int, Any]:
    """Order for sort's ``auto``: numbers before texts."""
    number = to_number(value)
    return (0, number) if number is not None else (1, to_text(value))


def group_key(value: Any) -> tuple[int, Any]:
    """Order of groups in results: by text, and by number only where the value is a number (as _time is)."""
    return (0, value) if type(value) in (int, float) else (1, value)


def combinations(parts: list[list[Any]]) -> Iterator[tuple[Any, ...]]:
    """All combinations of the values of several fields: how a multivalue takes part in ``by``."""
    if not parts:
        yield ()
        return
    for head in parts[0]:
        for tail in combinations(parts[1:]):
            yield (head, *tail)


@functools.lru_cache(maxsize=4096)
def wildcard_regex(pattern: str, ignore_case: bool = True) -> re.Pattern[str]:
    """``*`` matches anything; everything else is itself. Runs of ``*`` are one, so matching stays polynomial."""
    parts = [re.escape(part) for part in re.split(r"\*+", pattern)]
    flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
    return re.compile(".*?".join(parts) + r"\Z", flags)


def wildcard_names(pattern: str) -> Callable[[str], re.Match[str] | None]:
    """Return a test for field names: case counts. The groups of the match are what each ``*`` stood for."""
    parts = [re.escape(part) for part in pattern.split("*")]
    return re.compile("(.*)".join(parts) + r"\Z", re.DOTALL).match


@functools.lru_cache(maxsize=4096)
def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


@functools.lru_cache(maxsize=65536)
def address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def cidr_match(net: str, ip: str) -> bool:
    wanted, given = network(net), address(ip)
    return wanted is not None and given is not None and given.version == wanted.version and given in wanted


def is_true(value: Any) -> bool:
    return value is True
