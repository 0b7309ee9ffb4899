"""What the replay reads from Splunk: transactions in the order of time, and who carries risk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Dict, Set

from ..connection import quoted, search
from ..records import event_of

# A replay holds a state per principal but no events; the bound keeps the action within its time.
MAX_EVENTS = 1_000_000
EVENTS_SPL = "search `apisec_transactions` service={service} | dedup id | sort {limit} _time | fields _time, _raw"
RISK_SPL = (
    "search `apisec_risk_index` risk_object=* | stats sum(risk_score) AS score BY risk_object "
    "| where score>={threshold:g}"
)


def events(service: Any, api: str, hours: float) -> Iterator[Dict[str, Any]]:
    """Transactions of one API service in the last ``hours``, oldest first."""
    spl = EVENTS_SPL.format(service=quoted(api), limit=MAX_EVENTS)
    for row in search(service, spl, earliest=f"-{hours * 3600:.0f}s", latest="now"):
        yield event_of(row)


def risky(service: Any, hours: float, threshold: float) -> Set[str]:
    """Principals whose risk reaches the threshold in the window, and who are therefore not held to be benign."""
    spl = RISK_SPL.format(threshold=threshold)
    rows = search(service, spl, earliest=f"-{hours * 3600:.0f}s", latest="now")
    return {str(row["risk_object"]) for row in rows if row.get("risk_object")}
