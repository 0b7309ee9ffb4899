"""Two reports side by side: what one finds that the other does not, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Missed = dict[tuple[str, str], str]


def compare(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return the differences of two reports of ``apisec-ml detect``, second less first."""
    families = sorted({*first["families"], *second["families"]})
    missed = [_missed(one) for one in (first, second)]
    return {
        "all": _pair(first["all"], second["all"], first["false_per_million"], second["false_per_million"]),
        "families": {
            name: _pair(
                first["families"].get(name, {}),
                second["families"].get(name, {}),
                first["families"].get(name, {}).get("false_per_million", 0.0),
                second["families"].get(name, {}).get("false_per_million", 0.0),
            )
            for name in families
        },
        "found_only_by_second": [" ".join(key) for key in missed[0] if key not in missed[1]],
        "found_only_by_first": [" ".join(key) for key in missed[1] if key not in missed[0]],
        "same_events": first["ordinary_events"] == second["ordinary_events"] and first["sources"] == second["sources"],
    }


def _missed(report: Mapping[str, Any]) -> Missed:
    return {(one["source"], one["id"]): one["family"] for one in report["missed"]}


def _pair(first: Mapping[str, Any], second: Mapping[str, Any], false: float, then: float) -> dict[str, Any]:
    names = ("campaigns", "found", "median_runs", "findings_per_campaign")
    return {**{name: [first.get(name), second.get(name)] for name in names}, "false_per_million": [false, then]}


def as_text(found: Mapping[str, Any]) -> str:
    """Return the comparison for a terminal."""
    lines = [] if found["same_events"] else ["these reports are of different events: the figures say little", ""]
    lines.append(f"{'family':<20} {'found':>15} {'median runs':>15} {'findings/camp.':>15} {'false/million':>19}")
    for name, one in [*found["families"].items(), ("all", found["all"])]:
        cells = (_arrow(one[key]) for key in ("found", "median_runs", "findings_per_campaign"))
        lines.append(
            f"{name:<20} " + " ".join(f"{cell:>15}" for cell in cells) + f" {_arrow(one['false_per_million']):>19}"
        )
    for label in ("found_only_by_second", "found_only_by_first"):
        if found[label]:
            lines += ["", label.replace("_", " ") + ":", *(f"  {one}" for one in found[label])]
    return "\n".join(lines)


def _arrow(pair: list[float | None]) -> str:
    before, after = ("–" if value is None else f"{value:g}" for value in pair)
    return before if before == after else f"{before} → {after}"
