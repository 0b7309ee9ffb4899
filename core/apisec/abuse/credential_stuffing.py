"""Credential stuffing: many accounts tried with passwords, of which most fail.

Ordinary people fail with one account, some times; behind an office's address or a kiosk many people log in, and most
succeed. A job with an old password fails some times an hour, for ever. So distinct accounts that failed count
before attempts, of which it takes many in an hour, and successes are taken away from them.
"""

from __future__ import annotations

from apisec.abuse.base import Context
from apisec.abuse.counting import Claim, CountingFamily, Total
from apisec.abuse.tally import Counted

FORGIVEN = 3  # accounts that failed, for each login that succeeded


class CredentialStuffing(CountingFamily):
    name = "credential_stuffing"
    claims = (
        Claim(
            "accounts", "accounts_failed", "accounts that failed to log in", group="logins", example="failure",
            of="attempts", usual=(0.1, 0.08),
        ),
        Claim(
            "attempts", "login_failures", "failed logins", least=20, group="logins", example="failure",
            of="attempts", usual=(0.15, 0.1), horizons=("1h",),
        ),
    )  # fmt: skip
    totals = (Total("total", "login_failures", "failed logins", per="requests", example="failure"),)

    def mark(self, counted: Counted, context: Context) -> None:
        part = counted.part
        for row in counted.rows:
            failures = row.accounts.failures
            if not failures:
                continue
            where = {name: used.failures for name, used in row.operations.items() if used.identities.values}
            most = max(where, key=lambda name: (where[name], name), default="")
            if most:
                own = counted.by_operation.setdefault(most, {})
                own["login_failures"] = own.get("login_failures", 0) + failures
            fresh = part.fresh("accounts", row.accounts.tried, context.now_slot)
            # One who mistypes, and then logs in, has failed with names that nobody has.
            failed = part.total.sums("accounts_failed")[2] + min(failures, fresh)
            forgiven = FORGIVEN * (part.total.sums("logins")[2] + row.accounts.successes)
            counted.mark(most, "accounts_failed", min(failures, fresh, max(0.0, failed - forgiven)))
