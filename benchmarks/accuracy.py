"""Accuracy: precision, recall and F1 per class and leaks, on generated traffic and on public specs, beside peers.

    python -m benchmarks.accuracy [--split examination] [--count 4000] [--no-peers] [--strict]
    python -m benchmarks.accuracy --split development --failures 20
    python -m benchmarks.accuracy --specs FOLDER

The traffic goes through ``apisec-forwarder replay``, and is judged by the events that come out. benchmarks/README.md
says what is counted how.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.corpus import development, examination
from benchmarks.corpus.generate import transactions
from benchmarks.corpus.score import EventReader, Tally, count_leaks, score
from benchmarks.corpus.specs import read_labels
from benchmarks.corpus.specs import transactions as spec_transactions

SPLITS = {split.SPLIT.name: split.SPLIT for split in (development, examination)}
TARGETS = {"pci.pan": 0.99, "pii.ssn": 0.99, "fin.iban": 0.99, "pii.email": 0.99}
MAX_LEAK = 0.001
FORWARDER = Path(sys.executable).with_name("apisec-forwarder")


def replay(traffic: Path, events: Path, folder: Path, *, strict: bool) -> dict[str, Mapping[str, Any]]:
    """Send transactions through the forwarder's command; return events by id."""
    command = [str(FORWARDER), "replay", "--input", str(traffic), "--output", str(events)]
    keys = folder / "keys.json"
    if not keys.exists():
        subprocess.run([str(FORWARDER), "keys", "generate", "--output", str(keys)], check=True, capture_output=True)
    command += ["--keys", str(keys)]
    if strict:
        command += ["--config", str(_configuration(folder))]
    subprocess.run(command, check=True)
    with events.open(encoding="utf-8") as lines:
        return {event["id"]: event for event in map(json.loads, lines)}


def _configuration(folder: Path) -> Path:
    """Write a configuration in which the one service is redacted strictly."""
    path = folder / "strict.yaml"
    path.write_text(
        "gateway: {name: bench, env: DEV}\n"
        "services: [{name: all, team: bench, hosts: ['*'], redaction: strict}]\n"
        "receiver: {envoy: {log: access.json}}\nkeys: {file: keys.json}\nspool: {directory: spool}\n"
        "hec: {url: 'https://splunk.example:8088', token_file: hec.token}\n"
    )
    return path


def evaluate(labels: Path, events: Mapping[str, Mapping[str, Any]], *, strict: bool) -> Tally:
    """Score the events of a split against its labels."""
    tally = Tally()
    with labels.open(encoding="utf-8") as lines:
        for line in lines:
            answer = json.loads(line)
            reader = EventReader(events[answer["id"]], answer["labels"])
            score(tally, answer["labels"], reader, strict=strict)
            count_leaks(tally, answer["labels"], reader)
    return tally


def write(split: str, count: int, folder: Path) -> tuple[Path, Path]:
    """Write the traffic of a split, and its labels."""
    traffic, labels = folder / f"{split}.jsonl", folder / f"{split}.labels.jsonl"
    with traffic.open("w", encoding="utf-8") as sent, labels.open("w", encoding="utf-8") as answers:
        for draft in transactions(SPLITS[split], count):
            sent.write(draft.line() + "\n")
            answers.write(draft.answers() + "\n")
    return traffic, labels


def write_specs(specs: Path, count: int, folder: Path) -> tuple[Path, Path, int]:
    """Write the traffic of a folder of OpenAPI documents, and its labels; return the number of documents too."""
    traffic, labels = folder / "specs.jsonl", folder / "specs.labels.jsonl"
    table, used = read_labels(), 0
    with traffic.open("w", encoding="utf-8") as sent, labels.open("w", encoding="utf-8") as answers:
        for path in sorted(specs.iterdir()):
            if path.suffix not in (".json", ".yaml", ".yml"):
                continue
            used += 1
            for draft in spec_transactions(path, table, count):
                sent.write(draft.line() + "\n")
                answers.write(draft.answers() + "\n")
    return traffic, labels, used


def show(tally: Tally, title: str, only: set[str] | None = None) -> None:
    """Print the table of one reader."""
    print(f"\n{title}\n{'class':24}{'precision':>10}{'recall':>8}{'F1':>7}{'exact':>7}{'values':>8}{'leaked':>8}")
    names = set(tally.hits) | set(tally.missed) | set(tally.false)
    for name in sorted(names if only is None else names & only):
        precision, recall, f1 = tally.rates(name)
        exact = tally.exact[name] / tally.hits[name] if tally.hits[name] else 0.0
        print(
            f"{name:24}{precision:10.3f}{recall:8.3f}{f1:7.3f}{exact:7.2f}{tally.planted[name]:8}{tally.leaked[name]:8}"
        )
    precision, recall, f1 = tally.rates()
    print(
        f"{'micro':24}{precision:10.3f}{recall:8.3f}{f1:7.3f}{'':7}{sum(tally.planted.values()):8}{sum(tally.leaked.values()):8}"
    )
    if tally.planted:
        print(f"leak {tally.leak():.4%} of planted values (target {MAX_LEAK:.1%})")


def show_carriers(tally: Tally) -> None:
    print(f"\n{'carrier':22}{'found':>7}{'missed':>8}{'alarms':>8}{'leaked':>8}")
    for name, counts in sorted(tally.carriers.items()):
        print(f"{name:22}{counts['found']:7}{counts['missed']:8}{counts['false alarm']:8}{counts['leaked']:8}")


def show_failures(tally: Tally, limit: int) -> None:
    """Print the commonest failures of each kind, by what was planted under which name."""
    for kind in ("missed", "false alarm", "leaked"):
        kinds: Counter[tuple[str, str, str]] = Counter()
        carriers: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        for _, label, said in (failure for failure in tally.failures if failure[0] == kind):
            key = (label["format"].partition("|")[0], label["name"], ",".join(said) or "nothing")
            kinds[key] += 1
            carriers[key].add(label["carrier"])
        for (form, name, heard), number in kinds.most_common(limit):
            where = " ".join(sorted(carriers[form, name, heard])[:4])
            print(f"{number:5} {kind:12} {form:36} as {name!r}, said: {heard} ({where})")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=sorted(SPLITS), default="examination")
    parser.add_argument("--count", type=int, default=4000, help="transactions (default 4000)")
    parser.add_argument("--specs", type=Path, metavar="FOLDER", help="OpenAPI documents, instead of a split")
    parser.add_argument("--per-spec", type=int, default=14, help="transactions of each document (default 14)")
    parser.add_argument("--strict", action="store_true", help="redact strictly: a checksum alone is enough")
    parser.add_argument("--failures", type=int, default=0, metavar="N", help="show the N commonest failures")
    parser.add_argument("--folder", type=Path, help="keep traffic, labels and events here")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if args.specs:
            traffic, labels, used = write_specs(args.specs, args.per_spec, folder)
            title = f"{used} public specs"
        else:
            traffic, labels = write(args.split, args.count, folder)
            title = f"{args.split}, {args.count} transactions"
        events = replay(traffic, folder / "events.jsonl", folder, strict=args.strict)
        tally = evaluate(labels, events, strict=args.strict)
    show(tally, f"apisec, {'strict' if args.strict else 'balanced'}: {title}")
    if not args.specs:
        show_carriers(tally)
    if args.failures:
        show_failures(tally, args.failures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
