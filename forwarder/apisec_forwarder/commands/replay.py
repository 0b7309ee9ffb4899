"""``apisec-forwarder replay``: recorded traffic in, the events that would be shipped out."""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from apisec.errors import ApisecError, DocumentError
from apisec.model.transaction import Transaction
from apisec.redaction.keys import KeyRing, Tokenizer
from apisec_forwarder import config, keys
from apisec_forwarder.pipeline import ENGINES, UNASSIGNED, PipelineSettings, Service, engine, envelope
from apisec_forwarder.receivers import har, jsonl

HELP = "write the events that recorded traffic (HAR 1.2 or JSON lines) would become"

EPILOG = """examples:
  apisec-forwarder replay --input traffic.har --output events.jsonl
  apisec-forwarder replay --input - --output - --keys keys.json < transactions.jsonl

a JSON line:
  {"time": 1767225600.5, "client": {"address": "203.0.113.7"},
   "request": {"method": "POST", "url": "https://shop.example/login", "headers": {"content-type":
   "application/json"}, "body": "{\\"user\\": \\"ada\\", \\"password\\": \\"hunter2\\"}"},
   "response": {"status": 401, "headers": [["content-type", "text/plain"]], "body": "no"}}

A line that cannot be read is named on stderr; the others still come out, and the exit code is 1.
"""
PROGRESS_EVERY = 1000  # transactions

_HAR_HEAD = re.compile(rb'\A(?:\xef\xbb\xbf)?\s*\{\s*"log"\s*:')


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--input", metavar="FILE", required=True, help="HAR 1.2 or JSON lines; - is stdin")
    parser.add_argument("--output", metavar="FILE", required=True, help="one JSON object a line; - is stdout")
    parser.add_argument("--keys", metavar="FILE", type=Path, help="key file; without it tokens hold for this run only")
    parser.add_argument("--config", metavar="FILE", type=Path, help="the forwarder's configuration: services, teams")
    parser.add_argument("--service", metavar="NAME", help="the service all of it belongs to, without --config")
    parser.add_argument("--engine", choices=ENGINES, default="auto", help="what makes the events; they are the same")
    parser.add_argument("--format", choices=("event", "hec"), default="event", help="hec: with the HEC envelope")


def run(args: argparse.Namespace) -> int:
    settings = _settings(args)
    pipeline = engine(settings, Tokenizer(_keyring(args.keys)), args.engine, cache=_cache())
    failures = done = 0
    with ExitStack() as stack:
        source = _input(args.input, stack)
        sink = _output(args.output, stack)
        for item in _transactions(source, args.input):
            if isinstance(item, DocumentError):
                failures += 1
                print(f"apisec-forwarder: error: {item}", file=sys.stderr)
                continue
            event = pipeline.process(item)
            record = envelope(event, settings) if args.format == "hec" else event
            sink.write(json.dumps(record, ensure_ascii=True, separators=(",", ":")) + "\n")
            done += 1
            if done % PROGRESS_EVERY == 0:
                _progress(done)
    _progress(done, end="\n")
    if failures:
        print(f"apisec-forwarder: {failures} not read, {done} written", file=sys.stderr)
    return 1 if failures else 0


def _settings(args: argparse.Namespace) -> PipelineSettings:
    if args.config:
        if args.service:
            raise ApisecError("--service does not go with --config: the configuration names the services")
        return config.pipeline_settings(config.load(args.config))
    services = (Service(args.service, UNASSIGNED),) if args.service else ()
    return PipelineSettings(gateway="replay", env="DEV", services=services)


def _keyring(path: Path | None) -> KeyRing:
    if path is not None:
        return keys.load(path)
    print("apisec-forwarder: no --keys: using an ephemeral key, tokens hold for this run only", file=sys.stderr)
    return KeyRing.parse(keys.generate())


def _input(name: str, stack: ExitStack) -> io.BufferedReader:
    if name == "-":
        return stack.enter_context(open(sys.stdin.fileno(), "rb", closefd=False))
    try:
        return stack.enter_context(Path(name).open("rb"))
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror}", where=name) from None


def _output(name: str, stack: ExitStack) -> TextIO:
    if name == "-":
        return sys.stdout
    try:
        return stack.enter_context(Path(name).open("w", encoding="utf-8"))
    except OSError as error:
        raise DocumentError(f"cannot be written: {error.strerror}", where=name) from None


def _cache() -> Path | None:
    """Return this user's folder for compiled patterns (XDG Base Directory Specification); None without a home."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    home = os.environ.get("HOME", "")
    base = Path(named) if Path(named).is_absolute() else Path(home, ".cache") if Path(home).is_absolute() else None
    if base is None or not os.access(base if base.exists() else base.parent, os.W_OK):
        return None
    return base / "apisec"


def _transactions(source: io.BufferedReader, name: str) -> Iterator[Transaction | DocumentError]:
    """Tell HAR from JSON lines by the first bytes; lines are streamed, an archive is read whole."""
    shown = "stdin" if name == "-" else name
    if not _HAR_HEAD.match(_peek(source)):
        return jsonl.transactions(source, shown)
    raw = source.read(har.MAX_BYTES + 1)
    if len(raw) > har.MAX_BYTES:
        raise DocumentError(f"archive is larger than {har.MAX_BYTES} bytes; split it", where=shown)
    return har.transactions(raw, shown)


def _peek(source: io.BufferedReader) -> bytes:
    return source.peek(4096)[:4096]


def _progress(done: int, end: str = "") -> None:
    if sys.stderr.isatty():
        print(f"\r{done} transactions", end=end, file=sys.stderr, flush=True)
