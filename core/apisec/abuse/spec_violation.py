"""Violations of the specification: requests that the API refuses as malformed, or breaks on.

A broken release or an outage befalls many at once and is a wave (``tally``). Who tries what the API makes of odd input
is alone with it, goes on, and uses names of fields that nobody else does.
"""

# ruff: noqa: ARG002 - every family takes what the protocol gives
from __future__ import annotations

from apisec.abuse.base import PRINCIPAL_OPERATION, Context
from apisec.abuse.counting import Claim, CountingFamily, Total
from apisec.abuse.tally import Counted


class SpecViolation(CountingFamily):
    name = "spec_violation"
    unit = "malformed or broken requests"
    claims = (
        Claim("malformed", "malformed", unit, least=3, group="refused", example="failure", of="requests"),
        Claim(
            "here",
            "malformed",
            unit,
            PRINCIPAL_OPERATION,
            3,
            "refused",
            example="failure",
            of="requests",
        ),
    )
    totals = (Total("total", "malformed", unit, per="requests", example="failure"),)

    def mark(self, counted: Counted, context: Context) -> None:
        for name, counts in list(counted.by_operation.items()):
            counted.mark(name, "malformed", counts.get("s4xx", 0.0) + counts.get("s5xx", 0.0))
