"""Who uses which operation: roles, learned as a matrix of operations that the same principals use.

``Roles`` remembers of a service how many principals took each operation up, in how many rows that could have happened,
which operations come together, from which networks and agents they are used, and how often principals are refused. A
principal is learned a day after it took an operation up. Operations go by the hash of their name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, ClassVar, Dict, List, Tuple

from apisec.abuse.base import SLOTS_PER_DAY
from apisec.abuse.matrix import MAX_PAIRS, Matrix
from apisec.abuse.rarity import Queue, Waiting, by_hash, mapping, numbers
from apisec.abuse.refused import Refused
from apisec.abuse.uses import (
    MAX_OPERATIONS,
    MAX_PLACES,
    Place,
    Use,
    merge_notes,
    note,
    notes_of,
    use_of,
)
from apisec.activity.hashing import value_hash32
from apisec.errors import DocumentError

MAX_TOGETHER = 24  # operations of one principal that are paired
MAX_WAITING = 384  # of more, those of a fair share of the principals wait, and each counts for several
MANY_ADOPTERS = 200.0  # nobody counts who takes up what so many have
EXPECTED_TOGETHER = 1.5  # principals that should use both, were there no roles, before their absence says something
MAX_ROWS = 1_000_000.0
SETTLED_SLOTS = 2 * SLOTS_PER_DAY  # after which an operation has its users, and more are late
HOLD_SLOTS = 7 * SLOTS_PER_DAY  # from being doubtful to being learned
MAX_DOUBTFUL = 256
MAX_TAKERS = 64  # that one counts for
NOBODY, ONE_MORE, UNKNOWN = 0, 1, 2  # what a taker is: another session of a client, somebody else, or not signed in


class Roles(Matrix):
    """The operations of a service and who uses them."""

    name: ClassVar[str] = "roles"
    __slots__ = (
        "_denied",
        "_doubtful",
        "_every",
        "_recent",
        "_waiting",
        "refused",
        "rows",
    )

    def __init__(self) -> None:
        super().__init__()
        self.rows = 0.0
        self.refused = Refused()
        self._recent: Dict[int, Dict[str, int]] = {}  # operation to principal to slot
        self._denied: Dict[int, Dict[str, int]] = {}  # operation to principal that it refused, to slot
        self._doubtful: Dict[str, int] = {}  # principal to slot: whose ways are unusual, if not enough for a finding
        self._waiting = Queue(2 * MAX_WAITING)
        self._every = 1  # one in so many principals waits to be learned, by its hash

    # --- asking ---------------------------------------------------------------------------------------------

    def takers(self, operation: int, but: str) -> List[List[int]]:
        """Return the other operations of those who took this one up and are not learned yet, less one principal.

        One who counts for several is there several times.
        """
        waiting = [one for one in self._taking(operation, but) if one[4][1] != UNKNOWN]
        return [one[3] for one in waiting for _ in range(min(one[4][0], MAX_TAKERS))]

    def _taking(self, operation: int, but: str) -> List[Waiting]:
        return [one for one in self._waiting.waiting if one[2] == operation and one[1] != but]

    def chance(self, operation: int, others: Collection[int], but: str) -> Tuple[float, int]:
        """Return the chance that a row shows a principal with ``others`` taking the operation up, as ``but`` does.

        Who did so lately and is not learned yet counts too: a new operation is taken up by many.

        And the one of ``others`` that tells most against it (0 for none): where so many use both operations that some
        should use them together, and none does, the principal belongs to another role.
        """
        use = self._uses.get(operation)
        if use is None:
            return 1.0, 0
        lately = self._taking(operation, but)
        fresh = sum(min(one[4][0], MAX_TAKERS) for one in lately if one[4][1] != NOBODY)
        base = use.rate(self.rows, sum(min(one[4][0], MAX_TAKERS) for one in lately), fresh)
        least, telling = 1.0, 0
        for other in others:
            known = self._uses.get(other)
            if known is None or other == operation:
                continue
            if known.adopters * use.adopters < EXPECTED_TOGETHER * max(1.0, self.principals):
                continue
            both = (self.together(operation, other) + 0.5) / (use.adopters + 1.0)
            if both < least:
                least, telling = both, other
        return min(1.0, base) * min(least, self.crossing(operation, others)), telling

    def recent(self, operation: int, since: int) -> List[str]:
        """Return who took the operation up since a slot."""
        return sorted(who for who, slot in self._recent.get(operation, {}).items() if slot >= since)

    def denied(self, since: int) -> Dict[int, List[str]]:
        """Return by operation whom it refused since a slot."""
        found = {one: sorted(who for who, slot in held.items() if slot >= since) for one, held in self._denied.items()}
        return {one: members for one, members in found.items() if members}

    # --- learning -------------------------------------------------------------------------------------------

    def meet(self, operation: int, name: str, slot: int) -> Use:
        """Return the operation's use, which begins now when it is new."""
        use = self._uses.get(operation)
        if use is not None and not use.settled and slot - use.slot >= SETTLED_SLOTS:
            use.settled = self.rows
        if use is None:
            if len(self._uses) >= MAX_OPERATIONS:
                rarest = min(self._uses, key=lambda one: (self._uses[one].adopters, -self._uses[one].slot))
                del self._uses[rarest]
            use = self._uses[operation] = Use(name[:200], slot, self.rows)
            self._commons = None
        return use

    def take_up(self, operation: int, principal: str, slot: int) -> None:
        """Note that somebody (ordinary or not) was served by the operation for the first time."""
        use = self._uses.get(operation)
        if use is not None and use.adopters > MANY_ADOPTERS:
            return
        note(self._recent, operation, principal, slot)

    def deny(self, operation: int, principal: str, slot: int) -> None:
        """Note that an operation which is for few refused somebody."""
        note(self._denied, operation, principal, slot)

    def doubt(self, principal: str, slot: int) -> None:
        """Let what a principal does wait for a week."""
        self._doubtful.pop(principal, None)
        self._doubtful[principal] = slot
        if len(self._doubtful) > MAX_DOUBTFUL:
            del self._doubtful[next(iter(self._doubtful))]

    def wait(
        self,
        slot: int,
        principal: str,
        operation: int,
        others: Sequence[int],
        places: Sequence[Place],
        *,
        fresh: bool = True,
        known: bool = True,
    ) -> None:
        """Let the operation be learned as taken up by a principal, in a day.

        Not ``fresh`` is one session more, not ``known`` somebody who is not signed in: who logs in belongs to no role.
        """
        if value_hash32(principal) % self._every:
            return
        what = NOBODY if not fresh else ONE_MORE if known else UNKNOWN
        flat = [self._every, what, *(value for place in places[:2] for value in place)]
        self._waiting.add(slot, principal, operation, list(others[:MAX_TOGETHER]), flat)
        if len(self._waiting.waiting) > MAX_WAITING:
            self._thin()

    def _thin(self) -> None:
        """Let half of the principals that wait count for all of them."""
        self._every *= 2
        kept: List[Waiting] = []
        for one in self._waiting.waiting:
            if not one[2]:
                kept.append(one)
            elif value_hash32(one[1]) % self._every == 0:
                one[4][0] = self._every
                kept.append(one)
        self._waiting.waiting = kept

    def refuse(self, slot: int, principal: str, own: Sequence[int], bits: int) -> None:
        """Let it be learned that a principal (its own and its networks' tags) was refused so often."""
        self._waiting.add(slot, principal, 0, list(own[:8]), [bits, 0])

    def learn(self, slot: int, suspicious: Callable[[str], bool], wait: int) -> None:
        def held(one: Waiting) -> bool:
            when, principal, operation = one[:3]
            return operation != 0 and principal in self._doubtful and slot - when < HOLD_SLOTS

        for when, _, operation, others, more in self._waiting.ripe(slot, suspicious, wait, held):
            if operation:
                self._adopt(operation, others, more, when)
            else:
                self.refused.remember(others, more[0], when)

    def _adopt(self, operation: int, others: Iterable[int], more: Sequence[int], when: int) -> None:
        weight, what, *flat = more
        use = self._uses.get(operation)
        if use is None:
            return
        if what == UNKNOWN:
            use.open += weight
            return
        fresh = what == ONE_MORE
        held = list(others)
        if not held:
            self.principals += weight
        use.adopters += weight
        self._commons = None
        if fresh and when - use.slot >= SETTLED_SLOTS:
            use.late += weight
        for network, agent in zip(flat[::2], flat[1::2]) if fresh else ():
            for places, one in ((use.networks, network), (use.agents, agent)):
                if one in places or len(places) < MAX_PLACES:
                    places[one] = places.get(one, 0) + 1
        for other in held:
            key = (operation, other) if operation < other else (other, operation)
            if key in self._pairs or len(self._pairs) < MAX_PAIRS:
                self._pairs[key] = self._pairs.get(key, 0) + weight

    # --- keeping --------------------------------------------------------------------------------------------

    def forget(self, slot: int) -> None:
        """Halve what rests on more rows than an API stays the same for; drop who is not recent any more."""
        if self.rows > MAX_ROWS:
            self.rows, self.principals = self.rows / 2.0, self.principals / 2.0
            for use in self._uses.values():
                use.halve()
            self._commons = None
            self._pairs = {key: count // 2 for key, count in self._pairs.items() if count > 1}
        if len(self._waiting.waiting) < MAX_WAITING // 4 and self._every > 1:
            self._every //= 2
        if slot % 12:
            return
        self._doubtful = {who: last for who, last in self._doubtful.items() if slot - last <= 2 * HOLD_SLOTS}
        for notes in (self._recent, self._denied):
            for operation, held in list(notes.items()):
                left = {who: last for who, last in held.items() if last >= slot - SLOTS_PER_DAY}
                if left:
                    notes[operation] = left
                else:
                    del notes[operation]

    def merge(self, other: Roles) -> None:
        self._commons = None
        self.rows += other.rows
        self.principals += other.principals
        for operation, theirs in other._uses.items():
            mine = self.meet(operation, theirs.name, theirs.slot)
            mine.merge(theirs)
            for places, more in ((mine.networks, theirs.networks), (mine.agents, theirs.agents)):
                for one, count in more.items():
                    if one in places or len(places) < MAX_PLACES:
                        places[one] = places.get(one, 0) + count
        for key, count in other._pairs.items():
            self._pairs[key] = self._pairs.get(key, 0) + count
        self.refused.merge(other.refused)
        for ours, others in ((self._recent, other._recent), (self._denied, other._denied)):
            merge_notes(ours, others)
        self._doubtful.update(other._doubtful)
        self._waiting.merge(other._waiting)

    def to_state(self) -> Dict[str, Any]:
        uses = {str(operation): use.to_state() for operation, use in self._uses.items()}
        return {
            "rows": self.rows,
            "principals": self.principals,
            "uses": uses,
            "every": self._every,
            "pairs": self._packed_pairs(),
            "refused": self.refused.to_state(),
            "doubtful": self._doubtful,
            "denied": {str(operation): held for operation, held in self._denied.items()},
            "recent": {str(operation): held for operation, held in self._recent.items()},
            "waiting": self._waiting.to_state(),
        }

    @classmethod
    def from_state(cls, state: Any) -> Roles:
        """Raises DocumentError when it is not one of ``to_state``."""
        members = mapping(state, 16, cls.name)
        made = cls()
        made.rows, made.principals = numbers([members.get("rows"), members.get("principals")], 2, cls.name)
        for operation, values in by_hash(members.get("uses"), MAX_OPERATIONS, cls.name).items():
            made._uses[operation] = use_of(values)
        made._unpack_pairs(members.get("pairs"))
        made._every = max(1, min(1 << 20, int(numbers([members.get("every")], 1, cls.name)[0])))
        made.refused = Refused.from_state(members.get("refused"))
        made._recent, made._denied = notes_of(members.get("recent")), notes_of(members.get("denied"))
        for who, slot in mapping(members.get("doubtful"), MAX_DOUBTFUL, cls.name).items():
            made._doubtful[who] = int(numbers([slot], 1, cls.name)[0])
        made._waiting = Queue.from_state(members.get("waiting"), 2 * MAX_WAITING, (int, list, list))
        for _, _, _, others, more in made._waiting.waiting:
            whole = numbers(others, len(others), cls.name) + numbers(more, len(more), cls.name)
            if len(more) < 2 or not all(type(one) is int for one in whole):
                raise DocumentError("something in a queue is empty or no whole number", where=cls.name)
        return made
