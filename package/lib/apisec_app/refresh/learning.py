"""Step two of a refresh: learn flows and baselines anew from aggregated searches over the history."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Dict, List, NamedTuple

from apisec.baselines.learned import Baselines, learn_baselines
from apisec.sequences.flows import FlowModel, learn_flows

from ..connection import search
from ..kvstore import BASELINES, FLOWS, HABITS, Collection
from ..records import first, values

MAX_STEPS = 400_000  # rows that flows are learned from; a larger history is sampled by principal
RELEARN_SECONDS = 3600.0
_HEX_DIGITS = "0123456789abcdef"

COUNT_SPL = '| tstats count where `apisec_index` sourcetype="apisec:transaction" action=allowed'
STEPS_SPL = (
    "search `apisec_transactions` action=allowed {sample}| dedup id "
    "| fields _time, service, principal, principal_kind, session, operation, status, object_ids "
    "| table _time, service, principal, principal_kind, session, operation, status, object_ids"
)
HOURS_SPL = (
    "search `apisec_transactions` action=allowed | dedup id | bin _time span=1h "
    "| stats count AS requests, dc(object_ids) AS objects, count(eval(status>=400)) AS errors "
    "BY service, operation, principal, _time"
)


class Learned(NamedTuple):
    flows: FlowModel
    baselines: Baselines


def due(learned: float, now: float, first_seen: float, interval: float) -> bool:
    """Hourly; sooner while the history is young: whenever it has grown by a tenth."""
    if learned <= 0:
        return True
    history = max(0.0, learned - first_seen)
    return now - learned >= max(interval, min(RELEARN_SECONDS, history / 10))


def sample_clause(events: int) -> str:
    """Keep a share of the principals, by the last hex digit of their tokens, so that flows stay whole."""
    kept = max(1, min(16, 16 * MAX_STEPS // max(1, events)))
    return "" if kept == 16 else f'| where match(principal, "[{_HEX_DIGITS[:kept]}]~$") '


def learn(service: Any, hours: float) -> Learned:
    """Run the searches and learn; raises SearchError and splunklib's HTTPError."""

    def rows(spl: str) -> Iterator[Dict[str, Any]]:
        return search(service, spl, earliest=f"-{hours:.0f}h", latest="now")

    count = next((int(float(row["count"])) for row in rows(COUNT_SPL)), 0)
    flows = learn_flows(_steps(rows(STEPS_SPL.format(sample=sample_clause(count)))))
    return Learned(flows, learn_baselines(_hours(rows(HOURS_SPL))))


def _steps(rows: Iterable[Mapping[str, Any]]) -> Iterator[Dict[str, Any]]:
    names = ("service", "principal", "principal_kind", "session", "operation", "status")
    for row in rows:
        step: Dict[str, Any] = {name: first(row.get(name)) or "" for name in names}
        step["time"] = epoch(first(row.get("_time")))
        step["object_ids"] = values(row.get("object_ids"))
        yield step


def _hours(rows: Iterable[Mapping[str, Any]]) -> Iterator[Dict[str, Any]]:
    for row in rows:
        yield {**row, "time": epoch(first(row.get("_time")))}


def store(service: Any, learned: Learned, now: float) -> Dict[str, int]:
    """Replace what was learned before; returns the number of documents in each collection."""
    baselines = learned.baselines.to_documents()
    written = {
        FLOWS: [{**d, "updated": now} for d in learned.flows.to_documents()],
        BASELINES: [{**d, "updated": now} for d in baselines],
        HABITS: habits(baselines, now),
    }
    return {name: Collection(service, name).replace(documents) for name, documents in written.items()}


def habits(baselines: Iterable[Mapping[str, Any]], now: float) -> List[Dict[str, Any]]:
    """One document for each principal with a habit of its own, so that a lookup can find it."""
    return [
        {
            "_key": f"{d['service']}|{d['operation']}|{principal}",
            "service": d["service"],
            "operation": d["operation"],
            "principal": principal,
            "objects": objects,
            "requests": requests,
            "updated": now,
        }
        for d in baselines
        for principal, (objects, requests) in sorted(d["habits"].items())
    ]


def epoch(text: Any) -> float:
    """Seconds since the epoch, of a number or of Splunk's ISO form ``2026-11-21T01:24:01.000+00:00``."""
    try:
        return float(text)
    except (TypeError, ValueError):
        pass
    try:
        return datetime.datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return 0.0
