"""Inputs that read published documents: parameters, secrets, what is noted of a source, and the way to the user."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from apisec_app.specs import files, parameters
from apisec_app.specs.drift import drifts_of
from apisec_app.specs.fetch import Validators
from apisec_app.specs.parameters import REALM, parameters_of, source_of
from apisec_app.specs.readings import DAY, Reading, Readings
from apisec_app.specs.store import Specs

from apisec.endpoints.inventory import Inventory
from apisec.errors import ConfigError, DocumentError, LimitExceeded
from apisec.openapi.compare import Settings
from apisec.teams import Rule, Team
from tests.core.inventory.events import event, principal
from tests.package.test_spec import YAML, Memory, run_input
from tests.support.published import answer, publisher, versioned
from tests.support.splunk import APP, Splunk

SECRET = "s3cr3t-that-nobody-sees"
URL = {"service": "shop", "url": "https://specs.example/shop.yaml"}
BEARER = {**URL, "auth": "bearer", "secret": "******"}


# Parameters


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({**URL, "file": "a.json"}, "file, url: give one of the two"),
        ({"service": "shop"}, "file, url: give one of the two"),
        ({**URL, "url": "http://specs.example/"}, "url: http is neither secret nor verified"),
        ({**URL, "url": f"https://ann:{SECRET}@specs.example/"}, "url: credentials do not belong"),
        ({**URL, "auth": "digest"}, "auth = digest: give one of none, basic, bearer, header"),
        ({**URL, "auth": "bearer"}, "secret: give what auth = bearer sends"),
        ({**BEARER, "url": "http://a.example/", "allow_http": "1"}, "auth: credentials are sent by https only"),
        ({**BEARER, "auth": "basic"}, "username: give the user"),
        ({**BEARER, "auth": "basic", "username": "a:b"}, "username: give the user"),
        ({**BEARER, "auth": "header", "header": "X Key"}, "header = X Key: give the name"),
        ({**BEARER, "auth": "header", "header": "Host"}, "header = Host: give the name"),
        ({**URL, "proxy": "https://proxy.example:3128"}, "proxy: give http://host:port"),
        ({**URL, "proxy": f"http://ann:{SECRET}@proxy.example"}, "proxy: credentials do not belong"),
        ({**URL, "allow_private": "perhaps"}, "allow_private = perhaps: give 1 or 0"),
    ],
)
def test_parameters_that_are_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(said)) as caught:
        parameters_of(given)
    assert SECRET not in str(caught.value)


def test_how_a_source_is_asked() -> None:
    given = {**BEARER, "proxy": "http://proxy.example:3128", "proxy_username": "ann", "proxy_password": "******"}
    read = parameters_of({**given, "allow_private": "true", "interval": "*/5 * * * *"})
    assert (read.private, read.interval, read.shown) == (True, 3600, URL["url"])
    source = source_of(read, {"secret": SECRET, "proxy_password": "pw"})
    assert source.credentials.headers() == {"Authorization": f"Bearer {SECRET}"}
    assert source.route.proxy is not None
    assert source.route.proxy.headers() == {"Proxy-Authorization": "Basic YW5uOnB3"}
    assert source.route.context is not None
    assert source.route.context.check_hostname
    plain = source_of(parameters_of({**URL, "url": "http://a.example/", "allow_http": "1"}), {"secret": SECRET})
    assert (plain.route.context, plain.credentials.headers(), plain.route.private) == (None, {}, False)


@pytest.mark.parametrize(
    ("changes", "secrets", "said"),
    [
        ({}, {}, "secret: is not in storage/passwords"),
        ({}, {"secret": "******"}, "secret: is not in storage/passwords"),
        ({}, {"secret": "a\r\nX-Evil: 1"}, "secret: has line breaks"),
        ({}, {"secret": "x" * 9000}, "secret: has line breaks, other control characters or more than 8192"),
        ({"ca": "/nowhere/ca.pem"}, {"secret": "x"}, "ca: the CA certificate cannot be used"),
        ({"ca": "-----BEGIN CERTIFICATE-----"}, {"secret": "x"}, "ca: the CA certificate cannot be used"),
    ],
)
def test_what_a_source_lacks(changes: dict[str, str], secrets: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        source_of(parameters_of({**BEARER, **changes}), secrets)


def test_a_secret_that_stands_in_the_file_is_not_used() -> None:
    with pytest.raises(ConfigError, match=r"secret: stands in inputs\.conf") as caught:
        parameters.secrets_of("shop", {"secret": SECRET}, "https://127.0.0.1:1", "key")
    assert SECRET not in str(caught.value)


# What is noted of a source

BEGUN = Reading("shop", "shop", "input:shop", "https://specs.example/shop.yaml", "f1")


def test_a_source_that_fails_is_asked_less_and_less_often() -> None:
    reading, waits = BEGUN, []
    for _ in range(6):
        reading = reading.failed(1000.0, 600.0, "no")
        waits.append(reading.next_try - 1000.0)
    assert waits == [540.0, 1140.0, 2340.0, 4740.0, 4740.0, 4740.0]
    assert reading.failed(1000.0, 600.0, "no", retry_after=9000.0).next_try == 10_000.0
    good = reading.succeeded(2000.0, 600.0, "d", ())
    assert (good.failures, good.next_try, good.error, good.read) == (0, 0.0, "", 2000.0)


def test_what_is_noted_comes_back_and_another_source_begins_anew() -> None:
    readings = Readings(Memory())  # type: ignore[arg-type]
    made = BEGUN.succeeded(5.0, 60.0, "d", (("", Validators('"1"', "")),)).failed(9.0, 60.0, "no")
    readings.save(made)
    assert readings.load(BEGUN, 10.0) == made
    other = readings.load(Reading("shop", "shop", "input:shop", "https://specs.example/v2.yaml", "f2"), 10.0)
    assert (other.files, other.read, other.next_try, other.began) == ((), 0.0, 0.0, 10.0)


def test_a_document_that_is_old_is_told_while_it_stays_in_force() -> None:
    memory = Memory()
    specs, readings = Specs(memory), Readings(memory)  # type: ignore[arg-type]
    specs.store("shop", YAML, name="input:shop", source="x", now=0.0)
    good = BEGUN.succeeded(1000.0, 3600.0, "d", ())
    readings.save(good.failed(5000.0, 3600.0, "https://specs.example/shop.yaml: answers 503 Service Unavailable"))

    def told(now: float) -> list[Any]:
        found = drifts_of(specs, Memory(), "shop", Settings(now=now))  # type: ignore[arg-type]
        return [one for one in found if one.kind == "stale_document"]

    assert told(1000.0 + DAY - 1) == []
    [old] = told(1000.0 + DAY)
    assert (old.severity, old.service, old.first_seen, old.count) == ("low", "shop", 1000.0, 1)
    assert "was last read on 1970-01-01 00:16 UTC: https://specs.example/shop.yaml: answers 503" in old.reason
    assert old.id == told(1000.0 + 9 * DAY)[0].id
    specs.delete(specs.heads("shop")[0])
    assert len(told(20 * DAY)) == 1
    assert told(40 * DAY) == [], "an input that is no more, of a document that is no more"
    readings.save(good.succeeded(2 * DAY, 3600.0, "d", ()))
    assert told(2 * DAY + 60) == []
    [never] = BEGUN.failed(1000.0, 3600.0, "no").stale(1000.0 + 2 * DAY)
    assert "could never be read: no" in never.reason


def test_the_input_names_another_document() -> None:
    readings = Readings(Memory())  # type: ignore[arg-type]
    readings.save(BEGUN)
    assert readings.replaced(BEGUN) is None
    moved = Reading("shop", "shop", "shop.yaml")
    assert readings.replaced(moved) == BEGUN
    readings.save(Reading("twin", "shop", "input:shop"))
    assert readings.replaced(moved) is None, "another input reads it"


# Files in several parts

PARTS = {
    "shop.yaml": "openapi: 3.0.0\npaths: {/a: {$ref: 'parts/a.yaml'}, /b: {$ref: '../out.yaml'}}",
    "parts/a.yaml": "get: {responses: {200: {$ref: '../common.json#/ok'}}}",
    "common.json": '{"ok": {"description": "yes"}}',
}


def test_files_name_others_below_the_folder(tmp_path: Path) -> None:
    (tmp_path / "out.yaml").write_text("get: {}")
    folder = tmp_path / "specs"
    (folder / "parts").mkdir(parents=True)
    for name, text in PARTS.items():
        (folder / name).write_text(text)
    document = json.loads(files.document("shop.yaml", folder))
    assert document["paths"] == {"/a": {"$ref": "#/x-apisec-parts/0"}, "/b": {"$ref": "../out.yaml"}}
    (folder / "parts/a.yaml").unlink()
    (folder / "parts").rmdir()
    (folder / "parts").symlink_to(tmp_path)
    (tmp_path / "a.yaml").write_text("get: {}")
    with pytest.raises(DocumentError, match="no link"):
        files.document("shop.yaml", folder)


@pytest.mark.parametrize(
    "reference", ["../x.json", "/etc/passwd.json", "a/../../x.json", "x", ".x.json", "http://h/x.json"]
)
def test_where_references_of_files_do_not_lead(reference: str) -> None:
    assert files.beside("shop.yaml", reference) is None


def test_a_part_that_is_a_bomb(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text("openapi: 3.0.0\npaths: {/a: {$ref: 'b.yaml'}}")
    levels = "".join(f"x{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    (tmp_path / "b.yaml").write_text("x0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + levels)
    with pytest.raises(LimitExceeded, match="aliases"):
        files.document("shop.yaml", tmp_path)


# The way to the user


def learned(splunk: Splunk) -> None:
    inventory = Inventory()
    for n in range(30):
        for name in ("/orders/{order_id}", "/debug"):
            made = event(time=splunk.now() - n, principal=principal(n), operation=f"GET {name}", endpoint=name)
            inventory.add({**made, "service": splunk.service, "auth": "none" if name == "/debug" else "bearer"})
    splunk.put({"apisec_inventory": inventory.to_documents()})


@pytest.mark.app
@pytest.mark.exclusive
def test_from_a_url_to_rows_and_events(splunk: Splunk, unpacked: Path, tmp_path: Path) -> None:
    learned(splunk)
    name = f"spec_{splunk.marker}"
    with publisher(tmp_path) as (server, ca):
        server.pages["/shop.yaml"] = versioned(YAML, '"1"')
        form = {
            "name": name, "interval": "3600", "index": "apisec", "service": splunk.service, "ca": ca,
            "url": f"{server.url}/shop.yaml", "auth": "bearer", "secret": SECRET, "allow_private": "1",
            "disabled": "1",  # the test runs it
        }  # fmt: skip
        page = f"/servicesNS/nobody/{APP}/{APP}_apisec_spec"
        splunk.undo(lambda: splunk.rest.call("DELETE", f"{page}/{name}"))
        splunk.rest.call("POST", page, form)  # as the page Inputs does
        [stanza] = splunk.rest.call("GET", f"/servicesNS/nobody/{APP}/data/inputs/apisec_spec/{name}")["entry"]
        assert stanza["content"]["secret"] == "******"

        lacking, stderr = run_input(splunk, unpacked, tmp_path, {**form, "secret": "******", "name": f"{name}_other"})
        assert (lacking, server.asked) == ([], [])
        assert "secret: is not in storage/passwords: save the input on the page Inputs again" in stderr

        given = {**{key: form[key] for key in form if key != "disabled"}, "secret": "******"}
        new, _ = run_input(splunk, unpacked, tmp_path, given)
        assert {"shadow", "zombie"} <= {one["kind"] for one in new}
        assert {(one["team"], one["index"]) for one in new} == {("red", "apisec")}
        assert server.asked[0][1]["authorization"] == f"Bearer {SECRET}"
        assert run_input(splunk, unpacked, tmp_path, given)[0] == []
        assert [headers.get("if-none-match") for _, headers in server.asked] == [None, '"1"']

        server.pages["/shop.yaml"] = answer(503)
        told, stderr = run_input(splunk, unpacked, tmp_path, given)
        assert told == []
        assert "answers 503 Service Unavailable; what was read on" in stderr
        assert SECRET not in stderr
        assert splunk.search(f'| apisecspec service="{splunk.service}" kind=zombie'), "the version before is in force"
        asked = len(server.asked)
        run_input(splunk, unpacked, tmp_path, given)
        assert len(server.asked) == asked, "not before the interval has passed"

        team = Team(f"red{splunk.marker}", index="apisec_risk", owns=(Rule(f"red{splunk.marker}", 0, splunk.service),))
        splunk.undo(lambda: splunk.rest.call("DELETE", f"{splunk.data('apisec_teams')}/{team.name}"))
        splunk.rest.call("POST", splunk.data("apisec_teams"), body=team.document())
        server.pages["/v2.yaml"] = answer(200, YAML.replace("paths:", "paths:\n  /debug: {get: {responses: {}}}"))
        resolved, _ = run_input(splunk, unpacked, tmp_path, {**given, "url": f"{server.url}/v2.yaml"})
        assert ("resolved", "shadow") in {(one["change"], one["kind"]) for one in resolved}
        assert {(one["team"], one["index"]) for one in resolved} == {(team.name, "apisec_risk")}
    stored = json.dumps(splunk.collection("apisec_specs"))
    assert '"input:' in stored
    assert SECRET not in stored
    assert REALM.endswith("#data/inputs/apisec_spec")
