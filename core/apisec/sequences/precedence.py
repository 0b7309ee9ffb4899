"""What stands before what: rules "before D, B was done", mined from counts, with a bound on how often they are broken.

Counted are days of principals: whoever does D on a day counts once for that day (and on ``walk.TAUGHT_DAYS``
days at most), and keeps the rule on that day when B stood before D each time. So nobody outvotes the others,
neither a machine nor an attacker. A rule is kept when the upper bound (Clopper and Pearson) of the share of
principal-days that break it is low, when enough different principals speak for it, and when B says something about
D: it is about the same object, or it stands before D more often than before anything else.

Only operations that change something (``walk.changes``) have rules. Counts live for two generations of two weeks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import AbstractSet, Any, ClassVar, Dict, FrozenSet, List, NamedTuple, Optional, Sequence, Set, Tuple

from apisec.activity.hashing import value_hash32
from apisec.errors import DocumentError
from apisec.sequences.counts import (
    GAP_BITS,
    MAX_AGES,
    Generation,
    PairCounts,
    TargetCounts,
    checked_count,
    gap_class,
    gap_quantile,
    generation_state,
    read_generation,
)
from apisec.sequences.steps import Look, Pair, Taken, changes
from apisec.sequences.walk import REMEMBERED_SECONDS, Walk
from apisec.statistics import upper_bound

CONFIDENCE = 0.95
Held = AbstractSet[Tuple[str, Pair]]
MAX_BROKEN, MAX_BROKEN_OF_READS = 0.2, 0.05  # upper bounds; that one reads first is more often a habit than a rule
PRIOR_LINKED, PRIOR_UNLINKED = 0.02, 0.1  # broken of one day, before any was seen
HELD_FACTOR = 2.0  # a rule that has held is given up later than a new one is believed
MIN_PRINCIPALS = 8
MIN_REPEATED = 3  # times that D was done again: without a shared object B must have been done again, too
MIN_LIFT, MIN_LIFT_OF_READS = 2.0, 5.0
MAX_SHARED = 0.1  # share of days on which two steps are about one object, beyond which only that connects them
LONGEST_SECONDS = 4 * 3600.0  # in which an unlinked step counts
MAX_UNLINKED_GAP = 1800.0  # only closeness says that steps without a shared object belong together
NEAR_SECONDS = 300.0  # in which D may be done again without B: sent twice
FLOW_LENGTHS = 3.0  # typical gaps: people answer the door between two steps
GENERATION_SLOTS, SLOTS_PER_HOUR = 14 * 288, 12
# Who breaks a rule again and again does not teach that it is none, unless many do: then it is none any more.
MAX_REFUSED = 0.5  # times the days that taught
MAX_WAITING = 256  # steps that broke a rule
WAIT_SECONDS = 86_400.0
YOUNG_MOMENTS = 2_000  # picked in traffic, one of four
STATE_VERSION = 2


@dataclass(frozen=True)
class Rule:
    """Before ``operation``, ``pair.requires`` was done: broken on ``broken`` of ``days`` days of principals."""

    operation: str
    pair: Pair
    days: int
    broken: int
    again: int  # of the days on which it was broken: those on which it was broken more than once
    bound: float  # upper bound of the share of days that break it, at ``CONFIDENCE``
    gap: float  # seconds within which 95 % of principals go from the one to the other
    window: float  # seconds in which the required step counts

    @property
    def requires(self) -> str:
        return self.pair.requires

    @property
    def rate(self) -> float:
        """Return how likely an ordinary principal breaks it on a day, given what rules of order are like.

        An order that held without exception for each single object is mostly one that clients cannot help keeping.
        A beta distribution with that many broken of one day says so; the bound says what is certain.
        """
        prior = PRIOR_LINKED if self.pair.linked else PRIOR_UNLINKED
        return min(self.bound, (self.broken + prior) / (self.days + 1.0))


class Seen(NamedTuple):
    """A step as a principal's walk took it in: what stood before it, and what did so earlier that day, but not now.

    ``breaks``: it breaks a rule; ``again``: one that this principal has broken before.
    """

    look: Look
    before: Mapping[Pair, float]
    lost: Tuple[Pair, ...]
    breaks: bool
    again: bool


class Lesson(NamedTuple):
    """What a step teaches: on the day's ``first``, what was ``kept`` with the class of its gap, later what was lost."""

    time: float
    principal: str
    operation: str
    first: bool
    repeated: bool
    kept: Tuple[Tuple[Pair, int], ...]
    lost: Tuple[Pair, ...]


