"""Text functions. Source: Search Reference, "Text functions"."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

from apisec_sandbox.spl.functions.registry import MANY, Call, Evaluate, check_regex, function, regex, simple
from apisec_sandbox.spl.values import (
    Row,
    collapse,
    to_number,
    to_text,
)


@simple("lower", 1)
def _lower(text: Any) -> Any:
    return _each(text, lambda value: to_text(value).lower())


@simple("upper", 1)
def _upper(text: Any) -> Any:
    return _each(text, lambda value: to_text(value).upper())


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    return [change(item) for item in value] if isinstance(value, list) else change(value)


@simple("len", 1)
def _len(text: Any) -> int | None:
    return None if isinstance(text, list) else len(to_text(text))


@simple("ltrim", 1, 2)
def _ltrim(text: Any, chars: Any = " \t") -> str:
    return to_text(text).lstrip(to_text(chars))


@simple("rtrim", 1, 2)
def _rtrim(text: Any, chars: Any = " \t") -> str:
    return to_text(text).rstrip(to_text(chars))


@simple("trim", 1, 2)
def _trim(text: Any, chars: Any = " \t") -> str:
    return to_text(text).strip(to_text(chars))


@simple("urldecode", 1)
def _urldecode(text: Any) -> str:
    return unquote_plus(to_text(text))


@simple("substr", 2, 3)
def _substr(text: Any, start: Any, length: Any = None) -> str | None:
    """As SQLite: positions count from 1, a negative start from the end, 0 stands before the first."""
    whole, first = to_text(text), to_number(start)
    size = len(whole) + 1 if length is None else to_number(length)
    if first is None or size is None:
        return None
    begin, count = int(first), int(size)
    if begin < 0:
        begin += len(whole)
        if begin < 0:
            count, begin = max(0, count + begin), 0
    elif begin > 0:
        begin -= 1
    elif count > 0:
        count -= 1
    if count < 0:
        begin, count = begin + count, -count
        if begin < 0:
            count, begin = max(0, count + begin), 0
    return whole[begin : begin + count]


@function("replace", 3)
def _replace(call: Call) -> Evaluate:
    check_regex(call, 1)
    subject, pattern, by = call.args

    constant, text = call.constants[1], call.constants[2]
    if isinstance(constant, str) and isinstance(text, str):
        return _replacing(subject, constant, text)

    def run(row: Row) -> Any:
        values = subject(row), pattern(row), by(row)
        if any(value is None for value in values):
            return None
        engine = regex(to_text(values[1]))
        expand = template(to_text(values[2]))
        return _each(values[0], lambda value: engine.sub(expand, to_text(value)))

    return run


def _replacing(subject: Evaluate, pattern: str, by: str) -> Evaluate:
    engine, expand = regex(pattern), template(by)

    def run(row: Row) -> Any:
        value = subject(row)
        if type(value) is str:
            return engine.sub(expand, value)
        return None if value is None else _each(value, lambda item: engine.sub(expand, to_text(item)))

    return run


@functools.lru_cache(maxsize=1024)
def template(text: str) -> str | Callable[[Any], str]:
    r"""A replacement as a function of the match: ``\1`` is a group (empty when there is none), ``\0`` the whole."""
    if "\\" not in text:
        return text
    parts: list[str | int] = [int(part) if place % 2 else part for place, part in enumerate(GROUP.split(text))]

    def expand(match: Any) -> str:
        most = match.re.groups
        return "".join(part if isinstance(part, str) else (match[part] or "") if part <= most else "" for part in parts)

    return expand


GROUP = re.compile(r"\\(\d{1,2})")


@simple("split", 2)
def _split(text: Any, delimiter: Any) -> Any:
    whole, by = to_text(text), to_text(delimiter)
    return collapse(whole.split(by) if by else list(whole))


@simple("printf", 1, MANY)
def _printf(layout: Any, *values: Any) -> str | None:
    return c_format(to_text(layout), list(values))


CONVERSION = re.compile(r"%([-+ 0#']*)(\*|-?\d+)?(?:\.(\*|\d+)?)?(?:hh|h|ll|l|L|q|j|z|t)?([diouxXeEfFgGaAcsp%])")
WIDEST = 1000  # characters of width or precision


def c_format(layout: str, values: list[Any]) -> str | None:
    """C's printf; null when a value does not fit its conversion. ``'`` groups thousands."""
    rest = list(values)

    def star(given: str | None) -> int | None:
        if given != "*":
            return int(given) if given else None
        number = to_number(rest.pop(0)) if rest else None
        return int(number) if number is not None else None

    def one(match: re.Match[str]) -> str:
        flags, width, precision, kind = match.groups()
        if kind == "%":
            return "%"
        wide = star(width)
        exact = star(precision) if precision else 0 if "." in match[0] else None
        if max(abs(wide or 0), exact or 0) > WIDEST:
            raise _UnfitError
        value = rest.pop(0) if rest else None
        return _padded(_converted(kind, flags, exact, value), flags, wide, kind)

    try:
        return CONVERSION.sub(one, layout)
    except (_UnfitError, OverflowError, ValueError):
        return None


class _UnfitError(Exception):
    """A value that is no number where one is needed."""


def _converted(kind: str, flags: str, exact: int | None, value: Any) -> str:
    signs = "".join(flag for flag in "+ #" if flag in flags)
    if kind in "sc":
        text = "" if value is None else to_text(value)
        return text[:1] if kind == "c" else text if exact is None else text[:exact]
    number = to_number(value)
    if number is None or kind == "p":
        raise _UnfitError
    if kind in "diuoxX":
        plain = {"u": "d", "i": "d"}.get(kind, kind)
        text = ("%" + signs + (f".{exact}" if exact is not None else "") + plain) % int(number)
        # C writes 0x10 as octal 020, Python as 0o20.
        return _grouped(text.replace("0o", "0"), flags)
    if kind in "aA":
        return float(number).hex() if kind == "a" else float(number).hex().upper()
    return _grouped(("%" + signs + (f".{exact}" if exact is not None else "") + kind) % number, flags)


def _grouped(text: str, flags: str) -> str:
    if "'" not in flags:
        return text
    match = re.match(r"([+\- ]?)(\d+)(.*)", text, re.DOTALL)
    return f"{match[1]}{int(match[2]):,}{match[3]}" if match else text


def _padded(text: str, flags: str, wide: int | None, kind: str) -> str:
    if wide is None:
        return text
    if "-" in flags or wide < 0:
        return text.ljust(abs(wide))
    if "0" in flags and kind not in "sc":
        sign = text[:1] if text[:1] in ("+", "-", " ") else ""
        return sign + text[len(sign) :].rjust(wide - len(sign), "0")
    return text.rjust(wide)
