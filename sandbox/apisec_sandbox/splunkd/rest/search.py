"""search/jobs (v1 and v2): dispatch, results, control, export.

Source: REST API Reference, "Search endpoint descriptions".
"""

from __future__ import annotations

from typing import Any

from apisec_sandbox.spl import times
from apisec_sandbox.spl.context import header_of
from apisec_sandbox.spl.engine import Outcome
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.splunkd import jobs, results, summaries
from apisec_sandbox.splunkd.atom import Entry, entry_reply, json_reply, quoted, xml_reply
from apisec_sandbox.splunkd.confs import is_true
from apisec_sandbox.splunkd.job_properties import iso
from apisec_sandbox.splunkd.jobs import Job
from apisec_sandbox.splunkd.rest.call import Call, Route
from apisec_sandbox.splunkd.results import Found, Page, Shown, Window
from apisec_sandbox.splunkd.runtime import Runtime
from apisec_sandbox.splunkd.web import HttpError, Reply

RESULT_LIMIT = 50_000  # limits.conf [restapi] maxresultrows
EXEC_MODES = ("normal", "blocking", "oneshot")
REFUSED = ("rt_blocking", "realtime_schedule", "rt_indexfilter", "add_summary_to_metadata")
PARTS = ("control", "events", "results", "results_preview", "search.log", "summary", "timeline")


def _request(call: Call) -> jobs.Request:
    call.require("search")
    params = call.params
    for refused in REFUSED:
        if is_true(params.get(refused, "0")):
            raise HttpError(400, f"{refused} is not supported")
    if params.get("search_mode", "normal") != "normal" or any(
        params.get(name, "").startswith("rt") for name in ("earliest_time", "latest_time")
    ):
        raise HttpError(400, "Real-time searches are not supported")
    now = params.get("now")
    return jobs.Request(
        leading(call.needed("search").strip()),
        call.target_app,
        call.session.user,
        params.get("earliest_time", ""),
        params.get("latest_time", ""),
        times.resolve(now, call.splunkd.clock()) if now else None,
        params.get("id", ""),
        float(call.whole("timeout", int(jobs.DEFAULT_TTL))),
        label=params.get("label", ""),
        finalize_after=float(call.whole("max_time", 0)),
        auto_cancel=float(call.whole("auto_cancel", 0)),
        status_buckets=call.whole("status_buckets", 0),
        priority=call.whole("priority", 5),
        given={name: value for name, value in params.items() if name != "output_mode"},
    )


def leading(text: str) -> str:
    """A search over REST begins with a command, the pipe before it is optional (docs: search/jobs, search)."""
    begins = text.split(maxsplit=1)[0].lower() if text else ""
    return text if text.startswith(("|", "`", "[")) or begins == "search" else f"| {text}"


def create(call: Call) -> Reply:
    mode = call.params.get("exec_mode", "normal")
    if mode not in EXEC_MODES:
        raise HttpError(400, f"Invalid exec_mode {mode!r}; known: {', '.join(EXEC_MODES)}")
    request = _request(call)
    if mode == "oneshot":
        results.known_format(call.params.get("output_mode", "xml"))
        job = call.splunkd.jobs.run(request)
        try:
            _refuse_failed(job)
            return _page(call, job, post_process=False)
        finally:
            call.splunkd.jobs.delete(job.sid)
    job = call.splunkd.jobs.create(request)
    if mode == "blocking":
        job.finished.wait(request.max_seconds + 5)
    return sid_reply(call, job.sid)


def sid_reply(call: Call, sid: str) -> Reply:
    if call.json:
        return json_reply({"sid": sid}, 201)
    return xml_reply(f"<response>\n  <sid>{sid}</sid>\n</response>", 201)


def _refuse_failed(job: Job) -> None:
    if job.state == "FAILED":
        raise HttpError(400, job.error, "FATAL")


def export(call: Call) -> Reply:
    """Rows as the search finds them; the job is not kept."""
    mode = results.known_format(call.params.get("output_mode", "xml"))
    job = call.splunkd.jobs.prepare(_request(call))
    stage, rows = call.splunkd.jobs.stream(job)
    wanted = _wanted(call)

    def header(block: list[Any]) -> list[str]:
        return results.chosen_columns(header_of(stage, block), wanted)

    body = results.export(Found(rows, header, job.messages), mode)
    return Reply(200, b"", results.FORMATS[mode][1], stream=body)


def _wanted(call: Call) -> tuple[str, ...]:
    """``f`` may come again and again, ``field_list`` is one text with commas."""
    listed = [part.strip() for text in call.request.all("field_list") for part in text.split(",")]
    return tuple(call.request.all("f") or listed)


def _entry(call: Call, job: Job) -> Entry:
    version = "v2/jobs" if "v2" in call.request.segments else "jobs"
    path = f"search/{version}/{quoted(job.sid)}"
    content = job.content()
    if not call.json:  # Atom groups the texts by the type of message
        content["messages"] = _by_type(job.messages())
    entry = Entry(job.request.search, content, path, job.request.app, job.request.owner, "global", plain=True)
    entry.published, entry.updated = iso(job.created, 0.0), iso(job.updated, 0.0)
    entry.perms = {"read": [job.request.owner], "write": [job.request.owner]}
    entry.links = {name: f"{entry.id_path}/{name}" for name in PARTS}
    return entry


