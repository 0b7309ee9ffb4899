"""``apisec-forwarder check-config``: says what was understood, and everything that is wrong."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from apisec_forwarder.config.check import Finding, check
from apisec_forwarder.config.load import read
from apisec_forwarder.config.published import json_schema
from apisec_forwarder.config.schema import Config

HELP = "read the configuration, show what was understood, and test the files it names"

EPILOG = """example:
  apisec-forwarder check-config --config forwarder.yaml
  apisec-forwarder check-config --schema > forwarder.schema.json    # for editors and pipelines

Exit code 0: all is well. 2: something is wrong; every error is listed, not only the first.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--config", type=Path, metavar="FILE", help="the configuration")
    what.add_argument("--schema", action="store_true", help="print the configuration's JSON Schema instead")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")


def run(args: argparse.Namespace) -> int:
    if args.schema:
        print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
        return 0
    config, errors = read(args.config.absolute())
    findings = check(config) if config is not None else []
    problems = [str(error) for error in errors]
    problems += [f"{one.key}: {one.value}: {one.problem}" for one in findings if one.problem]
    if args.json:
        document = {
            "ok": not problems,
            "errors": problems,
            "config": plain(config) if config is not None else None,
            "checks": [dataclasses.asdict(one) for one in findings],
        }
        print(json.dumps(document, indent=2))
    else:
        if config is not None:
            print(table(config, findings))
        for problem in problems:
            print(f"apisec-forwarder: error: {problem}", file=sys.stderr)
    return 2 if problems else 0


def plain(value: Any) -> Any:
    """Return a configuration as JSON values."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        if type(value).__name__ == "Address":
            return str(value)
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def table(config: Config, findings: list[Finding]) -> str:
    """Return what was understood, one key a line, with a mark beside what was tested."""
    tested = {one.key: "ok" if one.problem is None else "WRONG" for one in findings}
    rows = [(key, value, tested.get(key, "")) for key, value in _rows("", plain(config)) if key != "path"]
    width = max(len(key) for key, _, _ in rows)
    lines = [f"{key:<{width}}  {mark:<5}  {value}" for key, value, mark in rows]
    return "\n".join([f"{'key':<{width}}  {'test':<5}  value", *lines])


def _rows(prefix: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [row for key, child in value.items() for row in _rows(f"{prefix}.{key}" if prefix else key, child)]
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        named = [(next(iter(item.values())), item) for item in value]  # a name, a path, a URL: what leads the section
        return [row for name, item in named for row in _rows(f"{prefix}.{name}", item)]
    if isinstance(value, list):
        return [(prefix, ", ".join(map(str, value)))]
    return [(prefix, "–" if value is None else str(value))]
