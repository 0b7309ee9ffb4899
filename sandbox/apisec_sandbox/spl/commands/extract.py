"""Commands that get fields out of text: rex, spath.

Source: Search Reference, the page of each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from apisec_sandbox.spl import jsonpath, xmlpath
from apisec_sandbox.spl.commands.base import Arguments, Command, Env, OnField, Parse, added, union, whole
from apisec_sandbox.spl.context import Context, Fields, Stage
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.pcre import Match, Pattern, compile_pattern
from apisec_sandbox.spl.values import Row, collapse, to_text, values_of


@dataclass
class Rex(Command):
    streaming: ClassVar[bool] = True
    field: str
    pattern: Pattern
    max_match: int  # 0: no limit
    offset_field: str | None

    def needs(self, wanted: Fields) -> Fields:
        own = frozenset(self.pattern.groupindex)
        return union(None if wanted is None else wanted, (self.field,), own)

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        names = list(self.pattern.groupindex) + ([self.offset_field] if self.offset_field else [])
        return Stage(self._rows(stage), added(stage.header, *names), stage.events)

    def _rows(self, stage: Stage) -> Iterator[Row]:
        for row in stage.rows:
            matches = self._matches(row)
            if matches:
                for name in self.pattern.groupindex:
                    held = collapse([match[name] for match in matches if match[name] is not None])
                    if held is not None:
                        row[name] = held
                if self.offset_field:
                    row[self.offset_field] = _offsets(matches[0])
            yield row

    def _matches(self, row: Row) -> list[Match]:
        found: list[Match] = []
        for value in values_of(row.get(self.field)):
            for match in self.pattern.finditer(to_text(value)):
                found.append(match)
                if self.max_match and len(found) >= self.max_match:
                    return found
        return found


def _offsets(match: Match) -> str:
    spans = ((name, *match.span(name)) for name in sorted(match.re.groupindex, key=match.re.groupindex.get))
    return "&".join(f"{name}={start}-{end - 1}" for name, start, end in spans if start >= 0)


@dataclass
class RexSed(OnField):
    field: str
    change: Callable[[str], str]

    def _rows(self, stage: Stage) -> Iterator[Row]:
        for row in stage.rows:
            value = row.get(self.field)
            if value is not None:
                row[self.field] = collapse([self.change(to_text(item)) for item in values_of(value)])
            yield row


def sed(script: str) -> Callable[[str], str]:
    """Compile ``s/regex/replacement/flags`` (g, i or a number) or ``y/from/to/``.

    Raises:
        SplError: it is neither.
    """
    if len(script) < 4 or script[0] not in "sy":
        raise SplError(f"Failed to initialize sed. Invalid script {script!r}")
    parts = re.split(r"(?<!\\)" + re.escape(script[1]), script[2:])
    if len(parts) != 3:
        raise SplError(f"Failed to initialize sed. Invalid script {script!r}")
    source, target, flags = parts
    if script[0] == "y":
        if len(source) != len(target):
            raise SplError("Failed to initialize sed. Both sides of y/// need the same length")
        table = str.maketrans(source, target)
        return lambda text: text.translate(table)
    return _substitution(
        source.replace("\\" + script[1], script[1]), target.replace("\\" + script[1], script[1]), flags
    )


def _substitution(source: str, target: str, flags: str) -> Callable[[str], str]:
    if not re.fullmatch(r"[gi]*\d*[gi]*", flags):
        raise SplError(f"Failed to initialize sed. Unknown flags {flags!r}")
    engine = compile_pattern(("(?i)" if "i" in flags else "") + source)
    template = re.sub(r"\\(?!\d)", r"\\\\", target).replace("&", "\\g<0>") if target else ""
    digits = re.sub(r"\D", "", flags)
    if digits:
        return lambda text: _replace_nth(engine, template, text, int(digits))
    return lambda text: engine.sub(template, text, count=0 if "g" in flags else 1)


def _replace_nth(engine: Pattern, template: str, text: str, number: int) -> str:
    for place, match in enumerate(engine.finditer(text), 1):
        if place == number:
            return text[: match.start()] + str(match.expand(template)) + text[match.end() :]
    return text


REX_OPTIONS = ("field", "max_match", "mode", "offset_field")


def parse_rex(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    known = REX_OPTIONS
    options = args.take(known)
    token = args.next("a regular expression")
    if token.kind != "text":
        raise args.fail("the regular expression must be in double quotes", token)
    options |= args.options(*known)
    args.close()
    field = options.get("field", "_raw")
    try:
        if options.get("mode") == "sed":
            return RexSed(field, sed(token.value))
        pattern = compile_pattern(token.value)
    except SplError as error:
        raise args.fail(error.message, token) from error
    if options.get("mode"):
        raise args.fail(f"unknown mode {options['mode']!r}; known: sed")
    if not pattern.groupindex:
        raise args.fail(
            "the regex does not extract anything. It should specify at least one named group. Format: (?<name>...).",
            token,
        )
    return Rex(field, pattern, whole(args, "max_match", options.get("max_match", "1")), options.get("offset_field"))


@dataclass
class Spath(Command):
    """Fields of JSON or XML text. Without a path all of them, from the first characters only (limits.conf [spath])."""

    streaming: ClassVar[bool] = True
    input: str
    path: str | None
    output: str

    def needs(self, wanted: Fields) -> Fields:
        if self.path is None:
            return union(wanted, (self.input,))
        return union(None if wanted is None else wanted - {self.output}, (self.input,))

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        header = added(stage.header, self.output) if self.path is not None else stage.header
        return Stage(self._rows(stage), header, stage.events)

    def _rows(self, stage: Stage) -> Iterator[Row]:
        for row in stage.rows:
            values = [to_text(value) for value in values_of(row.get(self.input))]
            if self.path is None:
                for text in values[:1]:
                    _all_fields(row, text)
            elif found := [value for text in values for value in _at_path(text, self.path)]:
                row[self.output] = collapse(found)
            yield row


def _all_fields(row: Row, text: str) -> None:
    if text.lstrip()[:1] == "<":
        row.update(xmlpath.flatten(text[:EXTRACTION_CUTOFF]))
        return
    document = jsonpath.parse(clipped(text, EXTRACTION_CUTOFF))
    if document is not None:
        row.update(jsonpath.flatten(document))


def clipped(text: str, most: int) -> str:
    """Return as much of a JSON text as fits, cut behind its last whole element and closed again."""
    if len(text) <= most:
        return text
    stack: list[str] = []
    quoted = escaped = False
    cut, closing = 0, ""
    for place, char in enumerate(text[:most]):
        if quoted:
            quoted = escaped or char != '"'
            escaped = char == "\\" and not escaped
            continue
        if char == '"':
            quoted = True
        elif char in "{[":
            stack.append("}" if char == "{" else "]")
            cut, closing = place + 1, "".join(reversed(stack))
        elif char in "}]":
            stack = stack[:-1]
            cut, closing = place + 1, "".join(reversed(stack))
        elif char == ",":
            cut, closing = place, "".join(reversed(stack))
    return text[:cut] + closing


def _at_path(text: str, path: str) -> list[str]:
    if text.lstrip()[:1] == "<":
        return xmlpath.extract(text, path)
    document = jsonpath.parse_plain(text)
    return [] if document is None else [jsonpath.leaf_text(value) for value in jsonpath.extract(document, path)]


EXTRACTION_CUTOFF = 5000  # limits.conf [spath] extraction_cutoff, characters
SPATH_OPTIONS = ("input", "output", "path")


def parse_spath(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    options = args.take(SPATH_OPTIONS)
    path = options.get("path")
    if path is None and not args.done():
        path = args.field_name("a path")
    options |= args.take(SPATH_OPTIONS)
    args.close()
    path = options.get("path", path)
    if path is None and "output" in options:
        raise args.fail("output needs a path")
    return Spath(options.get("input", "_raw"), path, options.get("output") or path or "")


COMMANDS: dict[str, Parse] = {"rex": parse_rex, "spath": parse_spath}
OPTIONS = {"rex": REX_OPTIONS, "spath": SPATH_OPTIONS}
