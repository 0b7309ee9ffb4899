"""The syntax of .conf files: reading and writing one file.

Source: Admin Manual, "About configuration files" and "Edit a configuration file".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from apisec_sandbox.errors import SandboxError

Settings = dict[str, str]
NAME = re.compile(r"[A-Za-z0-9_.\-]+\Z")


def is_true(value: str) -> bool:
    """Splunk's booleans: 1, true, t, yes, y, on, enabled."""
    return value.strip().lower() in ("1", "true", "t", "yes", "y", "on", "enabled")


def parse(text: str, where: str = "conf") -> dict[str, Settings]:
    """Parse one file. A line outside any stanza belongs to ``[default]``.

    Raises:
        SandboxError: a line is neither a stanza, a comment nor ``key = value``; it names file and line.
    """
    stanzas: dict[str, Settings] = {}
    current = "default"
    for number, line in logical_lines(text):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        if (name := stanza_name(bare)) is not None:
            current = name
            stanzas.setdefault(current, {})
            continue
        key, equals, value = line.partition("=")
        if not equals or not key.strip():
            raise SandboxError(f"{where}, line {number}: expected [stanza] or key = value, found {bare[:60]!r}")
        stanzas.setdefault(current, {})[key.strip()] = value.strip()
    return stanzas


def stanza_name(line: str) -> str | None:
    """The name that a header holds; ``]`` may be part of it, as in ``[source::...[0-9].log]``."""
    return line[1:-1] if line.startswith("[") and line.endswith("]") else None


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Join lines that end in a backslash; the line break stays in the value, as Splunk keeps it.

    A comment does not go on in the next line. Lines end in \\n or \\r\\n only: other breaks are part of a value.
    """
    held, start = "", 0
    for number, raw in enumerate(text.lstrip("\ufeff").split("\n"), 1):
        line = raw.removesuffix("\r")
        start = start if held else number
        if line.endswith("\\") and not (not held and line.lstrip().startswith("#")):
            held += line[:-1] + "\n"
            continue
        yield start, held + line
        held = ""
    if held:
        yield start, held


def render(stanzas: Mapping[str, Mapping[str, str]]) -> str:
    lines: list[str] = []
    for name, settings in stanzas.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = " + value.replace("\n", "\\\n") for key, value in settings.items()]
        lines.append("")
    return "\n".join(lines)


def check_writable(stanza: str, settings: Mapping[str, str]) -> None:
    """Refuse names and values that would read back as something else.

    Raises:
        SandboxError: it names what is wrong.
    """
    if not stanza or stanza != stanza.strip() or any(char in stanza for char in "\r\n\0"):
        raise SandboxError(f"{stanza[:80]!r} cannot be the name of a stanza")
    for key, value in settings.items():
        if not key.strip() or key[:1] in ("#", "[") or any(char in key for char in "\r\n\0="):
            raise SandboxError(f"{key[:80]!r} cannot be the name of a setting")
        if "\0" in value or value.endswith("\\") or "\\\n" in value:
            raise SandboxError(f"The value of {key} must not hold NUL or end a line in a backslash")
