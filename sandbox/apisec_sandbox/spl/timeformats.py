"""strftime and strptime with Splunk's format variables. The stand-in's clock is UTC throughout.

Source: Search Reference, "Date and time format variables".
"""

from __future__ import annotations

import functools
import re
from calendar import day_abbr, day_name, month_abbr, month_name
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

DIRECTIVE = re.compile(r"%(?:(\d?)([NQ])|(:{0,3})z|[A-Za-z+%])")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MONTHS = {name.lower(): number for names in (month_abbr, month_name) for number, name in enumerate(names) if name}
# Names of zones that strptime knows, in hours; a name that it does not know does not fit (%Z).
ZONES = {
    name: float(hours)
    for name, _, hours in (
        part.partition("=")
        for part in (  # noqa: SIM905 - a table
            "utc=0 gmt=0 ut=0 z=0 wet=0 west=1 bst=1 cet=1 cest=2 eet=2 eest=3 msk=3 ist=5.5 sgt=8 hkt=8 awst=8 jst=9 "
            "kst=9 acst=9.5 aest=10 aedt=11 nzst=12 nzdt=13 est=-5 edt=-4 cst=-6 cdt=-5 mst=-7 mdt=-6 pst=-8 pdt=-7 "
            "akst=-9 hst=-10"
        ).split()
    )
}
COMPOUND = {
    "%F": "%Y-%m-%d",
    "%T": "%H:%M:%S",
    "%D": "%m/%d/%y",
    "%R": "%H:%M",
    "%r": "%I:%M:%S %p",
    "%c": "%a %b %d %H:%M:%S %Y",
    "%x": "%m/%d/%y",
    "%X": "%H:%M:%S",
    "%v": "%e-%b-%Y",
    "%+": "%a %b %e %H:%M:%S %Z %Y",
}
MAX_LAYOUT = 1024


def moment(epoch: float) -> datetime:
    """Return the time as a datetime; the epoch's range is that of year 1 to 9999."""
    return EPOCH + timedelta(seconds=epoch)


def strftime(epoch: float, layout: str) -> str | None:
    """Format an epoch time; None outside the range of dates."""
    try:
        when = moment(epoch)
    except (OverflowError, ValueError):
        return None
    return DIRECTIVE.sub(lambda match: _format(match, when), _spelled(layout))


@functools.lru_cache(maxsize=512)
def _spelled(layout: str) -> str:
    """Replace what stands for several variables; ``%%`` stays."""
    return re.sub(r"%[A-Za-z+%]", lambda match: COMPOUND.get(match[0], match[0]), layout)


def _seconds(when: datetime) -> int:
    return (when - EPOCH) // timedelta(seconds=1)


FORMATS: dict[str, Callable[[datetime], str]] = {
    "%s": lambda when: str(_seconds(when)),
    "%Z": lambda _when: "UTC",
    "%f": lambda when: f"{when.microsecond:06d}",
    "%k": lambda when: f"{when.hour:2d}",
    "%l": lambda when: f"{when.hour % 12 or 12:2d}",
    "%e": lambda when: f"{when.day:2d}",
    "%h": lambda when: month_abbr[when.month],
    "%C": lambda when: f"{when.year // 100:02d}",
    "%Y": lambda when: f"{when.year:04d}",
    "%n": lambda _when: "\n",
    "%t": lambda _when: "\t",
    "%%": lambda _when: "%",
    "%P": lambda when: when.strftime("%p").lower(),
}
STANDARD = frozenset(f"%{letter}" for letter in "aAbBdHIjmMpSUuVwWyGg")


def _format(match: re.Match[str], when: datetime) -> str:
    directive = match[0]
    if match[2]:  # fractions of a second: %N has nine digits, %Q three
        digits = int(match[1] or (9 if match[2] == "N" else 3))
        return f"{when.microsecond:06d}000"[:digits]
    if directive.endswith("z"):
        return {"%z": "+0000", "%:z": "+00:00", "%::z": "+00:00:00", "%:::z": "+00"}[directive]
    if directive in FORMATS:
        return FORMATS[directive](when)
    return when.strftime(directive) if directive in STANDARD else directive


# Reading

NAMES = "|".join(sorted((name for name in MONTHS), key=len, reverse=True))
DAYS = "|".join(sorted((name.lower() for names in (day_name, day_abbr) for name in names), key=len, reverse=True))
PARTS = {
    "Y": (r"\d{4}", "year"),
    "y": (r"\d{1,2}", "short_year"),
    "C": (r"\d{2}", "century"),
    "m": (r"\d{1,2}", "month"),
    **dict.fromkeys("bBh", (NAMES, "month_name")),
    **dict.fromkeys("de", (r"\d{1,2}", "day")),
    "j": (r"\d{1,3}", "day_of_year"),
    **dict.fromkeys("Hk", (r"\d{1,2}", "hour")),
    **dict.fromkeys("Il", (r"\d{1,2}", "hour12")),
    "M": (r"\d{1,2}", "minute"),
    "S": (r"\d{1,2}", "second"),
    "f": (r"\d{1,9}", "fraction"),
    **dict.fromkeys("pP", (r"[aApP]\.?[mM]\.?", "half")),
    "s": (r"-?\d{1,12}", "epoch"),
    "Z": (r"[A-Za-z]{1,5}", "zone_name"),
    **dict.fromkeys("aA", (DAYS, "")),
    **dict.fromkeys("UVWG", (r"\d{1,4}", "")),
    **dict.fromkeys("uw", (r"\d", "")),
    **dict.fromkeys("nt", (r"\s*", "")),
    "%": ("%", ""),
}
OFFSET = r"(?P<offset>Z|[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?)"
LIMITS = (
    ("month", 1, 12),
    ("day", 1, 31),
    ("hour", 0, 23),
    ("hour12", 1, 12),
    ("minute", 0, 59),
    ("second", 0, 61),
    ("day_of_year", 1, 366),
)


