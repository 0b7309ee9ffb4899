"""What tells a machine that takes, or a flood, from somebody who works much: it does hardly anything else.

Volume alone is what partners, migrations, reports and exports show too, and is never a finding. They have reasons that
show beside it: they write what they read, go through flows, or hold an office whose operations few others use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, AbstractSet, Tuple

from apisec.abuse.base import OPERATION, SERVICE, Context, Window, decades
from apisec.abuse.extremes import Extremes
from apisec.abuse.habits import unit_of
from apisec.abuse.provenance import Holders
from apisec.abuse.shares import Share, share_tail
from apisec.abuse.tally import MONOTONY, MONOTONY_LEAST
from apisec.abuse.traffic import OperationTraffic
from apisec.activity.hashing import value_hash32
from apisec.sequences.steps import reads

if TYPE_CHECKING:
    from apisec.abuse.counters import Trail
    from apisec.abuse.tally import Counted

OWNERS = "owners"  # what is measured: whom the records of an operation's lists belong to
FEW_OWNERS = 3.0  # with more an operation is no list of one's own
OF_ONE = 0.8  # of the objects asked for, to be all of one owner
WALK = "walk"  # what is measured: different objects of seven days, as far as none came again
WALK_GRAIN, LEAST_WALK = 4.0, 50.0  # what fits into one visit is no walk
OPENED = "opened"  # mark: different things that a row asks for
AGAIN = "again"  # mark: requests of an operation that gave nothing new
RATE = "rate"  # what is measured: the most of those in five minutes
PACE, RATE_GRAIN = 60.0, 5.0  # one each five seconds: what pages that poll ask for by themselves says nothing
SHARE = "share"  # what is measured: of all that a principal does, the odds that it is this operation
GRAIN = 0.1
USUAL = (0.3, 0.25)  # mean and deviation of the share where nothing is known
MOST_ODDS = 50.0
CAP = 2.0  # decades that monotony says at most: it is a rank among the principals that are remembered
LEAST = 1.3  # decades: less is how people differ
RARE = 0.15  # of the principals of an operation: what so few of them use beside it belongs to an office
MOST_PROGRESS = 0.5  # of the requests that got something new, from which on it is no repetition
PROGRESS_OF_WORK = 0.1  # the same where requests change things: work on one takes several
LEAST_SAMPLED = 6  # ids of lists whose holders may be known, to say whose they are
PUBLIC_SHARE = 0.5  # of those, that many hold
OTHERS_OF_OWN, KNOWN_OF_OWN = 0.05, 0.1  # of those, that others hold at most, and that it was given before at least
LEAST_OFFICE = 2  # principals that use what belongs to an office


def narrowness(context: Context, operation: str, counted: Counted, marking: bool = False) -> float:
    """Return in decades how unusual it is that so much of what a principal does is one operation.

    Two answers, of which the smaller counts: shares vary by a beta distribution, which knows how little a few requests
    say; and ordinary principals are not of one kind, so that their ranks have to say it too. ``marking``: the window
    is not in the trails yet.
    """
    service = counted.row.service
    hits, trials = _requests(counted, operation, marking)
    odds = _odds(hits, trials)
    extremes = context.peek(OPERATION, (service, operation), Extremes)
    if odds <= 0.0 or extremes is None or not extremes.known(SHARE):
        return 0.0
    traffic = context.peek(OPERATION, (service, operation), OperationTraffic)
    share = (traffic.shares.get(MONOTONY) if traffic else None) or Share()
    beta = decades(share_tail(hits, trials, *share.beta(*USUAL)))
    rank = decades(extremes.tail(SHARE, odds, GRAIN, value_hash32(counted.row.principal)))
    found = min(beta, rank, CAP)
    return found if found >= LEAST and not holds_office(context, operation, counted) else 0.0


def words(counted: Counted, operation: str) -> str:
    """Return what narrowness says."""
    hits, trials = _requests(counted, operation)
    return f"{hits:,.0f} of its {trials:,.0f} requests in seven days are {operation}; others do other things beside"


def is_known(context: Context, operation: str, counted: Counted) -> bool:
    """Whether enough principals use the operation to say what is usual with it."""
    extremes = context.peek(OPERATION, (counted.row.service, operation), Extremes)
    return extremes is not None and extremes.known(SHARE)


def holds_office(context: Context, operation: str, counted: Counted) -> bool:
    """Whether the principal also uses what few of the operation's principals do: a desk, staff, a partner."""
    service = counted.row.service
    usual = context.peek(OPERATION, (service, operation), OperationTraffic)
    if usual is None:
        return False
    limit = RARE * usual.succeeded.count
    for name, trail in counted.part.operations.items():
        if name == operation or not trail.sums("requests")[2] > trail.sums("failures")[2]:
            continue
        other = context.peek(OPERATION, (service, name), OperationTraffic)
        if other is not None and LEAST_OFFICE <= other.succeeded.count <= limit:
            return True
    return False


