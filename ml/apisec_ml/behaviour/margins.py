"""Margins: by how many decades a family's word is discounted before it is a finding.

A family states its evidence in decades, and at five it is a finding. Some families state too much: what extreme
ordinary people do reads six. Weights and tails (``calibration``) ask for proof of rareness that weeks of traffic cannot
give; a margin asks less, one number a family: from where on its findings are worth what they cost. It is fitted to
what was told, finding by finding:

    cost = campaigns missed + WEIGHT * false findings + WEIGHT * decades of margin

The last term is the prior that a family keeps its word: a decade has to spare more than one false finding, so that one
unlucky principal in little data silences nobody. Margins are never negative: families cap what alone is no finding
below five decades, and a negative margin would lift it over. Below ``KEPT`` decades nothing changes, so that what
joins, opens and freezes campaigns stays as it is.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apisec.abuse.base import FAMILIES, SCORE_PER_DECADE
from apisec.abuse.campaigns import FINDING_SCORE, FREEZE_SCORE
from apisec_ml.behaviour.calibration import Calibration
from apisec_ml.behaviour.judging import finding_of, judge
from apisec_ml.behaviour.run import Run

FINDING = FINDING_SCORE / SCORE_PER_DECADE
KEPT = FREEZE_SCORE / SCORE_PER_DECADE
# What a false finding costs, in missed campaigns. Campaigns are far denser in the simulator than anywhere else, and
# each of its false findings stands for many: so it is no small part. But who misses one is not told again.
WEIGHT = 0.5
GRID = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)  # decades
ROUNDS = 2  # of all families one after the other: a campaign may be found by several

Margins = Mapping[str, float]


@dataclass(frozen=True)
class Alarm:
    """An anomaly that states more than those of its family before it in the engine's campaign, judged as a finding.

    ``told`` names the engine's campaign, ``labelled`` the campaign that it is right or late about; both with their
    source, as the curves of several sources are added up.
    """

    source: str
    told: str
    family: str
    decades: float
    kind: str
    labelled: str


def alarms_of(run: Run) -> list[Alarm]:
    """Return the alarms of a run, in order of time."""
    highest: dict[tuple[str, str], float] = {}
    rising = []
    for time, one in run.anomalies:
        stated = round(sum(map(float, one["features"].values())), 6)
        key = (str(one["campaign"]), str(one["family"]))
        if stated >= FINDING and stated > highest.get(key, 0.0) and not one.get("excepted"):
            highest[key] = stated
            rising.append((finding_of(time, one), stated))
    verdicts = judge([finding for finding, _ in rising], run.truth)
    return [
        Alarm(
            source=run.source,
            told=f"{run.source} {verdict.finding.campaign}",
            family=verdict.finding.family,
            decades=stated,
            kind=verdict.kind,
            labelled=f"{run.source} {verdict.campaign.id}" if verdict.campaign else "",
        )
        for verdict, (_, stated) in zip(verdicts, rising, strict=True)
    ]


def outcome(alarms: Iterable[Alarm], margins: Margins) -> tuple[set[str], Counter[str]]:
    """Return which labelled campaigns are found with some margins, and how many false findings each family has."""
    found, false, told = set(), Counter[str](), set()
    for one in alarms:
        if one.told in told or one.decades < FINDING + margins.get(one.family, 0.0):
            continue
        told.add(one.told)
        if one.kind == "right":
            found.add(one.labelled)
        elif one.kind == "false":
            false[one.family] += 1
    return found, false


def fit(alarms: Sequence[Alarm], families: Collection[str] = FAMILIES) -> dict[str, float]:
    """Return the margin of each family that costs least; those of other families than ``families`` are none."""
    margins: dict[str, float] = {}
    for family in [name for name in FAMILIES if name in families] * ROUNDS:
        costs = [(_cost(alarms, {**margins, family: margin}), margin) for margin in GRID]
        margins[family] = min(costs)[1]
    return {family: margin for family, margin in margins.items() if margin}


def _cost(alarms: Sequence[Alarm], margins: Margins) -> float:
    found, false = outcome(alarms, margins)
    return round(WEIGHT * (false.total() + sum(margins.values())) - len(found), 6)


def left_out(alarms: Sequence[Alarm], families: Collection[str] = FAMILIES) -> dict[str, int]:
    """Fit without each source in turn; count what is found and false there, beside what is without margins."""
    counts = dict.fromkeys(("found", "found_stated", "false", "false_stated"), 0)
    for source in sorted({one.source for one in alarms}):
        margins = fit([one for one in alarms if one.source != source], families)
        there = [one for one in alarms if one.source == source]
        for name, tried in (("", margins), ("_stated", {})):
            found, false = outcome(there, tried)
            counts[f"found{name}"] += len(found)
            counts[f"false{name}"] += false.total()
    return counts


def worth_it(counts: Mapping[str, int]) -> bool:
    """Whether margins cost less than none, on sources that they were not fitted to."""
    spared = counts["false_stated"] - counts["false"]
    return WEIGHT * spared > counts["found_stated"] - counts["found"]


def curve(alarms: Sequence[Alarm], family: str) -> list[list[float]]:
    """Return, for each margin of one family: margin, campaigns found (by any), false findings (of it)."""
    rows = []
    for margin in GRID:
        found, false = outcome(alarms, {family: margin})
        rows.append([margin, len(found), false[family]])
    return rows


def curves_of(alarms: Sequence[Alarm]) -> dict[str, list[list[float]]]:
    """Return the curve of each family that told anything."""
    seen = {one.family for one in alarms}
    return {family: curve(alarms, family) for family in FAMILIES if family in seen}


def summary_of(alarms: Sequence[Alarm], families: Collection[str]) -> dict[str, Any]:
    """Return what the artefact says of margins: those that are used, what they gave elsewhere, and the curves."""
    counts = left_out(alarms, families) if len({one.source for one in alarms}) > 1 else {}
    used = fit(alarms, families) if counts and worth_it(counts) else {}
    return {"weight": WEIGHT, "used": used, "left_out": counts, "curves": curves_of(alarms)}


def calibration_of(margin: float) -> Calibration:
    """Return the map of a margin: as stated up to KEPT, then bent so that FINDING is reached that much later."""
    if not margin:
        return Calibration(((0.0, 0.0),), 1.0, 0)
    if not (math.isfinite(margin) and margin > 0):
        raise ValueError(f"a margin is no negative number of decades: {margin}")
    return Calibration(((0.0, 0.0), (KEPT, -KEPT), (FINDING + margin, -FINDING)), 1.0, 0)
