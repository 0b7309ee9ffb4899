"""The console command ``apisec-sandbox``: one module per sub-command, imported only when it is asked for."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from apisec_sandbox import __version__
from apisec_sandbox.errors import SandboxError

COMMANDS = ("serve", "install", "search", "sample-api", "traffic", "campaigns", "demo")

EPILOG = """\
example:
  apisec-sandbox serve --home /tmp/splunk --hec-token gw=11111111-2222-3333-4444-555555555555
  apisec-sandbox search 'search status>=500 | stats count by uri_path' --data events.jsonl
"""


def command_module(name: str) -> str:
    return "apisec_sandbox.commands." + name.replace("-", "_")


def build_parser(asked: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser; only the asked command is imported, all of them when none is."""
    parser = argparse.ArgumentParser(
        prog="apisec-sandbox",
        description="A stand-in for Splunk, a sample API and a traffic generator, for tests and the demo.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    wanted = [name for name in asked if name in COMMANDS][:1]
    for name in wanted or COMMANDS:
        module = importlib.import_module(command_module(name))
        sub = commands.add_parser(
            name,
            help=module.HELP,
            description=module.HELP,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.configure(sub)
        sub.set_defaults(run=module.run)
    return parser


def joined(argv: list[str]) -> list[str]:
    """Let ``--earliest -1h`` stand: argparse takes a value that starts with a dash for an option."""
    found: list[str] = []
    for word in argv:
        if found and found[-1] in ("--earliest", "--latest"):
            found[-1] += "=" + word
        else:
            found.append(word)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code (2 for a usage error, 1 for a failure)."""
    asked = joined(list(sys.argv[1:] if argv is None else argv))
    args = build_parser(asked).parse_args(asked)
    try:
        code: int = args.run(args)
    except SandboxError as error:
        print(f"apisec-sandbox {args.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of a pipe (head, less) has gone: not a failure of ours
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code
