"""Order in windows of activity rows: which profiles hold it, and following all of a principal's steps once.

Families of abuse that look at order share one walk through each principal's steps: the first that asks takes them
(``moments``), and what they teach is learned once (``learn``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, List, Tuple

from apisec.sequences.calibration import Surprise
from apisec.sequences.following import Moment, Order, follow, teach
from apisec.sequences.peers import Followed, compare
from apisec.sequences.precedence import Precedence
from apisec.sequences.transitions import Transitions
from apisec.sequences.walk import SLOT_SECONDS, Walk

if TYPE_CHECKING:
    from apisec.abuse.base import Context, Window
    from apisec.abuse.tally import Counted

SCOPE_SERVICE, SCOPE_PRINCIPAL = "service", "principal"
ANONYMOUS = "anonymous"  # may be several people, whose steps are no sequence


def order_of(context: Context, service: str) -> Order:
    """Return what is learned of a service's order, with rules that are an hour old at most."""
    key = (service,)
    order = Order(
        context.part(SCOPE_SERVICE, key, Transitions),
        context.part(SCOPE_SERVICE, key, Precedence),
        context.part(SCOPE_SERVICE, key, Surprise),
        (context.now_slot - context.age(service)) * SLOT_SECONDS,
    )
    order.precedence.mine(context.now_slot)
    return order


def walk_of(context: Context, key: Tuple[str, str]) -> Walk:
    return context.part(SCOPE_PRINCIPAL, key, Walk)


def moments(context: Context, counted: Counted) -> List[Moment]:
    """Return what a principal's steps of the window say, following those of the whole service when nobody has yet."""
    if not _has_steps(counted):
        return []
    walk = walk_of(context, counted.key)
    if walk.followed is not counted:
        _follow(context, counted.key[0])
    return walk.pending


def _has_steps(counted: Counted) -> bool:
    return counted.row.kind != ANONYMOUS and any(row.steps for row in counted.rows)


def _follow(context: Context, service: str) -> None:
    """Follow all principals of a service, and compare those of a young service with one another."""
    order = order_of(context, service)
    followed: List[Followed] = []
    for (where, principal), counted in context.tally.principals.items():
        if where != service or not _has_steps(counted):
            continue
        walk = walk_of(context, (where, principal))
        walk.followed, walk.pending = counted, []
        for row in counted.rows:
            walk.pending += [follow(order, walk, step, row.slot) for step in row.steps]
            if row.steps_dropped:
                walk.since = row.last  # what is missing may be what a rule asks for
        followed.append((principal, walk, walk.pending))
    compare(order, followed)


def learn(context: Context, ordinary: Window) -> None:
    """Learn from the moments of those that may teach; asked again about the same window, do nothing."""
    orders: Dict[str, Order] = {}
    for key in ordinary.by_principal:
        counted = context.tally.principals.get(key)
        walk = context.peek(SCOPE_PRINCIPAL, key, Walk)
        if counted is None or walk is None or walk.followed is not counted or not walk.pending:
            continue
        service, principal = key
        if service not in orders:
            orders[service] = order_of(context, service)
        for moment in walk.pending:
            teach(orders[service], walk, principal, moment)
        walk.pending = []
    for service, order in orders.items():
        _ripen(order, service, context)


def _ripen(order: Order, service: str, context: Context) -> None:
    def suspicious(principal: str) -> bool:
        return context.frozen(service, principal)

    order.precedence.ripen(context.now_slot * SLOT_SECONDS, suspicious)
