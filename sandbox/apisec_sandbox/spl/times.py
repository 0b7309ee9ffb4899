"""Time: modifiers (``-1h@h``), spans and buckets. The stand-in's clock is UTC throughout.

Source: Search Manual, "Specify time modifiers in your search"; Search Reference, "Time modifiers".
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta

from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.timeformats import iso, moment, strftime, strptime

__all__ = ["floor_time", "moment", "next_bucket", "parse_span", "resolve", "strftime", "strptime"]

UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("w", "week", "weeks"), "w"),
    **dict.fromkeys(("mon", "month", "months"), "mon"),
    **dict.fromkeys(("q", "qtr", "qtrs", "quarter", "quarters"), "q"),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), "y"),
}
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
STEP = re.compile(r"([+-])(\d{0,9})([a-z]+)|@(w[0-7]|[a-z]+)", re.IGNORECASE)
RELATIVE_TO = re.compile(r"now(?:\(\))?|rt")
EPOCH_TIME = re.compile(r"-?\d{1,15}(?:\.\d+)?\Z")
SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)\Z")
SUBSECONDS = {"us": 1e-6, "ms": 1e-3, "cs": 1e-2, "ds": 1e-1}
ABSOLUTE = "%m/%d/%Y:%H:%M:%S"  # limits.conf knows no other; timeformat= names one
ABSOLUTE_TIME = re.compile(r"\d{1,2}/\d{1,2}/\d{4}:\d{1,2}:\d{1,2}:\d{1,2}\Z")


def resolve(text: str, now: float, layout: str = "") -> float:
    """Return the epoch time of ``now``, ``-15m@m``, ``1700000000``, ``@d+3h`` or an absolute time.

    ``layout`` is ``timeformat``: how an absolute time is written.

    Raises:
        SplError: the modifier is malformed.
    """
    text = text.strip()
    if text in ("", "now", "now()", "rt"):
        return now
    if layout:
        absolute = strptime(text, layout, now)
        if absolute is not None:
            return absolute
    if EPOCH_TIME.match(text):
        return float(text)
    if text[0].isdigit():
        found = strptime(text, ABSOLUTE, now) if ABSOLUTE_TIME.match(text) else iso(text)
        if found is not None:
            return found
    return _relative(text, now)


def _relative(text: str, now: float) -> float:
    prefix = RELATIVE_TO.match(text)
    position = prefix.end() if prefix else 0
    current = now
    while position < len(text):
        match = STEP.match(text, position)
        if not match:
            raise SplError(f"Invalid value {text!r} for time term: expected for instance -15m@m, @d or an epoch time")
        sign, count, unit, snap = match.groups()
        current = _snap(current, snap) if snap else _shift(current, sign, count, unit)
        position = match.end()
    return current


def _unit(name: str) -> str:
    unit = UNITS.get(name.lower())
    if unit is None:
        raise SplError(f"Unknown time unit {name!r}; known: s m h d w mon q y")
    return unit


def _shift(epoch: float, sign: str, count: str, name: str) -> float:
    amount = int(count or 1) * (-1 if sign == "-" else 1)
    unit = _unit(name)
    try:
        if unit in SECONDS:
            return epoch + amount * SECONDS[unit]
        months = amount * {"mon": 1, "q": 3, "y": 12}[unit]
        return add_months(moment(epoch), months).timestamp()
    except (OverflowError, ValueError) as error:
        raise SplError(f"Time modifier {sign}{count}{name} leaves the range of dates") from error


def add_months(when: datetime, months: int) -> datetime:
    """The same day some months on; the last day of the month where that day does not exist."""
    total = when.year * 12 + when.month - 1 + months
    year, month = divmod(total, 12)
    day = min(when.day, calendar.monthrange(year, month + 1)[1])
    return when.replace(year=year, month=month + 1, day=day)


def _snap(epoch: float, name: str) -> float:
    when = moment(epoch).replace(microsecond=0)
    if re.fullmatch(r"[wW][0-7]", name):  # @w0 is Sunday, @w7 too
        midnight = when.replace(hour=0, minute=0, second=0)
        back = (midnight.isoweekday() - int(name[1])) % 7
        return (midnight - timedelta(days=back)).timestamp()
    unit = _unit(name)
    if unit == "s":
        return when.timestamp()
    if unit == "m":
        return when.replace(second=0).timestamp()
    if unit == "h":
        return when.replace(minute=0, second=0).timestamp()
    midnight = when.replace(hour=0, minute=0, second=0)
    if unit == "w":  # weeks start on Sunday
        return (midnight - timedelta(days=midnight.isoweekday() % 7)).timestamp()
    if unit == "d":
        return midnight.timestamp()
    month = {"mon": when.month, "q": (when.month - 1) // 3 * 3 + 1, "y": 1}[unit]
    return midnight.replace(month=month, day=1).timestamp()


def parse_span(text: str) -> tuple[float, str]:
    """Return a span as (amount, unit): seconds for all units but months, quarters and years.

    Raises:
        SplError: it is no span.
    """
    match = SPAN.match(text.strip().lower())
    if not match or float(match[1]) <= 0:
        raise SplError(f"Invalid span {text!r}: expected for instance 5m, 1h or 1d")
    amount, name = float(match[1]), match[2]
    if name in SUBSECONDS:
        return amount * SUBSECONDS[name], "s"
    unit = _unit(name) if name else "s"
    if unit in SECONDS:
        return amount * SECONDS[unit], "s"
    return amount * {"mon": 1, "q": 3, "y": 12}[unit], "mon"


def floor_time(epoch: float, amount: float, unit: str) -> float:
    """Return the start of the bucket that holds ``epoch``."""
    if unit == "s":
        start = epoch // amount * amount
        return int(start) if start == int(start) else start
    when = moment(epoch)
    months = int((when.year * 12 + when.month - 1) // amount * amount)
    return int(datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC).timestamp())


def next_bucket(start: float, amount: float, unit: str) -> float:
    if unit == "s":
        return start + (int(amount) if amount == int(amount) else amount)
    return int(add_months(moment(start), int(amount)).timestamp())
