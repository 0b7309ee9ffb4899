"""Reconnaissance: asking for what is not there: /.env, /admin, methods and paths that answer nobody.

One who asks for many is told by himself, or with others of his address. Where each asks for one, the service tells:
what nobody asked for in seven days is rare, for broken links and old clients ask for the same again and again.
"""

from __future__ import annotations

from apisec.abuse.base import OPERATION, SERVICE, Context
from apisec.abuse.crowds import Crowd, CrowdFamily, Whole
from apisec.abuse.doors import names_accounts
from apisec.abuse.tally import Counted
from apisec.abuse.traffic import OperationTraffic
from apisec.abuse.weighing import Claim
from apisec.activity import OTHER
from apisec.activity.hashing import value_hash32


class Reconnaissance(CrowdFamily):
    name = "reconnaissance"
    claims = (Claim("dead", "dead", "different operations that answer nobody", least=2, example="failure"),)
    totals = ()
    wholes = (Whole("novel", "dead_novel", "operations that answer nobody, and that nobody had asked for"),)

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
        if dead:
            crowd = context.part(SERVICE, (service,), Crowd)
            counted.mark("", "dead_novel", crowd.fresh("dead", dead, context.now_slot))
        counted.mark("", "dead", counted.part.fresh("dead", dead, context.now_slot))
        for row in counted.rows:
            other = row.operations.get(OTHER)
            if other is not None and other.failures == other.requests:
                counted.mark("", "dead", max(0, row.operation_count - len(row.operations)))
