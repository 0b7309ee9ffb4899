"""Saved searches over REST; alert conditions, throttles, fired alerts, and Splunk's own actions."""

from __future__ import annotations

import email
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import splunklib.client as client

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.spl.engine import Outcome
from apisec_sandbox.splunkd import alert_conditions, cron
from apisec_sandbox.splunkd.alert_actions import payload_xml, replace_tokens
from apisec_sandbox.splunkd.alert_conditions import Memory
from apisec_sandbox.splunkd.builtin_actions import outbox
from apisec_sandbox.splunkd.confs import Stanza
from apisec_sandbox.splunkd.server import Addresses, Splunkd

Splunk = tuple[Splunkd, Addresses]


class _Job:
    def __init__(self, count: int) -> None:
        rows = [{"host": f"h{number % 2}", "source": "s"} for number in range(count)]
        self.outcome = Outcome(rows, ["host", "source"])


def judged(count: int, previous: float | None = None, **settings: str) -> bool:
    return alert_conditions.triggers(Stanza("s", "a", settings), _Job(count), previous)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("count", "previous", "counttype", "relation", "quantity", "expected"),
    [
        (0, None, "always", "", "", True),
        (3, None, "number of events", "greater than", "2", True),
        (3, None, "number of events", "less than", "3", False),
        (3, None, "number of hosts", "equal to", "2", True),
        (3, None, "number of sources", "not equal to", "1", False),
        (9, 4, "number of events", "rises by", "5", True),
        (8, 4, "number of events", "rises by", "5", False),
        (8, None, "number of events", "rises by", "1", False),
        (8, 4, "number of events", "rises by", "100%", True),
        (7, 4, "number of events", "rises by", "100%", False),
        (2, 4, "number of events", "drops by", "50%", True),
        (5, 4, "number of events", "drops by", "0", False),
        (5, None, "number of events", "greater than", "many", False),
    ],
)
def test_conditions(
    count: int, previous: float | None, counttype: str, relation: str, quantity: str, expected: bool
) -> None:
    assert judged(count, previous, counttype=counttype, relation=relation, quantity=quantity) is expected


def test_throttles_by_fields_and_over_a_restart(tmp_path: Path) -> None:
    now = [1000.0]
    path = tmp_path / "memory.json"
    settings = {"alert.suppress": "1", "alert.suppress.period": "5m", "alert.suppress.fields": "user, host"}
    stanza = Stanza("s", "a", settings)

    def held(memory: Memory, user: str, digest: bool = False) -> bool:
        return memory.suppressed(stanza, "g", [{"user": user, "host": "h"}], digest)

    memory = Memory(path, lambda: now[0])
    assert [held(memory, "ann"), held(memory, "bob"), held(memory, "ann")] == [False, False, True]
    assert memory.previous("g", 3) is None
    again = Memory(path, lambda: now[0])
    assert held(again, "bob")
    assert again.previous("g", 4) == 3
    assert again.remaining("g") == 300
    now[0] += 301
    assert not held(again, "bob")
    again.suppress("g", 50)
    assert held(again, "carl")
    again.suppress("g", 0)
    assert not held(again, "carl")


