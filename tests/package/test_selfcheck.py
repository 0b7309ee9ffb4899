"""``| savedsearch apisec_selfcheck``: a healthy installation gives the page's table, each fault turns its own row."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from apisec_app.commands.about import COLLECTIONS

import confs
import detections
from tests.support.app import ROOT, pythons
from tests.support.splunk import Splunk, saved_path
from tests.support.splunk_standin import standin

pytestmark = pytest.mark.app
Rows = dict[str, dict[str, Any]]
with (ROOT / "package/lookups/apisec_selfcheck.csv").open(newline="") as _lines:
    CHECKS = list(csv.DictReader(_lines))
PAGE = (ROOT / "docs/splunk-owner.md").read_text("utf-8")
# What says nothing about the health of the data, and so must hold on every Splunk.
ALWAYS = ("app", "model", "macros", "apisecscore", "apisecinventory", "lookup apisec_exceptions")
DETECTIONS = [one.document["name"] for one in detections.load()]
BUT_ONE = f"{len(DETECTIONS) - 1} of {len(DETECTIONS)}"
SKIPPED = 'savedsearch_name="APISEC - API skipped step - Rule", status={}, reason="x"'


def selfcheck(splunk: Splunk) -> Rows:
    return {row["check"]: row for row in splunk.search("| savedsearch apisec_selfcheck")}


def test_every_check_answers_on_any_splunk(splunk: Splunk) -> None:
    splunk.send([transaction(splunk, n) for n in range(3)])
    rows = selfcheck(splunk)
    assert list(rows) == [check["check"] for check in CHECKS]
    for check in CHECKS:
        row = rows[check["check"]]
        assert row["status"] in ("ok", "warn", "fail"), row
        assert row["expected"] == check["expected"]
        assert bool(row.get("remedy")) is (row["status"] != "ok"), row
    assert {name: rows[name]["status"] for name in ALWAYS} == dict.fromkeys(ALWAYS, "ok")
    # Not "fields once": on a Splunk that others use too, their events may lack fields. The healthy one below asks it.
    assert rows["events arrive"]["status"] == "ok"


def test_it_runs_from_another_app_too(splunk: Splunk) -> None:
    rows = {row["check"]: row for row in splunk.search("| savedsearch apisec_selfcheck", app="search")}
    assert [name for name, row in rows.items() if row["found"] == "no answer"] == []
    own = selfcheck(splunk)
    assert {name: row["status"] for name, row in rows.items()} == {name: row["status"] for name, row in own.items()}


def transaction(splunk: Splunk, number: int, **changes: Any) -> dict[str, Any]:
    text = (ROOT / "content/examples/api_skipped_step.jsonl").read_text("utf-8").splitlines()[0]
    return {**json.loads(text)["event"], "id": f"t{number}", "time": splunk.now() - 2, **changes}


# A healthy installation, on a stand-in of its own: a test breaks it and mends it again.


@pytest.fixture(scope="module")
def healthy(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Splunk]:
    known = pythons()
    python = known.get("3.13") or known.get("3.9")
    with standin(tmp_path_factory.mktemp("selfcheck"), archive, python=python) as target:
        splunk = Splunk(target)
        make_healthy(splunk)
        yield splunk


def make_healthy(splunk: Splunk) -> None:
    splunk.send([transaction(splunk, n) for n in range(50)])
    splunk.hec([health(splunk, splunk.now())])
    splunk.wait(lambda: splunk.search('index=apisec sourcetype="apisec:health"'), "the health event")
    splunk.fill(LEARNED(splunk))
    for kind in ("apisec_inventory", "apisec_detection"):
        splunk.rest.call("POST", f"/servicesNS/nobody/apisec/data/inputs/{kind}", {"name": "demo"})
    splunk.configure_forwarder("edge-1", "https://edge-1.example:9443", "secret", "")
    for name in DETECTIONS:
        splunk.rest.call("POST", saved_path(f"APISEC - {name} - Rule"), {"disabled": "0"})
    scheduled(splunk, "success")


def health(splunk: Splunk, time: float, gateway: str = "edge-1") -> dict[str, Any]:
    about = {"time": time, "index": "apisec", "sourcetype": "apisec:health"}
    return {**about, "event": {"schema": 1, "gateway": gateway, "env": "DEV"}}


def LEARNED(splunk: Splunk) -> dict[str, list[dict[str, Any]]]:
    common = {"_key": "shop|GET /a", "service": "shop", "operation": "GET /a", "updated": splunk.now()}
    pattern = {**common, "pattern": "p", "pushed": splunk.now(), "state": "pushed"}
    names = [f"apisec_{name}" for name in ("inventory", "paths")]
    names += ["apisec_inventory_deltas", "apisec_inventory_archive"]
    window = {**common, "start": splunk.now() - 60, "end": splunk.now(), "done": 1}
    return {
        **{name: [common] for name in names},
        "apisec_patterns": [pattern],
        "apisec_inventory_windows": [window],
        "apisec_detection_windows": [window],
        "apisec_specs": [{**common, "kind": "spec"}],
    }


def scheduled(splunk: Splunk, status: str) -> None:
    """A line of scheduler.log, as splunkd itself indexes it."""
    path = "/services/receivers/simple?index=_internal&sourcetype=scheduler&source=scheduler.log"
    splunk.rest.post_raw(path, SKIPPED.format(status))
    text = f'index=_internal sourcetype=scheduler status="{status}" | head 1'
    splunk.wait(lambda: splunk.search(text), "the scheduler's line")


def shape(text: str) -> str:
    """A found text without its figures."""
    return re.sub(r"\b[0-9a-f]{12}\b|\d+(\.\d+)*", "#", text)


@pytest.mark.standin
def test_a_healthy_installation_gives_the_table_of_the_page(healthy: Splunk) -> None:
    rows = selfcheck(healthy)
    if not {"3.9", "3.13"} & pythons().keys():
        assert rows["Python"]["status"] == "warn", "it ran on the Python of this checkout"
        rows["Python"]["status"] = "ok"
    assert {name: row for name, row in rows.items() if row["status"] != "ok"} == {}
    table = re.findall(r"^\| (?!check|---)([\w ]+?) \| ok \| (.+?) \|", PAGE, re.MULTILINE)
    assert [(name, shape(row["found"])) for name, row in rows.items()] == [(name, shape(text)) for name, text in table]


Break = Callable[[Splunk], Any]


def conf(name: str, stanza: str, **settings: str) -> Break:
    path = f"/servicesNS/nobody/apisec/configs/conf-{name}/{quote(stanza, safe='')}"
    return lambda splunk: splunk.rest.call("POST", path, settings)


def saved(name: str, **settings: str) -> Break:
    return lambda splunk: splunk.rest.call("POST", saved_path(f"APISEC - {name} - Rule"), settings)


def filled(name: str, **changes: Any) -> Break:
    """One collection with its document changed; without changes, with none."""
    return lambda splunk: splunk.fill({name: [{**LEARNED(splunk)[name][0], **changes}] if changes else []})


def entry(path: str, **settings: str) -> Break:
    return lambda splunk: splunk.rest.call("POST", f"/servicesNS/nobody/apisec/{path}", settings)


MACRO = "apisec_scraping_min_score"
PROPS = "apisec:transaction"
FAULTS: dict[str, tuple[Break, Break, str, str, str]] = {
    # what: (break, mend, check, status, found)
    "a disabled index": (
        conf("indexes", "apisec_risk", disabled="1"),
        conf("indexes", "apisec_risk", disabled="0"),
        "index of risk", "fail", "disabled|not there",
    ),
    "an index that is not there": (
        conf("macros", "apisec_risk_index", definition="(index=apisec_riks)"),
        conf("macros", "apisec_risk_index", definition="(index=apisec_risk)"),
        "index of risk", "fail", "not there",
    ),
    "a threshold that is no number": (
        conf("macros", MACRO, definition='"ninety"'),
        conf("macros", MACRO, definition="90"),
        "macros", "fail", f"wrong: {MACRO}",
    ),
    "no data": (
        conf("macros", "apisec_index", definition="(index=apisec_risk)"),
        conf("macros", "apisec_index", definition="(index=apisec)"),
        "events arrive", "fail", "no event in 24 hours",
    ),
    "a silent forwarder": (
        lambda splunk: splunk.hec([health(splunk, splunk.now() - 7200, "edge-2")]),
        lambda splunk: splunk.hec([health(splunk, splunk.now(), "edge-2")]),
        "forwarder health", "warn", "silent: edge-2",
    ),
    "fields twice": (
        conf("props", PROPS, **{"EVAL-status": 'mvappend(status, "x")'}),
        conf("props", PROPS, **{"EVAL-status": "mvindex(status, 0)"}),
        "fields once", "fail", "1 to [23] values",
    ),
    "no CIM tag": (
        conf("tags", "eventtype=apisec_transaction", web="disabled"),
        conf("tags", "eventtype=apisec_transaction", web="enabled"),
        "CIM Web", "fail", "0 tagged",
    ),
    "an input switched off": (
        entry("data/inputs/apisec_inventory/demo", disabled="1"),
        entry("data/inputs/apisec_inventory/demo", disabled="0"),
        "inventory input", "warn", "0 of 1 enabled",
    ),
    "no inventory": (
        filled("apisec_inventory"), filled("apisec_inventory", count=1), "lookup apisec_inventory", "warn", "0 operat",
    ),
    "an old inventory": (
        filled("apisec_inventory", updated=1.0), filled("apisec_inventory", count=1),
        "lookup apisec_inventory", "warn", "updated",
    ),
    "a block that failed": (
        filled("apisec_patterns", state="failed", error="401 the token is not known"),
        filled("apisec_patterns", mode="shadow"),
        "last block", "fail", "failed: 401 the token is not known",
    ),
    "a forwarder without TLS": (
        conf("apisec_forwarder", "edge-1", url="http://edge-1.example"),
        conf("apisec_forwarder", "edge-1", url="https://edge-1.example"),
        "alert action", "fail", "edge-1 is not https",
    ),
    "a token in clear": (
        conf("apisec_forwarder", "edge-1", token="secret"),
        conf("apisec_forwarder", "edge-1", token="******"),
        "alert action", "fail", "edge-1's token is not encrypted",
    ),
    "a detection switched off": (
        saved(DETECTIONS[0], disabled="1"), saved(DETECTIONS[0], disabled="0"), "detections", "warn", BUT_ONE,
    ),
    "a detection without schedule": (
        saved(DETECTIONS[1], is_scheduled="0"), saved(DETECTIONS[1], is_scheduled="1"), "detections", "warn", BUT_ONE,
    ),
}  # fmt: skip


ALONE = ("no data",)  # it turns other rows too


def rounds() -> list[list[str]]:
    """Faults that may be there together: each of a check of its own."""
    together: list[list[str]] = [[what] for what in ALONE]
    for what in (one for one in FAULTS if one not in ALONE):
        checks = [{FAULTS[one][2] for one in held} for held in together[len(ALONE) :]]
        free = next((n for n, taken in enumerate(checks, len(ALONE)) if FAULTS[what][2] not in taken), None)
        if free is None:
            together.append([what])
        else:
            together[free].append(what)
    return together


@pytest.mark.standin
@pytest.mark.parametrize("faults", rounds(), ids=" and ".join)
def test_a_fault_turns_its_row_and_mending_turns_it_back(healthy: Splunk, faults: list[str]) -> None:
    try:
        for what in faults:
            FAULTS[what][0](healthy)
        rows = selfcheck(healthy)
    finally:
        for what in faults:
            FAULTS[what][1](healthy)
    for what in faults:
        _, _, check, status, found = FAULTS[what]
        row = rows[check]
        assert row["status"] == status, (what, row)
        assert re.search(found, row["found"]), (what, row)
        assert row["remedy"]
    assert {name: row for name, row in selfcheck(healthy).items() if row["status"] != "ok"} == {}


@pytest.mark.standin
def test_faults_of_the_data(archive: Path, tmp_path: Path) -> None:
    """Events cannot be taken back, so these have a stand-in of their own, one after the other."""
    with standin(tmp_path / "home", archive) as target:
        splunk = Splunk(target)
        rows = selfcheck(splunk)
        assert rows["events arrive"]["found"] == "no event in 24 hours"
        assert rows["detections"]["found"] == f"0 of {len(DETECTIONS)} enabled and scheduled"
        assert rows["alert action"]["status"] == "warn"
        assert rows["scheduled runs"]["status"] == "warn"

        splunk.send([transaction(splunk, n) for n in range(10)])
        splunk.send([transaction(splunk, n) for n in range(10)])
        twice = selfcheck(splunk)["duplicates"]
        assert (twice["found"], twice["status"]) == ("50.0 % of 20 events in an hour", "warn")

        splunk.send([transaction(splunk, 100 + n, time=splunk.now() - 1800) for n in range(30)])
        late = selfcheck(splunk)["clock"]
        assert late["status"] == "warn"
        assert re.match(r"median 1[78]\d\d s", late["found"])

        splunk.send([transaction(splunk, 200, time=splunk.now() + 600)])
        scheduled(splunk, "skipped")
        rows = selfcheck(splunk)
        assert re.match(r"an event (59\d|60\d) s from the future", rows["clock"]["found"])
        assert rows["scheduled runs"]["found"].startswith("1 runs, 1 skipped")


@pytest.mark.standin
def test_a_user_without_the_role_sees_that_the_index_is_not_theirs(healthy: Splunk) -> None:
    capabilities = ["search", "rest_properties_get", "run_custom_command"]
    role = {"name": "outsider", "srchIndexesAllowed": "main", "capabilities": capabilities}
    healthy.rest.call("POST", "/services/authorization/roles", role)
    user = {"name": "out", "password": "outsider-password", "roles": "outsider"}
    healthy.rest.call("POST", "/services/authentication/users", user)
    rows = selfcheck(Splunk(healthy.target.as_user("out", "outsider-password")))
    for name in ("index of events", "index of risk"):
        assert rows[name]["status"] == "fail"
        assert "apisec_analyst" in rows[name]["remedy"]


def test_the_checks_know_the_app() -> None:
    own = [name for name in confs.read(ROOT / "package/default/macros.conf") if name.startswith("apisec_")]
    search = confs.read(ROOT / "package/default/savedsearches.conf")["apisec_selfcheck"]["search"]
    assert f"macros>={len(own)} AND" in search
    for name in confs.read(ROOT / "package/default/collections.conf"):
        assert name in COLLECTIONS, name
        assert f"lookup {name}" in {check["check"] for check in CHECKS}, name
    for check in CHECKS:
        kind, _, collection = check["check"].partition(" ")
        assert collection in COLLECTIONS if kind == "lookup" else f'"{check["check"]}"' in search, check
        assert check["remedy"]
        assert f"| {check['check']} |" in PAGE, check


def test_the_search_holds_nothing_that_savedsearch_would_replace() -> None:
    """``savedsearch`` takes ``$name$`` for an argument (Search Reference, savedsearch)."""
    search = confs.read(ROOT / "package/default/savedsearches.conf")["apisec_selfcheck"]["search"]
    assert "$" not in search
    for line in re.findall(r"\| rest (.*)", search):
        assert re.match(r"/services(NS/-/apisec)?/[\w/-]+ splunk_server=local count=0 ", line), line
