"""What a search prints: an aligned table, JSON, JSON lines, CSV or the raw events."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.spl.engine import Outcome
from apisec_sandbox.spl.times import strftime
from apisec_sandbox.spl.values import Row, to_text

HIDDEN = ("splunk_server", "linecount", "eventtype", "punct")  # of events, in the table
LEAST = 8  # characters that a column keeps when a terminal is too narrow
CUT = "…"


def shown(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "_time" and isinstance(value, int | float):
        return str(strftime(float(value), "%Y-%m-%d %H:%M:%S.%3N"))
    return to_text(value)


def columns_of(outcome: Outcome) -> list[str]:
    """Leave out the internal fields of events, but for the time and the text."""
    kept = [name for name in outcome.header if not name.startswith("_") or name in ("_time", "_raw", "_key")]
    return [name for name in kept if name not in HIDDEN] if outcome.events else kept


def write_table(outcome: Outcome, out: TextIO) -> None:
    """Align the columns; at a terminal, wide ones are cut so that a row fits into a line."""
    columns = columns_of(outcome)
    cells = [[shown(name, row.get(name)).split("\n") for name in columns] for row in outcome.rows]
    widths = [
        max([len(name), *(len(line) for row in cells for line in row[place])]) for place, name in enumerate(columns)
    ]
    if out.isatty():
        widths = fitted(widths, shutil.get_terminal_size().columns)
    _line(columns, widths, out)
    _line(["-" * width for width in widths], widths, out)
    for row in cells:
        for number in range(max(map(len, row), default=0)):
            _line([cell[number] if number < len(cell) else "" for cell in row], widths, out)


def fitted(widths: Sequence[int], room: int) -> list[int]:
    """Shorten the widest columns until all fit, each to no less than eight characters."""
    found = list(widths)
    free = room - 2 * (len(found) - 1)
    while sum(found) > free:
        widest = max(range(len(found)), key=found.__getitem__)
        if found[widest] <= LEAST:
            break
        second = max((width for place, width in enumerate(found) if place != widest), default=LEAST)
        found[widest] = max(LEAST, found[widest] - (sum(found) - free), min(second, found[widest] - 1))
    return found


def _line(texts: Sequence[str], widths: Sequence[int], out: TextIO) -> None:
    cut = (text if len(text) <= width else text[: width - 1] + CUT for text, width in zip(texts, widths, strict=True))
    out.write("  ".join(text.ljust(width) for text, width in zip(cut, widths, strict=True)).rstrip() + "\n")


def _json_row(row: Row, header: Iterable[str]) -> str:
    item = {name: _json(row[name]) for name in header if row.get(name) is not None}
    return json.dumps(item, ensure_ascii=False)


def _json(value: Any) -> Any:
    """Texts, as splunkd's JSON has them: a multivalue is an array of texts."""
    return [to_text(item) for item in value] if isinstance(value, list) else to_text(value)


def write_json(outcome: Outcome, out: TextIO) -> None:
    out.write("[")
    for place, row in enumerate(outcome.rows):
        out.write(("," if place else "") + "\n" + _json_row(row, outcome.header))
    out.write("\n]\n" if outcome.rows else "]\n")


def write_csv(outcome: Outcome, out: TextIO) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(outcome.header)
    for row in outcome.rows:
        writer.writerow([to_text(row[name]) if row.get(name) is not None else "" for name in outcome.header])


def stream_jsonl(rows: Iterable[Row], header: list[str] | None, out: TextIO) -> None:
    """One object a line, as the rows come."""
    for row in rows:
        out.write(_json_row(row, _ordered(row, header)) + "\n")


def stream_raw(rows: Iterable[Row], header: list[str] | None, out: TextIO) -> None:  # noqa: ARG001 - as stream_jsonl
    for row in rows:
        if row.get("_raw") is None:
            raise SandboxError("--output raw prints events, and this search makes rows without _raw")
        out.write(to_text(row["_raw"]) + "\n")


def _ordered(row: Row, header: list[str] | None) -> Iterable[str]:
    return row if header is None else [*header, *(name for name in row if name not in header)]


WRITERS = {"table": write_table, "json": write_json, "csv": write_csv}
STREAMS = {"jsonl": stream_jsonl, "raw": stream_raw}
