"""What changes an event before it is indexed: SEDCMD and TRANSFORMS.

Source: Getting Data In, "Anonymize data", "Override source types on a per-event basis", "Create custom fields at index
time"; Forwarding Data, "Route and filter data"; transforms.conf.spec. Patterns run on Splunk's PCRE as spl.pcre reads
it, within a time. What is not known here is refused by name when the rule is read, never skipped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.spl.pcre import compile_pattern

Settings = Mapping[str, str]
LOOKAHEAD = 4096  # characters of the source that a REGEX sees
MAX_REPEATS = 1000  # matches of one REPEAT_MATCH
METADATA = {
    "MetaData:Host": ("host", "host::"),
    "MetaData:Source": ("source", "source::"),
    "MetaData:Sourcetype": ("sourcetype", "sourcetype::"),
    "_MetaData:Index": ("index", ""),
    "_raw": ("raw", ""),
    "queue": ("queue", ""),
}
KNOWN = frozenset(
    (
        *("REGEX", "FORMAT", "DEST_KEY", "SOURCE_KEY", "DEFAULT_VALUE", "WRITE_META", "REPEAT_MATCH", "LOOKAHEAD"),
        *("MV_ADD", "CLEAN_KEYS", "KEEP_EMPTY_VALS", "CAN_OPTIMIZE", "MATCH_LIMIT", "DEPTH_LIMIT"),
    )
)
PAIR = re.compile(r'("?)([^":\s][^":]*?)\1::("(?:[^"\\]|\\.)*"|\S+)')
SED = re.compile(r"([sy])(.)", re.DOTALL)


class RuleError(SandboxError):
    """A setting of props.conf or transforms.conf that cannot be applied."""


@dataclass
class Draft:
    """An event on its way into an index."""

    raw: str
    host: str
    source: str
    sourcetype: str
    index: str
    time: float
    fields: dict[str, Any] = field(default_factory=dict)
    queue: str = "indexQueue"

    def add(self, name: str, value: str) -> None:
        held = self.fields.get(name)
        if held is None:
            self.fields[name] = value
        elif isinstance(held, list):
            self.fields[name] = [*held, value]
        else:
            self.fields[name] = [held, value]


Step = Callable[[Draft], None]


def sed(text: str, where: str) -> Step:
    """Compile one SEDCMD: ``s/regex/replacement/flags`` (g or a number) or ``y/abc/xyz/``; several may follow.

    Raises:
        RuleError: it is neither.
    """
    steps: list[Callable[[str], str]] = []
    rest = text.strip()
    while rest:
        head = SED.match(rest)
        if not head or head[2].isalnum() or head[2].isspace():
            raise RuleError(f"{where}: expected s/regex/replacement/flags or y/characters/others/, found {rest[:60]!r}")
        one, two, flags, rest = _sed_parts(rest[2:], head[2], where)
        steps.append(_substitution(one, two, flags, where) if head[1] == "s" else _translation(one, two, where))

    def run(draft: Draft) -> None:
        for step in steps:
            draft.raw = step(draft.raw)

    return run


def _sed_parts(text: str, mark: str, where: str) -> tuple[str, str, str, str]:
    part = rf"((?:[^{re.escape(mark)}\\]|\\.)*){re.escape(mark)}"
    match = re.match(rf"{part}{part}([g\d]*)\s*;?\s*", text, re.DOTALL)
    if not match:
        raise RuleError(f"{where}: the sed expression lacks a closing {mark!r}")
    one, two = (piece.replace("\\" + mark, mark) for piece in match.group(1, 2))
    return one, two, match[3], text[match.end() :]


def _substitution(pattern: str, replacement: str, flags: str, where: str) -> Callable[[str], str]:
    compiled = compiled_or_error(pattern, where)
    expand = _expander(replacement.replace("\\n", "\n"), r"\\(\d)|(&)" if "&" in replacement else r"\\(\d)")
    nth = int("".join(char for char in flags if char.isdigit()) or 0)
    if nth > 1:
        return lambda text: _nth(compiled, expand, nth, text)
    return lambda text: compiled.sub(expand, text, count=0 if "g" in flags else 1)


def _expander(template: str, reference: str) -> Callable[[Any], str]:
    """Fill ``\\1`` and, in sed, ``&``."""
    pieces = re.compile(reference)

    def expand(match: Any) -> str:
        def one(found: re.Match[str]) -> str:
            number = int(found[1] or 0)
            return (match[number] or "") if number <= match.re.groups else ""

        return pieces.sub(one, template)

    return expand


def _nth(compiled: Any, expand: Callable[[Any], str], nth: int, text: str) -> str:
    for number, match in enumerate(compiled.finditer(text), 1):
        if number == nth:
            return text[: match.start()] + expand(match) + text[match.end() :]
    return text


def _translation(one: str, two: str, where: str) -> Callable[[str], str]:
    if len(one) != len(two):
        raise RuleError(f"{where}: y/{one}/{two}/ needs as many characters on both sides")
    table = str.maketrans(one, two)
    return lambda text: text.translate(table)


def compiled_or_error(pattern: str, where: str) -> Any:
    try:
        return compile_pattern(pattern)
    except SandboxError as error:
        raise RuleError(f"{where}: {error}") from error


@dataclass(frozen=True)
class Transform:
    """One stanza of transforms.conf, for index time."""

    pattern: Any
    source: str
    target: str  # an attribute of Draft, or "" for indexed fields
    prefix: str
    layout: tuple[tuple[str, str], ...]  # (name, value) templates of fields; else one ("", value)
    default: str | None
    repeat: bool
    lookahead: int

    def __call__(self, draft: Draft) -> None:
        text = self._text(draft)[: self.lookahead]
        matches = self._matches(text)
        if not matches and self.default is not None and self.target:
            self._write(draft, self.default)
        for match in matches:
            for name, value in self.layout:
                filled = _fill(value, match)
                if self.target:
                    self._write(draft, filled)
                elif filled:
                    draft.add(_fill(name, match), filled)

    def _matches(self, text: str) -> list[Any]:
        if not self.repeat:
            match = self.pattern.search(text)
            return [match] if match else []
        found = []
        for match in self.pattern.finditer(text):
            found.append(match)
            if len(found) >= MAX_REPEATS:
                break
        return found

    def _text(self, draft: Draft) -> str:
        if self.source.startswith("field:"):
            held = draft.fields.get(self.source[6:], "")
            return " ".join(held) if isinstance(held, list) else str(held)
        name, prefix = METADATA[self.source]
        return prefix + str(getattr(draft, name))

    def _write(self, draft: Draft, value: str) -> None:
        setattr(draft, self.target, value.removeprefix(self.prefix))


def transform(name: str, settings: Settings | None) -> Transform:
    """Compile one stanza.

    Raises:
        RuleError: it is missing, or has a setting that is not supported at index time.
    """
    where = f"transforms.conf [{name}]"
    if settings is None:
        raise RuleError(f"{where} does not exist")
    unknown = sorted(key for key in settings if key not in KNOWN and key.isupper())
    if unknown:
        raise RuleError(f"{where}: {unknown[0]} is not supported at index time")
    if not settings.get("REGEX"):
        raise RuleError(f"{where}: REGEX is required at index time")
    source = _key(settings.get("SOURCE_KEY", "_raw"), f"{where}: SOURCE_KEY", field_too=True)
    destination = settings.get("DEST_KEY", "_meta")
    target, prefix = ("", "") if destination == "_meta" else METADATA[_key(destination, f"{where}: DEST_KEY")]
    return Transform(
        compiled_or_error(settings["REGEX"], f"{where}: REGEX"),
        source,
        target,
        prefix,
        _layout(name, settings, bool(target), where),
        settings.get("DEFAULT_VALUE"),
        settings.get("REPEAT_MATCH", "").strip().lower() in ("1", "true") and not target,
        _lookahead(settings.get("LOOKAHEAD", ""), where),
    )


def _lookahead(text: str, where: str) -> int:
    try:
        return int(text) if text.strip() else LOOKAHEAD
    except ValueError as error:
        raise RuleError(f"{where}: LOOKAHEAD = {text} is not a number") from error


def _key(name: str, where: str, field_too: bool = False) -> str:
    known = {key.lower(): key for key in METADATA}
    if field_too and name.startswith("field:"):
        return name
    if name.lower() not in known:
        raise RuleError(f"{where} = {name} is not supported; known: {', '.join([*METADATA, '_meta'])}")
    return known[name.lower()]


def _layout(name: str, settings: Settings, single: bool, where: str) -> tuple[tuple[str, str], ...]:
    text = settings.get("FORMAT", "")
    if single:
        if not text:
            raise RuleError(f"{where}: DEST_KEY needs a FORMAT")
        return (("", text),)
    if not text:
        return ((name, "$1"),)
    pairs = tuple((match[2], match[3].removeprefix('"').removesuffix('"')) for match in PAIR.finditer(text))
    if not pairs:
        raise RuleError(f"{where}: FORMAT = {text} has no field::value")
    return pairs


def _fill(template: str, match: Any) -> str:
    def one(found: re.Match[str]) -> str:
        number = int(found[1])
        return (match[number] or "") if number <= match.re.groups else ""

    return re.sub(r"\$(\d+)", one, template)
