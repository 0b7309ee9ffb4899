"""What labels say: campaigns with who, where and when, and how much ordinary traffic there was beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DAY = 86400.0
KEPT_TIMES = 100  # of a campaign's first attack events: enough to say when its evidence sufficed


@dataclass
class Campaign:
    """One attack: ``first`` and ``last`` (seconds since the epoch) are of its attack events, cover left out."""

    id: str
    service: str
    family: str
    style: str
    principals: set[str] = field(default_factory=set)
    operations: set[str] = field(default_factory=set)
    events: int = 0
    first: float = float("inf")
    last: float = float("-inf")
    times: list[float] = field(default_factory=list)  # of the first attack events, in order

    def add(self, event: Mapping[str, Any], time: float, cover: bool) -> None:
        self.principals.add(str(event["principal"]))
        if cover:
            return
        self.operations.add(str(event["operation"]))
        if event.get("body_operation"):  # as activity rows name the operations of GraphQL and the like
            self.operations.add(f"{event['operation']}#{event['body_operation']}")
        self.events += 1
        self.first, self.last = min(self.first, time), max(self.last, time)
        if len(self.times) < KEPT_TIMES:
            self.times.append(time)

    def to_document(self) -> dict[str, Any]:
        sets = {"principals": sorted(self.principals), "operations": sorted(self.operations)}
        return {**vars(self), **sets}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Campaign:
        sets = {name: set(document[name]) for name in ("principals", "operations")}
        return cls(**{**document, **sets})


@dataclass
class Truth:
    """What the labels of some services say."""

    ordinary: int = 0
    attacks: int = 0  # events of campaigns, cover among them
    first: float = float("inf")
    last: float = float("-inf")
    campaigns: dict[str, Campaign] = field(default_factory=dict)
    personas: dict[str, str] = field(default_factory=dict)  # principal -> who it was when it was ordinary
    ordinary_by_service: dict[str, int] = field(default_factory=dict)
    principal_days: int = 0  # of ordinary events: how often a principal's ordinary day was seen
    _today: set[tuple[str, str]] = field(default_factory=set, repr=False)
    _day: int = -1

    def add(self, event: Mapping[str, Any], time: float, label: Mapping[str, Any]) -> None:
        """Count one event with its label."""
        self.first, self.last = min(self.first, time), max(self.last, time)
        principal, service = str(event["principal"]), str(event["service"])
        if label["campaign"] is None:
            self.ordinary += 1
            self._count_day(service, principal, int(time // DAY))
            self.ordinary_by_service[service] = self.ordinary_by_service.get(service, 0) + 1
            if principal not in self.personas:
                self.personas[principal] = str(label.get("persona") or "?")
            return
        self.attacks += 1
        name = str(label["campaign"])
        campaign = self.campaigns.get(name)
        if campaign is None:
            family, style = str(label.get("family") or "?"), str(label.get("style") or "?")
            campaign = self.campaigns[name] = Campaign(name, service, family, style)
        campaign.add(event, time, bool(label.get("cover")))

    def _count_day(self, service: str, principal: str, day: int) -> None:
        if day > self._day:  # what is late by minutes around midnight counts twice, which is nothing
            self._day = day
            self._today.clear()
        if (service, principal) not in self._today:
            self._today.add((service, principal))
            self.principal_days += 1

    def attacked(self) -> list[Campaign]:
        """Return the campaigns that had an attack event, by their beginning."""
        return sorted((one for one in self.campaigns.values() if one.events), key=lambda one: (one.first, one.id))

    def to_document(self) -> dict[str, Any]:
        plain = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        return {**plain, "campaigns": [one.to_document() for one in self.campaigns.values()]}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Truth:
        campaigns = [Campaign.from_document(one) for one in document["campaigns"]]
        return cls(**{**document, "campaigns": {one.id: one for one in campaigns}})
