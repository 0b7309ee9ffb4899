"""Values of made-up people and things, and the tokens that a forwarder with the same key would write for them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from apisec_sandbox.errors import SandboxError

TOKEN_BYTES = 8
WORDS = (
    "amber", "birch", "copper", "dune", "ember", "fjord", "garnet", "harbour", "island", "jasper", "kettle", "lantern",
    "meadow", "nectar", "orchard", "pebble", "quarry", "river", "saffron", "timber", "upland", "velvet", "willow",
    "yonder", "zephyr",
)  # fmt: skip
GIVEN = ("Anna", "Carlos", "Dieter", "Emily", "Hannah", "Marta", "Oliver", "Paula", "Thomas", "William")
FAMILY = ("Becker", "Garcia", "Hoffman", "Johnson", "Keller", "Martin", "Schmidt", "Taylor", "Weber", "Wright")
STREETS = ("Main Street", "Church Road", "Park Avenue", "Mill Lane", "Station Road")
CLASSES = {
    "email": "pii.email",
    "name": "pii.name",
    "phone": "pii.phone",
    "street": "pii.address",
    "postcode": "pii.postcode",
    "dob": "pii.dob",
    "iban": "fin.iban",
    "password": "secret.password",
    "otp": "secret.otp",
}
LOGINS = ("email", "phone", "nick", "member")  # kinds of names of accounts


def seeded(*parts: object) -> Random:
    """Return a generator for these parts: reproducible traffic, never a secret."""
    return Random(" ".join(map(str, parts)))  # noqa: S311


class Tokens:
    """Makes ``~class~hex~`` as docs/keys.md has it: keyed BLAKE2b over the class, a zero byte and the value."""

    def __init__(self, key_id: str, secret: bytes) -> None:
        self.key_id, self.secret = key_id, secret
        self._keyed = hashlib.blake2b(key=secret, digest_size=TOKEN_BYTES)

    @classmethod
    def of_seed(cls, seed: object) -> Tokens:
        """Return a key that belongs to the seed; it protects nothing, for what it hides was made up."""
        secret = hashlib.blake2b(f"campaigns {seed}".encode(), digest_size=32).digest()
        return cls(hashlib.blake2b(secret, digest_size=4).hexdigest(), secret)

    @classmethod
    def load(cls, path: Path) -> Tokens:
        """Return the active key of a forwarder's key file; SandboxError when there is none."""
        try:
            document = json.loads(path.read_text("utf-8"))
            key = next(each for each in document["keys"] if each["id"] == document["active"])
            if key["algorithm"] != "blake2b":
                raise SandboxError(f"--keys {path}: the algorithm is {key['algorithm']}, only blake2b is imitated here")
            return cls(key["id"], base64.b64decode(key["secret"], validate=True))
        except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
            raise SandboxError(f"--keys {path}: no key file of the forwarder ({error})") from error

    def document(self) -> dict[str, Any]:
        """Return the key as a key file, so that a forwarder makes the same tokens."""
        key = {
            "id": self.key_id,
            "algorithm": "blake2b",
            "secret": base64.b64encode(self.secret).decode(),
            "created": "2026-01-01T00:00:00Z",
        }
        return {"version": 2, "active": self.key_id, "keys": [key]}

    def __call__(self, data_class: str, value: str) -> str:
        state = self._keyed.copy()
        state.update(f"{data_class}\0{value}".encode())
        return f"~{data_class}~{state.hexdigest()}~"


@dataclass(frozen=True)
class Value:
    """One JSON value: as sent, as the event shows it (both as JSON text), and its class, "" for none."""

    raw: str
    shown: str
    data_class: str = ""


def _iban(rng: Random) -> str:
    bban = f"{rng.randrange(10**8):08}{rng.randrange(10**10):010}"
    check = 98 - int(bban + "131400") % 97  # DE00 at the end, letters as numbers: ISO 13616
    return f"DE{check:02}{bban}"


def _time(rng: Random) -> str:
    return f"2025-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}T{rng.randrange(24):02}:{rng.randrange(60):02}:00Z"


def _person(rng: Random) -> str:
    return f"{rng.choice(GIVEN)} {rng.choice(FAMILY)}"


def email_of(rng: Random) -> str:
    return f"{rng.choice(GIVEN)}.{rng.choice(FAMILY)}{rng.randrange(10_000)}@example.com".lower()


def password_of(rng: Random) -> str:
    return f"{rng.choice(WORDS)}-{rng.choice(WORDS)}-{rng.randrange(1000, 10_000)}"


_TEXTS: dict[str, Callable[[Random], str]] = {
    "email": email_of,
    "name": _person,
    "phone": lambda rng: f"+49170{rng.randrange(10**6, 10**7)}",
    "street": lambda rng: f"{rng.randrange(1, 200)} {rng.choice(STREETS)}",
    "postcode": lambda rng: f"{rng.randrange(10_000, 99_999)}",
    "dob": lambda rng: f"{rng.randrange(1940, 2006)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}",
    "iban": _iban,
    "password": password_of,
    "nick": lambda rng: f"{rng.choice(GIVEN)}{rng.choice(FAMILY)}{rng.randrange(1000)}".lower(),
    "member": lambda rng: f"{rng.randrange(10**6, 10**7)}",
    "prose": lambda rng: " ".join(rng.choice(WORDS) for _ in range(min(600, int(rng.lognormvariate(2.5, 1.1)) + 1))),
    "otp": lambda rng: f"{rng.randrange(100_000, 1_000_000)}",
    "text": lambda rng: " ".join(rng.choice(WORDS) for _ in range(rng.randint(2, 5))),
    "time": _time,
    "code": lambda rng: f"{rng.choice(WORDS)}{rng.randrange(100, 1000)}",
    "link": lambda rng: f"https://cdn.example.com/{rng.choice(WORDS)}/{rng.choice(WORDS)}.png",
}


def login_of(kind: str, rng: Random) -> str:
    """Return the name of an account, of one of the kinds in LOGINS."""
    return _TEXTS[kind](rng)


def value_of(kind: str, rng: Random, tokens: Tokens) -> Value:
    """Return a value of a field's kind: a name in the tables here, ``a,b,c`` for one of these, or the word itself."""
    plain: dict[str, Callable[[], str]] = {
        "int": lambda: str(rng.randrange(1, 500)),
        "money": lambda: f"{rng.randrange(1, 900)}.{rng.choice(('25', '5', '75'))}",
        "bool": lambda: rng.choice(("true", "false")),
    }
    if kind in plain:
        text = plain[kind]()
        return Value(text, text)
    text = _TEXTS[kind](rng) if kind in _TEXTS else rng.choice(kind.split(","))
    data_class = CLASSES.get(kind, "")
    shown = tokens(data_class, canonical(kind, text)) if data_class else text
    return Value(f'"{text}"', f'"{shown}"', data_class)


def canonical(kind: str, text: str) -> str:
    """Return what of a value its token is made of: a telephone number's digits, an address in lower case."""
    return text.lstrip("+") if kind in ("phone", "pii.phone") else text


def type_of(text: str) -> str:
    """Return the event's type of a JSON text."""
    if text[0] == '"':
        return "string"
    if text in ("true", "false"):
        return "boolean"
    return "number" if "." in text else "integer"
