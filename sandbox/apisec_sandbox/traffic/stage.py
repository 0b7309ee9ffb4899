"""Whose turn it is: resumes actors in the order of their own time and hands out the calls they make.

The stage is pure: transports tell it the time. In natural time an actor acts when its pauses have passed. Under an
open-loop schedule arrivals come as they come (a Poisson process), and whoever is due next acts.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field

from apisec_sandbox.traffic.actors import BRISK, Actor
from apisec_sandbox.traffic.calls import Call, Reply, Steps, Wait

MAX_PAUSES_A_CALL = 100_000  # pauses taken by all actors before one makes a call: more is an error in an actor


@dataclass(order=True)
class Role:
    """An actor in play; ``due`` is its own time, seconds."""

    due: float
    number: int
    actor: Actor = field(compare=False)
    steps: Steps[None] = field(compare=False)
    reply: Reply | None = field(default=None, compare=False)


class Stage:
    """``natural``: actors' time is the simulated clock; otherwise it only orders them, and rests are shortened."""

    def __init__(self, actors: Iterable[Actor], start: float, natural: bool) -> None:
        self._natural = natural
        self._queue = [Role(start, number, actor, actor.steps()) for number, actor in enumerate(actors)]
        heapq.heapify(self._queue)

    def due(self) -> float | None:
        """Return when the next actor is due, in actors' time; None when all wait for replies."""
        return self._queue[0].due if self._queue else None

    def next(self, now: float | None = None) -> tuple[Role, Call] | None:
        """Return the next call; ``now`` is the clock, in natural time each actor's own due time.

        None when every actor waits for a reply.
        """
        for _ in range(MAX_PAUSES_A_CALL):
            if not self._queue:
                return None
            role = heapq.heappop(self._queue)
            role.actor.now = role.due if now is None else now
            step = role.steps.send(role.reply)
            role.reply = None
            if isinstance(step, Call):
                return role, step
            role.due += step.seconds if isinstance(step, Wait) or self._natural else step.seconds * BRISK
            heapq.heappush(self._queue, role)
        raise RuntimeError("actors pause for ever and make no call")

    def finish(self, role: Role, reply: Reply, seconds: float) -> None:
        """Give a call's reply to its actor; ``seconds`` it took count in natural time."""
        role.reply = reply
        if self._natural:
            role.due += seconds
        heapq.heappush(self._queue, role)
