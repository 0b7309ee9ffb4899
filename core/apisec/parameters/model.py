"""What one parameter usually carries, learned from many principals, and how a value departs from it.

Each trait of a value (a kind, a class of characters, a length, a pair of characters, a value of few) has a mask of the
groups of principals who have shown it: principals are dealt into 64 groups by their tokens, so that nobody shows a
trait more often than once, and a trait is known when several groups have shown it. How often values of a parameter
carry a signal is counted per group, and the groups where it is most are left out. So one principal teaches nothing.

Two models of the same parameter merge: masks by or, counts by the larger. That is idempotent, commutative and
associative (a state-based CRDT: Shapiro et al., 2011), so that workers may merge what others wrote as often as they
like.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import Dict, FrozenSet, List, NamedTuple, Optional, Pattern, Set, Tuple

from apisec.parameters.traits import (
    BLANKS,
    CLASSES,
    KIND_NAMES,
    LENGTHS,
    PAIRS,
    TELLING,
    TEXT,
    classes_of,
    kind_of,
    lacking,
    length_of,
    names_of,
    pairs_of,
)

GROUPS = 64  # of principals
MIN_GROUPS = 8  # that taught a parameter before anything is said of it
MIN_DAYS = 2  # … and on so many days: a deployment or an attack of one afternoon is no habit
HABIT_DAYS = 3  # on which a signal must have come, half of all at least, until it may lose weight
MIN_TAUGHT = 64  # values
MAX_TAUGHT = 32  # values that one group teaches a parameter; what is new to it may come later too
MAX_SEEN = 255  # values of one group that are counted for rates
MAX_VALUES = 64  # different values of a parameter that may be an enumeration …
MAX_ENUM = 32  # … and is one
MAX_ENUM_LENGTH = 64  # characters
MIN_PER_VALUE = 8  # values taught for each value of an enumeration
VOUCHED = 4  # ordinary values that a group must have taught before its signals count as ordinary
TRIMMED = 16  # of so many groups the one where signals are most frequent is left out, and two at least
KNOWING = 16  # of so many groups one must have shown a trait, and two at least
TEXT_CLASSES = 3  # telling classes of characters, beside blanks, that text of people has
STEPS = 2  # powers of two by which a length has to be beyond all known ones
MIN_PAIRS, STRANGE_PAIRS = 6, 0.5  # pairs of a value, and the share of them that nobody has shown
MAX_PAIRS = 600  # known pairs of a parameter; with more of them every text looks known
RARE_PAIRS = 0.15  # … and the share of pairs that only one group has shown (Good's estimate of what is unseen)

CHARSET, ENUM, LENGTH, NGRAMS, TYPE = (
    "parameter.charset",
    "parameter.enum",
    "parameter.length",
    "parameter.ngrams",
    "parameter.type",
)
DEPARTURES: Dict[str, float] = {CHARSET: 0.6, ENUM: 0.55, LENGTH: 0.55, NGRAMS: 0.5, TYPE: 0.6}

_MARKED = re.compile(r"[^\w\s.@:,+-]")  # pairs of characters are asked of values that have one of them


class Departure(NamedTuple):
    """One way in which a value departs: the detector, and in words what was expected and seen."""

    detector: str
    expected: str
    seen: str


def count(mask: int) -> int:
    """Return how many groups are in a mask."""
    return bin(mask).count("1")


class View(NamedTuple):
    """What a model knows at this moment, ready to be asked. ``pattern`` fits what has nothing strange."""

    kinds: FrozenSet[str]
    classes: int
    longest: int
    values: Optional[FrozenSet[int]]  # where the parameter is an enumeration
    pairs: Optional[FrozenSet[int]]  # where pairs tell
    pattern: Pattern[str]
    text: bool  # what people write


class Model:
    """What one parameter usually carries."""

    __slots__ = (
        "_view", "carried", "carried_on", "classes", "days", "fine", "groups", "kinds", "lengths", "pairs",
        "seen", "settled", "taught", "values",
    )  # fmt: skip

    def __init__(self) -> None:
        self.groups = 0
        self.days = 0  # of 32, in turn
        self.kinds: List[int] = [0] * len(KIND_NAMES)
        self.classes: List[int] = [0] * len(CLASSES)
        self.lengths: List[int] = [0] * LENGTHS
        self.pairs = bytearray(PAIRS)  # masks of eighths of the groups
        self.values: Optional[Dict[int, int]] = {}  # hashed; None: too many for an enumeration
        self.taught = bytearray(GROUPS)
        self.seen = bytearray(GROUPS)
        self.carried: Dict[str, bytearray] = {}  # by family or departure
        self.carried_on: Dict[str, int] = {}  # … and on which days
        self.fine: Set[int] = set()  # hashes (of this process) of values that were asked already
        self._view: Optional[View] = None
        self.settled = False  # whether enough principals taught it on enough days

    def view(self) -> View:
        """Return what is known now."""
        if self._view is None:
            self._view = self._look()
        return self._view

    def _look(self) -> View:
        groups = count(self.groups)
        need = max(2, groups // KNOWING)
        kinds = frozenset([name for name, mask in zip(KIND_NAMES, self.kinds) if count(mask) >= need])
        classes = sum([1 << number for number, mask in enumerate(self.classes) if count(mask) >= need])
        longest = max([size for size, mask in enumerate(self.lengths) if count(mask) >= need], default=0)
        text = bool(classes & BLANKS) and count(classes & TELLING) >= TEXT_CLASSES
        if not kinds:
            kinds = frozenset(KIND_NAMES)
        shape = _compiled(lacking(TEXT in kinds, classes, min(longest + STEPS - 1, LENGTHS - 1)))
        pairs = None if text else self._telling_pairs(kinds)
        return View(kinds, classes, longest, self._enumeration(kinds, need), pairs, shape, text)

    def _enumeration(self, kinds: FrozenSet[str], need: int) -> Optional[FrozenSet[int]]:
        """Return the values of an enumeration; None where values are free, or some are still new."""
        if self.values is None or kinds != {TEXT}:
            return None
        known = [value for value, mask in self.values.items() if count(mask) >= need]
        few = 0 < len(known) <= MAX_ENUM and len(known) * MIN_PER_VALUE <= sum(self.taught)
        return frozenset(known) if few and len(self.values) - len(known) <= len(known) // 8 else None

    def _telling_pairs(self, kinds: FrozenSet[str]) -> Optional[FrozenSet[int]]:
        if TEXT not in kinds:
            return None
        shown = [mask & (mask - 1) for mask in self.pairs]  # without its last bit: nothing where only one has shown it
        known = [number for number, more in enumerate(shown) if more]
        rare = PAIRS - self.pairs.count(0) - len(known)
        if not MIN_PAIRS <= len(known) <= MAX_PAIRS or rare > RARE_PAIRS * (len(known) + rare):
            return None
        return frozenset(known)

    def odd(self, value: str, salt: bytes) -> bool:
        """Return whether a value may depart. Values that were asked already are remembered by their hash."""
        view = self.view()
        fits = view.pattern.fullmatch(value) is not None
        if not fits or (view.values is not None and hashed(value, salt) not in view.values):
            return True
        if view.pairs is not None and _MARKED.search(value) and self._strange(value, view.pairs):
            return True
        if len(self.fine) < 1_024:
            self.fine.add(hash(value))
        return False

    @staticmethod
    def _strange(value: str, known: FrozenSet[int]) -> float:
        """Return the share of pairs that nobody has shown, or 0 where it tells nothing."""
        found = pairs_of(value)
        strange = len(found - known)
        return strange / len(found) if len(found) >= MIN_PAIRS and strange > STRANGE_PAIRS * len(found) else 0.0

    def departures(self, value: str, salt: bytes) -> List[Departure]:
        """Return how a value departs from what is usual."""
        view = self.view()
        found = []
        if TEXT not in view.kinds:
            return [Departure(TYPE, _listed(sorted(view.kinds)), TEXT)] if kind_of(value) == TEXT else []
        new = classes_of(value) & TELLING & ~view.classes
        if new:
            usual = names_of(view.classes & TELLING)
            found.append(Departure(CHARSET, f"no characters but letters, digits{_more(usual)}", _listed(names_of(new))))
        size = length_of(len(value))
        if size >= view.longest + STEPS:
            usual_size = f"at most {(1 << view.longest) - 1} characters"
            found.append(Departure(LENGTH, usual_size, f"{len(value)} characters"))
        if view.values is not None and hashed(value, salt) not in view.values:
            found.append(
                Departure(ENUM, f"one of {len(view.values)} values", f"another one of {len(value)} characters")
            )
        return found if _MARKED.search(value) is None else [*found, *self.unlike(value)]

    def unlike(self, value: str) -> List[Departure]:
        """Return whether most pairs of a value's characters are such as nobody sent: a new word has such, too.

        So it is asked of values with a telling character, and of those that carry a payload.
        """
        pairs = self.view().pairs
        strange = self._strange(value, pairs) if pairs is not None else 0.0
        if not strange:
            return []
        said = f"{round(100 * strange)} % of them are pairs that nobody sent before"
        return [Departure(NGRAMS, "pairs of characters as other principals send them", said)]

    def note(self, group: int, day: int, names: FrozenSet[str]) -> None:
        """Count a value of a group, and what it carried: families of signals, departures."""
        counted = self.seen[group] < MAX_SEEN
        self.seen[group] += counted
        for name in names:
            self.carried.setdefault(name, bytearray(GROUPS))[group] += counted
            self.carried_on[name] = self.carried_on.get(name, 0) | 1 << day % 32

    def lasts(self, name: str) -> bool:
        """Return whether something came on several days: what is new on one or two of them may be a campaign."""
        return count(self.carried_on.get(name, 0)) >= HABIT_DAYS

    def teach(self, group: int, day: int, value: str, salt: bytes, new: bool) -> None:
        """Take the traits of an ordinary value. ``new``: it departs, so that it may teach beyond the bound."""
        if self.taught[group] >= MAX_TAUGHT:
            if not new:
                return
        else:
            self.taught[group] += 1
        bit = 1 << group
        before = self._fingerprint()
        self.groups |= bit
        self.days |= 1 << day % 32
        self.kinds[KIND_NAMES.index(kind_of(value))] |= bit
        for number, name in enumerate(bin(classes_of(value))[:1:-1]):
            if name == "1":
                self.classes[number] |= bit
        self.lengths[length_of(len(value))] |= bit
        self._teach_value(value, bit, salt)
        eighth = 1 << (group & 7)
        changed = False
        for pair in pairs_of(value):
            if not self.pairs[pair] & eighth:
                self.pairs[pair] |= eighth
                changed = True
        if changed or not self.settled or before != self._fingerprint():
            self.changed()

    def _fingerprint(self) -> Tuple[int, ...]:
        values = (len(self.values), sum(self.values.values())) if self.values is not None else (-1, -1)
        return (self.groups, self.days, sum(self.kinds), sum(self.classes), sum(self.lengths), *values)

    def _teach_value(self, value: str, bit: int, salt: bytes) -> None:
        if self.values is None:
            return
        if len(value) > MAX_ENUM_LENGTH:
            self.values = None
            return
        number = hashed(value, salt)
        self.values[number] = self.values.get(number, 0) | bit
        if len(self.values) > MAX_VALUES:
            self.values = None

    def teach_size(self, group: int, day: int, size: int) -> None:
        """Take a size (bytes, milliseconds) of which only the power of two matters."""
        if self.taught[group] < MAX_TAUGHT:
            self.taught[group] += 1
        self.groups |= 1 << group
        self.days |= 1 << day % 32
        self.lengths[length_of(size)] |= 1 << group
        self.changed()

    def teach_kind(self, group: int, day: int, kind: str) -> None:
        """Take the kind of a value that is no text: a number, a truth value."""
        if self.taught[group] < MAX_TAUGHT:
            self.taught[group] += 1
        self.groups |= 1 << group
        self.days |= 1 << day % 32
        self.kinds[KIND_NAMES.index(kind)] |= 1 << group
        self.changed()

    def rate(self, name: str) -> float:
        """Return how often ordinary values carry something: the mean of groups without those that do it most.

        What comes up on few days is no habit but a campaign, however many principals send it: 0.
        """
        counts, on = self.carried.get(name), count(self.carried_on.get(name, 0))
        if counts is None or on < HABIT_DAYS or 2 * on < count(self.days):
            return 0.0
        vouched = [group for group in range(GROUPS) if self.taught[group] >= VOUCHED and self.seen[group]]
        shares = sorted([counts[group] / self.seen[group] for group in vouched])
        rest = shares[: len(shares) - max(2, len(shares) // TRIMMED)]
        return sum(rest) / len(shares) if rest else 0.0

    def changed(self) -> None:
        """Forget what was made of the traits: they are others now."""
        self._view = None
        self.fine.clear()
        if not self.settled and count(self.groups) >= MIN_GROUPS and count(self.days) >= MIN_DAYS:
            self.settled = sum(self.taught) >= MIN_TAUGHT

    def merge(self, other: Model) -> None:
        """Take what another model of the same parameter knows."""
        self.groups |= other.groups
        self.days |= other.days
        self.kinds = [a | b for a, b in zip(self.kinds, other.kinds)]
        self.classes = [a | b for a, b in zip(self.classes, other.classes)]
        self.lengths = [a | b for a, b in zip(self.lengths, other.lengths)]
        self.pairs = bytearray([a | b for a, b in zip(self.pairs, other.pairs)])
        self.taught = bytearray(map(max, self.taught, other.taught))
        self.seen = bytearray(map(max, self.seen, other.seen))
        for name, counts in other.carried.items():
            self.carried[name] = bytearray(map(max, self.carried.get(name, bytearray(GROUPS)), counts))
        for name, days in other.carried_on.items():
            self.carried_on[name] = self.carried_on.get(name, 0) | days
        self._merge_values(other.values)
        self.changed()

    def _merge_values(self, other: Optional[Dict[int, int]]) -> None:
        if self.values is None or other is None:
            self.values = None
            return
        for number, mask in other.items():
            self.values[number] = self.values.get(number, 0) | mask
        if len(self.values) > MAX_VALUES:
            self.values = None


def hashed(value: str, salt: bytes) -> int:
    """Return 32 bits of a value, keyed: a file of models is no list to try values against."""
    return int.from_bytes(hashlib.sha256(salt + value.encode("utf-8", "surrogatepass")).digest()[:4], "big")


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Pattern[str]:
    return re.compile(pattern)


def _listed(words: List[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _more(words: List[str]) -> str:
    return f", {', '.join(words)}" if words else ""
