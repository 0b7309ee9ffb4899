"""Account enumeration: asking for one account after the other to learn which exist.

What asks about an account (a forgotten password, a registration, a lookup) has the account's name in the request.
People ask about one or two of theirs; who asks about many, and is mostly told there is none, is looking.
"""

from __future__ import annotations

from apisec.abuse.base import Context
from apisec.abuse.counting import VOLUME_CAP, Claim, CountingFamily, Total
from apisec.abuse.tally import Counted


class AccountEnumeration(CountingFamily):
    name = "account_enumeration"
    claims = (
        Claim(
            "unknown", "accounts_unknown", "accounts asked for that are unknown", group="asked", example="failure",
            of="accounts_asked", usual=(0.15, 0.1),
        ),
        Claim("asked", "accounts_asked", "different accounts asked for", least=4, group="asked", cap=VOLUME_CAP),
    )  # fmt: skip
    totals = (Total("total", "accounts_unknown", "accounts asked for that are unknown", per="requests"),)

    def mark(self, counted: Counted, context: Context) -> None:
        for row, name, used in counted.used():
            if not used.identities.values or row.accounts.attempts:
                continue
            fresh = counted.part.fresh(f"a:{name}", used.identities.values, context.now_slot)
            missed = sum(used.statuses.get(status, 0) for status in (400, 404, 409, 410, 422))
            # A webhook, and a partner's system, name other people's accounts all day, and are signed in.
            if missed or row.kind == "anonymous":
                counted.mark(name, "accounts_asked", fresh)
                counted.mark(name, "accounts_unknown", min(fresh, missed))
