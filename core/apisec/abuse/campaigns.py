"""Campaigns: what belongs together becomes one finding.

An observation joins an open campaign of its service, in this order of preference:

1. the same family, and its principal is a member (until ``IDLE_HOURS`` after the campaign's last);
2. the same family and signature (``IDLE_HOURS``), or the same family and operation by other principals
   (``SHARED_HOURS``) at ``SHARED_SCORE``;
3. the same family at ``SHARED_SCORE``, about the service as a whole (``NEARBY_HOURS``), or one that takes no account
   (``OUTSIDERS``, ``SHARED_HOURS``): its principals are addresses;
4. another family, most of its principals are members, and it is about the same operation (``SHARED_HOURS``), or the
   members are few (``NEARBY_HOURS``): one attack has many faces.

Otherwise it opens one, when its score is at least ``OPEN_SCORE``. A campaign is told (``new``) once: when its score
first reaches ``FINDING_SCORE``. What comes later is told as its course: when it grows, and now and then.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Dict, List, NamedTuple, Optional, Set, Tuple

from apisec.abuse.base import MAX_MEMBERS, SLOT_SECONDS, SLOTS_PER_DAY, SLOTS_PER_HOUR, Observation
from apisec.errors import DocumentError

CAMPAIGN_VERSION = 1
JOIN_SCORE, OPEN_SCORE, FREEZE_SCORE, FINDING_SCORE = 36.0, 54.0, 72.0, 90.0  # 1e-2, 1e-3, 1e-4, 1e-5
IDLE_HOURS, SHARED_HOURS, NEARBY_HOURS = 72, 24, 6
SHARED_SCORE = 80.0  # of an observation that makes strangers members: weak ones are not to gather a crowd
FEW = 4  # members, beyond which a campaign is too common a name for one of them
# Who is in a campaign that was told teaches nothing; what goes on at one level for days is what is ordinary here.
FREEZE_DAYS = 3  # since the score last rose by RISE
MAX_CAMPAIGNS = 512  # open ones of a service; the weakest go first
MAX_KNOWN = 1024  # members that are known by name
MAX_OPERATIONS = 32
# Whoever has no account comes by as many principals as he has addresses: what outsiders of one kind try at one service
# within a day is one finding, whether that is one of them or forty.
OUTSIDERS = frozenset(("account_enumeration", "credential_stuffing", "reconnaissance", "token_guessing"))
RISE = 5.0  # points by which a score has to rise to be told again
REPEAT_SLOTS = SLOTS_PER_HOUR  # a course that neither rises nor grows is told this often at most


class Told(NamedTuple):
    """What one window adds to one campaign: its strongest observation, and whether that is the finding."""

    campaign: Campaign
    observation: Observation
    new: bool


class Campaign:
    """Times are seconds since the epoch, slots of 5 minutes. ``members`` maps principals to the slot seen last."""

    __slots__ = (
        "count",
        "families",
        "first",
        "id",
        "last",
        "last_slot",
        "lead",
        "member_count",
        "members",
        "opened",
        "operations",
        "peak",
        "risen",
        "service",
        "signatures",
        "told",
        "told_members",
        "told_peak",
        "told_slot",
    )

    def __init__(self, identity: str, service: str, opened: int) -> None:
        self.id = identity
        self.service = service
        self.opened = opened
        self.families: List[str] = []
        self.lead = ""
        self.operations: List[str] = []
        self.signatures: List[str] = []
        self.members: Dict[str, int] = {}
        self.member_count = 0
        self.first = 0.0
        self.last = 0.0
        self.last_slot = opened
        self.peak = 0.0
        self.risen = opened  # slot in which the score last rose
        self.count = 0  # observations
        self.told = False
        self.told_slot = -1
        self.told_peak = 0.0
        self.told_members = 0

    def take(self, one: Observation, slot: int) -> None:
        """Count an observation of the window that ends in ``slot``."""
        self.first = min(self.first, one.first) if self.count else one.first
        self.last = max(self.last, one.last)
        self.last_slot = max(self.last_slot, slot)
        if not self.told and one.score >= self.peak:
            self.lead = one.family
        if one.score >= self.peak + RISE:
            self.risen = slot
        self.peak = max(self.peak, one.score)
        self.count += 1
        for values, value, most in (
            (self.families, one.family, MAX_OPERATIONS),
            (self.operations, one.operation, MAX_OPERATIONS),
            (self.signatures, one.signature, MAX_OPERATIONS),
        ):
            if value and value not in values and len(values) < most:
                values.append(value)
        for who in principals_of(one):
            if who not in self.members:
                self.member_count += 1
                if len(self.members) >= MAX_KNOWN:
                    del self.members[min(self.members, key=lambda known: (self.members[known], known))]
            self.members[who] = slot

    def rank(self, one: Observation, slot: int) -> int:
        """Return how well the observation belongs here: 1 best, 0 not at all."""
        idle = slot - self.last_slot
        if one.service != self.service or idle > IDLE_HOURS * SLOTS_PER_HOUR:
            return 0
        who = principals_of(one)
        known = sum(principal in self.members for principal in who)
        if one.family in self.families:
            if 2 * known > len(who):
                return 1
            if one.signature and one.signature in self.signatures:
                return 2
            if one.score < SHARED_SCORE:
                return 0
            if one.operation in self.operations and idle <= SHARED_HOURS * SLOTS_PER_HOUR:
                return 2
            if one.family in OUTSIDERS and idle <= SHARED_HOURS * SLOTS_PER_HOUR:
                return 3
            whole = not one.operation and not one.signature
            return 3 if whole and idle <= NEARBY_HOURS * SLOTS_PER_HOUR else 0
        if 2 * known <= len(who):
            return 0
        if one.score >= FINDING_SCORE and not self.told and self.member_count > len(who):
            return 0  # a finding does not vanish among strangers who did a little of something else
        if one.operation in self.operations:
            return 4 if idle <= SHARED_HOURS * SLOTS_PER_HOUR else 0
        return 4 if self.member_count <= FEW and idle <= NEARBY_HOURS * SLOTS_PER_HOUR else 0

    def is_news(self, slot: int) -> bool:
        """Whether what was seen in ``slot`` is worth an event."""
        if self.told_slot < 0 or self.peak >= self.told_peak + RISE or self.member_count >= 2 * self.told_members:
            return True
        return slot - self.told_slot >= REPEAT_SLOTS

    def frozen(self, slot: int) -> bool:
        return self.told and slot - self.risen <= FREEZE_DAYS * SLOTS_PER_DAY

    def to_document(self) -> Dict[str, Any]:
        document: Dict[str, Any] = {"_key": self.id, "version": CAMPAIGN_VERSION}
        document.update((name, getattr(self, name)) for name in _KINDS)
        document.update(families=list(self.families), operations=list(self.operations), members=dict(self.members))
        document["signatures"] = list(self.signatures)
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Campaign:
        """Raises DocumentError when it is not one of ``to_document``."""
        identity = document.get("_key")
        where = f"campaigns[{str(identity)[:64]}]"
        if document.get("version") != CAMPAIGN_VERSION or not isinstance(identity, str):
            message = f"has version {document.get('version')!r}; this apisec reads {CAMPAIGN_VERSION}: upgrade the app"
            raise DocumentError(message, where=where)
        campaign = cls(identity, "", 0)
        for name, kinds in _KINDS.items():
            value = document.get(name)
            if type(value) not in kinds:
                raise DocumentError(f"{name} is missing or of another type", where=where)
            setattr(campaign, name, value)
        members = document["members"]
        if not all(isinstance(who, str) and type(slot) is int for who, slot in members.items()):
            raise DocumentError("members are not principals with slots", where=where)
        campaign.members = dict(members)
        for name in ("families", "operations", "signatures"):
            if not all(isinstance(one, str) for one in document[name]):
                raise DocumentError(f"{name} holds something that is no text", where=where)
            setattr(campaign, name, list(document[name]))
        return campaign


_NUMBER = (int, float)
_KINDS: Dict[str, Tuple[type, ...]] = {
    "service": (str,),
    "opened": (int,),
    "families": (list,),
    "lead": (str,),
    "operations": (list,),
    "signatures": (list,),
    "members": (dict,),
    "member_count": (int,),
    "first": _NUMBER,
    "last": _NUMBER,
    "last_slot": (int,),
    "peak": _NUMBER,
    "risen": (int,),
    "count": (int,),
    "told": (bool,),
    "told_slot": (int,),
    "told_peak": _NUMBER,
    "told_members": (int,),
}


def principals_of(one: Observation) -> Tuple[str, ...]:
    return (one.principal,) if one.principal else one.members


def campaign_id(one: Observation) -> str:
    """Return a stable id: the same window scored again opens the same campaign."""
    parts = (one.service, one.family, one.entity, one.principal, one.operation, one.signature, str(one.slot))
    digest = hashlib.blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"c-{digest}"


class Ledger:
    """All open campaigns."""

    def __init__(self, documents: Iterable[Mapping[str, Any]] = ()) -> None:
        self._open: Dict[str, Campaign] = {}
        self._services: Dict[str, List[Campaign]] = defaultdict(list)
        self._dirty: Set[str] = set()
        self._gone: List[str] = []
        for document in documents:
            self._add(Campaign.from_document(document))

    def __len__(self) -> int:
        return len(self._open)

    def _add(self, campaign: Campaign) -> None:
        self._open[campaign.id] = campaign
        self._services[campaign.service].append(campaign)

    def take(
        self, observations: Iterable[Observation], slot: int, excepted: Callable[[Observation], str] = lambda _: ""
    ) -> List[Told]:
        """Group the observations of the window that ends in ``slot``; return what is worth an event.

        What is ``excepted`` belongs to a campaign as everything else, but does not make it a finding.
        """
        strongest: Dict[str, Observation] = {}
        for one in sorted(observations, key=_strongest_first):
            if one.score < JOIN_SCORE:
                break
            campaign = self._find(one, slot)
            if campaign is None:
                if one.score < OPEN_SCORE:
                    continue
                campaign = self._begin(one, slot)
            campaign.take(one, slot)
            self._dirty.add(campaign.id)
            known = strongest.get(campaign.id)
            if known is None or (excepted(known) and not excepted(one)):
                strongest[campaign.id] = one
        return [
            told
            for identity, one in strongest.items()
            if identity in self._open
            for told in self._tell(self._open[identity], one, slot, bool(excepted(one)))
        ]

    def _find(self, one: Observation, slot: int) -> Optional[Campaign]:
        ranked = [
            (campaign.rank(one, slot), not campaign.told, -campaign.last_slot, campaign.id)
            for campaign in self._of(one)
        ]
        ranked = [entry for entry in ranked if entry[0]]
        return self._open[min(ranked)[3]] if ranked else None

    def _of(self, one: Observation) -> List[Campaign]:
        return self._services[one.service]

    def _begin(self, one: Observation, slot: int) -> Campaign:
        campaign = Campaign(campaign_id(one), one.service, slot)
        others = self._of(one)
        if len(others) >= MAX_CAMPAIGNS:
            self._close(min(others, key=lambda other: (other.told, other.peak, other.last_slot, other.id)))
        self._add(campaign)
        return campaign

    def _tell(self, campaign: Campaign, one: Observation, slot: int, excepted: bool) -> List[Told]:
        new = not campaign.told and not excepted and one.score >= FINDING_SCORE
        if not new and not campaign.is_news(slot):
            return []
        if new:
            campaign.told, campaign.lead = True, one.family
        campaign.told_slot, campaign.told_peak, campaign.told_members = slot, campaign.peak, campaign.member_count
        return [Told(campaign, one, new)]

    def close_idle(self, slot: int) -> None:
        """Close campaigns that nothing was added to for ``IDLE_HOURS``."""
        for campaign in list(self._open.values()):
            if slot - campaign.last_slot > IDLE_HOURS * SLOTS_PER_HOUR:
                self._close(campaign)

    def _close(self, campaign: Campaign) -> None:
        del self._open[campaign.id]
        self._services[campaign.service].remove(campaign)
        self._dirty.discard(campaign.id)
        self._gone.append(campaign.id)

    def frozen(self, slot: int) -> Set[Tuple[str, str]]:
        """Return (service, principal) of all who teach nothing now."""
        return {
            (campaign.service, who)
            for campaign in self._open.values()
            if campaign.frozen(slot)
            for who in campaign.members
        }

    def documents(self, dirty_only: bool = True) -> List[Dict[str, Any]]:
        return [self._open[one].to_document() for one in sorted(self._dirty if dirty_only else self._open)]

    def gone(self) -> List[str]:
        return list(self._gone)

    def saved(self) -> None:
        self._dirty.clear()
        self._gone.clear()


def _strongest_first(one: Observation) -> Tuple[float, float, str, str, str]:
    return (-one.score, one.p_value, one.family, one.principal, one.operation)


def members_shown(campaign: Campaign) -> List[str]:
    """Return the members to name: those seen last."""
    ordered = sorted(campaign.members, key=lambda who: (-campaign.members[who], who))
    return ordered[:MAX_MEMBERS]


def slot_end(slot: int) -> float:
    return float((slot + 1) * SLOT_SECONDS)
