"""Who writes to what it was given: that is work, a migration or a correction of many things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apisec.sequences.steps import reads

if TYPE_CHECKING:
    from apisec.abuse.tally import Counted

SHARE, LEAST = 0.1, 20.0  # of what lists gave in an hour, what was then written to, and at least


def rewrites(counted: Counted, marking: bool = False) -> bool:
    """Whether the principal writes to much of what lists gave to it within an hour.

    ``marking``: the window is not in the trails yet.
    """
    given = written = 0.0
    for name in {*counted.part.operations, *counted.by_operation}:
        trail = counted.part.operations.get(name)
        counter = "given" if reads(name) else "objects"
        seen = trail.sums(counter)[0] if trail is not None else 0.0
        if marking:
            seen += counted.by_operation.get(name, {}).get(counter, 0.0)
        if counter == "given":
            given += seen
        else:
            written += seen
    return written >= max(LEAST, SHARE * given)
