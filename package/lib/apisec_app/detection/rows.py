"""The activity rows of a window of index time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Dict, List, Tuple

from apisec.activity import SLOT_SECONDS, Row

from ..commands.activity import DUPLICATES_FIELD, ROW_FIELD, TOO_MANY, row_of
from ..connection import SearchError, search
from ..records import first
from ..refresh.windows import Window

LATENESS = "-30d"  # what waited longer in a forwarder's spool is judged by nobody
SPL = (
    "search `apisec_transactions` | where _indextime>={start:.0f} AND _indextime<{end:.0f} "
    "{dedup}| fields _raw, _time | apisecactivity output=state unique=true{duplicates}"
)


def fetch(service: Any, span: Window) -> List[Row]:
    """Return what a window holds. Raises SearchError, DocumentError, and splunklib's HTTPError.

    Ids that lie on more than one indexer are asked for again, so that each counts once; when they are very many, the
    search head has to see all events.
    """
    rows, duplicates = _run(service, span, "", "")
    if duplicates == TOO_MANY:
        rows, duplicates = _run(service, span, "| dedup id ", "")
    elif duplicates:
        rows, duplicates = _run(service, span, "", f' duplicates="{duplicates}"')
    if duplicates:
        raise SearchError("events of the window were still arriving; the next run takes it again")
    return rows


def _run(service: Any, span: Window, dedup: str, duplicates: str) -> Tuple[List[Row], str]:
    rows: List[Row] = []
    twice = ""
    spl = SPL.format(start=span.start, end=span.end, dedup=dedup, duplicates=duplicates)
    for record in search(service, spl, earliest=LATENESS, latest="now", index_window=span):
        text = first(record.get(ROW_FIELD))
        twice = first(record.get(DUPLICATES_FIELD)) or twice
        if text:
            rows.append(row_of(text))
    return rows, twice


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
