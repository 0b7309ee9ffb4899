"""``apisec-sandbox install``: put an app into a HOME."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from apisec_sandbox.splunkd.apps import install
from apisec_sandbox.splunkd.home import Home

HELP = "Install an app (.tar.gz, .spl or a folder) into a HOME; local/ and lookups/ of an earlier install stay."
EPILOG = "example:\n  apisec-sandbox install dist/apisec-0.1.0.tar.gz --home /tmp/splunk\n"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("app", type=Path, metavar="APP", help="archive or folder of the app")
    parser.add_argument("--home", type=Path, required=True, help="HOME to install into; made when missing")


def run(args: argparse.Namespace) -> int:
    app = install(args.app, Home(args.home.resolve()))
    for warning in app.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    print(f"installed {app.name} {app.version} ({app.label}), {app.files} files")
    return 0