class Precedence:
    """The rules of one service and the counts behind them; a part of the service's profile."""

    name: ClassVar[str] = "precedence"

    def __init__(self) -> None:
        self.generation = 0
        self.now, self.before = Generation(), Generation()
        self.waiting: List[Lesson] = []  # of steps that broke a rule
        self.mined_at = -1  # slot
        self._rules: Dict[str, Tuple[Rule, ...]] = {}
        self.steps: FrozenSet[str] = frozenset()  # of flows: what rules speak of

    # --- learning -----------------------------------------------------------------------------------------

    def teach(self, walk: Walk, principal: str, step: Taken, seen: Seen) -> None:
        """Learn from a successful step that changes something.

        One that breaks a rule is to wait for a day (``ripen``): then it is known who breaks it with reason.
        """
        operation = step.operation
        target = self.now.target(operation)
        if target is None or not walk.teaches(operation, seen.look):
            return
        if seen.again and target.refused < MAX_REFUSED * target.days:
            target.refused += seen.look.times == 1
            return
        first = seen.look.times == 1
        pairs = [(pair, gap_class(seen.before[pair])) for pair in seen.look.kept] if first else []
        lesson = Lesson(
            step.time, principal, operation, first, walk.looks[operation].taught > 1, tuple(pairs), seen.lost
        )
        if not seen.breaks:
            self._learn(lesson)
            target.repeated += seen.look.times == 2
            return
        self.waiting.append(lesson)
        del self.waiting[:-MAX_WAITING]

    def _learn(self, lesson: Lesson) -> None:
        target = self.now.target(lesson.operation)
        if target is None:
            return
        if not lesson.first:
            for pair in lesson.lost:
                target.pair(pair).lost += 1
            return
        target.days += 1
        target.repeated += lesson.repeated
        target.support((value_hash32(lesson.principal),))
        for pair, gap in lesson.kept:
            counts = target.pair(pair)
            counts.began += 1
            counts.gaps[gap] += 1

    def ripen(self, now: float, suspicious: Callable[[str], bool]) -> None:
        """Learn what has waited for a day, of those who are not under suspicion by now."""
        if not self.waiting or self.waiting[0].time > now - WAIT_SECONDS:
            return
        ripe = [one for one in self.waiting if one.time <= now - WAIT_SECONDS]
        self.waiting = [one for one in self.waiting if one.time > now - WAIT_SECONDS]
        for lesson in ripe:
            if not suspicious(lesson.principal):
                self._learn(lesson)

    def sample(self, walk: Walk, time: float) -> None:
        """Take a moment into account that has nothing to do with any rule: how long ago was each operation?"""
        self.now.moments += 1
        for operation, done in walk.done.items():
            if done.time <= time and (len(self.now.ages) < MAX_AGES or operation in self.now.ages):
                self.now.age(operation)[gap_class(time - done.time)] += 1

    def quickness(self, rule: Rule, gap: float) -> float:
        """Return the share of principals' days on which D came as soon after B as ``gap`` seconds, or sooner."""
        classes = [0] * (GAP_BITS + 1)
        for generation in (self.before, self.now):
            target = generation.targets.get(rule.operation)
            counts = target.pairs.get(rule.pair) if target is not None else None
            if counts is not None:
                classes = [mine + theirs for mine, theirs in zip(classes, counts.gaps)]
        return (sum(classes[: gap_class(gap) + 1]) + 1.0) / (sum(classes) + 1.0)

    def broke_again(self, rule: Rule) -> None:
        target = self.now.target(rule.operation)
        if target is not None:
            target.pair(rule.pair).again += 1

    # --- asking -------------------------------------------------------------------------------------------

    def rules(self, operation: str) -> Sequence[Rule]:
        return self._rules.get(operation, ())

    def required(self, operation: str) -> Set[str]:
        """Return what stands before an operation: what it requires, what that requires, and so on."""
        found: Set[str] = set()
        left = [operation]
        while left:
            more = {rule.requires for rule in self.rules(left.pop())} - found
            found |= more
            left += more
        return found

    def all_rules(self) -> List[Rule]:
        return [rule for operation in sorted(self._rules) for rule in self._rules[operation]]

    def mine(self, slot: int) -> None:
        """Say anew which rules hold: once an hour, and while little is known, in each slot."""
        if slot <= self.mined_at or (slot < self.mined_at + SLOTS_PER_HOUR and not self.is_young()):
            return
        self.mined_at = slot
        total = self.total()
        held = {(rule.operation, rule.pair) for rule in self.all_rules()}
        found = {operation: _rules_of(operation, counts, total, held) for operation, counts in total.targets.items()}
        self._take(_reduced({operation: rules for operation, rules in sorted(found.items()) if rules}))

    def moments(self) -> int:
        """Return how many moments were picked: how much traffic is behind the rules."""
        return self.now.moments + self.before.moments

    def is_young(self) -> bool:
        return self.moments() <= YOUNG_MOMENTS

    def total(self) -> Generation:
        """Return the counts of both generations together, which are only to be read."""
        if not self.before.targets and not self.before.moments:
            return self.now
        total = Generation()
        total.add(self.before)
        total.add(self.now)
        return total

    def _take(self, rules: Dict[str, Tuple[Rule, ...]]) -> None:
        self._rules = rules
        required = {rule.requires for ones in rules.values() for rule in ones if changes(rule.requires)}
        flows = {operation for operation, ones in rules.items() if any(changes(rule.requires) for rule in ones)}
        self.steps = frozenset(flows | required)

    # --- a part of a profile --------------------------------------------------------------------------------

    def forget(self, slot: int) -> None:
        generation = slot // GENERATION_SLOTS
        if self.generation and generation > self.generation:
            self.before = self.now if generation == self.generation + 1 else Generation()
            self.now = Generation()
        self.generation = max(generation, self.generation)

    def merge(self, other: Precedence) -> None:
        """Add what another part of the traffic taught."""
        newest = max(self.generation, other.generation)
        for part in (self, other):
            part.generation = part.generation or newest
        self.forget(newest * GENERATION_SLOTS)
        distance = newest - other.generation
        for mine, theirs in ((self.now, other.now), (self.before, other.before)) if distance == 0 else ():
            mine.add(theirs)
        if distance == 1:
            self.before.add(other.now)
        self.waiting = sorted([*self.waiting, *other.waiting])[-MAX_WAITING:]
        self.mined_at = -1

    def to_state(self) -> Dict[str, Any]:
        return {
            "v": STATE_VERSION,
            "g": self.generation,
            "h": self.mined_at,
            "n": generation_state(self.now),
            "b": generation_state(self.before),
            "r": [_rule_state(rule) for rule in self.all_rules()],
            "w": [_lesson_state(lesson) for lesson in self.waiting],
        }

    @classmethod
    def from_state(cls, state: Any) -> Precedence:
        """Read what ``to_state`` gave; raises DocumentError for anything else."""
        if not isinstance(state, Mapping) or state.get("v") != STATE_VERSION:
            raise DocumentError(f"not rules of version {STATE_VERSION}", where="precedence")
        made = cls()
        try:
            made.generation, made.mined_at = int(state["g"]), int(state["h"])
            made.now, made.before = read_generation(state["n"]), read_generation(state["b"])
            rules: Dict[str, List[Rule]] = {}
            for row in state["r"]:
                rule = _rule(row)
                rules.setdefault(rule.operation, []).append(rule)
            made.waiting = [_lesson(row) for row in state["w"][-MAX_WAITING:]]
            made._take({operation: tuple(ones) for operation, ones in rules.items()})
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as problem:
            raise DocumentError("not the state of rules of precedence", where="precedence") from problem
        return made


