"""Date and time functions. Source: Search Reference, "Date and time functions"."""

from __future__ import annotations

import time
from typing import Any

from apisec_sandbox.spl import times
from apisec_sandbox.spl.functions.registry import Call, Evaluate, function, simple
from apisec_sandbox.spl.values import Fixed, clean, to_number, to_text


@function("now", 0)
def _now(call: Call) -> Evaluate:
    """The time the search started, the same in every row."""
    return lambda _row: clean(float(int(call.now)))


@function("time", 0)
def _time(_call: Call) -> Evaluate:
    """The time at which this row is computed, with its fraction."""
    return lambda _row: Fixed(time.time(), 6)


@simple("strftime", 2)
def _strftime(when: Any, layout: Any) -> str | None:
    number = to_number(when)
    return None if number is None else times.strftime(number, to_text(layout))


@simple("strptime", 2)
def _strptime(text: Any, layout: Any) -> Fixed | None:
    """Shown with six decimals, as in the page's examples."""
    epoch = times.strptime(to_text(text), to_text(layout))
    return None if epoch is None else Fixed(epoch, 6)


@simple("relative_time", 2)
def _relative_time(when: Any, modifier: Any) -> float | int | None:
    number = to_number(when)
    return None if number is None else clean(times.resolve(to_text(modifier), number))
