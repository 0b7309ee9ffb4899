"""What an operation costs and when it is asked for: latency by version and status, counts and latency by hour."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Dict, List, Optional, Tuple

from apisec.baselines.sketches import QuantileSketch

HOUR = 3600.0
MAX_HOURS = 168  # the newest week by the hour
MAX_DAYS = 400  # and more than a year by the day
MAX_VERSIONS = 8
HOUR_ERROR = 0.05  # relative error of an hour's quantiles; a week of them has to stay small
OTHER_VERSION = "~other"

Row = Dict[str, Any]


def status_class(status: int) -> str:
    """Return ``2xx`` and the like; ``none`` when no response came."""
    return f"{status // 100}xx" if 100 <= status < 600 else "none"


class VersionStats:
    """One version of an operation: when it was seen, and its latency in milliseconds by class of status."""

    __slots__ = ("counts", "first_seen", "last_seen", "latency")

    def __init__(self) -> None:
        self.first_seen, self.last_seen = math.inf, -math.inf
        self.counts: Dict[str, int] = {}
        self.latency: Dict[str, QuantileSketch] = {}

    def add(self, time: float, status: str, latency: Optional[float]) -> None:
        if time < self.first_seen:
            self.first_seen = time
        if time > self.last_seen:
            self.last_seen = time
        self.counts[status] = self.counts.get(status, 0) + 1
        if latency is not None:
            sketch = self.latency.get(status)
            if sketch is None:
                sketch = self.latency[status] = QuantileSketch()
            sketch.add(latency)

    def merge(self, other: VersionStats) -> None:
        self.first_seen = min(self.first_seen, other.first_seen)
        self.last_seen = max(self.last_seen, other.last_seen)
        for status, times in other.counts.items():
            self.counts[status] = self.counts.get(status, 0) + times
        for status, sketch in other.latency.items():
            mine = self.latency.get(status)
            if mine is None:
                mine = self.latency[status] = QuantileSketch()
            mine.merge(sketch)

    @property
    def count(self) -> int:
        return sum(self.counts.values())

    @property
    def errors(self) -> int:
        """Answers of 500 and more, and requests without an answer: what the service itself did wrong."""
        return self.counts.get("5xx", 0) + self.counts.get("none", 0)

    def to_state(self) -> List[Any]:
        latency = {status: sketch.to_state() for status, sketch in sorted(self.latency.items())}
        return [self.first_seen, self.last_seen, self.counts, latency]

    @classmethod
    def from_state(cls, state: Any) -> VersionStats:
        stats = cls()
        first, last, counts, latency = state
        stats.first_seen, stats.last_seen = float(first), float(last)
        stats.counts = {str(status): int(times) for status, times in counts.items()}
        stats.latency = {str(status): QuantileSketch.from_state(sketch) for status, sketch in latency.items()}
        return stats


class HourStats:
    """One hour: requests, answers of 400 to 499, failures of the service, and latency in milliseconds."""

    __slots__ = ("count", "failures", "latency", "refusals")

    def __init__(self) -> None:
        self.count = self.refusals = self.failures = 0
        self.latency = QuantileSketch(HOUR_ERROR)

    def add(self, status: int, latency: Optional[float]) -> None:
        self.count += 1
        if 400 <= status < 500:
            self.refusals += 1
        elif status >= 500 or status <= 0:
            self.failures += 1
        if latency is not None:
            self.latency.add(latency)

    def merge(self, other: HourStats) -> None:
        self.count += other.count
        self.refusals += other.refusals
        self.failures += other.failures
        self.latency.merge(other.latency)

    def to_state(self) -> List[Any]:
        return [self.count, self.refusals, self.failures, self.latency.to_state()]

    @classmethod
    def from_state(cls, state: Any) -> HourStats:
        stats = cls()
        stats.count, stats.refusals, stats.failures = (int(n) for n in state[:3])
        stats.latency = QuantileSketch.from_state(state[3], HOUR_ERROR)
        return stats


class Timing:
    """Everything of an operation that has to do with time. The newest hours and days stay: merges agree on them."""

    __slots__ = ("days", "hours", "versions")

    def __init__(self) -> None:
        self.versions: Dict[str, VersionStats] = {}
        self.hours: Dict[int, HourStats] = {}  # by hours since the epoch
        self.days: Dict[int, List[int]] = {}  # by days since the epoch: requests, refusals, failures

    def add(self, time: float, status: int, version: str, latency: Optional[float]) -> None:
        self._version(version).add(time, status_class(status), latency)
        hour = int(time // HOUR)
        found = self.hours.get(hour)
        if found is None:
            found = self.hours[hour] = HourStats()
            _newest(self.hours, MAX_HOURS)
        found.add(status, latency)
        day = self.days.get(hour // 24)
        if day is None:
            day = self.days[hour // 24] = [0, 0, 0]
            _newest(self.days, MAX_DAYS)
        day[0] += 1
        if 400 <= status < 500:
            day[1] += 1
        elif status >= 500 or status <= 0:
            day[2] += 1

    def _version(self, version: str) -> VersionStats:
        found = self.versions.get(version)
        if found is None:
            if len(self.versions) >= MAX_VERSIONS:
                version = OTHER_VERSION
            found = self.versions.setdefault(version, VersionStats())
        return found

    def merge(self, other: Timing) -> None:
        for version in sorted(other.versions):
            self._version(version).merge(other.versions[version])
        for hour, stats in other.hours.items():
            self.hours.setdefault(hour, HourStats()).merge(stats)
        for day, counts in other.days.items():
            mine = self.days.setdefault(day, [0, 0, 0])
            for part in range(3):
                mine[part] += counts[part]
        _newest(self.hours, MAX_HOURS)
        _newest(self.days, MAX_DAYS)

    def latency(self) -> QuantileSketch:
        """Return the latency over all versions and statuses."""
        total = QuantileSketch()
        for stats in self.versions.values():
            for sketch in stats.latency.values():
                total.merge(sketch)
        return total

    def by_class(self) -> Dict[str, int]:
        """Return the number of answers by class of status."""
        counts: Dict[str, int] = {}
        for stats in self.versions.values():
            for status, times in stats.counts.items():
                counts[status] = counts.get(status, 0) + times
        return dict(sorted(counts.items()))

    def named_versions(self) -> Iterator[Tuple[str, VersionStats]]:
        """Yield the versions that have a name, in the order of their names."""
        return ((name, self.versions[name]) for name in sorted(self.versions) if name)

    def to_state(self) -> Dict[str, Any]:
        return {
            "versions": {name: stats.to_state() for name, stats in sorted(self.versions.items())},
            "hours": [[hour, *stats.to_state()] for hour, stats in sorted(self.hours.items())],
            "days": [[day, *counts] for day, counts in sorted(self.days.items())],
        }

    @classmethod
    def from_state(cls, state: Any) -> Timing:
        timing = cls()
        timing.versions = {str(name): VersionStats.from_state(one) for name, one in state["versions"].items()}
        timing.hours = {int(hour): HourStats.from_state(one) for hour, *one in state["hours"]}
        timing.days = {int(day): [int(n) for n in counts] for day, *counts in state["days"]}
        if any(len(counts) != 3 for counts in timing.days.values()):
            raise ValueError("a day has three counts")
        return timing


def _newest(kept: Dict[int, Any], limit: int) -> None:
    """Drop what lies ``limit`` and more before the newest: whatever the order of events, the same stays."""
    if len(kept) > 1:
        oldest = max(kept) - limit + 1
        for moment in [one for one in kept if one < oldest]:
            del kept[moment]
