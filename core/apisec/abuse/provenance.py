"""Where object ids come from: what responses gave to a principal, and who else holds an object.

``Provenance`` remembers of a principal the ids that responses gave to it, and by operation and day how many new objects
it asked for, of them those that nobody had given it, those that others hold, and how many answers refused.
``Holders`` remembers of a service, for a fair sample of its objects, who got or used them: what many hold is public.
All ids are hashes of 32 bits; among 4,096 ids one in a million others is taken for one of them.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Dict, FrozenSet, List, NamedTuple, Optional, Tuple

from apisec.abuse.base import SLOTS_PER_DAY
from apisec.abuse.rarity import by_hash, hash_of, mapping, numbers
from apisec.errors import DocumentError

if TYPE_CHECKING:
    from apisec.activity import OperationActivity, Row

MAX_ISSUED = 4_096  # ids of one principal; those issued longest ago go first
ISSUED_DAYS = 30
MAX_OPERATIONS = 24  # of one principal that ask for objects; those used longest ago go first
MAX_SEEN = 512  # objects of one operation that count once
MAX_MET = 64  # others whose objects one principal asked for on a day
MAX_DAYS = 8  # today and the seven days before
SHIPPED_BYTES = 16_384  # of a response's body that its event holds (body_bytes, docs/reference/configuration.md)
MAX_SAMPLE = 2_048  # objects of a service whose holders are known
HOLDER_DAYS = 30
_TAG = 0xFFFF  # bits of a principal's hash: among six holders one in ten thousand strangers is taken for one of them
PUBLIC = 6  # holders from which on an object is everybody's


class Day(NamedTuple):
    """New objects of one principal by one operation on one day; ``sampled`` are those that ``Holders`` knows of.

    ``foreign`` counts others that hold unissued ones of those, each once a day: whoever comes back under a new name
    asks for what one other held, whoever tries ids meets many.
    """

    objects: int = 0
    unissued: int = 0
    sampled: int = 0
    foreign: int = 0
    public: int = 0
    walked: int = 0
    refused: int = 0
    missed: int = 0  # unissued and refused

    def plus(self, other: Day) -> Day:
        return Day(*(one + two for one, two in zip(self, other)))


NONE = Day()
_NEVER = 1 << 30  # seconds


class Asked:
    """The objects that a principal asked one operation for. ``seen`` maps hashes to the day of their last use.

    ``met`` are the day and the tags of the others whose objects it asked for on it.
    """

    __slots__ = ("days", "met", "seen")

    def __init__(self) -> None:
        self.seen: Dict[int, int] = {}
        self.days: Dict[int, Day] = {}
        self.met: Tuple[int, FrozenSet[int]] = (0, frozenset())

    def meet(self, others: Collection[int], day: int) -> int:
        """Return how many of these others are new today."""
        known = self.met[1] if self.met[0] == day else frozenset()
        new = len(frozenset(others) - known)
        if new and len(known) < MAX_MET:
            self.met = (day, frozenset(sorted(known.union(others))[:MAX_MET]))
        return new

    def total(self, first: int, last: int) -> Day:
        """Return the sum of days ``first`` to ``last``."""
        found = NONE
        for day, counts in self.days.items():
            if first <= day <= last:
                found = found.plus(counts)
        return found

    def trim(self, today: int) -> None:
        for day in [one for one in self.days if one <= today - MAX_DAYS]:
            del self.days[day]
        if len(self.seen) > MAX_SEEN:
            newest = sorted(self.seen.items(), key=lambda item: (-item[1], item[0]))
            self.seen = dict(newest[: MAX_SEEN * 3 // 4])


class Provenance:
    """What one principal was given, and what it asked for; operations by the hash of their name."""

    name: ClassVar[str] = "provenance"
    __slots__ = ("_aged", "asked", "forgotten", "issued")

    def __init__(self) -> None:
        self._aged = 0  # the day on which what is old was last looked for
        self.issued: Dict[int, int] = {}  # hash to the day it was last issued
        self.asked: Dict[int, Asked] = {}
        self.forgotten = 0  # ids that there was no room for: until then "never issued" is not sure

    def take(
        self,
        row: Row,
        operation: int,
        activity: OperationActivity,
        holders: Holders,
        tag: int,
        also: Collection[int] = (),
    ) -> Day:
        """Count the objects of one operation in a row (before ``give`` of the same row); return what is new.

        ``also`` are ids that were issued to the same under another name.
        """
        today = row.slot // SLOTS_PER_DAY
        asked = self.asked.get(operation)
        if asked is None:
            asked = self.asked[operation] = Asked()
        seen, issued, given = asked.seen, self.issued, row.issued
        fresh = [one for one in activity.objects if one not in seen]
        # Within a row the second decides; what was given in the same second counts as given before.
        unissued = [
            one
            for one in fresh
            if one not in issued and one not in also and given.get(one, _NEVER) > activity.objects[one]
        ]
        sampled, others, public = holders.judge(fresh, unissued, tag)
        foreign = asked.meet(others, today)
        sampled += foreign - len(others)  # several objects of one other say no more than one
        seen.update(dict.fromkeys(activity.objects, today))
        refusing = activity.refused.values
        refused, missed = (len(refusing.intersection(ids)) if refusing else 0 for ids in (fresh, unissued))
        walked = min(activity.walked, len(fresh))
        new = Day(len(fresh), len(unissued), sampled, foreign, public, walked, refused, missed)
        asked.days[today] = asked.days.get(today, NONE).plus(new)
        asked.trim(today)
        if len(self.asked) > MAX_OPERATIONS:
            idle = min(self.asked, key=lambda one: (max(self.asked[one].days, default=0), one))
            del self.asked[idle]
        return new

    def on(self, day: int) -> Day:
        """Return the sum of a day over all operations."""
        found = NONE
        for asked in self.asked.values():
            found = found.plus(asked.days.get(day, NONE))
        return found

    def before(self, day: int) -> Day:
        """Return the sum of the days before one, over all operations."""
        found = NONE
        for asked in self.asked.values():
            found = found.plus(asked.total(0, day - 1))
        return found

    def give(self, row: Row, holders: Optional[Holders] = None) -> None:
        """Remember what the responses of a row gave; ``holders`` know what is everybody's."""
        lost = lost_in(row, holders)
        if not row.issued and not row.issued_dropped and not lost:
            return
        before = len(self.issued)
        self.issued.update(dict.fromkeys(row.issued, row.slot // SLOTS_PER_DAY))
        # A list that comes again loses the same ids again.
        new = (len(self.issued) - before) / len(row.issued) if row.issued else 1.0
        self.forgotten += row.issued_dropped + round(lost * new)
        if len(self.issued) > MAX_ISSUED:
            newest = sorted(self.issued.items(), key=lambda item: (-item[1], item[0]))
            self.forgotten += len(newest) - MAX_ISSUED * 7 // 8
            self.issued = dict(newest[: MAX_ISSUED * 7 // 8])

    @property
    def sure(self) -> float:
        """How far an id that is not known was never issued, 0–1: the share of issued ids that are remembered.

        Those in what was cut off a long list are not.
        """
        return len(self.issued) / (len(self.issued) + self.forgotten) if self.forgotten else 1.0

    def merge(self, other: Provenance) -> None:
        for one, day in other.issued.items():
            self.issued[one] = max(day, self.issued.get(one, 0))
        self.forgotten += other.forgotten
        for operation, asked in other.asked.items():
            mine = self.asked.setdefault(operation, Asked())
            for one, day in asked.seen.items():
                mine.seen[one] = max(day, mine.seen.get(one, 0))
            mine.met = max(mine.met, asked.met, key=lambda one: (one[0], len(one[1])))
            for day, counts in asked.days.items():
                mine.days[day] = mine.days.get(day, NONE).plus(counts)

    def forget(self, slot: int) -> None:
        today = slot // SLOTS_PER_DAY
        if today == self._aged:
            return
        self._aged = today
        oldest = today - ISSUED_DAYS
        self.issued = {one: day for one, day in self.issued.items() if day >= oldest}
        self.forgotten = self.forgotten if self.issued else 0
        for asked in self.asked.values():
            asked.seen = {one: day for one, day in asked.seen.items() if day >= oldest}
        self.asked = {operation: asked for operation, asked in self.asked.items() if asked.seen}

    def to_state(self) -> Dict[str, Any]:
        asked = {
            str(operation): {
                "seen": _packed(one.seen),
                "days": {str(day): list(c) for day, c in one.days.items()},
                "met": [one.met[0], *sorted(one.met[1])],
            }
            for operation, one in self.asked.items()
        }
        return {"issued": _packed(self.issued), "forgotten": self.forgotten, "asked": asked}

    @classmethod
    def from_state(cls, state: Any) -> Provenance:
        """Raises DocumentError when it is not one of ``to_state``."""
        members = mapping(state, 8, cls.name)
        made = cls()
        made.issued = _unpacked(members.get("issued"), MAX_ISSUED)
        made.forgotten = int(numbers([members.get("forgotten")], 1, cls.name)[0])
        for operation, one in by_hash(members.get("asked"), MAX_OPERATIONS, cls.name).items():
            found = mapping(one, 3, cls.name)
            asked = made.asked[operation] = Asked()
            asked.seen = _unpacked(found.get("seen"), MAX_SEEN)
            asked.met = _met(found.get("met"), cls.name)
            for day, counts in by_hash(found.get("days"), 2 * MAX_DAYS, cls.name).items():
                asked.days[day] = Day(*(int(count) for count in numbers(counts, len(NONE), cls.name)))
        return made


def lost_in(row: Row, holders: Optional[Holders] = None) -> float:
    """Return about how many ids lists of the row gave behind what events hold of a body; not of a catalogue."""
    lost = 0.0
    for used in row.operations.values():
        if used.records and used.largest_out > SHIPPED_BYTES:
            unseen = max(used.largest_out - SHIPPED_BYTES, used.bytes_out - used.requests * SHIPPED_BYTES)
            own = 1.0 - holders.public_share(used.given.values) if holders is not None else 1.0
            lost += own * max(used.records, used.given.count) * unseen / max(1.0, used.bytes_out - unseen)
    return lost


class Holders:
    """Who got or used an object, for the objects of a service whose hashes are smallest (a bottom-k sample)."""

    name: ClassVar[str] = "holders"
    __slots__ = ("_held", "_limit")

    def __init__(self) -> None:
        self._held: Dict[int, List[int]] = {}  # hash to [day, tags of principals]
        self._limit = 1 << 32  # hashes below it are sampled

    def judge(self, objects: Collection[int], unissued: Collection[int], tag: int) -> Tuple[int, List[int], int]:
        """Return how many of ``objects`` are sampled, the tags of who holds ``unissued`` ones, how many are public."""
        sampled = public = 0
        limit, tag = self._limit, tag & _TAG
        for one in objects:
            if one >= limit:
                continue
            sampled += 1
            held = self._held.get(one)
            if held is not None and len(held) > PUBLIC:
                public += 1
        found = (self._held.get(one) for one in unissued)
        others = [held[1] for held in found if held is not None and len(held) <= PUBLIC and tag not in held[1:]]
        return sampled, others, public

    def public_share(self, objects: Iterable[int]) -> float:
        """Return which share (0-1) of those of the objects that are known is everybody's; 0 where none is."""
        known = [len(self._held[one]) > PUBLIC for one in objects if one in self._held]
        return sum(known) / len(known) if known else 0.0

    def hold(self, objects: Iterable[int], tag: int, day: int) -> None:
        """Say that a principal got or used these."""
        limit, held = self._limit, self._held
        tag &= _TAG
        for one in objects:
            if one >= limit:
                continue
            known = held.get(one)
            if known is None:
                held[one] = [day, tag]
                continue
            known[0] = day
            if len(known) <= PUBLIC and tag not in known[1:]:
                known.append(tag)
        while len(held) > MAX_SAMPLE:
            self._limit //= 2
            held = self._held = {one: known for one, known in held.items() if one < self._limit}

    def merge(self, other: Holders) -> None:
        self._limit = min(self._limit, other._limit)
        self._held = {one: known for one, known in self._held.items() if one < self._limit}
        for one, (day, *tags) in other._held.items():
            for tag in tags:
                self.hold((one,), tag, day)

    def forget(self, slot: int) -> None:
        if slot % SLOTS_PER_DAY:
            return
        oldest = slot // SLOTS_PER_DAY - HOLDER_DAYS
        self._held = {one: known for one, known in self._held.items() if known[0] >= oldest}

    def to_state(self) -> Dict[str, Any]:
        return {"limit": self._limit, "held": {str(one): known for one, known in self._held.items()}}

    @classmethod
    def from_state(cls, state: Any) -> Holders:
        """Raises DocumentError when it is not one of ``to_state``."""
        members = mapping(state, 4, cls.name)
        made = cls()
        made._limit = int(numbers([members.get("limit")], 1, cls.name)[0])
        for one, known in by_hash(members.get("held"), MAX_SAMPLE, cls.name).items():
            if not isinstance(known, list) or not 2 <= len(known) <= PUBLIC + 1:
                raise DocumentError("the holders of an object have another shape", where=cls.name)
            made._held[one] = [int(value) for value in numbers(known, len(known), cls.name)]
        return made


def _met(state: Any, where: str) -> Tuple[int, FrozenSet[int]]:
    if not isinstance(state, list) or not 1 <= len(state) <= 1 + MAX_MET:
        raise DocumentError("is no day with who was met on it", where=where)
    day, *tags = (int(value) for value in numbers(state, len(state), where))
    return day, frozenset(tags)


def _packed(days: Mapping[int, int]) -> Dict[str, str]:
    """Return the hashes of each day in base64: a third of the size of a list of numbers."""
    found: Dict[int, List[int]] = {}
    for one, day in days.items():
        found.setdefault(day, []).append(one)
    return {
        str(day): base64.b64encode(struct.pack(f">{len(ones)}I", *sorted(ones))).decode("ascii")
        for day, ones in found.items()
    }


def _unpacked(state: Any, limit: int) -> Dict[int, int]:
    days: Dict[int, int] = {}
    for day, text in mapping(state, 2 * ISSUED_DAYS, "hashes").items():
        try:
            packed = base64.b64decode(text, validate=True)
            hashes = struct.unpack(f">{len(packed) // 4}I", packed)
        except (TypeError, ValueError, binascii.Error, struct.error) as error:
            raise DocumentError("not hashes of 32 bits", where="hashes") from error
        days.update(dict.fromkeys(hashes, hash_of(day, "hashes")))
    if len(days) > limit:
        raise DocumentError(f"more than {limit} hashes", where="hashes")
    return days
