"""Commands around expressions: eval, where, fieldformat.

Source: Search Reference, the page of each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from apisec_sandbox.spl.commands.base import Arguments, Command, Env, Parse, added, union
from apisec_sandbox.spl.context import EVERY, Context, Fields, Stage
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.expressions import Expression, parse_expression
from apisec_sandbox.spl.lexer import QUOTED, SINGLE, unquote
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.values import Row, to_text

# An unquoted target may hold dots, colons, at signs, dashes and braces (docs: eval, "Field names").
TARGET = re.compile(r"[^\s\"'=!<>(),|]+")
DYNAMIC = re.compile(r"\{([^{}]+)\}")


@dataclass
class Eval(Command):
    """``eval a=x, b=y``: from left to right, later ones see earlier ones; null removes the field.

    A name in braces stands for the value of that field: ``eval {kind}=1`` (docs: eval, "Dynamically naming fields").
    """

    streaming: ClassVar[bool] = True
    assignments: list[tuple[str, Expression]]

    def needs(self, wanted: Fields) -> Fields:
        for name, expression in reversed(self.assignments):
            if is_dynamic(name):
                return EVERY
            wanted = union(None if wanted is None else wanted - {name}, expression.fields)
        return wanted

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        header = added(stage.header, *(name for name, _ in self.assignments if not is_dynamic(name)))
        if any(is_dynamic(name) for name, _ in self.assignments):
            return Stage(self._dynamic(stage), header, stage.events)
        return Stage(self._rows(stage), header, stage.events)

    def _rows(self, stage: Stage) -> Iterator[Row]:
        pairs = [(name, expression.run) for name, expression in self.assignments]
        for row in stage.rows:
            for name, run in pairs:
                assign(row, name, run(row))
            yield row

    def _dynamic(self, stage: Stage) -> Iterator[Row]:
        for row in stage.rows:
            for name, expression in self.assignments:
                value = expression.run(row)
                if not is_dynamic(name):
                    assign(row, name, value)
                elif all(row.get(part) is not None for part in DYNAMIC.findall(name)):
                    assign(row, DYNAMIC.sub(lambda match, held=row: to_text(held[match[1]]), name), value)  # type: ignore[misc]
            yield row


def is_dynamic(name: str) -> bool:
    return "{" in name and DYNAMIC.search(name) is not None


def assign(row: Row, name: str, value: Any) -> None:
    if value is None:
        row.pop(name, None)
    elif value is True or value is False:  # only through if() or case(): Splunk writes the text
        row[name] = "True" if value else "False"
    else:
        row[name] = value


def parse_eval(segment: Segment, env: Env) -> Command:
    if not segment.body.strip():
        raise Arguments(segment).fail("usage is eval <field>=<expression>, …")
    pieces = _pieces(segment.text, segment.start, segment.end)
    return Eval([_assignment(segment, start, end, env) for start, end in pieces])


def _pieces(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Cut at the commas outside of quotes and parentheses."""
    found, depth, position, begin = [], 0, start, start
    while position < end:
        char = text[position]
        if char in "\"'":
            match = (QUOTED if char == '"' else SINGLE).match(text, position, end)
            position = match.end() if match else end
            continue
        depth += (char in "([") - (char in ")]")
        if char == "," and depth == 0:
            found.append((begin, position))
            begin = position + 1
        position += 1
    return [*found, (begin, end)]


def _assignment(segment: Segment, start: int, end: int, env: Env) -> tuple[str, Expression]:
    text = segment.text
    start += len(text[start:end]) - len(text[start:end].lstrip())
    name, position = _target(segment, start, end)
    equals = position + len(text[position:end]) - len(text[position:end].lstrip())
    if not text.startswith("=", equals, end) or text.startswith("==", equals, end):
        raise SplError(f"Error in '{segment.name}' command: expected = behind {name!r}", text, min(equals, end))
    expression = parse_expression(text, equals + 1, end, env.scope)
    if expression.boolean:
        at = equals + 1 + len(text[equals + 1 : end]) - len(text[equals + 1 : end].lstrip())
        raise SplError(
            f"Error in '{segment.name}' command: Fields cannot be assigned a boolean result. "
            "Instead, try if([bool expr], [expr], [expr])",
            text,
            at,
        )
    return name, expression


def _target(segment: Segment, start: int, end: int) -> tuple[str, int]:
    text = segment.text
    quoted = {'"': QUOTED, "'": SINGLE}.get(text[start : start + 1])
    match = quoted.match(text, start, end) if quoted else TARGET.match(text, start, end)
    if not match:
        raise SplError(f"Error in '{segment.name}' command: expected field=expression", text, start)
    return (unquote(match[1]) if quoted else match[0]), match.end()


@dataclass
class Where(Command):
    streaming: ClassVar[bool] = True
    condition: Expression

    def needs(self, wanted: Fields) -> Fields:
        return union(wanted, self.condition.fields)

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        run = self.condition.run
        return Stage((row for row in stage.rows if run(row) is True), stage.header, stage.events)


def parse_where(segment: Segment, env: Env) -> Command:
    if not segment.body.strip():
        raise Arguments(segment).fail("an expression is needed")
    return Where(parse_expression(segment.text, segment.start, segment.end, env.scope))


@dataclass
class FieldFormat(Command):
    """How a field shows in a table of Splunk Web. The values that commands and exports see stay (docs: fieldformat)."""

    streaming: ClassVar[bool] = True

    def needs(self, wanted: Fields) -> Fields:
        return wanted

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        return stage


def parse_fieldformat(segment: Segment, env: Env) -> Command:
    for start, end in _pieces(segment.text, segment.start, segment.end):
        _assignment(segment, start, end, env)  # its errors belong to parsing
    return FieldFormat()


COMMANDS: dict[str, Parse] = {"eval": parse_eval, "where": parse_where, "fieldformat": parse_fieldformat}
