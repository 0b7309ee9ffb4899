"""The lists of an event's fields as bytes: what has no class is written once per set of fields."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from apisec_forwarder.pipeline.native.bodies import Section
from apisec_forwarder.pipeline.native.heads import Effect, HeadPlan
from apisec_forwarder.pipeline.native.plans import Kinds, NotHere
from apisec_forwarder.pipeline.native.work import Work
from apisec_forwarder.pipeline.writing import MAX_FIELDS

MAX_HEADS = 16  # sets of headers beside one credential
_NONE: dict[str, set[str]] = {}


class Listed:
    """Entries of request_fields or response_fields."""

    __slots__ = ("_count", "_pieces")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._count = 0

    def member(self, name: bytes) -> bytes:
        """Return the list as a member of an event, a comma before it; NotHere when the core says how many are cut."""
        if self._count > MAX_FIELDS:
            raise NotHere
        return b',"%b":[%b]' % (name, b",".join(self._pieces)) if self._pieces else b""

    def written(self, entries: bytes, count: int) -> None:
        """Add entries that are written already."""
        if entries:
            self._pieces.append(entries)
            self._count += count

    def add(self, location: str, kinds: Kinds, classes: Mapping[str, set[str]]) -> None:
        """Add the entries of some fields."""
        if not kinds:
            return
        entries = kinds.written.get(location)
        if entries is None:
            each = [_entry(location, path, kind, None) for path, kind in kinds.items()]
            entries = kinds.written[location] = (b",".join(each), each)
        if classes and any(classes.values()):
            each = [
                _entry(location, path, kind, classes[path]) if classes.get(path) else plain
                for (path, kind), plain in zip(kinds.items(), entries[1], strict=True)
            ]
            self._pieces.append(b",".join(each))
        else:
            self._pieces.append(entries[0])
        self._count += len(kinds)

    def head(self, plan: HeadPlan, effect: Effect, classes: Mapping[str, set[str]]) -> None:
        """Add the fields of a head; the values of some were read by the core, of the others by the gate."""
        if classes:
            self.written(*_head(plan, effect, classes))
            return
        key = tuple(plan.kinds)
        known = effect.listed.get(key)
        if known is None:
            if len(effect.listed) >= MAX_HEADS:
                effect.listed.clear()
            known = effect.listed[key] = _head(plan, effect, classes)
        self.written(*known)

    def body(self, body: Section | None) -> None:
        """Add the fields of a body."""
        if body is not None:
            self.add("body", body.kinds, body.classes)


def _head(plan: HeadPlan, effect: Effect, classes: Mapping[str, set[str]]) -> tuple[bytes, int]:
    """Return the entries of a head's fields, and their number."""
    merged = {path: set(seen.classes) for path, seen in effect.headers}
    for path in plan.kinds:
        merged.setdefault(path, set()).update(classes.get(path, ()))
    entries = [_entry("header", path, "string", merged[path]) for path in sorted(merged)]
    cookies = {path: seen.classes for path, seen in effect.cookies}
    entries += [_entry("cookie", path, "string", cookies[path]) for path in sorted(cookies)]
    return b",".join(entries), len(entries)


def _entry(location: str, path: str, kind: str, classes: set[str] | None) -> bytes:
    entry: dict[str, object] = {"path": path or "$", "in": location, "type": kind}
    if classes:
        entry["classes"] = sorted(classes)
    return orjson.dumps(entry)


def of_request(work: Work) -> bytes:
    """Return request_fields."""
    listed = Listed()
    listed.written(work.plan.fields, len(work.plan.params))
    if work.query is not None:
        listed.add("query", work.query.plan.kinds, work.classes.get("query", _NONE))
    listed.head(work.head, work.effect, work.classes.get("header", _NONE))
    listed.body(work.sent)
    return listed.member(b"request_fields")


def of_response(work: Work) -> bytes:
    """Return response_fields."""
    listed = Listed()
    if work.response_head is not None:
        listed.head(work.response_head, work.response_effect, work.classes.get("response header", _NONE))
    listed.body(work.answered)
    return listed.member(b"response_fields")
