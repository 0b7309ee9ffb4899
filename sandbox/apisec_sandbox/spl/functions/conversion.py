"""Conversion functions. Source: Search Reference, "Conversion functions"."""

from __future__ import annotations

import re
from typing import Any

from apisec_sandbox.spl.functions.json_functions import dump, json_value, load, plain
from apisec_sandbox.spl.functions.registry import Call, Evaluate, function, invalid, simple
from apisec_sandbox.spl.operators import finite
from apisec_sandbox.spl.values import Row, clean, collapse, to_number, to_text, values_of

LAYOUTS = ("hex", "binary", "commas", "duration")
DIGITS = re.compile(r"[+-]?[0-9A-Za-z]+\Z")
OCTETS = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\Z")


@function("tonumber", 1, 2)
def _build_tonumber(call: Call) -> Evaluate:
    base = to_number(call.constants[1]) if len(call.args) == 2 and call.constants[1] is not None else 10
    if base is None or not 2 <= base <= 36:
        raise invalid("tonumber", "the base is a number from 2 to 36")
    args = call.args

    def run(row: Row) -> Any:
        values = [arg(row) for arg in args]
        return None if any(value is None for value in values) else _tonumber(*values)

    return run


def _tonumber(text: Any, base: Any = None) -> Any:
    """White space around the digits makes it no number: trim it first, says the page."""
    if isinstance(text, str) and text != text.strip():
        return None
    if base is None:
        number = to_number(text)
        return None if number is None else clean(number)
    radix, digits = to_number(base), to_text(text)
    if radix is None or not 2 <= radix <= 36 or not DIGITS.match(digits) or len(digits) > 1000:
        return None
    try:
        return finite(int(digits, int(radix)))
    except ValueError:
        return None


@function("tostring", 1, 2)
def _tostring(call: Call) -> Evaluate:
    arg = call.args[0]
    layout = call.args[1] if len(call.args) == 2 else None
    if layout and call.constants[1] not in (None, *LAYOUTS):
        raise invalid("tostring", f"the second is one of {', '.join(LAYOUTS)}")

    def run(row: Row) -> Any:
        value = arg(row)
        if value is None:
            return None
        return _shown(value, to_text(layout(row))) if layout else to_text(value)

    return run


def _shown(value: Any, layout: str) -> Any:
    number = to_number(value)
    if number is None:
        return to_text(value) if isinstance(value, bool) else None
    if layout == "hex":
        return f"0x{int(number):X}"
    if layout == "binary":
        return f"{int(number):b}"
    if layout == "commas":
        return f"{int(number):,}" if float(number).is_integer() else f"{number:,.2f}"
    return duration(number) if layout == "duration" else None


def duration(seconds: float) -> str:
    """HH:MM:SS, with days and a fraction where there are any: ``1+02:03:04.500000``."""
    sign, micros = ("-", round(-seconds * 1e6)) if seconds < 0 else ("", round(seconds * 1e6))
    whole, fraction = divmod(micros, 1_000_000)
    days, hours, minutes, secs = whole // 86400, whole // 3600 % 24, whole // 60 % 60, whole % 60
    return (
        sign
        + (f"{days}+" if days else "")
        + f"{hours:02d}:{minutes:02d}:{secs:02d}"
        + (f".{fraction:06d}" if fraction else "")
    )


def _octets(text: Any) -> list[int] | None:
    match = OCTETS.match(to_text(text))
    parts = [int(part) for part in match.groups()] if match else []
    return parts if parts and max(parts) <= 255 else None


@simple("ipmask", 2)
def _ipmask(mask: Any, ip: Any) -> str | None:
    masks, parts = _octets(mask), _octets(ip)
    if masks is None or parts is None:
        return None
    return ".".join(str(a & b) for a, b in zip(masks, parts, strict=True))


# Conversions between the types of values


@simple("tobool", 1, boolean=True)
def _tobool(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    number = to_number(value)
    if number is not None:
        return number != 0
    return {"true": True, "t": True, "false": False, "f": False}.get(to_text(value).lower())


@simple("todouble", 1)
def _todouble(value: Any) -> float | None:
    number = to_number(value)
    return None if number is None else float(number)


@simple("toint", 1)
def _toint(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    number = to_number(value)
    return None if number is None else finite(int(number))


@simple("tomv", 1)
def _tomv(value: Any) -> Any:
    """The elements of a JSON array; any other value is its own and only one."""
    loaded = load(value) if isinstance(value, str) and value[:1] == "[" else None
    if not isinstance(loaded, list):
        return value
    return collapse([item for part in loaded if (item := plain(part)) is not None])


@simple("toarray", 1)
def _toarray(value: Any) -> str:
    loaded = load(value) if isinstance(value, str) else None
    return to_text(value) if isinstance(loaded, list) else dump([json_value(item) for item in values_of(value)])


@simple("toobject", 1)
def _toobject(value: Any) -> str | None:
    return to_text(value) if isinstance(load(value), dict) else None
