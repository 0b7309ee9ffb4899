"""Account enumeration: asking for one account after the other to learn which exist.

What asks about an account (a forgotten password, a lookup) has the account's name in the request, and no secret. People
ask about one or two of theirs; who asks about many is looking, whether the status tells him, the body, or the time that
the answer took. A registration that is refused because the account exists tells as much.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Tuple

from apisec.abuse.accounts import accounts_of, clients_mask
from apisec.abuse.base import Context
from apisec.abuse.counting import Claim, CountingFamily, Total
from apisec.abuse.doors import Door, door_of
from apisec.abuse.tally import Counted
from apisec.activity import OperationActivity
from apisec.activity.attempts import CLOSED, SIGNED

STRANGERS = "accounts asked for from where they never logged in"
ASKED_CAP = 6.0  # decades: many accounts that are not said to be unknown may be customers of one who is let in


class AccountEnumeration(CountingFamily):
    name = "account_enumeration"
    claims = (
        Claim(
            "unknown", "accounts_unknown", "accounts asked for that are unknown", group="asked", example="failure",
            of="accounts_asked", usual=(0.15, 0.1),
        ),
        Claim("asked", "accounts_asked", "different accounts asked for", least=4, group="asked", cap=ASKED_CAP),
        Claim("strangers", "strangers_asked", STRANGERS, least=4, group="asked", cap=ASKED_CAP),
    )  # fmt: skip
    totals = (
        Total("total", "accounts_unknown", "accounts asked for that are unknown", per="requests"),
        # Hardly anybody asks but him: a share of the requests would be no larger than ever.
        Total("totally", "strangers_asked", STRANGERS),
    )

    def mark(self, counted: Counted, context: Context) -> None:
        for row, name, used in counted.used():
            if not used.attempts:
                continue
            asked, refused, missed = _asked(door_of(context, row.service, name), used)
            # A webhook, and a partner's system, name other people's accounts all day, and are signed in.
            if not asked or not (missed or SIGNED not in used.attempts):
                continue
            part, slot = counted.part, context.now_slot
            fresh = part.fresh(f"a:{name}", asked, slot)
            counted.mark(name, "accounts_asked", fresh)
            counted.mark(name, "accounts_unknown", min(fresh, missed, len(refused)))
            unknown = accounts_of(context, row.service).strangers(asked, clients_mask(row))
            counted.mark(name, "strangers_asked", min(fresh, part.fresh(f"b:{name}", unknown, slot)))


def _asked(door: Door, used: OperationActivity) -> Tuple[AbstractSet[int], AbstractSet[int], int]:
    """Return the accounts asked about, those of which the answer was a refusal, and how many refusals there were."""
    asked = door.asked(used)
    if asked is not None:
        accounts = frozenset().union(*(one.values for one in asked.accounts))
        # Who is not let in was told nothing; where others are answered, he was.
        shut = 0 if door.answers else sum(used.statuses.get(status, 0) for status in (401, 403))
        return accounts, asked.accounts[CLOSED].values, max(0, asked.counts[CLOSED] - shut)
    if door.registers(used):
        made = door.logins(used)
        return made.failed | made.opened, made.failed, made.failures
    return frozenset(), frozenset(), 0
