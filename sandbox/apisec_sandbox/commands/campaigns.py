"""``apisec-sandbox campaigns``: weeks of ordinary API traffic with labelled attacks, to measure detections on."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from apisec_sandbox.errors import SandboxError

HELP = "generate weeks of ordinary traffic of many APIs with labelled attack campaigns"
EXAMPLE = """\
examples:
  apisec-sandbox campaigns --output /tmp/dev --weeks 2                        # events of sourcetype apisec:transaction
  apisec-sandbox campaigns --output /tmp/varied --split varied --seed 7 --apps 4   # APIs that nobody has seen before
  apisec-sandbox campaigns --output /tmp/held --split heldout --seed 9 --weeks 4 --scale 3 --shard 1/4
  apisec-sandbox campaigns --output /tmp/raw --weeks 0.2 --format both        # and what a gateway would have copied:
  cd /tmp/raw && mkdir -m 700 spool && apisec-forwarder replay --config forwarder.yaml --keys keys.json \\
      --input transactions.jsonl --output shipped.jsonl                       # the same events, by the forwarder

files in OUTPUT:
  events.jsonl        one event a line, in order of time
  transactions.jsonl  what `apisec-forwarder replay` reads, with forwarder.yaml, keys.json and openapi_*.json beside it
  labels.jsonl        a line an event: id, actor, persona, campaign, family, style (null: ordinary), cover
  report.json         what was generated, and each campaign with its first and last event
"""
MAX_WEEKS, MAX_SCALE, MAX_APPS, MAX_SHARDS = 104.0, 1_000.0, 256, 256
START = "2026-01-05T00:00:00+00:00"  # a Monday; fixed, so that a seed gives the same bytes on any day


def _epoch(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as {START}") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _shard(text: str) -> tuple[int, int]:
    number, _, count = text.partition("/")
    if not (number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count) <= MAX_SHARDS):
        raise argparse.ArgumentTypeError(f"{text!r} is not K/N with 1 <= K <= N <= {MAX_SHARDS}")
    return int(number) - 1, int(count)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="where the files go")
    parser.add_argument(
        "--format", choices=("events", "transactions", "both"), default="events", help="default: %(default)s"
    )
    parser.add_argument("--keys", type=Path, metavar="FILE", help="a forwarder's key file (default: a key of the seed)")
    what = parser.add_argument_group("what")
    what.add_argument(
        "--split",
        choices=("dev", "varied", "heldout"),
        default="dev",
        help="APIs, people and attackers: to develop on, drawn anew by each seed, to measure on (default: %(default)s)",
    )
    what.add_argument("--seed", default="1", help="same seed, same bytes (default: %(default)s)")
    what.add_argument("--families", type=_names, metavar="A,B", help="of attacks; 'none' for ordinary traffic only")
    what.add_argument("--styles", type=_names, metavar="A,B", help="loud, slow, distributed, mimic (default: all)")
    size = parser.add_argument_group("how much")
    size.add_argument("--weeks", type=float, default=1.0, help="default: %(default)s")
    size.add_argument("--scale", type=float, default=1.0, help="people and devices of an API (default: %(default)s)")
    size.add_argument(
        "--apps", type=int, default=8, help="APIs; from 9 on more of the same kinds (default: %(default)s)"
    )
    size.add_argument(
        "--attacks", type=float, default=8.0, metavar="N", help="campaigns an API and week (default: %(default)s)"
    )
    size.add_argument("--start", type=_epoch, default=START, help="time of the first second (default: %(default)s)")
    size.add_argument(
        "--shard", type=_shard, default=(0, 1), metavar="K/N", help="only the Kth of N parts; all parts are the whole"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def _chosen(given: tuple[str, ...] | None, known: tuple[str, ...], option: str) -> tuple[str, ...]:
    if given is None:
        return known
    if given == ("none",):
        return ()
    for name in given:
        if name not in known:
            raise SandboxError(f"{option}: unknown {name!r}; choose from {', '.join(known)}")
    return given


def _check(args: argparse.Namespace) -> None:
    bounds = (("weeks", 0.01, MAX_WEEKS), ("scale", 0.01, MAX_SCALE), ("apps", 1, MAX_APPS), ("attacks", 0, 1_000))
    for name, low, high in bounds:
        value = getattr(args, name)
        if not (math.isfinite(value) and low <= value <= high):
            raise SandboxError(f"--{name} must be from {low:g} to {high:g}, not {value:g}")


def run(args: argparse.Namespace) -> int:
    """Exit code 0; 1 when a file cannot be written; 2 for bad arguments."""
    from apisec_sandbox.campaigns import report
    from apisec_sandbox.campaigns.attacks import FAMILIES, STYLES
    from apisec_sandbox.campaigns.run import Folder, Settings, write
    from apisec_sandbox.campaigns.values import Tokens

    _check(args)
    settings = Settings(
        split=args.split,
        seed=args.seed,
        start=args.start,
        weeks=args.weeks,
        scale=args.scale,
        apps=args.apps,
        attacks=args.attacks,
        families=_chosen(args.families, FAMILIES, "--families"),
        styles=_chosen(args.styles, STYLES, "--styles"),
        shard=args.shard[0],
        shards=args.shard[1],
    )
    tokens = Tokens.load(args.keys) if args.keys else Tokens.of_seed(args.seed)
    formats = ("events", "transactions") if args.format == "both" else (args.format,)
    began = time.process_time()
    try:
        made = write(settings, tokens, args.output, formats)
        found = report.document(made, settings)
        Folder(args.output, settings).write("report.json", found)
    except OSError as error:
        print(f"campaigns: {error}", file=sys.stderr)
        return 1
    seconds = time.process_time() - began
    print(json.dumps(found, indent=1) if args.json else report.table(found))
    print(f"{found['events'] / max(seconds, 1e-3):,.0f} events a second of CPU time", file=sys.stderr)
    return 0
