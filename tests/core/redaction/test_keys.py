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
    ({"version": 3}, "version is neither 2 nor an earlier one"),
    ({"version": []}, "version is neither"),
    ({"keys": []}, "at least one key"),
    ({"active": "0000000b"}, "active names no key"),
    ({"actve": "x"}, "unknown member 'actve'.*did you mean 'active'"),
    ({"keys": [{"id": "x"}]}, r"keys\[0\]"),
    ({"keys": ["x"]}, "a key is an object"),
    ({"next": {"id": "0000000a", "at": "2026-12-01T00:00:00Z"}}, "next.id names no other key"),
    ({"next": "0000000a"}, "next is an object with id and at"),
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


def rotation() -> KeyRing:
    """Key a is active until 1000 s, b from then on; a's tokens travel beside b's until 5000 s."""
    first = {**document()["keys"][0], "retires": "1970-01-01T01:23:20Z"}
    second = {**document(secret=b"l" * 32)["keys"][0], "id": "0000000b"}
    following = {"id": "0000000b", "at": "1970-01-01T00:16:40Z"}
    return KeyRing.parse({"version": 2, "active": "0000000a", "next": following, "keys": [first, second]})


@pytest.mark.parametrize(
    ("now", "active", "overlap", "changes"),
    [
        (0.0, "0000000a", [], 1000.0),
        (999.9, "0000000a", [], 1000.0),
        (1000.0, "0000000b", ["0000000a"], 5000.0),
        (4999.0, "0000000b", ["0000000a"], 5000.0),
        (5000.0, "0000000b", [], None),
    ],
)
def test_a_rotation_has_its_hours(now: float, active: str, overlap: list[str], changes: float | None) -> None:
    ring = rotation()
    standing = ring.at(now)
    assert standing.active.id == active
    assert [key.id for key in standing.overlap] == overlap
    assert ring.changes_after(now) == changes


def test_during_the_overlap_both_tokens_can_be_made() -> None:
    ring = rotation()
    before, after = Tokenizer(ring.at(0)), Tokenizer(ring.at(2000))
    assert after.key_id == "0000000b"
    assert [one.key_id for one in after.earlier] == ["0000000a"]
    assert after.earlier[0].token("principal", "ada") == before.token("principal", "ada")
    assert after.token("principal", "ada") != before.token("principal", "ada")
    assert after.earlier[0].earlier == ()


def test_a_key_may_keep_the_format_of_some_values() -> None:
    ring = KeyRing.parse(document())
    one = Tokenizer(ring, lambda key, cls, value: "n" + value[::-1] if cls == "pci.pan" else None)
    assert one.token("pci.pan", "4111111111111112") == "~pci.pan~n2111111111111114~"
    assert one.token("pii.email", "ada@example.com") == tokenizer().token("pii.email", "ada@example.com")


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
