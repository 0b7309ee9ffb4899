"""A credential on a client that it did not have: stolen, or carried along by its owner (OWASP API2:2023).

The evidence is a ratio of likelihoods: a thief's client differs in network, agent and JA4 at once and the owner goes
on beside it, while ordinary traffic of this service shows such a change in so many of its rows (``clients.Machines``).
A phone that changes its network, a browser that is updated, an app with its web view, an office behind one address and
keys of machines that many hosts share differ in ways that the service's own traffic teaches.

False findings: one row in ``1 / chance`` shows the change ordinarily; the rate is learned from the service, each
principal counts once a day for it, and where a principal did so before its own rate holds.

Travel: no location is looked up here. Where events have ``src_country`` (from a lookup of the search head, for one),
a detection can compare it itself; a network's address says enough for the ratio.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, List, Optional, Set, Tuple

from apisec.abuse.base import PRINCIPAL, SERVICE, SLOTS_PER_DAY, Context, Observation, Window, decades
from apisec.abuse.base import observation as observed
from apisec.abuse.clients import (
    AGENT,
    JA4,
    KINDS_OF_CHANGE,
    NETWORK,
    Change,
    Credentials,
    Hashes,
    Seen,
    hashes_of,
)
from apisec.abuse.machines import Machines, take
from apisec.activity.client import ClientKey
from apisec.activity.hashing import value_hash32

if TYPE_CHECKING:
    from apisec.activity import ClientUse, Row

NAME = "token_theft"
YOUNG_SLOTS = SLOTS_PER_DAY
LEAST_EVIDENCE = 1.0
BACK_CAP, AGENT_CAP, MACHINES_CAP = 1.5, 1.0, 1.0
AT_ONCE = 0.7  # decades for a credential that two machines use in turns within five minutes
RECENT_SECONDS = 86_400.0  # a change is told for so long
# A change of one thing, or of everything on one network, is an update or a walk: it is never a finding, so that what
# a release changes for everybody can become ordinary.
CAPS = {NETWORK: 2.0, AGENT: 3.0, JA4: 3.0, AGENT | JA4: 3.5}
UNCAPPED = 12.0
OWN_DEVICE = 2.0  # decades off for a machine that another credential of the same principal uses
_WORDS = {NETWORK: "network", AGENT: "agent", JA4: "JA4"}

Held = Tuple["Row", str, List[Change], Mapping[Hashes, ClientKey]]


class TokenTheft:
    name = NAME
    features = ("agent", "at_once", "back", "change", "machines")

    def observe(self, window: Window, context: Context) -> Iterable[Observation]:
        for row in window.rows:
            if row.credentials:
                yield from self._row(row, context)

    def _row(self, row: Row, context: Context) -> Iterator[Observation]:
        credentials = context.part(PRINCIPAL, (row.service, row.principal), Credentials)
        machines = context.peek(SERVICE, (row.service,), Machines) or Machines()
        tag = value_hash32(row.principal)
        credentials.waiting = []
        best: Optional[Observation] = None
        for credential, use in row.credentials.items():
            hashed = value_hash32(credential)
            changes = take(credentials, machines, hashed, use.clients.items(), tag)
            credentials.waiting += [one for one in changes if one.is_new or one.has_come_back]
            if context.age(row.service) < YOUNG_SLOTS:
                continue
            names = {hashes_of(key): key for key in use.clients}
            for change in changes:
                if row.last - change.client.last <= RECENT_SECONDS:
                    at_once = _at_once(names.get(change.before[:3]), names.get(change.client[:3]), use.clients)
                    found = self._judge(row, hashed, change, names, credentials, machines, context, at_once)
                    if found is not None and (best is None or found.p_value < best.p_value):
                        best = found
        if best is not None:
            yield best

    def _judge(
        self,
        row: Row,
        credential: int,
        change: Change,
        names: Mapping[Hashes, ClientKey],
        credentials: Credentials,
        machines: Machines,
        context: Context,
        at_once: bool,
    ) -> Optional[Observation]:
        client, bits = change.client, change.client.bits
        chance = machines.chance(row.kind, bits)
        own = sum(credentials.changes[one] for one in range(1, KINDS_OF_CHANGE) if one & bits == bits)
        basis = "service" if machines.rows(row.kind) >= 1_000 else "default"
        if own:
            chance, basis = max(chance, (own + 0.5) / (credentials.rows + 1.0)), "own habit"
        evidence = min(CAPS.get(bits, UNCAPPED), decades(chance))
        if credentials.knows(client.agent, client.ja4, credential):
            evidence = max(0.0, evidence - OWN_DEVICE)
        if evidence < LEAST_EVIDENCE:
            return None
        device = bits & (AGENT | JA4)
        features = {
            "change": evidence,
            "back": min(BACK_CAP, decades(machines.chance_back(row.kind, bits))) if client.back and device else 0.0,
            "agent": _agent(client, machines) if device else 0.0,
            "at_once": AT_ONCE if device and at_once else 0.0,
            "machines": min(MACHINES_CAP, 0.5 * max(0, change.clients - 2)) if device and bits & NETWORK else 0.0,
        }
        return _observation(row, change, names, features, chance, basis, context)

    def learn(self, window: Window, context: Context) -> None:
        services: Set[str] = set()
        for row in window.rows:
            if not row.credentials:
                continue
            services.add(row.service)
            machines = context.part(SERVICE, (row.service,), Machines)
            machines.expose(row.kind)
            credentials = context.part(PRINCIPAL, (row.service, row.principal), Credentials)
            if not credentials.rows:
                for machine in {hashes_of(key)[1:] for use in row.credentials.values() for key in use.clients}:
                    machines.machine(*machine)
            for change in credentials.waiting:
                machines.wait(context.now_slot, row.principal, row.kind, change)
            credentials.learn(context.now_slot, _wait(row.service, context))
        for service in services:
            machines = context.part(SERVICE, (service,), Machines)
            machines.learn(context.now_slot, _asking(context, service), _wait(service, context))


def _agent(client: Seen, machines: Machines) -> float:
    """Return the decades of an agent that few have, or of one with a TLS stack that few of its kind have."""
    rare = decades(machines.chance_agent(client.agent)) if client.bits & AGENT else 0.0
    if client.bits & JA4 and client.bits & NETWORK:  # else an update
        rare = max(rare, decades(machines.chance_build(client.agent, client.ja4)))
    return min(AGENT_CAP, rare)


def _at_once(one: Optional[ClientKey], other: Optional[ClientKey], uses: Mapping[ClientKey, ClientUse]) -> bool:
    """Whether two clients took turns within a row."""
    if one is None or other is None or one == other:
        return False
    return max(uses[one].first, uses[other].first) < min(uses[one].last, uses[other].last)


def _wait(service: str, context: Context) -> int:
    return 0 if context.age(service) < YOUNG_SLOTS else SLOTS_PER_DAY


def _asking(context: Context, service: str) -> Any:
    return lambda principal: context.frozen(service, principal)


def _observation(
    row: Row,
    change: Change,
    names: Mapping[Hashes, ClientKey],
    features: Mapping[str, float],
    chance: float,
    basis: str,
    context: Context,
) -> Observation:
    client, before = change.client, change.before
    key, old = names.get(client[:3]), names.get(before[:3])
    what = [word for bit, word in _WORDS.items() if client.bits & bit]
    return observed(
        context,
        NAME,
        row,
        features,
        seen=1.0,
        expected=round(chance, 7),
        unit=f"rows with a credential whose {' and '.join(what)} changed",
        basis=basis,
        first=client.first,
        last=max(row.last, client.last),
        evidence={
            "changed": [word.lower() for word in what],
            "clients": change.clients,
            "old_goes_on": bool(client.back),
            "new_client": key.text if key else "",
            "old_client": old.text if old else "",
            "requests_new": client.requests,
            "requests_old": before.requests,
        },
        reasons=_reasons(change, what, key, chance),
        examples=row.examples.get("any", ()),
        client=key,  # the thief's: he has more than one token
    )


def _reasons(change: Change, what: Sequence[str], key: Optional[ClientKey], chance: float) -> List[str]:
    client = change.client
    who = f": {key.text}" if key else ""
    said = [
        f"a credential of this principal came from a client with another {', '.join(what)} at"
        f" {_moment(client.first)}{who}; ordinary here: 1 in {1.0 / chance:,.0f} rows shows so much of a change"
    ]
    if client.back:
        said.append(
            f"the client that had it before went on at the same time ({change.before.requests} requests so far)"
        )
    if change.clients > 2:
        said.append(f"{change.clients} different clients have used this credential")
    return said


def _moment(time: float) -> str:
    return datetime.fromtimestamp(time, tz=timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
