"""Honest splits: how much of what training gave holds for styles, days and principals that it did not see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import joblib
import numpy
from sklearn.model_selection import GroupKFold

from apisec.abuse.base import FAMILIES
from apisec_ml.behaviour.calibration import calibrate, exceedances, trials_of
from apisec_ml.behaviour.examples import ATTACK, ORDINARY, Example, Examples
from apisec_ml.behaviour.training import Fitted, Settings, fit_family, matrix_of, untrained

FOLDS = 4
RARE = 1e-5  # p of a finding


def splits_of(examples: Examples, settings: Settings) -> dict[str, Any]:
    """Return, per family, what left-out styles, other sources, later days and other principals show."""
    trials = trials_of(examples.principal_days, examples.transactions)
    listed = {family: examples.of(family) for family in FAMILIES}
    tasks = (joblib.delayed(_split)(family, some, trials, settings) for family, some in listed.items() if some)
    return dict(joblib.Parallel(n_jobs=settings.jobs)(tasks))


def _split(family: str, listed: Sequence[Example], trials: int, settings: Settings) -> tuple[str, dict[str, Any]]:
    return family, {
        "styles": by_style(family, listed, trials, settings),
        "other_sources": by_source(family, listed, trials, settings),
        "later_days": by_time(family, listed, trials, settings),
        "other_principals": by_principal(family, listed, trials, settings),
    }


def by_style(family: str, examples: Sequence[Example], trials: int, settings: Settings) -> dict[str, Any]:
    """Train without one style of attackers; count its campaigns that p <= 1e-5 finds, and without any training."""
    styles = sorted({one.style for one in examples if one.kind == ATTACK})
    found = {}
    for style in styles:
        fitted = fit_family(family, [one for one in examples if one.style != style], trials, settings)
        attacks = [one for one in examples if one.kind == ATTACK and one.style == style]
        found[style] = {
            "campaigns": len({one.campaign for one in attacks}),
            "found": len(_found(fitted, attacks)),
            "found_untrained": len(_found(untrained(fitted), attacks)),
        }
    return found


def by_source(family: str, examples: Sequence[Example], trials: int, settings: Settings) -> dict[str, int]:
    """Train without one source, as it were another API; count there what p <= 1e-5 finds, and calls so for nothing.

    Each beside what is found and false without any training: p = 10^-z.
    """
    sources = sorted({one.source for one in examples})
    found = dict.fromkeys(("campaigns", "found", "found_untrained", "false", "false_untrained"), 0)
    for source in sources if len(sources) > 1 else ():
        inside = [one for one in examples if one.source != source]
        fitted = fit_family(family, inside, max(1, trials - trials // len(sources)), settings)
        plain = untrained(fitted)
        attacks = [one for one in examples if one.kind == ATTACK and one.source == source]
        ordinary = [one for one in examples if one.kind == ORDINARY and one.source == source]
        found["campaigns"] += len({one.campaign for one in attacks})
        for name, model in (("", fitted), ("_untrained", plain)):
            found[f"found{name}"] += len(_found(model, attacks))
            found[f"false{name}"] += int((model.p_value(numpy.array(_z(model, ordinary))) <= RARE).sum())
    return found


def worth_it(split: Mapping[str, Any]) -> bool:
    """Whether training misses less or tells less for nothing, on sources it did not see, and neither more."""
    one: Mapping[str, int] = split["other_sources"]
    gain = (one["found"] - one["found_untrained"], one["false_untrained"] - one["false"])
    return min(gain) >= 0 < max(gain)


def _found(fitted: Fitted, attacks: Sequence[Example]) -> set[str]:
    p = fitted.p_value(numpy.array(_z(fitted, attacks)))
    return {one.campaign for one, chance in zip(attacks, p, strict=True) if chance <= RARE}


def by_time(family: str, examples: Sequence[Example], trials: int, settings: Settings) -> dict[str, float]:
    """Train on the earlier half of the days; how often are ordinary later ones called as rare, over nominal?"""
    border = numpy.median([one.day for one in examples])
    earlier = [one for one in examples if one.day < border]
    later = [one for one in examples if one.day >= border]
    return _tried(family, (earlier, later), (trials / 2, trials / 2), settings)


def by_principal(family: str, examples: Sequence[Example], trials: int, settings: Settings) -> dict[str, float]:
    """Train on three quarters of the principals and operations, try the rest; averaged over the quarters."""
    groups = [one.group for one in examples]
    if len(set(groups)) < FOLDS:
        return {}
    share = trials / FOLDS
    tried = []
    for known, others in GroupKFold(n_splits=FOLDS).split(examples, groups=groups):
        parts = ([examples[index] for index in known], [examples[index] for index in others])
        tried.append(_tried(family, parts, (trials - share, share), settings))
    return {name: round(sum(one[name] for one in tried) / FOLDS, 2) for name in tried[0]}


def _tried(
    family: str,
    parts: tuple[Sequence[Example], Sequence[Example]],
    trials: tuple[float, float],
    settings: Settings,
) -> dict[str, float]:
    """Fit on the first part; return exceedances among what is ordinary in the second one."""
    inside, known, others = parts[0], max(1, round(trials[0])), round(trials[1])
    outside = [one for one in parts[1] if one.kind == ORDINARY]
    fitted = fit_family(family, inside, known, settings)
    ordinary = [one for one in inside if one.kind == ORDINARY]
    # One family alone: the trials of the others are not this one's exceedances.
    own = calibrate(_z(fitted, ordinary), known)
    return exceedances(own, _z(fitted, outside), others)


def _z(fitted: Fitted, examples: Sequence[Example]) -> list[float]:
    """Return z by the features that the model knows; others count as they do in core, with weight 1."""
    if not examples:
        return []
    z = fitted.z(matrix_of(fitted.features, examples))
    unknown = [sum(value for name, value in one.features.items() if name not in fitted.features) for one in examples]
    return [float(place) + more for place, more in zip(z, unknown, strict=True)]