def _by_type(messages: list[dict[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for message in messages:
        grouped.setdefault(message["type"].lower(), []).append(message["text"])
    return grouped


def _own(call: Call, job: Job) -> bool:
    return job.request.owner == call.session.user or call.may("admin_all_objects")


def _visible(call: Call, job: Job) -> bool:
    """A job of a shared report is for whoever may read the report (Reporting Manual, "Set report permissions")."""
    readers, roles = job.request.readers, call.splunkd.confs.viewer(call.session.user)
    return _own(call, job) or "*" in readers or (roles is not None and not roles.isdisjoint(readers))


def _job(call: Call, sid: str) -> Job:
    job = call.splunkd.jobs.get(sid)
    if not _visible(call, job):
        raise HttpError(404, "Unknown sid.", "FATAL")
    return job


def _own_job(call: Call, sid: str) -> Job:
    """The job, which the user may change: 403 for one that he may only read."""
    job = _job(call, sid)
    if not _own(call, job):
        raise HttpError(403, f"You (user={call.session.user}) do not have permission to change this job.")
    return job


def list_jobs(call: Call) -> Reply:
    wanted = call.request.all("id")
    held = [job for job in call.splunkd.jobs.current() if _visible(call, job) and (not wanted or job.sid in wanted)]
    return call.feed("jobs", [_entry(call, job) for job in held], order="published", per_page=0)


def show(call: Call, sid: str) -> Reply:
    entry = _entry(call, _job(call, sid))
    return call.one("jobs", entry) if call.json else entry_reply(entry, call.host)


def delete(call: Call, sid: str) -> Reply:
    _own_job(call, sid)
    call.splunkd.jobs.delete(sid)
    return call.message(200, "INFO", "Search job cancelled.")


def control(call: Call, sid: str) -> Reply:
    _own_job(call, sid)
    return call.message(200, "INFO", call.splunkd.jobs.control(sid, call.needed("action"), call.params))


def edit(call: Call, sid: str) -> Reply:
    """Custom properties of a job; they are shown and nothing else (docs: search/jobs/{search_id}, POST)."""
    job = _own_job(call, sid)
    settings = call.settings()
    unknown = [name for name in settings if not name.startswith("custom.")]
    if unknown:
        raise HttpError(400, f'Argument "{unknown[0]}" is not supported by this endpoint.')
    job.request.given = {**job.request.given, **settings}
    return show(call, sid)


def found(call: Call, sid: str) -> Reply:
    job = _job(call, sid)
    if not job.done:
        return Reply(204)
    _refuse_failed(job)
    return _page(call, job)


def preview(call: Call, sid: str) -> Reply:
    job = _job(call, sid)
    if job.done:
        _refuse_failed(job)
    return _page(call, job)


def events(call: Call, sid: str) -> Reply:
    """Events of a search that ends in events; a transforming search keeps none here."""
    job = _job(call, sid)
    if not job.done:
        return Reply(204)
    if not job.outcome.events:
        return _render(call, job, Page(Outcome([], [])))
    return _page(call, job)


def _page(call: Call, job: Job, post_process: bool = True) -> Reply:
    count = call.whole("count", 100)
    window = Window(
        call.whole("offset", 0),
        min(count, RESULT_LIMIT) if count > 0 else RESULT_LIMIT,
        call.params.get("search", "") if post_process else "",
        _wanted(call),
    )
    services = Runtime(call.splunkd, job.request.app, job.request.owner)
    try:
        return _render(call, job, results.window_rows(job, window, services))
    except SplError as error:
        raise HttpError(400, str(error), "FATAL") from error


def _render(call: Call, job: Job, page: Page) -> Reply:
    write, kind = results.FORMATS[results.known_format(call.params.get("output_mode", "xml"))]
    return Reply(200, write(Shown(page, job.messages(), not job.done)), kind)


def summary(call: Call, sid: str) -> Reply:
    job = _job(call, sid)
    names = tuple(call.request.all("f")) or tuple(job.request.given.get("rf", "").split(",")) * bool(job.request.given)
    held = summaries.summarize(job, tuple(name for name in names if name))
    return json_reply(held) if call.json else xml_reply(summaries.summary_xml(held))


def timeline(call: Call, sid: str) -> Reply:
    held = summaries.timeline(_job(call, sid))
    return json_reply(held) if call.json else xml_reply(summaries.timeline_xml(held))


def search_log(call: Call, sid: str) -> Reply:
    return Reply(200, summaries.search_log(_job(call, sid)).encode(), results.TEXT_TYPE)


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
        ("GET", "jobs/{sid}/results", found),
        ("POST", "jobs/{sid}/results", found),
        ("GET", "jobs/{sid}/results_preview", preview),
        ("POST", "jobs/{sid}/results_preview", preview),
        ("GET", "jobs/{sid}/events", events),
        ("POST", "jobs/{sid}/events", events),
        ("GET", "jobs/{sid}/summary", summary),
        ("GET", "jobs/{sid}/timeline", timeline),
        ("GET", "jobs/{sid}/search.log", search_log),
    )
    for route in _versions(method, path, handler)
)
