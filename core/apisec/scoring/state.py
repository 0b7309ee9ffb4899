"""Running state of the scorer: what a principal did in the last hour, and what its peers do. All bounded.

Windows hold events of any order of time (Splunk hands over the newest first): what lies more than an hour
from the event at hand, before or after, leaves.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Deque, Generic, List, Optional, Tuple, TypeVar

from apisec.scoring.client import ClientKey, difference
from apisec.sequences.flows import Step

HOUR = 3600.0
MAX_IDS = 512  # different ids kept per principal and operation; more are all the same much
MAX_OPERATIONS = 64  # per principal
MAX_STEPS = 64  # of a flow, per principal
MAX_SESSIONS = 16  # credentials per principal
MAX_CLIENTS = 8  # per credential
MAX_MINUTES = 128
MAX_TIMES = 64
MAX_LEVEL = 512
MAX_BODY = 32_768  # characters of a response that are searched for ids
MAX_BODIES = 12  # responses remembered per principal
MAX_BODY_TOTAL = 64_000_000  # characters of all of them; the oldest go first
MAX_OCCURRENCES = 50
# Of an id that was guessed. A service desk reads what its searches gave it; so does who collects leaked ids.
ISSUED_WEIGHT = 0.1

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """A mapping of bounded size that forgets what was used longest ago."""

    def __init__(self, limit: int) -> None:
        self._items: OrderedDict[K, V] = OrderedDict()
        self._limit = limit

    def __len__(self) -> int:
        return len(self._items)

    def get(self, key: K) -> Optional[V]:
        found = self._items.get(key)
        if found is not None:
            self._items.move_to_end(key)
        return found

    def put(self, key: K, value: V) -> None:
        self._items[key] = value
        if len(self._items) > self._limit:
            self._items.popitem(last=False)


class HourCount:
    """Events and failures within an hour of the last one added, to the minute."""

    __slots__ = ("_minutes", "failures", "total")

    def __init__(self) -> None:
        self._minutes: Deque[List[int]] = deque()
        self.total = 0
        self.failures = 0

    def add(self, time: float, failed: bool) -> None:
        minute = int(time // 60)
        minutes = self._minutes
        if minutes and minutes[-1][0] == minute:
            current = minutes[-1]
        else:
            current = [minute, 0, 0]
            minutes.append(current)
            while abs(minutes[0][0] - minute) >= 60 or len(minutes) > MAX_MINUTES:
                _, count, failures = minutes.popleft()
                self.total -= count
                self.failures -= failures
        current[1] += 1
        self.total += 1
        if failed:
            current[2] += 1
            self.failures += 1


class Times:
    """When something rare happened, within an hour."""

    __slots__ = ("_times",)

    def __init__(self) -> None:
        self._times: Deque[float] = deque(maxlen=MAX_TIMES)

    def add(self, time: float) -> int:
        """Add one and return how many there are, this one included."""
        times = self._times
        while times and abs(times[0] - time) > HOUR:
            times.popleft()
        times.append(time)
        return len(times)

    def count(self) -> int:
        return len(self._times)


class ObjectWindow:
    """One principal on one operation: the object ids of the hour and what became of the requests."""

    __slots__ = (
        "_last_number",
        "counted",
        "foreign",
        "ids",
        "issued",
        "peak",
        "request_peak",
        "requests",
        "unissued",
        "walked",
    )

    def __init__(self) -> None:
        self.requests = HourCount()
        # Last time, and whether it is a neighbour of the one before, another's, and issued (None: unknown).
        self.ids: OrderedDict[str, Tuple[float, bool, bool, Optional[bool]]] = OrderedDict()
        self.issued = 0
        self.unissued = 0
        self.walked = 0
        self.foreign = 0
        self.peak = 0  # most ids in one hour so far, as counted among peers
        self.request_peak = 0
        # As counted among peers: mostly others' objects, mostly ids that no response gave.
        self.counted = {"foreign": False, "unissued": False}
        self._last_number: Optional[int] = None

    def add(self, object_id: str, time: float, *, foreign: bool, issued: Optional[bool]) -> None:
        """Count one id; ``foreign`` and ``issued`` matter when it is new to the window."""
        ids = self.ids
        known = ids.get(object_id)
        if known is not None:
            ids[object_id] = (time, *known[1:])
            ids.move_to_end(object_id)
        else:
            neighbour = self._is_neighbour(object_id)
            ids[object_id] = (time, neighbour, foreign, issued)
            self._tally(1, neighbour, foreign, issued)
        while ids:
            then, neighbour, foreign, issued = next(iter(ids.values()))
            if abs(time - then) <= HOUR and len(ids) <= MAX_IDS:
                break
            ids.popitem(last=False)
            self._tally(-1, neighbour, foreign, issued)

    def _tally(self, sign: int, neighbour: bool, foreign: bool, issued: Optional[bool]) -> None:
        self.walked += sign * neighbour
        self.foreign += sign * foreign
        self.issued += sign * (issued is True)
        self.unissued += sign * (issued is False)

    @property
    def weighed(self) -> float:
        """How many ids there are, where one that a response gave to the principal counts less."""
        return len(self.ids) - (1.0 - ISSUED_WEIGHT) * self.issued

    def _is_neighbour(self, object_id: str) -> bool:
        """Whether the id is a number at most two beside the last new one."""
        value = object_id.rpartition("=")[2]
        number = int(value) if len(value) < 19 and value.isascii() and value.isdigit() else None
        last, self._last_number = self._last_number, number
        return number is not None and last is not None and 0 < abs(number - last) <= 2

    def within(self, time: float, seconds: float) -> int:
        """How many different ids were asked for within ``seconds`` of ``time``."""
        count = 0
        for then, *_ in reversed(self.ids.values()):
            if abs(time - then) > seconds:
                break
            count += 1
        return count

    def commonest_name(self) -> str:
        """Return the name that most of the ids go by: order_id."""
        names = [object_id.partition("=")[0] for object_id in self.ids]
        return max(sorted(set(names)), key=names.count) if names else ""


def stands_in(value: str, body: str) -> bool:
    """Whether ``value`` stands in ``body`` as a whole word: 42 is not in 142, 4.2 or 42-7."""
    start = body.find(value)
    for _ in range(MAX_OCCURRENCES):
        if start < 0:
            return False
        before, after = body[start - 1 : start], body[start + len(value) : start + len(value) + 1]
        if not _in_word(before) and not _in_word(after):
            return True
        start = body.find(value, start + 1)
    return False


def _in_word(character: str) -> bool:
    return character.isalnum() or (character != "" and character in "_-.")


Bodies = Deque[Tuple[int, str]]


class ResponseMemory:
    """The last responses to each principal: an id that stands in one of them was issued to it."""

    def __init__(self, limit: int = MAX_BODY_TOTAL) -> None:
        self._order: Deque[Tuple[int, Bodies]] = deque()
        self._limit = limit
        self._serial = 0
        self.total = 0

    def keep(self, bodies: Bodies, body: str) -> None:
        """Remember ``body`` among the ``bodies`` of one principal."""
        if len(bodies) >= MAX_BODIES:
            self.total -= len(bodies.popleft()[1])
        self._serial += 1
        kept = body[:MAX_BODY]
        bodies.append((self._serial, kept))
        self._order.append((self._serial, bodies))
        self.total += len(kept)
        while self.total > self._limit or len(self._order) > self._limit // 1000:
            serial, owner = self._order.popleft()
            if owner and owner[0][0] == serial:
                self.total -= len(owner.popleft()[1])


def was_issued(value: str, bodies: Bodies) -> bool:
    return any(stands_in(value, body) for _, body in reversed(bodies))


class CredentialClients:
    """The clients that used one credential, the first one first."""

    __slots__ = ("_clients", "_first", "_last", "_returns")

    def __init__(self) -> None:
        self._clients: OrderedDict[ClientKey, float] = OrderedDict()  # last seen
        self._first: Optional[ClientKey] = None
        self._last: Optional[ClientKey] = None
        self._returns = Times()

    def add(self, client: ClientKey, time: float) -> Tuple[float, int, Optional[ClientKey]]:
        """Return how much this client differs from those before it (0–1), how often clients that differ
        took turns within the hour, and the client that it differs from least."""
        if self._first is None:
            self._first = client
        known = client in self._clients
        before = self._before(client)
        nearest = min(before, key=lambda other: difference(client, other)) if before else None
        change = difference(client, nearest) if nearest is not None else 0.0
        if self._last is not None and self._last != client and known:
            self._returns.add(time)
        self._clients[client] = time
        self._last = client
        if len(self._clients) > MAX_CLIENTS:
            oldest = next(key for key in self._clients if key not in (self._first, client))
            del self._clients[oldest]
        return change, self._returns.count(), nearest

    def _before(self, client: ClientKey) -> List[ClientKey]:
        """The clients that were there before ``client`` first came (the mapping keeps that order)."""
        before: List[ClientKey] = []
        for other in self._clients:
            if other == client:
                break
            before.append(other)
        return before


class PrincipalState:
    """What one principal did lately."""

    __slots__ = ("bodies", "credentials", "operations", "requests", "signalled", "skips", "steps")

    def __init__(self) -> None:
        self.operations: Recent[Tuple[str, str], ObjectWindow] = Recent(MAX_OPERATIONS)
        self.requests = HourCount()
        self.bodies: Bodies = deque()
        self.steps: Deque[Step] = deque(maxlen=MAX_STEPS)
        self.skips = Times()
        self.signalled = Times()
        self.credentials: Recent[str, CredentialClients] = Recent(MAX_SESSIONS)

    def operation(self, key: Tuple[str, str]) -> ObjectWindow:
        found = self.operations.get(key)
        if found is None:
            found = ObjectWindow()
            self.operations.put(key, found)
        return found

    def credential(self, key: str) -> CredentialClients:
        found = self.credentials.get(key)
        if found is None:
            found = CredentialClients()
            self.credentials.put(key, found)
        return found


class Levels:
    """How many principals have reached each level; ``at_least[k]`` never grows with k."""

    __slots__ = ("at_least",)

    def __init__(self) -> None:
        self.at_least: List[int] = [0]

    def rise(self, old: int, new: int) -> None:
        """One principal rose from ``old`` (0: it is new) to ``new``; levels above ``MAX_LEVEL`` are one."""
        new = min(new, MAX_LEVEL)
        while len(self.at_least) <= new:
            self.at_least.append(0)
        for level in range(old + 1, new + 1):
            self.at_least[level] += 1

    def peers_quantile(self, own: int, share: float) -> Tuple[int, int]:
        """Return the level that ``share`` of the other principals stay within, and how many those are."""
        others = (self.at_least[1] if len(self.at_least) > 1 else 0) - (own >= 1)
        if others < 1:
            return 0, 0
        allowed = (1.0 - share) * others  # principals that may lie above
        low, high = 0, len(self.at_least) - 1
        while low < high:
            middle = (low + high + 1) // 2
            if self.at_least[middle] - (own >= middle) > allowed:
                low = middle
            else:
                high = middle - 1
        return low, others


class OperationPeers:
    """All principals on one operation, within the data that the scorer has seen."""

    __slots__ = ("mean_log_size", "objects", "odd_readers", "readers", "requests", "sizes", "variance")

    def __init__(self) -> None:
        self.objects = Levels()
        self.requests = Levels()
        self.readers = 0
        self.odd_readers = {"foreign": 0, "unissued": 0}  # principals most of whose ids are
        self.sizes = 0
        self.mean_log_size = 0.0
        self.variance = 0.0

    @property
    def principals(self) -> int:
        levels = self.requests.at_least
        return levels[1] if len(levels) > 1 else 0

    def shared(self, least: int) -> bool:
        """Whether most of at least ``least`` principals use objects that others used first."""
        return self.readers >= least and 2 * self.odd_readers["foreign"] > self.readers

    def unusual(self, window: ObjectWindow, kind: str, count: int) -> float:
        """Return 0–1: how unusual it is here that ``count`` of a principal's ids are ``kind``.

        0 where every other principal's are too (a catalogue; a search by e-mail), or where there is no other.
        """
        mostly = count * 2 > len(window.ids)
        if mostly != window.counted[kind]:
            self.odd_readers[kind] += 1 if mostly else -1
            window.counted[kind] = mostly
        others = self.readers - 1
        return (others - (self.odd_readers[kind] - mostly)) / (others + 1.0) if others > 0 else 0.0

    def add_size(self, log_size: float) -> None:
        """Exponentially weighted mean and variance (Welford, 1962; Finch, 2009) of log response sizes."""
        self.sizes += 1
        weight = max(1.0 / self.sizes, 0.01)
        delta = log_size - self.mean_log_size
        self.mean_log_size += weight * delta
        self.variance = (1.0 - weight) * (self.variance + weight * delta * delta)
