"""Carts and the checkout: start, address, payment, confirm."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from apisec_sandbox.sample_api.access import account_of
from apisec_sandbox.sample_api.accounts import read_address, read_card
from apisec_sandbox.sample_api.messages import ApiError, read_json
from apisec_sandbox.sample_api.model import Account, Card, Cart, Checkout, Item, Shop

MAX_ITEMS = 50


def _cart(shop: Shop, account: Account, cart_id: str) -> Cart:
    cart = shop.carts.get(cart_id)
    if cart is None or cart.account_id != account.id:
        raise ApiError(404, "not_found", "no such cart")
    return cart


async def create_cart(shop: Shop, request: Request) -> Response:
    cart = Cart(shop.ids.opaque("crt"), account_of(shop, request).id)
    shop.carts.put(cart.id, cart)
    return JSONResponse(cart.document(), 201)


async def cart(shop: Shop, request: Request) -> Response:
    return JSONResponse(_cart(shop, account_of(shop, request), request.path_params["cart_id"]).document())


async def add_item(shop: Shop, request: Request) -> Response:
    found = _cart(shop, account_of(shop, request), request.path_params["cart_id"])
    fields = await read_json(request)
    slug, quantity = fields.text("slug", 120), fields.integer("quantity", 1, 99, 1)
    fields.check()
    product = shop.products.get(slug)
    if product is None:
        raise ApiError(404, "not_found", f"no product {slug}")
    if len(found.items) >= MAX_ITEMS:
        raise ApiError(409, "conflict", f"a cart holds at most {MAX_ITEMS} items")
    item = Item(shop.ids.opaque("itm"), slug, quantity, product.price)
    found.items[item.id] = item
    return JSONResponse(found.document(), 201)


async def remove_item(shop: Shop, request: Request) -> Response:
    found = _cart(shop, account_of(shop, request), request.path_params["cart_id"])
    if found.items.pop(request.path_params["item_id"], None) is None:
        raise ApiError(404, "not_found", "no such item")
    return JSONResponse(found.document())


def _checkout(shop: Shop, request: Request) -> tuple[Account, Checkout]:
    account = account_of(shop, request)
    found = shop.checkouts.get(request.path_params["checkout_id"])
    if found is None or found.account_id != account.id:
        raise ApiError(404, "not_found", "no such checkout")
    if found.order_id:
        raise ApiError(409, "conflict", "the checkout is already confirmed")
    return account, found


async def start(shop: Shop, request: Request) -> Response:
    account = account_of(shop, request)
    fields = await read_json(request)
    cart_id = fields.text("cart_id", 80)
    fields.check()
    found = _cart(shop, account, cart_id)
    if not found.items:
        raise ApiError(409, "conflict", "the cart is empty")
    checkout = Checkout(shop.ids.opaque("chk"), account.id, found)
    shop.checkouts.put(checkout.id, checkout)
    return JSONResponse(checkout.document(), 201)


async def set_address(shop: Shop, request: Request) -> Response:
    account, checkout = _checkout(shop, request)
    fields = await read_json(request)
    if "address_id" in fields:
        wanted = fields.text("address_id", 80)
        fields.check()
        known = next((each for each in account.addresses if each.id == wanted), None)
        if known is None:
            raise ApiError(404, "not_found", "no such address")
        checkout.address = known
    else:
        address = read_address(shop, fields)
        fields.check()
        checkout.address = address
    return JSONResponse(checkout.document())


async def pay(shop: Shop, request: Request) -> Response:
    account, checkout = _checkout(shop, request)
    fields = await read_json(request)
    card: Card | None
    if "card_id" in fields:
        card = account.cards.get(fields.text("card_id", 80))
        fields.text("cvv", 4, r"\d{3,4}")
        fields.check()
        if card is None:
            raise ApiError(404, "not_found", "no such card")
    else:
        card = read_card(shop, fields)
    if checkout.paid:
        raise ApiError(409, "conflict", "the checkout is already paid")
    checkout.attempts += 1
    if shop.declines(checkout):
        raise ApiError(402, "card_declined", f"the bank declined the card ending in {card.last4}")
    checkout.paid, checkout.card_last4 = True, card.last4
    return JSONResponse(checkout.document())


async def confirm(shop: Shop, request: Request) -> Response:
    """Turn the checkout into an order. Neither payment nor address is checked (business logic, deliberate)."""
    account, checkout = _checkout(shop, request)
    order = shop.add_order(account, list(checkout.cart.items.values()), checkout)
    checkout.order_id = order.id
    shop.carts.pop(checkout.cart.id)
    return JSONResponse(order.document(), 201, headers={"location": f"/orders/{order.id}"})
