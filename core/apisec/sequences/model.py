"""A model of order by itself: learned from the steps of principals, asked about one principal's steps.

The engine of abuse keeps the same parts in the profiles of services; this is for commands, benchmarks and whoever has
all steps of a principal at once. Models of different principals merge exactly (until a bound is reached).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

from apisec.errors import DocumentError
from apisec.sequences.calibration import Surprise
from apisec.sequences.explanation import broken_sentence, expected_sentence
from apisec.sequences.following import Moment, Order, follow, statistic, teach
from apisec.sequences.precedence import Precedence, Rule
from apisec.sequences.steps import Taken
from apisec.sequences.transitions import Transitions
from apisec.sequences.walk import SLOT_SECONDS, Walk

DOCUMENT_VERSION = 1
LOOKS = 2.0  # the order of all steps, and the rules


@dataclass(frozen=True)
class SequenceFinding:
    """The most surprising step of a session.

    ``p_value``: the chance that an ordinary session is as unusual, or that an ordinary principal breaks the rule on a
    day. ``bits`` is the session's statistic; ``taken`` stands after ``after``, where ``expected``
    is taken with the chance ``share``; ``rule`` is the one that was broken, if any, ``times`` times.
    """

    p_value: float
    bits: float
    length: int
    taken: str
    after: str
    expected: str
    share: float
    rule: Optional[Rule]
    times: int
    reasons: Tuple[str, ...]


@dataclass(frozen=True)
class Explained:
    """One step of a path: what it was, what was expected there, and the rules that it broke."""

    step: Taken
    bits: float
    expected: str
    share: float
    broken: Tuple[Rule, ...]


class SequenceModel:
    """The order of steps of all services."""

    def __init__(self) -> None:
        self._orders: Dict[str, Order] = {}

    def order(self, service: str) -> Order:
        found = self._orders.get(service)
        if found is None:
            found = self._orders[service] = Order.new()
        return found

    def services(self) -> List[str]:
        return sorted(self._orders)

    def learn(self, service: str, principal: str, steps: Iterable[Taken]) -> None:
        """Learn from the steps of one principal, in order of time."""
        order, walk = self.order(service), Walk()
        for step in steps:
            teach(order, walk, principal, follow(order, walk, step, _slot(step)))

    def mine(self) -> None:
        """Say anew which rules hold."""
        for order in self._orders.values():
            order.precedence.ripen(math.inf, lambda _: False)
            order.precedence.mined_at = -1
            order.precedence.mine(0)

    def judge(self, service: str, steps: Sequence[Taken]) -> Optional[SequenceFinding]:
        """Return what is most unusual in the steps of one principal, in order of time; None of an unknown service."""
        order = self._orders.get(service)
        if order is None or not steps:
            return None
        walk = Walk()
        walk.since = steps[0].time - 1.0
        order.since = 0.0
        moments = [follow(order, walk, step, _slot(step)) for step in steps]
        bits = statistic(walk)
        unusual = order.surprise.p_value(walk.length, bits)
        broken = max(
            ((moment, one) for moment in moments for one in moment.broken),
            key=lambda found: (-found[1].rule.rate, found[1].times),
            default=None,
        )
        moment = broken[0] if broken else max(moments, key=lambda one: one.bits)
        rule = broken[1].rule if broken else None
        expected, share = order.transitions.likeliest(moment.context)
        times = broken[1].times if broken else 0
        reasons = [broken_sentence(rule, moment, times)] if rule else []
        reasons.append(expected_sentence(order.transitions, moment.context, moment.word))
        return SequenceFinding(
            min(1.0, LOOKS * min(unusual, rule.rate if rule else 1.0)),
            bits,
            walk.length,
            moment.step.operation,
            moment.context[-1],
            expected,
            share,
            rule,
            times,
            tuple(reason for reason in reasons if reason),
        )

    def explain(self, service: str, steps: Sequence[Taken]) -> List[Explained]:
        """Return each step with what was expected in its place."""
        order = self.order(service)
        walk = Walk()
        moments = (follow(order, walk, step, _slot(step)) for step in steps)
        return [_explained(order, moment) for moment in moments]

    def merge(self, other: SequenceModel) -> None:
        """Add what other principals taught."""
        for service, order in other._orders.items():
            mine = self.order(service)
            mine.transitions.merge(order.transitions)
            mine.precedence.merge(order.precedence)
            mine.surprise.merge(order.surprise)

    def to_documents(self) -> List[Dict[str, Any]]:
        return [
            {
                "_key": service,
                "version": DOCUMENT_VERSION,
                "service": service,
                **{part.name: part.to_state() for part in _parts(order)},
            }
            for service, order in sorted(self._orders.items())
        ]

    @classmethod
    def from_documents(cls, documents: Iterable[Mapping[str, Any]]) -> SequenceModel:
        """Read what ``to_documents`` gave; raises DocumentError for anything else."""
        model = cls()
        for document in documents:
            service = document.get("service")
            if document.get("version") != DOCUMENT_VERSION or not isinstance(service, str):
                raise DocumentError(f"not a sequence model of version {DOCUMENT_VERSION}", where="sequences")
            model._orders[service] = Order(
                Transitions.from_state(document.get(Transitions.name)),
                Precedence.from_state(document.get(Precedence.name)),
                Surprise.from_state(document.get(Surprise.name)),
            )
        return model


def _parts(order: Order) -> Tuple[Any, ...]:
    return order.transitions, order.precedence, order.surprise


def _slot(step: Taken) -> int:
    return int(step.time // SLOT_SECONDS)


def _explained(order: Order, moment: Moment) -> Explained:
    expected, share = order.transitions.likeliest(moment.context)
    return Explained(moment.step, moment.bits, expected, share, tuple(one.rule for one in moment.broken))
