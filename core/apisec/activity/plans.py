"""What the lists of fields of an event say; events of one operation share few different lists, which are read once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Any, Dict, List, NamedTuple, Tuple

from apisec.activity.answers import ERRORS
from apisec.baselines.values import mappings, text, texts
from apisec.classification.names import evidence, split
from apisec.classification.names.words import meanings
from apisec.endpoints.inventory.reading import Listed

MAX_FIELDS = 512  # of one list
MAX_PATH = 120  # characters
MAX_CLASS = 64
_PASSWORDS = ("secret.password", "secret.otp")  # classes; a key of an API counts in a body, beside an account
_KEY = "secret.api_key"
_GRANTS = ("secret.jwt", "secret.bearer", "secret.session", "secret.token", "secret.api_key")
_NO_GRANTS = ("csrf", "xsrf")  # in the names of tokens that open nothing
# Classes of what people log in with, the likeliest first.
_IDENTITIES = ("user", "pii.email", "pii.phone", "pii.national_id", "pii.ssn", "fin.account", "fin.iban", "pci.pan")
_LOGIN_NAMES = frozenset(("username", "email", "login"))
_LOGIN_WORDS = frozenset(("user", "account", "uid"))
# Concepts of names under which a service numbers its customers, a machine its clients; told beside a secret only.
_NUMBERED = frozenset(("person", "role", "account", "username", "kind_token", "identifier", "reference"))
_PERSONS, _NUMBERS = frozenset(("person", "account")), frozenset(("number", "reference", "identifier"))
# Words of members that stand beside an account and are none: of OAuth 2.0 (RFC 6749, 7636), GraphQL, JSON-RPC, forms.
_BESIDE = frozenset(
    ("grant", "scope", "audience", "redirect", "response", "state", "nonce", "verifier", "challenge", "remember",
     "captcha", "csrf", "xsrf", "device", "locale", "lang", "language", "version", "type", "query", "operation",
     "jsonrpc", "method", "timestamp", "platform", "submit", "realm")
)  # fmt: skip
_SCALARS = frozenset(("string", "integer"))
MAX_PRESUMED = 4
_CLAIMS = ".claims."  # of a token: what the issuer wrote, not what the client asks for
_PLACES = frozenset(("body", "query"))

Path = Tuple[str, ...]


class Asked(NamedTuple):
    """Of the request's fields: their texts (``body.role:string``) and whether a secret is among them, such as a
    password; the fields that may name an account, as (place, path), the likeliest first; those of the body that would
    if it were to log in; and those of the body that hold ids."""

    fields: Tuple[str, ...]
    secret: bool
    identities: Tuple[Tuple[str, str], ...]
    presumed: Tuple[Tuple[str, str], ...]
    ids: Tuple[Tuple[str, str], ...]


class Answered(NamedTuple):
    """Of the response's fields: classes, each with the number of fields outside of lists and within; whether a
    credential is among them; whether one tells of errors."""

    classes: Tuple[Tuple[str, int, int], ...]
    grants: bool
    errs: bool


NOT_ASKED, NOT_ANSWERED = Asked((), False, (), (), ()), Answered((), False, False)


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
    named = [row for row in rows if row.place in _PLACES or row.place == "path"]
    secrets = [row for row in named if _is_secret(row)]
    # A question of one member, called as people are numbered, is about one of them.
    alone = sum(row.place == "body" for row in rows) == 1 and not any(row.place == "query" for row in rows)
    ranked = sorted((_identity(row, bool(secrets), alone), row.place, row.path) for row in named)
    identities = tuple((place, path) for rank, place, path in ranked if rank)[:4]
    # An API key stands in bodies and queries of its own; beside an account it is the password of a machine.
    secret = any(_KEY not in row.classes for row in secrets) or (bool(secrets) and bool(identities))
    return Asked(
        tuple(dict.fromkeys(f"{row.place}.{row.path}:{row.type}" for row in rows if _CLAIMS not in row.path)),
        secret,
        identities,
        () if identities else tuple((row.place, row.path) for row in rows if _presumable(row, secrets))[:MAX_PRESUMED],
        tuple((row.place, row.path) for row in rows if row.place == "body" and _is_id(row.path))[:8],
    )


def _is_secret(row: Field) -> bool:
    if row.place not in _PLACES or _CLAIMS in row.path:
        return False
    return any(one in _PASSWORDS or (row.place == "body" and one.startswith(_KEY)) for one in row.classes)


def _presumable(row: Field, secrets: Sequence[Field]) -> bool:
    """Whether a member of a body may hold an account of which neither class nor name tells: a scalar beside the secret,
    wherever one is seen."""
    if row.place != "body" or row.type not in _SCALARS or row.classes or _BESIDE.intersection(split(row.path)):
        return False
    parent = row.path.rpartition(".")[0]
    return not secrets or any(one.path.rpartition(".")[0] == parent for one in secrets)


def _is_id(path: str) -> bool:
    parent, _, name = path.rpartition(".")
    return evidence(name, parent.rpartition(".")[2]).identifier


def _identity(row: Field, secret: bool, alone: bool) -> int:
    """Rank a field that may name an account: 1 is the likeliest, 0 no identity.

    ``secret``: one stands beside it. ``alone``: nothing does.
    """
    if _CLAIMS in row.path or _is_secret(row):
        return 0
    for rank, known in enumerate(_IDENTITIES, 1):
        if any(one == known or one.startswith(known + ".") for one in row.classes):
            return rank
    if row.place not in _PLACES or (row.classes and not secret):
        return 0
    words = split(row.path.rpartition(".")[2])
    known_words = meanings(words)
    if not known_words:
        return 0
    first = len(_IDENTITIES) + 1
    if not row.classes and (known_words[-1] & _LOGIN_NAMES or words[-1] in _LOGIN_WORDS):
        return first
    if row.place != "body" or row.type not in _SCALARS or _BESIDE.intersection(words):
        return 0
    if secret:
        return _beside_secret(row, words, known_words, first + 1)
    person = len(known_words) > 1 and known_words[0] & _PERSONS and known_words[-1] & _NUMBERS
    return first + 1 if alone and person else 0


def _beside_secret(row: Field, words: Sequence[str], known: Sequence[AbstractSet[str]], first: int) -> int:
    """Rank what stands beside a secret: a number, a role, a person's name."""
    if row.classes:
        return first + 2 if "pii.name" in row.classes else 0
    client = words[0] in ("client", "app", "application")  # whose the machine is comes after whose the account is
    numbered = known[-1] & _NUMBERED or (len(known) > 1 and known[0] & _NUMBERED)
    return first + client if numbered else 0


def _answered_of(rows: Sequence[Field]) -> Answered:
    counts: Dict[str, List[int]] = {}
    grants = errs = False
    for place, path, kind, classes in rows:
        for one in classes:
            counts.setdefault(one[:MAX_CLASS], [0, 0])[place == "body" and "[]" in path] += 1
            if one.startswith(_GRANTS) and not any(name in path.lower() for name in _NO_GRANTS):
                grants = True
        errs = errs or (
            place == "body" and kind != "null" and path.partition(".")[0].partition("[")[0].lower() in ERRORS
        )
    classed = tuple((one, alone, listed) for one, (alone, listed) in sorted(counts.items()))
    return Answered(classed, grants, errs)
