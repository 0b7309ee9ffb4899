"""The framework of the app's REST API: who is let in, what is refused and how, versions, the audit trail."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from apisec_app.rest.resources import TABLE
from apisec_app.rest.resources.meta import ABOUT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from splunklib.binding import HTTPError

from apisec.http import openapi
from apisec.http.table import MAX_VALUE, Answer, Operation, Table, query_values
from apisec.patterns.regex import Regex
from tests.package.rest_rig import IDS, LOG, ORDERS, SYSTEM, Rig
from tests.support.app import ROOT


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_the_document_is_openapi_and_says_every_operation() -> None:
    document = openapi.document(TABLE, ABOUT)
    validate(document)
    said = {(path, method.upper()) for path, item in document["paths"].items() for method in item}
    assert said == {(one.path, one.method) for one in TABLE.operations}
    text = json.dumps(document)
    for name in TABLE.schemas:
        assert f'"#/components/schemas/{name}"' in text, f"{name} is used nowhere"


def test_it_is_served(rig: Rig) -> None:
    assert rig.get("/openapi.json", "eve") == json.loads(json.dumps(openapi.document(TABLE, ABOUT)))


# Addresses and methods


@pytest.mark.parametrize("path", ["/operations", "/operations/", "//operations"])
def test_slashes_around_an_address_do_not_matter(rig: Rig, path: str) -> None:
    assert rig.ask("GET", path)[0] == 200


def test_the_whole_path_will_do_where_splunkd_gives_no_rest_of_it(rig: Rig) -> None:
    request = {"method": "GET", "server": {"rest_uri": "https://x"}, "system_authtoken": SYSTEM}
    request |= {"session": {"authtoken": "ann"}, "rest_path": "/apisec/v1/whoami"}
    assert rig.app.answer(request)["status"] == 200
    assert rig.app.answer({**request, "rest_path": "/apisec/v1"})["status"] == 404


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/nothing", 404, None),
        ("GET", "/operations/xyz", 404, None),
        ("GET", f"/operations/{'0' * 16}", 404, None),
        ("GET", "/" + "a" * 3_000, 414, None),
        ("POST", "/operations", 405, "GET, HEAD, OPTIONS"),
        ("TRACE", "/whoami", 405, "GET, HEAD, OPTIONS"),
        ("OPTIONS", "/whoami", 204, "GET, HEAD, OPTIONS"),
        ("HEAD", "/whoami", 200, None),
        ("HEAD", "/nothing", 404, None),
    ],
)
def test_methods_and_addresses(rig: Rig, method: str, path: str, status: int, allow: str | None) -> None:
    answer = rig.raw(method, path)
    assert (answer["status"], answer["headers"].get("Allow")) == (status, allow)
    if method in ("HEAD", "OPTIONS"):
        assert answer["payload"] == ""


# Who


def test_rights_come_before_everything_that_can_be_asked(rig: Rig) -> None:
    status, problem = rig.ask("GET", "/operations?limit=wrong", "eve")
    assert (status, problem["title"]) == (403, "Forbidden")
    assert "apisec_read" in problem["detail"]
    assert rig.ask("GET", "/whoami", "eve")[0] == 200
    assert rig.ask("GET", "/whoami", "")[0] == 401


def test_a_session_that_is_over_is_told(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support.kv_memory import _error

    def over(*_: Any) -> Any:
        raise _error(401)

    monkeypatch.setattr(rig.app, "_caller_of", over)
    assert rig.ask("GET", "/whoami")[0] == 401


def test_nobody_sees_anything_while_a_teams_document_is_damaged(rig: Rig) -> None:
    rig.kv.fill("apisec_teams", {"_key": "red", "version": 99})
    for who in ("ann", "root"):
        status, problem = rig.ask("GET", "/operations", who)
        assert (status, problem["title"]) == (503, "Not available")
        assert "red" in problem["detail"]


# What is sent


def change(path: str = "/services/shop/paths:pin") -> dict[str, Any]:
    return {"method": "POST", "path": path, "who": "ann"}


PIN = {"place": ["users"], "word": "userabx", "meaning": "fixed", "reason": "a page"}


@pytest.mark.parametrize(
    ("body", "headers", "status", "text"),
    [
        ("", {}, 400, "empty"),
        ("{", {}, 400, "not JSON"),
        ('{"a":1,"a":2}', {}, 400, "twice"),
        (PIN, {"Content-Type": "application/x-www-form-urlencoded"}, 415, "x-www-form-urlencoded"),
        (PIN, {"Content-Type": ""}, 415, "no media type"),
        ([PIN], {}, 422, "must be an object"),
        ({**PIN, "word": "a/b"}, {}, 422, "/word"),
        ({**PIN, "extra": 1}, {}, 422, "/extra"),
        ({"place": []}, {}, 422, "lacks"),
        (" " * 300_000, {}, 413, "262144 bytes"),
        (PIN, {"Accept": "text/html"}, 406, "Accept"),
    ],
)
def test_bodies_that_are_refused_say_why(rig: Rig, body: Any, headers: Any, status: int, text: str) -> None:
    found, problem = rig.ask("POST", "/services/shop/paths:pin", "root", body, headers)
    assert found == status
    assert text in problem["detail"]
    assert problem["remedy"]
    assert rig.kv.writes == 0


def test_splunks_own_parameters_are_no_parameters(rig: Rig) -> None:
    assert rig.ask("GET", "/whoami?output_mode=json&_=17")[0] == 200
    assert rig.ask("GET", "/whoami?count=5")[0] == 400


# Versions


def test_who_has_the_version_gets_no_body(rig: Rig) -> None:
    first = rig.raw("GET", "/operations")
    again = rig.raw("GET", "/operations", headers={"If-None-Match": first["headers"]["ETag"]})
    assert (again["status"], again["payload"]) == (304, "")
    assert again["headers"]["ETag"] == first["headers"]["ETag"]
    assert rig.raw("GET", "/operations", headers={"If-None-Match": '"old"'})["status"] == 200
    other = rig.raw("GET", "/operations?limit=1")
    assert other["headers"]["ETag"] != first["headers"]["ETag"]


# Faults of ours


def broken(error: Exception) -> Rig:
    def handler(_: Any) -> Answer:
        raise error

    rows = [Operation("x", method, "/x", "apisec_read", "", handler) for method in ("GET", "DELETE")]
    rows[1] = Operation("y", "DELETE", "/x", "apisec_read", "", handler)
    return Rig(Table(rows, {}))


def test_a_crash_says_nothing_but_an_id_that_the_log_holds(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, LOG.name):
        status, problem = broken(KeyError("a secret")).ask("GET", "/x")
    assert (status, problem["title"]) == (500, "Internal error")
    assert "secret" not in json.dumps(problem)
    assert problem["id"] in caplog.text
    assert "a secret" in caplog.text


def answered(status: int) -> HTTPError:
    from tests.support.kv_memory import _error

    return _error(status)


@pytest.mark.parametrize(("refused", "status"), [(403, 403), (404, 502), (500, 502), (503, 502)])
def test_what_splunkd_refuses_is_told_without_its_words(refused: int, status: int) -> None:
    found, problem = broken(answered(refused)).ask("GET", "/x")
    assert found == status
    assert problem["remedy"]


def test_a_refused_change_is_in_the_audit_trail() -> None:
    rig = broken(answered(403))
    rig.ask("DELETE", "/x")
    (event,) = rig.kv.events
    assert (event["user"], event["call"], event["status"], event["http_status"]) == ("ann", "y", "failure", 403)


# The audit trail


def test_a_change_is_told_with_before_after_and_why(rig: Rig) -> None:
    before = rig.raw("GET", "/services/shop/paths/pins", "root")["headers"]["ETag"]
    answer = rig.raw("POST", "/services/shop/paths:pin", "root", PIN, {"If-Match": before})
    assert answer["status"] == 202
    (event,) = rig.kv.events
    assert event == {
        "version": 1, "time": rig.now, "user": "root", "call": "pinWord", "method": "POST", "status": "success",
        "path": "/services/{service}/paths:pin", "parameters": {"service": "shop"}, "http_status": 202,
        "what": "paths of shop", "team": "red", "before": before, "after": answer["headers"]["ETag"],
        "reason": "a page",
    }  # fmt: skip


def test_the_log_has_the_change_when_splunk_refuses_the_event(
    rig: Rig, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = rig.kv.post

    def post(path: str, **more: Any) -> Any:
        if path == "receivers/simple":
            raise answered(400)
        return real(path, **more)

    monkeypatch.setattr(rig.kv, "post", post)
    with caplog.at_level(logging.INFO, LOG.name):
        assert rig.ask("POST", "/services/shop/paths:pin", "root", PIN)[0] == 202
    assert '"call":"pinWord"' in caplog.text
    assert "the audit event was refused" in caplog.text


def test_an_event_goes_to_the_index_of_the_team(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.kv.fill("apisec_teams", {"_key": "red", "version": 1, "index": "apisec_red", "owns": []})
    real, indexes = rig.kv.post, []

    def post(path: str, **more: Any) -> Any:
        indexes.append(more.get("index"))
        return real(path, **more)

    monkeypatch.setattr(rig.kv, "post", post)
    assert rig.ask("POST", "/services/shop/paths:pin", "root", PIN)[0] == 202
    assert [one for one in indexes if one] == ["apisec_red"]


def test_a_change_that_mends_a_damaged_team_is_done_and_told() -> None:
    def mend(call: Any) -> Answer:
        call.system.fill("apisec_paths", {"_key": "mended"})
        return Answer(204, audit={"what": "team red", "team": "red", "reason": "it was damaged"})

    rig = Rig(Table([Operation("mend", "POST", "/x", "apisec_admin", "", mend)], {}))
    rig.kv.fill("apisec_teams", {"_key": "red", "version": 99})
    assert rig.ask("POST", "/x", "root")[0] == 204
    assert rig.kv.events[0]["what"] == "team red"


def test_reading_leaves_no_trace(rig: Rig) -> None:
    rig.get(f"/operations/{IDS[ORDERS]}")
    assert rig.kv.events == []
    assert rig.kv.writes == 0


# The page about it


def test_every_address_of_the_page_leads_to_an_operation() -> None:
    page = (ROOT / "docs/rest.md").read_text("utf-8")
    addresses = re.findall(r"\$API(/[^\s\"'?)]+)", page)
    assert len(addresses) > 15
    for address in addresses:
        TABLE.find(address)
    queries = re.findall(r"\$API(/[^\s\"'?)]+)\?([^\s\"]+)\"", page)
    assert len(queries) > 5
    for address, query in queries:
        operation = TABLE.operation(TABLE.find(address), "GET")
        pairs = [pair.split("=", 1) for pair in query.split("&")]
        if "limt" in query:
            continue
        assert query_values(operation, pairs)


# What is promised of every row


def patterns(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        for one in schema.values():
            yield from patterns(one)
    elif isinstance(schema, (list, tuple)):
        for one in schema:
            yield from patterns(one)


def test_patterns_do_not_backtrack_into_each_other() -> None:
    asked = [TABLE.schemas[one.takes] for one in TABLE.operations if one.takes and not one.raw]
    found = {one for schema in (TABLE.schemas, asked) for one in patterns(schema)}
    found |= {one for row in TABLE.operations for parameter in row.parameters for one in patterns(parameter.schema)}
    assert len(found) > 5
    item = r"\[A-Za-z_\]\[A-Za-z0-9_\]\{0,63\}"
    for pattern in found:
        if not re.fullmatch(
            rf"\^{item}\(,{item}\)\{{0,39\}}\$", pattern
        ):  # names between commas, which none of them holds
            Regex(pattern)  # refuses nested quantifiers


def test_every_change_needs_a_right_and_every_parameter_fits_in() -> None:
    for row in TABLE.operations:
        assert row.capability or not row.changes, f"{row.name} changes something for anybody"
        for one in row.parameters:
            assert one.schema.get("maxLength", 0) <= MAX_VALUE, f"{row.name}: {one.name} promises more than is read"


TEXTS = st.text(max_size=20) | st.sampled_from(["%2e%2e", "..", "a/b", "\x00", "\ud800", "ä", "{id}", "'", '"'])
PATHS = st.sampled_from([row.path for row in TABLE.operations])
FORM = {"Content-Type": "application/json"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), path=PATHS, method=st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "ODD"]))
def test_whatever_comes_is_answered_as_documented(data: st.DataObject, path: str, method: str, wide: Rig) -> None:
    """Rows of the table with any text for their parameters and bodies: an answer, a status, and never a crash."""
    known = st.sampled_from(["shop", "bank", IDS[ORDERS], "red", "apisec_inventory"])
    address = re.sub(r"\{[^}]+\}", lambda _: data.draw(known | TEXTS), path)
    row = next((one for one in TABLE.operations if (one.path, one.method) == (path, method)), None)
    asked = [one.name for one in row.parameters if one.where == "query"] if row else ["x"]
    query = data.draw(st.lists(st.tuples(st.sampled_from([*asked, "x"]), TEXTS | st.integers().map(str)), max_size=3))
    headers = data.draw(
        st.lists(st.tuples(st.sampled_from(["If-Match", "If-None-Match", "Accept"]), TEXTS), max_size=2)
    )
    payload = data.draw(TEXTS | st.recursive(st.none() | st.integers() | TEXTS, st.lists).map(json.dumps))
    request = {
        "method": method, "path_info": address.lstrip("/"), "query": query, "headers": [*FORM.items(), *headers],
        "payload": payload, "server": {"rest_uri": "https://x"}, "system_authtoken": SYSTEM,
        "session": {"authtoken": data.draw(st.sampled_from(["ann", "root", "eve"]))},
    }  # fmt: skip
    answer = wide.app.answer(request)
    assert answer["status"] < 500 or answer["status"] == 502, answer
    json.dumps(answer).encode()  # splunkd gets it as JSON
    if answer["payload"]:
        json.loads(answer["payload"])
    if answer["status"] >= 400 and method != "HEAD":
        assert {"status", "title", "detail", "remedy"} <= json.loads(answer["payload"]).keys()


@pytest.fixture(scope="module")
def wide() -> Rig:
    """One Splunk for many questions; what is changed in it stays changed."""
    return Rig()
