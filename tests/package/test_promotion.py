"""DEV → QA → PROD: in each environment a forwarder and a Splunk, a bundle that the CI script promotes to both, and each
refusal on the way. The stages are fixtures, in the order of the story; the tests say what must hold at each."""

from __future__ import annotations

import json
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from apisec.bundles.document import parse
from tests.package.promotion import CHAIN, JSON, PAN, World, bundle
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.app, pytest.mark.standin, pytest.mark.timeout(900)]
REASON = {"author": "ada@example.org", "reason": "customers write their names here"}
NAME = {"operation": "POST /pay", "in": "body", "path": "ref.x", "class": "pii.name", **REASON}
BODY = {"ref": {"x": "Ada Lovelace"}, "card": {"number": PAN}}


# --- stages -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world(archive: Path, unpacked: Path) -> Iterator[World]:
    with tempfile.TemporaryDirectory(prefix="apisec-") as name:  # short: paths of sockets have 107 characters
        made = World(Path(name))
        with made.running(archive, unpacked):
            yield made


@pytest.fixture(scope="module")
def dev_traffic(world: World) -> None:
    """Traffic of DEV, in the forwarder's spool and in the inventory of DEV's Splunk."""
    dev = world["DEV"]
    dev.forwarder.traffics(20, BODY)
    until(lambda: len(dev.forwarder.spooled()) == 20, 30, "the traffic of DEV is spooled")
    dev.splunk.learn(dev.forwarder.records())


@pytest.fixture(scope="module")
def first(world: World, dev_traffic: None) -> Path:
    """The first bundle: it classifies one field, and not the card numbers."""
    file = world.file("shop.yml")
    bundle("init", "--service", "shop", "--team", "commerce", "--environments", ",".join(CHAIN),
           "--author", "ada@example.org", "--reason", "first classification", "--output", file)  # fmt: skip
    document = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump({**document, "overrides": [NAME]}, sort_keys=False))
    return file


@pytest.fixture(scope="module")
def first_in_dev(world: World, first: Path) -> Path:
    """The first bundle, applied in DEV while requests come."""
    dev, release = world["DEV"], world.sign(first, "ada")
    dev.forwarder.traffics(30, {"ref": BODY["ref"]})
    bundle("apply", release, *dev.forwarder.remote(), "--wait", "90")
    bundle("apply", release, *dev.splunk.remote(), "--wait", "90")
    dev.forwarder.traffics(30, {"ref": BODY["ref"]})
    until(lambda: len(dev.forwarder.spooled()) >= 80, 30, "all of it is spooled")
    return release


@pytest.fixture(scope="module")
def too_early(world: World, first_in_dev: Path) -> subprocess.CompletedProcess[str]:
    """The promotion of the first bundle to QA, which leaves the card numbers out."""
    return world.promote("DEV", "QA")


@pytest.fixture(scope="module")
def second(world: World, too_early: object) -> Path:
    """The next version, with what DEV has seen, applied in DEV."""
    dev, file, seen = world["DEV"], world.file("shop2.yml"), world.file("dev.seen.yml")
    bundle("seen", "--service", "shop", "--environment", "DEV", "--output", seen, *dev.splunk.remote())
    bundle("export", "--service", "shop", "--next", "--seen", seen, "--author", "ada@example.org",
           "--reason", "cards, too", "--output", file, *dev.splunk.remote())  # fmt: skip
    release = world.sign(file, "ada")
    for remote in dev.remotes():
        bundle("apply", release, *remote, "--wait", "90")
    return file


@pytest.fixture(scope="module")
def in_qa(world: World, second: Path) -> None:
    """The second version in QA, with traffic there."""
    done = world.promote("DEV", "QA")
    assert done.returncode == 0, (done.stdout, done.stderr)
    qa = world["QA"]
    qa.forwarder.traffics(5, BODY)
    until(lambda: len(qa.forwarder.spooled()) == 5, 30, "the traffic of QA is spooled")
    qa.splunk.learn(qa.forwarder.records())


class Refused(NamedTuple):
    done: subprocess.CompletedProcess[str]
    at_forwarder: Any


@pytest.fixture(scope="module")
def refused_by_splunk(world: World, in_qa: None) -> Refused:
    """A promotion to PROD while somebody has said there, in Splunk alone, that a field holds numbers of cards."""
    prod = world["PROD"]
    said = {"service": "shop", "path": "memo", "class": "pci.pan", "reason": "agents paste numbers of cards here"}
    made = prod.splunk.api().call("POST", "/v1/overrides", json.dumps(said).encode(), JSON)
    done = world.promote("QA", "PROD")
    applied = prod.forwarder.api().call("GET", "/v1/bundles/shop")["applied"]
    query = {"reason": "it was a misunderstanding"}
    prod.splunk.api().call("DELETE", f"/v1/overrides/{made['id']}", query=query)
    return Refused(done, applied)


