"""Applying, editing and taking back bundles, in one process: patterns, signatures, the store, how it takes effect."""

from __future__ import annotations

import datetime
import re
import stat
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from apisec.bundles import ed25519
from apisec.bundles.document import parse
from apisec.classification.overrides import Overrides
from apisec.errors import ApisecError, ConfigError, DocumentError, KeyFileError
from apisec_forwarder import config as configuration
from apisec_forwarder.bundles import effect, signing
from apisec_forwarder.bundles.manage import BundleRefusedError, Bundles, ServiceUnknownError
from apisec_forwarder.bundles.store import BundleStore
from apisec_forwarder.bundles.watch import watch
from apisec_forwarder.config.overrides import load_overrides
from apisec_forwarder.decisions.registry import Caller, ForbiddenError, PreconditionError, Registry
from apisec_forwarder.decisions.store import Store
from tests.support.waiting import until

NOW = 1_795_000_000.0  # 2026-11-18
ME = Caller("ada", frozenset(["commerce"]))
IDS = ("5f0c1d3e-2f43-4f6e-9a55-0d4c8f1f7f10", "929a690e-bef0-4204-a928-ef5e620d6fcc")
NOTE = {"path": "note", "class": "pii.name", "author": "ada", "reason": "people write names here"}


def pattern(identity: str = IDS[0], expires: str = "2026-12-01T00:00:00Z") -> dict[str, Any]:
    return {
        "title": "orders",
        "id": identity,
        "logsource": {"category": "api", "product": "apisec", "service": "shop"},
        "detection": {"s": {"operation": "GET /orders/{order_id}"}, "condition": "s"},
        "apisec": {"mode": "shadow", "expires": expires},
    }


