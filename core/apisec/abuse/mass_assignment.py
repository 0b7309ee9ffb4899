"""Members that only the server may set, sent along and taken: mass assignment (OWASP API3:2023).

What tells is a request field that nobody has sent to this operation, under a name that would give rights, a state,
money or somebody else's things, and that the API answers with success. A deployment's new field comes from many
principals; an operation that takes any member (tags, metadata) shows new ones all the time, and so teaches that they
are nothing.

False findings: the rate at which ordinary rows of the operation (shrunk to the service's) bring a field that it never
had, times the share of such fields that are called so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from apisec.abuse.base import OPERATION, SERVICE, SLOTS_PER_DAY, Context, Observation, Window, decades
from apisec.abuse.base import observation as observed
from apisec.abuse.shapes import Changes, Fields, Novelty, merged_names, telling
from apisec.activity.hashing import value_hash32
from apisec.activity.row import OTHER

if TYPE_CHECKING:
    from apisec.activity import Row
    from apisec.activity.operation import OperationActivity

NAME = "mass_assignment"
LEAST_EVIDENCE, LEAST_NEW = 1.5, 1.5
LEAST_ROWS = 20.0  # of an operation before a field can be called new
YOUNG_SLOTS = SLOTS_PER_DAY
ACCEPTED, REPEATED_CAP = 0.7, 0.7  # decades for an answer of success, and for saying it again and again
SEVERAL, SEVERAL_CAP = 0.7, 2.1  # decades for each further member of such a name that is tried beside it
REFUSED_SHARE = 0.5  # of what a name tells, when the API refused it
# What no name tells, or the API refused, must be able to become ordinary: less than the 4 decades from which on a
# window teaches nothing.
PLAIN_CAP = 3.5
# A client that sends a record back whole sends when it was created, too: alone and once it is no finding.
WRITTEN, WRITTEN_CAP = 1.0, 3.0
ADOPTED = 4  # principals by whom a field that tells nothing is a new version's
ORDINARY = 8  # known senders from which on a field is ordinary


class New(NamedTuple):
    """A field that is new for an operation, with its decades by feature."""

    field: str
    kind: str
    requests: int
    senders: int
    chance: float
    features: Dict[str, float]


class MassAssignment:
    name = NAME
    features = ("accepted", "new", "repeated", "several", "telling")

    def observe(self, window: Window, context: Context) -> Iterable[Observation]:
        found: List[Observation] = []
        for (service, name), pairs in sorted(window.by_operation.items()):
            if name == OTHER or context.age(service) < YOUNG_SLOTS:
                continue
            known = context.peek(OPERATION, (service, name), Fields)
            if known is None or known.rows < LEAST_ROWS:
                continue
            changes = context.peek(SERVICE, (service,), Changes) or Changes()
            senders = _senders(pairs)
            for row, used in pairs:
                new = _newest(row, used, known, changes, senders)
                if new is not None and sum(new.features.values()) >= LEAST_EVIDENCE:
                    found.append(_observation(row, name, used, new, known, context))
        return found

    def learn(self, window: Window, context: Context) -> None:
        for (service, name), pairs in window.by_operation.items():
            if name == OTHER:
                continue
            named = [(row, merged_names(used.fields)) for row, used in pairs if used.fields]
            named = [(row, fields) for row, fields in named if fields]
            known = context.peek(OPERATION, (service, name), Fields)
            if not named and known is None:
                continue
            known = context.part(OPERATION, (service, name), Fields)
            changes = context.part(SERVICE, (service,), Changes)
            at_once = context.age(service) < YOUNG_SLOTS or known.rows < LEAST_ROWS
            for _, used in pairs:
                if used.fields and not used.failures:
                    known.learn_types(used.fields)
            for row, fields in named:
                known.learn_row(row.slot, row.principal, value_hash32(row.principal), fields, at_once)
                changes.rows += 1.0
            changes.sudden += known.ripen(context.now_slot, _asking(context, service))


def _asking(context: Context, service: str) -> Any:
    return lambda principal: context.frozen(service, principal)


def _senders(pairs: Sequence[Tuple[Row, OperationActivity]]) -> Dict[str, Set[str]]:
    """Return who sends which field in the window."""
    found: Dict[str, Set[str]] = {}
    for row, used in pairs:
        for name in merged_names(used.fields):
            found.setdefault(name, set()).add(row.principal)
    return found


def _newest(
    row: Row, used: OperationActivity, known: Fields, changes: Changes, senders: Mapping[str, Set[str]]
) -> Optional[New]:
    """Return the new field of a row that tells most."""
    tag = value_hash32(row.principal)
    served = sum(count for status, count in used.statuses.items() if 200 <= status < 400)
    found: List[New] = []
    for field, requests in merged_names(used.fields).items():
        others = known.senders(field, tag)
        if others >= ORDINARY:
            continue
        worth, kind = telling(field)
        chance = changes.chance(Novelty(known.rows, known.sudden))
        if others:  # some send it, if seldom: a staff's member, an older client's
            chance = max(chance, (others + 0.5) / (known.rows + 1.0), known.field(field).rows / (known.rows + 1.0))
        elif not worth and len(senders[field]) >= ADOPTED:
            continue
        cap = PLAIN_CAP if not (worth and served) else WRITTEN_CAP if worth <= WRITTEN else math.inf
        new = min(cap, decades(chance))
        if new < LEAST_NEW:
            continue
        features = {
            "new": new,
            "telling": worth if served else REFUSED_SHARE * worth,
            "accepted": ACCEPTED * served / used.requests if worth and used.requests else 0.0,
            "repeated": min(REPEATED_CAP, 0.5 * math.log10(max(1, requests))) if worth and served else 0.0,
        }
        found.append(New(field, kind, requests, others, chance, features))
    best = max(found, key=lambda one: (sum(one.features.values()), one.field), default=None)
    if best is not None and best.kind:
        others = sum(one.kind != "" for one in found) - 1
        best.features["several"] = min(SEVERAL_CAP, SEVERAL * others)
    return best


def _observation(
    row: Row, name: str, used: OperationActivity, new: New, known: Fields, context: Context
) -> Observation:
    served = sum(count for status, count in used.statuses.items() if 200 <= status < 400)
    gain = f", which would set {_GAINS[new.kind]}" if new.kind else ""
    said = [
        f"{name} was sent {new.field}{gain}, in {new.requests} requests; {new.senders or 'no'} other principals have"
        f" ever sent it in {known.rows:,.0f} rows; ordinary here: a new field in 1 of {1.0 / new.chance:,.0f} rows"
    ]
    if served:
        said.append(f"{served} of {used.requests} requests were answered with success")
    return observed(
        context,
        NAME,
        row,
        new.features,
        seen=float(new.requests),
        expected=round(new.chance * used.requests, 5),
        unit=f"requests with {new.field}",
        basis="operation" if known.rows >= 500.0 else "service",
        operation=name,
        first=used.first,
        last=used.last,
        requests=used.requests,
        evidence={"field": new.field, "gain": new.kind, "senders": new.senders, "answered": served},
        reasons=said,
        examples=row.examples.get("any", ()),
        signature=new.field,
    )


_GAINS = {
    "rights": "rights",
    "state": "a state that is the server's to decide",
    "money": "money or a limit",
    "owner": "whose it is",
}
