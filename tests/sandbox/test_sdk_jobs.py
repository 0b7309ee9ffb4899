"""Search jobs as splunk-sdk and the REST API Reference document them."""

from __future__ import annotations

import csv
import io
import json
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import splunklib.client as client
import splunklib.results as results
from splunklib.binding import HTTPError

from apisec_sandbox.splunkd.indexes import Event
from apisec_sandbox.splunkd.server import Addresses, Splunkd

from .conftest import connect

Splunk = tuple[Splunkd, Addresses]
KEYS = (
    "cursorTime",
    "delegate",
    "diskUsage",
    "dispatchState",
    "doneProgress",
    "dropCount",
    "earliestTime",
    "eventAvailableCount",
    "eventCount",
    "eventFieldCount",
    "eventIsStreaming",
    "eventIsTruncated",
    "eventSearch",
    "eventSorting",
    "isDone",
    "isFailed",
    "isFinalized",
    "isPaused",
    "isPreviewEnabled",
    "isRealTimeSearch",
    "isRemoteTimeline",
    "isSaved",
    "isSavedSearch",
    "isZombie",
    "keywords",
    "label",
    "latestTime",
    "messages",
    "normalizedSearch",
    "numPreviews",
    "performance",
    "priority",
    "remoteSearch",
    "reportSearch",
    "request",
    "resultCount",
    "resultIsStreaming",
    "resultPreviewCount",
    "runDuration",
    "scanCount",
    "searchProviders",
    "sid",
    "statusBuckets",
    "ttl",
)
MANY = 30_000


@pytest.fixture
def events(splunk: Splunk) -> int:
    now = splunk[0].clock()
    splunk[0].store.append(Event(now - n, now, "h", "s", "t", f"n={n} user=u{n % 3}", {}) for n in range(10))
    return 10


@pytest.fixture
def web(splunk: Splunk) -> Iterator[Callable[..., requests.Response]]:
    with requests.Session() as session:
        session.trust_env = False
        session.auth = ("admin", splunk[1].admin_password_file.read_text())

        def send(method: str, path: str, **params: Any) -> requests.Response:
            url, posted = f"{splunk[1].mgmt}/services/{path}", method == "POST"
            return session.request(
                method, url, params=None if posted else params, data=params if posted else None, timeout=20
            )

        yield send


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_job_shows_every_documented_property(service: client.Service, events: int) -> None:
    search = "search index=main n=1* error | stats count by user"
    job = service.jobs.create(search, exec_mode="blocking", earliest_time="-1h", latest_time="now", status_buckets=10)
    content = service.job(job.sid).refresh().content
    assert not set(KEYS) - set(content)
    assert (content.isDone, content.dispatchState, content.statusBuckets) == ("1", "DONE", "10")
    assert content.eventSearch == "search index=main n=1* error"
    assert content.reportSearch == "stats count by user"
    assert content.keywords == "error index::main"
    assert content.request["earliest_time"] == "-1h"
    typed = json.loads(job.get(output_mode="json").body.read())["entry"][0]
    assert (typed["name"], typed["content"]["isDone"], typed["content"]["resultCount"]) == (search, True, 0)
    assert isinstance(typed["content"]["runDuration"], float)
    assert {"results", "events", "control", "timeline", "summary", "search.log"} <= set(typed["links"])
    assert typed["author"] == "admin"


def test_the_leading_pipe_is_optional_before_a_command_and_nonsense_is_refused(service: client.Service) -> None:
    assert b"1,bar" in service.jobs.oneshot('makeresults | eval a=1, b="bar" | table a b', output_mode="csv").read()
    for mode in ("normal", "blocking"):
        with pytest.raises(HTTPError) as caught:
            service.jobs.create("abcd|asfwqqq", exec_mode=mode)
        assert (caught.value.status, "Unknown search command 'abcd'" in str(caught.value)) == (400, True)
    with pytest.raises(HTTPError):
        service.jobs.export("asdaf;lkj2r23=")


def test_jobs_are_listed_until_they_are_cancelled(service: client.Service) -> None:
    jobs = [service.jobs.create("| makeresults", exec_mode="blocking") for _ in range(3)]
    listed = [job.sid for job in service.jobs]
    assert listed[:3] == [job.sid for job in reversed(jobs)]  # the newest first
    for job in jobs:
        job.cancel()
        job.cancel()  # the second time is no error
        assert job.sid not in service.jobs


