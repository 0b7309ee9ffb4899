"""How fast the pipeline is: microseconds a transaction and transactions a second, beside what nobody can do without.

    python -m benchmarks.pipeline [--count 1000] [--traffic uniform|varied] [--engine native|pure] [--profile] [--json]

Synthetic transactions of 4.7 KB mean (request and response bodies), 30 % with personal data. *uniform*: one operation,
as a shop's list of items. *varied*: 40 operations of random schemas, with optional members, arrays, forms and queries.
The floor is made of the same bytes in the same run: validate (simdjson), one hyperscan scan of six coarse patterns, one
orjson dump of the bodies as strings, gzip (isal, level 1) in batches of 0.94 MB. Processor time, not wall time; the
pipeline's figure has the same gzip in it. Each transaction is new to the engine: none is measured twice.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson

from apisec.model.transaction import Body, Client, Request, Response, Transaction
from apisec.redaction.keys import KeyRing, Tokenizer
from apisec_forwarder import keys
from apisec_forwarder.pipeline import Engine, PipelineSettings, Service, engine

PERSONAL = 0.3  # share of transactions with personal data
BATCH_BYTES = 940_000
OPERATIONS = 40
REUSE = 20  # requests that a user sends with one token
WORDS = ("blue", "shirt", "cotton", "large", "order", "shipped", "standard", "parcel", "carrier", "express", "gift")
NOUNS = ("order", "cart", "parcel", "offer", "review", "stock", "invoice", "store", "campaign", "return")
MEMBERS = ("state", "count", "total", "createdAt", "sku", "uuid", "title", "active", "price", "tags", "link", "note")
COARSE = (
    rb"[0-9]{12}",
    rb"[0-9]{3}-[0-9]{2}-[0-9]{4}",
    rb"@[a-z0-9]",
    rb"ey[A-Za-z0-9_-]{8}",
    rb"[A-Z]{2}[0-9]{2}[A-Z0-9]{11}",
    rb"%[0-9A-F]{2}",
)


def person(rng: random.Random) -> dict[str, object]:
    """Return a record as a customer service would send it."""
    name = f"{rng.choice(WORDS)}{rng.randrange(100_000)}"
    return {
        "firstName": name.title(),
        "email": f"{name}@mail.example.com",
        "phone": f"+1 212-555-{rng.randrange(10000):04d}",
        "card": {"number": "4111111111111111", "expiry": "12/29"},
        "address": {"street": f"{rng.randrange(999)} Main St", "city": "Springfield"},
    }


def item(rng: random.Random) -> dict[str, object]:
    """Return an order's line: the ordinary stuff that most traffic is made of."""
    return {
        "id": rng.randrange(10**6),
        "sku": f"SKU-{rng.randrange(10**5)}",
        "uuid": f"{rng.getrandbits(128):032x}",
        "title": " ".join(rng.choices(WORDS, k=6)),
        "price": {"amount": rng.randrange(10000) / 100, "currency": "EUR"},
        "inStock": rng.random() < 0.8,
        "updatedAt": f"2026-01-{rng.randrange(1, 29):02d}T12:00:00Z",
        "links": {"self": f"/items/{rng.randrange(10**6)}", "image": f"https://img.example/{rng.randrange(10**6)}.png"},
    }


def value(member: str, rng: random.Random) -> object:
    """Return a value as members of that name have."""
    made: dict[str, Any] = {
        "state": lambda: rng.choice(("OPEN", "CLOSED", "PENDING", None)),
        "count": lambda: rng.randrange(1000),
        "total": lambda: rng.randrange(10**5) / 100,
        "createdAt": lambda: f"2026-0{rng.randrange(1, 9)}-{rng.randrange(10, 28)}T0{rng.randrange(9)}:12:00.000Z",
        "sku": lambda: f"{rng.choice('ABCDEF')}{rng.randrange(10**4)}",
        "uuid": lambda: f"{rng.getrandbits(32):08x}-{rng.getrandbits(16):04x}-4000-8000-{rng.getrandbits(48):012x}",
        "title": lambda: " ".join(rng.choices(WORDS, k=rng.randrange(2, 9))),
        "active": lambda: rng.random() < 0.5,
        "price": lambda: {"amount": rng.randrange(10**4), "currency": rng.choice(("EUR", "USD"))},
        "tags": lambda: rng.choices(WORDS, k=rng.randrange(4)),
        "link": lambda: f"https://api.example/v2/{rng.choice(NOUNS)}/{rng.randrange(10**5)}",
        "note": lambda: "It's " + " ".join(rng.choices(WORDS, k=5)) + rng.choice((".", "!", " & more", "\nthanks")),
    }
    return made[member]()


