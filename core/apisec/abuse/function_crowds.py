"""Crowds against functions: many accounts, each a little, where a day has nearly none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, List, Optional

from apisec.abuse.base import OPERATION, SLOTS_PER_DAY, Context, Observation, decades
from apisec.abuse.base import observation as observed
from apisec.baselines.tails import negative_binomial_tail

if TYPE_CHECKING:
    from apisec.abuse.roles import Roles
    from apisec.activity import Row

NAME = "function_abuse"
YOUNG_SLOTS = SLOTS_PER_DAY
MANY_REFUSING = 3  # operations of those that are for few
LEAST_CROWD = 4
LEAST_ON_ONE = 8  # principals, where one operation is all there is, or little is known of who uses it
SETTLED_DAYS = 4.0
LEAST_DAYS = 3.0  # that an operation is known before its beginnings are counted
CROWD_TRIALS = 24.0  # looks a day that are worth counting: windows of a day overlap
CROWD_SIZE = 2.0  # of the negative binomial: staff come in groups
A_RELEASE = 0.2  # share of all principals: what befalls more of them within a day comes from a release


def taken_up_crowd(
    hashed: int, name: str, rows: Sequence[Row], roles: Roles, context: Context
) -> Optional[Observation]:
    """Many strangers that take up within a day what is known to be of a role."""
    use = roles.use(hashed)
    days = (context.now_slot - use.slot) / SLOTS_PER_DAY if use is not None else 0.0
    if use is None or days < LEAST_DAYS:
        return None
    members = roles.recent(hashed, context.now_slot - SLOTS_PER_DAY)
    # Of the few that used it before, too few may be known to say that it is of a role; more have to be strangers then.
    most = A_RELEASE * roles.principals
    strange = LEAST_ON_ONE <= len(members) <= most and days >= SETTLED_DAYS and roles.hides(hashed)
    if len(members) < LEAST_CROWD or not (strange or roles.is_of_a_role(hashed)):
        return None
    rate = ((use.late if days >= SETTLED_DAYS else use.adopters) + 0.5) / days
    return _crowd(
        members,
        rate,
        [row for row in rows if name in row.operations],
        context,
        operation=name,
        operations=[name],
        unit="principals in a day that take the operation up",
        evidence={"principals": len(members), "adopters": round(use.adopters)},
        reasons=[f"{len(members)} principals took {name} up within a day; ordinary here: {rate:.2f} a day"],
    )


def refused_crowd(
    turned_away: Mapping[int, str], rows: Sequence[Row], roles: Roles, context: Context
) -> Optional[Observation]:
    """Many principals that operations which are for few refuse within a day, a few times each.

    Several operations, or one that is known to be of a role: a release with a page that asks for what a user may not
    see is refused by one, with all its users.
    """
    days = context.age(rows[0].service) / SLOTS_PER_DAY
    if not turned_away or days < LEAST_DAYS:
        return None
    denied = roles.denied(context.now_slot - SLOTS_PER_DAY)
    several = {
        one: members for one, members in denied.items() if len(members) >= LEAST_CROWD and roles.is_of_a_role(one)
    }
    if len(several) < MANY_REFUSING:
        most = A_RELEASE * roles.principals
        several = {one: members for one, members in several.items() if LEAST_ON_ONE <= len(members) <= most}
    if not turned_away.keys() & several.keys():
        return None
    members = sorted({who for held in several.values() for who in held})
    names = sorted(name for one, name in turned_away.items() if one in several)
    rate = (roles.refused.count + 0.5) / days
    return _crowd(
        members,
        rate,
        [row for row in rows if any(name in row.operations for name in names)],
        context,
        operation=names[0] if len(several) == 1 else "",
        operations=names,
        unit="principals in a day that operations which are for few refuse",
        evidence={"principals": len(members), "operations": len(several)},
        reasons=[
            f"{len(several)} operations that are for few refused {len(members)} principals within a day;"
            f" ordinary here: {rate:.2f} a day"
        ],
    )


def _crowd(
    members: Sequence[str],
    rate: float,
    rows: Sequence[Row],
    context: Context,
    *,
    operation: str,
    operations: Sequence[str],
    unit: str,
    evidence: Mapping[str, Any],
    reasons: List[str],
) -> Observation:
    """Return the observation of a crowd of ``members`` where a day has ``rate`` of them."""
    p_value = negative_binomial_tail(len(members), rate, CROWD_SIZE)
    used = [row.operations[name] for row in rows for name in operations if name in row.operations]
    return observed(
        context,
        NAME,
        rows[-1],
        {"crowd": decades(p_value, trials=CROWD_TRIALS)},
        seen=len(members),
        expected=round(rate, 2),
        unit=unit,
        basis="operation" if operation else "service",
        operation=operation,
        entity=OPERATION,
        members=members,
        requests=sum(one.requests for one in used),
        evidence=evidence,
        reasons=reasons,
        examples=[one for row in rows for kind in ("refused", "any") for one in row.examples.get(kind, ())],
    )
