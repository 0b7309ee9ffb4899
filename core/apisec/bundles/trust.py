"""Whose signatures count: keys with the teams and environments that each may speak for, and which are revoked.

version: 1
keys:
  - {id: 3f1c…, public: "<base64 of 32 bytes>", teams: [commerce], environments: [DEV, QA], owner: ada}
  - {id: 77aa…, public: "…", teams: ["*"], environments: ["*"], expires: 2027-06-30T00:00:00Z}
  - {id: 09be…, public: "…", teams: [commerce], environments: [DEV], revoked: laptop lost on 2 November}
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional, Tuple

from apisec.bundles import ed25519
from apisec.bundles.reading import NAME, Reading
from apisec.bundles.release import Release, decoded
from apisec.errors import DocumentError

FORMAT = 1
MAX_KEYS = 1_000
ANY = "*"
_KEYS = ("id", "public", "teams", "environments", "owner", "expires", "revoked")

Verify = Callable[[bytes, bytes, bytes], bool]  # key, message, signature


def key_id(public: bytes) -> str:
    """Return the id of a public key: 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


@dataclass(frozen=True)
class Key:
    """One trusted key; ``expires`` in seconds since the epoch, ``revoked`` says why it does not count any more."""

    id: str
    public: bytes
    teams: Tuple[str, ...]
    environments: Tuple[str, ...]
    owner: str = ""
    expires: Optional[float] = None
    revoked: Optional[str] = None

    def refuses(self, teams: Tuple[str, ...], environment: str, now: float) -> Optional[str]:
        """Return why the key may not sign for these teams and environment now, None when it may."""
        if self.revoked is not None:
            return f"key {self.id} is revoked: {self.revoked}"
        if self.expires is not None and now >= self.expires:
            return f"key {self.id} has expired"
        for team in teams:
            if ANY not in self.teams and team not in self.teams:
                return f"key {self.id} may not sign for team {team} (it may for {', '.join(self.teams) or 'none'})"
        if ANY not in self.environments and environment not in self.environments:
            allowed = ", ".join(self.environments) or "none"
            return f"key {self.id} may not sign for environment {environment} (it may for {allowed})"
        return None


class Trust:
    """The keys by id."""

    def __init__(self, keys: Tuple[Key, ...] = ()) -> None:
        self.keys: Dict[str, Key] = {key.id: key for key in keys}

    @classmethod
    def parse(cls, document: Any, where: str = "trust") -> Trust:
        """Return the keys of a document; DocumentError with one line for each thing that is wrong."""
        reading = Reading()
        top = reading.mapping(document, "", ("version", "keys"), ("version", "keys"))
        reading.done(where)
        if top["version"] != FORMAT or isinstance(top["version"], bool):
            reading.add("version", f"must be {FORMAT}")
        listed = top["keys"]
        if not isinstance(listed, list) or len(listed) > MAX_KEYS:
            reading.add("keys", f"must be a list of at most {MAX_KEYS}")
            listed = []
        keys = [_key(reading, entry, f"keys[{index}]") for index, entry in enumerate(listed)]
        if len({key.id for key in keys}) < len(keys):
            reading.add("keys", "one id stands twice")
        reading.done(where)
        return cls(tuple(keys))

    def signers(
        self,
        release: Release,
        teams: Tuple[str, ...],
        environment: str,
        now: float,
        verify: Verify = ed25519.verify,
    ) -> Tuple[List[str], List[str]]:
        """Return the ids of the keys whose signature counts, and why each other signature does not."""
        good: List[str] = []
        bad: List[str] = []
        for one in release.signatures:
            key = self.keys.get(one.key)
            if key is None:
                bad.append(f"key {one.key} is not trusted here")
            elif not verify(key.public, release.signed, one.signature):
                bad.append(f"the signature of key {one.key} does not fit: the bundle was changed after it was signed")
            else:
                why = key.refuses(teams, environment, now)
                (good if why is None else bad).append(one.key if why is None else why)
        return good, bad


def _key(reading: Reading, entry: Any, at: str) -> Key:
    body = reading.mapping(entry, at, _KEYS, ("id", "public", "teams", "environments"))
    public = b""
    try:
        public = decoded(reading.text(body.get("public"), f"{at}.public"), ed25519.KEY_BYTES)
        if not ed25519.is_key(public):
            reading.add(f"{at}.public", "is no Ed25519 key")
    except DocumentError as error:
        reading.add(f"{at}.public", str(error))
    identity = reading.text(body.get("id"), f"{at}.id", NAME, "a key's id")
    if public and identity != key_id(public):
        reading.add(f"{at}.id", f"is not the id of this key, {key_id(public)}")
    return Key(
        identity,
        public,
        reading.texts(body.get("teams"), f"{at}.teams", 1000),
        reading.texts(body.get("environments"), f"{at}.environments", 100),
        reading.text(body.get("owner"), f"{at}.owner"),
        reading.instant(body["expires"], f"{at}.expires") if body.get("expires") is not None else None,
        reading.text(body["revoked"], f"{at}.revoked") or "?" if body.get("revoked") is not None else None,
    )
