"""Shipping: spool to a HEC that takes everything, against gzip of the same batches alone; spooling beside it.

The HEC is another process that reads requests, answers at once and acknowledges everything: what is measured is the
exporter. CPU is that of the exporter's process alone, all its threads; rounds alternate and the best of each counts.
"""

from __future__ import annotations

import argparse
import cProfile
import itertools
import json
import multiprocessing
import random
import re
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from apisec_forwarder.config import Hec
from apisec_forwarder.exporters.compress import LIBRARY, compress
from apisec_forwarder.exporters.hec import HecClient
from apisec_forwarder.exporters.shipper import Shipper
from apisec_forwarder.metrics import Metrics
from apisec_forwarder.spool import Spool, SpoolReader

BATCH_BYTES = 900_000
ROUNDS = 3
ACKS = itertools.count()  # of all channels together: in each they grow


def envelope(draw: random.Random, number: int, size: int) -> bytes:
    """One event of about ``size`` bytes, as redaction leaves them: tokens and ids vary, names and structure repeat."""
    token = f"~pii.email~{draw.getrandbits(64):016x}~"
    names = ("customer", "order", "address", "items", "payment", "delivery", "status", "currency")
    fields = [{"path": f"{draw.choice(names)}.{draw.choice(names)}", "in": "body", "type": "string"} for _ in range(20)]
    items: list[dict[str, object]] = []
    event = {
        "schema": 1, "id": f"{draw.getrandbits(128):032x}", "time": 1795168800.25 + number / 1000, "gateway": "edge-1",
        "env": "PROD", "service": "shop", "team": "commerce", "http_method": "POST", "url": "https://shop.example/orders",
        "uri_path": f"/orders/{number}", "status": 201, "action": "allowed", "src": f"192.0.2.{number % 250}",
        "endpoint": "/orders/{order_id}", "operation": "POST /orders/{order_id}", "principal": token,
        "principal_kind": "jwt", "auth": "bearer", "data_classes": ["pii.email"], "object_ids": [f"order_id={number}"],
        "coverage": "complete", "key_id": "0a1b2c3d", "request_fields": fields, "response_fields": fields,
    }  # fmt: skip
    wrapped = {
        "time": event["time"], "host": "edge-1", "source": "apisec-forwarder", "sourcetype": "apisec:transaction",
        "index": "apisec", "event": event, "fields": {"service": "shop", "status": "201"},
    }  # fmt: skip
    while len(json.dumps(wrapped)) < size:
        items.append(
            {
                "sku": draw.randrange(10**6),
                "count": draw.randrange(9),
                "note": f"~pii.name~{draw.getrandbits(64):016x}~",
            }
        )
        event["response_body"] = json.dumps({"items": items, "customer": {"email": token}})
    return json.dumps(wrapped, separators=(",", ":")).encode()


def null_hec(port: multiprocessing.Queue[int]) -> None:
    """Take every request, look at nothing but its length, and acknowledge what is asked."""
    server = socket.create_server(("127.0.0.1", 0))
    port.put(server.getsockname()[1])
    while True:
        peer, _ = server.accept()
        threading.Thread(target=_take, args=(peer,), daemon=True).start()


def _take(peer: socket.socket) -> None:
    length, data = re.compile(rb"content-length: (\d+)", re.I), b""
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while True:
        while (end := data.find(b"\r\n\r\n")) < 0:
            more = peer.recv(1 << 18)
            if not more:
                return
            data += more
        found = length.search(data[:end])
        need = end + 4 + (int(found[1]) if found else 0)
        parts, have = [data], len(data)
        while have < need:
            parts.append(peer.recv(1 << 18))
            have += len(parts[-1])
        data = b"".join(parts)
        body, head, data = data[end + 4 : need], data[:end], data[need:]
        if b"/collector/ack" in head[:64]:
            answer = json.dumps({"acks": {str(one): True for one in json.loads(body)["acks"]}}).encode()
        else:
            answer = b'{"text":"Success","code":0,"ackId":%d}' % next(ACKS)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer))


