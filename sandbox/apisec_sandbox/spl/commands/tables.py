"""Commands on whole tables: addtotals, addcoltotals, transpose, untable, xyseries, makecontinuous.

Source: Search Reference, the page of each.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apisec_sandbox.spl.commands.base import Arguments, Command, Env, Parse, added, boolean, checked, union, whole
from apisec_sandbox.spl.commands.bins import NumberSpan, TimeSpan, nice_span, read_span, time_span
from apisec_sandbox.spl.commands.fields import Chooser, chooser
from apisec_sandbox.spl.context import EVERY, Context, Fields, Stage, header_of
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.times import next_bucket
from apisec_sandbox.spl.values import Row, clean, sort_key, to_number, to_text, values_of

MAX_ROWS = 100_000  # that makecontinuous adds at most


@dataclass
class AddTotals(Command):
    """A field with the sum of each row, a row with the sum of each column, or both. Texts do not count."""

    names: list[str]  # none: every field but the internal ones
    row: bool
    column: bool
    field: str
    label_field: str | None
    label: str

    def needs(self, wanted: Fields) -> Fields:
        return union(wanted, self.names) if self.names else EVERY

    def apply(self, stage: Stage, context: Context) -> Stage:
        header = stage.header
        if self.row:
            header = added(header, self.field)
        if self.label_field:
            header = added(header, self.label_field)
        return Stage(self._rows(stage, context), header, stage.events)

    def _rows(self, stage: Stage, context: Context) -> Iterator[Row]:
        test = chooser(self.names or ["*"])
        totals: dict[str, int | float] = {}
        for row in checked(stage.rows, context):
            if self.row:
                row[self.field] = clean(sum(number for name, number in _numbers(row, test) if name != self.field))
            if self.column:
                for name, number in _numbers(row, lambda name: test(name) or (self.row and name == self.field)):
                    totals[name] = totals.get(name, 0) + number
            yield row
        if self.column:
            last: Row = {name: clean(total) for name, total in totals.items()}
            if self.label_field:
                last[self.label_field] = self.label
            yield last


def _numbers(row: Row, test: Chooser) -> Iterator[tuple[str, int | float]]:
    for name, value in row.items():
        if test(name):
            for item in values_of(value):
                if (number := to_number(item)) is not None:
                    yield name, number


ADDTOTALS_OPTIONS = ("row", "col", "labelfield", "label", "fieldname")
ADDCOLTOTALS_OPTIONS = ("labelfield", "label")


def _names_and_options(args: Arguments, known: tuple[str, ...]) -> tuple[list[str], dict[str, str]]:
    names: list[str] = []
    options = args.take(known)
    while not args.done():
        names += args.field_list()
        before = args.at
        options |= args.take(known)
        if args.at == before:
            break
    args.close()
    return names, options


def parse_addtotals(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    names, options = _names_and_options(args, ADDTOTALS_OPTIONS)
    row = boolean(args, "row", options.get("row", "t"))
    column = boolean(args, "col", options.get("col", "f"))
    field = options.get("fieldname", "Total")
    return AddTotals(names, row, column, field, options.get("labelfield"), options.get("label", "Total"))


def parse_addcoltotals(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    names, options = _names_and_options(args, ADDCOLTOTALS_OPTIONS)
    return AddTotals(names, False, True, "Total", options.get("labelfield"), options.get("label", "Total"))


@dataclass
class Transpose(Command):
    """Rows become columns: ``column``, ``row 1``, ``row 2`` … or the values of a field as names."""

    count: int  # rows that become columns; 0: all
    column_name: str
    header_field: str | None
    include_empty: bool

    def apply(self, stage: Stage, context: Context) -> Stage:
        rows = list(checked(itertools.islice(stage.rows, self.count or None), context))
        columns = [name for name in header_of(stage, rows) if name != self.header_field]
        names = [self._name(number, row) for number, row in enumerate(rows, 1)]
        return Stage(list(self._turned(rows, columns, names)), list(dict.fromkeys([self.column_name, *names])))

    def _name(self, number: int, row: Row) -> str:
        if self.header_field is None:
            return f"row {number}"
        held = row.get(self.header_field)
        return f"row {number}" if held is None else to_text(held)

    def _turned(self, rows: list[Row], columns: list[str], names: list[str]) -> Iterator[Row]:
        for column in columns:
            values = {name: row[column] for name, row in zip(names, rows, strict=True) if row.get(column) is not None}
            if values or self.include_empty:
                yield {self.column_name: column, **values}


TRANSPOSE_OPTIONS = ("column_name", "header_field", "include_empty")


def parse_transpose(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    options = args.take(TRANSPOSE_OPTIONS)
    count = args.count(5)
    options |= args.take(TRANSPOSE_OPTIONS)
    args.close()
    empty = boolean(args, "include_empty", options.get("include_empty", "t"))
    return Transpose(count, options.get("column_name", "column"), options.get("header_field"), empty)


@dataclass
class Untable(Command):
    """Each cell becomes a row: the x field, the column's name, the value."""

    x: str
    name: str
    value: str

    def apply(self, stage: Stage, context: Context) -> Stage:
        return Stage(self._rows(stage, context), [self.x, self.name, self.value])

    def _rows(self, stage: Stage, context: Context) -> Iterator[Row]:
        for row in checked(stage.rows, context):
            order = [name for name in stage.header or () if name in row]
            for name in dict.fromkeys([*order, *row]):
                if (
                    name != self.x
                    and not name.startswith("_")
                    and row[name] is not None
                    and row.get(self.x) is not None
                ):
                    yield {self.x: row[self.x], self.name: name, self.value: row[name]}


