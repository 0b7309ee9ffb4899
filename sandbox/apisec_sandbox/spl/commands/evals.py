"""Commands around expressions: eval, where, foreach."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apisec_sandbox.spl.commands.base import Arguments, Command, Env, Parse, added, union
from apisec_sandbox.spl.commands.basic import expanded
from apisec_sandbox.spl.context import EVERY, Context, Fields, Stage, header_of
from apisec_sandbox.spl.expressions import Expression, Parser, parse_expression
from apisec_sandbox.spl.lexer import Cursor, expression_tokens
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.values import Row, wildcard_names


@dataclass
class Eval(Command):
    """``eval a=x, b=y``: from left to right, later ones see earlier ones; null removes the field."""

    assignments: list[tuple[str, Expression]]

    def needs(self, wanted: Fields) -> Fields:
        for name, expression in reversed(self.assignments):
            wanted = union(None if wanted is None else wanted - {name}, expression.fields)
        return wanted

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        return Stage(self._rows(stage), added(stage.header, *(name for name, _ in self.assignments)), stage.events)

    def _rows(self, stage: Stage) -> Iterator[Row]:
        pairs = [(name, expression.run) for name, expression in self.assignments]
        for row in stage.rows:
            for name, run in pairs:
                assign(row, name, run(row))
            yield row


def assign(row: Row, name: str, value: Any) -> None:
    if value is None:
        row.pop(name, None)
    elif value is True or value is False:  # only through if() or case(): Splunk writes the text
        row[name] = "True" if value else "False"
    else:
        row[name] = value


def parse_eval(segment: Segment, env: Env) -> Command:
    cursor = Cursor(expression_tokens(segment.text, segment.start, segment.end), segment.text, segment.end)
    assignments: list[tuple[str, Expression]] = []
    while True:
        token = cursor.next("field=expression")
        name = token.value
        while (dot := cursor.accept_op(".")) and not dot.spaced:  # an unquoted target may hold dots
            name += "." + cursor.next("a field name").value
        if token.kind not in ("word", "name", "text"):
            raise cursor.error("Error in 'eval' command: expected field=expression", token)
        cursor.expect_op("=")
        at = cursor.peek()
        expression = Parser(cursor, env.scope).whole()
        if expression.boolean:
            raise cursor.error(
                "Error in 'eval' command: Fields cannot be assigned a boolean result. "
                "Instead, try if([bool expr], [expr], [expr])",
                at,
            )
        assignments.append((name, expression))
        if cursor.done():
            return Eval(assignments)
        cursor.expect_op(",")


@dataclass
class Where(Command):
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
class Foreach(Command):
    """Run eval for each field that a pattern chooses, with ``<<FIELD>>``, ``<<MATCHSTR>>`` and ``<<MATCHSEGn>>``."""

    patterns: list[str]
    template: str
    env: Env

    def apply(self, stage: Stage, context: Context) -> Stage:
        rows = list(stage.rows)
        header = header_of(stage, rows)
        current = Stage(rows, stage.header, stage.events)
        for pattern in self.patterns:
            for name in expanded([pattern], header):
                for command in self.env.compile("| " + _fill(self.template, pattern, name)):
                    current = command.apply(current, context)
        return current

    def needs(self, wanted: Fields) -> Fields:  # noqa: ARG002
        return EVERY


def _fill(template: str, pattern: str, name: str) -> str:
    match = wildcard_names(pattern)(name)
    groups = match.groups() if match else ()
    text = template.replace("<<FIELD>>", name).replace("<<MATCHSTR>>", "".join(groups))
    return re.sub(r"<<MATCHSEG(\d)>>", lambda m: groups[int(m[1]) - 1] if int(m[1]) <= len(groups) else "", text)


def parse_foreach(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    options = args.options("mode", "fieldstr", "matchstr")
    if options.pop("mode", "multifield") != "multifield" or options:
        raise args.fail("only mode=multifield with the standard template names is supported")
    patterns = args.field_list()
    token = args.next("a subsearch [eval …]")
    args.close()
    if token.kind != "search" or not patterns:
        raise args.fail("usage is foreach <fields> [eval …]", token)
    template = token.value.strip().lstrip("|").strip()
    if not template.lower().startswith("eval "):
        raise args.fail("the subsearch must be an eval", token)
    env.compile("| " + _fill(template, "x", "x"))  # its errors belong to parsing
    return Foreach(patterns, template, env)


COMMANDS: dict[str, Parse] = {"eval": parse_eval, "where": parse_where, "foreach": parse_foreach}
