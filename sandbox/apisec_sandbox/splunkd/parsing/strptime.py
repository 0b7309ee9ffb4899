"""TIME_FORMAT: strptime with Splunk's extensions, compiled to one pattern and a reader of its groups.

Source: props.conf.spec TIME_FORMAT; Search Reference, "Date and time format variables".
"""

from __future__ import annotations

import datetime
import functools
import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# Names that mean one zone wherever logs are written; any other needs TZ or TZ_ALIAS.
ZONES = {"UTC": 0, "GMT": 0, "Z": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6} | {
    "PST": -8,
    "PDT": -7,
    "CET": 1,
    "CEST": 2,
    "BST": 1,
    "WET": 0,
    "WEST": 1,
    "EET": 2,
    "EEST": 3,
    "MSK": 3,
    "IST": 5.5,
    "JST": 9,
    "AEST": 10,
    "AEDT": 11,
}
MONTH = r"(?P<month_name>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
DAY_NAME = r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?"
ZONE = r"(?P<zone>Z|[A-Z]{2,5}|[+-]\d{2}:?\d{2}(?::?\d{2})?)"
PIECES = {
    "Y": r"(?P<year>\d{4})",
    "y": r"(?P<short_year>\d{2})",
    "m": r"(?P<month>1[0-2]|0?[1-9])",
    "d": r"(?P<day>3[01]|[12]\d|0?[1-9])",
    "e": r" ?(?P<day>3[01]|[12]\d|0?[1-9])",
    "j": r"(?P<year_day>\d{1,3})",
    "H": r"(?P<hour>2[0-3]|[01]?\d)",
    "k": r" ?(?P<hour>2[0-3]|[01]?\d)",
    "I": r"(?P<hour12>1[0-2]|0?[1-9])",
    "l": r" ?(?P<hour12>1[0-2]|0?[1-9])",
    "M": r"(?P<minute>[0-5]?\d)",
    "S": r"(?P<second>6[01]|[0-5]?\d)",
    "p": r"(?P<half>[AaPp]\.?[Mm]\.?)",
    "b": MONTH,
    "h": MONTH,
    "B": MONTH,
    "a": DAY_NAME,
    "A": DAY_NAME,
    "Z": ZONE,
    "z": ZONE,
    ":z": ZONE,
    "::z": ZONE,
    "s": r"(?P<epoch>-?\d{1,11})",
    "N": r"(?P<fraction>\d{1,9})",
    "Q": r"(?P<fraction>\d{1,9})",
    "f": r"(?P<fraction>\d{1,9})",
    "w": r"[0-6]",
    "u": r"[1-7]",
    "n": r"\s+",
    "t": r"\s+",
    "%": "%",
}
WHOLE = {"T": "%H:%M:%S", "D": "%m/%d/%y", "F": "%Y-%m-%d", "R": "%H:%M", "r": "%I:%M:%S %p"} | {
    "c": "%a %b %e %H:%M:%S %Y",
    "x": "%m/%d/%Y",
    "X": "%H:%M:%S",
}
VARIABLE = re.compile(r"%(?P<digits>\d)?(?P<letter>:{0,2}[A-Za-z%])|(?P<space>\s+)|(?P<other>[^%\s]+|%)")


class FormatError(ValueError):
    """TIME_FORMAT has a variable that Splunk does not document."""


@dataclass(frozen=True)
class Clock:
    """What an incomplete time is completed with: now, and the zone of text that names none."""

    now: float
    zone: datetime.tzinfo = datetime.UTC


@functools.lru_cache(maxsize=512)
def compile_format(text: str) -> re.Pattern[str]:
    """Compile a TIME_FORMAT.

    Raises:
        FormatError: it names the unknown variable.
    """
    for letter, spelled in WHOLE.items():
        text = re.sub(rf"(?<!%)%{letter}", spelled, text)
    pieces: list[str] = []
    named: set[str] = set()
    for match in VARIABLE.finditer(text):
        if match["space"]:
            pieces.append(r"\s+")
        elif match["other"]:
            pieces.append(re.escape(match["other"]))
        else:
            pieces.append(_once(_piece(match["digits"], match["letter"]), named))
    return re.compile("".join(pieces), re.IGNORECASE)


