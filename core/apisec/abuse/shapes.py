"""The shapes of requests: which fields an operation's callers send, and how telling a field's name is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, ClassVar, Dict, List, NamedTuple, Set, Tuple

from apisec.abuse.base import SLOTS_PER_DAY
from apisec.abuse.rarity import Queue, mapping, numbers
from apisec.classification.names import split
from apisec.errors import DocumentError

MAX_FIELDS = 256  # of one operation
MAX_SENDERS = 12  # of one field that are told apart; so many are enough to be ordinary
MAX_WAITING = 256
MAX_NAME = 160
MAX_TYPES = 8  # of one field
USUAL = 0.9  # of the rows of an operation carry a field, from which on one without it lacks something
ANY_LEAST, ANY_SHARE = 8, 0.02  # new fields, and new ones a row, from which on an operation takes any (tags, metadata)
_ALIKE = {"integer": "number"}  # 12 and 12.5
_NULL = "null"
_ANY = "*"  # of fields that were known before types were
PLACES = ("body.", "query.", "form.")  # where a client says what a record is to be

# Words by what a client gains that sets such a member itself, and the decades that a name of them is worth: how seldom
# a new field of an ordinary release is called so.
_WORDS: Dict[str, Tuple[float, str]] = {
    "rights": (
        2.0,
        "admin administrator superuser superadmin sysadmin root staff moderator operator role roles permission"
        " permissions privilege privileges privileged scope scopes grant grants acl authority authorities"
        " entitlement entitlements capability capabilities impersonate access accesslevel usertype accounttype"
        " group groups clearance sudo",
    ),
    "state": (
        1.5,
        "verified verify approved approve activated enabled disabled banned blocked locked suspended confirmed trusted"
        " kyc mfa premium vip subscribed paid unlocked reviewed published validated certified internal hidden"
        " debug bypass tier plan level edition flags override",
    ),
    "money": (
        1.5,
        "balance credit credits limit price amount discount fee cost salary points bonus total refund wallet quota"
        " tax rate commission",
    ),
    "owner": (
        1.5,
        "owner ownerid userid customerid accountid tenant tenantid org orgid organisation organization author creator"
        " createdby user account customer company workspace merchant",
    ),
}
_DEGREES: Dict[str, Tuple[float, str]] = {
    word: (worth, kind) for kind, (worth, words) in reversed(list(_WORDS.items())) for word in words.split()
}
_FLAGS = frozenset(("is", "has", "can", "allow", "allowed"))
_PAGING = frozenset(("limit",))  # alone, beside offset and sort, how many are asked for; a credit's limit is money
_WRITTEN = frozenset(("at", "by"))  # after what was done: created_at, approved_by; the server writes it
PLAIN = (0.0, "")


@lru_cache(maxsize=4096)
def telling(field: str) -> Tuple[float, str]:
    """Return how telling a field's name is, in decades, and what it would give: ``body.user.is_admin`` 2, rights."""
    last = field.rpartition(".")[2].rstrip("[]")
    words = split(last)
    if not words or (len(words) == 1 and words[0] in _PAGING):
        return PLAIN
    found = [_DEGREES[word] for word in (*words, "".join(words)) if word in _DEGREES]
    if len(words) > 1 and words[-1] in _WRITTEN and words[-2].endswith("ed"):
        return max([*found, (1.0, "state")])
    if len(words) > 2 and words[0] not in _FLAGS:
        found = [one for one in found if one[1] == "rights"]  # total of shipping cost: a description, no switch
    return max(found, default=PLAIN)


def field_of(key: str) -> str:
    """Return the place and path of ``body.role:string``; empty for what is no member that a client chooses."""
    path, _, _ = key.rpartition(":")
    return path[:MAX_NAME] if path.startswith(PLACES) else ""


def type_of(key: str) -> str:
    """Return the type of ``body.count:integer``, and of all numbers the same; empty for none."""
    named = key.rpartition(":")[2]
    return _ALIKE.get(named, named)


