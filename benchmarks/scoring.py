"""Events per second of apisecscore against a command that does nothing, on the same input in the same run.

    python -m benchmarks.scoring [--events N] [--accused 0.01] [--json]

The app is built, and its command is run as splunkd runs it: a process, protocol version 2, chunks of 50,000 records.
The command that does nothing is a streaming command of the same SDK that gives back what it gets. Anomalies of 500
campaigns come from a server that answers the search for them, as splunkd would; ``--accused`` of the principals are
their members. Twice: with the fields that Splunk has extracted, and with ``_raw`` and ``_time`` alone. Processor time.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks.inventory import Run, Traffic, build, chunks_of, run

EVENTS = 200_000
CAMPAIGNS = 500
NOOP = """
import sys
import import_declare_test
from splunklib.searchcommands import Configuration, StreamingCommand, dispatch
@Configuration(distributed=False)
class ApisecNoopCommand(StreamingCommand):
    def stream(self, records):
        yield from records
dispatch(ApisecNoopCommand, sys.argv, sys.stdin, sys.stdout, __name__)
"""
INFO = (
    '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:s="http://dev.splunk.com/ns/rest"><entry><content type="text/xml">'
    '<s:dict><s:key name="version">10.0.0</s:key></s:dict></content></entry></feed>'
)
FIELDS = ("service", "principal", "operation", "status", "action", "src")


def anomalies(events: Iterable[dict[str, Any]], accused: float, seed: int = 5) -> tuple[list[dict[str, Any]], set[str]]:
    """Return anomalies of campaigns, and their members: a share of the principals of the events."""
    chance = random.Random(seed)
    of = sorted({str(event["principal"]) for event in events})
    members = chance.sample(of, max(1, int(accused * len(of))))
    made = [
        {
            "campaign": f"c-{number:016x}", "family": "scraping", "service": "shop", "operation": "GET /v1/orders",
            "operations": ["GET /v1/orders"], "members": [chance.choice(members)], "member_count": 1, "score": 97.5,
            "first_time": 1_600_000_000.0, "last_time": 1_900_000_000.0, "seen": 900, "expected": 12,
            "unit": "objects in an hour", "basis": "peers",
            "reasons": ["read 900 different items in an hour; 12 are expected by what its peers do"],
        }
        for number in range(CAMPAIGNS)
    ]  # fmt: skip
    return made, set(members)


@contextlib.contextmanager
def splunkd(found: list[dict[str, Any]]) -> Iterator[str]:
    """Answer every search with these events; yields the address."""
    body = "\n".join(json.dumps({"result": {"_raw": json.dumps(one)}, "preview": False}) for one in found).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = INFO.encode() if "/server/info" in self.path else body
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_GET  # noqa: N815 - the server's name for it

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def rows_of(traffic: Traffic, count: int, fields: bool) -> Iterator[list[str]]:
    """Yield records as splunkd gives them."""
    for time, raw in traffic.records(count):
        event = json.loads(raw) if fields else {}
        yield [time, raw, *(str(event[name]) for name in FIELDS)] if fields else [time, raw]


def measure(bin_folder: Path, count: int, accused: float) -> dict[str, Any]:
    noop = bin_folder / "apisecnoop.py"
    noop.write_text(NOOP, encoding="utf-8")
    sample = (json.loads(raw) for _, raw in Traffic().records(20_000))
    found, members = anomalies(sample, accused)
    report: dict[str, Any] = {"events": count, "campaigns": CAMPAIGNS, "accused_principals": len(members)}
    with splunkd(found) as address:
        for name, fields in (("fields", True), ("raw", False)):
            header = ["_time", "_raw", *(FIELDS if fields else ())]
            nothing = run(noop, [], chunks_of(rows_of(Traffic(), count, fields), header))
            done = run(
                bin_folder / "apisecscore.py", [], chunks_of(rows_of(Traffic(), count, fields), header),
                splunkd_uri=address, session_key="none",
            )  # fmt: skip
            report |= figures(name, count, nothing, done)
            print(f"{name}: no-op {nothing.cpu:.1f} s, apisecscore {done.cpu:.1f} s", file=sys.stderr, flush=True)
    return report


def figures(name: str, count: int, nothing: Run, done: Run) -> dict[str, Any]:
    marked = sum(row["apisec_score"] != "0" for row in done.rows)
    assert len(done.rows) == len(nothing.rows) == count
    return {
        f"{name}_noop_per_second": round(count / nothing.cpu),
        f"{name}_score_per_second": round(count / done.cpu),
        f"{name}_ratio_to_noop": round(nothing.cpu / done.cpu, 3),
        f"{name}_marked": marked,
        f"{name}_memory_mb": round(done.memory),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=EVENTS, help="default: %(default)s")
    parser.add_argument("--accused", type=float, default=0.01, help="share of the principals (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="write the figures as one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-scoring-") as folder:
        report = measure(build(Path(folder)), options.events, options.accused)
    if options.json:
        print(json.dumps(report))
    else:
        for name, value in report.items():
            print(f"{name:<28} {value:>12}")


if __name__ == "__main__":
    main()
