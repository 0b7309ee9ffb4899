"""Counting machinery: what a row counts, and trailing sums over an hour, a day and seven days.

A trail keeps sums in three resolutions: slots for the hour, hours for the day, quarters of a day for the week. So the
"day" is 23 to 24 hours and the "week" 6¾ to 7 days; what is judged and what is learned are the same sums.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Dict, List, Tuple

from apisec.abuse.base import SLOTS_PER_DAY, SLOTS_PER_HOUR, Sums
from apisec.errors import DocumentError

if TYPE_CHECKING:
    from apisec.activity import OperationActivity, Row

WIDTHS = (1, SLOTS_PER_HOUR, SLOTS_PER_DAY // 4)  # slots a bucket
KEPT = (12, 24, 28)  # buckets
_LEVELS = tuple(zip(WIDTHS, KEPT))
_NO_SUMS: Sums = (0.0, 0.0, 0.0)
_NOTHING = 1e-9  # of a sum of parts
WEEK_SLOTS = 7 * SLOTS_PER_DAY
MAX_OPERATIONS = 24  # of one principal that are counted apart; those used last
MAX_REMEMBERED = 512  # hashes of ids, accounts or credentials that a principal has used lately, by kind
MAX_VALUE = 1e15
_KEY_LIMIT = 64  # counters of one trail
_STATUS_COUNTERS = {401: "s401", 403: "s403", 404: "s404", 429: "s429"}

Counts = Dict[str, float]


def status_counter(status: int) -> str:
    """Return the counter of a failure: s401, s403, s404, s429, s4xx (all other), s5xx; empty for none."""
    if status < 400:
        return ""
    return _STATUS_COUNTERS.get(status) or ("s4xx" if status < 500 else "s5xx")


class Trail:
    """Trailing sums of some counters of one key.

    What was counted lies in buckets: of a slot within the last hour, of an hour within the last day, of a quarter of a
    day within the week. It moves from one to the next as it ages, so that each lies in one of them only.
    """

    __slots__ = ("_buckets", "_totals", "newest")

    def __init__(self) -> None:
        self._buckets: Tuple[Dict[int, Counts], ...] = ({}, {}, {})
        self._totals: Dict[str, List[float]] = {}  # sums over the hour, the day and the week
        self.newest = 0  # slot

    def add(self, slot: int, values: Mapping[str, float]) -> None:
        """Count ``values`` in ``slot``; what is older than seven days is left out."""
        if slot > self.newest:
            self.advance(slot)
        level = self._level_of(slot)
        if level < len(WIDTHS):
            bucket = self._buckets[level].setdefault(slot // WIDTHS[level], {})
            totals = self._totals
            for name, value in values.items():
                if value:
                    bucket[name] = bucket.get(name, 0) + value
                    sums = totals.get(name)
                    if sums is None or level:
                        self._count(level, name, value)
                    else:  # in a loop, it would take twice as long, and is done most of all
                        sums[0] += value
                        sums[1] += value
                        sums[2] += value

    def _count(self, level: int, name: str, value: float) -> None:
        sums = self._totals.get(name)
        if sums is None:
            sums = self._totals[name] = [0, 0, 0]
        for longer in range(level, len(WIDTHS)):
            sums[longer] += value

    def _level_of(self, slot: int) -> int:
        """Return the finest resolution that keeps the slot still, and 3 for none."""
        newest = self.newest
        for level, (width, kept) in enumerate(_LEVELS):
            if slot // width > newest // width - kept:
                return level
        return len(WIDTHS)

    def advance(self, slot: int) -> None:
        """Let what is too old at ``slot`` leave the sums."""
        if slot <= self.newest:
            return
        self.newest = slot
        for level, (width, kept) in enumerate(_LEVELS):
            buckets = self._buckets[level]
            oldest = slot // width - kept
            for index in [one for one in buckets if one <= oldest]:
                self._age(level, index * width, buckets.pop(index))

    def _age(self, level: int, slot: int, counts: Counts) -> None:
        """Take what was counted out of the sums it is too old for, and keep it where it is not."""
        coarser = self._level_of(slot)
        for name, value in counts.items():
            sums = self._totals[name]
            for left in range(level, coarser):
                sums[left] = sums[left] - value if sums[left] - value > _NOTHING else 0
            if coarser == len(WIDTHS) and not sums[-1]:
                del self._totals[name]
        if coarser < len(WIDTHS):
            bucket = self._buckets[coarser].setdefault(slot // WIDTHS[coarser], {})
            for name, value in counts.items():
                bucket[name] = bucket.get(name, 0) + value

    def sums(self, name: str) -> Sums:
        """Return the sums of one counter over the last hour, day and week up to the newest slot."""
        found = self._totals.get(name)
        return (found[0], found[1], found[2]) if found else _NO_SUMS

    def some_sums(self, asked: Mapping[str, Collection[int]]) -> Dict[str, Sums]:
        """Return the sums of those of the counters that are not 0; 0 for horizons (indices) that are not asked for."""
        found: Dict[str, Sums] = {}
        for name, sums in self._totals.items():
            horizons = asked.get(name)
            if horizons is not None:
                wanted = [0.0, 0.0, 0.0]
                for horizon in horizons:
                    wanted[horizon] = sums[horizon]
                found[name] = (wanted[0], wanted[1], wanted[2])
        return found

    def merge(self, other: Trail) -> None:
        self.advance(other.newest)
        for level, (width, _) in enumerate(_LEVELS):
            for index, counts in other._buckets[level].items():
                # An hour or a quarter of a day that is not over here is one of its first slot.
                self.add(index * width, counts)

    def to_state(self) -> Dict[str, Any]:
        """Return for each resolution and counter the distances from the newest bucket and the counts, in turn."""
        levels: List[Dict[str, List[float]]] = []
        for level, (width, _) in enumerate(_LEVELS):
            newest = self.newest // width
            flat: Dict[str, List[float]] = {}
            for index, counts in self._buckets[level].items():
                for name, value in counts.items():
                    flat.setdefault(name, []).extend((newest - index, _compact(value)))
            levels.append(flat)
        return {"newest": self.newest, "levels": levels}

    @classmethod
    def from_state(cls, state: Any) -> Trail:
        """Raises DocumentError when it is not one of ``to_state``."""
        trail = cls()
        try:
            trail.newest = int(state["newest"])
            for level, flat in enumerate(state["levels"][: len(WIDTHS)]):
                for name, found in list(flat.items())[:_KEY_LIMIT]:
                    for distance, value in zip(found[::2], found[1::2]):
                        trail._restore(level, int(distance), str(name), _number(value))
        except (AttributeError, IndexError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise DocumentError(f"is no trail: {error}", where="counters") from error
        return trail

    def _restore(self, level: int, distance: int, name: str, value: float) -> None:
        width, kept = _LEVELS[level]
        if not 0 <= distance < kept:
            raise ValueError("a bucket lies outside of its resolution")
        bucket = self._buckets[level].setdefault(self.newest // width - distance, {})
        bucket[name] = bucket.get(name, 0) + value
        self._count(level, name, value)


def _compact(value: float) -> float:
    """An integer as such: half the characters."""
    return int(value) if value == int(value) else round(value, 3)


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value <= MAX_VALUE:
        raise ValueError(f"{value!r} is not a count")
    return value  # type: ignore[no-any-return]


class Memory:
    """Hashes used within seven days, each with the day it was used last; the longest unused ones go first."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: Dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._last)

    def take(self, hashes: Iterable[int], slot: int) -> int:
        """Remember ``hashes``; return how many of them were not remembered."""
        day = slot // SLOTS_PER_DAY
        known = self._last
        before = len(known)
        for hashed in hashes:
            known[hashed] = day
        new = len(known) - before
        if len(known) > 2 * MAX_REMEMBERED:
            self.trim()
        return new

    def trim(self) -> None:
        if len(self._last) > MAX_REMEMBERED:
            kept = sorted(self._last.items(), key=lambda one: (-one[1], one[0]))[:MAX_REMEMBERED]
            self._last = dict(kept)

    def forget(self, slot: int) -> None:
        oldest = (slot - WEEK_SLOTS) // SLOTS_PER_DAY
        if any(day < oldest for day in self._last.values()):
            self._last = {hashed: day for hashed, day in self._last.items() if day >= oldest}

    def merge(self, other: Memory) -> None:
        for hashed, day in other._last.items():
            self._last[hashed] = max(day, self._last.get(hashed, 0))
        self.trim()

    def to_state(self) -> List[List[int]]:
        self.trim()
        return [[hashed, day] for hashed, day in sorted(self._last.items())]

    @classmethod
    def from_state(cls, state: Any) -> Memory:
        """Raises DocumentError when it is not one of ``to_state``."""
        memory = cls()
        if not isinstance(state, list) or not all(
            isinstance(one, list) and len(one) == 2 and type(one[0]) is type(one[1]) is int for one in state
        ):
            raise DocumentError("is no list of hashes with days", where="counters")
        memory._last = {one[0]: one[1] for one in state[: 2 * MAX_REMEMBERED]}
        return memory


