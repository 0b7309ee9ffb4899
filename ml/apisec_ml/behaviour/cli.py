"""``apisec-ml detect``: what the engine finds in labelled events, how soon, how often, and what for nothing."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apisec.errors import DocumentError

if TYPE_CHECKING:
    from apisec_ml.behaviour.report import Judged
    from apisec_ml.behaviour.run import Run

EXAMPLE = """\
example, from nothing to a table:
  apisec-sandbox campaigns --output /tmp/dev --weeks 2
  apisec-ml detect --events /tmp/dev/events.jsonl --labels /tmp/dev/labels.jsonl --rows /tmp/rows
  apisec-ml detect /tmp/dev /tmp/dev2 --rows /tmp/rows --explain webshop-1-c003
"""


def add_sources(parser: argparse.ArgumentParser) -> None:
    """Add what says where events and labels are."""
    parser.add_argument(
        "folders", type=Path, nargs="*", metavar="FOLDER", help="folders with events.jsonl and labels.jsonl"
    )
    parser.add_argument("--events", type=Path, action="append", default=[], metavar="FILE", help="'-' is stdin")
    parser.add_argument(
        "--labels",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="of the events file at the same place in the command; without any, every finding is listed",
    )
    parser.add_argument(
        "--dispositions",
        type=Path,
        metavar="FILE",
        help="what analysts said of findings (JSON lines of the app's REST), in place of labels",
    )
    parser.add_argument(
        "--rows", type=Path, metavar="FOLDER", help="keep activity rows there: the next run of these events is faster"
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (default: %(default)s)"
    )
    parser.add_argument(
        "--families", default="", metavar="A,B", help="only these look, and only their campaigns are counted"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")


def add_detect(commands: Any) -> None:
    """Add the command to the parser of ``apisec-ml``."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = commands.add_parser("detect", help="measure detection by behaviour", epilog=EXAMPLE, formatter_class=raw)
    add_sources(parser)
    parser.add_argument("--model", type=Path, metavar="FILE", help="models of the families (default: what ships)")
    parser.add_argument(
        "--threshold", type=float, default=90.0, metavar="0-100", help="score of a finding (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="write the report as JSON")
    parser.add_argument("--markdown", action="store_true", help="write the table of a page")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="write the picture (SVG)")
    parser.add_argument(
        "--explain", action="append", default=[], metavar="ID", help="a finding or a labelled campaign, in full"
    )
    parser.add_argument("--list", type=int, default=40, metavar="N", help="false and missed ones to list")


def add_report(commands: Any) -> None:
    """Add ``report``: what ``detect --json`` wrote, for people."""
    parser = commands.add_parser("report", help="show a report of detect --json")
    parser.add_argument("report", type=Path, metavar="FILE")
    parser.add_argument("--markdown", action="store_true", help="write the table of a page")
    parser.add_argument("--list", type=int, default=40, metavar="N", help="false and missed ones to list")


def run_report(options: argparse.Namespace) -> None:
    """Show a report that was kept."""
    from apisec_ml.behaviour.tables import as_markdown, as_text

    try:
        report = json.loads(options.report.read_text(encoding="utf-8"))
        text = as_markdown(report) if options.markdown else as_text(report, listed=options.list)
    except (ValueError, KeyError, TypeError) as error:
        raise DocumentError(f"is no report of detect --json: {error!r}", where=str(options.report)) from None
    print(text)


def sources_of(options: argparse.Namespace) -> list[Any]:
    """Return the sources that the options name; DocumentError when they do not fit together."""
    from apisec_ml.behaviour.rows import Source

    if options.labels and len(options.labels) != len(options.events):
        raise DocumentError(f"{len(options.events)} --events but {len(options.labels)} --labels; give one for one")
    if options.dispositions is not None and (options.labels or options.folders):
        raise DocumentError("--dispositions are in place of labels: give --events alone")
    labels = options.labels or [None] * len(options.events)
    pairs = [*zip(options.events, labels, strict=True)]
    pairs += [(folder / "events.jsonl", folder / "labels.jsonl") for folder in options.folders]
    if not pairs:
        raise DocumentError("give folders, or --events and --labels")
    names = [events.parent.name or events.stem for events, _ in pairs]
    unique = [name if names.count(name) == 1 else str(pair[0]) for name, pair in zip(names, pairs, strict=True)]
    return [Source(*pair, name, dispositions=options.dispositions) for pair, name in zip(pairs, unique, strict=True)]