@functools.lru_cache(maxsize=512)
def _reader(layout: str) -> re.Pattern[str] | None:
    """A pattern for the layout; None when it holds a variable that cannot be read."""
    if len(layout) > MAX_LAYOUT:
        return None
    parts: list[str] = []
    named: set[str] = set()
    position, text = 0, _spelled(layout)
    for match in DIRECTIVE.finditer(text):
        parts.append(_literal(text[position : match.start()]))
        position = match.end()
        if match[2]:
            pattern, name = r"\d{1,9}", "fraction"
        elif match[0].endswith("z"):
            parts.append(f"(?:{OFFSET})" if "offset" not in named else r"\S+")
            named.add("offset")
            continue
        elif (letter := match[0][1]) in PARTS:
            pattern, name = PARTS[letter]
        else:
            return None
        parts.append(f"(?P<{name}>{pattern})" if name and name not in named else f"(?:{pattern})")
        named.add(name)
    parts.append(_literal(text[position:]))
    return re.compile(r"\s*" + "".join(parts), re.IGNORECASE)


def _literal(text: str) -> str:
    """White space stands for any amount of it, as in C."""
    return r"\s*".join(re.escape(part) for part in re.split(r"\s+", text))


def strptime(text: str, layout: str, now: float | None = None) -> float | None:
    """Return the epoch time of a text, None when it does not fit; a text with more behind the time still fits.

    Without a year it is this year, without any date today; a month without a day is no date.
    """
    pattern = _reader(layout)
    match = pattern.match(text) if pattern else None
    if match is None:
        return None
    held = {name: value for name, value in match.groupdict().items() if value is not None}
    fraction = float(f"0.{held['fraction']}") if "fraction" in held else 0.0
    if "epoch" in held:
        return int(held["epoch"]) + fraction
    today = datetime.now(UTC) if now is None else moment(now)
    try:
        whole = _assembled(held, today)
    except (ValueError, OverflowError):
        return None
    return None if whole is None else whole + fraction


def _assembled(held: dict[str, str], today: datetime) -> float | None:
    numbers = {name: int(value) for name, value in held.items() if value.isdigit() and name != "fraction"}
    if any(not low <= numbers.get(name, low) <= high for name, low, high in LIMITS):
        return None
    date = _date(held, numbers, today)
    if date is None:
        return None
    hour = numbers.get("hour", 0)
    if "hour12" in numbers:
        hour = numbers["hour12"] % 12 + (12 if held.get("half", "a")[0] in "pP" else 0)
    elif "half" in held and hour < 12 and held["half"][0] in "pP":
        hour += 12
    seconds = hour * 3600 + numbers.get("minute", 0) * 60 + numbers.get("second", 0)
    zone = _zone(held)
    return None if zone is None else (date - EPOCH).total_seconds() + seconds - zone


def _date(held: dict[str, str], numbers: dict[str, int], today: datetime) -> datetime | None:
    month = numbers.get("month") or MONTHS.get(held.get("month_name", "").lower())
    year = _year(numbers)
    if "day_of_year" in numbers:
        start = datetime(today.year if year is None else year, 1, 1, tzinfo=UTC)
        return start + timedelta(days=numbers["day_of_year"] - 1)
    if month is None and "day" not in numbers and year is None:
        return datetime(today.year, today.month, today.day, tzinfo=UTC)
    if month is None or "day" not in numbers:
        return None
    return datetime(today.year if year is None else year, month, numbers["day"], tzinfo=UTC)


def _year(numbers: dict[str, int]) -> int | None:
    if "year" in numbers:
        return numbers["year"]
    if "short_year" not in numbers:
        return None
    short = numbers["short_year"]
    if "century" in numbers:
        return numbers["century"] * 100 + short
    return short + (2000 if short < 69 else 1900)  # POSIX strptime


def _zone(held: dict[str, str]) -> float | None:
    """Seconds east of Greenwich."""
    if "zone_name" in held and "offset" not in held:
        hours = ZONES.get(held["zone_name"].lower())
        return None if hours is None else hours * 3600
    offset = held.get("offset", "Z")
    if offset in "Zz":
        return 0
    digits = offset[1:].replace(":", "").ljust(6, "0")
    seconds = int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + int(digits[4:6])
    return -seconds if offset[0] == "-" else seconds


def iso(text: str) -> float | None:
    """An ISO 8601 time with or without a zone."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return aware.timestamp()
