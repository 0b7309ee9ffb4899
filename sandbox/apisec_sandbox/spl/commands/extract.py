"""Commands that get fields out of text: rex, spath."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from apisec_sandbox.spl import jsonpath
from apisec_sandbox.spl.commands.base import Arguments, Command, Env, OnField, Parse, added, union, whole
from apisec_sandbox.spl.context import Context, Fields, Stage
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.functions import regex
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.values import Row, collapse, to_text, values_of


@dataclass
class Rex(Command):
    field: str
    pattern: Any
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

    def _matches(self, row: Row) -> list[re.Match[str]]:
        found: list[re.Match[str]] = []
        for value in values_of(row.get(self.field)):
            for match in self.pattern.finditer(to_text(value)):
                found.append(match)
                if self.max_match and len(found) >= self.max_match:
                    return found
        return found


def _offsets(match: re.Match[str]) -> str:
    spans = ((name, *match.span(name)) for name in match.re.groupindex)
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
    engine = regex(("(?i)" if "i" in flags else "") + source)
    template = re.sub(r"\\(?!\d)", r"\\\\", target).replace("&", "\\g<0>") if target else ""
    digits = re.sub(r"\D", "", flags)
    if digits:
        return lambda text: _replace_nth(engine, template, text, int(digits))
    return lambda text: engine.sub(template, text, count=0 if "g" in flags else 1)


def _replace_nth(engine: re.Pattern[str], template: str, text: str, number: int) -> str:
    for place, match in enumerate(engine.finditer(text), 1):
        if place == number:
            return text[: match.start()] + match.expand(template) + text[match.end() :]
    return text


def parse_rex(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    known = ("field", "max_match", "mode", "offset_field")
    options = args.options(*known)
    args.refuse_option(known)
    token = args.next("a regular expression")
    if token.kind != "text":
        raise args.fail("the regular expression must be in double quotes", token)
    options |= args.options(*known)
    args.close()
    field = options.get("field", "_raw")
    try:
        if options.get("mode") == "sed":
            return RexSed(field, sed(token.value))
        pattern = regex(token.value)
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
            text = row.get(self.input)
            parse = jsonpath.parse if self.path is None else jsonpath.parse_plain
            document = parse(to_text(text)) if text is not None else None
            if document is not None:
                if self.path is None:
                    row.update(jsonpath.flatten(document))
                else:
                    self._one(row, document)
            yield row

    def _one(self, row: Row, document: Any) -> None:
        assert self.path is not None
        found = [jsonpath.leaf_text(value) for value in jsonpath.extract(document, self.path)]
        held = collapse(found)
        if held is not None:
            row[self.output] = held


def parse_spath(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    known = ("input", "output", "path")
    options = args.options(*known)
    args.refuse_option(known)
    path = options.get("path")
    if path is None and not args.done():
        path = args.field_name("a path")
    options |= args.options(*known)
    args.close()
    if path is None and "output" in options:
        raise args.fail("output needs a path")
    return Spath(options.get("input", "_raw"), path, options.get("output") or path or "")


COMMANDS: dict[str, Parse] = {"rex": parse_rex, "spath": parse_spath}
