"""Splunk's HTTP Event Collector on the wire: one request, and what its answer asks of us.

The client does not retry; ``exporters.shipper`` decides. Nothing here logs, so that the token cannot be logged.
"""

from __future__ import annotations

import enum
import gzip
import json
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from apisec.errors import ConfigError
from apisec_forwarder.config import Hec

MAX_ANSWER_BYTES = 2**20
MAX_TOKEN_BYTES = 256
GZIP_LEVEL = 4  # measured on events: within 5 % of level 9 at a third of its time


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


def interpret(status: int, body: bytes) -> Outcome:
    """Say what an answer of HEC (or of a proxy before it) asks of us."""
    answer = _object(body)
    code = _integer(answer.get("code"))
    bad_event = _integer(answer.get("invalid-event-number"))
    if code in _EVENT_CODES and bad_event is not None and status == 400:
        return Outcome(Action.SKIP, status, code, bad_event=bad_event)
    action = _by_status(status) if code is None else _BY_CODE.get(code, _by_status(status))
    if action is Action.ACCEPTED and (status != 200 or code is None):
        action = Action.BUSY  # a proxy's 200 is not HEC's
    return Outcome(action, status, code, ack_id=_integer(answer.get("ackId")))


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
    """Sends batches and asks for acknowledgements over one kept-alive, verified connection."""

    def __init__(self, settings: Hec) -> None:
        self._settings = settings
        self._session = requests.Session()
        # no proxy, no .netrc (it would replace the token), no other CA from the environment
        self._session.trust_env = False
        self._session.verify = str(settings.ca_file) if settings.ca_file else True
        self._token = read_token(settings.token_file)

    def reload_token(self) -> None:
        """Read the token file again: somebody may have put the right one there. A bad file keeps the old token."""
        try:
            self._token = read_token(self._settings.token_file)
        except ConfigError:
            return

    def send(self, envelopes: Sequence[bytes], channel: str) -> Outcome:
        """Send envelopes as one request; never raises for what the network does."""
        body = gzip.compress(b"\n".join(envelopes), GZIP_LEVEL, mtime=0)
        status, answer, cause = self._post("/services/collector/event", body, channel, gzipped=True)
        return interpret(status, answer) if status else Outcome(Action.UNREACHABLE, cause=cause)

    def acknowledged(self, channel: str, ids: Iterable[int]) -> tuple[Outcome, frozenset[int]]:
        """Ask which of the ids are indexed."""
        body = json.dumps({"acks": sorted(ids)}).encode()
        status, answer, cause = self._post("/services/collector/ack", body, channel, gzipped=False)
        if not status:
            return Outcome(Action.UNREACHABLE, cause=cause), frozenset()
        acks = _object(answer).get("acks")
        if status == 200 and isinstance(acks, dict):
            done = {int(key) for key, value in acks.items() if value is True and key.isdigit()}
            return Outcome(Action.ACCEPTED, status), frozenset(done)
        return interpret(status, answer), frozenset()

    def close(self) -> None:
        self._session.close()

    def _post(self, path: str, body: bytes, channel: str, *, gzipped: bool) -> tuple[int, bytes, str]:
        """Return status, body and error type; status 0 when no answer came."""
        headers = {"Authorization": f"Splunk {self._token}", "Content-Type": "application/json"}
        if gzipped:
            headers["Content-Encoding"] = "gzip"
        if self._settings.ack:
            headers["X-Splunk-Request-Channel"] = channel
        timeout = (min(5.0, self._settings.timeout_seconds), self._settings.timeout_seconds)
        url = self._settings.url + path
        try:
            with self._session.post(
                url, data=body, headers=headers, timeout=timeout, allow_redirects=False, stream=True
            ) as answer:
                # the bound is for a hostile or broken peer: HEC's answers are short
                return answer.status_code, answer.raw.read(MAX_ANSWER_BYTES, decode_content=True), ""
        except (requests.RequestException, OSError) as error:
            return 0, b"", type(error).__name__
        except Exception as error:  # noqa: BLE001 (urllib3's own errors while the body is read)
            return 0, b"", type(error).__name__


def read_token(path: Path) -> str:
    """Return the HEC token; ConfigError when the file is missing, open to others or not a token."""
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"others may read the token; run: chmod 600 {path}", where=str(path))
        with path.open("rb") as file:
            raw = file.read(MAX_TOKEN_BYTES + 1).strip()
    except OSError as error:
        raise ConfigError(f"the HEC token cannot be read: {error.strerror}", where=str(path)) from error
    if not stat.S_ISREG(path.stat().st_mode) or not 0 < len(raw) <= MAX_TOKEN_BYTES or not raw.isascii():
        raise ConfigError("must hold the HEC token and nothing else", where=str(path))
    token = raw.decode("ascii")
    if not token.isprintable() or " " in token:
        raise ConfigError("must hold the HEC token and nothing else", where=str(path))
    return token
