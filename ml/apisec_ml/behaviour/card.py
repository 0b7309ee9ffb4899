"""The model card of an artefact, as Markdown: what it was trained on, what it is worth, and what it is not for.

Sections as in Mitchell et al., Model Cards for Model Reporting (FAT* 2019), made from the artefact alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from apisec_ml.behaviour.signing import fingerprint


def card_of(document: Mapping[str, Any]) -> str:
    """Return the card."""
    training = document["training"]
    signed = ", ".join(one["key"] for one in document.get("signatures") or ()) or "nobody; it ships with the app"
    lines = [
        f"# Models of the families, {fingerprint(document)}",
        "",
        "## What they are",
        "",
        "One model a family of abuse: a weighted sum of evidence (no weight is negative), and a map from the sum to",
        "the chance that an ordinary transaction lies in an episode that shows as much, in any family (an upper",
        "bound). Read by `core/apisec/abuse`. Told: campaigns of score 60 and more in a million ordinary transactions.",
        "",
        f"- SHA-256 {document['sha256']}; signed by {signed}",
        f"- {len(document['golden'])} golden vectors, which every reader recomputes within 1e-9",
        f"- scikit-learn {training.get('sklearn', '–')}, seed {training.get('seed', '–')}",
        "",
        "## Trained on",
        "",
        f"{training.get('transactions', 0):,} ordinary transactions on {training.get('principal_days', 0):,} "
        f"principal-days, {training.get('campaigns', 0)} campaigns; sources: "
        f"{', '.join(training.get('sources') or ['none'])}.",
        "",
        "## Weights and calibration",
        "",
        "| family | weights | ordinary episodes | told a million | campaigns | p at z = 3, 5, 8 |",
        "|---|---|---|---|---|---|",
        *[_family(name, entry, training) for name, entry in document["families"].items()],
        "",
        *_margins(training.get("margins") or {}),
        *_splits(training.get("splits") or {}, training.get("kept") or ()),
        "## Not for",
        "",
        "- Blocking by itself: a score is a reason to look, and names its evidence.",
        "- APIs that differ from those of the training in what is ordinary: measure with `apisec-ml detect` on your",
        "  own events, watch `apisec-ml drift`, and train anew with your analysts' dispositions.",
        "",
    ]
    return "\n".join(lines)


def _family(name: str, entry: Mapping[str, Any], training: Mapping[str, Any]) -> str:
    about = (training.get("families") or {}).get(name, {})
    weights = ", ".join(f"{feature} {weight:.2f}" for feature, weight in entry["weights"].items()) or "all 1"
    chances = ", ".join(f"{10 ** _log10_p(entry, z):.1g}" for z in (3.0, 5.0, 8.0))
    told = (training.get("told") or {}).get(name, {}).get("per_million", "–")
    counts = f"{about.get('ordinary_episodes', '–')} | {told} | {about.get('campaigns', '–')}"
    return f"| {name} | {weights} | {counts} | {chances} |"


def _log10_p(entry: Mapping[str, Any], z: float) -> float:
    from apisec.abuse.model import FamilyModel

    knots = tuple((float(place), float(height)) for place, height in entry["knots"])
    return FamilyModel(entry["bias"], entry["weights"], knots, entry["slope"]).log10_p(z)


def _margins(margins: Mapping[str, Any]) -> list[str]:
    """Return what was fitted to findings; nothing where there were none."""
    if not margins.get("curves"):
        return []
    counts, used = margins["left_out"], margins["used"]
    lines = [
        "## Margins",
        "",
        f"Decades beyond five that a family has to state before it is a finding, where a false finding costs "
        f"{margins['weight']:g} missed campaigns: "
        + (", ".join(f"{f} {m:g}" for f, m in used.items()) or "none")
        + ".",
    ]
    if counts:
        lines.append(
            f"Fitted without each source in turn, there: {counts['found']} campaigns found and {counts['false']} false "
            f"findings; without margins {counts['found_stated']} and {counts['false_stated']}."
        )
    header = " | ".join(f"{row[0]:g}" for row in next(iter(margins["curves"].values())))
    lines += ["", "Campaigns found (by any family) / false findings (of this one) at a margin of:", ""]
    lines += [f"| family | {header} |", "|---" * (header.count("|") + 2) + "|"]
    for family, rows in margins["curves"].items():
        lines.append(f"| {family} | " + " | ".join(f"{row[1]:g} / {row[2]:g}" for row in rows) + " |")
    return [*lines, ""]


def _splits(splits: Mapping[str, Any], kept: Collection[str]) -> list[str]:
    """Return what honest splits gave; nothing where there were none."""
    if not splits:
        return []
    lines = [
        "## Honest splits",
        "",
        "Campaigns of sources and of styles that training left out, found at p ≤ 1e-5, and ordinary episodes called so",
        "(in brackets: without any training; families that gain nothing go on without it); and how often ordinary",
        "episodes of later days and of other principals are called as rare as 1e-3 and 1e-4, over nominal: 1 is right,",
        "below is careful.",
        "",
        "| family | model | other sources | false there | left-out styles | later days | other principals |",
        "|---|---|---|---|---|---|---|",
    ]
    for family, one in splits.items():
        styles = "; ".join(
            f"{style} {found['found']} of {found['campaigns']} ({found['found_untrained']})"
            for style, found in one["styles"].items()
        )
        later, others = _rates(one["later_days"]), _rates(one["other_principals"])
        other, model = one["other_sources"], "trained" if family in kept else "as stated"
        found = f"{other['found']} of {other['campaigns']} ({other['found_untrained']})"
        false = f"{other['false']} ({other['false_untrained']})"
        lines.append(f"| {family} | {model} | {found} | {false} | {styles or '–'} | {later} | {others} |")
    return [*lines, ""]


def _rates(rates: Mapping[str, float]) -> str:
    return ", ".join(f"{rates[name]:g}" for name in ("1e-3", "1e-4") if name in rates) or "–"