@dataclass
class Taken:
    """Best round of one work, in seconds."""

    wall: float = float("inf")
    cpu: float = float("inf")

    def run(self, work: Callable[[], object]) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        self.wall = min(self.wall, time.perf_counter() - wall)
        self.cpu = min(self.cpu, time.process_time() - cpu)


def ship(folder: Path, url: str, connections: int) -> None:
    """Empty the spool."""
    token = folder / "token"
    token.write_text("abc")
    token.chmod(0o600)
    hec = Hec(url=url, token_file=token, batch_bytes=BATCH_BYTES, connections=connections)
    reader = SpoolReader(folder / "spool")
    dead = Spool(folder / "spool", "dead", 2**20, suffix=".dead")
    executor = ThreadPoolExecutor(connections + 1)
    shipper = Shipper(hec, reader, HecClient(hec), dead, Metrics(), executor=executor)
    stop = threading.Event()
    thread = threading.Thread(target=shipper.run, args=(stop,))
    thread.start()
    while not shipper.drained():
        time.sleep(0.01)
    stop.set()
    thread.join()
    shipper.close()


def fill(folder: Path, envelopes: list[bytes], together: int) -> None:
    with Spool(folder / "spool", "pipeline_0a", 2**40) as spool:
        for at in range(0, len(envelopes), together):
            spool.extend(envelopes[at : at + together])


def batches(envelopes: list[bytes]) -> list[bytes]:
    count = max(1, BATCH_BYTES // (sum(map(len, envelopes)) // len(envelopes)))
    return [b"\n".join(envelopes[at : at + count]) for at in range(0, len(envelopes), count)]


def measure(envelopes: list[bytes], connections: int) -> dict[str, Taken]:
    bodies = batches(envelopes)
    taken = {name: Taken() for name in ("gzip alone", "spool, one at a time", "spool, 8 at a time", "ship")}
    ports: multiprocessing.Queue[int] = multiprocessing.Queue()
    server = multiprocessing.Process(target=null_hec, args=(ports,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{ports.get()}"
    for _ in range(ROUNDS):
        taken["gzip alone"].run(lambda: [compress(body) for body in bodies])
        for name, together in (("spool, one at a time", 1), ("spool, 8 at a time", 8)):
            with tempfile.TemporaryDirectory() as temporary:
                folder = Path(temporary)
                taken[name].run(lambda folder=folder, together=together: fill(folder, envelopes, together))  # type: ignore[misc]
                if together > 1:
                    taken["ship"].run(lambda folder=folder: ship(folder, url, connections))  # type: ignore[misc]
    server.terminate()
    server.join()
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shipping", description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--bytes", type=int, default=6000)
    parser.add_argument("--connections", type=int, default=2)
    parser.add_argument("--profile", action="store_true")
    args = parser.parse_args()
    draw = random.Random(1)
    kinds = [envelope(draw, number, draw.randrange(args.bytes // 2, args.bytes * 3 // 2)) for number in range(2000)]
    envelopes = [kinds[number % len(kinds)] for number in range(args.events)]
    size = sum(map(len, envelopes))
    print(f"{len(envelopes)} events of {size / len(envelopes):.0f} bytes, gzip by {LIBRARY}")
    if args.profile:
        profile = cProfile.Profile()
        with tempfile.TemporaryDirectory() as temporary:
            ports: multiprocessing.Queue[int] = multiprocessing.Queue()
            server = multiprocessing.Process(target=null_hec, args=(ports,), daemon=True)
            server.start()
            fill(Path(temporary), envelopes, 64)
            profile.runcall(ship, Path(temporary), f"http://127.0.0.1:{ports.get()}", args.connections)
            server.terminate()
        profile.print_stats("tottime")
        return
    taken = measure(envelopes, args.connections)
    floor = taken["gzip alone"].cpu
    for name, one in taken.items():
        rate = len(envelopes) / one.wall
        print(
            f"{name:22} {rate:9.0f} events/s {size / one.wall / 1e6:7.0f} MB/s   "
            f"{1e6 * one.cpu / len(envelopes):6.1f} us CPU an event   {one.cpu / floor:5.2f} x gzip"
        )
    print(json.dumps({name: round(one.cpu / floor, 2) for name, one in taken.items()}))


if __name__ == "__main__":
    main()
