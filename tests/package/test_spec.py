"""Published documents: what is stored of them, and the way from a file to the user's rows and events."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from apisec_app.commands.spec import ApisecSpecCommand
from apisec_app.specs import files
from apisec_app.specs.drift import events
from apisec_app.specs.parameters import parameters_of
from apisec_app.specs.store import Specs, document_of, spec_of
from apisec_app.specs.text import parse
from splunklib.searchcommands import Option

from apisec.endpoints.inventory import Inventory
from apisec.errors import DocumentError, LimitExceeded
from apisec.openapi.drift import KINDS, SEVERITIES, Drift
from tests.core.inventory.events import event, principal
from tests.support.app import ROOT
from tests.support.splunk import Splunk

YAML = """
openapi: 3.0.3
info: {title: Shop, version: "7"}
paths:
  /orders/{id}:
    get:
      security: [{jwt: []}]
      x-sunset: 2023-05-01
      responses:
        200: {content: {application/json: {schema: {properties: {state: {type: string}}}}}}
components: {securitySchemes: {jwt: {type: http, scheme: bearer}}}
"""


class Memory:
    """A collection in memory, with the methods that the store calls."""

    def __init__(self) -> None:
        self.held: dict[str, dict[str, Any]] = {}

    def load(self, query: dict[str, Any], fields: Any = ()) -> list[dict[str, Any]]:
        return [one for _, one in sorted(self.held.items()) if all(one.get(k) == v for k, v in query.items())]

    def find(self, keys: list[str]) -> list[dict[str, Any]]:
        return [self.held[key] for key in keys if key in self.held]

    def save(self, documents: list[dict[str, Any]]) -> None:
        self.held.update({one["_key"]: json.loads(json.dumps(one)) for one in documents})

    def delete(self, key: str) -> None:
        self.held.pop(key, None)


# Text


def test_yaml_and_json_say_the_same() -> None:
    document = parse(YAML, "shop.yaml")
    assert document["paths"]["/orders/{id}"]["get"]["responses"].keys() == {"200"}
    assert document["paths"]["/orders/{id}"]["get"]["x-sunset"] == "2023-05-01"
    assert parse(json.dumps(document), "shop.json") == document


def test_what_json_cannot_say_stays_a_text() -> None:
    given = "openapi: 3.0.0\npaths: {}\nx-a: [12:30, 1:30.5, .inf, -.inf, .nan, 0x1F, 1_000, -1.5e+3]\n"
    assert parse(given, "shop")["x-a"] == ["12:30", "1:30.5", ".inf", "-.inf", ".nan", 31, 1000, -1500.0]
    assert parse('{"openapi": "3.0.0", "paths": {}, "x-a": [Infinity]}', "shop")["x-a"] == ["Infinity"]


BOMB = "openapi: 3.0.0\nx-0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)
MERGES = "openapi: 3.0.0\nx-0: &a0 {a: 1, b: 2}\n" + "".join(
    f"x-{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("openapi: [", DocumentError, r"shop:1:\d+: is neither JSON nor YAML"),
        ('{"openapi": ]', DocumentError, "neither JSON nor YAML"),
        ("just words", DocumentError, "is not an object"),
        ("openapi: 3.0.0\nx: !!python/object/apply:os.system [id]\n", DocumentError, "constructor"),
        ("openapi: 3.0.0\n? [a, b]\n: 1\n", DocumentError, "cannot be written as JSON|neither JSON nor YAML"),
        (BOMB, LimitExceeded, "aliases"),
        (MERGES, LimitExceeded, "merged"),
        ("[" * 100_000, LimitExceeded, "too deep"),
        ("openapi: 3.0.0\nx: " + "[" * 3_000, LimitExceeded, "too deep"),
        ("x" * 4_000_001, LimitExceeded, "longer than"),
        ("openapi: 3.0.0\nx: !!bool perhaps\n", DocumentError, "neither JSON nor YAML"),
        ('openapi: 3.0.0\nx: !!int ""\n', DocumentError, "neither JSON nor YAML"),
        ("openapi: 3.0.0\nx: !!timestamp soon\n", DocumentError, "neither JSON nor YAML"),
        (f"openapi: 3.0.0\nx: 1{':1' * 100_000}\n", DocumentError, "a number of 200001 characters"),
        (f"openapi: 3.0.0\nx: 1{':1' * 1_000}.5\n", DocumentError, "a number of 2003 characters"),
        ('{"openapi": "3.0.0", "paths": {}, "x": 1e999}', DocumentError, "cannot be written as JSON"),
    ],
    ids=[
        "yaml",
        "json",
        "scalar",
        "tag",
        "keys",
        "aliases",
        "merges",
        "deep json",
        "deep yaml",
        "long",
        "no bool",
        "no int",
        "no time",
        "base 60",
        "base 60 with a fraction",
        "infinite",
    ],
)
def test_hostile_text_is_refused(text: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        parse(text, "shop")


# The store


def test_versions_are_kept_and_the_newest_is_in_force() -> None:
    memory = Memory()
    specs = Specs(memory)  # type: ignore[arg-type]
    for n in range(9):
        text = YAML.replace('"7"', f'"{n}"')
        _, changed = specs.store("shop", text, name="a.yaml", source="x", now=float(n))
        assert changed
        assert not specs.store("shop", text, name="a.yaml", source="x", now=n + 0.5)[1]
    specs.store("shop", YAML, name="b.yaml", source="x", now=1.0)
    specs.store("carts", YAML, name="a.yaml", source="x", now=1.0)
    published = specs.published("shop")
    assert [one.version for one in published.current] == ["8", "7"]
    assert [one.version for one in published.former] == ["7", "6"]
    assert len(specs._versions("shop", "a.yaml")) == 5
    assert specs.services() == ["carts", "shop"]


def test_a_version_that_comes_back_is_in_force_again() -> None:
    specs = Specs(Memory())  # type: ignore[arg-type]
    for n, version in enumerate("121"):
        specs.store("shop", YAML.replace('"7"', f'"{version}"'), name="a", source="x", now=float(n))
    assert [one.version for one in specs.published("shop").current] == ["1"]


def test_what_is_damaged_says_so() -> None:
    good = document_of("shop", YAML, name="a", source="x", now=1.0)
    assert spec_of(good).title == "Shop"
    for change in ({"body": "!"}, {"body": good["body"][:40]}, {"version": 2}, {"body": None}):
        with pytest.raises(DocumentError, match="store the document again"):
            spec_of({**good, **change})


# Files and parameters


@pytest.mark.parametrize("name", ["../a.json", "/etc/passwd", "a.txt", ".a.json", "", "a/b.yaml", "a.json\n"])
def test_a_name_leads_nowhere_else(name: str) -> None:
    with pytest.raises(ValueError, match="local/specs"):
        files.checked_name(name)


def test_a_link_is_not_followed_and_what_is_lacking_is_named(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (tmp_path / "a.json").symlink_to(tmp_path / "secret")
    (tmp_path / "b.json").write_bytes(b"\xff")
    for name, said in (("a.json", "no regular file"), ("b.json", "UTF-8"), ("c.json", "put it there")):
        with pytest.raises(DocumentError, match=said):
            files.read(name, tmp_path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"service": ""}, "service = "), ({"orphan_days": "x"}, "orphan_days = x"), ({"file": "../x.json"}, "file = ")],
)
def test_parameters(changes: dict[str, str], said: str) -> None:
    assert parameters_of({"service": "shop", "file": "a.json"}).orphan_days == 30
    with pytest.raises(ValueError, match=said):
        parameters_of({"service": "shop", "file": "a.json", **changes})


def test_the_page_names_kinds_and_options() -> None:
    page = (ROOT / "docs/specs.md").read_text("utf-8")
    for name in (*KINDS, *SEVERITIES):
        assert f"`{name}`" in page, name
    reference = (ROOT / "docs/reference/commands.md").read_text("utf-8")
    options = {value.name for value in vars(ApisecSpecCommand).values() if isinstance(value, Option)}
    for name in options - {"logging_configuration", "logging_level", "record", "show_configuration"}:
        assert f"| `{name}` |" in reference


# The way to the user


@pytest.fixture
def folder(unpacked: Path) -> Iterator[Path]:
    made = unpacked / "local/specs"
    made.mkdir(parents=True, exist_ok=True)
    yield made
    shutil.rmtree(made)


def run_input(splunk: Splunk, unpacked: Path, home: Path, given: dict[str, str]) -> tuple[list[dict[str, Any]], str]:
    """One run of an input as splunkd starts it; its events and what it says on stderr."""
    values = {"name": "shop", "interval": "3600", "index": "apisec", "service": splunk.service, **given}
    stanza = f"apisec_spec://{values.pop('name')}"
    named = "".join(f'<param name="{name}">{escape(value)}</param>' for name, value in values.items())
    stdin = (
        f"<input><server_host>h</server_host><server_uri>{splunk.target.url}</server_uri>"
        f"<session_key>{splunk.rest.session_key}</session_key><checkpoint_dir>{home}</checkpoint_dir><configuration>"
        f'<stanza name="{stanza}">{named}</stanza></configuration></input>'
    )
    command = [sys.executable, "-E", "-s", "-S", str(unpacked / "bin/apisec_spec.py")]
    env = {"SPLUNK_HOME": str(home)}
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=env, timeout=240)
    assert done.returncode == 0, done.stderr
    stream = ET.fromstring(done.stdout) if done.stdout.strip() else ET.Element("stream")
    events = [
        {**json.loads(one.findtext("data") or ""), "index": one.findtext("index")} for one in stream.iter("event")
    ]
    return events, done.stderr


FILE = {"file": "shop.yaml"}


@pytest.mark.app
@pytest.mark.exclusive
def test_from_a_file_to_rows_and_events(splunk: Splunk, unpacked: Path, folder: Path, tmp_path: Path) -> None:
    inventory = Inventory()
    for n in range(30):
        for name in ("/orders/{order_id}", "/debug"):
            made = event(time=splunk.now() - n, principal=principal(n), operation=f"GET {name}", endpoint=name)
            inventory.add({**made, "service": splunk.service, "auth": "none" if name == "/debug" else "bearer"})
    splunk.put({"apisec_inventory": inventory.to_documents()})
    (folder / "shop.yaml").write_text(YAML, "utf-8")

    new, _ = run_input(splunk, unpacked, tmp_path, FILE)
    assert {one["change"] for one in new} == {"new"}
    assert {one["kind"] for one in new} == {
        "shadow",
        "zombie",
        "undocumented_sensitive_field",
        "undocumented_parameter",
    }
    assert run_input(splunk, unpacked, tmp_path, FILE)[0] == [], "told once"

    rows = splunk.search(f'| apisecspec service="{splunk.service}"')
    assert {row["id"] for row in rows} == {one["id"] for one in new}
    assert (rows[0]["kind"], rows[0]["severity"], rows[0]["operation"]) == ("shadow", "high", "GET /debug")
    [field] = splunk.search(f'| apisecspec service="{splunk.service}" kind=undocumented_sensitive_field')
    assert (field["field"], field["data_classes"]) == ("email", "pii.email")
    assert splunk.search(f'| apisecspec service="{splunk.service}" severity=critical') == []

    repaired = YAML.replace("paths:", "paths:\n  /debug: {get: {responses: {}}}")
    (folder / "shop.yaml").write_text(repaired, "utf-8")
    later, _ = run_input(splunk, unpacked, tmp_path, FILE)
    [gone] = [one for one in later if one["change"] == "resolved"]
    assert (gone["kind"], gone["operation"], gone["service"]) == ("shadow", "GET /debug", splunk.service)

    (folder / "shop.yaml").write_text("openapi: [", "utf-8")
    told, stderr = run_input(splunk, unpacked, tmp_path, FILE)
    assert told == []
    assert "neither JSON nor YAML" in stderr
    assert splunk.search(f'| apisecspec service="{splunk.service}" kind=zombie'), "the version before stays in force"


def test_events_tell_what_is_new_graver_and_resolved() -> None:
    one = Drift("1", "shadow", "high", "shop", "red", "GET /a", "", "", "", "", "", "", 1, 1, 0.0, 0.0, "", "")
    assert [e["change"] for e in events({}, [one], 5.0)] == ["new"]
    assert list(events({"1": {"severity": "high"}}, [one], 5.0)) == []
    [graver] = events({"1": {"severity": "low"}}, [one], 5.0)
    assert (graver["change"], graver["severity_before"]) == ("graver", "low")
    assert list(events({"1": {"severity": "critical"}}, [one], 5.0)) == []
    [gone] = events({"1": {"id": "1", "severity": "high"}}, [], 5.0)
    assert gone["change"] == "resolved"
