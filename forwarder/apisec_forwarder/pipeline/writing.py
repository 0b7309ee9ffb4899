"""Writes the event of a transaction that the core has read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from apisec.attacks.signals import Signal, Watch, strongest
from apisec.decoders import DECODERS, MediaType, operation_hint
from apisec.endpoints.templating import Templated, segments_of
from apisec.model.event import SCHEMA_VERSION, Event
from apisec.model.transaction import Transaction, header
from apisec.parameters import Book
from apisec.redaction.echo import Echo
from apisec.redaction.fields import field_list
from apisec.redaction.keys import Tokenizer
from apisec.redaction.redactor import Part, Redactor, label
from apisec.redaction.tokens import TOKEN, class_of, cut
from apisec_forwarder.pipeline.evidence import MAX_SIGNALS, left_out, shown, signals
from apisec_forwarder.pipeline.messages import content_type, stated_type
from apisec_forwarder.pipeline.observing import Lesson, echoed, observed, of_head, of_path, scalars, values
from apisec_forwarder.pipeline.principal import Identity
from apisec_forwarder.pipeline.settings import UNASSIGNED, PipelineSettings
from apisec_forwarder.pipeline.shown import (
    address_of,
    counted_bytes,
    identifier,
    method_of,
    name_of,
    named_objects,
    operation_shown,
    shown_text,
)
from apisec_forwarder.pipeline.state import Work
from apisec_forwarder.pipeline.versions import api_version

MAX_FIELDS = 500  # of one message; more are counted in coverage_reasons
MAX_OBJECT_IDS = 50
MAX_OBJECT_ID = 128  # characters
_NO_MEDIA = MediaType()


class Writer:
    """Writes events."""

    def __init__(self, settings: PipelineSettings, tokenizer: Tokenizer) -> None:
        self.settings = settings
        self._tokenizer = tokenizer
        self.book: Book | None = None  # what parameters usually carry

    def write(self, work: Work, identity: Identity) -> Event:
        """Return the event; what was found in one place is looked for in all others on the way."""
        transaction, redactor = work.transaction, work.redactor
        request, response = transaction.request, transaction.response
        agent = shown_text(header(request.headers, "user-agent"), redactor)
        referrer = self.url(header(request.headers, "referer"), redactor)
        host = shown_text(work.target.host[:255], redactor) or ""
        parts = [p for p in (work.path, work.query, work.request_body, work.response_body) if p is not None]
        sent = work.request_body
        operation = operation_shown(operation_hint(sent.document) if sent else None, redactor) or ""
        kind, version = stated_type(request.headers), api_version(request.headers)
        echo = Echo(
            redactor.secrets, "\0".join([agent or "", referrer or "", host, operation, kind, version, *_hay(parts)])
        )
        if echo:
            for part in parts:
                echo.part(part)
            agent, referrer, host = echo.text(agent or ""), echo.text(referrer or ""), echo.text(host)
            operation, kind, version = (
                text if echo.text(echo.name(text)) == text else "" for text in (operation, kind, version)
            )
        event = self._frame(transaction, work, redactor)
        event.update(_url_fields(work, host, echo))
        event.update(self._endpoint(work, echo))
        _optional(event, "body_operation", operation)
        event["status"] = response.status if response else 0
        event["src"] = address_of(transaction.client.address, redactor)
        _optional(event, "src_port", transaction.client.port)
        _optional(event, "http_user_agent", agent)
        _optional(event, "http_referrer", referrer)
        _optional(event, "http_content_type", content_type(response.headers) if response else None)
        _optional(event, "request_content_type", kind)
        _optional(event, "api_version", version)
        _optional(event, "bytes_in", counted_bytes(transaction.bytes_in, request.body))
        _optional(event, "bytes_out", counted_bytes(transaction.bytes_out, response.body) if response else None)
        _optional(event, "response_time", transaction.duration)
        _optional(event, "upstream_time", transaction.upstream_time)
        self._identity(event, identity, transaction, redactor)
        self._signals(event, work, echo, identity)
        self._fields(event, work, echo)
        self._bodies(event, work, echo)
        event["data_classes"] = sorted(redactor.classes)
        if redactor.skipped:
            work.coverage.cut(f"transaction: {redactor.skipped} characters not analysed, for it would take too long")
        event["coverage"] = work.coverage.state()
        if work.coverage.reasons:
            event["coverage_reasons"] = work.coverage.reasons
        return event

    def _frame(self, transaction: Transaction, work: Work, redactor: Redactor) -> Event:
        settings = self.settings
        event: Event = {
            "schema": SCHEMA_VERSION,
            "id": identifier(transaction.id, redactor),
            "time": transaction.time,
            "gateway": transaction.gateway or settings.gateway,
            "env": settings.env,
            "service": work.service,
            "team": work.team,
            "app": work.service,
            "http_method": method_of(transaction.request.method),
            "action": "blocked" if transaction.refusal else "allowed",
            "key_id": self._tokenizer.key_id,
        }
        if transaction.refusal:
            event["decision"] = "block"
            event["pattern"] = identifier(transaction.refusal.pattern, redactor)
        return event

    @staticmethod
    def _identity(event: Event, identity: Identity, transaction: Transaction, redactor: Redactor) -> None:
        event["principal"] = identity.principal
        event["principal_kind"] = identity.kind
        event["auth"] = identity.auth
        _optional(event, "auth_token", identity.auth_token)
        _optional(event, "session", identity.session)
        _optional(event, "user", identity.user)
        for name in ("tls_version", "ja4"):
            value = getattr(transaction.client, name)
            if value:
                event[name] = name_of(value, redactor)

    def _endpoint(self, work: Work, echo: Echo) -> Event:
        templated = work.templated or Templated("/", (), "shape")
        shown = _shown_params(work, templated)
        template = templated.template
        if templated.source == "shape" and echo:
            # A static word may be a secret that another part of the transaction gave away.
            words = [echo.text(part) for part in segments_of(template)]
            template = "/" + "/".join(["{value}" if TOKEN.search(word) else word for word in words])
        method = method_of(work.transaction.request.method)
        return {
            "endpoint": template,
            "operation": f"{method} {template}",
            "object_ids": self._object_ids(work, shown, echo),
        }

    @staticmethod
    def _object_ids(work: Work, params: list[tuple[str, str]], echo: Echo) -> list[str]:
        """Return ids of objects asked for: path parameters, then id-like query and body fields of the request.

        Those of a body are sorted, so that they do not depend on the order in which an engine reads it.
        """
        found = list(params)
        for part in (work.query, work.request_body):
            if part is not None:
                named = named_objects(part)
                found += named if part is work.query else sorted(set(named))
        ids = [f"{name}={value[:MAX_OBJECT_ID]}" for name, value in found[:MAX_OBJECT_IDS] if value]
        return list(dict.fromkeys([echo.text(i) for i in ids] if echo else ids))

    def _signals(self, event: Event, work: Work, echo: Echo, identity: Identity) -> None:
        parts = (("path", work.path), ("query", work.query), ("body", work.request_body))
        watch = Watch()
        found = signals(
            parts, work.transaction.request, work.unread_request, work.target.path, watch, work.response_body
        )
        if watch.skipped:
            work.coverage.cut(left_out(watch))
        if echo:
            found = [signal._replace(where=echo.name(signal.where)) for signal in found]
        if found or self.book is not None:
            found = self._by_use(event["operation"], work, echo, identity, found)
        strong = strongest(found, MAX_SIGNALS)
        if strong:
            event["signals"] = [shown(s, s.where) for s in strong]

    def _by_use(self, operation: str, work: Work, echo: Echo, identity: Identity, found: list[Signal]) -> list[Signal]:
        """Weigh signals by the answer, and by what the parameters usually carry; the work keeps what they learn."""
        query = work.query.document if work.query is not None else None
        body = work.request_body.document if work.request_body is not None else None
        path = of_path(work.templated.params) if work.templated is not None else ()
        texts = [*path, *values(query, "query"), *values(body, "body")]
        kinds = [*scalars(query, "query"), *scalars(body, "body")]
        heads = of_head(work.transaction.request.headers) if self.book is not None else []
        if echo:
            texts, kinds, heads = (
                [(echo.name(where), value) for where, value in some] for some in (texts, kinds, heads)
            )
        found = [*found, *echoed(work.transaction, texts, found)]
        if self.book is None or work.service == UNASSIGNED:
            return found
        seen = observed(work.transaction, identity.principal, texts, kinds, heads)
        judged = self.book.judge(work.service, operation, seen, found)
        work.lesson = Lesson(work.service, operation, seen, judged)
        return judged.signals

    @staticmethod
    def _fields(event: Event, work: Work, echo: Echo) -> None:
        request: list[dict[str, Any]] = []
        templated = work.templated or Templated("/", (), "shape")
        classes = _param_classes(work, templated)
        for name, value in templated.params:
            entry: dict[str, Any] = {"path": name, "in": "path", "type": _type_of(value)}
            if classes.get(name):
                entry["classes"] = classes[name]
            request.append(entry)
        request += field_list("path", work.path.fields if work.path else {}, MAX_FIELDS)
        request += field_list("query", work.query.fields if work.query else {}, MAX_FIELDS)
        request += field_list("header", work.request_head.headers, MAX_FIELDS)
        request += field_list("cookie", work.request_head.cookies, MAX_FIELDS)
        request += field_list("body", work.request_body.fields if work.request_body else {}, MAX_FIELDS)
        response = field_list("header", work.response_head.headers, MAX_FIELDS)
        response += field_list("cookie", work.response_head.cookies, MAX_FIELDS)
        response += field_list("body", work.response_body.fields if work.response_body else {}, MAX_FIELDS)
        for name, listed in (("request_fields", request), ("response_fields", response)):
            if len(listed) > MAX_FIELDS:
                work.coverage.reasons.append(f"{name}: the first {MAX_FIELDS} of {len(listed)} fields")
            if listed:
                event[name] = listed[:MAX_FIELDS]
        if echo:
            for entry in request + response:
                # A path parameter is named after the word before it, which a client chose.
                entry["path"] = (echo.text if entry["in"] == "path" else echo.name)(entry["path"])

    def _bodies(self, event: Event, work: Work, echo: Echo) -> None:
        for name, part in (("request_body", work.request_body), ("response_body", work.response_body)):
            if part is None:
                continue
            text = echo.rendered(part.render())
            limit = self.settings.body_cap
            if len(text) > limit:
                work.coverage.reasons.append(f"{name}: shown up to character {limit} of {len(text)}")
                text = cut(text, limit)
            if text:
                event[name] = text.encode("utf-8", "replace").decode() if not text.isascii() else text

    def url(self, url: str | None, redactor: Redactor) -> str | None:
        """Redact a URL that stands in a header."""
        if not url:
            return None
        before, question, query = url[:8192].partition("?")
        shown = shown_text(before, redactor) or ""
        if not question:
            return shown
        document = DECODERS["form"].decode(query, _NO_MEDIA, self.settings.limits, label, False)
        return f"{shown}?{redactor.part(document).render()}"

    def bare(self, transaction: Transaction, reason: str) -> Event:
        """Return what can be said without analysis: no path, no body, no header."""
        settings = self.settings
        method = method_of(transaction.request.method)
        event: Event = {
            "schema": SCHEMA_VERSION,
            "id": self._tokenizer.token("principal", transaction.id).strip("~").rpartition("~")[2],
            "time": transaction.time,
            "gateway": settings.gateway,
            "env": settings.env,
            "service": UNASSIGNED,
            "team": UNASSIGNED,
            "http_method": method,
            "url": "",
            "uri_path": "",
            "status": transaction.response.status if transaction.response else 0,
            "action": "blocked" if transaction.refusal else "allowed",
            "src": "",
            "endpoint": "/",
            "operation": f"{method} /",
            "principal": self._tokenizer.token("principal", "unanalysed\0" + transaction.client.address),
            "principal_kind": "anonymous",
            "auth": "none",
            "data_classes": [],
            "object_ids": [],
            "coverage": "undecoded",
            "coverage_reasons": [f"transaction: analysis failed ({reason})"],
            "key_id": self._tokenizer.key_id,
        }
        if transaction.refusal:
            event["decision"] = "block"
        return event


def _optional(event: Event, name: str, value: Any) -> None:
    if value is not None and value != "":
        event[name] = value


def _url_fields(work: Work, host: str, echo: Echo) -> Event:
    target = work.target
    path = echo.rendered(work.path.render()) if work.path else "/"
    query = echo.rendered(work.query.render()) if work.query else None
    scheme = target.scheme if target.scheme.isalpha() and len(target.scheme) <= 10 else "https"
    default = {"http": 80, "https": 443}.get(scheme)
    port = f":{target.port}" if target.port and target.port != default else ""
    origin = f"{scheme}://{host}{port}" if host else ""
    fields: Event = {"uri_path": path, "url": f"{origin}{path}" + (f"?{query}" if query else "")}
    _optional(fields, "uri_query", query)
    _optional(fields, "dest", host)
    _optional(fields, "dest_port", target.port)
    return fields


def _hay(parts: Iterable[Part]) -> Iterator[str]:
    for part in parts:
        yield part.document.text
        yield from [leaf.value for leaf in part.document.leaves]


def _shown_params(work: Work, templated: Templated) -> list[tuple[str, str]]:
    """Return the path's parameters with redacted values."""
    if work.path is None or templated.source == "shape":
        return list(templated.params)
    by_raw = {leaf.value: work.path.replacements.get(i) for i, leaf in enumerate(work.path.document.leaves)}
    return [(name, by_raw.get(value) or value) for name, value in templated.params]


def _param_classes(work: Work, templated: Templated) -> dict[str, list[str]]:
    classes: dict[str, list[str]] = {}
    for name, value in _shown_params(work, templated):
        found = sorted({class_of(match.group()) for match in TOKEN.finditer(value)})
        if found:
            classes[name] = found
    return classes


def _type_of(value: str) -> str:
    return "integer" if value.isascii() and value.lstrip("-").isdigit() and len(value) < 19 else "string"
