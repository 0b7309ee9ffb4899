"""``apisec-sandbox search``: one search over a file of events, without a server."""

from __future__ import annotations

import argparse
import csv
import json
import logging
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.spl.engine import Outcome
from apisec_sandbox.spl.times import strftime
from apisec_sandbox.spl.values import to_text
from apisec_sandbox.splunkd.apps import install
from apisec_sandbox.splunkd.home import Home
from apisec_sandbox.splunkd.indexes import Event, check_index_name
from apisec_sandbox.splunkd.jobs import Request
from apisec_sandbox.splunkd.server import Options, Splunkd

HELP = "Run one search over a file of events and print the result; no server is needed."
EPILOG = """\
example:
  apisec-sandbox search 'index=main status>=500 | stats count by uri_path' --data events.jsonl
  apisec-sandbox search '`apisec_index` | apisecscore' --data hec.jsonl --app dist/apisec-0.1.0.tar.gz --format json
A line of DATA is a HEC envelope ({"event": …, "time": …, "fields": …}) or an event of its own, as JSON
(its time from time, _time or timestamp).
"""
BATCH = 5000
TIME_NAMES = ("time", "_time", "timestamp")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("spl", metavar="SPL", help="the search; without a leading | it starts with the search command")
    parser.add_argument("--data", type=Path, metavar="FILE", help="events, one JSON object a line; - reads stdin")
    parser.add_argument("--app", type=Path, action="append", default=[], help="app to install first; may be repeated")
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table", help="(default: %(default)s)")
    parser.add_argument("--earliest", default="", metavar="TIME", help="as -1h@h or an epoch; open when not given")
    parser.add_argument("--latest", default="", metavar="TIME")
    parser.add_argument("--now", type=float, metavar="EPOCH", help="the time that -1h and now() count from")
    parser.add_argument("--index", default="main", help="index of events that name none (default: %(default)s)")
    parser.add_argument(
        "--sourcetype", default="_json", help="sourcetype of events that name none (default: %(default)s)"
    )
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="interpreter for custom commands")


def run(args: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="apisec-sandbox-") as scratch:
        home = Home(Path(scratch))
        apps = [install(path, home).name for path in args.app]
        splunkd = Splunkd(home, Options(python=args.python, schedule=False, with_tls=False))
        try:
            return _search(args, splunkd, apps)
        finally:
            splunkd.close()


def _search(args: argparse.Namespace, splunkd: Splunkd, apps: list[str]) -> int:
    splunkd.ensure_admin()
    check_index_name(args.index)
    if args.data:
        load(args, splunkd)
    if apps:  # custom commands may call back: give them a management port
        splunkd.start()
    request = Request(args.spl, apps[-1] if apps else "search", "admin", args.earliest, args.latest, args.now)
    _open_indexes(splunkd)
    job = splunkd.jobs.run(request)
    for kind, text in job.context.messages:
        print(f"{kind}: {text}", file=sys.stderr)
    if job.state != "DONE":
        print(job.error or job.state, file=sys.stderr)
        return 2
    WRITERS[args.format](job.outcome, sys.stdout)
    return 0


def _open_indexes(splunkd: Splunkd) -> None:
    """Search all indexes by default: the file is all there is."""
    splunkd.confs.write("authorize", "role_admin", {"srchIndexesDefault": "*"}, "system")


def load(args: argparse.Namespace, splunkd: Splunkd) -> int:
    """Index the file; return the number of events.

    Raises:
        SandboxError: a line is no JSON object; it names the line.
    """
    known = set(splunkd.index_names())
    batch: list[Event] = []
    number = 0
    for event in _events(args, time.time() if args.now is None else args.now):
        if event.index_name not in known:
            splunkd.confs.write("indexes", check_index_name(event.index_name), {"disabled": "0"}, "system")
            known.add(event.index_name)
        batch.append(event)
        number += 1
        if len(batch) >= BATCH:
            splunkd.store.append(batch)
            batch = []
    if batch:
        splunkd.store.append(batch)
    return number


