"""storage/passwords: secrets of apps, encrypted in the app's local passwords.conf.

Stanza ``credential:realm:user:`` as Splunk writes it; AES-256-GCM under HOME's secret (``$7$``).
"""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from apisec_sandbox.splunkd.conffile import check_writable
from apisec_sandbox.splunkd.confs import Confs
from apisec_sandbox.splunkd.home import Home, read_or_create_secret
from apisec_sandbox.splunkd.web import HttpError

PREFIX = "$7$"
NONCE_BYTES = 12


def escape(part: str) -> str:
    """Colons inside realm or user are escaped in the entry's name."""
    return part.replace("\\", "\\\\").replace(":", "\\:")


@dataclass(frozen=True)
class Secret:
    realm: str
    username: str
    password: str
    app: str
    encrypted: str

    @property
    def name(self) -> str:
        return f"{escape(self.realm)}:{escape(self.username)}:"


class Passwords:
    def __init__(self, home: Home, confs: Confs) -> None:
        self._confs = confs
        secret = read_or_create_secret(home.auth / "splunk.secret")
        self._cipher = AESGCM(hashlib.sha256(secret).digest())

    def _encrypt(self, text: str) -> str:
        nonce = os.urandom(NONCE_BYTES)
        return PREFIX + base64.b64encode(nonce + self._cipher.encrypt(nonce, text.encode(), None)).decode()

    def _decrypt(self, text: str) -> str:
        data = base64.b64decode(text.removeprefix(PREFIX))
        try:
            return self._cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], None).decode()
        except InvalidTag as error:
            raise HttpError(500, "A stored password cannot be decrypted: splunk.secret has changed") from error

    def all(self) -> list[Secret]:
        """Return the secrets of all apps."""
        found = []
        for stanza in self._confs.objects("passwords"):
            parts = _split(stanza.name)
            encrypted = stanza.get("password")
            if parts and encrypted.startswith(PREFIX):
                found.append(Secret(*parts, self._decrypt(encrypted), stanza.app, encrypted))
        return found

    def get(self, name: str, app: str | None = None) -> Secret | None:
        """Find by the entry's name ``realm:user:``, with or without its last colon; a bare user has no realm."""
        held = [secret for secret in self.all() if app in (None, secret.app)]
        wanted = {name, f"{name}:", f":{name}:", f":{escape(name)}:"}
        exact = next((secret for secret in held if secret.name in wanted), None)
        # Clients join realm and user without escaping their colons.
        return exact or next((secret for secret in held if f"{secret.realm}:{secret.username}:" in wanted), None)

    def save(self, realm: str, username: str, password: str, app: str, create: bool) -> Secret:
        """Keep a secret of an app.

        Raises:
            HttpError: 409 when it is to be made but is there, 404 the other way round.
        """
        name = f"{escape(realm)}:{escape(username)}:"
        known = next((secret for secret in self.all() if (secret.name, secret.app) == (name, app)), None)
        if create and known:
            raise HttpError(409, f"Could not create credential: entity already exists, name={name}")
        if not create and not known:
            raise HttpError(404, f"Could not find object id={name}")
        stanza = f"credential:{name}"
        check_writable(stanza, {})
        self._confs.write("passwords", stanza, {"password": self._encrypt(password)}, app, 0o600)
        return Secret(realm, username, password, app, self._confs.own("passwords", app)[stanza]["password"])

    def delete(self, secret: Secret) -> None:
        """Forget it.

        Raises:
            HttpError: 403, it came with its app.
        """
        if not self._confs.delete("passwords", f"credential:{secret.name}", secret.app, 0o600):
            raise HttpError(403, f"Cannot remove credential '{secret.name}': it comes with app {secret.app}.")


def _split(stanza: str) -> tuple[str, str] | None:
    if not stanza.startswith("credential:") or not stanza.endswith(":"):
        return None
    inner = stanza[len("credential:") : -1]
    parts, current, position = [], "", 0
    while position < len(inner):
        char = inner[position]
        if char == "\\" and position + 1 < len(inner):
            current += inner[position + 1]
            position += 2
            continue
        if char == ":":
            parts.append(current)
            current = ""
        else:
            current += char
        position += 1
    parts.append(current)
    return (parts[0], parts[1]) if len(parts) == 2 else None
