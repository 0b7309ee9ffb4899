"""What principals do in one service or one operation: the distribution of their sums, and the habits of the few."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from apisec.baselines.book import OWN, PEERS, YOUNG, Book, Judgement, Typical
from apisec.baselines.counters import HEAVY, HORIZONS, MAX_COUNTERS, MAX_NAME, SLOTS
from apisec.baselines.fits import Counts, Fit, Sizes, fit_counts, fit_sizes
from apisec.baselines.habits import MAX_HABITS, Habit, habit_of
from apisec.baselines.histograms import MAX_WEIGHT, UNIT, Histogram, bin_of, generation_of
from apisec.errors import DocumentError

DAY_ROWS = 12.0  # rows of one principal that count in a day: an hour's worth of slots
HIT_DECADES = 2.0  # a sum that a hundredth of rows reaches is a hit towards a habit
PRIOR_ROWS = 20.0  # that the prior weighs where the service's operations do not say
YOUNG_ROWS = 100  # rows from which on a population speaks for itself
YOUNG_HORIZONS = 1.5  # times the horizon, before which sums are still growing
GROWTH = 1.4  # of the weight, before distributions are fitted anew
MAX_MEMO = 4_096
LEAST_EVIDENCE = 0.1  # what is less is ordinary without further questions

Sums = Mapping[str, Sequence[float]]  # by counter, over HORIZONS


class Cell:
    """Sums of one counter over one horizon."""

    __slots__ = ("due", "fit", "memo", "sums")

    def __init__(self) -> None:
        self.sums = Histogram()
        self.fit: Optional[Fit] = None
        self.due = 0.0  # the population's weight at which it is to be fitted anew
        self.memo: Dict[float, Tuple[int, float]] = {}  # sum: its bin and evidence

    def refit(self, counter: str, total: int, typical: Typical) -> None:
        make = fit_sizes if counter in HEAVY else fit_counts
        fit = make(self.sums.total(), total, *typical)
        self.fit = _rounded(fit)  # as it will be read from a document
        self.due = max(total * GROWTH, 20.0 * UNIT)
        self.memo = {}

    def judge(self, seen: float) -> Tuple[int, float]:
        """Return the bin of a sum, and its evidence by the fit as it is."""
        known = self.memo.get(seen)
        if known is None:
            known = (bin_of(seen), 0.0 if self.fit is None else self.fit.decades(seen))
            if len(self.memo) < MAX_MEMO:
                self.memo[seen] = known
        return known


def _rounded(fit: Fit) -> Fit:
    parts = [float(f"{part:.6g}") for part in fit]
    return Counts(*parts) if isinstance(fit, Counts) else Sizes(*parts)


TypicalOf = Callable[[str, int], Typical]


class Population:
    """Of one service (``scope`` principal) or one operation (principal@operation)."""

    def __init__(self, scope: str) -> None:
        self.scope = scope
        self.generation = -1
        self.first = -1  # slot
        self.weight = [0, 0]  # of rows, recent and former
        self.cells: Dict[str, List[Cell]] = {}
        self.habits: Dict[str, Habit] = {}
        self.dirty = True

    # --- asking ---

    def judge(
        self, counter: str, horizon: int, principal: str, slot: int, seen: float, typical: TypicalOf
    ) -> Judgement:
        """Say how unusual a sum is among those of others, and for this principal if he has a habit."""
        cells = self.cells.get(counter)
        cell = cells[horizon] if cells else Cell()
        fit = self._fitted(cell, counter, horizon, typical)
        judged = Judgement(cell.judge(seen)[1], fit.mean, self._basis(horizon, slot))
        habit = self.habits.get(principal)
        if habit is not None and habit.established:
            own = habit.fit(counter, horizon)
            if own is not None:
                evidence = own.decades(seen)
                return Judgement(min(evidence, judged.evidence), max(own.mean, fit.mean), OWN)
            return Judgement(judged.evidence, fit.mean, OWN)
        return judged

    def fits(self) -> List[Tuple[Tuple[str, int], Fit]]:
        """Return what is known of each counter and horizon so far."""
        return [
            ((counter, horizon), cell.fit)
            for counter, cells in self.cells.items()
            for horizon, cell in enumerate(cells)
            if cell.fit is not None and cell.sums
        ]

    def _basis(self, horizon: int, slot: int) -> str:
        if sum(self.weight) < YOUNG_ROWS * UNIT or slot - self.first < YOUNG_HORIZONS * SLOTS[HORIZONS[horizon]]:
            return YOUNG
        return PEERS

    def _fitted(self, cell: Cell, counter: str, horizon: int, typical: TypicalOf) -> Fit:
        total = sum(self.weight)
        if cell.fit is None or total >= cell.due:
            cell.refit(counter, total, typical(counter, horizon))
        assert cell.fit is not None
        return cell.fit

    # --- learning ---

    def learn(self, principal: str, slot: int, sums: Sums, rows: int, book: Book, typical: TypicalOf) -> None:
        """Take one ordinary row; first the book notes how it would have been judged."""
        generation = generation_of(slot)
        self.move_to(generation)
        if generation < self.generation - 1:
            return
        self.first = slot if self.first < 0 else min(self.first, slot)
        weight = weight_of(rows)
        habit = self.habits.get(principal)
        if habit is not None:
            habit.start(slot, weight)
        established = habit is not None and habit.established
        bases = [OWN if established else self._basis(horizon, slot) for horizon in range(len(HORIZONS))]
        for horizon, basis in enumerate(bases):
            book.count((self.scope, horizon, basis), weight)
        row = _Row(principal, slot, weight, habit if established else None, generation == self.generation, bases)
        highest = 0.0
        for counter, of_counter in sums.items():
            cells = self._cells(counter)
            for horizon, seen in enumerate(of_counter if cells else ()):
                if 0.0 < seen < MAX_WEIGHT and cells:
                    self._fitted(cells[horizon], counter, horizon, typical)
                    evidence = self._learn_sum(cells[horizon], counter, horizon, seen, row, book)
                    highest = max(highest, evidence)
                    if habit is not None:
                        habit.learn(counter, horizon, seen, weight)
        if not established:
            self.weight[0 if row.fresh else 1] += weight
        if highest >= HIT_DECADES:
            habit_of(self.habits, principal, slot)
        self.dirty = True

    def _learn_sum(self, cell: Cell, counter: str, horizon: int, seen: float, row: _Row, book: Book) -> float:
        """Note the judgement and, unless he has a habit, the sum; return the evidence among others."""
        index, among = cell.judge(seen)
        evidence = among
        if row.habit is None:
            weights = cell.sums.recent if row.fresh else cell.sums.former
            weights[index] = weights.get(index, 0) + row.weight
        elif among >= LEAST_EVIDENCE:
            own = row.habit.fit(counter, horizon)
            evidence = among if own is None else min(among, own.decades(seen))
        if evidence >= LEAST_EVIDENCE:
            book.cell((self.scope, counter, horizon, row.bases[horizon])).add(evidence, row.weight, row.principal)
        return among

    def _cells(self, counter: str) -> Optional[List[Cell]]:
        cells = self.cells.get(counter)
        if cells is None and len(self.cells) < MAX_COUNTERS and len(counter) <= MAX_NAME:
            cells = self.cells[counter] = [Cell() for _ in HORIZONS]
        return cells

    def move_to(self, generation: int) -> None:
        """Forget what is older than the generation before this one."""
        steps = generation - self.generation if self.generation >= 0 else 0
        self.generation = max(self.generation, generation)
        if steps <= 0:
            return
        for cells in self.cells.values():
            for cell in cells:
                cell.sums.age(steps)
                cell.due = 0.0
        self.cells = {name: cells for name, cells in self.cells.items() if any(cell.sums for cell in cells)}
        self.weight = [0, self.weight[0]] if steps == 1 else [0, 0]
        for habit in self.habits.values():
            habit.fade()
        self.habits = {who: habit for who, habit in self.habits.items() if habit.before or habit.today}
        self.dirty = True

    # --- state ---

    def merge(self, other: Population) -> None:
        """Add another population of the same key: its sums exactly, its habits as one table again."""
        self.move_to(other.generation)
        other = Population.from_state(self.scope, other.to_state())
        other.move_to(self.generation)
        for counter, cells in other.cells.items():
            for mine, others in zip(self._cells(counter) or (), cells):
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

    def to_state(self) -> Dict[str, Any]:
        return {
            "generation": self.generation,
            "first": self.first,
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
    """What is the same for all sums of a row; ``habit`` only if it counts already."""

    principal: str
    slot: int
    weight: int
    habit: Optional[Habit]
    fresh: bool  # of the current generation
    bases: List[str]


def weight_of(rows: int) -> int:
    """Return the weight of a row of somebody who had so many in a day: nobody counts more than ``DAY_ROWS``."""
    return max(1, round(UNIT * min(1.0, DAY_ROWS / max(rows, 1))))


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