def is_own(context: Context, operation: str, counted: Counted) -> bool:
    """Whether what the operation gave in the window belongs to one: somebody reads what is his, however much it is.

    Lists say so where each names as few owners as those of others; single answers where they name one. False where
    nothing names an owner.
    """
    extremes = context.peek(OPERATION, (counted.row.service, operation), Extremes)
    usual = extremes.usual(OWNERS, 0.0) if extremes is not None else 0.0
    listed = single = asked = 0
    for row, name, used in counted.used():
        if name == operation:
            listed = max(listed, used.owners.count)
            asked += len(used.objects)
            # The member that says it is the one that every answer has.
            single += max((max(values.values()) for values in row.owners.values()), default=0)
    if listed:
        return listed <= max(1.0, usual) <= FEW_OWNERS
    return asked > 0 and single >= OF_ONE * asked


def names_few(context: Context, operation: str, counted: Counted) -> bool:
    """Whether the operation's lists are known to name few owners each."""
    extremes = context.peek(OPERATION, (counted.row.service, operation), Extremes)
    return extremes is not None and extremes.known(OWNERS) and extremes.usual(OWNERS, 0.0) <= FEW_OWNERS


def is_nobodys(context: Context, operation: str, counted: Counted) -> bool:
    """Whether what the operation's lists gave in the window is for everybody, or only this principal ever got it.

    The first is a catalogue; the second grows with what one owns. Of other people's things, others hold some.
    """
    holders = context.peek(SERVICE, (counted.row.service,), Holders)
    if holders is None:
        return False
    sampled = public = others = 0
    for row, name, used in counted.used():
        if name == operation and used.given.values:
            ids: AbstractSet[int] = used.given.values
            known, foreign, many = holders.judge(ids, ids, value_hash32(unit_of(row)))
            sampled, public, others = sampled + known, public + many, others + len(foreign)
    if sampled < LEAST_SAMPLED:
        return False
    if public >= PUBLIC_SHARE * sampled:
        return True
    given = float(sum(used.given.count for _, name, used in counted.used() if name == operation))
    before = given - counted.by_operation.get(operation, {}).get("given", 0.0)
    return public + others <= OTHERS_OF_OWN * sampled and before >= KNOWN_OF_OWN * given


def walked(context: Context, operation: str, counted: Counted) -> Tuple[float, float]:
    """Return in decades how unusual it is to see so many different things in a week and none again, and how many.

    People come back to what they know, and meet again what is popular; who takes a collection goes through it once.
    """
    trail = counted.part.operations.get(operation)
    extremes = context.peek(OPERATION, (counted.row.service, operation), Extremes)
    walk = _walk(trail) if trail is not None else 0.0
    if trail is None or extremes is None or walk < LEAST_WALK or not extremes.known(WALK):
        return 0.0, 0.0
    tail = extremes.tail(WALK, walk, WALK_GRAIN, value_hash32(counted.row.principal))
    return decades(tail), max(trail.sums("objects")[2], trail.sums("given")[2])


def _walk(trail: Trail) -> float:
    """Return the different objects asked for (ids that lists gave) in seven days, by the share that they are of all."""
    requests, objects, records, given = (
        trail.sums(counter)[2] for counter in ("requests", "objects", "records", "given")
    )
    of_lists = given * given / max(records, given) if given else 0.0
    return max(of_lists, objects * objects / max(requests, objects) if objects else 0.0)


