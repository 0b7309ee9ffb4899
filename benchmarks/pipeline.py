"""How fast the pipeline is: transactions a second, and as a multiple of json loads + dumps of the same bodies.

    python benchmarks/pipeline.py [--count 2000] [--profile]

Synthetic transactions of 4.7 KB mean (request and response bodies), 30 % with personal data. Both figures come
from one process and one run, so that their ratio holds on any machine. Processor time, not wall time.
"""

from __future__ import annotations

import argparse
import base64
import cProfile
import json
import pstats
import random
import statistics
import time

from apisec.model.transaction import Body, Client, Request, Response, Transaction
from apisec.redaction.keys import KeyRing, Tokenizer
from apisec_forwarder import keys
from apisec_forwarder.pipeline import Pipeline, PipelineSettings, Service

PERSONAL = 0.3  # share of transactions with personal data
WORDS = ("blue", "shirt", "cotton", "large", "order", "shipped", "standard", "parcel", "carrier", "express", "gift")


def person(rng: random.Random) -> dict[str, object]:
    """Return a record as a customer service would send it."""
    name = f"{rng.choice(WORDS)}{rng.randrange(1000)}"
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


def transaction(number: int, rng: random.Random) -> Transaction:
    """Return one transaction; sizes vary around the mean."""
    items = [item(rng) for _ in range(max(1, int(rng.gauss(15, 4))))]
    body: dict[str, object] = {"page": 1, "total": len(items), "items": items}
    if rng.random() < PERSONAL:
        body["customer"] = person(rng)
    out = json.dumps(body).encode()
    sent = json.dumps(
        {"cartId": rng.randrange(10**6), "lines": [{"id": i["id"], "qty": 1} for i in items[:3]]}
    ).encode()
    claims = base64.urlsafe_b64encode(json.dumps({"sub": f"u{number % 500}", "jti": str(number)}).encode()).decode()
    headers = (
        ("content-type", "application/json"),
        ("authorization", f"Bearer eyJhbGciOiJIUzI1NiJ9.{claims.rstrip('=')}.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
        ("accept", "application/json"),
        ("x-request-id", f"{rng.getrandbits(128):032x}"),
    )
    target = f"/v1/customers/{number % 500}/orders/{rng.randrange(10**6)}?expand=items&page=1"
    request = Request("POST", target, headers, Body(sent, len(sent)), "https", "shop.example")
    answer = Response(200, (("content-type", "application/json"),), Body(out, len(out)))
    return Transaction(f"t{number}", 1767225600.0 + number, Client("192.0.2.10", 40000), request, answer, 12.5)


def native(transactions: list[Transaction]) -> float:
    """Return processor seconds of json loads and dumps of all bodies: what nobody can do without."""
    begin = time.process_time()
    for one in transactions:
        json.dumps(json.loads(one.request.body.data))
        if one.response:
            json.dumps(json.loads(one.response.body.data))
    return time.process_time() - begin


def ours(pipeline: Pipeline, transactions: list[Transaction]) -> float:
    """Return processor seconds of the pipeline over all transactions."""
    begin = time.process_time()
    for one in transactions:
        pipeline.process(one)
    return time.process_time() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000, help="transactions (default 2000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds; the median counts (default 3)")
    parser.add_argument("--profile", action="store_true", help="show where the time goes")
    args = parser.parse_args()
    rng = random.Random(7)
    transactions = [transaction(i, rng) for i in range(args.count)]
    sizes = [len(t.request.body.data) + (len(t.response.body.data) if t.response else 0) for t in transactions]
    settings = PipelineSettings("bench", "DEV", (Service("shop", "commerce", ("shop.example",)),))
    pipeline = Pipeline(settings, Tokenizer(KeyRing.parse(keys.generate())))
    ours(pipeline, transactions[:100])
    if args.profile:
        with cProfile.Profile() as profile:
            ours(pipeline, transactions)
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        return
    pairs = [(ours(pipeline, transactions), native(transactions)) for _ in range(args.rounds)]
    seconds = statistics.median(a for a, _ in pairs)
    floor = statistics.median(b for _, b in pairs)
    print(
        json.dumps(
            {
                "transactions": args.count,
                "mean_bytes": round(statistics.mean(sizes)),
                "ms_per_transaction": round(1000 * seconds / args.count, 3),
                "transactions_per_second": round(args.count / seconds),
                "ratio_to_json_loads_dumps": round(seconds / floor, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
