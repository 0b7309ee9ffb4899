"""How likely ordinary traffic shows as much: tails of counters for principals, operations and services.

``tail`` is asked about trailing sums; ``learn_sums`` and ``learn_total`` take what is ordinary, once, after the asking.
What is told is calibrated on ordinary judgements (``apisec.baselines.calibration``). docs/baselines.md says how.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Dict, List, Optional, Tuple

from apisec.baselines.book import PEERS, SHARE, YOUNG, Book, CellKey
from apisec.baselines.calibration import PRIOR_CURVE, TOTAL_CURVE, Curve, fit_curve
from apisec.baselines.counters import (
    HORIZON_INDEX,
    KEY_LENGTH,
    OPERATION,
    PRINCIPAL,
    PRINCIPAL_OPERATION,
    SERVICE,
)
from apisec.baselines.fits import ROWS_ALIKE, Fit, typical_of
from apisec.baselines.histograms import MAX_WEIGHT, UNIT, generation_of
from apisec.baselines.population import Population, Sums
from apisec.baselines.tails import Tail
from apisec.baselines.totals import Total
from apisec.errors import DocumentError

DOCUMENT_VERSION = 1
PRINCIPALS, TOTAL, CALIBRATION = "principals", "total", "calibration"  # kinds of documents
MAX_UNLEARNED = 256
MAX_PLACES = 20_000  # populations, and totals; further ones are not learned
P_FLOOR = 1e-300
CURVE_GROWTH = 1.2  # of the weight of judgements, before a curve is made anew
CURVE_LEAST, CURVE_ROWS = 50 * UNIT, 5_000  # of one service, and of all
MAX_STATE = 60_000  # characters of a population's state, beyond which habits are given up
LEAST_OPERATIONS = 3  # that make a typical one

Key = Tuple[str, ...]
Place = Tuple[str, Key]  # scope, and the key without the principal


class Expectations:
    """What is ordinary, and what is expected of it.

    Scopes and their keys: "principal" (service, principal), "principal@operation" (service, operation, principal),
    "operation" (service, operation) and "service" (service,). Horizons: "1h", "1d", "7d".
    """

    def __init__(self) -> None:
        self._populations: Dict[Place, Population] = {}
        self._totals: Dict[Place, Total] = {}
        self._books: Dict[str, Book] = {}
        self._curves: Dict[CellKey, Tuple[int, Curve]] = {}  # of all services, until so much was learned
        self._unlearned: Dict[Place, Population] = {}
        self._gone: List[str] = []  # keys of documents
        self._generation = -1  # in which ``forget`` was called last
        self._learned = 0  # rows and totals, since this was made or read

    # --- asking ---

    def tail(self, counter: str, scope: str, key: Key, horizon: str, slot: int, seen: float, per: float = 0.0) -> Tail:
        """Return the chance that ordinary traffic shows a trailing sum of at least ``seen``.

        The sum is over the 12, 288 or 2016 slots of 300 s up to and including ``slot``. ``per`` (totals only): judge
        it as a part of so many requests. Raises KeyError for a scope or horizon that is none, or a key of another.
        """
        index = HORIZON_INDEX[horizon]
        if len(key) != KEY_LENGTH[scope]:
            raise KeyError(f"a key of scope {scope} has {KEY_LENGTH[scope]} parts, not {len(key)}")
        seen = min(seen, MAX_WEIGHT) if seen > 0.0 else 0.0  # what is not a number is nothing
        if scope in (PRINCIPAL, PRINCIPAL_OPERATION):
            population = self._populations.get((scope, key[:-1])) or self._unknown(scope, key[0])
            judged = population.judge(counter, index, key[-1], slot, seen, self._book(key[0]))
        else:
            total = self._totals.get((scope, key)) or Total(scope)
            judged = total.judge(counter, index, slot, seen, per)
        basis = scope if judged.basis in (PEERS, SHARE) and scope in (OPERATION, SERVICE) else judged.basis
        if judged.evidence <= 0.0:
            return Tail(1.0, judged.expected, basis)
        true = self._curve(key[0], (scope, counter, index, judged.basis)).decades(judged.evidence)
        return Tail(max(P_FLOOR, math.pow(10.0, -true)), judged.expected, basis)

    def _unknown(self, scope: str, service: str) -> Population:
        """Return the population of an operation that nothing was learned of: one for all of a service."""
        place = (scope, (service,))
        population = self._unlearned.get(place)
        if population is None:
            if len(self._unlearned) >= MAX_UNLEARNED:
                self._unlearned.clear()
            population = self._unlearned[place] = Population(scope)
        return population

    def _curve(self, service: str, key: CellKey) -> Curve:
        """Return what evidence is worth in the service, by what it was worth there and elsewhere."""
        book = self._book(service)
        cell = book.cell(key)
        group = (key[0], key[2], key[3])
        total = book.total(group)
        if cell.curve is None or total >= cell.due:
            cell.curve = fit_curve(cell.robust(), total, key[2], self._everywhere(key))
            cell.due = max(total * CURVE_GROWTH, total + CURVE_LEAST)
        return cell.curve

    def _everywhere(self, key: CellKey) -> Curve:
        """Return what such evidence is worth in all services together, each without its odd one."""
        known = self._curves.get(key)
        if known is None or self._learned >= known[0]:
            weights: Dict[int, int] = {}
            total = 0
            for book in self._books.values():
                total += book.total((key[0], key[2], key[3]))
                cell = book.cells.get(key)
                for index, weight in cell.robust().items() if cell else ():
                    weights[index] = weights.get(index, 0) + weight
            prior = TOTAL_CURVE if key[0] in (OPERATION, SERVICE) else PRIOR_CURVE
            due = self._learned + max(CURVE_ROWS, int(self._learned * (CURVE_GROWTH - 1.0)))
            known = self._curves[key] = (due, fit_curve(weights, total, key[2], prior))
        return known[1]

    def _book(self, service: str) -> Book:
        book = self._books.get(service)
        if book is None:
            book = self._books[service] = Book()
        return book

    # --- learning ---

    def learn_sums(self, scope: str, key: Key, slot: int, sums: Sums, rows: int) -> None:
        """Take an ordinary row: the trailing sums that were asked about, by counter over the three horizons.

        ``rows`` is how many rows the key had in the last 288 slots, this one included: nobody teaches more than an
        hour's worth of rows a day. Counters whose sums are 0 may be left out.
        """
        place = (scope, key[:-1])
        population = self._populations.get(place)
        if population is None:
            if len(self._populations) >= MAX_PLACES:
                return
            population = self._populations[place] = Population(scope)
        book = self._book(key[0])
        book.move_to(generation_of(slot))
        self._learned += 1
        population.learn(key[-1], slot, sums, rows, book)
        if scope == PRINCIPAL_OPERATION:
            judged = sum(book.total((scope, 0, basis)) for basis in (PEERS, YOUNG))
            if judged >= book.typical_due:
                self._find_typical(key[0], book)
                book.typical_due = max(judged * 3 // 2, 100 * UNIT)

    def _find_typical(self, service: str, book: Book) -> None:
        fits: Dict[Tuple[str, int], List[Tuple[Fit, float]]] = defaultdict(list)
        for (scope, key), population in self._populations.items():
            if scope == PRINCIPAL_OPERATION and key[0] == service:
                population.blank.clear()
                for place, fit in population.fits():
                    fits[place].append((fit, sum(population.weight) / UNIT / ROWS_ALIKE))
        self._unlearned.pop((PRINCIPAL_OPERATION, (service,)), None)
        book.typical = {place: typical_of(known) for place, known in fits.items() if len(known) >= LEAST_OPERATIONS}
        book.dirty = True

    def learn_total(self, scope: str, key: Key, slot: int, values: Mapping[str, float]) -> None:
        """Take what ordinary principals did together in one slot: values of the slot, not sums. Additive."""
        total = self._totals.get((scope, key))
        if total is None:
            if len(self._totals) >= MAX_PLACES:
                return
            total = self._totals[(scope, key)] = Total(scope)
        book = self._book(key[0])
        book.move_to(generation_of(slot))
        self._learned += 1
        total.learn(slot, values, book)

    # --- state ---

    def merge(self, other: Expectations) -> None:
        """Add what another process learned of other rows: sums and totals exactly."""
        for place, population in other._populations.items():
            self._populations.setdefault(place, Population(place[0])).merge(population)
        for place, total in other._totals.items():
            self._totals.setdefault(place, Total(place[0])).merge(total)
        for service, book in other._books.items():
            self._book(service).merge(book)
        self._curves = {}

    def forget(self, slot: int) -> None:
        """Give up what nothing was learned of for two generations (four weeks)."""
        generation = generation_of(slot)
        if generation <= self._generation:
            return
        self._generation = generation
        for kind, scope, key, part in self._parts():
            if 0 <= part.last_generation() < generation - 1:
                self._gone.append(_key_of(kind, scope, key))
                place = (scope, key)
                if kind == TOTAL:
                    del self._totals[place]
                elif kind == PRINCIPALS:
                    del self._populations[place]
                else:
                    del self._books[key[0]]

    def gone(self) -> List[str]:
        """Return the ``_key`` of documents to delete."""
        return list(self._gone)

    def saved(self) -> None:
        """What ``to_documents`` and ``gone`` gave is in the store."""
        self._gone.clear()
        for parts in (self._populations, self._totals, self._books):
            for part in parts.values():
                part.dirty = False

    def to_documents(self, dirty_only: bool = False) -> List[Dict[str, Any]]:
        """Return a document each population, total and service; with ``dirty_only``, those changed since ``saved``."""
        return [
            _document(kind, scope, key, part)
            for kind, scope, key, part in self._parts()
            if part.dirty or not dirty_only
        ]

    def _parts(self) -> List[Tuple[str, str, Key, Any]]:
        parts: List[Tuple[str, str, Key, Any]] = []
        parts += [(PRINCIPALS, *place, part) for place, part in self._populations.items()]
        parts += [(TOTAL, *place, part) for place, part in self._totals.items()]
        parts += [(CALIBRATION, SERVICE, (service,), part) for service, part in self._books.items()]
        return sorted(parts, key=lambda one: one[:3])

    @classmethod
    def from_documents(
        cls, documents: Iterable[Mapping[str, Any]], damaged: Optional[List[str]] = None
    ) -> Expectations:
        """Read what ``to_documents`` gave.

        Raises DocumentError for anything else; with ``damaged``, that is begun anew and named there.
        """
        expectations = cls()
        for document in documents:
            try:
                expectations.load(document)
            except DocumentError as error:  # noqa: PERF203 - each document is damaged by itself
                if damaged is None:
                    raise
                damaged.append(f"{document.get('_key')}: {error}")
        return expectations

    def load(self, document: Mapping[str, Any]) -> None:
        """Add one document, in place of what was known of its key. Raises DocumentError."""
        kind, scope, service = (document.get(name) for name in ("kind", "scope", "service"))
        operation, text = document.get("operation") or "", document.get("state")
        if not isinstance(service, str) or not isinstance(operation, str) or not isinstance(text, str):
            raise DocumentError("has no service, operation or state", where="expectations")
        if str(document.get("version")) != str(DOCUMENT_VERSION):
            raise DocumentError(f"is of version {document.get('version')}", where="expectations")
        try:
            state = json.loads(text)
        except (ValueError, RecursionError) as problem:
            raise DocumentError("the state is not JSON", where="expectations") from problem
        key = (service, operation) if operation else (service,)
        if kind == PRINCIPALS and scope in (PRINCIPAL, PRINCIPAL_OPERATION) and len(key) == KEY_LENGTH[scope] - 1:
            self._populations[(scope, key)] = Population.from_state(scope, state)
        elif kind == TOTAL and scope in (OPERATION, SERVICE) and len(key) == KEY_LENGTH[scope]:
            self._totals[(scope, key)] = Total.from_state(scope, state)
        elif kind == CALIBRATION and len(key) == 1:
            self._books[service] = Book.from_state(state)
        else:
            raise DocumentError(f"is of no known kind: {kind} of {scope}", where="expectations")


def _key_of(kind: str, scope: str, key: Key) -> str:
    return "|".join((kind, scope, *key))


def _document(kind: str, scope: str, key: Key, part: Any) -> Dict[str, Any]:
    state = json.dumps(part.to_state(), separators=(",", ":"))
    while len(state) > MAX_STATE and kind == PRINCIPALS and part.forget_habit():
        state = json.dumps(part.to_state(), separators=(",", ":"))
    return {
        "_key": _key_of(kind, scope, key),
        "version": DOCUMENT_VERSION,
        "kind": kind,
        "scope": scope,
        "service": key[0],
        "operation": key[1] if len(key) > 1 else "",
        "state": state,
    }
