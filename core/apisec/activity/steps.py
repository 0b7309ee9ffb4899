"""The steps of a row: its requests in the order of time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, List, NamedTuple, Tuple

from apisec.activity.hashing import MASK
from apisec.activity.packing import columns, count, offset_of, pack, sequence, string, time_of, unpack

MAX_IDS = 64  # of one step
MAX_STATUS = 9999
GAVE = 0  # between ids that a request named and those that its answer gave


class Step(NamedTuple):
    """One request: when, what, with what answer, about which ids (hashes), in which session (a hash, 0 for none).

    The ids are those that the request names; of one that changes something there stand, after a ``GAVE``, those that
    its answer gave.
    """

    time: float
    operation: str
    status: int
    ids: Tuple[int, ...]
    session: int


def steps_state(steps: Iterable[Step], start: float) -> List[Any]:
    """Columns: milliseconds since the step before, places among the operations, statuses, ids, sessions."""
    listed = list(steps)
    if not listed:
        return []
    offsets = [offset_of(step.time, start) for step in listed]
    names = sorted({step.operation for step in listed})
    places = {name: place for place, name in enumerate(names)}
    sessions = sorted({step.session for step in listed})
    return [
        [now - before for before, now in zip([0, *offsets], offsets)],
        names,
        [places[step.operation] for step in listed],
        [step.status for step in listed],
        [pack(step.ids) for step in listed],
        sessions,
        [sessions.index(step.session) for step in listed],
    ]


def steps_of(state: Any, start: float, limit: int) -> List[Step]:
    """Read what ``steps_state`` gave; raises DocumentError."""
    if state == []:
        return []
    gaps, names, places, statuses, ids, sessions, of_sessions = columns(state, "row.st", 7)
    size = len(sequence(gaps, "row.st", limit))
    names = [string(name, "row.st") for name in sequence(names, "row.st", size)]
    sessions = [count(one, "row.st", MASK) for one in sequence(sessions, "row.st", size)]
    for column in (places, statuses, ids, of_sessions):
        columns(column, "row.st", size)
    steps, offset = [], 0
    for gap, place, status, packed, session in zip(gaps, places, statuses, ids, of_sessions):
        offset += count(gap, "row.st")
        steps.append(
            Step(
                time_of(offset, start, "row.st"),
                names[count(place, "row.st", len(names) - 1)],
                count(status, "row.st", MAX_STATUS, -MAX_STATUS),
                unpack(packed, MAX_IDS, "row.st"),
                sessions[count(session, "row.st", len(sessions) - 1)],
            )
        )
    return steps
