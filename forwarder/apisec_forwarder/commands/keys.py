"""``apisec-forwarder keys``: key files, and tokens of known values. Secrets are never printed."""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path

from apisec.classification.classes import BY_NAME
from apisec.errors import ApisecError, KeyFileError, did_you_mean
from apisec.redaction.keys import ALGORITHMS, Key, KeyRing, Tokenizer, moment, moment_text
from apisec.redaction.values import named
from apisec_forwarder import keys

HELP = "make, show and rotate the keys that tokens are made with; make the token of a known value"

EPILOG = """examples:
  apisec-forwarder keys generate --output /etc/apisec/keys.json
  apisec-forwarder keys show --file /etc/apisec/keys.json
  apisec-forwarder keys rotate --file /etc/apisec/keys.json --at 2026-12-01T02:00:00Z --overlap 14d
  apisec-forwarder keys token --file /etc/apisec/keys.json --class pii.email < address.txt

Give the same file to every forwarder: the same value is then the same token everywhere. A rotation --at a time lets
you hand the new file out before; all forwarders then change at that moment. During the overlap events also carry
the identities' tokens of the key before (field `earlier`). Old keys stay in the file: `keys token` looks a known
value up in events of every age.
"""

_DURATION = re.compile(r"(\d{1,5})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
MAX_VALUE_BYTES = 8192


def duration(text: str) -> float:
    """Read ``14d``, ``12h``, ``30m`` or ``90s`` as seconds."""
    found = _DURATION.fullmatch(text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration such as 14d, 12h, 30m or 90s")
    return int(found[1]) * float(_SECONDS[found[2]])


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    generate = actions.add_parser("generate", help="write a new key file of mode 600")
    generate.add_argument("--output", metavar="FILE", type=Path, required=True)
    generate.add_argument("--algorithm", choices=ALGORITHMS, default=ALGORITHMS[0], help="hmac-sha256 for FIPS 140")
    show = actions.add_parser("show", help="print ids, algorithms and dates, never secrets")
    show.add_argument("--file", metavar="FILE", type=Path, required=True)
    rotate = actions.add_parser("rotate", help="add a new key, active at once or from a time on")
    rotate.add_argument("--file", metavar="FILE", type=Path, required=True)
    rotate.add_argument("--algorithm", choices=ALGORITHMS, help="default: that of the active key")
    rotate.add_argument("--at", metavar="TIME", help="in UTC, such as 2026-12-01T02:00:00Z; default: now")
    rotate.add_argument(
        "--overlap", metavar="DURATION", type=duration, default="14d", help="how long both tokens travel (default 14d)"
    )
    token = actions.add_parser("token", help="print the tokens of a value read from stdin, one a key")
    token.add_argument("--file", metavar="FILE", type=Path, required=True)
    token.add_argument("--class", metavar="CLASS", dest="data_class", required=True, help="such as pci.pan")
    token.add_argument("--format-preserving", action="store_true", help="when keys.format_preserving holds the class")


def run(args: argparse.Namespace) -> int:
    action = {"generate": _generate, "show": _show, "rotate": _rotate, "token": _token}[args.action]
    action(args)
    return 0


def _generate(args: argparse.Namespace) -> None:
    document = keys.generate(args.algorithm)
    keys.write(args.output, document)
    print(f"wrote {args.output} with key {document['active']}", file=sys.stderr)


def _show(args: argparse.Namespace) -> None:
    ring = keys.load(args.file)
    standing = ring.at(time.time())
    for key in ring.keys:
        print(f"{key.id}  {_state(key, standing):32}  {key.algorithm:11}  {key.created}")


def _state(key: Key, standing: KeyRing) -> str:
    if key == standing.active:
        return "active"
    if key == standing.scheduled:
        return f"from {moment_text(standing.switches or 0)}"
    if key in standing.overlap:
        return f"overlaps until {moment_text(key.retires or 0)}"
    return "kept"


def _rotate(args: argparse.Namespace) -> None:
    now = time.time()
    document = keys.settled(keys.read(args.file), now)
    ring = KeyRing.parse(document, str(args.file))
    if ring.scheduled is not None:
        raise KeyFileError(
            f"key {ring.scheduled.id} is to follow at {moment_text(ring.switches or 0)} already; rotate after that",
            where=str(args.file),
        )
    at = moment(args.at, "--at") if args.at else None
    if at is not None and at <= now:
        raise KeyFileError("is in the past; leave it out to rotate now", where="--at")
    new = keys.new_key(args.algorithm or ring.active.algorithm)
    keys.write(args.file, keys.rotated(document, new, at, (at or now) + args.overlap), replace=True)
    when = "is active" if at is None else f"will be active from {moment_text(at)} on"
    print(f"key {new['id']} {when}, {ring.active.id} overlaps for {args.overlap / 86400:g} days", file=sys.stderr)


def _token(args: argparse.Namespace) -> None:
    if args.data_class not in BY_NAME:
        raise ApisecError(f"--class: no data class {args.data_class!r}{did_you_mean(args.data_class, BY_NAME)}")
    raw = sys.stdin.buffer.read(MAX_VALUE_BYTES + 1)
    value = raw.decode("utf-8", "surrogateescape").rstrip("\r\n")
    if not value or len(raw) > MAX_VALUE_BYTES:
        raise ApisecError(f"stdin: give one value of at most {MAX_VALUE_BYTES} bytes")
    preserve = None
    if args.format_preserving:
        from apisec_forwarder.format_preserving import preserve as preserving

        preserve = preserving([args.data_class])
    canonical = named(args.data_class, value) or value
    ring = keys.load(args.file)
    for key in ring.keys:
        print(key.id, Tokenizer(KeyRing(key, (key,)), preserve).token(args.data_class, canonical))
