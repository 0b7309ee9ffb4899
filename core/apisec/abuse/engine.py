"""The engine: windows of activity rows in, anomalies out; each row once, state as documents.

    engine = Engine(documents)
    anomalies = engine.advance(rows, now)
    for collection, documents in engine.documents().items(): ...save...; engine.saved()

Every family observes before any learns, so that a window is judged by what was known before it. Principals in open
campaigns, and those that a family finds suspicious in the window itself, teach nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Set, Tuple, Type, TypeVar

from apisec.abuse import event as schema
from apisec.abuse.artefact import default_models
from apisec.abuse.base import (
    OPERATION,
    PRINCIPAL,
    SERVICE,
    SLOT_SECONDS,
    Expecting,
    Family,
    Judging,
    Key,
    Observation,
    Part,
    Window,
)
from apisec.abuse.campaigns import FREEZE_SCORE, JOIN_SCORE, Campaign, members_shown, principals_of
from apisec.abuse.families import FAMILIES
from apisec.abuse.habits import unit_of
from apisec.abuse.ledger import Ledger, Told
from apisec.abuse.state import Profiles, profile_key
from apisec.abuse.tally import SOURCE, Tally
from apisec.baselines.expectations import Expectations
from apisec.dispositions.exceptions import Exemptions

if TYPE_CHECKING:
    from apisec.activity import Row

PROFILES, CAMPAIGNS, EXPECTATIONS = "profiles", "campaigns", "expectations"
COLLECTIONS = (PROFILES, CAMPAIGNS, EXPECTATIONS)

P = TypeVar("P", bound=Part)
Documents = Mapping[str, Iterable[Mapping[str, Any]]]


class EngineContext:
    """What the families see of the engine (``base.Context``)."""

    tally: Tally

    def __init__(self, profiles: Profiles, expectations: Expecting, models: Judging) -> None:
        self.now_slot = 0
        self.expectations = expectations
        self.models = models
        self.frozen_now: Set[Tuple[str, str]] = set()
        self._profiles = profiles
        self._parts: Dict[Tuple[Any, str, Key], Any] = {}  # of this window, by kind, scope and key: asked for most

    def begin(self, slot: int) -> None:
        """Begin a window: profiles that are asked for count as touched anew."""
        self.now_slot = slot
        self._parts.clear()

    def part(self, scope: str, key: Key, kind: Type[P]) -> P:
        known: Optional[P] = self._parts.get((kind, scope, key))
        return known if known is not None else self._part(scope, key, kind)

    def _part(self, scope: str, key: Key, kind: Type[P]) -> P:
        profile = self._profiles.get(scope, key) or self._profiles.see(scope, key, self.now_slot)
        self._profiles.touch(scope, key)
        found = profile.part(kind)
        assert found is not None
        self._parts[(kind, scope, key)] = found
        return found

    def peek(self, scope: str, key: Key, kind: Type[P]) -> Optional[P]:
        known: Optional[P] = self._parts.get((kind, scope, key))
        if known is not None:
            return known
        profile = self._profiles.get(scope, key)
        return profile.part(kind, make=False) if profile else None

    def age(self, service: str) -> int:
        return self.age_of(SERVICE, (service,))

    def age_of(self, scope: str, key: Key) -> int:
        profile = self._profiles.get(scope, key)
        return max(0, self.now_slot - profile.first) if profile else 0

    def frozen(self, service: str, principal: str) -> bool:
        return (service, principal) in self.frozen_now


class Engine:
    """``documents`` by collection, as ``documents(dirty_only=False)`` gave them; raises DocumentError.

    ``watch`` is called with every observation before it is grouped. What one of the ``exceptions`` covers is counted,
    and told with its id, but is no finding.
    """

    def __init__(
        self,
        documents: Documents = {},  # noqa: B006 - never changed
        *,
        families: Sequence[Family] = FAMILIES,
        models: Optional[Judging] = None,
        watch: Optional[Callable[[Observation], None]] = None,
        exceptions: Optional[Exemptions] = None,
    ) -> None:
        self._profiles = Profiles(documents.get(PROFILES, ()))
        self._ledger = Ledger(documents.get(CAMPAIGNS, ()))
        self._damaged: List[str] = []
        self._expectations = Expectations.from_documents(documents.get(EXPECTATIONS, ()), self._damaged)
        self._families = tuple(families)
        self._watch = watch
        self._exceptions = exceptions
        self._context = EngineContext(
            self._profiles, self._expectations, default_models() if models is None else models
        )

    @staticmethod
    def keys(rows: Iterable[Row]) -> List[str]:
        """Return the ``_key`` of the profiles that ``advance`` will ask for: load them before (``load``)."""
        return sorted({profile_key(*address) for row in rows for address in _asked(row)})

    def load(self, profiles: Iterable[Mapping[str, Any]]) -> None:
        """Take profiles from the store; raises DocumentError."""
        self._profiles.load(profiles)

    def advance(self, rows: Iterable[Row], now: float) -> List[schema.Anomaly]:
        """Judge and learn one window of rows; ``now`` (seconds) is its end. Each row is to be given once."""
        slot = max(0, int(now // SLOT_SECONDS) - 1)
        context = self._context
        context.begin(slot)
        # A gateway whose clock is ahead does not move ours.
        window = Window.of(row for row in rows if row.slot <= slot + 1)
        for address in sorted({address for row in window.rows for address in _addresses(row)}):
            self._profiles.see(*address, min(window.start_slot, slot))
        context.frozen_now = self._ledger.frozen(slot)
        tally = context.tally = Tally(window, context)
        tally.mark(self._families)
        observations = [one for family in self._families for one in family.observe(window, context)]
        if self._watch is not None:
            for one in observations:
                self._watch(one)
        told = self._ledger.take(observations, slot, self._excepted)
        self._learn(window, observations, slot)
        self._ledger.close_idle(slot)
        self._damaged += self._profiles.damaged()
        self._profiles.forget(slot)
        self._expectations.forget(slot)
        return [self._event(one, window, now) for one in told]

    def _learn(self, window: Window, observations: Iterable[Observation], slot: int) -> None:
        suspicious = self._ledger.frozen(slot)
        for one in observations:
            if one.score >= FREEZE_SCORE:
                suspicious.update((one.service, who) for who in principals_of(one))
        self._context.frozen_now = suspicious
        ordinary = window.without(suspicious)
        doubtful = {(one.service, who) for one in observations if one.score >= JOIN_SCORE for who in principals_of(one)}
        self._context.tally.learn(ordinary, doubtful)
        for family in self._families:
            family.learn(ordinary, self._context)

    def _event(self, told: Told, window: Window, now: float) -> schema.Anomaly:
        campaign, one, new = told
        anomaly: schema.Anomaly = {
            "schema": schema.SCHEMA_VERSION,
            "id": _anomaly_id(campaign, one, now),
            "time": now,
            "service": one.service,
            "team": one.team,
            "family": one.family,
            "entity": one.entity,
            "principal": one.principal,
            "operation": one.operation,
            "operations": list(campaign.operations),
            "members": list(one.members) if one.members else members_shown(campaign),
            "member_count": campaign.member_count,
            "campaign": campaign.id,
            "families": list(campaign.families),
            "lead": campaign.lead,
            "new": new,
            "score": one.score,
            "severity": schema.severity_of(one.score),
            "peak": campaign.peak,
            "p_value": one.p_value,
            "seen": _rounded(one.seen),
            "expected": _rounded(one.expected),
            "unit": one.unit,
            "basis": one.basis,
            "first_time": campaign.first,
            "last_time": campaign.last,
            "requests": one.requests,
            "reasons": list(one.reasons),
            "evidence": dict(one.evidence),
            "features": dict(one.features),
            "examples": list(one.examples),
            "owasp": schema.OWASP[one.family],
        }
        anomaly.update(_figures(one, window))
        excepted = self._excepted(one)
        if excepted:
            anomaly["excepted"] = excepted
        return anomaly

    def _excepted(self, one: Observation) -> str:
        """Return the key of the exception that covers an observation, or an empty string."""
        if not self._exceptions:
            return ""
        found = self._exceptions.find(one.service, one.family, one.operation, principals_of(one))
        return found.key if found else ""

    def documents(self, dirty_only: bool = True) -> Dict[str, List[Dict[str, Any]]]:
        """Return the documents to save, by collection."""
        return {
            PROFILES: self._profiles.documents(dirty_only),
            CAMPAIGNS: self._ledger.documents(dirty_only),
            EXPECTATIONS: self._expectations.to_documents(dirty_only),
        }

    def gone(self) -> Dict[str, List[str]]:
        """Return the keys of documents to delete, by collection."""
        return {
            PROFILES: self._profiles.gone(),
            CAMPAIGNS: self._ledger.gone(),
            EXPECTATIONS: self._expectations.gone(),
        }

    def damaged(self) -> List[str]:
        """Return parts of profiles that could not be read and were begun anew, with why; each is told once."""
        told, self._damaged = self._damaged, []
        return told

    def saved(self) -> None:
        """What ``documents`` and ``gone`` gave is in the store."""
        self._profiles.saved()
        self._ledger.saved()
        self._expectations.saved()

    def release(self, most: int) -> None:
        """Keep at most ``most`` saved profiles in memory."""
        self._profiles.release(most)


def _addresses(row: Row) -> Iterable[Tuple[str, Key]]:
    yield SERVICE, (row.service,)
    yield PRINCIPAL, (row.service, row.principal)
    for operation in row.operations:
        yield OPERATION, (row.service, operation)


def _asked(row: Row) -> Iterable[Tuple[str, Key]]:
    """Yield what the row may be judged by: beside its own profiles those of its address and of its client."""
    yield from _addresses(row)
    if len(row.sources) == 1:
        yield PRINCIPAL, (row.service, SOURCE + row.sources[0])
    unit = unit_of(row)
    if unit != row.principal:
        yield PRINCIPAL, (row.service, unit)


def _anomaly_id(campaign: Campaign, one: Observation, now: float) -> str:
    text = "\x1f".join((campaign.id, one.family, one.principal, one.operation, f"{now:.0f}"))
    return f"a-{hashlib.blake2b(text.encode('utf-8', 'surrogatepass'), digest_size=8).hexdigest()}"


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def _figures(one: Observation, window: Window) -> Dict[str, Any]:
    """Add up the rows that the observation is about; a figure of nothing is left out."""
    who = principals_of(one)
    rows = [row for principal in who for row in window.by_principal.get((one.service, principal), ())]
    sums = dict.fromkeys(("objects", "failures", "accounts", "bytes_out", "records", "sensitive"), 0)
    sources: Dict[str, None] = {}
    for row in rows:
        sources.update(dict.fromkeys(row.sources))
        sums["accounts"] += len(row.accounts.tried)
        for name, used in row.operations.items():
            if one.operation and name != one.operation:
                continue
            sums["objects"] += len(used.objects) + used.objects_dropped
            sums["failures"] += sum(count for status, count in used.statuses.items() if status >= 400)
            sums["bytes_out"] += used.bytes_out
            sums["records"] += used.records
            sums["sensitive"] += used.sensitive
    found: Dict[str, Any] = {name: count for name, count in sums.items() if count}
    if sources:
        found["sources"] = list(sources)[:8]
    if one.principal and rows:
        found["principal_kind"] = rows[0].kind
    if "unissued" in one.evidence:
        found["unissued"] = one.evidence["unissued"]
    return found
