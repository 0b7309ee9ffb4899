"""search/jobs (v1 and v2), results, control, export, search/parser, timeparser."""

from __future__ import annotations

from apisec_sandbox.spl import engine, times
from apisec_sandbox.spl.context import Context
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.splunkd import jobs
from apisec_sandbox.splunkd.atom import JSON_TYPE, Entry, entry_reply, json_reply, quoted, xml_reply
from apisec_sandbox.splunkd.jobs import Job, Window
from apisec_sandbox.splunkd.rest.call import Call, Route
from apisec_sandbox.splunkd.runtime import Runtime
from apisec_sandbox.splunkd.web import HttpError, Reply

RESULT_LIMIT = 50_000  # limits.conf [restapi] maxresultrows
EXEC_MODES = ("normal", "blocking", "oneshot")


def _request(call: Call) -> jobs.Request:
    call.require("search")
    text = call.needed("search").strip()
    if not text.startswith(("|", "search ", "search\t", "search\n")) and text != "search":
        # The endpoint wants a search to start with the command (docs: search/jobs, search).
        raise HttpError(400, _unknown_first(text), "FATAL")
    params = call.params
    for refused in ("rt_blocking", "realtime_schedule"):
        if params.get(refused) in ("1", "true"):
            raise HttpError(400, f"{refused} is not supported")
    for name in ("earliest_time", "latest_time"):
        if params.get(name, "").startswith("rt"):
            raise HttpError(400, "Real-time searches are not supported")
    now = params.get("now")
    return jobs.Request(
        text,
        call.target_app,
        call.session.user,
        params.get("earliest_time", ""),
        params.get("latest_time", ""),
        times.resolve(now, call.splunkd.clock()) if now else None,
        params.get("id", ""),
        float(call.whole("timeout", int(jobs.DEFAULT_TTL))),
        float(call.whole("max_time", 0) or jobs.MAX_SECONDS),
    )


def _unknown_first(text: str) -> str:
    return f"Unknown search command '{text.split()[0][:100]}'. A search starts with 'search' or '|'."


def create(call: Call) -> Reply:
    mode = call.params.get("exec_mode", "normal")
    if mode not in EXEC_MODES:
        raise HttpError(400, f"Invalid exec_mode {mode!r}; known: {', '.join(EXEC_MODES)}")
    request = _request(call)
    if mode == "oneshot":
        job = call.splunkd.jobs.run(request)
        _refuse_failed(job)
        reply = _page(call, job, call.whole("count", 100))
        call.splunkd.jobs.delete(job.sid)
        return reply
    job = call.splunkd.jobs.create(request)
    if mode == "blocking":
        job.finished.wait(request.max_seconds + 5)
    return sid_reply(call, job.sid)


def sid_reply(call: Call, sid: str) -> Reply:
    if call.json:
        return json_reply({"sid": sid}, 201)
    return xml_reply(f"<response><sid>{sid}</sid></response>", 201)


def _refuse_failed(job: Job) -> None:
    if job.state == "FAILED":
        raise HttpError(400, job.error, "FATAL")


def export(call: Call) -> Reply:
    job = call.splunkd.jobs.run(_request(call))
    _refuse_failed(job)
    mode = call.params.get("output_mode", "xml")
    reply = Reply(200, jobs.as_export(job.outcome), JSON_TYPE) if mode == "json" else _page(call, job, 0)
    call.splunkd.jobs.delete(job.sid)
    return reply


def _entry(job: Job) -> Entry:
    path = f"search/jobs/{quoted(job.sid)}"
    entry = Entry(job.request.search, job.content(), path, job.request.app, job.request.owner, "global")
    entry.links = {name: f"{entry.id_path}/{name}" for name in ("results", "results_preview", "events", "control")}
    return entry


def _visible(call: Call, job: Job) -> bool:
    return job.request.owner == call.session.user or call.may("admin_all_objects")


def _job(call: Call, sid: str) -> Job:
    job = call.splunkd.jobs.get(sid)
    if not _visible(call, job):
        raise HttpError(404, "Unknown sid.", "FATAL")
    return job


def list_jobs(call: Call) -> Reply:
    wanted = call.request.all("id")
    held = [job for job in call.splunkd.jobs.list() if _visible(call, job) and (not wanted or job.sid in wanted)]
    return call.feed("jobs", [_entry(job) for job in held])


def show(call: Call, sid: str) -> Reply:
    entry = _entry(_job(call, sid))
    return call.one("jobs", entry) if call.json else entry_reply(entry, call.host)


def delete(call: Call, sid: str) -> Reply:
    _job(call, sid)
    call.splunkd.jobs.delete(sid)
    return call.message(200, "INFO", "Search job cancelled.")


def control(call: Call, sid: str) -> Reply:
    _job(call, sid)
    call.splunkd.jobs.control(sid, call.needed("action"), call.params.get("ttl", ""))
    return call.message(200, "INFO", "Search job control was applied.")


