"""What a window holds, each event once, by a search command that merges on the indexers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Dict, TypeVar

from ..commands.unique import DUPLICATES_FIELD, TOO_MANY
from ..connection import SearchError, search
from ..records import first
from .ledger import Window

LATENESS = "-30d"  # what waited longer in a forwarder's spool belongs to no window
SPL = (
    "search `apisec_transactions` | where _indextime>={start:.0f} AND _indextime<{end:.0f} "
    "{dedup}| fields _raw, _time | {command} output=state unique=true{duplicates}"
)
Found = TypeVar("Found")


def fetch_once(
    service: Any, span: Window, command: str, empty: Callable[[], Found], take: Callable[[Found, Dict[str, Any]], None]
) -> Found:
    """Return what ``take`` made of the command's records, from ``empty`` on. SearchError, splunklib's HTTPError.

    Ids that lie on more than one indexer are asked for again, so that each counts once; when they are very many, the
    search head has to see all events.
    """

    def run(dedup: str, duplicates: str) -> tuple[Found, str]:
        found, twice = empty(), ""
        spl = SPL.format(start=span.start, end=span.end, command=command, dedup=dedup, duplicates=duplicates)
        for record in search(service, spl, earliest=LATENESS, latest="now", index_window=span):
            twice = first(record.get(DUPLICATES_FIELD)) or twice
            take(found, record)
        return found, twice

    found, twice = run("", "")
    if twice == TOO_MANY:
        found, twice = run("| dedup id ", "")
    elif twice:
        found, twice = run("", f' duplicates="{twice}"')
    if twice:
        raise SearchError("events of the window were still arriving; the next run takes it again")
    return found
