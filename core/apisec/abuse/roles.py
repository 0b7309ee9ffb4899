"""Who uses which operation: roles, learned as a matrix of operations that the same principals use.

``Habits`` remembers of a principal the operations it was served and those that refused it (403). ``Roles`` remembers of
a service how many principals took each operation up, in how many rows that could have happened, which operations come
together, from which networks and agents they are used, and how often principals are refused. A principal is learned a
day after it took an operation up. Operations go by the hash of their name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Dict, List, NamedTuple, Optional, Set, Tuple

from apisec.abuse.base import SLOTS_PER_DAY
from apisec.abuse.rarity import Queue, Waiting, by_hash, mapping, numbers
from apisec.errors import DocumentError

MAX_HABITS = 96  # operations of one principal; those it was served longest ago go first
MAX_OPERATIONS = 160  # of a service that are told apart
MAX_PAIRS = 8_192
MAX_TOGETHER = 40  # operations of one principal that are paired
MAX_WAITING = 1_024
MAX_PLACES = 24  # networks or agents of one operation
MAX_REFUSED = 512  # principals and networks that were refused
MAX_RECENT = 64  # principals that took an operation up lately
REFUSED_SLOTS = 7 * SLOTS_PER_DAY
NOT_LEARNED, WAITING, LEARNED = 0, 1, 2


class Habit:
    """One operation of one principal: answers, when it was first served, refusals of the last seven days."""

    __slots__ = ("first", "last_refused", "refused", "served", "state")

    def __init__(self, values: Sequence[int] = (0, 0, 0, 0, NOT_LEARNED)) -> None:
        self.first, self.served, self.refused, self.last_refused, self.state = values


class Habits:
    """The operations of one principal."""

    name: ClassVar[str] = "habits"
    __slots__ = ("operations",)

    def __init__(self) -> None:
        self.operations: Dict[int, Habit] = {}

    def take(self, operation: int, served: int, refused: int, slot: int) -> Habit:
        """Count answers and refusals (403) of an operation in a row."""
        habit = self.operations.get(operation)
        if habit is None:
            habit = self.operations[operation] = Habit()
            if len(self.operations) > MAX_HABITS:
                others = [one for one in self.operations if one != operation]
                del self.operations[min(others, key=lambda one: (self.operations[one].served, one))]
        if served and not habit.served:
            habit.first = slot
        habit.served += served
        if refused:
            stale = slot - habit.last_refused > REFUSED_SLOTS
            habit.refused = refused if stale else habit.refused + refused
            habit.last_refused = slot
        return habit

    def served(self) -> List[int]:
        return [one for one, habit in self.operations.items() if habit.served]

    def refused(self, slot: int) -> Dict[int, int]:
        """Return the operations that refused it within seven days and never served it, with how often."""
        return {
            one: habit.refused
            for one, habit in self.operations.items()
            if habit.refused and not habit.served and slot - habit.last_refused <= REFUSED_SLOTS
        }

    def merge(self, other: Habits) -> None:
        for operation, theirs in other.operations.items():
            mine = self.operations.setdefault(operation, Habit())
            mine.first = min(one for one in (mine.first, theirs.first, 1 << 40) if one) % (1 << 40)
            mine.served += theirs.served
            mine.refused += theirs.refused
            mine.last_refused = max(mine.last_refused, theirs.last_refused)
            mine.state = max(mine.state, theirs.state)

    def forget(self, slot: int) -> None:
        """Bounded by ``take``."""

    def to_state(self) -> Dict[str, List[int]]:
        return {
            str(operation): [one.first, one.served, one.refused, one.last_refused, one.state]
            for operation, one in self.operations.items()
        }

    @classmethod
    def from_state(cls, state: Any) -> Habits:
        """Raises DocumentError when it is not one of ``to_state``."""
        made = cls()
        for operation, values in by_hash(state, MAX_HABITS + 1, cls.name).items():
            made.operations[operation] = Habit([int(one) for one in numbers(values, 5, cls.name)])
        return made


class Use:
    """One operation of a service: ``adopters`` principals took it up, in the rows since it ``appeared``.

    ``networks`` and ``agents`` count the adopters by where they came from.
    """

    __slots__ = ("adopters", "agents", "appeared", "name", "networks", "slot")

    def __init__(self, name: str, slot: int, appeared: float) -> None:
        self.name = name
        self.slot = slot
        self.appeared = appeared
        self.adopters = 0.0
        self.networks: Dict[int, int] = {}
        self.agents: Dict[int, int] = {}


class Place(NamedTuple):
    """Where a principal acted from, as hashes."""

    network: int
    agent: int


class Roles:
    """The operations of a service and who uses them."""

    name: ClassVar[str] = "roles"
    __slots__ = ("_doubtful", "_pairs", "_recent", "_refused", "_uses", "_waiting", "principals", "rows")

    def __init__(self) -> None:
        self.rows = 0.0
        self.principals = 0.0
        self._uses: Dict[int, Use] = {}
        self._pairs: Dict[Tuple[int, int], int] = {}
        self._refused: Dict[int, int] = {}  # principal or network: bit length of its refusals
        self._recent: Dict[int, Dict[str, int]] = {}  # operation to principal to slot
        self._doubtful: Dict[str, int] = {}  # principal to slot: whose ways are unusual, if not enough for a finding
        self._waiting = Queue(MAX_WAITING)

    # --- asking ---------------------------------------------------------------------------------------------

    def use(self, operation: int) -> Optional[Use]:
        return self._uses.get(operation)

    def takers(self, operation: int, but: str) -> List[List[int]]:
        """Return the other operations of those who took this one up and are not learned yet, less one principal."""
        return [one[3] for one in self._waiting.waiting if one[2] == operation and one[1] != but]

    def chance(self, operation: int, others: Iterable[int], takers: int) -> Tuple[float, int]:
        """Return the chance that a row shows a principal with ``others`` taking the operation up.

        ``takers`` did so lately and are not learned yet: a new operation is taken up by many.

        And the one of ``others`` that tells most against it (0 for none): where so many use both operations that some
        should use them together, and none does, the principal belongs to another role.
        """
        use = self._uses.get(operation)
        if use is None:
            return 1.0, 0
        base = (use.adopters + takers + 0.5) / (max(0.0, self.rows - use.appeared) + 1.0)
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
        return min(1.0, base) * least, telling

    def is_public(self, operation: int, takers: Sequence[Sequence[int]]) -> bool:
        """Whether those who use the operation also do what everybody does: a voucher is for few, but not of a role."""
        use = self._uses.get(operation)
        common = [one for one in self._uses if self._uses[one].adopters >= COMMON * self.principals]
        if use is None or not common:
            return True
        # Of one or two users only is nothing known: their share is drawn to what it would be for none of them.
        theirs = float(sum(self.together(operation, one) for one in common))
        theirs += sum(one in known for known in takers for one in common)
        theirs /= use.adopters + len(takers) + 0.5
        usual = sum(self._uses[one].adopters for one in common) / max(1.0, self.principals)
        return theirs >= PUBLIC * usual

    def explains(self, operation: int, others: Iterable[int]) -> bool:
        """Whether somebody ordinary uses the operation beside each of ``others``: it belongs to one role with them."""
        return all(self.together(operation, other) for other in others if other != operation)

    def together(self, one: int, other: int) -> int:
        return self._pairs.get((one, other) if one < other else (other, one), 0)

    def is_rare(self, operation: int, share: float) -> bool:
        """Whether at most ``share`` of the principals are served by the operation."""
        use = self._uses.get(operation)
        return use is None or use.adopters <= max(1.0, share * self.principals)

    def unknown_places(self, operation: int, places: Iterable[Place]) -> Tuple[bool, bool]:
        """Return whether nobody has used the operation from these networks, and with these agents."""
        use = self._uses.get(operation)
        if use is None or not use.adopters:
            return False, False
        held = list(places)
        network = not any(place.network in use.networks for place in held)
        return network, not any(place.agent in use.agents for place in held)

    def chance_place(self, known: Mapping[int, int], adopters: float) -> float:
        """Return the chance that the next adopter comes from a place of none before (Good and Turing's estimate)."""
        once = sum(count == 1 for count in known.values())
        return min(1.0, (once + 0.5) / (adopters + 1.0))

    def chance_refused(self, bits: int, own: Iterable[int]) -> float:
        """Return the chance that a row is of a principal that was refused so often (bit length); 1 when it is habit."""
        mine = set(own)
        if any(self._refused.get(one, 0) >= bits - 1 > 0 for one in mine):
            return 1.0
        others = sum(found >= bits for one, found in self._refused.items() if one not in mine)
        return (others + 0.5) / (self.rows + 1.0)

    def recent(self, operation: int, since: int) -> List[str]:
        """Return who took the operation up since a slot."""
        return sorted(who for who, slot in self._recent.get(operation, {}).items() if slot >= since)

    # --- learning -------------------------------------------------------------------------------------------

    def meet(self, operation: int, name: str, slot: int) -> Use:
        """Return the operation's use, which begins now when it is new."""
        use = self._uses.get(operation)
        if use is None:
            if len(self._uses) >= MAX_OPERATIONS:
                rarest = min(self._uses, key=lambda one: (self._uses[one].adopters, -self._uses[one].slot))
                del self._uses[rarest]
            use = self._uses[operation] = Use(name[:200], slot, self.rows)
        return use

    def take_up(self, operation: int, principal: str, slot: int) -> None:
        """Note that somebody (ordinary or not) was served by the operation for the first time."""
        held = self._recent.setdefault(operation, {})
        held.setdefault(principal, slot)
        if len(held) > MAX_RECENT:
            del held[min(held, key=lambda who: (held[who], who))]

    def doubt(self, principal: str, slot: int) -> None:
        """Let what a principal does wait for a week."""
        self._doubtful.pop(principal, None)
        self._doubtful[principal] = slot
        if len(self._doubtful) > MAX_DOUBTFUL:
            del self._doubtful[next(iter(self._doubtful))]

    def wait(self, slot: int, principal: str, operation: int, others: Sequence[int], places: Sequence[Place]) -> None:
        """Let the operation be learned as taken up by a principal, in a day."""
        flat = [value for place in places[:4] for value in place]
        self._waiting.add(slot, principal, operation, list(others[:MAX_TOGETHER]), flat)

    def refuse(self, slot: int, principal: str, own: Sequence[int], bits: int) -> None:
        """Let it be learned that a principal (its own and its networks' tags) was refused so often."""
        self._waiting.add(slot, principal, 0, list(own[:8]), [bits])

    def learn(self, slot: int, suspicious: Callable[[str], bool], wait: int) -> None:
        def held(one: Waiting) -> bool:
            when, principal, operation = one[:3]
            return operation != 0 and principal in self._doubtful and slot - when < HOLD_SLOTS

        for _, _, operation, others, more in self._waiting.ripe(slot, suspicious, wait, held):
            if operation:
                self._adopt(operation, others, more)
            else:
                self._remember_refused(others, more[0])

    def _adopt(self, operation: int, others: Iterable[int], flat: Sequence[int]) -> None:
        use = self._uses.get(operation)
        if use is None:
            return
        held = list(others)
        if not held:
            self.principals += 1.0
        use.adopters += 1.0
        for network, agent in zip(flat[::2], flat[1::2]):
            for places, one in ((use.networks, network), (use.agents, agent)):
                if one in places or len(places) < MAX_PLACES:
                    places[one] = places.get(one, 0) + 1
        for other in held:
            key = (operation, other) if operation < other else (other, operation)
            if key in self._pairs or len(self._pairs) < MAX_PAIRS:
                self._pairs[key] = self._pairs.get(key, 0) + 1

    def _remember_refused(self, own: Iterable[int], bits: int) -> None:
        for one in own:
            self._refused[one] = max(bits, self._refused.pop(one, 0))  # refused last
        while len(self._refused) > MAX_REFUSED:
            del self._refused[next(iter(self._refused))]

    # --- keeping --------------------------------------------------------------------------------------------

    def forget(self, slot: int) -> None:
        """Halve what rests on more rows than an API stays the same for; drop who is not recent any more."""
        if self.rows > MAX_ROWS:
            self.rows, self.principals = self.rows / 2.0, self.principals / 2.0
            for use in self._uses.values():
                use.adopters, use.appeared = use.adopters / 2.0, use.appeared / 2.0
            self._pairs = {key: count // 2 for key, count in self._pairs.items() if count > 1}
        if slot % 12:
            return
        self._doubtful = {who: last for who, last in self._doubtful.items() if slot - last <= 2 * HOLD_SLOTS}
        for operation, held in list(self._recent.items()):
            left = {who: last for who, last in held.items() if last >= slot - SLOTS_PER_DAY}
            if left:
                self._recent[operation] = left
            else:
                del self._recent[operation]

    def merge(self, other: Roles) -> None:
        self.rows += other.rows
        self.principals += other.principals
        for operation, theirs in other._uses.items():
            mine = self.meet(operation, theirs.name, theirs.slot)
            mine.adopters += theirs.adopters
            mine.slot, mine.appeared = min(mine.slot, theirs.slot), min(mine.appeared, theirs.appeared)
            for places, more in ((mine.networks, theirs.networks), (mine.agents, theirs.agents)):
                for one, count in more.items():
                    if one in places or len(places) < MAX_PLACES:
                        places[one] = places.get(one, 0) + count
        for key, count in other._pairs.items():
            self._pairs[key] = self._pairs.get(key, 0) + count
        for one, bits in other._refused.items():
            self._remember_refused([one], bits)
        for operation, held in other._recent.items():
            for who, slot in held.items():
                self.take_up(operation, who, slot)
        self._doubtful.update(other._doubtful)
        self._waiting.merge(other._waiting)

    def to_state(self) -> Dict[str, Any]:
        uses = {
            str(operation): [
                use.name,
                use.slot,
                round(use.appeared, 1),
                use.adopters,
                _texts(use.networks),
                _texts(use.agents),
            ]
            for operation, use in self._uses.items()
        }
        return {
            "rows": self.rows,
            "principals": self.principals,
            "uses": uses,
            "pairs": [[one, other, count] for (one, other), count in self._pairs.items()],
            "refused": _texts(self._refused),
            "doubtful": self._doubtful,
            "recent": {str(operation): held for operation, held in self._recent.items()},
            "waiting": self._waiting.to_state(),
        }

    @classmethod
    def from_state(cls, state: Any) -> Roles:
        """Raises DocumentError when it is not one of ``to_state``."""
        members = mapping(state, 12, cls.name)
        made = cls()
        made.rows, made.principals = numbers([members.get("rows"), members.get("principals")], 2, cls.name)
        for operation, values in by_hash(members.get("uses"), MAX_OPERATIONS, cls.name).items():
            made._uses[operation] = _use(values)
        pairs = members.get("pairs")
        if not isinstance(pairs, list) or len(pairs) > MAX_PAIRS:
            raise DocumentError(f"is not a list of at most {MAX_PAIRS} pairs", where=cls.name)
        for pair in pairs:
            one, other, count = (int(value) for value in numbers(pair, 3, cls.name))
            made._pairs[(one, other)] = count
        made._refused = _numbers_of(members.get("refused"), MAX_REFUSED)
        for operation, held in by_hash(members.get("recent"), MAX_OPERATIONS * 2, cls.name).items():
            slots = mapping(held, MAX_RECENT + 1, cls.name)
            made._recent[operation] = {who: int(numbers([slot], 1, cls.name)[0]) for who, slot in slots.items()}
        for who, slot in mapping(members.get("doubtful"), MAX_DOUBTFUL, cls.name).items():
            made._doubtful[who] = int(numbers([slot], 1, cls.name)[0])
        made._waiting = Queue.from_state(members.get("waiting"), MAX_WAITING, (int, list, list))
        for _, _, _, others, more in made._waiting.waiting:
            numbers(others, len(others), cls.name)
            if not numbers(more, len(more), cls.name):
                raise DocumentError("something in a queue is empty", where=cls.name)
        return made


EXPECTED_TOGETHER = 3.0  # principals that should use both, were there no roles, before their absence says something
MAX_ROWS = 1_000_000.0
COMMON = 0.3  # share of the principals by whom an operation is what everybody does
PUBLIC = 0.6  # of what everybody does, done by those who use an operation, and it belongs to no role
HOLD_SLOTS = 7 * SLOTS_PER_DAY  # from being doubtful to being learned
MAX_DOUBTFUL = 256


def _texts(counts: Mapping[int, int]) -> Dict[str, int]:
    return {str(one): count for one, count in counts.items()}


def _numbers_of(state: Any, limit: int) -> Dict[int, int]:
    found = by_hash(state, limit, Roles.name)
    return {one: int(numbers([count], 1, Roles.name)[0]) for one, count in found.items()}


def _use(state: Any) -> Use:
    if not isinstance(state, list) or len(state) != 6 or not isinstance(state[0], str):
        raise DocumentError("an operation has another shape", where=Roles.name)
    slot, appeared, adopters = numbers(state[1:4], 3, Roles.name)
    use = Use(state[0], int(slot), appeared)
    use.adopters = adopters
    use.networks, use.agents = _numbers_of(state[4], MAX_PLACES), _numbers_of(state[5], MAX_PLACES)
    return use


def tags_of(principal: int, places: Iterable[Place]) -> List[int]:
    """Return the tags under which refusals are remembered: the principal's and its networks'."""
    found: Set[int] = {place.network for place in places if place.network}
    return [principal, *sorted(found)]
