"""Writes the event of a transaction that the native engine has read, and its envelope."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from apisec.detectors.signals import Signal, strongest
from apisec.model.event import SCHEMA_VERSION, SOURCETYPE_TRANSACTION, Event, indexed_fields
from apisec.model.transaction import Transaction
from apisec.redaction.keys import Tokenizer
from apisec.redaction.redactor import Redactor
from apisec.redaction.tokens import cut
from apisec.redaction.work import MAX_WORK
from apisec_forwarder.pipeline.envelope import SOURCE, dump
from apisec_forwarder.pipeline.evidence import MAX_SIGNALS
from apisec_forwarder.pipeline.messages import Coverage, content_type
from apisec_forwarder.pipeline.native.bodies import JsonBody
from apisec_forwarder.pipeline.native.echoes import stands_anywhere
from apisec_forwarder.pipeline.native.heads import NO_EFFECT, Effect, HeadPlan
from apisec_forwarder.pipeline.native.plans import Kinds, Member, NotHere
from apisec_forwarder.pipeline.native.targets import Modal, PathPlan, Place, Query
from apisec_forwarder.pipeline.pipeline import (
    MAX_FIELDS,
    MAX_OBJECT_ID,
    MAX_OBJECT_IDS,
    address_of,
    counted_bytes,
    identifier,
    name_of,
)
from apisec_forwarder.pipeline.principal import earlier
from apisec_forwarder.pipeline.settings import PipelineSettings


@dataclass
class Section:
    """A body that was read: redacted text, fields with their classes, ids of objects, and values for echoes."""

    text: str
    kinds: Kinds
    classes: Mapping[str, set[str]]
    objects: list[tuple[str, str]]
    hay: str = ""


def section(body: JsonBody, hay: str) -> Section:
    """Return a JSON body as a section."""
    kinds = body.kinds
    if body.nested:
        merged = {**kinds, **body.nested}
        kinds = Kinds({path: merged[path] for path in sorted(merged)})
    return Section(body.text, kinds, body.classes, body.objects, hay)


@dataclass
class Work:
    """What is known of one transaction so far."""

    transaction: Transaction
    place: Place
    plan: PathPlan
    segments: list[str]
    path: str
    query_text: str
    modal: Modal
    method: str
    operation: str
    redactor: Redactor = field(init=False)
    head: HeadPlan = field(init=False)
    effect: Effect = NO_EFFECT
    query: Query | None = None
    response_head: HeadPlan | None = None
    response_effect: Effect = NO_EFFECT
    sent: Section | None = None
    answered: Section | None = None
    agent: str | None = None
    referrer: str | None = None
    coverage: Coverage = field(default_factory=Coverage)
    values: list[str] = field(default_factory=list)  # asked by one scan …
    places: list[tuple[str, Member]] = field(default_factory=list)  # … and where they stand
    hits: set[tuple[int, int]] = field(default_factory=set)
    signals: list[Signal] = field(default_factory=list)
    classes: dict[tuple[str, str], set[str]] = field(default_factory=dict)  # by location and path
    base64: list[str] = field(default_factory=list)  # shown values that may hold text in base64

    def gather(self, location: str, values: Sequence[str], members: Iterable[Member]) -> None:
        """Add values to those that are asked together."""
        self.values += values
        self.places += [(location, member) for member in members]


class Composer:
    """Writes events as ``Pipeline`` does."""

    def __init__(self, settings: PipelineSettings, tokenizer: Tokenizer) -> None:
        self._settings = settings
        self._tokenizer = tokenizer

    def compose(self, work: Work) -> bytes:
        """Return the envelope; NotHere when a known value may stand elsewhere too, or too much was asked."""
        if work.redactor.skipped or work.redactor.spent > MAX_WORK:
            raise NotHere
        shown = [work.path, work.query_text, work.agent or "", work.referrer or "", work.place.host]
        if work.query is not None:
            shown += [member.path for member in work.query.members]
        for body in (work.sent, work.answered):
            if body is not None:
                shown += [body.text, body.hay]
        if stands_anywhere(work.redactor.secrets, shown, work.base64):
            raise NotHere
        event = self._frame(work)
        self._optional(event, work)
        if work.signals:
            found = strongest(work.signals, MAX_SIGNALS)
            event["signals"] = [{"detector": s.detector, "where": s.where, "score": s.score} for s in found]
        self._request_fields(event, work)
        self._response_fields(event, work)
        self._body(event, work, "request_body", work.sent)
        self._body(event, work, "response_body", work.answered)
        event["data_classes"] = sorted(work.redactor.classes)
        event["coverage"] = work.coverage.state()
        if work.coverage.reasons:
            event["coverage_reasons"] = work.coverage.reasons
        if self._tokenizer.earlier:
            leaves = work.query.leaves if work.query else []
            event.update(earlier(self._tokenizer, work.transaction, leaves, self._settings.limits))
        return self._envelope(event, work.place)

    def _frame(self, work: Work) -> Event:
        transaction, place, identity, redactor = work.transaction, work.place, work.effect.identity, work.redactor
        if identity is None:
            raise NotHere
        return {
            "schema": SCHEMA_VERSION,
            "id": identifier(transaction.id, redactor),
            "time": transaction.time,
            "gateway": transaction.gateway or self._settings.gateway,
            "env": self._settings.env,
            "service": place.name,
            "team": place.team,
            "app": place.name,
            "http_method": work.method,
            "action": "allowed",
            "key_id": self._tokenizer.key_id,
            "uri_path": work.path,
            "url": f"{place.origin}{work.path}" + (f"?{work.query_text}" if work.query_text else ""),
            "endpoint": work.plan.template,
            "operation": work.operation,
            "object_ids": _object_ids(work),
            "status": transaction.response.status if transaction.response else 0,
            "src": address_of(transaction.client.address, redactor),
            "principal": identity.principal,
            "principal_kind": identity.kind,
            "auth": identity.auth,
        }

    @staticmethod
    def _optional(event: Event, work: Work) -> None:
        transaction, identity, redactor = work.transaction, work.effect.identity, work.redactor
        request, response, client = transaction.request, transaction.response, transaction.client
        if identity is None:
            return
        for name, value in (
            ("uri_query", work.query_text),
            ("dest", work.place.host),
            ("dest_port", work.place.port),
            ("src_port", client.port),
            ("http_user_agent", work.agent),
            ("http_referrer", work.referrer),
            ("http_content_type", content_type(response.headers) if response else None),
            ("bytes_in", counted_bytes(transaction.bytes_in, request.body)),
            ("bytes_out", counted_bytes(transaction.bytes_out, response.body) if response else None),
            ("response_time", transaction.duration),
            ("auth_token", identity.auth_token),
            ("session", identity.session),
            ("user", identity.user),
        ):
            if value is not None and value != "":
                event[name] = value
        for name, value in (("tls_version", client.tls_version), ("ja4", client.ja4)):
            if value:
                event[name] = name_of(value, redactor)

    def _request_fields(self, event: Event, work: Work) -> None:
        listed = [work.plan.fields] if work.plan.fields else []
        count = len(work.plan.params)
        if work.query is not None:
            paths = dict.fromkeys(sorted({member.path for member in work.query.members}), "string")
            count += _add(listed, "query", Kinds(paths), _classes(work, "query"))
        count += _add_head(listed, work.head, work.effect, _classes(work, "header"))
        if work.sent is not None:
            count += _add(listed, "body", work.sent.kinds, work.sent.classes)
        _put(event, "request_fields", listed, count)

    @staticmethod
    def _response_fields(event: Event, work: Work) -> None:
        listed: list[bytes] = []
        count = 0
        if work.response_head is not None:
            count += _add_head(listed, work.response_head, work.response_effect, _classes(work, "response header"))
        if work.answered is not None:
            count += _add(listed, "body", work.answered.kinds, work.answered.classes)
        _put(event, "response_fields", listed, count)

    def _body(self, event: Event, work: Work, name: str, body: Section | None) -> None:
        if body is None:
            return
        text, limit = body.text, self._settings.body_cap
        if len(text) > limit:
            work.coverage.reasons.append(f"{name}: shown up to character {limit} of {len(text)}")
            text = cut(text, limit)
        if text:
            event[name] = text if text.isascii() else text.encode("utf-8", "replace").decode()

    @staticmethod
    def _envelope(event: Event, place: Place) -> bytes:
        wrapped: dict[str, Any] = {
            "time": event["time"],
            "host": event["gateway"],
            "source": SOURCE,
            "sourcetype": SOURCETYPE_TRANSACTION,
        }
        if place.index:
            wrapped["index"] = place.index
        wrapped["event"] = event
        wrapped["fields"] = indexed_fields(event)
        return dump(wrapped)


def _object_ids(work: Work) -> list[str]:
    found = work.plan.ids(work.segments)
    if work.query is not None:
        members, values = work.query.members, work.query.values
        found += [(m.object_name, v) for m, v in zip(members, values, strict=True) if m.object_name]
    if work.sent is not None:
        found += work.sent.objects
    ids = [f"{name}={value[:MAX_OBJECT_ID]}" for name, value in found[:MAX_OBJECT_IDS] if value]
    return list(dict.fromkeys(ids))


def _classes(work: Work, location: str) -> dict[str, set[str]]:
    return {path: found for (place, path), found in work.classes.items() if place == location} if work.classes else {}


def _add_head(listed: list[bytes], plan: HeadPlan, effect: Effect, classes: Mapping[str, set[str]]) -> int:
    """Add the fields of a head; the values of some were read by the core, of the others by the gate."""
    count = 0
    if not effect.headers and not classes:
        count += _add(listed, "header", plan.kinds, classes)
    else:
        merged = {path: set(seen.classes) for path, seen in effect.headers}
        for path in plan.kinds:
            merged.setdefault(path, set()).update(classes.get(path, ()))
        count += _add(listed, "header", Kinds(dict.fromkeys(sorted(merged), "string")), merged)
    if effect.cookies:
        labels = {path: seen.classes for path, seen in effect.cookies}
        count += _add(listed, "cookie", Kinds(dict.fromkeys(sorted(labels), "string")), labels)
    return count


def _add(listed: list[bytes], location: str, kinds: Kinds, classes: Mapping[str, set[str]]) -> int:
    """Add the entries of some fields; those without classes are written once per set of fields."""
    if not kinds:
        return 0
    if not any(classes.values()):
        written = kinds.written.get(location)
        if written is None:
            written = kinds.written[location] = _entries(location, kinds, classes)
    else:
        written = _entries(location, kinds, classes)
    listed.append(written)
    return len(kinds)


def _entries(location: str, kinds: Mapping[str, str], classes: Mapping[str, set[str]]) -> bytes:
    entries = []
    for path, kind in kinds.items():
        entry: dict[str, object] = {"path": path or "$", "in": location, "type": kind}
        if classes.get(path):
            entry["classes"] = sorted(classes[path])
        entries.append(entry)
    return orjson.dumps(entries)[1:-1]


def _put(event: Event, name: str, listed: list[bytes], count: int) -> None:
    if count > MAX_FIELDS:
        raise NotHere  # the core says how many are left out
    if listed:
        event[name] = orjson.Fragment(b"[" + b",".join(listed) + b"]")
