"""The targets of HEC: which of them works, how long one that does not is left alone, and which comes next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from apisec_forwarder.exporters.flights import Part
from apisec_forwarder.exporters.hec import Action, Channel, HecClient, Outcome

BACKOFF_BASE_SECONDS = 0.25
BACKOFF_CAP_SECONDS = 30.0
REFUSED_SECONDS = 30.0  # a token is mended by a person, not by asking often
POLL_FIRST_SECONDS = 0.1
POLL_CAP_SECONDS = 2.0


def backoff(failures: int, jitter: float) -> float:
    """Exponential, full jitter (M. Brooker, "Exponential Backoff and Jitter", 2015). ``failures`` before this one."""
    return min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2.0 ** min(failures, 20)) * jitter


@dataclass(eq=False)
class Lane:
    """One channel of one target and route: its requests go one after the other, so that its ack ids only grow."""

    target: Target
    route: str
    channel: Channel
    ack: bool
    busy: bool = False
    polling: bool = False
    retired: bool = False  # only asked for what waits on its channel
    last_ack_id: int = -1
    waiting: dict[int, Part] = field(default_factory=dict)  # by ack id
    poll_at: float = 0.0
    poll_seconds: float = POLL_FIRST_SECONDS

    def renew(self) -> None:
        """Take a new channel. What waits on the old one stays with it, in a lane that sends nothing more."""
        lanes = [one for one in self.target.lanes if one.waiting or not one.retired]
        if self.waiting:
            lanes.append(replace(self, retired=True, polling=False))
        self.target.lanes = lanes
        self.channel, self.last_ack_id, self.waiting = Channel(self.route), -1, {}

    def accepted(self, part: Part, ack_id: int, now: float) -> None:
        """The part is taken and waits for its acknowledgement."""
        self.last_ack_id = max(self.last_ack_id, ack_id)
        part.channel, part.ack_id = self.channel.id, ack_id
        first = not self.waiting
        self.waiting[ack_id] = part
        self.poll_seconds = POLL_FIRST_SECONDS
        self.poll_at = now + POLL_FIRST_SECONDS / 2 if first else min(self.poll_at, now + POLL_FIRST_SECONDS)

    def polled(self, progress: bool, now: float) -> None:
        self.poll_seconds = POLL_FIRST_SECONDS if progress else min(POLL_CAP_SECONDS, self.poll_seconds * 2)
        self.poll_at = now + self.poll_seconds

    def release(self) -> list[Part]:
        """Give back all that waits."""
        parts, self.waiting = list(self.waiting.values()), {}
        return parts


@dataclass
class Refusal:
    """How a route stands at a target: a refused token is tried again, slowly."""

    failures: int = 0
    open_at: float = 0.0


class Target:
    """One HEC, how it stands, and its lanes."""

    def __init__(self, client: HecClient, routes: Sequence[str], connections: int, ack: bool) -> None:
        self.client = client
        self.name = client.name
        self.lanes = [Lane(self, route, Channel(route), ack) for route in routes for _ in range(connections)]
        self.connections = connections
        self.under_way = 0  # requests with events
        self.sent = 0  # requests with events so far
        self.failures = 0
        self.open_at = 0.0
        self.probed = True  # whether it may be sent to again after a failure
        self.probing = False
        self.away_since: float | None = None
        self.refusals = {route: Refusal() for route in routes}
        self.standing: Action | None = None  # how it answered last; None: not asked yet
        self.answer = Outcome(Action.ACCEPTED)

    @property
    def state(self) -> str:
        return self.standing.value if self.standing else "starting"

    def works(self, now: float, route: str) -> bool:
        """Whether a part of this route may go to it: after a failure one request at a time, and after a probe."""
        if now < self.open_at or now < self.refusals[route].open_at:
            return False
        return self.failures == 0 or (self.probed and self.under_way == 0)

    def lane(self, route: str) -> Lane | None:
        """Return a free lane of the route; None when all connections are at work."""
        if self.under_way >= self.connections:
            return None
        return next((one for one in self.lanes if one.route == route and not (one.busy or one.retired)), None)

    def due_for_probe(self, now: float) -> bool:
        return self.failures > 0 and not self.probed and not self.probing and now >= self.open_at

    def succeeded(self, route: str) -> None:
        self.failures = 0
        self.probed = True
        self.refusals[route] = Refusal()

    def failed(self, outcome: Outcome, now: float, jitter: Callable[[], float]) -> None:
        """Leave the target alone for a while: as long as it asked for, or a backoff."""
        self.open_at = now + max(outcome.retry_after, backoff(self.failures, jitter()))
        self.failures += 1
        self.probed = False

    def refused(self, route: str, now: float, jitter: Callable[[], float]) -> None:
        """The token of this route is not taken: the other routes go on."""
        refusal = self.refusals[route]
        pause = REFUSED_SECONDS * (0.5 + jitter() / 2) if refusal.failures else 1.0
        refusal.failures += 1
        refusal.open_at = now + pause

    def away(self, now: float) -> None:
        if self.away_since is None:
            self.away_since = now

    def returned(self, now: float, after_outage: float) -> None:
        """After an outage, do not wait the whole timeout for acknowledgements that were probably lost."""
        if self.away_since is None:
            return
        self.away_since = None
        for lane in self.lanes:
            for part in lane.waiting.values():
                part.deadline = min(part.deadline, now + after_outage)


class Targets:
    """All targets and the strategy between them."""

    def __init__(self, targets: Sequence[Target], strategy: str) -> None:
        self.all = list(targets)
        self._balance = strategy == "balance"

    def choose(self, route: str, now: float) -> Lane | None:
        """Return a free lane for a part of this route: of the first target that works, or of the least busy one."""
        able = [one for one in self.all if one.works(now, route)]
        if self._balance:
            able.sort(key=lambda one: (one.under_way, one.sent))
        # with failover, the next target is for when the first does not work, not for when it is busy
        return able[0].lane(route) if able else None

    def elsewhere(self, target: Target, now: float) -> bool:
        """Whether another target works."""
        return any(one is not target and one.failures == 0 and now >= one.open_at for one in self.all)

    def refused(self, route: str, now: float) -> bool:
        """Whether the token of a route is refused wherever the target itself works."""
        working = [one for one in self.all if one.failures == 0]
        return bool(working) and all(now < one.refusals[route].open_at for one in working)
