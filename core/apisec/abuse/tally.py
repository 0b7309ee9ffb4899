"""One count of a window for all families: what each principal and each operation did, added to its trails.

Families add *marks* to what a row counts: things that ordinary traffic hardly has (a failed login, a signal, a path
that answers nobody). All of them are judged alike, by trailing sums against what is ordinary (``counting``).

Failures that come over many at once are explained by what befell them all: a rotation of credentials, a broken release,
an outage. In such a *wave* a principal's failures count only as far as they exceed three times what the others have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, AbstractSet, Any, Dict, FrozenSet, List, Optional, Set, Tuple

from apisec.abuse.base import (
    OPERATION,
    PRINCIPAL,
    PRINCIPAL_OPERATION,
    SERVICE,
    SLOTS_PER_HOUR,
    Context,
    Key,
    Window,
)
from apisec.abuse.counters import Counts, PrincipalCounters, Trail, operation_counts, row_counts
from apisec.abuse.provenance import Provenance
from apisec.abuse.shares import Share
from apisec.abuse.traffic import OperationTraffic, Wave
from apisec.activity import OTHER
from apisec.activity.hashing import value_hash32
from apisec.baselines.counters import HORIZON_INDEX
from apisec.baselines.histograms import UNIT
from apisec.baselines.population import DAY_ROWS, weight_of

if TYPE_CHECKING:
    from apisec.activity import OperationActivity, Row

WAVE_COUNTERS = ("s401", "s403", "s404", "s4xx", "s429", "s5xx")
WAVE_MARKS = ("oversize",)
ESTABLISHED_SLOTS = SLOTS_PER_HOUR  # a wave is told by those who were there before
SHARE_LEAST = 8  # trials in a day from which on a principal has a share
# Marks that are added up by source address too, for who changes its agent or its token with each request.
SOURCE_MARKS = ("accounts_failed", "accounts_asked", "accounts_unknown", "attempts", "dead", "guessed", "guessers")
MONOTONY, MONOTONY_LEAST = "monotony", 8  # requests, from which on a principal has a share of each operation
SOURCE = "@"  # begins the pseudo principal of an address, and ends the pseudo service of its expectations


class Counted:
    """What one principal did in the window. ``counts`` and ``by_operation`` are of the window, marks included."""

    __slots__ = ("age", "by_operation", "counts", "hashes", "key", "part", "row", "rows")

    def __init__(self, key: Tuple[str, str], rows: List[Row], part: PrincipalCounters, age: int) -> None:
        self.key = key
        self.rows = rows
        self.row = rows[-1]
        self.part = part
        self.age = age  # slots since it was first seen
        self.counts: Counts = {}
        self.by_operation: Dict[str, Counts] = {}
        self.hashes: Dict[str, Set[int]] = {}  # what a mark counted, where many principals may mean the same thing

    def mark(self, operation: str, name: str, count: float) -> None:
        """Add a mark, in all and to an operation ("" for none)."""
        if count > 0:
            self.counts[name] = self.counts.get(name, 0) + count
            if operation:
                own = self.by_operation.setdefault(operation, {})
                own[name] = own.get(name, 0) + count

    def used(self) -> Iterable[Tuple[Row, str, OperationActivity]]:
        """Yield rows with their operations, less those that are counted together."""
        for row in self.rows:
            for name, used in row.operations.items():
                if name != OTHER:
                    yield row, name, used


class Tally:
    """The count of a window: principals by (service, principal), operations by (service, operation)."""

    def __init__(self, window: Window, context: Context) -> None:
        self.slot = context.now_slot
        self._context = context
        self.principals: Dict[Tuple[str, str], Counted] = {}
        self.operations: Dict[Tuple[str, str], Counts] = {}
        self.services: Dict[str, Counts] = {}
        self.sources: Dict[Tuple[str, str], Counted] = {}  # by (service, "@address")
        self._told: FrozenSet[str] = frozenset()  # these, and what they are shares of
        # Counters and horizons that are asked about, by scope; object_enumeration asks about objects of an operation.
        self._asked: Dict[str, Dict[str, Set[int]]] = {PRINCIPAL: {}, PRINCIPAL_OPERATION: {"objects": {1}}}
        self._doubtful: AbstractSet[Tuple[str, str]] = frozenset()
        self._shares: Tuple[Tuple[str, str, str], ...] = ()  # scope, counter and of what: what claims need shares of
        self._totals: FrozenSet[str] = frozenset()  # marks that are judged by operation
        for key, rows in window.by_principal.items():
            part = context.part(PRINCIPAL, key, PrincipalCounters)
            counted = Counted(key, list(rows), part, context.age_of(PRINCIPAL, key))
            self._count(counted)
            self.principals[key] = counted

    def traffic(self, scope: str, key: Key) -> OperationTraffic:
        return self._context.part(scope, key, OperationTraffic)

    def _count(self, counted: Counted) -> None:
        part, slot = counted.part, self.slot
        for row in counted.rows:
            by_operation: Dict[str, Counts] = {}
            for name, used in row.operations.items():
                counts = operation_counts(used)
                if used.objects:
                    # Of different ids over days, only those that are new to this principal add up.
                    fresh = part.fresh(f"o:{name}", used.objects, slot)
                    counts["objects"] = fresh + used.objects_dropped
                if used.given:
                    counts["given"] = self._new(counted, used)
                by_operation[name] = counts
                own = counted.by_operation.setdefault(name, {})
                for counter, value in counts.items():
                    own[counter] = own.get(counter, 0) + value
            for counter, value in row_counts(row, by_operation).items():
                counted.counts[counter] = counted.counts.get(counter, 0) + value

    def _new(self, counted: Counted, used: OperationActivity) -> float:
        """Return how many ids lists gave that no response had given to the principal before."""
        known = self._context.peek(PRINCIPAL, counted.key, Provenance)
        values = used.given.values
        new = len(values) if known is None else sum(one not in known.issued for one in values)
        return round(new * used.given.count / len(values))

    def mark(self, families: Iterable[Any]) -> None:
        """Let families add their marks, and add all of it to the trails."""
        self.explain(WAVE_COUNTERS)
        marking = [family for family in families if hasattr(family, "mark")]
        totals = [total for family in marking for total in family.totals]
        self._totals = frozenset(total.counter for total in totals)
        self._told = frozenset({*self._totals, *(total.per for total in totals), "requests"})
        claims = [claim for family in marking for claim in family.claims]
        self._shares = tuple(sorted({(claim.scope, claim.counter, claim.of) for claim in claims if claim.of}))
        for claim in claims:
            horizons = self._asked[claim.scope].setdefault(claim.counter, set())
            horizons.update(HORIZON_INDEX[one] for one in claim.horizons)
        for counted in self.principals.values():
            for family in marking:
                family.mark(counted, self._context)
        self.explain(WAVE_MARKS)
        self._add_sources()
        self.close()

    def _add_sources(self) -> None:
        """Add up the marks by address; an address without any is none."""
        by_source: Dict[Tuple[str, str], List[Counted]] = {}
        for (service, _), counted in self.principals.items():
            if len(counted.row.sources) == 1 and any(counted.counts.get(mark) for mark in SOURCE_MARKS):
                by_source.setdefault((service, SOURCE + counted.row.sources[0]), []).append(counted)
        for key, members in by_source.items():
            part = self._context.part(PRINCIPAL, key, PrincipalCounters)
            rows = [row for counted in members for row in counted.rows]
            source = self.sources[key] = Counted(key, rows, part, self._context.age_of(PRINCIPAL, key))
            for counted in members:
                _add(source.counts, {mark: counted.counts[mark] for mark in SOURCE_MARKS if counted.counts.get(mark)})
                for name, counts in counted.by_operation.items():
                    marks = {mark: counts[mark] for mark in SOURCE_MARKS if counts.get(mark)}
                    if marks:
                        _add(source.by_operation.setdefault(name, {}), marks)
            for mark in {mark for counted in members for mark in counted.hashes}:
                meant = set().union(*(counted.hashes.get(mark, set()) for counted in members))
                source.counts[mark] = part.fresh(mark, meant, self.slot)
            part.fresh("members", [value_hash32(counted.row.principal) for counted in members], self.slot)
            part.total.add(self.slot, {**source.counts, "rows": 1})

    def explain(self, names: Sequence[str]) -> None:
        """Take what a wave explains out of some counters."""
        failing = [one for one in self.principals.items() if not one[1].counts.keys().isdisjoint(names)]
        for (service, principal), counted in failing:
            # Who is accused makes no wave: else an attack that goes on would explain itself away, and the next one.
            if counted.age >= ESTABLISHED_SLOTS and not self._context.frozen(service, principal):
                for name in names:
                    if counted.counts.get(name):
                        traffic = self.traffic(SERVICE, (service,))
                        traffic.waves.setdefault(name, Wave()).add(principal, self.slot, counted.counts[name])
        for (service, principal), counted in failing:
            traffic = self.traffic(SERVICE, (service,))
            for name in names:
                wave = traffic.waves.get(name)
                if wave is None or not counted.counts.get(name):
                    continue
                explained = wave.explained(principal)
                if explained:
                    _reduce(counted, name, explained)
        for service in {service for service, _ in self.principals}:
            for name, wave in self.traffic(SERVICE, (service,)).waves.items():
                if name in names:
                    wave.close(self.slot)

    def close(self) -> None:
        """Add the window to the trails of principals, operations and services."""
        slot = self.slot
        for (service, principal), counted in self.principals.items():
            answered = self._answered(service, principal, counted)
            counted.part.total.add(slot, {**counted.counts, "rows": 1, "answered": answered})
            _add(self.services.setdefault(service, {}), counted.counts)
            for name, counts in counted.by_operation.items():
                if name == OTHER:
                    continue
                counted.part.operation(name).add(slot, {**counts, "rows": 1})
                _add(self.operations.setdefault((service, name), {}), counts)
                for mark in self._totals & counts.keys():
                    if counts[mark]:
                        self.traffic(OPERATION, (service, name)).contribute(mark, principal, slot, counts[mark])
        for key, counts in self.operations.items():
            self.traffic(OPERATION, key).total.add(slot, _some(counts, self._told))
        for service, counts in self.services.items():
            self.traffic(SERVICE, (service,)).total.add(slot, _some(counts, self._told))

    def _answered(self, service: str, principal: str, counted: Counted) -> int:
        """Count requests that were answered with success, and tell the operations."""
        answered, hashed = 0, value_hash32(principal)
        for _, name, used in counted.used():
            good = used.requests - used.failures
            if good > 0:
                answered += good
                traffic = self.traffic(OPERATION, (service, name))
                traffic.answered += good
                traffic.succeeded.add(hashed)
        return answered

    def learn(self, ordinary: Window, doubtful: AbstractSet[Tuple[str, str]] = frozenset()) -> None:
        """Teach the expectations the sums of ordinary principals, and totals less what the others did.

        Shares are taught by few, so that the ``doubtful`` among them do not teach those.
        """
        self._doubtful = doubtful
        operations: Dict[Tuple[str, str], Counts] = {}
        for key in ordinary.by_principal:
            self._learn_principal(self.principals[key], operations)
        for key, counts in operations.items():
            self._context.expectations.learn_total(OPERATION, key, self.slot, _some(counts, self._told))
        self._learn_sources(ordinary)

    def _learn_principal(self, counted: Counted, operations: Dict[Tuple[str, str], Counts]) -> None:
        key = service, principal = counted.key
        total = counted.part.total
        certain = key not in self._doubtful
        self._learn_sums(PRINCIPAL, key, total, self.traffic(SERVICE, (service,)) if certain else None)
        all_requests = total.sums("requests")[2]
        for name, counts in counted.by_operation.items():
            if name == OTHER:
                continue
            _add(operations.setdefault((service, name), {}), counts)
            trail = counted.part.operations.get(name)
            if trail is None:  # who uses more operations in a window than are counted apart
                continue
            traffic = self.traffic(OPERATION, (service, name)) if certain else None
            weight = self._learn_sums(PRINCIPAL_OPERATION, (service, name, principal), trail, traffic)
            if weight and traffic is not None and all_requests >= MONOTONY_LEAST:
                share = traffic.shares.setdefault(MONOTONY, Share())
                share.learn(min(1.0, trail.sums("requests")[2] / all_requests), weight)

    def _learn_sums(self, scope: str, key: Key, trail: Trail, traffic: Optional[OperationTraffic]) -> float:
        """Teach a trail's sums, and its shares where there is ``traffic``; return what the row weighs of a day."""
        rows = int(trail.sums("rows")[1])
        if rows < 1:  # its trail made room for another operation of the same window
            return 0.0
        weight = weight_of(key[-1], self.slot, rows) / UNIT / max(1, min(rows, DAY_ROWS))
        if not rows or not weight:
            return 0.0
        self._context.expectations.learn_sums(scope, key, self.slot, trail.some_sums(self._asked[scope]), rows)
        for in_scope, counter, of in self._shares if traffic is not None else ():
            trials = trail.sums(of)[1] if in_scope == scope else 0.0
            if traffic is not None and trials >= SHARE_LEAST:
                share = traffic.shares.setdefault(f"{counter}/{of}", Share())
                share.learn(min(1.0, trail.sums(counter)[1] / trials), weight)
        return weight

    def _learn_sources(self, ordinary: Window) -> None:
        """Teach what ordinary addresses show; most show nothing."""
        expectations, slot = self._context.expectations, self.slot
        seen: Dict[Tuple[str, str], bool] = {}
        for (service, principal), counted in self.principals.items():
            for address in counted.row.sources[:1]:
                key = (service, SOURCE + address)
                seen[key] = seen.get(key, True) and (service, principal) in ordinary.by_principal
        for key, good in seen.items():
            if not good:
                continue
            source = self.sources.get(key)
            if source is None:
                expectations.learn_sums(PRINCIPAL, (key[0] + SOURCE, key[1]), slot, {}, 1)
                continue
            total = source.part.total
            rows = int(total.sums("rows")[1])
            expectations.learn_sums(
                PRINCIPAL, (key[0] + SOURCE, key[1]), slot, total.some_sums(self._asked[PRINCIPAL]), rows
            )


def _reduce(counted: Counted, name: str, explained: float) -> None:
    """Leave of a kind of failures what is beyond ``explained`` within the last hour."""
    here = counted.counts[name]
    so_far = counted.part.total.sums(name)[0] + here
    left = min(here, max(0.0, so_far - explained))
    share = left / here
    for counts in (counted.counts, *counted.by_operation.values()):
        if counts.get(name):
            dropped = counts[name] * (1.0 - share)
            counts[name] -= dropped
            counts["failures"] = max(0.0, counts.get("failures", 0.0) - dropped)


def _some(counts: Counts, names: AbstractSet[str]) -> Counts:
    return {name: value for name, value in counts.items() if name in names}


def _add(counts: Counts, more: Mapping[str, float]) -> None:
    for name, value in more.items():
        counts[name] = counts.get(name, 0) + value
