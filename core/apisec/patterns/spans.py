"""Times in documents: RFC 3339 instants and Sigma's timespans. Pure: no clock."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from apisec.errors import PatternError

_INSTANT = re.compile(r"\A\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)\Z")  # RFC 3339 5.6
_SPAN = re.compile(r"\A([1-9][0-9]{0,6})([smhd])\Z")  # Sigma correlation rules 2.0: number and letter
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def instant(text: object, where: str) -> float:
    """Return the seconds since the epoch of an RFC 3339 time; raise PatternError for anything else."""
    if not isinstance(text, str) or not _INSTANT.match(text):
        raise PatternError(f"{text!r} is not an RFC 3339 time such as 2026-11-30T12:00:00Z", where=where)
    head, fraction, zone = re.split(r"(\.\d+)?([Zz]|[+-]\d\d:\d\d)\Z", text)[:3]
    offset = "+00:00" if zone in "Zz" else zone
    try:
        seconds = datetime.fromisoformat(head.replace(" ", "T").replace("t", "T") + offset).timestamp()
    except ValueError as error:
        raise PatternError(f"{text!r} is not a time: {error}", where=where) from None
    return seconds + float(fraction or 0)


def rfc3339(seconds: float) -> str:
    """Return the instant in UTC, to the second."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def timespan(text: object, where: str, longest: float) -> float:
    """Return the seconds of a Sigma timespan (``90s``, ``10m``, ``1h``, ``1d``), at most ``longest``."""
    found = _SPAN.match(text) if isinstance(text, str) else None
    if found is None:
        raise PatternError(f"{text!r} is not a timespan such as 90s, 10m, 1h or 1d", where=where)
    seconds = float(int(found.group(1)) * _SECONDS[found.group(2)])
    if seconds > longest:
        raise PatternError(f"{text} is longer than {longest / 3600:g} hours", where=where)
    return seconds
