"""The sample shop: it is what its document says, weak where the docs say so, and bounded everywhere."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from apisec_sandbox.sample_api import tokens
from apisec_sandbox.sample_api.app import OPERATIONS, create_app, load_document
from apisec_sandbox.sample_api.credentials import (
    ADMIN,
    CLERKS,
    LEGACY_PASSWORD,
    LEGACY_USER,
    PARTNER_KEYS,
    SHADOW_OPERATIONS,
    ZOMBIE_OPERATIONS,
)
from apisec_sandbox.sample_api.loopback import is_loopback
from apisec_sandbox.sample_api.messages import MAX_BODY_BYTES
from apisec_sandbox.sample_api.model import FIRST_ORDER, Table

JSON = "application/json"
METHODS = {"get", "put", "post", "delete", "patch"}
CARD = {"holder": "A B", "number": "4539 1488 0343 6467", "expiry": "05/29", "cvv": "123"}
ADDRESS = {"recipient": "A B", "street": "1 Mill Lane", "city": "Leeds", "postcode": "10001", "country": "GB"}


@dataclass
class Client:
    """A synchronous client of an application in this process."""

    seed: int = 1
    id_style: str = "numeric"
    now: float = 1_700_000_000.0
    headers: dict[str, str] = field(default_factory=dict)
    release_file: Path | None = None

    def __post_init__(self) -> None:
        self.app = create_app(self.seed, clock=lambda: self.now, id_style=self.id_style, release_file=self.release_file)

    def __call__(self, method: str, path: str, *, headers: Mapping[str, str] = {}, **content: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
                return await client.request(method, path, headers={**self.headers, **headers}, **content)

        return asyncio.run(ask())

    def log_in(self, email: str = "a@example.com", password: str = "pass word") -> dict[str, Any]:
        self("POST", "/auth/register", json={"email": email, "password": password, "full_name": "A B"})
        grant: dict[str, Any] = self("POST", "/auth/login", json={"email": email, "password": password}).json()
        self.headers["authorization"] = f"Bearer {grant['access_token']}"
        return grant

    def checkout(self) -> str:
        cart = self("POST", "/carts").json()["id"]
        slug = self("GET", "/products").json()["products"][0]["slug"]
        assert self("POST", f"/carts/{cart}/items", json={"slug": slug}).status_code == 201
        return str(self("POST", "/checkout/start", json={"cart_id": cart}).json()["id"])


@pytest.fixture
def shop() -> Client:
    return Client()


def documented() -> set[str]:
    paths = load_document()["paths"]
    return {f"{method.upper()} {path}" for path, item in paths.items() for method in item if method in METHODS}


def test_document_and_routes_differ_only_where_they_should() -> None:
    served = {f"{method} {path}" for method, path, _ in OPERATIONS} | {"GET /products/search"}
    assert served - documented() == set(SHADOW_OPERATIONS)
    assert documented() - served == set(ZOMBIE_OPERATIONS)


def test_document_is_whole() -> None:
    """Every reference resolves, every operation has its own id, every path parameter is declared."""
    document = load_document()

    def resolve(node: Any) -> Any:
        while isinstance(node, dict) and "$ref" in node:
            target: Any = document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            node = target
        return node

    def walk(node: Any) -> Iterator[dict[str, Any]]:
        if isinstance(node, dict):
            yield node
        for member in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            yield from walk(member)

    assert all(resolve(node) is not None for node in walk(document))
    operations = [
        (path, item, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]
    identities = [operation["operationId"] for _, _, operation in operations]
    assert len(identities) == len(set(identities)) == len(documented())
    for path, item, operation in operations:
        parameters = [resolve(each) for each in (*item.get("parameters", ()), *operation.get("parameters", ()))]
        declared = {each["name"] for each in parameters if each["in"] == "path"}
        assert declared == {part[1:-1] for part in path.split("/") if part.startswith("{")}, path


def test_document_is_served_and_the_zombie_is_gone(shop: Client) -> None:
    assert shop("GET", "/openapi.json").json() == load_document()
    for operation in ZOMBIE_OPERATIONS:
        method, _, path = operation.partition(" ")
        assert shop(method, path.replace("{code}", "1")).status_code == 404


# Weaknesses, as docs/sample-api.md lists them


def test_any_customer_reads_any_order(shop: Client) -> None:
    assert shop("GET", f"/orders/{FIRST_ORDER}").status_code == 401
    shop.log_in()
    order = shop("GET", f"/orders/{FIRST_ORDER}").json()
    assert order["id"] == str(FIRST_ORDER)
    assert order["customer"]["email"] != "a@example.com"
    assert shop("GET", f"/orders/{FIRST_ORDER}/invoice").headers["content-type"].startswith("application/xml")


def test_confirm_does_not_ask_for_payment(shop: Client) -> None:
    shop.log_in()
    checkout = shop.checkout()
    order = shop("POST", f"/checkout/{checkout}/confirm")
    assert (order.status_code, order.json()["paid"]) == (201, False)
    assert shop("POST", f"/checkout/{checkout}/confirm").status_code == 409


def test_whole_checkout(shop: Client) -> None:
    shop.log_in()
    checkout = shop.checkout()
    assert shop("POST", f"/checkout/{checkout}/address", json=ADDRESS).json()["address"]["city"] == "Leeds"
    statuses = [shop("POST", f"/checkout/{checkout}/payment", json=CARD).status_code for _ in range(4)]
    paid = statuses.index(200)
    assert set(statuses[:paid]) <= {402}
    assert set(statuses[paid + 1 :]) <= {409}
    order = shop("POST", f"/checkout/{checkout}/confirm").json()
    assert (order["paid"], order["card_last4"]) == (True, "6467")
    assert [each["id"] for each in shop("GET", "/orders").json()["orders"]] == [order["id"]]
    form = {"reason": "late", "iban": "DE89 3704 0044 0532 0130 00"}
    assert shop("POST", f"/orders/{order['id']}/refund", data=form).json()["iban"] == form["iban"]
    assert shop("POST", f"/orders/{order['id']}/cancel").status_code == 409


def test_search_is_injectable_and_ordinary_apostrophes_are_not_errors(shop: Client) -> None:
    ordinary = shop("GET", "/products/search", params={"q": "select tea from the shop's union"})
    assert (ordinary.status_code, ordinary.json()["results"]) == (200, [])
    everything = shop("GET", "/products/search", params={"q": "zzz' OR 1=1 --"}).json()
    assert everything["total"] == 40
    union = "zzz' UNION SELECT email, ssn, full_name, 1 FROM customers --"
    leaked = shop("GET", "/products/search", params={"q": union}).json()["results"]
    assert any("@customers.example" in row["slug"] for row in leaked)
    html = shop("GET", "/products/search", params={"q": "<script>1</script>"}, headers={"accept": "text/html"}).text
    assert "<script>1</script>" in html


@pytest.mark.parametrize(
    "hostile",
    [
        "x'; DROP TABLE products; --",
        "x' UNION SELECT name, sql, 1, 1 FROM sqlite_master --",
        "x' UNION SELECT load_extension('x'), 1, 1, 1 --",
        "x' UNION SELECT hex(randomblob(100000000)), 1, 1, 1 --",
        "x' UNION WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n), 1, 1, 1 FROM c --",
        "x' UNION SELECT a.email, b.email, c.email, d.email FROM customers a, customers b, customers c, customers d --",
        "x\0'",
        "%" * 500,
    ],
)
def test_the_injectable_database_is_fenced(shop: Client, hostile: str) -> None:
    began = time.process_time()
    answer = shop("GET", "/products/search", params={"q": hostile})
    assert answer.status_code == 200
    assert time.process_time() - began < 2
    assert shop("GET", "/products/search", params={"q": "tea"}).json()["total"] > 3
    if "sqlite_master" not in hostile:
        assert len(answer.content) < 50_000


@pytest.mark.parametrize(
    ("path", "clue"),
    [("/products?sort=password", "KeyError"), (f"/orders/{FIRST_ORDER}/invoice?template=../../x", "/srv/shop")],
)
def test_crashes_show_a_stack_trace(shop: Client, path: str, clue: str) -> None:
    shop.log_in()
    answer = shop("GET", path)
    assert answer.status_code == 500
    assert clue in answer.json()["error"]["message"]
    assert "Traceback" in answer.json()["error"]["trace"]


def test_a_mail_address_of_the_shop_is_staff(shop: Client) -> None:
    shop.log_in()
    assert shop("GET", "/admin/users").status_code == 403
    shop.log_in("mallory@shop.example")
    assert shop("GET", "/admin/users").json()["users"][0]["role"] in ("clerk", "admin")
    assert "ssn" in shop("GET", "/admin/export").text.splitlines()[0]


def test_profile_shows_the_ssn(shop: Client) -> None:
    shop.log_in()
    body = {"email": "a@example.com", "phone": "+1 202 555 0101", "dob": "1980-01-02", "ssn": "123-45-6789"}
    assert shop("PUT", "/accounts/me/kyc", json=body).status_code == 200
    assert shop("GET", "/accounts/me").json()["ssn"] == "123-45-6789"
    shop.log_in(CLERKS[0].email, CLERKS[0].password)
    for path in ("/support/customers/a@example.com", "/support/customers?ssn=123456789"):
        assert shop("GET", path).json()["email"] == "a@example.com"


# Everything else is checked


@pytest.mark.parametrize(
    ("status", "method", "path", "content"),
    [
        (400, "POST", "/auth/login", {"content": b"{", "headers": {"content-type": "application/json"}}),
        (400, "POST", "/auth/login", {"json": [1]}),
        (415, "POST", "/auth/login", {"content": b"a=b"}),
        (422, "POST", "/auth/login", {"json": {"email": "a@example.com"}}),
        (401, "POST", "/auth/login", {"json": {"email": "a@example.com", "password": "wrong"}}),
        (401, "POST", "/auth/refresh", {"json": {"refresh_token": "rt_0"}}),
        (401, "GET", "/cards", {"headers": {"authorization": "Bearer a.b.c"}}),
        (401, "GET", "/legacy/report", {"headers": {"authorization": "Basic !"}}),
        (401, "GET", "/partner/orders", {"headers": {"x-api-key": "ü".encode()}}),
        (401, "POST", "/webhooks/payments", {"content": b"{}"}),
        (403, "GET", "/admin/users", {}),
        (404, "GET", "/nowhere", {}),
        (404, "GET", "/products/none", {}),
        (404, "GET", "/carts/none", {}),
        (405, "DELETE", "/products", {}),
        (409, "POST", "/auth/register", {"json": {"email": "a@example.com", "password": "x", "full_name": "y"}}),
        (413, "POST", "/cards", {"content": b" " * (MAX_BODY_BYTES + 1), "headers": {"content-type": JSON}}),
        (422, "POST", "/cards", {"json": {**CARD, "number": "4539 1488 0343 6468"}}),
        (422, "POST", "/cards", {"json": {**CARD, "expiry": "soon"}}),
        (422, "GET", "/products?page=0", {}),
        (422, "GET", "/products?page=1e3", {}),
        (400, "POST", "/support/attachments", {"content": b"x", "headers": {"content-type": "multipart/form-data"}}),
    ],
)  # fmt: skip
def test_errors(shop: Client, status: int, method: str, path: str, content: dict[str, Any]) -> None:
    shop.log_in()
    answer = shop(method, path, **content)
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    assert answer.json()["error"]["code"]


@pytest.mark.parametrize(
    "body",
    [
        b"<a>",
        b'<!DOCTYPE a [<!ENTITY e "x">]><a><OrderId>&e;</OrderId></a>',
        b"<a>" * 30 + b"</a>" * 30,
        b"<a>" + b"<b/>" * 600 + b"</a>",
    ],
)
def test_hostile_xml_is_refused(shop: Client, body: bytes) -> None:
    headers = {"x-api-key": next(iter(PARTNER_KEYS)), "content-type": "application/xml"}
    answer = shop("POST", "/partner/invoices", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_xml")


def test_xml_multipart_and_basic(shop: Client) -> None:
    key = {"x-api-key": next(iter(PARTNER_KEYS))}
    bill = (
        f"<b:Bill xmlns:b='u'><b:OrderId>{FIRST_ORDER}</b:OrderId><b:Iban>DE1</b:Iban><b:Amount>3</b:Amount></b:Bill>"
    )
    answer = shop("POST", "/partner/invoices", content=bill, headers={**key, "content-type": "application/xml"})
    assert (answer.status_code, "<Status>accepted</Status>" in answer.text) == (202, True)
    assert shop("GET", "/legacy/report", auth=(LEGACY_USER, LEGACY_PASSWORD)).text.startswith(
        "order;status;total;card\n"
    )
    shop.log_in()
    stored = shop("POST", "/support/attachments", files={"file": ("a.bin", b"\x00\xff\r\n--x", "image/png")})
    assert stored.json()["files"][0]["bytes"] == 7


def test_tokens_expire_and_renew(shop: Client) -> None:
    grant = shop.log_in()
    assert shop("GET", "/accounts/me").status_code == 200
    shop.now += grant["expires_in"]
    assert shop("GET", "/accounts/me").json()["error"]["message"] == "token expired"
    renewed = shop("POST", "/auth/refresh", json={"refresh_token": grant["refresh_token"]}).json()
    shop.headers["authorization"] = f"Bearer {renewed['access_token']}"
    assert shop("GET", "/accounts/me").status_code == 200
    assert shop("POST", "/auth/refresh", json={"refresh_token": grant["refresh_token"]}).status_code == 401
    assert shop("POST", "/auth/logout").status_code == 204
    assert shop("GET", "/accounts/me").status_code == 401


@pytest.mark.parametrize(
    "forge",
    [
        lambda token: token[:-3] + ("AAA" if token[-3:] != "AAA" else "BBB"),
        lambda token: token.replace(".", "", 1),
        lambda token: "eyJhbGciOiJub25lIn0." + token.split(".")[1] + ".",
        lambda token: token + "." + token,
        lambda token: "x" * 5000,
        lambda token: "W10.W10.W10",
    ],
)
def test_forged_tokens_are_refused(forge: Callable[[str], str]) -> None:
    token = tokens.sign({"sub": "1", "exp": 100}, b"secret")
    assert tokens.verify(token, b"secret", 99)["sub"] == "1"
    with pytest.raises(tokens.TokenError):
        tokens.verify(forge(token), b"secret", 99)
    with pytest.raises(tokens.TokenError):
        tokens.verify(token, b"other", 99)


def test_gzip_only_when_accepted_and_always_the_same_bytes(shop: Client) -> None:
    plain = shop("GET", "/products", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    packed = shop("GET", "/products", headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content) / 2 < 10_000
    assert "content-encoding" not in shop("GET", "/health", headers={"accept-encoding": "gzip"}).headers


@pytest.mark.parametrize("id_style", ["numeric", "prefixed", "uuid"])
def test_seed_and_id_style_select_the_data(id_style: str) -> None:
    def orders(seed: int) -> list[dict[str, Any]]:
        client = Client(seed, id_style, headers={"x-api-key": next(iter(PARTNER_KEYS))})
        found: list[dict[str, Any]] = client("GET", "/partner/orders").json()["orders"]
        return found

    assert orders(1) == orders(1)
    assert orders(1) != orders(2)
    identity = orders(1)[0]["id"]
    assert {"numeric": identity.isdigit(), "prefixed": identity.startswith("SO-"), "uuid": len(identity) == 36}[
        id_style
    ]


def test_tables_are_bounded() -> None:
    table: Table[int] = Table(3)
    for number in range(10):
        table.put(str(number), number)
    assert list(table) == [7, 8, 9]


def test_loopback() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.9.8.7", "::1", "[::1]", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "10.0.0.1", "example.com", "", "127.0.0.1.example.com")))


def test_staff_can_log_in(shop: Client) -> None:
    for staff in (*CLERKS, ADMIN):
        shop.log_in(staff.email, staff.password)
        assert shop("GET", "/accounts/me").json()["role"] == staff.role


def test_command_serves_until_told_to_stop(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "apisec_sandbox", "sample-api", "--port", "0", "--ready-file", str(ready)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        try:
            deadline = time.monotonic() + 20
            while not ready.exists() and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
            facts = json.loads(ready.read_text())
            assert httpx.get(facts["url"] + "/health").json()["status"] == "ok"
            assert Path(facts["openapi"]).exists()
            assert facts["pid"] == process.pid
        finally:
            os.kill(process.pid, signal.SIGTERM)
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode in (0, -signal.SIGTERM)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [(["--host", "0.0.0.0"], 2, "not a loopback"), (["--token-seconds", "0"], 2, "--token-seconds")],
)
def test_command_refuses(arguments: list[str], code: int, message: str) -> None:
    command = [sys.executable, "-m", "apisec_sandbox", "sample-api", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (done.returncode, message in done.stderr) == (code, True)


def test_the_next_release_tells_who_ordered(tmp_path: Path) -> None:
    shop = Client(release_file=tmp_path / "released")
    token = shop.log_in()["access_token"]
    asked = {"authorization": f"Bearer {token}"}
    assert shop("GET", "/orders", headers=asked).json() == {"orders": [], "total": 0}
    (tmp_path / "released").touch()
    number = shop("GET", "/orders", headers=asked).json()["customer"]["ssn"]
    assert re.fullmatch(r"[1-6]\d\d-\d\d-\d{4}", number)
    assert shop("GET", "/orders", headers=asked).json()["customer"]["ssn"] == number