def _piece(digits: str | None, letter: str) -> str:
    if digits and letter in ("N", "Q", "f"):
        return rf"(?P<fraction>\d{{1,{digits}}})" if digits == "9" else rf"(?P<fraction>\d{{{digits}}})"
    if letter not in PIECES or digits:
        raise FormatError(f"TIME_FORMAT: unknown variable %{digits or ''}{letter}")
    return PIECES[letter]


def _once(piece: str, named: set[str]) -> str:
    """A group may bear a name once: the second ``%Y`` of a format is matched and not read."""
    name = re.search(r"\(\?P<(\w+)>", piece)
    if name and name[1] in named:
        return re.sub(r"\?P<\w+>", "?:", piece)
    if name:
        named.add(name[1])
    return piece


def read(groups: Mapping[str, str | None], clock: Clock) -> float | None:
    """Seconds since the epoch of what the groups say; None when that is no moment."""
    fraction = float(f"0.{groups['fraction']}") if groups.get("fraction") else 0.0
    if groups.get("epoch"):
        return int(groups["epoch"] or 0) + fraction
    try:
        moment = _moment(groups, clock)
    except (ValueError, OverflowError):
        return None
    return moment.timestamp() + fraction


def _moment(groups: Mapping[str, str | None], clock: Clock) -> datetime.datetime:
    zone = _zone(groups.get("zone"), clock)
    now = datetime.datetime.fromtimestamp(clock.now, zone)
    year, known = _year(groups, now)
    month, day = _number(groups, "month", 0), _number(groups, "day", 0)
    if groups.get("month_name"):
        month = MONTHS.index((groups["month_name"] or "").lower()[:3]) + 1
    if groups.get("year_day"):
        first = datetime.datetime(year, 1, 1, tzinfo=zone)
        month, day = _date_of(first + datetime.timedelta(days=_number(groups, "year_day", 1) - 1))
    if not month and not day:
        month, day = now.month, now.day
    moment = datetime.datetime(
        year,
        month or now.month,
        day or 1,
        _hour(groups),
        _number(groups, "minute", 0),
        min(59, _number(groups, "second", 0)),
        tzinfo=zone,
    )
    # Without a year the moment is the last one that is not in the future.
    if not known and moment.timestamp() > clock.now + 2 * 86400:
        moment = moment.replace(year=year - 1)
    return moment


def _date_of(moment: datetime.datetime) -> tuple[int, int]:
    return moment.month, moment.day


def _number(groups: Mapping[str, str | None], name: str, default: int) -> int:
    text = groups.get(name)
    return int(text) if text else default


def _year(groups: Mapping[str, str | None], now: datetime.datetime) -> tuple[int, bool]:
    if groups.get("year"):
        return _number(groups, "year", 0), True
    if groups.get("short_year"):
        short = _number(groups, "short_year", 0)
        return (2000 if short < 69 else 1900) + short, True  # POSIX strptime %y
    return now.year, False


def _hour(groups: Mapping[str, str | None]) -> int:
    if groups.get("hour12"):
        afternoon = (groups.get("half") or "").lower().startswith("p")
        return _number(groups, "hour12", 0) % 12 + (12 if afternoon else 0)
    hour = _number(groups, "hour", 0)
    return hour + 12 if hour < 12 and (groups.get("half") or "").lower().startswith("p") else hour


def _zone(text: str | None, clock: Clock) -> datetime.tzinfo:
    if not text:
        return clock.zone
    if text[0] in "+-":
        digits = text[1:].replace(":", "")
        offset = datetime.timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]))
        return datetime.timezone(-offset if text[0] == "-" else offset)
    hours = ZONES.get(text)  # in capitals only: "est" may be a word
    return clock.zone if hours is None else datetime.timezone(datetime.timedelta(hours=hours))


@functools.lru_cache(maxsize=128)
def zone_of(name: str) -> datetime.tzinfo:
    """The zone that ``TZ`` names.

    Raises:
        FormatError: there is no such zone.
    """
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        hours = ZONES.get(name.upper())
        if hours is None:
            raise FormatError(f"TZ: unknown time zone {name!r}") from error
        return datetime.timezone(datetime.timedelta(hours=hours))
