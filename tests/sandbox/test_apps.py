"""Apps at work: custom commands, saved searches with throttle and actions, modular inputs, lookups, knowledge."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import splunklib.client as client
import splunklib.results as results
from splunklib.binding import HTTPError

from apisec_sandbox.splunkd.indexes import Event
from apisec_sandbox.splunkd.jobs import Job, Request
from apisec_sandbox.splunkd.server import Addresses, Splunkd

Splunk = tuple[Splunkd, Addresses]
START = 1_700_000_000


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("the condition did not come true")


def search(splunkd: Splunkd, text: str, app: str = "testapp", owner: str = "admin", **more: Any) -> Job:
    return splunkd.jobs.run(Request(text, app, owner, **more))


def rows(splunkd: Splunkd, text: str, **more: Any) -> list[dict[str, Any]]:
    job = search(splunkd, text, **more)
    assert job.state == "DONE", job.error
    return job.outcome.rows


def fill(splunkd: Splunkd) -> None:
    now = splunkd.clock()
    documents = [
        {"n": n, "user": ["alice", "bob", "eve"][n % 3], "client": f"10.0.0.{n}", "status": 500 if n % 2 else 200}
        for n in range(6)
    ]
    splunkd.store.append(
        Event(START + place, now, "h", "s", "app:json", json.dumps(document), {})
        for place, document in enumerate(documents)
    )


def test_streaming_command_with_session(splunk: Splunk) -> None:
    splunkd, _ = splunk
    fill(splunkd)
    found = rows(splunkd, 'search index=main | fields n | tagrows label="two words" count_kv=t | sort n')
    assert [row["n"] for row in found] == ["0", "1", "2", "3", "4", "5"]
    assert found[0]["label"] == "two words"
    assert found[0]["both"] == ["two words", "a$b"]
    assert found[0]["known"] == "0"


def test_reporting_command_with_its_map_phase(splunk: Splunk) -> None:
    splunkd, _ = splunk
    fill(splunkd)
    assert rows(splunkd, "search index=main | mysum total=t n") == [{"t": "15.0"}]


def test_generating_and_eventing_commands_and_messages(splunk: Splunk) -> None:
    splunkd, _ = splunk
    job = search(splunkd, "| genrows count=5 | keepodd | table n owner")
    assert job.outcome.rows == [{"n": "1", "owner": "admin"}, {"n": "3", "owner": "admin"}]
    assert ("WARN", "[genrows] made 5 rows") in job.context.messages


def test_a_failing_command_fails_the_job_and_its_stderr_is_kept(splunk: Splunk) -> None:
    splunkd, _ = splunk
    fill(splunkd)
    job = search(splunkd, "search index=main | breaks")
    assert job.state == "FAILED"
    assert "broken on purpose" in job.error
    assert "a line for the log" in (splunkd.home.log / "searchcommand_breaks.log").read_text()
    assert "must be the first" in search(splunkd, "search index=main | genrows count=1").error
    assert "required" in search(splunkd, "search index=main | tagrows").error


def test_commands_do_not_see_this_environments_packages(splunk: Splunk, monkeypatch: pytest.MonkeyPatch) -> None:
    argv = splunk[0].runner.argv(splunk[0].runner.script("testapp", "tagrows.py"))
    assert argv[1:3] == ("-s", "-S")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    assert splunk[0].runner.environment()["PYTHONPATH"].endswith("/scriptlib")
    with pytest.raises(Exception, match="no script"):
        splunk[0].runner.script("testapp", "../default/app.conf")


def test_search_time_knowledge(splunk: Splunk) -> None:
    splunkd, _ = splunk
    fill(splunkd)
    found = rows(splunkd, "search index=main user=bob | sort n | table n src double team eventtype tag")
    assert found == [
        {"n": "1", "src": "10.0.0.1", "double": 2, "team": ["blue", "green"], "eventtype": "failed", "tag": "error"},
        {"n": "4", "src": "10.0.0.4", "double": 8, "team": ["blue", "green"]},
    ]
    assert rows(splunkd, "search index=main double>7 src=10.0.0.4/31 | stats count") == [{"count": 2}]
    assert rows(splunkd, "search eventtype=failed | stats count") == [{"count": 3}]
    assert rows(splunkd, "search tag=error | stats count") == [{"count": 3}]
    splunkd.store.append([Event(START, 0, "h", "s", "app:text", "code 17 a:1 b:2", {})])
    assert rows(splunkd, "search sourcetype=app:text | table code a b") == [{"code": "17", "a": "1", "b": "2"}]


def test_macros(splunk: Splunk) -> None:
    splunkd, _ = splunk
    fill(splunkd)
    assert rows(splunkd, "search `idx` | `over(n, 3)` | stats count") == [{"count": 2}]
    with pytest.raises(Exception, match="limit must be a number"):
        rows(splunkd, "search `idx` | `over(n, x)`")
    with pytest.raises(Exception, match="'nothing' that cannot be found"):
        rows(splunkd, "search `nothing`")


def test_lookups_file_cidr_and_kv(splunk: Splunk) -> None:
    splunkd, _ = splunk
    fill(splunkd)
    zones = rows(splunkd, '| makeresults | eval net="10.1.2.3" | lookup nets net OUTPUT zone | table zone')
    assert zones == [{"zone": "inside"}]
    rows(splunkd, "search index=main | table n user | rename user AS name | outputlookup things key_field=n")
    assert len(rows(splunkd, "| inputlookup things where n>2")) == 3
    rows(splunkd, '| makeresults | eval n=2, name="changed" | outputlookup things append=t key_field=n')
    held = rows(splunkd, "| inputlookup things | sort n | table n name")
    assert len(held) == 6
    assert held[2] == {"n": 2, "name": "changed"}
    rows(splunkd, '| makeresults | eval user="zoe", team="grey" | table user team | outputlookup append=t users')
    assert len(rows(splunkd, "| inputlookup users.csv")) == 4
    assert rows(splunkd, '| makeresults | eval user="zoe" | lookup users user OUTPUT team AS t | table t') == [
        {"t": "grey"}
    ]


def test_saved_search_fires_its_actions_and_throttles(splunk: Splunk, service: client.Service) -> None:
    splunkd, _ = splunk
    fill(splunkd)
    saved = service.saved_searches["many failures"]
    job = saved.dispatch(trigger_actions=1)
    notified = splunkd.home.root / "notify.jsonl"
    until(lambda: splunkd.jobs.get(job.sid).alerted.is_set())
    calls = [json.loads(line) for line in notified.read_text().splitlines()]
    assert [call["result"] for call in calls] == [{"user": user, "count": "1"} for user in ("alice", "bob", "eve")]
    first = calls[0]
    assert first["configuration"] == {"color": "red for alice", "exit": "0"}
    assert first["rows"] == [{"user": "alice", "count": "1"}]
    assert first["argv"] == ["--execute"]
    assert (first["search_name"], first["app"], first["sid"]) == ("many failures", "testapp", job.sid)
    assert first["session_key"]
    log = (splunkd.home.log / "splunkd.log").read_text()
    assert "action=notify STDERR - notify called" in log
    assert 'action=risk search="many failures"' in log
    assert "WARN  sendmodalert - action=risk" in log
    summary = rows(splunkd, "search index=summary kind=failures | table user count search_name sourcetype")
    assert {row["user"] for row in summary} == {"alice", "bob", "eve"}
    assert summary[0]["search_name"] == "many failures"
    assert summary[0]["sourcetype"] == "stash"

    again = saved.dispatch(trigger_actions=1)
    until(lambda: splunkd.jobs.get(again.sid).alerted.is_set())
    assert len(notified.read_text().splitlines()) == 3
    assert splunkd.saved.firings[-1].suppressed == 3


def test_the_scheduler_starts_what_is_due(splunk: Splunk) -> None:
    splunkd, _ = splunk
    fill(splunkd)
    now = splunkd.clock()
    assert splunkd.scheduler.tick(now) == []
    due = splunkd.scheduler.next_time(splunkd.saved.get("many failures"))
    assert due is not None
    assert due % 300 == 0
    assert splunkd.scheduler.tick(due - 1) == []
    assert splunkd.scheduler.tick(due + 1) == ["many failures"]
    assert splunkd.scheduler.tick(due + 2) == []
    until(lambda: splunkd.saved.firings and splunkd.saved.firings[-1].triggered)


def test_sendalert_in_a_search(splunk: Splunk) -> None:
    splunkd, _ = splunk
    found = rows(splunkd, '| makeresults | eval user="x" | sendalert notify param.color="pink"')
    assert found[0]["user"] == "x"
    call = json.loads((splunkd.home.root / "notify.jsonl").read_text())
    assert call["configuration"]["color"] == "pink"
    assert "not found" in search(splunkd, "| makeresults | sendalert nowhere").error
    assert "exit code=3" in search(splunkd, "| makeresults | sendalert notify param.exit=3").error


def test_modular_input_runs_with_its_checkpoint(splunk: Splunk, service: client.Service) -> None:
    splunkd, _ = splunk
    service.inputs.create("gen", "ticker", step="2", interval="3600", index="team_red")
    now = splunkd.clock()
    splunkd.scheduler.tick(now)
    until(lambda: rows(splunkd, "search index=team_red count=2 key=yes"))
    splunkd.scheduler.tick(now + 3599)
    splunkd.scheduler.tick(now + 3601)
    until(lambda: rows(splunkd, "search index=team_red count=4 sourcetype=ticker source=ticker://gen"))
    assert len(rows(splunkd, "search index=team_red")) == 2


def test_collect_and_rest(splunk: Splunk) -> None:
    splunkd, _ = splunk
    rows(splunkd, '| makeresults | eval a="x \\"y\\"", b=3 | collect index=summary source=mine marker="m=1"')
    assert rows(splunkd, "search index=summary source=mine | table a b m") == [{"a": 'x "y"', "b": "3", "m": "1"}]
    titles = rows(splunkd, "| rest /services/apps/local | table title version")
    assert {"title": "testapp", "version": "1.2.3"} in titles


def test_subsearch_and_savedsearch(splunk: Splunk) -> None:
    splunkd, _ = splunk
    fill(splunkd)
    found = rows(
        splunkd,
        "search index=main [search index=main status=500 | dedup user | fields user | head 1] | stats count by user",
    )
    assert len(found) == 1
    assert rows(splunkd, "search index=main [search index=main nothing=here | fields user]") == []
    assert len(rows(splunkd, '| savedsearch "many failures"')) == 3


def test_jobs_end_on_cancel(splunk: Splunk, service: client.Service) -> None:
    splunkd, _ = splunk
    fill(splunkd)
    job = splunkd.jobs.create(
        Request("search index=main | eval x=mvrange(0,90000) | mvexpand x | eval y=md5(x) | stats dc(y)")
    )
    splunkd.jobs.control(job.sid, "finalize", {})
    assert job.finished.wait(20)
    assert job.state in ("FAILED", "DONE")
    service.jobs.create("search index=main", exec_mode="blocking").cancel()
    with pytest.raises(HTTPError):
        service.jobs.create("search index=main", id="bad/../sid")
    assert list(results.JSONResultsReader(service.jobs.oneshot("| makeresults", output_mode="json")))
