"""Changes of an API: how many are told that are none, how many are missed, and how late they are told.

python -m benchmarks.changes                  # held-out shapes and seeds
python -m benchmarks.changes --development    # those that the rules were written with
python -m benchmarks.changes --part latency|traffic
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from apisec.classification.overrides import Overrides
from apisec.endpoints.changes import speed
from apisec.endpoints.changes.found import Found, Span
from apisec.endpoints.changes.schema import Change
from apisec.endpoints.changes.services import ServiceWatch
from apisec.endpoints.changes.watch import Context, Watch
from apisec.endpoints.inventory import Inventory, OperationStats
from apisec.endpoints.inventory.timing import HOUR, MAX_HOURS
from benchmarks.changing import latency, traffic

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
        count = sum(told.values())
        print(
            f"  {shape.name:28} {count:4} in {len(seeds) * latency.HOURS / WEEK:.0f} weeks {dict(sorted(told.items()))}"
        )
    print(f"  {'all':28} {total:4} in {weeks:.0f} weeks: {total / weeks:.4f} a week and operation")


def watched(windows: Iterable[list[traffic.Event]], quiet: float) -> Iterator[tuple[float, Change]]:
    """Yield what is told of one operation and its service, with the time of the window's end."""
    watch, inventory, service = Watch(), Inventory(), ServiceWatch("shop", math.inf)
    for number, events in enumerate(windows):
        end = traffic.START + (number + 1) * traffic.WINDOW
        part = Inventory()
        for event in events:
            part.add(event)
        if not events:
            continue
        ((_, operation), stats) = next(part.items())
        service.since = min(service.since, stats.first_seen)
        tell = service.knows_enough(end, quiet)
        context = Context("shop", operation, end, tell, Overrides(), "red")
        known = next(iter(inventory.operations()), OperationStats())
        told = watch.observe(known, stats, context)
        inventory.merge(Inventory.from_state(part.to_state()))
        told = watch.conclude(next(inventory.operations()), stats, context, told)
        for one in service.admit([*told, *service.observe([(operation, stats)], end, tell)]):
            yield end, one


def steady(seeds: range, weeks: float) -> None:
    print(f"\ntraffic that does not change: told after a day of learning, {weeks:g} weeks, {len(seeds)} seeds")
    total: Counter[str] = Counter()
    for operation in traffic.OPERATIONS:
        told: Counter[str] = Counter()
        for seed in seeds:
            for _, one in watched(traffic.events(operation, weeks, seed), 86_400):
                told[f"{one.kind} {one.details.get('field') or one.after}"] += 1
        total += told
        print(f"  {operation.name:24} {sum(told.values()):3}  {dict(told)}")
    count = sum(total.values())
    of = weeks * len(seeds) * len(traffic.OPERATIONS)
    print(f"  {'all':24} {count:3}  in {of:.0f} weeks of an operation: {count / of:.4f} a week")


def changed(seeds: range) -> None:
    print("\nchange                                    told    windows late (median, 90 %)              others told")
    for name, change in traffic.CHANGES.items():
        late, others, runs = [], 0, 0
        for operation in traffic.OPERATIONS:
            if operation.open_share and change.expected == "authentication_dropped":
                continue  # it was open before
            for seed in seeds:
                at = 4 * 86_400 + random.Random(seed).random() * 86_400
                told = list(watched(traffic.events(operation, 1.0, seed, change, at), 86_400))
                after = [(end, one) for end, one in told if end >= traffic.START + at]
                right = [end for end, one in after if one.kind == change.expected]
                runs += 1
                others += sum(one.kind != change.expected for _, one in after)
                if right:
                    late.append(math.ceil((right[0] - traffic.START - at) / traffic.WINDOW))
        print(f"{name:42}{len(late)}/{runs:<6} {_spread(late):40} {others}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--development", action="store_true")
    parser.add_argument("--part", choices=("latency", "traffic"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--weeks", type=float, default=4.0, help="of traffic that does not change")
    arguments = parser.parse_args()
    shapes = latency.DEVELOPMENT if arguments.development else latency.HELD_OUT
    seeds = range(arguments.seeds) if arguments.development else range(3000, 3000 + arguments.seeds)
    if arguments.part != "traffic":
        false_alarms(shapes, seeds)
        detections(shapes, seeds)
    if arguments.part != "latency":
        steady(seeds, arguments.weeks)
        changed(seeds)


if __name__ == "__main__":
    main()
