"""Key documents and tokens."""

from __future__ import annotations

import base64
import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec.errors import KeyFileError
from apisec.redaction.keys import KeyRing, Tokenizer
from apisec.redaction.tokens import class_of, cut, is_token


def document(secret: bytes = b"k" * 32, algorithm: str = "blake2b") -> dict[str, Any]:
    key = {
        "id": "0000000a",
        "algorithm": algorithm,
        "secret": base64.b64encode(secret).decode(),
        "created": "2026-01-01T00:00:00Z",
    }
    return {"version": 1, "active": "0000000a", "keys": [key]}


def tokenizer(**given: Any) -> Tokenizer:
    return Tokenizer(KeyRing.parse(document(**given)))


@pytest.mark.parametrize("algorithm", ["blake2b", "hmac-sha256"])
def test_a_token_depends_on_value_class_key_and_algorithm(algorithm: str) -> None:
    one = tokenizer(algorithm=algorithm)
    token = one.token("pci.pan", "4111111111111111")
    assert is_token(token)
    assert class_of(token) == "pci.pan"
    assert token == tokenizer(algorithm=algorithm).token("pci.pan", b"4111111111111111")
    others = [
        one.token("pci.pan", "4111111111111112"),
        one.token("fin.account", "4111111111111111"),
        tokenizer(secret=b"l" * 32, algorithm=algorithm).token("pci.pan", "4111111111111111"),
        tokenizer(algorithm="blake2b" if algorithm != "blake2b" else "hmac-sha256").token(
            "pci.pan", "4111111111111111"
        ),
    ]
    assert token.split("~")[2] not in {other.split("~")[2] for other in others}


def test_tokens_are_the_same_for_ever() -> None:
    """Stored events and block patterns hold tokens: a change of the construction would orphan them all."""
    assert tokenizer().token("pii.email", "ada@example.com") == "~pii.email~f90fb030191fbf14~"
    assert tokenizer(algorithm="hmac-sha256").token("pii.email", "ada@example.com") == "~pii.email~1e84f8661c4d17ef~"


BROKEN = [
    ({"version": 2}, "version is not 1"),
    ({"keys": []}, "at least one key"),
    ({"active": "0000000b"}, "active names no key"),
    ({"actve": "x"}, "unknown member 'actve'.*did you mean 'active'"),
    ({"keys": [{"id": "x"}]}, r"keys\[0\]"),
    ({"keys": ["x"]}, "a key is an object"),
]


@pytest.mark.parametrize(("change", "message"), BROKEN)
def test_broken_documents_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(KeyFileError, match=message):
        KeyRing.parse({**document(), **change}, "keys.json")


@pytest.mark.parametrize(
    ("member", "value", "message"),
    [
        ("id", "xyz", "8 hex digits"),
        ("algorithm", "md5", "is not blake2b or hmac-sha256"),
        ("secret", "####", "is not base64"),
        ("secret", "c2hvcnQ=", "5 bytes, 32 are needed"),
        ("created", None, "missing"),
        ("note", "x", "unknown member 'note'"),
    ],
)
def test_broken_keys_are_refused_without_repeating_the_secret(member: str, value: Any, message: str) -> None:
    broken = copy.deepcopy(document())
    broken["keys"][0][member] = value
    with pytest.raises(KeyFileError, match=message) as caught:
        KeyRing.parse(broken, "keys.json")
    assert document()["keys"][0]["secret"] not in str(caught.value)


def test_a_repr_shows_no_secret() -> None:
    ring = KeyRing.parse(document())
    assert "kkkk" not in repr(ring)
    with pytest.raises(KeyFileError, match="stands twice"):
        KeyRing.parse({**document(), "keys": document()["keys"] * 2})


@given(st.text(max_size=200), st.integers(0, 220))
def test_cutting_never_splits_a_token(text: str, limit: int) -> None:
    token = "~pci.pan~0123456789abcdef~"
    shown = cut(text + token + text, limit)
    assert len(shown) <= limit
    assert (text + token + text).startswith(shown)
    assert not (len(text) < len(shown) < len(text) + len(token))