class World:
    """A configuration, its keys, and the bundles of a forwarder."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.folder = folder
        self.key = signing.generate(folder / "ada.key")
        self.trust = {"version": 1, "keys": [signing.trusted(self.key, ["commerce"], ["DEV"], "ada")]}
        self.write_trust()
        (folder / "overrides.yml").write_text(
            yaml.safe_dump(
                {
                    "version": 1,
                    "overrides": [
                        {**NOTE, "service": "shop", "path": "old"},
                        {**NOTE, "service": "*", "path": "anywhere"},
                        {**NOTE, "service": "bank", "path": "theirs"},
                    ],
                }
            )
        )
        bundles = {"store": "bundles", "trust": "trust.yml", **changes}
        text = {
            "gateway": {"name": "edge-1", "env": "DEV"},
            "services": [
                {"name": "shop", "team": "commerce", "hosts": ["shop.example", "b.example"]},
                {"name": "bank", "team": "finance", "hosts": ["bank.example"]},
            ],
            "receiver": {"files": [{"path": "t.jsonl"}]},
            "keys": {"file": "keys.json"},
            "spool": {"directory": "spool"},
            "hec": {"url": "https://127.0.0.1:9", "token_file": "t", "index": "apisec"},
            "admin": {"listen": "127.0.0.1:1", "tls_certificate": "c", "tls_key": "k", "tokens_file": "t"},
            "decisions": {"socket": "a", "feed_socket": "b", "ecds_directory": "e", "store": "p"},
            "redaction": {"overrides": "overrides.yml"},
            "bundles": bundles,
        }
        config, errors = configuration.parse(yaml.safe_dump(text), folder / "f.yaml")
        assert config is not None, errors
        self.config = config
        self.audit: list[dict[str, Any]] = []
        self.registry = Registry(Store(folder / "p"), {"shop": "commerce"}, lambda *_: None, lambda *_: None)
        self.registry.load(NOW)
        self.bundles = self.restarted()

    def restarted(self) -> Bundles:
        base = load_overrides(self.folder / "overrides.yml", datetime.date(2026, 11, 18))
        return Bundles(self.config, base, self.registry, lambda event, *_: self.audit.append(event))

    def write_trust(self) -> None:
        (self.folder / "trust.yml").write_text(yaml.safe_dump(self.trust))
        (self.folder / "trust.yml").chmod(0o644)

    def document(self, **changes: Any) -> dict[str, Any]:
        made = {"author": "ada@example.org", "reason": "first classification", "at": "2026-11-17T00:00:00Z"}
        old = {**NOTE, "path": "old"}
        return {
            "apisec_bundle": 1, "service": "shop", "version": 1, "environments": ["DEV", "PROD"], "made": made,
            "ownership": {"team": "commerce"}, "overrides": [NOTE, old], **changes,
        }  # fmt: skip

    def release(self, **changes: Any) -> dict[str, Any]:
        return signing.sign(self.document(**changes), None, None, [self.key]).to_document()

    def apply(self, **changes: Any) -> Any:
        return self.bundles.apply(self.release(**changes), ME, None, NOW)

    def digest(self) -> str:
        state = self.bundles.state("shop")
        assert state is not None
        return state.applied.digest

    def patterns(self) -> set[str]:
        return {record.pattern.id for record in self.registry.all()}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_both_verifiers_agree_on_what_a_library_signs(world: World) -> None:
    message = b"bundle" * 50
    signature = world.key.private.sign(message)
    for changed in (signature, bytes([signature[0] ^ 1]) + signature[1:], signature[:-1] + b"\xff"):
        for text in (message, message + b"x"):
            expected = changed == signature and text == message
            assert signing.verify(world.key.public(), text, changed) is expected
            assert ed25519.verify(world.key.public(), text, changed) is expected


def test_key_files_are_private_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "k"
    key = signing.generate(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert signing.load(path).public() == key.public()
    with pytest.raises(KeyFileError, match="exists already"):
        signing.generate(path)
    path.write_text(path.read_text().replace(key.id, "0" * 16))
    with pytest.raises(KeyFileError, match="was edited"):
        signing.load(path)
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        signing.load(path)


def test_a_trust_file_that_others_write_is_refused(world: World) -> None:
    (world.folder / "trust.yml").chmod(0o666)
    with pytest.raises(ConfigError, match="chmod go-w"):
        world.apply()


def test_a_bundle_takes_effect_in_the_next_generation(world: World) -> None:
    world.apply(ownership={"team": "commerce", "hosts": ["b.example"]}, thresholds={"redaction": "strict"})
    settings = configuration.pipeline_settings(world.config)
    shop, bank = settings.services
    assert (shop.hosts, shop.mode, bank.hosts, bank.mode) == (("b.example",), "strict", ("bank.example",), "balanced")
    found = {(one.service, one.path) for one in settings.overrides.entries}
    assert found == {("shop", "note"), ("shop", "old"), ("*", "anywhere"), ("bank", "theirs")}
    assert world.bundles.in_force("shop") is None
    assert world.restarted().in_force("shop") == world.digest()
    (state,) = BundleStore(world.folder / "bundles").load().values()
    assert (state.highest, stat.S_IMODE((world.folder / "bundles/shop.json").stat().st_mode)) == (1, 0o600)


def test_what_the_configuration_said_counts_as_before(world: World) -> None:
    with pytest.raises(BundleRefusedError, match=r"old of every operation: pii.name → – \(lowered\)"):
        world.apply(overrides=[NOTE])
    assert [event["change"] for event in world.audit] == ["bundle_refused"]


def test_patterns_come_and_go_with_the_bundle(world: World) -> None:
    world.apply(patterns=[pattern()])
    assert world.patterns() == {IDS[0]}
    first = world.digest()
    far = pattern(IDS[1], "2027-06-01T00:00:00Z")  # further ahead than a pattern may live
    with pytest.raises(DocumentError):
        world.apply(version=2, base=first, patterns=[pattern(expires="2026-12-02T00:00:00Z"), far])
    assert world.digest() == first, "nothing of a refused bundle stays"
    assert [one.pattern.document for one in world.registry.all()] == [pattern()]
    world.apply(version=2, base=first, patterns=[pattern(IDS[1])])
    assert world.patterns() == {IDS[1]}
    world.bundles.rollback("shop", first, "complaints", ME, None, NOW)
    assert (world.patterns(), world.digest()) == ({IDS[0]}, first)


def test_a_rollback_needs_a_signature_that_still_counts(world: World) -> None:
    world.apply()
    first = world.digest()
    with pytest.raises(DocumentError, match="no bundle before"):
        world.bundles.rollback("shop", None, "x", ME, None, NOW)
    world.apply(version=2, base=first)
    with pytest.raises(DocumentError, match="say why"):
        world.bundles.rollback("shop", None, "", ME, None, NOW)
    world.trust["keys"][0]["revoked"] = "lost"  # type: ignore[index]
    world.write_trust()
    with pytest.raises(BundleRefusedError, match="is revoked: lost"):
        world.bundles.rollback("shop", None, "complaints", ME, None, NOW)


def test_after_a_rollback_only_what_was_applied_or_is_newer_comes_again(world: World) -> None:
    world.apply()
    first = world.digest()
    world.apply(version=5, base=first)
    fifth = world.release(version=5, base=first)
    world.bundles.rollback("shop", None, "complaints", ME, None, NOW)
    with pytest.raises(BundleRefusedError, match="version 4 is not above 5"):
        world.apply(version=4, base=first)
    assert world.bundles.apply(fifth, ME, None, NOW).changed


def test_unsigned_changes_only_where_they_are_allowed(world: World, tmp_path: Path) -> None:
    with pytest.raises(ForbiddenError, match="editable"):
        world.bundles.edit("shop", [NOTE], "why", ME, None, NOW)
    (tmp_path / "dev").mkdir()
    dev = World(tmp_path / "dev", editable=True)
    old = {**NOTE, "path": "old"}
    etag = dev.bundles.etag("shop")
    dev.bundles.edit("shop", [old, NOTE], "found in a review", ME, etag, NOW)
    with pytest.raises(PreconditionError):
        dev.bundles.edit("shop", [old], "again", ME, etag, NOW)
    with pytest.raises(BundleRefusedError, match="lowered"):
        dev.bundles.edit("shop", [old], "gone", ME, None, NOW)
    dev.bundles.edit("shop", [old, {**NOTE, "class": "pii.email"}], "mails", ME, None, NOW)
    document = dev.bundles.present("shop").document
    assert (document["version"], document["made"]["author"]) == (2, "ada")


def test_other_teams_services_are_not_there(world: World) -> None:
    for service in ("bank", "nothing"):
        with pytest.raises(ServiceUnknownError):
            world.bundles.reach(service, ME)
        with pytest.raises(BundleRefusedError, match=f"no service '{service}' of your teams"):
            world.bundles.apply(world.release(service=service, overrides=[]), ME, None, NOW)
    assert {event["team"] for event in world.audit} == {"unassigned"}, "no record in another team's index"
    with pytest.raises(ForbiddenError):
        world.apply(ownership={"team": "finance"})


def test_a_damaged_store_stops_the_start(world: World) -> None:
    world.apply()
    file = world.folder / "bundles/shop.json"
    for text in ("{", "{}", '{"version": 9}', file.read_text().replace("shop", "bank")):
        file.write_text(text)
        with pytest.raises(ConfigError, match=r"shop\.json"):
            effect.applied(world.config)


def test_the_supervisor_hears_of_a_change(world: World) -> None:
    changed, stop = threading.Event(), threading.Event()
    thread = watch(world.folder / "bundles", changed, stop)
    world.apply()
    until(changed.is_set, 10, "the change is seen")
    changed.clear()
    assert not world.bundles.apply(world.release(), ME, None, NOW).changed
    stop.set()
    thread.join(10)
    assert not changed.is_set(), "the same again is no change"


def test_what_the_configuration_says_is_a_first_bundle(world: World) -> None:
    base = load_overrides(world.folder / "overrides.yml", datetime.date(2026, 11, 18))
    document = effect.of_configuration(world.config, "shop", base, "ada", "exported", NOW, ["DEV"])
    assert [one.path for one in parse(document).overrides.entries] == ["old"]
    assert len(effect.overrides(Overrides(), {})) == 0


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "a: &x 1\nb: *x\n", '{"a": 1, "a": 2}', "a: [", "\x00"])
def test_documents_are_read_strictly(tmp_path: Path, text: str) -> None:
    from apisec_forwarder.bundles.documents import read_file

    file = tmp_path / "d.yml"
    file.write_text(text)
    with pytest.raises(ApisecError, match=r"d\.yml"):
        read_file(file)


def test_the_pipelines_examples_give_the_script_what_it_needs() -> None:
    folder = Path(__file__).parents[2] / "packaging/ci"
    script = (folder / "promote.sh").read_text()
    needed = {"SEEN", *re.findall(r"\$\{(\w+):\?\}", script)}
    needed -= {name for name in needed if name.startswith("FROM_SPLUNK")}  # the alternative to SEEN
    assert needed >= {"SERVICE", "FROM", "KEY", "TO_URL", "TO_SPLUNK_CA"}
    subprocess.run(["/bin/sh", "-n", str(folder / "promote.sh")], check=True)
    (job,) = yaml.safe_load((folder / "github-actions.yml").read_text())["jobs"].values()
    step = job["steps"][-1]
    assert "${{" not in step["run"], "values stand in the environment, never in the script's text"
    assert needed <= set(step["env"]) | set(re.findall(r"(\w+)=", step["run"]))
    subprocess.run(["/bin/sh", "-n", "-c", step["run"]], check=True)
    gitlab = (folder / "gitlab-ci.yml").read_text()
    jobs = yaml.safe_load(gitlab)
    assert [jobs[f"promote to {name}"]["variables"]["FROM"] for name in ("QA", "PROD")] == ["DEV", "QA"]
    assert all(name in gitlab for name in needed)
