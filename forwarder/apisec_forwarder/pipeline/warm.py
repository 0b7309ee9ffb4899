"""What an engine reads before its first transaction, so that patterns are compiled and tables made by then.

Patterns are compiled when a text first meets them (``validators.lazy``). These texts meet what ordinary traffic meets;
what only rare texts need stays uncompiled, for its memory.
"""

from __future__ import annotations

import json
from typing import Any, Protocol

from apisec.model.transaction import Body, Client, Request, Response, Transaction

_JSON = ("content-type", "application/json")
_HEADERS = (
    ("host", "api.example"),
    ("authorization", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3IiwiZW1haWwiOiJhQGIuZXhhbXBsZSJ9." + "s" * 43),
    ("cookie", "session=0123456789abcdefABCDEF; theme=dark"),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
    ("x-request-id", "5f0c1c1e-0000-4000-8000-00000000000a"),
)
_DOCUMENT: dict[str, Any] = {
    "id": 1042,
    "orderNumber": "SO-2026-000017",
    "createdAt": "2026-01-05T12:00:00Z",
    "customer": {
        "firstName": "Ada",
        "lastName": "Lovelace",
        "email": "ada@mail.example",
        "phone": "+44 20 7946 0018",
        "birthDate": "1985-12-10",
        "nationalId": "AB123456C",
        "address": {"street": "12 Main Street", "postcode": "SW1A 1AA", "city": "London"},
        "location": {"latitude": 51.5074, "longitude": -0.1278},
    },
    "payment": {"cardNumber": "4111 1111 1111 1111", "expiry": "12/30", "cvv": "123", "iban": "GB82WEST12345698765432"},
    "owner": "Ada Lovelace",
    "password": "correct horse battery",
    "deviceId": "38400000-8cf0-11bd-b23e-10b96e40000d",
    "epoch": 1767614400123,
    "amount": 1234567890.25,
    "callback": "https://shop.example/orders/1042?state=YWRhQG1haWwuZXhhbXBsZQ==&page=2",
    "note": "Please call Ada Lovelace at +1 212-555-0187 or at ada@mail.example; card 4111111111111111, PIN is 4821",
    "error": "login failed: user=ada password=hunter2x at 192.0.2.17, passport no. 123456789, it's <b>1</b> OR 1=1",
    "payload": '{"inner": "name=Ada+Lovelace&phone=%2B44+20+7946+0018"}',
}


class _Reads(Protocol):
    lanes: dict[str, int]
    last_coverage: str
    last_blocked: bool

    def record(self, transaction: Transaction) -> bytes: ...


def warm(engine: _Reads) -> None:
    """Have an engine read made-up transactions; nothing of them is kept or counted."""
    data = json.dumps({**_DOCUMENT, "items": [_DOCUMENT, _DOCUMENT["customer"]]}).encode()
    body = Body(data, len(data))
    target = "/orders/1042?email=ada%40mail.example&page=2&q=blue+shirt"
    response = Response(200, (_JSON, ("set-cookie", "session=0123456789abcdefABCDEF")), body)
    for request in (
        Request("POST", target, (*_HEADERS, _JSON), body, "https", "api.example"),
        Request("GET", target, _HEADERS, Body(), "https", "api.example"),
    ):
        engine.record(Transaction("warm", 0.0, Client("192.0.2.1", 40000), request, response, 1.0))
    engine.lanes.update(dict.fromkeys(engine.lanes, 0))
    engine.last_coverage, engine.last_blocked = "", False
