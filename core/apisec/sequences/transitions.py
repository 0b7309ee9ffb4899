"""What follows what: a variable-order Markov model of operations, smoothed by interpolated modified Kneser-Ney.

After S. F. Chen and J. Goodman, "An empirical study of smoothing techniques for language modeling", Computer Speech
and Language 13 (1999), section 3. The counts of lower orders are numbers of different longer contexts (Kneser and
Ney, ICASSP 1995); they follow from the counts of full contexts alone, so models of parts of the traffic merge exactly,
and each new step changes at most ``ORDER + 1`` numbers: nothing is ever trained anew.

A context is the last steps of a session, oldest first; ``START`` stands before its first one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Dict, List, Optional, Tuple

from apisec.errors import DocumentError

ORDER = 3  # steps of a context; Cloudflare looks back at most nine operations, and finds few that matter
START = "^"
OTHER = "other"  # operations beyond the bound
MAX_OPERATIONS = 400  # of a service
MAX_GRAMS = 8_192  # contexts with a following step that are kept: about 150 KB of JSON
KEPT_OF_GRAMS = 0.75  # after pruning
MAX_COUNT = 1_000_000_000
STATE_VERSION = 1
GENERATION_SLOTS = 28 * 288  # counts are halved each four weeks: what nobody does any more is forgotten
# Of a context's counts until there are enough to estimate them; Chen and Goodman find about these.
DISCOUNTS = (0.6, 1.0, 1.4)
LEAST_DISCOUNT = 0.1

Context = Tuple[str, ...]
Gram = Tuple[str, ...]  # a context and what follows


class _Next:
    """What followed one context. ``ones``, ``twos``, ``more``: different steps seen once, twice, more often."""

    __slots__ = ("counts", "more", "ones", "total", "twos")

    def __init__(self) -> None:
        self.counts: Dict[str, int] = {}
        self.total = self.ones = self.twos = self.more = 0

    def add(self, step: str, times: int) -> Tuple[int, int]:
        """Count a step; return its count before and after."""
        before = self.counts.get(step, 0)
        after = self.counts[step] = before + times
        self.total += times
        for count, change in ((before, -1), (after, 1)):
            if count == 1:
                self.ones += change
            elif count == 2:
                self.twos += change
            elif count > 2:
                self.more += change
        return before, after


class Transitions:
    """Counts of steps after contexts of one service; a part of the service's profile."""

    name: ClassVar[str] = "transitions"

    def __init__(self) -> None:
        self.operations: Dict[str, int] = {}  # -> slot in which it was first seen
        self.generation = 0
        self._next: Dict[Context, _Next] = {}
        self._grams: Dict[Gram, int] = {}
        # How many different steps were seen once, twice, three and four times, by the length of the context.
        self._frequencies: List[List[int]] = [[0] * 5 for _ in range(ORDER + 1)]
        self._discounts: List[Optional[Tuple[float, float, float]]] = [None] * (ORDER + 1)

    def __len__(self) -> int:
        return len(self._grams)

    # --- learning -----------------------------------------------------------------------------------------

    def word(self, operation: str, slot: int) -> str:
        """Take an operation into the vocabulary; return how contexts name it."""
        first = self.operations.get(operation)
        if first is None:
            if len(self.operations) >= MAX_OPERATIONS:
                return OTHER
            self.operations[operation] = slot
        elif slot < first:
            self.operations[operation] = slot
        return operation

    def known(self, operation: str) -> str:
        """Return how contexts name an operation, without taking it into the vocabulary."""
        room = len(self.operations) < MAX_OPERATIONS
        return operation if room or operation in self.operations or operation == START else OTHER

    def words(self, context: Context, slot: int) -> Context:
        """Take the steps of a context into the vocabulary; return how they are named."""
        return tuple(step if step == START else self.word(step, slot) for step in context)

    def learn(self, context: Context, step: str, times: int = 1) -> None:
        """Count ``step`` after ``context``, which has ``ORDER`` steps or begins with ``START``."""
        gram = (*context, step)
        self._grams[gram] = self._grams.get(gram, 0) + times
        self._add(context, step, times)
        if len(self._grams) > MAX_GRAMS:
            self._prune()

    def _add(self, context: Context, step: str, times: int) -> None:
        level = len(context)
        following = self._next.get(context)
        if following is None:
            following = self._next[context] = _Next()
        before, after = following.add(step, times)
        frequencies = self._frequencies[level]
        if 0 < before < 5:
            frequencies[before] -= 1
        if after < 5:
            frequencies[after] += 1
        if before < 5:
            self._discounts[level] = None
        if before == 0 and context:
            self._add(context[1:], step, 1)  # one more different context in which the step was seen

    def _rebuild(self, grams: Iterable[Tuple[Gram, int]]) -> None:
        self._next, self._grams = {}, {}
        self._frequencies = [[0] * 5 for _ in range(ORDER + 1)]
        self._discounts = [None] * (ORDER + 1)
        for gram, times in grams:
            self._grams[gram] = times
            self._add(gram[:-1], gram[-1], times)

    def _prune(self) -> None:
        """Keep the frequent ones; rare contexts back off to shorter ones."""
        ordered = sorted(self._grams.items(), key=lambda item: (-item[1], item[0]))
        self._rebuild(ordered[: int(MAX_GRAMS * KEPT_OF_GRAMS)])

    def forget(self, slot: int) -> None:
        """Halve the counts when a generation has passed."""
        generation = slot // GENERATION_SLOTS
        if self.generation == 0:
            self.generation = generation
        steps = min(generation - self.generation, 32)
        if steps > 0:
            halved = ((gram, times >> steps) for gram, times in list(self._grams.items()))
            self._rebuild((gram, times) for gram, times in halved if times)
            self.generation = generation

    # --- asking -------------------------------------------------------------------------------------------

    def probability(self, context: Context, step: str) -> float:
        """Return how likely ``step`` is after ``context``; over all known operations and one unknown it sums to 1."""
        share, weight = 0.0, 1.0
        while True:
            following = self._next.get(context)
            if following is not None:
                one, two, more = self._discounts_of(len(context))
                count = following.counts.get(step, 0)
                if count:
                    discount = one if count == 1 else two if count == 2 else more
                    share += weight * (count - discount) / following.total
                weight *= (one * following.ones + two * following.twos + more * following.more) / following.total
            if not context:
                return share + weight / (len(self.operations) + 1)
            context = context[1:]

    def surprisal(self, context: Context, step: str) -> float:
        """Return the bits that ``step`` says after ``context``."""
        return -math.log2(self.probability(context, step))

    def likeliest(self, context: Context) -> Tuple[str, float]:
        """Return the step that most often follows the longest known part of ``context``, and its probability."""
        known = context
        while known and known not in self._next:
            known = known[1:]
        following = self._next.get(known)
        if following is None:
            return "", 0.0
        best = min(following.counts, key=lambda step: (-following.counts[step], step))
        return best, self.probability(context, best)

    def pairs(self) -> Dict[Tuple[str, str], int]:
        """Return how often each step was seen straight after each other one, or after ``START``."""
        found: Dict[Tuple[str, str], int] = {}
        for gram, times in self._grams.items():
            found[gram[-2], gram[-1]] = found.get((gram[-2], gram[-1]), 0) + times
        return found

    def _discounts_of(self, level: int) -> Tuple[float, float, float]:
        found = self._discounts[level]
        if found is None:
            found = self._discounts[level] = _estimated(self._frequencies[level])
        return found

    # --- state --------------------------------------------------------------------------------------------

    def merge(self, other: Transitions) -> None:
        """Add what another part of the traffic taught, as if it had been here."""
        for part in (self, other):
            if part.generation == 0:
                part.generation = max(self.generation, other.generation)
        newest = max(self.generation, other.generation)
        self.forget(newest * GENERATION_SLOTS)
        shift = newest - other.generation
        for operation, slot in sorted(other.operations.items(), key=lambda item: (item[1], item[0])):
            self.word(operation, slot)
        for gram, times in other._grams.items():
            if times >> shift:
                kept = tuple(step if step in self.operations or step == START else OTHER for step in gram)
                self.learn(kept[:-1], kept[-1], times >> shift)

    def to_state(self) -> Dict[str, Any]:
        """Return plain JSON: operations once, and grams as indices into them (0 is ``START``, 1 ``OTHER``)."""
        names = sorted(self.operations)
        index = {START: 0, OTHER: 1, **{name: place + 2 for place, name in enumerate(names)}}
        grams = [[*(index[step] for step in gram), times] for gram, times in sorted(self._grams.items())]
        slots = [self.operations[name] for name in names]
        return {"v": STATE_VERSION, "g": self.generation, "o": names, "f": slots, "n": grams}

    @classmethod
    def from_state(cls, state: Any) -> Transitions:
        """Read what ``to_state`` gave; raises DocumentError for anything else."""
        made = cls()
        if not isinstance(state, Mapping) or state.get("v") != STATE_VERSION:
            raise DocumentError(f"not transitions of version {STATE_VERSION}", where="transitions")
        try:
            names, slots = list(state["o"]), list(state["f"])
            if len(names) > MAX_OPERATIONS or len(names) != len(slots) or len(state["n"]) > MAX_GRAMS:
                raise DocumentError("more operations or contexts than are kept", where="transitions")
            made.operations = {_text(name): _count(slot) for name, slot in zip(names, slots)}
            made.generation = _count(state["g"])
            steps = (START, OTHER, *names)
            made._rebuild(_gram(steps, row) for row in state["n"])
        except (KeyError, TypeError, ValueError, IndexError) as problem:
            raise DocumentError("not the state of transitions", where="transitions") from problem
        return made


