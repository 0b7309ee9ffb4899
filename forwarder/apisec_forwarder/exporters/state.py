"""What the status file, health and the log say about HEC."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

from apisec_forwarder import logs
from apisec_forwarder.exporters.hec import Action, Outcome
from apisec_forwarder.exporters.targets import Target, Targets

logger = logging.getLogger(__name__)

_BEST_FIRST = (Action.ACCEPTED, Action.ACK_DISABLED, None, Action.BUSY, Action.CHANNEL, Action.UNREACHABLE)


@dataclass
class ShipperState:
    """How HEC stands: as the target that stands best; ``targets`` names all when there are several."""

    state: str = "starting"
    code: int | None = None
    status: int = 0
    cause: str = ""
    since: float = field(default_factory=time.time)
    in_flight: int = 0
    targets: dict[str, str] = field(default_factory=dict)


def note(state: ShipperState, targets: Targets, target: Target, outcome: Outcome, ack_missing: bool) -> ShipperState:
    """Return the state after ``target`` has answered like this; a change is logged."""
    if outcome.action in (Action.SKIP, Action.SPLIT):  # HEC works; the events are what is wrong
        return state
    action = Action.ACK_DISABLED if outcome.action is Action.ACCEPTED and ack_missing else outcome.action
    before, target.standing, target.answer = (target.standing, target.answer.code), action, outcome
    if before != (action, outcome.code):
        logs.emit(
            logger,
            logging.INFO if action is Action.ACCEPTED else logging.WARNING,
            "hec.state",
            target=target.name,
            state=action.value,
            code=outcome.code,
            status=outcome.status,
            cause=outcome.cause,
        )
    best = min(targets.all, key=_rank)
    if (best.state, best.answer.code) != (state.state, state.code):
        answer = best.answer
        state = ShipperState(best.state, answer.code, answer.status, answer.cause, in_flight=state.in_flight)
    state.targets = {one.name: one.state for one in targets.all} if len(targets.all) > 1 else {}
    return state


def _rank(target: Target) -> int:
    """How well a target stands; 0 is best."""
    return _BEST_FIRST.index(target.standing) if target.standing in _BEST_FIRST else len(_BEST_FIRST)
