"""Splunk's .conf format, as the app's files use it: read into dictionaries, written in a fixed order."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

Stanzas = dict[str, dict[str, str]]


def read(path: Path) -> Stanzas:
    """Stanzas in the file's order; a trailing backslash continues a value on the next line."""
    stanzas: Stanzas = {}
    current = stanzas.setdefault("default", {})
    lines = iter(path.read_text("utf-8").splitlines())
    for line in lines:
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if stripped.startswith("[") and stripped.endswith("]"):
            current = stanzas.setdefault(stripped[1:-1], {})
            continue
        key, equals, value = line.partition("=")
        if not equals:
            raise ValueError(f"{path}: neither a stanza nor a setting: {line!r}")
        value = value.strip()
        while value.endswith("\\"):
            value = value[:-1] + "\n" + next(lines)
        current[key.strip()] = value
    if not stanzas["default"]:
        del stanzas["default"]
    return stanzas


def write(stanzas: Mapping[str, Mapping[str, str]]) -> str:
    """The text of a file; line breaks inside values become continuation lines."""
    blocks = []
    for name, settings in stanzas.items():
        lines = [f"[{name}]"]
        lines += [f"{key} = {value}".replace("\n", " \\\n") for key, value in settings.items()]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"