class Field:
    """A request field: the slot it was first seen in, rows that carry it, and principals that sent it (hashes).

    ``types`` are those that were answered with success.
    """

    __slots__ = ("first", "rows", "senders", "types")

    def __init__(self, first: int, rows: float = 0.0, senders: Iterable[int] = ()) -> None:
        self.first = first
        self.rows = rows
        self.senders: List[int] = list(senders)
        self.types: Set[str] = set()


class Fields:
    """The fields of an operation's requests. ``sudden`` counts fields that began after the operation was known."""

    name: ClassVar[str] = "fields"
    __slots__ = ("_fields", "_waiting", "first", "principals", "rows", "sudden")

    def __init__(self) -> None:
        self._fields: Dict[str, Field] = {}
        self._waiting = Queue(MAX_WAITING)
        self.first = 0  # slot
        self.rows = 0.0
        self.sudden = 0.0
        self.principals = Field(0)  # the operation itself, as a field that everybody sends

    def field(self, name: str) -> Field:
        return self._fields.get(name) or Field(0)

    def senders(self, name: str, but: int) -> int:
        """Return how many principals other than ``but`` are known to send a field, ``MAX_SENDERS`` at most."""
        found = self._fields.get(name)
        return sum(one != but for one in found.senders) if found else 0

    @property
    def takes_any(self) -> bool:
        """Whether new fields come all the time, and are taken, so that none is odd."""
        new = sum(bool(one.types) and one.first - self.first >= SLOTS_PER_DAY for one in self._fields.values())
        return new >= max(ANY_LEAST, ANY_SHARE * self.rows)

    def ordinary(self, name: str, but: int) -> bool:
        """Whether others than ``but`` send a field, and with success."""
        found = self._fields.get(name)
        return found is not None and bool(found.types) and any(one != but for one in found.senders)

    def amiss(self, keys: Iterable[str], but: int) -> Set[str]:
        """Return what about some fields is not as it is with others than ``but``.

        That are fields that are not ordinary, types that they do not have, and fields that are usual and not there.
        """
        found: Set[str] = set()
        names: Set[str] = set()
        for key in keys:
            name, kind = field_of(key), type_of(key)
            if not name:
                continue
            names.add(name)
            if not self.ordinary(name, but):
                found.add(name)
            elif not self._fields[name].types & {kind, _ANY} and kind != _NULL:
                found.add(f"{name}:{kind}")
        usual = USUAL * self.rows
        found.update(f"-{name}" for name, known in self._fields.items() if known.rows >= usual and name not in names)
        return found

    def learn_types(self, keys: Iterable[str]) -> None:
        """Take the types of the fields of requests that were answered with success."""
        for key in keys:
            known, kind = self._fields.get(field_of(key)), type_of(key)
            if known is not None and kind and len(known.types) < MAX_TYPES:
                known.types.add(kind)
                known.types.discard(_ANY)

    def learn_row(self, slot: int, principal: str, tag: int, names: Iterable[str], at_once: bool) -> None:
        """Count a row of somebody ordinary; new fields wait a day, unless ``at_once``."""
        self.first = self.first or slot
        self.rows += 1.0
        for name in names:
            known = self._fields.get(name)
            if known is not None:
                known.rows += 1.0
                if tag in known.senders or len(known.senders) >= MAX_SENDERS:
                    continue
            self._waiting.add(slot if not at_once else 0, principal, tag, name)

    def ripen(self, slot: int, suspicious: Callable[[str], bool]) -> int:
        """Learn what has waited; return how many fields were new."""
        new = 0
        for when, _, tag, name in self._waiting.ripe(slot, suspicious):
            known = self._fields.get(name)
            if known is None:
                if len(self._fields) >= MAX_FIELDS:
                    rarest = min(self._fields, key=lambda one: (self._fields[one].rows, one))
                    del self._fields[rarest]
                known = self._fields[name] = Field(when or slot, 1.0)
                if when and when - self.first >= SLOTS_PER_DAY:
                    new += 1
            if tag not in known.senders and len(known.senders) < MAX_SENDERS:
                known.senders.append(tag)
        self.sudden += new
        return new

    def merge(self, other: Fields) -> None:
        self.first = min(one for one in (self.first, other.first, 1 << 40) if one) % (1 << 40)
        self.rows += other.rows
        self.sudden += other.sudden
        for name, theirs in other._fields.items():
            mine = self._fields.setdefault(name, Field(theirs.first))
            mine.first = min(mine.first, theirs.first)
            mine.rows += theirs.rows
            mine.senders = list(dict.fromkeys((*mine.senders, *theirs.senders)))[:MAX_SENDERS]
            mine.types = set(sorted(mine.types | theirs.types)[:MAX_TYPES])
        self._waiting.merge(other._waiting)

    def forget(self, slot: int) -> None:
        """Bounded; a field that is sent no more stays known."""

    def to_state(self) -> Dict[str, Any]:
        fields = {name: [one.first, one.rows, *one.senders] for name, one in self._fields.items()}
        head = [self.first, self.rows, self.sudden]
        types = {name: " ".join(sorted(one.types)) for name, one in self._fields.items() if one.types}
        return {"head": head, "fields": fields, "types": types, "waiting": self._waiting.to_state()}

    @classmethod
    def from_state(cls, state: Any) -> Fields:
        """Raises DocumentError when it is not one of ``to_state``."""
        members = mapping(state, 4, cls.name)
        made = cls()
        first, made.rows, made.sudden = numbers(members.get("head"), 3, cls.name)
        made.first = int(first)
        for name, values in mapping(members.get("fields"), MAX_FIELDS, cls.name).items():
            if not isinstance(values, list) or not 2 <= len(values) <= 2 + MAX_SENDERS:
                raise DocumentError("a field has another shape", where=cls.name)
            since, rows, *senders = numbers(values, len(values), cls.name)
            made._fields[name[:MAX_NAME]] = Field(int(since), rows, (int(one) for one in senders))
        before = dict.fromkeys(made._fields, _ANY)
        for name, types in mapping(members.get("types", before), MAX_FIELDS, cls.name).items():
            if not isinstance(types, str) or name not in made._fields:
                raise DocumentError("the types of a field are no text", where=cls.name)
            made._fields[name].types = set(types.split()[:MAX_TYPES])
        made._waiting = Queue.from_state(members.get("waiting"), MAX_WAITING, (int, str))
        return made


