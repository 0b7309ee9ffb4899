"""What one principal did with one operation in a slot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Dict, Tuple

from apisec.activity.attempts import Attempts, attempts_of, attempts_state
from apisec.activity.hashing import distinct, fewest
from apisec.activity.hashing import walked as neighbours
from apisec.activity.packing import (
    SLOT_SECONDS,
    columns,
    count,
    counts,
    members,
    number_counts,
    offset_of,
    pack,
    time_of,
    unpack,
)
from apisec.activity.parts import MAX_IDENTITIES, MAX_NAMES, Hashes, add_counts, span, under

MAX_OBJECTS = 256  # of one operation
MAX_FIELDS = 96  # of one operation
MAX_OBJECT_NAMES = 4
MAX_GIVEN = 64  # ids that lists of one operation gave
MAX_OWNERS = 32  # owners that they name


class OperationActivity:
    """One operation within a row. Requests that apisec refused count in ``blocked`` and nowhere else."""

    __slots__ = (
        "attempts", "blocked", "bytes_in", "bytes_out", "classes", "fields", "first", "given", "identities",
        "largest_out", "largest_records", "largest_sensitive", "last", "microseconds", "object_names", "objects",
        "objects_trimmed", "owners", "records", "refused", "requests", "sensitive", "statuses",
    )  # fmt: skip

    def __init__(self) -> None:
        self.requests = 0
        self.statuses: Dict[int, int] = {}
        self.blocked = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.largest_out = 0
        self.records = 0  # objects in lists of responses, where their bodies are visible
        self.largest_records = 0  # of one response
        self.sensitive = 0  # values of classed fields in responses
        self.largest_sensitive = 0  # of one response
        self.classes: Dict[str, int] = {}  # the same by class
        self.objects: Dict[int, int] = {}  # hash of an id asked for: seconds from the slot's start to its first time
        self.objects_trimmed = False
        self.object_names: Dict[str, int] = {}
        self.given = Hashes(MAX_GIVEN)  # ids that lists gave
        self.owners = Hashes(MAX_OWNERS)  # whom the records of lists belong to, by the member that says so
        self.refused = Hashes(MAX_OBJECTS)  # ids that were asked for and refused or not found (401, 403, 404)
        self.identities = Hashes(MAX_IDENTITIES)  # e-mail addresses, names to log in with and the like in requests
        self.attempts: Dict[str, Attempts] = {}  # by manner: who named accounts, and how that was answered
        self.fields: Dict[str, int] = {}  # "body.role:string": requests that carry it
        self.microseconds = 0
        self.first = 0.0
        self.last = 0.0

    @property
    def response_time(self) -> float:
        """Milliseconds of all requests together."""
        return self.microseconds / 1000.0

    @property
    def object_count(self) -> int:
        """How many different ids were asked for."""
        return distinct(self.objects, self.objects_trimmed)

    @property
    def objects_dropped(self) -> int:
        """How many of them ``objects`` does not hold."""
        return self.object_count - len(self.objects)

    @property
    def objects_refused(self) -> int:
        """How many different ids were refused or not found."""
        return self.refused.count

    @property
    def walked(self) -> int:
        """How many of ``objects`` are numbers at most two above another one of them."""
        return neighbours(self.objects)

    @property
    def failures(self) -> int:
        return sum(count for status, count in self.statuses.items() if status >= 400)

    def seen(self, time: float) -> None:
        if not self.first or time < self.first:
            self.first = time
        if time > self.last:
            self.last = time

    def merge(self, other: OperationActivity) -> None:
        self.requests += other.requests
        self.blocked += other.blocked
        self.bytes_in += other.bytes_in
        self.bytes_out += other.bytes_out
        self.largest_out = max(self.largest_out, other.largest_out)
        self.largest_records = max(self.largest_records, other.largest_records)
        self.largest_sensitive = max(self.largest_sensitive, other.largest_sensitive)
        self.records += other.records
        self.sensitive += other.sensitive
        self.microseconds += other.microseconds
        for held, more in (
            (self.classes, other.classes),
            (self.object_names, other.object_names),
            (self.fields, other.fields),
        ):
            add_counts(held, more)
        add_counts(self.statuses, other.statuses)
        for hashed, offset in other.objects.items():
            known = self.objects.get(hashed)
            if known is None or offset < known:
                self.objects[hashed] = offset
        self.objects_trimmed = self.objects_trimmed or other.objects_trimmed
        for mine, theirs in self._hashes(other):
            mine.merge(theirs)
        for manner, attempts in other.attempts.items():
            under(self.attempts, manner, Attempts).merge(attempts)
        self.first, self.last = span(self, other)

    def _hashes(self, other: OperationActivity) -> Iterable[Tuple[Hashes, Hashes]]:
        return ((getattr(self, name), getattr(other, name)) for name in _HASHES.values())

    def count_fields(self, fields: Tuple[str, ...]) -> None:
        counts = self.fields
        for name in fields:
            counts[name] = counts.get(name, 0) + 1
        if len(counts) > 4 * MAX_FIELDS:
            self.trim()

    def trim_objects(self) -> None:
        if len(self.objects) > MAX_OBJECTS:
            self.objects = {hashed: self.objects[hashed] for hashed in sorted(self.objects)[:MAX_OBJECTS]}
            self.objects_trimmed = True

    def trim(self) -> None:
        self.trim_objects()
        for hashes, _ in self._hashes(self):
            hashes.trim()
        for attempts in self.attempts.values():
            attempts.trim()
        self.statuses = fewest(self.statuses, MAX_NAMES)
        self.classes = fewest(self.classes, MAX_NAMES)
        self.object_names = fewest(self.object_names, MAX_OBJECT_NAMES)
        self.fields = fewest(self.fields, MAX_FIELDS)

    def to_state(self, start: float) -> Dict[str, Any]:
        """Return JSON without what is empty; ``start`` is that of the slot, seconds since the epoch."""
        state: Dict[str, Any] = {"t": [offset_of(self.first, start), offset_of(self.last, start)]}
        for name, attribute in _COUNTS.items():
            value = getattr(self, attribute)
            if value:
                state[name] = value
        for name, (attribute, _) in _NAMED.items():
            held = getattr(self, attribute)
            if held:
                state[name] = dict(sorted(held.items()))
        if self.statuses:
            state["st"] = {str(status): times for status, times in sorted(self.statuses.items())}
        if self.objects:
            ordered = sorted(self.objects.items())
            state["ob"], state["of"] = pack(hashed for hashed, _ in ordered), [offset for _, offset in ordered]
        if self.objects_trimmed:
            state["ot"] = 1
        if self.attempts:
            state["at"] = attempts_state(self.attempts)
        for name, attribute in _HASHES.items():
            hashes = getattr(self, attribute)
            if hashes.values:
                state[name] = hashes.to_state()
        return state

    @classmethod
    def from_state(cls, state: Any, start: float, where: str) -> OperationActivity:
        """Raises DocumentError."""
        held = members(state, where, 32)
        activity = cls()
        for name, attribute in _COUNTS.items():
            setattr(activity, attribute, count(held.get(name, 0), f"{where}.{name}"))
        for name, (attribute, limit) in _NAMED.items():
            setattr(activity, attribute, counts(held.get(name, {}), f"{where}.{name}", limit))
        activity.statuses = number_counts(held.get("st", {}), f"{where}.st", MAX_NAMES)
        hashes = unpack(held.get("ob", ""), MAX_OBJECTS, f"{where}.ob")
        offsets = columns(held.get("of", []), f"{where}.of", len(hashes))
        activity.objects = {one: count(at, f"{where}.of", SLOT_SECONDS) for one, at in zip(hashes, offsets)}
        activity.objects_trimmed = count(held.get("ot", 0), f"{where}.ot", 1) == 1
        for name, attribute in _HASHES.items():
            getattr(activity, attribute).read_state(held.get(name, ""), f"{where}.{name}")
        activity.attempts = attempts_of(held.get("at", {}), f"{where}.at")
        first, last = columns(held.get("t"), f"{where}.t", 2)
        activity.first, activity.last = time_of(first, start, f"{where}.t"), time_of(last, start, f"{where}.t")
        return activity


_COUNTS = {
    "r": "requests",
    "bl": "blocked",
    "bi": "bytes_in",
    "bo": "bytes_out",
    "lo": "largest_out",
    "rc": "records",
    "lr": "largest_records",
    "se": "sensitive",
    "ls": "largest_sensitive",
    "us": "microseconds",
}
_HASHES = {"gv": "given", "id": "identities", "ow": "owners", "rf": "refused"}
_NAMED = {"cl": ("classes", MAX_NAMES), "on": ("object_names", MAX_OBJECT_NAMES), "fi": ("fields", MAX_FIELDS)}
