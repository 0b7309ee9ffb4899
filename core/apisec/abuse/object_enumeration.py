"""Objects by ids that nobody gave to the principal: broken object level authorisation (OWASP API1:2023).

What is unusual is not an id but a share: of the objects that an operation was asked for, those whose ids no response
had given to this principal. Where a client brings ids from elsewhere (a mail, a partner's database, bodies that are not
visible) ordinary principals do so too, and the fitted population says how many. What else an enumeration shows adds to
it only as far as the objects are neither issued nor everybody's: that others hold them, that the owners in the
responses are others, that the ids are neighbours, and how many there are. Ids that nobody gave and that are refused
say enough by themselves: who brings ids from elsewhere brings such as there are.

False findings: the population's tail holds for a day of an ordinary principal, whatever its share, as far as what is
ordinary now was so in the weeks before. One or two ids never make a finding (``STEP``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Tuple

from apisec.abuse.base import OPERATION, PRINCIPAL, SERVICE, SLOTS_PER_DAY, Context, Observation, Window, decades
from apisec.abuse.base import observation as observed
from apisec.abuse.counters import PrincipalCounters
from apisec.abuse.daily import Measured
from apisec.abuse.habits import signature_of, unit_of
from apisec.abuse.object_crowds import NAME, is_mule, object_crowd
from apisec.abuse.object_shares import ObjectShares
from apisec.abuse.ownership import Owners, OwnerShares
from apisec.abuse.provenance import Day, Holders, Provenance
from apisec.abuse.rarity import Population
from apisec.activity.hashing import value_hash32
from apisec.activity.row import OTHER
from apisec.statistics import beta_cdf

if TYPE_CHECKING:
    from apisec.activity import OperationActivity, Row

YOUNG_SLOTS = SLOTS_PER_DAY  # a service of which nothing is remembered gave all its ids before
LEAST_EVIDENCE = 1.0  # decades below which nothing is said
STEP = 1.5  # decades that each unissued object can be worth: one is none
# What corroborates is capped: it depends on the same requests, and none of it is an enumeration by itself.
FOREIGN_CAP, OWNERS_CAP, WALK_CAP, MANY_CAP, BESIDE_CAP = 2.0, 2.0, 2.0, 3.0, 3.0
PEER_OBJECTS = 8.0  # of one of the same day: who is many says that a release changed something, not who asks for much
UNISSUED = "@unissued"  # measure of a service: of all objects asked for, those that nobody had given
MISSED, MANY_GROUPS = "@missed", 100.0  # measure of a service; principals (and days) by which an operation says enough
MISSED_CAP = 6.0  # of ids that nobody gave it, those that are refused: by themselves a search for what is there
WEAK = 0.02  # chance below which a principal's day counts as weak evidence against its operation
WEAK_OBJECTS = 2
# Decades beside the unissued ids; without them, somebody may just be back with ids of his own.
CORROBORATED, UNCORROBORATED_CAP = 0.5, 4.5
LEAST_PEERS = 6.0  # principals (and days) to be compared with
HABIT_OBJECTS = 20
BLIND_MEAN, BLIND_CAP = 0.5, 5.0
WEEK_DAYS = 7


class Evidence(NamedTuple):
    """Decades by feature of one principal and operation, and the counts that they come from."""

    features: Dict[str, float]
    day: Day
    expected: float
    horizon: str
    basis: str
    owners: Tuple[str, float, float]  # field, others', all
    alone: float  # decades of the unissued ids by what was learned, the others of the day left out
    peers: float  # objects expected in the horizon by peers


class ObjectEnumeration:
    name = NAME
    features = ("crowd", "foreign", "many", "owners", "refused", "unissued", "walked")

    def observe(self, window: Window, context: Context) -> Iterable[Observation]:
        found: List[Observation] = []
        weak: Dict[Tuple[str, str], List[Row]] = {}
        peers: Peers = {}
        # All are counted before any is judged: a principal's peers are those of the same window too.
        taken = [one for each in window.rows for one in self._take(each, context)]
        for row, name in taken:
            evidence = _evidence(row, name, context, peers)
            if evidence is None:
                continue
            if _is_weak(evidence) or is_mule(row, context):
                weak.setdefault((row.service, name), []).append(row)
            if sum(evidence.features.values()) >= LEAST_EVIDENCE:
                found.append(_observation(row, name, row.operations[name], evidence, context))
        for (service, operation), rows in sorted(weak.items()):
            crowd = object_crowd(service, operation, rows, context)
            if crowd is not None:
                found.append(crowd)
        return found

    def _take(self, row: Row, context: Context) -> Iterator[Tuple[Row, str]]:
        """Count a row; yield the operations that were asked for objects which nobody had given to the principal.

        A client that begins a session anew keeps the ids of the last one: what it was given and asks for is counted
        over all its sessions, what is usual is learned from sessions.
        """
        asking = [(name, used) for name, used in row.operations.items() if used.objects and name != OTHER]
        if not asking and not row.issued and not row.owners:
            return
        key, unit = (row.service, row.principal), unit_of(row)
        provenance = context.part(PRINCIPAL, key, Provenance)
        client = provenance if unit == row.principal else context.part(PRINCIPAL, (row.service, unit), Provenance)
        if row.owners:
            context.part(PRINCIPAL, key, Owners).take(row)
        if asking:
            holders = context.part(SERVICE, (row.service,), Holders)
            tag = value_hash32(unit)
            day = row.slot // SLOTS_PER_DAY
            for name, used in asking:
                hashed = value_hash32(name)
                if client is not provenance:
                    provenance.take(row, hashed, used, holders, tag, client.issued)
                new = client.take(row, hashed, used, holders, tag, provenance.issued)
                shares = context.part(OPERATION, (row.service, name), ObjectShares)
                weak = row.principal in shares.suspects(day)
                shares.measure(day, row.principal, row.kind, _measured(provenance.asked[hashed].days[day], weak))
                if new.unissued:
                    yield row, name
        everybodys = context.peek(SERVICE, (row.service,), Holders)
        provenance.give(row, everybodys)
        if client is not provenance:
            client.give(row, everybodys)

    def learn(self, window: Window, context: Context) -> None:
        services = set()
        for row in window.rows:
            asking = [name for name, used in row.operations.items() if used.objects and name != OTHER]
            key = (row.service, row.principal)
            day = row.slot // SLOTS_PER_DAY
            services.add(row.service)
            if row.issued or asking:
                tag = value_hash32(unit_of(row))
                holders = context.part(SERVICE, (row.service,), Holders)
                holders.hold(row.issued, tag, day)
                for name in asking:
                    holders.hold(row.operations[name].objects, tag, day)
            if row.owners or asking:
                shown = context.part(PRINCIPAL, key, Owners).today(day)
                asked = context.part(PRINCIPAL, key, Provenance).on(day)
                measured = {**shown, **_everywhere(asked)}
                context.part(SERVICE, (row.service,), OwnerShares).measure(day, row.principal, row.kind, measured)
        self._ripen(window, services, context)

    def _ripen(self, window: Window, services: Iterable[str], context: Context) -> None:
        for service in services:
            owners = context.part(SERVICE, (service,), OwnerShares)
            owners.learn(context.now_slot, _asking(context, service), _wait(service, context))
        for service, name in window.by_operation:
            shares = context.peek(OPERATION, (service, name), ObjectShares)
            if shares is not None:
                context.part(OPERATION, (service, name), ObjectShares)
                shares.learn(context.now_slot, _asking(context, service), _wait(service, context))


def _wait(service: str, context: Context) -> int:
    return 0 if context.age(service) < 2 * SLOTS_PER_DAY else 1


def _asking(context: Context, service: str) -> Any:
    return lambda principal: context.frozen(service, principal)


def _measured(day: Day, weak: bool) -> Measured:
    objects = float(day.objects)
    found = {
        "unissued": (float(day.unissued), objects),
        "foreign": _met(day),
        "walked": (float(day.walked), objects),
        "missed": (float(day.missed), objects),
        "weak": (float(weak), 1.0),
    }
    return {name: pair for name, pair in found.items() if pair[1] > 0.0}


def _everywhere(day: Day) -> Measured:
    """Return what the objects of a day say of the whole service."""
    objects = float(day.objects)
    return {MISSED: (float(day.missed), objects), UNISSUED: (float(day.unissued), objects)} if objects else {}


def binomial_tail(hits: int, trials: int, rate: float) -> float:
    """Return the chance of at least ``hits`` of ``trials``."""
    return beta_cdf(rate, float(hits), float(max(0, trials - hits) + 1)) if hits else 1.0


def few(hits: float, trials: float) -> Tuple[float, float]:
    """Return a share as one of few trials."""
    return (hits, trials) if trials <= PEER_OBJECTS else (hits * PEER_OBJECTS / trials, PEER_OBJECTS)


def _met(day: Day) -> Tuple[float, float]:
    """Return how many others beyond the first one hold what it asked for; the first may be its former self."""
    return max(0.0, day.foreign - 1.0), float(day.sampled)


# --- one principal ------------------------------------------------------------------------------------------


def _evidence(row: Row, name: str, context: Context, peers: Peers) -> Optional[Evidence]:
    """Return what a principal's objects of an operation say; None when there is nobody to compare it with."""
    provenance = context.part(PRINCIPAL, (row.service, unit_of(row)), Provenance)
    shares = context.part(OPERATION, (row.service, name), ObjectShares)
    today = row.slot // SLOTS_PER_DAY
    asked = provenance.asked[value_hash32(name)]
    learned = shares.population(row.kind, "unissued")
    population, basis = _population(row, name, learned, shares, context, peers)
    if population is None:
        return None
    past = asked.total(0, today - 1)
    day, week = asked.days[today], asked.total(today - WEEK_DAYS + 1, today)
    short = population.tail(day.unissued, day.objects, past.unissued, past.objects)
    long = population.tail(week.unissued, week.objects)
    # Who brings ids from elsewhere does so with all that it does; who does not, may still here.
    ever = provenance.before(today)
    short = max(short, population.tail(day.unissued, day.objects, ever.unissued, ever.objects))
    if basis == "default":  # nobody else's week is known: its own days before are no evidence, but its habit
        long = 1.0
    counts, horizon, p_value = (day, "a day", short) if short <= long else (week, "seven days", long)
    # Of what was given some is not known any more, or was cut off: as large a share may be missed by chance.
    unseen = decades(binomial_tail(counts.unissued, counts.objects, 1.0 - provenance.sure))
    unissued = min(decades(p_value, trials=2.0), STEP * (counts.unissued - 1), unseen)
    strange = (counts.unissued / counts.objects) if counts.objects else 0.0
    if counts.sampled:
        strange *= 1.0 - counts.public / counts.sampled
    owners = _owners(row, context, today)
    expected, many = _many(row, name, context)
    # Where nobody's ids come from responses (bodies are not visible), whose objects they are has to tell.
    blind = population.mean > BLIND_MEAN
    foreign = _extra(shares, row.kind, "foreign", *_met(counts), BLIND_CAP if blind else FOREIGN_CAP)
    # Where ordinary ids come from elsewhere, few of those are refused.
    missed = min(MISSED_CAP, _missed(row, shares, counts, context))
    features = {
        "unissued": unissued,
        "foreign": strange * foreign,
        "refused": min(missed, max(0.0, STEP * (counts.missed - 1))),
        "owners": strange * owners[1],
        "walked": strange * _extra(shares, row.kind, "walked", counts.walked, counts.objects, WALK_CAP),
        "many": strange * many,
    }
    main = max(("unissued", "refused", "foreign") if blind else ("unissued", "refused"), key=lambda one: features[one])
    beside = {one: min(BESIDE_CAP, value) for one, value in features.items() if one not in (main, "unissued")}
    if main != "unissued":  # what says the same twice counts once
        features["unissued"] = 0.0
    if main == "unissued" and sum(beside.values()) < CORROBORATED:
        features[main] = min(features[main], UNCORROBORATED_CAP)
    # What corroborates is worth no more than what it corroborates.
    share = min(1.0, features[main] / max(sum(beside.values()), 1e-9))
    features.update((feature, share * value) for feature, value in beside.items())
    if past.objects >= HABIT_OBJECTS and short <= long:
        basis = "own habit"
    if blind:
        basis = "holders"
    alone = decades(learned.tail(day.unissued, day.objects, past.unissued, past.objects))
    return Evidence(features, counts, population.mean * counts.objects, horizon, basis, owners[0], alone, expected)


