"""The ASGI application: one table of operations, one place where errors become answers."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import yaml
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from apisec_sandbox.sample_api import accounts, backoffice, catalogue, checkout, orders
from apisec_sandbox.sample_api.compression import Compression
from apisec_sandbox.sample_api.messages import ApiError, crash
from apisec_sandbox.sample_api.model import Shop
from apisec_sandbox.sample_api.search import ProductSearch
from apisec_sandbox.sample_api.seed import fill

TOKEN_SECONDS = 900
DOCUMENT = Path(__file__).with_name("openapi.yaml")

Handler = Callable[[Shop, Request], Awaitable[Response]]

OPERATIONS: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "/auth/register", accounts.register),
    ("POST", "/auth/login", accounts.login),
    ("POST", "/auth/refresh", accounts.refresh),
    ("POST", "/auth/logout", accounts.logout),
    ("GET", "/accounts/me", accounts.me),
    ("PATCH", "/accounts/me", accounts.update_me),
    ("PUT", "/accounts/me/kyc", accounts.put_kyc),
    ("GET", "/accounts/me/addresses", accounts.addresses),
    ("POST", "/accounts/me/addresses", accounts.add_address),
    ("GET", "/accounts/lookup", accounts.lookup),
    ("GET", "/cards", accounts.cards),
    ("POST", "/cards", accounts.add_card),
    ("DELETE", "/cards/{card_id}", accounts.delete_card),
    ("GET", "/products", catalogue.products),
    ("GET", "/products/{slug}", catalogue.product),
    ("GET", "/products/{slug}/reviews", catalogue.reviews),
    ("POST", "/products/{slug}/reviews", catalogue.add_review),
    ("POST", "/carts", checkout.create_cart),
    ("GET", "/carts/{cart_id}", checkout.cart),
    ("POST", "/carts/{cart_id}/items", checkout.add_item),
    ("DELETE", "/carts/{cart_id}/items/{item_id}", checkout.remove_item),
    ("POST", "/checkout/start", checkout.start),
    ("POST", "/checkout/{checkout_id}/address", checkout.set_address),
    ("POST", "/checkout/{checkout_id}/payment", checkout.pay),
    ("POST", "/checkout/{checkout_id}/confirm", checkout.confirm),
    ("GET", "/orders", orders.orders),
    ("GET", "/orders/{order_id}", orders.order),
    ("GET", "/orders/{order_id}/invoice", orders.invoice),
    ("POST", "/orders/{order_id}/cancel", orders.cancel),
    ("POST", "/orders/{order_id}/refund", orders.refund),
    ("GET", "/admin/users", backoffice.users),
    ("GET", "/admin/users/{user_id}", backoffice.user),
    ("GET", "/admin/export", backoffice.export),
    ("GET", "/support/customers", backoffice.find_customers),
    ("GET", "/support/customers/{customer_key}", backoffice.customer),
    ("POST", "/support/attachments", backoffice.attach),
    ("GET", "/partner/orders", backoffice.partner_orders),
    ("POST", "/partner/invoices", backoffice.partner_invoice),
    ("GET", "/legacy/report", backoffice.legacy_report),
    ("POST", "/webhooks/payments", backoffice.payment_webhook),
    ("GET", "/health", backoffice.health),
)


def load_document() -> dict[str, Any]:
    """Return the OpenAPI document that stands beside this file."""
    document: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))
    return document


def _endpoint(shop: Shop, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await handler(shop, request)
        except ApiError as error:
            return error.response()
        except Exception as error:  # noqa: BLE001  the stack trace in the answer is a deliberate weakness
            return crash(error)

    return endpoint


async def _framework_error(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    names = {404: "not_found", 405: "method_not_allowed"}
    return ApiError(status, names.get(status, "error"), getattr(error, "detail", "error")).response()


def create_app(
    seed: int = 1,
    *,
    clock: Callable[[], float] = time.time,
    id_style: str = "numeric",
    token_seconds: int = TOKEN_SECONDS,
    release_file: Path | None = None,
) -> ASGIApp:
    """Return the shop with its seeded data.

    ``clock`` gives seconds since the epoch; ``id_style`` is one of ``model.ID_STYLES``; access tokens live
    ``token_seconds``. While ``release_file`` is there, the next release answers.
    """
    shop = Shop(seed, clock, id_style, token_seconds, release_file.exists if release_file else lambda: False)
    fill(shop)
    engine = ProductSearch(shop.products.values(), shop.accounts)
    document = json.dumps(load_document(), separators=(",", ":")).encode()

    async def serve_document(_request: Request) -> Response:
        return Response(document, media_type="application/json")

    search = functools.partial(catalogue.search, engine=engine)
    routes = [
        Route("/openapi.json", serve_document, methods=["GET"]),
        Route("/products/search", _endpoint(shop, search), methods=["GET"]),  # before /products/{slug}
    ]
    routes += [Route(path, _endpoint(shop, handler), methods=[method]) for method, path, handler in OPERATIONS]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _framework_error})
    app.router.redirect_slashes = False
    return Compression(app)
