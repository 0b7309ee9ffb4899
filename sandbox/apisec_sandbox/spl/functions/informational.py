"""Informational functions. Source: Search Reference, "Informational functions"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apisec_sandbox.spl.functions.json_functions import load
from apisec_sandbox.spl.functions.registry import Call, Evaluate, function
from apisec_sandbox.spl.values import Row, to_number


@function("typeof", 1)
def _typeof(call: Call) -> Evaluate:
    """A text in quotes is a string whatever it looks like; a field counts as what it looks like."""
    arg = call.args[0]
    if isinstance(call.constants[0], str):
        return lambda _row: "String"

    def run(row: Row) -> str:
        value = arg(row)
        if value is None:
            return "Invalid"
        if isinstance(value, bool):
            return "Boolean"
        if isinstance(value, list):
            return "Multivalue"
        return "Number" if to_number(value) is not None else "String"

    return run


def _is(name: str, test: Callable[[Any], bool]) -> None:
    def build(call: Call) -> Evaluate:
        arg = call.args[0]
        return lambda row: (value := arg(row)) is not None and test(value)

    function(name, 1, boolean=True)(build)


def _whole(value: Any) -> bool:
    number = to_number(value)
    return number is not None and float(number).is_integer()


_is("isnum", lambda value: to_number(value) is not None)
_is("isint", _whole)
_is("isdouble", lambda value: to_number(value) is not None and not _whole(value))
_is("isstr", lambda value: to_number(value) is None and not isinstance(value, bool))
_is("isbool", lambda value: isinstance(value, bool))
_is("ismv", lambda value: isinstance(value, list))
_is("isarray", lambda value: isinstance(load(value), list))
_is("isobject", lambda value: isinstance(load(value), dict))
