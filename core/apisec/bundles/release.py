"""A release: a bundle, the fields seen where it comes from, and signatures over both.

    {"apisec_release": 1, "bundle": {…}, "source": {"environment": "DEV", "seen": "sha256:…"},
     "signatures": [{"key": "…", "signature": "<base64>"}], "seen": {…}}

A signature covers the canonical JSON of ``apisec_release``, ``bundle`` and ``source``: the bundle is the same bytes
in every environment, and each promotion is signed anew with what the environment before has seen. ``seen`` itself
is bound by its digest in ``source``.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from apisec.bundles import canonical, document, seen
from apisec.bundles.document import Bundle
from apisec.bundles.reading import DIGEST, NAME, Reading
from apisec.bundles.seen import Seen
from apisec.errors import DocumentError

FORMAT = 1
MAX_BYTES = 2 * 2**20  # of a release as it travels
MAX_SIGNATURES = 16
_KEYS = ("apisec_release", "bundle", "source", "signatures", "seen")


class Signature(NamedTuple):
    key: str
    signature: bytes


@dataclass(frozen=True)
class Release:
    """A release, read; ``signed`` is what each signature covers. ``environment`` is the source's, None for none."""

    bundle: Bundle
    environment: Optional[str]
    seen_digest: Optional[str]
    seen: Optional[Seen]
    signatures: Tuple[Signature, ...]
    signed: bytes

    def to_document(self) -> Dict[str, Any]:
        found: Dict[str, Any] = unsigned(self.bundle.document, self.environment, self.seen_digest)
        found["signatures"] = [
            {"key": one.key, "signature": base64.b64encode(one.signature).decode("ascii")} for one in self.signatures
        ]
        if self.seen is not None:
            found["seen"] = dict(self.seen.document)
        return found


def unsigned(bundle: Mapping[str, Any], environment: Optional[str], seen_digest: Optional[str]) -> Dict[str, Any]:
    """Return what signatures cover, as a document."""
    source = {"environment": environment, "seen": seen_digest} if environment is not None else None
    return {"apisec_release": FORMAT, "bundle": dict(bundle), "source": source}


def parse(value: Any, where: str = "release") -> Release:
    """Return the release; DocumentError with one line for each thing that is wrong. Signatures are not tried yet."""
    reading = Reading()
    top = reading.mapping(value, "", _KEYS, ("apisec_release", "bundle"))
    reading.done(where)
    if top["apisec_release"] != FORMAT or isinstance(top["apisec_release"], bool):
        reading.add("apisec_release", f"must be {FORMAT}: the only format that this apisec reads")
    environment, seen_digest = _source(reading, top.get("source"))
    signatures = _signatures(reading, top.get("signatures"))
    bundle = document.parse(top["bundle"], f"{where}: bundle")
    shown = seen.parse(top["seen"], f"{where}: seen") if top.get("seen") is not None else None
    if shown is not None and shown.digest != seen_digest:
        reading.add("seen", f"has the digest {shown.digest}, but source.seen names {seen_digest}: sign it again")
    reading.done(where)
    signed = canonical.encode(unsigned(bundle.document, environment, seen_digest))
    return Release(bundle, environment, seen_digest, shown, signatures, signed)


def _source(reading: Reading, value: Any) -> Tuple[Optional[str], Optional[str]]:
    if value is None:
        return None, None
    body = reading.mapping(value, "source", ("environment", "seen"), ("environment", "seen"))
    environment = reading.text(body.get("environment"), "source.environment", NAME, "an environment's name")
    return environment, reading.text(body.get("seen"), "source.seen", DIGEST, "sha256: and 64 hexadecimal digits")


def _signatures(reading: Reading, value: Any) -> Tuple[Signature, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MAX_SIGNATURES:
        reading.add("signatures", f"must be a list of at most {MAX_SIGNATURES}")
        return ()
    found: List[Signature] = []
    for index, entry in enumerate(value):
        at = f"signatures[{index}]"
        body = reading.mapping(entry, at, ("key", "signature"), ("key", "signature"))
        text = reading.text(body.get("signature"), f"{at}.signature")
        try:
            raw = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            reading.add(f"{at}.signature", "is not base64")
            raw = b""
        found.append(Signature(reading.text(body.get("key"), f"{at}.key", NAME, "a key's id"), raw))
    return tuple(found)


def decoded(text: str, length: int) -> bytes:
    """Return the bytes of base64 text of one length; DocumentError otherwise."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise DocumentError("is not base64") from None
    if len(raw) != length:
        raise DocumentError(f"holds {len(raw)} bytes, not {length}")
    return raw
