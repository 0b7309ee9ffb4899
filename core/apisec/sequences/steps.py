"""A step, what may stand before another, and what is remembered of both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol, Tuple

SAFE_METHODS = ("GET ", "HEAD ", "OPTIONS ")
GAVE = 0  # stands between ids that a request named and those that its answer gave
SHORTEST_PAUSE = 0.05  # seconds: what is shorter is the network's


class Taken(Protocol):
    """A step as an activity row has it: ``time`` in seconds since the epoch, ``ids`` hashes of object ids."""

    @property
    def time(self) -> float: ...
    @property
    def operation(self) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def ids(self) -> Sequence[int]: ...


class Pair(NamedTuple):
    """A step before another: any in the same flow, or (``linked``) one for the same object."""

    requires: str
    linked: bool


class Done(NamedTuple):
    time: float
    named: bool  # the step said which object it was about


class Look(NamedTuple):
    """How a principal did one operation on its last day: how often, and what had stood before it each time."""

    day: int
    times: int
    last: float
    kept: Tuple[Pair, ...]
    taught: int  # days on which it has taught
    taught_day: int  # the last of them


class Beat(NamedTuple):
    """How regularly an operation is done: logarithms of the pauses between, the last ones weighing most."""

    last: float
    times: int
    mean: float
    variance: float

    def after(self, time: float, weight: float) -> Beat:
        """Return it with one time more; ``weight`` is the least that a pause weighs."""
        logarithm = math.log(max(0.0, time - self.last) + SHORTEST_PAUSE)
        share = max(weight, 1.0 / self.times)
        off = logarithm - self.mean
        mean = self.mean + share * off
        return Beat(max(time, self.last), self.times + 1, mean, (1.0 - share) * (self.variance + share * off * off))


class Break(NamedTuple):
    """A rule that was broken; ``thing`` is the object's hash, 0 when the step named none."""

    time: float
    operation: str
    pair: Pair
    thing: int


def split_ids(ids: Sequence[int]) -> Tuple[Tuple[int, ...], Tuple[int, ...]]:
    """Return the ids that a request names, and those that its answer gave."""
    place = ids.index(GAVE) if GAVE in ids else len(ids)
    return tuple(ids[:place]), tuple(ids[place + 1 :])


def succeeded(status: int) -> bool:
    return status < 400


def changes(operation: str) -> bool:
    """Whether an operation does something: the order in which a client reads is a habit, and no rule."""
    return not operation.startswith(SAFE_METHODS)