Peers = Dict[Tuple[str, str, int], Population]  # by service, operation and day, of one window


def _population(
    row: Row, name: str, learned: Population, shares: ObjectShares, context: Context, window_peers: Peers
) -> Tuple[Optional[Population], str]:
    """Return whom the principal is compared with: what was learned of its kind, and the others of the day so far.

    A release after which clients keep ids shows in all of them at once. A service's first day has nothing but the
    others of the day, and of those there have to be some.
    """
    today = row.slot // SLOTS_PER_DAY
    suspicious = _asking(context, row.service)
    every = window_peers.get((row.service, name, today))
    if every is None:
        every = window_peers[(row.service, name, today)] = shares.of_day(today, "unissued", suspicious, few)
    peers = every.copy()
    if not suspicious(row.principal):
        peers.remove(*few(*shares.of_one(today, "unissued", row.principal)))
    if learned.groups >= LEAST_PEERS:
        basis = "operation"
    elif peers.groups >= LEAST_PEERS:
        basis = "peers"
    else:  # what few ask for is like what the service's other operations are asked for
        basis = "default"
        shown = context.peek(SERVICE, (row.service,), OwnerShares)
        elsewhere = shown.population(row.kind, UNISSUED) if shown is not None else Population()
        if elsewhere.groups < LEAST_PEERS:
            return None, ""
        peers.merge(elsewhere.scaled(LEAST_PEERS))
    peers.merge(learned)
    return peers, basis