class Novelty(NamedTuple):
    """How often ordinary rows bring a field that their operation never had."""

    rows: float
    sudden: float


class Changes:
    """Of a service: rows with fields, and those of them that brought a new one; what all its operations teach."""

    name: ClassVar[str] = "changes"
    __slots__ = ("rows", "sudden")

    def __init__(self, rows: float = 0.0, sudden: float = 0.0) -> None:
        self.rows = rows
        self.sudden = sudden

    def chance(self, operation: Novelty) -> float:
        """Return the chance that a row of this operation brings a new field."""
        rate = (self.sudden + PRIOR_NEW) / (self.rows + PRIOR_ROWS)
        return min(1.0, (operation.sudden + OPERATION_WEIGHT * rate) / (operation.rows + OPERATION_WEIGHT))

    def merge(self, other: Changes) -> None:
        self.rows += other.rows
        self.sudden += other.sudden

    def forget(self, slot: int) -> None:  # noqa: ARG002 - by its bound
        if self.rows > MAX_ROWS:
            self.rows, self.sudden = self.rows / 2.0, self.sudden / 2.0

    def to_state(self) -> List[float]:
        return [self.rows, self.sudden]

    @classmethod
    def from_state(cls, state: Any) -> Changes:
        """Raises DocumentError when it is not one of ``to_state``."""
        return cls(*numbers(state, 2, cls.name))


# Before a service has shown anything: a new field in a thousand rows, for as many as a busy day has.
PRIOR_NEW, PRIOR_ROWS = 0.5, 1_000.0
OPERATION_WEIGHT = 200.0  # rows of an operation that weigh as much as what the service's other operations say
MAX_ROWS = 500_000.0


def merged_names(fields: Mapping[str, int]) -> Dict[str, int]:
    """Return the client's fields of an operation's activity with the number of requests that carry them."""
    found: Dict[str, int] = {}
    for key, count in fields.items():
        name = field_of(key)
        if name:
            found[name] = max(found.get(name, 0), count)
    return found


__all__ = ["Changes", "Field", "Fields", "Novelty", "field_of", "merged_names", "telling"]
