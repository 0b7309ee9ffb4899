"""Events per second of apisecinventory against a command that does nothing, and its 8 shards against one pass.

    python -m benchmarks.inventory [--events N] [--json]

The app is built, and its command is run as splunkd runs it: a process, protocol version 2, chunks of 50,000 records
with _raw and _time. The command that does nothing is made with the same SDK and reads the same input, in the same run;
both are measured by the processor time of their processes. Then the events are dealt to 8 map processes whose states
one reduce process merges, as indexers and a search head would, and compared with one map process and with the exact
figures. Ratios say more than absolutes.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import random
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
EVENTS = 1_000_000
SHARDS = 8
CHUNK = 50_000  # limits.conf [search] maxresultrows
POOL = 4_000  # different events; what is unique in each (id, time, latency) is put in
START = 1_700_000_000
SHARES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
ERROR = 0.01  # the sketch's
NOOP = """
import sys
import import_declare_test
from splunklib.searchcommands import Configuration, ReportingCommand, dispatch
@Configuration(requires_preop=True)
class ApisecNoopCommand(ReportingCommand):
    @Configuration()
    def map(self, records):
        yield {"n": sum(1 for record in records)}
    def reduce(self, records):
        yield {"n": sum(int(record["n"]) for record in records)}
dispatch(ApisecNoopCommand, sys.argv, sys.stdin, sys.stdout, __name__)
"""
NOUNS = "orders users carts items payments invoices reviews addresses shipments refunds tickets devices".split()  # noqa: SIM905
PARTS = ("id", "state", "total", "created", "owner", "note", "count", "code")
_HEADER = re.compile(rb"chunked 1\.0,(\d+),(\d+)\n")
csv.field_size_limit(1 << 28)


@dataclass
class Truth:
    """What the events hold, kept while they are made."""

    counts: dict[str, int] = field(default_factory=dict)
    latencies: dict[str, list[float]] = field(default_factory=dict)


class Traffic:
    """Events as the forwarder writes them: 60 operations, Zipf-like; mean about 2.3 KB."""

    def __init__(self, seed: int = 1) -> None:
        self._chance = random.Random(seed)
        self._pool = [self._template() for _ in range(POOL)]
        self.truth = Truth()

    def _template(self) -> tuple[str, str, str, str]:
        """Return an operation and the text of an event before, between and after what differs."""
        chance = self._chance
        number = min(int(chance.paretovariate(0.7)) - 1, 59)
        noun, kind = NOUNS[number % 12], number // 12
        method = ("GET", "GET", "POST", "PUT", "DELETE")[kind]
        endpoint = f"/v1/{noun}" if kind in (0, 2) else f"/v1/{noun}/{{{noun[:-1]}_id}}"
        event = self._event(f"{method} {endpoint}", method, endpoint, noun, number)
        text = json.dumps(event, separators=(",", ":"))
        before, _, rest = text.partition('"@id@"')
        between, _, rest = rest.partition('"@time@"')
        third, _, after = rest.partition('"@latency@"')
        return str(event["operation"]), before, between + "\0" + third, after

    def _event(self, operation: str, method: str, endpoint: str, noun: str, number: int) -> dict[str, Any]:
        chance = self._chance
        who = int(chance.paretovariate(0.5)) % 5000
        names = [f"{noun[:-1]}_{part}" for part in PARTS]
        names += [f"detail.{name}" for name in names[: number % 6]]
        shown = [name for position, name in enumerate(names) if position < 5 or chance.random() < 0.7]
        values = {name: self._value(name, number) for name in shown}
        classes = {"owner": ["pii.email"], "note": ["pii.phone"]}
        fields = []
        for name in sorted(shown):
            entry: dict[str, Any] = {"path": f"items[].{name}", "in": "body", "type": _type(values[name])}
            if name.rpartition("_")[2] in classes:
                entry["classes"] = classes[name.rpartition("_")[2]]
            fields.append(entry)
        status = 200 if chance.random() < 0.96 else chance.choice((400, 404, 429, 500))
        parameter = f"{noun[:-1]}_id"
        value = chance.randrange(10**6)
        path = endpoint.replace("{" + parameter + "}", str(value))
        principal = f"~principal~{who:016x}~"
        return {
            "schema": 1, "id": "@id@", "time": "@time@", "gateway": "edge-1", "env": "PROD", "service": "shop",
            "team": "shop", "app": "shop", "http_method": method, "action": "allowed", "key_id": "52394b8f",
            "uri_path": path, "url": f"https://api.example{path}?page=2&sort=asc", "uri_query": "page=2&sort=asc",
            "dest": "api.example", "dest_port": 443, "endpoint": endpoint, "operation": operation,
            "object_ids": [f"{parameter}={value}"] if "{" in endpoint else [], "status": status,
            "src": f"203.0.113.{who % 250}", "src_port": 40_000 + who % 20_000, "principal": principal,
            "http_user_agent": f"Mozilla/5.0 (Windows NT 10.0) Chrome/{120 + who % 9}.0 Safari/537.36",
            "http_content_type": "application/json", "bytes_in": chance.randint(200, 900),
            "bytes_out": chance.randint(500, 9000), "response_time": "@latency@",
            "upstream_time": round(chance.lognormvariate(2.9, 0.6), 3), "principal_kind": "jwt",
            "auth": "bearer", "auth_token": f"~secret.jwt~{who:016x}~", "user": f"~user~{who:016x}~",
            "request_fields": [
                *([{"path": parameter, "in": "path", "type": "integer"}] if "{" in endpoint else []),
                {"path": "page", "in": "query", "type": "string"}, {"path": "sort", "in": "query", "type": "string"},
                {"path": "authorization", "in": "header", "type": "string", "classes": ["secret.jwt"]},
            ],
            "response_fields": fields, "data_classes": ["pii.email", "secret.jwt"], "coverage": "complete",
            "response_body": json.dumps({"items": [_nested(values)] * chance.randint(1, 3)}),
        }  # fmt: skip

    def _value(self, name: str, number: int) -> Any:
        chance = self._chance
        last = name.rpartition("_")[2]
        made: dict[str, Any] = {
            "id": chance.randrange(10**9),
            "state": chance.choice(("OPEN", "PAID", "SHIPPED", "CLOSED")),
            "total": round(chance.lognormvariate(3, 1), 2),
            "created": f"2026-0{chance.randint(1, 9)}-1{chance.randint(0, 9)}T10:00:00Z",
            "owner": f"~pii.email~{chance.randrange(16**8):016x}~",
            "note": f"call ~pii.phone~{chance.randrange(16**8):016x}~ first",
            "count": chance.randrange(40),
            "code": f"{chance.randrange(16**8):08x}-{number}",
        }
        return made[last]

    def records(self, count: int, shard: int = 0, shards: int = 1, note: bool = False) -> Iterator[tuple[str, str]]:
        """Yield time and text of every ``shards``-th event from ``shard`` on; the same events however many shards."""
        chance = random.Random(7)
        truth = self.truth
        for n in range(count):
            operation, before, middle, after = self._pool[chance.randrange(POOL)]
            latency = round(chance.lognormvariate(3, 0.6), 3)
            if note:
                truth.counts[operation] = truth.counts.get(operation, 0) + 1
                truth.latencies.setdefault(operation, []).append(latency)
            if n % shards == shard:
                stamp = f"{START + n * 0.05:.3f}"
                between, _, third = middle.partition("\0")
                yield stamp, f'{before}"{n:032x}"{between}{stamp}{third}{latency}{after}'


def _type(value: Any) -> str:
    return "integer" if isinstance(value, int) else "number" if isinstance(value, float) else "string"


def _nested(values: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in values.items():
        parent, dot, rest = name.partition(".")
        if dot:
            made.setdefault(parent, {})[rest] = value
        else:
            made[name] = value
    return made


def chunk(metadata: dict[str, Any], rows: Iterable[Iterable[str]] = (), header: Iterable[str] = ()) -> bytes:
    """Return one chunk of the protocol."""
    text = io.StringIO()
    names = list(header)
    if names:
        writer = csv.writer(text)
        writer.writerow(names)
        writer.writerows(rows)
    body, head = text.getvalue().encode(), json.dumps(metadata).encode()
    return b"chunked 1.0,%d,%d\n" % (len(head), len(body)) + head + body


@dataclass
class Run:
    """A finished command: its records' values by field, seconds of its processor and of the clock, its memory in MB."""

    rows: list[dict[str, str]]
    cpu: float
    wall: float
    memory: float


