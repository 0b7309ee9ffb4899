"""The file of overrides: what is wrong is named with its line, and what has expired does not count."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from apisec.errors import ConfigError
from apisec_forwarder import config as configuration
from apisec_forwarder.config.overrides import load_overrides

DAY = datetime.date(2026, 11, 21)
GOOD = """\
version: 1
overrides:
  - service: shop
    path: customer.*.ref
    class: pii.name
    author: ada@example.org
    reason: holds initials
  - {service: shop, path: code, class: none, author: ada@example.org, reason: article codes, expires: 2026-11-21}
  - {service: shop, in: query, path: q, class: pii.email, author: ada@example.org, reason: x, expires: 2026-11-22}
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "overrides.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_good_file(tmp_path: Path) -> None:
    overrides = load_overrides(write(tmp_path, GOOD), DAY)
    assert [one.path for one in overrides.entries] == ["customer.*.ref", "q"]
    assert overrides.find("shop", "GET /", "body", "customer.x.ref") == "pii.name"
    assert overrides.find("shop", "GET /", "query", "q") == "pii.email"


@pytest.mark.parametrize(
    ("old", "new", "messages"),
    [
        ("class: pii.name", "class: pii.nam", ["5: overrides[0].class: 'pii.nam' is not a class"]),
        ("    author: ada@example.org\n", "", ["3: overrides[0]: author is missing"]),
        ("in: query", "inn: query", ["9: overrides[2].inn: unknown key (did you mean 'in'?)"]),
        ("version: 1", "version: 7", ["1: version: must be 1"]),
        ("version: 1\n", "", ["1: version: must be 1"]),
        (
            "overrides:\n",
            "override:\n",
            ["2: override: unknown key (did you mean 'overrides'?)", "overrides: must be a list"],
        ),
        ("in: query, path: q", "path: code", ["9: overrides[2]: says the same field as overrides[1]"]),
        ("reason: x", "reason: [x", ["not YAML"]),
        (GOOD, "", ["must be a mapping"]),
        (GOOD, "a: &a [*a]\n", ["1: a: unknown key", "1: version: must be 1"]),
    ],
)
def test_errors_name_the_line(tmp_path: Path, old: str, new: str, messages: list[str]) -> None:
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_overrides(path, DAY)
    for message in messages:
        assert message in str(caught.value).replace(f"{path}:", "")


@pytest.mark.parametrize(("raw", "says"), [(b"\xff", "not UTF-8"), (b"[" * 4000, "not YAML"), (b"\x00", "not YAML")])
def test_files_that_are_none(tmp_path: Path, raw: bytes, says: str) -> None:
    path = tmp_path / "overrides.yaml"
    path.write_bytes(raw)
    with pytest.raises(ConfigError, match=says):
        load_overrides(path, DAY)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_overrides(tmp_path / "absent.yaml", DAY)


def test_a_file_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apisec_forwarder.config.overrides.MAX_OVERRIDES_BYTES", 10)
    with pytest.raises(ConfigError, match="larger than 10 bytes"):
        load_overrides(write(tmp_path, GOOD), DAY)


def test_settings_carry_modes_and_overrides(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    text = """\
gateway: {name: edge-1, env: PROD}
services:
  - {name: shop, team: commerce, hosts: [shop.example]}
  - {name: bank, team: money, hosts: [bank.example], redaction: strict}
receiver: {envoy: {log: access.json}}
keys: {file: keys.json}
spool: {directory: spool}
hec: {url: "https://splunk.example:8088", token_file: token}
redaction: {mode: balanced, overrides: overrides.yaml}
"""
    config, errors = configuration.parse(text, tmp_path / "forwarder.yaml")
    assert errors == []
    assert config is not None
    settings = configuration.pipeline_settings(config)
    assert [service.mode for service in settings.services] == ["balanced", "strict"]
    assert settings.overrides.find("shop", "GET /", "body", "customer.x.ref") == "pii.name"


def test_an_unknown_mode_is_refused(tmp_path: Path) -> None:
    _, errors = configuration.parse("redaction: {mode: strikt}\n", tmp_path / "f.yaml")
    assert any("'strikt' is not balanced or strict" in str(error) for error in errors)