def _events(args: argparse.Namespace, now: float) -> Iterator[Event]:
    try:
        with sys.stdin if str(args.data) == "-" else args.data.open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _event(line.strip(), number, args, now)
    except OSError as error:
        raise SandboxError(f"--data {args.data}: {error.strerror}") from error


def _event(line: str, number: int, args: argparse.Namespace, now: float) -> Event:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise SandboxError(f"{args.data}, line {number}: not JSON: {error}") from error
    if not isinstance(document, dict):
        raise SandboxError(f"{args.data}, line {number}: a JSON object is needed, an event or a HEC envelope")
    if "event" in document and not isinstance(document["event"], bool):
        return _envelope(document, args, now)
    when = next((document[name] for name in TIME_NAMES if name in document), None)
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    host, source = (
        str(document.get(name) or fallback) for name, fallback in (("host", "localhost"), ("source", "file"))
    )
    return Event(epoch(when, now), now, host, source, args.sourcetype, text, {}, args.index)


def _envelope(document: dict[str, Any], args: argparse.Namespace, now: float) -> Event:
    payload = document["event"]
    text = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    fields = document.get("fields") or {}
    indexed = {key: [str(v) for v in value] if isinstance(value, list) else str(value) for key, value in fields.items()}
    return Event(
        epoch(document.get("time"), now),
        now,
        str(document.get("host") or "localhost"),
        str(document.get("source") or "file"),
        str(document.get("sourcetype") or args.sourcetype),
        text,
        indexed,
        str(document.get("index") or args.index),
    )


def epoch(value: object, now: float) -> float:
    """Seconds since the epoch from a number, a text with a number, or an ISO 8601 text; else ``now``."""
    from datetime import UTC, datetime

    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return now
    try:
        return float(value)
    except ValueError:
        pass
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return now
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


# Output


def _shown(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "_time" and isinstance(value, (int, float)):
        return str(strftime(float(value), "%Y-%m-%d %H:%M:%S.%3N"))
    return to_text(value)


def _columns(outcome: Outcome) -> list[str]:
    """Leave out the internal fields of events, but for the time and the text."""
    kept = [name for name in outcome.header if not name.startswith("_") or name in ("_time", "_raw", "_key")]
    return [name for name in kept if name not in ("splunk_server", "linecount")] if outcome.events else kept


def write_table(outcome: Outcome, out: TextIO) -> None:
    columns = _columns(outcome)
    cells = [[_shown(name, row.get(name)) for name in columns] for row in outcome.rows]
    widths = [
        min(80, max([len(name), *(len(part) for row in cells for part in row[place].split("\n"))]))
        for place, name in enumerate(columns)
    ]
    out.write("  ".join(name.ljust(width) for name, width in zip(columns, widths, strict=True)).rstrip() + "\n")
    out.write("  ".join("-" * width for width in widths) + "\n")
    for row in cells:
        parts = [cell.split("\n") for cell in row]
        for line in range(max(map(len, parts), default=0)):
            texts = [part[line] if line < len(part) else "" for part in parts]
            padded = (text.ljust(width) for text, width in zip(texts, widths, strict=True))
            out.write("  ".join(padded).rstrip() + "\n")


def write_json(outcome: Outcome, out: TextIO) -> None:
    for row in outcome.rows:
        item = {name: _json(row[name]) for name in outcome.header if row.get(name) is not None}
        out.write(json.dumps(item, ensure_ascii=False) + "\n")


def _json(value: Any) -> Any:
    return [to_text(item) for item in value] if isinstance(value, list) else to_text(value)


def write_csv(outcome: Outcome, out: TextIO) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(outcome.header)
    for row in outcome.rows:
        writer.writerow([to_text(row[name]) if row.get(name) is not None else "" for name in outcome.header])


WRITERS = {"table": write_table, "json": write_json, "csv": write_csv}
