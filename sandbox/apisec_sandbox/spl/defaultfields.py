"""Default fields that follow from the time and the text of an event.

Source: Knowledge Manager Manual, "Use default fields": linecount, punct, and the date_* fields; props.conf.spec, rename
(_sourcetype). They are made where a search names them, or a wildcard that covers them; the day is that of the
stand-in's clock, UTC. Where in the text the time stood (timestartpos, timeendpos) is not kept.
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
DEFAULT_FIELDS = frozenset((*DATES, "linecount", "punct", "_sourcetype"))
NOT_MADE = frozenset(("timestartpos", "timeendpos"))
NAME = re.compile(r"[\w*]+")
# A lone * is a list of fields behind these; elsewhere it is a term that matches everything, or a value.
EVERY_FIELD = re.compile(r"\|\s*(?:table|fields)\b(?!\s*-)[^|\[\]]*?(?<![\w*\"])\*(?![\w*\"])")


def named_in(text: str) -> frozenset[str]:
    """The default fields that a search names, by wildcards too."""
    words = frozenset(NAME.findall(text))
    named = words & (DEFAULT_FIELDS | NOT_MADE)
    patterns = [word.split("*") for word in words if "*" in word and word.strip("*")]
    every = EVERY_FIELD.search(text) is not None
    covered = (name for name in DEFAULT_FIELDS if name[0] != "_")
    return named.union(name for name in covered if every or any(_covers(parts, name) for parts in patterns))


def _covers(parts: list[str], name: str) -> bool:
    """Whether the name fits the parts around wildcards, case and all."""
    if not name.startswith(parts[0]):
        return False
    at = len(parts[0])
    for part in parts[1:-1]:
        at = name.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return len(name) - at >= len(parts[-1]) and name.endswith(parts[-1])


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
        elif name == "_sourcetype":
            row[name] = row["sourcetype"]
        elif when is not None:
            row[name] = DATES[name](moment(when))
