"""A small company's logs, always the same: what searches of analysts run over, and what their oracles count in."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

START = 1_700_006_400  # 2023-11-15 00:00:00 UTC, a Wednesday
HOURS = 6
NOW = START + HOURS * 3600
USERS = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "svc_backup", "admin")
PAGES = ("/", "/cart", "/login", "/products/17", "/products/99", "/api/v1/orders", "/static/app.js", "/admin/users")
BROWSERS = ("Mozilla/5.0 (X11; Linux) Firefox/118.0", "Mozilla/5.0 (Macintosh) Safari/605.1", "curl/8.0.1")
SCANNER, GUESSER, INJECTOR, SPRAYER = "203.0.113.66", "198.51.100.7", "203.0.113.99", "198.51.100.200"


@dataclass
class Item:
    """An event: where it goes, its raw text, and the fields that searches should see in it."""

    time: int
    index: str
    sourcetype: str
    host: str
    raw: str
    data: dict[str, Any]
    indexed: dict[str, str] = field(default_factory=dict)


class World:
    def __init__(self) -> None:
        makers: tuple[Callable[[random.Random], Iterator[Item]], ...] = (web, auth, windows, dns, firewall, api)
        self.items = [item for seed, make in enumerate(makers) for item in make(random.Random(seed))]

    def of(self, index: str, sourcetype: str = "") -> list[dict[str, Any]]:
        """Fields of an index's events, newest first, as a search sees them."""
        found = [i for i in self.items if i.index == index and sourcetype in ("", i.sourcetype)]
        found.sort(key=lambda item: -item.time)
        return [{"_time": i.time, "host": i.host, "sourcetype": i.sourcetype, "_raw": i.raw, **i.data} for i in found]


def times(rng: random.Random, count: int, start: int = START, seconds: int = HOURS * 3600) -> list[int]:
    """Different seconds, so that newest first is one order."""
    return sorted(rng.sample(range(start, start + seconds), count))


def web(rng: random.Random) -> Iterator[Item]:
    free = times(rng, 620)
    rng.shuffle(free)
    for at in free[:420]:
        ip = f"10.1.{rng.randrange(3)}.{rng.randrange(2, 12)}"
        page = rng.choice(PAGES[:-1])
        status = rng.choices((200, 302, 404, 500), (80, 10, 7, 3))[0]
        yield request(
            at, ip, rng.choice(USERS[:8]), "GET", page, status, rng.randrange(200, 9000), rng.choice(BROWSERS)
        )
    for number, at in enumerate(free[420:500]):
        status = 200 if number % 20 == 0 else 404
        yield request(at, SCANNER, "-", "GET", f"/old/{number}.php", status, 150, "Nikto/2.5")
    for number, at in enumerate(sorted(free[500:560])):
        status = 200 if number == 58 else 401
        yield request(at, GUESSER, "-", "POST", "/login", status, 90, "python-requests/2.31")
    attacks = ("id=1' OR '1'='1", "q=<script>alert(1)</script>", "file=../../etc/passwd", "id=1 UNION SELECT pw FROM u")
    for number, at in enumerate(free[560:590]):
        text = attacks[number % len(attacks)]
        query = text.partition("=")[0] + "=" + quote(text.partition("=")[2], safe="")
        yield request(at, INJECTOR, "-", "GET", f"/products/17?{query}", 403 if number % 3 else 200, 321, "sqlmap/1.7")
    for at in free[590:600]:
        yield request(at, "10.1.9.9", "grace", "GET", "/admin/users", 200, 4_000_000 + rng.randrange(1000), BROWSERS[0])
    for at in free[600:]:
        yield request(at, "10.1.0.2", "alice", "GET", "/admin/users", 403, 77, BROWSERS[1])


def request(at: int, ip: str, user: str, method: str, uri: str, status: int, size: int, agent: str) -> Item:
    path, _, query = uri.partition("?")
    stamp = clock(at)
    raw = f'{ip} - {user} [{stamp}] "{method} {uri} HTTP/1.1" {status} {size} "https://shop.example/home" "{agent}"'
    data = {
        "clientip": ip, "user": user, "method": method, "uri": uri, "uri_path": path, "status": status,
        "bytes": size, "useragent": agent,
    }  # fmt: skip
    if query:
        data["uri_query"] = query
    return Item(at, "web", "access_combined", "web1" if at % 2 else "web2", raw, data, {"sc": str(status)})


def clock(at: int) -> str:
    seconds = at - START
    return f"15/Nov/2023:{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d} +0000"


def auth(rng: random.Random) -> Iterator[Item]:
    free = times(rng, 420)
    rng.shuffle(free)
    for at in free[:300]:
        user = rng.choice(USERS[:8])
        src = f"10.2.0.{USERS.index(user) + 10}" if rng.random() < 0.9 else f"192.0.2.{rng.randrange(1, 40)}"
        yield login(
            at, user, src, "success" if rng.random() < 0.85 else "failure", rng.choice(("vpn", "ssh", "portal"))
        )
    for number, at in enumerate(sorted(free[300:360])):
        yield login(at, "admin", "198.51.100.23", "success" if number == 59 else "failure", "ssh")
    for number, at in enumerate(free[360:400]):
        yield login(at, USERS[number % 8], SPRAYER, "failure", "portal")
    for at in free[400:]:
        yield login(at, "svc_backup", "10.2.0.250", "success", "ssh")


def login(at: int, user: str, src: str, action: str, app: str) -> Item:
    data = {"user": user, "src": src, "action": action, "app": app}
    reason = ' reason="bad password"' if action == "failure" else ""
    if reason:
        data["reason"] = "bad password"
    return Item(at, "auth", "acme:auth", "idp1", f"user={user} src={src} action={action} app={app}{reason}", data)


