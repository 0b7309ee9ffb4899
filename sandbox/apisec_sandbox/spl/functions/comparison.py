"""Comparison and conditional functions. Source: Search Reference, "Comparison and conditional functions"."""

from __future__ import annotations

import functools
import re
from typing import Any

from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.functions.registry import MANY, Call, Evaluate, check_regex, function, regex, simple
from apisec_sandbox.spl.values import (
    Row,
    cidr_match,
    compare,
    to_text,
    values_of,
)


@function("case", 2, MANY)
def _case(call: Call) -> Evaluate:
    if len(call.args) % 2:
        raise SplError("The 'case' function takes pairs of a condition and a value")
    pairs = list(zip(call.args[::2], call.args[1::2], strict=True))

    def run(row: Row) -> Any:
        for condition, value in pairs:
            if condition(row) is True:
                return value(row)
        return None

    return run


@function("validate", 2, MANY)
def _validate(call: Call) -> Evaluate:
    """The opposite of case: the value of the first condition that is false."""
    if len(call.args) % 2:
        raise SplError("The 'validate' function takes pairs of a condition and a value")
    pairs = list(zip(call.args[::2], call.args[1::2], strict=True))

    def run(row: Row) -> Any:
        for condition, value in pairs:
            if condition(row) is not True:
                return value(row)
        return None

    return run


@function("if", 3)
def _if(call: Call) -> Evaluate:
    condition, yes, no = call.args
    return lambda row: yes(row) if condition(row) is True else no(row)


@function("coalesce", 1, MANY)
def _coalesce(call: Call) -> Evaluate:
    args = call.args
    return lambda row: next((value for value in (arg(row) for arg in args) if value is not None), None)


@function("nullif", 2)
def _nullif(call: Call) -> Evaluate:
    first, second = call.args

    def run(row: Row) -> Any:
        x, y = first(row), second(row)
        return None if x is not None and y is not None and compare(x, y) == 0 else x

    return run


@function("isnull", 1, boolean=True)
def _isnull(call: Call) -> Evaluate:
    arg = call.args[0]
    return lambda row: arg(row) is None


@function("isnotnull", 1, boolean=True)
def _isnotnull(call: Call) -> Evaluate:
    arg = call.args[0]
    return lambda row: arg(row) is not None


@function("null", 0)
def _null(_call: Call) -> Evaluate:
    return lambda _row: None


@function("true", 0, boolean=True)
def _true(_call: Call) -> Evaluate:
    return lambda _row: True


@function("false", 0, boolean=True)
def _false(_call: Call) -> Evaluate:
    return lambda _row: False


@function("in", 2, MANY, boolean=True)
def _in(call: Call) -> Evaluate:
    first, others = call.args[0], call.args[1:]

    def run(row: Row) -> bool | None:
        values = values_of(first(row))
        if not values:
            return None
        wanted = [value for value in (other(row) for other in others) if value is not None]
        return any(compare(x, y) == 0 for x in values for y in wanted)

    return run


@simple("cidrmatch", 2, boolean=True)
def _cidrmatch(net: Any, ip: Any) -> bool:
    return any(cidr_match(to_text(net), to_text(value)) for value in values_of(ip))


@functools.lru_cache(maxsize=1024)
def _like_regex(pattern: str) -> re.Pattern[str]:
    """``%`` is any text, ``_`` one character; case counts."""
    parts = (".*?" if c == "%" else "." if c == "_" else re.escape(c) for c in re.sub("%+", "%", pattern))
    return re.compile("".join(parts) + r"\Z", re.DOTALL)


@simple("like", 2, boolean=True)
def _like(text: Any, pattern: Any) -> bool:
    test = _like_regex(to_text(pattern)).match
    return any(test(to_text(value)) for value in values_of(text))


@function("match", 2, boolean=True)
def _match(call: Call) -> Evaluate:
    check_regex(call, 1)
    subject, pattern = call.args

    def run(row: Row) -> bool | None:
        x, y = subject(row), pattern(row)
        if x is None or y is None:
            return None
        search = regex(to_text(y)).search
        return any(search(to_text(value)) for value in values_of(x))

    return run
