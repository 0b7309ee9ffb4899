"""What an answer of failure says about a right: 403 always; 401 and 404 where they hide what is for few.

Many APIs say 401 to whoever lacks a right, or 404 so that nobody learns what is there. Both have other reasons too: a
credential that is void, an object that is gone. So they count only from an operation that serves a few others;
a 401 only while the credential is not refused by what serves everybody.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Dict

from apisec.abuse.base import decades
from apisec.activity.hashing import value_hash32
from apisec.activity.row import OTHER

if TYPE_CHECKING:
    from apisec.abuse.habits import Habits
    from apisec.abuse.roles import Roles
    from apisec.activity import Row

UNAUTHORISED, FORBIDDEN, NOT_FOUND = 401, 403, 404
REFUSAL = 0.85  # decades that each doubling of the refusals can be worth
FEW_REFUSALS, ONE_REFUSAL = 4, 0.5  # and of few each one
BEYOND, BEYOND_CAP = 4.0, 1.5  # refusals in seven days of somebody who tries things out by hand


def refusals(row: Row, habits: Habits, roles: Roles) -> Dict[str, int]:
    """Return by operation how many requests of a row were refused for want of a right."""
    found: Dict[str, int] = {}
    # A session that is over begins with one 401, wherever its user was.
    unauthorised = sum(used.statuses.get(UNAUTHORISED, 0) for used in row.operations.values())
    void = unauthorised == 1 and not any(status < 400 for used in row.operations.values() for status in used.statuses)
    for name, used in row.operations.items():
        statuses = used.statuses
        if name == OTHER or not (FORBIDDEN in statuses or UNAUTHORISED in statuses or NOT_FOUND in statuses):
            continue
        hashed = value_hash32(name)
        hidden = habits.never_served(hashed) and roles.hides(hashed)
        void = void or (UNAUTHORISED in statuses and not hidden)
        count = statuses.get(FORBIDDEN, 0)
        if hidden:
            count += statuses.get(UNAUTHORISED, 0) + statuses.get(NOT_FOUND, 0)
        if count:
            found[name] = count
    if void:  # the credential is, for all that is said about rights
        found = {name: row.operations[name].statuses.get(FORBIDDEN, 0) for name in found}
    return {name: count for name, count in found.items() if count}


def refused_decades(total: int, own: Sequence[int], roles: Roles, habitual: int, is_new: bool) -> float:
    """Return the decades of so many refusals in seven days; ``own``: tags of who was refused.

    ``habitual`` is the slot before which a habit began; where the service ``is_new``, seven days are not full yet, and
    the refusals of habit still become more.
    """
    bits = total.bit_length()
    chance = roles.refused.chance(bits, own, habitual, roles.rows, bits - 2 if is_new else bits - 1)
    if chance >= 1.0:
        return 0.0
    # Of those that are ever refused, half as many are refused twice as often.
    beyond = min(BEYOND_CAP, math.log10(max(1.0, total / BEYOND)))
    most = REFUSAL * bits if total >= FEW_REFUSALS else ONE_REFUSAL * total
    return min(decades(chance) + beyond, most)
