"""``apisec-ml fetch``: events or anomalies out of a Splunk, with progress on stderr."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import IO, Any

from apisec_ml import splunk

DAY = 86400.0  # seconds of one search for anomalies, which are few


def add_access(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """Add what says which Splunk, and what of it."""
    parser.add_argument("--url", required=required, help="management port: https://host:8089")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="mode 600 (default: SPLUNK_TOKEN)")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="certificates of the CA (default: the system's)")
    parser.add_argument("--index", default="apisec", help="default: %(default)s")
    parser.add_argument("--service", help="one service only")
    parser.add_argument("--earliest", default="-1d", metavar="TIME", help="-7d, ISO 8601 or seconds (default: -1d)")
    parser.add_argument("--latest", default="now", metavar="TIME", help="default: now")
    parser.add_argument("--slice", type=float, default=900.0, metavar="SECONDS", help="of one search (default: 900)")


def add_fetch(commands: Any) -> None:
    """Add ``fetch`` to the parser."""
    parser = commands.add_parser("fetch", help="export events from a Splunk")
    add_access(parser, required=True)
    parser.add_argument("--anomalies", action="store_true", help="what detection told, in place of transactions")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="'-' is stdout")


def span_of(options: argparse.Namespace) -> tuple[float, float]:
    """Return the time that is asked for (seconds since the epoch)."""
    now = time.time()
    return splunk.moment(options.earliest, now), splunk.moment(options.latest, now)


def anomalies_of(options: argparse.Namespace, output: IO[bytes]) -> int:
    """Write what detection told in a Splunk; return how many transactions there were meanwhile."""
    access = splunk.Access.of(options.url, options.token_file, options.ca)
    span = span_of(options)
    search = splunk.search_of(options.index, options.service, splunk.ANOMALIES)
    splunk.fetch(access, search, span, output, lambda *_: None, max(options.slice, DAY))
    return splunk.count(access, options.index, options.service, span)


def run_fetch(options: argparse.Namespace) -> None:
    """Export events to a file, with progress on stderr."""
    span = span_of(options)
    access = splunk.Access.of(options.url, options.token_file, options.ca)
    sourcetype = splunk.ANOMALIES if options.anomalies else splunk.SOURCETYPE
    search = splunk.search_of(options.index, options.service, sourcetype)

    def told(share: float, count: int) -> None:
        print(f"\r{share:4.0%} {count:,} events", end="", file=sys.stderr, flush=True)

    if str(options.output) == "-":
        splunk.fetch(access, search, span, sys.stdout.buffer, told, options.slice)
    else:
        part = options.output.with_name(options.output.name + ".part")
        with part.open("wb") as file:
            splunk.fetch(access, search, span, file, told, options.slice)
        part.replace(options.output)
    print(file=sys.stderr)
