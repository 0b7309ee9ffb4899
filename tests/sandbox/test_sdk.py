"""An unmodified splunk-sdk against the stand-in."""

from __future__ import annotations

import json
import time

import pytest
import requests
import splunklib.client as client
import splunklib.results as results
from splunklib.binding import AuthenticationError, HTTPError

from apisec_sandbox.splunkd.indexes import Event
from apisec_sandbox.splunkd.server import Addresses, Splunkd
from tests.support.at_rest import texts

from .conftest import connect

Splunk = tuple[Splunkd, Addresses]


def fill(splunkd: Splunkd, count: int = 5) -> None:
    now = time.time()
    splunkd.store.append(
        Event(
            now - number,
            now,
            "h",
            "s",
            "app:json",
            json.dumps({"n": number, "user": "alice", "status": 200 + number}),
            {},
        )
        for number in range(count)
    )


def wait(job: client.Job) -> None:
    deadline = time.monotonic() + 20
    while not job.is_done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_login_info_and_apps(service: client.Service) -> None:
    assert service.splunk_version >= (9, 0, 2)
    assert service.info["product_type"] == "enterprise"
    assert "testapp" in service.apps
    assert service.apps["testapp"]["version"] == "1.2.3"


def test_wrong_password_is_refused(splunk: Splunk) -> None:
    with pytest.raises(AuthenticationError):
        connect(splunk[1], password="wrong-password")


def test_jobs_normal_blocking_oneshot_export(splunk: Splunk, service: client.Service) -> None:
    fill(splunk[0])
    job = service.jobs.create("search index=main | stats count by user")
    wait(job)
    assert int(job["resultCount"]) == 1
    rows = [row for row in results.JSONResultsReader(job.results(output_mode="json")) if isinstance(row, dict)]
    assert rows == [{"user": "alice", "count": "5"}]
    blocking = service.jobs.create("search index=main | head 2", exec_mode="blocking")
    assert blocking.is_done()
    assert int(blocking["eventCount"]) == 2
    once = results.JSONResultsReader(service.jobs.oneshot("search index=main | table n", output_mode="json", count=3))
    assert [row["n"] for row in once if isinstance(row, dict)] == ["0", "1", "2"]
    stream = results.JSONResultsReader(service.jobs.export("search index=main | table n", output_mode="json"))
    assert [row["n"] for row in stream if isinstance(row, dict)] == ["0", "1", "2", "3", "4"]
    blocking.cancel()
    with pytest.raises(HTTPError) as caught:
        blocking.refresh()
    assert caught.value.status == 404


def test_xml_results_and_paging(splunk: Splunk, service: client.Service) -> None:
    fill(splunk[0])
    job = service.jobs.create("search index=main | sort n | table n user", exec_mode="blocking")
    text = job.results(count=2, offset=1).read().decode()
    assert text.count("<result offset=") == 2
    assert "<result offset='1'>" in text
    page = json.loads(job.results(output_mode="json", offset=3).read())
    assert [row["n"] for row in page["results"]] == ["3", "4"]
    columns = json.loads(job.preview(output_mode="json_cols").read())
    assert columns["fields"] == ["n", "user"]
    assert columns["columns"][0] == ["0", "1", "2", "3", "4"]


def test_post_process_search(splunk: Splunk, service: client.Service) -> None:
    fill(splunk[0])
    job = service.jobs.create("search index=main | table n user", exec_mode="blocking")
    reply = service.get(f"search/v2/jobs/{job.sid}/results_preview", search="stats sum(n) as total", output_mode="json")
    assert json.loads(reply.body.read())["results"] == [{"total": "10"}]


def test_unknown_command_and_bad_time_are_400(service: client.Service) -> None:
    with pytest.raises(HTTPError) as caught:
        service.jobs.create("search index=main | stat count")
    assert caught.value.status == 400
    assert "Unknown search command 'stat'" in str(caught.value)
    with pytest.raises(HTTPError) as caught:
        service.jobs.create("search index=main", earliest_time="yesterday-ish")
    assert caught.value.status == 400


def test_parser(service: client.Service) -> None:
    parsed = json.loads(service.parse("search index=main | stats count", output_mode="json").body.read())
    assert [item["command"] for item in parsed["commands"]] == ["search", "stats"]
    with pytest.raises(HTTPError):
        service.parse("search index=main | nonsense")


