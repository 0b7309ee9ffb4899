"""The picture of a report: campaigns found per family, and found against false over all thresholds. SVG by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from apisec.statistics import upper_bound
from apisec_ml.behaviour.judging import findings_of
from apisec_ml.behaviour.report import Judged
from apisec_ml.behaviour.run import Run

DECADES = tuple(3.5 + step / 4 for step in range(35))  # of p: thresholds from 63 on, beyond 100 by p alone
WIDTH, ROW, LEFT, BAR = 880, 22, 170, 300
INK, FOUND, MISSED, LINE, PALE = "#222", "#2b7a78", "#e6e6e6", "#b5432a", "#999"
STYLES = ("loud", "slow", "distributed", "mimic")


def sweep(runs: Sequence[Run]) -> list[tuple[float, float, float]]:
    """Return, per threshold, decades of p, the share of campaigns found and false findings per million."""
    points = []
    for decades in DECADES:
        judged = Judged()
        for one in runs:
            strong = [(time, a) for time, a in one.anomalies if -math.log10(max(a["p_value"], 1e-300)) >= decades]
            judged.add(one.source, one.truth, findings_of(strong, 0.0))
        found = sum(outcome.found for outcome in judged.outcomes) / max(1, len(judged.outcomes))
        points.append((decades, found, len(judged.false) / max(1, judged.ordinary) * 1e6))
    return points


def picture_of(runs: Sequence[Run], report: Mapping[str, Any]) -> str:
    """Return the SVG."""
    families = report["families"]
    top = 60
    height = top + ROW * (len(families) + 1) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {max(height, 420)}" font-family="sans-serif" '
        f'font-size="12" fill="{INK}">',
        '<rect width="100%" height="100%" fill="white"/>',
        _text(12, 24, "Campaigns found, of each family", 15),
        _text(LEFT, 44, "found of campaigns; false findings per million ordinary transactions", 11, PALE),
    ]
    for index, (name, row) in enumerate([*families.items(), ("all", report["all"])]):
        false = row.get("false_per_million", report["false_per_million"])
        parts += _bar(top + index * ROW, name.replace("_", " "), row, false)
    parts += _curve(sweep(runs), report, 560, top)
    return "\n".join([*parts, "</svg>", ""])


def _text(x: float, y: float, text: str, size: int = 12, fill: str = INK, anchor: str = "start") -> str:
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{fill}" text-anchor="{anchor}">{escape(text)}</text>'


def _bar(y: float, name: str, row: Mapping[str, Any], false: float) -> list[str]:
    share = row["found"] / max(1, row["campaigns"])
    width = BAR - 90
    return [
        _text(LEFT - 8, y + 13, name, anchor="end"),
        f'<rect x="{LEFT}" y="{y}" width="{width}" height="{ROW - 6}" fill="{MISSED}"/>',
        f'<rect x="{LEFT}" y="{y}" width="{width * share:.1f}" height="{ROW - 6}" fill="{FOUND}"/>',
        _text(LEFT + width + 8, y + 13, f"{row['found']} of {row['campaigns']}"),
        _text(LEFT + BAR + 30, y + 13, f"{false:.2f}", anchor="end", fill=LINE if false else PALE),
    ]


def _curve(points: Sequence[tuple[float, float, float]], report: Mapping[str, Any], x: float, y: float) -> list[str]:
    """Found over false, each threshold a dot; no false finding at all is drawn at its upper bound's place."""
    width, height = 280.0, 260.0
    least = upper_bound(0, max(1, report["ordinary_events"])) * 1e6
    low, high = -2.0, 3.0

    def at(false: float, found: float) -> tuple[float, float]:
        place = (min(high, max(low, math.log10(max(false, least / 10)))) - low) / (high - low)
        return x + width * place, y + height * (1 - found)

    parts = [_text(x, 24, "Found against false, over all thresholds", 15)]
    for decade in range(int(low), int(high) + 1):
        left, _ = at(10.0**decade, 0)
        parts.append(f'<line x1="{left:g}" y1="{y}" x2="{left:g}" y2="{y + height}" stroke="#eee"/>')
        parts.append(_text(left, y + height + 16, f"{10.0**decade:g}", 10, anchor="middle"))
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        _, level = at(1, share)
        parts.append(f'<line x1="{x}" y1="{level:g}" x2="{x + width}" y2="{level:g}" stroke="#eee"/>')
        parts.append(_text(x - 6, level + 4, f"{share:.0%}", 10, anchor="end"))
    dots = [at(false, found) for _, found, false in points]
    path = " ".join(f"{left:.1f},{level:.1f}" for left, level in dots)
    parts.append(f'<polyline points="{path}" fill="none" stroke="{FOUND}" stroke-width="1.5"/>')
    for (decades, _, _), (left, level) in zip(points, dots, strict=True):
        marked = decades in (4.0, 5.0, 6.0, 8.0)
        parts.append(f'<circle cx="{left:.1f}" cy="{level:.1f}" r="{4 if marked else 2}" fill="{FOUND}"/>')
        if marked:
            parts.append(_text(left + 6, level + 14, f"p ≤ 1e-{decades:g}", 10))
    legend = "false findings per million ordinary transactions"
    return [*parts, _text(x + width / 2, y + height + 36, legend, 11, PALE, "middle")]
