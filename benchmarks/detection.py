"""Campaigns found at equal numbers of false findings, beside thresholds, three sigma and an isolation forest.

    python benchmarks/detection.py [FOLDER…] [--rows FOLDER] [--json]

FOLDERs hold events.jsonl and labels.jsonl (``apisec-sandbox campaigns``); without any, three days of two applications
are made. Each detector's threshold is moved until it has at most 1, 10 and 100 false findings per million ordinary
transactions, on the traffic itself: so every one is at its best. Times are of one process, without making the rows.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apisec.abuse.engine import Engine
from apisec_ml.behaviour.judging import findings_of
from apisec_ml.behaviour.report import Judged
from apisec_ml.behaviour.rows import Source, end_of, slots_of
from apisec_ml.behaviour.truth import Truth
from benchmarks.detecting import peers

BUDGETS = (1.0, 10.0, 100.0)  # false findings per million ordinary transactions
DECADES = tuple(3.0 + step / 4 for step in range(37))
OURS = "apisec"


@dataclass
class Replayed:
    """One source: its truth, our anomalies, the peers' hours, and what each took (seconds)."""

    name: str
    truth: Truth
    anomalies: list[peers.Alarm]
    scored: peers.Scored
    rows: int
    seconds: dict[str, float]
    state_bytes: int


def replay(source: Source, cache: Path | None) -> Replayed:
    """Let the engine and the peers see the same rows."""
    truth, engine = Truth(), Engine()
    anomalies: list[peers.Alarm] = []
    hours: peers.Hours = {}
    rows = ours = theirs = 0.0
    for slot, made in slots_of(source, truth, cache, lambda _: None):
        began = time.process_time()
        anomalies += [(end_of(slot), one) for one in engine.advance(made, end_of(slot))]
        engine.saved()
        middle = time.process_time()
        for key, counted in peers.hours_of(made).items():
            hours[key] = hours[key] + counted if key in hours else counted
        ours, theirs = ours + middle - began, theirs + time.process_time() - middle
        rows += len(made)
    began = time.process_time()
    scored = peers.score(hours)
    theirs += time.process_time() - began
    state = sum(len(json.dumps(one)) for found in engine.documents(False).values() for one in found)
    return Replayed(source.name, truth, anomalies, scored, int(rows), {OURS: ours, "peers": theirs}, state)


def share_at(
    replays: Sequence[Replayed], levels: Sequence[float], alarms: Callable[[Replayed, float], list[peers.Alarm]]
) -> dict[str, float]:
    """Return the greatest share of campaigns found within each budget of false findings."""
    best = dict.fromkeys((f"{budget:g}" for budget in BUDGETS), 0.0)
    for level in levels:
        judged = Judged()
        for one in replays:
            judged.add(one.name, one.truth, findings_of(alarms(one, level), 0.0))
        found = sum(outcome.found for outcome in judged.outcomes) / max(1, len(judged.outcomes))
        for budget in BUDGETS:
            if judged.per_million(len(judged.false)) <= budget:
                best[f"{budget:g}"] = max(best[f"{budget:g}"], found)
    return {name: round(value, 3) for name, value in best.items()}


def _ours(one: Replayed, decades: float) -> list[peers.Alarm]:
    return [(moment, a) for moment, a in one.anomalies if -math.log10(max(a["p_value"], 1e-300)) >= decades]


def compare(replays: Sequence[Replayed]) -> dict[str, Any]:
    """Return shares, cost and state as plain data."""
    found = {OURS: share_at(replays, DECADES, _ours)}
    for peer in replays[0].scored.scores:
        levels = sorted({level for one in replays for level in peers.levels(one.scored, peer)}, reverse=True)
        found[peer] = share_at(replays, levels[:: max(1, len(levels) // 80)], _alarms_of(peer))
    rows = sum(one.rows for one in replays)
    cost = {name: round(1e6 * sum(one.seconds[name] for one in replays) / max(1, rows), 1) for name in (OURS, "peers")}
    return {
        "ordinary": sum(one.truth.ordinary for one in replays),
        "campaigns": sum(len(one.truth.attacked()) for one in replays),
        "rows": rows,
        "found_at_false_per_million": found,
        "us_per_row": cost,
        "state_bytes_per_row": round(sum(one.state_bytes for one in replays) / max(1, rows), 1),
    }


def _alarms_of(peer: str) -> Callable[[Replayed, float], list[peers.Alarm]]:
    return lambda one, level: peers.alarms(one.scored, peer, level)


def as_text(report: dict[str, Any]) -> str:
    lines = [
        f"{report['ordinary']:,} ordinary events, {report['campaigns']} campaigns, {report['rows']:,} rows",
        f"{'share of campaigns found at':<28}" + "".join(f"{name:>10}" for name in ("≤ 1", "≤ 10", "≤ 100")),
    ]
    for name, found in report["found_at_false_per_million"].items():
        lines.append(f"{name:<28}" + "".join(f"{value:>10.1%}" for value in found.values()))
    cost = ", ".join(f"{name} {value:g} µs" for name, value in report["us_per_row"].items())
    return "\n".join([*lines, f"a row: {cost}; state {report['state_bytes_per_row']:g} bytes a row seen"])


def made_sample(folder: Path) -> Path:
    """Make three days of two applications with the simulator's command."""
    sandbox = str(Path(sys.executable).with_name("apisec-sandbox"))
    what = ["campaigns", "--output", str(folder), "--weeks", "0.43", "--apps", "2", "--attacks", "20"]
    subprocess.run([sandbox, *what], check=True, stdout=subprocess.DEVNULL)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*", metavar="FOLDER")
    parser.add_argument("--rows", type=Path, metavar="FOLDER", help="keep activity rows there")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folders = options.folders or [made_sample(Path(scratch))]
        sources = [Source(one / "events.jsonl", one / "labels.jsonl", one.name) for one in folders]
        report = compare([replay(one, options.rows) for one in sources])
    print(json.dumps(report, indent=1) if options.json else as_text(report))


if __name__ == "__main__":
    main()
