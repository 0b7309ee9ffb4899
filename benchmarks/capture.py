"""What a copy costs: each gateway with each way of copying, against the same gateway alone; and what a stall costs.

    .venv/bin/python -m benchmarks.capture [--rate 1000] [--seconds 10] [--rounds 3] [--ways envoy,nginx] [--json]
    .venv/bin/python -m benchmarks.capture --stall        # the forwarder stands still, and is dead, for 10 s

POST of 693 bytes → 1,336 bytes, Poisson arrivals, open loop, keep-alive connections, one thread of the gateway. The
API behind it is an Envoy that answers by itself; the forwarder is the real one, all its processes, with a HEC that
only keeps what it is sent. Rounds alternate; figures are medians. Latency and CPU depend on the machine, and here all
parts share it: read the ratios and differences. ``copy``: nobody reads it; ``forwarder``: everything runs.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.capturing.gateways import WAYS, Way, cpu_seconds, hurry, resident_mib, running
from tests.support.processes import Process, forwarder
from tests.support.waiting import free_port, listening, until

WARM_SECONDS = 1.5
SETTLE_SECONDS = 60.0  # for what the forwarder still has to ship
START_SECONDS = 120.0  # on a busy machine; the native engine compiles its patterns
STALL_RATE, STALL_SECONDS, RESTART_SECONDS = 800.0, 10.0, 15.0
CONFIG = """
gateway: {{name: edge, env: DEV}}
services: [{{name: shop, team: commerce, hosts: ['*']}}]
receiver: {{{receiver}}}
keys: {{file: keys.json}}
spool: {{directory: spool}}
hec: {{url: 'http://127.0.0.1:{port}', token_file: hec.token, ack: false}}
health: {{interval_seconds: 3600}}
"""
QUIET_SECONDS = 8.0  # nothing has come for so long: nothing more comes
Sample = tuple[float, int]


@dataclass
class Run:
    """One round. Latencies in µs, CPU in µs a request, the generator's as a share of a core."""

    p50: float
    p99: float
    gateway_cpu: float
    generator_cpu: float
    sent: int
    failed: int
    forwarder_cpu: float = 0.0
    arrived: int = 0
    counted: dict[str, int] = field(default_factory=dict)


class Sink:
    """The HEC of a run."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "benchmarks.capturing.sink", str(self.port)]
        self._process = Process(command, folder / "sink.log")
        until(lambda: listening(self.port), 20, "the HEC")

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()

    def ids(self) -> list[str]:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        link.request("GET", "/ids")
        found: list[str] = json.loads(link.getresponse().read())
        link.close()
        return found


def load(port: int, rate: float, seconds: float, seed: int, realtime: bool = False) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.capturing.load", str(port), str(rate), str(seconds), str(seed)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    if realtime:
        hurry(process.pid)
    return process


def percentiles(samples: list[Sample]) -> tuple[float, float]:
    """Return the median and the 99th percentile of the latencies, µs; zeros of nothing."""
    if not samples:
        return 0.0, 0.0
    ordered = sorted(latency for _, latency in samples)
    return float(ordered[len(ordered) // 2]), float(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))])


@contextmanager
def place() -> Iterator[Path]:
    """A folder in memory, as the copy should be."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


def prepare(folder: Path, way: Way, port: int) -> Path:
    (folder / "copy").mkdir(mode=0o700)
    (folder / "hec.token").write_text("11111111-2222-3333-4444-555555555555")
    (folder / "hec.token").chmod(0o600)
    command = forwarder("keys", "generate", "--output", str(folder / "keys.json"))
    subprocess.run(command, check=True, capture_output=True)
    config = folder / "forwarder.yaml"
    config.write_text(CONFIG.format(receiver=way.receiver.replace("<port>", str(free_port())), port=port))
    return config


def start(config: Path) -> tuple[Process, dict[str, int]]:
    """Start the forwarder; return it with the process ids of its children, when it is ready."""
    log = config.parent / f"forwarder-{time.monotonic_ns()}.log"
    process = Process(forwarder("run", "--config", str(config)), log)
    until(lambda: "supervisor.ready" in log.read_text() or not process.running(), START_SECONDS, "the forwarder")
    assert process.running(), log.read_text()
    lines = [json.loads(line) for line in log.read_text().splitlines() if "child_started" in line]
    return process, {line["child"]: int(line["child_pid"]) for line in lines}


def counters(folder: Path) -> dict[str, int]:
    """Return what the forwarder says it has lost, by name and cause."""
    try:
        document = json.loads((folder / "spool" / "status.json").read_bytes())
    except (OSError, ValueError):
        return {}
    names = ("dropped", "skipped", "unended", "cut", "write_failures", "copies_begun")
    told = {name: value for name, value in document.get("counters", {}).items() if any(one in name for one in names)}
    return {name: int(value) for name, value in told.items() if value}


