"""Splunk's HTTP Event Collector on the wire: one request, and what its answer asks of us.

The client does not retry; ``exporters.shipper`` decides. Nothing here logs, so that the token cannot be logged.
"""

from __future__ import annotations

import email.utils
import enum
import http.client
import json
import ssl
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from apisec.errors import ConfigError
from apisec_forwarder.config import Hec, HecTarget
from apisec_forwarder.exporters.compress import compress
from apisec_forwarder.exporters.secrets import read_secret
from apisec_forwarder.exporters.wire import Reply, Wire

MAX_TOKEN_BYTES = 256
MAX_RETRY_AFTER_SECONDS = 3600.0
MAX_COOKIES = 16  # of a load balancer that keeps a channel on one indexer
MAX_COOKIE_BYTES = 4096
DEFAULT_ROUTE = ""  # the token of ``hec`` itself; other routes are the teams with a token of their own


class Action(enum.Enum):
    """What an answer asks of the sender."""

    ACCEPTED = "ok"
    BUSY = "busy"  # later, the same again
    UNREACHABLE = "unreachable"  # no answer: later, on a new channel
    REFUSED = "refused"  # the token or the address is wrong: slowly, until somebody mends it
    SPLIT = "split"  # too large, or one event in it is bad and the answer does not say which
    SKIP = "skip"  # event ``bad_event`` is bad; those before it were taken, none from it on
    CHANNEL = "channel"  # the channel is not known: a new one
    ACK_DISABLED = "ack_disabled"  # the token has no indexer acknowledgement


@dataclass(frozen=True)
class Outcome:
    """The answer to one request. ``code`` is HEC's own; None when the answer was not HEC's."""

    action: Action
    status: int = 0
    code: int | None = None
    ack_id: int | None = None
    bad_event: int | None = None
    cause: str = ""  # type of a connection error; never a message, which may quote
    retry_after: float = 0.0  # seconds for which the server asked to be left alone


@dataclass
class Channel:
    """One request channel: acknowledgements are counted in it, and a load balancer's cookies keep it in one place."""

    route: str = DEFAULT_ROUTE
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    cookies: dict[str, str] = field(default_factory=dict)


_TOKEN_CODES = (1, 2, 3, 4)
_EVENT_CODES = (5, 6, 7, 12, 13, 15)
_BUSY_CODES = (8, 9, 18, 19, 20, 23, 26, 27)
_ACCEPTED_CODES = (0, 24, 25)  # 24 and 25: taken, and near capacity
_BY_CODE = {
    **dict.fromkeys(_ACCEPTED_CODES, Action.ACCEPTED),
    **dict.fromkeys(_TOKEN_CODES, Action.REFUSED),
    **dict.fromkeys(_EVENT_CODES, Action.SPLIT),
    **dict.fromkeys(_BUSY_CODES, Action.BUSY),
    10: Action.CHANNEL,
    11: Action.CHANNEL,
    14: Action.ACK_DISABLED,
}


