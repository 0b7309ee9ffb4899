"""Changes of an API: how many are told that are none, how many are missed, and how late they are told.

python -m benchmarks.changes                  # held-out shapes and seeds
python -m benchmarks.changes --development    # those that the rules were written with
python -m benchmarks.changes --part latency|traffic
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections import Counter, deque
from dataclasses import dataclass, field

from apisec.endpoints.changes import speed
from apisec.endpoints.changes.found import Found, Span
from apisec.endpoints.changes.watch import Watch
from apisec.endpoints.inventory import OperationStats
from apisec.endpoints.inventory.timing import HOUR, MAX_HOURS
from benchmarks.changing import latency

WEEK = 168  # hours
PATIENCE = 96  # hours after a change, after which it counts as missed


def replay(shape: latency.Shape, shift: latency.Shift | None, at: int, seed: int) -> list[tuple[int, Found]]:
    """Return what is told, by the hour (since the first) at whose end it is."""
    watch, stats = Watch(), OperationStats()
    told = []
    recent: deque[int] = deque()
    for hour, one in latency.hours(shape, shift, at, seed):
        stats.timing.hours[hour] = one
        recent.append(hour)
        while recent[0] <= hour - MAX_HOURS:
            del stats.timing.hours[recent.popleft()]
        span = Span((hour + 1) * HOUR, hour * HOUR, 1, 1, True, False, lambda *_: True)
        told += [(hour - latency.FIRST_HOUR, found) for found in speed.regressions(watch, stats, span)]
    return told


@dataclass
class Score:
    """Of one shift: what was told in time, how late, and how far the hour was off."""

    runs: int = 0
    late: list[int] = field(default_factory=list)
    off: list[int] = field(default_factory=list)
    early: int = 0


def detections(shapes: tuple[latency.Shape, ...], seeds: range) -> None:
    print(
        "\nshift                            found   hours late (median, 90 %)   hours off (median, 90 %)   wrong before"
    )
    for shift in latency.SHIFTS:
        score = Score()
        for shape in shapes:
            for seed in seeds:
                at = random.Random(seed).randrange(2 * WEEK, 3 * WEEK)
                told = replay(shape, shift, at, seed)
                score.runs += 1
                score.early += any(hour < at for hour, _ in told)
                right = [(hour, one) for hour, one in told if at <= hour < at + PATIENCE]
                if right:
                    score.late.append(right[0][0] - at + 1)
                    score.off.append(abs(round(right[0][1].trial.since / HOUR) - latency.FIRST_HOUR - at))
        found = f"{len(score.late)}/{score.runs}"
        print(f"{shift.name:32} {found:8} {_spread(score.late):27} {_spread(score.off):26} {score.early}")


def _spread(values: list[int]) -> str:
    if not values:
        return "-"
    ordered = sorted(values)
    return f"{statistics.median(ordered):.0f}, {ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))]}"


def false_alarms(shapes: tuple[latency.Shape, ...], seeds: range) -> None:
    print("no change at all: regressions told, by weeks of an operation")
    total, weeks = 0, 0.0
    for shape in shapes:
        told: Counter[int] = Counter()
        for seed in seeds:
            for hour, _ in replay(shape, None, 0, seed):
                told[hour // WEEK + 1] += 1
        total += sum(told.values())
        weeks += len(seeds) * latency.HOURS / WEEK
        print(
            f"  {shape.name:28} {sum(told.values()):4} in {len(seeds) * latency.HOURS / WEEK:.0f} weeks, by week {dict(sorted(told.items()))}"
        )
    print(f"  {'all':28} {total:4} in {weeks:.0f} weeks: {total / weeks:.4f} a week and operation")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--development", action="store_true")
    parser.add_argument("--part", choices=("latency", "traffic"))
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    shapes = latency.DEVELOPMENT if arguments.development else latency.HELD_OUT
    seeds = range(arguments.seeds) if arguments.development else range(1000, 1000 + arguments.seeds)
    if arguments.part != "traffic":
        false_alarms(shapes, seeds)
        detections(shapes, seeds)


if __name__ == "__main__":
    main()