@pytest.fixture(scope="module")
def in_prod(world: World, refused_by_splunk: Refused) -> None:
    done = world.promote("QA", "PROD")
    assert done.returncode == 0, (done.stdout, done.stderr)


# --- what must hold ---------------------------------------------------------------------------------------------------


def test_splunks_inventory_has_seen_what_the_events_show(world: World, dev_traffic: None) -> None:
    dev = world["DEV"]
    world.file("dev.jsonl").write_text("".join(json.dumps(event) + "\n" for event in dev.forwarder.spooled()[:20]))
    sources = (("--events", world.file("dev.jsonl")), dev.splunk.remote())
    shown = [yaml.safe_load(bundle("seen", "--service", "shop", "--environment", "DEV", *source).stdout)
             for source in sources]  # fmt: skip
    fields = [(one["operation"], one["path"], one["class"], one["samples"]) for one in shown[0]["fields"]]
    assert fields == [("POST /pay", "card.number", "pci.pan", 20)]
    assert shown[0] == shown[1]


def test_signatures_that_do_not_count_are_refused_on_both_sides_alike(world: World, first: Path) -> None:
    for key, said in (
        ("stranger", "is not trusted here"),
        ("lost", "is revoked: laptop lost"),
        ("fin", "may not sign for team commerce"),
        ("pipeline", "may not sign for environment DEV"),
    ):
        release = world.sign(first, key, "wrong.json")
        told = [bundle("apply", release, *remote, code=1).stderr for remote in world["DEV"].remotes()]
        assert said in told[0]
        assert told[0] == told[1]
    tampered = world.file("tampered.json")
    tampered.write_text(world.sign(first, "ada", "right.json").read_text().replace("pii.name", "pii.email"))
    for remote in world["DEV"].remotes():
        assert "was changed after it was signed" in bundle("apply", tampered, *remote, code=1).stderr
    for remote in world["QA"].remotes():
        assert "comes from nowhere" in bundle("verify", world.file("right.json"), *remote, code=1).stderr


def test_applying_under_traffic_loses_nothing_and_takes_effect(world: World, first_in_dev: Path) -> None:
    dev = world["DEV"].forwarder
    events = dev.spooled()
    assert len(events) == len({event["id"] for event in events}) == 80
    assert all("pii.name" not in event["data_classes"] for event in events[:20])
    assert all("pii.name" in event["data_classes"] for event in events[-30:])
    for remote in world["DEV"].remotes():
        assert "was applied already" in bundle("apply", first_in_dev, *remote).stdout
    assert stat.S_IMODE((dev.folder / "bundles/shop.json").stat().st_mode) == 0o600
    audit = [event["change"] for event in dev.spooled("apisec:decision")]
    assert audit[-1] == "bundle_apply"
    assert set(audit[:-1]) <= {"bundle_refused"}


def test_what_splunk_reads_are_the_bundles_overrides(world: World, first_in_dev: Path) -> None:
    api = world["DEV"].splunk.api()
    rows = api.call("GET", "/v1/overrides", query={"service": "shop"})["items"]
    digest = api.call("GET", "/v1/bundles/shop")["applied"]["digest"]
    found = {row["path"]: (row["class"], row["bundle"]) for row in rows}
    assert found["ref.x"] == ("pii.name", digest)


def test_a_field_seen_and_not_classified_stops_the_promotion(too_early: subprocess.CompletedProcess[str]) -> None:
    assert too_early.returncode == 1
    assert "DEV has seen sensitive fields that the bundle does not classify: card.number of POST /pay" in (
        too_early.stderr
    )


def test_prod_takes_from_qa_only(world: World, second: Path) -> None:
    release = world.sign(second, "pipeline", "jump.json", "--from", "DEV", "--seen", world.file("dev.seen.yml"))
    for remote in world["PROD"].remotes():
        assert "PROD takes bundles from QA" in bundle("verify", release, *remote, code=1).stderr


def test_the_same_bundle_is_in_force_in_both_environments(world: World, in_prod: None, second: Path) -> None:
    assert all({"pii.name", "pci.pan"} <= set(one["data_classes"]) for one in world["QA"].forwarder.spooled())
    places = (world["QA"], world["PROD"])
    apis = [api for place in places for api in (place.forwarder.api(), place.splunk.api())]
    exports = [api.call("GET", "/v1/bundles/shop") for api in apis]
    made = parse(yaml.safe_load(second.read_text())).digest
    assert {one["applied"]["digest"] for one in exports} == {made}, "the document that was made in DEV"
    assert all(one["in_force"] == one["applied"]["digest"] for one in exports)
    for remote in world["PROD"].remotes():
        (row,) = json.loads(bundle("list", "--json", *remote).stdout)["services"]
        assert row["applied"]["version"] == 2


def test_a_pipeline_that_was_cut_off_may_run_again(world: World, in_prod: None, second: Path) -> None:
    seen = world.file("qa.seen.yml")
    bundle("seen", "--service", "shop", "--environment", "QA", "--output", seen, *world["QA"].splunk.remote())
    release = world.sign(second, "pipeline", "again.json", "--from", "QA", "--seen", seen)
    for remote in world["PROD"].remotes():
        assert "acceptable" in bundle("verify", release, *remote).stdout
        assert "was applied already" in bundle("apply", release, *remote).stdout


