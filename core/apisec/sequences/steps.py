"""A step, what may stand before another, and what is remembered of both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, Tuple

SAFE_METHODS = ("GET ", "HEAD ", "OPTIONS ")


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


class Break(NamedTuple):
    """A rule that was broken; ``thing`` is the object's hash, 0 when the step named none."""

    time: float
    operation: str
    pair: Pair
    thing: int


def succeeded(status: int) -> bool:
    return status < 400


def changes(operation: str) -> bool:
    """Whether an operation does something: the order in which a client reads is a habit, and no rule."""
    return not operation.startswith(SAFE_METHODS)
