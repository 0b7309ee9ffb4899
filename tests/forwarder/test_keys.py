"""The key file on disk, and the command that makes and rotates it."""

from __future__ import annotations

import base64
import io
import json
import stat
import sys
from pathlib import Path

import pytest

from apisec.errors import KeyFileError
from apisec.redaction.keys import KeyRing, Tokenizer
from apisec_forwarder import keys
from apisec_forwarder.cli import main
from apisec_forwarder.config.schema import Keys


def test_generate_show_rotate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "keys.json"
    assert main(["keys", "generate", "--output", str(path)]) == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first = keys.load(path).active
    assert main(["keys", "rotate", "--file", str(path), "--algorithm", "hmac-sha256"]) == 0
    ring = keys.load(path)
    assert ring.active.id != first.id
    assert ring.active.algorithm == "hmac-sha256"
    assert [key.id for key in ring.keys] == [first.id, ring.active.id]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert main(["keys", "show", "--file", str(path)]) == 0
    shown = "".join(capsys.readouterr())
    assert first.id in shown
    for key in json.loads(path.read_text())["keys"]:
        assert key["secret"] not in shown


def test_an_existing_file_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "keys.json"
    keys.write(path, keys.generate())
    before = path.read_text()
    assert main(["keys", "generate", "--output", str(path)]) == 2
    assert "use keys rotate" in capsys.readouterr().err
    assert path.read_text() == before


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o622])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "keys.json"
    keys.write(path, keys.generate())
    path.chmod(mode)
    with pytest.raises(KeyFileError, match=f"chmod 600 {path}"):
        keys.load(path)


@pytest.mark.parametrize(("text", "message"), [("{", "is not JSON"), ("[]", "not a JSON object"), ("{}", "version")])
def test_what_is_no_key_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match=message):
        keys.load(path)


def test_a_missing_file_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="keys generate"):
        keys.load(tmp_path / "none.json")


def test_a_rotation_at_a_time_changes_nothing_before_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "keys.json"
    keys.write(path, keys.generate())
    first = keys.load(path).active
    command = ["keys", "rotate", "--file", str(path), "--at", "2999-01-01T00:00:00Z", "--overlap", "2d"]
    assert main(command) == 0
    ring = keys.load(path)
    at = 32472144000.0  # 2999-01-01
    assert ring.at(at - 1).active == keys.load(path).keys[0]
    assert ring.at(at).active.id != first.id
    assert [key.id for key in ring.at(at).overlap] == [first.id]
    assert ring.changes_after(at) == at + 2 * 86400
    assert main(command) == 2
    assert "is to follow at 2999-01-01T00:00:00Z already" in capsys.readouterr().err
    assert main(["keys", "show", "--file", str(path)]) == 0
    assert "from 2999-01-01T00:00:00Z" in capsys.readouterr().out


def test_a_switch_that_has_happened_is_written_down() -> None:
    document = keys.generate()
    scheduled = keys.rotated(document, keys.new_key(), 1000.0, 5000.0)
    assert keys.settled(scheduled, 999.0) == scheduled
    after = keys.settled(scheduled, 1000.0)
    assert after["active"] == scheduled["keys"][1]["id"]
    assert "next" not in after
    assert KeyRing.parse(after).at(1001.0).overlap[0].id == document["active"]


@pytest.mark.parametrize(("option", "value"), [("--at", "2020-01-01T00:00:00Z"), ("--at", "tomorrow")])
def test_a_bad_time_is_refused(tmp_path: Path, option: str, value: str) -> None:
    path = tmp_path / "keys.json"
    keys.write(path, keys.generate())
    before = path.read_text()
    assert main(["keys", "rotate", "--file", str(path), option, value]) == 2
    assert path.read_text() == before


DOCUMENT = keys.generate("hmac-sha256")
TEXT = json.dumps(DOCUMENT)


@pytest.mark.parametrize("text", [TEXT, base64.b64encode(TEXT.encode()).decode()])
def test_keys_from_the_environment(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APISEC_KEYS", text)
    assert keys.open_ring(Keys(environment="APISEC_KEYS")).active.id == DOCUMENT["active"]


@pytest.mark.parametrize("text", ["", "not base64!", "bm90IGpzb24="])
def test_what_the_environment_holds_is_not_repeated(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APISEC_KEYS", text)
    with pytest.raises(KeyFileError, match="environment variable APISEC_KEYS") as caught:
        keys.open_ring(Keys(environment="APISEC_KEYS"))
    assert not text or text not in str(caught.value)


def test_keys_from_a_command() -> None:
    printing = (sys.executable, "-c", f"print({TEXT!r})")
    assert keys.open_ring(Keys(command=printing)).active.id == DOCUMENT["active"]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("raise SystemExit(3)", "exit code 3"),
        ("print('secret-but-not-json')", "is not JSON"),
        ("import time; time.sleep(600)", "did not end within 0.5 s"),
        ("print('x' * 2000000)", "larger than"),
    ],
)
def test_a_command_that_gives_no_keys(script: str, message: str) -> None:
    with pytest.raises(KeyFileError, match=message) as caught:
        keys.from_command((sys.executable, "-c", script), 0.5 if "sleep" in script else 60)
    assert "secret-but" not in str(caught.value)


def test_a_command_that_is_not_there() -> None:
    with pytest.raises(KeyFileError, match="cannot be run"):
        keys.from_command(("/nowhere/keys",))


def test_fips_refuses_other_algorithms(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keys.write(path, keys.generate())
    with pytest.raises(KeyFileError, match="keys rotate --algorithm hmac-sha256"):
        keys.open_ring(Keys(file=path, fips=True))
    keys.write(path, DOCUMENT, replace=True)
    assert keys.open_ring(Keys(file=path, fips=True)).active.algorithm == "hmac-sha256"


def test_the_token_of_a_known_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keys.json"
    keys.write(path, keys.generate())
    assert main(["keys", "rotate", "--file", str(path)]) == 0
    ring = keys.load(path)
    capsys.readouterr()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"Ada@Example.com\n")))
    assert main(["keys", "token", "--file", str(path), "--class", "pii.email"]) == 0
    lines = capsys.readouterr().out.split("\n")[:-1]
    made = [Tokenizer(KeyRing(key, (key,))).token("pii.email", "ada@example.com") for key in ring.keys]
    assert lines == [f"{key.id} {token}" for key, token in zip(ring.keys, made, strict=True)]
    assert main(["keys", "token", "--file", str(path), "--class", "pii.emial"]) == 2
    assert "did you mean 'pii.email'" in capsys.readouterr().err
