"""What the copy costs: Envoy with capture against Envoy alone, and the forwarder's CPU for a transaction.

    .venv/bin/python -m benchmarks.capture [--rate 400] [--seconds 8] [--rounds 2]

POST 693 bytes → 1,336 bytes, Poisson arrivals, open loop, keep-alive connections, one Envoy worker. The API behind
it is another Envoy that answers by itself. Latency and CPU depend on the machine: read the ratios and differences.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.hec import FakeHec
from tests.support.processes import Process, forwarder, start_envoy
from tests.support.waiting import free_port, until

CONNECTIONS = 32
TICK = os.sysconf("SC_CLK_TCK")
BODY = json.dumps(
    {
        "order": [{"sku": f"A-{number}", "quantity": number, "price": 12.5} for number in range(9)],
        "card": "4111 1111 1111 1111",
        "email": "ada@example.org",
        "note": "x" * 180,
    }
).encode()[:693]
ANSWER = json.dumps({"items": [{"id": number, "state": "shipped", "city": "Vienna"} for number in range(25)]})
ANSWER = ANSWER.ljust(1336)[:1336]


@dataclass
class Run:
    """One round: latencies in µs, CPU of Envoy in µs a request, CPU of the pipeline in µs a transaction."""

    p50: float
    p99: float
    envoy_cpu: float
    pipeline_cpu: float = 0.0


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its threads (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


async def load(port: int, rate: float, seconds: float) -> list[float]:
    """Send Poisson traffic and return the latencies, seconds; open loop: waiting for a connection counts."""
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    head = "POST /orders/1042 HTTP/1.1\r\nhost: shop.example\r\ncontent-type: application/json\r\n"
    request = f"{head}authorization: Bearer abc.def.ghi\r\ncontent-length: {len(BODY)}\r\n\r\n".encode() + BODY
    latencies: list[float] = []

    async def one(due: float) -> None:
        reader, writer = await free.get()
        writer.write(request)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200"), answer[:80]
        await reader.readexactly(len(ANSWER))
        latencies.append(time.perf_counter() - due)
        free.put_nowait((reader, writer))

    begin, at, tasks = time.perf_counter(), 0.0, []
    rng = random.Random(1)
    while at < seconds:
        at += rng.expovariate(rate)
        await asyncio.sleep(max(0.0, begin + at - time.perf_counter()))
        tasks.append(asyncio.create_task(one(time.perf_counter())))
    await asyncio.gather(*tasks)
    while not free.empty():
        free.get_nowait()[1].close()
    return latencies


def measure(port: int, envoy: Process, rate: float, seconds: float) -> tuple[Run, int]:
    asyncio.run(load(port, rate, 1.0))  # warm up
    before = cpu_seconds(envoy.pid)
    latencies = sorted(asyncio.run(load(port, rate, seconds)))
    spent = cpu_seconds(envoy.pid) - before
    count = len(latencies)
    p50, p99 = (latencies[int(count * share)] * 1e6 for share in (0.5, 0.99))
    return Run(p50, p99, spent / count * 1e6), count


def alone(built: dict[str, Any]) -> dict[str, Any]:
    """The same gateway without capture and without its log."""
    copy: dict[str, Any] = json.loads(json.dumps(built))
    manager = copy["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    manager["http_filters"] = manager["http_filters"][-1:]
    del manager["access_log"]
    return copy


def api(port: int) -> dict[str, Any]:
    """An Envoy that answers every request itself."""
    router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3."
        "HttpConnectionManager",
        "stat_prefix": "api",
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": router}}],
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [
                        {
                            "match": {"prefix": "/"},
                            "direct_response": {"status": 200, "body": {"inline_string": ANSWER}},
                            "response_headers_to_add": [
                                {
                                    "header": {"key": "content-type", "value": "application/json"},
                                    "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
                                }
                            ],
                        }
                    ],
                }
            ]
        },
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    return {"static_resources": {"listeners": [{"address": address, "filter_chains": [{"filters": filters}]}]}}


def prepare(folder: Path, hec: FakeHec) -> Path:
    (folder / "hec.token").write_text(hec.token)
    (folder / "hec.token").chmod(0o600)
    command = forwarder("keys", "generate", "--output", str(folder / "keys.json"))
    subprocess.run(command, check=True, capture_output=True)
    config = folder / "forwarder.yaml"
    config.write_text(
        "gateway: {name: edge, env: DEV}\n"
        "services: [{name: shop, team: commerce, hosts: ['*']}]\n"
        "receiver: {envoy: {log: access.json, admin_socket: admin.sock}}\n"
        "keys: {file: keys.json}\nspool: {directory: spool}\n"
        f"hec: {{url: '{hec.url}', token_file: hec.token}}\n"
    )
    return config


def pipeline_pids(log: Path) -> list[int]:
    """Wait for the forwarder, and return its worker's and its exporter's process ids."""
    until(lambda: "supervisor.ready" in log.read_text(), 20, "the forwarder")
    lines = [json.loads(line) for line in log.read_text().splitlines() if "child_started" in line]
    return [int(line["child_pid"]) for line in lines if line["child"] in ("worker-0a", "exporter")]


@contextmanager
def envoys(folder: Path, config: Path, captured: bool) -> Iterator[tuple[int, Process]]:
    port, behind = free_port(), free_port()
    command = forwarder("gateway", "--config", str(config), "--listen", f"127.0.0.1:{port}")
    made = subprocess.run([*command, "--upstream", f"127.0.0.1:{behind}"], check=True, capture_output=True)
    built = yaml.safe_load(made.stdout)
    (folder / "gateway.yaml").write_text(json.dumps(built if captured else alone(built)))
    (folder / "api.yaml").write_text(json.dumps(api(behind)))
    with (
        start_envoy(folder / "api.yaml", behind, folder / "api.log"),
        start_envoy(folder / "gateway.yaml", port, folder / "envoy.log") as envoy,
    ):
        yield port, envoy


def round_with(captured: bool, with_forwarder: bool, rate: float, seconds: float) -> Run:
    memory = Path("/dev/shm")
    with (
        tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name,
        FakeHec() as hec,
    ):
        folder = Path(name)
        config = prepare(folder, hec)
        with envoys(folder, config, captured) as (port, envoy):
            if not with_forwarder:
                return measure(port, envoy, rate, seconds)[0]
            log = folder / "forwarder.log"
            with Process(forwarder("run", "--config", str(config)), log):
                pids = pipeline_pids(log)
                before = sum(map(cpu_seconds, pids))
                run, count = measure(port, envoy, rate, seconds)
                total = count + int(rate)  # and the warm-up
                until(lambda: len(hec.ids()) >= total * 0.95, 60, "the events")
                run.pipeline_cpu = (sum(map(cpu_seconds, pids)) - before) / len(hec.ids()) * 1e6
                return run


def median(runs: list[Run], name: str) -> float:
    return float(statistics.median(getattr(run, name) for run in runs))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=400, help="requests a second (400)")
    parser.add_argument("--seconds", type=float, default=8, help="length of one measurement (8)")
    parser.add_argument("--rounds", type=int, default=2, help="times that each is measured, in turn (2)")
    args = parser.parse_args()
    ways = {"alone": (False, False), "capture": (True, False), "capture+forwarder": (True, True)}
    runs: dict[str, list[Run]] = {name: [] for name in ways}
    for _ in range(args.rounds):
        for name, (captured, with_forwarder) in ways.items():
            runs[name].append(round_with(captured, with_forwarder, args.rate, args.seconds))
    print(f"{'':<20}{'p50 µs':>9}{'p99 µs':>9}{'added p50':>11}{'added p99':>11}{'Envoy CPU µs':>14}{'×':>6}")
    base = runs["alone"]
    for name, found in runs.items():
        p50, p99, cpu = (median(found, key) for key in ("p50", "p99", "envoy_cpu"))
        added = p50 - median(base, "p50"), p99 - median(base, "p99")
        ratio = cpu / median(base, "envoy_cpu")
        print(f"{name:<20}{p50:>9.0f}{p99:>9.0f}{added[0]:>11.0f}{added[1]:>11.0f}{cpu:>14.0f}{ratio:>6.2f}")
    print(f"pipeline CPU: {median(runs['capture+forwarder'], 'pipeline_cpu'):.0f} µs a transaction (shipping included)")


if __name__ == "__main__":
    main()
