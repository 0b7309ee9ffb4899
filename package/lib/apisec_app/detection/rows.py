"""The activity rows of a window of index time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Dict, List, Tuple

from apisec.activity import SLOT_SECONDS, Row

from ..commands.activity import ROW_FIELD, row_of
from ..records import first
from ..windows.ledger import Window
from ..windows.reading import fetch_once


def fetch(service: Any, span: Window) -> List[Row]:
    """Return what a window holds. Raises SearchError, DocumentError, and splunklib's HTTPError."""
    return fetch_once(service, span, "apisecactivity", list, _take)


def _take(rows: List[Row], record: Dict[str, Any]) -> None:
    text = first(record.get(ROW_FIELD))
    if text:
        rows.append(row_of(text))


def steps(rows: List[Row], span: Window) -> Iterator[Tuple[float, List[Row]]]:
    """Cut a window into steps of one slot: yields the end of each (seconds since the epoch) and its rows.

    A row goes into the first step that ends with its slot or later; what is later than the window, into the last one.
    Steps without rows are left out.
    """
    by_end: Dict[float, List[Row]] = {}
    for row in rows:
        ready = max(row.start + SLOT_SECONDS, span.start + SLOT_SECONDS)
        by_end.setdefault(min(ready, span.end), []).append(row)
    for end in sorted(by_end):
        yield end, sorted(by_end[end], key=lambda row: row.key)
