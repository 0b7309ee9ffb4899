"""``apisec-sandbox traffic``: ordinary users and attackers against the sample web shop."""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO
from urllib.parse import urlsplit

from apisec_sandbox.sample_api.loopback import is_loopback

if TYPE_CHECKING:
    from apisec_sandbox.traffic.cast import Plan
    from apisec_sandbox.traffic.report import Planted, Tally

HELP = "generate traffic to the sample web shop: ordinary users with habits, and attackers among them"
ATTACKS = ("enumerate", "skip", "inject", "replay")
DAY = 86_400.0
LIVE_SECONDS = 60.0
ATTACK_SHARE = 0.2  # of the duration passes before attackers attack, unless --attack-after says otherwise
MAX_SECONDS = 31 * DAY
MAX_RATE = 5_000.0
OFFLINE_START = "2026-01-05T00:00:00+00:00"  # a Monday; fixed, so that a seed gives the same bytes on any day
ID_STYLES = {"train": "numeric", "heldout": "prefixed"}

EXAMPLE = """\
examples:
  apisec-sandbox traffic --url https://127.0.0.1:8443 --ca-file ca.pem --users 60 --rate 40 --duration 60 \\
      --attackers enumerate,skip,inject,replay --report report.jsonl --planted planted.jsonl
  apisec-sandbox traffic --offline --duration 86400 --users 60 --attackers enumerate,skip --style heldout \\
      --seed 7 --output traffic.jsonl --labels labels.jsonl
"""


class UsageError(Exception):
    """An argument cannot be used; the message names it and the remedy."""


