"""What one service's judgements were worth, by scope, counter, horizon and basis; and what its typical operation is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Dict, List, NamedTuple, Tuple

from apisec.baselines.calibration import Calibration
from apisec.baselines.counters import HORIZONS, MAX_COUNTERS, Prior
from apisec.baselines.histograms import MAX_WEIGHT
from apisec.errors import DocumentError

# What says what is ordinary. A basis has its own calibration: judgements by little knowledge are worth less.
PEERS, OWN, YOUNG, SHARE = "peers", "own habit", "default", "share"
BASES = (PEERS, OWN, YOUNG, SHARE)
MAX_CELLS = 4 * len(BASES) * len(HORIZONS) * MAX_COUNTERS

Group = Tuple[str, int, str]  # scope, horizon, basis
CellKey = Tuple[str, str, int, str]  # scope, counter, horizon, basis
Typical = Tuple[Prior, float]  # and how many rows it weighs


class Judgement(NamedTuple):
    """Evidence (-log10 p by the model), what was expected, and which calibration says what that is worth."""

    evidence: float
    expected: float
    basis: str


class Book:
    """Calibrations of one service; ``totals`` are the weights of all judgements by scope, horizon and basis."""

    def __init__(self) -> None:
        self.generation = -1
        self.cells: Dict[CellKey, Calibration] = {}
        self.totals: Dict[Group, List[int]] = {}  # recent, former
        self.typical: Dict[Tuple[str, int], Typical] = {}
        self.typical_due = 0  # weight of the service's rows at which the typical operation is to be found anew
        self.dirty = False

    def cell(self, key: CellKey) -> Calibration:
        found = self.cells.get(key)
        if found is None:
            found = self.cells[key] = Calibration()
        return found

    def count(self, group: Group, weight: int) -> None:
        """Count a row that is judged, whatever came out."""
        totals = self.totals.get(group)
        if totals is None:
            totals = self.totals[group] = [0, 0]
        totals[0] += weight
        self.dirty = True

    def total(self, group: Group) -> int:
        return sum(self.totals.get(group, (0,)))

    def move_to(self, generation: int) -> None:
        if self.generation < 0:
            self.generation = generation
        steps = generation - self.generation
        if steps <= 0:
            return
        for cell in self.cells.values():
            cell.age(steps)
        for totals in self.totals.values():
            totals[:] = [0, totals[0]] if steps == 1 else [0, 0]
        self.cells = {key: cell for key, cell in self.cells.items() if cell.evidences}
        self.generation = generation

    def last_generation(self) -> int:
        """Return the generation of the last judgement."""
        return self.generation

    def merge(self, other: Book) -> None:
        """Add another book of the same service; the newer one's generation counts."""
        self.move_to(other.generation)
        other = other.copy()
        other.move_to(self.generation)
        for key, cell in other.cells.items():
            self.cell(key).merge(cell)
        for group, totals in other.totals.items():
            mine = self.totals.setdefault(group, [0, 0])
            mine[:] = [one + more for one, more in zip(mine, totals)]
        self.typical = self.typical or other.typical
        self.typical_due = 0
        self.dirty = True

    def copy(self) -> Book:
        return Book.from_state(self.to_state())

    def to_state(self) -> Dict[str, Any]:
        return {
            "generation": self.generation,
            "cells": {name_of(key): cell.to_state() for key, cell in sorted(self.cells.items()) if cell.evidences},
            "totals": {
                f"{scope}|{HORIZONS[horizon]}|{basis}": totals
                for (scope, horizon, basis), totals in sorted(self.totals.items())
            },
            "typical": {
                f"{HORIZONS[horizon]}|{counter}": [*first, rows]
                for (counter, horizon), (first, rows) in sorted(self.typical.items())
            },
            "due": self.typical_due,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Book:
        """Raises DocumentError when the state is not one of ``to_state``."""
        book = cls()
        try:
            book.generation, book.typical_due = int(state["generation"]), int(state["due"])
            for name, cell in state["cells"].items():
                book.cells[key_of(name)] = Calibration.from_state(cell)
            for name, totals in state["totals"].items():
                scope, horizon, basis = name.split("|")
                book.totals[(scope, HORIZONS.index(horizon), basis)] = _pair(totals)
            for name, (location, shape, rows) in state["typical"].items():
                horizon, counter = name.split("|", 1)
                first = Prior(_positive(location), _positive(shape))
                book.typical[(counter, HORIZONS.index(horizon))] = (first, _positive(rows))
        except (AttributeError, KeyError, TypeError, ValueError) as problem:
            raise DocumentError("not the calibrations of a service", where="expectations") from problem
        if len(book.cells) > MAX_CELLS or len(book.totals) > 4 * len(BASES) * len(HORIZONS):
            raise DocumentError("more calibrations than a service has", where="expectations")
        book.dirty = False
        return book


def name_of(key: CellKey) -> str:
    scope, counter, horizon, basis = key
    return f"{scope}|{HORIZONS[horizon]}|{basis}|{counter}"


def key_of(name: str) -> CellKey:
    """Read what ``name_of`` gave. Raises ValueError."""
    scope, horizon, basis, counter = name.split("|", 3)
    if basis not in BASES:
        raise ValueError(f"{basis} is no basis")
    return scope, counter, HORIZONS.index(horizon), basis


def _pair(totals: Any) -> List[int]:
    recent, former = totals
    if type(recent) is not int or type(former) is not int or not 0 <= min(recent, former) <= MAX_WEIGHT:
        raise ValueError("not weights")
    return [recent, former]


def _positive(value: Any) -> float:
    number = float(value)
    if not 0.0 < number < 1e15:
        raise ValueError("not a positive number")
    return number