@pytest.mark.parametrize(
    ("schedule", "expected"),  # days and minutes from Thursday, 1 January 1970
    [
        ("*/15 * * * *", [(0, 15), (0, 30), (0, 45)]),
        ("5-10/5 0 * * *", [(0, 5), (0, 10), (1, 5)]),
        ("0 0 * 1 1-5", [(1, 0), (4, 0), (5, 0)]),
        ("0 12 1,15 * *", [(0, 720), (14, 720), (31, 720)]),
        ("0 0 * * 7", [(3, 0), (10, 0), (17, 0)]),
        ("0 0 2 * 1", [(1, 0), (4, 0), (11, 0)]),
    ],
)
def test_cron(schedule: str, expected: list[tuple[int, int]]) -> None:
    found, when = [], 0.0
    for _ in expected:
        when = cron.parse(schedule).next(when)
        found.append((int(when) // 86400, int(when) % 86400 // 60))
    assert found == expected


@pytest.mark.parametrize("schedule", ["* * * *", "61 * * * *", "* * * jan *", "5-1 * * * *", "*/0 * * * *"])
def test_bad_schedules_are_refused(schedule: str) -> None:
    with pytest.raises(SandboxError, match="cron_schedule"):
        cron.parse(schedule)


def test_tokens_and_the_xml_payload() -> None:
    tokens = {"name": "n", "result.f": "v"}
    assert replace_tokens("$name$ $result.f$ $result.none$ $other$ 5$", tokens) == "n v  $other$ 5$"
    payload = {"app": "a<b", "configuration": {"p": "x&y"}, "result": {"f": ["1", "2"], "g": "\x00z"}}
    root = ElementTree.fromstring(payload_xml("act", payload))
    assert root.findtext("app") == "a<b"
    assert root.findtext("configuration/stanza[@name='act']/param[@name='p']") == "x&y"
    assert [item.text for item in root.iterfind("result/field[@k='f']/value/text")] == ["1", "2"]


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("the condition did not come true")


def run(splunkd: Splunkd, saved: client.SavedSearch) -> Any:
    job = saved.dispatch(trigger_actions=1)
    until(lambda: splunkd.jobs.get(job.sid).alerted.is_set())
    return splunkd.saved.firings[-1]


def test_an_entry_shows_every_attribute(service: client.Service) -> None:
    saved = service.saved_searches.create("plain one", "| makeresults")
    for name, value in (("alert.expires", "24h"), ("dispatch.max_count", "500000"), ("max_concurrent", "1")):
        assert saved[name] == value
    assert (saved["is_scheduled"], saved["is_visible"], saved["alert.severity"]) == ("0", "1", "3")
    assert {"action.email", "action.rss", "action.script", "run_on_startup"} <= set(saved.content)
    assert "Errors in the last 24 hours" in service.saved_searches
    saved.update(cron_schedule="*/5 * * * *", is_scheduled=True).refresh()
    assert saved["next_scheduled_time"].endswith(" UTC")
    times = saved.scheduled_times("+1m", "+61m")
    assert len(times) == 12
    assert {when.minute % 5 for when in times} == {0}
    for bad in (
        {"cron_schedule": "often"},
        {"alert_comparator": "about"},
        {"alert_type": "sometimes"},
        {"alert.suppress.period": "a while"},
        {"search": "| nosuchcommand"},
        {"search": " "},
    ):
        with pytest.raises(client.HTTPError) as caught:
            saved.update(**bad)
        assert caught.value.status == 400


def test_fired_alerts_and_suppression(splunk: Splunk, service: client.Service) -> None:
    splunkd, _ = splunk
    saved = service.saved_searches.create(
        "loud",
        "| makeresults count=3",
        alert_type="number of events",
        alert_comparator="greater than",
        alert_threshold="2",
        **{"alert.track": "1", "alert.severity": "5", "alert.expires": "2h"},
    )
    assert run(splunkd, saved).triggered
    assert saved.suppressed == 0
    groups = {group.name: group.count for group in service.fired_alerts}
    assert groups == {"-": 1, "loud": 1}
    group = next(group for group in service.fired_alerts if group.name == "loud")
    alert = group.alerts.list()[0]
    assert service.fired_alerts[alert.name]["sid"] == alert["sid"]
    assert (alert["severity"], alert["savedsearch_name"], alert["triggered_alerts"]) == ("5", "loud", "3")
    saved.suppress(100)
    assert 98 <= saved.suppressed <= 100
    assert not run(splunkd, saved).triggered
    saved.unsuppress()
    assert saved.suppressed == 0
    assert run(splunkd, saved).triggered
    saved.update(alert_threshold="5")
    assert not run(splunkd, service.saved_searches["loud"]).triggered
    service.delete(f"alerts/fired_alerts/{alert.name}")
    assert {group.name: group.count for group in service.fired_alerts} == {"-": 1, "loud": 1}
    assert len(saved.history()) == 4


def test_arguments_of_a_dispatch(splunk: Splunk, service: client.Service) -> None:
    saved = service.saved_searches.create("with args", "| makeresults | eval a=$number$", **{"args.number": "1"})
    for arguments, expected in (({}, 1), ({"args.number": "7"}, 7)):
        job = saved.dispatch(**arguments)
        found = splunk[0].jobs.get(job.sid)
        found.finished.wait(10)
        assert found.outcome.rows[0]["a"] == expected
    saved.update(disabled=1)
    with pytest.raises(client.HTTPError):
        saved.dispatch()
    saved.dispatch(force_dispatch=1)


class _Receiver(BaseHTTPRequestHandler):
    bodies: list[Any]

    def do_POST(self) -> None:
        self.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://example.invalid/")
        else:
            self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[Any]]]:
    bodies: list[Any] = []
    server = HTTPServer(("127.0.0.1", 0), type("Receiver", (_Receiver,), {"bodies": bodies}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", bodies
    server.shutdown()
    server.server_close()
    thread.join()


def test_splunks_own_actions(splunk: Splunk, service: client.Service, receiver: tuple[str, list[Any]]) -> None:
    splunkd, _ = splunk
    url, bodies = receiver
    saved = service.saved_searches.create(
        "acting",
        '| makeresults count=3 | streamstats count as n | eval user="ann" | table user n',
        actions="email,webhook,lookup,logevent,script",
        **{
            "action.email.to": "soc@example.com",
            "action.email.subject": "$name$: $result.user$",
            "action.email.inline": "1",
            "action.email.maxresults": "2",
            "action.webhook.param.url": url + "/hook",
            "action.lookup.filename": "seen.csv",
            "action.logevent.param.event": "user=$result.user$ count=$job.resultCount$",
        },
    )
    firing = run(splunkd, saved)
    assert {result.action: result.ok for result in firing.results} == {
        **dict.fromkeys(("email", "webhook", "lookup", "logevent"), True),
        "script": False,
    }
    message = email.message_from_bytes(outbox(splunkd.home.root)[0].read_bytes())
    assert (message["To"], message["Subject"]) == ("soc@example.com", "acting: ann")
    assert "user,n\nann,1\nann,2\n" in message.get_payload()
    assert bodies[0]["search_name"] == "acting"
    assert bodies[0]["result"] == {"user": "ann", "n": "1"}
    from .test_apps import rows

    assert len(rows(splunkd, "| inputlookup seen.csv", app="search")) == 3
    assert rows(splunkd, "search index=main source=alert:acting | table user count") == [{"user": "ann", "count": "3"}]


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"actions": "webhook", "action.webhook.param.url": "http://example.invalid/"}, "allow list"),
        ({"actions": "webhook", "action.webhook.param.url": "file:///etc/passwd"}, "Invalid webhook URL"),
        ({"actions": "email"}, "no recipient"),
        ({"actions": "lookup", "action.lookup.filename": "../x.csv"}, "name of a CSV file"),
        (
            {"actions": "logevent", "action.logevent.param.event": "x", "action.logevent.param.index": "no"},
            "does not exist",
        ),
    ],
)
def test_actions_that_cannot_be(splunk: Splunk, service: client.Service, settings: dict[str, str], word: str) -> None:
    saved = service.saved_searches.create("acting", "| makeresults", **settings)
    result = run(splunk[0], saved).results[0]
    assert not result.ok
    assert word in result.text


