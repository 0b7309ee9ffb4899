"""Takes the spool to HEC: at least once, in bounded memory, and forgets only what Splunk has acknowledged.

A batch of the spool becomes a part for each token (or, when HEC refuses one, several smaller ones). A part waits to
be sent, is sent, and with indexer acknowledgement waits until Splunk says that it is indexed. A part comes back to be
sent again, perhaps to another target, when its answer or its acknowledgement stays out; the events in it keep their
ids. All state is that of one thread; requests are made by the executor's threads, whose results it collects.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor

from apisec_forwarder import logs
from apisec_forwarder.config import Hec
from apisec_forwarder.exporters.aside import Aside
from apisec_forwarder.exporters.flights import Flight, Part
from apisec_forwarder.exporters.hec import Action, HecClient, Outcome
from apisec_forwarder.exporters.requests import Requests
from apisec_forwarder.exporters.routes import Routes, held_writer
from apisec_forwarder.exporters.state import ShipperState, note
from apisec_forwarder.exporters.targets import Lane, Target, Targets
from apisec_forwarder.metrics import Metrics
from apisec_forwarder.spool import Batch, Span, Spool, SpoolReader

logger = logging.getLogger(__name__)

AFTER_OUTAGE_SECONDS = 5.0  # a Splunk that was away has forgotten its acknowledgements
IDLE_SECONDS = 0.1
MIN_BATCH_BYTES = 1000
DISK_RETRY_SECONDS = 1.0
ACK_REMEDY = "enable indexer acknowledgement on the token, or set hec.ack: false"


class Shipper:
    """The only reader of the spool. ``step`` does one round; without an executor it also makes the requests."""

    def __init__(
        self,
        settings: Hec,
        reader: SpoolReader,
        clients: HecClient | Sequence[HecClient],
        dead: Spool,
        metrics: Metrics,
        *,
        routes: Routes | None = None,
        held: Callable[[str], Spool] | None = None,
        executor: Executor | None = None,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
        after_outage: float = AFTER_OUTAGE_SECONDS,
    ) -> None:
        self._settings = settings
        self._reader = reader
        self._metrics = metrics
        self._routes = routes or Routes()
        self._aside = Aside(dead, held, metrics)
        self._requests = Requests(executor)
        self._clock = clock
        self._jitter = jitter
        self._after_outage = after_outage
        connections = settings.connections if executor is not None else 1
        made = [clients] if isinstance(clients, HecClient) else clients
        self._targets = Targets(
            [Target(one, self._routes.names, connections, settings.ack) for one in made], settings.strategy
        )
        self._batch_bytes = settings.batch_bytes
        self._flights: deque[Flight] = deque()
        self._outbox: deque[Part] = deque()
        self._arrived: list[Span] = []
        self._take_at = 0.0
        self._holding = False
        self._more = False  # whether the spool held something when it was asked last
        self.state = ShipperState()

    def run(self, stop: threading.Event) -> None:
        """Ship until ``stop`` is set."""
        while not stop.is_set():
            try:
                pause = self.step()
            except Exception:  # noqa: BLE001 (a thread that died would be a silent end of shipping)
                logs.failure(logger, "hec.error")
                pause = 1.0
            self._requests.wait(pause)

    def step(self) -> float:
        """Do what is due; return the seconds until something may be due again."""
        self._requests.collect()
        now = self._clock()
        self._expire(now)
        for target in self._targets.all:
            target.client.cut_overdue(time.monotonic())
            self._ask(target, now)
        self._requests.collect()
        while True:
            self._fill(self._clock())
            self._dispatch(self._clock())
            if self._outbox or not self._more:
                break
            self._more = False
        self._requests.collect()
        self._acknowledge()
        self.state.in_flight = len(self._flights)
        return self._pause()

    def drained(self) -> bool:
        """Whether everything that was in the spool has arrived."""
        return self.settled() and self._reader.pending_bytes() == 0

    def hold(self) -> None:
        """Take no new batch from the spool; what is under way is finished."""
        self._holding = True

    def settled(self) -> bool:
        """Whether nothing is under way."""
        return not self._flights and not self._arrived

    def pending_bytes(self) -> int:
        """Bytes in the spool that Splunk has not acknowledged."""
        return self._reader.pending_bytes()

    def measure(self) -> None:
        """Bring into the metrics what the spool's reader and the targets count, and tidy the spool."""
        self._reader.tidy()
        self._metrics.total("spool_damaged", self._reader.damaged)
        self._metrics.total("spool_unsaved", self._reader.unsaved)
        self._metrics.total("hec_dead_letters_dropped", self._aside.dropped)
        self._metrics.gauge("spool_bytes", self._reader.pending_bytes())
        self._metrics.gauge("hec_in_flight", len(self._flights))
        for target in self._targets.all:
            self._metrics.gauge("hec_target_up", int(target.failures == 0), target=target.name)

    def close(self) -> None:
        """End connections and let another process read the spool. ``run`` has returned."""
        for target in self._targets.all:
            target.client.close()
        self._requests.close()
        self._acknowledge()
        self._reader.close()
        self._aside.close()

    def _acknowledge(self) -> None:
        """Have the spool forget what has arrived since the last time, in one write."""
        if self._arrived:
            self._reader.acknowledge(*self._arrived)
            self._arrived.clear()

    def _pause(self) -> float:
        now = self._clock()
        if any(one.not_before <= now and self._targets.choose(one.route, now) for one in self._outbox):
            return 0.0
        due = [now + IDLE_SECONDS]
        due += [lane.poll_at for target in self._targets.all for lane in target.lanes if lane.waiting]
        return max(0.005, min(due) - now)

    def _ask(self, target: Target, now: float) -> None:
        """Probe a target that failed, and ask for the acknowledgements that are due."""
        if target.due_for_probe(now):
            target.probing = True
            self._requests.make(target.client.health, lambda outcome: self._probed(target, outcome))
        for lane in target.lanes:
            if lane.waiting and not lane.polling and now >= lane.poll_at:
                lane.polling = True
                self._poll(lane, dict(lane.waiting))

    def _fill(self, now: float) -> None:
        """Take the next batch when nothing else waits to be sent and a target would take it."""
        if self._holding or self._outbox or len(self._flights) >= self._settings.window or now < self._take_at:
            return
        if not any(self._targets.choose(route, now) for route in self._routes.names):
            return
        shut = [held_writer(route) for route in self._routes.names if self._targets.refused(route, now)]
        batch = self._reader.take(self._batch_bytes, shut)
        if batch is None:
            return
        self._more = True
        if batch.growing and sum(map(len, batch.envelopes)) < self._batch_bytes // 2:
            self._take_at = now + self._settings.batch_seconds
        self._board(batch)

    def _board(self, batch: Batch) -> None:
        flight = Flight(batch.span, self._clock())
        limit = min(self._settings.event_bytes, self._settings.batch_bytes)
        for route, places in self._routes.group(batch.envelopes).items():
            part = Part(flight, route, places, limit)
            part.keep(batch.envelopes)
            flight.open += 1
            self._outbox.append(part)
        self._flights.append(flight)

    def _dispatch(self, now: float) -> None:
        """Give parts to free lanes, in their order; a part that finds none does not hold up those of other tokens."""
        for part in list(self._outbox):
            if now < part.not_before:
                continue
            lane = self._targets.choose(part.route, now)
            if lane is None:
                if self._aside.holds and self._targets.refused(part.route, now):
                    self._hold(part)
                continue
            there = part.load(self._reader)  # before anything changes: the disk may fail here
            self._outbox.remove(part)
            if not there:
                self._done(part)  # the spool's cap dropped it, and counted that
                continue
            lane.busy = True
            lane.target.under_way += 1
            lane.target.sent += 1
            self._send(part, lane)

    def _send(self, part: Part, lane: Lane) -> None:
        envelopes, channel, client = part.envelopes or (), lane.channel, lane.target.client
        self._requests.make(lambda: client.send(envelopes, channel), lambda outcome: self._sent(part, lane, outcome))

    def _poll(self, lane: Lane, asked: dict[int, Part]) -> None:
        channel, client = lane.channel, lane.target.client
        self._requests.make(
            lambda: client.acknowledged(channel, asked), lambda answer: self._polled(lane, asked, *answer)
        )

    def _probed(self, target: Target, outcome: Outcome) -> None:
        target.probing = False
        if outcome.action is Action.ACCEPTED:
            target.probed = True
        else:
            target.failed(outcome, self._clock(), self._jitter)
            self._note(target, outcome)

    def _sent(self, part: Part, lane: Lane, outcome: Outcome) -> None:
        lane.busy = False
        lane.target.under_way -= 1
        self._metrics.inc("hec_requests", outcome=outcome.action.value)
        self._note(lane.target, outcome)
        if outcome.action in (Action.ACCEPTED, Action.SKIP, Action.SPLIT):
            lane.target.succeeded(lane.route)
            lane.target.returned(self._clock(), self._after_outage)
        try:
            if outcome.action is Action.ACCEPTED:
                self._accepted(part, lane, outcome)
            elif outcome.action is Action.SKIP:
                self._skip(part, outcome)
            elif outcome.action is Action.SPLIT:
                self._split(part, outcome)
            else:
                self._failed(part, lane, outcome)
        except OSError as error:  # no room for a dead letter: the event stays where it is, in the spool
            part.not_before = self._clock() + DISK_RETRY_SECONDS
            self._outbox.appendleft(part)
            self._metrics.inc("spool_errors")
            logs.emit(logger, logging.ERROR, "dead_letters.full", errno=error.errno)

    def _accepted(self, part: Part, lane: Lane, outcome: Outcome) -> None:
        for name, count in (("resent", len(part.places) if part.resent else 0), ("trimmed", part.trimmed)):
            if count:
                self._metrics.inc(f"hec_events_{name}", count)
        part.drop()
        part.trimmed = 0
        if not lane.ack or outcome.ack_id is None:
            if lane.ack:
                self._without_acknowledgement(lane)
            self._finish(part)
            return
        now = self._clock()
        part.deadline = now + self._settings.ack_timeout_seconds
        if outcome.ack_id <= lane.last_ack_id:  # it counts from zero again: it has forgotten the earlier ones
            self._resend(lane.release())
            lane.last_ack_id = -1
        lane.accepted(part, outcome.ack_id, now)

    def _skip(self, part: Part, outcome: Outcome) -> None:
        """Those before the bad event were taken; the bad one goes to the dead letters; send on from behind it."""
        at = outcome.bad_event
        assert part.envelopes is not None
        if at is None or at >= len(part.envelopes):
            self._split(part, outcome)
            return
        self._metrics.inc("hec_events_shipped", at)
        part.rest(at)
        self._aside.bury(part.envelopes[0], outcome)
        part.rest(1)
        self._again(part)

    def _split(self, part: Part, outcome: Outcome) -> None:
        """Halve the part; a single event that is too large is cut down, or else goes to the dead letters."""
        assert part.envelopes is not None
        if outcome.status == 413:
            self._batch_bytes = max(MIN_BATCH_BYTES, min(self._batch_bytes, sum(map(len, part.envelopes))) // 2)
        if len(part.envelopes) > 1:
            part.flight.open += 1
            self._outbox.extendleft(reversed(list(part.halves())))
        elif outcome.status == 413 and part.shrink():
            self._again(part)
        else:
            self._aside.bury(part.envelopes[0], outcome)
            self._done(part)

    def _failed(self, part: Part, lane: Lane, outcome: Outcome) -> None:
        now = self._clock()
        target = lane.target
        if outcome.action in (Action.UNREACHABLE, Action.CHANNEL):
            lane.renew()  # what waits on the old channel is still asked for there
        if outcome.action is Action.REFUSED:
            target.client.reload()
            target.refused(lane.route, now, self._jitter)
        elif outcome.action is Action.ACK_DISABLED:
            self._without_acknowledgement(lane)
            part.not_before = now + 1.0
        else:
            if outcome.action is Action.UNREACHABLE and outcome.cause == "SSLError":
                target.client.reload()  # somebody may have put the right certificate there
            target.failed(outcome, now, self._jitter)
            if outcome.action in (Action.UNREACHABLE, Action.BUSY):
                target.away(now)
        self._outbox.appendleft(part)

    def _polled(self, lane: Lane, asked: dict[int, Part], outcome: Outcome, done: frozenset[int]) -> None:
        lane.polling = False
        now = self._clock()
        # what was asked may have been resent, and its id used again, since
        asked = {ack_id: part for ack_id, part in asked.items() if lane.waiting.get(ack_id) is part}
        if outcome.action is Action.CHANNEL:
            self._resend(asked.values(), lane)
        elif outcome.action is Action.ACK_DISABLED:
            self._without_acknowledgement(lane)
            done = frozenset(asked)
        elif outcome.action is Action.UNREACHABLE:
            lane.target.away(now)
            self._note(lane.target, outcome)
        elif outcome.action is Action.ACCEPTED:
            lane.target.returned(now, self._after_outage)
        settled = done & asked.keys()
        for ack_id in settled:
            self._finish(lane.waiting.pop(ack_id))
        lane.polled(bool(settled), now)

    def _expire(self, now: float) -> None:
        """Resend what was not acknowledged in time, and what waits at a target that is gone while another works."""
        for target in self._targets.all:
            away = target.away_since is not None and now >= target.away_since + self._after_outage
            lost = away and self._targets.elsewhere(target, now)
            for lane in target.lanes:
                self._resend([one for one in lane.waiting.values() if lost or now >= one.deadline], lane)

    def _resend(self, parts: Iterable[Part], lane: Lane | None = None) -> None:
        """Send these again, before anything newer."""
        again = list(parts)
        for part in again:
            if lane is not None and part.ack_id is not None:
                lane.waiting.pop(part.ack_id, None)
            part.ack_id, part.resent = None, True
        if again:
            self._outbox.extendleft(reversed(again))
            logs.emit(logger, logging.WARNING, "hec.resend", batches=len(again))

    def _again(self, part: Part) -> None:
        """Send what is left of a part."""
        if part.places:
            self._outbox.appendleft(part)
        else:
            self._done(part)

    def _finish(self, part: Part) -> None:
        self._metrics.inc("hec_events_shipped", len(part.places))
        self._done(part)

    def _done(self, part: Part) -> None:
        """One part is settled; every batch at the head of the line that has none left has arrived."""
        part.flight.open -= 1
        while self._flights and self._flights[0].open == 0:
            flight = self._flights.popleft()
            self._arrived.append(flight.span)
            self._metrics.observe("hec_delivery_seconds", (self._clock() - flight.taken,))

    def _hold(self, part: Part) -> None:
        """Put a part whose token is refused aside, so that others go on."""
        if part.load(self._reader):
            try:
                self._aside.hold(part.route, part.envelopes or ())
            except OSError:
                part.not_before = self._clock() + DISK_RETRY_SECONDS
                return
        self._outbox.remove(part)
        self._done(part)

    def _without_acknowledgement(self, lane: Lane) -> None:
        if lane.ack:
            logs.emit(logger, logging.WARNING, "hec.ack_disabled", target=lane.target.name, remedy=ACK_REMEDY)
        lane.ack = False
        self._note(lane.target, Outcome(Action.ACK_DISABLED))

    def _note(self, target: Target, outcome: Outcome) -> None:
        """Remember how a target answered; whether its acknowledgements are missing is part of that."""
        missing = self._settings.ack and any(not lane.ack for lane in target.lanes)
        self.state = note(self.state, self._targets, target, outcome, missing)
