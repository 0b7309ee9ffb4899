"""A request as a client sends it, for both sides of the comparison."""

from __future__ import annotations

from dataclasses import dataclass

from apisec.model.transaction import Body, Client, Headers, Request, Response, Transaction

HOST = "shop.example"
_USUAL = (("Host", HOST), ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101"), ("Accept", "*/*"))


@dataclass(frozen=True)
class Sent:
    """``kind``: what it is counted under. ``title`` says which one it is."""

    kind: str
    title: str
    method: str
    target: str
    headers: Headers
    body: bytes = b""

    def transaction(self) -> Transaction:
        """Return it as a receiver saw it."""
        body = Body(self.body, len(self.body))
        host = next((value for name, value in self.headers if name.lower() == "host"), HOST)
        request = Request(self.method, self.target, self.headers, body, "https", host)
        return Transaction(self.title, 1_700_000_000.0, Client("192.0.2.1"), request, Response(200))


def complete(headers: Headers, body: bytes, media: str = "application/x-www-form-urlencoded") -> Headers:
    """Return the headers with those that every client sends, so that their absence tells neither side anything."""
    names = {name.lower() for name, _ in headers}
    more = [pair for pair in _USUAL if pair[0].lower() not in names]
    if body and "content-type" not in names:
        more.append(("Content-Type", media))
    if body and "content-length" not in names and "transfer-encoding" not in names:
        more.append(("Content-Length", str(len(body))))
    return (*more, *headers)
