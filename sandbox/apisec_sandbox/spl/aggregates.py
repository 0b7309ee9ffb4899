"""The statistical functions of stats and its kin by name.

Source: Search Reference, "Statistical and charting functions".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from apisec_sandbox.spl.accumulators import (
    Accumulator,
    Average,
    ByTime,
    Count,
    DistinctCount,
    EstimatedError,
    Extreme,
    First,
    Last,
    ListOf,
    Mode,
    Per,
    Range,
    Rate,
    Sum,
    SumOfSquares,
    Values,
)
from apisec_sandbox.spl.distributions import Percentile, Spread
from apisec_sandbox.spl.errors import SplError, suggestion
from apisec_sandbox.spl.values import to_number

PERCENTILE = re.compile(r"(exactperc|upperperc|perc|p)(\d{1,2}(?:\.\d+)?|100)\Z")
PLAIN_NUMBER = frozenset("0123456789+-.eE")
PLAIN_WHOLE = frozenset("0123456789+-")


def to_numbers(values: Sequence[Any]) -> list[Any]:
    """Return ``to_number`` of every value: in bulk where all are plain decimal texts or numbers, else one by one."""
    kinds = set(map(type, values))
    if kinds <= {int, float}:
        return list(values)
    if kinds == {str}:
        used = set("".join(values))
        try:
            if used <= PLAIN_WHOLE and max(map(len, values)) <= 18:  # beyond, to_number gives a double
                return list(map(int, values))
            if used <= PLAIN_NUMBER:  # excludes inf, nan and 1_000, which float() takes and SPL does not
                return list(map(float, values))
        except (ValueError, OverflowError):
            pass
    return [to_number(value) for value in values]


Factory = Callable[[], Accumulator]
FUNCTIONS: dict[str, Factory] = {
    "count": Count,
    "c": Count,
    "dc": DistinctCount,
    "distinct_count": DistinctCount,
    "estdc": DistinctCount,
    "estdc_error": EstimatedError,
    "sum": Sum,
    "sumsq": SumOfSquares,
    "avg": Average,
    "mean": Average,
    "min": lambda: Extreme(-1),
    "max": lambda: Extreme(1),
    "range": Range,
    "values": Values,
    "list": ListOf,
    "first": First,
    "last": Last,
    "earliest": lambda: ByTime(-1),
    "latest": lambda: ByTime(1),
    "earliest_time": lambda: ByTime(-1, give_time=True),
    "latest_time": lambda: ByTime(1, give_time=True),
    "rate": Rate,
    "stdev": lambda: Spread(sample=True, root=True),
    "stdevp": lambda: Spread(sample=False, root=True),
    "var": lambda: Spread(sample=True, root=False),
    "varp": lambda: Spread(sample=False, root=False),
    "mode": Mode,
    "median": lambda: Percentile(50.0),
}
PER: dict[str, Factory] = {
    "per_second": lambda: Per(1),
    "per_minute": lambda: Per(60),
    "per_hour": lambda: Per(3600),
    "per_day": lambda: Per(86400),
}
NEEDS_TIME = frozenset(("earliest", "latest", "earliest_time", "latest_time", "rate"))
COUNTING = frozenset(("count", "c", "dc", "distinct_count", "estdc"))
ANY_ORDER = frozenset(
    (
        "count",
        "c",
        "dc",
        "distinct_count",
        "estdc",
        "estdc_error",
        "sum",
        "sumsq",
        "avg",
        "mean",
        "min",
        "max",
        "range",
        "values",
        "stdev",
        "stdevp",
        "var",
        "varp",
        "median",
    )
)  # their result does not depend on the order of the rows (doubles are summed to within rounding)
ELSEWHERE = {
    "rate_avg": "is for mstats only",
    "rate_sum": "is for mstats only",
    "sparkline": "is not supported by this stand-in",
}


def factory(name: str) -> Factory:
    """Return what makes an accumulator of this function.

    Raises:
        SplError: no such function; it names the nearest.
    """
    folded = name.lower()
    found = FUNCTIONS.get(folded) or PER.get(folded)
    if found:
        return found
    if folded in ELSEWHERE:
        raise SplError(f"The aggregation function '{name}' {ELSEWHERE[folded]}.")
    match = PERCENTILE.match(folded)
    if match:
        kind, percent = match[1], float(match[2])
        return lambda: Percentile(percent, exact=kind == "exactperc", upper=kind == "upperperc")
    near = suggestion(name, [*FUNCTIONS, *PER, "perc95", "p95"])
    raise SplError(f"The aggregation function '{name}' is unknown.{near}")


def order_free(name: str) -> bool:
    """Return whether the function gives the same whatever the order of the rows."""
    return name in ANY_ORDER or PERCENTILE.match(name) is not None
