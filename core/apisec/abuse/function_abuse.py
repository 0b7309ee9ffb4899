"""Functions that are not for this principal: broken function level authorisation (OWASP API5:2023).

Who may call what is learned from traffic: which operations the same principals use (``roles.Roles``). What tells is a
principal that is served by an operation which nearly nobody takes up, beside operations of another role, from a place
that nobody uses it from; or one that is refused (``refusals``) by operations that are for few, again and again.

One step is little: calls are worth at most ``2 + log2`` decades of their number, refusals ``.85 log2``. An operation
of a new deployment is new for everybody and so is taken up by many of the rows since it appeared. Testers are known by
refusals that began a week ago, their own or those of their network. Principals that last for a session only are judged
by what their client did in others.

False findings: the rate at which ordinary rows show a principal taking the operation up, or being refused so often,
learned over the service's life; networks count once. New staff that works as nobody of its role did is one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Sequence, Set

from apisec.abuse.base import PRINCIPAL, SERVICE, SLOTS_PER_DAY, Context, Observation, Window, decades
from apisec.abuse.base import observation as observed
from apisec.abuse.clients import SHARED_KINDS
from apisec.abuse.function_crowds import (
    MANY_REFUSING,
    NAME,
    YOUNG_SLOTS,
    refused_crowd,
    taken_up_crowd,
)
from apisec.abuse.habits import ANONYMOUS, LEARNED, NOT_LEARNED, REFUSED_SLOTS, WAITING, Habits, signature_of, unit_of
from apisec.abuse.matrix import EXPLAINED, OF_A_ROLE, PUBLIC
from apisec.abuse.refusals import refusals, refused_decades
from apisec.abuse.roles import Roles
from apisec.abuse.uses import Place, is_for_staff, tags_of
from apisec.activity.hashing import value_hash32
from apisec.activity.row import OTHER

if TYPE_CHECKING:
    from apisec.activity import Row
    from apisec.activity.operation import OperationActivity

LEAST_EVIDENCE = 1.0
OF_A_STEP = ("much", "named", "place", "repeated", "unexpected")  # features
# Who does nothing but what others do together is one more of their role: new staff, a session of theirs.
EXPLAINED_CAP, UNEXPECTED_CAP, OTHER_ROLE, MANY_TRIED = 2.0, 4.4, 0.5, 0.7
STAFF_CAP = 3.0  # who works for others already, and gets more to do
ALONE = 8  # requests to one operation of a role, and to none of those that its users use beside it
STRANGER_CAP = 5.5  # who takes up what is of a role from where nobody of that role works
PUBLIC_CAP = 3.0  # of what no role has for itself
DOUBTFUL = 3.0  # decades from which on it takes a week to be learned, not a day
NAMED = 0.5  # decades for a name that says it is not for everybody
# Who does what all do and calls a role's function again and again: who strays does so once, new staff does more of it.
REPEATED_CAP = 0.7
ROLES_SLOTS = 3 * SLOTS_PER_DAY  # until who uses what is known well enough to call somebody a stranger


class Step(NamedTuple):
    """An operation that served a principal which is not known to use it."""

    operation: str
    hashed: int
    served: int  # so far
    chance: float
    against: str  # the operation of another role that the principal uses, "" for none
    commonness: float  # how far those who use it do what everybody does
    explained: bool  # by what others use beside it
    alone: bool  # so far the principal was served by nothing else
    features: Dict[str, float]


class Who(NamedTuple):
    """Who a row is of: what it is used to, and what its client was refused over many sessions (else the same)."""

    row: Row
    unit: str
    habits: Habits
    client: Habits
    roles: Roles
    places: List[Place]

    def begins(self, operation: int) -> bool:
        """Whether it was first served by the operation today, and so was its client."""
        first = self.habits.operations[operation].first
        return self.row.slot - first <= SLOTS_PER_DAY and self.client.first(operation, first) >= first


class FunctionAbuse:
    name = NAME
    features = ("crowd", "much", "named", "place", "refused", "repeated", "roles", "unexpected")

    def observe(self, window: Window, context: Context) -> Iterable[Observation]:
        for service, rows in window.by_service.items():
            taken_up: Dict[int, str] = {}
            turned_away: Dict[int, str] = {}
            for row in rows:
                one = self._row(row, context, taken_up, turned_away)
                if one is not None:
                    yield one
            roles = context.part(SERVICE, (service,), Roles)
            for crowd in (
                refused_crowd(turned_away, rows, roles, context),
                *(taken_up_crowd(hashed, name, rows, roles, context) for hashed, name in sorted(taken_up.items())),
            ):
                if crowd is not None:
                    yield crowd

    def _row(
        self, row: Row, context: Context, taken_up: Dict[int, str], turned_away: Dict[int, str]
    ) -> Optional[Observation]:
        who = _who(row, context)
        away = refusals(row, who.habits, who.roles)
        new = _take(who, away, turned_away)
        if not new and not away:
            return None
        if away:
            _remember_refusals(who, context)
        if context.age(row.service) < YOUNG_SLOTS:
            return None
        # What it was served lately counts together, whatever of it lies in this row.
        habitual, young = _habitual(row.service, context), context.age(row.service) < ROLES_SLOTS
        judged = (_step(hashed, who, habitual, young) for hashed in who.habits.unlearned())
        steps = [one for one in judged if one is not None]
        for one in steps:
            if one.hashed in new and (one.alone or not one.explained) and who.begins(one.hashed):
                who.roles.take_up(one.hashed, row.principal, row.slot)
                taken_up[one.hashed] = one.operation
        if not away and not any(one.hashed in new for one in steps):
            return None
        return _judge(who, steps, bool(away), context)

    def learn(self, window: Window, context: Context) -> None:
        for row in window.rows:
            habits = context.part(PRINCIPAL, (row.service, row.principal), Habits)
            roles = context.part(SERVICE, (row.service,), Roles)
            roles.rows += 1.0
            unit = unit_of(row)
            client = habits if unit == row.principal else context.part(PRINCIPAL, (row.service, unit), Habits)
            _learn_row(row, habits, client, roles, context)
        for service in window.by_service:
            wait = 0 if context.age(service) < YOUNG_SLOTS else SLOTS_PER_DAY
            suspicious = _asking(context, service)
            context.part(SERVICE, (service,), Roles).learn(context.now_slot, suspicious, wait)


def _asking(context: Context, service: str) -> Any:
    return lambda principal: context.frozen(service, principal)


def served_of(used: OperationActivity) -> int:
    """Return how many requests were served (2xx, 3xx)."""
    return sum(count for status, count in used.statuses.items() if 200 <= status < 400)


def _places(row: Row) -> List[Place]:
    return sorted({Place(value_hash32(key.network), value_hash32(key.agent)) for key in row.clients})


def _learn_row(row: Row, habits: Habits, client: Habits, roles: Roles, context: Context) -> None:
    wait = 0 if context.age(row.service) < YOUNG_SLOTS else SLOTS_PER_DAY
    places: Optional[List[Place]] = None
    known = [one for one, habit in habits.operations.items() if habit.state != NOT_LEARNED]
    for name in row.operations:
        hashed = value_hash32(name)
        habit = habits.operations.get(hashed)
        if habit is None or not habit.served:
            continue
        use = roles.meet(hashed, name, row.slot)
        if habit.state == LEARNED:
            use.most = max(use.most, float(served_of(row.operations[name])))
        if habit.state == NOT_LEARNED:
            places = _places(row) if places is None else places
            fresh = client.first(hashed, habit.first) >= habit.first
            signed_in = row.kind != ANONYMOUS
            roles.wait(context.now_slot, row.principal, hashed, known, places, fresh=fresh, known=signed_in)
            habit.state = WAITING
            known.append(hashed)
        elif habit.state == WAITING and habit.first <= row.slot - wait:
            habit.state = LEARNED


def _who(row: Row, context: Context) -> Who:
    unit = unit_of(row)
    habits = context.part(PRINCIPAL, (row.service, row.principal), Habits)
    client = habits if unit == row.principal else context.part(PRINCIPAL, (row.service, unit), Habits)
    return Who(row, unit, habits, client, context.part(SERVICE, (row.service,), Roles), _places(row))


def _take(who: Who, away: Mapping[str, int], turned_away: Dict[int, str]) -> Set[int]:
    """Count the answers of a row; return the operations that served the principal and are not its habit."""
    row, new = who.row, set()
    for name, used in row.operations.items():
        served, refused = served_of(used), away.get(name, 0)
        if name == OTHER or not (served or refused):
            continue
        hashed = value_hash32(name)
        habit = who.habits.take(hashed, served, refused, row.slot)
        if served and habit.state != LEARNED:
            new.add(hashed)
        first = True
        if who.client is not who.habits:  # of a client's sessions one stands for all of a day
            first = row.slot - who.client.last_refused(hashed) > SLOTS_PER_DAY
            who.client.take(hashed, served, refused, row.slot)
        if not refused or habit.state == LEARNED:
            continue
        if who.roles.is_for_few(hashed):
            turned_away[hashed] = name
            if first:
                who.roles.deny(hashed, row.principal, row.slot)
    return new


def _remember_refusals(who: Who, context: Context) -> None:
    """Let it be habit in a day that this principal (and its network) is refused so often.

    Suspects too: a day later only those in a campaign that was told are left out, or no tester would ever be known.
    """
    total = sum(who.client.refused(who.row.slot).values())
    if total:
        own = tags_of(value_hash32(who.unit), who.places)
        who.roles.refuse(context.now_slot, who.row.principal, own, total.bit_length())


# --- judging ------------------------------------------------------------------------------------------------


def _step(hashed: int, who: Who, habitual: int, young: bool) -> Optional[Step]:
    """Return what is unexpected about an operation, or None."""
    roles = who.roles
    use, habit = roles.use(hashed), who.habits.operations[hashed]
    if who.client is not who.habits and who.client.first(hashed, habitual) <= habitual:
        return None  # a session of who did so before
    if use is None or not roles.is_for_few(hashed):  # has just appeared, or is for everybody
        return None
    others = who.habits.served()
    takers = roles.takers(hashed, who.row.principal)
    chance, telling = roles.chance(hashed, others, who.row.principal)
    served = max(habit.served, who.client.operations.get(hashed, habit).served)  # by all sessions of the client
    only = len(others) <= 1 and served >= ALONE
    explained = _is_explained(hashed, who, others, only)
    if only and not explained:
        chance *= roles.lonely(hashed)
    cap = EXPLAINED_CAP if explained else STAFF_CAP if _is_staff(who) else UNEXPECTED_CAP
    if cap >= UNEXPECTED_CAP and roles.is_of_a_role(hashed) and roles.unknown_places(hashed, who.places)[0]:
        cap = STRANGER_CAP
    named = is_for_staff(use.name)
    commonness = roles.commonness(hashed, takers)
    public = commonness >= PUBLIC
    if young or (public and not named):
        cap = min(cap, PUBLIC_CAP)
    evidence = min(cap, decades(chance), 2.0 + served.bit_length())
    if evidence < LEAST_EVIDENCE:
        return None
    features = {"unexpected": evidence, "place": 0.0 if public else roles.unusual_place(hashed, who.places)}
    if not public and not explained and use.name in who.row.operations:
        features["much"] = use.much(served_of(who.row.operations[use.name]))
    if named:
        features["named"] = NAMED
    if not young and not explained and roles.crosses(hashed, others):
        features["repeated"] = min(REPEATED_CAP, 0.5 * math.log10(max(1, served)))
    against = roles.use(telling)
    telling_name = against.name if against else ""
    alone = len(others) <= 1
    return Step(use.name, hashed, habit.served, chance, telling_name, commonness, explained, alone, features)


def _is_explained(hashed: int, who: Who, others: Sequence[int], only: bool) -> bool:
    """Whether who it is or what it does beside says why the operation serves it."""
    if who.row.kind in SHARED_KINDS and who.roles.renews(hashed, who.places):
        return True  # the program that did so before, by its next key
    if only:  # Having done nothing else says nothing; what its client did on earlier days does.
        known = who.client.known(who.row.slot - SLOTS_PER_DAY)
        others = [one for one in known if one != hashed and who.roles.is_signed_in(one)]
        if not others:
            return False
    return who.roles.explains(hashed, others)


def _is_staff(who: Who) -> bool:
    """Whether what it is used to is of roles: of few, who leave what everybody does to others."""
    known = who.habits.learned()
    return bool(known) and sum(who.roles.hides(one) for one in known) >= EXPLAINED * len(known)


def _judge(who: Who, steps: Sequence[Step], away: bool, context: Context) -> Optional[Observation]:
    row, roles = who.row, who.roles
    features = dict.fromkeys(FunctionAbuse.features, 0.0)
    best = max(steps, key=lambda one: (sum(one.features.values()), one.operation), default=None)
    if best is not None:
        features.update(best.features)
        if best.features["place"] > 0.0 and any(_is_of_another_role(best, one, roles) for one in steps):
            features["roles"] = OTHER_ROLE
        if sum(features.values()) >= DOUBTFUL:
            roles.doubt(row.principal, row.slot)
    refused = {one: count for one, count in who.client.refused(row.slot).items() if roles.is_for_few(one)}
    total = sum(refused.values())
    if total and away:
        own = tags_of(value_hash32(who.unit), who.places)
        is_new = context.age(row.service) < REFUSED_SLOTS
        features["refused"] = refused_decades(total, own, roles, _habitual(row.service, context), is_new)
        if features["refused"] > 0.0:
            if best is not None and (best.explained or best.commonness >= PUBLIC):
                features.update(dict.fromkeys(OF_A_STEP, 0.0))  # what it was served is another matter
            if len(refused) >= MANY_REFUSING:
                features["roles"] = MANY_TRIED
    if sum(features.values()) < LEAST_EVIDENCE or not (features["unexpected"] or features["refused"]):
        return None
    return _observation(row, steps, best, refused, features, roles, context)


def _habitual(service: str, context: Context) -> int:
    """Return the slot before which what somebody does must have begun to be a habit: a week ago, or when all began."""
    return max(context.now_slot - REFUSED_SLOTS, context.now_slot - context.age(service) + 2 * YOUNG_SLOTS)


def _is_of_another_role(one: Step, other: Step, roles: Roles) -> bool:
    """Whether two unexpected operations of roles are not used together by anybody."""
    return (
        one.hashed != other.hashed
        and max(one.commonness, other.commonness) < OF_A_ROLE
        and other.features["unexpected"] >= 2.0
        and not (one.explained or other.explained)
        and not roles.together(one.hashed, other.hashed)
    )


def _observation(
    row: Row,
    steps: Sequence[Step],
    best: Optional[Step],
    refused: Mapping[int, int],
    features: Mapping[str, float],
    roles: Roles,
    context: Context,
) -> Observation:
    named = [name for name in row.operations if value_hash32(name) in refused]
    served = best is not None and features["unexpected"] >= features["refused"]
    operation = best.operation if best is not None and served else (named[0] if named else "")
    said = _reasons(steps, best, refused, features)
    use = roles.use(best.hashed) if best is not None else None
    return observed(
        context,
        NAME,
        row,
        features,
        seen=float(best.served if best is not None and served else sum(refused.values())),
        expected=0.0,
        unit="requests to operations of another role" if served else "refused requests in seven days",
        basis="service",
        operation=operation,
        requests=sum(used.requests for name, used in row.operations.items() if name == operation or name in named),
        signature=signature_of(row),
        evidence={
            "operations": sorted(one.operation for one in steps)[:16],
            "refused_operations": sorted(named)[:16],
            "refused": sum(refused.values()),
            "adopters": round(use.adopters) if use is not None else 0,
            "principals": round(roles.principals),
        },
        reasons=said,
        examples=(*row.examples.get("refused", ()), *row.examples.get("any", ())),
    )


def _reasons(
    steps: Sequence[Step], best: Optional[Step], refused: Mapping[int, int], features: Mapping[str, float]
) -> List[str]:
    said: List[str] = []
    if best is not None and features["unexpected"] >= LEAST_EVIDENCE:
        said.append(
            f"{best.operation} served this principal {best.served} times; ordinary here: 1 in"
            f" {1.0 / max(best.chance, 1e-9):,.0f} rows is of a principal that takes it up"
        )
        if best.against:
            said.append(f"it also uses {best.against}, which nobody ordinary uses beside {best.operation}")
        if features["repeated"] > 0.0:
            said.append("it does what everybody does, too, and so is no new member of that role")
        if features["place"] > 0.3:
            said.append("nobody uses it from this network or with this agent")
    if features["refused"] > 0.0:
        said.append(
            f"{len(refused)} operations that are for few refused it {sum(refused.values())} times in seven days"
        )
    if features["roles"] > 0.0 and len(steps) > 1:
        others: Set[str] = {one.operation for one in steps if best is None or one.operation != best.operation}
        said.append(f"operations of several roles by one principal: also {', '.join(sorted(others)[:4])}")
    return said