def parse_untable(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    names = args.field_list()
    args.close()
    if len(names) != 3:
        raise args.fail("three fields are needed: the x field, the field for names, the field for values")
    return Untable(*names)


@dataclass
class XySeries(Command):
    """The counterpart of untable: a column for each value of the second field."""

    x: str
    name: str
    values: list[str]
    separator: str
    layout: str | None

    def needs(self, wanted: Fields) -> Fields:  # noqa: ARG002
        return union(frozenset(), (self.x, self.name, *self.values))

    def apply(self, stage: Stage, context: Context) -> Stage:
        table: dict[Any, Row] = {}
        columns: dict[str, None] = {}
        for row in checked(stage.rows, context):
            x, series = row.get(self.x), row.get(self.name)
            if x is None or series is None:
                continue
            held = table.setdefault(to_text(x), {self.x: x})
            for field in self.values:
                column = self._column(field, to_text(series))
                columns[column] = None
                if row.get(field) is not None:
                    held[column] = row[field]
        ordered = sorted(table.values(), key=lambda row: sort_key(row[self.x]))
        return Stage(ordered, [self.x, *sorted(columns)])

    def _column(self, field: str, series: str) -> str:
        if self.layout is not None:
            return self.layout.replace("$AGG$", field).replace("$VAL$", series)
        return series if len(self.values) == 1 else f"{field}{self.separator}{series}"


XYSERIES_OPTIONS = ("grouped", "sep", "format")


def parse_xyseries(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    names, options = _names_and_options(args, XYSERIES_OPTIONS)
    boolean(args, "grouped", options.get("grouped", "f"))  # whether the rows come ordered: here it does not matter
    if len(names) < 3:
        raise args.fail("three fields are needed at least: the x field, the field with names, fields with values")
    return XySeries(names[0], names[1], names[2:], options.get("sep", ": "), options.get("format"))


@dataclass
class MakeContinuous(Command):
    """Adds the ranges that are missing between the lowest and the highest one."""

    field: str
    span: str | None
    bins: int
    start: str | None
    end: str | None

    def apply(self, stage: Stage, context: Context) -> Stage:
        return Stage(self._rows(stage, context), stage.header, stage.events)

    def _rows(self, stage: Stage, context: Context) -> Iterator[Row]:
        rows = list(checked(stage.rows, context))
        placed = [(float(n), row) for row in rows if (n := to_number(row.get(self.field))) is not None]
        bounds = [float(number) for text in (self.start, self.end) if (number := to_number(text)) is not None]
        numbers = [number for number, _ in placed] + bounds
        if not numbers:
            yield from rows
            return
        by_start: dict[float, list[Row]] = {}
        span = self._span(max(numbers) - min(numbers))
        for number, row in placed:
            by_start.setdefault(_start(span, number), []).append(row)
        current, last = _start(span, min(numbers)), max(numbers)
        for _ in range(MAX_ROWS):
            if current > last:
                return
            shown = clean(current)
            yield from ({**row, self.field: shown} for row in by_start.get(current, [{self.field: shown}]))
            current = _next(span, current)
        raise SplError(f"Error in 'makecontinuous' command: the span gives more than {MAX_ROWS} rows.")

    def _span(self, width: float) -> TimeSpan | NumberSpan:
        if self.span is not None:
            span = read_span(self.span, self.field)
            if not isinstance(span, TimeSpan | NumberSpan):
                raise SplError("Error in 'makecontinuous' command: a log span is not possible.")
            return span
        return time_span(width, self.bins, 0.0) if self.field == "_time" else NumberSpan(nice_span(width, self.bins))


def _start(span: TimeSpan | NumberSpan, number: float) -> float:
    return float(span.place(number)) if isinstance(span, TimeSpan) else number // span.amount * span.amount


def _next(span: TimeSpan | NumberSpan, start: float) -> float:
    return next_bucket(start, span.amount, span.unit) if isinstance(span, TimeSpan) else start + span.amount


CONTINUOUS_OPTIONS = ("bins", "span", "start", "end")


def parse_makecontinuous(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    names, options = _names_and_options(args, CONTINUOUS_OPTIONS)
    if len(names) > 1:
        raise args.fail("one field at most is possible")
    field = names[0] if names else "_time"
    if "span" in options:
        try:
            read_span(options["span"], field)
        except SplError as error:
            raise args.fail(error.message) from error
    for name in ("start", "end"):
        if name in options and to_number(options[name]) is None:
            raise args.fail(f"{name} must be a number, given {options[name]!r}")
    bins = whole(args, "bins", options.get("bins", "100"), 2)
    return MakeContinuous(field, options.get("span"), bins, options.get("start"), options.get("end"))


COMMANDS: dict[str, Parse] = {
    "addtotals": parse_addtotals,
    "addcoltotals": parse_addcoltotals,
    "transpose": parse_transpose,
    "untable": parse_untable,
    "xyseries": parse_xyseries,
    "makecontinuous": parse_makecontinuous,
}
OPTIONS = {
    "addtotals": ADDTOTALS_OPTIONS,
    "addcoltotals": ADDCOLTOTALS_OPTIONS,
    "transpose": TRANSPOSE_OPTIONS,
    "xyseries": XYSERIES_OPTIONS,
    "makecontinuous": CONTINUOUS_OPTIONS,
}
