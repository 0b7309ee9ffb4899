"""Families that count: claims about trailing sums, of principals and of whole operations.

A claim compares the sum of one counter over an hour, a day and seven days with what is ordinary for this principal
(its peers', shrunk to its own habit where it has one). The best of the horizons counts, as one of three looks.
Claims of one group speak of the same thing: of them only the best counts in full, and the others not again.

Totals ask the same of an operation, for what many do a little of each. There the largest contributor is left out, so
that one busy principal is not taken for many; and with ``per`` a counter is judged against the operation's requests, so
that more traffic alone is none.
"""

# ruff: noqa: ARG002 - every family takes what the protocol gives
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Dict, FrozenSet, List, Optional, Tuple

from apisec.abuse.base import (
    OPERATION,
    PRINCIPAL,
    SLOTS_PER_DAY,
    Context,
    Observation,
    Window,
    observation,
)
from apisec.abuse.tally import SOURCE, SOURCE_MARKS, Counted
from apisec.abuse.weighing import (
    HORIZON_WORDS,
    LEAST_EVIDENCE,
    Claim,
    Total,
    Weighed,
    features_of,
    reasons_of,
    weigh,
    weigh_total,
)
from apisec.activity import OTHER

YOUNG_CAP = 4.7  # decades (85 points) that counts say at most in a service's first day


