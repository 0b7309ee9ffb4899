"""Who may send: the tokens and the global settings of inputs.conf, and the limits of limits.conf.

Source: inputs.conf.spec, "http: (HTTP Event Collector)"; limits.conf.spec [http_input]; Getting Data In, "Format
events for HTTP Event Collector" (header, Basic with the token as password, query string).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from apisec_sandbox.splunkd.confs import is_true
from apisec_sandbox.splunkd.hec import codes
from apisec_sandbox.splunkd.hec.codes import HecError
from apisec_sandbox.splunkd.hec.watch import Watch
from apisec_sandbox.splunkd.web import Request

LOG = logging.getLogger("apisec_sandbox.hec")
MAX_CONTENT = 5 * 1024 * 1024  # bytes on the wire; Splunk Cloud refuses from 5.2 MB, Enterprise from 838,860,800
MAX_EVENT_SIZE = 5 * 1024 * 1024  # inputs.conf [http] maxEventSize = 5MB
ACK_CHANNELS = 1_000_000  # limits.conf [http_input] max_number_of_ack_channel
ACKS = 10_000_000  # max_number_of_acked_requests_pending_query
ACKS_PER_CHANNEL = 1_000_000  # max_number_of_acked_requests_pending_query_per_ack_channel
IDLE_SECONDS = 600  # inputs.conf maxIdleTime
QUEUE_BYTES = 64 * 1024 * 1024  # server.conf [queue=httpInputQ] maxSize; generous: the disk is the only consumer
UNITS = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}


@dataclass(frozen=True)
class Token:
    """One ``[http://name]`` stanza."""

    name: str
    value: str
    disabled: bool = False
    use_ack: bool = False
    indexes: tuple[str, ...] = ()
    index: str = ""
    host: str = ""
    source: str = ""
    sourcetype: str = ""
    query_auth: bool = False
    idle_cleanup: bool = True
    idle_seconds: float = IDLE_SECONDS


@dataclass(frozen=True)
class Limits:
    """Sizes that administrators set."""

    content: int
    event: int
    channels: int
    acks: int
    acks_per_channel: int
    queue: int
    threads: int


def size_of(text: str, default: int) -> int:
    """``500KB``, ``6MB`` or a number of bytes; what is neither is logged and the default holds."""
    bare = text.strip().upper()
    digits = bare.rstrip("KMGB ")
    try:
        return int(digits) * UNITS[bare[len(digits) :].strip() or "B"] if bare else default
    except (ValueError, KeyError):
        LOG.warning("%r is not a size such as 500KB; %d bytes hold", text, default)
        return default


class Settings:
    """Reads configuration anew whenever it changed: tokens are found in constant time per token."""

    def __init__(self, confs: Watch) -> None:
        self._confs = confs
        self._known: tuple[object, list[Token]] = (None, [])

    def tokens(self) -> list[Token]:
        stanzas = self._confs.stanzas("inputs")
        if self._known[0] is not stanzas:
            base = stanzas["http"].settings if "http" in stanzas else {}
            found = [
                _token(name[7:], {**base, **stanza.settings})
                for name, stanza in stanzas.items()
                if name.startswith("http://") and stanza.get("token")
            ]
            self._known = (stanzas, found)
        return self._known[1]

    def find(self, value: str) -> Token | None:
        given = value.strip().lower().encode("utf-8", "replace")
        match = None
        for token in self.tokens():
            if hmac.compare_digest(token.value.lower().encode("utf-8", "replace"), given):
                match = token
        return match

    def http(self, key: str) -> str:
        """A global setting of ``[http]``."""
        stanza = self._confs.stanza("inputs", "http")
        return stanza.get(key) if stanza else ""

    def limits(self) -> Limits:
        stanza = self._confs.stanza("limits", "http_input")
        queue = self._confs.stanza("server", "queue=httpInputQ")

        def number(key: str, default: int) -> int:
            return size_of(stanza.get(key) if stanza else "", default)

        return Limits(
            number("max_content_length", MAX_CONTENT),
            size_of(self.http("maxEventSize"), MAX_EVENT_SIZE),
            number("max_number_of_ack_channel", ACK_CHANNELS),
            number("max_number_of_acked_requests_pending_query", ACKS),
            number("max_number_of_acked_requests_pending_query_per_ack_channel", ACKS_PER_CHANNEL),
            size_of(queue.get("maxSize") if queue else "", QUEUE_BYTES),
            size_of(self.http("maxThreads"), 0),
        )

    # Authorization

    def authorize(self, request: Request) -> Token:
        """Return the token of the request.

        In the query string it is looked up first and refused then: an unknown one is code 4, a known one code 16
        unless the token's ``allowQueryStringAuth`` is on (measured by others on 10.4).

        Raises:
            HecError: 1, 2, 3, 4 or 16.
        """
        header = request.headers.get("authorization", "").strip()
        queried = dict(request.query).get("token")
        if not header and queried is None:
            raise HecError(codes.TOKEN_REQUIRED)
        token = self.find(_header_value(header)) if header else self.find(queried or "")
        if token is None:
            raise HecError(codes.INVALID_TOKEN)
        if queried is not None and not token.query_auth:
            raise HecError(codes.QUERY_AUTH_DISABLED)
        if token.disabled:
            raise HecError(codes.TOKEN_DISABLED)
        return token


def _token(name: str, settings: Mapping[str, str]) -> Token:
    def flag(key: str, default: bool = False) -> bool:
        return is_true(settings[key]) if key in settings else default

    try:
        idle = float(settings.get("maxIdleTime", IDLE_SECONDS))
    except ValueError:
        idle = IDLE_SECONDS
    return Token(
        name,
        settings["token"],
        flag("disabled"),
        flag("useACK"),
        tuple(part.strip() for part in settings.get("indexes", "").split(",") if part.strip()),
        settings.get("index", ""),
        settings.get("host", "").replace("$decideOnStartup", ""),
        settings.get("source", ""),
        settings.get("sourcetype", ""),
        flag("allowQueryStringAuth"),
        flag("ackIdleCleanup", default=True),
        idle,
    )


def _header_value(header: str) -> str:
    """The token in ``Splunk T`` or ``Basic base64(any:T)``; other schemes, Bearer too, are code 3."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "basic":
        value = _basic_password(value)
    elif scheme.lower() != "splunk":
        raise HecError(codes.INVALID_AUTHORIZATION)
    if not value.strip():
        raise HecError(codes.INVALID_AUTHORIZATION)
    return value


def _basic_password(value: str) -> str:
    try:
        return base64.b64decode(value.strip(), validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, UnicodeDecodeError) as error:
        raise HecError(codes.INVALID_AUTHORIZATION) from error
