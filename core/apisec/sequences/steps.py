"""A step, what may stand before another, and what is remembered of both."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol, Tuple

SAFE_METHODS = ("GET ", "HEAD ", "OPTIONS ")
# Verbs of remote procedures that change nothing (google.aip.dev/130, 131, 136; functions of OData).
READING = frozenset(
    ("browse", "count", "fetch", "find", "get", "list", "lookup", "query", "read", "search", "show", "view")
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
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


class Pauses(NamedTuple):
    """Mean and variance of logarithms of pauses, the last ones weighing most."""

    mean: float = 0.0
    variance: float = 0.0

    def after(self, pause: float, share: float) -> Pauses:
        """Return them with one more pause (seconds), which weighs ``share`` of all."""
        off = math.log(max(0.0, pause) + SHORTEST_PAUSE) - self.mean
        return Pauses(self.mean + share * off, (1.0 - share) * (self.variance + share * off * off))


class Beat(NamedTuple):
    """How regularly an operation is done: the pauses since its last time, and since whatever was done before."""

    last: float
    times: int
    between: Pauses
    before: Pauses

    def after(self, time: float, pause: float, weight: float) -> Beat:
        """Return it with one time more; ``weight`` is the least that a pause weighs."""
        share = max(weight, 1.0 / self.times)
        between, before = self.between.after(time - self.last, share), self.before.after(pause, share)
        return Beat(max(time, self.last), self.times + 1, between, before)


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


@lru_cache(maxsize=4096)
def reads(operation: str) -> bool:
    """Whether an operation changes nothing, as far as its name says.

    So do safe methods, and what is called so: POST /getOrder, /order.get, /orders:search, and of what GraphQL and
    JSON-RPC ask for (after a #) what begins with such a verb.
    """
    return operation.startswith(SAFE_METHODS) or not READING.isdisjoint(_verbs(operation))


def changes(operation: str) -> bool:
    """Whether an operation does something: the order in which a client reads is a habit, and no rule."""
    return not reads(operation)


def _verbs(operation: str) -> Tuple[str, ...]:
    """Return in small letters the words of an operation that stand where a procedure's verb does."""
    path, _, asked = operation.partition("#")
    name = asked or next((part for part in reversed(path.split("/")) if part and not part.startswith("{")), "")
    *_, last = re.split("[.:]", name)
    return tuple(words[0].lower() for words in (_WORD.findall(name), _WORD.findall(last)) if words)
