"""What is remembered of all that comes to an operation or a service: who contributes to what, how many fail, shares."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Dict, List, Tuple

from apisec.abuse.base import (
    SLOTS_PER_DAY,
    SLOTS_PER_HOUR,
)
from apisec.abuse.counters import Trail
from apisec.abuse.lately import Lately
from apisec.abuse.shares import Share, merged
from apisec.activity.parts import Hashes
from apisec.errors import DocumentError

WAVE_LEAST = 3  # principals
WAVE_P = 1e-3  # chance of so many at once on an ordinary day
WAVE_FACTOR = 3.0  # times what the others have is still explained
WAVE_SLOTS = 2 * SLOTS_PER_HOUR  # how long one has to have failed together
USUAL_WEIGHT = 1.0 / (4 * SLOTS_PER_DAY)  # of a window in the usual number of failing principals
MAX_FAILING = 512  # principals by counter
MAX_CONTRIBUTORS = 128  # by mark
CONTRIBUTOR_SLOTS = SLOTS_PER_DAY
MAX_SUCCEEDED = 64
MAX_SHARES = 16


def poisson_tail(count: int, mean: float) -> float:
    """Return P(X >= count) of a Poisson distribution; summed from below, good to 1e-12 or so."""
    if count <= 0:
        return 1.0
    term = total = math.exp(-mean)
    for k in range(1, count):
        term *= mean / k
        total += term
    return max(0.0, 1.0 - total)


class Wave:
    """Established principals that failed lately in one way, and how many do on an ordinary day."""

    __slots__ = ("failing", "usual")

    def __init__(self) -> None:
        self.failing: Dict[str, Tuple[int, float]] = {}  # principal: slot it failed last, failures (halved when idle)
        self.usual = 0.0

    def add(self, principal: str, slot: int, count: float) -> None:
        last, before = self.failing.get(principal, (slot, 0.0))
        self.failing[principal] = (slot, before + count if slot - last < WAVE_SLOTS else count)
        if len(self.failing) > MAX_FAILING:
            del self.failing[min(self.failing, key=lambda who: (self.failing[who][0], who))]

    def close(self, slot: int) -> None:
        """End a window: the usual number follows the present one slowly."""
        self.failing = {who: one for who, one in self.failing.items() if slot - one[0] < WAVE_SLOTS}
        self.usual += USUAL_WEIGHT * (len(self.failing) - self.usual)

    def explained(self, principal: str) -> float:
        """Return how many failures are explained by what befalls the others; 0 where there is no wave."""
        others = [count for who, (_, count) in self.failing.items() if who != principal]
        if len(others) < WAVE_LEAST or poisson_tail(len(others), self.usual) > WAVE_P:
            return 0.0
        return WAVE_FACTOR * max(1.0, sum(others) / len(others))


class OperationTraffic:
    """What was done to one operation, or to a service as a whole. The part "traffic" of its profile."""

    name: ClassVar[str] = "traffic"
    __slots__ = ("answered", "contributors", "shares", "succeeded", "total", "waves")

    def __init__(self) -> None:
        self.total = Trail()
        self.answered = 0  # requests that were answered with 2xx or 3xx, ever
        self.succeeded = Hashes(MAX_SUCCEEDED)  # principals that were
        self.waves: Dict[str, Wave] = {}
        self.shares: Dict[str, Share] = {}
        # By mark and principal: who to name when an operation is under attack.
        self.contributors: Dict[str, Dict[str, Lately]] = {}

    def contribute(self, mark: str, principal: str, slot: int, count: float) -> None:
        held = self.contributors.setdefault(mark, {})
        held[principal] = held.get(principal, Lately()).add(slot, count)
        _bound(held)

    def members(self, mark: str, since: int) -> List[str]:
        """Return who contributed since a slot, the largest contribution first."""
        held = self.contributors.get(mark, {})
        recent = [(-one.total, who) for who, one in held.items() if one.slot >= since]
        return [who for _, who in sorted(recent)]

    def forget(self, slot: int) -> None:
        self.total.advance(slot)
        oldest = slot - CONTRIBUTOR_SLOTS
        for mark in list(self.contributors):
            held = {who: one for who, one in self.contributors[mark].items() if one.slot >= oldest}
            if held:
                self.contributors[mark] = held
            else:
                del self.contributors[mark]

    def merge(self, other: OperationTraffic) -> None:
        self.total.merge(other.total)
        self.answered += other.answered
        self.succeeded.merge(other.succeeded)
        for mark, held in other.contributors.items():
            mine = self.contributors.setdefault(mark, {})
            for who, one in held.items():
                mine[who] = mine[who].merge(one) if who in mine else one
                _bound(mine)
        merged(self.shares, other.shares)
        for name, wave in other.waves.items():
            known = self.waves.setdefault(name, Wave())
            known.usual = max(known.usual, wave.usual)
            known.failing.update(wave.failing)

    def to_state(self) -> Dict[str, Any]:
        self.succeeded.trim()
        return {
            "total": self.total.to_state(),
            "answered": self.answered,
            "succeeded": sorted(self.succeeded.values),
            "trimmed": self.succeeded.trimmed,
            "waves": {
                name: {"usual": round(wave.usual, 6), "failing": {who: list(one) for who, one in wave.failing.items()}}
                for name, wave in self.waves.items()
            },
            "shares": {name: share.to_state() for name, share in self.shares.items()},
            "contributors": {
                mark: {who: one.to_state() for who, one in held.items()} for mark, held in self.contributors.items()
            },
        }

    @classmethod
    def from_state(cls, state: Any) -> OperationTraffic:
        """Raises DocumentError when it is not one of ``to_state``."""
        traffic = cls()
        try:
            traffic.total = Trail.from_state(state["total"])
            traffic.answered = int(state["answered"])
            values = {int(one) for one in state["succeeded"][:MAX_SUCCEEDED]}
            traffic.succeeded = Hashes(MAX_SUCCEEDED, values, bool(state["trimmed"]))
            for name, one in state["waves"].items():
                wave = traffic.waves[str(name)] = Wave()
                wave.usual = float(one["usual"])
                wave.failing = _pairs(one["failing"], MAX_FAILING)
            for name, share in list(state["shares"].items())[:MAX_SHARES]:
                traffic.shares[str(name)] = Share.from_state(share)
            for mark, held in state["contributors"].items():
                traffic.contributors[str(mark)] = {
                    str(who): Lately.from_state(one) for who, one in list(held.items())[:MAX_CONTRIBUTORS]
                }
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise DocumentError(f"is no traffic: {error}", where="traffic") from error
        return traffic


def _bound(held: Dict[str, Lately]) -> None:
    """Leave out who contributed longest ago, where there is one too many."""
    if len(held) > MAX_CONTRIBUTORS:
        del held[min(held, key=lambda who: (held[who].slot, held[who].total, who))]


def _pairs(held: Mapping[str, Any], most: int) -> Dict[str, Tuple[int, float]]:
    return {str(who): (int(slot), float(count)) for who, (slot, count) in list(held.items())[:most]}