class PrincipalCounters:
    """What one principal did in a service: in all, and by operation. The part "counters" of its profile."""

    name: ClassVar[str] = "counters"
    __slots__ = ("memories", "operations", "rows", "total")

    def __init__(self) -> None:
        self.total = Trail()
        self.operations: Dict[str, Trail] = {}
        self.memories: Dict[str, Memory] = {}

    def operation(self, name: str) -> Trail:
        """Return the trail of an operation, which counts as used last."""
        trail = self.operations.pop(name, None)
        if trail is None:
            trail = Trail()
            if len(self.operations) >= MAX_OPERATIONS:
                del self.operations[min(self.operations, key=lambda one: (self.operations[one].newest, one))]
        self.operations[name] = trail
        return trail

    def fresh(self, kind: str, hashes: Iterable[int], slot: int) -> int:
        """Remember hashes of one kind; return how many are new in seven days."""
        memory = self.memories.get(kind)
        if memory is None:
            memory = self.memories[kind] = Memory()
            if len(self.memories) > 2 * MAX_OPERATIONS:
                del self.memories[min(self.memories, key=lambda one: (len(self.memories[one]), one))]
        return memory.take(hashes, slot)

    def merge(self, other: PrincipalCounters) -> None:
        self.total.merge(other.total)
        for name, trail in other.operations.items():
            self.operation(name).merge(trail)
        for kind, memory in other.memories.items():
            self.memories.setdefault(kind, Memory()).merge(memory)

    def forget(self, slot: int) -> None:
        self.total.advance(slot)
        for name in [one for one, trail in self.operations.items() if trail.newest < slot - WEEK_SLOTS]:
            del self.operations[name]

    def to_state(self) -> Dict[str, Any]:
        return {
            "total": self.total.to_state(),
            "operations": {name: trail.to_state() for name, trail in self.operations.items()},
            "memories": {kind: memory.to_state() for kind, memory in self.memories.items() if len(memory)},
        }

    @classmethod
    def from_state(cls, state: Any) -> PrincipalCounters:
        """Raises DocumentError when it is not one of ``to_state``."""
        if not isinstance(state, dict) or not all(
            isinstance(state.get(name), dict) for name in ("total", "operations", "memories")
        ):
            raise DocumentError("has no total, operations and memories", where="counters")
        counters = cls()
        counters.total = Trail.from_state(state["total"])
        for name, trail in list(state["operations"].items())[:MAX_OPERATIONS]:
            counters.operations[name] = Trail.from_state(trail)
        for kind, memory in list(state["memories"].items())[: 2 * MAX_OPERATIONS]:
            counters.memories[kind] = Memory.from_state(memory)
        return counters


def operation_counts(used: OperationActivity) -> Counts:
    """Return what one operation of a row counts; objects are those of the row."""
    counts: Counts = {
        "requests": used.requests,
        "bytes": used.bytes_out,
        "records": used.records,
        "sensitive": used.sensitive,
        "response_time": used.response_time,
        "objects": used.object_count,
    }
    for status, count in used.statuses.items():
        name = status_counter(status)
        if name:
            counts[name] = counts.get(name, 0) + count
            counts["failures"] = counts.get("failures", 0) + count
    return counts


def row_counts(row: Row, by_operation: Mapping[str, Counts]) -> Counts:
    """Add up the operations of a row, and what it counts beside."""
    counts: Counts = {}
    for one in by_operation.values():
        for name, value in one.items():
            counts[name] = counts.get(name, 0) + value
    for family, signal in row.signals.items():
        counts[f"sig:{family}"] = signal.requests
    if row.accounts.attempts:
        counts["attempts"] = row.accounts.attempts
        counts["login_failures"] = row.accounts.failures
        counts["logins"] = row.accounts.successes
    return counts