def test_kvstore(splunk: Splunk) -> None:
    service = connect(splunk[1], owner="nobody", app="testapp")
    assert "things" in service.kvstore
    data = service.kvstore["things"].data
    key = data.insert(json.dumps({"n": 1, "name": "one"}))["_key"]
    assert data.query_by_id(key)["name"] == "one"
    with pytest.raises(HTTPError) as caught:
        data.insert(json.dumps({"_key": key}))
    assert caught.value.status == 409
    assert len(data.batch_save(*[{"_key": f"k{n}", "n": n} for n in range(2, 6)])) == 4
    found = data.query(query=json.dumps({"n": {"$gte": 2, "$lt": 5}}), sort="n:-1", fields="n", skip=1)
    assert [row["n"] for row in found] == [3, 2]
    assert all(set(row) == {"n", "_key"} for row in found)
    assert [len(part) for part in data.batch_find({"query": {"n": 2}}, {"query": {"$or": [{"n": 3}, {"n": 4}]}})] == [
        1,
        2,
    ]
    data.update("k2", json.dumps({"n": 20}))
    assert data.query_by_id("k2") == {"n": 20, "_key": "k2", "_user": "nobody"}
    data.delete(query=json.dumps({"n": {"$gt": 3}}))
    assert sorted(row["n"] for row in data.query()) == [1, 3]
    data.delete_by_id(key)
    with pytest.raises(HTTPError) as caught:
        data.query_by_id(key)
    assert caught.value.status == 404
    service.kvstore.create("made", fields={"a": "number"})
    assert "made" in service.kvstore
    service.kvstore["made"].delete()
    assert "made" not in service.kvstore


def test_storage_passwords(splunk: Splunk) -> None:
    service = connect(splunk[1], owner="nobody", app="testapp")
    made = service.storage_passwords.create("s3cret value", "user/ü:x", "realm one")
    assert made.clear_password == "s3cret value"
    held = [item for item in service.storage_passwords if item.username == "user/ü:x"]
    assert held[0].realm == "realm one"
    assert held[0].clear_password == "s3cret value"
    with pytest.raises(HTTPError) as caught:
        service.storage_passwords.create("again", "user/ü:x", "realm one")
    assert caught.value.status == 409
    assert not [name for name, text in texts(splunk[0].home.root).items() if b"s3cret value" in text]
    service.storage_passwords.delete("user/ü:x", "realm one")
    assert len(service.storage_passwords) == 0


def test_confs(splunk: Splunk) -> None:
    service = connect(splunk[1], owner="nobody", app="testapp")
    conf = service.confs.create("mything")
    stanza = conf.create("a stanza/with slash & <xml> ü", key="value", n=1)
    assert stanza["key"] == "value"
    assert service.confs["mything"]["a stanza/with slash & <xml> ü"]["n"] == "1"
    stanza.submit({"key": "other"})
    stanza.refresh()
    assert stanza["key"] == "other"
    with pytest.raises(HTTPError) as caught:
        conf.create("a stanza/with slash & <xml> ü")
    assert caught.value.status == 409
    stanza.delete()
    assert len(conf) == 0
    assert service.confs["macros"]["idx"]["definition"] == "index=main"


def test_saved_searches(splunk: Splunk) -> None:
    service = connect(splunk[1], owner="nobody", app="testapp")
    fill(splunk[0])
    saved = service.saved_searches.create(
        "of mine", "search index=main | stats count", **{"dispatch.earliest_time": "-1h"}
    )
    assert saved["search"] == "search index=main | stats count"
    job = saved.dispatch()
    wait(job)
    assert [row["count"] for row in results.JSONResultsReader(job.results(output_mode="json"))] == ["5"]
    assert [item.sid for item in saved.history()] == [job.sid]
    saved.update(search="search index=main | stats dc(n) as d", description="changed").refresh()
    assert saved["description"] == "changed"
    with pytest.raises(HTTPError) as caught:
        saved.update(nonsense="1")
    assert caught.value.status == 400
    saved.delete()
    assert "of mine" not in service.saved_searches
    assert "many failures" in service.saved_searches


