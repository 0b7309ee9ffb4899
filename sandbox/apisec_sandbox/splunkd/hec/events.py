"""Envelopes and raw text to events: defaults, times, indexed fields, allowed indexes.

Source: Getting Data In, "Format events for HTTP Event Collector"; inputs.conf.spec [http://<name>]. A value of the
envelope wins over the query string, that over the token, that over what splunkd sets: host is the request's Host
header, source ``http:TOKENNAME``, source type ``httpevent``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from apisec_sandbox.splunkd.confs import is_true
from apisec_sandbox.splunkd.hec import codes
from apisec_sandbox.splunkd.hec.codes import EVENT_NUMBER, HecError
from apisec_sandbox.splunkd.hec.envelopes import Envelope, Number, envelopes
from apisec_sandbox.splunkd.hec.tokens import Token
from apisec_sandbox.splunkd.hec.watch import Watch
from apisec_sandbox.splunkd.indexes import Event
from apisec_sandbox.splunkd.parsing import Meta, Parser
from apisec_sandbox.splunkd.web import Request

# A time in exponent notation is refused with code 15, as is one with a comma (measured by others on Splunk).
DECIMAL = re.compile(r"\s*-?\d{1,17}(?:\.\d*)?\s*\Z")
MILLISECONDS_FROM = 1e11  # a number of seconds beyond the year 5138 is one of milliseconds
LATEST = 1e11


@dataclass
class Batch:
    """What holds for all events of one request."""

    token: Token
    parser: Parser
    confs: Watch
    now: float
    max_event: int
    query: dict[str, str]
    host: str  # of the Host header, else the client's address

    @classmethod
    def of(cls, request: Request, token: Token, parser: Parser, confs: Watch, now: float, max_event: int) -> Batch:
        parser.refresh()
        host = request.headers.get("host") or request.client or "localhost"
        return cls(token, parser, confs, now, max_event, dict(request.query), host)

    def default(self, name: str) -> str:
        """The value for events that do not say."""
        value = self.query.get(name) or str(getattr(self.token, name))
        if value:
            return value
        return {"host": self.host, "source": f"http:{self.token.name}", "sourcetype": "httpevent", "index": "main"}[
            name
        ]

    def index(self, asked: str) -> str:
        """Raise HecError 7 unless the token may write to an index that exists; ``default`` is the token's own."""
        if asked == "default":
            asked = self.token.index.replace("default", "") or "main"
        if self.token.indexes and asked not in self.token.indexes:
            raise HecError(codes.INCORRECT_INDEX, f"index {asked[:80]} is not among the token's indexes")
        if not self.exists(asked):
            raise HecError(codes.INCORRECT_INDEX, f"index {asked[:80]} does not exist or is disabled")
        return asked

    def exists(self, index: str) -> bool:
        stanza = self.confs.stanza("indexes", index)
        return stanza is not None and index != "default" and ":" not in index and not stanza.flag("disabled")

    # The event endpoint

    def events(self, body: bytes) -> Iterator[Event]:
        """Yield events up to the first that is invalid.

        Raises:
            HecError: with the number of that event.
        """
        read = self._reader()
        number = -1
        for number, envelope in enumerate(envelopes(body)):
            try:
                yield from read(envelope)
            except HecError as error:
                raise HecError(error.code, error.because, **{EVENT_NUMBER: number}) from error
        if number < 0:
            raise HecError(codes.NO_DATA)

    def _reader(self) -> Callable[[Envelope], Iterator[Event]]:
        """Look up once a request what its events ask for again and again."""
        defaults = [self.default(name) for name in ("host", "source", "sourcetype", "index")]
        index = functools.cache(self.index)
        rules = functools.cache(self.parser.rules)
        extract_time = is_true(self.query.get("auto_extract_timestamp", ""))
        now, parser = self.now, self.parser

        def read(envelope: Envelope) -> Iterator[Event]:
            text = self._text(envelope)
            members = envelope.members
            host, source, sourcetype, asked = (
                _meta(members.get(name)) or default
                for name, default in zip(("host", "source", "sourcetype", "index"), defaults, strict=True)
            )
            when = time_of(members.get("time"))
            fields = indexed_fields(members.get("fields")) if "fields" in members else {}
            held = rules(host, source, sourcetype)
            if when is None and extract_time:
                when = parser.time_of(text, held)
            event = Event(now if when is None else when, now, host, source, sourcetype, text, fields, index(asked))
            if held.plain:
                yield event
            else:
                yield from self._known(parser.cooked(event, held))

        return read

    def _text(self, envelope: Envelope) -> str:
        text = envelope.text
        if text is None:
            raise HecError(codes.EVENT_REQUIRED)
        if envelope.null:  # measured by others on 9.0, with these words in splunkd.log
            raise HecError(codes.INVALID_FORMAT, "Got unexpected null element while expecting event's raw text")
        if not text or text.isspace():
            raise HecError(codes.EVENT_BLANK)
        if len(text) * 4 > self.max_event and len(text.encode("utf-8", "replace")) > self.max_event:
            raise HecError(codes.INVALID_FORMAT, f"the event is longer than maxEventSize = {self.max_event} bytes")
        return text

    # The raw endpoint

    def raw(self, body: bytes) -> Iterator[Event]:
        """Break text into events by the rules of its source type.

        Raises:
            HecError: 7, or 6 for a time that is none.
        """
        host, source, sourcetype, index = (self.default(name) for name in ("host", "source", "sourcetype", "index"))
        meta = Meta(host, source, sourcetype, self.index(index))
        when = time_of(self.query.get("time"))
        yield from self._known(self.parser.raw(body.decode("utf-8", "replace"), meta, when))

    def _known(self, events: Iterator[Event]) -> Iterator[Event]:
        """Leave out what a transform routes into an index that does not exist, as indexers do."""
        return (event for event in events if event.index_name == "main" or self.exists(event.index_name))


def _meta(value: object) -> str:
    if value is None:
        return ""
    if type(value) is not str:
        raise HecError(codes.INVALID_FORMAT, "host, source, sourcetype and index are texts")
    return _plain(value)


def time_of(value: object) -> float | None:
    """Seconds since the epoch, from a number or its text; None when it is not given.

    Raises:
        HecError: 15, as splunkd answers for a time that it cannot read.
    """
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not DECIMAL.match(value):
        raise HecError(codes.INDEXED_FIELDS, "time is not a decimal number of seconds")
    seconds = float(value)
    if abs(seconds) >= MILLISECONDS_FROM:
        seconds /= 1000
    if abs(seconds) >= LATEST:
        raise HecError(codes.INDEXED_FIELDS, "time is too far from now")
    return seconds


def indexed_fields(value: object) -> dict[str, Any]:
    """``fields`` is one flat object of texts, numbers, booleans or lists of them.

    Raises:
        HecError: 15 for what is nested, 6 when it is no object at all (measured by others on Splunk Enterprise).
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise HecError(codes.INVALID_FORMAT)
    return {_plain(name): _field(item) for name, item in value.items() if item is not None}


def _field(value: object) -> str | list[str]:
    if isinstance(value, list):
        return [_scalar(item) for item in value]
    return _scalar(value)


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return _plain(value)
    raise HecError(codes.INDEXED_FIELDS)


def _plain(text: str) -> str:
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
