"""Token guessing: requests with credentials that nobody issued.

A rotation of credentials makes everybody's fail at once (a wave, ``tally``); a client with an expired one fails for
hours, with the same one. What has expired had been seen before, when it was good, be it weeks ago: who guesses uses
another one each time, that nobody has ever seen. Where a token is a principal, each is a new principal that never
succeeds, and they are added up by address (``guessers``).
"""

from __future__ import annotations

from apisec.abuse.base import Context
from apisec.abuse.counters import WEEK_SLOTS
from apisec.abuse.crowds import CrowdFamily, Whole
from apisec.abuse.tally import Counted
from apisec.abuse.weighing import VOLUME_CAP, Claim, Total
from apisec.activity import Row

ANONYMOUS = "anonymous"
_THEMSELVES = frozenset(("session", "api_key"))  # kinds of principals that are their credential


class TokenGuessing(CrowdFamily):
    name = "token_guessing"
    unit = "requests refused for their credential"
    claims = (
        Claim("guessers", "guessers", "principals that were only ever refused", least=3, group="tokens"),
        Claim(
            "credentials",
            "credentials_refused",
            "refused credentials that had never been seen",
            group="tokens",
        ),
        # One credential that is refused again and again has expired.
        Claim("refused", "refused", unit, least=5, group="tokens", example="refused", of="requests", cap=VOLUME_CAP),
    )
    totals = (Total("total", "guessed", "refused requests of principals that never succeeded", example="refused"),)
    wholes = (Whole("whole", "guessers", "principals that were only ever refused", example="refused"),)

    def mark(self, counted: Counted, context: Context) -> None:
        part = counted.part
        # Who is back after more than its sums remember was counted when it was new, or was answered then.
        before = part.total.sums("answered")[2] or counted.age >= WEEK_SLOTS
        fresh = sum(_unseen(counted, row, context.now_slot) for row in counted.rows)
        for row, name, used in counted.used():
            refused = used.statuses.get(401, 0)
            # Who has no credential guesses none; who names an account beside a secret logs in.
            if not refused or used.attempts or (row.kind == ANONYMOUS and not row.credential_hashes.values):
                continue
            refused = min(refused, int(counted.by_operation.get(name, {}).get("s401", refused)))  # less a wave
            counted.mark(name, "refused", refused)
            taken = min(refused, fresh)
            fresh -= taken
            counted.mark(name, "credentials_refused", taken)
            if refused and row.failures == row.requests and not before:
                counted.mark(name, "guessed", refused)
                if not part.total.sums("guessed")[2] and not counted.counts.get("guessers"):
                    counted.mark(name, "guessers", 1)


def _unseen(counted: Counted, row: Row, slot: int) -> int:
    """Remember the credentials of a row; return how many were never seen, less the one that it succeeded with."""
    held = row.credential_hashes.values  # a sample, where there are many
    if not held or row.kind in _THEMSELVES:
        return 0
    fresh = counted.part.fresh("credentials", held, slot) + row.credential_count - len(held)
    return max(0, fresh - (row.failures < row.requests))
