"""Statistics over a million events: the search command line against a plain Python loop, as whole processes.

The loop does just what the search asks for, with a dict per event; ratios are of one run on one machine.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

EVENTS = int(os.environ.get("BENCH_EVENTS", "1000000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))  # alternating; the fastest counts
SPL = "search * | stats count avg(x) p95(x) dc(user) by endpoint"
LOOP = """
import json, sys
groups = {}
for line in open(sys.argv[1], encoding="utf-8"):
    event = json.loads(line)
    group = groups.get(event["endpoint"])
    if group is None:
        group = groups[event["endpoint"]] = {"count": 0, "sum": 0.0, "values": [], "users": set()}
    group["count"] += 1
    group["sum"] += event["x"]
    group["values"].append(event["x"])
    group["users"].add(event["user"])
for name in sorted(groups):
    group = groups[name]
    ordered = sorted(group["values"])
    high = ordered[int(0.95 * (len(ordered) - 1))]
    print(name, group["count"], group["sum"] / group["count"], high, len(group["users"]))
"""

EACH = """
import json, sys
groups = {{}}
for line in open(sys.argv[1], encoding="utf-8"):
    event = json.loads(line)
    if {condition}:
        key = {key}
        held = groups.setdefault(key, [0, 0.0])
        held[0] += 1
        held[1] += {summed}
for name in sorted(groups):
    print(name, *groups[name])
"""


def loop(key: str, condition: str = "True", summed: str = "0") -> str:
    """A plain loop that counts and sums by a key."""
    return EACH.format(key=key, condition=condition, summed=summed)


BY_ENDPOINT = "event['endpoint']"
EVERYDAY = {
    "search x>200 | stats count by endpoint": loop(BY_ENDPOINT, "event['x'] > 200"),
    "search * | where x>200 | stats count by endpoint": loop(BY_ENDPOINT, "event['x'] > 200"),
    "search * | stats count by id": loop("event['id']"),
    "search * | eval y=x*2 | stats avg(y) by endpoint": loop(BY_ENDPOINT, summed="event['x'] * 2"),
    'search * | rex field=endpoint "e(?<n>[0-9]+)$" | stats count by n': loop("event['endpoint'].rpartition('e')[2]"),
    "search * | timechart span=1h count by status": loop("(event['time'] // 3600, event['status'])"),
    "search status=404 user=u1* | stats count by endpoint": loop(
        BY_ENDPOINT, "event['status'] == 404 and event['user'].startswith('u1')"
    ),
}


def write_events(path: Path, number: int, wide: bool, envelope: bool = False) -> None:
    """Small events have six members, wide ones 1.2 KB in 26; each alone or in an envelope of HEC."""
    chance = random.Random(7)
    padding = {f"field_{place}": "v" * 40 for place in range(20)} if wide else {}
    with path.open("w", encoding="utf-8") as file:
        for place in range(number):
            event = {
                "time": 1_700_000_000 + place / 10,
                "endpoint": f"/api/v1/e{chance.randrange(50)}",
                "x": round(chance.lognormvariate(3, 1), 3),
                "user": f"u{chance.randrange(20_000)}",
                "status": chance.choice((200, 200, 404, 500)),
                "id": f"i{chance.randrange(max(1, number // 4))}",
            } | padding
            file.write(json.dumps({"time": event["time"], "event": event} if envelope else event) + "\n")


def measure(command: list[str]) -> tuple[float, float]:
    """Return seconds of processor time and the peak of memory in MB."""
    with Path(os.devnull).open("wb") as nothing:
        process = subprocess.Popen(command, stdout=nothing)
    _, status, used = os.wait4(process.pid, 0)
    assert status == 0, command
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def compare(name: str, path: Path, spl: str, program: str = LOOP) -> dict[str, float]:
    search = [sys.executable, "-m", "apisec_sandbox", "search", spl, "--data", str(path), "--output", "csv"]
    loop = [sys.executable, "-c", program, str(path)]
    rounds = [(measure(loop), measure(search)) for _ in range(ROUNDS)]
    own = min(one for _, (one, _) in rounds)
    theirs = min(one for (one, _), _ in rounds)
    found = {"loop s": theirs, "search s": own, "ratio": own / theirs, "peak MB": max(peak for _, (_, peak) in rounds)}
    print(f"{name:58}" + "  ".join(f"{key} {value:8.2f}" for key, value in found.items()), flush=True)
    return found


def main() -> None:
    results = {}
    with tempfile.TemporaryDirectory(prefix="bench-search-") as folder:
        tenth, all_of_them = Path(folder) / "tenth.jsonl", Path(folder) / "all.jsonl"
        write_events(tenth, EVENTS // 10, wide=False)
        write_events(all_of_them, EVENTS, wide=False)
        results["small, a tenth"] = compare(f"small events, {EVENTS // 10:,}", tenth, SPL)
        results["small"] = compare(f"small events, {EVENTS:,}", all_of_them, SPL)
        filtered = SPL.replace("*", "status=404")
        results["small, filtered"] = compare("the same, status=404 only", all_of_them, filtered)
        for spl, program in EVERYDAY.items():
            results[spl] = compare(spl, all_of_them, spl, program)
        write_events(all_of_them, EVENTS, wide=False, envelope=True)
        enveloped = LOOP.replace("json.loads(line)", 'json.loads(line)["event"]')
        results["small, in envelopes"] = compare("the same in envelopes of HEC", all_of_them, SPL, enveloped)
        write_events(tenth, EVENTS // 10, wide=True)
        results["wide, a tenth"] = compare(f"events of 1.2 KB, {EVENTS // 10:,}", tenth, SPL)
    print(json.dumps(results))


if __name__ == "__main__":
    main()
