"""Which steps each principal has done: the bounded memory behind required earlier steps.

Independent of the patterns in force, so that a pattern that was just pushed knows what happened before it.
A step is done when its copy came with a successful status, or when a call-out let it pass and its copy has not
come yet. What had to be forgotten is remembered as a time, so that nobody is refused for a step that was
forgotten.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Tuple

from apisec.model.pattern import Expression, Requirement
from apisec.patterns import fields
from apisec.patterns.expression import holds

_KEPT = ("operation", "endpoint", "http_method", "service", "object_ids", "status")
TAKEOVER_SECONDS = 0.1  # in which a gateway has taken over new rules (measured: 2 to 50 ms)
Step = Dict[str, Any]  # _KEPT, and id, time, pending


@dataclass(frozen=True)
class HistoryLimits:
    principals: int = 20_000
    steps: int = 64  # of one principal, newest kept
    seconds: float = 86400.0


def succeeded(status: object) -> bool:
    return isinstance(status, int) and 200 <= status < 400


class History:
    """``since`` is the time from which on observation is believed whole; None before the first start.

    ``watermark`` is the latest end of a transaction whose copy has come. Copies come in the order in which
    transactions end, so that everything which ended before it is known.
    """

    def __init__(self, limits: Optional[HistoryLimits] = None) -> None:
        self.limits = limits or HistoryLimits()
        self.since: Optional[float] = None
        self.watermark = float("-inf")
        self._steps: OrderedDict[str, List[Step]] = OrderedDict()
        self._forgotten: float = float("-inf")  # time of the newest step that was evicted with its principal

    def __len__(self) -> int:
        return len(self._steps)

    def start(self, now: float) -> None:
        """Observation begins, or begins anew after a gap that nothing will fill."""
        self.since = now

    def allowed(self, event: Mapping[str, Any], now: float) -> None:
        """A call-out let the request pass; its copy has not come yet."""
        self._record(event, now, pending=True)

    def observe(self, event: Mapping[str, Any], now: float) -> None:
        """The copy of a transaction came; it settles what a call-out left pending."""
        self.watermark = max(self.watermark, _end(event))
        principal = str(event.get("principal", ""))
        steps = self._steps.get(principal)
        if steps:
            identity = event.get("id")
            steps[:] = [step for step in steps if step["id"] != identity]
        if succeeded(event.get("status")) and event.get("action") != "blocked":
            self._record(event, now, pending=False)

    def _record(self, event: Mapping[str, Any], now: float, *, pending: bool) -> None:
        principal = str(event.get("principal", ""))
        steps = self._steps.get(principal)
        if steps is None:
            steps = self._steps[principal] = []
            if len(self._steps) > self.limits.principals:
                self._evict()
        self._steps.move_to_end(principal)
        identity = event.get("id")
        if pending and any(step["id"] == identity and not step["pending"] for step in steps):
            return  # the copy overtook the call-out
        step: Step = {name: event[name] for name in _KEPT if name in event}
        step.update(id=identity, time=now, pending=pending)
        steps[:] = self._thinned(steps, step)

    def _thinned(self, steps: List[Step], new: Step) -> List[Step]:
        """Keep the newest of equal steps, then the newest of all: polling must not push a payment out.

        A pending step replaces none: it may fail, and the one that succeeded before it still counts.
        """
        horizon = new["time"] - self.limits.seconds
        key = None if new["pending"] else _sameness(new)
        kept = [step for step in steps if step["time"] >= horizon and (step["pending"] or _sameness(step) != key)]
        kept.append(new)
        return kept[-self.limits.steps :]

    def _evict(self) -> None:
        _, steps = self._steps.popitem(last=False)
        self._forgotten = max([self._forgotten, *(step["time"] for step in steps)])

    def done(
        self, requirement: Requirement, event: Mapping[str, Any], now: float, asked_since: float = float("-inf")
    ) -> Optional[bool]:
        """Return whether the event's group did the step in time; None when that cannot be known.

        ``asked_since`` is when the gateway began to ask about the step. Before that only copies tell of it, so
        that nothing is known for certain until the copies have caught up with that moment.
        """
        group = [name for name in requirement.group_by if name != "principal"]
        wanted = [set(fields.values(event, name)) for name in group]
        for step in reversed(self._steps.get(str(event.get("principal", "")), [])):
            if now - step["time"] > requirement.timespan:
                continue
            linked = all(ids & set(fields.values(step, name)) for name, ids in zip(group, wanted))
            if linked and _is(requirement.step, step):
                return True
        known_from = max(self._forgotten, self.since if self.since is not None else now)
        if self._forgotten > now - requirement.timespan or self.watermark < asked_since + TAKEOVER_SECONDS:
            return None
        if now - known_from < requirement.warmup:
            return None
        return False

    def principals(self) -> List[str]:
        """Return the names of all principals, least recently seen first."""
        return list(self._steps)

    def export(self, principal: str) -> List[Step]:
        """Return one principal's steps, JSON-like; ``restore`` reads them."""
        return list(self._steps.get(principal, ()))

    def restore(self, principal: str, steps: List[Mapping[str, Any]]) -> None:
        """Take over exported steps; raises KeyError, TypeError or ValueError when they are none."""
        taken = [dict(step, id=step["id"], time=float(step["time"]), pending=bool(step["pending"])) for step in steps]
        self._steps[principal] = taken[-self.limits.steps :]
        if len(self._steps) > self.limits.principals:
            self._evict()


def _end(event: Mapping[str, Any]) -> float:
    duration = event.get("response_time")
    return float(event.get("time", 0.0)) + (duration / 1000.0 if isinstance(duration, (int, float)) else 0.0)


def _is(step: Expression, past: Mapping[str, Any]) -> bool:
    """A pending step has no status yet: what depends on it counts as done (see the module)."""
    return holds(step, past, half=bool(past["pending"])) is not False


def _sameness(step: Step) -> Tuple[Any, ...]:
    return (step.get("operation"), step.get("service"), tuple(step.get("object_ids") or ()))
