"""Who acts: taken from the credentials of a request, always as tokens.

Signatures are not checked here: the upstream does that, and the event's ``status`` says what it thought.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from apisec.classification.names import evidence
from apisec.decoders import Leaf, Limits
from apisec.model.transaction import Client, Headers, Transaction, header
from apisec.redaction.keys import Tokenizer
from apisec.redaction.redactor import Redactor
from apisec_forwarder.pipeline import signed

MAX_CREDENTIAL = 16_384  # characters; longer ones are still tokens, but no claims are read from them
_SUBJECTS = ("sub", "oid", "uid", "user_id", "client_id", "azp", "email")
_SESSION_CLAIMS = ("sid", "session_id", "jti")
API_KEY_HEADERS = frozenset(("apikey", "api-key", "x-api-key", "ocp-apim-subscription-key", "x-auth-token"))


@dataclass(frozen=True)
class Identity:
    """What an event says about who acts. All but ``kind`` and ``auth`` are tokens."""

    principal: str
    kind: str
    auth: str
    auth_token: str | None = None
    session: str | None = None
    user: str | None = None


@dataclass(frozen=True)
class Cookie:
    """One name and value of a Cookie header."""

    name: str
    value: str


def cookies(headers: Headers) -> list[Cookie]:
    """Return the request's cookies in order."""
    found = []
    for name, value in headers:
        if name.lower() == "cookie":
            for pair in value.split(";"):
                key, equals, content = pair.partition("=")
                if equals:
                    found.append(Cookie(key.strip(), content.strip().strip('"')))
    return found


def identify(client: Client, headers: Headers, query: list[Leaf], redactor: Redactor) -> Identity:
    """Return who acts; credentials of all kinds become known to the redactor on the way."""
    jar = cookies(headers)
    session = _session_cookie(jar, redactor)
    found = (
        _authorization(client, headers, redactor)
        or _api_key(client, headers, query, redactor)
        or _by_gateway(client, redactor)
        or _from_cookie(jar, session, redactor)
        or _certificate(client, redactor)
        or _signed(signed.of_headers(headers), client, headers, redactor)
        or _anonymous(client, headers, redactor)
    )
    if found.session is None and session is not None:
        return Identity(found.principal, found.kind, found.auth, found.auth_token, session[1], found.user)
    return found


def earlier(tokenizer: Tokenizer, transaction: Transaction, query: list[Leaf], limits: Limits) -> dict[str, Any]:
    """Return who acts by the keys that a rotation has replaced, as the event's ``earlier``; empty without any."""
    listed = []
    for old in tokenizer.earlier:
        who = identify(transaction.client, transaction.request.headers, query, Redactor(old, limits))
        known = (("session", who.session), ("auth_token", who.auth_token), ("user", who.user))
        more = {name: value for name, value in known if value is not None}
        listed.append({"key_id": old.key_id, "principal": who.principal, **more})
    return {"earlier": listed} if listed else {}


def _authorization(client: Client, headers: Headers, redactor: Redactor) -> Identity | None:
    value = (header(headers, "authorization") or "").strip()
    if not value:
        return None
    scheme, _, credential = value.partition(" ")
    credential = credential.strip()
    if scheme.lower() == "basic" and credential:
        return _basic(credential, redactor)
    signer = signed.of_authorization(scheme, credential) if credential else None
    if signer is not None:
        redactor.token("secret.api_key", credential)  # it can be sent again for a while
        return _signed(signer, client, headers, redactor)
    if not credential or scheme.lower() not in ("bearer", "token", "jwt", "dpop"):
        # an own scheme or a bare credential: the header as a whole
        whole = credential or scheme
        known = _jwt(whole, "bearer", redactor)
        if known:
            return known
        token = redactor.token("secret.api_key", whole)
        return Identity(redactor.identity("principal", "key\0" + whole), "api_key", "api_key", token)
    known = _jwt(credential, "bearer", redactor)
    if known:
        return known
    token = redactor.token("secret.bearer", credential)
    principal = redactor.identity("principal", "bearer\0" + credential)
    return Identity(principal, "session", "bearer", token)


def _basic(credential: str, redactor: Redactor) -> Identity:
    token = redactor.token("secret.basic", credential)
    try:
        decoded = base64.b64decode(credential + "=" * (-len(credential) % 4)).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        decoded = ""
    user, colon, password = decoded.partition(":")
    if not colon:
        return Identity(redactor.identity("principal", "basic\0" + credential), "basic", "basic", token)
    if password:
        redactor.token("secret.password", password)
        redactor.token("secret.basic", credential, decoded)
    principal = redactor.identity("principal", "basic\0" + user)
    return Identity(principal, "basic", "basic", token, user=redactor.identity("user", user))


