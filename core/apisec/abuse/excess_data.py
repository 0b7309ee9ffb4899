"""Excess data: more bytes or more classified values than a principal has reason for.

Exports and migrations move much, and volume alone is never a finding. What an application asks for has one page's size;
who raises the limit gets responses that no other client of the operation does (``oversize``).
"""

from __future__ import annotations

from apisec.abuse.base import OPERATION, PRINCIPAL_OPERATION, Context
from apisec.abuse.counting import Claim, CountingFamily, Total, volume
from apisec.abuse.tally import Counted, OperationTraffic


class ExcessData(CountingFamily):
    name = "excess_data"
    unit = "responses of three times the size that others get"
    claims = (
        Claim("oversize", "oversize", unit, PRINCIPAL_OPERATION, least=4, example="large"),
        volume(
            "sensitive", "sensitive", "classified values", PRINCIPAL_OPERATION, least=100, group="data", example="large"
        ),
        volume("bytes", "bytes", "bytes", PRINCIPAL_OPERATION, least=100_000, group="data", example="large"),
    )
    totals = (Total("total", "oversize", unit, example="large"),)

    def mark(self, counted: Counted, context: Context) -> None:
        service = counted.row.service
        for _, name, used in counted.used():
            traffic = context.peek(OPERATION, (service, name), OperationTraffic)
            limit = traffic.limit() if traffic else used.largest_out
            if used.largest_out > limit:
                counted.mark(name, "oversize", max(1, min(used.requests, int(used.bytes_out // limit))))