class CountingFamily:
    """A family made of claims and totals. Subclasses say which, and may add marks."""

    name: ClassVar[str]
    claims: ClassVar[Tuple[Claim, ...]] = ()
    totals: ClassVar[Tuple[Total, ...]] = ()
    young_cap: ClassVar[Optional[float]] = YOUNG_CAP
    further: ClassVar[Tuple[str, ...]] = ()  # features that ``beside`` adds
    _claimed: ClassVar[FrozenSet[str]] = frozenset()  # counters of the claims, and of the totals
    _totalled: ClassVar[FrozenSet[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        cls._claimed = frozenset(claim.counter for claim in cls.claims)
        cls._totalled = frozenset(total.counter for total in cls.totals)

    @property
    def features(self) -> Tuple[str, ...]:
        names = [claim.feature for claim in self.claims] + [total.feature for total in self.totals]
        return tuple(dict.fromkeys((*names, *self.further)))

    def mark(self, counted: Counted, context: Context) -> None:
        """Add marks to what a principal did in the window."""

    def beside(self, counted: Counted, context: Context, lead: Weighed) -> Mapping[str, float]:
        """Return features beside the claims; they count only where a claim says something."""
        return {}

    def words(self, counted: Counted, context: Context, operation: str, features: Mapping[str, float]) -> Sequence[str]:
        """Return sentences for what ``beside`` added."""
        return ()

    def evidence(self, counted: Counted) -> Mapping[str, Any]:
        return {}

    def totalled(self, features: Dict[str, float], context: Context, key: Tuple[str, str]) -> Dict[str, float]:
        """Return what the totals of an operation may say, given what else is known of it."""
        return features

    def silent(self, counted: Counted, context: Context) -> bool:
        """Whether the family has nothing to say about this principal."""
        return False

    def _in_youth(self, features: Dict[str, float], context: Context, service: str) -> Dict[str, float]:
        """In the first day of a service hardly anything is known of it: counts alone are no finding."""
        total = sum(features.values())
        if self.young_cap is None or total <= self.young_cap or context.age(service) >= SLOTS_PER_DAY:
            return features
        return {name: value * self.young_cap / total for name, value in features.items()}

    def learn(self, window: Window, context: Context) -> None:
        """Counters are learned by the tally."""

    def observe(self, window: Window, context: Context) -> Iterable[Observation]:
        for counted in context.tally.principals.values():
            found = self._principal(counted, context)
            if found is not None:
                yield found
        if not self._claimed.isdisjoint(SOURCE_MARKS):
            for counted in context.tally.sources.values():
                found = self._source(counted, context)
                if found is not None:
                    yield found
        if self.totals:
            for key, counts in context.tally.operations.items():
                if any(counts[name] for name in self._totalled & counts.keys()):
                    found = self._operation(key, context)
                    if found is not None:
                        yield found

    def _principal(self, counted: Counted, context: Context) -> Optional[Observation]:
        if self._claimed.isdisjoint(counted.counts) or self.silent(counted, context):
            return None
        weighed = self._weigh(counted, context)
        groups = {claim.feature: claim.group for claim in self.claims}
        features = features_of(weighed, groups)
        if sum(features.values()) < LEAST_EVIDENCE:
            return None
        lead = max(weighed, key=lambda one: (one.decades, bool(one.operation), one.feature, one.operation))
        features.update(self.beside(counted, context, lead))
        operation = lead.operation or self._main_operation(counted, lead)
        features = self._in_youth(features, context, counted.row.service)
        return observation(
            context,
            self.name,
            counted.row,
            features,
            seen=lead.seen,
            expected=lead.expected,
            unit=f"{lead.unit} {HORIZON_WORDS[lead.horizon]}",
            basis=lead.basis,
            operation=operation,
            first=min(row.first for row in counted.rows),
            last=max(row.last for row in counted.rows),
            requests=sum(row.requests for row in counted.rows),
            evidence={"horizon": lead.horizon, **self.evidence(counted)},
            reasons=(*reasons_of(weighed), *self.words(counted, context, operation, features)),
            examples=examples_of(counted, lead.example),
        )

    def _source(self, counted: Counted, context: Context) -> Optional[Observation]:
        """Judge what the principals of one address did together."""
        members = sorted({row.principal for row in counted.rows})
        memory = counted.part.memories.get("members")
        if memory is None or len(memory) < 2:
            return None
        service, address = counted.key
        weighed: List[Weighed] = []
        for claim in self.claims:
            if claim.counter in SOURCE_MARKS and claim.scope == PRINCIPAL and counted.counts.get(claim.counter):
                one = weigh(context, claim, (service + SOURCE, address), counted.part.total)
                weighed += [one] if one else []
        features = features_of(weighed, {claim.feature: claim.group for claim in self.claims})
        if sum(features.values()) < LEAST_EVIDENCE:
            return None
        lead = max(weighed, key=lambda one: (one.decades, one.feature))
        features = self._in_youth(features, context, service)
        return observation(
            context,
            self.name,
            counted.row,
            features,
            entity=OPERATION,
            seen=lead.seen,
            expected=lead.expected,
            unit=f"{lead.unit} {HORIZON_WORDS[lead.horizon]}",
            basis=lead.basis,
            operation=self._main_operation(counted, lead),
            members=members,
            first=min(row.first for row in counted.rows),
            last=max(row.last for row in counted.rows),
            requests=sum(row.requests for row in counted.rows),
            evidence={"horizon": lead.horizon, "source": address[1:], "members": len(memory)},
            reasons=[f"{one}, by {len(memory)} principals from {address[1:]}" for one in reasons_of(weighed)],
            examples=examples_of(counted, lead.example),
            signature=address,
        )

    def _weigh(self, counted: Counted, context: Context) -> List[Weighed]:
        key = service, principal = counted.key
        found: List[Weighed] = []
        for claim in self.claims:
            if not counted.counts.get(claim.counter):
                continue
            if claim.scope == PRINCIPAL:
                one = weigh(context, claim, key, counted.part.total)
                found += [one] if one else []
                continue
            for operation, counts in counted.by_operation.items():
                trail = counted.part.operations.get(operation)
                if counts.get(claim.counter) and trail is not None and operation != OTHER:
                    one = weigh(context, claim, (service, operation, principal), trail, operation)
                    found += [one] if one else []
        return found

    def _main_operation(self, counted: Counted, lead: Weighed) -> str:
        """The operation that has most of the counter in the window, when it has most of it at all."""
        counter = next(claim.counter for claim in self.claims if claim.feature == lead.feature)
        by = {name: counts.get(counter, 0.0) for name, counts in counted.by_operation.items()}
        best = max(by, key=lambda name: (by[name], name), default="")
        return best if best and 2 * by[best] > sum(by.values()) and best != OTHER else ""

    def _operation(self, key: Tuple[str, str], context: Context) -> Optional[Observation]:
        service, operation = key
        traffic = context.tally.traffic(OPERATION, key)
        best: Optional[Tuple[Weighed, List[str]]] = None
        features: Dict[str, float] = {}
        for total in self.totals:
            found = weigh_total(context, total, key, traffic.total, traffic.contributors.get(total.counter, {}))
            if found is not None:
                features[total.feature] = found[0].decades
                best = found if best is None or found[0].decades > best[0].decades else best
        if best is None or best[0].decades < LEAST_EVIDENCE:
            return None
        lead, members = best
        features = self._in_youth(self.totalled(features, context, key), context, service)
        counted = [context.tally.principals[one] for one in _present(context, service, members)]
        if not counted:
            return None
        return observation(
            context,
            self.name,
            counted[0].row,
            features,
            entity=OPERATION,
            seen=lead.seen,
            expected=lead.expected,
            unit=f"{lead.unit} {HORIZON_WORDS[lead.horizon]}",
            basis=lead.basis,
            operation=operation,
            members=members,
            first=min(one.row.first for one in counted),
            last=max(one.row.last for one in counted),
            requests=int(sum(one.by_operation.get(operation, {}).get("requests", 0) for one in counted)),
            evidence={"horizon": lead.horizon, "members": len(members)},
            reasons=(f"{lead.reason}, by {len(members)} principals",),
            examples=[one for each in counted[:6] for one in examples_of(each, lead.example)[:1]],
        )


def _present(context: Context, service: str, members: Sequence[str]) -> List[Tuple[str, str]]:
    return [(service, who) for who in members if (service, who) in context.tally.principals]


def examples_of(counted: Counted, kind: str) -> List[str]:
    """Return event ids of a kind, or of any."""
    found: List[str] = []
    for row in counted.rows:
        examples = row.examples
        found += examples.get(kind) or examples.get("any", [])
    return found
