"""``apisec-ml fetch``: events out of a Splunk, with progress on stderr."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from apisec_ml import splunk


def add_fetch(commands: Any) -> None:
    """Add ``fetch`` to the parser."""
    parser = commands.add_parser("fetch", help="export events from a Splunk")
    parser.add_argument("--url", required=True, help="management port: https://host:8089")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="mode 600 (default: SPLUNK_TOKEN)")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="certificates of the CA (default: the system's)")
    parser.add_argument("--index", default="apisec", help="default: %(default)s")
    parser.add_argument("--service", help="one service only")
    parser.add_argument("--earliest", default="-1d", metavar="TIME", help="-7d, ISO 8601 or seconds (default: -1d)")
    parser.add_argument("--latest", default="now", metavar="TIME", help="default: now")
    parser.add_argument("--slice", type=float, default=900.0, metavar="SECONDS", help="of one search (default: 900)")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="'-' is stdout")


def run_fetch(options: argparse.Namespace) -> None:
    """Export events to a file, with progress on stderr."""
    now = time.time()
    span = splunk.moment(options.earliest, now), splunk.moment(options.latest, now)
    access = splunk.Access.of(options.url, options.token_file, options.ca)
    search = splunk.search_of(options.index, options.service)

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
