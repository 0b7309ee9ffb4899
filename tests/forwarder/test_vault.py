"""The vault: only marked traffic, only its own run, only for a while, and never in clear."""

from __future__ import annotations

import io
import json
import stat
import time
from pathlib import Path

import pytest

from apisec.errors import KeyFileError
from apisec_forwarder.cli import main
from apisec_forwarder.vault import HEADER, Vault, VaultSecret, marker, new_run, write_secret

NOW = 1_767_225_600.0
SECRET = VaultSecret.derive(b"s" * 32)
TOKEN = "~pii.email~0123456789abcdef~"


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault.db", SECRET, keep_seconds=100, max_values=5)


def test_a_marked_request_is_known_and_a_forged_one_is_not(vault: Vault) -> None:
    run = new_run()
    good = marker(SECRET, run, NOW + 60)
    assert vault.run_of(((HEADER, good),), NOW) == run
    assert vault.run_of((("X-Apisec-Test", good),), NOW) == run
    other = marker(VaultSecret.derive(b"t" * 32), run, NOW + 60)
    longer = good.replace(str(int(NOW + 60)), str(int(NOW + 61)))
    for forged in (other, longer, good[:-1] + ("0" if good[-1] != "0" else "1"), "", "1", good + "0"):
        assert vault.run_of(((HEADER, forged),), NOW) is None
    assert vault.run_of((), NOW) is None


@pytest.mark.parametrize(("expires", "known"), [(-299, True), (-301, False), (7 * 86400, True), (8 * 86400, False)])
def test_a_marker_has_its_time(vault: Vault, expires: int, known: bool) -> None:
    run = new_run()
    assert (vault.run_of(((HEADER, marker(SECRET, run, NOW + expires)),), NOW) == run) is known


def test_a_value_is_read_by_its_own_run_only(vault: Vault) -> None:
    mine, other = new_run(), new_run()
    vault.keep(mine, {"ada@example.com": TOKEN}, NOW)
    assert list(vault.open(mine, [TOKEN, "~x~"], NOW)) == [(TOKEN, "ada@example.com"), ("~x~", None)]
    assert list(vault.open(other, [TOKEN], NOW)) == [(TOKEN, None)]
    assert list(vault.open(mine, [TOKEN], NOW + 100)) == [(TOKEN, None)]


def test_another_secret_opens_nothing(vault: Vault, tmp_path: Path) -> None:
    run = new_run()
    vault.keep(run, {"ada@example.com": TOKEN}, NOW)
    stranger = Vault(tmp_path / "vault.db", VaultSecret.derive(b"t" * 32))
    assert list(stranger.open(run, [TOKEN], NOW)) == [(TOKEN, None)]


def test_neither_file_holds_a_value_or_a_token(vault: Vault, tmp_path: Path) -> None:
    vault.keep(new_run(), {"ada@example.com": TOKEN}, NOW)
    files = [path for path in tmp_path.iterdir() if path.name.startswith("vault.db")]
    assert files
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"ada" not in path.read_bytes()
        assert b"0123456789abcdef" not in path.read_bytes()


def test_it_is_bounded_and_forgets(vault: Vault) -> None:
    run = new_run()
    for number in range(9):
        vault.keep(run, {f"value{number}": f"~user~{number:016x}~"}, NOW + number)
    assert vault.count() == 5
    assert dict(vault.open(run, ["~user~0000000000000000~"], NOW + 9)) == {"~user~0000000000000000~": None}
    vault.keep(run, {"x" * 9000: TOKEN}, NOW + 500)
    assert vault.count() == 0


def test_a_failure_is_counted_and_stops_nothing(vault: Vault) -> None:
    vault.close()
    vault.keep(new_run(), {"ada": TOKEN}, NOW)
    assert vault.failures == 1


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "vault.json"
    assert main(["vault", "init", "--output", str(secret)]) == 0
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert main(["vault", "init", "--output", str(secret)]) == 2
    assert main(["vault", "mark", "--secret-file", str(secret), "--valid", "8d"]) == 2
    capsys.readouterr()
    assert main(["vault", "mark", "--secret-file", str(secret), "--run", "0123456789abcdef"]) == 0
    name, value = capsys.readouterr().out.strip().split(": ")
    kept = Vault(tmp_path / "v.db", VaultSecret.load(secret), keep_seconds=1e9)
    assert (name, kept.run_of(((name, value),), time.time())) == (HEADER, "0123456789abcdef")
    kept.keep("0123456789abcdef", {"ada": TOKEN}, NOW)
    config = tmp_path / "f.yaml"
    config.write_text(CONFIG)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{TOKEN}\n".encode())))
    assert main(["vault", "open", "--config", str(config), "--run", "0123456789abcdef"]) == 0
    assert json.loads(capsys.readouterr().out) == {"token": TOKEN, "value": "ada"}
    assert main(["vault", "purge", "--config", str(config)]) == 0
    assert kept.count() == 0
    config.write_text(CONFIG.replace("vault:", "#"))
    assert main(["vault", "purge", "--config", str(config)]) == 2


CONFIG = """
gateway: {name: edge-1, env: DEV}
receiver: {envoy: {log: log/access.json}}
keys: {file: keys.json}
spool: {directory: spool}
hec: {url: "http://127.0.0.1:8088", token_file: hec.token}
vault: {file: v.db, secret_file: vault.json}
"""


def test_what_is_no_secret_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vault.json"
    write_secret(path)
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        VaultSecret.load(path)
    path.write_text('{"version": 1, "secret": "c2hvcnQ="}')
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="vault init"):
        VaultSecret.load(path)
