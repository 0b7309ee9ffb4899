"""What a subsearch stands for in the search around it: format, return, and the implicit format.

Source: Search Reference, "format", "return"; Search Manual, "Change the format of subsearch results".
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

from apisec_sandbox.spl.commands.base import Arguments, Command, Env, Parse, union, whole
from apisec_sandbox.spl.context import Context, Fields, Stage
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.values import Row, to_text, values_of


@dataclass(frozen=True)
class Layout:
    """The six strings around rows and columns, and what joins the values of a multivalue."""

    row_prefix: str = "("
    column_prefix: str = "("
    column_separator: str = "AND"
    column_end: str = ")"
    row_separator: str = "OR"
    row_end: str = ")"
    values: str = "OR"
    empty: str = "NOT( )"


def as_expression(rows: list[Row], layout: Layout = Layout()) -> str:
    """``( ( a="1" AND b="2" ) OR ( … ) )``; a field ``search`` or ``query`` is text as it is.

    No row at all matches nothing.
    """
    parts = [text for row in rows if (text := row_expression(row, layout))]
    if not parts:
        return layout.empty
    return f"{layout.row_prefix} " + f" {layout.row_separator} ".join(parts) + f" {layout.row_end}"


def row_expression(row: Row, layout: Layout = Layout()) -> str:
    terms = []
    for name, value in row.items():
        if name.startswith("_"):
            continue
        options = [_term(name, to_text(item)) for item in values_of(value)]
        if len(options) == 1:
            terms.append(options[0])
        elif options:
            inside = f" {layout.values} ".join(options)
            terms.append(f"{layout.column_prefix} {inside} {layout.column_end}")
    if not terms:
        return ""
    return f"{layout.column_prefix} " + f" {layout.column_separator} ".join(terms) + f" {layout.column_end}"


def _term(name: str, value: str) -> str:
    if name in ("search", "query"):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{escaped}"'


@dataclass
class Format(Command):
    layout: Layout
    maximum: int

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        rows = list(itertools.islice(stage.rows, self.maximum) if self.maximum else stage.rows)
        if stage.header is not None:
            rows = [{name: row[name] for name in [*stage.header, *row] if name in row} for row in rows]
        return Stage([{"search": as_expression(rows, self.layout)}], ["search"])


FORMAT_OPTIONS = ("mvsep", "maxresults", "emptystr")


def parse_format(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    options = args.take(FORMAT_OPTIONS)
    parts: list[str] = []
    while (token := args.peek()) and token.kind == "text":
        parts.append(args.next().value)
    options |= args.take(FORMAT_OPTIONS)
    args.close()
    if parts and len(parts) != 6:
        raise args.fail(
            "six strings are needed: row prefix, column prefix, column separator, column end, row separator, row end"
        )
    values, empty = options.get("mvsep", "OR"), options.get("emptystr", "NOT( )")
    layout = replace(Layout(*parts[:6]), values=values, empty=empty)
    return Format(layout, whole(args, "maxresults", options.get("maxresults", "0")))


@dataclass
class Return(Command):
    """``return [N] field | alias=field | $field``: a search string out of the first rows."""

    count: int
    terms: list[tuple[str | None, str]]  # (name in the expression or None for the bare value, field)

    def needs(self, wanted: Fields) -> Fields:  # noqa: ARG002
        return union(frozenset(), (name for _, name in self.terms))

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        parts = []
        for row in itertools.islice(stage.rows, self.count):
            terms = [self._one(alias, row[name]) for alias, name in self.terms if row.get(name) is not None]
            if terms:
                parts.append(f"({' '.join(terms)})")
        return Stage([{"search": " OR ".join(parts)}] if parts else [], ["search"])

    @staticmethod
    def _one(alias: str | None, value: Any) -> str:
        options = [to_text(item) if alias is None else _term(alias, to_text(item)) for item in values_of(value)]
        return options[0] if len(options) == 1 else "(" + " OR ".join(options) + ")"


def parse_return(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    count = args.count(1, 1)
    terms: list[tuple[str | None, str]] = []
    while not args.done():
        if args.accept_op(","):
            continue
        name = args.field_name()
        if args.accept_op("="):
            terms.append((name, args.field_name()))
        elif name.startswith("$"):
            terms.append((None, name[1:]))
        else:
            terms.append((name, name))
    if not terms:
        raise args.fail("at least one field is needed")
    return Return(count, terms)


COMMANDS: dict[str, Parse] = {"format": parse_format, "return": parse_return}
OPTIONS = {"format": FORMAT_OPTIONS}
