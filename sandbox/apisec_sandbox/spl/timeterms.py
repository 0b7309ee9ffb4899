"""Terms of a search that set its time range: earliest, latest, timeformat, minutesago and their like.

Source: Search Manual, "Specify time modifiers in your search"; Search Reference, "Time modifiers" (a range in the
search replaces the whole range of the job; without ``latest`` it ends now) and "search".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from apisec_sandbox.spl import times
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.terms import Test
from apisec_sandbox.spl.values import Row, to_number

AGO = re.compile(r"(start|end)?(minutes|hours|days|months)ago\Z")
ABSOLUTE = "%m/%d/%Y:%H:%M:%S"  # timeformat's default
INDEX_TIME = frozenset(("_index_earliest", "_index_latest"))
TIME_TERMS = INDEX_TIME | {"earliest", "latest", "starttime", "endtime", "timeformat"}
SPAN_UNITS = {"minutes": "m", "hours": "h", "days": "d", "months": "mon"}


def is_time_term(name: str) -> bool:
    return name in TIME_TERMS or AGO.match(name) is not None


@dataclass
class TimeRange:
    """What the terms read so far say about time."""

    earliest: float | None = None
    latest: float | None = None
    layout: str = ABSOLUTE

    def take(self, name: str, op: str, value: str, now: float) -> Test | None:
        """Read a term; return the test of one that speaks of the time of indexing.

        Raises:
            SplError: without a position.
        """
        if name == "timeformat":
            self.layout = value
            return None
        ago = AGO.match(name)
        if ago and not value.isdigit():
            raise SplError(f"{name} needs a whole number, given {value!r}")
        text = f"-{value}{SPAN_UNITS[ago[2]]}" if ago else value
        epoch = times.resolve(text, now, "" if ago else self.layout)
        if name in INDEX_TIME:
            return _index_time(epoch, first=name == "_index_earliest")
        ends = name in ("latest", "endtime") or (ago is not None and ago[1] == "end")
        if op not in (("=", "<", "<=") if ends else ("=", ">", ">=")):
            raise SplError(f"{name}{op} is no time range; use {name}=")
        if ends:
            self.latest = epoch
        else:
            self.earliest = epoch
        return None


def effective(
    earliest: float | None, latest: float | None, asked: tuple[float, float], now: float
) -> tuple[float, float]:
    """The range to search: what the search says, or what was asked for where it says nothing."""
    if earliest is None and latest is None:
        return asked
    return 0.0 if earliest is None else earliest, now if latest is None else latest


def _index_time(epoch: float, first: bool) -> Test:
    def run(row: Row) -> bool:
        when = to_number(row.get("_indextime"))
        return when is not None and (when >= epoch if first else when < epoch)

    return run