def _attackers(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in ATTACKS:
            raise argparse.ArgumentTypeError(f"unknown attack {name!r}; choose from {', '.join(ATTACKS)}")
    return names


def _epoch(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as {OFFLINE_START}") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    who = parser.add_argument_group("who takes part")
    who.add_argument("--users", type=int, default=60, help="ordinary users, staff and machines (default: %(default)s)")
    who.add_argument(
        "--attackers", type=_attackers, default=(), metavar="A,B", help=f"any of {','.join(ATTACKS)}; repeats allowed"
    )
    who.add_argument(
        "--attack-after", type=float, metavar="S", help="seconds of ordinary behaviour first (default: a fifth)"
    )
    who.add_argument("--seed", type=int, default=1, help="selects people, values and habits (default: %(default)s)")
    who.add_argument(
        "--style",
        choices=("train", "heldout"),
        default="train",
        help="formats of values and ways of attack (default: %(default)s)",
    )
    how = parser.add_argument_group("how much")
    how.add_argument("--rate", type=float, help="arrivals per second (live: 40; offline: as the users' habits have it)")
    how.add_argument("--duration", type=float, metavar="S", help="seconds (live: 60; offline: 86400, simulated)")
    how.add_argument(
        "--max-requests", type=int, default=1_000_000, metavar="N", help="stop after N (default: %(default)s)"
    )
    live = parser.add_argument_group("live")
    live.add_argument("--url", help="the gateway or the API, on a loopback address: https://127.0.0.1:8443")
    live.add_argument("--ca-file", type=Path, help="CA of the gateway's certificate, PEM")
    live.add_argument("--host", help="Host header to send (default: the URL's)")
    live.add_argument("--report", type=Path, metavar="FILE", help="JSON line per request, written as replies come")
    live.add_argument("--stop-file", type=Path, metavar="FILE", help="stop as soon as this file exists")
    live.add_argument("--attack-file", type=Path, metavar="FILE", help="attackers attack once this file exists")
    offline = parser.add_argument_group("offline")
    offline.add_argument("--offline", action="store_true", help="in this process, on a simulated clock; needs --output")
    offline.add_argument("--output", type=Path, metavar="FILE", help="JSON line per transaction, sorted by time")
    offline.add_argument(
        "--labels", type=Path, metavar="FILE", help="JSON line per transaction: id, actor, kind, attack"
    )
    offline.add_argument(
        "--start", type=_epoch, default=OFFLINE_START, help="time of the first second (default: %(default)s)"
    )
    offline.add_argument(
        "--id-style", choices=("numeric", "prefixed", "uuid"), help="ids of the shop (default: by style)"
    )
    parser.add_argument(
        "--planted", type=Path, metavar="FILE", help="JSON line per sensitive value: value, class, where"
    )
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def _check(args: argparse.Namespace) -> None:
    """Raise UsageError for what argparse cannot know."""
    if args.offline == bool(args.url):
        raise UsageError("give either --url (live) or --offline")
    wrong = (
        ("report", "stop_file", "attack_file", "ca_file", "host") if args.offline else ("output", "labels", "id_style")
    )
    for name in wrong:
        if getattr(args, name) is not None:
            raise UsageError(f"--{name.replace('_', '-')} is only for {'live' if args.offline else 'offline'} traffic")
    if args.offline and not args.output:
        raise UsageError("--offline needs --output FILE")
    bounds = (
        ("users", 5, 5_000),
        ("rate", 1e-3, MAX_RATE),
        ("duration", 1e-3, MAX_SECONDS),
        ("max_requests", 1, 10**8),
    )
    for name, low, high in (*bounds, ("attack_after", 0, MAX_SECONDS)):
        value = getattr(args, name)
        if value is not None and not (math.isfinite(value) and low <= value <= high):
            raise UsageError(f"--{name.replace('_', '-')} must be from {low:g} to {high:g}, not {value:g}")
    if len(args.attackers) > 50:
        raise UsageError("--attackers: at most 50")
    if args.url:
        _check_url(args.url)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"--url {url}: {error}") from error
    if parts.scheme not in ("http", "https") or not host or parts.path.strip("/") or parts.query:
        raise UsageError(f"--url {url}: must be http(s)://HOST:PORT")
    if not is_loopback(host):
        raise UsageError(f"--url {url}: not a loopback address; this generator attacks, so it never leaves the machine")


def _plan(args: argparse.Namespace) -> Plan:
    from apisec_sandbox.traffic.cast import Plan

    return Plan(args.seed, args.style, args.users, args.attackers)


@contextlib.contextmanager
def _writing(path: Path | None) -> Iterator[TextIO | None]:
    """Open for writing with mode 600, since the files hold planted secrets and tokens."""
    if path is None:
        yield None
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
        yield file


def _run_offline(args: argparse.Namespace) -> tuple[Tally, Planted, dict[str, Any]]:
    from apisec_sandbox.traffic import offline

    duration = args.duration or DAY
    settings = offline.Offline(
        plan=_plan(args),
        start=args.start,
        duration=duration,
        attack_after=duration * ATTACK_SHARE if args.attack_after is None else args.attack_after,
        rate=args.rate,
        id_style=args.id_style or ID_STYLES[args.style],
        max_requests=args.max_requests,
    )
    with _writing(args.output) as output, _writing(args.labels) as labels, _writing(args.planted) as planted:
        assert output is not None
        return (*offline.run(settings, output, labels, planted), {})


def _run_live(args: argparse.Namespace) -> tuple[Tally, Planted, dict[str, Any]]:
    from apisec_sandbox.traffic import live

    duration = args.duration or LIVE_SECONDS
    settings = live.Live(
        plan=_plan(args),
        url=args.url.rstrip("/"),
        ca_file=args.ca_file,
        host=args.host,
        rate=args.rate or 40.0,
        duration=duration,
        attack_after=duration * ATTACK_SHARE if args.attack_after is None else args.attack_after,
        max_requests=args.max_requests,
        stop_file=args.stop_file,
        attack_file=args.attack_file,
    )
    with _writing(args.report) as report, _writing(args.planted) as planted:
        run, plants = live.run_live(settings, report, planted)
    return run.tally, plants, {"missed_arrivals": run.missed}


def run(args: argparse.Namespace) -> int:
    """Exit code 0; 1 when no request was answered or a file cannot be written; 2 for bad arguments."""
    from apisec_sandbox.traffic.report import table

    try:
        _check(args)
        tally, planted, extra = _run_offline(args) if args.offline else _run_live(args)
    except UsageError as error:
        print(f"traffic: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # ssl.SSLError is one: a CA file that is none
        print(f"traffic: {error}", file=sys.stderr)
        return 1
    summary = {**tally.document(), **extra, "planted": dict(sorted(planted.by_class.items()))}
    if args.json:
        print(json.dumps(summary, indent=2))
    else:
        print(table(tally))
        print(
            f"planted values: {sum(planted.by_class.values())}",
            *(f"{key} {value}" for key, value in extra.items()),
            sep=", ",
        )
    if summary["errors"] == summary["requests"]:
        print(f"traffic: nothing answered at {args.url}; is it running?", file=sys.stderr)
        return 1
    return 0