def _is_weak(evidence: Evidence) -> bool:
    """Whether it is evidence against the operation, if not enough against the principal.

    Something beside the ids has to say so: a mailing brings many people to what is theirs.
    """
    beside = sum(evidence.features.values()) - evidence.features["unissued"]
    return evidence.day.unissued >= WEAK_OBJECTS and evidence.alone >= decades(WEAK) and beside >= CORROBORATED


def _extra(shares: ObjectShares, kind: str, measure: str, hits: float, trials: float, cap: float) -> float:
    if not hits:
        return 0.0
    return min(cap, decades(shares.population(kind, measure).tail(hits, trials), trials=2.0))


def _missed(row: Row, shares: ObjectShares, counts: Day, context: Context) -> float:
    """Return the decades of unissued ids that are refused; where few ask the operation, by what all of them show."""
    if not counts.missed:
        return 0.0
    here = shares.population(row.kind, "missed")
    everywhere = context.peek(SERVICE, (row.service,), OwnerShares)
    if everywhere is not None and here.groups < MANY_GROUPS:
        here = everywhere.population(row.kind, MISSED)
    return decades(here.tail(counts.missed, counts.objects), trials=2.0)


def _owners(row: Row, context: Context, today: int) -> Tuple[Tuple[str, float, float], float]:
    """Return the field whose owners are most surely others', and the decades."""
    best: Tuple[Tuple[str, float, float], float] = (("", 0.0, 0.0), 0.0)
    if not row.owners:
        return best
    owners = context.peek(PRINCIPAL, (row.service, row.principal), Owners)
    shares = context.peek(SERVICE, (row.service,), OwnerShares) or OwnerShares()
    for field, (foreign, shown) in (owners.today(today) if owners else {}).items():
        found = min(OWNERS_CAP, decades(shares.population(row.kind, field).tail(foreign, shown), trials=2.0))
        if found > best[1]:
            best = ((field, foreign, shown), found)
    return best


