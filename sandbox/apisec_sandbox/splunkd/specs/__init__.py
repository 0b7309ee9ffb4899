"""What the .conf files of an app may say, and checking them as ``btool check`` does.

Source: the *.conf.spec pages of the Admin Manual (the tables in ``tables``), and the app's own README/*.conf.spec.
A key that is nearly a documented one, and a value that is not of the documented type, are errors; a key that is
merely unknown is a warning, as Splunk takes it too.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from apisec_sandbox.splunkd.conffile import logical_lines, stanza_name
from apisec_sandbox.splunkd.specs.tables import BOOLEANS, KEYS, NUMBERS, PATTERNS

NEAR = 0.8  # difflib's ratio from which a name counts as a slip of the documented one
TRUE_OR_FALSE = frozenset(
    ("1", "0", "true", "false", "t", "f", "yes", "no", "y", "n", "on", "off", "enabled", "disabled")
)
SPEC_KEY = re.compile(r"([A-Za-z_<*][^\s=]*)\s*=")
HOLE = re.compile(r"<[^>]*>|\*")
COMMON = frozenset(("disabled", "python.version", "python.required"))


@dataclass
class Spec:
    """Names and patterns of one conf file's keys, from all stanzas together."""

    names: set[str] = field(default_factory=set)
    patterns: list[re.Pattern[str]] = field(default_factory=list)

    def knows(self, key: str) -> bool:
        return key in self.names or any(pattern.fullmatch(key) for pattern in self.patterns)

    def nearest(self, key: str) -> str | None:
        """Return the documented key that this one is probably meant to be."""
        folded = {name.lower(): name for name in self.names}
        if key.lower() in folded:
            return folded[key.lower()]
        found = difflib.get_close_matches(key, self.names, 1, NEAR)
        return found[0] if found else None


@dataclass(frozen=True)
class Finding:
    """``where`` is file and line; an error refuses the app."""

    where: str
    text: str
    error: bool

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


def check_app(folder: Path) -> list[Finding]:
    """Check every conf file of default/ and local/ that there is a specification for."""
    found: list[Finding] = []
    for path in sorted(folder.glob("*/*.conf")):
        if path.parent.name not in ("default", "local"):
            continue
        spec = spec_of(path.stem, folder)
        if spec is not None:
            text = path.read_text("utf-8-sig", errors="replace")
            found += _check(path.stem, spec, text, str(path.relative_to(folder)))
    return found


def spec_of(conf: str, app: Path | None = None) -> Spec | None:
    """Return Splunk's specification with what the app's README adds; None when neither says anything."""
    spec = Spec()
    if conf in KEYS:
        spec.names |= set(KEYS[conf]) | COMMON
        spec.patterns += [re.compile(pattern) for pattern in PATTERNS.get(conf, ())]
    own = app / "README" / f"{conf}.conf.spec" if app else None
    if own is not None and own.is_file():
        _read(own.read_text("utf-8", errors="replace"), spec)
    return spec if spec.names or spec.patterns else None


def _read(text: str, spec: Spec) -> None:
    """Take the keys of a .conf.spec: ``name = <type>`` at the start of a line; ``<x>`` and ``*`` stand for any text."""
    spec.names |= COMMON
    for line in text.splitlines():
        match = SPEC_KEY.match(line)
        if match is None or line.startswith("*"):
            continue
        if HOLE.search(match[1]):
            parts = [re.escape(part) for part in HOLE.split(match[1])]
            spec.patterns.append(re.compile(".+".join(parts)))
        else:
            spec.names.add(match[1])


def _check(conf: str, spec: Spec, text: str, where: str) -> Iterator[Finding]:
    stanza = "default"
    for number, line in logical_lines(text):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        if (name := stanza_name(bare)) is not None:
            stanza = name
            continue
        key, _, value = line.partition("=")
        yield from _check_key(conf, spec, stanza, key.strip(), value.strip(), f"{where}, line {number}")


def _check_key(conf: str, spec: Spec, stanza: str, key: str, value: str, where: str) -> Iterator[Finding]:
    if not spec.knows(key):
        near = spec.nearest(key)
        hint = f"; did you mean '{near}'?" if near else ""
        yield Finding(where, f"Invalid key in stanza [{stanza}]: {key} (value: {value[:80]}){hint}", near is not None)
    elif key in BOOLEANS.get(conf, ()) and value and value.lower() not in TRUE_OR_FALSE:
        yield Finding(where, f"Invalid value in stanza [{stanza}]: {key} = {value[:80]} is no boolean", True)
    elif key in NUMBERS.get(conf, ()) and value and not re.fullmatch(r"[+-]?\d+", value):
        yield Finding(where, f"Invalid value in stanza [{stanza}]: {key} = {value[:80]} is no whole number", True)
