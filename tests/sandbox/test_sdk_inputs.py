"""splunk-sdk's indexes and inputs: making, editing, switching, submitting, streaming, uploading, cleaning.

Behaviour as splunk-sdk documents it (Index, Inputs, Input) and the REST API Reference ("data/indexes",
"data/inputs/…", "receivers/…").
"""

from __future__ import annotations

import contextlib
import gzip
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import splunklib.client as client
from splunklib.binding import HTTPError

from apisec_sandbox.splunkd.server import Addresses, Options, Splunkd, running

from .conftest import connect

Splunk = tuple[Splunkd, Addresses]


@pytest.fixture
def index(service: client.Service) -> client.Index:
    return service.indexes.create("sdk-index")


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def count(index: client.Index) -> int:
    return int(index.refresh()["totalEventCount"])


def test_an_index_is_made_switched_edited_and_removed(service: client.Service, index: client.Index) -> None:
    assert (index["disabled"], index["sync"], index["datatype"]) == ("0", "0", "event")
    assert service.indexes.get_default() == "main"
    for switch, state in ((index.disable, "1"), (index.enable, "0")):
        switch()
        assert index.refresh()["disabled"] == state
        assert "sdk-index" in service.indexes
    index.update(maxTotalDataSizeMB=100, syncMeta=False).refresh()
    assert (index["maxTotalDataSizeMB"], index["syncMeta"]) == ("100", "0")
    for wrong in ({"nonsense": "1"}, {"maxTotalDataSizeMB": "much"}):
        with pytest.raises(HTTPError) as caught:
            index.update(**wrong)
        assert caught.value.status == 400
    with pytest.raises(HTTPError) as twice:
        service.indexes.create("sdk-index")
    assert (twice.value.status, "name=sdk-index already exists" in str(twice.value)) == (409, True)
    service.indexes.delete("sdk-index")
    assert "sdk-index" not in service.indexes


def test_events_are_submitted_and_cleaned(splunk: Splunk, service: client.Service, index: client.Index) -> None:
    index.submit("Hello again!", sourcetype="Boris", host="meep")
    assert count(index) == 1
    rows = service.jobs.oneshot("search index=sdk-index | table host sourcetype _raw", output_mode="csv").read()
    assert rows.decode().splitlines()[1] == "meep,Boris,Hello again!"
    now = splunk[0].clock()
    splunk[0].clock = lambda: now + 5  # retention looks at the age of the newest event
    index.clean(timeout=5)
    assert count(index) == 0
    assert index["frozenTimePeriodInSecs"] == "188697600"


def test_simple_receivers_say_what_they_took(splunk: Splunk, index: client.Index) -> None:
    with requests.Session() as web:
        web.trust_env = False
        web.auth = ("admin", splunk[1].admin_password_file.read_text())
        url = splunk[1].mgmt + "/services/receivers/simple"
        given = {"index": index.name, "sourcetype": "t", "output_mode": "json"}
        answer = web.post(url, params=given, data="Straße".encode(), timeout=10)
        assert (answer.status_code, answer.json()["bytes"], answer.json()["index"]) == (200, 7, index.name)
        missing = web.post(url, params={"index": "none"}, data=b"x", timeout=10)
        assert (missing.status_code, "supplied index 'none' missing" in missing.text) == (400, True)
        assert web.post(url, data=b"", timeout=10).status_code == 400


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[Addresses]:
    """A stand-in with TLS: the SDK's attach wants the socket of an encrypted connection."""
    with running(tmp_path / "home", Options(schedule=False)) as (_, addresses):
        yield addresses


@pytest.mark.filterwarnings("ignore:ssl.OP_NO_")
@pytest.mark.parametrize("how", ["cookie", "token", "bad cookie besides"])
def test_events_come_through_an_attached_socket(secured: Addresses, how: str) -> None:
    service = connect(secured)
    index = service.indexes.create("sdk-index")
    if how == "token":
        place = {"host": service.host, "port": service.port, "scheme": service.scheme}
        service = client.Service(token=service.token.removeprefix("Splunk "), **place)
    elif how != "cookie":
        service.get_cookies()["bad"] = "cookie"
    with contextlib.closing(service.indexes[index.name].attach(host="far", source="wire", sourcetype="t")) as attached:
        attached.send(b"first line\r\nsecond ")
        eventually(lambda: count(index) == 1)  # a whole line is there while the socket stays open
        attached.send(b"line\r\n")
    eventually(lambda: count(index) == 2)
    with index.attached_socket() as socket:
        socket.send(b"third\r\n")
    eventually(lambda: count(index) == 3)


