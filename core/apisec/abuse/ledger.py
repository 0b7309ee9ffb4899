"""The ledger of open campaigns: observations in, events out; ``campaigns`` says what belongs together."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Dict, List, NamedTuple, Optional, Set, Tuple

from apisec.abuse.base import SLOTS_PER_HOUR, Observation
from apisec.abuse.campaigns import (
    FINDING_SCORE,
    IDLE_HOURS,
    JOIN_SCORE,
    OPEN_SCORE,
    Campaign,
    principals_of,
)

MAX_CAMPAIGNS = 512  # open ones of a service; the weakest go first


class Told(NamedTuple):
    """What one window adds to one campaign: its strongest observation, and whether that is the finding."""

    campaign: Campaign
    observation: Observation
    new: bool


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
            elif campaign.accused and one.score >= FINDING_SCORE:
                self._take_in(campaign, one)
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

    def _take_in(self, campaign: Campaign, one: Observation) -> None:
        """Let a told campaign take in the weak ones that its new member alone has."""
        who = set(principals_of(one))
        for other in [each for each in self._of(one) if not each.accused and one.family in each.families]:
            if other is not campaign and who.issuperset(other.members):
                campaign.absorb(other)
                self._close(other)

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
        campaign.told_accused = len(campaign.accused)
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