def judged_runs(options: argparse.Namespace, model: Path | None) -> tuple[list[Run], Judged]:
    """Run the engine over the sources, and judge its findings."""
    from apisec_ml.behaviour.judging import findings_of
    from apisec_ml.behaviour.report import Judged
    from apisec_ml.behaviour.run import Settings, run_all

    families = families_of(options.families)
    settings = Settings(model=model, families=families, cache=options.rows, quiet=options.quiet)
    runs = run_all(sources_of(options), settings, options.jobs)
    judged = Judged()
    for one in runs:
        findings = findings_of(one.anomalies, options.threshold)
        judged.add(one.source, one.truth, findings, one.nearest, one.courses, families)
    return runs, judged


def families_of(text: str) -> frozenset[str]:
    """Return the families that a list names, none for an empty one; DocumentError for one that does not exist."""
    from apisec.abuse.base import FAMILIES

    named = frozenset(one.strip() for one in text.split(",") if one.strip())
    for unknown in sorted(named - set(FAMILIES)):
        near = get_close_matches(unknown, FAMILIES, 1) or FAMILIES
        raise DocumentError(f"{unknown!r} is no family; give {' or '.join(near)}", where="--families")
    return named


def report_on(options: argparse.Namespace, model: Path | None) -> dict[str, Any]:
    """Return the report of some models on the sources that the options name."""
    from apisec_ml.behaviour.report import report_of

    _, judged = judged_runs(options, model)
    return report_of(judged, options.threshold)


def run_detect(options: argparse.Namespace) -> None:
    """Run the engine over the sources, and report."""
    from apisec_ml.behaviour.margins import alarms_of, curves_of
    from apisec_ml.behaviour.report import report_of
    from apisec_ml.behaviour.tables import as_markdown, as_text

    runs, judged = judged_runs(options, options.model)
    curves = curves_of([alarm for one in runs for alarm in alarms_of(one)])
    report = report_of(judged, options.threshold, speed=speed_of(runs), curves=curves)
    if options.picture is not None:
        from apisec_ml.behaviour.picture import picture_of

        options.picture.write_text(picture_of(runs, report), encoding="utf-8")
    if options.json:
        print(json.dumps(report, indent=1))
    elif options.markdown:
        print(as_markdown(report))
    else:
        print(as_text(report, listed=options.list))
    for wanted in options.explain:
        print(explain(wanted, runs, judged))


def speed_of(runs: Sequence[Run]) -> dict[str, float]:
    """Return what the runs took: events a second of one process, microseconds of engine a row."""
    seconds, rows = sum(one.seconds for one in runs), sum(one.rows for one in runs)
    return {
        "events_per_second_and_process": round(sum(one.events for one in runs) / max(seconds, 1e-9)),
        "rows": rows,
        "engine_us_per_row": round(1e6 * sum(one.engine_seconds for one in runs) / max(1, rows), 1),
        "seconds": round(seconds, 1),
    }


def explain(wanted: str, runs: Sequence[Run], judged: Judged) -> str:
    """Return all anomalies of a finding, or of the findings of a labelled campaign, as JSON."""
    ids = {wanted}
    lines = []
    for outcome in judged.outcomes:
        if outcome.campaign.id == wanted:
            told = {key: value for key, value in outcome.campaign.to_document().items() if key != "times"}
            lines.append(json.dumps({"source": outcome.source, "labelled": told, "runs": outcome.runs}, indent=1))
            ids |= {verdict.finding.campaign for verdict in (*outcome.right, *outcome.late)}
            ids |= _near(outcome, runs)
    for one in runs:
        for _, anomaly in one.anomalies:
            if anomaly["campaign"] in ids or anomaly["id"] in ids:
                lines.append(json.dumps(anomaly, indent=1))
    if not lines:
        print(f"apisec-ml: there is no finding or campaign {wanted!r}", file=sys.stderr)
    return "\n".join(lines)


def _near(outcome: Any, runs: Sequence[Run]) -> set[str]:
    """Return engine campaigns that accuse members of a labelled one, whatever their score."""
    labelled = outcome.campaign
    return {
        str(anomaly["campaign"])
        for one in runs
        if one.source == outcome.source
        for time, anomaly in one.anomalies
        if anomaly["service"] == labelled.service
        and time > labelled.first
        and labelled.principals & {anomaly.get("principal"), *(anomaly.get("members") or ())}
    }
