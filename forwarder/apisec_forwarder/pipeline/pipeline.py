"""From a raw transaction to a redacted event: decode, classify, redact, look for echoes, template, write down."""

from __future__ import annotations

import ipaddress
import itertools
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

from apisec.classification.names import evidence
from apisec.classification.overrides import Overrides
from apisec.decoders import DECODERS, MediaType
from apisec.decoders.path import PathDecoder
from apisec.endpoints.templating import Templated, Templates, by_shape, is_parameter, segments_of
from apisec.model.event import SCHEMA_VERSION, Event
from apisec.model.transaction import Body, Headers, Transaction, header
from apisec.redaction.echo import Echo
from apisec.redaction.fields import field_list
from apisec.redaction.keys import Tokenizer
from apisec.redaction.redactor import Forced, Part, Redactor, label
from apisec.redaction.tokens import TOKEN, class_of, cut
from apisec_forwarder.pipeline.evidence import signals
from apisec_forwarder.pipeline.messages import Coverage, Headed, content_type, read_body, read_headers
from apisec_forwarder.pipeline.principal import Identity, earlier, identify
from apisec_forwarder.pipeline.settings import STRICT, UNASSIGNED, PipelineSettings, Routes
from apisec_forwarder.pipeline.target import Target, parse

MAX_FIELDS = 500  # of one message; more are counted in coverage_reasons
MAX_OBJECT_IDS = 50
MAX_OBJECT_ID = 128  # characters

_log = logging.getLogger(__name__)

_METHOD = re.compile(r"[A-Z][A-Z0-9_-]{0,31}")
_ID = re.compile(r"[\w.:/+=@-]{1,200}", re.ASCII)
_NAME = re.compile(r"[\w.:-]{1,200}", re.ASCII)
_STATIC_WORD = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}")
_NO_MEDIA = MediaType()


class Vault(Protocol):
    """Keeps what tokens stand for, for tests of our own."""

    def run_of(self, headers: Headers, time: float) -> Any:
        """Return the test run that a request belongs to, or None."""
        ...

    def keep(self, run: Any, pairs: Mapping[str, str], time: float) -> None:
        """Remember raw values by their tokens."""
        ...


@dataclass
class Work:
    """What is known of one transaction so far."""

    transaction: Transaction
    redactor: Redactor
    target: Target
    service: str
    team: str
    templates: Templates
    overrides: Overrides | None = None
    coverage: Coverage = field(default_factory=Coverage)
    path: Part | None = None
    query: Part | None = None
    request_body: Part | None = None
    response_body: Part | None = None
    request_head: Headed = field(default_factory=Headed)
    response_head: Headed = field(default_factory=Headed)
    templated: Templated | None = None
    unread_request: str = ""  # text of a request body that no decoder could read

    def forced(self, location: str) -> Forced | None:
        """Return how overrides decide about the fields of a location; None when there are none."""
        overrides, service = self.overrides, self.service
        if not overrides or self.templated is None:
            return None
        operation = f"{method_of(self.transaction.request.method)} {self.templated.template}"
        return lambda path: overrides.find(service, operation, location, path)