def test_a_job_with_an_id_of_its_own_is_unique(service: client.Service) -> None:
    assert service.jobs.create("| makeresults", id="mine_1").sid == "mine_1"
    for wrong in ("mine_1", "../up", "a/b"):
        with pytest.raises(HTTPError):
            service.jobs.create("| makeresults", id=wrong)


def test_control_changes_what_the_job_says(service: client.Service) -> None:
    job = service.jobs.create("| makeresults", exec_mode="blocking")
    for action, key, expected in (
        (job.pause, "isPaused", "1"),
        (job.unpause, "isPaused", "0"),
        (job.finalize, "isFinalized", "1"),
        (job.enable_preview, "isPreviewEnabled", "1"),
        (job.disable_preview, "isPreviewEnabled", "0"),
        (lambda: job.set_ttl(1234), "ttl", "1234"),
        (lambda: job.set_priority(3), "priority", "3"),
        (lambda: job.post("control", action="save"), "isSaved", "1"),
        (lambda: job.post("control", action="unsave"), "isSaved", "0"),
    ):
        action()
        assert job.refresh()[key] == expected
    with pytest.raises(HTTPError, match="dance"):
        job.post("control", action="dance")
    with pytest.raises(HTTPError, match="ttl"):
        job.post("control", action="setttl")


def test_touch_moves_the_time_of_the_last_change(splunk: Splunk, service: client.Service) -> None:
    job = service.jobs.create("| makeresults", exec_mode="blocking")
    before = job.refresh().state.updated
    now = splunk[0].clock()
    splunk[0].clock = lambda: now + 2
    job.touch()
    assert job.refresh().state.updated > before


def test_a_running_job_is_paused_resumed_and_finalized(splunk: Splunk, service: client.Service) -> None:
    now = splunk[0].clock()
    splunk[0].store.append(Event(now - n / 1000, now, "h", "s", "t", f"n={n}", {}) for n in range(MANY))
    job = service.jobs.create("search index=main | eval a=md5(n) | eval b=sha512(a) | sort 0 b | stats count")
    held = splunk[0].jobs.get(job.sid)
    held.pause(True)
    seen = {job.refresh()["dispatchState"] for _ in range(5)}
    assert seen <= {"PAUSED", "DONE", "QUEUED"}
    job.finalize()
    until(job.is_done)
    assert (job["isFinalized"], job["isFailed"]) == ("1", "0")
    rows = list(results.JSONResultsReader(job.results(output_mode="json")))
    assert len(rows) == 1
    assert 0 <= int(rows[0]["count"]) <= MANY


def test_pages_of_results(service: client.Service) -> None:
    job = service.jobs.create("| makeresults count=250 | streamstats count as n | table n", exec_mode="blocking")

    def page(**how: Any) -> list[int]:
        return [int(row["n"]) for row in results.JSONResultsReader(job.results(output_mode="json", **how))]

    assert page() == list(range(1, 101))
    assert page(count=0) == list(range(1, 251))
    assert page(count=2, offset=248) == [249, 250]
    assert page(count=5, offset=-3) == [248, 249, 250]
    assert page(count=5, offset=1000) == []
    assert page(count=0, search="where n > 248") == [249, 250]
    processed = json.loads(job.results(output_mode="json", search="| head 2").read())
    assert (processed["post_process_count"], processed["preview"], processed["init_offset"]) == (2, False, 0)
    with pytest.raises(HTTPError):
        job.results(search="| nonsense")


def test_every_format_of_results(service: client.Service) -> None:
    search = '| makeresults | eval a="x<&>y", m=split("1,2", ","), e="" | fields - _time | table a m e none'
    job = service.jobs.create(search, exec_mode="blocking")
    assert json.loads(job.results(output_mode="json").read())["results"] == [{"a": "x<&>y", "m": ["1", "2"], "e": ""}]
    rows = json.loads(job.results(output_mode="json_rows").read())
    assert (rows["fields"], rows["rows"]) == (["a", "m", "e", "none"], [["x<&>y", ["1", "2"], "", None]])
    columns = json.loads(job.results(output_mode="json_cols").read())
    assert columns["columns"] == [["x<&>y"], [["1", "2"]], [""], [None]]
    table = list(csv.reader(io.StringIO(job.results(output_mode="csv").read().decode())))
    assert (table[0], table[1][0]) == (["a", "m", "e", "none"], "x<&>y")
    tree = ET.fromstring(job.results(output_mode="xml").read())
    assert tree.attrib == {"preview": "0"}
    assert [field.text for field in tree.iter("field") if field.text and field.text.strip()] == ["a", "m", "e", "none"]
    held = {
        field.get("k"): [text.text for text in field.iter("text")] for field in tree.iter("field") if field.get("k")
    }
    assert held == {"a": ["x<&>y"], "m": ["1", "2"], "e": [None]}
    narrowed = json.loads(job.results(output_mode="json", field_list="m,e").read())
    assert [field["name"] for field in narrowed["fields"]] == ["m", "e"]
    with pytest.raises(HTTPError, match="atomic"):
        job.results(output_mode="atomic")