def test_a_webhook_follows_no_redirect(
    splunk: Splunk, service: client.Service, receiver: tuple[str, list[Any]]
) -> None:
    settings = {"actions": "webhook", "action.webhook.param.url": receiver[0] + "/away"}
    result = run(splunk[0], service.saved_searches.create("away", "| makeresults", **settings)).results[0]
    assert (result.ok, "302" in result.text) == (False, True)


def test_private_searches_run_as_their_owner(splunk: Splunk) -> None:
    splunkd, _ = splunk
    splunkd.users.save("ann", "ann-password", ["power"])
    settings = {"search": "| makeresults", "enableSched": "1", "cron_schedule": "* * * * *"}
    splunkd.confs.write("savedsearches", "hers", settings, "search", owner="ann")
    splunkd.scheduler.tick(splunkd.clock())
    hers = next(stanza for stanza in splunkd.saved.all() if stanza.name == "hers")
    assert "hers" in splunkd.scheduler.tick((splunkd.scheduler.next_time(hers) or 0) + 1)
    job = until(lambda: [job for job in splunkd.jobs.list() if job.request.label == "hers"])[0]
    assert job.request.owner == "ann"
    assert job.sid.startswith("scheduler__ann__search__")


def test_a_next_start_can_be_moved_once(splunk: Splunk, service: client.Service) -> None:
    scheduler = splunk[0].scheduler
    saved = service.saved_searches.create("moved", "| makeresults", cron_schedule="0 3 1 1 *", is_scheduled=True)
    path = "/servicesNS/admin/search/saved/searches/moved/reschedule"
    service.post(path, schedule_time="+1h")
    now = splunk[0].clock()
    assert "moved" not in scheduler.tick(now)
    assert "moved" in scheduler.tick(now + 3601)
    assert "moved" not in scheduler.tick(now + 3602)
    saved.refresh()
    assert saved["next_scheduled_time"][4:16] == "-01-01 03:00"
    saved.update(is_scheduled=False)
    with pytest.raises(client.HTTPError, match="not scheduled"):
        service.post(path)
