"""Mathematical functions. Source: Search Reference, "Mathematical functions"."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

from apisec_sandbox.spl.functions.registry import Call, Evaluate, function, simple
from apisec_sandbox.spl.values import (
    clean,
    to_number,
)


def _math(name: str, compute: Callable[..., float], least: int = 1, most: int | None = None) -> None:
    def plain(*values: Any) -> Any:
        numbers = [to_number(value) for value in values]
        if any(number is None for number in numbers):
            return None
        try:
            return clean(compute(*numbers))
        except (ValueError, OverflowError, ZeroDivisionError):
            return None

    simple(name, least, most)(plain)


def _power(base: float, exponent: float) -> float:
    return math.pow(base, exponent)


def round_half_up(number: float, digits: float = 0) -> float:
    """Splunk rounds halves away from zero; decimal arithmetic on the shortest text keeps 2.675 at 2.68."""
    from decimal import ROUND_HALF_UP, Decimal

    places = max(-20, min(20, int(digits)))
    return float(Decimal(repr(number)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP))


_math("abs", abs)
_math("ceil", math.ceil)
_math("ceiling", math.ceil)
_math("floor", math.floor)
_math("round", round_half_up, 1, 2)
_math("sqrt", math.sqrt)
_math("exp", math.exp)
_math("ln", math.log)
_math("log", lambda number, base=10: math.log10(number) if base == 10 else math.log(number, base), 1, 2)
_math("pow", _power, 2)
_math("sin", math.sin)
_math("cos", math.cos)
_math("tan", math.tan)
_math("exact", lambda number: number)
_math("sigfig", lambda number: float(f"{number:.6g}"))


@function("pi", 0)
def _pi(_call: Call) -> Evaluate:
    return lambda _row: math.pi


@function("random", 0)
def _random(_call: Call) -> Evaluate:
    return lambda _row: random.randrange(2**31)  # noqa: S311 - documented as pseudo-random, 0 to 2^31-1
