"""Evaluation on labelled events: how much of each attack is found, how fast, and who is troubled for nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sklearn.metrics import roc_auc_score

from apisec.baselines.learned import Baselines
from apisec.scoring import Model, Score
from apisec.sequences.flows import FlowModel
from apisec_ml.data import Dataset, Label
from apisec_ml.learning import learned, score_all

DEFAULT_THRESHOLD = 70.0  # severity high
Outcome = tuple[dict[str, Any], Label, Score]


@dataclass
class AttackResult:
    """Figures of one kind of attack; a campaign is all that one actor did of it."""

    attack: str
    events: int = 0
    found: int = 0
    auc: float = 0.0  # of this attack's events against ordinary ones
    campaigns: int = 0
    campaigns_found: int = 0
    events_until_found: list[int] = field(default_factory=list)
    seconds_until_found: list[float] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        return {
            "attack": self.attack,
            "events": self.events,
            "recall": _ratio(self.found, self.events),
            "auc": round(self.auc, 4),
            "campaigns": self.campaigns,
            "campaigns_found": self.campaigns_found,
            "median_events_until_found": _median(self.events_until_found),
            "median_seconds_until_found": _median(self.seconds_until_found),
        }


def _ratio(part: float, whole: float) -> float:
    return round(part / whole, 4) if whole else 0.0


def _median(values: Sequence[float]) -> float | None:
    return round(sorted(values)[len(values) // 2], 1) if values else None


def evaluate(
    datasets: Sequence[Dataset],
    model: Model,
    *,
    threshold: float = DEFAULT_THRESHOLD,
    history_share: float = 0.4,
    restart: float = 0.0,
    cold: bool = False,
) -> dict[str, Any]:
    """Return the report as plain data: ``cold`` scores without learned state."""
    outcomes: list[list[Outcome]] = []
    for dataset in datasets:
        history, rest = dataset.split(history_share)
        baselines, flows = (Baselines(), FlowModel()) if cold else learned(history)
        scores = score_all(model, baselines, flows, rest.events, restart)
        outcomes.append(list(zip(rest.events, rest.labels, scores, strict=True)))
    return {
        "datasets": [dataset.name for dataset in datasets],
        "model_sha256": model.sha256,
        "threshold": threshold,
        "history_share": history_share,
        "restart_seconds": restart,
        "cold": cold,
        **_figures(outcomes, threshold),
    }


def _figures(outcomes: Sequence[Sequence[Outcome]], threshold: float) -> dict[str, Any]:
    flat = [outcome for part in outcomes for outcome in part]
    alarms = [outcome for outcome in flat if outcome[2].score >= threshold]
    ordinary = [outcome for outcome in flat if outcome[1].attack is None]
    false = [outcome for outcome in alarms if outcome[1].attack is None]
    attacks = sorted({label.attack for _, label, _ in flat if label.attack is not None})
    by_attack = [_attack(name, outcomes, ordinary, threshold) for name in attacks]
    return {
        "events": len(flat),
        "ordinary_events": len(ordinary),
        "attack_events": len(flat) - len(ordinary),
        "precision": _ratio(len(alarms) - len(false), len(alarms)),
        "auc": round(_auc(ordinary, [one for one in flat if one[1].attack is not None]), 4),
        "attacks": [one.to_dict() for one in by_attack],
        "false_alarms": len(false),
        "false_alarms_per_1000": round(1000 * len(false) / max(1, len(ordinary)), 4),
        **_troubled(outcomes, threshold),
        "false_by_kind": dict(sorted(Counter(label.kind for _, label, _ in false).items())),
        "false_by_component": dict(sorted(Counter(_loudest(score) for _, _, score in false).items())),
    }


def _loudest(score: Score) -> str:
    return max(sorted(score.components), key=lambda name: score.components[name])


def _auc(ordinary: Sequence[Outcome], attack: Sequence[Outcome]) -> float:
    if not ordinary or not attack:
        return float("nan")
    target = [0] * len(ordinary) + [1] * len(attack)
    return float(roc_auc_score(target, [score.score for _, _, score in (*ordinary, *attack)]))


def _attack(
    name: str, outcomes: Sequence[Sequence[Outcome]], ordinary: Sequence[Outcome], threshold: float
) -> AttackResult:
    result = AttackResult(name)
    everything: list[Outcome] = []
    for part in outcomes:
        campaigns: dict[str, list[Outcome]] = defaultdict(list)
        for outcome in part:
            if outcome[1].attack == name:
                campaigns[outcome[1].actor].append(outcome)
        for events in campaigns.values():
            everything.extend(events)
            _campaign(result, events, threshold)
    result.auc = _auc(ordinary, everything)
    return result


def _campaign(result: AttackResult, events: Sequence[Outcome], threshold: float) -> None:
    hits = [index for index, (_, _, score) in enumerate(events) if score.score >= threshold]
    result.events += len(events)
    result.found += len(hits)
    result.campaigns += 1
    if hits:
        result.campaigns_found += 1
        result.events_until_found.append(hits[0] + 1)
        result.seconds_until_found.append(events[hits[0]][0]["time"] - events[0][0]["time"])


def _troubled(outcomes: Sequence[Sequence[Outcome]], threshold: float) -> dict[str, Any]:
    """Ordinary principals (those that no attack used), and how many of them had an alarm."""
    ordinary = troubled = 0
    for part in outcomes:
        attackers = {event["principal"] for event, label, _ in part if label.attack is not None}
        others = {event["principal"] for event, _, _ in part} - attackers
        alarmed = {event["principal"] for event, _, score in part if score.score >= threshold}
        ordinary += len(others)
        troubled += len(others & alarmed)
    return {
        "ordinary_principals": ordinary,
        "ordinary_principals_alarmed": troubled,
        "ordinary_principals_alarmed_share": _ratio(troubled, ordinary),
    }


def as_text(report: dict[str, Any]) -> str:
    """Return the report as a table for a terminal."""
    lines = [
        f"{report['events']} events ({report['attack_events']} of attacks), alarm at score {report['threshold']:g}",
        f"{'attack':<12} {'events':>7} {'recall':>7} {'AUC':>7} {'campaigns':>10} {'found':>6} {'after events':>13}",
    ]
    for one in report["attacks"]:
        after = "-" if one["median_events_until_found"] is None else f"{one['median_events_until_found']:g}"
        lines.append(
            f"{one['attack']:<12} {one['events']:>7} {one['recall']:>7.3f} {one['auc']:>7.3f} "
            f"{one['campaigns']:>10} {one['campaigns_found']:>6} {after:>13}"
        )
    lines += [
        f"precision {report['precision']:.3f}, ROC-AUC {report['auc']:.4f}",
        f"false alarms: {report['false_alarms']} in {report['ordinary_events']} ordinary events "
        f"({report['false_alarms_per_1000']:g} per 1,000)",
        f"ordinary principals with a false alarm: {report['ordinary_principals_alarmed']} "
        f"of {report['ordinary_principals']}",
    ]
    return "\n".join(lines)
