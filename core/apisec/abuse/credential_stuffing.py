"""Credential stuffing: many accounts tried with passwords, of which most fail.

Ordinary people fail with one account, some times; behind an office's address or a kiosk many people log in, and most
succeed. A job with an old password fails some times an hour, for ever. So distinct accounts that failed count
before attempts, of which it takes many in an hour, and accounts that were opened excuse some: accounts, not logins, for
who tries a list may log in to an account of his own in between. Accounts that have never logged in here, or never from
there, say most: a list that leaked elsewhere is full of them, and a day on which all passwords expire has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, List, Optional, Set

from apisec.abuse.accounts import accounts_of, clients_mask
from apisec.abuse.base import Context, Observation, Window
from apisec.abuse.counting import CountingFamily
from apisec.abuse.doors import Logins, door_of, learn_doors, look_at_doors
from apisec.abuse.tally import Counted
from apisec.abuse.weighing import VOLUME_CAP, Claim, Total, Weighed
from apisec.activity.attempts import CLOSED, TRIED

STRANGERS = "accounts that failed from where they never logged in"
ANONYMOUS, MAX_ENTERED = "anonymous", 16
FORGIVEN = 3  # accounts that failed, for each account that was opened
# Failed logins to one account that a verifier may take (NIST SP 800-63B-4, 3.2.2): a program with an old password, or
# somebody who forgot his, stays below. It is volume, as are those of accounts that are at home.
GUESSES = 100
TRIED_ACCOUNTS = "tried"  # what principals remember them as


class CredentialStuffing(CountingFamily):
    name = "credential_stuffing"
    claims = (
        # Those whom others behind the same address excuse are left out of both (``FORGIVEN``): no share is asked for.
        Claim(
            "accounts", "accounts_failed", "accounts that failed to log in", least=4, group="logins", example="failure"
        ),
        Claim("strangers", "strangers", STRANGERS, least=4, group="logins", example="failure"),
        Claim(
            "attempts", "login_failures", "failed logins", least=20, group="logins", example="failure",
            of="attempts", usual=(0.15, 0.1), horizons=("1h",),
        ),
    )  # fmt: skip
    totals = (
        # Where accounts are visible, those that failed where they are at home may have expired all together.
        Total("total", "blind_failures", "failed logins", per="requests", example="failure"),
        Total(
            "unknown", "strangers", STRANGERS, per="requests", least=6,
            example="failure",
        ),
    )  # fmt: skip

    def mark(self, counted: Counted, context: Context) -> None:
        tried = self._tried(counted, context)
        for name, count in (("attempts", tried.attempts), ("login_failures", tried.failures)):
            counted.counts[name] = count  # instead of what the row says, that knows no doors
        if not tried.failures and not tried.opened:
            return
        most = _most(counted, "login_failures")
        part, slot, accounts = counted.part, context.now_slot, accounts_of(context, counted.row.service)
        counted.mark(most, "accounts_opened", part.fresh("opened", tried.opened, slot))
        clients = clients_mask(counted.row)
        away = tried.failed - accounts.at_home(tried.failed, clients)
        part.fresh(TRIED_ACCOUNTS, tried.failed, slot)
        fresh = min(tried.failures, part.fresh("accounts", away, slot) + tried.unread)
        # One who mistypes, and then logs in, has failed with names that nobody has.
        failed = part.total.sums("accounts_failed")[2] + fresh
        forgiven = FORGIVEN * (part.total.sums("accounts_opened")[2] + counted.counts.get("accounts_opened", 0))
        left = min(fresh, max(0.0, failed - forgiven))
        counted.mark(most, "accounts_failed", left)
        unknown = accounts.strangers(away, clients)
        counted.mark(most, "strangers", min(left, part.fresh("strangers", unknown, slot)))

    def _tried(self, counted: Counted, context: Context) -> Logins:
        """Add up the attempts to log in, by operation too; registrations are none, nor is what nobody can do now."""
        service = counted.row.service
        found = _basic(counted)
        for _, name, used in counted.used():
            if not used.attempts:
                continue
            door = door_of(context, service, name)
            tried = door.logins(used)
            if tried.attempts and not door.registers(used) and not door.shut(context.now_slot):
                found = found.plus(tried)
                if tried.failures:
                    own = counted.by_operation.setdefault(name, {})
                    own["login_failures"] = own.get("login_failures", 0) + tried.failures
                    own["blind_failures"] = own.get("blind_failures", 0) + (0 if tried.failed else tried.failures)
        return found

    def observe(self, window: Window, context: Context) -> Iterable[Observation]:
        yield from super().observe(window, context)
        look_at_doors(window.by_operation, context)

    def evidence(self, counted: Counted) -> Mapping[str, Any]:
        opened = counted.part.total.sums("accounts_opened")[2]
        return {"accounts_opened": int(opened)} if opened else {}

    def _weigh(self, counted: Counted, context: Context) -> List[Weighed]:
        tried, away = (len(counted.part.memories.get(kind, ())) for kind in (TRIED_ACCOUNTS, "accounts"))
        return [
            one._replace(decades=min(one.decades, VOLUME_CAP))
            if one.feature == "attempts" and tried and (not away or one.seen < GUESSES * tried)
            else one
            for one in super()._weigh(counted, context)
        ]

    def _principal(self, counted: Counted, context: Context) -> Optional[Observation]:
        found = super()._principal(counted, context)
        if found is None or "accounts_opened" not in found.evidence:
            return found
        return replace(found, evidence={**found.evidence, "entered": _entered(counted, context)})

    def learn(self, window: Window, context: Context) -> None:
        learn_doors(window.by_operation, context)


def _entered(counted: Counted, context: Context) -> List[str]:
    """Return who was let in from the same addresses in this window: whose accounts they were."""
    sources = {source for row in counted.rows for source in row.sources}
    return sorted(
        {
            row.principal
            for (service, _), other in context.tally.principals.items()
            if service == counted.row.service
            for row in other.rows
            if row.kind != ANONYMOUS and row.failures < row.requests and sources.intersection(row.sources)
        }
    )[:MAX_ENTERED]


def _basic(counted: Counted) -> Logins:
    """Attempts by HTTP Basic, which come with requests of any kind."""
    attempts = failures = successes = 0
    names: Set[int] = set()
    for row in counted.rows:
        bodies = [used.attempts[TRIED] for used in row.operations.values() if TRIED in used.attempts]
        tried = row.accounts.attempts - sum(one.requests for one in bodies)
        if tried > 0:
            attempts += tried
            failed = row.accounts.failures - sum(one.counts[CLOSED] for one in bodies)
            failures += failed
            successes += tried - failed
            names |= row.accounts.tried
    named = frozenset(names) if failures and not successes else frozenset()
    return Logins(attempts, failures, successes, named, frozenset(), 0)


def _most(counted: Counted, counter: str) -> str:
    by = {name: counts.get(counter, 0) for name, counts in counted.by_operation.items()}
    best = max(by, key=lambda name: (by[name], name), default="")
    return best if best and by[best] else ""
