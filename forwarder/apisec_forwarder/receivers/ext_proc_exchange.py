"""Puts the parts that Envoy streams of a request and its response together. No I/O; the clock is an argument."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

from apisec.model.transaction import Body, Client, Headers, Request, Response, Transaction, header
from apisec_forwarder.receivers import ext_proc_wire as wire
from apisec_forwarder.receivers.envoy import MAX_ID, RefusalOf, no_refusal

# What Envoy is asked to say of a request beside its headers. CEL knows no JA4 fingerprint.
# https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes
REQUEST_ATTRIBUTES = ("source.address", "source.port", "request.time", "connection.tls_version")
PEER_SUBJECT = "connection.subject_peer_certificate"  # asked for only when Envoy verifies client certificates
RESPONSE_ATTRIBUTES = ("response.code_details",)
PATTERN_HEADER = "x-apisec-pattern"
# Set by the router in each response of an upstream: milliseconds from the request's end to the response's headers.
# https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter
SERVICE_TIME = "x-envoy-upstream-service-time"
# These end when somebody leaves: that no end was seen does not say that something is missing.
UNENDING = ("text/event-stream", "application/grpc")


class Message:
    """A request or a response as far as it has come."""

    def __init__(self) -> None:
        self.headers: Headers = ()
        self.attributes: wire.Attributes = {}
        self.begun = False
        self.ended = False
        self.held = 0  # bytes of body kept
        self.seen = 0  # bytes of body that passed
        self._parts: list[bytes] = []

    def take(self, part: wire.Part) -> None:
        if part.headers and not self.begun:
            self.headers = part.headers
            self.attributes = part.attributes
            self.begun = True
        self.ended = self.ended or part.ended

    def keep(self, data: bytes, cap: int, reserve: Callable[[int], bool]) -> bool:
        """Keep a chunk of the body up to ``cap`` bytes of it; whether memory allowed it."""
        self.seen += len(data)
        room = min(len(data), cap - self.held) if self.held == self.seen - len(data) else 0  # no gap in the middle
        if room <= 0:
            return True
        if not reserve(room):
            return False
        self._parts.append(data[:room])
        self.held += room
        return True

    def text(self, name: str) -> str:
        return header(self.headers, name) or ""

    def regular(self) -> Headers:
        return tuple((name, value) for name, value in self.headers if not name.startswith(":"))

    def body(self) -> Body:
        """Return the body. One whose end was not seen, and that has an end, is larger than what was seen of it."""
        stated = self.text("content-length")
        said = int(stated) if self.seen and stated.isascii() and stated.isdigit() and len(stated) < 16 else 0
        unending = self.ended or not self.seen or self.text("content-type").startswith(UNENDING)
        return Body(b"".join(self._parts), max(self.seen, said) if unending else max(self.seen + 1, said))


class Exchange:
    """One request and its response; ``complete`` when both have ended."""

    def __init__(self, cap: int, reserve: Callable[[int], bool]) -> None:
        self._cap = cap
        self._reserve = reserve
        self.request, self.response = Message(), Message()
        self._begin = self._answered = self._end = 0.0  # by the monotonic clock
        self._arrived = 0.0  # seconds since the epoch

    def take(self, part: wire.Part, now: float, monotonic: float) -> bool:
        """Take the next part; whether memory allowed all of it."""
        asking = part.kind in (wire.REQUEST_HEADERS, wire.REQUEST_BODY, wire.REQUEST_TRAILERS)
        message = self.request if asking else self.response
        if not self._begin:
            self._begin, self._arrived = monotonic, now
        if not asking:
            self._answered = self._answered or monotonic
            self._end = monotonic
        message.take(part)
        return not part.data or message.keep(part.data, self._cap, self._reserve)

    @property
    def complete(self) -> bool:
        return self.request.ended and self.response.ended

    def transaction(self, gateway: str, refusal: RefusalOf = no_refusal) -> Transaction | None:
        """Return what was seen; None when the request's headers never came."""
        request = self.request
        method, target = request.text(":method"), request.text(":path")
        if not method or not target:
            return None
        duration = round((self._end - self._begin) * 1000, 3) if self._end else None
        details = self.response.attributes.get("response.code_details")
        return Transaction(
            id=(request.text("x-request-id") or uuid4().hex)[:MAX_ID],
            time=_moment(request.attributes.get("request.time")) or self._arrived,
            client=self._client(),
            request=Request(
                method,
                target,
                request.regular(),
                request.body(),
                request.text(":scheme") or "http",
                request.text(":authority") or request.text("host"),
            ),
            response=self._response(),
            duration=duration,
            gateway=gateway,
            refusal=refusal(details, self.response.text(PATTERN_HEADER) or None) if isinstance(details, str) else None,
            upstream_time=self._upstream(duration),
        )

    def _upstream(self, duration: float | None) -> float | None:
        """Return what the upstream took: until it answered, as Envoy's router says, and until its body had passed here.

        None when the router says nothing: the gateway answered by itself, or is told to be silent.
        """
        said = self.response.text(SERVICE_TIME)
        if duration is None or not (said.isascii() and said.isdigit() and len(said) < 10):
            return None
        return min(duration, round(int(said) + (self._end - self._answered) * 1000, 3))

    def _response(self) -> Response | None:
        status = self.response.text(":status")
        if not (status.isascii() and status.isdigit() and len(status) == 3):
            return None
        return Response(int(status), self.response.regular(), self.response.body())

    def _client(self) -> Client:
        said = self.request.attributes
        address, port = said.get("source.address"), said.get("source.port")
        tls, subject = said.get("connection.tls_version"), said.get(PEER_SUBJECT)
        return Client(
            address=_host(address) if isinstance(address, str) else "",
            port=int(port) if isinstance(port, float) and 0 < port < 65536 else None,
            tls_version=tls if isinstance(tls, str) and tls else None,
            certificate_subject=subject if isinstance(subject, str) and subject else None,
        )


def _host(address: str) -> str:
    """Return ``192.0.2.1:4711`` and ``[2001:db8::1]:4711`` without the port."""
    host = address.rpartition(":")[0] if address.count(":") == 1 or address.startswith("[") else address
    return host.strip("[]")


def _moment(value: object) -> float | None:
    """Return seconds since the epoch of RFC 3339 text."""
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value).timestamp()
    except (ValueError, OverflowError):
        return None
