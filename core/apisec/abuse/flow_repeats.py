"""How operations that change something are repeated: how little else is done beside, and how regularly.

Of each operation its ordinary principals are the measure, or those of the service's operations together, where few
are known that do it more than once. Who has a credential for machines, a person's, or none, is
compared with its like. What is learned waits for a day, and is thrown away when its principal was accused by then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Dict, List, NamedTuple, Optional, Tuple, Type, Union

from apisec.abuse.base import SLOTS_PER_DAY, decades
from apisec.abuse.clients import SHARED_KINDS
from apisec.abuse.counters import PrincipalCounters, Trail
from apisec.abuse.rarity import Queue, mapping
from apisec.activity.attempts import OPENED, PRESUMED, Attempts
from apisec.sequences.calibration import Purity, Rhythm
from apisec.sequences.calibration import purity as bits_of
from apisec.sequences.steps import reads

if TYPE_CHECKING:
    from apisec.abuse.tally import Counted

ANONYMOUS = "anonymous"
MACHINE, PERSON = "machine", "person"
ALONE = ("alone 1d", "alone 7d")  # statistics, by horizon
REGULAR = "regular"
HORIZONS = (1, 2)  # of a trail's sums, in the order of ``ALONE``
REPEATABLE = "POST "
MAX_POOLS = 9  # three statistics of three kinds of principals
MAX_WAITING = 256
WAIT_SLOTS = SLOTS_PER_DAY

Statistic = Union[Purity, Rhythm]


def pool_of(kind: str) -> str:
    """Return with whom a principal of a kind is compared."""
    return ANONYMOUS if kind == ANONYMOUS else MACHINE if kind in SHARED_KINDS else PERSON


class Doing(NamedTuple):
    """How often one operation was done, and how many steps beside it (or beside all flows that it belongs to)."""

    times: float
    others: float

    @property
    def bits(self) -> float:
        return bits_of(self.times, self.others)


def doing(part: PrincipalCounters, operation: str, flow: Tuple[str, ...], horizon: int) -> Doing:
    """Return what a principal's trails say of one operation; ``flow``: steps that are nothing beside it."""
    trail = part.operations.get(operation)
    if trail is None:
        return Doing(0.0, 0.0)
    times = _requests(trail, horizon)
    company = (operation, *(step for step in flow if step != operation)) if operation in flow else (operation,)
    of_it = sum(_requests(part.operations[one], horizon) for one in company if one in part.operations)
    return Doing(times, max(0.0, _requests(part.total, horizon) - of_it))


def _requests(trail: Trail, horizon: int) -> float:
    return trail.sums("requests")[horizon]


def worth(counted: Counted) -> List[str]:
    """The operations of the window that may be worth automating."""
    return [name for name in counted.by_operation if is_worth(counted, name)]


def is_worth(counted: Counted, operation: str) -> bool:
    """Whether an operation does something each time, is no reading in disguise, and no login (which others look at).

    PUT and DELETE do the same when they are repeated (RFC 9110, 9.2.2), and PATCH changes what is there: by these
    data is kept, and nothing won by doing it often. What is called a reading is one, whatever its method.
    """
    if not operation.startswith(REPEATABLE) or reads(operation):
        return False
    for row in counted.rows:
        used = row.operations.get(operation)
        if used is not None and (used.records or _logs_in(used.attempts)):
            return False
    return True


def _logs_in(attempts: Mapping[str, Attempts]) -> bool:
    """Whether accounts were named, or a credential given; a voucher's code looks like a login of nobody known."""
    return any(manner != PRESUMED or one.counts[OPENED] for manner, one in attempts.items())


class Repeats:
    """Of one operation: what ordinary principals show. The part "repeats" of its profile."""

    name: ClassVar[str] = "repeats"
    __slots__ = ("_pools", "_waiting")

    def __init__(self) -> None:
        self._pools: Dict[str, Statistic] = {}
        self._waiting = Queue(MAX_WAITING)

    def decades(self, what: str, kind: str, times: float, bits: float) -> float:
        """Return in decades how unusual it is among those of a kind who do it about as often; 0 when unknown."""
        found = self._pools.get(f"{what} {pool_of(kind)}")
        return decades(found.p_value(int(times), bits)) if found is not None else 0.0

    def known(self, what: str, kind: str) -> int:
        """Return how many ordinary principals of a kind are known that do it more than once."""
        found = self._pools.get(f"{what} {pool_of(kind)}")
        return found.counted(found.shortest) if found is not None else 0

    def wait(self, slot: int, principal: str, what: str, kind: str, times: float, bits: float) -> None:
        """Note what an ordinary principal shows, to be learned in a day."""
        self._waiting.add(slot, principal, f"{what} {pool_of(kind)}", int(times), round(bits, 2))

    def learn(self, slot: int, suspicious: Callable[[str], bool]) -> None:
        """Learn what has waited."""
        for _, _, pool, times, bits in self._waiting.ripe(slot, suspicious, WAIT_SLOTS):
            found = self._pool(pool)
            if found is not None:
                found.add(times, bits)

    def _pool(self, pool: str) -> Optional[Statistic]:
        found = self._pools.get(pool)
        if found is None and len(self._pools) < MAX_POOLS:
            found = self._pools[pool] = _kind_of(pool)()
        return found

    def forget(self, slot: int) -> None:
        for pool in self._pools.values():
            pool.forget(slot)

    def merge(self, other: Repeats) -> None:
        for name, theirs in other._pools.items():
            mine = self._pool(name)
            if mine is not None:
                mine.merge(theirs)
        self._waiting.merge(other._waiting)

    def to_state(self) -> Dict[str, Any]:
        return {
            "pools": {name: pool.to_state() for name, pool in self._pools.items()},
            "waiting": self._waiting.to_state(),
        }

    @classmethod
    def from_state(cls, state: Any) -> Repeats:
        """Read what ``to_state`` gave; raises DocumentError for anything else."""
        members = mapping(state, 2, cls.name)
        made = cls()
        for name, pool in mapping(members.get("pools"), MAX_POOLS, cls.name).items():
            made._pools[name] = _kind_of(name).from_state(pool)
        made._waiting = Queue.from_state(members.get("waiting"), MAX_WAITING, (str, int, float))
        return made


def _kind_of(pool: str) -> Type[Statistic]:
    return Rhythm if pool.startswith(REGULAR) else Purity
