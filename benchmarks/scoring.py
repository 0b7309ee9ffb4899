"""Events per second of Inventory and Scorer, as a ratio to ``json.loads`` of the same events in the same run.

    python benchmarks/scoring.py [--events FILE] [--json]

Without a file, events of the field's usual size are made (mean about 2 KB). Each figure is the best of several
rounds of process time, so that a busy machine disturbs it least; compare ratios, not absolutes.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from apisec.baselines.learned import learn_baselines
from apisec.endpoints.inventory import Inventory
from apisec.scoring import Scorer, default_model
from apisec.sequences.flows import learn_flows

COUNT = 20_000
ROUNDS = 5
OPERATIONS = [
    ("GET", "/products", 0),
    ("GET", "/products/{product_id}", 1),
    ("GET", "/orders/{order_id}", 1),
    ("POST", "/cart/items", 1),
    ("POST", "/checkout/{checkout_id}/payment", 1),
    ("POST", "/checkout/{checkout_id}/confirm", 1),
    ("GET", "/accounts/me", 0),
]


def make_events(count: int, seed: int = 1) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    return [_event(chance, n) for n in range(count)]


def _event(chance: random.Random, n: int) -> dict[str, Any]:
    method, endpoint, ids = chance.choice(OPERATIONS)
    who = chance.randrange(400)
    names = [f"$.items[].field_{part}" for part in range(chance.randint(3, 24))]
    fields: list[dict[str, Any]] = [
        {"path": name, "in": "body", "type": chance.choice(["string", "integer"])} for name in names
    ]
    fields.append({"path": "$.email", "in": "body", "type": "string", "classes": ["pii.email"]})
    return {
        "schema": 1,
        "id": f"{n:016x}",
        "time": 1_700_000_000 + n * 0.25,
        "service": "shop",
        "team": "shop",
        "http_method": method,
        "endpoint": endpoint,
        "operation": f"{method} {endpoint}",
        "url": f"https://shop.example{endpoint}",
        "uri_path": endpoint,
        "status": 200 if chance.random() < 0.97 else 404,
        "action": "allowed",
        "src": f"203.0.113.{who % 250}",
        "principal": f"~principal~{who:016x}~",
        "principal_kind": "jwt",
        "auth": "bearer",
        "session": f"~secret.session~{who:016x}~",
        "ja4": f"t13d1516h2_{who % 7}",
        "http_user_agent": f"Mozilla/5.0 (Windows NT 10.0) Chrome/{120 + who % 9}.0 Safari/537.36",
        "bytes_in": chance.randint(200, 900),
        "bytes_out": chance.randint(500, 9000),
        "response_time": chance.lognormvariate(3, 0.6),
        "request_fields": fields[: len(fields) // 4],
        "response_fields": fields,
        "data_classes": ["pii.email"],
        "object_ids": [f"{endpoint.split('{')[-1].split('}')[0]}={who * 4 + n % 2}"] if ids else [],
        "response_body": json.dumps({name: chance.random() for name in names}),
    }


def best(work: Callable[[], object]) -> float:
    """Return the least process time of ``ROUNDS`` rounds, seconds."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def measure(events: list[dict[str, Any]]) -> dict[str, Any]:
    lines = [json.dumps(event) for event in events]
    history = events[: len(events) // 2]
    baselines, flows = learn_baselines(history), learn_flows(history)
    model = default_model()

    def load() -> None:
        for line in lines:
            json.loads(line)

    def inventory() -> None:
        found = Inventory()
        for event in events:
            found.add(event)

    def score() -> None:
        scorer = Scorer(model, baselines, flows)
        for event in events:
            scorer.score(event)

    base = best(load)
    report: dict[str, Any] = {
        "events": len(events),
        "mean_bytes": round(sum(map(len, lines)) / len(lines)),
        "json_loads_per_second": round(len(events) / base),
    }
    for name, work in (("inventory", inventory), ("scorer", score)):
        seconds = best(work)
        report[f"{name}_per_second"] = round(len(events) / seconds)
        report[f"{name}_ratio_to_json_loads"] = round(base / seconds, 3)
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=Path, metavar="FILE", help="events, one JSON object a line")
    parser.add_argument("--json", action="store_true", help="write the figures as one JSON object")
    options = parser.parse_args()
    if options.events:
        with options.events.open(encoding="utf-8") as file:
            events = [json.loads(line) for line in file]
    else:
        events = make_events(COUNT)
    report = measure(events)
    if options.json:
        print(json.dumps(report))
    else:
        for name, value in report.items():
            print(f"{name:<32} {value:>12}")


if __name__ == "__main__":
    main()
