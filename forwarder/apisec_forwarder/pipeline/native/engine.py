"""The native engine: the same events as ``Pipeline``, for the most part without asking the core.

Each part of a transaction takes the short way or the core's: a body that the short way does not cover is read by the
core, on the same redactor. What touches the whole (a known value that stands elsewhere too, an unusual head) goes
through the core as a whole. ``lanes`` counts both, so that slow traffic is in sight.
"""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path
from typing import Any

import orjson

from apisec.attacks import answers, protocol
from apisec.attacks.inclusion import REMOTE_SCORE, includes
from apisec.attacks.signals import MAX_WORK as MAX_SIGNALS_WORK
from apisec.attacks.signals import Signal, of_document
from apisec.decoders import DECODERS, json_operation, media_type, operation_hint
from apisec.model.event import Event
from apisec.model.transaction import Body, Headers, Response, Transaction
from apisec.parameters import Book
from apisec.redaction.encodings import BASE64_TEXT
from apisec.redaction.keys import Tokenizer
from apisec.redaction.redactor import Forced
from apisec.redaction.work import LONG, PER_FIELD, cost, most
from apisec_forwarder.pipeline.envelope import dump, envelope
from apisec_forwarder.pipeline.evidence import answer, answered, dear, of_session
from apisec_forwarder.pipeline.messages import read_body
from apisec_forwarder.pipeline.native.asking import Asker, Bounded, take
from apisec_forwarder.pipeline.native.bodies import Bodies, Section, load
from apisec_forwarder.pipeline.native.compose import Composer
from apisec_forwarder.pipeline.native.gate import answer_gate, number_gate, signal_gate, text_gate
from apisec_forwarder.pipeline.native.heads import Effect, Heads, agent_signals, too_long
from apisec_forwarder.pipeline.native.hits import Hits
from apisec_forwarder.pipeline.native.pairs import Pairs, Planner, form
from apisec_forwarder.pipeline.native.plans import Forest, Kinds, NotHere, Tree
from apisec_forwarder.pipeline.native.targets import Targets
from apisec_forwarder.pipeline.native.usual import by_use
from apisec_forwarder.pipeline.native.work import ORDINARY_MEMBER, Modal, Work, form_section, heavy
from apisec_forwarder.pipeline.pipeline import Pipeline
from apisec_forwarder.pipeline.settings import PipelineSettings
from apisec_forwarder.pipeline.shown import method_of, named_objects, object_name, shown_text

_log = logging.getLogger(__name__)