def _signed(signer: signed.Signer | None, client: Client, headers: Headers, redactor: Redactor) -> Identity | None:
    """Return who signed, by the name of the key; where a signature names none, no more is known than of anybody."""
    if signer is None:
        return None
    if not signer.key:
        return replace(_anonymous(client, headers, redactor), auth=signer.auth)
    if signer.auth == "digest":
        return Identity(
            redactor.identity("principal", "digest\0" + signer.key),
            "basic",
            "digest",
            user=redactor.identity("user", signer.key),
        )
    token = redactor.identity("secret.api_key", signer.key)
    return Identity(redactor.identity("principal", "hmac\0" + signer.key), "api_key", "hmac", token)


def claims(jwt: str) -> Mapping[str, Any] | None:
    """Return the claims of a compact JWS without checking it, or None when it is none."""
    parts = jwt.split(".")
    if len(parts) != 3 or not jwt.startswith("ey") or len(jwt) > MAX_CREDENTIAL:
        return None
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None


def _jwt(credential: str, auth: str, redactor: Redactor) -> Identity | None:
    known = claims(credential)
    if known is None:
        return None
    token = redactor.token("secret.jwt", credential)
    subject = next((str(known[name]) for name in _SUBJECTS if isinstance(known.get(name), (str, int))), None)
    session = next((str(known[name]) for name in _SESSION_CLAIMS if isinstance(known.get(name), (str, int))), None)
    issuer = known.get("iss")
    acting = f"jwt\0{issuer if isinstance(issuer, str) else ''}\0{subject}" if subject else "jwt\0" + credential
    return Identity(
        redactor.identity("principal", acting),
        "jwt",
        auth,
        token,
        redactor.token("secret.session", session) if session else None,
        redactor.identity("user", subject) if subject else None,
    )


def _api_key(client: Client, headers: Headers, query: list[Leaf], redactor: Redactor) -> Identity | None:
    candidates = [(name, value) for name, value in headers if name.lower() not in ("authorization", "cookie")]
    candidates += [(leaf.name, leaf.value) for leaf in query if leaf.kind == "string"]
    for name, value in candidates:
        said = evidence(name).data_class
        if value and name.lower() in signed.SIGNED_PARAMETERS:
            return _signed(signed.Signer("hmac", signed.of_scope(value)), client, headers, redactor)
        if value and (name.lower() in API_KEY_HEADERS or said == "secret.api_key"):
            known = _jwt(value, "api_key", redactor)
            if known:
                return known
            token = redactor.token("secret.api_key", value)
            return Identity(redactor.identity("principal", "key\0" + value), "api_key", "api_key", token)
    return None


def _session_cookie(jar: list[Cookie], redactor: Redactor) -> tuple[Cookie, str] | None:
    for cookie in jar:
        said = evidence(cookie.name).data_class
        anti_forgery = any(word in cookie.name.lower() for word in ("csrf", "xsrf", "forgery"))
        if cookie.value and said in ("secret.session", "secret.token") and not anti_forgery:
            return cookie, redactor.token("secret.session", cookie.value)
    return None


def _from_cookie(jar: list[Cookie], session: tuple[Cookie, str] | None, redactor: Redactor) -> Identity | None:
    for cookie in jar:
        if cookie.value.startswith("ey"):
            known = _jwt(cookie.value, "cookie", redactor)
            if known:
                return known
    if session is None:
        return None
    value = session[0].value
    principal = redactor.identity("principal", "session\0" + value)
    return Identity(principal, "session", "cookie", session[1], session[1])


def _certificate(client: Client, redactor: Redactor) -> Identity | None:
    subject = client.certificate_subject
    if not subject:
        return None
    return Identity(redactor.identity("principal", "mtls\0" + subject), "mtls", "mtls")


def _by_gateway(client: Client, redactor: Redactor) -> Identity | None:
    """Whom the gateway itself authenticated: what it ships holds no credential any more."""
    consumer = client.authenticated
    if not consumer:
        return None
    principal = redactor.identity("principal", "gateway\0" + consumer)
    return Identity(principal, "consumer", "gateway", user=redactor.identity("user", consumer))


def _anonymous(client: Client, headers: Headers, redactor: Redactor) -> Identity:
    """Address, TLS fingerprint and agent together: never the address alone."""
    parts = ("anonymous", client.address, client.ja4 or "", header(headers, "user-agent") or "")
    return Identity(redactor.identity("principal", "\0".join(parts)), "anonymous", "none")
