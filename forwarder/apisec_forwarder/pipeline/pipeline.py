"""From a raw transaction to a redacted event: decode, classify, redact, look for echoes, template, write down."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from apisec.classification.names import evidence
from apisec.decoders import DECODERS, MediaType
from apisec.endpoints.templating import Templates
from apisec.model.event import Event
from apisec.model.transaction import Body, Headers, Transaction
from apisec.parameters import Book
from apisec.redaction.keys import Tokenizer
from apisec.redaction.redactor import Part, Redactor, label
from apisec_forwarder.pipeline.messages import read_body, read_headers
from apisec_forwarder.pipeline.observing import salt_of
from apisec_forwarder.pipeline.paths import read_path
from apisec_forwarder.pipeline.principal import earlier, identify
from apisec_forwarder.pipeline.settings import STRICT, UNASSIGNED, PipelineSettings, Routes
from apisec_forwarder.pipeline.state import Work
from apisec_forwarder.pipeline.target import parse
from apisec_forwarder.pipeline.writing import Writer

_log = logging.getLogger(__name__)
_NO_MEDIA = MediaType()


class Vault(Protocol):
    """Keeps what tokens stand for, for tests of our own."""

    def run_of(self, headers: Headers, time: float) -> Any:
        """Return the test run that a request belongs to, or None."""
        ...

    def keep(self, run: Any, pairs: Mapping[str, str], time: float) -> None:
        """Remember raw values by their tokens."""
        ...


class Pipeline:
    """Makes events. Safe to share between threads: a call keeps its state to itself."""

    name = "pure"

    def __init__(self, settings: PipelineSettings, tokenizer: Tokenizer, vault: Vault | None = None) -> None:
        self.settings = settings
        self._vault = vault
        self._tokenizer = tokenizer
        self.routes = Routes(settings.services)
        self.writer = Writer(settings, tokenizer)

    def learn(self, book: Book | None) -> None:
        """Take the models of parameters that are asked and taught from now on."""
        self.writer.book = book
        if book is not None:
            book.rekey(salt_of(self._tokenizer))

    def process(self, transaction: Transaction) -> Event:
        """Return the event of a transaction; never raises.

        Without a response it is the request's half, as a decision needs it. When the analysis fails, the
        event goes out with neither bodies nor path, and ``coverage_reasons`` says so.
        """
        try:
            return self._event(transaction)
        except Exception as error:  # noqa: BLE001 - the contract: whatever is wrong, an event without bodies goes out
            _log.warning("analysis of a transaction failed: %s", type(error).__name__)
            return self.writer.bare(transaction, type(error).__name__)

    def marked(self, transaction: Transaction) -> bool:
        """Return whether a test of our own sent this request, so that the vault keeps what its tokens stand for."""
        return self._vault is not None and self._run_of(transaction) is not None

    def _run_of(self, transaction: Transaction) -> Any:
        return self._vault.run_of(transaction.request.headers, transaction.time) if self._vault else None

    def _event(self, transaction: Transaction) -> Event:
        work = self.begin(transaction)
        request, response = transaction.request, transaction.response
        read_path(work, self.settings.limits)
        self._read_query(work)
        work.request_head = read_headers(request.headers, work.redactor, work.forced)
        query_leaves = list(work.query.document.leaves) if work.query else []
        identity = identify(transaction.client, request.headers, query_leaves, work.redactor)
        work.request_body = self._body(work, "request", request.body, request.headers)
        work.unread_request, work.coverage.unread = work.coverage.unread, ""
        if response is not None:
            work.response_head = read_headers(response.headers, work.redactor, work.forced)
            work.response_body = self._body(work, "response", response.body, response.headers)
        event = self.writer.write(work, identity)
        if work.lesson is not None and self.writer.book is not None:
            work.lesson.teach(self.writer.book)
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

    def _read_query(self, work: Work) -> None:
        query = work.target.query
        if query:
            document = DECODERS["form"].decode(query, _NO_MEDIA, self.settings.limits, label, False)
            work.query = work.redactor.part(document, work.forced("query"))
