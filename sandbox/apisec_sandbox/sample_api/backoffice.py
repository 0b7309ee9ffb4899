"""Staff, support, partners, the legacy report and webhooks."""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from apisec_sandbox.sample_api.access import account_of, partner_of, require_legacy_basic, staff_of
from apisec_sandbox.sample_api.credentials import WEBHOOK_SECRET
from apisec_sandbox.sample_api.messages import (
    ApiError,
    Fields,
    media_type,
    page_of,
    parse_xml,
    read_body,
    read_multipart,
)
from apisec_sandbox.sample_api.model import Account, Shop

PAGE = 20
XML_TYPES = ("application/xml", "text/xml", "application/soap+xml")
EXPORT_COLUMNS = ("id", "email", "full_name", "phone", "dob", "ssn", "role")


async def users(shop: Shop, request: Request) -> Response:
    staff_of(shop, request)
    start, stop = page_of(request, PAGE)
    every = list(shop.accounts)
    return JSONResponse({"users": [user.document() for user in every[start:stop]], "total": len(every)})


async def user(shop: Shop, request: Request) -> Response:
    staff_of(shop, request)
    found = shop.accounts.get(request.path_params["user_id"])
    if found is None:
        raise ApiError(404, "not_found", "no such user")
    return JSONResponse({**found.document(), "orders": found.orders[-20:]})


async def export(shop: Shop, request: Request) -> Response:
    """Undocumented: every customer in one CSV, SSNs included."""
    staff_of(shop, request)
    text = io.StringIO()
    writer = csv.DictWriter(text, EXPORT_COLUMNS, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(each.document() for each in list(shop.accounts)[:200])
    return Response(text.getvalue(), media_type="text/csv")


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _find_customer(shop: Shop, key: str) -> Account | None:
    """Find by e-mail address, phone number, SSN or card number, however they are punctuated."""
    if "@" in key:
        return shop.account_by_email(key)
    digits = _digits(key)
    if len(digits) < 7:
        return None
    for account in shop.accounts:
        if digits in (_digits(account.phone), _digits(account.ssn)):
            return account
        if any(_digits(card.number) == digits for card in account.cards.values()):
            return account
    return None


def _customer(shop: Shop, key: str) -> Response:
    found = _find_customer(shop, key[:255])
    if found is None:
        raise ApiError(404, "not_found", "no such customer")
    return JSONResponse({**found.document(), "orders": found.orders[-20:]})


async def customer(shop: Shop, request: Request) -> Response:
    """Personal data in the path, and so in every log on the way: deliberate."""
    staff_of(shop, request)
    return _customer(shop, request.path_params["customer_key"])


async def find_customers(shop: Shop, request: Request) -> Response:
    staff_of(shop, request)
    for name in ("email", "phone", "ssn", "card"):
        if name in request.query_params:
            return _customer(shop, request.query_params[name])
    raise ApiError(422, "invalid", "give one of email, phone, ssn, card")


async def attach(shop: Shop, request: Request) -> Response:
    """Upload a document to a support case, with a note and contact data."""
    account_of(shop, request)
    parts = await read_multipart(request)
    files = [part for part in parts if part.filename]
    if not files:
        raise ApiError(422, "invalid", "a part with a file name is required")
    listed = [
        {
            "name": part.filename,
            "type": part.content_type,
            "bytes": len(part.data),
            "sha256": hashlib.sha256(part.data).hexdigest(),
        }
        for part in files
    ]
    return JSONResponse({"case": shop.ids.opaque("cas"), "files": listed}, 201)


async def partner_orders(shop: Shop, request: Request) -> Response:
    """The newest orders, for the carrier's nightly batch."""
    partner = partner_of(request)
    start, stop = page_of(request, PAGE)
    newest = list(shop.orders)[::-1][start:stop]
    return JSONResponse(
        {"partner": partner, "orders": [order.summary() for order in newest], "total": len(shop.orders)}
    )


async def partner_invoice(shop: Shop, request: Request) -> Response:
    """A SOAP-like message: the partner bills the shop for a delivery."""
    partner = partner_of(request)
    if media_type(request) not in XML_TYPES:
        raise ApiError(415, "unsupported_media_type", "send application/xml")
    fields = Fields(parse_xml(await read_body(request)))
    order_id, iban, amount = fields.text("OrderId", 80), fields.text("Iban", 42), fields.text("Amount", 12)
    fields.check()
    if shop.orders.get(order_id) is None:
        raise ApiError(404, "not_found", f"no order {order_id}")
    digest = hashlib.sha256(f"{partner} {order_id} {iban} {amount}".encode()).hexdigest()[:12]
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">'
        f"<soap:Body><Receipt><Reference>{digest}</Reference><Status>accepted</Status></Receipt></soap:Body></soap:Envelope>"
    )
    return Response(text, 202, media_type="application/xml")


async def legacy_report(shop: Shop, request: Request) -> Response:
    """Yesterday's figures as CSV for the old finance system, by Basic authentication."""
    require_legacy_basic(request)
    rows = [f"{order.id};{order.status};{order.total};{order.card_last4}" for order in list(shop.orders)[-60:]]
    return Response("\n".join(("order;status;total;card", *rows)) + "\n", media_type="text/csv")


async def payment_webhook(shop: Shop, request: Request) -> Response:
    """The payment provider reports a settled payment, signed with HMAC-SHA256 over the body."""
    body = await read_body(request)
    expected = hmac.digest(WEBHOOK_SECRET, body, hashlib.sha256).hex()
    if not hmac.compare_digest(request.headers.get("x-signature", "").encode(), expected.encode()):
        raise ApiError(401, "unauthorized", "bad signature")
    try:
        event = json.loads(body)
        identity, kind = str(event["id"])[:80], str(event["type"])[:80]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ApiError(400, "bad_json", "the body is not an event") from error
    duplicate = shop.webhooks.get(identity) is not None
    shop.webhooks.put(identity, kind)
    return JSONResponse({"received": True, "duplicate": duplicate}, 202)


async def health(shop: Shop, _request: Request) -> Response:
    return JSONResponse({"status": "ok", "products": len(shop.products)})