class Pipeline:
    """Makes events. Safe to share between threads: a call keeps its state to itself."""

    name = "pure"

    def __init__(self, settings: PipelineSettings, tokenizer: Tokenizer, vault: Vault | None = None) -> None:
        self.settings = settings
        self._vault = vault
        self._tokenizer = tokenizer
        self.routes = Routes(settings.services)

    def process(self, transaction: Transaction) -> Event:
        """Return the event of a transaction; never raises.

        Without a response it is the request's half, as a decision needs it. When the analysis fails, the
        event goes out with neither bodies nor path, and ``coverage_reasons`` says so.
        """
        try:
            return self._event(transaction)
        except Exception as error:  # noqa: BLE001 - the contract: whatever is wrong, an event without bodies goes out
            _log.warning("analysis of a transaction failed: %s", type(error).__name__)
            return self._bare(transaction, type(error).__name__)

    def marked(self, transaction: Transaction) -> bool:
        """Return whether a test of our own sent this request, so that the vault keeps what its tokens stand for."""
        return self._vault is not None and self._run_of(transaction) is not None

    def _run_of(self, transaction: Transaction) -> Any:
        return self._vault.run_of(transaction.request.headers, transaction.time) if self._vault else None

    def _event(self, transaction: Transaction) -> Event:
        work = self.begin(transaction)
        request, response = transaction.request, transaction.response
        self.read_path(work)
        self._read_query(work)
        work.request_head = read_headers(request.headers, work.redactor, work.forced)
        query_leaves = list(work.query.document.leaves) if work.query else []
        identity = identify(transaction.client, request.headers, query_leaves, work.redactor)
        work.request_body = self._body(work, "request", request.body, request.headers)
        work.unread_request, work.coverage.unread = work.coverage.unread, ""
        if response is not None:
            work.response_head = read_headers(response.headers, work.redactor, work.forced)
            work.response_body = self._body(work, "response", response.body, response.headers)
        event = self._compose(work, identity)
        event.update(earlier(self._tokenizer, transaction, query_leaves, self.settings.limits))
        run = self._run_of(transaction)
        if run is not None and self._vault is not None:
            self._vault.keep(run, work.redactor.secrets, transaction.time)
        return event

    def begin(self, transaction: Transaction) -> Work:
        target = parse(transaction.request)
        settings = self.settings
        found = self.routes.find(target.host, target.path)
        mode = found[0].mode if found else settings.mode
        redactor = Redactor(self._tokenizer, settings.limits, mode == STRICT)
        if found is None:
            work = Work(transaction, redactor, target, UNASSIGNED, UNASSIGNED, Templates())
        else:
            service, templates = found
            work = Work(transaction, redactor, target, service.name, service.team, templates)
        work.overrides = settings.overrides
        if target.cut:
            work.coverage.cut("request.target: longer than 65536 characters")
        if target.userinfo:
            redactor.value(target.userinfo.partition(":")[2], evidence("password"))
        return work

    def _body(self, work: Work, side: str, body: Body, headers: Headers) -> Part | None:
        forced = work.forced("body")
        return read_body(side, body, headers, work.redactor, self.settings.limits, work.coverage, forced)

    def read_path(self, work: Work) -> None:
        """Template the path and redact its segments, each by the name that its place gives it."""
        decoder, limits = PathDecoder(), self.settings.limits
        plain = decoder.decode(work.target.path, _NO_MEDIA, limits, label, False)
        segments = [(i, leaf) for i, leaf in enumerate(plain.leaves) if leaf.kind == "string" and not leaf.path]
        raw = [leaf.value for _, leaf in segments]
        known = work.templates.match(raw)
        names = _names_by_template(known, len(raw)) if known else _names_by_place(raw)
        document = PathDecoder(names).decode(work.target.path, _NO_MEDIA, limits, label, False)
        part = work.path = work.redactor.part(document)
        if known:
            for index, name in enumerate(names):
                if not name:
                    part.replacements.pop(segments[index][0], None)
        shown = [part.replacements.get(i, leaf.value) for i, leaf in segments]
        work.templated = known or by_shape(shown)
        part.fields.pop("", None)
        if work.overrides:
            _force_path(work, part, [i for i, _ in segments])

    def _read_query(self, work: Work) -> None:
        query = work.target.query
        if query:
            document = DECODERS["form"].decode(query, _NO_MEDIA, self.settings.limits, label, False)
            work.query = work.redactor.part(document, work.forced("query"))

    def _compose(self, work: Work, identity: Identity) -> Event:
        transaction, redactor = work.transaction, work.redactor
        request, response = transaction.request, transaction.response
        agent = shown_text(header(request.headers, "user-agent"), redactor)
        referrer = self.url(header(request.headers, "referer"), redactor)
        host = shown_text(work.target.host[:255], redactor) or ""
        parts = [p for p in (work.path, work.query, work.request_body, work.response_body) if p is not None]
        echo = Echo(redactor.secrets, "\0".join([agent or "", referrer or "", host, *_hay(parts)]))
        if echo:
            for part in parts:
                echo.part(part)
            agent, referrer, host = echo.text(agent or ""), echo.text(referrer or ""), echo.text(host)
        event = self._frame(transaction, work, redactor)
        event.update(_url_fields(work, host, echo))
        event.update(self._endpoint(work, echo))
        event["status"] = response.status if response else 0
        event["src"] = address_of(transaction.client.address, redactor)
        _optional(event, "src_port", transaction.client.port)
        _optional(event, "http_user_agent", agent)
        _optional(event, "http_referrer", referrer)
        _optional(event, "http_content_type", content_type(response.headers) if response else None)
        _optional(event, "bytes_in", counted_bytes(transaction.bytes_in, request.body))
        _optional(event, "bytes_out", counted_bytes(transaction.bytes_out, response.body) if response else None)
        _optional(event, "response_time", transaction.duration)
        self._identity(event, identity, transaction, redactor)
        self._signals(event, work, echo)
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

    @staticmethod
    def _signals(event: Event, work: Work, echo: Echo) -> None:
        parts = (("path", work.path), ("query", work.query), ("body", work.request_body))
        found = signals(parts, work.transaction.request.headers, work.unread_request, work.target.path)
        if found:
            event["signals"] = [
                {"detector": s.detector, "where": echo.name(s.where) if echo else s.where, "score": s.score}
                for s in found
            ]

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

    def _bare(self, transaction: Transaction, reason: str) -> Event:
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


