"""Orders and invoices. No owner check anywhere below: broken object level authorisation, deliberate."""

from __future__ import annotations

import hashlib
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from apisec_sandbox.sample_api.access import account_of, caller_of
from apisec_sandbox.sample_api.messages import ApiError, page_of, read_form
from apisec_sandbox.sample_api.model import Order, Shop

PAGE = 15
SHOP_IBAN = "DE89370400440532013000"  # the example of ISO 13616, as on every invoice
TEMPLATES = {"standard": "Thank you for your order.", "gift": "A present for you.", "business": "Payable at once."}


def _order(shop: Shop, request: Request) -> Order:
    order = shop.orders.get(request.path_params["order_id"])
    if order is None:
        raise ApiError(404, "not_found", f"no order {request.path_params['order_id']}")
    return order


async def orders(shop: Shop, request: Request) -> Response:
    account = account_of(shop, request)
    start, stop = page_of(request, PAGE)
    newest = [order for order in map(shop.orders.get, reversed(account.orders)) if order]
    page = [order.summary() for order in newest[start:stop]]
    document: dict[str, object] = {"orders": page, "total": len(newest)}
    if shop.next_release():  # "support wants to see who it is": more than any client needs
        document["customer"] = {"ssn": account.ssn or social_security_number(account.id)}
    return JSONResponse(document)


def social_security_number(account_id: str) -> str:
    """Return a number for who has given none: the same for the same account, of an area that is issued."""
    digest = hashlib.sha256(f"ssn {account_id}".encode()).digest()
    area, group, serial = 100 + digest[0] * 2, 1 + digest[1] % 99, 1 + int.from_bytes(digest[2:4], "big") % 9999
    return f"{area:03d}-{group:02d}-{serial:04d}"


async def order(shop: Shop, request: Request) -> Response:
    caller_of(shop, request)
    return JSONResponse(_order(shop, request).document())


async def invoice(shop: Shop, request: Request) -> Response:
    """An invoice in XML. An unknown ``template`` crashes and tells a path of the server (deliberate)."""
    caller_of(shop, request)
    found = _order(shop, request)
    name = request.query_params.get("template", "standard")[:300]
    if name not in TEMPLATES:
        raise FileNotFoundError(f"/srv/shop/templates/invoices/{name}.xml")
    lines = "".join(
        f'<inv:Line sku="{escape(item.slug)}" quantity="{item.quantity}" price="{item.price}"/>' for item in found.items
    )
    customer = {key: escape(value) for key, value in found.customer.items()}
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
        f'<inv:Invoice xmlns:inv="https://shop.example/invoice" number="{escape(found.id)}">'
        f"<inv:Customer><inv:Name>{customer['full_name']}</inv:Name><inv:Email>{customer['email']}</inv:Email>"
        f"<inv:Phone>{customer['phone']}</inv:Phone></inv:Customer>{lines}"
        f"<inv:Total>{found.total}</inv:Total><inv:PayTo>{SHOP_IBAN}</inv:PayTo>"
        f"<inv:Note>{TEMPLATES[name]}</inv:Note></inv:Invoice></soap:Body></soap:Envelope>"
    )
    return Response(text, media_type="application/xml")


async def cancel(shop: Shop, request: Request) -> Response:
    account_of(shop, request)
    found = _order(shop, request)
    if found.status != "confirmed":
        raise ApiError(409, "conflict", f"an order that is {found.status} cannot be cancelled")
    found.status = "cancelled"
    return JSONResponse(found.document())


async def refund(shop: Shop, request: Request) -> Response:
    """Ask for the money back: a form with the reason and the account to pay to."""
    account_of(shop, request)
    found = _order(shop, request)
    fields = await read_form(request)
    reason, iban = fields.text("reason", 1000), fields.text("iban", 42, r"[A-Za-z]{2}\d{2}[A-Za-z0-9 ]{10,38}")
    fields.check()
    if found.status == "refunded":
        raise ApiError(409, "conflict", "the order is already refunded")
    found.status = "refunded"
    return JSONResponse(
        {"order_id": found.id, "status": found.status, "amount": found.total, "reason": reason, "iban": iban}
    )
