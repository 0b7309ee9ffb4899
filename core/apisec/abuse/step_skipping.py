"""Step skipping: leaving out a step that ordinary principals take before another (payment, approval, verification).

The rules are mined from traffic (``apisec.sequences.precedence``) with a bound on how often ordinary principals break
them. One broken rule says as much as it is rare, each further one by the same principal what repetition is worth, and
many principals that break one rule a little each are one observation about the operation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Dict, List, NamedTuple, Optional

from apisec.abuse.base import Context, Observation, Window, decades, observation
from apisec.abuse.counting import CountingFamily, Total, examples_of
from apisec.abuse.tally import Counted
from apisec.sequences import window as sequences
from apisec.sequences.explanation import broken_sentence, expected_sentence
from apisec.sequences.following import Broken, Moment, Order, statistic
from apisec.sequences.precedence import Rule
from apisec.sequences.steps import changes
from apisec.sequences.walk import Walk

READ_WEIGHT = 0.5  # of a required step that only reads: rather a habit than a rule
MOST_REPEATED, MOST_FACTOR = 6.0, 2.0  # decades that repetition adds at most, and times what one break says
HABIT, HABIT_WEIGHT = 0.9, 5.0  # of breaking a rule again that ordinary principals break, as if seen of so many
MOST_SURPRISE = 3.0  # decades
MARK = "skipped_steps"


class _Lead(NamedTuple):
    """The strongest of a window's broken rules."""

    moment: Moment
    broken: Broken
    decades: float


class StepSkipping(CountingFamily):
    name = "step_skipping"
    totals = (Total("many", MARK, "skipped steps", least=3.0, horizons=("1h", "1d")),)
    further = ("broken", "repeated", "surprise")

    def mark(self, counted: Counted, context: Context) -> None:
        for moment in sequences.moments(context, counted):
            if moment.broken:
                counted.mark(moment.step.operation, MARK, 1.0)

    def learn(self, window: Window, context: Context) -> None:
        sequences.learn(context, window)

    def _principal(self, counted: Counted, context: Context) -> Optional[Observation]:
        if not counted.counts.get(MARK):
            return None
        moments = sequences.moments(context, counted)
        lead = _lead(moments)
        if lead is None:
            return None
        order = sequences.order_of(context, counted.key[0])
        walk = sequences.walk_of(context, counted.key)
        rule, times = lead.broken.rule, _times(moments, lead.broken)
        looks = walk.looks.get(rule.operation)
        return observation(
            context,
            self.name,
            counted.row,
            self._features(lead, times, order, walk),
            operation=rule.operation,
            seen=float(times),
            expected=round(rule.rate * max(1, looks.times if looks else 1), 4),
            unit="skipped steps in seven days",
            basis="peers",
            first=min(one.time for one in walk.breaks if one.operation == rule.operation) if walk.breaks else None,
            last=lead.moment.step.time,
            requests=sum(row.requests for row in counted.rows),
            evidence=_evidence(lead, times, order),
            reasons=(broken_sentence(rule, lead.moment, times), *_expected(order, lead.moment)),
            examples=examples_of(counted, "any"),
        )

    @staticmethod
    def _features(lead: _Lead, times: int, order: Order, walk: Walk) -> Dict[str, float]:
        most = min(MOST_REPEATED, MOST_FACTOR * lead.decades)
        repeated = (times - 1) * -math.log10(_again(lead.broken.rule)) * lead.broken.covered
        return {
            "broken": lead.decades,
            "repeated": min(most, repeated),
            "surprise": min(MOST_SURPRISE, decades(order.surprise.p_value(walk.length, statistic(walk)))),
        }


def _lead(moments: Sequence[Moment]) -> Optional[_Lead]:
    found = [_Lead(moment, broken, _weight(broken)) for moment in moments for broken in moment.broken]
    return max(found, key=lambda one: (one.decades, one.broken.times, one.broken.rule.operation), default=None)


def _weight(broken: Broken) -> float:
    rule = broken.rule
    return decades(rule.rate) * broken.covered * (1.0 if changes(rule.requires) else READ_WEIGHT)


def _again(rule: Rule) -> float:
    """How likely one who broke the rule does so again; half, where no ordinary principal ever broke it.

    Otherwise some have reason to, and who has reason has it each time: what was seen of them is shrunk to that.
    """
    if not rule.broken:
        return 0.5
    return min(HABIT, (rule.again + HABIT * HABIT_WEIGHT) / (rule.broken + HABIT_WEIGHT))


def _times(moments: Sequence[Moment], lead: Broken) -> int:
    """How often the rule was broken, up to the end of the window."""
    same = [one.times for moment in moments for one in moment.broken if one.rule.pair == lead.rule.pair]
    return max(same, default=lead.times)


def _evidence(lead: _Lead, times: int, order: Order) -> Mapping[str, Any]:
    rule, moment = lead.broken.rule, lead.moment
    expected, share = order.transitions.likeliest(moment.context)
    return {
        "required": rule.requires,
        "taken_after": moment.context[-1],
        "same_object": rule.pair.linked,
        "times": times,
        "days": rule.days,
        "days_broken": rule.broken,
        "rate": round(rule.rate, 6),
        "bound": round(rule.bound, 6),
        "covered": round(lead.broken.covered, 3),
        "usual_next": expected,
        "usual_share": round(share, 4),
    }


def _expected(order: Order, moment: Moment) -> List[str]:
    sentence = expected_sentence(order.transitions, moment.context, moment.word)
    return [sentence] if sentence else []
