"""Takes the spool to HEC: at least once, in bounded memory, and forgets only what Splunk has acknowledged.

A batch of the spool becomes a part (or, when HEC refuses it, several smaller ones). A part waits to be sent, is
sent, and with indexer acknowledgement waits until Splunk says that it is indexed. A part comes back to be sent
again when its answer or its acknowledgement stays out; the events in it keep their ids.
"""

from __future__ import annotations

import logging
import random
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from apisec_forwarder import logs
from apisec_forwarder.config import Hec
from apisec_forwarder.exporters.hec import Action, HecClient, Outcome
from apisec_forwarder.metrics import Metrics
from apisec_forwarder.spool import Batch, Spool, SpoolReader

logger = logging.getLogger(__name__)

MAX_FLIGHTS = 16  # batches that are sent and not acknowledged; bounds memory
BACKOFF_BASE_SECONDS = 0.25
BACKOFF_CAP_SECONDS = 30.0
REFUSED_SECONDS = 30.0  # a token is mended by a person, not by asking often
POLL_FIRST_SECONDS = 0.1
POLL_CAP_SECONDS = 2.0
AFTER_OUTAGE_SECONDS = 5.0  # a Splunk that was away has forgotten its acknowledgements
IDLE_SECONDS = 0.1
MIN_BATCH_BYTES = 1000


@dataclass
class _Flight:
    """A batch of the spool under way; ``open`` parts are not done yet."""

    batch: Batch
    open: int = 1


@dataclass
class _Part:
    """Envelopes that travel in one request."""

    flight: _Flight
    envelopes: tuple[bytes, ...]
    channel: str = ""
    ack_id: int | None = None
    deadline: float = 0.0
    resent: bool = False


@dataclass
class ShipperState:
    """What the status file and health say about HEC."""

    state: str = "starting"
    code: int | None = None
    status: int = 0
    cause: str = ""
    since: float = field(default_factory=time.time)
    in_flight: int = 0


