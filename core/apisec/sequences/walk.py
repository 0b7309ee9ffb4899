"""What one principal of a service did lately, as far as order matters: the part ``walk`` of its profile.

A session is what a principal does without a pause of an hour; a flow may span sessions, so steps and objects are
remembered for a day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Dict, List, Tuple
from zlib import crc32

from apisec.errors import DocumentError
from apisec.sequences.steps import Beat, Break, Done, Look, Pair, Pauses, Taken, split_ids
from apisec.sequences.transitions import ORDER, START

SESSION_PAUSE = 3600.0  # seconds
DAY = 86_400.0
REMEMBERED_SECONDS = DAY  # steps and objects
BREAK_SECONDS = 7 * DAY  # broken rules: slow attackers take days
MAX_BEATS, BEAT_SECONDS = 12, 7 * DAY
BEAT_WEIGHT = 1.0 / 16.0  # of a pause in mean and variance, once there are so many
MAX_DONE, MAX_OBJECTS, MAX_PER_OBJECT, MAX_LOOKS, MAX_BREAKS = 64, 256, 8, 32, 64
TAUGHT_DAYS, TAUGHT_PERIOD = 3, 14  # days of one operation by one principal that teach, of so many
LATE_SECONDS = 60.0  # of clocks and gateways; a step later than that is taken in, and accuses nobody
BORN = ""
SLOT_SECONDS, SLOTS_PER_HOUR = 300.0, 12  # of activity rows
STATE_VERSION = 2


class Walk:
    """Bounded memory of one principal's steps, in order of time."""

    name: ClassVar[str] = "walk"

    def __init__(self) -> None:
        self.since = 0.0  # from when on nothing is missing
        self.last = 0.0
        self.began = 0.0  # of the session
        self.length = 0  # steps of the session
        self.context: Tuple[str, ...] = (START,)
        self.budget_day = 0
        self.taught = 0  # steps taught today
        self.highest: List[float] = []  # the session's highest surprisals, in bits
        self.trace = 0  # hash of the session's steps so far
        self.beats: Dict[str, Beat] = {}  # operations that change something, the one done last at the end
        self.done: Dict[str, Done] = {}
        self.objects: Dict[int, Dict[str, float]] = {}  # id -> step -> when last; ``BORN`` -> when first met
        self.looks: Dict[str, Look] = {}
        self.breaks: List[Break] = []
        # Of the present window, and not part of the state: what was followed last, and what it has yet to teach.
        self.followed: object = None
        self.pending: List[Any] = []
        self.pause = 0.0  # seconds before the present step
        self._forgot = -1

    # --- a session ----------------------------------------------------------------------------------------

    def enter(self, time: float) -> bool:
        """Begin a new session when the last one is over; return whether the step is in order of time."""
        if time < self.last - LATE_SECONDS:
            return False
        if not self.since:
            self.since = time
        if time - self.last > SESSION_PAUSE:
            self.began, self.length, self.context, self.highest = time, 0, (START,), []
            self.trace = 0
        self.pause, self.last = time - self.last, max(self.last, time)
        return True

    def move(self, step: str) -> bool:
        """Append a step to the context; return False for one that only repeats the last two."""
        context = self.context
        if len(context) >= 2 and context[-1] == step == context[-2]:
            return False
        self.context = (*context, step)[-ORDER:]
        self.length += 1
        self.trace = crc32(step.encode("utf-8", "surrogatepass"), self.trace)
        return True

    def beat(self, operation: str, time: float) -> Beat:
        """Take in that an operation was done again; return how regularly it is."""
        before = self.beats.pop(operation, None)
        made = Beat(time, 1, Pauses(), Pauses()) if before is None else before.after(time, self.pause, BEAT_WEIGHT)
        self.beats[operation] = made
        if len(self.beats) > MAX_BEATS:
            del self.beats[next(iter(self.beats))]
        return made

    def may_teach(self, time: float, budget: int) -> bool:
        """Whether today's share of this principal in what is learned is not used up."""
        day = int(time // DAY)
        if day != self.budget_day:
            self.budget_day, self.taught = day, 0
        self.taught += 1
        return self.taught <= budget

    # --- what stood before --------------------------------------------------------------------------------

    def note(self, step: Taken) -> None:
        """Remember a step that succeeded; it may be late."""
        operation, time = step.operation, step.time
        before = self.done.pop(operation, None)
        self.done[operation] = Done(time, any(step.ids)) if before is None or before.time <= time else before
        if len(self.done) > MAX_DONE:
            del self.done[next(iter(self.done))]
        for thing in filter(None, step.ids):
            steps = self.objects.pop(thing, None)
            if steps is None:
                steps = {BORN: time}
            if len(steps) <= MAX_PER_OBJECT or operation in steps:
                steps[operation] = max(time, steps.get(operation, 0.0))
            self.objects[thing] = steps
            if len(self.objects) > MAX_OBJECTS:
                del self.objects[next(iter(self.objects))]

    def did(self, step: Taken) -> bool:
        """Whether a step was taken before about all the objects that it is about; False when it names none."""
        things = [thing for thing in step.ids if thing]
        return bool(things) and all(step.operation in self.objects.get(thing, _NOTHING) for thing in things)

    def before(self, step: Taken, longest: float, near: float) -> Dict[Pair, float]:
        """Return what stood before a step, with the seconds in between (the most recent of each).

        A step for another object counts for ``longest`` seconds, and only once: not for the same operation again,
        unless within ``near`` seconds.
        """
        operation, time = step.operation, step.time
        look = self.looks.get(operation)
        again = look.last if look is not None else 0.0
        found: Dict[Pair, float] = {}
        for name, done in self.done.items():
            gap = time - done.time
            if name != operation and 0.0 <= gap <= longest and (done.time >= again or gap <= near):
                found[Pair(name, False)] = gap
        for name, then in self.objects.get(self.thing(step), _NOTHING).items():
            gap = time - then
            if name not in (operation, BORN) and 0.0 <= gap <= REMEMBERED_SECONDS:
                found[Pair(name, True)] = gap
        return found

    def thing(self, step: Taken) -> int:
        """Return the id of the object that a step is about; 0 when its request names none.

        What the answer gave stands after a 0, and says nothing of what the step is about. Of several ids the one that
        this principal came to know last: orders are younger than their customer. One that was never seen says less.
        """
        ids, _ = split_ids(step.ids)
        known = [thing for thing in ids if thing in self.objects]
        return max(known or ids, key=lambda thing: self.objects.get(thing, _NOTHING).get(BORN, 0.0), default=0)

    def look(self, step: Taken, before: Mapping[Pair, float]) -> Tuple[Look, Tuple[Pair, ...]]:
        """Remember that an operation was done; return that, and what stood before it earlier today, but not now."""
        day = int(step.time // DAY)
        old = self.looks.pop(step.operation, None)
        taught, taught_day = (old.taught, old.taught_day) if old is not None else (0, -1)
        lost: Tuple[Pair, ...] = ()
        if old is not None and old.day == day:
            kept = tuple(pair for pair in old.kept if pair in before)
            lost = tuple(pair for pair in old.kept if pair not in before)
            made = Look(day, old.times + 1, step.time, kept, taught, taught_day)
        else:
            made = Look(day, 1, step.time, tuple(sorted(before)), taught, taught_day)
        self.looks[step.operation] = made
        if len(self.looks) > MAX_LOOKS:
            del self.looks[next(iter(self.looks))]
        return made, lost

    def teaches(self, operation: str, then: Look) -> bool:
        """Whether what was done of ``operation`` on the day of ``then`` is part of what is learned."""
        look = self.looks.get(operation)
        if look is None or look.taught_day == then.day:
            return look is not None
        taught = look.taught if look.taught_day // TAUGHT_PERIOD == then.day // TAUGHT_PERIOD else 0
        if then.times > 1 or taught >= TAUGHT_DAYS:
            return False
        self.looks[operation] = look._replace(taught=taught + 1, taught_day=then.day)
        return True

    # --- findings -----------------------------------------------------------------------------------------

    def broke(self, broken: Break) -> int:
        """Remember a broken rule; return how often that rule was broken within the days that count."""
        self.breaks.append(broken)
        del self.breaks[:-MAX_BREAKS]
        return self.broken(broken.operation, broken.pair)

    def broken(self, operation: str, pair: Pair) -> int:
        """Return how often a rule was broken within the days that count."""
        return sum(1 for one in self.breaks if one.operation == operation and one.pair == pair)

    def excuse(self, step: Taken) -> None:
        """A step arrived late that a broken rule had asked for: what was broken for want of it was not."""
        things = set(step.ids)
        self.breaks = [
            one
            for one in self.breaks
            if not (
                one.pair.requires == step.operation
                and step.time <= one.time
                and (not one.pair.linked or not things or one.thing in things)
            )
        ]

    # --- a part of a profile --------------------------------------------------------------------------------

    def forget(self, slot: int) -> None:
        """Drop what is too old; looked at once an hour."""
        hour = slot // SLOTS_PER_HOUR
        if hour == self._forgot:
            return
        self._forgot, now = hour, slot * SLOT_SECONDS
        self.done = {name: done for name, done in self.done.items() if now - done.time <= REMEMBERED_SECONDS}
        self.objects = {
            thing: steps
            for thing, steps in self.objects.items()
            if steps and now - max(steps.values()) <= REMEMBERED_SECONDS
        }
        self.breaks = [one for one in self.breaks if now - one.time <= BREAK_SECONDS]
        self.looks = {name: look for name, look in self.looks.items() if now - look.last <= BREAK_SECONDS}
        self.beats = {name: beat for name, beat in self.beats.items() if now - beat.last <= BEAT_SECONDS}

    def merge(self, other: Walk) -> None:
        """Take in what another engine saw of the same principal: the later session, and all steps of both."""
        later, earlier = (other, self) if other.last > self.last else (self, other)
        self.context, self.length, self.began = later.context, later.length, later.began
        self.trace, self.beats = later.trace, {**earlier.beats, **later.beats}
        self.highest, self.looks = list(later.highest), {**earlier.looks, **later.looks}
        self.budget_day, self.taught = later.budget_day, later.taught
        self.since = min(time for time in (self.since, other.since) if time) if self.since or other.since else 0.0
        for name, done in other.done.items():
            if name not in self.done or self.done[name].time < done.time:
                self.done[name] = done
        for thing, steps in other.objects.items():
            mine = self.objects.setdefault(thing, {})
            for name, time in steps.items():
                mine[name] = min(time, mine.get(name, time)) if name == BORN else max(time, mine.get(name, 0.0))
        self.breaks = sorted({*self.breaks, *other.breaks})[-MAX_BREAKS:]
        self.last = later.last
        self._bound()

    def _bound(self) -> None:
        newest = sorted(self.done.items(), key=lambda item: item[1].time)[-MAX_DONE:]
        self.done = dict(newest)
        things = sorted(self.objects.items(), key=lambda item: max(item[1].values(), default=0.0))[-MAX_OBJECTS:]
        self.objects = {thing: dict(list(steps.items())[: MAX_PER_OBJECT + 1]) for thing, steps in things}
        self.looks = dict(sorted(self.looks.items(), key=lambda item: item[1].last)[-MAX_LOOKS:])

    def to_state(self) -> Dict[str, Any]:
        """Return plain JSON: names of operations once, times to the millisecond."""
        names: Dict[str, int] = {}

        def place(name: str) -> int:
            return names.setdefault(name, len(names))

        def pairs(kept: Sequence[Pair]) -> List[List[int]]:
            return [[place(one.requires), int(one.linked)] for one in kept]

        state: Dict[str, Any] = {
            "v": STATE_VERSION,
            "t": [round(self.since, 3), round(self.last, 3), round(self.began, 3)],
            "n": [self.length, self.budget_day, self.taught, self.trace],
            "e": [
                [
                    place(name),
                    round(beat.last, 3),
                    beat.times,
                    *(round(one, 5) for one in (*beat.between, *beat.before)),
                ]
                for name, beat in self.beats.items()
            ],
            "c": [place(step) for step in self.context],
            "h": [round(value, 3) for value in self.highest],
            "d": [[place(name), round(done.time, 3), int(done.named)] for name, done in self.done.items()],
            "o": [
                [thing, *(part for name, time in steps.items() for part in (place(name), round(time, 3)))]
                for thing, steps in self.objects.items()
            ],
            "l": [
                [place(name), look.day, look.times, round(look.last, 3), look.taught, look.taught_day, pairs(look.kept)]
                for name, look in self.looks.items()
            ],
            "b": [[round(one.time, 3), place(one.operation), pairs([one.pair])[0], one.thing] for one in self.breaks],
        }
        state["w"] = list(names)
        return state

    @classmethod
    def from_state(cls, state: Any) -> Walk:
        """Read what ``to_state`` gave; raises DocumentError for anything else."""
        if not isinstance(state, Mapping) or state.get("v") != STATE_VERSION:
            raise DocumentError(f"not a walk of version {STATE_VERSION}", where="walk")
        try:
            return cls._read(state)
        except (KeyError, TypeError, ValueError, IndexError) as problem:
            raise DocumentError("not the state of a walk", where="walk") from problem

    @classmethod
    def _read(cls, state: Mapping[str, Any]) -> Walk:
        names = [str(name) for name in state["w"]]
        made = cls()
        made.since, made.last, made.began = (float(time) for time in state["t"])
        made.length, made.budget_day, made.taught, made.trace = (int(number) for number in state["n"])
        for place, last, times, *pauses in state["e"][:MAX_BEATS]:
            one, two, three, four = (float(number) for number in pauses)
            made.beats[names[place]] = Beat(float(last), int(times), Pauses(one, two), Pauses(three, four))
        made.context = tuple(names[place] for place in state["c"])[-ORDER:]
        made.highest = [float(value) for value in state["h"]][:8]
        made.done = {names[place]: Done(float(time), bool(named)) for place, time, named in state["d"][:MAX_DONE]}
        for thing, *steps in state["o"][:MAX_OBJECTS]:
            made.objects[int(thing)] = {names[place]: float(time) for place, time in zip(steps[::2], steps[1::2])}
        for place, day, times, last, taught, taught_day, kept in state["l"][:MAX_LOOKS]:
            pairs = tuple(Pair(names[one], bool(linked)) for one, linked in kept)
            made.looks[names[place]] = Look(int(day), int(times), float(last), pairs, int(taught), int(taught_day))
        for time, place, (one, linked), thing in state["b"][:MAX_BREAKS]:
            made.breaks.append(Break(float(time), names[place], Pair(names[one], bool(linked)), int(thing)))
        return made


_NOTHING: Dict[str, float] = {}
