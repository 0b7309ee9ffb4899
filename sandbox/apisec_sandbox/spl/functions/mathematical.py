"""Mathematical functions. Source: Search Reference, "Mathematical functions"."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from apisec_sandbox.spl.functions.registry import Call, Evaluate, function, simple
from apisec_sandbox.spl.operators import finite
from apisec_sandbox.spl.values import Fixed, Row, to_number

MOST_DIGITS = 20
EXACT = Context(prec=400)  # wide enough for any double


def numeric(name: str, compute: Callable[..., float], least: int = 1, most: int | None = None) -> None:
    """Register a function of numbers; null where an argument is no number or the function has no value there."""

    def plain(*values: Any) -> Any:
        numbers = [to_number(value) for value in values]
        if any(number is None for number in numbers):
            return None
        try:
            return finite(compute(*numbers))
        except OverflowError:
            return "inf"
        except (ValueError, ZeroDivisionError):
            return None

    simple(name, least, most)(plain)


def round_half_up(number: float, digits: float = 0) -> float:
    """Halves are rounded away from zero; decimal arithmetic on the shortest text keeps 2.675 at 2.68."""
    places = max(-MOST_DIGITS, min(MOST_DIGITS, int(digits)))
    return float(Decimal(repr(number)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, EXACT))


@simple("round", 1, 2)
def _round(value: Any, digits: Any = 0) -> Any:
    """The decimals that were asked for are shown: round(5, 2) is 5.00."""
    number, places = to_number(value), to_number(digits)
    if number is None or places is None or not math.isfinite(number):
        return None
    rounded = round_half_up(number, places)
    return Fixed(rounded, min(int(places), MOST_DIGITS)) if places >= 1 else finite(rounded)


def _log(number: float, base: float = 10) -> float:
    return math.log10(number) if base == 10 else math.log2(number) if base == 2 else math.log(number, base)


def _power(base: float, exponent: float) -> float:
    """Whole numbers stay exact as long as a double would."""
    whole = isinstance(base, int) and isinstance(exponent, int) and 0 <= exponent <= 64
    return base**exponent if whole and abs(base) < 2**32 else math.pow(base, exponent)


numeric("abs", abs)
numeric("ceil", math.ceil)
numeric("ceiling", math.ceil)
numeric("floor", math.floor)
numeric("sqrt", math.sqrt)
numeric("exp", math.exp)
numeric("ln", math.log)
numeric("log", _log, 1, 2)
numeric("pow", _power, 2)
numeric("exact", lambda number: number)


@function("sigfig", 1)
def _sigfig(call: Call) -> Evaluate:
    """As many digits as the least exact operand of * and / has, or decimals of + and -; whole numbers are exact."""
    arg = call.args[0]
    significant, decimals = call.digits[0]

    def run(row: Row) -> Any:
        number = to_number(arg(row))
        if number is None or not math.isfinite(number):
            return None
        if significant is not None:
            return finite(float(f"{number:.{significant}g}"))
        return finite(number) if decimals is None else finite(round_half_up(number, decimals))

    return run


@function("pi", 0)
def _pi(_call: Call) -> Evaluate:
    """To 11 digits of precision, says the page; a double holds more."""
    return lambda _row: math.pi


@function("random", 0)
def _random(_call: Call) -> Evaluate:
    return lambda _row: random.randrange(2**31)  # noqa: S311 - documented as pseudo-random, 0 to 2^31-1
