"""Registration, login, profile, addresses and cards."""

from __future__ import annotations

import hmac

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from apisec_sandbox.sample_api.access import access_token, account_of, claims_of
from apisec_sandbox.sample_api.messages import ApiError, Fields, read_json
from apisec_sandbox.sample_api.model import Account, Address, Card, Session, Shop, password_hash

EMAIL = r"[^@\s]{1,64}@[^@\s]{1,190}"
DATE = r"\d{4}-\d{2}-\d{2}"
SSN = r"\d{3}[- ]?\d{2}[- ]?\d{4}"
CARD_NUMBER = r"[0-9][0-9 .-]{10,30}[0-9]"
EXPIRY = r"\d{2}/\d{2}"
MAX_CARDS = MAX_ADDRESSES = 20


def _grant(shop: Shop, account: Account, session: Session) -> dict[str, object]:
    return {
        "access_token": access_token(shop, account, session),
        "token_type": "Bearer",
        "expires_in": shop.token_seconds,
        "refresh_token": session.refresh_token,
        "account_id": account.id,
    }


async def register(shop: Shop, request: Request) -> Response:
    fields = await read_json(request)
    email = fields.text("email", 255, EMAIL)
    password = fields.text("password", 200)
    name = fields.text("full_name", 120)
    fields.check()
    if shop.account_by_email(email):
        raise ApiError(409, "conflict", f"an account for {email} already exists")  # tells who is a customer
    account = shop.add_account(email, password, name)
    return JSONResponse(account.document(), 201, headers={"location": "/accounts/me"})


async def login(shop: Shop, request: Request) -> Response:
    fields = await read_json(request)
    email, password = fields.text("email", 255), fields.text("password", 200)
    fields.check()
    account = shop.account_by_email(email)
    if account is None or not hmac.compare_digest(account.password_hash, password_hash(email, password)):
        raise ApiError(401, "bad_credentials", f"wrong password for {email}" if account else f"no account {email}")
    session = Session(shop.ids.opaque("ses"), account.id, f"rt_{shop.ids.hexadecimal(40)}")
    shop.sessions.put(session.id, session)
    shop.refresh.put(session.refresh_token, session.id)
    response = JSONResponse(_grant(shop, account, session))
    response.set_cookie("sid", session.id, httponly=True, samesite="lax")  # not Secure: deliberate
    return response


async def refresh(shop: Shop, request: Request) -> Response:
    """Rotate the refresh token and give a new access token of the same session."""
    fields = await read_json(request)
    given = fields.text("refresh_token", 200)
    fields.check()
    session = shop.sessions.get(shop.refresh.pop(given) or "")
    account = shop.accounts.get(session.account_id) if session else None
    if session is None or account is None:
        raise ApiError(401, "unauthorized", "unknown refresh token")
    session.refresh_token = f"rt_{shop.ids.hexadecimal(40)}"
    shop.refresh.put(session.refresh_token, session.id)
    return JSONResponse(_grant(shop, account, session))


async def logout(shop: Shop, request: Request) -> Response:
    session = shop.sessions.pop(str(claims_of(shop, request).get("sid")))
    if session:
        shop.refresh.pop(session.refresh_token)
    return Response(status_code=204)


async def me(shop: Shop, request: Request) -> Response:
    return JSONResponse(account_of(shop, request).document())


async def update_me(shop: Shop, request: Request) -> Response:
    account = account_of(shop, request)
    fields = await read_json(request)
    name = fields.text("full_name", 120, default=account.full_name)
    phone = fields.text("phone", 40, default=account.phone)
    fields.check()
    account.full_name, account.phone = name, phone
    return JSONResponse(account.document())


async def put_kyc(shop: Shop, request: Request) -> Response:
    """Know your customer: the identity data that a payment provider demands."""
    account = account_of(shop, request)
    fields = await read_json(request)
    email, phone = fields.text("email", 255, EMAIL), fields.text("phone", 40)
    dob, ssn = fields.text("dob", 10, DATE), fields.text("ssn", 11, SSN)
    fields.check()
    if email.lower() != account.email.lower() and shop.account_by_email(email):
        raise ApiError(409, "conflict", f"{email} belongs to another account")
    if email.lower() == account.email.lower():
        account.phone, account.dob, account.ssn = phone, dob, ssn
        return JSONResponse(account.document())
    raise ApiError(422, "invalid", f"{email} is not the account's e-mail address")


async def lookup(shop: Shop, request: Request) -> Response:
    """Undocumented: whether an e-mail address has an account, for the old mobile app."""
    account = shop.account_by_email(request.query_params.get("email", "")[:255])
    return JSONResponse({"exists": account is not None, "id": account.id if account else None})


async def addresses(shop: Shop, request: Request) -> Response:
    return JSONResponse({"addresses": [address.document() for address in account_of(shop, request).addresses]})


def read_address(shop: Shop, fields: Fields) -> Address:
    return Address(
        id=shop.ids.opaque("adr"),
        recipient=fields.text("recipient", 120),
        street=fields.text("street", 200),
        city=fields.text("city", 120),
        postcode=fields.text("postcode", 20),
        country=fields.text("country", 2, r"[A-Z]{2}"),
    )


async def add_address(shop: Shop, request: Request) -> Response:
    account = account_of(shop, request)
    fields = await read_json(request)
    address = read_address(shop, fields)
    fields.check()
    account.addresses = [*account.addresses, address][-MAX_ADDRESSES:]
    return JSONResponse(address.document(), 201)


async def cards(shop: Shop, request: Request) -> Response:
    return JSONResponse({"cards": [card.document() for card in account_of(shop, request).cards.values()]})


def luhn_ok(number: str) -> bool:
    """Whether the digits satisfy ISO/IEC 7812-1's check digit."""
    digits = [int(character) for character in reversed(number) if character.isdigit()]
    return sum(d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(digits)) % 10 == 0


def read_card(shop: Shop, fields: Fields) -> Card:
    card = Card(
        id=shop.ids.opaque("crd"),
        holder=fields.text("holder", 120),
        number=fields.text("number", 32, CARD_NUMBER),
        expiry=fields.text("expiry", 5, EXPIRY),
    )
    fields.text("cvv", 4, r"\d{3,4}")
    fields.check()
    if not luhn_ok(card.number):
        raise ApiError(422, "invalid", f"card number {card.number} fails the check digit")  # echo: deliberate
    return card


async def add_card(shop: Shop, request: Request) -> Response:
    account = account_of(shop, request)
    card = read_card(shop, await read_json(request))
    account.cards[card.id] = card
    while len(account.cards) > MAX_CARDS:
        del account.cards[next(iter(account.cards))]
    return JSONResponse(card.document(), 201)


async def delete_card(shop: Shop, request: Request) -> Response:
    if account_of(shop, request).cards.pop(request.path_params["card_id"], None) is None:
        raise ApiError(404, "not_found", "no such card")
    return Response(status_code=204)
