"""Events per second of apisecactivity against a command that does nothing; the engine's time for a window.

    python -m benchmarks.activity [--events N] [--principals N] [--file events.jsonl] [--json]

As `inventory`: the built app's commands are run as splunkd runs them, on the same input in the same run, measured by
the processor time of their processes; then 8 map processes and one reduce have to give the rows of one map. ``--file``
takes events of one's own (of the simulator, `apisec-sandbox campaigns`) in place of those that are made here. Within
this process, reading an event's JSON and counting it are told apart. At last windows of many principals go through the
engine, as the input apisec_detection takes them: documents read, rows judged and learned, documents written.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from apisec.abuse.engine import CAMPAIGNS, EXPECTATIONS, PROFILES, Engine
from apisec.activity import Activity, Row
from apisec.endpoints.inventory import read
from benchmarks.inventory import NOOP, SHARDS, Traffic, build, chunks_of, run

EVENTS = 200_000
PRINCIPALS = 20_000
START = 5_900_000  # slot
HEADER = ["_time", "_raw"]
Source = Callable[[int, int], Iterator[tuple[str, str]]]  # shard, shards: time and text


def made(count: int) -> Source:
    traffic = Traffic()
    return lambda shard, shards: traffic.records(count, shard, shards)


def from_file(path: Path, count: int) -> Source:
    def records(shard: int, shards: int) -> Iterator[tuple[str, str]]:
        with path.open(encoding="utf-8") as lines:
            for line in itertools.islice(lines, shard, count, shards):
                yield f"{json.loads(line)['time']:.3f}", line.rstrip("\n")

    return records


def commands(source: Source, folder: Path, count: int) -> dict[str, Any]:
    """Measure the processes of a map phase and of a reduce."""
    bin_folder = build(folder)
    activity, noop = bin_folder / "apisecactivity.py", bin_folder / "apisecnoop.py"
    noop.write_text(NOOP, encoding="utf-8")
    size = sum(len(text) for _, text in source(0, 1))
    nothing = run(noop, ["phase=map"], chunks_of(source(0, 1), HEADER))
    inventory = run(bin_folder / "apisecinventory.py", ["phase=map"], chunks_of(source(0, 1), HEADER))
    plain = run(activity, ["phase=map"], chunks_of(source(0, 1), HEADER))
    once = run(activity, ["phase=map", "unique=true"], chunks_of(source(0, 1), HEADER))
    shards = [run(activity, ["phase=map"], chunks_of(source(n, SHARDS), HEADER)) for n in range(SHARDS)]
    sent = [row for part in shards for row in part.rows]
    together = run(activity, ["output=state"], _rows(sent))
    whole = run(activity, ["output=state"], _rows(plain.rows))
    assert together.rows == whole.rows, "the shards' rows differ from those of one pass"
    return {
        "events": count,
        "bytes_per_event": round(size / count),
        "noop_per_second": round(count / nothing.cpu),
        "inventory_ratio_to_noop": round(nothing.cpu / inventory.cpu, 3),
        "map_per_second": round(count / plain.cpu),
        "map_ratio_to_noop": round(nothing.cpu / plain.cpu, 3),
        "map_unique_ratio_to_noop": round(nothing.cpu / once.cpu, 3),
        "map_memory_mb": round(plain.memory),
        "rows": len(whole.rows),
        "bytes_per_row": round(sum(len(row["apisec_row"]) for row in whole.rows) / len(whole.rows)),
        "rows_share_of_events": round(sum(len(row["apisec_row"]) for row in whole.rows) / size, 3),
        "sent_by_shards": len(sent),
        "reduce_seconds": round(together.cpu, 2),
        "rows_equal_to_one_pass": len(together.rows),
    }


def _rows(rows: Iterable[dict[str, str]]) -> Iterator[bytes]:
    names = ["service", "principal", "slot", "apisec_row"]
    return chunks_of(([row[name] for name in names] for row in rows), names, 5000)


def parts(source: Source, count: int) -> dict[str, Any]:
    """Measure reading and counting within this process, in microseconds an event."""
    texts = [text for _, text in source(0, 1)]
    events = [read(text) for text in texts]
    gc.collect()
    gc.freeze()
    activity = Activity()
    began = time.process_time()
    for text in texts:
        read(text)
    read_in = time.process_time() - began
    began = time.process_time()
    for event in events:
        if event is not None:
            activity.add(event)
    added = time.process_time() - began
    began = time.process_time()
    rows = activity.rows()
    documents = [json.dumps(row.to_document(), separators=(",", ":")) for row in rows]
    written = time.process_time() - began
    micro = 1e6 / count
    return {
        "read_us_per_event": round(read_in * micro, 1),
        "add_us_per_event": round(added * micro, 1),
        "rows_us_per_event": round(written * micro, 1),
        "row_us_each": round(written * 1e6 / len(documents), 1),
    }


def window(principals: int, slot: int) -> list[Row]:
    """Rows of one slot: visits of one to nine requests to some of 60 operations."""
    chance = random.Random(slot)
    activity = Activity()
    for who in range(principals):
        for n in range(chance.randint(1, 9)):
            number = chance.randrange(60)
            path = f"/v1/r{number % 12}" + ("/{r_id}" if number % 3 else "")
            activity.add(
                {
                    "id": f"{slot}-{who}-{n}", "time": (START + slot) * 300 + chance.uniform(0, 299), "service": "shop",
                    "team": "shop", "operation": f"GET {path}", "http_method": "GET", "status": 200,
                    "action": "allowed", "principal": f"~principal~{who:016x}~", "principal_kind": "jwt",
                    "auth_token": f"~secret.jwt~{who:016x}~", "session": f"~secret.session~{who:016x}~",
                    "src": f"198.51.{who % 250}.{who // 250}", "http_user_agent": "Mozilla/5.0 Chrome/140.0",
                    "object_ids": [f"r_id={who * 10 + n}"] if number % 3 else [], "bytes_out": 900,
                    "response_body": json.dumps({"id": who * 10 + n, "next": who * 10 + n + 1}),
                }
            )  # fmt: skip
    return activity.rows()


def detection(principals: int) -> dict[str, Any]:
    """Judge two windows, the second one with what the first one left in the store."""
    report: dict[str, Any] = {"principals": principals}
    stored: dict[str, dict[str, str]] = {kind: {} for kind in (PROFILES, CAMPAIGNS, EXPECTATIONS)}
    for slot in range(2):
        texts = [json.dumps(row.to_document()) for row in window(principals, slot)]
        gc.collect()
        began = time.process_time()
        rows = [Row.from_document(json.loads(text)) for text in texts]
        parsed = time.process_time()
        engine = Engine({kind: map(json.loads, stored[kind].values()) for kind in (CAMPAIGNS, EXPECTATIONS)})
        held = stored[PROFILES]
        engine.load(json.loads(held[key]) for key in Engine.keys(rows) if key in held)
        loaded = time.process_time()
        engine.advance(rows, (START + slot + 1) * 300.0)
        judged = time.process_time()
        documents = engine.documents()
        for kind, listed in documents.items():
            stored[kind].update((one["_key"], json.dumps(one, separators=(",", ":"))) for one in listed)
        written = time.process_time()
        report.update(
            rows_read_seconds=round(parsed - began, 2),
            state_read_seconds=round(loaded - parsed, 2),
            engine_seconds=round(judged - loaded, 2),
            state_written_seconds=round(written - judged, 2),
            peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,  # of this process, all steps together
            documents=sum(map(len, documents.values())),
            documents_mb=round(sum(len(text) for kind in stored.values() for text in kind.values()) / 1e6, 1),
        )
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=EVENTS, metavar="N")
    parser.add_argument("--principals", type=int, default=PRINCIPALS, metavar="N")
    parser.add_argument("--file", type=Path, help="events, one JSON object a line")
    parser.add_argument("--json", action="store_true", help="write the figures as one JSON object")
    options = parser.parse_args()
    source = from_file(options.file, options.events) if options.file else made(options.events)
    with tempfile.TemporaryDirectory() as folder:
        report = commands(source, Path(folder), options.events)
    report.update(parts(source, options.events))
    report.update(detection(options.principals))
    if options.json:
        print(json.dumps(report))
    else:
        for name, value in report.items():
            print(f"{name:<28} {value:>12}")


if __name__ == "__main__":
    main()
