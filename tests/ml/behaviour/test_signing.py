"""A signature is made by one library and verified by core's own code; what is not trusted says why."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from apisec.abuse.artefact import check, shipped, signed_by
from apisec.bundles.trust import Key, Trust, key_id
from apisec.errors import KeyFileError, ModelError
from apisec_ml.behaviour.models_cli import read_artefact
from apisec_ml.behaviour.signing import sign
from apisec_ml.cli import main

NOW = 1_767_571_200.0


def key_file(folder: Path, private: Ed25519PrivateKey, more: Any = ()) -> Path:
    public = private.public_key().public_bytes_raw()
    seed = base64.b64encode(private.private_bytes_raw()).decode()
    path = folder / "key.json"
    path.write_text(
        json.dumps({"version": 1, "id": key_id(public), "algorithm": "ed25519", "private": seed, **dict(more)})
    )
    path.chmod(0o600)
    return path


def trust_in(private: Ed25519PrivateKey, teams: tuple[str, ...] = ("*",), **more: Any) -> Trust:
    public = private.public_key().public_bytes_raw()
    return Trust((Key(key_id(public), public, teams, ("*",), **more),))


@pytest.fixture(scope="module")
def private() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture(scope="module")
def signed(private: Ed25519PrivateKey) -> dict[str, Any]:
    return sign(read_artefact(None), private)


def test_core_verifies_what_was_signed(private: Ed25519PrivateKey, signed: dict[str, Any]) -> None:
    check(signed)
    assert signed_by(signed, trust_in(private), "PROD", NOW) == key_id(private.public_key().public_bytes_raw())


def test_signing_twice_keeps_one_signature_and_another_key_adds_one(
    private: Ed25519PrivateKey, signed: dict[str, Any]
) -> None:
    assert sign(signed, private) == signed
    other = Ed25519PrivateKey.generate()
    both = sign(signed, other)
    assert len(both["signatures"]) == 2
    assert signed_by(both, trust_in(other), "PROD", NOW)


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ({"signatures": []}, "no signature"),
        ({"signatures": "x"}, "no signature"),
        ({"signatures": [1]}, "is not an object"),
        ({"training": {"seed": 7}}, "does not fit"),
        ({"signatures": [{"key": "0" * 16, "signature": ""}]}, "not trusted here"),
    ],
)
def test_why_a_signature_does_not_count(
    broken: dict[str, Any], why: str, private: Ed25519PrivateKey, signed: dict[str, Any]
) -> None:
    with pytest.raises(ModelError, match=why):
        signed_by({**signed, **broken}, trust_in(private), "PROD", NOW)


@pytest.mark.parametrize(
    ("held", "why"),
    [
        ({"teams": ("shop",)}, "may not sign for team"),
        ({"expires": NOW}, "has expired"),
        ({"revoked": "laptop lost"}, "laptop lost"),
    ],
)
def test_a_key_that_may_not_sign_for_all(
    held: dict[str, Any], why: str, private: Ed25519PrivateKey, signed: dict[str, Any]
) -> None:
    with pytest.raises(ModelError, match=why):
        signed_by(signed, trust_in(private, **held), "PROD", NOW)


def test_the_command_signs_with_a_private_file_only(
    private: Ed25519PrivateKey, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model.json"
    model.write_text(json.dumps(shipped()))
    path = key_file(tmp_path, private)
    assert main(["sign", str(model), "--key", str(path)]) == 0
    assert signed_by(json.loads(model.read_text()), trust_in(private), "PROD", NOW)
    path.chmod(0o644)
    assert main(["sign", str(model), "--key", str(path)]) == 2
    assert "chmod 600" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "why"), [({"version": 2}, "version 1"), ({"private": "x"}, "no signing key"), ({"id": "0" * 16}, "edited")]
)
def test_a_key_file_that_is_not_one(more: dict[str, Any], why: str, private: Any, tmp_path: Path) -> None:
    from apisec_ml.behaviour.signing import load_key

    with pytest.raises(KeyFileError, match=why) as error:
        load_key(key_file(tmp_path, private, more))
    assert base64.b64encode(private.private_bytes_raw()).decode() not in str(error.value)
