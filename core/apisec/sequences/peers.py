"""Order in a young service: principals of one window compared with one another, before anything was learned.

Whoever leaves out a step that all others took for their objects is told by them: for each principal, the rule is what
the others of the window and those learned so far say together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Dict, List, Optional, Set, Tuple

from apisec.sequences.counts import TargetCounts
from apisec.sequences.following import Broken, Moment, Order, covered
from apisec.sequences.precedence import CONFIDENCE, MAX_BROKEN, MIN_PRINCIPALS, Rule
from apisec.sequences.steps import Break, Pair, changes
from apisec.sequences.walk import REMEMBERED_SECONDS, Walk
from apisec.statistics import upper_bound

KNOWN_DAYS = 60  # of an operation, from which on what was learned speaks for itself

Followed = Tuple[str, Walk, Sequence[Moment]]  # principal, and what was seen of it in the window


@dataclass
class _Doer:
    """What one principal did of an operation in the window. ``kept`` stood before it each time."""

    walk: Walk
    moments: List[Moment] = field(default_factory=list)
    kept: Optional[Set[Pair]] = None
    counted: bool = False  # among the days that were learned

    def add(self, moment: Moment) -> None:
        linked = {pair for pair in moment.before if pair.linked and changes(pair.requires)}
        self.kept = linked if self.kept is None else self.kept & linked
        self.counted = self.counted or (not self.moments and moment.look is not None and moment.look.times > 1)
        self.moments.append(moment)


def compare(order: Order, followed: Sequence[Followed]) -> None:
    """Add to the moments of a window the rules that they break by comparison, for operations that are hardly known."""
    learned = order.precedence.total().targets if order.precedence.is_young() else None
    if learned is None:
        return
    doers: Dict[str, Dict[str, _Doer]] = defaultdict(dict)
    for principal, walk, moments in followed:
        for moment in moments:
            if moment.look is not None:
                doers[moment.step.operation].setdefault(principal, _Doer(walk)).add(moment)
    for operation in sorted(doers):
        counts = learned.get(operation, TargetCounts())
        if counts.days < KNOWN_DAYS and len(doers[operation]) + len(counts.supporters) > MIN_PRINCIPALS:
            _compare(order, operation, counts, doers)


def _compare(order: Order, operation: str, counts: TargetCounts, doers: Mapping[str, Mapping[str, _Doer]]) -> None:
    mine = doers[operation]
    known = {rule.requires for rule in order.precedence.rules(operation)}
    pairs = {pair for doer in mine.values() for pair in doer.kept or ()}
    for principal, doer in sorted(mine.items()):
        missing = sorted(pair for pair in pairs - (doer.kept or set()) if pair.requires not in known)
        rules = [_rule(operation, pair, counts, mine, principal) for pair in missing]
        nearest = min(
            (rule for rule in rules if rule is not None), key=lambda rule: (rule.gap, rule.pair), default=None
        )
        if nearest is not None:
            earlier = {pair.requires for other in doers.get(nearest.requires, {}).values() for pair in other.kept or ()}
            _tell(order, doer, nearest, earlier)


def _rule(
    operation: str, pair: Pair, counts: TargetCounts, doers: Mapping[str, _Doer], left_out: str
) -> Optional[Rule]:
    """What all principals but one say of a pair; None when that is not much."""
    others = [doer for who, doer in doers.items() if who != left_out and not doer.counted]
    keepers = [doer for doer in others if pair in (doer.kept or ())]
    learned = counts.pairs.get(pair)
    began = learned.began - learned.lost if learned is not None else 0
    days = counts.days + len(others)
    broken = days - max(0, began) - len(keepers)
    if len(others) + len(counts.supporters) < MIN_PRINCIPALS or not 0 <= broken <= MAX_BROKEN * days:
        return None
    bound = upper_bound(broken, days, CONFIDENCE)
    if bound > MAX_BROKEN or not keepers:
        return None
    gaps = sorted(moment.before[pair] for doer in keepers for moment in doer.moments)
    gap = gaps[(len(gaps) * 19) // 20]
    return Rule(operation, pair, days, broken, 0, bound, gap, REMEMBERED_SECONDS)


def _tell(order: Order, doer: _Doer, rule: Rule, earlier: Set[str]) -> None:
    walk = doer.walk
    for moment in doer.moments:
        if rule.pair in moment.before:
            continue
        step = moment.step
        done = walk.done.get(rule.requires)
        if done is not None and not done.named:
            continue  # a step that did not say which object it was about counts for any
        times = walk.broke(Break(step.time, rule.operation, rule.pair, walk.thing(step)))
        moment.broken.append(Broken(rule, times, covered(order, walk, moment, rule, earlier)))
