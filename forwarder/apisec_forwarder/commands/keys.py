"""``apisec-forwarder keys``: generate, show and rotate key files. Secrets are never printed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from apisec.redaction.keys import ALGORITHMS, KeyRing
from apisec_forwarder import keys

HELP = "make, show and rotate the keys that tokens are made with"

EPILOG = """examples:
  apisec-forwarder keys generate --output /etc/apisec/keys.json
  apisec-forwarder keys show --file /etc/apisec/keys.json
  apisec-forwarder keys rotate --file /etc/apisec/keys.json

Give the same file to every forwarder: the same value is then the same token everywhere. After a rotation new
tokens are made with the new key; old keys stay in the file, so that their ids still mean something.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    generate = actions.add_parser("generate", help="write a new key file of mode 600")
    generate.add_argument("--output", metavar="FILE", type=Path, required=True)
    generate.add_argument("--algorithm", choices=ALGORITHMS, default=ALGORITHMS[0], help="hmac-sha256 for FIPS 140")
    show = actions.add_parser("show", help="print ids, algorithms and dates, never secrets")
    show.add_argument("--file", metavar="FILE", type=Path, required=True)
    rotate = actions.add_parser("rotate", help="add a new key and make it the active one")
    rotate.add_argument("--file", metavar="FILE", type=Path, required=True)
    rotate.add_argument("--algorithm", choices=ALGORITHMS, help="default: that of the active key")


def run(args: argparse.Namespace) -> int:
    action = {"generate": _generate, "show": _show, "rotate": _rotate}[args.action]
    action(args)
    return 0


def _generate(args: argparse.Namespace) -> None:
    document = keys.generate(args.algorithm)
    keys.write(args.output, document)
    print(f"wrote {args.output} with key {document['active']}", file=sys.stderr)


def _show(args: argparse.Namespace) -> None:
    ring = keys.load(args.file)
    for key in ring.keys:
        state = "active" if key.id == ring.active.id else "kept"
        print(f"{key.id}  {state:6}  {key.algorithm:11}  {key.created}")


def _rotate(args: argparse.Namespace) -> None:
    document: dict[str, Any] = keys.read(args.file)
    ring = KeyRing.parse(document, str(args.file))
    new = keys.new_key(args.algorithm or ring.active.algorithm)
    document["keys"] = [*document["keys"], new]
    document["active"] = new["id"]
    keys.write(args.file, document, replace=True)
    print(f"key {new['id']} is active, {ring.active.id} is kept for correlation", file=sys.stderr)
