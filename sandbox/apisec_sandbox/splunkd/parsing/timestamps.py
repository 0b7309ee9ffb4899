"""Where in an event its time stands: TIME_PREFIX, TIME_FORMAT, or recognition of the ordinary formats.

Source: Getting Data In, "How timestamp assignment works", "Configure timestamp recognition"; props.conf.spec,
"Timestamp extraction configuration". Formats are recognised wherever they stand in the first
MAX_TIMESTAMP_LOOKAHEAD characters; of several the first counts, and of those at one place the longest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from apisec_sandbox.splunkd.parsing.strptime import DAY_NAME, MONTH, ZONE, Clock, read

DAY_SECONDS = 86400
DATE = r"(?P<year>\d{4})(?P<dash>[-/.])(?P<month>1[0-2]|0?[1-9])(?P=dash)(?P<day>3[01]|[12]\d|0?[1-9])"
DAY = r"(?P<day>3[01]|[12]\d|0?[1-9])"
TIME = r"(?P<hour>2[0-3]|[01]?\d):(?P<minute>[0-5]\d)(?::(?P<second>6[01]|[0-5]\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
SECONDS = r"(?P<hour>2[0-3]|[01]?\d):(?P<minute>[0-5]\d):(?P<second>6[01]|[0-5]\d)(?:[.,](?P<fraction>\d{1,9}))?"
HALF = r"(?: ?(?P<half>[AaPp]\.?[Mm]\b\.?))?"
ZONED = rf"(?: ?{ZONE}(?![A-Za-z\d]))?"
BEFORE = r"(?<![\d.:/-])"
FORMATS = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        # ISO 8601, RFC 3339 and what looks like it; 2024-01-02 03:04:05,678 +0000; 2024/01/02 03:04
        (rf"{BEFORE}{DATE}(?:T|[ ,_:]{{1,2}}| at ){TIME}{ZONED}", 0),
        (r"(?<!\d)(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})T?(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})"
         rf"(?:[.,](?P<fraction>\d{{1,9}}))?(?!\d){ZONED}", 0),
        # Common and combined log format: 02/Jan/2024:03:04:05 +0000
        (rf"{BEFORE}{DAY}/{MONTH}/(?P<year>\d{{4}})[: ]{SECONDS}{ZONED}", re.IGNORECASE),
        # RFC 1123 and RFC 2822: Tue, 02 Jan 2024 03:04:05 GMT; also 02-Jan-2024 03:04:05
        (rf"{BEFORE}{DAY}[ -]{MONTH}[ -](?P<year>\d{{4}})[ :T]{{1,2}}{TIME}{HALF}{ZONED}", re.IGNORECASE),
        # asctime and Apache's error log: Tue Jan  2 03:04:05.678 2024
        (rf"\b{DAY_NAME},? {MONTH} {{1,2}}{DAY} {SECONDS}(?: (?P<zone>[A-Z]{{3,4}}))? (?P<year>\d{{4}})\b",
         re.IGNORECASE),
        # Jan 2, 2024 3:04:05 PM
        (rf"\b{MONTH} {{1,2}}{DAY},? (?P<year>\d{{4}}),? {TIME}{HALF}{ZONED}", re.IGNORECASE),
        # RFC 3164 syslog: Jan  2 03:04:05
        (rf"\b{MONTH} {{1,2}}{DAY} {SECONDS}{ZONED}", re.IGNORECASE),
        # 01/02/2024 03:04:05 PM: month first, as where no locale says otherwise
        (rf"{BEFORE}(?P<month>1[0-2]|0?[1-9])(?P<dash>[-/.]){DAY}(?P=dash)(?P<year>\d{{4}}|\d{{2}})[ ,T]{{1,2}}{TIME}"
         rf"{HALF}{ZONED}", 0),
        # Seconds since the epoch from 2001 on, with a fraction or with milli-, micro- or nanoseconds behind
        (r"(?:(?<=[\s#,\"'=(\[|{:])|\A)(?P<epoch>1\d{9})"
         r"(?:(?:\.(?=\d)|(?=(?:\d{3}|\d{6}|\d{9})(?!\d)))(?P<fraction>\d{1,9}))?(?![\d(:/-])", 0),
    )
)  # fmt: skip


@dataclass(frozen=True)
class TimeRules:
    """Settings of props.conf that concern time."""

    mode: str = "auto"  # DATETIME_CONFIG: auto, CURRENT or NONE
    prefix: Any = None  # a spl.pcre.Pattern
    format: re.Pattern[str] | None = None
    lookahead: int = 128
    days_ago: int = 2000
    days_hence: int = 2

    def find(self, text: str, clock: Clock) -> float | None:
        """The time that the event states, None when it states none that is plausible."""
        if self.mode != "auto":
            return None
        start = 0
        if self.prefix is not None:
            match = self.prefix.search(text)
            if match is None:
                return None
            start = match.end()
        window = text[start : start + self.lookahead] if self.lookahead >= 0 else text[start:]
        found = self._formatted(window, clock)
        if found is None:
            found = recognise(window, clock)
        return found if found is not None and self._plausible(found, clock.now) else None

    def _formatted(self, window: str, clock: Clock) -> float | None:
        if self.format is None:
            return None
        match = self.format.match(window.lstrip())
        return read(match.groupdict(), clock) if match else None

    def _plausible(self, found: float, now: float) -> bool:
        return now - self.days_ago * DAY_SECONDS <= found <= now + self.days_hence * DAY_SECONDS


def recognise(window: str, clock: Clock) -> float | None:
    """The first time of an ordinary format."""
    matches = [match for pattern in FORMATS if (match := pattern.search(window))]
    for match in sorted(matches, key=lambda match: (match.start(), match.start() - match.end())):
        found = read(_groups(match), clock)
        if found is not None:
            return found
    return None


def _groups(match: re.Match[str]) -> dict[str, str | None]:
    groups = match.groupdict()
    year = groups.get("year")
    if year and len(year) == 2:
        groups["year"], groups["short_year"] = None, year
    return groups