def _estimated(frequencies: List[int]) -> Tuple[float, float, float]:
    """Discounts of counts of 1, 2 and more, from how many counts are 1, 2, 3 and 4 (Chen and Goodman, eq. 26)."""
    one, two, three, four = frequencies[1:5]
    if not (one and two and three and four):
        return DISCOUNTS
    ratio = one / (one + 2.0 * two)
    estimated = (1 - 2 * ratio * two / one, 2 - 3 * ratio * three / two, 3 - 4 * ratio * four / three)
    # A discount is neither nothing, or unseen steps had no share, nor all of the count.
    first, second, third = (
        min(max(value, LEAST_DISCOUNT), count - LEAST_DISCOUNT) for count, value in enumerate(estimated, 1)
    )
    return first, second, third


def _gram(steps: Tuple[str, ...], row: Any) -> Tuple[Gram, int]:
    places = row[:-1]
    if not 2 <= len(places) <= ORDER + 1 or min(places) < 0 or 0 in places[1:]:
        raise ValueError("a context is of another length")
    if (places[0] != 0) and len(places) != ORDER + 1:
        raise ValueError("a context is neither full nor at a start")
    times = _count(row[-1])
    if not times:
        raise ValueError("a count of nothing")
    return tuple(steps[place] for place in places), times


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MAX_COUNT:
        raise ValueError("not a count")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("not a name")
    return value
