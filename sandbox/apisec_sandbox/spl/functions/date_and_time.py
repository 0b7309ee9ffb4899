"""Date and time functions. Source: Search Reference, "Date and time functions"."""

from __future__ import annotations

from typing import Any

from apisec_sandbox.spl import times
from apisec_sandbox.spl.functions.registry import Call, Evaluate, function, simple
from apisec_sandbox.spl.values import (
    clean,
    to_number,
    to_text,
)


@function("now", 0)
def _now(call: Call) -> Evaluate:
    """The time the search started, the same in every row; time() too, to keep a search repeatable."""
    return lambda _row: clean(float(int(call.now)))


@function("time", 0)
def _time(call: Call) -> Evaluate:
    return lambda _row: call.now


@simple("strftime", 2)
def _strftime(when: Any, layout: Any) -> str | None:
    number = to_number(when)
    return None if number is None else times.strftime(number, to_text(layout))


@simple("strptime", 2)
def _strptime(text: Any, layout: Any) -> float | int | None:
    epoch = times.strptime(to_text(text), to_text(layout))
    return None if epoch is None else clean(epoch)


@simple("relative_time", 2)
def _relative_time(when: Any, modifier: Any) -> float | int | None:
    number = to_number(when)
    return None if number is None else clean(times.resolve(to_text(modifier), number))
