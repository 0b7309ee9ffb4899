"""What principals do in one service or one operation: the distribution of their sums, and the habits of the few."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from apisec.baselines.book import OWN, PEERS, YOUNG, Book, Judgement, Typical
from apisec.baselines.counters import (
    HEAVY,
    HORIZONS,
    MAX_COUNTERS,
    MAX_NAME,
    PRINCIPAL_OPERATION,
    SLOTS,
    SLOTS_PER_DAY,
    prior,
)
from apisec.baselines.fits import Counts, Fit, Sizes, fit_counts, fit_sizes
from apisec.baselines.habits import MAX_HABITS, Habit, habit_of
from apisec.baselines.histograms import MAX_WEIGHT, UNIT, Histogram, bin_of, generation_of
from apisec.errors import DocumentError

DAY_ROWS = 12  # rows of one principal that count in a day: an hour's worth of slots
HIT_DECADES = 2.0  # a sum that a hundredth of rows reaches is a hit towards a habit
PRIOR_ROWS = 20.0  # that the prior weighs where the service's operations do not say
YOUNG_ROWS = 100  # rows from which on a population speaks for itself
# One and a half horizons, before which sums are still growing.
YOUNG_SLOTS = tuple(1.5 * SLOTS[horizon] for horizon in HORIZONS)
THIN_ROWS = 2 * DAY_ROWS  # who has more rows a day is learned from as often as makes ``DAY_ROWS`` of a day
FIT_ROWS, FIT_GROWTH = 30.0, 2.0  # rows from which on a fit is more than the prior, and growth until the next one
# Who does much in a population's first two days belongs to it, and who is there all day is a machine: no slow attacker.
FOUNDING = 2 * SLOTS_PER_DAY
MACHINE_ROWS = 72  # in a day
FIT_DAYS = 3  # no fit is older
MAX_MEMO = 4_096
COARSE_FROM = 64.0

Sums = Mapping[str, Sequence[float]]  # by counter, over HORIZONS


class Cell:
    """Sums of one counter over one horizon."""

    __slots__ = ("due", "fit", "memo", "sums")

    def __init__(self) -> None:
        self.sums = Histogram()
        self.fit: Optional[Fit] = None
        self.due = 0.0  # the population's weight at which it is to be fitted anew
        self.memo: Dict[float, Tuple[int, float]] = {}  # sum: its bin and evidence

    def refit(self, counter: str, weights: Mapping[int, int], total: int, typical: Typical) -> None:
        make = fit_sizes if counter in HEAVY else fit_counts
        fit = make(weights, total, *typical)
        self.fit = _rounded(fit)  # as it will be read from a document
        self.due = max(total * FIT_GROWTH, FIT_ROWS * UNIT)
        self.memo = {}

    def judge(self, seen: float) -> Tuple[int, float]:
        """Return the bin of a sum, and its evidence by the fit as it is: 0 for what is no more than expected."""
        seen = coarse(seen)
        known = self.memo.get(seen)
        if known is None:
            more = self.fit is not None and seen > self.fit.mean
            known = (bin_of(seen), self.fit.decades(seen) if self.fit is not None and more else 0.0)
            if len(self.memo) >= MAX_MEMO:
                self.memo.clear()
            self.memo[seen] = known
        return known


def coarse(seen: float) -> float:
    """Return a sum rounded down to a 32nd of an octave (2 %): sums of days hardly ever come twice, these do."""
    if seen < COARSE_FROM:
        return seen
    mantissa, exponent = math.frexp(seen)
    return math.ldexp(int(mantissa * COARSE_FROM), exponent - 6)


def _rounded(fit: Fit) -> Fit:
    parts = [float(f"{part:.6g}") for part in fit]
    return Counts(*parts) if isinstance(fit, Counts) else Sizes(*parts)


class Population:
    """Of one service (``scope`` principal) or one operation (principal@operation)."""

    def __init__(self, scope: str) -> None:
        self.scope = scope
        self.generation = -1
        self.first = -1  # slot
        self.fitted = -1  # the three days since the epoch in which the fits were made
        self.weight = [0, 0]  # of rows, recent and former
        self.cells: Dict[str, List[Cell]] = {}
        self.blank: Dict[str, List[Cell]] = {}  # of counters that nobody showed yet: their fits are the prior's
        self.habits: Dict[str, Habit] = {}
        self.dirty = True

    # --- asking ---

    def judge(self, counter: str, horizon: int, principal: str, slot: int, seen: float, book: Book) -> Judgement:
        """Say how unusual a sum is among those of others, and for this principal if he has a habit."""
        cell = (self.cells.get(counter) or self._blank_cells(counter))[horizon]
        fit = self._fitted(cell, counter, horizon, book)
        evidence = cell.judge(seen)[1] if seen > fit.mean else 0.0
        habit = self.habits.get(principal)
        if habit is None or not habit.established:
            return Judgement(evidence, fit.mean, self._basis(horizon, slot))
        own = habit.fit(counter, horizon)
        if own is None:
            return Judgement(evidence, fit.mean, OWN)
        # Habits only excuse: who does less than others is not held to it.
        evidence = min(evidence, _more(own, coarse(seen))) if evidence > 0.0 else 0.0
        return Judgement(evidence, max(own.mean, fit.mean), OWN)

    def fits(self) -> List[Tuple[Tuple[str, int], Fit]]:
        """Return what is known of each counter and horizon so far."""
        return [
            ((counter, horizon), cell.fit)
            for counter, cells in self.cells.items()
            for horizon, cell in enumerate(cells)
            if cell.fit is not None and cell.sums
        ]

    def _basis(self, horizon: int, slot: int) -> str:
        young = self.weight[0] + self.weight[1] < YOUNG_ROWS * UNIT or slot - self.first < YOUNG_SLOTS[horizon]
        return YOUNG if young else PEERS

    def _fitted(self, cell: Cell, counter: str, horizon: int, book: Book) -> Fit:
        total = self.weight[0] + self.weight[1]
        if cell.fit is None or total >= cell.due:
            typical = book.typical.get((counter, horizon)) if self.scope == PRINCIPAL_OPERATION else None
            weights = self._of_peers(cell, (counter, horizon))
            cell.refit(counter, weights, total, typical or (prior(counter, horizon), PRIOR_ROWS))
        assert cell.fit is not None
        return cell.fit

    def _of_peers(self, cell: Cell, key: Tuple[str, int]) -> Mapping[int, int]:
        """Return the sums less the highest ones that the established taught, and that one other principal did.

        So nobody alone moves what is expected, but with rows that are ordinary anyway.
        """
        taught = [
            (habit.established, habit.taught[key].total()) for habit in self.habits.values() if key in habit.taught
        ]
        out = [bins for established, bins in taught if established]
        out += sorted((bins for established, bins in taught if not established), key=_weight)[-1:]
        if not out:
            return cell.sums.total()
        weights = dict(cell.sums.total())
        for bins in out:
            for index, weight in bins.items():
                weights[index] = max(0, weights.get(index, 0) - weight)
        return weights

    # --- learning ---

    def learn(self, principal: str, slot: int, sums: Sums, rows: int, book: Book) -> None:
        """Take one ordinary row; first the book notes how it would have been judged."""
        weight = weight_of(principal, slot, rows)
        if not weight:
            return
        generation = generation_of(slot)
        self.move_to(generation)
        if generation < self.generation - 1:
            return
        self.first = slot if self.first < 0 else min(self.first, slot)
        if slot // (FIT_DAYS * SLOTS_PER_DAY) > self.fitted:
            self._outdate(slot // (FIT_DAYS * SLOTS_PER_DAY))
        habit = self.habits.get(principal)
        established = habit is not None and habit.established
        if habit is not None:
            habit.start(slot, weight)
        bases = [OWN if established else self._basis(horizon, slot) for horizon in range(len(HORIZONS))]
        for horizon, basis in enumerate(bases):
            book.count((self.scope, horizon, basis), weight)
        fresh = generation == self.generation
        row = _Row(principal, weight, habit, established, fresh, bases)
        hits = self._learn_sums(sums, row, book)
        if hits:
            habit = habit_of(self.habits, principal, slot)
            habit.soon = habit.soon or slot - self.first < FOUNDING or rows >= MACHINE_ROWS
            for key, index in hits if fresh and not established else ():
                habit.teach(key, index, weight)
        if not established:
            self.weight[0 if fresh else 1] += weight
        self.dirty = True

    def _learn_sums(self, sums: Sums, row: _Row, book: Book) -> List[Tuple[Tuple[str, int], int]]:
        """Count the sums; return those that hardly anybody reaches. Kept flat, for it is called most."""
        hits = []
        total = self.weight[0] + self.weight[1]
        for counter, of_counter in sums.items():
            cells = self.cells.get(counter) or self._new_cells(counter)
            for horizon, cell in enumerate(cells):
                seen = of_counter[horizon]
                if not 0.0 < seen < MAX_WEIGHT:
                    continue
                if cell.fit is None or total >= cell.due:
                    self._fitted(cell, counter, horizon, book)
                index, evidence = cell.memo.get(seen) or cell.judge(seen)
                if not row.established:
                    weights = cell.sums.recent if row.fresh else cell.sums.former
                    weights[index] = weights.get(index, 0) + row.weight
                if row.habit is not None:
                    row.habit.learn(counter, horizon, seen, row.weight)
                if evidence > 0.0:
                    self._note(counter, horizon, seen, evidence, row, book)
                    if evidence >= HIT_DECADES:
                        hits.append(((counter, horizon), index))
        return hits

    def _note(self, counter: str, horizon: int, seen: float, evidence: float, row: _Row, book: Book) -> None:
        if row.established and row.habit is not None:
            own = row.habit.fit(counter, horizon)
            evidence = evidence if own is None else min(evidence, _more(own, coarse(seen)))
        book.cell((self.scope, counter, horizon, row.bases[horizon])).add(evidence, row.weight, row.principal)

    def _new_cells(self, counter: str) -> List[Cell]:
        """Return the cells of a counter; none when there are too many counters."""
        if counter not in self.cells:
            if len(self.cells) >= MAX_COUNTERS or len(counter) > MAX_NAME:
                return []
            self.cells[counter] = [Cell() for _ in HORIZONS]
        return self.cells[counter]

    def _blank_cells(self, counter: str) -> List[Cell]:
        cells = self.blank.get(counter)
        if cells is None:
            if len(self.blank) >= MAX_COUNTERS:
                self.blank.clear()
            cells = self.blank[counter] = [Cell() for _ in HORIZONS]
        return cells

    def _outdate(self, period: int) -> None:
        """Let everything be fitted anew: what people do changes also where there is much to remember."""
        self.fitted = period
        self.blank.clear()
        for cells in self.cells.values():
            for cell in cells:
                cell.due = 0.0

    def move_to(self, generation: int) -> None:
        """Forget what is older than the generation before this one."""
        steps = generation - self.generation if self.generation >= 0 else 0
        self.generation = max(self.generation, generation)
        if steps <= 0:
            return
        for cells in self.cells.values():
            for cell in cells:
                cell.sums.age(steps)
        self._outdate(self.fitted)
        self.cells = {name: cells for name, cells in self.cells.items() if any(cell.sums for cell in cells)}
        self.weight = [0, self.weight[0]] if steps == 1 else [0, 0]
        for habit in self.habits.values():
            habit.fade(steps)
        self.habits = {who: habit for who, habit in self.habits.items() if habit.before or habit.today}
        self.dirty = True

    # --- state ---

    def merge(self, other: Population) -> None:
        """Add another population of the same key: its sums exactly, its habits as one table again."""
        self.move_to(other.generation)
        other = Population.from_state(self.scope, other.to_state())
        other.move_to(self.generation)
        for counter, cells in other.cells.items():
            for mine, others in zip(self._new_cells(counter), cells):
                mine.sums.merge(others.sums)
                mine.due = 0.0
        self.weight = [mine + others for mine, others in zip(self.weight, other.weight)]
        self.first = min((slot for slot in (self.first, other.first) if slot >= 0), default=-1)
        for who, habit in other.habits.items():
            if who in self.habits:
                self.habits[who].merge(habit)
            else:
                self.habits[who] = habit
        kept = sorted(self.habits, key=lambda who: (-self.habits[who].hits, who))[:MAX_HABITS]
        self.habits = {who: self.habits[who] for who in kept}
        self.dirty = True

    def last_generation(self) -> int:
        """Return the generation of the last row learned."""
        return self.generation

    def forget_habit(self) -> bool:
        """Give up the habit with the fewest hits; False when there is none."""
        if self.habits:
            del self.habits[min(self.habits, key=lambda who: (self.habits[who].hits, who))]
            return True
        return False

    def to_state(self) -> Dict[str, Any]:
        return {
            "generation": self.generation,
            "first": self.first,
            "fitted": self.fitted,
            "weight": self.weight,
            "cells": {
                counter: [_cell_state(cell) for cell in cells]
                for counter, cells in sorted(self.cells.items())
                if any(cell.sums for cell in cells)
            },
            "habits": {who: habit.to_state() for who, habit in sorted(self.habits.items())},
        }

    @classmethod
    def from_state(cls, scope: str, state: Mapping[str, Any]) -> Population:
        """Raises DocumentError when the state is not one of ``to_state``."""
        population = cls(scope)
        try:
            population.generation, population.first = int(state["generation"]), int(state["first"])
            population.fitted = int(state["fitted"])
            recent, former = state["weight"]
            population.weight = [int(recent), int(former)]
            for counter, cells in state["cells"].items():
                if len(cells) != len(HORIZONS):
                    raise ValueError("a counter has a cell each horizon")
                population.cells[str(counter)] = [_cell_of(counter, cell) for cell in cells]
            population.habits = {str(who): Habit.from_state(habit) for who, habit in state["habits"].items()}
        except (AttributeError, KeyError, TypeError, ValueError) as problem:
            raise DocumentError("not the sums of principals", where="expectations") from problem
        if len(population.cells) > MAX_COUNTERS or len(population.habits) > MAX_HABITS or min(population.weight) < 0:
            raise DocumentError("sums of principals are out of range", where="expectations")
        population.dirty = False
        return population


class _Row(NamedTuple):
    """What is the same for all sums of a row."""

    principal: str
    weight: int
    habit: Optional[Habit]
    established: bool  # the habit counts already
    fresh: bool  # of the current generation
    bases: List[str]


def _more(fit: Fit, seen: float) -> float:
    """Return the evidence of a sum, 0 for what is no more than expected."""
    return fit.decades(seen) if seen > fit.mean else 0.0


def _weight(bins: Mapping[int, int]) -> int:
    return sum(bins.values())


def weight_of(principal: str, slot: int, rows: int) -> int:
    """Return the weight of a row of somebody who had so many in a day, 0 for one that is not learned from.

    Nobody counts more than ``DAY_ROWS`` a day. Rows of who has many more are much alike; a sample that weighs as much
    says the same, and machines, who send most of all rows, cost no more than people. Which rows these are depends on
    slot and principal alone, so that any split of the rows takes the same.
    """
    if rows <= DAY_ROWS:
        return UNIT
    if rows <= THIN_ROWS:
        return round(UNIT * DAY_ROWS / rows)
    every = rows // DAY_ROWS
    # Knuth's multiplicative hash (TAOCP 3, 6.4): no pattern of the clock is met.
    mixed = (slot + zlib.crc32(principal.encode("utf-8", "surrogatepass"))) * 2_654_435_761 & 0xFFFFFFFF
    if (mixed >> 12) % every:
        return 0
    return round(UNIT * every * DAY_ROWS / rows)


def _cell_state(cell: Cell) -> List[Any]:
    return [cell.sums.to_state(), [*cell.fit] if cell.fit is not None else [], round(cell.due)]


def _cell_of(counter: str, state: Any) -> Cell:
    """Raises ValueError and the like, or DocumentError."""
    cell = Cell()
    sums, parts, due = state
    cell.sums = Histogram.from_state(sums)
    cell.due = float(due)
    if parts:
        numbers = [float(part) for part in parts]
        if not all(0.0 < number < 1e15 for number in numbers):
            raise ValueError("not a distribution")
        cell.fit = Sizes(*numbers) if counter in HEAVY else Counts(*numbers)
    return cell
