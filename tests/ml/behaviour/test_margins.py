"""Margins of families that state too much: what they spare, what they cost, and that one accident is no reason."""

from __future__ import annotations

import pytest

from apisec.abuse.base import score_of
from apisec.abuse.model import FamilyModel
from apisec_ml.behaviour.margins import (
    Alarm,
    alarms_of,
    calibration_of,
    curve,
    curves_of,
    fit,
    left_out,
    outcome,
    summary_of,
)
from apisec_ml.behaviour.report import Judged, report_of
from apisec_ml.behaviour.run import Run
from apisec_ml.behaviour.tables import as_text
from tests.ml.behaviour.made import anomaly, truth_with


def alarms(source: str, family: str, right: list[float], false: list[float]) -> list[Alarm]:
    """A finding a campaign, and a false one each, of so many decades."""
    return [
        Alarm(
            source, f"{source} {family} {kind} {n}", family, decades, kind, f"{source} {n}" if kind == "right" else ""
        )
        for kind, found in (("right", right), ("false", false))
        for n, decades in enumerate(found)
    ]


LOUD = [alarms(source, "flow_automation", [5.4, 8.0, 9.0], [5.2, 5.4, 5.9, 5.9]) for source in "abc"]
HONEST = [alarms(source, "scraping", [5.1, 5.2, 8.0], []) for source in "abc"]
UNLUCKY = alarms("a", "ssrf", [9.0], [7.4])
ALL = [one for part in (*LOUD, *HONEST, UNLUCKY) for one in part]


def test_a_family_that_states_too_much_gets_a_margin_and_others_none() -> None:
    assert fit(ALL) == {"flow_automation": 1.0}


def test_margins_are_tried_on_sources_that_they_were_not_fitted_to() -> None:
    counts = left_out(ALL)
    # 3 of flow_automation and 3 of scraping of each source bear the same labels: one campaign found twice.
    assert counts == {"found": 9, "found_stated": 9, "false": 1, "false_stated": 13}
    assert summary_of(ALL, ["flow_automation"])["used"] == {"flow_automation": 1.0}
    assert summary_of(ALL, ["scraping"])["used"] == {}
    assert summary_of(LOUD[0], ["flow_automation"])["used"] == {}, "one source proves nothing"


def test_what_does_not_hold_elsewhere_is_not_used() -> None:
    one = alarms("a", "scraping", [8.0], [5.5] * 9)
    others = alarms("b", "scraping", [5.1, 5.2, 5.3, 5.4, 5.5, 5.6], [])
    assert fit(one) == {"scraping": 0.75}
    assert summary_of([*one, *others], ["scraping"])["used"] == {}


def test_a_later_alarm_of_the_same_still_finds() -> None:
    rising = [
        Alarm("a", "c", "scraping", 5.2, "false", ""),
        Alarm("a", "c", "scraping", 6.4, "right", "k"),
    ]
    assert outcome(rising, {}) == (set(), {"scraping": 1})
    assert outcome(rising, {"scraping": 1.0}) == ({"k"}, {})
    assert curve(rising, "scraping")[0] == [0.0, 0, 1]


def test_a_report_says_what_it_would_cost_to_ask_for_more() -> None:
    text = as_text(report_of(Judged(), 90.0, curves=curves_of(ALL)))
    assert ["flow_automation", "9/12", "9/9", "9/6", "9/6", "9/0"] in [line.split()[:6] for line in text.splitlines()]
    assert "scraping  " not in text, "what tells nothing for nothing costs nothing"


def test_alarms_are_what_rises_and_judged_as_findings_are() -> None:
    run = Run("a", truth_with(("k", "scraping", "thief", 10.0, 20.0)))
    strengths = ((9.0, 5.5), (11.0, 5.2), (12.0, 6.5), (13.0, 6.5), (14.0, 4.0))
    run.anomalies = [anomaly("thief", hours, features={"objects": z, "a": 0.5}) for hours, z in strengths]
    found = [(one.decades, one.kind, one.labelled) for one in alarms_of(run)]
    assert found == [(6.0, "false", ""), (7.0, "right", "a k")]


@pytest.mark.parametrize("margin", [0.25, 1.0, 3.0])
def test_a_margin_changes_nothing_below_what_freezes_and_moves_the_finding(margin: float) -> None:
    calibration = calibration_of(margin)
    model = FamilyModel(0.0, {}, calibration.knots, calibration.slope)
    for z in (0.5, 3.0, 4.0):
        assert model.log10_p(z) == pytest.approx(-z)
    assert score_of(model.p_value({"a": 5.0 + margin})) == pytest.approx(90.0)
    assert score_of(model.p_value({"a": 4.99 + margin})) < 90.0
    assert model.log10_p(7.0 + margin) == pytest.approx(-7.0)


def test_a_margin_of_nothing_is_the_untrained_model() -> None:
    assert FamilyModel(0.0, {}, calibration_of(0.0).knots, calibration_of(0.0).slope) == FamilyModel()
