"""Endpoints of apps: persistent scripts, and configuration pages over admin_external."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from apisec_sandbox.splunkd.apps import install
from apisec_sandbox.splunkd.home import Home
from apisec_sandbox.splunkd.server import Addresses, Options, Splunkd, running

from .conftest import FIXTURES

ROOT = Path(__file__).parents[2]


class Client:
    def __init__(self, splunkd: Splunkd, addresses: Addresses) -> None:
        self.splunkd = splunkd
        self.base = addresses.mgmt
        self.http = requests.Session()
        self.http.trust_env = False
        self.admin = ("admin", addresses.admin_password_file.read_text())

    def ask(self, method: str, path: str, auth: Any = None, **more: Any) -> requests.Response:
        return self.http.request(method, self.base + path, auth=auth or self.admin, timeout=30, **more)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    home = tmp_path_factory.mktemp("rest") / "home"
    install(FIXTURES / "restapp", Home(home))
    if archives := sorted((ROOT / "dist").glob("apisec-*.tar.gz")):
        install(archives[-1], Home(home))
    with running(home, Options(with_tls=False, schedule=False)) as (splunkd, addresses):
        splunkd.users.save("ann", "ann-password", ["user"])
        yield Client(splunkd, addresses)


def test_a_handler_sees_the_request_as_documented(client: Client) -> None:
    reply = client.ask(
        "POST",
        "/servicesNS/nobody/restapp/restapp/echo/a/b%20c?q=1&q=2&output_mode=json",
        data="free text",
        headers={"Cookie": "c=d", "X-Own": "e"},
    )
    assert reply.status_code == 202
    assert reply.headers["X-Seen"] == "POST"
    assert reply.headers["Content-Type"].startswith("application/json")
    body = reply.json()
    seen = body["request"]
    assert body["about"] == ["echo.py", "echo.Echo"]
    assert seen["payload"] == "free text"
    assert seen["query"] == [["q", "1"], ["q", "2"], ["output_mode", "json"]]
    assert (seen["path_info"], seen["rest_path"]) == ("a/b c", "/restapp/echo/a/b c")
    assert seen["ns"] == {"app": "restapp", "user": "nobody"}
    assert seen["session"]["user"] == "admin"
    assert ["c", "d"] in seen["cookies"]
    assert ["x-own", "e"] in seen["headers"]
    assert seen["restmap"] == {"name": "script:echo", "conf": seen["restmap"]["conf"]}
    assert seen["restmap"]["conf"]["match"] == "/restapp/echo"
    assert (seen["output_mode"], seen["output_mode_explicit"], seen["method"]) == ("json", True, "POST")
    assert "lang" not in seen  # only of requests that come through Splunk Web
    for key in (seen["session"]["authtoken"], seen["system_authtoken"]):
        found = client.http.get(
            client.base + "/services/authentication/current-context?output_mode=json",
            headers={"Authorization": f"Splunk {key}"},
        )
        assert found.status_code == 200


def test_what_is_not_there_is_missing(client: Client) -> None:
    """As the format of requests says: no ns without a namespace, no wildcards in it, no payload but of POST and PUT."""
    bare = client.ask("GET", "/services/restapp/echo", data="x").json()["request"]
    assert {"ns", "path_info", "payload", "form"} & set(bare) == set()
    assert client.ask("GET", "/servicesNS/-/restapp/restapp/echo").json()["request"]["ns"] == {"app": "restapp"}
    empty = client.ask("POST", "/services/restapp/echo").json()["request"]
    assert "payload" not in empty
    form = client.ask("PUT", "/services/restapp/echo", data={"a": "b"}).json()["request"]
    assert (form["payload"], form["form"]) == ("a=b", [["a", "b"]])


def test_one_process_answers_and_is_replaced_when_it_dies(client: Client) -> None:
    first = client.ask("GET", "/services/restapp/echo").json()
    second = client.ask("GET", "/services/restapp/echo").json()
    assert (second["pid"], second["asked"]) == (first["pid"], first["asked"] + 1)
    os.kill(first["pid"], signal.SIGKILL)
    worker = next(w for w in client.splunkd.handlers._workers.values() if "echo.Echo" in w.argument)
    assert worker._process is not None
    worker._process.wait(10)
    third = client.ask("GET", "/services/restapp/echo").json()
    assert third["pid"] != first["pid"]
    assert third["asked"] == 1


def test_authentication_and_capabilities(client: Client) -> None:
    bare = client.http.get(client.base + "/services/restapp/open")
    assert bare.status_code == 202
    assert {"session", "restmap"} & set(bare.json()["request"]) == set()
    assert client.http.get(client.base + "/services/restapp/echo").status_code == 401
    ann = ("ann", "ann-password")
    assert client.ask("GET", "/services/restapp/guarded", ann).status_code == 202
    assert client.ask("POST", "/services/restapp/guarded", ann, data="x=1").status_code == 403
    assert client.ask("POST", "/services/restapp/guarded", data="x=1").json()["request"]["form"] == [["x", "1"]]


def test_misbehaviour_is_an_error_and_no_more(client: Client) -> None:
    def wild(what: str) -> requests.Response:
        return client.ask("POST", "/services/restapp/wild", data=what)

    assert "on purpose" in wild("raise").json()["messages"][0]["text"]
    assert wild("raise").status_code == 500
    assert wild("die").status_code == 500
    assert "status 99" in wild("status").text
    assert "has no module" in wild("import").text
    assert "splunk.models" in wild("import").text
    fine = wild("fine")
    assert (fine.status_code, fine.text, fine.headers["Content-Type"]) == (200, "text wild", "text/x-own")
    assert wild("ask").json() == {"status": 200, "name": "admin"}
    for worker in client.splunkd.handlers._workers.values():
        worker.seconds = 0.5
    late = wild("sleep")
    assert late.status_code == 500
    assert "in time" in late.text
    for worker in client.splunkd.handlers._workers.values():
        worker.seconds = 30
    assert wild("fine").status_code == 200
    assert client.ask("GET", "/services/restapp/old").status_code == 501
    assert "on purpose" in (client.splunkd.home.log / "script_wild.log").read_text()


def test_a_configuration_page_of_ones_own(client: Client) -> None:
    base = "/servicesNS/nobody/restapp/restapp/plain"
    created = client.ask("POST", base, params={"output_mode": "json"}, data={"name": "a b", "color": "red"})
    assert created.status_code == 201
    assert created.json()["entry"][0]["content"]["color"] == "red"
    missing = client.ask("POST", base, data={"name": "c"})
    assert missing.status_code == 400
    assert "required arguments are missing: color" in missing.text
    assert "not supported" in client.ask("POST", base, data={"name": "c", "color": "x", "size": "1"}).text
    assert client.ask("POST", base, data={"name": "c", "color": "none"}).status_code == 400
    assert client.ask("POST", f"{base}/a%20b", data={"color": "blue"}).status_code == 200
    held = client.ask("GET", f"{base}/a%20b?output_mode=json").json()["entry"]
    assert [(entry["name"], entry["content"]["color"]) for entry in held] == [("a b", "blue")]
    assert client.ask("DELETE", f"{base}/a%20b").status_code == 405


@pytest.mark.app
def test_the_configuration_page_that_ucc_generates(client: Client) -> None:
    if "apisec" not in client.splunkd.confs.apps():
        pytest.skip("the app is not built")
    base = "/servicesNS/nobody/apisec/apisec_forwarder"
    form = {"name": "gw1", "url": "https://gw.example:9443", "token": "secret-token", "output_mode": "json"}
    created = client.ask("POST", base, data=form)
    assert created.status_code == 201, created.text
    assert created.json()["entry"][0]["content"]["token"] == "******"
    conf = client.splunkd.home.apps / "apisec" / "local"
    assert "secret-token" not in "".join(path.read_text() for path in conf.glob("*.conf"))
    listed = client.ask("GET", base, params={"output_mode": "json", "count": 0}).json()["entry"]
    assert [(entry["name"], entry["content"]["url"]) for entry in listed] == [("gw1", "https://gw.example:9443")]
    clear = client.ask("GET", f"{base}/gw1", params={"output_mode": "json", "--cred--": "1"}).json()
    assert clear["entry"][0]["content"]["token"] == "secret-token"
    again = client.ask("POST", base, data=form)
    assert "already in use" in again.text
    bad = client.ask("POST", base, data={**form, "name": "gw2", "url": "http://plain.example"})
    assert bad.status_code >= 400
    assert "REST Error [400]: Bad Request" in json.loads(bad.text)["messages"][0]["text"]
    edited = client.ask("POST", f"{base}/gw1", data={"url": "https://other.example", "token": "******"})
    assert edited.status_code == 200, edited.text
    clear = client.ask("GET", f"{base}/gw1", params={"output_mode": "json", "--cred--": "1"}).json()
    assert clear["entry"][0]["content"]["token"] == "secret-token"
    assert clear["entry"][0]["content"]["url"] == "https://other.example"
    assert client.ask("DELETE", f"{base}/gw1").status_code == 200
    assert client.ask("GET", f"{base}?output_mode=json").json()["entry"] == []
    assert client.ask("GET", f"{base}/gw1").status_code >= 400
