"""``apisec-ml families`` (train, sign, card, drift), ``compare`` and ``fetch``."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from apisec.errors import DocumentError
from apisec_ml.behaviour.cli import add_sources, report_on, sources_of

EXAMPLE = """\
example, from traffic to a signed artefact:
  apisec-ml families train /tmp/dev /tmp/dev2 --rows /tmp/rows --output model.json
  apisec-ml compare core/apisec/abuse/model.json model.json /tmp/dev3 --rows /tmp/rows
  apisec-ml families card model.json > model.md
  apisec-ml families sign model.json --key signing.json

on your own events, with what your analysts said of findings:
  apisec-ml fetch --url https://splunk:8089 --token-file token --earliest -14d --output events.jsonl
  apisec-ml families drift --events events.jsonl
  apisec-ml families train --events events.jsonl --dispositions labels.jsonl --output own.json
"""


def add_families(commands: Any) -> None:
    """Add the commands to the parser of ``apisec-ml``."""
    raw = argparse.RawDescriptionHelpFormatter
    families = commands.add_parser("families", help="the models of behaviour", epilog=EXAMPLE, formatter_class=raw)
    actions = families.add_subparsers(dest="action", required=True, metavar="ACTION")
    train = actions.add_parser("train", help="fit weights and calibration", epilog=EXAMPLE, formatter_class=raw)
    add_sources(train)
    train.add_argument("--output", type=Path, required=True, metavar="FILE", help="where the artefact goes")
    train.add_argument("--seed", type=int, default=1, help="seed of everything random (default: %(default)s)")
    train.add_argument("--base", type=Path, metavar="FILE", help="models that run meanwhile (default: what ships)")
    train.add_argument("--no-splits", action="store_true", help="leave the honest splits out of the summary")
    sign = actions.add_parser("sign", help="add an Ed25519 signature")
    sign.add_argument("model", type=Path, metavar="FILE")
    sign.add_argument("--key", type=Path, required=True, metavar="FILE", help="of apisec-forwarder bundle keygen")
    card = actions.add_parser("card", help="write the model card (Markdown)")
    card.add_argument("model", type=Path, nargs="?", metavar="FILE", help="default: what ships")
    drift = actions.add_parser("drift", help="compare events with what the models were trained on")
    add_sources(drift)
    drift.add_argument("--model", type=Path, metavar="FILE", help="artefact (default: what ships)")
    drift.add_argument("--json", action="store_true", help="write the report as JSON")


def add_compare(commands: Any) -> None:
    """Add ``compare`` to the parser."""
    parser = commands.add_parser("compare", help="two models on the same events, or two reports of detect")
    parser.add_argument("first", type=Path, metavar="A")
    parser.add_argument("second", type=Path, metavar="B")
    add_sources(parser)
    parser.add_argument("--threshold", type=float, default=90.0, metavar="0-100")
    parser.add_argument("--json", action="store_true", help="write the comparison as JSON")


def add_fetch(commands: Any) -> None:
    """Add ``fetch`` to the parser."""
    parser = commands.add_parser("fetch", help="export events from a Splunk")
    parser.add_argument("--url", required=True, help="management port: https://host:8089")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="mode 600 (default: SPLUNK_TOKEN)")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="certificates of the CA (default: the system's)")
    parser.add_argument("--index", default="apisec", help="default: %(default)s")
    parser.add_argument("--service", help="one service only")
    parser.add_argument("--earliest", default="-1d", metavar="TIME", help="-7d, ISO 8601 or seconds (default: -1d)")
    parser.add_argument("--latest", default="now", metavar="TIME", help="default: now")
    parser.add_argument("--slice", type=float, default=900.0, metavar="SECONDS", help="of one search (default: 900)")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="'-' is stdout")


def shipped() -> Path:
    """Return where the artefact that ships lies."""
    import apisec.abuse

    return Path(apisec.abuse.__file__).with_name("model.json")


def read_artefact(path: Path) -> dict[str, Any]:
    """Read an artefact and check it; raises ModelError."""
    from apisec.abuse.artefact import check, read

    document = read(path.read_text(encoding="utf-8"))
    check(document)
    return document


def run_families(options: argparse.Namespace) -> None:
    """Train, sign, describe, or watch."""
    {"train": _train, "sign": _sign, "card": _card, "drift": _drift}[options.action](options)


def _examples(options: argparse.Namespace, model: Path | None) -> Any:
    from apisec_ml.behaviour.examples import examples_of
    from apisec_ml.behaviour.run import Settings, run_all

    settings = Settings(model=model, cache=options.rows, observations=True, quiet=options.quiet)
    return examples_of(run_all(sources_of(options), settings, options.jobs))


def _train(options: argparse.Namespace) -> None:
    from apisec_ml.behaviour.splits import splits_of
    from apisec_ml.behaviour.training import Settings, train

    examples = _examples(options, options.base)
    settings = Settings(seed=options.seed)
    document = train(examples, settings, None if options.no_splits else splits_of(examples, settings))
    _write(options.output, document)


def _write(path: Path, document: Mapping[str, Any]) -> None:
    from apisec_ml.behaviour.signing import fingerprint

    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {path}: models {fingerprint(document)}", file=sys.stderr)


def _sign(options: argparse.Namespace) -> None:
    from apisec_ml.behaviour.signing import load_key, sign

    _write(options.model, sign(read_artefact(options.model), load_key(options.key)))


def _card(options: argparse.Namespace) -> None:
    from apisec_ml.behaviour.card import card_of

    print(card_of(read_artefact(options.model or shipped())), end="")


def _drift(options: argparse.Namespace) -> None:
    from apisec_ml.behaviour.drift import as_text, drift_of

    report = drift_of(read_artefact(options.model or shipped()), _examples(options, options.model))
    print(json.dumps(report, indent=1) if options.json else as_text(report))


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


def run_fetch(options: argparse.Namespace) -> None:
    """Export events to a file, with progress on stderr."""
    from apisec_ml import splunk

    now = time.time()
    span = splunk.moment(options.earliest, now), splunk.moment(options.latest, now)
    access = splunk.Access.of(options.url, options.token_file, options.ca)
    search = splunk.search_of(options.index, options.service)

    def told(share: float, count: int) -> None:
        print(f"\r{share:4.0%} {count:,} events", end="", file=sys.stderr, flush=True)

    if str(options.output) == "-":
        splunk.fetch(access, search, span, sys.stdout.buffer, told, options.slice)
    else:
        part = options.output.with_name(options.output.name + ".part")
        with part.open("wb") as file:
            splunk.fetch(access, search, span, file, told, options.slice)
        part.replace(options.output)
    print(file=sys.stderr)
