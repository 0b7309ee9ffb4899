"""HEC of the stand-in: events a second of 1.3 KB in batches of 500, against json.loads of the same bytes.

The floor reads each envelope once and does nothing else; HEC finds the borders, keeps the event's own text, checks
time, index and fields, answers over HTTP, and writes to disk. Rounds alternate and the best of each counts, so that
other work on the machine falls on all alike; client and server share one interpreter.
"""

from __future__ import annotations

import json
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from apisec_sandbox.splunkd.hec.envelopes import envelopes
from apisec_sandbox.splunkd.hec.events import Batch
from apisec_sandbox.splunkd.server import Options, Splunkd, running

EVENTS, BATCHES, ROUNDS = 500, 10, 7
TOKEN = str(uuid.UUID(int=1))


def envelope(number: int) -> str:
    event: dict[str, Any] = {
        "id": f"{number:032x}",
        "time": 1795168800.123456 + number / 1000,
        "http_method": "POST",
        "uri_path": f"/orders/{number}/items",
        "status": 200,
        "headers": {f"x-header-{name}": "value " * 3 for name in range(14)},
        "body": {"items": [{"sku": f"sku-{item:06d}", "count": item, "price": item * 1.25} for item in range(8)]},
    }
    fields = {"operation": "POST /orders/{id}/items", "status": 200}
    return json.dumps({"time": event["time"], "host": "gw", "sourcetype": "json", "event": event, "fields": fields})


def best(works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Seconds of the best round of each."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            begun = time.perf_counter()
            work()
            taken[name].append(time.perf_counter() - begun)
    return {name: min(times) for name, times in taken.items()}


def in_process(splunkd: Splunkd, body: bytes) -> int:
    """Everything but HTTP: read, check, write."""
    hec = splunkd.hec
    token = hec.settings.find(TOKEN)
    assert token is not None
    limit = hec.settings.limits().event
    hec.parser.refresh()
    batch = Batch(token, hec.parser, hec.confs, time.time(), limit, {}, "bench")
    return splunkd.store.append(list(batch.events(body)))


def over_http(url: str, bodies: list[bytes]) -> None:
    with requests.Session() as client:
        client.trust_env = False
        client.headers["Authorization"] = f"Splunk {TOKEN}"
        for body in bodies:
            answer = client.post(f"{url}/services/collector/event", data=body, timeout=30)
            assert answer.json()["code"] == 0, answer.text


def main() -> None:
    texts = [[envelope(batch * EVENTS + number) for number in range(EVENTS)] for batch in range(BATCHES)]
    bodies = ["".join(batch).encode() for batch in texts]
    total = EVENTS * BATCHES
    print(f"{total} events of {sum(map(len, bodies)) / total:.0f} bytes")
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder), Options(with_tls=False, schedule=False)) as (splunkd, addresses),
    ):
        splunkd.ensure_token("bench", TOKEN, use_ack=False)
        seconds = best(
            {
                "json.loads": lambda: [json.loads(text) for batch in texts for text in batch],
                "borders and text": lambda: [list(envelopes(body)) for body in bodies],
                "written, without HTTP": lambda: [in_process(splunkd, body) for body in bodies],
                "over HTTP": lambda: over_http(addresses.hec, bodies),
            }
        )
    floor = seconds["json.loads"]
    for name, taken in seconds.items():
        print(f"{name:24} {total / taken:10.0f} events/s   {taken / floor:5.2f} x the time of json.loads")
    print(json.dumps({name: round(taken / floor, 2) for name, taken in seconds.items()}))


if __name__ == "__main__":
    main()
