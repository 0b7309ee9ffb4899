"""Honest splits: how much of what training gave holds for styles, days and principals that it did not see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy
from sklearn.model_selection import GroupKFold

from apisec.abuse.base import FAMILIES
from apisec_ml.behaviour.calibration import calibrate, exceedances
from apisec_ml.behaviour.examples import ATTACK, ORDINARY, Example, Examples
from apisec_ml.behaviour.training import Fitted, Settings, fit_family, matrix_of

FOLDS = 4
RARE = 1e-5  # p of a finding


def splits_of(examples: Examples, settings: Settings) -> dict[str, Any]:
    """Return, per family, what a left-out style, later days and other principals show."""
    found: dict[str, Any] = {}
    for family in FAMILIES:
        listed = examples.of(family)
        if listed:
            found[family] = {
                "styles": by_style(family, listed, examples.principal_days, settings),
                "later_days": by_time(family, listed, examples.principal_days, settings),
                "other_principals": by_principal(family, listed, examples.principal_days, settings),
            }
    return found


def by_style(family: str, examples: Sequence[Example], days: int, settings: Settings) -> dict[str, Any]:
    """Train without one style of attackers; count its campaigns that p <= 1e-5 finds, and without any training."""
    styles = sorted({one.style for one in examples if one.kind == ATTACK})
    plain = fit_family(family, [one for one in examples if one.kind == ORDINARY], days, settings)
    found = {}
    for style in styles:
        fitted = fit_family(family, [one for one in examples if one.style != style], days, settings)
        attacks = [one for one in examples if one.kind == ATTACK and one.style == style]
        found[style] = {
            "campaigns": len({one.campaign for one in attacks}),
            "found": len(_found(fitted, attacks)),
            "found_untrained": len(_found(plain, attacks)),
        }
    return found


def _found(fitted: Fitted, attacks: Sequence[Example]) -> set[str]:
    p = fitted.p_value(fitted.z(matrix_of(fitted.features, attacks)))
    return {one.campaign for one, chance in zip(attacks, p, strict=True) if chance <= RARE}


def by_time(family: str, examples: Sequence[Example], days: int, settings: Settings) -> dict[str, float]:
    """Train on the earlier half of the days; how often are ordinary later ones called as rare, over nominal?"""
    border = numpy.median([one.day for one in examples])
    return _tried(family, examples, days / 2, days / 2, lambda one: one.day < border, settings)


def by_principal(family: str, examples: Sequence[Example], days: int, settings: Settings) -> dict[str, float]:
    """Train on three quarters of the principals and operations, try the rest; averaged over the quarters."""
    groups = [one.group for one in examples]
    if len(set(groups)) < FOLDS:
        return {}
    tried = []
    for known, _ in GroupKFold(n_splits=FOLDS).split(examples, groups=groups):
        inside = {examples[index].group for index in known}
        share = days / FOLDS
        tried.append(_tried(family, examples, days - share, share, lambda one, i=inside: one.group in i, settings))
    return {name: round(sum(one[name] for one in tried) / FOLDS, 2) for name in tried[0]}


def _tried(
    family: str,
    examples: Sequence[Example],
    known_days: float,
    other_days: float,
    known: Callable[[Example], bool],
    settings: Settings,
) -> dict[str, float]:
    inside = [one for one in examples if known(one)]
    outside = [one for one in examples if not known(one) and one.kind == ORDINARY]
    fitted = fit_family(family, inside, max(1, round(known_days)), settings)
    ordinary = [one for one in inside if one.kind == ORDINARY]
    # One family alone: the trials of the others are not this one's exceedances.
    z = fitted.z(matrix_of(fitted.features, ordinary)).tolist() if ordinary else []
    own = calibrate(z, max(1, round(known_days)))
    if not outside:
        return exceedances(own, [], round(other_days))
    return exceedances(own, fitted.z(matrix_of(fitted.features, outside)).tolist(), round(other_days))
