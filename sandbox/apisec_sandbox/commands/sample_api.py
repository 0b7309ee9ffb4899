"""``apisec-sandbox sample-api``: serve the sample web shop."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HELP = "serve the sample web shop, an API with deliberate weaknesses, on a loopback address"

EXAMPLE = """\
example:
  apisec-sandbox sample-api --port 0 --ready-file /tmp/shop.json &
  curl "$(python3 -c 'import json;print(json.load(open("/tmp/shop.json"))["url"])')/products"
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--host", default="127.0.0.1", help="loopback address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8081, help="port; 0 picks a free one (default: %(default)s)")
    parser.add_argument(
        "--ready-file",
        type=Path,
        help="JSON file with url, port, pid and the path of the OpenAPI document, written when it listens",
    )
    parser.add_argument("--seed", type=int, default=1, help="selects products, customers and ids (default: 1)")
    parser.add_argument(
        "--id-style",
        choices=("numeric", "prefixed", "uuid"),
        default="numeric",
        help="10001, SO-0010001-7, or UUIDs (default: %(default)s)",
    )
    parser.add_argument(
        "--release-file",
        type=Path,
        help="while this file is there, the shop's next release answers: GET /orders tells the customer's SSN",
    )
    parser.add_argument(
        "--token-seconds", type=int, default=900, help="lifetime of access tokens (default: %(default)s)"
    )


def run(args: argparse.Namespace) -> int:
    from apisec_sandbox.sample_api.app import DOCUMENT, create_app
    from apisec_sandbox.sample_api.loopback import is_loopback
    from apisec_sandbox.sample_api.serve import serve

    if not is_loopback(args.host):
        print(f"sample-api: {args.host} is not a loopback address; the shop is weak on purpose", file=sys.stderr)
        return 2
    if args.token_seconds < 1:
        print("sample-api: --token-seconds must be at least 1", file=sys.stderr)
        return 2
    app = create_app(
        args.seed, id_style=args.id_style, token_seconds=args.token_seconds, release_file=args.release_file
    )
    facts = {"seed": args.seed, "id_style": args.id_style, "openapi": str(DOCUMENT)}
    try:
        serve(app, args.host, args.port, args.ready_file, facts)
    except OSError as error:
        print(f"sample-api: cannot listen on {args.host}:{args.port}: {error}; try --port 0", file=sys.stderr)
        return 1
    return 0
