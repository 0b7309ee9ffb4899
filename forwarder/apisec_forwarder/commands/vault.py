"""``apisec-forwarder vault``: values of marked test traffic, for active tests."""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from pathlib import Path

from apisec.errors import ApisecError
from apisec_forwarder import vault as vaults
from apisec_forwarder.commands.keys import duration
from apisec_forwarder.config import load as load_config

HELP = "keep the values of marked test traffic, encrypted, and turn its tokens back"

EPILOG = """examples:
  apisec-forwarder vault init --output /etc/apisec/vault.json
  apisec-forwarder vault mark --secret-file /etc/apisec/vault.json --valid 1h
  apisec-forwarder vault open --config forwarder.yaml --run 0123456789abcdef < tokens.txt
  apisec-forwarder vault purge --config forwarder.yaml

`mark` prints a header. Requests that carry it are test traffic: the values behind their tokens are kept for
`vault.keep_hours`, and only `open` with the same run reads them. No other request's values are ever kept. Nothing is
kept at all while the configuration has no section `vault`.
"""

_RUN = re.compile(r"[0-9a-f]{16}")
MAX_TOKENS_BYTES = 16 * 2**20


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    init = actions.add_parser("init", help="write a new secret of mode 600")
    init.add_argument("--output", metavar="FILE", type=Path, required=True)
    mark = actions.add_parser("mark", help="print the header that marks the requests of one test run")
    mark.add_argument("--secret-file", metavar="FILE", type=Path, required=True)
    mark.add_argument("--valid", metavar="DURATION", type=duration, default="1h", help="default 1h, at most 7d")
    mark.add_argument("--run", dest="test_run", metavar="ID", type=_run, help="16 hex digits; default: a new run")
    opening = actions.add_parser("open", help="read tokens from stdin, a line each; print JSON lines")
    opening.add_argument("--config", metavar="FILE", type=Path, required=True)
    opening.add_argument("--run", dest="test_run", metavar="ID", type=_run, required=True)
    purge = actions.add_parser("purge", help="delete everything that is kept")
    purge.add_argument("--config", metavar="FILE", type=Path, required=True)


def _run(text: str) -> str:
    if not _RUN.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not 16 hex digits")
    return text


def run(args: argparse.Namespace) -> int:
    action = {"init": _init, "mark": _mark, "open": _open, "purge": _purge}[args.action]
    action(args)
    return 0


def _init(args: argparse.Namespace) -> None:
    vaults.write_secret(args.output)
    print(f"wrote {args.output}", file=sys.stderr)


def _mark(args: argparse.Namespace) -> None:
    if args.valid > vaults.MAX_MARKER_SECONDS:
        raise ApisecError(f"--valid: at most {vaults.MAX_MARKER_SECONDS / 86400:g}d")
    secret = vaults.VaultSecret.load(args.secret_file)
    print(f"{vaults.HEADER}: {vaults.marker(secret, args.test_run or vaults.new_run(), time.time() + args.valid)}")


def _configured(path: Path) -> vaults.Vault:
    vault = vaults.opened(load_config(path).vault)
    if vault is None:
        raise ApisecError(f"{path}: has no section vault; nothing is kept")
    return vault


def _open(args: argparse.Namespace) -> None:
    vault = _configured(args.config)
    raw = sys.stdin.buffer.read(MAX_TOKENS_BYTES + 1)
    if len(raw) > MAX_TOKENS_BYTES:
        raise ApisecError(f"stdin: more than {MAX_TOKENS_BYTES} bytes of tokens; give them in parts")
    tokens = [line.strip() for line in raw.decode("utf-8", "replace").splitlines() if line.strip()]
    for token, value in vault.open(args.test_run, tokens, time.time()):
        print(json.dumps({"token": token, "value": value}))
    vault.close()


def _purge(args: argparse.Namespace) -> None:
    vault = _configured(args.config)
    print(f"deleted {vault.purge()} values", file=sys.stderr)
    vault.close()