def method_of(method: str) -> str:
    upper = method.upper()
    return upper if _METHOD.fullmatch(upper) else "INVALID"


def shown_text(text: str | None, redactor: Redactor) -> str | None:
    if not text:
        return None
    redacted = redactor.text(text[:8192])
    return text[:8192] if redacted is None else redacted


def identifier(value: str, redactor: Redactor) -> str:
    """Return an id that may come from outside, redacted, or a token of it when it is no id."""
    if not _ID.fullmatch(value):
        return redactor.identity("principal", value).strip("~").rpartition("~")[2]
    return redactor.text(value, reference=True) or value


def name_of(value: str, redactor: Redactor) -> str:
    """Return a short name that the gateway gives, redacted when it is none."""
    return value if _NAME.fullmatch(value) else redactor.text(value) or ""


@lru_cache(maxsize=4096)
def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def address_of(text: str, redactor: Redactor) -> str:
    return text if _is_address(text) else shown_text(text, redactor) or ""


def counted_bytes(counted: int | None, body: Body) -> int:
    return counted if counted is not None else max(body.size, len(body.data))


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


def _names_by_template(templated: Templated, count: int) -> list[str]:
    """Return, per segment, the name of the parameter that stands there in an OpenAPI template."""
    names = [
        segment.strip("{}")
        if segment.startswith("{") and segment.endswith("}")
        else ("value" if "{" in segment else "")
        for segment in segments_of(templated.template)
    ]
    return (names + [""] * count)[:count]


def _names_by_place(segments: list[str]) -> list[str]:
    """Return, per segment, the word before it, where the segment itself is no word: /email/bob@example.com."""
    names = [""]
    for before, segment in itertools.pairwise(segments):
        telling = not _STATIC_WORD.fullmatch(segment) or is_parameter(segment)
        names.append(before if telling and _STATIC_WORD.fullmatch(before) else "")
    return names


def _force_path(work: Work, part: Part, leaves: list[int]) -> None:
    """Let overrides decide about the parameters of a path; ``leaves`` are its segments' places in the document."""
    templated, forced = work.templated, work.forced("path")
    if templated is None or forced is None:
        return
    shown: list[tuple[str, str]] = []
    values = dict(templated.params)
    for index, segment in zip(leaves, segments_of(templated.template), strict=False):
        name = segment[1:-1] if segment.startswith("{") and segment.endswith("}") else ""
        if name in values:
            _force_leaf(work, part, index, forced(name))
            shown.append((name, part.replacements.get(index, part.document.leaves[index].value)))
    if templated.source == "shape":
        params = tuple((name, dict(shown).get(name, value)) for name, value in templated.params)
        work.templated = Templated(templated.template, params, "shape")
    for index, leaf in enumerate(part.document.leaves):
        if leaf.path and leaf.kind != "key":
            _force_leaf(work, part, index, forced(leaf.path))


def _force_leaf(work: Work, part: Part, index: int, data_class: str | None) -> None:
    if data_class is None:
        return
    with work.redactor.watching() as seen:
        replacement = work.redactor.force(data_class, part.document.leaves[index].value)
    part.replacements.pop(index, None)
    if replacement is not None:
        part.replacements[index] = replacement
    path = part.document.leaves[index].path
    if path:
        part.fields[path].classes = set(seen)


def _hay(parts: Iterable[Part]) -> Iterator[str]:
    for part in parts:
        yield part.document.text
        yield from [leaf.value for leaf in part.document.leaves]


def named_objects(part: Part) -> list[tuple[str, str]]:
    """Return the names and shown values of a part's id-like fields."""
    found: list[tuple[str, str]] = []
    for index, leaf in enumerate(part.document.leaves):
        name = object_name(leaf.name, leaf.parent) if leaf.kind in ("string", "integer") else None
        if name:
            found.append((name, part.replacements.get(index, leaf.value)))
    return found


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


@lru_cache(maxsize=4096)
def object_name(name: str, parent: str) -> str | None:
    """Return how an id-like field is called among object ids: ``id`` below ``order`` is ``order_id``."""
    if "id" not in name.lower() or not evidence(name, parent).identifier:  # id, ids, uuid, guid, uid
        return None
    shown = label(name)
    if name.lower() in ("id", "uuid", "guid", "ids") and parent:
        return f"{label(parent)}_{shown}"
    return shown
