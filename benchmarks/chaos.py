"""Chaos: load through the forwarder while its processes, its HECs, its disk and its clock break, one after the other.

Sent ids must be acknowledged ids. ``--seconds 600`` is what the README's figure was measured with; a short run of the
same is a test.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.chaos import World

SETTLE_SECONDS = 60.0  # after the last fault: nothing has arrived for so long, and what is missing then is missing


@dataclass
class Result:
    """What came of a run. Seconds unless said otherwise."""

    sent: int = 0
    acknowledged: int = 0
    missing: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    duplicates: int = 0
    longest_lag: float = 0.0
    median_lag: float = 0.0
    settled_after: float = 0.0
    rotations: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    skipped: list[str] = field(default_factory=list)


Fault = tuple[str, Callable[[], object]]


def faults(world: World, unit: float) -> Iterator[Fault]:
    """Yield every kind of fault in turn, for ever; ``unit`` is about how long each lasts, in seconds."""
    draw = random.Random(world.random.random())
    while True:
        for collector in world.collectors:
            yield "kill -9 of a HEC", lambda one=collector: _kill_collector(one, draw.uniform(0.2, unit))  # type: ignore[misc]
            yield "503 storm", lambda one=collector: _fault(one, draw.uniform(0.2, unit), status=503, code=9)  # type: ignore[misc]
            yield "kill -9 of the forwarder", world.kill_one_process
            yield (
                "429 storm with Retry-After",
                lambda one=collector: _fault(one, draw.uniform(0.2, unit), status=429, code=27, retry_after="1"),  # type: ignore[misc]
            )
            yield "slow HEC", lambda one=collector: _fault(one, draw.uniform(0.2, unit), slow=2.0)  # type: ignore[misc]
            yield "answers lost", lambda one=collector: _fault(one, unit / 2, drop=True, take=10**6)  # type: ignore[misc]
            if world.can_step_the_clock:
                yield "clock stepped", lambda: world.step_clock(draw.choice((-7200, -90, 45, 3600, 86400)))
            yield "kill -9 of the forwarder", world.kill_one_process
            if world.mounted:
                yield "full disk", lambda: _fill(world, unit)
        yield "kill -9 of both HECs", lambda: _kill_both(world, unit)


def _kill_collector(collector: object, seconds: float) -> None:
    collector.kill()  # type: ignore[attr-defined]
    time.sleep(seconds)
    collector.start()  # type: ignore[attr-defined]


def _fault(collector: object, seconds: float, **fault: object) -> None:
    collector.fault(**fault)  # type: ignore[attr-defined]
    time.sleep(seconds)
    collector.fault()  # type: ignore[attr-defined]


def _fill(world: World, seconds: float) -> None:
    with world.full_disk():
        time.sleep(seconds)


def _kill_both(world: World, seconds: float) -> None:
    for one in world.collectors:
        one.kill()
    time.sleep(seconds)
    for one in world.collectors:
        one.start()


@contextmanager
def running(folder: Path, **how: Any) -> Iterator[World]:
    world = World(folder, index_seconds=0.3, **how)
    try:
        world.start()
        yield world
    finally:
        world.close()


def run(
    folder: Path,
    seconds: float,
    *,
    rate: float = 200.0,
    body_bytes: int = 2000,
    strategy: str = "failover",
    seed: int = 1,
    engine: str = "auto",
    say: Callable[[str], None] = lambda _: None,
) -> Result:
    """Break things for ``seconds``, then let everything heal and arrive; what is missing then is in the result."""
    result = Result()
    how = {"rate": rate, "body_bytes": body_bytes, "strategy": strategy, "seed": seed, "engine": engine}
    with running(folder, **how) as world:
        if not world.mounted:
            result.skipped.append("full disk (this user may not mount a tmpfs)")
        if not world.can_step_the_clock:
            result.skipped.append("clock steps (no C compiler)")
        begun = time.monotonic()
        for name, act in faults(world, unit=max(1.0, min(10.0, seconds / 25))):
            if time.monotonic() - begun > seconds:
                break
            say(f"{time.monotonic() - begun:6.1f} s  {name}")
            act()
            result.faults[name] += 1
            time.sleep(world.random.uniform(0.0, max(0.5, seconds / 150)))
        world.gateway.stop()
        result.settled_after = _settled(world)
        _judge(world, result)
    return result


def _settled(world: World) -> float:
    """Wait until everything has arrived, or nothing more arrives; return how long that took."""
    healed = changed = time.monotonic()
    seen = 0
    while time.monotonic() < changed + SETTLE_SECONDS:
        told = world.outcome().told.keys()
        if world.gateway.sent.keys() <= told:
            break
        if len(told) > seen:
            seen, changed = len(told), time.monotonic()
        time.sleep(0.5)
    return time.monotonic() - healed


def _judge(world: World, result: Result) -> None:
    outcome, sent = world.outcome(), world.gateway.sent
    result.sent, result.acknowledged = len(sent), len(outcome.told.keys() & sent.keys())
    result.missing = sorted(sent.keys() - outcome.told.keys())
    result.unknown = sorted(outcome.told.keys() - sent.keys())
    result.duplicates = sum(outcome.indexed.values()) - len(outcome.indexed)
    lags = sorted(outcome.told[one] - sent[one] for one in outcome.told.keys() & sent.keys())
    if lags:
        result.longest_lag, result.median_lag = lags[-1], lags[len(lags) // 2]
    result.rotations = world.gateway.reopened


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--rate", type=float, default=200.0, help="transactions a second")
    parser.add_argument("--body-bytes", type=int, default=2000)
    parser.add_argument("--strategy", choices=("failover", "balance"), default="failover")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=("auto", "native", "pure"), default="auto")
    parser.add_argument("--keep", type=Path, help="folder for logs and journals, kept")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started and mounted is undone
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        names = ("rate", "body_bytes", "strategy", "seed", "engine")
        result = run(folder, args.seconds, say=print, **{name: getattr(args, name) for name in names})
    print(f"sent {result.sent}, acknowledged {result.acknowledged}, missing {len(result.missing)}")
    print(f"duplicates {result.duplicates} ({100 * result.duplicates / max(1, result.sent):.2f} %), by the same ids")
    print(
        f"lag: median {result.median_lag:.2f} s, longest {result.longest_lag:.1f} s; log rotated {result.rotations} x"
    )
    print(f"all there {result.settled_after:.1f} s after the last fault")
    print("faults:", ", ".join(f"{count} x {name}" for name, count in sorted(result.faults.items())))
    for one in result.skipped:
        print("skipped:", one)
    print(json.dumps({"sent": result.sent, "missing": len(result.missing), "duplicates": result.duplicates}))
    return 1 if result.missing or result.unknown else 0


if __name__ == "__main__":
    sys.exit(main())
