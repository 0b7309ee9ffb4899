"""The key file on disk, and the command that makes and rotates it."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from apisec.errors import KeyFileError
from apisec_forwarder import keys
from apisec_forwarder.cli import main


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
