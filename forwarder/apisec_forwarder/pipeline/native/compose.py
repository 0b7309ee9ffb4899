"""Writes the event of a transaction that the native engine has read, and its envelope, as bytes.

What an operation's events have in common is written once, and who acts once per credential; the rest is one small
document. The members stand in another order than the core's.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from apisec.attacks.signals import strongest
from apisec.model.event import SCHEMA_VERSION, SOURCETYPE_TRANSACTION
from apisec.model.transaction import Client
from apisec.redaction.keys import Tokenizer
from apisec.redaction.redactor import Redactor
from apisec.redaction.tokens import cut
from apisec.redaction.work import MAX_WORK
from apisec_forwarder.pipeline.envelope import SOURCE
from apisec_forwarder.pipeline.evidence import MAX_SIGNALS, shown
from apisec_forwarder.pipeline.messages import content_type, stated_type
from apisec_forwarder.pipeline.native import listed
from apisec_forwarder.pipeline.native.asking import Bounded
from apisec_forwarder.pipeline.native.bodies import Section
from apisec_forwarder.pipeline.native.echoes import stands_anywhere
from apisec_forwarder.pipeline.native.plans import NotHere
from apisec_forwarder.pipeline.native.targets import PathPlan, Place
from apisec_forwarder.pipeline.native.work import Work
from apisec_forwarder.pipeline.principal import earlier
from apisec_forwarder.pipeline.settings import PipelineSettings
from apisec_forwarder.pipeline.shown import address_of, counted_bytes, identifier, name_of, operation_shown
from apisec_forwarder.pipeline.versions import stated
from apisec_forwarder.pipeline.writing import MAX_OBJECT_ID, MAX_OBJECT_IDS

MAX_FRAMES = 8_192
MAX_TYPES = 1_024


class Frame(NamedTuple):
    """What the envelopes of an operation have in common: between time and event, and behind the event."""

    head: bytes
    tail: bytes


class Composer:
    """Writes events as ``Pipeline`` does."""

    def __init__(self, settings: PipelineSettings, tokenizer: Tokenizer) -> None:
        self._settings = settings
        self._tokenizer = tokenizer
        self._frames: Bounded[tuple[Place, PathPlan, str, str], Frame] = Bounded(MAX_FRAMES)
        self._types: Bounded[str, str | None] = Bounded(MAX_TYPES)
        self._sent_types: Bounded[str, str] = Bounded(MAX_TYPES)

    def compose(self, work: Work) -> bytes:
        """Return the envelope; NotHere when a known value may stand elsewhere too, or too much was asked."""
        who = work.effect.who
        if work.redactor.skipped or work.redactor.spent > MAX_WORK or not who:
            raise NotHere
        query = work.query.text(work.query_text) if work.query is not None else work.query_text
        self._head(work)
        if work.redactor.secrets and stands_anywhere(work.redactor.secrets, _shown(work, query), work.base64):
            raise NotHere
        event = self._event(work, query)
        try:
            written = orjson.dumps(event)
        except TypeError:
            raise NotHere from None  # a lone surrogate
        frame = self._frame(work)
        status = b'"%d"' % event["status"]
        return b"".join(
            (
                b'{"time":', orjson.dumps(work.transaction.time), frame.head, who, listed.of_request(work),
                listed.of_response(work), b",", written[1:], frame.tail, status, b',"principal":',
                orjson.dumps(work.effect.identity.principal if work.effect.identity else ""), b"}}",
            )
        )  # fmt: skip

    def _frame(self, work: Work) -> Frame:
        gateway = work.transaction.gateway or self._settings.gateway
        key = (work.place, work.plan, work.method, gateway)
        known = self._frames.get(key)
        return known if known is not None else self._frames.put(key, self._made(work, gateway))

    def _made(self, work: Work, gateway: str) -> Frame:
        place = work.place
        wrapped = {"host": gateway, "source": SOURCE, "sourcetype": SOURCETYPE_TRANSACTION}
        if place.index:
            wrapped["index"] = place.index
        event: dict[str, Any] = {
            "schema": SCHEMA_VERSION,
            "gateway": gateway,
            "env": self._settings.env,
            "service": place.name,
            "team": place.team,
            "app": place.name,
            "http_method": work.method,
            "action": "allowed",
            "key_id": self._tokenizer.key_id,
            "endpoint": work.plan.template,
            "operation": work.operation,
        }
        event |= {"dest": place.host} if place.host else {}
        event |= {"dest_port": place.port} if place.port is not None else {}
        fields = {"operation": work.operation, "service": place.name, "action": "allowed"}
        return Frame(
            b',%b,"event":%b,' % (orjson.dumps(wrapped)[1:-1], orjson.dumps(event)[:-1]),
            b',"fields":%b,"status":' % orjson.dumps(fields)[:-1],
        )

    def _event(self, work: Work, query: str) -> dict[str, Any]:
        """Return the members that each event has of its own."""
        transaction, place, redactor = work.transaction, work.place, work.redactor
        request, response, client = transaction.request, transaction.response, transaction.client
        event: dict[str, Any] = {
            "id": identifier(transaction.id, redactor),
            "time": transaction.time,
            "uri_path": work.path,
            "url": f"{place.origin}{work.path}?{query}" if query else place.origin + work.path,
            "object_ids": _object_ids(work),
            "status": 0,
            "src": address_of(client.address, redactor),
            "bytes_in": counted_bytes(transaction.bytes_in, request.body),
        }
        if query:
            event["uri_query"] = query
        if response is not None:
            event["status"] = response.status
            event["bytes_out"] = counted_bytes(transaction.bytes_out, response.body)
            self._type(event, work)
        _client(event, client, redactor)
        _stated(event, work)
        operation = operation_shown(work.body_operation, redactor)
        if operation:
            event["body_operation"] = operation
        if work.signals:
            found = strongest(work.signals, MAX_SIGNALS)
            event["signals"] = [shown(s, s.where) for s in found]
        self._body(event, work, "request_body", work.sent)
        self._body(event, work, "response_body", work.answered)
        event["data_classes"] = sorted(redactor.classes)
        event["coverage"] = work.coverage.state()
        if work.coverage.reasons:
            event["coverage_reasons"] = work.coverage.reasons
        if self._tokenizer.earlier:
            leaves = work.query.plan.leaves(work.query.values) if work.query is not None else []
            event.update(earlier(self._tokenizer, transaction, leaves, self._settings.limits))
        return event

    def _head(self, work: Work) -> None:
        """Note what a request's headers say of its body and of the version that they ask for."""
        plan, headers = work.head, work.transaction.request.headers
        if plan.versions:
            work.version = stated(headers, plan.versions)
        if plan.content_type is not None:
            written = headers[plan.content_type][1]
            known = self._sent_types.get(written)
            if known is None:
                known = self._sent_types.put(written, stated_type((("content-type", written),)))
            work.sent_type = known

    def _type(self, event: dict[str, Any], work: Work) -> None:
        plan, response = work.response_head, work.transaction.response
        if plan is None or response is None or plan.content_type is None:
            return
        written = response.headers[plan.content_type][1]
        known = self._types.get(written)
        if known is None:
            known = self._types.put(written, content_type((("content-type", written),)) or "")
        if known:
            event["http_content_type"] = known

    def _body(self, event: dict[str, Any], work: Work, name: str, body: Section | None) -> None:
        if body is None:
            return
        text, limit = body.text, self._settings.body_cap
        if len(text) > limit:
            work.coverage.reasons.append(f"{name}: shown up to character {limit} of {len(text)}")
            text = cut(text, limit)
        if text:
            event[name] = text if text.isascii() else text.encode("utf-8", "replace").decode()


