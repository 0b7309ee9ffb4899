"""Results of a job as pages and in Splunk's formats.

Source: REST API Reference, "search/v2/jobs/{search_id}/results" (output_mode: atom is not for results).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

from apisec_sandbox.spl import engine
from apisec_sandbox.spl.custom import MV_PREFIX
from apisec_sandbox.spl.engine import Outcome
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.values import Row, to_text
from apisec_sandbox.splunkd.atom import ILLEGAL_XML, JSON_TYPE
from apisec_sandbox.splunkd.runtime import Runtime
from apisec_sandbox.splunkd.web import HttpError

if TYPE_CHECKING:
    from apisec_sandbox.splunkd.job import Job

Messages = Sequence[dict[str, str]]
TEXT_TYPE, CSV_TYPE, XML_TYPE = "text/plain; charset=UTF-8", "text/csv; charset=UTF-8", "text/xml; charset=UTF-8"
EXPORT_BLOCK = 500  # rows of one <results> of an export


@dataclass(frozen=True)
class Window:
    """Which rows of a job a client wants; a negative offset counts from the end."""

    offset: int = 0
    count: int = 100
    search: str = ""
    fields: tuple[str, ...] = ()


def window_rows(job: Job, window: Window, services: Runtime) -> Page:
    """Return the rows of a page, after the post-process search when there is one."""
    outcome = job.outcome
    if window.search:
        outcome = post_process(job, window.search, services)
    start = window.offset if window.offset >= 0 else max(0, len(outcome.rows) + window.offset)
    rows = outcome.rows[start : start + window.count]
    header = chosen_columns(outcome.header, window.fields)
    return Page(Outcome(rows, header, outcome.events), start, len(outcome.rows) if window.search else None)


def chosen_columns(header: list[str], wanted: tuple[str, ...]) -> list[str]:
    """The columns that ``f`` names, which may hold ``*``; all without it."""
    return [name for name in header if any(fnmatchcase(name, pattern) for pattern in wanted)] if wanted else header


@dataclass(frozen=True)
class Page:
    """Rows to show. ``processed`` is how many a post-process search left, None without one."""

    outcome: Outcome
    offset: int = 0
    processed: int | None = None


def post_process(job: Job, search: str, services: Runtime) -> Outcome:
    """Run more commands over the finished rows."""
    from apisec_sandbox.spl.commands.base import Command
    from apisec_sandbox.spl.context import Stage, header_of

    text = search.strip()
    compiler = engine.Compiler(services, job.context)
    commands: list[Command] = compiler.compile_continuation(text)
    stage = Stage([dict(row) for row in job.outcome.rows], list(job.outcome.header), job.outcome.events)
    try:
        for command in commands:
            stage = command.apply(stage, job.context)
        rows = list(stage.rows)
    except SplError as error:
        raise HttpError(400, str(error), "FATAL") from error
    return Outcome(rows, header_of(stage, rows), stage.events)


# Formats


@dataclass(frozen=True)
class Shown:
    """What a format shows besides the rows."""

    page: Page
    messages: Messages = ()
    preview: bool = False

    @property
    def rows(self) -> list[Row]:
        return self.page.outcome.rows

    @property
    def header(self) -> list[str]:
        return self.page.outcome.header

    def head(self) -> dict[str, Any]:
        """The keys that every JSON format begins with."""
        processed = self.page.processed
        more = {} if processed is None else {"post_process_count": processed}
        return {"preview": self.preview, "init_offset": self.page.offset, **more, "messages": list(self.messages)}


def _dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def _json_value(value: Any) -> Any:
    return [to_text(item) for item in value] if isinstance(value, list) else to_text(value)


def _json_row(row: Row, header: list[str]) -> dict[str, Any]:
    return {name: _json_value(row[name]) for name in header if row.get(name) is not None}


def as_json(shown: Shown) -> bytes:
    """``output_mode=json``: values are texts, multivalues lists of texts."""
    fields = [{"name": name} for name in shown.header]
    results = [_json_row(row, shown.header) for row in shown.rows]
    return _dump({**shown.head(), "fields": fields, "results": results, "highlighted": {}})


def _cell(row: Row, name: str) -> Any:
    value = row.get(name)
    return None if value is None else _json_value(value)


def as_json_columns(shown: Shown) -> bytes:
    columns = [[_cell(row, name) for row in shown.rows] for name in shown.header]
    return _dump({**shown.head(), "fields": shown.header, "columns": columns})


def as_json_rows(shown: Shown) -> bytes:
    rows = [[_cell(row, name) for name in shown.header] for row in shown.rows]
    return _dump({**shown.head(), "fields": shown.header, "rows": rows})


def as_csv(shown: Shown) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    if shown.header:
        writer.writerow(shown.header)
    for row in shown.rows:
        writer.writerow([to_text(row[name]) if row.get(name) is not None else "" for name in shown.header])
    return text.getvalue().encode("utf-8", "replace")


def as_raw(shown: Shown) -> bytes:
    """The events' own text, one below the other."""
    lines = [to_text(row["_raw"]) for row in shown.rows if row.get("_raw") is not None]
    return "".join(line + "\n" for line in lines).encode("utf-8", "replace")


