"""``apisec-ml names``: train the classifier of field names, and judge it on stems and spellings it never saw."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apisec_ml.names.training import Settings

EXAMPLE = """\
example, a new model for core (some minutes):
  apisec-ml names evaluate
  apisec-ml names train --output core/apisec/classification/names/model.json
"""


def add_names(commands: Any) -> None:
    """Add the command and its two actions to the parser of ``apisec-ml``."""
    raw = argparse.RawDescriptionHelpFormatter
    names = commands.add_parser("names", help="the classifier of field names", epilog=EXAMPLE, formatter_class=raw)
    actions = names.add_subparsers(dest="action", required=True, metavar="ACTION")
    train = actions.add_parser(
        "train", help="fit the classifier and write it as JSON", epilog=EXAMPLE, formatter_class=raw
    )
    train.add_argument("--output", type=Path, required=True, metavar="FILE", help="where the model goes")
    evaluate = actions.add_parser("evaluate", help="figures on held-out stems, languages and conventions")
    evaluate.add_argument("--json", action="store_true", help="write the report as JSON")
    for action in (train, evaluate):
        action.add_argument("--seed", type=int, default=1, help="seed of the spellings (default: %(default)s)")
        action.add_argument(
            "--share",
            type=_share,
            default=1.0,
            metavar="0-1",
            help="share of the spellings, to try things out (default: 1)",
        )


def _share(value: str) -> float:
    share = float(value)
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError(f"{value} is not above 0 and at most 1")
    return share


def run_names(options: argparse.Namespace) -> None:
    """Train or evaluate."""
    from apisec_ml.names import evaluation, training, vocabulary  # scikit-learn takes a second to load

    settings = _settings(options)
    words = vocabulary.load()
    if options.action == "train":
        text = json.dumps(training.train(words, settings), indent=0) + "\n"
        training.check(text)
        options.output.write_text(text, encoding="utf-8")
        print(f"wrote {options.output}: {len(text)} bytes", file=sys.stderr)
        return
    report = [one.to_document() for one in evaluation.evaluate(words, settings)]
    print(json.dumps(report, indent=1) if options.json else _as_text(report))


def _settings(options: argparse.Namespace) -> Settings:
    from apisec_ml.names.templates import Recipe
    from apisec_ml.names.training import Settings

    full = Recipe()
    recipe = Recipe(
        spellings=max(1, round(full.spellings * options.share)),
        ordinary=round(full.ordinary * options.share),
        turned=max(1, round(full.turned * options.share)),
        seed=options.seed,
    )
    return Settings(recipe=recipe)


def _as_text(report: list[dict[str, object]]) -> str:
    lines = [f"{'held out':<36} precision  recall      F1   alarms on ordinary names"]
    lines += [
        f"{one['held_out']:<36} {one['precision']:>9} {one['recall']:>7} {one['f1']:>7}"
        f"   {one['alarms_on_ordinary']} of {one['ordinary']}"
        for one in report
    ]
    return "\n".join(lines)
