"""How often ordinary weeks exceed what is expected of them, at stated chances, beside mean + z sigma and p99 over 24 h.

python -m benchmarks.baselines                        # three weeks of four APIs, the first week only to learn from
python -m benchmarks.baselines --seed 12 --apps 8
python -m benchmarks.baselines --traffic FOLDER       # of ``apisec-sandbox campaigns``; attackers are left out
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apisec.baselines.counters import HORIZONS, SLOTS
from apisec.baselines.expectations import Expectations

LEVELS = (2, 3, 4, 5, 6)  # nominal chances: 1e-2 to 1e-6
Z = {2: 2.326, 3: 3.090, 4: 3.719, 5: 4.265, 6: 4.753}  # of a normal distribution
DAY = 288  # slots
LEARN_DAYS = 7  # before anything is measured
ONE_OFF = "migration"  # an hour in which one new principal does what nobody did before: rightly told
COUNTERS = ("requests", "failures", "objects", "bytes", "sensitive")
Key = tuple[str, ...]
Row = tuple[str, str, str, dict[str, int], str]  # service, operation, principal, counts, persona


def windows(folder: Path) -> Iterator[tuple[int, list[Row]]]:
    """Yield each slot's counts by service, operation and principal, without whoever attacks at any time."""
    people: dict[str, str] = {}
    attackers = set()
    with (folder / "labels.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            label = json.loads(line)
            people[label["id"]] = label["persona"] or ""
            if label["campaign"]:
                attackers.add(label["id"])
    bad = {(event["service"], event["principal"]) for event in _events(folder) if event["id"] in attackers}
    slot, rows = -1, dict[Key, tuple[Counter[str], set[str], str]]()
    for event in _events(folder):
        at = int(event["time"] // 300)
        if at != slot:
            if rows:
                yield slot, _rows(rows)
            slot, rows = at, {}
        if (event["service"], event["principal"]) not in bad:
            key = (event["service"], event["operation"], event["principal"])
            counts, objects, _ = rows.setdefault(key, (Counter(), set(), people[event["id"]]))
            counts["requests"] += 1
            counts["failures"] += int(event.get("status") or 0) >= 400
            counts["bytes"] += event.get("bytes_out") or 0
            counts["sensitive"] += sum(bool(one.get("classes")) for one in event.get("response_fields") or ())
            objects.update(event.get("object_ids") or ())
    if rows:
        yield slot, _rows(rows)


def _events(folder: Path) -> Iterator[dict[str, Any]]:
    with (folder / "events.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            if event.get("action") != "blocked":
                yield event


def _rows(rows: Mapping[Key, tuple[Counter[str], set[str], str]]) -> list[Row]:
    return [
        (service, operation, principal, {**counts, "objects": len(objects)}, persona)
        for (service, operation, principal), (counts, objects, persona) in sorted(rows.items())
    ]


class Trailing:
    """Sums of one key over the three horizons."""

    def __init__(self) -> None:
        self.past = [deque[tuple[int, Mapping[str, int]]]() for _ in HORIZONS]
        self.sums = [Counter[str]() for _ in HORIZONS]

    def add(self, slot: int, counts: Mapping[str, int]) -> None:
        for past, sums, name in zip(self.past, self.sums, HORIZONS, strict=True):
            past.append((slot, counts))
            sums.update(counts)
            while past[0][0] <= slot - SLOTS[name]:
                sums.subtract(past.popleft()[1])

    def now(self) -> dict[str, tuple[int, int, int]]:
        hour, day, week = self.sums
        return {name: (hour[name], day[name], count) for name, count in week.items() if count}


@dataclass
class Moments:
    """Running mean and deviation of one counter over one horizon: the first rival."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def exceeds(self, seen: float, z: float) -> bool:
        deviation = math.sqrt(self.squares / self.count) if self.count > 1 else math.inf
        return seen > self.mean + z * max(deviation, 1e-9)

    def add(self, seen: float) -> None:
        self.count += 1
        difference = seen - self.mean
        self.mean += difference / self.count
        self.squares += difference * (seen - self.mean)


@dataclass
class DayQuantile:
    """The 99th percentile over principal-hours of the last 24 hours, found anew every hour: the second rival."""

    hours: deque[tuple[int, dict[str, float]]] = field(default_factory=deque)
    limit: float = math.inf

    def exceeds(self, seen: float) -> bool:
        return seen > self.limit

    def add(self, slot: int, principal: str, seen: float) -> None:
        hour = slot // 12
        if not self.hours or self.hours[-1][0] != hour:
            while self.hours and self.hours[0][0] < hour - 24:
                self.hours.popleft()
            values = sorted(value for _, highest in self.hours for value in highest.values())
            self.limit = values[math.ceil(0.99 * len(values)) - 1] if values else math.inf
            self.hours.append((hour, {}))
        highest = self.hours[-1][1]
        highest[principal] = max(seen, highest.get(principal, 0.0))


class Tally:
    """Judgements and exceedances by method, scope, horizon and level."""

    def __init__(self) -> None:
        self.judged: Counter[tuple[str, str]] = Counter()  # scope, horizon
        self.over: Counter[tuple[str, str, str, int]] = Counter()  # method, scope, horizon, level
        self.who: Counter[tuple[str, str, str]] = Counter()  # persona and principal with p < 1e-5, and the counter

    def ratio(self, method: str, scope: str, horizon: str, level: int) -> str:
        judged = self.judged[(scope, horizon)]
        nominal = judged * 10.0**-level
        over = self.over[(method, scope, horizon, level)]
        return f"{over / nominal:8.2f}" if nominal >= 3 else f"{over:5d}/{nominal:.1f}"


class Run:
    """One pass over ordinary windows: judge, then learn, as the engine does."""

    def __init__(self) -> None:
        self.expectations = Expectations()
        self.trailing: dict[Key, Trailing] = defaultdict(Trailing)
        self.totals: dict[Key, Trailing] = defaultdict(Trailing)
        self.moments: dict[Key, Moments] = defaultdict(Moments)
        self.quantiles: dict[Key, DayQuantile] = defaultdict(DayQuantile)
        self.all, self.usual = Tally(), Tally()  # with and without the one-off
        self.asked = self.learned = 0
        self.asking = self.learning = 0.0

    def window(self, slot: int, rows: list[Row], measure: bool) -> None:
        places = self._count(slot, rows)
        totals = self._totals(slot, rows)
        if measure:
            started = time.process_time()
            for scope, key, persona in places:
                self._judge(scope, key, slot, persona)
            for scope, key in totals if slot % 12 == 11 else ():
                self._judge(scope, key, slot, "")
            self.asking += time.process_time() - started
            for scope, key, persona in places:
                self._rivals(scope, key, slot, persona)
        started = time.process_time()
        for scope, key, _ in places:
            trailing = self.trailing[key]
            self.expectations.learn_sums(scope, key, slot, trailing.now(), len(trailing.past[1]))
        for (scope, key), values in totals.items():
            self.expectations.learn_total(scope, key, slot, values)
        self.learning += time.process_time() - started
        self.learned += len(places)
        for _, key, _ in places:
            for counter, sums in self.trailing[key].now().items():
                self.moments[(*key[:-1], counter)].add(sums[0])
                self.quantiles[(*key[:-1], counter)].add(slot, key[-1], sums[0])

    def _count(self, slot: int, rows: list[Row]) -> list[tuple[str, Key, str]]:
        of_principal: dict[Key, tuple[Counter[str], str]] = {}
        places: list[tuple[str, Key, str]] = []
        for service, operation, principal, counts, persona in rows:
            self.trailing[(service, operation, principal)].add(slot, counts)
            places.append(("principal@operation", (service, operation, principal), persona))
            of_principal.setdefault((service, principal), (Counter(), persona))[0].update(counts)
        for key, (counts, persona) in of_principal.items():
            self.trailing[key].add(slot, counts)
            places.append(("principal", key, persona))
        return places

    def _totals(self, slot: int, rows: list[Row]) -> dict[tuple[str, Key], Counter[str]]:
        """Add up operations and services, each without its largest contributor."""
        parts: dict[tuple[str, Key], dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        for service, operation, principal, counts, _ in rows:
            parts[("operation", (service, operation))][principal].update(counts)
            parts[("service", (service,))][principal].update(counts)
        totals = {}
        for place, contributors in parts.items():
            total: Counter[str] = Counter()
            for counts in contributors.values():
                total.update(counts)
            for counter in COUNTERS:
                total[counter] -= max(counts[counter] for counts in contributors.values())
            totals[place] = total
            self.totals[(place[0], *place[1])].add(slot, total)
        return totals

    def _judge(self, scope: str, key: Key, slot: int, persona: str) -> None:
        total = scope in ("operation", "service")
        sums = (self.totals[(scope, *key)] if total else self.trailing[key]).now()
        tallies = (self.all,) if persona == ONE_OFF else (self.all, self.usual)
        for index, horizon in enumerate(HORIZONS):
            for counter in COUNTERS:
                seen = sums.get(counter, (0, 0, 0))[index]
                p = self.expectations.tail(counter, scope, key, horizon, slot, seen).p if seen > 0 else 1.0
                self.asked += seen > 0
                level = -math.log10(p)
                for tally in tallies:
                    tally.judged[(scope, horizon)] += 1
                    for nominal in LEVELS:
                        if level >= nominal:
                            tally.over[("apisec", scope, horizon, nominal)] += 1
                    if level >= 5 and not total:
                        tally.who[(persona, key[-1], f"{counter} {horizon}")] += 1

    def _rivals(self, scope: str, key: Key, slot: int, persona: str) -> None:
        tallies = (self.all,) if persona == ONE_OFF else (self.all, self.usual)
        for counter, sums in self.trailing[key].now().items():
            moments, quantile = self.moments[(*key[:-1], counter)], self.quantiles[(*key[:-1], counter)]
            for tally in tallies:
                tally.over[("p99 of 24 h", scope, "1h", 2)] += quantile.exceeds(sums[0])
                for level in LEVELS:
                    tally.over[("mean + z sigma", scope, "1h", level)] += moments.exceeds(sums[0], Z[level])

    def needed(self, slot: int) -> dict[str, float]:
        """Return how many requests in an hour an unknown principal needs to be told at 1e-5: medians over services."""
        found: dict[str, list[float]] = defaultdict(list)
        for service in {key[0] for key in self.trailing}:
            seen = 1
            while self.expectations.tail("requests", "principal", (service, "?"), "1h", slot, seen).p > 1e-5:
                seen += 1
            found["apisec"].append(seen)
            moments, quantile = self.moments[(service, "requests")], self.quantiles[(service, "requests")]
            found["mean + z sigma"].append(moments.mean + Z[5] * math.sqrt(moments.squares / moments.count))
            found["p99 of 24 h"].append(quantile.limit)
        return {method: statistics.median(values) for method, values in found.items()}


def report(run: Run, slot: int) -> None:
    for name, tally in (
        ("ordinary traffic without the one-off migrations", run.usual),
        ("all ordinary traffic", run.all),
    ):
        print(f"\n{name}: exceedances seen, as a multiple of the stated chance (few: seen/stated)")
        print(f"{'':44}{'judged':>10}" + "".join(f"{f'1e-{level}':>9}" for level in LEVELS))
        for scope, horizon in sorted(tally.judged, key=lambda place: (place[1] != "1h", place)):
            methods = ["apisec"]
            methods += ["mean + z sigma", "p99 of 24 h"] if horizon == "1h" and scope.startswith("principal") else []
            for method in methods:
                levels = LEVELS[:1] if method.startswith("p99") else LEVELS
                cells = "".join(f"{tally.ratio(method, scope, horizon, level):>9}" for level in levels)
                print(f"{scope:20} {horizon:3} {method:18} {tally.judged[(scope, horizon)]:10}{cells}")
    print("\nmost often below 1e-5:", *(f"\n  {times:5} {' '.join(one)}" for one, times in run.all.who.most_common(6)))
    print("\nrequests in an hour that an unknown principal needs to be told (1e-5), median of the services")
    for method, needed in run.needed(slot).items():
        print(f"  {method:18} {needed:8.0f}")
    documents = run.expectations.to_documents()
    sizes = [len(document["state"]) for document in documents]
    before, started = resident(), time.process_time()
    Expectations.from_documents(documents)
    print(
        f"\n{len(documents)} documents, {sum(sizes) / 1e6:.2f} MB, the largest {max(sizes) / 1e3:.0f} KB; read in"
        f" {time.process_time() - started:.2f} s into {(resident() - before) / 1e6:.0f} MB"
        f"\nlearn_sums: {run.learning / max(run.learned, 1) * 1e6:.0f} us a row (totals included), {run.learned} rows"
        f"\ntail: {run.asking / max(run.asked, 1) * 1e6:.1f} us, {run.asked} questions"
    )


def resident() -> int:
    """Return the memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traffic", type=Path, help="made traffic, instead of new one")
    parser.add_argument("--weeks", type=float, default=3.0)
    parser.add_argument("--apps", type=int, default=4)
    parser.add_argument("--seed", default="11")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as made:
        folder = options.traffic or Path(made)
        if not options.traffic:
            simulator = Path(sys.executable).with_name("apisec-sandbox")
            what = ["--weeks", str(options.weeks), "--apps", str(options.apps), "--seed", options.seed]
            subprocess.run(
                [simulator, "campaigns", "--output", made, "--families", "none", *what],
                check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        run, first, slot = Run(), -1, -1
        for slot, rows in windows(folder):
            first = slot if first < 0 else first
            run.window(slot, rows, slot - first >= LEARN_DAYS * DAY)
    report(run, slot)


if __name__ == "__main__":
    main()