def edit(call: Call, sid: str) -> Reply:
    job = _job(call, sid)
    if "priority" in call.params:
        job.priority = call.whole("priority", 5)
    return show(call, sid)


def results(call: Call, sid: str) -> Reply:
    job = _job(call, sid)
    if not job.done:
        return Reply(204)
    _refuse_failed(job)
    return _page(call, job, call.whole("count", 100))


def preview(call: Call, sid: str) -> Reply:
    job = _job(call, sid)
    if job.done:
        _refuse_failed(job)
    return _page(call, job, call.whole("count", 100))


def events(call: Call, sid: str) -> Reply:
    """Events of a search that ends in events; a transforming search keeps none here."""
    job = _job(call, sid)
    if not job.done:
        return Reply(204)
    if not job.outcome.events:
        return _render(call, job, engine.Outcome([], []), 0)
    return _page(call, job, call.whole("count", 100))


def _page(call: Call, job: Job, count: int) -> Reply:
    offset = call.whole("offset", 0)
    window = Window(
        max(0, offset),
        min(count, RESULT_LIMIT) or RESULT_LIMIT,
        call.params.get("search", "") if call.request.segments[-1].startswith(("results", "events")) else "",
        tuple(call.request.all("f") or call.request.all("field_list")),
    )
    services = Runtime(call.splunkd, job.request.app, job.request.owner)
    try:
        page = jobs.window_rows(job, window, services)
    except SplError as error:
        raise HttpError(400, str(error), "FATAL") from error
    return _render(call, job, page, window.offset)


def _render(call: Call, job: Job, page: engine.Outcome, offset: int) -> Reply:
    mode = call.params.get("output_mode", "xml")
    if mode == "json":
        return Reply(200, jobs.as_json(job, page, offset), JSON_TYPE)
    if mode == "json_cols":
        return Reply(200, jobs.as_json_columns(job, page, offset), JSON_TYPE)
    if mode == "json_rows":
        return Reply(200, jobs.as_json_rows(job, page, offset), JSON_TYPE)
    if mode == "csv":
        return Reply(200, jobs.as_csv(page), "text/csv; charset=UTF-8")
    if mode == "xml":
        return Reply(200, jobs.as_xml(job, page, offset))
    raise HttpError(400, f"output_mode {mode!r} is not supported; known: xml, json, json_cols, json_rows, csv")


def summary(call: Call, sid: str) -> Reply:
    _job(call, sid)
    return xml_reply("<results preview='0'/>") if not call.json else json_reply({"fields": {}})


def search_log(call: Call, sid: str) -> Reply:
    job = _job(call, sid)
    lines = [f"{item['type']} {item['text']}" for item in job.messages()]
    return Reply(200, "\n".join(lines).encode(), "text/plain; charset=UTF-8")


def parser(call: Call) -> Reply:
    text = call.params.get("q", "")
    if not text.strip():
        raise HttpError(400, "The following required arguments are missing: q.")
    services = Runtime(call.splunkd, call.target_app, call.session.user)
    context = Context(services, call.splunkd.clock(), app=call.target_app, owner=call.session.user)
    try:
        parsed = engine.check(text, services, context)
    except SplError as error:
        raise HttpError(400, str(error), "FATAL") from error
    if call.json:
        return json_reply(parsed)
    return call.one("parser", Entry("parser", parsed, "search/parser"))


def timeparser(call: Call) -> Reply:
    found = {}
    for text in call.request.all("time"):
        found[text] = str(times.strftime(times.resolve(text, call.splunkd.clock()), "%Y-%m-%dT%H:%M:%S.%3N+00:00"))
    return json_reply(found) if call.json else call.one("timeparser", Entry("timeparser", found, "search/timeparser"))


def _versions(method: str, path: str, handler: object) -> list[Route]:
    """The same endpoint under v1 and v2."""
    assert callable(handler)
    return [Route(method, f"search/{version}{path}", handler) for version in ("", "v2/")]


ROUTES: tuple[Route, ...] = tuple(
    route
    for method, path, handler in (
        ("GET", "jobs", list_jobs),
        ("POST", "jobs", create),
        ("GET", "jobs/export", export),
        ("POST", "jobs/export", export),
        ("GET", "jobs/{sid}", show),
        ("POST", "jobs/{sid}", edit),
        ("DELETE", "jobs/{sid}", delete),
        ("POST", "jobs/{sid}/control", control),
        ("GET", "jobs/{sid}/results", results),
        ("POST", "jobs/{sid}/results", results),
        ("GET", "jobs/{sid}/results_preview", preview),
        ("POST", "jobs/{sid}/results_preview", preview),
        ("GET", "jobs/{sid}/events", events),
        ("POST", "jobs/{sid}/events", events),
        ("GET", "jobs/{sid}/summary", summary),
        ("GET", "jobs/{sid}/search.log", search_log),
        ("GET", "parser", parser),
        ("POST", "parser", parser),
        ("GET", "timeparser", timeparser),
    )
    for route in _versions(method, path, handler)
)
