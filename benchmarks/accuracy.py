"""Accuracy: precision, recall and F1 per class and leaks, on generated traffic and on public specs, beside peers.

    python -m benchmarks.accuracy                              # the examination: both modes, and peers
    python -m benchmarks.accuracy --split development --failures 20
    python -m benchmarks.accuracy --specs FOLDER               # a folder of OpenAPI documents, JSON or YAML

The traffic goes through ``apisec-forwarder replay`` and is judged by the events that come out; benchmarks/README.md
says what is counted how.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.corpus import development, examination, former, peers, report, specs
from benchmarks.corpus.draft import Draft
from benchmarks.corpus.generate import transactions
from benchmarks.corpus.peers import DETECT_SECRETS, PRESIDIO, PeerMissing
from benchmarks.corpus.score import EventReader, Tally, count_leaks, score, strictly

SPLITS = {split.SPLIT.name: split.SPLIT for split in (development, examination, former)}
MODES = ("balanced", "strict")
FORWARDER = Path(sys.executable).with_name("apisec-forwarder")

PEERS_READ = 1000  # transactions: peers take milliseconds for each

Events = Mapping[str, Mapping[str, Any]]


def replay(traffic: Path, folder: Path, mode: str, engine: str = "auto") -> Events:
    """Send transactions through the forwarder's command in a mode, by an engine; return the events by id."""
    keys, config, events = folder / "keys.json", folder / f"{mode}.yaml", folder / f"{mode}.{engine}.jsonl"
    if not keys.exists():
        subprocess.run([str(FORWARDER), "keys", "generate", "--output", str(keys)], check=True, capture_output=True)
    config.write_text(
        "gateway: {name: bench, env: DEV}\n"
        f"services: [{{name: all, team: bench, hosts: ['*'], redaction: {mode}}}]\n"
        f"receiver: {{envoy: {{log: access.json}}}}\nkeys: {{file: {keys.name}}}\nspool: {{directory: spool}}\n"
        "hec: {url: 'https://splunk.example:8088', token_file: hec.token}\n"
    )
    command = [str(FORWARDER), "replay", "--engine", engine, "--input", str(traffic), "--output", str(events)]
    done = subprocess.run([*command, "--keys", str(keys), "--config", str(config)], stderr=subprocess.PIPE, text=True)
    for complaint, times in Counter(done.stderr.splitlines()).most_common(3):
        print(f"the forwarder said {times} times: {complaint}", file=sys.stderr)
    done.check_returncode()
    with traffic.open(encoding="utf-8") as sent, events.open(encoding="utf-8") as lines:
        # In the order of the traffic: an event's id is the forwarder's own affair.
        return {json.loads(line)["id"]: json.loads(event) for line, event in zip(sent, lines, strict=True)}


def evaluate(labels: Path, events: Events, mode: str) -> Tally:
    """Score events against labels."""
    tally = Tally()
    for answer in peers.answers(labels):
        reader = EventReader(events[answer["id"]], answer["labels"])
        score(tally, answer["labels"], reader, strict=mode == "strict")
        listed = answer["labels"] if mode != "strict" else [strictly(label) for label in answer["labels"]]
        count_leaks(tally, listed, reader)
    return tally


def write(drafts: Iterable[Draft], folder: Path) -> tuple[Path, Path]:
    """Write traffic, and its labels."""
    traffic, labels = folder / "traffic.jsonl", folder / "labels.jsonl"
    with traffic.open("w", encoding="utf-8") as sent, labels.open("w", encoding="utf-8") as answers:
        for draft in drafts:
            sent.write(draft.line() + "\n")
            answers.write(draft.answers() + "\n")
    return traffic, labels


def _of_specs(folder: Path, count: int) -> Iterable[Draft]:
    table = specs.read_labels()
    for path in sorted(folder.iterdir()):
        if path.suffix in (".json", ".yaml", ".yml"):
            yield from specs.transactions(path, table, count)


def agree(traffic: Path, folder: Path, mode: str) -> None:
    """Print how many events the two engines make differently, and the fields in which they do."""
    pure, native = (replay(traffic, folder, mode, engine) for engine in ("pure", "native"))
    differing = [(pure[name], native[name]) for name in pure if pure[name] != native[name]]
    fields = Counter(name for a, b in differing for name in {*a, *b} if a.get(name) != b.get(name))
    shown = ", ".join(f"{name} {times}" for name, times in fields.most_common(5))
    print(f"engines: {len(differing)} of {len(pure)} events differ" + (f" ({shown})" if shown else ""))


def compare(labels: Path, events: Events, folder: Path) -> None:
    """Print what Presidio and detect-secrets make of the same traffic; what cannot be installed is said."""
    some = folder / "peers.labels.jsonl"
    with labels.open(encoding="utf-8") as lines:
        some.write_text("".join(itertools.islice(lines, PEERS_READ)), encoding="utf-8")
    labels, ours = some, evaluate(some, events, MODES[0])
    try:
        theirs, threshold = peers.best(PRESIDIO, peers.run(PRESIDIO, labels), labels)
        version = PRESIDIO.requirements[0]
        print(f"\n{version}, all its pattern recognisers, at the threshold that serves it best ({threshold})")
        report.beside(ours, theirs, PRESIDIO.name, [name for name in PRESIDIO.classes if ours.planted[name]])
    except PeerMissing as error:
        print(f"not measured: {error}")
    try:
        found = peers.run(DETECT_SECRETS, labels)
        theirs, _ = peers.best(DETECT_SECRETS, found, labels, peers.secrets_only)
        print(f"\n{DETECT_SECRETS.requirements[0]}, all its plugins, secrets of any kind")
        report.beside(peers.secrets_of(events, labels), theirs, DETECT_SECRETS.name, ["secret"])
    except PeerMissing as error:
        print(f"not measured: {error}")


def examine(args: argparse.Namespace, folder: Path) -> None:
    """Write the traffic, send it through each mode, print the tables."""
    drafts = (
        _of_specs(args.specs, args.per_spec) if args.specs else transactions(SPLITS[args.split], args.count, args.seed)
    )
    title = f"public specs of {args.specs}" if args.specs else args.split
    traffic, labels = write(drafts, folder)
    for mode in (args.mode,) if args.mode else MODES:
        events = replay(traffic, folder, mode)
        tally = evaluate(labels, events, mode)
        print(f"\n{mode}, {title}, {len(events)} transactions")
        agree(traffic, folder, mode)
        report.coverage(events)
        report.classes(tally)
        report.strata(tally)
        report.targets(tally)
        if mode == MODES[0] or args.mode:
            if not args.specs:
                report.carriers(tally)
            report.failures(tally, args.failures)
            if args.peers:
                compare(labels, events, folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=sorted(SPLITS), default=examination.SPLIT.name)
    parser.add_argument("--count", type=int, help="transactions of a split (default: the split's own)")
    parser.add_argument("--seed", type=int, help="another draw of the same split (default: the split's own)")
    parser.add_argument("--specs", type=Path, metavar="FOLDER", help="OpenAPI documents, instead of a split")
    parser.add_argument("--per-spec", type=int, default=14, help="transactions of each document (default 14)")
    parser.add_argument("--mode", choices=MODES, help="one mode only (default: both)")
    parser.add_argument("--failures", type=int, default=0, metavar="N", help="show the N commonest failures of a kind")
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="leave Presidio and detect-secrets out")
    parser.add_argument("--folder", type=Path, help="keep traffic, labels and events here")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        examine(args, folder)


if __name__ == "__main__":
    main()