def _stated(event: dict[str, Any], work: Work) -> None:
    """Write what the request's headers say, and what the gateway measured."""
    said = (
        ("request_content_type", work.sent_type),
        ("api_version", work.version),
        ("http_user_agent", work.agent),
        ("http_referrer", work.referrer),
    )
    event.update([pair for pair in said if pair[1]])
    transaction = work.transaction
    if transaction.duration is not None:
        event["response_time"] = transaction.duration
    if transaction.upstream_time is not None:
        event["upstream_time"] = transaction.upstream_time


def _client(event: dict[str, Any], client: Client, redactor: Redactor) -> None:
    if client.port is not None:
        event["src_port"] = client.port
    if client.tls_version:
        event["tls_version"] = name_of(client.tls_version, redactor)
    if client.ja4:
        event["ja4"] = name_of(client.ja4, redactor)


def _shown(work: Work, query: str) -> list[str]:
    """Return all that is shown of a transaction."""
    shown = [work.path, query, work.agent or "", work.referrer or "", work.place.host, work.body_operation or ""]
    shown += (work.sent_type, work.version)
    if work.query is not None:
        shown += work.query.plan.kinds
        shown += work.query.shown()
    for body in (work.sent, work.answered):
        if body is not None:
            shown += (body.text, body.hay)
    return shown


def _object_ids(work: Work) -> list[str]:
    found = work.plan.ids(work.segments)
    if work.query is not None:
        found += work.query.objects()
    if work.sent is not None:
        found += work.sent.objects
    ids = [f"{name}={value[:MAX_OBJECT_ID]}" for name, value in found[:MAX_OBJECT_IDS] if value]
    return list(dict.fromkeys(ids))
