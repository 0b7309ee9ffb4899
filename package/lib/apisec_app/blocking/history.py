"""What the replay reads from Splunk: transactions in the order of time, and who carries risk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Dict, Set

from apisec.abuse.campaigns import FINDING_SCORE

from ..connection import quoted, search
from ..records import event_of

# A replay holds a state per principal but no events; the bound keeps the action within its time.
MAX_EVENTS = 1_000_000
EVENTS_SPL = "search `apisec_transactions` service={service} | dedup id | sort {limit} _time | fields _time, _raw"
RISK_SPL = (
    "search `apisec_risk_index` risk_object=* | stats sum(risk_score) AS score BY risk_object "
    "| where score>={threshold:g}"
)
# A campaign is one finding, about whoever began it; the others who take part stand in its anomalies.
MEMBERS_SPL = (
    "search `apisec_anomalies` peak>={least:g} | where isnull(excepted) | fields members "
    "| mvexpand members | stats count BY members"
)


def events(service: Any, api: str, hours: float) -> Iterator[Dict[str, Any]]:
    """Transactions of one API service in the last ``hours``, oldest first."""
    spl = EVENTS_SPL.format(service=quoted(api), limit=MAX_EVENTS)
    for row in search(service, spl, earliest=f"-{hours * 3600:.0f}s", latest="now"):
        yield event_of(row)


def risky(service: Any, hours: float, threshold: float) -> Set[str]:
    """Principals whose risk reaches the threshold in the window, and who are therefore not held to be benign.

    So are the members of campaigns that became findings, unless an exception covers them.
    """
    found: Set[str] = set()
    searches = (
        ("risk_object", RISK_SPL.format(threshold=threshold)),
        ("members", MEMBERS_SPL.format(least=FINDING_SCORE)),
    )
    for name, spl in searches:
        rows = search(service, spl, earliest=f"-{hours * 3600:.0f}s", latest="now")
        found |= {str(row[name]) for row in rows if row.get(name)}
    return found