def schemas(rng: random.Random) -> list[tuple[str, list[tuple[str, str, float]]]]:
    """Return operations: a path, and its item's members with their names and how often they are there."""
    found = []
    for number in range(OPERATIONS):
        noun = rng.choice(NOUNS)
        picked = rng.sample(MEMBERS, rng.randrange(5, 11))
        members = [(f"{noun}{m.title()}" if rng.random() < 0.5 else m, m, rng.choice((1, 1, 0.8, 0.4))) for m in picked]
        found.append((f"/v{rng.randrange(1, 4)}/{noun}s-{number}", members))
    return found


def varied(number: int, rng: random.Random, operations: list[Any]) -> tuple[str, str, bytes, dict[str, Any]]:
    """Return target, media type, sent body and answer of one of many operations."""
    path, members = rng.choice(operations)
    rows = [
        {"id": rng.randrange(10**5), **{name: value(m, rng) for name, m, often in members if rng.random() < often}}
        for _ in range(max(1, int(rng.gauss(21, 9))))
    ]
    body: dict[str, Any] = {"results": rows, "page": {"size": len(rows), "next": None}}
    target = f"{path}/{rng.randrange(10**5)}" if rng.random() < 0.5 else path
    target += f"?limit={rng.randrange(99)}&q={rng.choice(WORDS)}+{rng.choice(WORDS)}" if rng.random() < 0.5 else ""
    if rng.random() < 0.3:
        return target, "application/x-www-form-urlencoded", f"ref={number}&note={rng.choice(WORDS)}".encode(), body
    return target, "application/json", json.dumps({"ids": [r["id"] for r in rows[:3]], "dry": False}).encode(), body


