"""The properties of a search job as its entry shows them.

Source: REST API Reference, "search/jobs/{search_id}" (returned values).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from apisec_sandbox.spl import times

if TYPE_CHECKING:
    from apisec_sandbox.splunkd.job import Job

SERVER = "apisec-sandbox"
REPORTING = frozenset(("stats", "chart", "timechart", "top", "rare", "tstats", "table"))
INDEXED = ("index", "host", "source", "sourcetype")
WORD = re.compile(r'(?:[^\s()"]|"(?:[^"\\]|\\.)*")+')


def properties(job: Job) -> dict[str, Any]:
    """All documented keys, booleans and numbers as such."""
    return {**_what(job), **_state(job), **_counts(job), **_times(job), **_fixed()}


def _what(job: Job) -> dict[str, Any]:
    events, report = split_search(job.commands)
    return {
        "sid": job.sid,
        "search": job.request.search,
        "eventSearch": events,
        "reportSearch": report or None,
        "remoteSearch": events,
        "normalizedSearch": job.normalized,
        "optimizedSearch": job.normalized,
        "keywords": keywords(job.commands),
        "label": job.request.label,
        "delegate": "scheduler" if job.sid.startswith("scheduler__") else "",
        "provenance": "scheduler" if job.sid.startswith("scheduler__") else "UI:Search",
        "request": {"search": job.request.search, **job.request.given},
        "runtime": {"auto_cancel": str(int(job.request.auto_cancel)), "auto_pause": "0"},
        "statusBuckets": job.request.status_buckets,
        "priority": job.priority,
        "messages": job.messages(),
    }


def _state(job: Job) -> dict[str, Any]:
    return {
        "dispatchState": job.shown_state,
        "doneProgress": 1.0 if job.done else 0.0,
        "isDone": job.done,
        "isFailed": job.state == "FAILED",
        "isFinalized": job.finalizing,
        "isPaused": job.paused,
        "isPreviewEnabled": job.preview,
        "isEventsPreviewEnabled": False,
        "isSaved": job.saved,
        "isSavedSearch": bool(job.request.label),
        "isZombie": False,
    }


def _counts(job: Job) -> dict[str, Any]:
    outcome, scanned = job.outcome, job.context.scanned
    rows = len(outcome.rows)
    return {
        "eventCount": rows if outcome.events else scanned,
        "eventAvailableCount": rows if outcome.events else 0,
        "eventFieldCount": len(outcome.header) if outcome.events else 0,
        "eventIsStreaming": True,
        "eventIsTruncated": not outcome.events or outcome.truncated,
        "eventSorting": "desc" if outcome.events else "none",
        "scanCount": scanned,
        "resultCount": rows,
        "resultPreviewCount": rows,
        "resultIsStreaming": outcome.events,
        "dropCount": 0,
        "numPreviews": 0,
        "diskUsage": job.disk_usage(),
    }


def _times(job: Job) -> dict[str, Any]:
    context = job.context
    return {
        "earliestTime": iso(context.earliest, 0.0),
        "latestTime": iso(context.latest, context.now),
        "cursorTime": iso(0.0, 0.0),
        "runDuration": round(job.duration, 3),
        "ttl": int(job.ttl),
        "defaultTTL": 600,
        "defaultSaveTTL": 604800,
    }


def _fixed() -> dict[str, Any]:
    """What never changes here: one process, no peers, no real-time search."""
    return {
        "isBatchModeSearch": False,
        "isGoodSummarizationCandidate": False,
        "isRealTimeSearch": False,
        "isRemoteTimeline": False,
        "isTimeCursored": True,
        "is_prjob": False,
        "searchCanBeEventType": False,
        "searchTotalBucketsCount": 0,
        "searchTotalEliminatedBucketsCount": 0,
        "sampleRatio": "1",
        "sampleSeed": "0",
        "pid": "",
        "searchProviders": [SERVER],
        "performance": {},
        "fieldMetadataStatic": {},
        "fieldMetadataResults": {},
    }


def iso(epoch: float, otherwise: float) -> str:
    moment = otherwise if abs(epoch) == float("inf") else epoch
    return str(times.strftime(moment, "%Y-%m-%dT%H:%M:%S.%3N+00:00"))


def split_search(commands: list[dict[str, Any]]) -> tuple[str, str]:
    """eventSearch up to the first transforming command, reportSearch from it on."""
    texts = [f"{command['command']} {command['rawargs']}".strip() for command in commands]
    first = next((n for n, command in enumerate(commands) if command["command"] in REPORTING), len(commands))
    return " | ".join(texts[:first]), " | ".join(texts[first:])


def keywords(commands: list[dict[str, Any]]) -> str:
    """The words of the leading search, ``field::value`` where the field is indexed."""
    if not commands or commands[0]["command"] != "search":
        return ""
    found: set[str] = set()
    for word in WORD.findall(commands[0]["rawargs"]):
        name, equals, value = word.partition("=")
        if equals and name in INDEXED:
            found.add(f"{name}::" + value.strip('"'))
        elif not equals and word not in ("AND", "OR", "NOT", "*") and not set(word) & set("<>[]|"):
            found.add(word.strip('"').lower())
    return " ".join(sorted(found))