def measure(port: int, gateway: Process, rate: float, seconds: float, seed: int, realtime: bool) -> tuple[Run, int]:
    """Return what was measured, and how many requests were sent before that."""
    warm = json.loads(load(port, rate, WARM_SECONDS, seed + 1000).communicate()[0])
    before = cpu_seconds(gateway.pid)
    found = json.loads(load(port, rate, seconds, seed, realtime).communicate()[0])
    spent = cpu_seconds(gateway.pid) - before
    count = len(found["samples"])
    run = Run(*percentiles(found["samples"]), spent / count * 1e6, found["cpu"], count, found["failed"])
    return run, len(warm["samples"])


def one_round(way: Way, mode: str, rate: float, seconds: float, seed: int, realtime: bool) -> Run:
    """Measure a gateway ``alone``, with the ``copy`` and nobody who reads it, or with the ``forwarder``."""
    with place() as folder, Sink(folder) as sink:
        config = prepare(folder, way, sink.port)
        if mode != "forwarder":
            with running(way, folder, config, captured=mode == "copy", realtime=realtime) as (port, gateway):
                return measure(port, gateway, rate, seconds, seed, realtime)[0]
        process, children = start(config)  # first: some gateways open its socket when they start
        with process, running(way, folder, config, captured=True, realtime=realtime) as (port, gateway):
            before = cpu_of(children)
            run, warm = measure(port, gateway, rate, seconds, seed, realtime)
            run.arrived = settled(sink, run.sent + warm) - warm
            run.forwarder_cpu = (cpu_of(children) - before) / (run.sent + warm) * 1e6
            run.counted = counters(folder)
            return run


def cpu_of(children: dict[str, int]) -> float:
    return sum(cpu_seconds(pid) for pid in children.values())


def settled(sink: Sink, expected: int) -> int:
    """Wait until everything has arrived, or nothing more arrives; return how many transactions there are."""
    deadline, last, since = time.monotonic() + SETTLE_SECONDS, -1, time.monotonic()
    while time.monotonic() < deadline and last < expected:
        time.sleep(0.5)
        found = len(set(sink.ids()))
        if found != last:
            last, since = found, time.monotonic()
        elif time.monotonic() - since > QUIET_SECONDS:
            break
    return last


@dataclass
class Stall:
    """What ten seconds without a forwarder cost. Latencies in µs, memory of the gateway in MiB."""

    before: tuple[float, float]
    during: tuple[float, float]
    after: tuple[float, float]
    failed: int
    memory_before: float
    memory_peak: float
    sent: int
    arrived: int
    counted: dict[str, int]


def one_stall(way: Way, dead: bool, seed: int) -> Stall:
    """Stop all processes of the forwarder for a while (SIGSTOP), or kill them and start them anew."""
    with place() as folder, Sink(folder) as sink:
        config = prepare(folder, way, sink.port)
        process, _ = start(config)
        with running(way, folder, config, captured=True) as (port, gateway):
            json.loads(load(port, STALL_RATE, WARM_SECONDS, seed + 1000).communicate()[0])
            time.sleep(3)
            warm = len(set(sink.ids()))
            memory = resident_mib(gateway.pid)
            sending = load(port, STALL_RATE, 3 * STALL_SECONDS + (RESTART_SECONDS if dead else 0), seed)
            watched(gateway, STALL_SECONDS)
            process.kill() if dead else os.killpg(process.pid, signal.SIGSTOP)
            stopped, peak = watched(gateway, STALL_SECONDS)
            counted = counters(folder) if dead else {}
            if dead:
                process, _ = start(config)
            else:
                os.killpg(process.pid, signal.SIGCONT)
            resumed = time.time()
            later = watched(gateway, STALL_SECONDS)[1]
            found = json.loads(sending.communicate()[0])
            with process:
                arrived = settled(sink, len(found["samples"]) + warm) - warm
                time.sleep(6)  # the gateway's own counters are asked for every five seconds
                told = counters(folder)
        phases = [
            [one for one in found["samples"] if one[0] < stopped],
            [one for one in found["samples"] if stopped <= one[0] < resumed],
            [one for one in found["samples"] if resumed <= one[0]],
        ]
        before, during, after = (percentiles(one) for one in phases)
        lost = {name: counted.get(name, 0) + told.get(name, 0) for name in {*counted, *told}}
        sent = len(found["samples"])
        return Stall(before, during, after, found["failed"], memory, max(peak, later), sent, arrived, lost)


def watched(gateway: Process, seconds: float) -> tuple[float, float]:
    """Wait; return when that began (seconds since the epoch), and the most memory that the gateway had, MiB."""
    begin, peak = time.time(), 0.0
    while time.time() < begin + seconds:
        peak = max(peak, resident_mib(gateway.pid))
        time.sleep(0.25)
    return begin, peak


