"""Regressions of an operation are told once, with since when and which version came then."""

from __future__ import annotations

import random
from typing import Any, List

from apisec.endpoints.changes import speed
from apisec.endpoints.changes.found import Found, Span
from apisec.endpoints.changes.watch import Watch
from apisec.endpoints.inventory import OperationStats
from apisec.endpoints.inventory.timing import HOUR, HourStats

FIRST = 472_224


class Hours:
    """An operation by the hour: each has some requests around a latency, some of which fail."""

    def __init__(self) -> None:
        self.watch, self.stats, self.hour = Watch(), OperationStats(), FIRST
        self.chance = random.Random(5)

    def pass_by(self, hours: int, middle: float, failures: float = 0.0, count: int = 25, **more: Any) -> List[Found]:
        told = []
        for _ in range(hours):
            one = HourStats()
            for _ in range(count):
                status = 503 if self.chance.random() < failures else 200
                one.add(status, middle * self.chance.lognormvariate(0, 0.3))
            self.stats.timing.hours[self.hour] = one
            self.stats.timing.hours.pop(self.hour - 168, None)
            for version in more.values():
                self.stats.timing._version(version).add(self.hour * HOUR, "2xx", middle)
            self.hour += 1
            span = Span(self.hour * HOUR, (self.hour - 1) * HOUR, 5, 5, True, False, lambda *_: True)
            told += list(speed.regressions(self.watch, self.stats, span))
            self.watch = Watch.from_state(self.watch.to_state())
        return told


def test_a_slower_operation_is_told_once_until_it_is_much_worse() -> None:
    hours = Hours()
    assert hours.pass_by(200, 40, version="v1") == []
    [told] = hours.pass_by(30, 100, version="v2")
    assert (told.kind, told.details["version"], told.times) == ("latency_regression", "v2", 1)
    assert told.trial.since == (FIRST + 200) * HOUR
    assert 2 < told.details["ratio"] < 3.5
    assert told.severity == "medium"
    worse = hours.pass_by(40, 300, version="v2")
    assert [one.times for one in worse] == [2], "much worse, and a day later"


def test_failures_are_told_and_what_recovers_is_forgotten() -> None:
    hours = Hours()
    hours.pass_by(200, 40, failures=0.01)
    [told] = hours.pass_by(12, 40, failures=0.25)
    assert (told.kind, told.details["figure"]) == ("failure_regression", "share")
    assert told.details["value"] > 0.15 > told.details["value_before"]
    assert hours.pass_by(60, 40, failures=0.01) == []


def test_hours_with_few_requests_are_taken_together() -> None:
    hours = Hours()
    assert hours.pass_by(240, 40, count=3) == []
    [told] = hours.pass_by(48, 160, count=3)
    assert abs(told.trial.since / HOUR - FIRST - 240) <= 8
