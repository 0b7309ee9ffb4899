"""One service under watch: when it is known well enough, what is new of all of it, and how much is told in an hour."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Dict, List, Sequence, Tuple

from apisec.endpoints.changes import schema
from apisec.endpoints.changes.schema import Change
from apisec.endpoints.changes.told import Told
from apisec.endpoints.changes.trials import Trial
from apisec.endpoints.inventory.operation import OperationStats
from apisec.endpoints.inventory.tally import OTHER
from apisec.errors import DocumentError

VERSION = 1
MIN_REQUESTS = 200  # of a service, before which it is not known
HOUR = 3600.0
MAX_TRIALS = 100
LONG = 20_000  # requests of a service, after which a trial is given up
AGENT, KIND, OF_API = "agent", "principal", "version"
# requests that show it, and the least share of the service's requests since
EVIDENCE: Mapping[str, Tuple[int, float]] = {AGENT: (50, 0.01), KIND: (20, 0.01), OF_API: (5, 0.0)}
# Changes of a kind that are told of a service within an hour of windows; the rest is told as a number.
PER_HOUR: Mapping[str, int] = {"operation_new": 20, "sensitive_field": 20, "consumer_new": 3, "version_new": 3}
PER_HOUR_OTHERS = 10

Counting = Callable[[OperationStats], Mapping[str, int]]
Part = Tuple[str, OperationStats]  # an operation and what a window held of it


class ServiceWatch:
    """What is known of a service. ``since`` is its first request's time."""

    def __init__(self, service: str, since: float) -> None:
        self.service = service
        self.since = since
        self.requests = 0
        self.told = Told()
        self._trials: Dict[Tuple[str, str], Trial] = {}
        self._budget: Dict[str, List[int]] = {}  # by kind: the hour, how many were told, how many were not

    def knows_enough(self, end: float, settle: float) -> bool:
        """Return whether changes are told: ``settle`` seconds after its first request, and after 200 requests."""
        return settle <= 0 or (end - self.since >= settle and self.requests >= MIN_REQUESTS)

    def observe(self, parts: Sequence[Part], end: float, tell: bool) -> List[Change]:
        """Return what is new of the whole service in a window's parts."""
        requests = sum(stats.count for _, stats in parts)
        found = [
            change
            for what, of in _COUNTS.items()
            for change in self._new(what, _sum(parts, of), requests, parts, end, tell)
        ]
        self.requests += requests
        return found

    def _new(
        self, what: str, counts: Mapping[str, int], requests: int, parts: Sequence[Part], end: float, tell: bool
    ) -> Iterator[Change]:
        least, share = EVIDENCE[what]
        waiting = [name for kind, name in self._trials if kind == what]
        for name in sorted({*counts, *waiting} - {OTHER, ""}):
            if self.told.knows(what, name):
                continue
            if not tell:
                self.told.learn(what, name)
                self._trials.pop((what, name), None)
                continue
            trial = self._trial(what, name, min(stats.first_seen for _, stats in parts))
            trial.add(min(requests, counts.get(name, 0)), requests, requests, 0)
            grown = trial.grown() or what == OF_API
            if trial.hits < least or trial.least < share or not grown:
                if trial.messages >= LONG:
                    del self._trials[what, name]
                continue
            del self._trials[what, name]
            self.told.learn(what, name)
            yield self._told_new(what, name, trial, parts, end)

    def _trial(self, what: str, name: str, since: float) -> Trial:
        found = self._trials.get((what, name))
        if found is None:
            if len(self._trials) >= MAX_TRIALS:
                del self._trials[min(self._trials, key=lambda key: (self._trials[key].hits, key))]
            found = self._trials[what, name] = Trial(0, self.requests, since)
        return found

    def _told_new(self, what: str, name: str, trial: Trial, parts: Sequence[Part], end: float) -> Change:
        of = _COUNTS[what]
        using = sorted(((of(stats).get(name, 0), operation) for operation, stats in parts), reverse=True)
        operations = [operation for times, operation in using if times][: schema.MAX_LISTED]
        text = {OF_API: "version", KIND: "kind of principal", AGENT: "client"}[what]
        where = f", most of {operations[0]}" if operations else ""
        details: Dict[str, Any] = {
            "operations": operations,
            "messages": trial.messages,
            "messages_before": self.requests,
        }
        details["version" if what == OF_API else "consumer"] = name
        return self._change(
            "version_new" if what == OF_API else "consumer_new",
            schema.LOW if what == KIND else schema.INFO,
            f"{what}\x1f{name}",
            ("none", name),
            f"{self.service} is called with a {text} that it had not, {name}: "
            f"{trial.hits} of {trial.messages} requests{where}",
            (trial.since, end),
            parts[0][1].latest[1],
            trial.hits,
            details,
        )

    def _change(
        self,
        kind: str,
        severity: str,
        subject: str,
        values: Tuple[str, str],
        reason: str,
        interval: Tuple[float, float],
        team: str,
        count: int,
        details: Mapping[str, Any],
        times: int = 1,
    ) -> Change:
        return Change(
            kind, severity, subject, *values, reason, *interval,
            count=count, times=times, service=self.service, team=team, details=details,
        )  # fmt: skip

    def first(self, parts: Sequence[Part], end: float) -> Change:
        """Return the change of a service that was never seen."""
        requests = sum(stats.count for _, stats in parts)
        first_seen = min(stats.first_seen for _, stats in parts)
        return self._change(
            "service_new", schema.LOW, "", ("none", self.service),
            f"traffic of a new service, {self.service}: {requests} requests for {len(parts)} operations",
            (first_seen, end), parts[0][1].latest[1], requests,
            {"operations": [operation for operation, _ in parts][: schema.MAX_LISTED], "first_seen": first_seen},
        )  # fmt: skip

    def moved(self, moves: Mapping[Tuple[str, str], List[str]], since: float, end: float) -> Iterator[Change]:
        """Yield changes of teams: ``moves`` has operations by the team before and after."""
        for (before, after), operations in sorted(moves.items()):
            times = self.told.tell("team_changed", f"{before}\x1f{after}", end)
            if times:
                yield self._change(
                    "team_changed", schema.INFO, f"{before}\x1f{after}", (before or "none", after or "none"),
                    f"{len(operations)} operations of {self.service} belong to {after or 'nobody'}, "
                    f"and belonged to {before or 'nobody'}: {', '.join(operations[:3])}",
                    (since, end), after, len(operations),
                    {"team_before": before, "operations": operations[: schema.MAX_LISTED]}, times,
                )  # fmt: skip

    # How much is told

    def admit(self, changes: Iterable[Change]) -> List[Change]:
        """Return those of a window that are told, the gravest first; of the others only their number stays."""
        ordered = sorted(
            changes, key=lambda one: (schema.SEVERITIES.index(one.severity), one.kind, one.operation, one.id)
        )
        return [one for one in ordered if self._admits(one.kind, int(one.until // HOUR))]

    def _admits(self, kind: str, hour: int) -> bool:
        budget = self._budget.setdefault(kind, [hour, 0, 0])
        if budget[0] != hour:
            budget[:2] = [hour, 0]
        if budget[1] < PER_HOUR.get(kind, PER_HOUR_OTHERS):
            budget[1] += 1
            return True
        budget[2] += 1
        return False

    def left_out(self, end: float, team: str) -> Iterator[Change]:
        """Yield how many changes of each kind an hour that is over had and that were not told."""
        for kind, (hour, _told, left) in sorted(self._budget.items()):
            if left and hour < int(end // HOUR):
                self._budget[kind][2] = 0
                yield self._change(
                    "more", schema.INFO, f"{kind}\x1f{hour}", ("", kind),
                    f"{left} more changes of kind {kind} in {self.service} were not told one by one",
                    (hour * HOUR, end), team, left, {},
                )  # fmt: skip

    def to_state(self) -> Dict[str, Any]:
        return {
            "v": VERSION,
            "service": self.service,
            "since": self.since,
            "requests": self.requests,
            "told": self.told.to_state(),
            "trials": [[*key, trial.to_state()] for key, trial in sorted(self._trials.items())],
            "budget": dict(sorted(self._budget.items())),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> ServiceWatch:
        """Raises DocumentError when the state is not one of ``to_state``."""
        try:
            if state["v"] != VERSION:
                raise DocumentError(f"version {state['v']!r} of a watch is not known", where="changes")
            watch = cls(str(state["service"]), float(state["since"]))
            watch.requests = int(state["requests"])
            watch.told = Told.from_state(state["told"])
            for what, name, trial in state["trials"]:
                watch._trials[str(what), str(name)] = Trial.from_state(trial)
            for kind, (hour, told, left) in state["budget"].items():
                watch._budget[str(kind)] = [int(hour), int(told), int(left)]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, DocumentError):
                raise
            raise DocumentError("not the state of a watch", where="changes") from error
        return watch


def _sum(parts: Sequence[Part], of: Counting) -> Dict[str, int]:
    total: Dict[str, int] = {}
    for _, stats in parts:
        for name, times in of(stats).items():
            total[name] = total.get(name, 0) + times
    return total


def _versions(stats: OperationStats) -> Dict[str, int]:
    """Return the answers of 2xx by version: anyone can ask for a version that there is not."""
    return {name: one.counts.get("2xx", 0) for name, one in stats.timing.named_versions() if one.counts.get("2xx", 0)}


def _agents(stats: OperationStats) -> Dict[str, int]:
    return stats.agents


def _kinds(stats: OperationStats) -> Dict[str, int]:
    """Return kinds of principals. That requests come without one is told of the operation that answers them."""
    return {name: times for name, times in stats.kinds.items() if name != "anonymous"}


_COUNTS: Mapping[str, Counting] = {OF_API: _versions, KIND: _kinds, AGENT: _agents}
