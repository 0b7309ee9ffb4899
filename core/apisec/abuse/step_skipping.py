"""Step skipping: leaving out a step that ordinary principals take before another (payment, approval, verification).

The rules are mined from traffic (``apisec.sequences.precedence``) with a bound on how often ordinary principals break
them. One broken rule says as much as it is rare, each further one by the same principal what repetition is worth, and
many principals that break one rule a little each are one observation about the operation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from apisec.abuse.base import OPERATION, SLOTS_PER_DAY, Context, Observation, Window, decades, observation
from apisec.abuse.counting import CountingFamily, examples_of
from apisec.abuse.flow_crowds import Takers
from apisec.abuse.tally import Counted
from apisec.abuse.weighing import Total
from apisec.sequences import window as sequences
from apisec.sequences.explanation import broken_sentence, expected_sentence
from apisec.sequences.following import Broken, Moment, Order, statistic
from apisec.sequences.precedence import Rule
from apisec.sequences.steps import changes
from apisec.sequences.walk import Walk

READ_WEIGHT = 0.5  # of a required step that only reads: rather a habit than a rule
MOST_REPEATED, MOST_FACTOR = 6.0, 2.0  # decades that repetition adds at most, and times what one break says
LOOSE_FACTOR = 0.5  # the same, of steps that share no object or only read: who works in another way does so each time
MOST_OF_READS = 4.5  # decades that a required step that only reads says with all beside it: no finding
HABIT, HABIT_WEIGHT = 0.9, 5.0  # of breaking a rule again that ordinary principals break, as if seen of so many
MOST_SURPRISE, LOOSE_SURPRISE = 3.0, 1.0  # decades
SPREAD = 4  # other principals that skip it within a day, from which on it is no single one's doing
MARK = "skipped_steps"
SURE = 0.5  # how surely a step was left out, to count with those of others


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
            if any(changes(one.rule.requires) and one.covered >= SURE for one in moment.broken):
                counted.mark(moment.step.operation, MARK, 1.0)

    def learn(self, window: Window, context: Context) -> None:
        sequences.learn(context, window)

    def _principal(self, counted: Counted, context: Context) -> Optional[Observation]:
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
            _features(lead, times, order, walk, _spread(context, counted.key, rule.operation)),
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


def _features(lead: _Lead, times: int, order: Order, walk: Walk, spread: float) -> Dict[str, float]:
    rule = lead.broken.rule
    reads = not changes(rule.requires)
    loose = reads or not rule.pair.linked or lead.broken.covered < SURE
    first = min(lead.decades, decades(spread))
    most = min(MOST_REPEATED, (LOOSE_FACTOR if loose else MOST_FACTOR) * first)
    repeated = min(most, (times - 1) * -math.log10(_again(rule)) * lead.broken.covered)
    surprise = decades(order.surprise.p_value(walk.length, statistic(walk)))
    surprise = min(LOOSE_SURPRISE if loose else MOST_SURPRISE, surprise)
    if reads:
        surprise = max(0.0, min(surprise, MOST_OF_READS - first - repeated))
    return {"broken": first, "repeated": repeated, "surprise": surprise}


def _spread(context: Context, who: Tuple[str, str], operation: str) -> float:
    """The share of a day's principals that skip a step too, where they are several: one that is no longer taken.

    Then what many do (``many``) is what is to be judged, accused or not, and not each of them by a rule of before.
    """
    key = (who[0], operation)
    skipping = set(context.tally.traffic(OPERATION, key).members(MARK, context.now_slot - SLOTS_PER_DAY))
    takers = context.peek(OPERATION, key, Takers)
    others = len(skipping - {who[1]})
    doing = max(others + 1, takers.today() if takers is not None else 0)
    return others / doing if others >= SPREAD else 0.0


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