def run(script: Path, arguments: list[str], chunks: Iterable[bytes], **more: Any) -> Run:
    """Run a command over chunks; its output goes to a file, so that writing never waits for reading.

    ``more`` are members of searchinfo.
    """
    info = {
        "args": arguments, "raw_args": arguments, "sid": "1", "app": "apisec", "owner": "admin", "username": "admin",
        "session_key": "", "splunkd_uri": "", "splunk_version": "10.0.0", "search": "", "earliest_time": "0",
        "latest_time": "0", "dispatch_dir": str(script.parent), "maxresultrows": CHUNK, **more,
    }  # fmt: skip
    with tempfile.TemporaryFile() as out:
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-E", "-s", "-S", "-B", str(script)], stdin=subprocess.PIPE, stdout=out
        )
        assert process.stdin is not None
        getinfo = {"action": "getinfo", "preview": False, "streaming_command_will_restart": False, "searchinfo": info}
        process.stdin.write(chunk(getinfo))
        for part in chunks:
            process.stdin.write(part)
        process.stdin.close()
        memory = peak_of(process)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, f"{script.name} failed"
        out.seek(0)
        return Run(
            list(_records(out.read())),
            usage.ru_utime + usage.ru_stime,
            time.monotonic() - began,
            memory,
        )


def peak_of(process: subprocess.Popen[bytes]) -> float:
    """Return the most memory in MB that a process ever held, looked at until it ends.

    ``ru_maxrss`` would not do: Linux counts into it what the process that started this one held (exec_mmap), and that
    one makes the events.
    """
    highest = 0
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                highest = int(line.split()[1])
        time.sleep(0.02)
    return highest / 1024


