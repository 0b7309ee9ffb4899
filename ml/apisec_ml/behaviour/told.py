"""What the engine told of ordinary traffic: how often, how strong, and by which features, in training and now.

An observation that nobody was told of is seen by those alone who let the engine see all events again. Anomalies lie in
the index. The unit is one family of one of the engine's campaigns, by its strongest anomaly.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import orjson
from scipy.stats import binomtest

from apisec.abuse.artefact import check
from apisec.abuse.base import FAMILIES, P_FLOOR
from apisec.errors import DocumentError, ModelError
from apisec_ml.behaviour.distances import QUANTILES, distance_of
from apisec_ml.behaviour.events import opened

LEAST_SCORE = 60.0  # of an anomaly that counts: below, whether it was told depends on what else was open
UNLIKELY, ODD = 1e-3, 1e-2  # chances that a rate did not change
MILLION = 1_000_000

Anomaly = Mapping[str, Any]


@dataclass(frozen=True)
class Told:
    """The strongest anomaly of one family in one campaign; ``decades`` is -log10 of its p-value."""

    family: str
    decades: float
    features: Mapping[str, float]


def told_of(anomalies: Iterable[Anomaly]) -> list[Told]:
    """Return what anomalies come to; what an exception covers is left out."""
    strongest: dict[tuple[str, str], Told] = {}
    for one in anomalies:
        if float(one["score"]) < LEAST_SCORE or one.get("excepted"):
            continue
        key = (str(one["campaign"]), str(one["family"]))
        decades = -math.log10(max(float(one["p_value"]), P_FLOOR))
        if key not in strongest or decades > strongest[key].decades:
            features = {str(name): float(value) for name, value in one["features"].items()}
            strongest[key] = Told(key[1], decades, features)
    return list(strongest.values())


def read_anomalies(path: Path) -> Iterator[Anomaly]:
    """Yield the anomalies of a file of JSON lines, '-' for stdin; DocumentError names the line that is none."""
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield anomaly_of(line, f"{path}:{number}")


def anomaly_of(line: bytes, where: str) -> Anomaly:
    """Return an event of sourcetype apisec:anomaly; DocumentError for what is none."""
    try:
        one = orjson.loads(line)
        told_of([one])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DocumentError(f"is no event of sourcetype apisec:anomaly: {error!r}", where=where) from None
    return dict(one)


def summary_of(told: Sequence[Told], transactions: int) -> dict[str, Any]:
    """Return what a later look compares with, by family."""
    return {family: _summary([one for one in told if one.family == family], transactions) for family in FAMILIES}


def _summary(told: Sequence[Told], transactions: int) -> dict[str, Any]:
    names = sorted({name for one in told for name in one.features})
    return {
        "campaigns": len(told),
        "per_million": per_million(len(told), transactions),
        "decades": quantiles_of([one.decades for one in told]),
        "features": {name: quantiles_of([one.features.get(name, 0.0) for one in told]) for name in names},
    }


def quantiles_of(values: Sequence[float]) -> list[float]:
    return [round(float(one), 4) for one in numpy.quantile(values, QUANTILES)] if len(values) else []


def per_million(count: int, transactions: int) -> float:
    return round(count * MILLION / transactions, 3) if transactions else 0.0


def told_drift(document: Mapping[str, Any], told: Sequence[Told], transactions: int) -> dict[str, Any]:
    """Return how what was told moved against the training; ``transactions`` 0: their number is not known.

    Raises ModelError for models that were not trained.
    """
    check(document)
    training = document["training"]
    before = training.get("told")
    if not before:
        raise ModelError("these models were not trained, so there is nothing to compare with: apisec-ml train")
    found = {}
    for family in FAMILIES:
        listed = [one for one in told if one.family == family]
        known = before.get(family) or {}
        one: dict[str, Any] = {
            "campaigns": len(listed),
            "per_million": per_million(len(listed), transactions),
            "per_million_trained": known.get("per_million", 0.0),
            "chance": _chance(len(listed), transactions, known.get("campaigns", 0), training.get("transactions", 0)),
            **distance_of(known.get("decades") or [], [one.decades for one in listed]),
            "features": {
                name: distance_of(quantiles, [one.features.get(name, 0.0) for one in listed])
                for name, quantiles in (known.get("features") or {}).items()
            },
        }
        found[family] = {**one, "verdict": _verdict(one)}
    return {"transactions": transactions, "families": found}


def _chance(now: int, transactions: int, then: int, trained: int) -> float | None:
    """Return the chance that a rate that did not change gives counts as far apart; None where nothing can be said."""
    if not transactions or not trained or not now + then:
        return None
    return float(binomtest(now, now + then, transactions / (transactions + trained)).pvalue)


def _verdict(one: Mapping[str, Any]) -> str:
    """Return ok, watch or look: whether rate or strength moved, by more than chance and enough to matter."""
    rate, trained, chance = one["per_million"], one["per_million_trained"], one["chance"]
    psi = one["psi"] or 0.0
    if (chance is not None and chance < UNLIKELY and rate > 3.0 * trained) or psi >= 0.25:
        return "look"
    if (chance is not None and chance < ODD and not trained / 3.0 < rate < 1.5 * trained) or psi >= 0.1:
        return "watch"
    return "ok" if chance is not None or one["psi"] is not None else "too few"


def as_text(report: Mapping[str, Any]) -> str:
    """Return the report for a terminal."""
    lines = [
        f"{report['transactions']:,} transactions" if report["transactions"] else "transactions: not known",
        f"{'family':<20} {'verdict':<8} {'campaigns':>9} {'a million':>9} {'trained':>8} {'chance':>8} {'PSI':>6}"
        "  moved",
    ]
    for family, one in report["families"].items():
        moved = sorted(((v["psi"], name) for name, v in one["features"].items() if v["psi"] is not None), reverse=True)
        most = ", ".join(f"{name} {psi:.2f}" for psi, name in moved[:2] if psi >= 0.1)
        chance, psi = ("–" if one[name] is None else f"{one[name]:.2g}" for name in ("chance", "psi"))
        lines.append(
            f"{family:<20} {one['verdict']:<8} {one['campaigns']:>9} {one['per_million']:>9g} "
            f"{one['per_million_trained']:>8g} {chance:>8} {psi:>6}  {most}"
        )
    return "\n".join(lines)
