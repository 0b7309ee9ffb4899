"""Account enumeration: asking for one account after the other to learn which exist.

What asks about an account (a forgotten password, a lookup) has the account's name in the request, and no secret. People
ask about one or two of theirs; who asks about many is looking, whether the status tells him, the body, or the time that
the answer took. A registration that is refused because the account exists tells as much.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from functools import partial
from typing import Tuple

from apisec.abuse.accounts import Accounts, accounts_of, clients_mask
from apisec.abuse.base import Context
from apisec.abuse.crowds import CrowdFamily, Whole
from apisec.abuse.doors import Door, door_of, opened_by_address
from apisec.abuse.tally import Counted
from apisec.abuse.weighing import Claim, Total
from apisec.activity import OperationActivity
from apisec.activity.attempts import CLOSED, SIGNED

STRANGERS = "accounts asked for from where they never logged in"
ASKED_CAP = 6.0  # decades: many accounts that are not said to be unknown may be customers of one who is let in


class AccountEnumeration(CrowdFamily):
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
    # What is asked seldom is best compared with all that the service is asked.
    wholes = (Whole("whole", "accounts_unknown", "accounts asked for that are unknown"),)

    def mark(self, counted: Counted, context: Context) -> None:
        for row, name, used in counted.used():
            if not used.attempts:
                continue
            accounts = accounts_of(context, row.service)
            asked, refused, missed = _asked(door_of(context, row.service, name), used, accounts)
            # A webhook, and a partner's system, name other people's accounts all day, and are signed in.
            if not asked or not (missed or SIGNED not in used.attempts):
                continue
            part, slot, clients = counted.part, context.now_slot, clients_mask(row)
            # Whose account is opened where it was asked for asked about his own: for a code, and then with the code.
            opened = accounts.opened_at(row.sources, slot, partial(opened_by_address, context, row.service))
            asked = asked - opened - accounts.at_home(asked, clients)
            fresh = part.fresh(f"a:{name}", asked, slot)
            counted.mark(name, "accounts_asked", fresh)
            counted.mark(name, "accounts_unknown", min(fresh, missed, len(refused)))
            unknown = accounts.strangers(asked, clients)
            counted.mark(name, "strangers_asked", min(fresh, part.fresh(f"b:{name}", unknown, slot)))


def _asked(door: Door, used: OperationActivity, known: Accounts) -> Tuple[AbstractSet[int], AbstractSet[int], int]:
    """Return the accounts asked about, those of which the answer was a refusal, and how many refusals there were."""
    asked = door.asked(used, known)
    if asked is not None:
        accounts = frozenset().union(*(one.values for one in asked.accounts))
        # Who is not let in was told nothing; where others are answered, he was.
        shut = 0 if door.answers else sum(used.statuses.get(status, 0) for status in (401, 403))
        return accounts, asked.accounts[CLOSED].values, max(0, asked.counts[CLOSED] - shut)
    if door.registers(used):
        made = door.logins(used)
        return made.failed | made.opened, made.failed, made.failures
    return frozenset(), frozenset(), 0
