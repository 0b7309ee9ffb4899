"""Shares of many principals, by the day: of the objects asked for, how many nobody had given them.

A principal's day is one draw from a population (``rarity.Population``) of its kind (jwt, api_key, session …) and
measure. It counts a day after it ended, and not when the principal is under suspicion by then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Dict, List, Tuple, Type, TypeVar

from apisec.abuse.base import SLOTS_PER_DAY
from apisec.abuse.rarity import SLOTS_PER_WEEK, Population, mapping, numbers
from apisec.activity.hashing import MASK, value_hash32
from apisec.errors import DocumentError

MAX_SAMPLE = 64  # principals of a day that are learned from: those of the smallest hashes
MAX_DAYS = 4
MAX_KINDS = 8  # of principals
MAX_MEASURES = 8
_SEPARATOR = "\x1f"

Measured = Mapping[str, Tuple[float, float]]  # measure to (hits, trials) of one principal's day
S = TypeVar("S", bound="DailyShares")


class DailyShares:
    """Populations by kind and measure, and the days that are not learned yet."""

    name: ClassVar[str] = "daily_shares"
    __slots__ = ("_days", "_populations", "_week")

    def __init__(self) -> None:
        self._populations: Dict[Tuple[str, str], Population] = {}
        # Day to principal to [its hash, its kind, what was measured].
        self._days: Dict[int, Dict[str, List[Any]]] = {}
        self._week = 0

    def population(self, kind: str, measure: str) -> Population:
        """Return the population of a kind, or (of one that has shown nothing yet) of all kinds together."""
        found = self._populations.get((kind, measure))
        if found is not None:
            return found
        every = Population()
        for (_, other), population in self._populations.items():
            if other == measure:
                every.merge(population)
        return every

    def measure(self, day: int, principal: str, kind: str, measured: Measured) -> None:
        """Say how a principal's day stands; the last word on a day counts."""
        held = self._days.setdefault(day, {})
        known = held.get(principal)
        if known is not None:
            known[2] = dict(measured)
            return
        rank = value_hash32(principal)
        if len(held) >= MAX_SAMPLE:
            last = max(held, key=lambda one: (held[one][0], one))
            if rank >= held[last][0]:
                return
            del held[last]
        held[principal] = [rank, kind, dict(measured)]

    def active(self, day: int) -> int:
        """How many principals the day has; estimated from the largest hash of the sample where they are many."""
        held = self._days.get(day, {})
        if len(held) < MAX_SAMPLE:
            return len(held)
        return int((len(held) - 1) * (MASK + 1) / (1 + max(one[0] for one in held.values())))

    def of_day(
        self,
        day: int,
        measure: str,
        but: Callable[[str], bool],
        counted: Callable[[float, float], Tuple[float, float]] = lambda hits, trials: (hits, trials),
    ) -> Population:
        """Return how the principals of a day stand so far, of all kinds, less some (``but``)."""
        found = Population()
        for principal, (_, _, measured) in self._days.get(day, {}).items():
            pair = measured.get(measure)
            if pair is not None and not but(principal):
                found.add(*counted(*pair))
        return found

    def of_one(self, day: int, measure: str, principal: str) -> Tuple[float, float]:
        """Return what ``of_day`` counts of one principal."""
        found = self._days.get(day, {}).get(principal)
        pair: Tuple[float, float] = found[2].get(measure, (0.0, 0.0)) if found else (0.0, 0.0)
        return pair

    def learn(self, slot: int, suspicious: Callable[[str], bool], wait_days: int = 1) -> None:
        """Learn the days that ended ``wait_days`` ago."""
        self._fade(slot)
        today = slot // SLOTS_PER_DAY
        for day in sorted(one for one in self._days if one < today - wait_days):
            for principal, (_, kind, measured) in self._days.pop(day).items():
                if not suspicious(principal):
                    self._count(kind, measured)

    def _count(self, kind: str, measured: Measured) -> None:
        kinds = {one for one, _ in self._populations}
        if kind not in kinds and len(kinds) >= MAX_KINDS:
            kind = ""
        for measure, (hits, trials) in measured.items():
            population = self._populations.get((kind, measure))
            if population is None:
                if sum(one == kind for one, _ in self._populations) >= MAX_MEASURES:
                    continue
                population = self._populations[(kind, measure)] = Population()
            population.add(hits, trials)

    def _fade(self, slot: int) -> None:
        week = slot // SLOTS_PER_WEEK
        if self._week and week > self._week:
            for population in self._populations.values():
                population.fade(week - self._week)
        self._week = max(self._week, week)

    def forget(self, slot: int) -> None:
        oldest = slot // SLOTS_PER_DAY - MAX_DAYS
        for day in [one for one in self._days if one < oldest]:
            del self._days[day]

    def merge(self, other: DailyShares) -> None:
        for key, population in other._populations.items():
            self._populations.setdefault(key, Population()).merge(population)
        for day, held in other._days.items():
            for principal, (_, kind, measured) in held.items():
                self.measure(day, principal, kind, measured)
        self._week = max(self._week, other._week)

    def to_state(self) -> Dict[str, Any]:
        days = {
            str(day): {who: [one[1], {name: list(pair) for name, pair in one[2].items()}] for who, one in held.items()}
            for day, held in self._days.items()
        }
        populations = {_SEPARATOR.join(key): found.to_state() for key, found in self._populations.items()}
        return {"week": self._week, "populations": populations, "days": days}

    @classmethod
    def from_state(cls: Type[S], state: Any) -> S:
        """Raises DocumentError when it is not one of ``to_state``."""
        members = mapping(state, 8, cls.name)
        shares = cls()
        shares._week = int(numbers([members.get("week")], 1, cls.name)[0])
        for key, sums in mapping(members.get("populations"), (MAX_KINDS + 1) * MAX_MEASURES, cls.name).items():
            kind, found, measure = key.partition(_SEPARATOR)
            if not found:
                raise DocumentError(f"{key[:40]!r} is not a kind and a measure", where=cls.name)
            shares._populations[(kind, measure)] = Population.from_state(sums)
        for day, held in mapping(members.get("days"), 4 * MAX_DAYS, cls.name).items():
            if not day.isascii() or not day.isdigit() or len(day) > 9:
                raise DocumentError(f"{day[:20]!r} is no day", where=cls.name)
            for principal, one in mapping(held, MAX_SAMPLE, cls.name).items():
                shares.measure(int(day), principal, *_measured(one, cls.name))
        return shares


def _measured(state: Any, where: str) -> Tuple[str, Dict[str, Tuple[float, float]]]:
    if not isinstance(state, list) or len(state) != 2 or not isinstance(state[0], str):
        raise DocumentError("a day of a principal has another shape", where=where)
    measured = mapping(state[1], MAX_MEASURES, where)
    pairs = {name: numbers(pair, 2, where) for name, pair in measured.items()}
    return state[0], {name: (pair[0], pair[1]) for name, pair in pairs.items()}
