"""Whether today's traffic is still the traffic that the models were trained on, by letting the engine see its events.

Per family, the episodes of some runs against the training summary of the artefact: how many there are a principal-day,
and how their z and features are distributed (``distances``). ``told`` does it with anomalies alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apisec.abuse.artefact import check
from apisec.abuse.base import FAMILIES
from apisec_ml.behaviour.distances import distance_of
from apisec_ml.behaviour.examples import ATTACK, Example, Examples

PSI_WATCH, PSI_LOOK = 0.1, 0.25


def drift_of(document: Mapping[str, Any], examples: Examples) -> dict[str, Any]:
    """Return, per family, rates and distances; ``verdict`` is ok, watch, look or "too few". Raises ModelError."""
    models = check(document)
    trained = document["training"].get("families") or {}
    before = document["training"].get("principal_days") or 0
    found = {}
    for family in FAMILIES:
        known = trained.get(family) or {}
        listed = [one for one in examples.of(family) if one.kind != ATTACK]
        model = models.get(family)
        z = [model.z(example.features) for example in listed]
        one: dict[str, Any] = {
            "episodes": len(listed),
            "per_1000_days": _per(len(listed), examples.principal_days),
            "per_1000_days_trained": _per(known.get("ordinary_episodes", 0), before),
            "findings": sum(model.p_value(example.features) <= 1e-5 for example in listed),
            **distance_of(known.get("z") or [], z),
            "features": _features(known.get("features") or {}, listed),
        }
        found[family] = {**one, "verdict": _verdict(one)}
    return {"principal_days": examples.principal_days, "transactions": examples.transactions, "families": found}


def _per(count: int, days: int) -> float:
    return round(1000.0 * count / days, 3) if days else 0.0


def _features(known: Mapping[str, Sequence[float]], listed: Sequence[Example]) -> dict[str, Any]:
    return {
        name: distance_of(quantiles, [one.features.get(name, 0.0) for one in listed])
        for name, quantiles in known.items()
    }


def _verdict(one: Mapping[str, Any]) -> str:
    if one["psi"] is None:
        return "too few"
    rate, trained = one["per_1000_days"], one["per_1000_days_trained"]
    if one["psi"] >= PSI_LOOK or rate > 3.0 * max(trained, 0.1):
        return "look"
    return "watch" if one["psi"] >= PSI_WATCH or rate > 1.5 * max(trained, 0.1) else "ok"


def as_text(report: Mapping[str, Any]) -> str:
    """Return the report for a terminal."""
    lines = [
        f"{report['transactions']:,} transactions on {report['principal_days']:,} principal-days",
        f"{'family':<20} {'verdict':<8} {'a 1000 days':>11} {'trained':>8} {'PSI':>7} {'KS':>6} {'findings':>8}  moved",
    ]
    for family, one in report["families"].items():
        moved = sorted(
            ((values["psi"], name) for name, values in one["features"].items() if values["psi"] is not None),
            reverse=True,
        )
        most = ", ".join(f"{name} {psi:.2f}" for psi, name in moved[:2] if psi >= PSI_WATCH)
        psi, ks = ("–" if one[name] is None else f"{one[name]:.3f}" for name in ("psi", "ks"))
        lines.append(
            f"{family:<20} {one['verdict']:<8} {one['per_1000_days']:>11g} {one['per_1000_days_trained']:>8g} "
            f"{psi:>7} {ks:>6} {one['findings']:>8}  {most}"
        )
    return "\n".join(lines)