def windows(rng: random.Random) -> Iterator[Item]:
    for at in times(rng, 90):
        code = rng.choices((4624, 4625, 4688, 4720), (50, 20, 18, 2))[0]
        user, computer = rng.choice(USERS[:8]), rng.choice(("DC1", "WS7", "WS9"))
        data: dict[str, Any] = {"EventCode": code, "ComputerName": computer, "Account_Name": user}
        if code == 4688:
            data["Process"] = rng.choice(
                ("C:\\Windows\\explorer.exe", "C:\\Tools\\mimikatz.exe", "C:\\Windows\\System32\\whoami.exe")
            )
            if "whoami" in str(data["Process"]):
                data["Command"] = "powershell -enc " + ("A" * rng.randrange(10, 90))
        fields = "".join(
            f"<Data Name='{k}'>{v}</Data>" for k, v in data.items() if k not in ("EventCode", "ComputerName")
        )
        raw = (
            f"<Event><System><EventID>{code}</EventID><Computer>{computer}</Computer></System>"
            f"<EventData>{fields}</EventData></Event>"
        )
        yield Item(at, "win", "acme:winxml", computer, raw, data)


def dns(rng: random.Random) -> Iterator[Item]:
    names = ("shop.example", "mail.example", "cdn.example.net", "time.example.org")
    free = times(rng, 330)
    rng.shuffle(free)
    for at in free[:250]:
        yield lookup(
            at, f"10.1.0.{rng.randrange(2, 12)}", rng.choice(("www.", "api.", "")) + rng.choice(names), "A", rng
        )
    for at in free[250:310]:
        label = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=40))
        yield lookup(at, "10.1.0.5", f"{label}.t.evil.test", "TXT", rng)
    for at in free[310:]:
        yield lookup(at, "10.1.0.8", f"{rng.randrange(16**8):08x}.biz", "A", rng, "NXDOMAIN")


def lookup(at: int, src: str, query: str, kind: str, rng: random.Random, code: str = "NOERROR") -> Item:
    answers = [f"192.0.2.{rng.randrange(1, 5)}" for _ in range(rng.randrange(1, 4))] if code == "NOERROR" else []
    data: dict[str, Any] = {"src": src, "query": query, "record_type": kind, "reply_code": code, "answers{}": answers}
    raw = json.dumps({"src": src, "query": query, "record_type": kind, "reply_code": code, "answers": answers})
    return Item(at, "dns", "acme:dns", "ns1", raw, data)


def firewall(rng: random.Random) -> Iterator[Item]:
    free = times(rng, 500)
    rng.shuffle(free)
    for at in free[:300]:
        src, port = f"10.1.{rng.randrange(3)}.{rng.randrange(2, 12)}", rng.choice((80, 443, 443, 443, 53, 22))
        blocked = rng.random() < 0.1
        yield flow(at, src, f"93.184.216.{rng.randrange(1, 30)}", port, "blocked" if blocked else "allowed", rng)
    for number, at in enumerate(free[300:400]):
        yield flow(at, "10.1.2.200", "10.1.0.50", 1000 + number, "blocked" if number % 10 else "allowed", rng)
    for number in range(60):
        yield flow(START + 7 + 300 * number, "10.1.1.77", "203.0.113.250", 8443, "allowed", rng, 512)
    for at in free[480:]:
        yield flow(at, "10.1.1.5", "198.51.100.99", 443, "allowed", rng, 50_000_000)


def flow(at: int, src: str, dest: str, port: int, action: str, rng: random.Random, out: int = 0) -> Item:
    size = out or rng.randrange(100, 20_000)
    data = {"src_ip": src, "dest_ip": dest, "dest_port": port, "action": action, "bytes_out": size}
    raw = f"action={action} src_ip={src} dest_ip={dest} dest_port={port} bytes_out={size}"
    return Item(at, "fw", "acme:fw", "fw1", raw, data, {"act": action, "dport": str(port)})


def api(rng: random.Random) -> Iterator[Item]:
    operations = ("GET /orders/{order_id}", "GET /orders", "POST /checkout", "POST /payments", "GET /users/{user_id}")
    free = times(rng, 420)
    rng.shuffle(free)
    for number, at in enumerate(free):
        walker = number < 60
        operation = operations[0] if walker else rng.choice(operations)
        principal = "p-walker" if walker else f"p-{rng.randrange(12):02d}"
        status = rng.choices((200, 201, 403, 404, 500), (80, 8, 6, 4, 2))[0]
        ids = [str(1000 + number if walker else 1000 + rng.randrange(8))] if "{" in operation else []
        yield call(at, operation, principal, status, ids, rng)


def call(at: int, operation: str, principal: str, status: int, ids: list[str], rng: random.Random) -> Item:
    classes = rng.choices(([], ["email"], ["email", "card"]), (60, 30, 10))[0]
    data: dict[str, Any] = {
        "service": "pay" if operation == "POST /payments" else "shop",
        "operation": operation,
        "principal": principal,
        "status": status,
        "response_time": rng.randrange(5, 900),
        "src": f"192.0.2.{rng.randrange(1, 60)}",
    }
    if rng.random() < 0.5:
        data["session"] = f"s{rng.randrange(40)}"
    raw = json.dumps(
        {**data, "object_ids": ids, "data_classes": classes, "meta": {"gw": "eu1", "retry": status >= 500}}
    )
    seen = {**data, "object_ids{}": ids, "data_classes{}": classes, "meta.gw": "eu1"}
    return Item(at, "api", "acme:api", "gw1", raw, seen, {"op": operation, "who": principal})
