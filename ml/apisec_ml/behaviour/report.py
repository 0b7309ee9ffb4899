"""The report on a detection run: per family and style what was found, how soon, and what was false."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apisec.statistics import upper_bound
from apisec_ml.behaviour.judging import GRACE, RUN, SUFFICIENT, Finding, Verdict, judge
from apisec_ml.behaviour.truth import DAY, Campaign, Truth
from apisec_ml.behaviour.whereabouts import Courses, continued, whereabouts

LISTED = 200  # false findings and missed campaigns that a report spells out
MILLION = 1_000_000

Nearest = Mapping[tuple[str, str, str, int], float]
Scores = dict[tuple[str, str], list[tuple[str, int, float]]]  # by service and principal: family, day, score


@dataclass
class Outcome:
    """What became of one campaign; runs are None when it was not found."""

    source: str
    campaign: Campaign
    right: list[Verdict] = field(default_factory=list)
    late: list[Verdict] = field(default_factory=list)
    nearest: dict[str, float] = field(default_factory=dict)  # highest score of each family on its members' days
    went: list[dict[str, Any]] = field(default_factory=list)  # which of the engine's campaigns took the evidence
    continued: bool = False  # missed, and accused in the finding of another attacker of its family

    @property
    def found(self) -> bool:
        return bool(self.right)

    @property
    def named(self) -> bool:
        """Whether one of the findings is of the campaign's own family."""
        return any(one.finding.family == self.campaign.family for one in self.right)

    @property
    def findings(self) -> int:
        return len(self.right) + len(self.late)

    def runs_since(self, moment: float) -> int | None:
        """Runs of the input from the one that saw the moment to the one that found the campaign, both counted."""
        if not self.right:
            return None
        return max(1, round(self.right[0].finding.time / RUN) - math.floor(moment / RUN))

    @property
    def runs(self) -> int | None:
        """From the first attack event on."""
        return self.runs_since(self.campaign.first)

    @property
    def runs_sufficient(self) -> int | None:
        """From the tenth attack event on (the last one of a shorter campaign)."""
        times = self.campaign.times
        return self.runs_since(times[min(SUFFICIENT, len(times)) - 1])

    @property
    def events_until_found(self) -> int | None:
        """Attack events before the finding, as far as their times were kept."""
        if not self.right:
            return None
        return sum(time < self.right[0].finding.time for time in self.campaign.times)


@dataclass
class Judged:
    """All outcomes and verdicts of one or more runs."""

    ordinary: int = 0
    attacks: int = 0
    sources: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    false: list[tuple[str, Verdict]] = field(default_factory=list)
    by_service: dict[str, int] = field(default_factory=dict)  # ordinary events

    def add(
        self,
        source: str,
        truth: Truth,
        findings: Sequence[Finding],
        nearest: Nearest = {},  # noqa: B006 - never changed
        courses: Courses | None = None,
        families: Collection[str] = (),
    ) -> None:
        """Judge the findings of one run; ``nearest`` and ``courses`` are the run's, campaigns count of ``families``."""
        outcomes = {one.id: Outcome(source, one) for one in truth.attacked()}
        verdicts = judge(findings, truth)
        for verdict in verdicts:
            if verdict.campaign is None:
                self.false.append((source, verdict))
            else:
                outcome = outcomes[verdict.campaign.id]
                (outcome.right if verdict.kind == "right" else outcome.late).append(verdict)
        by_finding = {one.finding.campaign: one for one in verdicts}
        scores = _by_principal(nearest)
        for outcome in outcomes.values():
            outcome.nearest = nearest_of(outcome.campaign, scores)
            if courses is not None and not outcome.found:
                outcome.went = whereabouts(outcome.campaign, courses, by_finding)
                outcome.continued = continued(outcome.campaign, courses, by_finding)
        self.ordinary += truth.ordinary
        self.attacks += truth.attacks
        if source not in self.sources:
            self.sources.append(source)
        self.outcomes.extend(one for one in outcomes.values() if not families or one.campaign.family in families)
        for service, count in truth.ordinary_by_service.items():
            self.by_service[f"{source} {service}"] = count

    def per_million(self, count: int) -> float:
        return round(count * MILLION / self.ordinary, 3) if self.ordinary else 0.0