def costs(ways: list[Way], rate: float, seconds: float, rounds: int, realtime: bool) -> dict[str, dict[str, list[Run]]]:
    """Measure everything in turn; what has been measured counts also when it is interrupted."""
    found: dict[str, dict[str, list[Run]]] = {}
    with contextlib.suppress(KeyboardInterrupt):
        for number in range(rounds):
            for way in ways:
                for mode in ("alone", "copy", "forwarder") if way.buffered else ("alone", "forwarder"):
                    run = one_round(way, mode, rate, seconds, number, realtime)
                    found.setdefault(way.name, {}).setdefault(mode, []).append(run)
                    print(f"{number}: {way.name}, {mode}: {run}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    return found


def median(runs: list[Run], name: str) -> float:
    return float(statistics.median(getattr(run, name) for run in runs))


def show_costs(found: dict[str, dict[str, list[Run]]]) -> None:
    print(
        f"{'':<28}{'p50 µs':>8}{'p99 µs':>8}{'+p50':>7}{'+p99':>7}{'gateway CPU':>13}{'×':>6}"
        f"{'forwarder CPU':>15}{'sent':>8}{'lost':>6}  counted"
    )
    for way, modes in found.items():
        base = modes["alone"]
        for mode, runs in modes.items():
            p50, p99, cpu = (median(runs, name) for name in ("p50", "p99", "gateway_cpu"))
            added = p50 - median(base, "p50"), p99 - median(base, "p99")
            line = f"{way + ', ' + mode:<28}{p50:>8.0f}{p99:>8.0f}{added[0]:>7.0f}{added[1]:>7.0f}{cpu:>10.0f} µs"
            line += f"{cpu / median(base, 'gateway_cpu'):>6.2f}"
            sent = sum(run.sent for run in runs)
            if mode == "forwarder":
                lost = sum(run.sent - run.arrived for run in runs)
                told: dict[str, int] = {}
                for run in runs:
                    for name, count in run.counted.items():
                        told[name] = told.get(name, 0) + count
                line += f"{median(runs, 'forwarder_cpu'):>12.0f} µs{sent:>8}{lost:>6}  {told or ''}"
            failed = sum(run.failed for run in runs)
            print(line + (f"  {failed} requests failed" if failed else ""))
    share = max(run.generator_cpu for modes in found.values() for runs in modes.values() for run in runs)
    print(f"load generator: at most {share:.0%} of a core")


def show_stalls(found: dict[str, Stall]) -> None:
    print(
        f"{'':<26}{'p50 before/during/after µs':>28}{'p99 before/during/after µs':>28}{'gateway MiB':>13}"
        f"{'sent':>8}{'lost':>7}  counted"
    )
    for name, one in found.items():
        p50, p99 = ("/".join(f"{phase[at]:.0f}" for phase in (one.before, one.during, one.after)) for at in (0, 1))
        memory = f"{one.memory_before:.0f}→{one.memory_peak:.0f}"
        failed = f"  {one.failed} requests failed" if one.failed else ""
        lost = one.sent - one.arrived
        print(f"{name:<26}{p50:>28}{p99:>28}{memory:>13}{one.sent:>8}{lost:>7}  {one.counted or ''}{failed}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=1000, help="requests a second (1000)")
    parser.add_argument("--seconds", type=float, default=10, help="length of one measurement (10)")
    parser.add_argument("--rounds", type=int, default=3, help="times that each is measured, in turn (3)")
    parser.add_argument("--ways", default="", help="only those whose names hold one of these, by comma")
    parser.add_argument("--stall", action="store_true", help="stop, and kill, the forwarder for ten seconds instead")
    parser.add_argument(
        "--realtime", action="store_true", help="run gateway, API and load before all else on the machine (SCHED_FIFO)"
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    args = parser.parse_args()
    wanted = args.ways.split(",")
    ways = [way for way in WAYS if any(name in way.name for name in wanted)]
    for way in [way for way in ways if not way.available]:
        print(f"{way.name}: not measured, its gateway is not installed", file=sys.stderr)
    ways = [way for way in ways if way.available]
    document: Any
    if args.stall:
        kinds = {"stands still": False, "dead": True}
        stalls: dict[str, Stall] = {}
        with contextlib.suppress(KeyboardInterrupt):
            for way, kind in itertools.product(ways, kinds):
                stalls[f"{way.name}, {kind}"] = one_stall(way, kinds[kind], 1)
                print(f"{way.name}, {kind}: {stalls[f'{way.name}, {kind}']}", file=sys.stderr)
        document = {name: asdict(one) for name, one in stalls.items()}
    else:
        runs = costs(ways, args.rate, args.seconds, args.rounds, args.realtime)
        document = {way: {mode: list(map(asdict, one)) for mode, one in modes.items()} for way, modes in runs.items()}
    if args.json:
        print(json.dumps(document))
    elif args.stall:
        show_stalls(stalls)
    else:
        show_costs(runs)


if __name__ == "__main__":
    main()
