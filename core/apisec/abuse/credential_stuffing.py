"""Credential stuffing: many accounts tried with passwords, of which most fail.

Ordinary people fail with one account, some times; behind an office's address or a kiosk many people log in, and most
succeed. So distinct accounts that failed count before attempts, and successes are taken away from them.
"""

from __future__ import annotations

from apisec.abuse.base import Context
from apisec.abuse.counting import Claim, CountingFamily, Total
from apisec.abuse.tally import Counted


class CredentialStuffing(CountingFamily):
    name = "credential_stuffing"
    claims = (
        Claim("accounts", "accounts_failed", "accounts that failed to log in", group="logins", example="failure"),
        Claim("attempts", "login_failures", "failed logins", least=5, group="logins", example="failure"),
    )
    totals = (Total("total", "login_failures", "failed logins", per="requests", example="failure"),)

    def mark(self, counted: Counted, context: Context) -> None:
        for row in counted.rows:
            failures = row.accounts.failures
            if not failures:
                continue
            where = {name: used.failures for name, used in row.operations.items() if used.identities.values}
            most = max(where, key=lambda name: (where[name], name), default="")
            if most:
                counted.by_operation.setdefault(most, {})["login_failures"] = failures
            fresh = counted.part.fresh("accounts", row.accounts.tried, context.now_slot)
            counted.mark(most, "accounts_failed", min(failures, max(0, fresh - row.accounts.successes)))
