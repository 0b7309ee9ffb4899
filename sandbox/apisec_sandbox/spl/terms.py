"""What a term of the search command matches: words of the raw text, values of fields.

Segments: a term has to stand between breakers. Major breakers split what minor breakers split further; a term may
begin and end at either, TERM() only at major ones. Source: segmenters.conf.spec, the defaults of MAJOR and MINOR;
Search Manual, "Event segmentation and searching", "Use CASE() and TERM() to match phrases", "Wildcards";
Search Reference, "search" (values ignore case, ``!=`` needs the field, CIDR).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from apisec_sandbox.spl.values import CIDR, Row, cidr_match, to_number, to_text, wildcard_regex

Test = Callable[[Row], bool]
ValueTest = Callable[[Any], bool]
MAJOR = "[]<>(){}|!;,'\"*&?+ \t\r\n"
MINOR = "/:=@.-$#%\\_"
ENCODED = ("%21", "%26", "%3B", "%7C", "%20", "%2B", "%3D", "%5D", "%5B", "%3A", "%0A", "%2C", "%28", "%29")
ENCODED_TWICE = ("%2526", "%2520")
_MAJOR = re.escape(MAJOR)
_ANY = re.escape(MAJOR + MINOR)
_AFTER_ENCODED = f"(?<={'|'.join(ENCODED)})|(?<={'|'.join(ENCODED_TWICE)})"
AFTER_ANY = f"(?:(?<![^{_ANY}])|{_AFTER_ENCODED})"
BEFORE_ANY = f"(?![^{_ANY}])"
AFTER_MAJOR = f"(?:(?<![^{_MAJOR}])|{_AFTER_ENCODED}|(?<=--))"
BEFORE_MAJOR = f"(?:(?![^{_MAJOR}])|(?={'|'.join((*ENCODED, *ENCODED_TWICE, '--'))}))"
WITHIN_SEGMENT = f"[^{_MAJOR}]*"
STARS = re.compile(r"\*+")


@functools.lru_cache(maxsize=4096)
def raw_pattern(text: str, ignore_case: bool = True, major: bool = False) -> re.Pattern[str]:
    """A pattern for a term or phrase; ``*`` reaches over minor breakers, in a phrase over anything."""
    gap = ".*?" if any(char in " \t\n" for char in text) else WITHIN_SEGMENT
    body = gap.join(re.escape(part) for part in STARS.split(text.strip("*")))
    left, right = (AFTER_MAJOR, BEFORE_MAJOR) if major else (AFTER_ANY, BEFORE_ANY)
    if text.startswith("*") or (not major and text[0] in MAJOR + MINOR):
        left = ""
    if text.endswith("*") or (not major and text[-1] in MAJOR + MINOR):
        right = ""
    return re.compile(left + body + right, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def raw_test(text: str, ignore_case: bool = True, major: bool = False, anywhere: bool = False) -> Test:
    """Test the raw text; ``anywhere`` a row without one is tested by all its values, as rows of a lookup are."""
    search = raw_pattern(text, ignore_case, major).search
    plain = "*" not in text.strip("*")
    needle = text.strip("*").lower()

    def found(value: Any) -> bool:
        raw = value if type(value) is str else to_text(value)
        return (not plain or needle in raw.lower()) and search(raw) is not None

    def run(row: Row) -> bool:
        raw = row.get("_raw")
        if raw is not None:
            return found(raw)
        return anywhere and any(found(value) for name, value in row.items() if name[:1] != "_")

    return run


def field_test(name: str, op: str, value: str, match_case: bool = False) -> Test:
    """Compare a field with a literal; a multivalue matches when one of its values does."""
    if op == "!=":
        equal = _equality(value, match_case)
        return lambda row: (held := row.get(name)) is not None and not _matches(held, equal)
    test = _equality(value, match_case) if op == "=" else _order(op, value)
    return lambda row: (held := row.get(name)) is not None and _matches(held, test)


def _matches(held: Any, test: ValueTest) -> bool:
    return any(test(item) for item in held) if type(held) is list else test(held)


def _order(op: str, value: str) -> ValueTest:
    """As numbers when both look like numbers, else as texts without regard to case."""
    number = to_number(value)
    folded = value.lower()

    def run(held: Any) -> bool:
        own = to_number(held) if number is not None else None
        if number is not None and own is not None:
            order = (own > number) - (own < number)
        else:
            text = to_text(held).lower()
            order = (text > folded) - (text < folded)
        return order < 0 if op == "<" else order > 0 if op == ">" else order <= 0 if op == "<=" else order >= 0

    return run


def is_plain(value: str) -> bool:
    """No wildcard, no network: a value that equals by itself."""
    return "*" not in value and not CIDR.match(value)


def _equality(value: str, match_case: bool) -> ValueTest:
    if "*" in value:
        if value.strip("*") == "":
            return lambda _held: True
        match = wildcard_regex(value, ignore_case=not match_case).match
        return lambda held: match(to_text(held)) is not None
    if match_case:
        return lambda held: to_text(held) == value
    folded, number = value.lower(), to_number(value)
    if CIDR.match(value):
        return lambda held: to_text(held) == value or cidr_match(value, to_text(held))
    if number is None:
        return lambda held: to_text(held).lower() == folded
    return lambda held: to_text(held).lower() == folded or to_number(held) == number


def one_of(name: str, values: list[str]) -> Test:
    """A field equals one of many plain values: a set instead of a test each."""
    texts = frozenset(value.lower() for value in values)
    numbers = frozenset(number for value in values if (number := to_number(value)) is not None)

    def equal(held: Any) -> bool:
        return to_text(held).lower() in texts or (bool(numbers) and to_number(held) in numbers)

    return lambda row: (held := row.get(name)) is not None and _matches(held, equal)
