"""What a customer of the shop does: look around, fill a cart, check out, manage the account."""

from __future__ import annotations

from typing import Any

from apisec_sandbox.traffic.actors import Actor
from apisec_sandbox.traffic.calls import (
    Content,
    File,
    Plant,
    Reply,
    Steps,
    UnexpectedReplyError,
    form_content,
    json_content,
    multipart_content,
)
from apisec_sandbox.traffic.values import PaymentCard, Sensitive, SensitiveNumber

CATEGORIES = ("tea", "coffee", "kitchen", "biscuits", "books")
PAYMENT_ATTEMPTS = 4


class Customer(Actor):
    """Building blocks of visits. State that a browser would keep (ids of orders, cards) is kept here."""

    persona = "customer"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.orders: list[str] = []
        self.card: PaymentCard | None = None
        self.card_id = ""
        self.identified = False  # has given the data of "know your customer"
        self.seen: list[str] = []  # slugs

    # Looking around

    def browse(self, anonymous: bool = False) -> Steps[None]:
        """List, search and read until something looks good."""
        for _ in range(self.rng.randint(1, 3)):
            if self.chance(0.45):
                yield from self.search(anonymous)
            else:
                yield from self.list_products(anonymous)
            yield self.think(2, 20)
            for _ in range(self.rng.randint(0, 2)):
                if self.seen:
                    yield from self.look_at(self.rng.choice(self.seen[-12:]), anonymous)

    def list_products(self, anonymous: bool = False) -> Steps[None]:
        query = {}
        if self.chance(0.5):
            query["category"] = self.rng.choice(CATEGORIES)
        if self.chance(0.4):
            query["sort"] = self.rng.choice(("price", "name", "rating"))
        if not query and self.chance(0.5):
            query["page"] = str(self.rng.randint(1, 4))
        reply = yield from self.call("GET /products", query=query, anonymous=anonymous)
        self.seen = [product["slug"] for product in reply.need("products")] or self.seen

    def search(self, anonymous: bool = False) -> Steps[None]:
        texts = self.world.texts
        text = self.rng.choice(texts.tricky_searches if self.chance(0.3) else texts.searches)
        headers = [("accept", "text/html,application/xhtml+xml")] if self.device.browser and self.chance(0.3) else []
        if self.device.browser and self.chance(0.1):  # came from a newsletter that names its reader
            headers.append(("referer", Sensitive(f"https://news.example/open?to={self.person.email}", "pii.email")))
        reply = yield from self.call("GET /products/search", query={"q": text}, headers=headers, anonymous=anonymous)
        if isinstance(reply.data, dict) and reply.data.get("results"):
            self.seen += [result["slug"] for result in reply.data["results"]]
            del self.seen[:-40]

    def look_at(self, slug: str, anonymous: bool = False) -> Steps[None]:
        yield from self.call("GET /products/{slug}", path={"slug": slug}, anonymous=anonymous)
        yield self.think(2, 25)
        if self.chance(0.4):
            yield from self.call("GET /products/{slug}/reviews", path={"slug": slug}, anonymous=anonymous)
            yield self.think(3, 30)

    # Buying

    def fill_cart(self) -> Steps[str]:
        cart_id = str((yield from self.call("POST /carts", content=json_content({}))).need("id"))
        if not self.seen:
            yield from self.list_products()
        items: list[str] = []
        for _ in range(self.rng.randint(1, 3)):
            items += yield from self.add_item(cart_id)
            yield self.think(2, 15)
        if len(items) > 1 and self.chance(0.2):
            path = {"cart_id": cart_id, "item_id": items[0]}
            yield from self.call("DELETE /carts/{cart_id}/items/{item_id}", path=path)
        if self.chance(0.6):
            yield from self.call("GET /carts/{cart_id}", path={"cart_id": cart_id})
            yield self.think(2, 10)
        return cart_id

    def add_item(self, cart_id: str) -> Steps[list[str]]:
        body = {"slug": self.rng.choice(self.seen), "quantity": self.rng.randint(1, 3)}
        reply = yield from self.call(
            "POST /carts/{cart_id}/items", path={"cart_id": cart_id}, content=json_content(body)
        )
        return [item["id"] for item in reply.need("items")][-1:]

    def check_out(self) -> Steps[bool]:
        """Go through the whole checkout, with the detours people make; return whether an order came of it."""
        cart_id = yield from self.fill_cart()
        checkout = yield from self.start_checkout(cart_id)
        if self.chance(0.08):  # abandons at once
            return False
        yield from self.give_address(checkout)
        if self.chance(0.15):  # goes back to the cart, then gives the address again
            yield from self.call("GET /carts/{cart_id}", path={"cart_id": cart_id})
            yield self.think(3, 20)
            if self.chance(0.5):
                yield from self.add_item(cart_id)
                yield self.think(2, 10)
            yield from self.give_address(checkout)
        elif self.chance(0.12):  # corrects a typing error
            yield from self.give_address(checkout)
        if self.chance(0.1):  # abandons before paying
            return False
        if not (yield from self.pay(checkout)):
            return False
        if self.chance(0.03):  # paid, then lost the connection
            return False
        return (yield from self.confirm(checkout)).ok

    def start_checkout(self, cart_id: str) -> Steps[dict[str, str]]:
        reply = yield from self.call("POST /checkout/start", content=json_content({"cart_id": cart_id}))
        checkout = {"checkout_id": str(reply.need("id"))}
        yield self.think(3, 20)
        return checkout

    def address_body(self) -> dict[str, str]:
        person = self.person
        return {
            "recipient": person.full_name,
            "street": person.street,
            "city": person.city,
            "postcode": person.postcode,
            "country": person.country,
        }

    def give_address(self, checkout: dict[str, str]) -> Steps[None]:
        content = json_content(self.address_body())
        reply = yield from self.call("POST /checkout/{checkout_id}/address", path=checkout, content=content)
        reply.need("id")
        yield self.think(4, 25)

    def payment_body(self) -> dict[str, Any]:
        """Pay with the stored card when there is one, else type one in."""
        if self.card and self.card_id and self.chance(0.8):
            return {"card_id": self.card_id, "cvv": self.card.cvv}
        return self.card_body(self.card or self.values.card())

    def card_body(self, card: PaymentCard) -> dict[str, Any]:
        number = SensitiveNumber(card.number, card.number.data_class) if card.as_number else card.number
        return {"holder": self.person.full_name, "number": number, "expiry": card.expiry, "cvv": card.cvv}

    def pay(self, checkout: dict[str, str]) -> Steps[bool]:
        """Pay, and try again after a decline, sometimes with another card."""
        for _ in range(PAYMENT_ATTEMPTS):
            content = json_content(self.payment_body())
            reply: Reply = yield from self.call("POST /checkout/{checkout_id}/payment", path=checkout, content=content)
            yield self.think(3, 15)
            if reply.ok:
                return True
            if reply.status != 402:
                raise UnexpectedReplyError("payment")
            if self.chance(0.1):
                break
        return False

    def confirm(self, checkout: dict[str, str], attack: str | None = None) -> Steps[Reply]:
        reply = yield from self.call("POST /checkout/{checkout_id}/confirm", path=checkout, attack=attack)
        if reply.ok:
            self.orders.append(str(reply.need("id")))
            del self.orders[:-50]
        yield self.think(2, 10)
        return reply

    # The account

    def check_orders(self) -> Steps[None]:
        reply = yield from self.call("GET /orders")
        self.orders = [order["id"] for order in reply.need("orders")][::-1] or self.orders
        yield self.think(2, 12)
        if self.orders and self.chance(0.6):
            order_id = self.rng.choice(self.orders[-3:])
            yield from self.call("GET /orders/{order_id}", path={"order_id": order_id})
            yield self.think(2, 20)
            if self.chance(0.25):
                query = {"template": self.rng.choice(("standard", "business"))} if self.chance(0.4) else None
                yield from self.call("GET /orders/{order_id}/invoice", path={"order_id": order_id}, query=query)
                yield self.think(2, 20)

    def regret(self) -> Steps[None]:
        """Cancel the newest order, or ask for the money back."""
        order = {"order_id": self.orders.pop()}
        if self.chance(0.5):
            yield from self.call("POST /orders/{order_id}/cancel", path=order)
        else:
            form = {"reason": self.rng.choice(self.world.texts.refund_reasons), "iban": self.person.iban}
            yield from self.call("POST /orders/{order_id}/refund", path=order, content=form_content(form))
        yield self.think(2, 10)

    def write_review(self) -> Steps[None]:
        texts = self.world.texts
        title, text = self.rng.choice(texts.tricky_reviews if self.chance(0.35) else texts.reviews)
        body = {"rating": self.rng.randint(2, 5), "title": title, "text": text}
        content = json_content(body, ascii_only=self.chance(0.5))
        path = {"slug": self.rng.choice(self.seen)}
        yield from self.call("POST /products/{slug}/reviews", path=path, content=content)
        yield self.think(3, 15)

    def store_card(self) -> Steps[None]:
        card = self.values.card()
        reply = yield from self.call("POST /cards", content=json_content(self.card_body(card)))
        self.card, self.card_id = card, str(reply.need("id"))
        yield self.think(2, 10)
        yield from self.call("GET /cards")
        yield self.think(2, 8)

    def replace_card(self) -> Steps[None]:
        old = {"card_id": self.card_id}
        yield from self.store_card()
        yield from self.call("DELETE /cards/{card_id}", path=old)
        yield self.think(1, 5)

    def identify(self) -> Steps[None]:
        """Give the identity data that the payment provider demands, sometimes with a document."""
        person = self.person
        body = {"email": person.email, "phone": person.phone, "dob": person.dob, "ssn": person.ssn}
        reply = yield from self.call("PUT /accounts/me/kyc", content=json_content(body))
        reply.need("id")
        self.identified = True
        yield self.think(3, 15)
        if self.chance(0.4):
            yield from self.call("POST /support/attachments", content=self.document())
            yield self.think(2, 10)

    def document(self) -> Content:
        """A multipart upload with a text document that carries personal data itself."""
        person = self.person
        fields = {"note": self.rng.choice(self.world.texts.notes), "email": person.email, "ssn": person.ssn}
        statement = f"Statement of account\nname: {person.full_name}\niban: {person.iban}\n".encode()
        boundary = f"----form{self.rng.getrandbits(64):016x}"
        content = multipart_content(fields, [File("file", "statement.txt", "text/plain", statement)], boundary)
        inside = Plant(str(person.iban), person.iban.data_class, "request.multipart.file")
        return Content(content.data, content.media_type, (*content.plants, inside))

    def manage_account(self) -> Steps[None]:
        """Look at the profile, and change what is missing or old."""
        yield from self.call("GET /accounts/me")
        yield self.think(2, 10)
        if not self.identified and self.chance(0.7):
            yield from self.identify()
        elif self.chance(0.3):
            body = {"full_name": self.person.full_name, "phone": self.person.phone}
            yield from self.call("PATCH /accounts/me", content=json_content(body))
        elif self.chance(0.4):
            yield from self.call("GET /accounts/me/addresses")
        else:
            yield from self.call("POST /accounts/me/addresses", content=json_content(self.address_body()))
        yield self.think(2, 10)

    def shop(self) -> Steps[None]:
        """An ordinary shopping visit."""
        yield from self.browse()
        if self.chance(0.55):
            if not self.card and self.chance(0.6):
                yield from self.store_card()
            bought = yield from self.check_out()
            if bought and self.chance(0.5):
                yield from self.check_orders()
            if bought and self.orders and self.chance(0.05):
                yield from self.regret()
        if self.chance(0.3):
            yield from self.check_orders()
        if self.seen and self.orders and self.chance(0.2):
            yield from self.write_review()
        if self.chance(0.3):
            yield from self.manage_account()
        if self.card_id and self.chance(0.04):
            yield from self.replace_card()
