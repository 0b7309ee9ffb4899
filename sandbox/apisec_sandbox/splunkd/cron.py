"""Cron schedules: five fields, as savedsearches.conf takes them (minute, hour, day, month, weekday; UTC).

Source: Alerting Manual, "Use cron expressions for alert scheduling": numbers, lists, ranges, steps; no names.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apisec_sandbox.errors import SandboxError

BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
NAMES = ("minute", "hour", "day of month", "month", "day of week")
SEARCH_DAYS = 366 * 5  # a schedule such as 29 February still finds its day


@dataclass(frozen=True)
class Cron:
    """Sets of the values that each field allows; ``any_day`` that neither day field restricts."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # 0 is Sunday
    day_open: bool
    weekday_open: bool

    def matches(self, when: datetime) -> bool:
        return when.minute in self.minutes and when.hour in self.hours and self.on(when)

    def on(self, when: datetime) -> bool:
        """Whether the day fits: when both day fields are restricted, either may match (cron's rule)."""
        if when.month not in self.months:
            return False
        day, weekday = when.day in self.days, when.isoweekday() % 7 in self.weekdays
        if not self.day_open and not self.weekday_open:
            return day or weekday
        return day and weekday

    def next(self, after: float) -> float:
        """Return the first time later than ``after``, as an epoch.

        Raises:
            SandboxError: the schedule never fires.
        """
        start = datetime.fromtimestamp(after, UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        day = start.replace(hour=0, minute=0)
        for offset in range(SEARCH_DAYS):
            current = day + timedelta(days=offset)
            if not self.on(current):
                continue
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    found = current.replace(hour=hour, minute=minute)
                    if found >= start:
                        return found.timestamp()
        raise SandboxError("The cron schedule never fires")


@functools.lru_cache(maxsize=512)
def parse(text: str) -> Cron:
    """Parse ``*/5 * * * *``.

    Raises:
        SandboxError: it names the field that is wrong.
    """
    parts = text.split()
    if len(parts) != len(BOUNDS):
        raise SandboxError(f"Invalid cron_schedule {text!r}: five fields are needed, as in */5 * * * *")
    sets = [_values(part, *bounds, name) for part, bounds, name in zip(parts, BOUNDS, NAMES, strict=True)]
    weekdays = frozenset(day % 7 for day in sets[4])
    return Cron(sets[0], sets[1], sets[2], sets[3], weekdays, parts[2] == "*", parts[4] == "*")


def _values(text: str, low: int, high: int, name: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        body, slash, step_text = part.partition("/")
        first, dash, last = body.partition("-")
        try:
            step = int(step_text) if slash else 1
            start = low if body == "*" else int(first)
            stop = high if body == "*" or (slash and not dash) else int(last) if dash else start
        except ValueError as error:
            raise SandboxError(f"Invalid cron_schedule: {part!r} is no {name}") from error
        if step < 1 or start < low or stop > high or start > stop:
            raise SandboxError(f"Invalid cron_schedule: {part!r} is out of range for the {name}, {low} to {high}")
        found.update(range(start, stop + 1, step))
    return frozenset(found)
