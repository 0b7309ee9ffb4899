"""Statistical functions; null arguments are left out. Source: Search Reference, "Statistical eval functions"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apisec_sandbox.spl.functions.registry import MANY, Call, Evaluate, function
from apisec_sandbox.spl.values import (
    Row,
    clean,
    sort_key,
    to_number,
    values_of,
)


def _extreme(name: str, pick: Callable[[int], bool]) -> None:
    def build(call: Call) -> Evaluate:
        args = call.args

        def run(row: Row) -> Any:
            values = [item for arg in args for item in values_of(arg(row))]
            if not values:
                return None
            best = values[0]
            for value in values[1:]:
                a, b = sort_key(value), sort_key(best)  # numbers count as smaller than texts
                if pick((a > b) - (a < b)):
                    best = value
            return best

        return run

    function(name, 1, MANY)(build)


_extreme("max", lambda order: order > 0)
_extreme("min", lambda order: order < 0)


def _numbers(call: Call, row: Row) -> list[float]:
    found = (to_number(item) for arg in call.args for item in values_of(arg(row)))
    return [number for number in found if number is not None]


@function("sum", 1, MANY)
def _sum(call: Call) -> Evaluate:
    return lambda row: clean(sum(numbers)) if (numbers := _numbers(call, row)) else None


@function("avg", 1, MANY)
def _avg(call: Call) -> Evaluate:
    return lambda row: clean(sum(numbers) / len(numbers)) if (numbers := _numbers(call, row)) else None
