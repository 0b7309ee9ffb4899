"""Console command ``apisec-ml``: train the models that core reads, and say how good they are on unseen input."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from apisec.errors import ApisecError, DocumentError
from apisec.scoring import Model, default_model, parse_model
from apisec_ml.behaviour.cli import add_detect, add_report, run_detect, run_report
from apisec_ml.behaviour.families_cli import add_compare, add_families, add_fetch, run_compare, run_families, run_fetch
from apisec_ml.data import Dataset, read_dataset
from apisec_ml.names.cli import add_names, run_names

EXIT_OK, EXIT_FAILURE, EXIT_USAGE = 0, 1, 2

DESCRIPTION = """\
Measure detection, train the models that core reads, and watch whether they still fit (docs/ml.md).
"""
TRAINING = """\
Input are events as `apisec-forwarder replay` writes them (one JSON object a line) and a file of labels
({"id": …, "actor": …, "kind": …, "attack": null or a name}, one a line) with the same ids.
"""
EXAMPLE = """\
example, from traffic to a measured model:
  apisec-sandbox traffic --offline --style train --seed 1 --output t.jsonl --labels t.labels.jsonl
  apisec-forwarder replay --input t.jsonl --output t.events.jsonl --service shop
  apisec-ml train --events t.events.jsonl --labels t.labels.jsonl --output model.json

  apisec-sandbox traffic --offline --style heldout --seed 901 --output h.jsonl --labels h.labels.jsonl
  apisec-forwarder replay --input h.jsonl --output h.events.jsonl --service shop
  apisec-ml evaluate --events h.events.jsonl --labels h.labels.jsonl --model model.json
"""


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--events", type=Path, action="append", required=True, metavar="FILE", help="events; may be repeated"
    )
    parser.add_argument(
        "--labels",
        type=Path,
        action="append",
        required=True,
        metavar="FILE",
        help="labels of the events file at the same place in the command",
    )
    parser.add_argument(
        "--history-share",
        type=_share,
        default=0.4,
        metavar="0-1",
        help="share of the time span that only teaches baselines and flows (default: %(default)s)",
    )


def _share(value: str) -> float:
    number = float(value)
    if not 0 <= number < 1:
        raise argparse.ArgumentTypeError(f"{value} is not at least 0 and below 1")
    return number


def _positive(value: str) -> float:
    number = float(value)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{value} is not above 0")
    return number


def build_parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="apisec-ml", description=DESCRIPTION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    train = commands.add_parser(
        "train", help="fit the model of | apisecscore", description=TRAINING, epilog=EXAMPLE, formatter_class=raw
    )
    _add_data(train)
    train.add_argument("--output", type=Path, required=True, metavar="FILE", help="where the model goes")
    train.add_argument("--seed", type=int, default=1, help="seed of everything random (default: %(default)s)")
    train.add_argument(
        "--regularisation",
        type=_positive,
        default=0.01,
        metavar="C",
        help="scikit-learn's C: smaller is smoother (default: %(default)s)",
    )
    evaluate = commands.add_parser(
        "evaluate",
        help="measure the model of | apisecscore",
        epilog=EXAMPLE,
        formatter_class=raw,
        description="Recall per attack, precision, false alarms per 1,000 ordinary events and per ordinary "
        "principal, ROC-AUC. Figures mean something on traffic that the training never saw.",
    )
    _add_data(evaluate)
    evaluate.add_argument("--model", type=Path, metavar="FILE", help="model (default: the one that ships)")
    evaluate.add_argument(
        "--threshold",
        type=float,
        default=70.0,
        metavar="0-100",
        help="score from which on an event is an alarm (default: %(default)s, severity high)",
    )
    evaluate.add_argument(
        "--restart",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="forget the running state this often, as a scheduled search does (default: never)",
    )
    evaluate.add_argument("--cold", action="store_true", help="score without learned baselines and flows")
    evaluate.add_argument("--json", action="store_true", help="write the report as JSON")
    add_detect(commands)
    add_report(commands)
    add_families(commands)
    add_compare(commands)
    add_fetch(commands)
    add_names(commands)
    return parser


def _datasets(events: Sequence[Path], labels: Sequence[Path]) -> list[Dataset]:
    if len(events) != len(labels):
        raise DocumentError(f"{len(events)} --events but {len(labels)} --labels; give one for one")
    return [read_dataset(*pair) for pair in zip(events, labels, strict=True)]


def _model(path: Path | None) -> Model:
    return default_model() if path is None else parse_model(path.read_text(encoding="utf-8"))


def _train(options: argparse.Namespace) -> None:
    from apisec_ml.training import Settings, train  # scikit-learn takes a second to load

    settings = Settings(
        seed=options.seed,
        inverse_regularisation=options.regularisation,
        history_share=options.history_share,
    )
    model = train(_datasets(options.events, options.labels), settings)
    options.output.write_text(json.dumps(model.to_document(), indent=1) + "\n", encoding="utf-8")
    print(f"wrote {options.output}: {json.dumps(dict(model.training))}", file=sys.stderr)


def _evaluate(options: argparse.Namespace) -> None:
    from apisec_ml.evaluation import as_text, evaluate

    report = evaluate(
        _datasets(options.events, options.labels),
        _model(options.model),
        threshold=options.threshold,
        history_share=options.history_share,
        restart=options.restart,
        cold=options.cold,
    )
    print(json.dumps(report, indent=1) if options.json else as_text(report))


_RUN = {
    "train": _train,
    "evaluate": _evaluate,
    "detect": run_detect,
    "report": run_report,
    "families": run_families,
    "compare": run_compare,
    "fetch": run_fetch,
    "names": run_names,
}


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
