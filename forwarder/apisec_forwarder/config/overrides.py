"""Reads the file of overrides: everything wrong with it is named with the file's line."""

from __future__ import annotations

import datetime
from pathlib import Path

import yaml
from yaml.constructor import SafeConstructor

from apisec.classification.overrides import Overrides, Problem, place, read
from apisec.errors import ConfigError

MAX_OVERRIDES_BYTES = 16 * 2**20  # 50,000 entries fit
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_overrides(path: Path, today: datetime.date) -> Overrides:
    """Return the overrides that count today (UTC); ConfigError with one line for each thing that is wrong."""
    text = _text(path)
    try:
        node = yaml.compose(text, Loader=_LOADER)
        document = SafeConstructor().construct_document(node) if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise ConfigError(f"not YAML: {error.problem or error.context}", where=f"{path}{line}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError(f"not YAML: {type(error).__name__}", where=str(path)) from error
    overrides, problems = read(document)
    if problems:
        raise ConfigError("\n".join(f"{path}:{_line(node, one)}: {place(one.at)}: {one.message}" for one in problems))
    return overrides.on(today)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_OVERRIDES_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if len(raw) > MAX_OVERRIDES_BYTES:
        raise ConfigError(f"is larger than {MAX_OVERRIDES_BYTES} bytes", where=str(path))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError("is not UTF-8", where=f"{path}:{line}") from error


def _line(node: yaml.Node | None, problem: Problem) -> int:
    """Return the line (from 1) of the key or entry a problem is at, or of the last on the way that is there."""
    line = 1
    for step in problem.at:
        found = _child(node, step)
        if found is None:
            break
        line, node = found
    return line


def _child(node: yaml.Node | None, step: object) -> tuple[int, yaml.Node] | None:
    """Return the value that ``step`` names in a node, and the line of its key or of itself."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == step:
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark.line + 1, node.value[step]
    return None
