"""Products, search and reviews; open to everyone but for writing reviews."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from apisec_sandbox.sample_api.access import account_of
from apisec_sandbox.sample_api.messages import ApiError, page_of, read_json
from apisec_sandbox.sample_api.model import Product, Review, Shop
from apisec_sandbox.sample_api.search import ProductSearch

PAGE = 12
MAX_REVIEWS = 100  # kept per product
MAX_QUERY_CHARACTERS = 500


async def products(shop: Shop, request: Request) -> Response:
    """List one page. An unknown ``sort`` crashes with a stack trace (deliberate)."""
    start, stop = page_of(request, PAGE)
    category = request.query_params.get("category")
    sort = request.query_params.get("sort", "name")
    found = [product for product in shop.products.values() if category in (None, "", product.category)]
    found.sort(key=lambda product: product.document()[sort])
    page = [product.document() for product in found[start:stop]]
    return JSONResponse({"products": page, "total": len(found), "page": start // PAGE + 1})


async def search(_shop: Shop, request: Request, engine: ProductSearch) -> Response:
    """Search by name; the query is echoed, in HTML unescaped (reflected XSS, deliberate)."""
    text = request.query_params.get("q", "")[:MAX_QUERY_CHARACTERS]
    if not text.strip():
        raise ApiError(422, "invalid", "q is required")
    rows, warning = engine.find(text)
    if "text/html" in request.headers.get("accept", ""):
        items = "".join(f"<li><a href='/products/{row[0]}'>{row[1]}</a></li>" for row in rows)
        return HTMLResponse(f"<html><body><h1>Results for {text}</h1><ul>{items}</ul></body></html>")
    results = [{"slug": row[0], "name": row[1], "category": row[2], "price": row[3]} for row in rows]
    body: dict[str, object] = {"query": text, "results": results, "total": len(results)}
    if warning:
        body["warning"] = warning
    return JSONResponse(body)


def _product(shop: Shop, reference: str) -> Product:
    product = shop.products.get(reference)
    if product is None and reference.isascii() and reference.isdigit():
        product = next((each for each in shop.products.values() if str(each.id) == reference), None)
    if product is None:
        raise ApiError(404, "not_found", f"no product {reference}")
    return product


async def product(shop: Shop, request: Request) -> Response:
    return JSONResponse(_product(shop, request.path_params["slug"]).document())


async def reviews(shop: Shop, request: Request) -> Response:
    found = shop.reviews[_product(shop, request.path_params["slug"]).slug]
    return JSONResponse({"reviews": [review.document() for review in found[-30:]], "total": len(found)})


async def add_review(shop: Shop, request: Request) -> Response:
    account = account_of(shop, request)
    reviewed = _product(shop, request.path_params["slug"])
    fields = await read_json(request)
    rating = fields.integer("rating", 1, 5)
    title, text = fields.text("title", 120), fields.text("text", 4000)
    fields.check()
    order_id = account.orders[-1] if account.orders else ""
    review = Review(shop.ids.opaque("rev"), account.full_name, order_id, rating, title, text, shop.clock())
    kept = shop.reviews[reviewed.slug]
    kept.append(review)
    del kept[:-MAX_REVIEWS]
    return JSONResponse(review.document(), 201)
