"""How rare something is among ordinary principals: shares with spread, and rates of beginnings.

Two bounds carry the families that remember. A *share* (of a principal's objects that nobody gave it) is judged by a
beta-binomial whose spread between principals is fitted, so that where some ordinary principals bring ids from
elsewhere, nobody is accused of it. A *beginning* (a credential on a new client) is judged by how often ordinary
traffic shows one. What is learned waits for a day in a queue, and is thrown away when its principal has come under
suspicion by then: an attack does not teach that it is ordinary.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Dict, List, Optional, Tuple

from apisec.abuse.base import SLOTS_PER_DAY
from apisec.baselines.tails import beta_binomial_tail
from apisec.errors import DocumentError

MAX_TRIALS = 400  # more than these say no more; they are scaled down
MOST_OF_ONE = 64.0  # trials of one principal and day that count in a population
# Before anything is known, half a hit in 25 trials; a correlation within principals of .3 (a few bring all of them).
PRIOR_HITS, PRIOR_TRIALS = 0.5, 25.0
PRIOR_CORRELATION, PRIOR_GROUPS = 0.3, 8.0
LEAST_CORRELATION, MOST_CORRELATION = 0.05, 0.98
WEEKLY_DECAY = 0.8  # of what a population remembers: it follows an API that changes within months
SLOTS_PER_WEEK = 7 * SLOTS_PER_DAY
WAIT_SLOTS = SLOTS_PER_DAY  # from something new to its being learned


def correlated_tail(hits: float, trials: float, mean: float, correlation: float) -> float:
    """Return the chance of at least ``hits`` of ``trials`` where shares vary between principals.

    ``mean`` is the average share, ``correlation`` (intra-class, 0–1) says how much of the variance lies between
    principals: near 1 each principal does it always or never.
    """
    if hits <= 0.0:
        return 1.0
    if trials > MAX_TRIALS:
        hits, trials = hits * MAX_TRIALS / trials, float(MAX_TRIALS)
    count = max(1, round(trials))
    mean, correlation = _rounded(mean), _rounded(correlation)
    spread = (1.0 - correlation) / correlation
    reached = min(count, max(1, math.floor(hits + 1e-9)))
    return beta_binomial_tail(reached, count, mean * spread, (1.0 - mean) * spread)


def _rounded(share: float) -> float:
    return float(f"{share:.3g}")


class Population:
    """Shares of many principals: enough sums to fit their mean and how much they differ. Sums add up over shards."""

    __slots__ = ("groups", "hits", "squares", "telling", "trials", "within")

    def __init__(self, sums: Sequence[float] = (0.0,) * 6) -> None:
        # Principals (and days); those of them with a hit; trials, hits; squares of trials; hits squared by trials.
        self.groups, self.telling, self.trials, self.hits, self.squares, self.within = sums

    def add(self, hits: float, trials: float) -> None:
        """Count one principal's day; of one with very many trials only its share counts, and not their number."""
        if trials <= 0.0:
            return
        self._count(hits, trials, 1.0)

    def remove(self, hits: float, trials: float) -> None:
        """Take back what ``add`` counted."""
        if trials > 0.0:
            self._count(hits, trials, -1.0)

    def _count(self, hits: float, trials: float, sign: float) -> None:
        hits = min(hits, trials)
        if trials > MOST_OF_ONE:
            hits, trials = hits * MOST_OF_ONE / trials, MOST_OF_ONE
        self.groups += sign
        self.telling += sign * (hits > 0.0)
        self.trials += sign * trials
        self.hits += sign * hits
        self.squares += sign * trials * trials
        self.within += sign * hits * hits / trials

    def copy(self) -> Population:
        return Population([getattr(self, name) for name in _SUMS])

    def scaled(self, groups: float) -> Population:
        """Return the same shares as of so many principals, if there are more."""
        factor = min(1.0, groups / self.groups) if self.groups > 0.0 else 1.0
        return Population([factor * getattr(self, name) for name in _SUMS])

    def merge(self, other: Population) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def fade(self, weeks: int) -> None:
        factor = WEEKLY_DECAY**weeks
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) * factor)

    @property
    def mean(self) -> float:
        return (self.hits + PRIOR_HITS) / (self.trials + PRIOR_TRIALS)

    @property
    def correlation(self) -> float:
        """The intra-class correlation by analysis of variance (Ridout et al., Biometrics 55, 1999), shrunk."""
        known = self.telling
        fitted = self._fitted() if known >= 1.0 and self.groups > 1.0 else PRIOR_CORRELATION
        value = (known * fitted + PRIOR_GROUPS * PRIOR_CORRELATION) / (known + PRIOR_GROUPS)
        return min(MOST_CORRELATION, max(LEAST_CORRELATION, value))

    def _fitted(self) -> float:
        groups, trials, hits = self.groups, self.trials, self.hits
        spare = trials - groups
        if spare <= 0.0:  # one trial each: nothing tells within from between
            return PRIOR_CORRELATION
        between = max(0.0, self.within - hits * hits / trials) / (groups - 1.0)
        within = max(0.0, hits - self.within) / spare
        size = (trials - self.squares / trials) / (groups - 1.0)
        total = between + (size - 1.0) * within
        return max(0.0, (between - within) / total) if total > 0.0 else PRIOR_CORRELATION

    def tail(self, hits: float, trials: float, own_hits: float = 0.0, own_trials: float = 0.0) -> float:
        """Return the chance of so many hits by an ordinary principal, given what it did before (``own_*``)."""
        mean, correlation = self.mean, self.correlation
        if own_trials > 0.0:
            # Beta prior and binomial history: the posterior is a beta distribution again.
            weight = (1.0 - correlation) / correlation
            mean = (mean * weight + own_hits) / (weight + own_trials)
            correlation = 1.0 / (1.0 + weight + own_trials)
        return correlated_tail(hits, trials, mean, correlation)

    def to_state(self) -> List[float]:
        return [round(getattr(self, name), 4) for name in _SUMS]

    @classmethod
    def from_state(cls, state: Any) -> Population:
        """Raises DocumentError when it is not one of ``to_state``."""
        return cls(numbers(state, 6, "population"))