def _by_principal(nearest: Nearest) -> Scores:
    found: Scores = {}
    for (service, who, family, day), score in nearest.items():
        found.setdefault((service, who), []).append((family, day, score))
    return found


def nearest_of(campaign: Campaign, scores: Scores) -> dict[str, float]:
    """Return the highest score of each family about the campaign's principals on its days, the highest first."""
    days = range(int(campaign.first // DAY), int((campaign.last + GRACE) // DAY) + 1)
    found: dict[str, float] = {}
    for who in campaign.principals:
        for family, day, score in scores.get((campaign.service, who), ()):
            if day in days:
                found[family] = max(score, found.get(family, 0.0))
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))


def median(values: Iterable[float | None]) -> float | None:
    """Return the upper median of what is there."""
    known = sorted(value for value in values if value is not None)
    return known[len(known) // 2] if known else None


def _row(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    found = [one for one in outcomes if one.found]
    per_campaign = sum(one.findings for one in found) / len(found) if found else None
    return {
        "campaigns": len(outcomes),
        "found": len(found),
        "named": sum(one.named for one in outcomes),
        "continued": sum(one.continued for one in outcomes),
        "median_runs": median(one.runs for one in found),
        "median_runs_sufficient": median(one.runs_sufficient for one in found),
        "median_events": median(one.events_until_found for one in found),
        "findings_per_campaign": round(per_campaign, 2) if per_campaign is not None else None,
    }


def _grouped(outcomes: Sequence[Outcome], key: Callable[[Outcome], tuple[str, ...]]) -> dict[tuple[str, ...], Any]:
    groups: dict[tuple[str, ...], list[Outcome]] = {}
    for one in outcomes:
        groups.setdefault(key(one), []).append(one)
    return {name: _row(groups[name]) for name in sorted(groups)}


def report_of(judged: Judged, threshold: float, **about: Any) -> dict[str, Any]:
    """Return the report as plain data."""
    false = judged.false
    by_family = Counter(verdict.finding.family for _, verdict in false)
    rows = _grouped(judged.outcomes, lambda one: (one.campaign.family,))
    cells = _grouped(judged.outcomes, lambda one: (one.campaign.family, one.campaign.style))
    return {
        **about,
        "sources": judged.sources,
        "threshold": threshold,
        "ordinary_events": judged.ordinary,
        "attack_events": judged.attacks,
        "all": _row(judged.outcomes),
        "families": {
            name: {**row, "false": by_family.get(name, 0), "false_per_million": judged.per_million(by_family[name])}
            for (name,), row in rows.items()
        },
        "styles": {name: row for (name,), row in _grouped(judged.outcomes, lambda o: (o.campaign.style,)).items()},
        "cells": [{"family": family, "style": style, **row} for (family, style), row in cells.items()],
        "false": len(false),
        "false_per_million": judged.per_million(len(false)),
        "false_per_million_at_most": round(upper_bound(len(false), max(judged.ordinary, len(false), 1)) * MILLION, 3),
        "false_by_family": dict(by_family.most_common()),
        "false_by_persona": dict(Counter(verdict.who for _, verdict in false).most_common(30)),
        "false_findings": [_false(source, verdict) for source, verdict in false[:LISTED]],
        "missed": [_missed(one) for one in judged.outcomes if not one.found][:LISTED],
    }


def _false(source: str, verdict: Verdict) -> dict[str, Any]:
    finding = verdict.finding
    return {
        "source": source,
        "id": finding.campaign,
        "time": finding.time,
        "service": finding.service,
        "family": finding.family,
        "score": finding.score,
        "who": verdict.who,
        "operation": finding.operation,
        "reason": next(iter(finding.document.get("reasons") or ("",))),
    }


def _missed(outcome: Outcome) -> dict[str, Any]:
    campaign = outcome.campaign
    return {
        "source": outcome.source,
        "id": campaign.id,
        "family": campaign.family,
        "style": campaign.style,
        "events": campaign.events,
        "hours": round((campaign.last - campaign.first) / 3600, 2),
        "principals": len(campaign.principals),
        "late": len(outcome.late),
        "nearest": outcome.nearest,
        "went": outcome.went,
        "continued": outcome.continued,
    }