def test_raw_output_is_the_events_themselves(service: client.Service, events: int) -> None:
    stream = service.jobs.oneshot("search index=main | head 2", output_mode="raw")
    assert stream.read() == b"n=0 user=u0\nn=1 user=u1\n"


def test_events_results_and_preview_of_a_finished_job_agree(service: client.Service, events: int) -> None:
    job = service.jobs.create("search index=main | head 3", exec_mode="blocking")
    found = [
        [row["_raw"] for row in results.JSONResultsReader(stream) if isinstance(row, dict)]
        for stream in (job.results(output_mode="json"), job.preview(output_mode="json"), job.events(output_mode="json"))
    ]
    assert found[0] == found[1] == found[2] == ["n=0 user=u0", "n=1 user=u1", "n=2 user=u2"]
    transformed = service.jobs.create("search index=main | stats count", exec_mode="blocking")
    assert json.loads(transformed.events(output_mode="json").read())["results"] == []


@pytest.mark.parametrize("version", ["jobs", "v2/jobs"])
def test_both_versions_of_the_endpoints_answer(
    web: Callable[..., requests.Response], events: int, version: str
) -> None:
    created = web("POST", f"search/{version}", search="search index=main | stats count", output_mode="json")
    assert created.status_code == 201
    sid = created.json()["sid"]
    until(lambda: web("GET", f"search/{version}/{sid}/results").status_code == 200)
    for part in ("results", "results_preview"):
        for method in ("GET", "POST"):
            answer = web(method, f"search/{version}/{sid}/{part}", output_mode="json")
            assert answer.json()["results"] == [{"count": "10"}], (method, part)
    assert "stats count" in web("GET", f"search/{version}/{sid}/search.log").text


def test_export_sends_rows_while_the_search_runs(splunk: Splunk, service: client.Service) -> None:
    now = splunk[0].clock()
    splunk[0].store.append(Event(now - n / 1000, now, "h", "s", "t", f"n={n}", {}) for n in range(MANY))
    stream = service.jobs.export("search index=main", output_mode="json")
    first = json.loads(stream.readline())
    assert (first["preview"], first["offset"], first["result"]["_raw"]) == (False, 0, "n=0")
    rest = [json.loads(line) for line in stream.read().splitlines()]
    assert len(rest) == MANY - 1
    assert (rest[-1]["lastrow"], rest[-1]["offset"]) == (True, MANY - 1)
    assert not service.jobs.list()


def test_a_client_that_leaves_an_export_ends_its_search(splunk: Splunk) -> None:
    now = splunk[0].clock()
    splunk[0].store.append(Event(now - n / 1000, now, "h", "s", "t", f"n={n} {'x' * 500}", {}) for n in range(MANY))
    before = len(splunk[0].users.sessions())
    with requests.Session() as web:
        web.trust_env = False
        web.auth = ("admin", splunk[1].admin_password_file.read_text())
        url = f"{splunk[1].mgmt}/services/search/jobs/export"
        given = {"search": "search index=main", "output_mode": "json"}
        with web.post(url, data=given, stream=True, timeout=10) as answer:
            assert next(answer.iter_lines())
    until(lambda: len(splunk[0].users.sessions()) == before)


@pytest.mark.parametrize("mode", ["xml", "csv", "json_rows"])
def test_export_in_other_formats(service: client.Service, events: int, mode: str) -> None:
    body = service.jobs.export("search index=main | table n", output_mode=mode).read().decode()
    if mode == "xml":
        assert [text.text for text in ET.fromstring(body).iter("text")] == [str(n) for n in range(10)]
    elif mode == "csv":
        assert body.splitlines() == ["n", *map(str, range(10))]
    else:
        assert json.loads(body)["rows"] == [[str(n)] for n in range(10)]


