"""Violations of the specification: requests that the API refuses as malformed, or breaks on.

A broken release or an outage befalls many at once and is a wave (``tally``) that has a cause (``breakages``). Who tries
what the API makes of odd input is alone with it, or goes about it with many clients that have nothing else in common.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Dict

from apisec.abuse.base import PRINCIPAL_OPERATION, Context, Window
from apisec.abuse.breakages import MALFORMED, accident, learn_clients
from apisec.abuse.counting import Claim, CountingFamily, Total
from apisec.abuse.doors import names_accounts
from apisec.abuse.tally import Counted
from apisec.activity.parts import add_counts

LEAST = 8  # so often does somebody try again who meets a form or a client that is broken
BROKEN = frozenset((500, 501, 505))  # a gateway's 502 to 504 speak of the network and of load
COUNTED_5XX = range(500, 1000)
COUNTED_4XX = frozenset(range(400, 500)) - {401, 403, 404, 429}  # together in one counter of the tally


class SpecViolation(CountingFamily):
    name = "spec_violation"
    unit = "malformed or broken requests"
    claims = (
        Claim("malformed", "malformed", unit, least=LEAST, group="refused", example="failure", of="requests"),
        Claim("here", "malformed", unit, PRINCIPAL_OPERATION, LEAST, "refused", example="failure", of="requests"),
    )
    totals = (Total("total", "malformed", unit, per="requests", example="failure"),)

    def mark(self, counted: Counted, context: Context) -> None:
        for name, statuses in _failures(counted, context).items():
            left = counted.by_operation.get(name, {})
            odd = sum(count for status, count in statuses.items() if status in MALFORMED)
            kept = _kept(left.get("s4xx", 0.0), statuses, COUNTED_4XX)
            if odd and kept < 1.0 and not accident(context, counted, name):
                kept = 1.0
            broken = float(sum(count for status, count in statuses.items() if status in BROKEN))
            counted.mark(
                name, "malformed", odd * kept + broken * _kept(left.get("s5xx", 0.0), statuses, range(500, 1000))
            )

    def learn(self, window: Window, context: Context) -> None:
        learn_clients(window.by_service.items(), context)


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
