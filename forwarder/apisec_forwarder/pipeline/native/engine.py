"""The native engine: the same events as ``Pipeline``, for the most part without asking the core.

Each part of a transaction takes the short way or the core's: a body that the short way does not cover is read by the
core, on the same redactor. What touches the whole (a known value that stands elsewhere too, an unusual head) goes
through the core as a whole. ``lanes`` counts both, so that slow traffic is in sight.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import orjson

from apisec.classification.names import NOTHING, evidence
from apisec.decoders import DECODERS, media_type
from apisec.detectors.signals import Signal, of_document
from apisec.detectors.signals import scan as signals_of
from apisec.model.event import Event
from apisec.model.transaction import Body, Headers, Response, Transaction
from apisec.redaction.encodings import BASE64_TEXT
from apisec.redaction.keys import Tokenizer
from apisec.redaction.redactor import Forced
from apisec_forwarder.pipeline.envelope import dump, envelope
from apisec_forwarder.pipeline.messages import read_body
from apisec_forwarder.pipeline.native.asking import Asker, Bounded, take
from apisec_forwarder.pipeline.native.bodies import Bodies, check, load
from apisec_forwarder.pipeline.native.compose import Composer, Section, Work, section
from apisec_forwarder.pipeline.native.gate import BASE64, SUSPICIOUS, VALUE, number_gate, signal_gate, text_gate
from apisec_forwarder.pipeline.native.heads import Heads, agent_signals, too_long
from apisec_forwarder.pipeline.native.plans import Kinds, Member, NotHere, Tree, read
from apisec_forwarder.pipeline.native.targets import Modal, Targets
from apisec_forwarder.pipeline.pipeline import Pipeline, method_of, named_objects, object_name, shown_text
from apisec_forwarder.pipeline.principal import API_KEY_HEADERS
from apisec_forwarder.pipeline.settings import PipelineSettings

_log = logging.getLogger(__name__)

MAX_TREES = 256  # of plans; one is enough where no override says what a field is
MAX_HEADS = 64
MAX_TEXTS = 4_096
MAX_TEXT = 1_024  # characters of a user agent or referer that is remembered

ORDINARY_MEMBER = Member("", "", "", NOTHING, None, None)  # of a header that is asked for signals only


class NativePipeline:
    """Makes events and their envelopes. One thread at a time: the gate's scratch is its own."""

    name = "native"

    def __init__(
        self, settings: PipelineSettings, tokenizer: Tokenizer, vault: Any = None, cache: Path | None = None
    ) -> None:
        self._cache = cache  # folder of compiled patterns
        self.settings = settings
        self.core = Pipeline(settings, tokenizer, vault)
        self.lanes: dict[str, int] = {"native": 0, "pure": 0, "part": 0, "failed": 0}
        self.last_coverage = ""
        self.last_blocked = False
        self._tokenizer = tokenizer
        self._modals: dict[bool, Modal] = {}
        self._trees: Bounded[tuple[str, ...], Tree] = Bounded(MAX_TREES)
        self._heads: Bounded[tuple[object, ...], Heads] = Bounded(MAX_HEADS)
        self._agents: Bounded[tuple[str, str, bool], tuple[str | None, list[Signal]]] = Bounded(MAX_TEXTS)
        self._json: Bounded[str, bool] = Bounded(MAX_TEXTS)
        self._targets = Targets(settings, self.core)
        self._composer = Composer(settings, tokenizer)
        self._modal(settings.mode == "strict")

    def process(self, transaction: Transaction) -> Event:
        """Return the event of a transaction; never raises."""
        event: Event = orjson.loads(self.record(transaction))["event"]
        return event

    def record(self, transaction: Transaction) -> bytes:
        """Return the HEC envelope of a transaction's event; never raises."""
        try:
            made = self._record(transaction)
        except (NotHere, UnicodeError):
            return self._by_core(transaction)
        except Exception as error:  # noqa: BLE001 - the contract: whatever is wrong, an event goes out
            self.lanes["failed"] += 1
            if self.lanes["failed"] == 1:
                _log.warning("the native engine failed, the core takes over: %s", type(error).__name__)
            return self._by_core(transaction)
        self.lanes["native"] += 1
        return made

    def _by_core(self, transaction: Transaction) -> bytes:
        self.lanes["pure"] += 1
        event = self.core.process(transaction)
        self.last_coverage, self.last_blocked = event["coverage"], event["action"] == "blocked"
        return dump(envelope(event, self.settings))

    def _modal(self, strict: bool) -> Modal:
        known = self._modals.get(strict)
        if known is None:
            asker = Asker(self._tokenizer, self.settings.limits, strict)
            text = text_gate(strict, self._cache)
            bodies = Bodies(asker, text, number_gate(strict, self._cache))
            known = self._modals[strict] = Modal(asker, text, signal_gate(self._cache), bodies)
        return known

    def _record(self, transaction: Transaction) -> bytes:
        request, response = transaction.request, transaction.response
        if transaction.refusal is not None or self.core.marked(transaction):
            raise NotHere
        place = self._targets.place(request)
        plan, segments, path, query_text = self._targets.path(place, request)
        modal = self._modal(place.strict)
        method = method_of(request.method)
        work = Work(transaction, place, plan, segments, path, query_text, modal, method, f"{method} {plan.template}")
        work.redactor = modal.asker.scratch()
        if query_text:
            work.query = self._targets.query(query_text, work.operation, self._forced(work, "query"))
            work.gather("query", work.query.values, work.query.members)
        heads = self._heads_of(work)
        self._read_head(work, heads)
        if response is not None:
            self._read_response_head(work, heads, response)
        work.sent = self._request_body(work, request.body, request.headers)
        if response is not None:
            work.answered = self._response_body(work, response.body, response.headers)
        work.agent = self._shown(work, "user-agent", request.headers, work.head.agent)
        work.referrer = self._shown(work, "referer", request.headers, work.head.referer)
        made = self._composer.compose(work)
        self.last_coverage, self.last_blocked = work.coverage.state(), False
        return made

    def _read_head(self, work: Work, heads: Heads) -> None:
        """Read who acts, and gather the values of a request's headers."""
        transaction = work.transaction
        headers = transaction.request.headers
        if too_long(headers):
            raise NotHere
        plan = work.head = heads.plan(headers)
        for index, member in plan.asked:
            work.gather("header", (headers[index][1],), (member,))
        for index, where in plan.signals:
            work.gather(where, (headers[index][1],), (ORDINARY_MEMBER,))
        keys = [leaf for leaf in work.query.leaves if _is_key(leaf.name)] if work.query else []
        effect = work.effect = heads.request(plan, headers, transaction.client, keys)
        for raw, token in effect.secrets:
            work.redactor.secrets.setdefault(raw, token)
        work.redactor.classes |= effect.classes
        work.signals += effect.signals

    def _read_response_head(self, work: Work, heads: Heads, response: Response) -> None:
        if too_long(response.headers):
            raise NotHere
        plan = work.response_head = heads.plan(response.headers)
        for index, member in plan.asked:
            work.gather("response header", (response.headers[index][1],), (member,))
        effect = work.response_effect = heads.response(plan, response.headers)
        for raw, token in effect.secrets:
            work.redactor.secrets.setdefault(raw, token)
        work.redactor.classes |= effect.classes

    def _ask_request(self, work: Work, skip: int) -> None:
        """Ask about a request's values, by one scan; those of its body (from ``skip`` on) only for signals."""
        hits = work.hits = {*work.modal.text.places(work.values), *work.modal.signals.places(work.values)}
        for index, (location, member) in enumerate(work.places[:skip]):
            if member is ORDINARY_MEMBER:
                continue
            if member.telling or (VALUE, index) in hits or (BASE64, index) in hits:
                value = work.values[index]
                answer = work.modal.asker.ask(member, "string", value)
                if answer.fields or (location == "query" and answer.replacement is not None):
                    raise NotHere  # the text of a query is written by the core
                take(work.redactor, answer)
                if answer.classes:
                    work.classes.setdefault((location, member.path), set()).update(answer.classes)
                if (BASE64, index) in hits and location == "query":
                    work.base64.append(value)
        for kind, index in hits:
            if kind == SUSPICIOUS:
                location, member = work.places[index]
                if location == "response header":
                    continue
                where = location if member is ORDINARY_MEMBER or not member.path else f"{location}.{member.path}"
                work.signals += [Signal(d, where, score) for d, score in signals_of(work.values[index])]

    def _request_body(self, work: Work, body: Body, headers: Headers) -> Section | None:
        """Read the request's body, and ask about everything gathered so far in the same scan."""
        skip = len(work.values)
        data = self._json_data(body, headers, work.head.content_type, work.head.content_encoding)
        tree = self._tree(work)
        reading = None
        if data is not None:
            try:
                reading = read(tree, load(data), collect=True)
                check(data, reading)
                work.modal.bodies.numbers(data, reading)
                work.gather("body", reading.values, reading.members)
            except NotHere:
                reading = None
        self._ask_request(work, skip)
        if data is None or reading is None:
            return self._by_part(work, "request", body, headers)
        found = sorted({index for kind, index in work.hits if kind != SUSPICIOUS and index >= skip})
        asked = [(work.places[i][1], work.values[i]) for i in found if not work.places[i][1].telling]
        try:
            done = work.modal.bodies.finish(data, reading, asked, tree, work.redactor, named=True)
        except NotHere:
            return self._by_part(work, "request", body, headers)
        work.base64 += [work.values[i] for kind, i in work.hits if kind == BASE64 and i >= skip]
        hay = done.shown(reading) if b"\\" in data else ""
        return section(done, hay)

    def _response_body(self, work: Work, body: Body, headers: Headers) -> Section | None:
        plan = work.response_head
        data = self._json_data(body, headers, plan.content_type, plan.content_encoding) if plan else None
        if data is None:
            return self._by_part(work, "response", body, headers)
        try:
            done = work.modal.bodies.response(data, self._tree(work), work.redactor)
        except NotHere:
            return self._by_part(work, "response", body, headers)
        work.base64 += done.base64
        return section(done, done.hay)

    def _json_data(self, body: Body, headers: Headers, kind_at: int | None, coding_at: int | None) -> bytes | None:
        """Return a body that is whole and JSON by its type, in no coding; None for any other."""
        if body.truncated or not body.data or coding_at is not None or kind_at is None:
            return None
        if getattr(body, "framing", ""):
            return None
        kind = headers[kind_at][1]
        known = self._json.get(kind)
        if known is None:
            media = media_type(kind)
            charset = (media.parameter("charset") or "utf-8").lower()
            known = self._json.put(kind, DECODERS["json"].accepts(media) and charset in ("utf-8", "utf8"))
        return body.data if known else None

    def _by_part(self, work: Work, side: str, body: Body, headers: Headers) -> Section | None:
        """Have the core read one body."""
        if not body.data and not body.size:
            return None
        self.lanes["part"] += 1
        forced = self._forced(work, "body")
        part = read_body(side, body, headers, work.redactor, self.settings.limits, work.coverage, forced)
        if side == "request":
            if work.coverage.unread:
                found = signals_of(work.coverage.unread)
                work.signals += [Signal(detector, "body", score) for detector, score in found]
                work.coverage.unread = ""
            if part is not None:
                work.signals += list(of_document(part.document, "body"))
        if part is None:
            return None
        text = part.render()
        kinds = Kinds({path: part.fields[path].kind for path in sorted(part.fields)})
        classes = {path: seen.classes for path, seen in part.fields.items() if seen.classes}
        hay = "\0".join(
            [part.replacements.get(i, leaf.value) for i, leaf in enumerate(part.document.leaves)] + [*kinds]
        )
        if BASE64_TEXT.search(text) or BASE64_TEXT.search(hay):
            work.base64 += [text, hay]
        return Section(text, kinds, classes, sorted(set(named_objects(part))), hay)

    def _tree(self, work: Work) -> Tree:
        if not len(self.settings.overrides):
            key: tuple[str, ...] = ()
        else:
            key = (work.place.name, work.operation)
        known = self._trees.get(key)
        return known if known is not None else self._trees.put(key, Tree(object_name, self._forced(work, "body")))

    def _forced(self, work: Work, location: str) -> Forced | None:
        overrides = self.settings.overrides
        if not len(overrides):
            return None
        name, operation = work.place.name, work.operation
        return lambda path: overrides.find(name, operation, location, path)

    def _heads_of(self, work: Work) -> Heads:
        key: tuple[object, ...] = (work.place.strict,)
        if len(self.settings.overrides):
            key = (work.place.strict, work.place.name, work.operation)
        known = self._heads.get(key)
        if known is None:
            known = self._heads.put(key, Heads(work.modal.asker, lambda location: self._forced(work, location)))
        return known

    def _shown(self, work: Work, name: str, headers: Headers, index: int | None) -> str | None:
        """Return a user agent or referer as an event shows it; its signals are taken on the way."""
        if index is None:
            return None
        value = headers[index][1]
        key = (name, value, work.place.strict)
        known = self._agents.get(key)
        if known is None:
            redactor = work.modal.asker.scratch()
            shown = shown_text(value, redactor) if name == "user-agent" else self.core.url(value, redactor)
            if redactor.secrets or redactor.classes:
                raise NotHere
            if shown and BASE64_TEXT.search(shown):
                work.base64.append(shown)
            known = (shown, agent_signals(name, value))
            if len(value) <= MAX_TEXT:
                self._agents.put(key, known)
        work.signals += known[1]
        return known[0]


def _is_key(name: str) -> bool:
    return name.lower() in API_KEY_HEADERS or evidence(name).data_class == "secret.api_key"
