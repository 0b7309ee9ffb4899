"""The configuration: strict, every error with its line, nothing opened while it is read."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from apisec.errors import ConfigError
from apisec_forwarder import config as configuration
from apisec_forwarder.config import check as checking
from apisec_forwarder.config.published import json_schema
from apisec_forwarder.config.reader import reference
from apisec_forwarder.config.schema import SECTIONS
from tests.support.certificates import self_signed
from tests.support.processes import forwarder

ROOT = Path(__file__).parents[2]
CASES = yaml.safe_load((ROOT / "tests/cases/config/errors.yml").read_text("utf-8"))
FILE = Path("/somewhere/F")


def test_good_configuration() -> None:
    config, errors = configuration.parse(CASES["good"], FILE)
    assert errors == []
    assert config is not None
    assert config.receiver.envoy is not None
    assert config.receiver.envoy.rotate_bytes == 32 * 2**20
    assert config.keys.file == Path("/somewhere/keys.json")
    assert config.receiver.envoy.log == Path("/dev/shm/apisec/access.json")
    assert config.services[1].paths == ("/billing",)
    assert config.hec.ack is True
    assert config.admin is not None
    assert (config.admin.listen.host, config.admin.listen.port) == ("127.0.0.1", 9443)
    assert configuration.status_file(config) == Path("/somewhere/spool/status.json")


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda case: case["name"])
def test_errors(case: dict[str, Any]) -> None:
    text = CASES["good"]
    for old, new in case["replace"].items():
        assert old in text, f"the case does not apply: {old!r}"
        text = text.replace(old, new, 1)
    config, errors = configuration.parse(text, FILE)
    assert config is None
    assert [str(error).replace(str(FILE), "F") for error in errors] == case["errors"]


def test_load_lists_every_error(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text("gateway: {name: a}\nhec: 3\n")
    with pytest.raises(ConfigError) as caught:
        configuration.load(path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 5
    assert lines[0].startswith(f"{path}:1: gateway.env is missing")


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "is empty"),
        (b"- a\n", "must be a mapping"),
        (b"a: \xff\n", "is not UTF-8"),
        (b"gateway: " + b"[" * 3000, "not YAML"),
        (b"a: &a [*a]\n", "unknown key 'a'"),
        (b"x" * 5_000_000, "not a configuration"),
    ],
)
def test_files_that_are_none(tmp_path: Path, raw: bytes, says: str) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(raw)
    with pytest.raises(ConfigError, match=says):
        configuration.load(path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        configuration.load(tmp_path / "none.yaml")


@given(st.text(max_size=300))
def test_any_text_gives_a_configuration_or_errors(text: str) -> None:
    config, errors = configuration.parse(text, FILE)
    assert (config is None) == bool(errors)


def test_reading_is_pure(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("touched the file system")

    for name in ("open", "stat", "exists", "mkdir"):
        monkeypatch.setattr(Path, name, refuse)
    assert configuration.parse(CASES["good"], FILE)[0] is not None


def test_docs_hold_the_reference() -> None:
    text = (ROOT / "docs/reference/configuration.md").read_text("utf-8")
    assert reference(SECTIONS).strip() in text, "run: python tools/reference.py"


def test_the_published_schema() -> None:
    published = json.loads((ROOT / "docs/reference/forwarder.schema.json").read_text("utf-8"))
    assert published == json_schema(), "run: python tools/reference.py"
    jsonschema.Draft202012Validator.check_schema(published)
    jsonschema.validate(yaml.safe_load(CASES["good"]), published)


@pytest.mark.parametrize(
    "case", [one for one in CASES["cases"] if one.get("schema", True)], ids=lambda case: case["name"]
)
def test_the_schema_refuses_what_the_reader_refuses(case: dict[str, Any]) -> None:
    text = CASES["good"]
    for old, new in case["replace"].items():
        text = text.replace(old, new, 1)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(text), json_schema())


def test_every_section_is_in_the_reference() -> None:
    seen = {cls.__name__ for cls in SECTIONS.values()} | {"Config", "Receiver"}
    declared = {name for name, cls in vars(configuration).items() if dataclasses.is_dataclass(cls)} - {"Address"}
    assert declared == seen


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hec.token").write_text("abc")
    (tmp_path / "hec.token").chmod(0o600)
    subprocess.run(
        forwarder("keys", "generate", "--output", str(tmp_path / "keys.json")), check=True, capture_output=True
    )
    (tmp_path / "f.yaml").write_text(
        "gateway: {name: edge-1, env: DEV}\n"
        "receiver: {envoy: {log: log/access.json}}\n"
        "keys: {file: keys.json}\nspool: {directory: spool}\n"
        "hec: {url: 'http://127.0.0.1:8088', token_file: hec.token}\n"
    )
    return tmp_path


def check(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        forwarder("check-config", "--config", str(folder / "f.yaml"), *options), capture_output=True, text=True
    )


def test_check_config_shows_what_was_understood(folder: Path) -> None:
    done = check(folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    rows = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "ok" in rows["keys.file"]
    assert str(folder / "log/access.json") in rows["receiver.envoy.log"]
    assert not (folder / "spool").exists()  # looking makes nothing


def test_check_config_lists_every_problem(folder: Path) -> None:
    (folder / "hec.token").chmod(0o644)
    (folder / "keys.json").unlink()
    (folder / "spool").write_text("a file")
    done = check(folder, "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 2
    assert not document["ok"]
    assert len(document["errors"]) == 3
    assert any("chmod 600" in error for error in document["errors"])
    assert any("keys generate" in error for error in document["errors"])


def test_check_config_prints_the_schema() -> None:
    done = subprocess.run(forwarder("check-config", "--schema"), capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == json_schema()


def test_check_config_says_which_engine(folder: Path) -> None:
    rows = {line.split()[0]: line for line in check(folder).stdout.splitlines()}
    assert rows["workers.engine"].split()[1:] == ["ok", "auto"]
    document = json.loads(check(folder, "--json").stdout)
    assert {"key": "workers.engine", "value": "auto: native", "problem": None} in document["checks"]


def test_check_config_shows_lists(folder: Path) -> None:
    text = (folder / "f.yaml").read_text()
    more = "files: [{path: a.log}, {path: b.log, format: kong}]"
    (folder / "f.yaml").write_text(text.replace("receiver: {envoy", "receiver: {" + more + ", envoy"))
    done = check(folder)
    assert done.returncode == 0, done.stderr
    assert f"receiver.files.{folder / 'b.log'}.format" in done.stdout


def test_run_refuses_to_start_on_a_bad_configuration(folder: Path) -> None:
    (folder / "hec.token").write_text("two words")
    done = subprocess.run(
        forwarder("run", "--config", str(folder / "f.yaml")), capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 2
    assert done.stderr.startswith("apisec-forwarder: error: hec.token_file")
    assert "two words" not in done.stderr


@pytest.mark.parametrize("command", ["run", "check-config", "gateway"])
def test_help_teaches_with_an_example(command: str) -> None:
    done = subprocess.run(forwarder(command, "--help"), capture_output=True, text=True, check=True)
    assert f"apisec-forwarder {command} --config" in done.stdout


TLS = """\
gateway: {name: edge-1, env: DEV}
receiver: {%s: {listen: "127.0.0.1:9001", tls_certificate: c.pem, tls_key: k.pem, client_ca: ca.pem}}
keys: {environment: APISEC_TEST_KEYS}
spool: {directory: spool}
hec: {url: "http://127.0.0.1:8088", token_file: hec.token}
"""


@pytest.mark.parametrize("name", ["ext_proc", "http", "haproxy"])
def test_the_files_of_a_receiver_s_tls_are_tested(name: str, tmp_path: Path) -> None:
    config, errors = configuration.parse(TLS % name, tmp_path / "f.yaml")
    assert config is not None, errors

    def problems() -> dict[str, str | None]:
        ours = [one for one in checking.check(config) if one.key.startswith(f"receiver.{name}.")]
        return {one.key.rpartition(".")[2]: one.problem for one in ours}

    keys = ("tls_certificate", "tls_key", "client_ca")
    assert problems() == dict.fromkeys(keys, "cannot be used: No such file or directory")
    certificate, key = self_signed(tmp_path)
    shutil.copy(certificate, tmp_path / "ca.pem")
    assert problems() == dict.fromkeys(keys)
    key.chmod(0o644)
    (tmp_path / "ca.pem").write_text("no certificate")
    found = problems()
    assert "others may read it; run: chmod 600" in str(found["tls_key"])
    assert "is not usable" in str(found["client_ca"])
    (tmp_path / "other").mkdir()
    shutil.copy(self_signed(tmp_path / "other")[1], key)
    assert "is not usable" in str(problems()["tls_certificate"])