# --- which rules hold ---------------------------------------------------------------------------------------


def _rules_of(operation: str, counts: TargetCounts, total: Generation, held: Held) -> Tuple[Rule, ...]:
    if len(counts.supporters) < MIN_PRINCIPALS:
        return ()
    best: Dict[str, Rule] = {}
    for pair, pair_counts in sorted(counts.pairs.items()):
        most = MAX_BROKEN if changes(pair.requires) else MAX_BROKEN_OF_READS
        if (operation, pair) in held:
            most *= HELD_FACTOR
        rule = _rule_of(operation, pair, counts, pair_counts, total, most)
        if rule is not None and (pair.linked or pair.requires not in best):
            best[pair.requires] = rule  # of the same two steps, over the same object says more; it sorts last
    return tuple(best[name] for name in sorted(best))


def _rule_of(
    operation: str, pair: Pair, counts: TargetCounts, pair_counts: PairCounts, total: Generation, most: float
) -> Optional[Rule]:
    broken = counts.days - pair_counts.began + pair_counts.lost
    if not 0 <= broken <= most * counts.days:
        return None
    bound = upper_bound(broken, counts.days, CONFIDENCE)
    gap = gap_quantile(pair_counts.gaps, 0.95)
    if bound > most:
        return None
    if not pair.linked and (gap > MAX_UNLINKED_GAP or counts.repeated < MIN_REPEATED or _share_objects(pair, counts)):
        return None
    least = MIN_LIFT if changes(pair.requires) else MIN_LIFT_OF_READS
    if not pair.linked and _base_rate(pair.requires, gap, total) * least > 1.0 - broken / counts.days:
        return None
    window = REMEMBERED_SECONDS if pair.linked else min(max(FLOW_LENGTHS * gap, NEAR_SECONDS), LONGEST_SECONDS)
    return Rule(operation, pair, counts.days, broken, pair_counts.again, bound, gap, window)


