"""Conversion functions. Source: Search Reference, "Conversion functions"."""

from __future__ import annotations

from typing import Any

from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.functions.registry import Call, Evaluate, function, simple
from apisec_sandbox.spl.values import (
    Row,
    clean,
    to_number,
    to_text,
)


@simple("tonumber", 1, 2)
def _tonumber(text: Any, base: Any = None) -> Any:
    if base is None:
        number = to_number(text)
        return None if number is None else clean(number)
    radix = to_number(base)
    try:
        return int(to_text(text), int(radix)) if radix is not None and 2 <= radix <= 36 else None
    except ValueError:
        return None


@function("tostring", 1, 2)
def _tostring(call: Call) -> Evaluate:
    arg = call.args[0]
    layout = call.args[1] if len(call.args) == 2 else None
    if layout and call.constants[1] not in (None, "hex", "binary", "commas", "duration"):
        raise SplError("The second argument of 'tostring' is one of hex, binary, commas, duration")

    def run(row: Row) -> Any:
        value = arg(row)
        if value is None:
            return None
        return _shown(value, to_text(layout(row))) if layout else to_text(value)

    return run


def _shown(value: Any, layout: str) -> str | None:
    number = to_number(value)
    if number is None:
        return None
    if layout == "hex":
        return f"0x{int(number):X}"
    if layout == "binary":
        return f"{int(number):b}"
    if layout == "commas":
        return f"{number:,}" if isinstance(number, int) else f"{number:,.2f}"
    return duration(number)


def duration(seconds: float) -> str:
    """HH:MM:SS, with days and a fraction where there are any: ``1+02:03:04.500000``."""
    sign, rest = ("-", -seconds) if seconds < 0 else ("", seconds)
    whole = int(rest)
    days, hours, minutes, secs = whole // 86400, whole // 3600 % 24, whole // 60 % 60, whole % 60
    fraction = f".{round((rest - whole) * 1e6):06d}" if rest != whole else ""
    return sign + (f"{days}+" if days else "") + f"{hours:02d}:{minutes:02d}:{secs:02d}{fraction}"


@simple("ipmask", 2)
def _ipmask(mask: Any, ip: Any) -> str | None:
    try:
        masks = [int(part) for part in to_text(mask).split(".")]
        parts = [int(part) for part in to_text(ip).split(".")]
        return ".".join(str(a & b) for a, b in zip(masks, parts, strict=True)) if len(parts) == 4 else None
    except ValueError:
        return None
