"""Own habits of the few who do far more than others: desks, partners, batch jobs, monitors.

A bounded table a population (space-saving: Metwally, Agrawal and El Abbadi, ICDT 2005): who does what only a
hundredth of rows do gets a hit; the table keeps those with the most. A habit counts when hits came in several hours
and on several days: two for machines and for those who were there in the population's first two days, five for all
others. From then on the principal does not teach the population any more, and is judged by what he did himself.

Poisoning: what a principal does today teaches from tomorrow on, and counts at most ``CLIP`` times what was expected of
him. A day weighs no more than any day before, so that his expectation at most doubles in a day. Who is accused is
frozen: his rows are not learned at all (the caller's part).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Dict, List, Optional, Tuple

from apisec.baselines.counters import HEAVY, HORIZONS, MAX_COUNTERS, SLOTS_PER_DAY, SLOTS_PER_HOUR
from apisec.baselines.fits import Counts, Fit, Sizes
from apisec.baselines.histograms import Histogram
from apisec.errors import DocumentError

MAX_HABITS = 32  # of one population
MIN_HOURS = 6  # in which there were hits before a habit counts
# Days with hits, and days from the first to the last. Who was there when the service was first seen is probably no
# attacker, nor is a machine that is there all day a slow one; who else comes later may be, and these go on for days.
SOON_DAYS, MIN_DAYS, MIN_SPAN = 2, 3, 5
MAX_DAYS = 28
CLIP = 3.0
HORIZON_DAYS = (0, 1, 7)  # before a principal's sums are whole
HORIZON_TIMES = (1.0, 24.0, 7.0)  # the shorter horizon
LEAST_CLIP = 3.0  # a count up to this is never clipped
SPREAD, SPREAD_DAYS = 0.25, 3.0  # prior: squared coefficient of variation beyond Poisson's, and the days it weighs
LOG_UNIT = 1_024  # logarithms are kept as whole 1024ths
LOG_SPREAD = 0.5  # prior: variance of the logarithm of sizes
MAX_SUM = 1 << 80

CellKey = Tuple[str, int]  # counter, horizon
Moments = List[int]  # weight, weighted sum, weighted sum of squares (sizes: of logarithms)


class Habit:
    """What one principal does: by counter and horizon the moments of his sums, of today and of the days before."""

    __slots__ = (
        "before", "born", "day", "days", "fits", "hits", "hours", "last_hour", "lived", "soon", "taught", "today",
        "weight",
    )  # fmt: skip

    def __init__(self, hits: int = 0) -> None:
        self.hits = hits
        self.soon = False  # was there when the population was first seen, or is there all day
        self.hours = 0  # different hours with a hit
        self.last_hour = -1
        self.days: List[int] = []  # with a hit, the last ones
        self.day = self.born = -1  # the day that ``today`` is, and the first one
        self.lived = 0  # days before today
        self.weight = [0, 0]  # of all rows, of those before and of today's: sums of 0 are not in the moments
        self.before: Dict[CellKey, Moments] = {}
        self.today: Dict[CellKey, Moments] = {}
        self.fits: Dict[CellKey, Optional[Fit]] = {}
        self.taught: Dict[CellKey, Histogram] = {}  # the highest of what he taught the population

    @property
    def established(self) -> bool:
        if self.hours < MIN_HOURS:
            return False
        if self.soon:
            return len(self.days) >= SOON_DAYS
        return len(self.days) >= MIN_DAYS and self.days[-1] - self.days[0] >= MIN_SPAN - 1

    def hit(self, slot: int) -> None:
        """Count that the principal did what hardly anybody does."""
        self.hits += 1
        hour, day = slot // SLOTS_PER_HOUR, slot // SLOTS_PER_DAY
        if hour > self.last_hour:
            self.hours += 1
            self.last_hour = hour
        if day not in self.days:
            self.days = sorted([*self.days, day])[-MAX_DAYS:]

    def start(self, slot: int, weight: int) -> None:
        """Begin to learn a row of this weight; the first one of a day makes what was today part of what was before."""
        day = slot // SLOTS_PER_DAY
        if day > self.day:
            self._fold()
            self.day = day
            self.born = day if self.born < 0 else self.born
        self.weight[1] += weight

    def _fold(self) -> None:
        if not self.weight[1]:
            return
        add_moments(self.before, self.today)
        self.weight = [self.weight[0] + self.weight[1], 0]
        self.today, self.fits = {}, {}
        self.lived += 1

    def learn(self, counter: str, horizon: int, seen: float, weight: int) -> None:
        """Count a sum above 0, clipped to what is plausible of this principal; not while the sums are still growing."""
        if self.day - self.born < HORIZON_DAYS[horizon]:
            return
        fit = self.fit(counter, horizon) if self.established else None
        if fit is not None:
            seen = min(seen, max(CLIP * fit.mean, LEAST_CLIP))
        value = round(LOG_UNIT * math.log(max(seen, 1e-3))) if counter in HEAVY else round(seen)
        moments = self.today.setdefault((counter, horizon), [0, 0, 0])
        moments[0] += weight
        moments[1] += weight * value
        moments[2] += weight * value * value

    def fit(self, counter: str, horizon: int) -> Optional[Fit]:
        """Return what the days before today let expect; None where they say nothing.

        Before a day or a week has gone by, it is taken for 24 hours or 7 days.
        """
        key = (counter, horizon)
        if key not in self.fits:
            moments = self.before.get(key)
            if moments:
                make = _sizes if counter in HEAVY else _counts
                self.fits[key] = make(moments, self.weight[0], self.lived)
            else:
                shorter = self.fit(counter, horizon - 1) if horizon else None
                self.fits[key] = _longer(shorter, HORIZON_TIMES[horizon]) if shorter else None
        return self.fits[key]

    def teach(self, key: CellKey, index: int, weight: int) -> None:
        """Remember a bin of what he taught the population: it is left out when he taught most."""
        bins = self.taught.setdefault(key, Histogram()).recent
        bins[index] = bins.get(index, 0) + weight

    def fade(self, generations: int) -> None:
        """Let what was before weigh half, once a generation."""
        for sums in self.taught.values():
            sums.age(generations)
        self.taught = {key: sums for key, sums in self.taught.items() if sums}
        self.before = {key: [part // 2 for part in moments] for key, moments in self.before.items() if moments[0] > 1}
        self.weight[0] //= 2
        self.lived = (self.lived + 1) // 2
        self.fits = {}

    def merge(self, other: Habit) -> None:
        """Add what another process saw of the same principal."""
        self.hits += other.hits
        self.hours = max(self.hours, other.hours)
        self.last_hour = max(self.last_hour, other.last_hour)
        self.days = sorted({*self.days, *other.days})[-MAX_DAYS:]
        lived = max(self.lived, other.lived)
        self.soon = self.soon or other.soon
        self.born = min((day for day in (self.born, other.born) if day >= 0), default=-1)
        day = max(self.day, other.day)
        for habit in (self, other):
            old = habit.day < day
            if habit is self and old:
                self._fold()
            elif habit is other:
                add_moments(self.before, other.before)
                add_moments(self.before if old else self.today, other.today)
                self.weight[0] += other.weight[0] + (other.weight[1] if old else 0)
                self.weight[1] += 0 if old else other.weight[1]
        self.day, self.lived, self.fits = day, max(lived, self.lived), {}
        for key, sums in other.taught.items():
            self.taught.setdefault(key, Histogram()).merge(sums)

    def to_state(self) -> Dict[str, Any]:
        return {
            "s": [
                self.hits,
                self.hours,
                self.last_hour,
                self.day,
                self.lived,
                *self.weight,
                self.born,
                int(self.soon),
            ],
            "d": self.days,
            "b": _to_state(self.before),
            "t": _to_state(self.today),
            "p": {_name(key): sums.to_state() for key, sums in sorted(self.taught.items())},
        }

    @classmethod
    def from_state(cls, state: Any) -> Habit:
        """Raises DocumentError when the state is not one of ``to_state``."""
        habit = cls()
        try:
            numbers, days = [whole(one) for one in state["s"]], [whole(one) for one in state["d"]]
            habit.hits, habit.hours, habit.last_hour, habit.day, habit.lived = numbers[:5]
            habit.weight, (habit.born, soon) = numbers[5:7], numbers[7:]
            habit.soon = bool(soon)
            habit.before, habit.today = _from_state(state["b"]), _from_state(state["t"])
            habit.taught = {_key(name): Histogram.from_state(sums) for name, sums in _few(state["p"]).items()}
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as problem:
            raise DocumentError("not the state of a habit", where="expectations") from problem
        if (
            len(habit.weight) != 2
            or len(days) > MAX_DAYS
            or min(habit.hits, habit.hours, habit.lived, *habit.weight) < 0
        ):
            raise DocumentError("a habit is out of range", where="expectations")
        habit.days = days
        return habit


def whole(value: Any) -> int:
    """Return a whole number of a document. Raises ValueError for anything else."""
    if type(value) is not int or abs(value) > MAX_SUM:
        raise ValueError("not a whole number")
    return value


def add_moments(into: Dict[CellKey, Moments], others: Mapping[CellKey, Moments]) -> None:
    for key, moments in others.items():
        mine = into.setdefault(key, [0, 0, 0])
        for part, value in enumerate(moments):
            mine[part] += value


def _to_state(cells: Mapping[CellKey, Moments]) -> Dict[str, List[int]]:
    return {_name(key): moments for key, moments in sorted(cells.items())}


def _from_state(state: Any) -> Dict[CellKey, Moments]:
    cells: Dict[CellKey, Moments] = {}
    for name, moments in _few(state).items():
        cells[_key(name)] = [whole(part) for part in moments]
        if len(moments) != 3 or moments[0] < 1:
            raise ValueError("not moments")
    return cells


def _name(key: CellKey) -> str:
    return f"{HORIZONS[key[1]]} {key[0]}"


def _key(name: str) -> CellKey:
    horizon, _, counter = name.partition(" ")
    return counter, HORIZONS.index(horizon)


def _few(state: Any) -> Mapping[str, Any]:
    if not isinstance(state, Mapping) or len(state) > len(HORIZONS) * MAX_COUNTERS:
        raise ValueError("not counters by horizon")
    return state


def _counts(moments: Moments, weight: int, lived: int) -> Counts:
    weight = max(weight, moments[0], 1)
    mean = moments[1] / weight
    variance = moments[2] / weight - mean * mean
    spread = max(0.0, variance - mean) / (mean * mean) if mean > 0.0 else 0.0
    days = max(lived, 1)
    spread = (days * spread + SPREAD_DAYS * SPREAD) / (days + SPREAD_DAYS) + SPREAD / days  # how sure the mean is
    return Counts(mean, 1.0 / spread)


def _sizes(moments: Moments, weight: int, lived: int) -> Sizes:
    count = max(moments[0], 1)
    mean = moments[1] / count / LOG_UNIT
    variance = max(0.0, moments[2] / count / LOG_UNIT**2 - mean * mean)
    days = max(lived, 1)
    variance = (days * variance + SPREAD_DAYS * LOG_SPREAD) / (days + SPREAD_DAYS) + LOG_SPREAD / days
    return Sizes(math.exp(mean), math.sqrt(variance), min(1.0, count / max(weight, count)))


def _longer(fit: Fit, times: float) -> Fit:
    if isinstance(fit, Sizes):
        return Sizes(fit.median * times, fit.sigma, fit.share)
    return Counts(fit.mean * times, fit.size)


def habit_of(habits: Dict[str, Habit], principal: str, slot: int) -> Habit:
    """Return the principal's habit after a hit; a new one takes the place of the one with the fewest."""
    habit = habits.get(principal)
    if habit is None:
        hits = 0
        if len(habits) >= MAX_HABITS:
            least = min(habits, key=lambda who: (habits[who].hits, who))
            hits = habits.pop(least).hits
        habit = habits[principal] = Habit(hits)
    habit.hit(slot)
    return habit
