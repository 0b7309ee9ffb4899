"""Following one principal step by step: first what each step says (``follow``), then what is learned of it (``teach``).

Both are apart because what a principal in an open campaign does is looked at, and teaches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import AbstractSet, List, Mapping, NamedTuple, Optional, Tuple

from apisec.sequences.calibration import Surprise
from apisec.sequences.precedence import LONGEST_SECONDS, NEAR_SECONDS, Precedence, Rule, Seen
from apisec.sequences.steps import Beat, Break, Look, Pair, Taken, changes, succeeded
from apisec.sequences.transitions import Context, Transitions
from apisec.sequences.walk import SLOT_SECONDS, Walk

YOUNG_SLOTS = 3 * 288  # an operation is no surprise before it is three days old: it came with a deployment
STEPS_A_DAY = 100  # that one principal teaches
SAMPLE_EVERY = 4  # steps: moments for the base rates
HIGHEST = 3  # surprisals of a session that its statistic is made of
LEAST_COVER_SECONDS = 10.0
COVER_LENGTHS = 3.0
ELSEWHERE = 0.25  # how surely a step was left out, of an object whose flow somebody else may have begun


class Broken(NamedTuple):
    """A rule that a step broke.

    ``times``: how often this principal did in the days that count. ``covered`` (0–1) is how surely the required step
    would have been seen.
    """

    rule: Rule
    times: int
    covered: float


@dataclass
class Moment:
    """What one step says. ``bits`` is its surprisal, 0 when it is not judged; ``context`` what stood before it."""

    step: Taken
    word: str
    context: Context
    bits: float = 0.0
    moved: bool = False
    late: bool = False
    before: Mapping[Pair, float] = field(default_factory=dict)
    look: Optional[Look] = None  # of a successful step that changes something
    lost: Tuple[Pair, ...] = ()
    reached: int = 0  # the session's length, where a class of lengths begins
    reached_bits: float = 0.0
    broken: List[Broken] = field(default_factory=list)
    kept: List[Rule] = field(default_factory=list)
    beat: Optional[Beat] = None  # of a step that changes something, whatever the answer
    trace: int = 0  # hash of the session's steps up to this one, ``length`` of them since ``began``
    length: int = 0
    began: float = 0.0
    again: bool = False  # all that it names and gives was there when the same was done before


@dataclass
class Order:
    """What is learned of one service's order."""

    transitions: Transitions
    precedence: Precedence
    surprise: Surprise
    since: float = 0.0  # when the service was first seen

    @classmethod
    def new(cls) -> Order:
        return cls(Transitions(), Precedence(), Surprise())


def follow(order: Order, walk: Walk, step: Taken, slot: int) -> Moment:
    """Take a step of a principal into its walk and say what is to be said of it."""
    operation = step.operation
    word = order.transitions.known(operation)
    moment = Moment(step, word, walk.context)
    if not walk.enter(step.time):
        moment.late = True
        if succeeded(step.status):
            walk.excuse(step)
            walk.note(step)
        return moment
    moment.context = walk.context
    moment.moved = walk.move(word)
    if moment.moved:
        _surprise(order.transitions, walk, moment, slot)
        if Surprise.begins(walk.length):
            moment.reached, moment.reached_bits = walk.length, statistic(walk)
    moment.trace, moment.length, moment.began = walk.trace, walk.length, walk.began
    if changes(operation):
        moment.beat = walk.beat(operation, step.time)
    if not succeeded(step.status):
        return moment
    if changes(operation):
        moment.before = walk.before(step, LONGEST_SECONDS, NEAR_SECONDS)
        _judge(order, walk, moment)
        moment.look, moment.lost = walk.look(step, moment.before)
        moment.again = walk.did(step)
    walk.note(step)
    return moment


def _surprise(transitions: Transitions, walk: Walk, moment: Moment, slot: int) -> None:
    """Unknown operations are no surprise, and old ones in young contexts back off to what is known."""
    first = transitions.operations.get(moment.word, slot)
    if slot - first < YOUNG_SLOTS:
        return
    moment.bits = round(transitions.surprisal(moment.context, moment.word), 3)  # as the state keeps it
    highest = walk.highest
    highest.append(moment.bits)
    highest.sort(reverse=True)
    del highest[HIGHEST:]


def statistic(walk: Walk) -> float:
    """Return what a session is judged by: the sum of its highest surprisals, in bits."""
    total = 0.0
    for bits in walk.highest:
        total += bits
    return total


def _judge(order: Order, walk: Walk, moment: Moment) -> None:
    """Say which rules the step keeps and breaks."""
    step = moment.step
    for rule in order.precedence.rules(step.operation):
        if _fulfilled(rule, walk, moment):
            moment.kept.append(rule)
            continue
        thing = walk.thing(step) if rule.pair.linked else 0
        times = walk.broke(Break(step.time, step.operation, rule.pair, thing))
        earlier = order.precedence.required(rule.requires)
        moment.broken.append(Broken(rule, times, covered(order, walk, moment, rule, earlier)))


def _fulfilled(rule: Rule, walk: Walk, moment: Moment) -> bool:
    gap = moment.before.get(rule.pair)
    if gap is not None:
        return gap <= rule.window
    done = walk.done.get(rule.requires)
    if not rule.pair.linked or done is None:
        return False
    # A step that did not say which object it was about counts for any.
    step = moment.step
    return (not done.named or not walk.thing(step)) and step.time - done.time <= rule.window


def covered(order: Order, walk: Walk, moment: Moment, rule: Rule, earlier: AbstractSet[str]) -> float:
    """How surely the required step would have been seen (0-1): it may lie before the first that was.

    ``earlier``: what stands before the required step itself, near or far. Where that was seen for the same object,
    nothing of the flow lies before. Where nothing of it was seen, somebody else may have gone through it, or the same
    person by another channel: staff go on with what customers began, people with what waits for them in a mail.
    """
    begun = [pair.linked for pair in moment.before if pair.requires in earlier]
    if rule.pair.linked and any(begun):
        return 1.0
    seen = moment.step.time - max(walk.since, order.since)
    needed = max(COVER_LENGTHS * rule.gap, LEAST_COVER_SECONDS)
    sure = min(1.0, max(0.0, seen) / needed)
    return sure if begun or not rule.pair.linked else sure * ELSEWHERE


def teach(order: Order, walk: Walk, principal: str, moment: Moment) -> None:
    """Learn from a step that was followed."""
    if moment.late:
        return
    step = moment.step
    if moment.reached:
        order.surprise.add(moment.reached, moment.reached_bits)
    if moment.moved and walk.may_teach(step.time, STEPS_A_DAY):
        words = order.transitions.words((*moment.context, moment.word), int(step.time // SLOT_SECONDS))
        order.transitions.learn(words[:-1], words[-1])
        if walk.taught % SAMPLE_EVERY == 0:
            order.precedence.sample(walk, step.time)
    if moment.look is not None:
        again = any(broken.times > 1 for broken in moment.broken)
        seen = Seen(moment.look, moment.before, moment.lost, bool(moment.broken), again)
        order.precedence.teach(walk, principal, step, seen)
    for broken in moment.broken:
        if broken.times == 2:
            order.precedence.broke_again(broken.rule)
