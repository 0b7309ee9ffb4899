"""Nothing in the tables of commands, options and aggregates is without a case under tests/cases/spl."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from apisec_sandbox.spl.aggregates import FUNCTIONS
from apisec_sandbox.spl.commands import OPTIONS, REGISTRY

FOLDER = Path(__file__).parents[1] / "cases" / "spl"


def texts(node: Any) -> Iterator[str]:
    """Every search of a file, wherever it stands."""
    if isinstance(node, str):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from texts(inner)


SEARCHES = [text for path in sorted(FOLDER.rglob("*.yml")) for text in texts(yaml.safe_load(path.read_text()))]
OWN = [yaml.safe_load(path.read_text()) for path in sorted((FOLDER / "commands").glob("[a-z]*.yml"))]


def test_every_command_and_aggregate_has_a_case() -> None:
    text = "\n".join(SEARCHES)
    assert sum(map(len, OWN)) > 250
    missing = [name for name in REGISTRY if not re.search(rf"(\| *|\A|\n){name}\b", text)]
    assert missing == ["sendalert"]  # it needs an app's script; test_apps runs it
    assert [name for name in FUNCTIONS if f"{name}(" not in text] == []


def test_every_option_has_a_case() -> None:
    missing = [
        f"{command} {option}="
        for command, options in OPTIONS.items()
        for option in options
        if not any(re.search(rf"\b{command}\b[^|]*\b{option} *=", text, re.IGNORECASE) for text in SEARCHES)
    ]
    assert missing == []
