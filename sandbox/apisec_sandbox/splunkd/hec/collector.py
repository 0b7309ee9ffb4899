"""The endpoints below /services/collector.

Source: REST API Reference, "Input endpoint descriptions": services/collector, …/event, …/event/1.0, …/raw, …/raw/1.0,
…/ack, …/health, …/health/1.0. services/collector/mint and …/s2s are not served: they answer as unknown paths do.
"""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Iterator

from apisec_sandbox.splunkd.confs import Confs, is_true
from apisec_sandbox.splunkd.hec import codes, cors
from apisec_sandbox.splunkd.hec.acks import NEAR as ACKS_NEAR
from apisec_sandbox.splunkd.hec.acks import Acks
from apisec_sandbox.splunkd.hec.body import body_of
from apisec_sandbox.splunkd.hec.codes import HecError, HttpRefusal, answer, document, not_found, too_large, wrong_method
from apisec_sandbox.splunkd.hec.events import Batch
from apisec_sandbox.splunkd.hec.journal import Journal, Trace
from apisec_sandbox.splunkd.hec.load import NEAR, Overload, Queue, Slots
from apisec_sandbox.splunkd.hec.tokens import Settings, Token
from apisec_sandbox.splunkd.hec.watch import Watch
from apisec_sandbox.splunkd.home import Home
from apisec_sandbox.splunkd.indexes import Event, Store
from apisec_sandbox.splunkd.parsing import Parser, ParsingError
from apisec_sandbox.splunkd.web import Reply, Request

LOG = logging.getLogger("apisec_sandbox.hec")
EVENT, RAW, ACK, HEALTH = "event", "raw", "ack", "health"
PATHS = {
    ("services", "collector"): EVENT,
    ("services", "collector", "event"): EVENT,
    ("services", "collector", "event", "1.0"): EVENT,
    ("services", "collector", "raw"): RAW,
    ("services", "collector", "raw", "1.0"): RAW,
    ("services", "collector", "ack"): ACK,
    ("services", "collector", "ack", "1.0"): ACK,
    ("services", "collector", "health"): HEALTH,
    ("services", "collector", "health", "1.0"): HEALTH,
}
WRITTEN_AT_ONCE = 20_000  # events: bounds what one request holds in memory beside its body
MAX_ACK_IDS = 100_000  # of one query