def interpret(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Outcome:
    """Say what an answer of HEC (or of a proxy before it) asks of us. Header names are in lower case."""
    answer = _object(body)
    code = _integer(answer.get("code"))
    bad_event = _integer(answer.get("invalid-event-number"))
    if code in _EVENT_CODES and bad_event is not None and status == 400:
        return Outcome(Action.SKIP, status, code, bad_event=bad_event)
    action = _by_status(status) if code is None else _BY_CODE.get(code, _by_status(status))
    if action is Action.ACCEPTED and (status != 200 or code is None):
        action = Action.BUSY  # a proxy's 200 is not HEC's
    pause = retry_after(headers or {}) if action is Action.BUSY else 0.0
    return Outcome(action, status, code, ack_id=_integer(answer.get("ackId")), retry_after=pause)


def retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds that ``Retry-After`` asks for (RFC 9110, 10.2.3); 0 when it is absent or not understood.

    A date is compared with the server's own ``Date``, so that a wrong clock here or there does not matter.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), MAX_RETRY_AFTER_SECONDS)
    try:
        until = email.utils.parsedate_to_datetime(value)
        now = email.utils.parsedate_to_datetime(headers.get("date", ""))
        return min(max(0.0, (until - now).total_seconds()), MAX_RETRY_AFTER_SECONDS)
    except (TypeError, ValueError, OverflowError):
        return 0.0


def _by_status(status: int) -> Action:
    if status == 200:
        return Action.ACCEPTED
    if status in (400, 413):
        return Action.SPLIT
    return Action.BUSY if status in (408, 429) or status >= 500 else Action.REFUSED


def _object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


class HecClient:
    """Sends batches to one target and asks it for acknowledgements; safe for several threads.

    ``target`` is one of ``settings.resolved()`` (the first when it is absent). Never raises for what the network does.
    """

    def __init__(self, settings: Hec, target: HecTarget | None = None) -> None:
        self._settings = settings
        self._target = target or settings.resolved()[0]
        self._token_files = token_files(settings, self._target)
        self._tokens = {route: read_token(path) for route, path in self._token_files.items()}
        self._wire = Wire(self._target, settings.timeout_seconds, settings.proxy_credentials_file)
        parts = urlsplit(self._target.url)
        self.name = parts.netloc + parts.path

    @property
    def routes(self) -> tuple[str, ...]:
        """The routes that have a token here: ``DEFAULT_ROUTE`` and the teams."""
        return tuple(self._tokens)

    def reload(self) -> None:
        """Read tokens and certificates again: somebody may have put the right ones there. Bad files change nothing."""
        for route, path in self._token_files.items():
            try:
                self._tokens[route] = read_token(path)
            except ConfigError:
                continue
        try:
            self._wire.reload()
        except (ConfigError, OSError):
            return

    def send(self, envelopes: Sequence[bytes], channel: Channel) -> Outcome:
        """Send envelopes as one request."""
        try:
            body = compress(b"\n".join(envelopes))
        except MemoryError as error:
            return Outcome(Action.BUSY, cause=type(error).__name__)  # of ours, but the remedy is the same: later
        reply = self._request("POST", "/services/collector/event", channel, body, {"Content-Encoding": "gzip"})
        return reply if isinstance(reply, Outcome) else interpret(reply.status, reply.body, reply.headers)

    def acknowledged(self, channel: Channel, ids: Iterable[int]) -> tuple[Outcome, frozenset[int]]:
        """Ask which of the ids are indexed."""
        body = json.dumps({"acks": sorted(ids)}).encode()
        reply = self._request("POST", "/services/collector/ack", channel, body, {})
        if isinstance(reply, Outcome):
            return reply, frozenset()
        acks = _object(reply.body).get("acks")
        if reply.status == 200 and isinstance(acks, dict):
            done = {int(key) for key, value in acks.items() if value is True and key.isascii() and key.isdigit()}
            return Outcome(Action.ACCEPTED, reply.status), frozenset(done)
        return interpret(reply.status, reply.body, reply.headers), frozenset()

    def health(self) -> Outcome:
        """Ask whether HEC would take events, without sending any.

        Only a clear "busy" (its queues are full) or silence counts: a load balancer may not route this path.
        """
        reply = self._request("GET", "/services/collector/health", Channel(), b"", {})
        if isinstance(reply, Outcome):
            return reply
        outcome = interpret(reply.status, reply.body, reply.headers)
        if reply.status in (429, 503):
            return outcome
        return Outcome(Action.ACCEPTED, reply.status, outcome.code)

    def cut_overdue(self, now: float) -> int:
        """Cut requests that outlast every bound (a server that trickles); ``now`` is ``time.monotonic``'s."""
        return self._wire.cut_overdue(now)

    def close(self) -> None:
        self._wire.close()

    def _request(
        self, method: str, path: str, channel: Channel, body: bytes, more: Mapping[str, str]
    ) -> Reply | Outcome:
        headers = {"Authorization": f"Splunk {self._tokens[channel.route]}", "Content-Type": "application/json", **more}
        if self._settings.ack:
            headers["X-Splunk-Request-Channel"] = channel.id
        if channel.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in channel.cookies.items())
        try:
            reply = self._wire.request(method, path, headers, body)
        except (OSError, http.client.HTTPException) as error:
            # one name for all that is wrong with TLS, as a reader of the status looks for it
            cause = "SSLError" if isinstance(error, ssl.SSLError) else type(error).__name__
            return Outcome(Action.UNREACHABLE, cause=cause)
        except Exception as error:  # noqa: BLE001 (a connection cut from another thread may fail anyhow)
            return Outcome(Action.UNREACHABLE, cause=type(error).__name__)
        _keep_cookies(channel.cookies, reply.cookies)
        return reply


def _keep_cookies(jar: dict[str, str], lines: Iterable[str]) -> None:
    for line in lines:
        name, equals, value = line.partition(";")[0].partition("=")
        name, value = name.strip(), value.strip()
        if equals and name and len(line) <= MAX_COOKIE_BYTES and (name in jar or len(jar) < MAX_COOKIES):
            jar[name] = value


def token_files(settings: Hec, target: HecTarget) -> dict[str, Path]:
    """Return where the token of each route stands."""
    return {
        DEFAULT_ROUTE: target.token_file or settings.token_file,
        **{one.team: one.token_file for one in settings.teams},
    }


def read_token(path: Path) -> str:
    """Return the HEC token; ConfigError when the file is missing, open to others or not a token."""
    return read_secret(path, "the HEC token", MAX_TOKEN_BYTES)


def hec_tests(settings: Hec) -> Iterator[tuple[str, str, Callable[[], object]]]:
    """Yield what ``check-config`` tries of the section ``hec``: key, value, and what raises when it is bad."""
    seen: set[Path] = set()
    for target in settings.resolved():
        for route, path in token_files(settings, target).items():
            if path not in seen:
                seen.add(path)
                yield f"hec.teams.{route}.token_file" if route else "hec.token_file", str(path), _reading(path)
        yield "hec.url", target.url, _making(settings, target)


def _reading(path: Path) -> Callable[[], object]:
    return lambda: read_token(path)


def _making(settings: Hec, target: HecTarget) -> Callable[[], object]:
    """Certificates, keys and the proxy's credentials are read when the wire is made; nothing is sent."""
    return lambda: Wire(target, settings.timeout_seconds, settings.proxy_credentials_file)
