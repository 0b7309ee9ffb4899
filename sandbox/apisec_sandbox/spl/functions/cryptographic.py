"""Cryptographic functions. Source: Search Reference, "Cryptographic functions"."""

from __future__ import annotations

import hashlib

from apisec_sandbox.spl.functions.registry import simple
from apisec_sandbox.spl.values import (
    to_text,
)


def _hash(name: str) -> None:
    simple(name, 1)(lambda text: hashlib.new(name, to_text(text).encode(), usedforsecurity=False).hexdigest())


for _name in ("md5", "sha1", "sha256", "sha512"):
    _hash(_name)
