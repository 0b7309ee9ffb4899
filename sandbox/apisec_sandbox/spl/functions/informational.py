"""Informational functions. Source: Search Reference, "Informational functions"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apisec_sandbox.spl.functions.registry import Call, Evaluate, function
from apisec_sandbox.spl.values import (
    Row,
    clean,
    to_number,
)


@function("typeof", 1)
def _typeof(call: Call) -> Evaluate:
    arg = call.args[0]

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


_is("isnum", lambda value: to_number(value) is not None)
_is("isint", lambda value: isinstance(clean(to_number(value) or 0), int) and to_number(value) is not None)
_is("isstr", lambda value: to_number(value) is None and not isinstance(value, bool))
_is("isbool", lambda value: isinstance(value, bool))
