"""Token guessing: requests with credentials that nobody issued.

A rotation of credentials makes everybody's fail at once (a wave, ``tally``); a client with an expired one fails for
hours, with the same one. Who guesses uses another one each time.
"""

from __future__ import annotations

from apisec.abuse.base import Context
from apisec.abuse.counting import Claim, CountingFamily, Total
from apisec.abuse.tally import Counted


class TokenGuessing(CountingFamily):
    name = "token_guessing"
    claims = (
        Claim("credentials", "credentials_refused", "refused credentials", group="tokens", example="refused"),
        Claim(
            "refused", "refused", "requests refused for their credential", least=5, group="tokens", example="refused"
        ),
    )
    totals = (Total("total", "guessed", "refused requests of principals that never succeeded", example="refused"),)

    def mark(self, counted: Counted, context: Context) -> None:
        for row, name, used in counted.used():
            refused = used.statuses.get(401, 0)
            if not refused or used.identities.values:
                continue
            own = counted.by_operation.get(name, {})
            refused = min(refused, int(own.get("s401", refused)))  # a wave is taken out
            counted.mark(name, "refused", refused)
            fresh = counted.part.fresh("credentials", row.credential_hashes.values, context.now_slot)
            counted.mark(name, "credentials_refused", min(refused, fresh))
            if refused == used.requests and not counted.part.total.sums("answered")[2]:
                counted.mark(name, "guessed", refused)
