"""Token guessing: requests with credentials that nobody issued.

A rotation of credentials makes everybody's fail at once (a wave, ``tally``); a client with an expired one fails for
hours, with the same one. Who guesses uses another one each time; where a token is a principal, each is a new principal
that never succeeds, and they are added up by address (``guessers``).
"""

from __future__ import annotations

from apisec.abuse.base import Context
from apisec.abuse.counting import VOLUME_CAP, Claim, Total
from apisec.abuse.crowds import CrowdFamily, Whole
from apisec.abuse.tally import Counted

ANONYMOUS = "anonymous"


class TokenGuessing(CrowdFamily):
    name = "token_guessing"
    unit = "requests refused for their credential"
    claims = (
        Claim("guessers", "guessers", "principals that were only ever refused", least=3, group="tokens"),
        # Where clients renew what has expired only when it is refused, that is learned within days.
        Claim(
            "credentials",
            "credentials_refused",
            "refused credentials",
            group="tokens",
            of="requests",
            usual=(0.005, 0.008),
        ),
        # One credential that is refused again and again has expired.
        Claim("refused", "refused", unit, least=5, group="tokens", example="refused", of="requests", cap=VOLUME_CAP),
    )
    totals = (Total("total", "guessed", "refused requests of principals that never succeeded", example="refused"),)
    wholes = (Whole("whole", "guessers", "principals that were only ever refused", example="refused"),)

    def mark(self, counted: Counted, context: Context) -> None:
        part = counted.part
        before = part.total.sums("answered")[2]
        for row, name, used in counted.used():
            refused = used.statuses.get(401, 0)
            # Who has no credential guesses none; who names an account beside a secret logs in.
            if not refused or used.attempts or (row.kind == ANONYMOUS and not row.credential_hashes.values):
                continue
            refused = min(refused, int(counted.by_operation.get(name, {}).get("s401", refused)))  # less a wave
            counted.mark(name, "refused", refused)
            held = row.credential_hashes.values  # a sample, where there are many
            fresh = part.fresh("credentials", held, context.now_slot) + row.credential_count - len(held)
            counted.mark(name, "credentials_refused", min(refused, fresh))
            if refused and row.failures == row.requests and not before:
                counted.mark(name, "guessed", refused)
                if not part.total.sums("guessed")[2] and not counted.counts.get("guessers"):
                    counted.mark(name, "guessers", 1)
