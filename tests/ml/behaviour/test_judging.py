"""What a finding is worth, and what a report says of many."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from apisec_ml.behaviour.compare import as_text as compared_text
from apisec_ml.behaviour.compare import compare
from apisec_ml.behaviour.judging import findings_of, judge
from apisec_ml.behaviour.picture import picture_of
from apisec_ml.behaviour.report import Judged, report_of
from apisec_ml.behaviour.run import Run
from apisec_ml.behaviour.tables import as_markdown, as_text
from apisec_ml.behaviour.truth import Truth
from apisec_ml.behaviour.whereabouts import Courses
from tests.ml.behaviour.made import DAY, START, anomaly, event, label, truth_with

CAMPAIGN = ("c1", "scraping", "thief", 10.0, 20.0)
OTHER = ["~principal~thief~", "~principal~x~", "~principal~y~"]


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (anomaly("thief", 10.1), "right"),
        (anomaly("thief", 20.9), "right"),  # within an hour after the last event
        (anomaly("thief", 30.0), "late"),
        (anomaly("thief", 9.0), "false"),  # an attacker who has not begun is ordinary
        (anomaly("thief", 20.0 + 24 * 8), "false"),
        (anomaly("ordinary", 15.0), "false"),
        (anomaly("thief", 15.0, service="bank"), "false"),
        (anomaly("thief", 15.0, family="flooding"), "right"),
        (anomaly("", 15.0, members=OTHER[:2]), "right"),  # half of those accused
        (anomaly("", 15.0, members=OTHER), "false"),
        (anomaly("", 15.0, members=[]), "right"),  # nobody is named: the operation is
        (anomaly("", 15.0, members=[], operation="GET /other"), "false"),
    ],
)
def test_a_finding_is_right_late_or_false(found: Any, kind: str) -> None:
    [verdict] = judge(findings_of([found], 90.0), truth_with(CAMPAIGN))
    assert verdict.kind == kind


def test_a_finding_is_the_first_anomaly_of_a_campaign_over_the_threshold() -> None:
    course = [anomaly("thief", 10 + n, score=score) for n, score in enumerate((80.0, 91.0, 99.0))]
    found = findings_of(course, 90.0)
    assert [(one.time, one.score) for one in found] == [(START + 11 * 3600, 91.0)]


def test_of_two_campaigns_of_one_principal_the_one_that_goes_on_is_found() -> None:
    truth = truth_with(("old", "scraping", "thief", 1.0, 2.0), ("now", "flooding", "thief", 10.0, 12.0))
    [verdict] = judge(findings_of([anomaly("thief", 11.0)], 90.0), truth)
    assert verdict.campaign is not None
    assert verdict.campaign.id == "now"


def judged_week() -> tuple[Judged, Run]:
    truth = truth_with(CAMPAIGN, ("c2", "scraping", "other", 30.0, 40.0), ("c3", "flooding", "third", 30.0, 31.0))
    found = [
        anomaly("thief", 10.25),
        anomaly("thief", 12.0, campaign="c-again"),
        anomaly("third", 30.1),
        anomaly("ordinary", 50.0, family="flooding"),
    ]
    run = Run("week", truth, found)
    judged = Judged()
    judged.add(run.source, run.truth, findings_of(run.anomalies, 90.0))
    return judged, run


def test_the_report_counts_campaigns_runs_findings_and_what_is_false() -> None:
    judged, _ = judged_week()
    report = report_of(judged, 90.0)
    scraping = report["families"]["scraping"]
    assert (scraping["campaigns"], scraping["found"], scraping["named"]) == (2, 1, 1)
    assert scraping["median_runs"] == 3  # 10:00 to the end of the window at 10:15: the third run that saw it
    assert scraping["findings_per_campaign"] == 2.0
    assert report["families"]["flooding"]["named"] == 0  # found, but called scraping
    assert report["false"] == 1
    assert report["false_per_million"] == 1000.0
    assert report["false_by_persona"] == {"person": 1}
    assert [one["id"] for one in report["missed"]] == ["c2"]
    assert "ordinary transactions" in as_text(report)
    assert "| scraping | 1 of 2 |" in as_markdown(report)


@pytest.mark.parametrize(
    ("family", "score", "who", "continued"),
    [
        ("scraping", 97.0, "other", True),
        ("flooding", 97.0, "other", False),  # of another family: the analyst's finding says something else
        ("scraping", 80.0, "other", False),  # a member, and not accused
        ("scraping", 97.0, "person", False),
    ],
)
def test_a_missed_campaign_may_be_accused_in_the_finding_of_another(
    family: str, score: float, who: str, continued: bool
) -> None:
    truth = truth_with(CAMPAIGN, ("c2", family, "other", 30.0, 40.0))
    told = {"lead": "scraping", "families": ["scraping"], "campaign": "c-big", "peak": 99.0}
    found = [
        anomaly("thief", 10.25, **told, member_count=1, new=True),
        anomaly(who, 31.0, **told, member_count=2, new=False, score=score, members=["~principal~other~"]),
    ]
    courses, judged = Courses(), Judged()
    for time, one in found:
        courses.add(time, [one])
    judged.add("week", truth, findings_of(found, 90.0), {}, courses)
    report = report_of(judged, 90.0)
    assert (report["all"]["found"], report["all"]["continued"]) == (1, int(continued))
    assert ("in the finding of another of its family" in as_text(report)) == continued


def test_a_missed_campaign_says_which_finding_took_its_evidence() -> None:
    truth = truth_with(CAMPAIGN, ("c2", "scraping", "other", 30.0, 40.0))
    told = {"lead": "scraping", "families": ["scraping"], "campaign": "c-big", "peak": 99.0}
    found = [
        anomaly("thief", 10.25, **told, member_count=1, new=True),
        anomaly("other", 31.0, **told, member_count=2, new=False, score=97.0),
    ]
    courses, judged = Courses(), Judged()
    for time, one in found:
        courses.add(time, [one])
    judged.add(
        "week", truth, findings_of(found, 90.0), {("shop", "~principal~other~", "scraping", 20_459): 97.0}, courses
    )
    [missed] = report_of(judged, 90.0)["missed"]
    [went] = missed["went"]
    assert (went["campaign"], went["shared"], went["members"], went["early"]) == ("c-big", 1, 2, True)
    assert went["counted"] == "right for c1"
    assert "1 of 1 in c-big (scraping 99, 2 members, told" in as_text(report_of(judged, 90.0))
    judged = Judged()
    judged.add("week", truth, [], families=("flooding",))
    assert report_of(judged, 90.0)["all"]["campaigns"] == 0


def test_the_bound_of_no_false_finding_is_not_nothing() -> None:
    judged = Judged()
    judged.add("quiet", truth_with(ordinary=3000), [])
    assert 990 < report_of(judged, 90.0)["false_per_million_at_most"] < 1010  # 3 / n, at 95 %


def test_the_picture_is_drawn_of_what_the_report_says() -> None:
    judged, run = judged_week()
    picture = picture_of([run], report_of(judged, 90.0))
    texts = [element.text for element in ElementTree.fromstring(picture).iter() if element.tag.endswith("text")]
    assert "1 of 2" in texts
    assert "scraping" in texts


def test_two_reports_are_compared() -> None:
    judged, run = judged_week()
    less = Judged()
    less.add(run.source, run.truth, findings_of(run.anomalies[2:3], 90.0))
    found = compare(report_of(judged, 90.0), report_of(less, 90.0))
    assert found["found_only_by_first"] == ["week c1"]
    assert found["all"]["found"] == [2, 1]
    assert found["all"]["false_per_million"] == [1000.0, 0.0]
    assert "2 → 1" in compared_text(found)


def test_a_truth_travels_as_a_document_and_counts_days() -> None:
    truth = truth_with(CAMPAIGN)
    for day in (1, 1, 2):
        truth.add(event(1, START + day * DAY, "ordinary"), START + day * DAY, label(1))
    assert truth.principal_days == 3
    again = Truth.from_document(truth.to_document())
    assert again.to_document() == truth.to_document()
    assert again.campaigns["c1"].principals == {"~principal~thief~"}


def test_cover_belongs_to_the_campaign_but_is_no_attack() -> None:
    truth = Truth()
    for number, cover in enumerate((True, False, True)):
        told = label(number, "c", family="scraping", style="mimic", cover=cover)
        truth.add(event(number, START + number, f"p{number}", operation=f"GET /{number}"), START + number, told)
    campaign = truth.campaigns["c"]
    assert (campaign.events, campaign.first, campaign.last) == (1, START + 1, START + 1)
    assert campaign.operations == {"GET /1"}
    assert len(campaign.principals) == 3
