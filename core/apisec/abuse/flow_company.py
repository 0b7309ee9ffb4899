"""Who does an operation, and how much beside: whether it is one that people share, or one that something lives by.

That somebody does one thing and nothing beside is unusual only of what others do among other things. A device's
readings come from devices, which do nothing else: of such an operation doing nothing else says nothing, the newest
device's neither, and there is nothing to be won by automating what nobody does by hand. So each operation remembers
its principals of two weeks (their clients, where a principal lasts for a session only), whoever is under suspicion too,
and those of earlier days say of which kind it is.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import AbstractSet, Any, ClassVar, Dict, List, NamedTuple

from apisec.abuse.base import SLOTS_PER_DAY, decades
from apisec.abuse.flow_repeats import Doing
from apisec.abuse.rarity import by_hash, numbers
from apisec.activity.hashing import value_hash32

MAX_MEMBERS = 256  # of one operation: those with the smallest hashes, which are a fair sample
KEPT_SLOTS = 14 * SLOTS_PER_DAY
AS_ALONE, LEAST_ALONE = 4.0, 0.1  # times as much beside it is as alone; so little is alone in any case
LEAST_STEPS = 3.0  # of a principal, before it is known how it does it
AMONG_OTHERS = 0.5  # steps beside each, from which on it is done among other things
COMMON, COMMON_MEMBERS = 0.02, 5  # share and number of such principals, from which on a software is people's


class Member(NamedTuple):
    """A principal: slots of its first and last time, times and steps beside in seven days, its software (a hash)."""

    first: int
    last: int
    times: float
    others: float
    software: int

    @property
    def beside(self) -> float:
        """Steps beside each time."""
        return (self.others + 1.0) / max(1.0, self.times)


class Company:
    """The principals of one operation. The part "company" of its profile."""

    name: ClassVar[str] = "company"
    __slots__ = ("_members",)

    def __init__(self) -> None:
        self._members: Dict[int, Member] = {}

    def note(self, slot: int, who: str, done: Doing, software: int) -> None:
        """Note how much a principal has done it up to now."""
        hashed = value_hash32(who)
        known = self._members.get(hashed)
        if known is None and len(self._members) >= MAX_MEMBERS:
            largest = max(self._members)
            if hashed > largest:
                return
            del self._members[largest]
        first = slot if known is None else known.first
        self._members[hashed] = Member(first, slot, float(done.times), float(done.others), software)

    def drop(self, who: str) -> None:
        """Forget somebody who is accused."""
        self._members.pop(value_hash32(who), None)

    def is_home(self, slot: int, who: str, software: int) -> bool:
        """Whether a principal did it by the same software before today, as far as the sample knows."""
        known = self._members.get(value_hash32(who))
        return known is not None and known.first <= slot - SLOTS_PER_DAY and known.software == software

    def is_common(self, software: int) -> bool:
        """Whether a software is one by which people come, who do other things too."""
        return software in self._common()

    def _common(self) -> AbstractSet[int]:
        people = [one for one in self._members.values() if one.beside > AMONG_OTHERS and one.others >= LEAST_STEPS]
        least = max(COMMON_MEMBERS, COMMON * len(people))
        return {software for software, count in Counter(one.software for one in people).items() if count >= least} - {0}

    def alone(self, slot: int, who: str, done: Doing, software: int, strength: float) -> float:
        """Return in decades how unusual it is here to do as little beside; at most ``strength``, what it is elsewhere.

        Programs that live by it are no excuse for who comes by people's software: that is compared with such only.
        Either this is an operation as any other, or one that some live by, of whom any share may be as alone: before
        anything is known, either is as likely. Principals that were not there before today say nothing, and only who
        comes on several days lives by it: yesterday's attackers are no excuse for today's.
        """
        mine = Member(slot, slot, done.times, done.others, 0).beside
        near = max(AS_ALONE * mine, LEAST_ALONE)
        hashed, common = value_hash32(who), self._common()
        known = [
            one
            for key, one in self._members.items()
            if key != hashed
            and (one.software in common or software not in common)
            and one.first <= slot - SLOTS_PER_DAY
            and one.times + one.others >= LEAST_STEPS
        ]
        alike = sum(one.beside <= near and one.last - one.first >= SLOTS_PER_DAY for one in known)
        count, share = len(known), min(0.5, 10.0**-strength)
        # Logarithms of how likely so many are alike: where each share is as likely, and by the share elsewhere.
        lived_by = math.lgamma(alike + 1) + math.lgamma(count - alike + 1) - math.lgamma(count + 2)
        as_any = alike * math.log(share) + (count - alike) * math.log1p(-share)
        odds = 1.0 / (1.0 + math.exp(min(700.0, as_any - lived_by)))
        return min(strength, decades(odds * (alike + 1.0) / (count + 2.0) + (1.0 - odds) * share))

    # --- a part of a profile --------------------------------------------------------------------------------

    def forget(self, slot: int) -> None:
        if slot % SLOTS_PER_DAY == 0:
            self._members = {key: one for key, one in self._members.items() if one.last > slot - KEPT_SLOTS}

    def merge(self, other: Company) -> None:
        for key, one in other._members.items():
            known = self._members.get(key, one)
            later = one if one.last >= known.last else known
            self._members[key] = later._replace(first=min(one.first, known.first))
        for key in sorted(self._members)[MAX_MEMBERS:]:
            del self._members[key]

    def to_state(self) -> Dict[str, List[float]]:
        return {str(key): list(one) for key, one in sorted(self._members.items())}

    @classmethod
    def from_state(cls, state: Any) -> Company:
        """Read what ``to_state`` gave; raises DocumentError for anything else."""
        made = cls()
        for key, values in by_hash(state, MAX_MEMBERS, cls.name).items():
            first, last, times, others, software = numbers(values, len(Member._fields), cls.name)
            made._members[key] = Member(int(first), int(last), times, others, int(software))
        return made
