"""How much of what a principal does gives it something that it did not have, and nothing else beside it.

People who see much of a collection do much else: they look at their own things, log in, go through flows. Who takes a
collection asks for things and for what names them, at whatever pace. So the different things of seven days are divided
by all requests that read neither them nor the lists that name them. A short visit with nothing else is common, and so
is a long one with much else; both at once is what people do not show. The measure is judged beside what others of the
operation reach (``extremes``), and only where it is known to serve what is there for everybody: desks and auditors read
much of what few hold, and do nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterable, Tuple

from apisec.abuse import sharing
from apisec.abuse.base import OPERATION, Context, decades
from apisec.abuse.extremes import Extremes
from apisec.activity.hashing import value_hash32
from apisec.sequences.steps import reads

if TYPE_CHECKING:
    from apisec.abuse.tally import Counted

HARVEST = "harvest"  # what is measured: different things of seven days for each request that is for something else
GRAIN = 1.0
LEAST_THINGS = 50.0  # fewer fit into one visit
STANDS_OUT = 1.3  # decades: less is how people differ
WEEK = 2  # index of the horizon


def harvested(context: Context, operation: str, counted: Counted) -> Tuple[float, float, float]:
    """Return in decades how unusual a harvest is, how many different things it is, and the requests for others."""
    things, others = _harvest(counted, operation, _most_read(counted))
    if things < LEAST_THINGS:
        return 0.0, 0.0, 0.0
    return _decades(context, operation, counted, things, others), things, others


def stands_out(context: Context, operation: str, counted: Counted) -> bool:
    """Whether a harvest, of whatever size, is what one in twenty principals of the operation has.

    The window is not in the trails yet. One such says nothing; many at once do.
    """
    things, others = _harvest(counted, operation, _most_read(counted, marking=True), marking=True)
    return _decades(context, operation, counted, things, others) >= STANDS_OUT


def _decades(context: Context, operation: str, counted: Counted, things: float, others: float) -> float:
    extremes = context.peek(OPERATION, (counted.row.service, operation), Extremes)
    if extremes is None or not extremes.known(HARVEST) or not sharing.is_public(context, operation, counted):
        return 0.0
    return decades(extremes.tail(HARVEST, things / (others + 1.0), GRAIN, value_hash32(counted.row.principal)))


def learn(counted: Counted, context: Context) -> None:
    """Take from an ordinary principal what its harvest of each operation of the window is."""
    most_read: Tuple[Tuple[float, str], ...] = ()
    for name in counted.by_operation:
        if name in counted.part.operations and reads(name):
            most_read = most_read or _most_read(counted)
            things, others = _harvest(counted, name, most_read)
            if things:
                extremes = context.part(OPERATION, (counted.row.service, name), Extremes)
                extremes.take(HARVEST, value_hash32(counted.row.principal), things / (others + 1.0))


def _harvest(
    counted: Counted, operation: str, most_read: Iterable[Tuple[float, str]], marking: bool = False
) -> Tuple[float, float]:
    """Return the different things of seven days, and the requests for anything but them and what names them."""
    things = _week(counted, operation, "objects", marking)
    beside = next((requests for requests, name in most_read if name != operation), 0.0)
    requests = counted.part.total.sums("requests")[WEEK] + (counted.counts.get("requests", 0.0) if marking else 0.0)
    return things, max(0.0, requests - _week(counted, operation, "requests", marking) - beside)


def _most_read(counted: Counted, marking: bool = False) -> Tuple[Tuple[float, str], ...]:
    """Return the two operations that the principal reads most, with its requests for them in seven days."""
    names = {*counted.part.operations, *counted.by_operation} if marking else counted.part.operations
    read = sorted(((_week(counted, name, "requests", marking), name) for name in names if reads(name)), reverse=True)
    return tuple(read[:2])


def _week(counted: Counted, operation: str, counter: str, marking: bool) -> float:
    trail = counted.part.operations.get(operation)
    before = trail.sums(counter)[WEEK] if trail is not None else 0.0
    return before + counted.by_operation.get(operation, {}).get(counter, 0.0) if marking else before