MAX_HEADS = 64
MAX_TEXTS = 4_096
MAX_TEXT = 1_024  # characters of a user agent or referer that is remembered


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
        self._forest = Forest()
        self._heads: Bounded[tuple[object, ...], Heads] = Bounded(MAX_HEADS)
        self._agents: Bounded[tuple[str, str, bool], tuple[str | None, list[Signal]]] = Bounded(MAX_TEXTS)
        self._kinds: Bounded[str, str] = Bounded(MAX_TEXTS)
        self._targets = Targets(settings, self.core)
        self._planner = Planner()
        self._composer = Composer(settings, tokenizer)
        for mode in {settings.mode, *[service.mode for service in settings.services]}:
            self._modal(mode == "strict")

    def learn(self, book: Book | None) -> None:
        """Take the models of parameters that are asked and taught from now on."""
        self.core.learn(book)

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
            known = self._modals[strict] = Modal(
                asker, text, signal_gate(self._cache), answer_gate(self._cache), bodies
            )
        return known

    def _record(self, transaction: Transaction) -> bytes:
        response = transaction.response
        if transaction.refusal is not None or self.core.marked(transaction) or heavy(transaction):
            raise NotHere
        work = self._begin(transaction)
        heads = self._heads_of(work)
        self._read_head(work, heads)
        if response is not None:
            self._read_response_head(work, heads, response)
        self._open(work)
        self._ask(work)
        lesson = by_use(work, self.core.writer.book)
        made = self._composer.compose(work)
        self.last_coverage, self.last_blocked = work.coverage.state(), False
        if lesson is not None and self.core.writer.book is not None:
            lesson.teach(self.core.writer.book)
        return made

    def _begin(self, transaction: Transaction) -> Work:
        """Find where the request goes, and take its query apart."""
        request = transaction.request
        place = self._targets.place(request)
        plan, segments, path, query = self._targets.path(place, request)
        work = Work(transaction, place, plan, self._modal(place.strict), method_of(request.method))
        work.segments, work.path, work.query_text = segments, path, query
        if query:
            work.query = self._pairs(work, query, "query")
            work.signals += of_session([member.path for member in work.query.plan.members], request)
        return work

    def _pairs(self, work: Work, text: str, location: str) -> Pairs:
        forced = self._forced(work, location)
        key = f"{location} {work.place.name} {work.operation}" if forced else ""
        return self._planner.read(text, key, forced)

    def _read_head(self, work: Work, heads: Heads) -> None:
        """Read who acts, and gather the values of a request's headers."""
        client, headers = work.transaction.client, work.transaction.request.headers
        if too_long(headers) or dear(headers):
            raise NotHere
        plan = work.head = heads.plan(headers)
        if plan.content_type is not None and protocol.odd_type(headers[plan.content_type][1]):
            raise NotHere
        for index, where in plan.signals:
            work.values.append(headers[index][1])
            work.places.append((where, ORDINARY_MEMBER))
        for index, member in plan.asked:
            work.values.append(headers[index][1])
            work.places.append(("header", member))
        keys = work.query.plan.leaves(work.query.values) if work.query is not None else []
        effect = work.effect = heads.request(plan, headers, client, keys)
        _take_effect(work, effect)
        work.signals += effect.signals
        work.agent = self._shown(work, "user-agent", headers, plan.agent)
        work.referrer = self._shown(work, "referer", headers, plan.referer)

    def _read_response_head(self, work: Work, heads: Heads, response: Response) -> None:
        if too_long(response.headers):
            raise NotHere
        plan = work.response_head = heads.plan(response.headers)
        work.response_effect = heads.response(plan, response.headers)
        _take_effect(work, work.response_effect)

    def _open(self, work: Work) -> None:
        """Decode the bodies as far as the short way covers them; what it does not is left to the core."""
        request, response = work.transaction.request, work.transaction.response
        plan = work.head
        data = self._data(request.body, plan.content_encoding)
        kind = self._kind(request.headers, plan.content_type) if data else ""
        try:
            if kind == "json":
                work.reading = load(data, self._tree(work, "request"))
            elif kind == "form":
                work.form = self._pairs(work, form(data), "body")
        except NotHere:
            pass
        answered = b""
        if response is not None and work.response_head is not None:
            plan = work.response_head
            answered = self._data(response.body, plan.content_encoding)
            if answered and self._kind(response.headers, plan.content_type) == "json":
                with contextlib.suppress(NotHere):
                    work.response_reading = load(answered, self._tree(work, "response"))
        self._check_numbers(work, data if work.reading else b"", answered if work.response_reading else b"")

    @staticmethod
    def _check_numbers(work: Work, data: bytes, answered: bytes) -> None:
        """Ask about long numbers, by one scan of both bodies."""
        bodies = work.modal.bodies
        if not bodies.long_numbers(b"\n".join((data, answered))):
            return
        try:
            if work.reading is not None:
                bodies.numbers(data, work.reading)
        except NotHere:
            work.reading = None
        try:
            if work.response_reading is not None:
                bodies.numbers(answered, work.response_reading)
        except NotHere:
            work.response_reading = None

    def _ask(self, work: Work) -> None:
        """Ask about all values, by one scan: of the heads, the query, the request's body, and the response."""
        hits = Hits(work)
        self._ask_heads(work, hits)
        transaction = work.transaction
        work.sent = self._request_body(work, hits)
        if transaction.response is not None:
            work.answered = self._response_body(work, hits, transaction.response)
        for index in hits.suspicious:
            where = hits.where(index)
            value = hits.values[index]
            work.signals += [Signal(d, where, score) for d, score in work.watch.scan(value)]
            if includes(where.partition(".")[2], value):
                work.signals.append(Signal("injection.inclusion", where, REMOTE_SCORE))
        work.signals += hits.batch()
        if work.watch.spent > MAX_SIGNALS_WORK // 2 or work.watch.skipped:
            raise NotHere  # together with the head's it may be too much, and the core says what is left out

    def _ask_heads(self, work: Work, hits: Hits) -> None:
        """Ask the core about values of headers and of the query."""
        asker = work.modal.asker
        for location, value, member in hits.of_heads():
            answer = asker.ask(member, "string", value)
            if answer.fields:
                raise NotHere
            take(work.redactor, answer)
            if answer.classes:
                work.classes.setdefault(location, {}).setdefault(member.path, set()).update(answer.classes)
        if work.query is not None:
            work.classes["query"] = self._ask_pairs(work, work.query, hits.of_query())

    @staticmethod
    def _ask_pairs(work: Work, pairs: Pairs, found: set[int]) -> dict[str, set[str]]:
        """Ask the core about values of a query or form; return the classes of its fields."""
        classes: dict[str, set[str]] = {}
        asker, members = work.modal.asker, pairs.plan.members
        texts = [cost(value, asker.strict) if len(value) > LONG else most(value) for value in pairs.values]
        work.redactor.spent += PER_FIELD * len(members) + sum(texts)  # no less than the core counts
        for index, value in enumerate(pairs.values):
            member = members[index]
            if not member.telling and index not in found:
                continue
            answer = asker.ask(member, "string", value, index not in found)
            if answer.fields:
                raise NotHere
            take(work.redactor, answer)
            if answer.replacement is not None:
                pairs.replaced[index] = answer.replacement
            if answer.classes:
                classes.setdefault(member.path, set()).update(answer.classes)
        return classes

    def _request_body(self, work: Work, hits: Hits) -> Section | None:
        request, reading, form = work.transaction.request, work.reading, work.form
        try:
            if reading is not None:
                data = request.body.data
                found = hits.of_request(reading)
                section = work.modal.bodies.finish(data, reading, found, hits.texts, work.redactor, named=True)
                work.body_operation = json_operation(data.decode())
                return section
            if form is not None:
                classes = self._ask_pairs(work, form, hits.of_form())
                return form_section(form, request.body.data.decode("ascii"), classes)
        except NotHere:
            pass
        return self._by_part(work, "request", request.body, request.headers)

    def _response_body(self, work: Work, hits: Hits, response: Response) -> Section | None:
        reading, data = work.response_reading, response.body.data
        if reading is not None:
            try:
                section = work.modal.bodies.finish(data, reading, hits.of_response(reading), hits.texts, work.redactor)
                for path, value in hits.answers(reading):
                    work.signals += [answer(name, path, score) for name, score in answers.scan(value)]
                return section
            except NotHere:
                pass
        return self._by_part(work, "response", response.body, response.headers)

    @staticmethod
    def _data(body: Body, coding_at: int | None) -> bytes:
        """Return a body that is whole and in no coding; nothing for any other."""
        if body.truncated or coding_at is not None or getattr(body, "framing", False):
            return b""
        return body.data

    def _kind(self, headers: Headers, kind_at: int | None) -> str:
        """Return which of the short ways a body takes by its media type: json, form or none."""
        if kind_at is None:
            return ""
        kind = headers[kind_at][1]
        known = self._kinds.get(kind)
        if known is None:
            media = media_type(kind)
            charset = (media.parameter("charset") or "utf-8").lower()
            ways = [way for way in ("json", "form") if DECODERS[way].accepts(media)]
            known = self._kinds.put(kind, ways[0] if ways and charset in ("utf-8", "utf8") else "")
        return known

    def _by_part(self, work: Work, side: str, body: Body, headers: Headers) -> Section | None:
        """Have the core read one body."""
        if not body.data and not body.size:
            return None
        self.lanes["part"] += 1
        forced = self._forced(work, "body")
        part = read_body(side, body, headers, work.redactor, self.settings.limits, work.coverage, forced)
        if side == "request":
            if work.coverage.unread:
                found = work.watch.scan(work.coverage.unread)
                work.signals += [Signal(detector, "body", score) for detector, score in found]
                work.coverage.unread = ""
            if part is not None:
                work.read_by_core = part.document
                work.signals += list(of_document(part.document, "body", work.watch))
                work.body_operation = operation_hint(part.document)
        else:
            work.signals += list(answered(part))
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

    def _tree(self, work: Work, side: str) -> Tree:
        def make() -> Tree:
            return Tree(object_name, self._forced(work, "body"))

        return self._forest.tree((side, work.place, work.plan, work.method), make)

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
        return known or self._heads.put(key, Heads(work.modal.asker, lambda location: self._forced(work, location)))

    def _shown(self, work: Work, name: str, headers: Headers, index: int | None) -> str | None:
        """Return a user agent or referer as an event shows it; its signals are taken on the way."""
        if index is None:
            return None
        value = headers[index][1]
        key = (name, value, work.place.strict)
        known = self._agents.get(key)
        if known is None:
            redactor = work.modal.asker.scratch()
            shown = shown_text(value, redactor) if name == "user-agent" else self.core.writer.url(value, redactor)
            if redactor.secrets or redactor.classes:
                raise NotHere
            if shown and BASE64_TEXT.search(shown):
                work.base64.append(shown)
            known = (shown, agent_signals(name, value))
            if len(value) <= MAX_TEXT:
                self._agents.put(key, known)
        work.signals += known[1]
        return known[0]


def _take_effect(work: Work, effect: Effect) -> None:
    """Let a transaction's redactor know what the core found in a head."""
    for raw, token in effect.secrets:
        work.redactor.secrets.setdefault(raw, token)
    work.redactor.classes |= effect.classes
    work.redactor.spent += effect.spent
    work.redactor.skipped += effect.skipped