def test_indexes_users_roles_messages_inputs(splunk: Splunk, service: client.Service) -> None:
    assert {"main", "summary", "team_red"} <= {index.name for index in service.indexes}
    service.indexes.create("fresh")
    assert service.indexes["fresh"]["totalEventCount"] == "0"
    with pytest.raises(HTTPError) as caught:
        service.indexes.create("fresh")
    assert caught.value.status == 409
    service.users.create(username="eve", password="password-of-eve", roles=["red"])
    assert service.users["eve"].role_entities[0].name == "red"
    assert "test_block" in service.roles["red"]["capabilities"]
    assert "test_block" in service.capabilities
    service.messages.create("note", value="a < b & c")
    assert service.messages["note"].value == "a < b & c"
    service.messages["note"].delete()
    assert "ticker" in [item.name for item in service.modular_input_kinds]
    made = service.inputs.create("gen", "ticker", step="2", interval="3600")
    assert made["step"] == "2"
    with pytest.raises(HTTPError) as caught:
        service.inputs.create("bad", "ticker", step="x")
    assert caught.value.status == 400
    assert "step must be a number" in str(caught.value)


def test_index_permissions_hold_in_search(splunk: Splunk) -> None:
    splunkd, addresses = splunk
    fill(splunkd)
    splunkd.store.append([Event(time.time(), 0, "h", "s", "t", "only red", {}, "team_red")])
    splunkd.users.save("eve", "password-of-eve", ["red"])
    eve = connect(addresses, username="eve", password="password-of-eve")
    rows = list(
        results.JSONResultsReader(eve.jobs.oneshot("search index=* | stats count by index", output_mode="json"))
    )
    # role_red imports user, whose own srchIndexesAllowed is *
    assert {row["index"] for row in rows} == {"main", "team_red"}
    splunkd.confs.write("authorize", "role_user", {"srchIndexesAllowed": "team_red"}, "system")
    rows = list(
        results.JSONResultsReader(eve.jobs.oneshot("search index=* | stats count by index", output_mode="json"))
    )
    assert rows == [{"index": "team_red", "count": "1"}]
    with pytest.raises(HTTPError) as caught:
        eve.indexes.create("mine")
    assert caught.value.status == 403


def test_errors_have_splunks_shape(splunk: Splunk) -> None:
    base = splunk[1].mgmt
    bad = requests.get(f"{base}/services/server/info", headers={"Authorization": "Splunk nonsense"}, timeout=10)
    assert (bad.status_code, bad.headers["Connection"]) == (401, "keep-alive")
    assert '<msg type="WARN">call not properly authenticated</msg>' in bad.text
    login = requests.post(
        f"{base}/services/auth/login", data={"username": "admin", "password": "x", "output_mode": "json"}, timeout=10
    )
    assert (login.status_code, login.json()) == (
        401,
        {"messages": [{"type": "WARN", "code": "incorrect_username_or_password", "text": "Login failed"}]},
    )
    password = splunk[1].admin_password_file.read_text()
    missing = requests.get(
        f"{base}/services/search/jobs/none", auth=("admin", password), params={"output_mode": "json"}, timeout=10
    )
    assert (missing.status_code, missing.json()["messages"][0]["text"]) == (404, "Unknown sid.")
    nowhere = requests.get(f"{base}/services/no/such", auth=("admin", password), timeout=10)
    assert nowhere.status_code == 404


def test_cookie_and_bearer(splunk: Splunk) -> None:
    base, password = splunk[1].mgmt, splunk[1].admin_password_file.read_text()
    session = requests.Session()
    form = {"username": "admin", "password": password, "cookie": "1", "output_mode": "json"}
    key = session.post(f"{base}/services/auth/login", data=form, timeout=10).json()["sessionKey"]
    about = session.get(f"{base}/services/authentication/current-context", params={"output_mode": "json"}, timeout=10)
    assert about.json()["entry"][0]["content"]["username"] == "admin"
    made = requests.post(
        f"{base}/services/authorization/tokens",
        params={"output_mode": "json"},
        headers={"Authorization": f"Splunk {key}"},
        data={"name": "admin", "audience": "tests"},
        timeout=10,
    )
    token = made.json()["entry"][0]["content"]["token"]
    info = requests.get(f"{base}/services/server/info", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert info.status_code == 200


def test_submit_takes_one_event(service: client.Service) -> None:
    service.indexes["main"].submit('{"n": 7}', host="h1", source="unit", sourcetype="app:json")
    stream = service.jobs.oneshot("search index=main source=unit | table n host sourcetype", output_mode="json")
    assert json.loads(stream.read())["results"] == [{"n": "7", "host": "h1", "sourcetype": "app:json"}]
