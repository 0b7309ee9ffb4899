"""Crowds against objects: many accounts, each a little, where a day has nearly none.

Of one object by one account nothing can be said, but that *mules* ask so: accounts that are new, and do nothing else.
Many of them, each for another object, are a crowd; a link that people pass on leads many to the same one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Optional

from apisec.abuse.base import OPERATION, PRINCIPAL, SLOTS_PER_DAY, Context, Observation, decades
from apisec.abuse.base import observation as observed
from apisec.abuse.counters import PrincipalCounters
from apisec.abuse.habits import unit_of
from apisec.abuse.object_shares import ObjectShares
from apisec.abuse.provenance import Provenance
from apisec.activity.hashing import value_hash32
from apisec.statistics import beta_cdf

if TYPE_CHECKING:
    from apisec.activity import Row

NAME = "object_enumeration"
CROWD_TRIALS = 24.0  # looks a day that are worth counting: the day is one count that grows
WEAK_PRIOR = 0.005  # share of ordinary principals' days with weak evidence, before it is known
WEAK_PRIOR_DAYS = 200.0
LEAST_CROWD = 5
YOUNG_SLOTS = 2 * SLOTS_PER_DAY


def object_crowd(service: str, operation: str, rows: Sequence[Row], context: Context) -> Optional[Observation]:
    """Many principals a little each: how many of the day's principals show weak evidence, against how many do."""
    shares = context.part(OPERATION, (service, operation), ObjectShares)
    today = context.now_slot // SLOTS_PER_DAY
    weak = shares.suspect(today, {row.principal: min(row.operations[operation].objects) for row in rows})
    count = min(len(weak), len(set(weak.values())))
    if count < LEAST_CROWD:
        return None
    if context.age(service) < YOUNG_SLOTS:
        return None
    population = shares.population("", "weak")
    rate = (population.hits + WEAK_PRIOR * WEAK_PRIOR_DAYS) / (population.trials + WEAK_PRIOR_DAYS)
    # A day that has just begun is compared with the one before it.
    active = max(shares.active(today), shares.active(today - 1), len(weak))
    p_value = beta_cdf(rate, float(count), float(active - count + 1))
    return observed(
        context,
        NAME,
        rows[-1],
        {"crowd": decades(p_value, trials=CROWD_TRIALS)},
        seen=count,
        expected=round(rate * active, 2),
        unit="principals in a day that asked for objects which no response had given to them",
        basis="operation",
        operation=operation,
        entity=OPERATION,
        members=sorted(weak),
        first=min(row.operations[operation].first for row in rows),
        last=max(row.operations[operation].last for row in rows),
        requests=sum(row.operations[operation].requests for row in rows),
        evidence={"principals": len(weak), "active": active},
        reasons=[
            f"{len(weak)} of {active} principals of the day asked {operation} for objects by ids that no response had"
            f" given to them; ordinary here: {rate * active:.1f}"
        ],
        examples=[one for row in rows for one in row.examples.get("object", ())],
    )


def is_mule(row: Row, context: Context) -> bool:
    """Whether somebody is new, and does nothing but ask for objects that nobody gave it."""
    key = (row.service, row.principal)
    counters = context.peek(PRINCIPAL, key, PrincipalCounters)
    provenance = context.peek(PRINCIPAL, key, Provenance)
    ages = [context.age_of(PRINCIPAL, (row.service, who)) for who in {row.principal, unit_of(row)}]
    if counters is None or provenance is None or max(ages) >= SLOTS_PER_DAY:
        return False
    asked = provenance.on(row.slot // SLOTS_PER_DAY)
    alone = all(value_hash32(name) in provenance.asked for name in counters.operations)
    return alone and asked.unissued == asked.objects > 0
