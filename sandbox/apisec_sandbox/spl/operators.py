"""Operators of eval expressions over values: arithmetic, concatenation, comparison, three-valued logic.

Source: Search Reference, "eval", operators; Search Manual, "Predicate expressions". Null in, null out; a
comparison with a multivalue is true when it is true for one of its values.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from apisec_sandbox.spl.values import Fixed, Row, clean, compare, to_number, to_text

Evaluate = Callable[[Row], Any]
Combine = Callable[[Any, Any], Any]


def finite(number: int | float) -> int | float | str | None:
    """A result as a field holds it: infinity is the text ``inf`` (docs: eval, Usage)."""
    if type(number) is int and -MAX_INTEGER < number < MAX_INTEGER:
        return number
    if isinstance(number, int):
        try:
            number = float(number)
        except OverflowError:
            return "inf" if number > 0 else "-inf"
    if math.isinf(number):
        return "inf" if number > 0 else "-inf"
    return clean(number)


MAX_INTEGER = 2**63  # beyond it a calculation goes on in double precision


def plus(x: Any, y: Any) -> Any:
    """Numbers are added, texts joined; a number and a text that is none give null."""
    if type(x) is int and type(y) is int:
        return finite(x + y)
    a, b = to_number(x), to_number(y)
    if a is not None and b is not None:
        return _kept(finite(a + b), x, y)
    return x + y if isinstance(x, str) and isinstance(y, str) else None


def minus(x: Any, y: Any) -> Any:
    a, b = to_number(x), to_number(y)
    return None if a is None or b is None else _kept(finite(a - b), x, y)


def _kept(result: Any, x: Any, y: Any) -> Any:
    """Decimals that strptime or round gave stay through sums and differences."""
    if type(x) is not Fixed and type(y) is not Fixed:
        return result
    if not isinstance(result, (int, float)):
        return result
    digits = [value.digits for value in (x, y) if type(value) is Fixed]
    others = [value for value in (x, y) if type(value) is not Fixed]
    if any(not float(to_number(value) or 0).is_integer() for value in others):
        return result
    return Fixed(result, min(digits))


def times(x: Any, y: Any) -> Any:
    a, b = to_number(x), to_number(y)
    return None if a is None or b is None else finite(a * b)


def divide(x: Any, y: Any) -> Any:
    """Division by zero gives null (docs: eval, Usage)."""
    a, b = to_number(x), to_number(y)
    if a is None or not b:
        return None
    try:
        return finite(a / b)
    except OverflowError:
        return None


def modulo(x: Any, y: Any) -> Any:
    """The sign is the dividend's, as in C."""
    a, b = to_number(x), to_number(y)
    if a is None or not b:
        return None
    remainder = abs(a) % abs(b)
    return clean(-remainder if a < 0 else remainder)


def concat(x: Any, y: Any) -> Any:
    if type(x) is list or type(y) is list:
        return None
    return to_text(x) + to_text(y)


ARITHMETIC: dict[str, Combine] = {"+": plus, "-": minus, ".": concat, "*": times, "/": divide, "%": modulo}
ORDERS: dict[str, Callable[[int], bool]] = {
    "=": lambda order: order == 0,
    "==": lambda order: order == 0,
    "!=": lambda order: order != 0,
    "<": lambda order: order < 0,
    ">": lambda order: order > 0,
    "<=": lambda order: order <= 0,
    ">=": lambda order: order >= 0,
}


def join(runs: list[Evaluate], combines: list[Combine]) -> Evaluate:
    """Operands of one precedence, from left to right; a null ends it."""
    if len(runs) == 2:
        a, b, combine = runs[0], runs[1], combines[0]

        def two(row: Row) -> Any:
            x, y = a(row), b(row)
            return None if x is None or y is None else combine(x, y)

        return two
    first, rest = runs[0], list(zip(combines, runs[1:], strict=True))

    def many(row: Row) -> Any:
        x = first(row)
        for combine, run in rest:
            if x is None:
                return None
            y = run(row)
            if y is None:
                return None
            x = combine(x, y)
        return x

    return many


def negative(run: Evaluate) -> Evaluate:
    def negated(row: Row) -> Any:
        number = to_number(run(row))
        return None if number is None else clean(-number)

    return negated


def comparison(left: Evaluate, right: Evaluate, op: str) -> Evaluate:
    accept = ORDERS[op]

    def run(row: Row) -> bool | None:
        x, y = left(row), right(row)
        if x is None or y is None:
            return None
        kind = type(x)
        if (kind is float or kind is int) and (type(y) is int or type(y) is float):
            return accept((x > y) - (x < y))
        if kind is list or type(y) is list:
            xs, ys = x if type(x) is list else [x], y if type(y) is list else [y]
            return any(accept(compare(i, j)) for i in xs for j in ys)
        return accept(compare(x, y))

    return run


def both(runs: list[Evaluate]) -> Evaluate:
    """AND over true, false and unknown."""

    def run(row: Row) -> bool | None:
        unknown = False
        for part in runs:
            value = part(row)
            if value is False:
                return False
            if value is not True:
                unknown = True
        return None if unknown else True

    return run


def either(runs: list[Evaluate]) -> Evaluate:
    """OR over true, false and unknown."""

    def run(row: Row) -> bool | None:
        unknown = False
        for part in runs:
            value = part(row)
            if value is True:
                return True
            if value is not False:
                unknown = True
        return None if unknown else False

    return run


def differ(runs: list[Evaluate]) -> Evaluate:
    """XOR over true, false and unknown."""

    def run(row: Row) -> bool | None:
        odd = False
        for part in runs:
            value = part(row)
            if value is not True and value is not False:
                return None
            odd ^= value
        return odd

    return run


def negate(inner: Evaluate) -> Evaluate:
    def run(row: Row) -> bool | None:
        value = inner(row)
        return not value if value is True or value is False else None

    return run
