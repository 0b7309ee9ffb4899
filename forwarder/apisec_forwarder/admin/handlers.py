"""The handlers of the admin API. Each takes a Context and a Call, and returns a Reply or raises an ApisecError."""

from __future__ import annotations

from typing import Any

from apisec.errors import PatternError, did_you_mean
from apisec.http.table import Operation
from apisec.patterns import spans
from apisec_forwarder import __version__
from apisec_forwarder import status as statuses
from apisec_forwarder.admin import bundles, documents
from apisec_forwarder.admin.context import Context
from apisec_forwarder.admin.operations import FLAG, READ, WRITE, Call, Reply, operation
from apisec_forwarder.decisions.registry import Wish, etag
from apisec_forwarder.decisions.store import Record


def summary(context: Context, record: Record, now: float) -> dict[str, Any]:
    """Return what a list shows of a pattern."""
    pattern = record.pattern
    tally = context.tallies.open(pattern.id, now)
    return {
        "id": pattern.id,
        "title": pattern.title,
        "service": pattern.service,
        "team": context.registry.team(pattern),
        "mode": pattern.mode_at(now),
        "canary_percent": pattern.canary_percent if pattern.mode == "canary" else None,
        "expires": spans.rfc3339(pattern.expires),
        "held_by_gateway": pattern.id in context.held(),
        "digest": pattern.digest,
        "pushed": spans.rfc3339(record.pushed),
        "pushed_by": record.pushed_by,
        "matched": sum(tally.matched.values()),
        "refused": sum(tally.refused.values()),
    }


def full(context: Context, record: Record, now: float) -> dict[str, Any]:
    """Return everything but the stats."""
    return {**summary(context, record, now), "document": record.pattern.document, "changes": list(record.changes)}


def _reply(context: Context, record: Record, now: float, status: int = 200) -> Reply:
    return Reply(status, full(context, record, now), {"etag": etag(record)})


def _wish(call: Call, body: dict[str, Any]) -> Wish:
    override, reason = body.get("override", False), body.get("reason", "")
    if not isinstance(override, bool):
        raise PatternError("must be true or false", where="override")
    if not isinstance(reason, str) or len(reason) > 2000:
        raise PatternError("must be a text of at most 2000 characters", where="reason")
    none_match = call.headers.get("if-none-match")
    if none_match not in (None, "*"):
        raise PatternError("only If-None-Match: * is supported: create, never replace", where="If-None-Match")
    return Wish(call.headers.get("if-match"), none_match == "*", override, reason.strip())


def _json(call: Call, known: tuple[str, ...]) -> dict[str, Any]:
    body = documents.read(call.body) if call.body.strip() else {}
    if not isinstance(body, dict):
        raise PatternError("a JSON object is needed", where="body")
    for key in body:
        if key not in known:
            raise PatternError(f"unknown key {key!r}{did_you_mean(str(key), known)}", where="body")
    return body


async def list_patterns(context: Context, call: Call) -> Reply:
    now = context.clock()
    wanted = call.query.get("service")
    records = [r for r in context.registry.list(call.caller) if wanted in (None, r.pattern.service)]
    rows = [summary(context, record, now) for record in sorted(records, key=lambda r: r.pushed)]
    return Reply(body={"patterns": rows})


async def get_pattern(context: Context, call: Call) -> Reply:
    return _reply(context, context.registry.get(call.path["id"], call.caller), context.clock())


async def put_pattern(context: Context, call: Call) -> Reply:
    query = {"reason": call.query.get("reason", ""), "override": call.query.get("override", False)}
    now = context.clock()
    wish = _wish(call, query)
    record, created = context.registry.put(call.path["id"], documents.read(call.body), call.caller, wish, now)
    return _reply(context, record, now, 201 if created else 200)


async def delete_pattern(context: Context, call: Call) -> Reply:
    wish = _wish(call, {"reason": call.query.get("reason", "")})
    context.registry.delete(call.path["id"], call.caller, wish, context.clock())
    return Reply(204)


async def promote(context: Context, call: Call) -> Reply:
    body = _json(call, ("to", "reason", "override", "canary_percent"))
    now = context.clock()
    record = context.registry.promote(
        call.path["id"], body.get("to"), call.caller, _wish(call, body), now, body.get("canary_percent")
    )
    return _reply(context, record, now)


async def rollback(context: Context, call: Call) -> Reply:
    body = _json(call, ("reason",))
    now = context.clock()
    return _reply(context, context.registry.rollback(call.path["id"], call.caller, _wish(call, body), now), now)


