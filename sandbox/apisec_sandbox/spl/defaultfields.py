"""Default fields that follow from the time and the text of an event.

Source: Knowledge Manager Manual, "Use default fields": linecount, punct, and the date_* fields. They are made where a
search names them; the day is that of the stand-in's clock, UTC.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from apisec_sandbox.spl.timeformats import moment
from apisec_sandbox.spl.values import Row, to_number, to_text

PUNCT = 30  # characters of punctuation that are kept
WORDS = re.compile(r"[^\W_]+")
DATES: dict[str, Callable[[datetime], str]] = {
    "date_hour": lambda when: str(when.hour),
    "date_mday": lambda when: str(when.day),
    "date_minute": lambda when: str(when.minute),
    "date_month": lambda when: when.strftime("%B").lower(),
    "date_second": lambda when: str(when.second),
    "date_wday": lambda when: when.strftime("%A").lower(),
    "date_year": lambda when: str(when.year),
    "date_zone": lambda _when: "0",
}
DEFAULT_FIELDS = frozenset((*DATES, "linecount", "punct"))


def punct(raw: str) -> str:
    """The punctuation of the first line, white space as underscores."""
    return WORDS.sub("", raw.partition("\n")[0][:2000]).replace(" ", "_").replace("\t", "t")[:PUNCT]


def add_default_fields(row: Row, names: frozenset[str]) -> None:
    """Add those of ``names`` that are not there."""
    when = to_number(row.get("_time"))
    for name in names:
        if name in row:
            continue
        if name == "linecount":
            row[name] = str(to_text(row["_raw"]).rstrip("\n").count("\n") + 1)
        elif name == "punct":
            row[name] = punct(to_text(row["_raw"]))
        elif when is not None:
            row[name] = DATES[name](moment(when))