def test_summary_and_timeline(service: client.Service, events: int) -> None:
    job = service.jobs.create("search index=main | fields _time user", exec_mode="blocking", status_buckets=300)
    held = json.loads(job.summary(output_mode="json").read())
    assert (held["event_count"], held["fields"]["user"]["distinct_count"]) == (10, 3)
    assert held["fields"]["user"]["modes"][0] == {"value": "u0", "count": 4, "is_exact": True}
    line = json.loads(job.timeline(output_mode="json").read())
    assert (line["event_count"], sum(bucket["total_count"] for bucket in line["buckets"])) == (10, 10)
    assert ET.fromstring(job.timeline().read()).get("c") == "10"
    assert ET.fromstring(job.summary().read()).get("c") == "10"


def test_a_failed_job_says_so_in_its_messages(service: client.Service, events: int) -> None:
    with pytest.raises(HTTPError) as caught:
        service.jobs.create("search index=main | eval a=", exec_mode="blocking")
    assert caught.value.status == 400
    job = service.jobs.create("| makeresults | collect index=no_such_thing", exec_mode="blocking")
    content = job.refresh().content
    assert (content.dispatchState, content.isFailed, content.isDone) == ("FAILED", "1", "1")
    assert "no_such_thing" in content.messages.fatal[0]
    with pytest.raises(HTTPError, match="no_such_thing"):
        job.results()


def test_a_job_is_its_owners_alone(splunk: Splunk, service: client.Service) -> None:
    service.users.create("reader", password="changeme!", roles="user")
    reader = connect(splunk[1], username="reader", password="changeme!")
    job = service.jobs.create("| makeresults", exec_mode="blocking")
    own = reader.jobs.create("| makeresults", exec_mode="blocking")
    assert [entity.sid for entity in reader.jobs] == [own.sid]
    assert {entity.sid for entity in service.jobs} == {job.sid, own.sid}
    with pytest.raises(HTTPError) as caught:
        reader.job(job.sid)
    assert (caught.value.status, "Unknown sid" in str(caught.value)) == (404, True)


def test_the_quota_of_running_jobs_holds(splunk: Splunk, service: client.Service) -> None:
    service.roles.create("narrow", capabilities=["search"], srchJobsQuota=1, srchIndexesAllowed="main")
    service.users.create("one", password="changeme!", roles="narrow")
    only = connect(splunk[1], username="one", password="changeme!")
    job = only.jobs.create("| makeresults", exec_mode="blocking")
    held = splunk[0].jobs.get(job.sid)
    held.finished.clear()  # as long as it runs
    with pytest.raises(HTTPError) as caught:
        only.jobs.create("| makeresults")
    assert (caught.value.status, "quota=1" in str(caught.value)) == (503, True)
    held.finished.set()
    only.jobs.create("| makeresults")


def test_a_job_outlives_neither_its_ttl_nor_its_client(splunk: Splunk, service: client.Service) -> None:
    job = service.jobs.create("| makeresults", exec_mode="blocking", timeout=60)
    held = splunk[0].jobs.get(job.sid)
    held.touched -= 61
    assert job.sid not in [entity.sid for entity in service.jobs]
    waiting = service.jobs.create("| makeresults", exec_mode="blocking", auto_cancel=5)
    held = splunk[0].jobs.get(waiting.sid)
    held.finished = threading.Event()
    held.touched -= 6
    assert waiting.sid not in [entity.sid for entity in service.jobs]


@pytest.mark.parametrize(
    "given",
    [
        {"search_mode": "realtime"},
        {"earliest_time": "rt-5m"},
        {"earliest_time": "soon"},
        {"exec_mode": "sideways"},
        {"add_summary_to_metadata": "1"},
        {"max_time": "long"},
        {"search": ""},
    ],
)
def test_what_is_not_understood_is_refused(web: Callable[..., requests.Response], given: dict[str, str]) -> None:
    answer = web("POST", "search/jobs", **{"search": "| makeresults", **given})
    assert answer.status_code == 400
    assert "<msg type=" in answer.text


def test_what_the_management_port_answered_is_in_internal(service: client.Service) -> None:
    service.get("server/info")
    search = 'search index=_internal sourcetype=splunkd_access "/services/server/info" | head 1 | table _raw'
    rows = json.loads(service.jobs.oneshot(search, output_mode="json").read())["results"]
    assert '"GET /services/server/info HTTP/1.1" 200 ' in rows[0]["_raw"]
    assert " - admin [" in rows[0]["_raw"]