def _share_objects(pair: Pair, counts: TargetCounts) -> bool:
    """Whether two steps are often about the same object: who comes to one by another way leaves nothing out."""
    linked = counts.pairs.get(Pair(pair.requires, True))
    return linked is not None and linked.began - linked.lost > MAX_SHARED * counts.days


def _base_rate(requires: str, gap: float, total: Generation) -> float:
    """How often an operation stands within ``gap`` seconds before anything."""
    ages = total.ages.get(requires)
    if not ages or not total.moments:
        return 0.0
    return sum(ages[: gap_class(gap) + 1]) / total.moments


def _reduced(rules: Mapping[str, Tuple[Rule, ...]]) -> Dict[str, Tuple[Rule, ...]]:
    """Drop a required step that a nearer required step requires itself."""
    required = {operation: {rule.requires for rule in ones} for operation, ones in rules.items()}

    def implied(rule: Rule) -> bool:
        return any(
            rule.requires in required.get(other, ()) and other not in required.get(rule.requires, ())
            for other in required[rule.operation]
            if other != rule.requires
        )

    left = {operation: tuple(rule for rule in ones if not implied(rule)) for operation, ones in rules.items()}
    return {operation: ones for operation, ones in left.items() if ones}


# --- state --------------------------------------------------------------------------------------------------


def _rule_state(rule: Rule) -> List[Any]:
    pair = rule.pair
    numbers = [rule.days, rule.broken, rule.again, round(rule.bound, 9), rule.gap, rule.window]
    return [rule.operation, pair.requires, int(pair.linked), *numbers]


def _lesson_state(one: Lesson) -> List[Any]:
    kept = [[pair.requires, int(pair.linked), gap] for pair, gap in one.kept]
    lost = [[pair.requires, int(pair.linked)] for pair in one.lost]
    return [round(one.time, 3), one.principal, one.operation, int(one.first), int(one.repeated), kept, lost]


def _lesson(row: Sequence[Any]) -> Lesson:
    time, principal, operation, first, repeated, kept, lost = row
    pairs = tuple(
        (Pair(str(requires), bool(linked)), min(checked_count(gap), GAP_BITS)) for requires, linked, gap in kept
    )
    gone = tuple(Pair(str(name), bool(linked)) for name, linked in lost)
    return Lesson(float(time), str(principal), str(operation), bool(first), bool(repeated), pairs, gone)


def _rule(row: Sequence[Any]) -> Rule:
    operation, requires, linked, days, broken, again, bound, gap, window = row
    pair = Pair(str(requires), bool(linked))
    counts = (checked_count(days), checked_count(broken), checked_count(again))
    return Rule(str(operation), pair, *counts, float(bound), float(gap), float(window))
