"""Reconnaissance: asking for what is not there: /.env, /admin, methods and paths that answer nobody."""

from __future__ import annotations

from apisec.abuse.base import OPERATION, Context
from apisec.abuse.counting import Claim, CountingFamily
from apisec.abuse.tally import Counted, OperationTraffic
from apisec.activity import OTHER
from apisec.activity.hashing import value_hash32


class Reconnaissance(CountingFamily):
    name = "reconnaissance"
    claims = (Claim("dead", "dead", "different operations that answer nobody", least=2, example="failure"),)
    totals = ()

    def mark(self, counted: Counted, context: Context) -> None:
        service = counted.row.service
        dead = []
        for _, name, used in counted.used():
            if used.failures < used.requests:
                continue
            traffic = context.peek(OPERATION, (service, name), OperationTraffic)
            if traffic is None or not traffic.answered:
                dead.append(name)
        for row in counted.rows:
            if OTHER in row.operations and not row.operations[OTHER].requests > row.operations[OTHER].failures:
                counted.mark("", "dead", max(0, row.operation_count - len(row.operations)))
        fresh = counted.part.fresh("dead", [value_hash32(name) for name in dead], context.now_slot)
        counted.mark("", "dead", fresh)
