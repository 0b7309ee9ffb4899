"""Reconnaissance: asking for what is not there: /.env, /admin, methods and paths that answer nobody."""

from __future__ import annotations

from apisec.abuse.base import OPERATION, Context
from apisec.abuse.counting import Claim, CountingFamily
from apisec.abuse.doors import names_accounts
from apisec.abuse.tally import Counted, OperationTraffic
from apisec.activity import OTHER
from apisec.activity.hashing import value_hash32


class Reconnaissance(CountingFamily):
    name = "reconnaissance"
    claims = (Claim("dead", "dead", "different operations that answer nobody", least=2, example="failure"),)
    totals = ()

    def mark(self, counted: Counted, context: Context) -> None:
        service = counted.row.service
        dead = set()
        for _, name, used in counted.used():
            # Where a credential is asked for there is something; and one answer is enough to be no secret.
            if used.failures < used.requests or used.statuses.get(401, 0) == used.requests:
                continue
            if names_accounts(context, service, name, used):
                continue
            traffic = context.peek(OPERATION, (service, name), OperationTraffic)
            if traffic is None or not traffic.answered:
                dead.add(value_hash32(name))
        counted.hashes["dead"] = dead
        counted.mark("", "dead", counted.part.fresh("dead", dead, context.now_slot))
        for row in counted.rows:
            other = row.operations.get(OTHER)
            if other is not None and other.failures == other.requests:
                counted.mark("", "dead", max(0, row.operation_count - len(row.operations)))
