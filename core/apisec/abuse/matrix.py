"""Which operations the same principals use, as a matrix of operations: what belongs to a role, and who crosses over.

``adopters`` of an operation are principals that took it up (``uses.Use``); pairs count those that use both of two.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Dict, List, Optional, Tuple

from apisec.abuse.base import decades
from apisec.abuse.rarity import numbers
from apisec.abuse.uses import Place, Use
from apisec.errors import DocumentError

MAX_PAIRS = 4_096
COMMON = 0.3  # share of the principals by whom an operation is what everybody does
EXPLAINED = 0.75  # of what a principal uses, used beside an operation by somebody ordinary
FEW, SOME = 0.1, 0.25  # shares of the principals that an operation serves; what serves more of them is of no role
# Of what everybody does, done by those who use an operation: with so much it is of no role, with so little of one.
PUBLIC, OF_A_ROLE = 0.6, 0.4
LEAST_CROSSING = 2  # operations of everybody's by which somebody is known to be no member of another role
PLACE_CAP = 1.0  # decades of a network and an agent that nobody uses it from
LEAST_COMMON = 2.5  # common operations that others in their place would use, before none of them says something
MANY_OPEN = 3.0  # clients without a credential that an operation serves, from which on it is for everybody


class Matrix:
    """Operations by the hash of their name, and who uses them together."""

    __slots__ = ("_commons", "_pairs", "_uses", "principals")

    def __init__(self) -> None:
        self.principals = 0.0
        self._uses: Dict[int, Use] = {}
        self._commons: Optional[List[int]] = None  # until somebody is learned
        self._pairs: Dict[Tuple[int, int], int] = {}

    def use(self, operation: int) -> Optional[Use]:
        return self._uses.get(operation)

    def together(self, one: int, other: int) -> int:
        return self._pairs.get((one, other) if one < other else (other, one), 0)

    def commonness(self, operation: int, takers: Sequence[Sequence[int]]) -> float:
        """Return how far those who use the operation do what everybody does, 1 being as much as everybody.

        A voucher is for few, but of no role: those who redeem it do all that others do.
        """
        use = self._uses.get(operation)
        common = self._common()
        if use is None or not common:
            return 1.0
        # Of one or two users only is nothing known: their share is drawn to what it would be for none of them.
        theirs = float(sum(self.together(operation, one) for one in common))
        theirs += sum(one in known for known in takers for one in common)
        theirs /= use.adopters + len(takers) + 0.5
        usual = self._usual(common)
        return theirs / usual if usual else 1.0

    def _usual(self, common: Iterable[int]) -> float:
        """Return how many of the common operations a principal uses on average."""
        return sum(self._uses[one].adopters for one in common) / max(1.0, self.principals)

    def _common(self) -> List[int]:
        if self._commons is None:
            least = COMMON * self.principals
            self._commons = [one for one, use in self._uses.items() if use.adopters >= least]
        return self._commons

    def is_for_few(self, operation: int) -> bool:
        """Whether few principals are served by the operation; more of them where it is for a role of its own."""
        use = self._uses.get(operation)
        if use is None or use.open >= MANY_OPEN:
            return use is None
        return use.adopters <= max(1.0, FEW * self.principals) or self.is_of_a_role(operation)

    def is_of_a_role(self, operation: int) -> bool:
        """Whether it is known that those who use the operation leave what everybody does to others."""
        use = self._uses.get(operation)
        if use is None or use.open >= MANY_OPEN or use.adopters > SOME * self.principals:
            return False
        return self._is_apart(operation)

    def _is_apart(self, operation: int) -> bool:
        """Whether its users do little of what everybody does: of others, so many would do ``LEAST_COMMON`` of it."""
        common = self._common()
        expected = self._uses[operation].adopters * self._usual(common)
        theirs = sum(self.together(operation, one) for one in common)
        return expected >= LEAST_COMMON and theirs <= OF_A_ROLE * expected

    def hides(self, operation: int) -> bool:
        """Whether whom the operation does not serve may be told that it is not there: others are served by it."""
        use = self._uses.get(operation)
        if use is None or not use.adopters or not self.is_for_few(operation):
            return False
        return self.commonness(operation, ()) < PUBLIC

    def explains(self, operation: int, others: Iterable[int]) -> bool:
        """Whether somebody ordinary uses the operation beside most of ``others``: it belongs to one role with them."""
        beside = [self.together(operation, other) > 0 for other in others if other != operation]
        return sum(beside) >= EXPLAINED * len(beside)

    def renews(self, operation: int, places: Collection[Place]) -> bool:
        """Whether all these networks and agents are of those who use the operation themselves."""
        use = self._uses[operation]
        return bool(places) and all(one.network in use.networks and one.agent in use.agents for one in places)

    def is_signed_in(self, operation: int) -> bool:
        """Whether an operation serves those with a credential, unlike a login: that is used beside everything."""
        use = self._uses.get(operation)
        return use is None or use.adopters >= use.open

    def lonely(self, operation: int) -> float:
        """Return the chance that who uses an operation does not use what most of its users use beside it."""
        used = self._uses[operation].adopters
        most = max((self.together(operation, other) for other in self._uses if other != operation), default=0)
        return (max(0.0, used - most) + 0.5) / (used + 0.5)

    def crosses(self, operation: int, others: Collection[int]) -> bool:
        """Whether the operation is of a role, and who does ``others`` is none of its members but does what all do."""
        common = self._common()
        shown = sum(one in others for one in common)
        return shown >= LEAST_CROSSING and shown > OF_A_ROLE * self._usual(common) and self.is_of_a_role(operation)

    def crossing(self, operation: int, others: Collection[int]) -> float:
        """Return the chance that who is served by what is of roles also does what everybody does, as ``others`` show.

        One operation has few users; all roles together have enough of them to say that none is a customer as well.
        """
        if not self.crosses(operation, others):
            return 1.0
        common = self._common()
        apart = [one for one in self._uses if one not in common and self.is_of_a_role(one)]
        members = crossing = 0.0
        for one in apart:
            used = self._uses[one].adopters
            # Who uses several counts once: each operation counts its users by how many others they use.
            share = 1.0 / (1.0 + sum(self.together(one, other) for other in apart if other != one) / max(1.0, used))
            members += share * used
            crossing += share * max(self.together(one, other) for other in common)
        return (crossing + 0.5) / (members + 1.0)

    def places(self, operation: int) -> Tuple[Dict[int, int], Dict[int, int]]:
        """Return from which networks and with which agents the operation's role works, with how many of its members.

        Few take up one operation; those who use what is used beside it work from the same places.
        """
        use = self._uses[operation]
        networks, agents = dict(use.networks), dict(use.agents)
        common = set(self._common())
        for other, known in self._uses.items():
            both = self.together(operation, other) if known.adopters <= SOME * self.principals else 0
            if other not in common and 2.0 * both >= max(1.0, min(use.adopters, known.adopters)):
                for held, more in ((networks, known.networks), (agents, known.agents)):
                    for one, count in more.items():  # the most, not the sum: one member uses several
                        held[one] = max(count, held.get(one, 0))
        return networks, agents

    def unknown_places(self, operation: int, places: Iterable[Place]) -> Tuple[bool, bool]:
        """Return whether nobody of the operation's role has worked from these networks, and with these agents."""
        use = self._uses.get(operation)
        if use is None or not use.adopters:
            return False, False
        held, (networks, agents) = list(places), self.places(operation)
        network = not any(place.network in networks for place in held)
        return network, not any(place.agent in agents for place in held)

    def unusual_place(self, operation: int, places: Sequence[Place]) -> float:
        """Return the decades of using the operation from where nobody does."""
        network, agent = self.unknown_places(operation, places)
        if not network and not agent:
            return 0.0
        networks, agents = self.places(operation)
        found = 0.5 * decades(self.chance_place(networks)) if network else 0.0
        return min(PLACE_CAP, found + (decades(self.chance_place(agents)) if agent else 0.0))

    def chance_place(self, known: Mapping[int, int]) -> float:
        """Return the chance that the next adopter comes from a place of none before (Good and Turing's estimate)."""
        once = sum(count == 1 for count in known.values())
        return min(1.0, (once + 0.5) / (sum(known.values()) + 1.0))

    def _packed_pairs(self) -> List[int]:
        """Return operations by their place in the order of ``uses``' hashes and counts, three numbers a pair."""
        place = {operation: index for index, operation in enumerate(sorted(self._uses))}
        known = ((place.get(one), place.get(other), count) for (one, other), count in self._pairs.items())
        return [
            value
            for one, other, count in known
            if one is not None and other is not None
            for value in (one, other, count)
        ]

    def _unpack_pairs(self, state: Any) -> None:
        if not isinstance(state, list) or len(state) > 3 * MAX_PAIRS or len(state) % 3:
            raise DocumentError(f"is not a list of at most {MAX_PAIRS} pairs", where="roles")
        operations = sorted(self._uses)
        flat = [int(value) for value in numbers(state, len(state), "roles")]
        for one, other, count in zip(flat[::3], flat[1::3], flat[2::3]):
            if max(one, other) >= len(operations):
                raise DocumentError("a pair names an operation that is not there", where="roles")
            pair = sorted((operations[one], operations[other]))
            self._pairs[(pair[0], pair[1])] = count