def _xml_text(value: Any) -> str:
    return escape(to_text(value).translate(ILLEGAL_XML))


def as_xml(shown: Shown) -> bytes:
    fields = "".join(f"<field>{_xml_text(name)}</field>\n" for name in shown.header)
    messages = "".join(f"<msg type={quoteattr(m['type'])}>{_xml_text(m['text'])}</msg>\n" for m in shown.messages)
    head = (
        f"<?xml version='1.0' encoding='UTF-8'?>\n<results preview='{int(shown.preview)}'>\n"
        f"<meta>\n<fieldOrder>\n{fields}</fieldOrder>\n</meta>\n<messages>\n{messages}</messages>\n"
    )
    rows = (_xml_row(row, shown.header, number) for number, row in enumerate(shown.rows, shown.page.offset))
    return (head + "".join(rows) + "</results>\n").encode("utf-8", "replace")


def _xml_row(row: Row, header: list[str], number: int) -> str:
    parts = [f"<result offset='{number}'>\n"]
    for name in header:
        value = row.get(name)
        if value is None or name.startswith(MV_PREFIX):
            continue
        if name == "_raw":
            parts.append(f"<field k='_raw'><v xml:space='preserve' trunc='0'>{_xml_text(value)}</v></field>\n")
            continue
        values = value if isinstance(value, list) else [value]
        inner = "".join(f"<value><text>{_xml_text(item)}</text></value>" for item in values)
        parts.append(f"<field k={quoteattr(name.translate(ILLEGAL_XML))}>{inner}</field>\n")
    return "".join(parts) + "</result>\n"


FORMATS: dict[str, tuple[Callable[[Shown], bytes], str]] = {
    "xml": (as_xml, XML_TYPE),
    "json": (as_json, JSON_TYPE),
    "json_rows": (as_json_rows, JSON_TYPE),
    "json_cols": (as_json_columns, JSON_TYPE),
    "csv": (as_csv, CSV_TYPE),
    "raw": (as_raw, TEXT_TYPE),
}


def known_format(mode: str) -> str:
    """Return the mode.

    Raises:
        HttpError: no results come in it.
    """
    if mode not in FORMATS:
        raise HttpError(400, f"output_mode {mode!r} is not supported; known: {', '.join(FORMATS)}")
    return mode


# Export: results as they are found. Source: REST API Reference, "search/v2/jobs/export".


@dataclass(frozen=True)
class Found:
    """Rows of a running search, and its columns as far as they are known when a block is written."""

    rows: Iterable[Row]
    header: Callable[[list[Row]], list[str]]
    messages: Callable[[], Messages]


def export(found: Found, mode: str) -> Iterator[bytes]:
    """The body of an export in pieces."""
    if mode == "json":
        return _export_json(found)
    if mode in ("xml", "raw"):
        return _export_blocks(found, FORMATS[mode][0])
    return _export_whole(found, FORMATS[mode][0])


def _export_json(found: Found) -> Iterator[bytes]:
    """One object a line; the last one says so."""
    held: Row | None = None
    offset = 0
    for row in found.rows:
        if held is not None:
            yield _line({"preview": False, "offset": offset, "result": _json_row(held, found.header([held]))})
            offset += 1
        held = row
    if messages := found.messages():
        yield _line({"preview": False, "messages": list(messages)})
    if held is None:
        yield _line({"preview": False, "lastrow": True})
    else:
        result = _json_row(held, found.header([held]))
        yield _line({"preview": False, "offset": offset, "lastrow": True, "result": result})


def _line(value: object) -> bytes:
    return _dump(value) + b"\n"


def _export_blocks(found: Found, write: Callable[[Shown], bytes]) -> Iterator[bytes]:
    rows, offset = iter(found.rows), 0
    while True:
        block = list(islice(rows, EXPORT_BLOCK))
        if not block and offset:
            return
        last = len(block) < EXPORT_BLOCK
        page = Page(Outcome(block, found.header(block)), offset)
        yield write(Shown(page, found.messages() if last else ()))
        if last:
            return
        offset += len(block)


def _export_whole(found: Found, write: Callable[[Shown], bytes]) -> Iterator[bytes]:
    """Formats that name their columns first."""
    rows = list(found.rows)
    yield write(Shown(Page(Outcome(rows, found.header(rows))), found.messages()))
