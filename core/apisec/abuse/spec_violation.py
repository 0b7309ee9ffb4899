"""Violations of the specification: requests that the API refuses as malformed, or breaks on.

A broken release or an outage befalls many at once and is a wave (``tally``). Who tries what the API makes of odd input
is alone with it, goes on, and uses names of fields that nobody else does.
"""

# ruff: noqa: ARG002 - every family takes what the protocol gives
from __future__ import annotations

from apisec.abuse.base import Context
from apisec.abuse.counting import PRINCIPAL_OPERATION, Claim, CountingFamily, Total
from apisec.abuse.tally import Counted


class SpecViolation(CountingFamily):
    name = "spec_violation"
    claims = (
        Claim("malformed", "malformed", "malformed or broken requests", least=3, group="refused", example="failure"),
        Claim(
            "here", "malformed", "malformed or broken requests", PRINCIPAL_OPERATION, 3, "refused", example="failure"
        ),
    )
    totals = (Total("total", "malformed", "malformed or broken requests", per="requests", example="failure"),)

    def mark(self, counted: Counted, context: Context) -> None:
        for name, counts in list(counted.by_operation.items()):
            counted.mark(name, "malformed", counts.get("s4xx", 0.0) + counts.get("s5xx", 0.0))
