"""Operations and their ids over time: what was merged, split and undone, when and why.

An id is made of service, method and skeleton (the template without its parameters' names), so a renamed parameter and
another machine give the same one. When operations merge, the merged one keeps the id of the oldest; the others lead
to it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

from apisec.endpoints.learning.tree import FIXED, PARAMETER, VALUE, Branch, Skeleton, resolve, templates
from apisec.errors import DocumentError

MERGE, SPLIT, UNDO = "merge", "split", "undo"
MAX_HISTORY = 500  # changes; the oldest go first
MAX_NAMED = 20  # operations that one change names
MAX_RECORDS = 20_000  # operations that a service ever had
MAX_PINS = 5_000

Key = Tuple[str, Skeleton]  # method and skeleton


def operation_id(service: str, method: str, skeleton: Skeleton) -> str:
    text = "\0".join((service, method, "/".join(skeleton)))
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()


@dataclass
class Record:
    """An operation that was seen: its id, since when, and the operation that it went into."""

    id: str
    since: float
    into: Optional[Key] = None


@dataclass(frozen=True)
class Change:
    """``before`` and ``after`` are skeletons of one method; ``count`` is how many there were before, named or not."""

    number: int
    kind: str
    when: float
    method: str
    before: Tuple[Skeleton, ...]
    after: Skeleton
    count: int
    why: Tuple[str, ...]
    author: str = ""

    def row(self) -> Dict[str, Any]:
        return {
            "change": self.number,
            "kind": self.kind,
            "time": self.when,
            "method": self.method,
            "before": ["/" + "/".join(skeleton) for skeleton in self.before],
            "after": "/" + "/".join(self.after),
            "operations": self.count,
            "why": list(self.why),
            "author": self.author,
        }


class Registry:
    """The operations of one service, their history, and what people said about words of paths."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.records: Dict[Key, Record] = {}
        self.history: List[Change] = []
        self.pins: Dict[Tuple[Skeleton, str], str] = {}
        self._changes = 0

    def id_of(self, method: str, skeleton: Skeleton) -> str:
        """Return the id of an operation; what was merged answers with the id of what it went into."""
        record = self.records.get((method, skeleton))
        for _ in range(8):
            if record is None or record.into is None:
                break
            record = self.records.get(record.into)
        return record.id if record else operation_id(self.service, method, skeleton)

    def update(self, tree: Branch, now: float) -> List[Change]:
        """Take over what a tree has decided; return what changed, new operations apart."""
        wanted = set(templates(tree))
        active = {key for key, record in self.records.items() if record.into is None}
        gone: Dict[Key, List[Key]] = {}
        for key in sorted(active - wanted):
            successor = (key[0], resolve(tree, key[1]).skeleton)
            if successor != key and successor in wanted:
                gone.setdefault(successor, []).append(key)
        changes = [self._merge(key, before, tree, now) for key, before in sorted(gone.items())]
        for key in sorted(wanted):
            change = self._appear(key, active, now)
            if change is not None:
                changes.append(change)
        return changes

    def _merge(self, key: Key, before: Sequence[Key], tree: Branch, now: float) -> Change:
        oldest = min(before, key=lambda k: (self.records[k].since, self.records[k].id))
        if key not in self.records:
            self._record(key, Record(self.records[oldest].id, self.records[oldest].since))
        self.records[key].into = None
        for old in before:
            self.records[old].into = key
        return self._changed(MERGE, now, key, [old[1] for old in before], _why(tree, before[0][1], key[1]))

    def _appear(self, key: Key, active: set[Key], now: float) -> Optional[Change]:
        record = self.records.get(key)
        if record is not None and record.into is None:
            return None
        if record is not None:  # it went into another, and is itself again
            former, record.into = record.into, None
            heir = self.records.get(former) if former else None
            if heir is not None and former is not None and heir.id == record.id:
                heir.id = operation_id(self.service, *former)
            return self._changed(SPLIT, now, key, [former[1]] if former else [], ())
        self._record(key, Record(self._fresh(key), now))
        wider = next((k for k in sorted(active) if k != key and k[0] == key[0] and _covers(k[1], key[1])), None)
        return self._changed(SPLIT, now, key, [wider[1]], ()) if wider else None

    def _fresh(self, key: Key) -> str:
        """Return the id of the operation's own text, unless a merged one inherited it."""
        found = operation_id(self.service, *key)
        taken = any(record.id == found for record in self.records.values())
        return operation_id(self.service, key[0], (*key[1], "")) if taken else found

    def _record(self, key: Key, record: Record) -> None:
        if len(self.records) < MAX_RECORDS:
            self.records[key] = record

    def _changed(
        self, kind: str, now: float, key: Key, before: Sequence[Skeleton], why: Sequence[str], author: str = ""
    ) -> Change:
        self._changes += 1
        named = tuple(before[:MAX_NAMED])
        change = Change(self._changes, kind, now, key[0], named, key[1], len(before), tuple(why), author)
        self.history.append(change)
        del self.history[:-MAX_HISTORY]
        return change

    def pin(self, place: Skeleton, word: str, meaning: str) -> None:
        """Say that a word at a place is FIXED, or a VALUE of the parameter there, until somebody says otherwise."""
        if meaning not in (FIXED, VALUE):
            raise DocumentError(f"{meaning!r} is neither {FIXED} nor {VALUE}", where="pin")
        if len(self.pins) >= MAX_PINS and (place, word) not in self.pins:
            raise DocumentError(
                f"more than {MAX_PINS} words are pinned; unpin some, or give a specification", where="pin"
            )
        self.pins[place, word] = meaning

    def unpin(self, place: Skeleton, word: str) -> None:
        self.pins.pop((place, word), None)

    def undo(self, number: int, author: str, now: float) -> Change:
        """Pin what a merge took for values, or a split for fixed words. Raises DocumentError for unknown changes."""
        change = next((c for c in self.history if c.number == number), None)
        if change is None or change.kind == UNDO:
            raise DocumentError(f"no merge or split has the number {number}", where="undo")
        narrow = change.before if change.kind == MERGE else (change.after,)
        wide = change.after if change.kind == MERGE else (change.before or ((),))[0]
        meaning = FIXED if change.kind == MERGE else VALUE
        for skeleton in narrow:
            for at, (word, other) in enumerate(zip(skeleton, wide)):
                if other.startswith(PARAMETER) and not word.startswith(PARAMETER):
                    for place in {wide[:at], skeleton[:at]}:
                        self.pin(place, word, meaning)
        return self._changed(UNDO, now, (change.method, change.after), change.before, (f"change {number}",), author)

    def to_state(self) -> Dict[str, Any]:
        return {
            "records": [
                [method, list(skeleton), r.id, r.since, [r.into[0], list(r.into[1])] if r.into else None]
                for (method, skeleton), r in sorted(self.records.items())
            ],
            "history": [
                [
                    c.number,
                    c.kind,
                    c.when,
                    c.method,
                    [list(s) for s in c.before],
                    list(c.after),
                    c.count,
                    list(c.why),
                    c.author,
                ]
                for c in self.history
            ],
            "pins": [[list(place), word, meaning] for (place, word), meaning in sorted(self.pins.items())],
            "changes": self._changes,
        }

    @classmethod
    def from_state(cls, service: str, state: Mapping[str, Any]) -> Registry:
        """Raises KeyError, TypeError or ValueError when the state is not one of ``to_state``."""
        registry = cls(service)
        for method, skeleton, identity, since, into in state["records"][:MAX_RECORDS]:
            target = (str(into[0]), _skeleton(into[1])) if into else None
            registry.records[str(method), _skeleton(skeleton)] = Record(str(identity), float(since), target)
        for number, kind, when, method, before, after, count, why, author in state["history"][-MAX_HISTORY:]:
            named = tuple(_skeleton(skeleton) for skeleton in before)
            reasons = tuple(str(reason) for reason in why)
            change = Change(
                int(number),
                str(kind),
                float(when),
                str(method),
                named,
                _skeleton(after),
                int(count),
                reasons,
                str(author),
            )
            registry.history.append(change)
        for place, word, meaning in state["pins"][:MAX_PINS]:
            registry.pin(_skeleton(place), str(word), str(meaning))
        registry._changes = int(state["changes"])
        return registry


def _skeleton(state: Iterable[Any]) -> Skeleton:
    return tuple(str(segment) for segment in state)


def _covers(wide: Skeleton, narrow: Skeleton) -> bool:
    """Return whether every path of ``narrow`` is one of ``wide``."""
    return len(wide) == len(narrow) and all(w in (n, PARAMETER) for w, n in zip(wide, narrow))


def _why(tree: Branch, before: Skeleton, after: Skeleton) -> Tuple[str, ...]:
    """Return the evidence of the first place at which a word became a value."""
    branch = tree
    for old, new in zip(before, after):
        verb = new.partition(":")[2]
        if old != new and verb in branch.evidence:
            return branch.evidence[verb].reasons
        child = branch.parameters.get(verb) if new.startswith(PARAMETER) else branch.fixed.get(new)
        if child is None:
            break
        branch = child
    return ()