class Shipper:
    """The only reader of the spool. ``step`` does one round and never blocks but for the network."""

    def __init__(
        self,
        settings: Hec,
        reader: SpoolReader,
        client: HecClient,
        dead: Spool,
        metrics: Metrics,
        *,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
        after_outage: float = AFTER_OUTAGE_SECONDS,
    ) -> None:
        self._settings = settings
        self._reader = reader
        self._client = client
        self._dead = dead
        self._metrics = metrics
        self._clock = clock
        self._jitter = jitter
        self._after_outage = after_outage
        self._ack = settings.ack
        self._batch_bytes = settings.batch_bytes
        self._flights: deque[_Flight] = deque()
        self._outbox: deque[_Part] = deque()
        self._waiting: list[_Part] = []
        self._channel = str(uuid.uuid4())
        self._last_ack_id = -1
        self._failures = 0
        self._send_at = 0.0
        self._take_at = 0.0
        self._poll_at = 0.0
        self._poll_seconds = POLL_FIRST_SECONDS
        self._away = False
        self.state = ShipperState()

    def run(self, stop: threading.Event) -> None:
        """Ship until ``stop`` is set."""
        while not stop.is_set():
            try:
                pause = self.step()
            except Exception:  # noqa: BLE001 (a thread that died would be a silent end of shipping)
                logs.failure(logger, "hec.error")
                pause = 1.0
            stop.wait(pause)

    def step(self) -> float:
        """Do what is due; return the seconds until something may be due again."""
        now = self._clock()
        self._expire(now)
        if self._waiting and now >= self._poll_at:
            self._poll()
        self._fill(now)
        if self._outbox and self._clock() >= self._send_at:
            self._send(self._outbox[0])
        self.state.in_flight = len(self._flights)
        return self._pause()

    def drained(self) -> bool:
        """Whether everything that was in the spool has arrived."""
        return not self._flights and self._reader.pending_bytes() == 0

    def _pause(self) -> float:
        now = self._clock()
        if self._outbox and self._send_at <= now:
            return 0.0
        due = [now + IDLE_SECONDS]
        if self._waiting:
            due.append(self._poll_at)
        return max(0.005, min(due) - now)

    def _fill(self, now: float) -> None:
        """Take the next batch when nothing else waits to be sent."""
        if self._outbox or len(self._flights) >= MAX_FLIGHTS or now < max(self._take_at, self._send_at):
            return
        batch = self._reader.take(self._batch_bytes)
        if batch is None:
            return
        if sum(map(len, batch.envelopes)) < self._batch_bytes // 2:
            self._take_at = now + self._settings.batch_seconds
        flight = _Flight(batch)
        self._flights.append(flight)
        self._outbox.append(_Part(flight, batch.envelopes))

    def _send(self, part: _Part) -> None:
        outcome = self._client.send(part.envelopes, self._channel)
        self._metrics.inc("hec_requests", outcome=outcome.action.value)
        self._note(outcome)
        if outcome.action is Action.ACCEPTED:
            self._accepted(part, outcome)
        elif outcome.action is Action.SKIP:
            self._skip(part, outcome)
        elif outcome.action is Action.SPLIT:
            self._split(part, outcome)
        else:
            self._back_off(outcome)

    def _accepted(self, part: _Part, outcome: Outcome) -> None:
        self._outbox.popleft()
        self._failures = 0
        if part.resent:
            self._metrics.inc("hec_events_resent", len(part.envelopes))
        if not self._ack or outcome.ack_id is None:
            if self._ack:
                self._without_acknowledgement()
            self._finish(part)
            return
        if outcome.ack_id <= self._last_ack_id:  # it counts from zero again: it has forgotten the earlier ones
            self._resend(one for one in self._waiting if one.channel == self._channel)
            part.channel, part.ack_id = self._channel, outcome.ack_id
            self._new_channel()
        else:
            part.channel, part.ack_id = self._channel, outcome.ack_id
            self._last_ack_id = outcome.ack_id
        now = self._clock()
        part.deadline = now + self._settings.ack_timeout_seconds
        self._waiting.append(part)
        self._poll_seconds = POLL_FIRST_SECONDS
        self._poll_at = min(self._poll_at, now + POLL_FIRST_SECONDS) if len(self._waiting) > 1 else now + 0.05

    def _skip(self, part: _Part, outcome: Outcome) -> None:
        """Those before the bad event were taken; the bad one goes to the dead letters; send on from behind it."""
        at = outcome.bad_event
        if at is None or at >= len(part.envelopes):
            self._split(part, outcome)
            return
        self._bury(part.envelopes[at], outcome)
        self._metrics.inc("hec_events_shipped", at)
        rest = part.envelopes[at + 1 :]
        if rest:
            part.envelopes = rest
        else:
            self._outbox.popleft()
            self._done(part)

    def _split(self, part: _Part, outcome: Outcome) -> None:
        """Halve the part; a single event that is refused goes to the dead letters."""
        count = len(part.envelopes)
        if outcome.status == 413:
            self._batch_bytes = max(MIN_BATCH_BYTES, min(self._batch_bytes, sum(map(len, part.envelopes))) // 2)
        if count == 1:
            self._bury(part.envelopes[0], outcome)
            self._outbox.popleft()
            self._done(part)
            return
        self._outbox.popleft()
        part.flight.open += 1
        halves = (part.envelopes[: count // 2], part.envelopes[count // 2 :])
        self._outbox.extendleft(_Part(part.flight, half, resent=part.resent) for half in reversed(halves))

    def _back_off(self, outcome: Outcome) -> None:
        """Exponential, full jitter (M. Brooker, "Exponential Backoff and Jitter", 2015)."""
        if outcome.action in (Action.UNREACHABLE, Action.CHANNEL):
            self._new_channel()
        self._away = self._away or outcome.action in (Action.UNREACHABLE, Action.BUSY)
        if outcome.action is Action.REFUSED:
            self._client.reload_token()
            pause = REFUSED_SECONDS * (0.5 + self._jitter() / 2) if self._failures else 1.0
        else:
            ceiling = min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2 ** min(self._failures, 20))
            pause = ceiling * self._jitter()
        self._failures += 1
        self._send_at = self._clock() + pause

    def _poll(self) -> None:
        """Ask for the acknowledgements of every channel that has parts waiting."""
        progress = False
        for channel in sorted({part.channel for part in self._waiting}):
            asked = {part.ack_id: part for part in self._waiting if part.channel == channel}
            outcome, done = self._client.acknowledged(channel, [one for one in asked if one is not None])
            if outcome.action is Action.CHANNEL:
                self._resend(asked.values())
            elif outcome.action is Action.ACK_DISABLED:
                self._without_acknowledgement()
                done = frozenset(one for one in asked if one is not None)
            elif outcome.action is Action.UNREACHABLE:
                self._away = True
                self._note(outcome)
                break
            for ack_id in done & asked.keys():
                self._waiting.remove(asked[ack_id])
                self._finish(asked[ack_id])
                progress = True
            self._returned(outcome)
        self._poll_seconds = POLL_FIRST_SECONDS if progress else min(POLL_CAP_SECONDS, self._poll_seconds * 2)
        self._poll_at = self._clock() + self._poll_seconds

    def _expire(self, now: float) -> None:
        late = [part for part in self._waiting if now >= part.deadline]
        if late:
            self._resend(late)

    def _resend(self, parts: Iterable[_Part]) -> None:
        """Send these again, before anything newer."""
        again = list(parts)
        for part in again:
            self._waiting.remove(part)
            part.ack_id, part.resent = None, True
        self._outbox.extendleft(reversed(again))
        logs.emit(logger, logging.WARNING, "hec.resend", batches=len(again))

    def _finish(self, part: _Part) -> None:
        self._metrics.inc("hec_events_shipped", len(part.envelopes))
        self._done(part)

    def _done(self, part: _Part) -> None:
        """One part is settled; acknowledge every batch at the head of the line that has none left."""
        part.flight.open -= 1
        while self._flights and self._flights[0].open == 0:
            self._reader.acknowledge(self._flights.popleft().batch)

    def _bury(self, envelope: bytes, outcome: Outcome) -> None:
        """Keep an event that HEC will never take; OSError (no room) leaves the part to be tried again."""
        self._dead.append(envelope)
        self._dead.sync()
        self._metrics.inc("hec_events_refused", code=outcome.code if outcome.code is not None else outcome.status)
        logs.emit(logger, logging.ERROR, "hec.event_refused", code=outcome.code, status=outcome.status)

    def _without_acknowledgement(self) -> None:
        if self._ack:
            logs.emit(
                logger,
                logging.WARNING,
                "hec.ack_disabled",
                remedy="enable indexer acknowledgement on the token, or set hec.ack: false",
            )
        self._ack = False
        self._set_state("ack_disabled", Outcome(Action.ACK_DISABLED))

    def _new_channel(self) -> None:
        self._channel = str(uuid.uuid4())
        self._last_ack_id = -1

    def _returned(self, outcome: Outcome) -> None:
        """After an outage, do not wait the whole timeout for acknowledgements that were probably lost."""
        if self._away and outcome.action is Action.ACCEPTED:
            self._away = False
            soon = self._clock() + self._after_outage
            for part in self._waiting:
                part.deadline = min(part.deadline, soon)

    def _note(self, outcome: Outcome) -> None:
        self._returned(outcome)
        if outcome.action in (Action.SKIP, Action.SPLIT):
            return
        if outcome.action is Action.ACCEPTED and self._settings.ack and not self._ack:
            return
        self._set_state(outcome.action.value, outcome)

    def _set_state(self, name: str, outcome: Outcome) -> None:
        changed = (name, outcome.code) != (self.state.state, self.state.code)
        if changed:
            level = logging.INFO if outcome.action is Action.ACCEPTED else logging.WARNING
            logs.emit(
                logger, level, "hec.state", state=name, code=outcome.code, status=outcome.status, cause=outcome.cause
            )
            self.state = ShipperState(
                name, outcome.code, outcome.status, outcome.cause, time.time(), len(self._flights)
            )
