"""Console command ``apisec-ml``: train the models that core reads, and say how good they are on unseen input."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from apisec.errors import ApisecError
from apisec_ml.behaviour.cli import add_detect, add_report, run_detect, run_report
from apisec_ml.behaviour.models_cli import add_models, run_card, run_compare, run_drift, run_sign, run_train
from apisec_ml.fetching import add_fetch, run_fetch
from apisec_ml.names.cli import add_names, run_names

EXIT_OK, EXIT_FAILURE, EXIT_USAGE = 0, 1, 2

DESCRIPTION = "Measure detection, train the models that core reads, and watch whether they still fit (docs/ml.md)."

_RUN = {
    "detect": run_detect,
    "report": run_report,
    "train": run_train,
    "compare": run_compare,
    "drift": run_drift,
    "card": run_card,
    "sign": run_sign,
    "fetch": run_fetch,
    "names": run_names,
}


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="apisec-ml", description=DESCRIPTION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_detect(commands)
    add_report(commands)
    add_models(commands)
    add_fetch(commands)
    add_names(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Return the exit code: 0, 1 for a failure, 2 for input that cannot be used."""
    options = build_parser().parse_args(argv)
    try:
        _RUN[options.command](options)
    except (ApisecError, UnicodeDecodeError) as error:
        print(f"apisec-ml: {error}", file=sys.stderr)
        return EXIT_USAGE
    except FileNotFoundError as error:
        print(f"apisec-ml: {error.filename}: there is no such file", file=sys.stderr)
        return EXIT_USAGE
    except OSError as error:
        print(f"apisec-ml: {error}", file=sys.stderr)
        return EXIT_FAILURE
    return EXIT_OK
