"""Examples to train on: what each family observed, of whom it was, and how many ordinary days showed nothing.

The unit is the *episode*: one principal (or operation) on one day, of which the strongest observation of a family
counts. What a sum over seven days says in one window it says in the next hundred, too; counted one by one, such
observations would be a hundred independent pieces of evidence, which they are not (declustering, as usual for
exceedances: Coles, An Introduction to Statistical Modeling of Extreme Values, 2001, 5.3).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apisec.abuse.base import Observation
from apisec_ml.behaviour.judging import GRACE, HALF
from apisec_ml.behaviour.margins import Alarm, alarms_of
from apisec_ml.behaviour.run import Run
from apisec_ml.behaviour.told import Told, told_of
from apisec_ml.behaviour.truth import DAY, Campaign, Truth

ORDINARY, ATTACK, OTHER = "ordinary", "attack", "other"  # other: an attacker, but of another family


@dataclass(frozen=True)
class Example:
    """The strongest observation of an episode. ``who`` is a principal or an operation; ``campaign`` a labelled one."""

    family: str
    features: Mapping[str, float]
    kind: str
    source: str
    service: str
    who: str
    day: int
    campaign: str = ""
    style: str = ""

    @property
    def group(self) -> str:
        """What honest splits keep together."""
        return f"{self.source} {self.service} {self.who}"


@dataclass(frozen=True)
class Examples:
    """All examples of some runs; ``principal_days`` is how many ordinary episodes there were, silent ones included."""

    listed: tuple[Example, ...]
    principal_days: int
    transactions: int
    campaigns: tuple[Campaign, ...]
    sources: tuple[str, ...]
    told: tuple[Told, ...] = ()  # of what is ordinary
    alarms: tuple[Alarm, ...] = ()

    def of(self, family: str) -> list[Example]:
        return [one for one in self.listed if one.family == family]


def examples_of(runs: Sequence[Run]) -> Examples:
    """Make the examples of runs that kept their observations."""
    listed: list[Example] = []
    for run in runs:
        listed += _of_run(run)
    return Examples(
        tuple(listed),
        sum(run.truth.principal_days for run in runs),
        sum(run.truth.ordinary for run in runs),
        tuple(campaign for run in runs for campaign in run.truth.attacked()),
        tuple(dict.fromkeys(run.source for run in runs)),
        tuple(one for run in runs for one in told_of(_ordinary(run))),
        tuple(one for run in runs for one in alarms_of(run)),
    )


def merged(parts: Sequence[Examples]) -> Examples:
    """Return the examples of several sources as one."""
    return Examples(
        tuple(one for part in parts for one in part.listed),
        sum(part.principal_days for part in parts),
        sum(part.transactions for part in parts),
        tuple(one for part in parts for one in part.campaigns),
        tuple(dict.fromkeys(one for part in parts for one in part.sources)),
        tuple(one for part in parts for one in part.told),
        tuple(one for part in parts for one in part.alarms),
    )


def _ordinary(run: Run) -> Iterable[Mapping[str, Any]]:
    """Yield the anomalies of a run that accuse nobody of a labelled campaign."""
    for time, one in run.anomalies:
        accused = {str(one["principal"]), *map(str, one["members"])}
        if not any(
            campaign.service == one["service"] and accused & campaign.principals and _during(campaign, time, run.truth)
            for campaign in run.truth.campaigns.values()
        ):
            yield one


def _of_run(run: Run) -> Iterable[Example]:
    by_service: dict[str, list[Campaign]] = {}
    for campaign in run.truth.campaigns.values():
        by_service.setdefault(campaign.service, []).append(campaign)
    strongest: dict[tuple[str, str, str, int, str], tuple[float, Example]] = {}
    for time, one in run.strongest.values():
        made = _example(run, one, time, by_service.get(one.service, ()))
        if made is None:
            continue
        key = (made.family, made.service, made.who, made.day, made.kind)
        strength = sum(made.features.values())
        if key not in strongest or strength > strongest[key][0]:
            strongest[key] = (strength, made)
    return [example for _, example in strongest.values()]


def _example(run: Run, one: Observation, time: float, campaigns: Iterable[Campaign]) -> Example | None:
    """Return the example, None for what belongs to nobody clearly: few of the accused are attackers, but some are."""
    accused = frozenset((one.principal,) if one.principal else one.members)
    kind, found = ORDINARY, None
    for campaign in campaigns:
        share = _share(one, accused, campaign)
        if not share or not _during(campaign, time, run.truth):
            continue
        if share < HALF:
            kind = "" if kind == ORDINARY else kind
        elif kind != ATTACK:
            kind, found = (ATTACK if campaign.family == one.family else OTHER), campaign
    if not kind:
        return None
    return Example(
        family=one.family,
        features=one.features,
        kind=kind,
        source=run.source,
        service=one.service,
        who=one.principal or one.operation,
        day=int(time // DAY),
        campaign=f"{run.source} {found.id}" if found else "",
        style=found.style if found else "",
    )


def _share(one: Observation, accused: frozenset[str], campaign: Campaign) -> float:
    if not accused:
        return float(one.operation in campaign.operations)
    return len(accused & campaign.principals) / len(accused)


def _during(campaign: Campaign, time: float, truth: Truth) -> bool:
    """Whether the campaign has begun and its evidence may still be remembered; what only covers is never ordinary."""
    if not campaign.events:
        return True
    return campaign.first < time <= min(campaign.last + 7 * DAY, truth.last + GRACE)