def test_what_splunk_refuses_is_not_applied_at_the_forwarder(refused_by_splunk: Refused) -> None:
    done, at_forwarder = refused_by_splunk
    assert done.returncode == 1
    assert "memo of every operation: pci.pan → – (lowered)" in done.stderr
    assert at_forwarder is None


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"version": 9, "base": "sha256:" + "0" * 64}, "wrong base: version 2"),
    ({"overrides": [{**NAME, "class": "none", "reason": "safe"}]}, "(lowered): its reason has"),
    ({"overrides": [{**NAME, "expires": "2026-01-01"}]}, "has expired on 2026-01-01"),
)


@pytest.mark.parametrize(("changes", "said"), WRONG)
def test_wrong_changes_are_refused_on_both_sides(
    world: World, in_prod: None, second: Path, changes: dict[str, Any], said: str
) -> None:
    prod = world["PROD"]
    applied = prod.forwarder.api().call("GET", "/v1/bundles/shop")["applied"]["digest"]
    body = {**yaml.safe_load(second.read_text()), "version": 3, "base": applied, **changes}
    file = world.file("wrong.yml")
    file.write_text(yaml.safe_dump(body, sort_keys=False))
    release = world.sign(file, "pipeline", "wrong.json")
    for remote in prod.remotes():
        assert said in bundle("apply", release, *remote, code=1).stderr


def test_a_team_sees_and_changes_its_own_services_only(world: World, in_prod: None) -> None:
    one, splunk = world["PROD"].forwarder, world["PROD"].splunk
    rows = one.ask("GET", "/v1/services", "finance").json()["services"]
    assert [row["service"] for row in rows] == ["bank"]
    assert splunk.api("finance").call("GET", "/v1/bundles")["items"] == []
    doors: tuple[tuple[str, str, Any], ...] = (
        ("GET", "/v1/bundles/shop", None),
        ("GET", "/v1/overrides/shop", None),
        ("POST", "/v1/bundles/shop:rollback", {"reason": "mine"}),
        ("PUT", "/v1/overrides/shop", {"overrides": [], "reason": "mine"}),
    )
    for method, path, change in doors:
        answer = one.ask(method, path, "finance", json=change)
        assert (answer.status_code, "no service 'shop'" in answer.json()["detail"]) == (404, True), path
    assert [row["service"] for row in one.ask("GET", "/v1/bundles", "finance").json()["bundles"]] == []
    made = {"author": "fin", "reason": "taking over", "at": "2026-11-21T00:00:00Z"}
    body = {"apisec_bundle": 1, "service": "shop", "version": 9, "environments": ["PROD"], "made": made}
    for team in ("finance", "commerce"):
        file = world.file("theft.yml")
        file.write_text(yaml.safe_dump({**body, "ownership": {"team": team}}))
        release = world.sign(file, "fin", "theft.json")
        for remote in (one.remote("finance"), splunk.remote("finance")):
            assert "no service 'shop' of your teams" in bundle("apply", release, *remote, code=1).stderr
        check = one.ask("POST", "/v1/bundles:verify", "finance", data=release.read_bytes()).json()
        assert ([row["code"] for row in check["refusals"]], check["effects"]) == (["service"], [])


def test_the_admin_api_bounds_and_names_what_is_wrong(world: World, in_prod: None) -> None:
    one = world["PROD"].forwarder
    for data, said in (
        (b"{", "is not JSON"),
        (b'{"apisec_release": 1, "apisec_release": 1}', "twice"),
        (b'{"apisec_release": 1}', "bundle"),
        (b"[" * 100_000, "JSON"),
        (b"x" * (2 * 2**20 + 1), "2097152 bytes"),
    ):
        answer = one.ask("POST", "/v1/bundles:apply", data=data, headers=JSON)
        assert (answer.status_code in (400, 413, 422), said in answer.json()["detail"]) == (True, True), answer.text
    unsigned = one.ask("PUT", "/v1/overrides/shop", json={"overrides": [], "reason": "x"})
    assert (unsigned.status_code, "bundles.editable" in unsigned.json()["detail"]) == (403, True)
    stale = one.ask("POST", "/v1/bundles/shop:rollback", json={"reason": "x"}, headers={"if-match": '"0"'})
    assert stale.status_code == 412


def test_back_to_the_bundle_before(world: World, in_qa: None) -> None:
    dev = world["DEV"]
    for remote in dev.remotes():
        bundle("rollback", "--service", "shop", "--reason", "as an exercise", *remote)
    until(lambda: dev.forwarder.version() == 1, 60, "the first bundle is in force again")
    shown = dev.splunk.api().call("GET", "/v1/bundles/shop")
    assert (shown["applied"]["version"], shown["applied"]["action"], shown["drift"]) == (1, "rollback", None)