_SUMS = ("groups", "telling", "trials", "hits", "squares", "within")  # in the order of their state


def beginning(seen: float, exposure: float, prior: float, weight: float) -> float:
    """Return the chance that a unit of exposure shows a beginning, of which there were ``seen`` in ``exposure`` units.

    ``prior`` is the rate assumed before anything is known, which weighs ``weight`` units.
    """
    return min(1.0, (seen + prior * weight) / (exposure + weight))


Waiting = List[Any]  # [slot, principal, what...], JSON


class Queue:
    """What is to be learned a day later, unless its principal is under suspicion then. Bounded: the oldest is lost."""

    __slots__ = ("limit", "waiting")

    def __init__(self, limit: int, waiting: Sequence[Waiting] = ()) -> None:
        self.limit = limit
        self.waiting: List[Waiting] = list(waiting)

    def add(self, slot: int, principal: str, *what: Any) -> None:
        self.waiting.append([slot, principal, *what])
        if len(self.waiting) > self.limit:
            del self.waiting[: self.limit // 8]

    def ripe(
        self,
        slot: int,
        suspicious: Callable[[str], bool],
        wait: int = WAIT_SLOTS,
        held: Optional[Callable[[Waiting], bool]] = None,
    ) -> Iterator[Waiting]:
        """Take out and yield what has waited long enough and is of ordinary principals; ``held`` goes on waiting."""
        if not self.waiting or self.waiting[0][0] > slot - wait:
            return
        ready = [one for one in self.waiting if one[0] <= slot - wait and not (held is not None and held(one))]
        if not ready:
            return
        taken = {id(one) for one in ready}
        self.waiting = [one for one in self.waiting if id(one) not in taken]
        for one in ready:
            if not suspicious(one[1]):
                yield one

    def merge(self, other: Queue) -> None:
        self.waiting = sorted(self.waiting + other.waiting, key=lambda one: (one[0], one[1]))[-self.limit :]

    def to_state(self) -> List[Waiting]:
        return self.waiting

    @classmethod
    def from_state(cls, state: Any, limit: int, kinds: Tuple[type, ...]) -> Queue:
        """``kinds`` are the types of what follows slot and principal; raises DocumentError."""
        if not isinstance(state, list) or len(state) > limit:
            raise DocumentError(f"a queue is a list of at most {limit}", where="queue")
        every = (int, str, *kinds)
        for one in state:
            if not isinstance(one, list) or len(one) != len(every):
                raise DocumentError("something in a queue has another shape", where="queue")
            if not all(type(value) is kind for value, kind in zip(one, every)):
                raise DocumentError("something in a queue is of another type", where="queue")
        return cls(limit, state)


# --- reading state -----------------------------------------------------------------------------------------


def numbers(state: Any, count: int, where: str) -> List[float]:
    """Return ``count`` finite numbers of at least 0; raises DocumentError for anything else."""
    if not isinstance(state, (list, tuple)) or len(state) != count:
        raise DocumentError(f"is not a list of {count} numbers", where=where)
    if not all(type(one) in (int, float) and 0 <= one < math.inf for one in state):
        raise DocumentError("holds something that is no number of at least 0", where=where)
    return list(state)


def mapping(state: Any, limit: int, where: str) -> Mapping[str, Any]:
    """Return a mapping of at most ``limit`` members; raises DocumentError for anything else."""
    if not isinstance(state, Mapping) or len(state) > limit or not all(isinstance(name, str) for name in state):
        raise DocumentError(f"is not a mapping of at most {limit} members", where=where)
    return state


def hash_of(text: str, where: str) -> int:
    """Return the 32 bits of a member's name; raises DocumentError."""
    if not text.isascii() or not text.isdigit() or len(text) > 10:
        raise DocumentError("a member's name is not a hash", where=where)
    return int(text)


def by_hash(state: Any, limit: int, where: str) -> Dict[int, Any]:
    """Return a mapping whose members' names are numbers; raises DocumentError."""
    return {hash_of(name, where): value for name, value in mapping(state, limit, where).items()}