def _records(data: bytes) -> Iterator[dict[str, str]]:
    position = 0
    while position < len(data):
        found = _HEADER.match(data, position)
        assert found, data[position : position + 100]
        start = found.end() + int(found[1])
        end = start + int(found[2])
        yield from csv.DictReader(io.StringIO(data[start:end].decode()))
        position = end


def chunks_of(records: Iterable[Iterable[str]], header: list[str], size: int = CHUNK) -> Iterator[bytes]:
    """Yield execute chunks; the last one says that it is the last."""
    rows: list[Iterable[str]] = []
    for record in records:
        rows.append(record)
        if len(rows) == size:
            yield chunk({"action": "execute", "finished": False}, rows, header)
            rows = []
    yield chunk({"action": "execute", "finished": True}, rows, header)


def measure(traffic: Traffic, bin_folder: Path, count: int) -> dict[str, Any]:
    command, noop = bin_folder / "apisecinventory.py", bin_folder / "apisecnoop.py"
    began = time.monotonic()

    def tell(what: str, done: Run) -> Run:
        print(f"{time.monotonic() - began:7.0f} s  {what}: {done.cpu:.1f} s of CPU", file=sys.stderr, flush=True)
        return done

    noop.write_text(NOOP, encoding="utf-8")
    header = ["_time", "_raw"]
    nothing = tell("no-op", run(noop, ["phase=map"], chunks_of(traffic.records(count, note=True), header)))
    assert sum(int(row["n"]) for row in nothing.rows) == count
    once = tell(
        "map, each id once", run(command, ["phase=map", "unique=true"], chunks_of(traffic.records(count), header))
    )
    plain = tell("map", run(command, ["phase=map"], chunks_of(traffic.records(count), header)))
    shards = [
        tell(f"map, shard {shard + 1} of {SHARDS}", run(command, ["phase=map"], chunks_of(part, header)))
        for shard, part in enumerate(traffic.records(count, shard, SHARDS) for shard in range(SHARDS))
    ]
    states = [row["apisec_state"] for part in shards for row in part.rows]
    merged = tell("reduce", run(command, [], chunks_of(([state] for state in states), ["apisec_state"], 500)))
    whole = run(command, [], chunks_of(([row["apisec_state"]] for row in plain.rows), ["apisec_state"], 500))
    return {
        "events": count,
        "noop_per_second": round(count / nothing.cpu),
        "map_per_second": round(count / plain.cpu),
        "map_ratio_to_noop": round(nothing.cpu / plain.cpu, 3),
        "map_unique_per_second": round(count / once.cpu),
        "map_unique_ratio_to_noop": round(nothing.cpu / once.cpu, 3),
        "map_memory_mb": round(plain.memory),
        "map_unique_memory_mb": round(once.memory),
        "shards": SHARDS,
        "states": len(states),
        "states_mb": round(sum(map(len, states)) / 1e6, 1),
        "reduce_seconds": round(merged.cpu, 2),
        **agreement(traffic.truth, merged.rows, whole.rows),
    }


def agreement(truth: Truth, merged: list[dict[str, str]], whole: list[dict[str, str]]) -> dict[str, Any]:
    """Compare the shards' rows with one pass, field by field, and both with the exact figures."""
    worst = 0.0
    for row in merged:
        values = sorted(truth.latencies[row["operation"]])
        for label, share in SHARES:
            exact = values[int(share * (len(values) - 1))]
            worst = max(worst, abs(float(row[f"response_time_{label}"]) - exact) / exact)
    assert worst <= ERROR * 1.05, f"a quantile is {worst:.2%} off"
    counts = {row["operation"]: int(row["count"]) for row in merged}
    assert counts == truth.counts, "counts differ from the exact ones"
    return {
        "operations": len(merged),
        "rows_equal_to_one_pass": sum(one == other for one, other in zip(merged, whole, strict=True)),
        "counts_exact": sum(counts.values()),
        "quantiles_worst_error": round(worst, 5),
        "quantiles_bound": ERROR,
    }


def build(folder: Path) -> Path:
    """Build the app and unpack it; returns its bin."""
    command = [sys.executable, str(ROOT / "tools/build_app.py"), "--work", str(folder / "build"), "--dist", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as tar:
        tar.extractall(folder, filter="data")
    return folder / "apisec/bin"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=EVENTS, metavar="N")
    parser.add_argument("--json", action="store_true", help="write the figures as one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = measure(Traffic(), build(Path(folder)), options.events)
    if options.json:
        print(json.dumps(report))
    else:
        for name, value in report.items():
            print(f"{name:<28} {value:>12}")


if __name__ == "__main__":
    main()
