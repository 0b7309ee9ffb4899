"""Verdicts on fields against the truth, and events per second of apisecclassify against a command that does nothing.

    python -m benchmarks.classify [--fields N] [--samples N] [--seed N] [--events N] [--verdicts | --speed] [--json]

Verdicts: fields of five kinds (``classifying/fields.py``) with 50 samples each go through redactor and inventory, with
false detections in none, in one of 1,000 and in one of 100 samples. Beside the rule of the verdicts stands the one
that takes a field for whatever was found in it once. Speed: the app is built, and its command is run as splunkd runs
it, over transactions and over log lines of four kinds; the command that does nothing reads and writes the same records.
Both are measured by the processor time of their processes.
"""

from __future__ import annotations

import argparse
import functools
import json
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.classifying import fields as labelled
from benchmarks.classifying.logs import KINDS, Lines
from benchmarks.inventory import Traffic, build, chunks_of, run

SEED = 20_261_121  # the rules were looked at with seed 1
SAMPLES = 50
FIELDS = 150  # of each kind
NOISE = (0.0, 0.001, 0.01)
EVENTS = 20_000
Records = Callable[[], Iterable[tuple[str, str]]]
NOOP = """
import sys
import import_declare_test
from splunklib.searchcommands import Configuration, StreamingCommand, dispatch
@Configuration()
class ApisecNothingCommand(StreamingCommand):
    def stream(self, records):
        yield from records
dispatch(ApisecNothingCommand, sys.argv, sys.stdin, sys.stdout, __name__)
"""


def judged(seed: int, count: int, samples: int) -> dict[str, Any]:
    """Return precision and recall by rule and kind of field, for each share of false detections."""
    report: dict[str, Any] = {"fields": len(labelled.KINDS) * count, "samples": samples}
    for noise in NOISE:
        fields = list(labelled.made(seed, count, samples))
        labelled.judge(fields, noise, seed + 1)
        report[f"noise {noise:g}"] = {
            "carried": _rows(labelled.score(fields, "carried")),
            "carried or seen": _rows(labelled.score(fields, "shown")),
            "found once": _rows(labelled.score(fields, "any")),
            "operations": labelled.level_of_operations(fields),
        }
        if noise == 0.001:
            table = labelled.by_class(fields)
            report["by class"] = {name: table[name].row() for name in sorted(table)}
    return report


def _rows(table: dict[str, labelled.Counts]) -> dict[str, dict[str, float | int]]:
    total = labelled.Counts()
    for counts in table.values():
        total.right, total.false, total.missed = (
            total.right + counts.right, total.false + counts.false, total.missed + counts.missed,
        )  # fmt: skip
    return {**{kind: counts.row() for kind, counts in table.items()}, "all": total.row()}


def speed(count: int) -> dict[str, Any]:
    """Return events per second of each input, and the ratio to the command that does nothing."""
    inputs: dict[str, tuple[list[str], Records]] = {"transactions": (["state=off"], lambda: Traffic().records(count))}
    for kind in KINDS:
        inputs[f"log: {kind}"] = (["field=_raw"], functools.partial(Lines.records, Lines(), count, kind))
    inputs["log: java, redacted"] = (["field=_raw", "redact=true"], lambda: Lines().records(count, "java"))
    report = {}
    with tempfile.TemporaryDirectory() as folder:
        scripts = build(Path(folder))
        nothing = scripts / "apisecnothing.py"
        nothing.write_text(NOOP, encoding="utf-8")
        header = ["_time", "_raw"]
        for name, (arguments, records) in inputs.items():
            idle = run(nothing, [], chunks_of(records(), header))
            busy = run(scripts / "apisecclassify.py", arguments, chunks_of(records(), header))
            assert len(busy.rows) == len(idle.rows) == count
            report[name] = {
                "events_per_second": round(count / busy.cpu),
                "noop_per_second": round(count / idle.cpu),
                "ratio": round(idle.cpu / busy.cpu, 3),
                "megabytes_per_second": round(sum(len(text) for _, text in records()) / busy.cpu / 1e6, 2),
                "memory_mb": round(busy.memory),
                "with_a_class": sum(bool(row["apisec_classes"]) for row in busy.rows),
            }
    return report


def show(report: dict[str, Any], depth: int = 0) -> None:
    """Print nested figures, a line for each row of scalars."""
    for name, value in report.items():
        if isinstance(value, dict) and any(isinstance(inner, dict) for inner in value.values()):
            print(f"{'  ' * depth}{name}")
            show(value, depth + 1)
        elif isinstance(value, dict):
            print(f"{'  ' * depth}{name:<28} " + "  ".join(f"{key} {one}" for key, one in value.items()))
        else:
            print(f"{'  ' * depth}{name:<28} {value}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fields", type=int, default=FIELDS, metavar="N", help=f"of each kind (default {FIELDS})")
    parser.add_argument("--samples", type=int, default=SAMPLES, metavar="N", help=f"of a field (default {SAMPLES})")
    parser.add_argument("--seed", type=int, default=SEED, metavar="N")
    parser.add_argument("--events", type=int, default=EVENTS, metavar="N", help=f"for speed (default {EVENTS})")
    parser.add_argument("--json", action="store_true", help="write the figures as one JSON object")
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--verdicts", action="store_true", help="no speed")
    one.add_argument("--speed", action="store_true", help="no verdicts")
    options = parser.parse_args()
    report: dict[str, Any] = {}
    if not options.speed:
        report["verdicts"] = judged(options.seed, options.fields, options.samples)
    if not options.verdicts:
        report["speed"] = speed(options.events)
    if options.json:
        print(json.dumps(report))
    else:
        show(report)


if __name__ == "__main__":
    main()
