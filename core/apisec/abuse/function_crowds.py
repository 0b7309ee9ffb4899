"""Crowds against functions: many accounts, each a little, where a day has nearly none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Optional

from apisec.abuse.base import OPERATION, SERVICE, SLOTS_PER_DAY, Context, Observation, decades
from apisec.abuse.base import observation as observed
from apisec.abuse.roles import Roles
from apisec.baselines.tails import negative_binomial_tail

if TYPE_CHECKING:
    from apisec.activity import Row

NAME = "function_abuse"
YOUNG_SLOTS = SLOTS_PER_DAY
FORBIDDEN = 403
RARE_SHARE = 0.1  # of principals: what more of them are served by is not for few
PUBLIC = 0.6  # of what everybody does, done by those who use an operation: so much of it, and it belongs to no role
MANY_REFUSING = 3  # operations of those that are for few
LEAST_CROWD = 4
CROWD_TRIALS = 24.0  # looks a day that are worth counting: windows of a day overlap
CROWD_SIZE = 2.0  # of the negative binomial: staff come in groups


def taken_up_crowd(hashed: int, name: str, rows: Sequence[Row], context: Context) -> Optional[Observation]:
    """Many principals that take up within a day what nearly nobody does."""
    service = rows[0].service
    roles = context.part(SERVICE, (service,), Roles)
    use = roles.use(hashed)
    days = (context.now_slot - use.slot) / SLOTS_PER_DAY if use is not None else 0.0
    if use is None or days < 2.0 or context.age(service) < YOUNG_SLOTS:
        return None
    rate = (use.adopters + 0.5) / days
    members = roles.recent(hashed, context.now_slot - SLOTS_PER_DAY)
    if len(members) < LEAST_CROWD or not roles.is_rare(hashed, RARE_SHARE):
        return None
    if roles.commonness(hashed, ()) >= PUBLIC:
        return None
    p_value = negative_binomial_tail(len(members), rate, CROWD_SIZE)
    mine = [row for row in rows if name in row.operations]
    return observed(
        context,
        NAME,
        mine[-1],
        {"crowd": decades(p_value, trials=CROWD_TRIALS)},
        seen=len(members),
        expected=round(rate, 2),
        unit="principals in a day that take the operation up",
        basis="operation",
        operation=name,
        entity=OPERATION,
        members=members,
        requests=sum(row.operations[name].requests for row in mine),
        evidence={"principals": len(members), "adopters": round(use.adopters)},
        reasons=[f"{len(members)} principals took {name} up within a day; ordinary here: {rate:.2f} a day"],
        examples=[one for row in mine for one in row.examples.get("any", ())],
    )


def refused_crowd(rows: Sequence[Row], context: Context) -> Optional[Observation]:
    """Many principals that several operations which are for few refuse within a day, a few times each.

    Of several operations: a page that asks for what a user may not see is refused by one, with all its users.
    """
    service = rows[0].service
    roles = context.part(SERVICE, (service,), Roles)
    days = context.age(service) / SLOTS_PER_DAY
    mine = [row for row in rows if any(used.statuses.get(FORBIDDEN) for used in row.operations.values())]
    if not mine or days < 2.0:
        return None
    denied = roles.denied(context.now_slot - SLOTS_PER_DAY)
    several = [members for members in denied.values() if len(members) >= LEAST_CROWD]
    if len(several) < MANY_REFUSING:
        return None
    members = sorted({who for held in several for who in held})
    rate = (roles.refusers + 0.5) / days
    p_value = negative_binomial_tail(len(members), rate, CROWD_SIZE)
    return observed(
        context,
        NAME,
        mine[-1],
        {"crowd": decades(p_value, trials=CROWD_TRIALS)},
        seen=len(members),
        expected=round(rate, 2),
        unit="principals in a day that operations which are for few refuse",
        basis="service",
        entity=OPERATION,
        members=members,
        requests=sum(used.statuses.get(FORBIDDEN, 0) for row in mine for used in row.operations.values()),
        evidence={"principals": len(members), "operations": len(several)},
        reasons=[
            f"{len(several)} operations that are for few refused {len(members)} principals within a day (403);"
            f" ordinary here: {rate:.2f} a day"
        ],
        examples=[one for row in mine for one in row.examples.get("refused", ())],
    )