def _many(row: Row, name: str, context: Context) -> Tuple[float, float]:
    """Return how many objects a day peers ask the operation for, and the decades of this principal's number."""
    counters = context.peek(PRINCIPAL, (row.service, row.principal), PrincipalCounters)
    trail = counters.operations.get(name) if counters is not None else None
    if trail is None:
        return 0.0, 0.0
    seen = trail.sums("objects")[1]
    key = (row.service, name, row.principal)
    tail = context.expectations.tail("objects", "principal@operation", key, "1d", context.now_slot, seen)
    return tail.expected, min(MANY_CAP, decades(tail.p, trials=2.0))


def _observation(row: Row, name: str, used: OperationActivity, found: Evidence, context: Context) -> Observation:
    day = found.day
    return observed(
        context,
        NAME,
        row,
        found.features,
        seen=day.unissued,
        expected=round(found.expected, 2),
        unit=f"objects in {found.horizon} that no response had given to it",
        basis=found.basis,
        operation=name,
        first=used.first,
        last=used.last,
        requests=used.requests,
        evidence={
            "objects": day.objects,
            "unissued": day.unissued,
            "foreign": day.foreign,
            "walked": day.walked,
            "refused": day.refused,
            "horizon": found.horizon,
            "names": sorted(used.object_names),
        },
        reasons=_reasons(name, used, found),
        examples=(*row.examples.get("object", ()), *row.examples.get("refused", ())),
        signature=signature_of(row),
    )


def _reasons(name: str, used: OperationActivity, found: Evidence) -> List[str]:
    day, features = found.day, found.features
    what = min(used.object_names, default="object ids")
    said = [
        f"{name} was asked for {day.objects} different objects ({what}) in {found.horizon}, {day.unissued} of them by"
        f" ids that no response had given to this principal; ordinary here: {found.expected:.1f} of {day.objects}"
    ]
    if features["foreign"] > 0.5:
        said.append(f"{day.sampled} of the objects are known, and belong to {day.foreign} other principals")
    if features["owners"] > 0.5:
        field, foreign, shown = found.owners
        said.append(f"{foreign:.0f} of {shown:.0f} responses of the day name another owner ({field}) than its own")
    if features["walked"] > 0.5:
        said.append(f"{day.walked} of the ids are neighbours of another one: they were counted through")
    if features["refused"] > 0.5:
        said.append(f"{day.refused} of them were refused or not found (401, 403, 404)")
    if features["many"] > 0.5:
        said.append(f"its peers ask for about {found.peers:.1f} different objects a day")
    return said