async def stats(context: Context, call: Call) -> Reply:
    record = context.registry.get(call.path["id"], call.caller)
    tally = context.tallies.open(record.pattern.id, context.clock())
    return Reply(body={"id": record.pattern.id, **tally.to_document()})


async def status(context: Context, call: Call) -> Reply:
    del call
    now = context.clock()
    counters = context.service.counters
    history = context.service.matcher.history
    modes: dict[str, int] = {}
    for record in context.registry.all():
        mode = record.pattern.mode_at(now)
        modes[mode] = modes.get(mode, 0) + 1
    decisions = {
        "uptime_seconds": round(now - context.started, 3),
        "patterns": modes,
        "held_by_gateway": len(context.held()),
        "call_outs": counters.call_outs,
        "refused": counters.refused,
        "failed": counters.failed,
        "mean_answer_ms": round(1000 * counters.seconds / counters.call_outs, 4) if counters.call_outs else None,
        "observed": counters.observed,
        "feed_dropped": counters.feed_dropped,
        "feed_bad_lines": context.receiver.bad_lines,
        "history_principals": len(history),
        "history_since": None if history.since is None else spans.rfc3339(history.since),
    }
    body = {
        "version": __version__,
        "gateway": context.gateway,
        "env": context.env,
        "decisions": decisions,
        "pipeline": statuses.read(context.status_file, now),
    }
    return Reply(body=body)


async def healthz(context: Context, call: Call) -> Reply:
    del context, call
    return Reply(body={"status": "ok"})


async def metrics(context: Context, call: Call) -> Reply:
    from apisec_forwarder.admin.exposition import render

    del call
    now = context.clock()
    text = render(context, statuses.read(context.status_file, now), now)
    return Reply(body=text, media_type="text/plain; version=0.0.4; charset=utf-8")


async def openapi_json(context: Context, call: Call) -> Reply:
    from apisec_forwarder.admin.openapi import document

    del context, call
    return Reply(body=document(OPERATIONS))


async def docs(context: Context, call: Call) -> Reply:
    from apisec_forwarder.admin.openapi import html

    del context, call
    return Reply(body=html(OPERATIONS), media_type="text/html; charset=utf-8")


_ONE = "/v1/patterns/{id}"
OPERATIONS: tuple[Operation, ...] = (
    operation(
        "listPatterns", "GET", "/v1/patterns", READ, "List the patterns of the caller's teams.", list_patterns,
        gives="PatternList", query={"service": "only this service's"},
    ),
    operation("getPattern", "GET", _ONE, READ, "Show one pattern; ETag names its version.", get_pattern,
              gives="PatternState", errors=(404,)),
    operation(
        "putPattern", "PUT", _ONE, WRITE,
        "Create or replace a pattern. The same document again changes nothing. Enforcing needs replay evidence.",
        put_pattern, takes="Pattern", gives="PatternState", success=201,
        query={"override": (FLAG, "true: enforce without evidence"), "reason": "why; needed with override"},
        errors=(400, 403, 409, 412, 413, 422, 429),
    ),
    operation("deletePattern", "DELETE", _ONE, WRITE, "Delete a pattern: it is lifted at once.", delete_pattern,
              query={"reason": "why"}, success=204, errors=(404, 412)),
    operation(
        "promotePattern", "POST", _ONE + ":promote", WRITE,
        "Raise the mode to canary or enforce. Enforcing needs replay evidence, or an override with its reason.",
        promote, takes="Promotion", gives="PatternState", errors=(400, 404, 409, 412, 422),
    ),
    operation("rollbackPattern", "POST", _ONE + ":rollback", WRITE,
              "Back to the mode before the last promotion, else to shadow.", rollback,
              takes="Rollback", gives="PatternState", errors=(404, 412, 422)),
    operation("patternStats", "GET", _ONE + "/stats", READ,
              "What a pattern has matched and refused since the process started.", stats,
              gives="Stats", errors=(404,)),
    *bundles.OPERATIONS,
    operation("status", "GET", "/v1/status", READ, "Decisions and pipeline in figures.", status, gives="Status"),
    operation("metrics", "GET", "/metrics", READ, "The same for Prometheus.", metrics, produces="text/plain"),
    operation("healthz", "GET", "/healthz", None, "The process answers.", healthz, gives="Health"),
    operation("openapi", "GET", "/openapi.json", None, "This document.", openapi_json, gives="Document"),
    operation("docs", "GET", "/docs", None, "This document for people.", docs, produces="text/html"),
)  # fmt: skip