def futility(counted: Counted, operation: str) -> float:
    """Return how far the requests of the window repeat themselves and make the service work, 0–1.

    Who reads or writes one thing after the other proceeds, whether it had them last week or not, and so does who makes
    things (201); what is refused at the door (4xx, but for 429) costs nothing.
    """
    requests = objects = records = given = refused = made = 0.0
    for _, name, used in counted.used():
        if name == operation:
            requests += used.requests
            objects += used.object_count
            records += used.records
            given += used.given.count
            made += used.statuses.get(201, 0)
            refused += sum(count for status, count in used.statuses.items() if 400 <= status < 500 and status != 429)
    if not requests:
        return 0.0
    new = max(objects / requests, made / requests, given / records if records else 0.0)
    most = MOST_PROGRESS if reads(operation) else PROGRESS_OF_WORK
    return max(0.0, 1.0 - new / most) * (1.0 - min(1.0, refused / requests))


def mark_opened(counted: Counted) -> None:
    """Mark the different things of each row: fewer than requests where one is opened several times."""
    for _, name, used in counted.used():
        if used.objects and reads(name):
            counted.mark(name, OPENED, used.object_count)


def progress(counted: Counted, operation: str) -> float:
    """Return how far the requests of an hour (for lists: of the window) go on from one thing to the next, 0-1.

    People open one thing several times while they are at it; who takes a collection asks for each thing once.
    """
    trail = counted.part.operations.get(operation)
    opened = trail.sums(OPENED)[0] if trail is not None else 0.0
    if trail is not None and opened:
        return min(1.0, opened / max(1.0, trail.sums("requests")[0]))
    uses = [used for _, name, used in counted.used() if name == operation]
    records = sum(used.records for used in uses)
    return min(1.0, sum(used.given.count for used in uses) / records) if records else 0.0


def haste(context: Context, operation: str, counted: Counted) -> Tuple[float, float, float]:
    """Return in decades how unusual so many requests for nothing new in five minutes are, how many, and the usual.

    Beside the most of others who use the operation and of others at the service with any, whichever says less: an
    operation has its machines, and a service has some that are as fast as this elsewhere.
    """
    service, principal = counted.row.service, value_hash32(counted.row.principal)
    seen = counted.by_operation.get(operation, {}).get(AGAIN, 0.0)
    said, usual = [], 0.0
    for scope, key in ((OPERATION, (service, operation)), (SERVICE, (service,))):
        extremes = context.peek(scope, key, Extremes)
        if extremes is not None and extremes.known(RATE):
            said.append(decades(extremes.tail(RATE, seen, RATE_GRAIN, principal)))
            usual = max(usual, extremes.usual(RATE, RATE_GRAIN))
    return min(said, default=0.0), seen, usual


def learn(window: Window, context: Context) -> None:
    """Take from ordinary principals how much of what they do is one operation, how fast and how far they read it."""
    for key in window.by_principal:
        counted = context.tally.principals[key]
        principal = value_hash32(key[1])
        fastest = PACE
        for name, counts in counted.by_operation.items():
            extremes = context.part(OPERATION, (key[0], name), Extremes)
            odds = _odds(*_requests(counted, name))
            if odds > 0.0:
                extremes.take(SHARE, principal, odds)
            rate = max(PACE, counts.get(AGAIN, 0.0))
            extremes.take(RATE, principal, rate)
            fastest = max(fastest, rate)
            trail = counted.part.operations.get(name)
            walk = _walk(trail) if trail is not None else 0.0
            if walk:
                extremes.take(WALK, principal, walk)
        context.part(SERVICE, (key[0],), Extremes).take(RATE, principal, fastest)


def _requests(counted: Counted, operation: str, marking: bool = False) -> Tuple[float, float]:
    """Return the requests of an operation within seven days, and all of the principal."""
    trail = counted.part.operations.get(operation)
    hits = trail.sums("requests")[2] if trail is not None else 0.0
    trials = counted.part.total.sums("requests")[2]
    if marking:
        hits += counted.by_operation.get(operation, {}).get("requests", 0.0)
        trials += counted.counts.get("requests", 0.0)
    return hits, trials


def _odds(hits: float, trials: float) -> float:
    """Return the odds that a request is one of the hits; 0 when there are too few."""
    if trials < MONOTONY_LEAST or hits <= 0.0:
        return 0.0
    return min(MOST_ODDS, (hits + 0.5) / (max(0.0, trials - hits) + 0.5))
