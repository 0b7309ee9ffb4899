"""What became of the evidence about a campaign that was missed: which of the engine's campaigns took it.

An observation that reaches the score of a finding and joins a campaign that was told before raises no finding. Seen
from outside that is a miss like any other, but its remedy lies in how campaigns are joined, not in the family. Where
that campaign was another attacker's of the same family, an analyst has a finding of this abuse in hand, and sees the
new principals accused in it: that is said beside what was found (``continued``), and counts as missed all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from apisec.abuse.campaigns import FINDING_SCORE
from apisec_ml.behaviour.judging import GRACE, HALF, Verdict
from apisec_ml.behaviour.truth import Campaign

SHOWN = 3  # of the engine's campaigns, for one that was missed


@dataclass
class Course:
    """One campaign of the engine, as its anomalies tell it. Times are ends of windows (seconds since the epoch)."""

    id: str
    service: str
    lead: str = ""
    families: tuple[str, ...] = ()
    peak: float = 0.0
    told: float | None = None
    member_count: int = 0
    members: dict[str, tuple[float, float]] = field(default_factory=dict)  # seen as such first and last
    accusations: list[tuple[float, frozenset[str]]] = field(default_factory=list)  # anomalies worth a finding: of whom

    def add(self, time: float, anomaly: Mapping[str, Any]) -> None:
        self.lead, self.families = str(anomaly["lead"]), tuple(anomaly["families"])
        self.peak = max(self.peak, float(anomaly["peak"]))
        self.member_count = int(anomaly["member_count"])
        if anomaly["new"] and self.told is None:
            self.told = time
        for who in (anomaly["principal"], *anomaly["members"]):
            if who:
                self.members[who] = (self.members.get(who, (time, time))[0], time)
        if float(anomaly["score"]) >= FINDING_SCORE:
            principal = anomaly["principal"]
            self.accusations.append((time, frozenset((principal,) if principal else anomaly["members"])))

    def accuses(self, campaign: Campaign) -> bool:
        """Whether an anomaly of a finding's score is about principals of a labelled campaign, in its time."""
        return any(
            campaign.first < time <= campaign.last + GRACE and len(who & campaign.principals) >= HALF * len(who)
            for time, who in self.accusations
            if who
        )


class Courses:
    """The engine's campaigns of one run, by what its anomalies say, however weak."""

    def __init__(self) -> None:
        self.of: dict[str, Course] = {}

    def add(self, time: float, anomalies: Iterable[Mapping[str, Any]]) -> None:
        for one in anomalies:
            identity = str(one["campaign"])
            if identity not in self.of:
                self.of[identity] = Course(identity, str(one["service"]))
            self.of[identity].add(time, one)

    def about(self, campaign: Campaign) -> list[tuple[int, Course]]:
        """Return the engine's campaigns that held principals of a labelled one in its time, with how many of them."""
        found = []
        for course in self.of.values():
            if course.service != campaign.service:
                continue
            shared = sum(_during(campaign, *course.members[who]) for who in course.members.keys() & campaign.principals)
            if shared:
                found.append((shared, course))
        return sorted(found, key=lambda one: (-one[1].peak, -one[0], one[1].id))


def _during(campaign: Campaign, first: float, last: float) -> bool:
    return first <= campaign.last + GRACE and last > campaign.first


def whereabouts(campaign: Campaign, courses: Courses, verdicts: Mapping[str, Verdict]) -> list[dict[str, Any]]:
    """Return where the evidence about a campaign went, the strongest first; ``verdicts`` by the engine's campaign."""
    found = []
    for shared, course in courses.about(campaign)[:SHOWN]:
        verdict = verdicts.get(course.id)
        found.append(
            {
                "campaign": course.id,
                "lead": course.lead,
                "families": list(course.families),
                "peak": course.peak,
                "shared": shared,
                "members": course.member_count,
                "told": course.told,
                "early": course.told is not None and course.told <= campaign.first,
                "counted": _counted(verdict),
            }
        )
    return found


def continued(campaign: Campaign, courses: Courses, verdicts: Mapping[str, Verdict]) -> bool:
    """Whether a campaign that was missed is accused in the finding of another attacker of its family."""
    for _, course in courses.about(campaign):
        other = verdicts[course.id].campaign if course.id in verdicts else None
        if other is not None and other.family == campaign.family and course.accuses(campaign):
            return True
    return False


def _counted(verdict: Verdict | None) -> str:
    """Return what the finding of a campaign was counted as."""
    if verdict is None:
        return "no finding"
    return verdict.kind if verdict.campaign is None else f"{verdict.kind} for {verdict.campaign.id}"
