"""A report as text for a terminal, and as the table of a Markdown page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

STYLES = ("loud", "slow", "distributed", "mimic")
SHOWN_SCORE = 36.0  # of a family about a campaign that was missed: below, it joins nothing


def _number(value: float | None, form: str = "g") -> str:
    return "–" if value is None else format(value, form)


def _line(name: str, style: str, row: Mapping[str, Any]) -> str:
    return (
        f"{name:<20} {style:<12} {row['campaigns']:>5} {row['found']:>5} {row['named']:>5} "
        f"{_number(row['median_runs']):>7} {_number(row['median_runs_sufficient']):>9} "
        f"{_number(row['median_events']):>7} {_number(row['findings_per_campaign'], '.2f'):>9}"
    )


def as_text(report: Mapping[str, Any], *, listed: int = 40) -> str:
    """Return the report for a terminal; ``listed`` false findings and missed campaigns are spelled out."""
    lines = [
        f"{report['ordinary_events']:,} ordinary events, {report['attack_events']:,} of attackers; "
        f"finding from score {report['threshold']:g}",
        f"{'family':<20} {'style':<12} {'camp.':>5} {'found':>5} {'named':>5} {'runs':>7} {'runs(10th)':>9} "
        f"{'events':>7} {'findings':>9}",
    ]
    lines += [_line(cell["family"], cell["style"], cell) for cell in report["cells"]]
    lines.append("")
    for style, row in report["styles"].items():
        lines.append(_line("", style, row))
    lines += [_line("all", "", report["all"]), ""]
    lines.append(f"missed, but accused in a finding about another attacker of its family: {report['all']['continued']}")
    lines.append(
        f"false: {report['false']} ({report['false_per_million']:g} per million ordinary transactions, "
        f"at 95 % at most {report['false_per_million_at_most']:g})"
    )
    lines += [f"  {count:>5}  {name}" for name, count in report["false_by_family"].items()]
    lines += [f"  {count:>5}  by {name}" for name, count in list(report["false_by_persona"].items())[:10]]
    lines += _curves(report.get("curves") or {})
    lines += ["", f"false findings (first {listed}; --explain ID says more)"] if report["false_findings"] else []
    lines += [_false_line(one) for one in report["false_findings"][:listed]]
    lines += ["", f"missed campaigns (first {listed})"] if report["missed"] else []
    lines += [_missed_line(one) for one in report["missed"][:listed]]
    return "\n".join(lines)


def _curves(curves: Mapping[str, Any]) -> list[str]:
    """Say what it would cost to ask more of the families that tell something for nothing."""
    told = {family: rows for family, rows in curves.items() if rows[0][2]}
    if not told:
        return []
    cells = {"": [f"+{row[0]:g}" for row in next(iter(told.values()))]}
    cells.update((family, [f"{row[1]:g}/{row[2]:g}" for row in rows]) for family, rows in told.items())
    lines = ["", "found of all / false of the family, if it had to state so many decades more:"]
    return [*lines, *(f"{name:<20} " + "".join(f"{cell:>9}" for cell in row) for name, row in cells.items())]


def moment(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%m-%d %H:%M")


def _false_line(one: Mapping[str, Any]) -> str:
    what = f"{one['family']} {one['score']:g} {one['who']}"
    return f"  {one['id']} {moment(one['time'])} {one['service']} {one['operation']}: {what}: {one['reason']}"


def _missed_line(one: Mapping[str, Any]) -> str:
    late = ", late" if one["late"] else ", in the finding of another of its family" if one.get("continued") else ""
    weighty = [f"{family} {score:g}" for family, score in one["nearest"].items() if score >= SHOWN_SCORE]
    lines = [
        f"  {one['source']} {one['id']} {one['family']} {one['style']}: {one['events']} events "
        f"in {one['hours']:g} h by {one['principals']}{late}; scores: {', '.join(weighty) or 'nothing'}"
    ]
    return "\n".join([*lines, *(_went_line(course, one["principals"]) for course in one.get("went", ()))])


def _went_line(course: Mapping[str, Any], principals: int) -> str:
    """Say which of the engine's campaigns took the evidence."""
    told = "not told" if course["told"] is None else f"told {moment(course['told'])}"
    before = " before it began" if course["early"] else ""
    return (
        f"      {course['shared']} of {principals} in {course['campaign']} ({course['lead']} {course['peak']:g}, "
        f"{course['members']} members, {told}{before}: {course['counted']})"
    )


def as_markdown(report: Mapping[str, Any]) -> str:
    """Return the table of families with found of campaigns per style."""
    measures = ("found", "median runs", "from the 10th event", "findings per campaign", "false per million")
    head = ["family", *STYLES, *measures]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    cells = {(one["family"], one["style"]): one for one in report["cells"]}
    for family, row in [*report["families"].items(), ("all", report["all"])]:
        of_style = [cells.get((family, style)) if family != "all" else report["styles"].get(style) for style in STYLES]
        shares = ["–" if one is None else f"{one['found']} of {one['campaigns']}" for one in of_style]
        false = report["false_per_million"] if family == "all" else row["false_per_million"]
        values = [
            family.replace("_", " "),
            *shares,
            f"{row['found']} of {row['campaigns']}",
            _number(row["median_runs"]),
            _number(row["median_runs_sufficient"]),
            _number(row["findings_per_campaign"], ".2f"),
            f"{false:.2f}",
        ]
        lines.append("| " + " | ".join(values) + " |")
    return "\n".join(lines)