@pytest.mark.filterwarnings("ignore:ssl.OP_NO_")
def test_an_attached_socket_needs_a_session(secured: Addresses) -> None:
    service = connect(secured)
    service.logout()
    path = "/services/receivers/stream?index=main"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nX-Splunk-Input-Mode: Streaming\r\nAuthorization: Splunk no\r\n\r\n"
    with contextlib.closing(service.connect()) as socket:
        socket.settimeout(10)
        socket.send(head.encode())
        assert socket.recv(100).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_of_the_server_is_uploaded(index: client.Index, tmp_path: Path, packed: bool) -> None:
    path = tmp_path / ("log.txt.gz" if packed else "log.txt")
    text = "".join(f"2026-01-0{number} 10:00:00 line {number}\n" for number in range(1, 5)).encode()
    path.write_bytes(gzip.compress(text) if packed else text)
    index.upload(str(path))
    assert count(index) == 4
    assert index["minTime"].startswith("2026-01-01T10:00:00")


def test_a_missing_file_is_refused(service: client.Service) -> None:
    for name in ("relative.txt", "/no/such/file"):
        with pytest.raises(HTTPError) as caught:
            service.inputs.oneshot(name)
        assert (caught.value.status, name in str(caught.value)) == (400, True)


def test_kinds_of_inputs(service: client.Service) -> None:
    assert {"http", "monitor", "script", "tcp/cooked", "tcp/raw", "udp"} <= set(service.inputs.kinds)
    with pytest.raises(HTTPError) as caught:
        service.inputs.get("no-such-kind")
    assert caught.value.status == 404


@pytest.mark.parametrize("kind", ["tcp", "splunktcp", "udp"])
def test_network_inputs(service: client.Service, kind: str) -> None:
    made = service.inputs.create("10001", kind, host="sdk-test")
    assert (made.refresh().host, made.name) == ("sdk-test", "10001")
    made.update(host="foo").refresh()
    assert made.host == "foo"
    assert isinstance(service.inputs["10001", kind], client.Input)
    for wrong in ({"name": "boris:10000"}, {"name": "99999"}, {"name": "10001", "restrictToHost": "boris"}):
        with pytest.raises(HTTPError) as caught:
            service.inputs.create(wrong.pop("name"), kind, **wrong)
        assert caught.value.status == 400
    made.delete()
    assert "10001" not in service.inputs


def test_restricted_inputs_share_a_port(service: client.Service) -> None:
    made = [service.inputs.create("10002", "tcp", restrictToHost=host) for host in ("boris", "natasha")]
    assert [entity.refresh().name for entity in made] == ["boris:10002", "natasha:10002"]
    with pytest.raises(client.IllegalOperationException):
        made[0].update(restrictToHost="hilda")
    for entity in made:
        entity.delete()


def test_an_ambiguous_name_needs_its_kind(service: client.Service) -> None:
    for kind in ("tcp", "udp"):
        service.inputs.create("10003", kind)
    with pytest.raises(client.AmbiguousReferenceException):
        service.inputs.delete("10003")
    service.inputs.delete("10003", "udp")
    assert {entity.name for entity in service.inputs.list("tcp", "udp")} == {"10003"}


def test_monitors_are_listed_page_by_page(service: client.Service) -> None:
    for name in ("/var/log/a", "/var/log/b", "/opt/splunk/c"):
        service.inputs.create(name, "monitor", index="main")
    every = [entity.name for entity in service.inputs.list("monitor")]
    assert [entity.name for entity in service.inputs.list("monitor", count=2)] == every[:2]
    assert [entity.name for entity in service.inputs.list("monitor", offset=2)] == every[2:]
    assert [entity.name for entity in service.inputs.list("monitor", search="splunk")] == ["/opt/splunk/c"]
    for wrong in ({"name": "relative"}, {"name": "/x", "index": "none"}, {"name": "/x", "nonsense": "1"}):
        with pytest.raises(HTTPError) as caught:
            service.inputs.create(wrong.pop("name"), "monitor", **wrong)
        assert caught.value.status == 400


def test_a_hec_token_made_over_rest_works_at_once(splunk: Splunk, service: client.Service) -> None:
    made = service.inputs.create("collector", "http", index="main", indexes="main,summary").refresh()
    assert (made.name, made.content["indexes"]) == ("http://collector", ["main", "summary"])

    def answer() -> int:
        header = {"authorization": f"Splunk {made.content['token']}"}
        with requests.Session() as web:
            web.trust_env = False
            url = splunk[1].hec + "/services/collector/event"
            return web.post(url, json={"event": "x"}, headers=header, timeout=10).status_code

    assert answer() == 200
    made.disable()
    assert answer() == 403
    made.enable()
    assert answer() == 200
    old = made.content["token"]
    service.post("data/inputs/http/collector/rotate")
    assert made.refresh().content["token"] != old
    assert answer() == 200
    made.delete()
    assert answer() == 403
    with pytest.raises(HTTPError, match="GUID"):
        service.inputs.create("odd", "http", token="no-guid")
