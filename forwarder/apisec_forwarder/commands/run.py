"""``apisec-forwarder run``: copies, redacts, ships and enforces until it is told to stop."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path

from apisec.errors import ConfigError
from apisec_forwarder import config as configuration
from apisec_forwarder import logs
from apisec_forwarder.bundles.watch import watch
from apisec_forwarder.config import Config
from apisec_forwarder.config.check import check
from apisec_forwarder.generations import Generations
from apisec_forwarder.notify import Notifier
from apisec_forwarder.supervisor import Supervisor

HELP = "run the forwarder: copy, redact, ship to Splunk, enforce patterns"

EPILOG = """example:
  apisec-forwarder run --config forwarder.yaml

SIGTERM or SIGINT: finish what was taken in, ship what can be shipped soon, end (0). SIGHUP: read the configuration
again; a bad one changes nothing. Logs are JSON lines on stderr and hold no value from traffic. Exit code 2: the
configuration is bad.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the configuration")


def run(args: argparse.Namespace) -> int:
    generations = Generations(args.config.absolute(), checked)
    first = generations.renew()
    logs.configure("supervisor")
    stop, reload = threading.Event(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    signal.signal(signal.SIGHUP, lambda *_: reload.set())
    if generations.bundles is not None:
        watch(generations.bundles, reload, stop)
    supervisor = Supervisor(first, generations.renew, report=generations.report, notifier=Notifier())
    return supervisor.run(stop, reload)


def checked(path: Path, accepted: int | None = None) -> Config:
    """Load the configuration and test what it names; ConfigError lists everything that is wrong."""
    config = configuration.load(path, accepted)
    problems = [f"{one.key}: {one.value}: {one.problem}" for one in check(config) if one.problem]
    if problems:
        raise ConfigError("\n".join(problems))
    return config
