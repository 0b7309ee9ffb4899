"""Findings against the truth: which campaigns were found, how soon, how often, and who was troubled for nothing.

A **finding** is what reaches an analyst: the first anomaly of the engine's campaign whose score reaches the threshold
(detections throttle by campaign). It is *right* when at least half of those it accuses are principals of one labelled
campaign of that service and it comes between that campaign's first attack event and an hour after its last; *late* when
it comes within the week after that; else *false*. What is late finds nothing, but is one more finding of its campaign.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apisec_ml.behaviour.truth import Campaign, Truth

RUN = 300.0  # seconds between two runs of the input
GRACE = 3600.0  # seconds after the last attack event
LATE = 7 * 86400.0
HALF = 0.5
SUFFICIENT = 10  # attack events: what a detector needs at least is counted from here on
DEFAULT_THRESHOLD = 90.0


@dataclass(frozen=True)
class Finding:
    """One alarm; ``time`` is the end of the window in which it was raised (seconds since the epoch)."""

    time: float
    service: str
    family: str
    entity: str
    principal: str
    operation: str
    members: tuple[str, ...]
    campaign: str  # the engine's
    score: float
    document: Mapping[str, Any] = field(repr=False, default_factory=dict)

    @property
    def accused(self) -> frozenset[str]:
        return frozenset((self.principal,) if self.principal else self.members)


@dataclass(frozen=True)
class Verdict:
    """What a finding is worth: ``kind`` is right, late or false; ``campaign`` the labelled one, if any."""

    finding: Finding
    kind: str
    campaign: Campaign | None
    share: float  # of the accused that belong to the campaign
    who: str  # personas of the accused


def finding_of(time: float, anomaly: Mapping[str, Any]) -> Finding:
    """Take an anomaly (event of sourcetype apisec:anomaly) as a finding."""
    return Finding(
        time=time,
        service=str(anomaly["service"]),
        family=str(anomaly["family"]),
        entity=str(anomaly["entity"]),
        principal=str(anomaly.get("principal") or ""),
        operation=str(anomaly.get("operation") or ""),
        members=tuple(map(str, anomaly.get("members") or ())),
        campaign=str(anomaly["campaign"]),
        score=float(anomaly["score"]),
        document=anomaly,
    )


def findings_of(anomalies: Iterable[tuple[float, Mapping[str, Any]]], threshold: float) -> list[Finding]:
    """Return the first anomaly of each campaign whose score reaches the threshold, in order of time."""
    found: dict[str, Finding] = {}
    for time, anomaly in anomalies:
        if float(anomaly["score"]) >= threshold and str(anomaly["campaign"]) not in found:
            found[str(anomaly["campaign"])] = finding_of(time, anomaly)
    return sorted(found.values(), key=lambda one: (one.time, one.campaign))


def share_of(finding: Finding, campaign: Campaign) -> float:
    """Return which share (0–1) of the accused belongs to the campaign; an operation without members accuses all."""
    accused = finding.accused
    if not accused:
        return float(finding.operation in campaign.operations)
    return len(accused & campaign.principals) / len(accused)


def judge(findings: Sequence[Finding], truth: Truth) -> list[Verdict]:
    """Return what each finding is worth."""
    by_service: dict[str, list[Campaign]] = {}
    for campaign in truth.attacked():
        by_service.setdefault(campaign.service, []).append(campaign)
    return [_verdict(one, by_service.get(one.service, ()), truth) for one in findings]


def _verdict(finding: Finding, campaigns: Sequence[Campaign], truth: Truth) -> Verdict:
    ranked = []
    for campaign in campaigns:
        share = share_of(finding, campaign)
        # The window that holds the first event ends after it; so no finding of it can be earlier.
        if share < HALF or not campaign.first < finding.time <= campaign.last + LATE:
            continue
        in_time = finding.time <= campaign.last + GRACE
        ranked.append((in_time, campaign.family == finding.family, share, campaign.first, campaign.id, campaign))
    who = _who(finding, campaigns, truth)
    if not ranked:
        best = max((share_of(finding, one) for one in campaigns), default=0.0)
        return Verdict(finding, "false", None, best, who)
    in_time, _, share, _, _, campaign = max(ranked, key=lambda one: one[:5])
    return Verdict(finding, "right" if in_time else "late", campaign, share, who)


def _who(finding: Finding, campaigns: Sequence[Campaign], truth: Truth) -> str:
    attackers = {principal for one in campaigns for principal in one.principals}
    names: dict[str, int] = {}
    for principal in finding.accused:
        name = truth.personas.get(principal, "?")
        if principal in attackers:
            name += "+attacker"
        names[name] = names.get(name, 0) + 1
    most = sorted(names.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{count} {name}" if count > 1 else name for name, count in most[:4])
