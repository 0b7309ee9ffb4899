"""``apisec-forwarder run``: copies, redacts, ships and enforces until it is told to stop."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from apisec.errors import ConfigError
from apisec_forwarder import config as configuration
from apisec_forwarder import logs
from apisec_forwarder.config import Config
from apisec_forwarder.config.check import check
from apisec_forwarder.supervisor import Supervisor, children_of

HELP = "run the forwarder: copy, redact, ship to Splunk, enforce patterns"

EPILOG = """example:
  apisec-forwarder run --config forwarder.yaml

SIGTERM or SIGINT: finish what is in the log, flush the spool, end (0). SIGHUP: read the configuration again.
Logs are JSON lines on stderr and hold no value from traffic. Exit code 2: the configuration is bad.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the configuration")


def run(args: argparse.Namespace) -> int:
    config = checked(args.config)
    logs.configure("supervisor")
    stop, reload = threading.Event(), threading.Event()

    def hang_up(*_: object) -> None:
        try:
            checked(args.config)
        except ConfigError as error:  # keep running with what is known to be good
            print(f"apisec-forwarder: error: {error}", file=sys.stderr)
        else:
            reload.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    signal.signal(signal.SIGHUP, hang_up)
    return Supervisor(children_of(config)).run(stop, reload)


def checked(path: Path) -> Config:
    """Load the configuration and test what it names; ConfigError lists everything that is wrong."""
    config = configuration.load(path)
    problems = [f"{one.key}: {one.value}: {one.problem}" for one in check(config) if one.problem]
    if problems:
        raise ConfigError("\n".join(problems))
    return config
