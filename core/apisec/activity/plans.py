"""What the lists of fields of an event say; events of one operation share few different lists, which are read once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Dict, List, NamedTuple, Tuple

from apisec.baselines.values import mappings, text, texts
from apisec.classification.names import evidence, split
from apisec.classification.names.words import meanings
from apisec.endpoints.inventory.reading import Listed

MAX_FIELDS = 512  # of one list
MAX_PATH = 120  # characters
MAX_CLASS = 64
_PASSWORD = "secret.password"  # noqa: S105 - a class
# Classes of what people log in with, the likeliest first.
_IDENTITIES = ("user", "pii.email", "pii.phone", "pii.national_id", "pii.ssn", "fin.account", "fin.iban", "pci.pan")
_LOGIN_NAMES = frozenset(("username", "email", "login"))
_CLAIMS = ".claims."  # of a token: what the issuer wrote, not what the client asks for
_PLACES = frozenset(("body", "query"))

Path = Tuple[str, ...]


class Asked(NamedTuple):
    """Of the request's fields: their texts (``body.role:string``) and whether a password is among them; the fields
    that may name an account, as (place, path), the likeliest first; and those of the body that hold ids."""

    fields: Tuple[str, ...]
    password: bool
    identities: Tuple[Tuple[str, str], ...]
    ids: Tuple[Tuple[str, str], ...]


class Answered(NamedTuple):
    """Of the response's fields: classes, each with the number of fields outside of lists and within."""

    classes: Tuple[Tuple[str, int, int], ...]


NOT_ASKED, NOT_ANSWERED = Asked((), False, (), ()), Answered(())


def asked(fields: Any) -> Asked:
    if not fields:
        return NOT_ASKED
    return _asked(fields.text) if type(fields) is Listed else _asked_of(_rows(fields))


def answered(fields: Any) -> Answered:
    if not fields:
        return NOT_ANSWERED
    return _answered(fields.text) if type(fields) is Listed else _answered_of(_rows(fields))


@lru_cache(maxsize=4096)
def _asked(listed: str) -> Asked:
    return _asked_of(_rows(json.loads(listed)))


@lru_cache(maxsize=4096)
def _answered(listed: str) -> Answered:
    return _answered_of(_rows(json.loads(listed)))


class Field(NamedTuple):
    place: str
    path: str
    type: str
    classes: List[str]


def _rows(fields: Any) -> List[Field]:
    return [
        Field(
            text(one.get("in"), 16),
            text(one.get("path"), MAX_PATH),
            text(one.get("type"), 16),
            texts(one.get("classes"), 8),
        )
        for one in mappings(fields, MAX_FIELDS)
    ]


def _asked_of(rows: Sequence[Field]) -> Asked:
    password = any(row.place in _PLACES and _PASSWORD in row.classes for row in rows)
    ranked = sorted((_identity(row.place, row.path, row.classes), row.place, row.path) for row in rows)
    return Asked(
        tuple(dict.fromkeys(f"{row.place}.{row.path}:{row.type}" for row in rows if _CLAIMS not in row.path)),
        password,
        tuple((place, path) for rank, place, path in ranked if rank)[:4],
        tuple((row.place, row.path) for row in rows if row.place == "body" and _is_id(row.path))[:8],
    )


def _is_id(path: str) -> bool:
    parent, _, name = path.rpartition(".")
    return evidence(name, parent.rpartition(".")[2]).identifier


def _identity(place: str, path: str, classes: Sequence[str]) -> int:
    """Rank a field that may name an account: 1 is the likeliest, 0 no identity."""
    if place not in _PLACES or _PASSWORD in classes:
        return 0
    for rank, known in enumerate(_IDENTITIES, 1):
        if any(one == known or one.startswith(known + ".") for one in classes):
            return rank
    if classes:
        return 0
    words = split(path.rpartition(".")[2])
    known_words = meanings(words)
    login = bool(known_words) and bool(known_words[-1] & _LOGIN_NAMES or words[-1] in ("user", "account", "uid"))
    return len(_IDENTITIES) + 1 if login else 0


def _answered_of(rows: Sequence[Field]) -> Answered:
    counts: Dict[str, List[int]] = {}
    for place, path, _, classes in rows:
        for one in classes:
            counts.setdefault(one[:MAX_CLASS], [0, 0])[place == "body" and "[]" in path] += 1
    return Answered(tuple((one, alone, listed) for one, (alone, listed) in sorted(counts.items())))
