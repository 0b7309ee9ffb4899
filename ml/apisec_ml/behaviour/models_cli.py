"""``apisec-ml`` train, compare, drift, card and sign: the models of the families."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from apisec.errors import DocumentError
from apisec_ml.behaviour.cli import add_sources, families_of, report_on, sources_of
from apisec_ml.fetching import add_access, anomalies_of

EXAMPLE = """\
example, from traffic to a signed artefact:
  apisec-ml train /tmp/dev /tmp/dev2 --rows /tmp/rows --output model.json
  apisec-ml compare core/apisec/abuse/model.json model.json /tmp/dev3 --rows /tmp/rows
  apisec-ml card model.json > model.md
  apisec-ml sign model.json --key signing.json

on your own events, with what your analysts said of findings:
  apisec-ml fetch --url https://splunk:8089 --token-file token --earliest -14d --output events.jsonl
  apisec-ml drift --events events.jsonl
  apisec-ml drift --url https://splunk:8089 --token-file token --earliest -7d
  apisec-ml train --events events.jsonl --dispositions labels.jsonl --output own.json
"""


def add_models(commands: Any) -> None:
    """Add the commands to the parser of ``apisec-ml``."""
    raw = argparse.RawDescriptionHelpFormatter
    train = commands.add_parser(
        "train", help="fit weights and calibration of the families' models", epilog=EXAMPLE, formatter_class=raw
    )
    add_sources(train)
    train.add_argument("--output", type=Path, required=True, metavar="FILE", help="where the artefact goes")
    train.add_argument("--seed", type=int, default=1, help="seed of everything random (default: %(default)s)")
    train.add_argument("--base", type=Path, metavar="FILE", help="models that run meanwhile (default: what ships)")
    train.add_argument("--all", action="store_true", help="keep the models of families that they make no better, too")
    train.add_argument("--no-splits", action="store_true", help="leave the honest splits out of the summary")
    compare = commands.add_parser("compare", help="two models on the same events, or two reports of detect")
    compare.add_argument("first", type=Path, metavar="A")
    compare.add_argument("second", type=Path, metavar="B")
    add_sources(compare)
    compare.add_argument("--threshold", type=float, default=90.0, metavar="0-100", help="score of a finding")
    drift = commands.add_parser("drift", help="compare events or anomalies with what the models were trained on")
    add_sources(drift)
    add_access(drift, required=False)
    drift.add_argument(
        "--anomalies", type=Path, metavar="FILE", help="what detection told, in place of events; '-' is stdin"
    )
    drift.add_argument(
        "--transactions", type=int, default=0, metavar="N", help="how many there were while anomalies were told"
    )
    drift.add_argument("--model", type=Path, metavar="FILE", help="artefact (default: what ships)")
    for parser in (compare, drift):
        parser.add_argument("--json", action="store_true", help="write it as JSON")
    card = commands.add_parser("card", help="write the model card of an artefact (Markdown)")
    card.add_argument("model", type=Path, nargs="?", metavar="FILE", help="default: what ships")
    sign = commands.add_parser("sign", help="add an Ed25519 signature to an artefact")
    sign.add_argument("model", type=Path, metavar="FILE")
    sign.add_argument("--key", type=Path, required=True, metavar="FILE", help="of apisec-forwarder bundle keygen")


def read_artefact(path: Path | None) -> dict[str, Any]:
    """Read and check an artefact, the one that ships for None; raises ModelError."""
    from apisec.abuse.artefact import check, read, shipped

    document = shipped() if path is None else read(path.read_text(encoding="utf-8"))
    check(document)
    return document


def _examples(options: argparse.Namespace, model: Path | None) -> Any:
    from apisec_ml.behaviour.kept import examples_from
    from apisec_ml.behaviour.run import Settings

    families = families_of(options.families)
    settings = Settings(model, families, cache=options.rows, observations=True, quiet=options.quiet)
    return examples_from(sources_of(options), settings, options.jobs)


def run_train(options: argparse.Namespace) -> None:
    """Fit the models, and write the artefact."""
    from apisec.abuse.base import FAMILIES
    from apisec_ml.behaviour.splits import splits_of, worth_it
    from apisec_ml.behaviour.training import Settings, train

    examples = _examples(options, options.base)
    settings = Settings(seed=options.seed, jobs=options.jobs)
    if options.no_splits:
        document = train(examples, settings)
    else:
        splits = splits_of(examples, settings)
        choice = not options.all and len(examples.sources) > 1
        kept = [name for name, split in splits.items() if worth_it(split)] if choice else FAMILIES
        document = train(examples, settings, splits, kept)
        print(f"families with weights of their own: {', '.join(kept) or 'none'}", file=sys.stderr)
    used = document["training"]["margins"]["used"]
    told = ", ".join(f"{family} {margin:g}" for family, margin in used.items())
    print(f"families with a margin (decades): {told or 'none'}", file=sys.stderr)
    _write(options.output, document)


def _write(path: Path, document: Mapping[str, Any]) -> None:
    from apisec_ml.behaviour.signing import fingerprint

    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {path}: models {fingerprint(document)}", file=sys.stderr)


def run_sign(options: argparse.Namespace) -> None:
    """Sign an artefact in place."""
    from apisec_ml.behaviour.signing import load_key, sign

    _write(options.model, sign(read_artefact(options.model), load_key(options.key)))


def run_card(options: argparse.Namespace) -> None:
    """Print the model card."""
    from apisec_ml.behaviour.card import card_of

    print(card_of(read_artefact(options.model)), end="")


def run_drift(options: argparse.Namespace) -> None:
    """Print how far events, or what was told, are from the training."""
    from apisec_ml.behaviour import drift, told

    document = read_artefact(options.model)
    if options.anomalies is None and options.url is None:
        report = drift.drift_of(document, _examples(options, options.model))
        text = drift.as_text
    else:
        found, transactions = _told(options)
        report, text = told.told_drift(document, found, transactions), told.as_text
    print(json.dumps(report, indent=1) if options.json else text(report))


def _told(options: argparse.Namespace) -> tuple[list[Any], int]:
    """Return what was told, from a file or a Splunk, and among how many transactions."""
    from apisec_ml.behaviour.told import anomaly_of, read_anomalies, told_of

    if options.anomalies is not None:
        return told_of(read_anomalies(options.anomalies)), options.transactions
    output = io.BytesIO()
    transactions = anomalies_of(options, output)
    lines = output.getvalue().splitlines()
    return told_of(anomaly_of(line, f"anomaly {number}") for number, line in enumerate(lines, 1)), transactions


def run_compare(options: argparse.Namespace) -> None:
    """Compare two reports, or two models on the events that the options name."""
    from apisec_ml.behaviour.compare import as_text, compare

    reports = [_report(path, options) for path in (options.first, options.second)]
    found = compare(*reports)
    print(json.dumps(found, indent=1) if options.json else as_text(found))


def _report(path: Path, options: argparse.Namespace) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DocumentError(f"is not JSON: {error}", where=str(path)) from None
    if isinstance(document, dict) and "cells" in document:
        return document
    if not isinstance(document, dict) or "families" not in document:
        raise DocumentError("is neither a report of detect --json nor an artefact", where=str(path))
    return report_on(options, path)