def transaction(number: int, rng: random.Random, operations: list[Any] | None = None) -> Transaction:
    """Return one transaction; sizes vary around the mean."""
    if operations:
        target, kind, sent, body = varied(number, rng, operations)
    else:
        items = [item(rng) for _ in range(max(1, int(rng.gauss(15, 4))))]
        body = {"page": 1, "total": len(items), "items": items}
        kind = "application/json"
        lines = [{"id": i["id"], "qty": 1} for i in items[:3]]
        sent = json.dumps({"cartId": rng.randrange(10**6), "lines": lines}).encode()
        target = f"/v1/customers/{number % 500}/orders/{rng.randrange(10**6)}?expand=items&page=1"
    if rng.random() < PERSONAL:
        body["customer"] = person(rng)
    out = json.dumps(body).encode()
    user = number // REUSE
    claims = base64.urlsafe_b64encode(json.dumps({"sub": f"u{user % 500}", "jti": str(user)}).encode()).decode()
    headers = (
        ("content-type", kind),
        ("authorization", f"Bearer eyJhbGciOiJIUzI1NiJ9.{claims.rstrip('=')}.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
        ("accept", "application/json"),
        ("x-request-id", f"{rng.getrandbits(128):032x}"),
    )
    request = Request("POST", target, headers, Body(sent, len(sent)), "https", "shop.example")
    answer = Response(200, (("content-type", "application/json"),), Body(out, len(out)))
    name = f"{number:08x}-0000-4000-8000-{rng.getrandbits(48):012x}"  # as proxies name requests
    return Transaction(name, 1767225600.0 + number, Client("192.0.2.10", 40000), request, answer, 12.5)


class Floor:
    """What nobody can do without, in microseconds a transaction by stage."""

    def __init__(self) -> None:
        import hyperscan
        import simdjson

        self._parser = simdjson.Parser()
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        flags = [hyperscan.HS_FLAG_SINGLEMATCH] * len(COARSE)
        ids = list(range(len(COARSE)))
        self._database.compile(expressions=list(COARSE), ids=ids, elements=len(COARSE), flags=flags)
        self._database.scratch = hyperscan.Scratch(self._database)

    def measure(self, transactions: list[Transaction]) -> dict[str, float]:
        """Return the stages' microseconds a transaction."""
        bodies = [body for one in transactions for body in bodies_of(one) if body[:1] in b"{["]
        texts = [body.decode() for body in bodies]
        count = len(transactions)
        stages = {
            "validate": cost(lambda: self._validate(bodies)),
            "scan": cost(lambda: self._scan(bodies)),
            "serialise": cost(lambda: [orjson.dumps(text) for text in texts]),
            "gzip": cost(lambda: packed([orjson.dumps(text) for text in texts])),
        }
        stages["gzip"] -= stages["serialise"]
        return {name: seconds / count * 1e6 for name, seconds in stages.items()}

    def _scan(self, bodies: list[bytes]) -> None:
        for body in bodies:
            self._database.scan(body, match_event_handler=ignore)

    def _validate(self, bodies: list[bytes]) -> None:
        for body in bodies:
            self._parser.parse(body)


def ignore(*_: Any) -> None:
    """Take a match."""


def bodies_of(one: Transaction) -> list[bytes]:
    return [one.request.body.data, one.response.body.data if one.response else b""]


def cost(work: Any) -> float:
    """Return processor seconds of a call."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def packed(records: list[bytes]) -> int:
    """Return the size of records as gzip'd batches."""
    import isal.igzip

    size = start = total = 0
    for index, record in enumerate(records):
        size += len(record)
        if size >= BATCH_BYTES or index == len(records) - 1:
            total += len(isal.igzip.compress(b"\n".join(records[start : index + 1]), 1))
            start, size = index + 1, 0
    return total


def resident() -> float:
    """Return this process's resident memory in MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 2**20


def made(kind: str) -> Engine:
    """Return an engine."""
    settings = PipelineSettings("bench", "DEV", (Service("shop", "commerce", ("shop.example",)),))
    kept = Path(tempfile.gettempdir()) / f"apisec-engine-{os.geteuid()}"  # compiled patterns
    return engine(settings, Tokenizer(KeyRing.parse(keys.generate())), kind, cache=kept)


def measure(kind: str, traffic: str, count: int, rounds: int) -> dict[str, Any]:
    """Return what one engine does with one kind of traffic, and the floor of the same bytes."""
    rng = random.Random(7)
    operations = schemas(rng) if traffic == "varied" else None
    one, floor = made(kind), Floor()
    for number in range(count // 2):
        one.record(transaction(number, rng, operations))
    taken, floors, sizes = [], [], []
    records: list[bytes] = []
    for turn in range(1, rounds + 1):
        some = [transaction(turn * 10**6 + number, rng, operations) for number in range(count)]
        sizes += [len(body) for single in some for body in bodies_of(single)]
        records = []
        seconds = cost(lambda: records.extend([one.record(single) for single in some]))  # noqa: B023
        taken.append((seconds, cost(lambda: packed(records))))  # noqa: B023
        floors.append(floor.measure(some))
    make = statistics.median(a for a, _ in taken) / count * 1e6
    gzip = statistics.median(b for _, b in taken) / count * 1e6
    stages = {name: statistics.median(f[name] for f in floors) for name in floors[0]}
    lowest = sum(stages.values())
    return {
        "engine": one.name,
        "traffic": traffic,
        "mean_bytes": round(2 * statistics.mean(sizes)),
        "us_make": round(make, 1),
        "us_gzip": round(gzip, 1),
        "us": round(make + gzip, 1),
        "per_second": round(1e6 / (make + gzip)),
        "floor_us": {name: round(us, 1) for name, us in stages.items()},
        "floor": round(lowest, 1),
        "ratio": round((make + gzip) / lowest, 2),
        "event_bytes": round(statistics.mean(map(len, records))),
        "lanes": dict(one.lanes),
        "resident_mib": round(resident(), 1),
    }


def profile(kind: str, traffic: str, count: int) -> dict[str, float]:
    """Return where the time goes: microseconds a transaction by stage of the native engine, with the clock's own."""
    from benchmarks.stages import measured

    rng = random.Random(7)
    operations = schemas(rng) if traffic == "varied" else None
    one = made(kind)
    for number in range(count):
        one.record(transaction(number, rng, operations))
    some = [transaction(10**6 + number, rng, operations) for number in range(count)]
    with measured() as spent:
        for single in some:
            one.record(single)
    return {stage: seconds / count * 1e6 for stage, seconds in sorted(spent.items(), key=lambda pair: -pair[1])}


def memory(count: int) -> float:
    """Return the resident MiB of a process that has made so many varied events, none of them kept."""
    rng = random.Random(11)
    operations, one = schemas(rng), made("native")
    for number in range(count):
        one.record(transaction(number, rng, operations))
    return resident()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000, help="transactions a round (default 1000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds; the median counts (default 5)")
    parser.add_argument("--traffic", choices=("uniform", "varied"), action="append")
    parser.add_argument("--engine", choices=("native", "pure"), action="append")
    parser.add_argument("--memory", type=int, metavar="COUNT", help="resident memory after COUNT transactions")
    parser.add_argument("--profile", action="store_true", help="microseconds of each stage of the native engine")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    args = parser.parse_args()
    if args.memory:
        print(json.dumps({"transactions": args.memory, "resident_mib": round(memory(args.memory), 1)}))
        return
    if not args.json and not args.profile:
        print("engine  traffic        us    make   gzip   floor  ratio  a second    MiB")
    for traffic in args.traffic or ("uniform", "varied"):
        for kind in args.engine or ("native", "pure"):
            if args.profile:
                if kind == "native":
                    print(
                        traffic,
                        *[f"{stage} {us:.1f}" for stage, us in profile(kind, traffic, args.count).items()],
                        sep="\n  ",
                    )
                continue
            count = args.count if kind == "native" else max(50, args.count // 10)
            found = measure(kind, traffic, count, args.rounds)
            if args.json:
                print(json.dumps(found))
            else:
                print(
                    f"{kind:8}{traffic:9}{found['us']:8}{found['us_make']:8}{found['us_gzip']:7}{found['floor']:8}"
                    f"{found['ratio']:7}{found['per_second']:10}{found['resident_mib']:7}   {found['lanes']}"
                )


if __name__ == "__main__":
    main()
