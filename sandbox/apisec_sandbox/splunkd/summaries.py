"""Summary, timeline and log of a finished job.

Source: REST API Reference, "search/jobs/{search_id}/summary", "…/timeline", "…/search.log".
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from statistics import fmean, pstdev
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from apisec_sandbox.spl.values import Row, to_number, to_text
from apisec_sandbox.splunkd.atom import ILLEGAL_XML
from apisec_sandbox.splunkd.job import Job
from apisec_sandbox.splunkd.job_properties import iso

TOP = 10  # most frequent values shown; docs: summary, top_count
SPANS = (0.001, 1.0, 60.0, 3600.0, 86400.0, 2592000.0)  # seconds: what a bucket of a timeline can be


def summarize(job: Job, names: tuple[str, ...]) -> dict[str, Any]:
    """Statistics of each field over the events that the job holds."""
    rows = job.outcome.rows
    shown = [name for name in job.outcome.header if name in names or not names]
    return {
        "earliest_time": iso(job.context.earliest, 0.0),
        "latest_time": iso(job.context.latest, job.context.now),
        "duration": 0,
        "event_count": len(rows),
        "fields": {name: _field(rows, name) for name in shown},
    }


def _field(rows: list[Row], name: str) -> dict[str, Any]:
    held = [row[name] for row in rows if row.get(name) is not None]
    texts = [to_text(item) for value in held for item in (value if isinstance(value, list) else [value])]
    counted = Counter(texts)
    numbers = [float(number) for text in texts if (number := to_number(text)) is not None]
    found: dict[str, Any] = {
        "count": len(held),
        "nulls": len(rows) - len(held),
        "numeric_count": len(numbers),
        "distinct_count": len(counted),
        "is_exact": True,
        "modes": [{"value": text, "count": count, "is_exact": True} for text, count in counted.most_common(TOP)],
    }
    if numbers:
        found |= {"min": min(numbers), "max": max(numbers), "mean": fmean(numbers), "stdev": pstdev(numbers)}
    return found


def timeline(job: Job) -> dict[str, Any]:
    """Events in buckets of equal span, at most ``status_buckets`` of them; none were asked for without it."""
    times = sorted(float(when) for row in job.outcome.rows if (when := to_number(row.get("_time"))) is not None)
    limit = job.request.status_buckets
    if not limit or not job.outcome.events or not times:
        return {"event_count": 0, "cursor_time": 0, "is_done": job.done, "buckets": []}
    span = next((span for span in SPANS if (times[-1] - times[0]) / span + 1 <= limit), SPANS[-1])
    counted = Counter(int(when // span) for when in times)
    buckets = [_bucket(number * span, span, counted[number]) for number in sorted(counted)]
    return {"event_count": len(times), "cursor_time": times[0], "is_done": job.done, "buckets": buckets}


def _bucket(start: float, span: float, count: int) -> dict[str, Any]:
    return {
        "earliest_time": round(start, 3),
        "earliest_time_offset": 0,
        "latest_time_offset": 0,
        "duration": span,
        "available_count": count,
        "total_count": count,
        "is_finalized": True,
        "earliest_strftime": iso(start, 0.0),
    }


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return escape(str(value).translate(ILLEGAL_XML))


def summary_xml(held: dict[str, Any]) -> str:
    fields = "".join(_field_xml(name, field) for name, field in held["fields"].items())
    head = "".join(f" {name}={quoteattr(str(held[name]))}" for name in ("earliest_time", "latest_time", "duration"))
    return f"<summary{head} c='{held['event_count']}'>{fields}</summary>"


def _field_xml(name: str, field: dict[str, Any]) -> str:
    numbers = "".join(f"<{key}>{_text(field[key])}</{key}>" for key in ("mean", "min", "max", "stdev") if key in field)
    modes = "".join(
        f"<value c='{mode['count']}' exact='1'><text>{_text(mode['value'])}</text></value>" for mode in field["modes"]
    )
    return (
        f"<field k={quoteattr(name.translate(ILLEGAL_XML))} c='{field['count']}' nc='{field['numeric_count']}' "
        f"dc='{field['distinct_count']}' exact='1'>{numbers}<modes>{modes}</modes></field>"
    )


def timeline_xml(held: dict[str, Any]) -> str:
    buckets = "".join(
        f"<bucket c='{bucket['total_count']}' a='{bucket['available_count']}' t='{bucket['earliest_time']}' "
        f"d='{bucket['duration']}' f='1' etz='0' ltz='0'>{bucket['earliest_strftime']}</bucket>"
        for bucket in held["buckets"]
    )
    return f"<timeline c='{held['event_count']}' cursor='{held['cursor_time']}'>{buckets}</timeline>"


def search_log(job: Job) -> str:
    """What the search did, a line each, with the lines of splunkd's own form."""
    stamp = datetime.fromtimestamp(job.created, UTC).strftime("%m-%d-%Y %H:%M:%S.%f")[:-3] + " +0000"
    request = job.request
    lines = [
        f"{stamp} INFO  dispatchRunner - sid={job.sid} user={request.owner} app={request.app}",
        f"{stamp} INFO  SearchParser - PARSING: {' '.join(request.search.splitlines())}",
        f"{stamp} INFO  DispatchManager - state={job.shown_state} scanned={job.context.scanned} "
        f"results={len(job.outcome.rows)} seconds={job.duration:.3f}",
    ]
    lines += [f"{stamp} {item['type']:<5} SearchMessages - {item['text']}" for item in job.messages()]
    return "\n".join(lines) + "\n"
