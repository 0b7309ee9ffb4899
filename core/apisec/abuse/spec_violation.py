"""Violations of the specification: requests that the API refuses as malformed, or breaks on.

A broken release or an outage befalls many at once and is a wave (``tally``) that has a cause (``breakages``). Who tries
what the API makes of odd input is alone with it, or goes about it with many clients that have nothing else in common.

A client that is broken sends the same again and again. Who looks for what breaks has to vary it: other operations,
members, types, or none where all send some, until one is refused in another way. So how different the refused requests
are counts beside how many; what is amiss with those of five minutes to one operation is one kind, however much it is.
What carries members that nobody sends to the operation is counted for the service as a whole, too: each source may do
little.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Dict, List, Set, Tuple

from apisec.abuse.base import OPERATION, PRINCIPAL_OPERATION, SERVICE, Context, Window
from apisec.abuse.breakages import MALFORMED, Ways, accident, learn_clients
from apisec.abuse.crowds import Crowd, CrowdFamily, Whole
from apisec.abuse.doors import names_accounts
from apisec.abuse.shapes import Fields, field_of
from apisec.abuse.tally import Counted
from apisec.abuse.weighing import Claim, Total, Weighed, weigh
from apisec.activity.hashing import value_hash32
from apisec.activity.parts import add_counts

LEAST = 8  # so often does somebody try again who meets a form or a client that is broken
LEAST_ALIKE, ALIKE_CAP = 40, 4.0  # of one kind only, below which it is a client that is broken; decades
LEAST_KINDS, KINDS_CAP = 4, 4.0  # ways to be refused: a form, its upload, another version of it; decades
LEAST_ROWS = 20.0  # of an operation, from which on a member is known to be one that nobody sends
BROKEN = frozenset((500, 501, 505))  # a gateway's 502 to 504 speak of the network and of load
ODD = MALFORMED | BROKEN
COUNTED_5XX = range(500, 1000)
COUNTED_4XX = frozenset(range(400, 500)) - {401, 403, 404, 429}  # together in one counter of the tally


KINDS = "malformed"  # what principals and services remember them as
# Who integrates a client, or tests one, meets many refusals too, if few of each: no finding by itself.
KINDS_CLAIM = Claim(
    "kinds",
    "kinds_malformed",
    "kinds of malformed requests",
    least=LEAST_KINDS,
    group="kinds",
    example="failure",
    cap=KINDS_CAP,
)


class SpecViolation(CrowdFamily):
    name = "spec_violation"
    unit = "malformed or broken requests"
    claims = (
        Claim("malformed", "malformed", unit, least=LEAST, group="refused", example="failure", of="requests"),
        Claim("here", "malformed", unit, PRINCIPAL_OPERATION, LEAST, "refused", example="failure", of="requests"),
        KINDS_CLAIM,
    )
    totals = (Total("total", "malformed", unit, per="requests", example="failure"),)
    wholes = (Whole("novel", "odd_members", "members of malformed requests that nobody sends"),)

    def mark(self, counted: Counted, context: Context) -> None:
        kinds: Set[int] = set()
        odd: Set[int] = set()
        for name, statuses in _failures(counted, context).items():
            malformed = self._malformed(counted, context, name, statuses)
            counted.mark(name, "malformed", malformed)
            if 2 * malformed >= sum(count for status, count in statuses.items() if status in ODD):
                amiss, strange = _amiss(counted, context, name)
                # One fault of many clients is one way to be refused, whatever it is.
                ways = {
                    value_hash32(f"{status}\x1f{amiss}") if amiss else status: count
                    for status, count in statuses.items()
                    if status in ODD
                }
                context.part(OPERATION, (counted.row.service, name), Ways).add(ways, context.now_slot)
                kinds |= {value_hash32(f"{name}\x1f{way}") for way in ways}
                odd |= strange
        if kinds:
            counted.mark("", "kinds_malformed", counted.part.fresh(KINDS, kinds, context.now_slot))
        if odd:
            crowd = context.part(SERVICE, (counted.row.service,), Crowd)
            counted.mark("", "odd_members", crowd.fresh(KINDS, odd, context.now_slot))

    @staticmethod
    def _malformed(counted: Counted, context: Context, name: str, statuses: Mapping[int, int]) -> float:
        """Return how many requests to an operation were malformed, less what a wave explains that has a cause."""
        left = counted.by_operation.get(name, {})
        odd = sum(count for status, count in statuses.items() if status in MALFORMED)
        kept = _kept(left.get("s4xx", 0.0), statuses, COUNTED_4XX)
        if odd and kept < 1.0 and not accident(context, counted, name):
            kept = 1.0
        broken = float(sum(count for status, count in statuses.items() if status in BROKEN))
        return odd * kept + broken * _kept(left.get("s5xx", 0.0), statuses, COUNTED_5XX)

    def _weigh(self, counted: Counted, context: Context) -> List[Weighed]:
        found = super()._weigh(counted, context)
        if found and counted.counts.get("malformed") and not counted.counts.get("kinds_malformed"):
            # What comes again in a way that was seen makes those before none less different.
            kinds = weigh(context, KINDS_CLAIM, counted.key, counted.part.total)
            found += [kinds] if kinds else []
        memory = counted.part.memories.get(KINDS)
        if memory is not None and len(memory) > 1:
            return found
        return [one if one.seen >= LEAST_ALIKE else one._replace(decades=min(one.decades, ALIKE_CAP)) for one in found]

    def totalled(self, features: Dict[str, float], context: Context, key: Tuple[str, str]) -> Dict[str, float]:
        ways = context.peek(OPERATION, key, Ways)
        if ways is None or not ways.alike(context.now_slot):
            return features
        return {name: min(value, ALIKE_CAP) for name, value in features.items()}

    def learn(self, window: Window, context: Context) -> None:
        super().learn(window, context)
        learn_clients(window.by_service.items(), context)


def _amiss(counted: Counted, context: Context, name: str) -> Tuple[str, Set[int]]:
    """Return what is amiss with what the principal sent to an operation, and the members that nobody else sends."""
    known = context.peek(OPERATION, (counted.row.service, name), Fields)
    if known is None or known.rows < LEAST_ROWS or known.takes_any:
        return "", set()
    own = value_hash32(counted.row.principal)
    keys = {key for _, of, used in counted.used() if of == name for key in used.fields}
    members = {field_of(key) for key in keys} - {""}
    strange = {value_hash32(f"{name}\x1f{one}") for one in members if not known.ordinary(one, own)}
    return "\x1f".join(sorted(known.amiss(keys, own))), strange


def _failures(counted: Counted, context: Context) -> Dict[str, Dict[int, int]]:
    """Return how the principal's failing operations were answered in the window.

    A wrong password is refused with 400 or 422 here and there, and is nothing malformed.
    """
    found: Dict[str, Dict[int, int]] = {}
    for row, name, used in counted.used():
        if any(status >= 400 for status in used.statuses) and not names_accounts(context, row.service, name, used):
            add_counts(found.setdefault(name, {}), used.statuses)
    return found


def _kept(left: float, statuses: Mapping[int, int], counted: Container[int]) -> float:
    """Return the share of the failures of a kind that no wave explains."""
    raw = sum(count for status, count in statuses.items() if status in counted)
    return left / raw if raw else 0.0