class Collector:
    """HEC over one HOME."""

    def __init__(self, home: Home, confs: Confs, store: Store, queue_bytes: int | None = None) -> None:
        self.confs = Watch(home, confs)
        self.settings = Settings(self.confs)
        self.overload = Overload(home)
        self.acks = Acks(store, self.settings.limits)
        self.queue = Queue(store, self._queue_size)
        self.journal = Journal(home, store)
        self._slots = Slots(lambda: self.settings.limits().threads)
        self.parser = Parser(self.confs, store.clock)
        self._queue_bytes = queue_bytes  # None: server.conf says
        self.closing = False
        self._store = store

    @property
    def max_content(self) -> int:
        """Bytes of a request's body, limits.conf [http_input] max_content_length."""
        return self.settings.limits().content

    def _queue_size(self) -> int:
        switched = self.overload.queue()
        if switched is not None:
            return switched
        return self.settings.limits().queue if self._queue_bytes is None else self._queue_bytes

    # The edge

    def handle(self, request: Request) -> Reply:
        reply = self._reply(request)
        origin = request.headers.get("origin", "")
        if origin and request.method != "OPTIONS" and cors.allowed(origin, self._policy()):
            return cors.share(reply, origin)
        return reply

    def _reply(self, request: Request) -> Reply:
        trace = Trace()
        try:
            return self._route(request, trace)
        except HecError as error:
            self.journal.note(request, error, trace)
            return answer(error.code, **error.extra)
        except HttpRefusal as refusal:
            return refusal.reply
        except ParsingError:
            LOG.exception("index-time configuration cannot be applied")
            return answer(codes.INTERNAL_ERROR)

    def too_large(self, request: Request) -> Reply:
        """What a request gets whose body is longer than the front reads."""
        return too_large(request.headers.get("content-length", "unknown"), self.max_content)

    @staticmethod
    def failure(request: Request, error: Exception) -> Reply:  # noqa: ARG004 - the shape of an error handler
        """What an unforeseen error answers."""
        return answer(codes.INTERNAL_ERROR)

    def _policy(self) -> str:
        return self.settings.http("crossOriginSharingPolicy")

    def _route(self, request: Request, trace: Trace) -> Reply:
        kind = PATHS.get(request.segments)
        if kind is None:
            return not_found()
        if request.method == "OPTIONS":
            return cors.preflight(request, self._policy(), self.settings.http("crossOriginSharingHeaders"))
        if request.method not in (("GET", "HEAD") if kind == HEALTH else ("POST",)):
            return wrong_method()
        if kind == HEALTH:
            return answer(self._health(request))
        token = self.settings.authorize(request)
        trace.token = token.name
        if self.closing:
            raise HecError(codes.SHUTTING_DOWN)
        if kind == ACK:
            return self._ack(request, token)
        with self._slots.one():
            return self._take(request, token, kind == RAW, trace)

    # Health

    def _health(self, request: Request) -> int:
        """17, or why not; a token is judged when one is given, acknowledgement with ``ack=true``."""
        query = dict(request.query)
        if request.headers.get("authorization") or "token" in query:
            self._judge_token(request)
        if self.closing:
            return codes.SHUTTING_DOWN
        switched = self.overload.code()
        if switched in (codes.QUEUE_NEAR, codes.ACK_NEAR, codes.SHUTTING_DOWN):
            return switched
        asks_ack = is_true(query.get("ack", ""))
        queue, acks = self.queue.level(), self.acks.level() if asks_ack else 0.0
        full = queue >= 1 or switched not in (0, codes.HEALTHY, codes.ACK_UNAVAILABLE, codes.ACK_FULL)
        no_ack = asks_ack and (
            acks >= 1 or switched in (codes.ACK_UNAVAILABLE, codes.QUEUES_FULL_ACK_UNAVAILABLE, codes.ACK_FULL)
        )
        if full or no_ack:
            return {(True, False): 18, (False, True): 19, (True, True): 20}[full, no_ack]
        if queue >= NEAR:
            return codes.QUEUE_NEAR
        return codes.ACK_NEAR if acks >= ACKS_NEAR else codes.HEALTHY

    def _judge_token(self, request: Request) -> None:
        """Health has codes of its own for a token that is unknown or disabled."""
        try:
            self.settings.authorize(request)
        except HecError as error:
            own = {codes.INVALID_TOKEN: codes.HEALTH_INVALID_TOKEN, codes.TOKEN_DISABLED: codes.HEALTH_TOKEN_DISABLED}
            raise HecError(own.get(error.code, error.code)) from error

    # Acknowledgement

    def _ack(self, request: Request, token: Token) -> Reply:
        if not token.use_ack:
            raise HecError(codes.ACK_DISABLED)
        channel = channel_of(request, needed=True)
        return document({"acks": self.acks.ask(token, channel, _ack_ids(body_of(request)))})

    # Data

    def _take(self, request: Request, token: Token, raw: bool, trace: Trace) -> Reply:
        channel = channel_of(request, needed=token.use_ack)
        trace.channel = channel or trace.channel
        switched = self.overload.take()
        if switched and codes.TEXTS[switched][0] != 200:
            raise HecError(switched)
        if token.use_ack:
            self.acks.check(token, channel)
        with self.queue.place(len(request.body)) as place:
            body = body_of(request)
            if not body.strip():
                raise HecError(codes.NO_DATA)
            batch = Batch.of(request, token, self.parser, self.confs, self._store.clock(), self.settings.limits().event)
            place.ticket, failure = self._write(batch.raw(body) if raw else batch.events(body), trace)
            near = self.queue.level() >= NEAR
        extra: dict[str, object] = {}
        if token.use_ack and (place.ticket or not failure):
            extra["ackId"] = self.acks.give(token, channel, place.ticket)
        if failure:
            raise HecError(failure.code, failure.because, **failure.extra, **extra) from failure.__cause__
        return answer(switched or self._warning(token, channel, near), **extra)

    def _warning(self, token: Token, channel: str, queue_near: bool) -> int:
        """0, or the code that says which capacity is near: the events are taken either way."""
        if queue_near:
            return codes.QUEUE_NEAR
        return codes.ACK_NEAR if token.use_ack and self.acks.near(token, channel) else codes.SUCCESS

    def _write(self, events: Iterator[Event], trace: Trace) -> tuple[int, HecError | None]:
        """Write what comes before the first invalid event; return the ticket, and what stopped it."""
        ticket, failure = 0, None
        while failure is None:
            group: list[Event] = []
            try:
                group.extend(itertools.islice(events, WRITTEN_AT_ONCE))
            except HecError as error:  # extend() keeps what came before
                failure = error
            if not group:
                break
            try:
                ticket = self._store.append(group)
            except OSError as error:
                LOG.exception("the events could not be written")
                raise HecError(codes.INTERNAL_ERROR) from error
            trace.processed += len(group)
        return ticket, failure


def channel_of(request: Request, needed: bool) -> str:
    """The data channel: a GUID in the header or the query string, needed only with acknowledgement.

    Raises:
        HecError: 10 or 11.
    """
    channel = request.headers.get("x-splunk-request-channel") or dict(request.query).get("channel", "")
    if not channel:
        if needed:
            raise HecError(codes.CHANNEL_MISSING)
        return ""
    parts = channel.strip().split("-")
    hexadecimal = all(char in "0123456789abcdefABCDEF" for part in parts for char in part)
    if not hexadecimal or [len(part) for part in parts] != [8, 4, 4, 4, 12]:
        raise HecError(codes.CHANNEL_INVALID)
    return channel.strip().lower()


def _ack_ids(body: bytes) -> list[int]:
    try:
        ids = json.loads(body)["acks"]
        if not isinstance(ids, list) or len(ids) > MAX_ACK_IDS:
            raise HecError(codes.INVALID_FORMAT)
        return [_ack_id(number) for number in ids]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise HecError(codes.INVALID_FORMAT) from error


def _ack_id(value: object) -> int:
    """A whole number from 0 on; clients that keep ids as text send them as text."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise TypeError(value)
    number = int(value)
    if number < 0:
        raise ValueError(value)
    return number
