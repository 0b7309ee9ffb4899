"""Who calls: bearer tokens, the cookie's session, API keys, Basic; and what the shop checks of it."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass

from starlette.requests import Request

from apisec_sandbox.sample_api import tokens
from apisec_sandbox.sample_api.credentials import LEGACY_PASSWORD, LEGACY_USER, PARTNER_KEYS, STAFF_DOMAIN
from apisec_sandbox.sample_api.messages import ApiError
from apisec_sandbox.sample_api.model import Account, Session, Shop


@dataclass(frozen=True)
class Caller:
    """An authenticated caller: a customer or a member of staff by token, or a partner by key."""

    account: Account | None
    partner: str = ""


def _unauthorised(message: str) -> ApiError:
    return ApiError(401, "unauthorized", message)


def claims_of(shop: Shop, request: Request) -> dict[str, object]:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _unauthorised("send a bearer token")
    try:
        return tokens.verify(token.strip(), shop.secret, shop.clock())
    except tokens.TokenError as error:
        raise _unauthorised(str(error)) from error


def account_of(shop: Shop, request: Request) -> Account:
    """Return the caller's account, or raise 401."""
    claims = claims_of(shop, request)
    account = shop.accounts.get(str(claims.get("sub")))
    if account is None or shop.sessions.get(str(claims.get("sid"))) is None:
        raise _unauthorised("the session has ended")
    return account


def staff_of(shop: Shop, request: Request) -> Account:
    """Return a member of staff. Weak: anyone with an e-mail address of the shop's domain passes (deliberate)."""
    account = account_of(shop, request)
    if account.role not in ("clerk", "admin") and not account.email.lower().endswith(STAFF_DOMAIN):
        raise ApiError(403, "forbidden", "staff only")
    return account


def partner_of(request: Request) -> str:
    given = request.headers.get("x-api-key", "").encode()
    found = [name for key, name in PARTNER_KEYS.items() if hmac.compare_digest(key.encode(), given)]
    if not found:
        raise _unauthorised("send a valid X-Api-Key")
    return found[0]


def caller_of(shop: Shop, request: Request) -> Caller:
    if "x-api-key" in request.headers:
        return Caller(None, partner_of(request))
    return Caller(account_of(shop, request))


def require_legacy_basic(request: Request) -> None:
    scheme, _, blob = request.headers.get("authorization", "").partition(" ")
    try:
        given = base64.b64decode(blob, validate=True) if scheme.lower() == "basic" else b""
    except binascii.Error:
        given = b""
    if not hmac.compare_digest(given, f"{LEGACY_USER}:{LEGACY_PASSWORD}".encode()):
        raise _unauthorised("send the reporting user's Basic credentials")


def access_token(shop: Shop, account: Account, session: Session) -> str:
    now = int(shop.clock())
    claims = {
        "iss": "https://shop.example",
        "sub": account.id,
        "sid": session.id,
        "jti": shop.ids.hexadecimal(16),
        "role": account.role,
        "iat": now,
        "exp": now + shop.token_seconds,
    }
    return tokens.sign(claims, shop.secret)
