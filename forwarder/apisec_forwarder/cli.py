"""The console command ``apisec-forwarder``: one subcommand a module in ``commands/``, imported when asked for."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Protocol, cast

from apisec.errors import ApisecError
from apisec_forwarder import __version__

COMMANDS = ("run", "status", "replay", "check-config", "gateway", "keys", "vault", "patterns", "bundle")
EXIT_FAILURE = 1
EXIT_USAGE = 2

EPILOG = """examples:
  apisec-forwarder keys generate --output keys.json
  apisec-forwarder check-config --config forwarder.yaml
  apisec-forwarder gateway --config forwarder.yaml --listen 127.0.0.1:8080 --upstream 127.0.0.1:9000 > envoy.yaml
  apisec-forwarder run --config forwarder.yaml
  apisec-forwarder replay --input traffic.har --output -

`apisec-forwarder COMMAND --help` explains one command.
"""


class Command(Protocol):
    """What a module of ``commands/`` offers."""

    HELP: str

    def configure(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace) -> int: ...


def load(name: str) -> Command:
    """Import one command's module; ``name`` is one of ``COMMANDS``."""
    return cast(Command, importlib.import_module(f"apisec_forwarder.commands.{name.replace('-', '_')}"))


def build_parser(asked: str | None) -> argparse.ArgumentParser:
    """Make the parser; only the command that is ``asked`` for is imported and gets its options."""
    parser = argparse.ArgumentParser(
        prog="apisec-forwarder",
        description="Copy API traffic from the gateway, redact it, ship it to Splunk, enforce block patterns.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"apisec-forwarder {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        if name == asked or asked is None:
            command = load(name)
            child = commands.add_parser(
                name,
                help=command.HELP,
                description=command.HELP,
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
            command.configure(child)
            child.set_defaults(run=command.run)
        else:
            commands.add_parser(name)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 bad usage or bad input."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    asked = next((word for word in arguments if word in COMMANDS), None)
    args = build_parser(asked).parse_args(arguments)
    try:
        return cast(int, args.run(args))
    except ApisecError as error:
        print(f"apisec-forwarder: error: {error}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of a pipe (head, less) has gone: not a failure of ours
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILURE
