"""bin, chart and timechart.

Source: Search Reference, "bin", "chart", "timechart" (its table of default spans).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apisec_sandbox.spl.commands.aggregation import Aggregation, parse_aggregations
from apisec_sandbox.spl.commands.aggregator import Aggregator, Group
from apisec_sandbox.spl.commands.base import Arguments, Command, Env, Parse, added, boolean, checked, union, whole
from apisec_sandbox.spl.context import Context, Fields, Stage
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.times import floor_time, next_bucket, parse_span
from apisec_sandbox.spl.values import Row, format_float, group_key, to_number, to_text, values_of

MAX_BUCKETS = 50_000
# timechart's default span by the length of the search: at most so many seconds -> span
DEFAULT_SPANS = (
    (15 * 60, "10s"),
    (60 * 60, "1m"),
    (4 * 3600, "5m"),
    (24 * 3600, "30m"),
    (7 * 86400, "4h"),
    (30 * 86400, "1d"),
    (math.inf, "1mon"),
)


@dataclass
class Bin(Command):
    field: str
    output: str
    span: str | None
    bins: int
    start: float | None = None
    end: float | None = None

    def needs(self, wanted: Fields) -> Fields:
        return union(wanted, (self.field,))

    def apply(self, stage: Stage, context: Context) -> Stage:
        rows = self._fixed(stage, self.span) if self.span else self._measured(stage, context)
        return Stage(rows, added(stage.header, self.output), stage.events)

    def _fixed(self, stage: Stage, span: str) -> Iterator[Row]:
        amount, unit = parse_span(span)
        for row in stage.rows:
            value = row.get(self.field)
            if isinstance(value, list):
                yield row  # a multivalue is left as it is
                continue
            number = to_number(value)
            if number is not None:
                row[self.output] = self._bucket(number, amount, unit)
            yield row

    def _bucket(self, number: float, amount: float, unit: str) -> Any:
        if self.field == "_time":
            return floor_time(number, amount, unit)
        low = math.floor(number / amount) * amount
        return f"{format_float(float(low))}-{format_float(float(low + amount))}"

    def _measured(self, stage: Stage, context: Context) -> Iterator[Row]:
        rows = list(checked(stage.rows, context))
        numbers = [n for row in rows if (n := to_number(row.get(self.field))) is not None]
        if self.field == "_time":
            low, high = time_range(numbers, context)
            return self._fixed(Stage(rows), default_span(high - low, self.bins))
        low = self.start if self.start is not None else min(numbers, default=0.0)
        high = self.end if self.end is not None else max(numbers, default=0.0)
        return self._fixed(Stage(rows), format_float(nice_span(high - low, self.bins)))


def nice_span(width: float, bins: int) -> float:
    """The smallest power of ten that cuts the width into at most ``bins``."""
    if width <= 0:
        return 1.0
    return float(10.0 ** math.ceil(math.log10(width / bins) - 1e-12))


def default_span(seconds: float, bins: int = 100) -> str:
    spans = (
        DEFAULT_SPANS
        if bins == 100
        else [
            (amount * bins, f"{amount}s") for amount in (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 14400, 86400, 604800)
        ]
    )
    return next((span for limit, span in spans if seconds <= limit), "1mon")


def time_range(times: list[float], context: Context) -> tuple[float, float]:
    """The range of the search; where it is open, that of the rows."""
    low = context.earliest if math.isfinite(context.earliest) else min(times, default=context.now)
    high = context.latest if math.isfinite(context.latest) else max(times, default=context.now)
    return (low, high) if context.earliest > 0 else (min(times, default=low), high)


def parse_bin(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    known = ("span", "bins", "start", "end", "minspan", "aligntime")
    options = args.options(*known)
    args.refuse_option(known)
    field = args.field_name()
    options |= args.options(*known)
    output = args.field_name() if args.accept_word("as") else field
    options |= args.options(*known)
    args.close()
    for name in ("minspan", "aligntime"):
        if name in options:
            raise args.fail(f"the option {name} is not supported")
    span = options.get("span")
    if span is not None:
        _check_span(args, span)
    bounds = [to_number(options[name]) if name in options else None for name in ("start", "end")]
    return Bin(field, output, span, whole(args, "bins", options.get("bins", "100"), 2), *bounds)


def _check_span(args: Arguments, span: str) -> None:
    try:
        parse_span(span)
    except SplError as error:
        raise args.fail(error.message) from error


@dataclass
class Split:
    """How a chart splits into columns."""

    field: str
    limit: int = 10
    bottom: bool = False
    use_other: bool = True
    other: str = "OTHER"
    use_null: bool = True
    null: str = "NULL"


@dataclass
class Chart(Command):
    """chart and timechart: aggregations over a row field, one column or one per value of the split field."""

    aggregations: list[Aggregation]
    over: str | None
    split: Split | None
    span: str | None = None
    timechart: bool = False
    fill: bool = True  # timechart's cont
    bins: int = 100

    def needs(self, wanted: Fields) -> Fields:  # noqa: ARG002
        own = {name for name in (self.over, self.split.field if self.split else None) if name}
        return union(frozenset(own), *(item.reads() for item in self.aggregations))

    def apply(self, stage: Stage, context: Context) -> Stage:
        header = [self.over] if self.over else []
        if not self.split:
            header += [item.output for item in self.aggregations]
        return Stage(self._rows(stage, context, header), header)

    def _rows(self, stage: Stage, context: Context, header: list[str]) -> Iterator[Row]:
        rows = list(checked(stage.rows, context))
        amount, unit, starts = 0.0, "s", []
        if self.timechart or self.span:
            span = self.span or self._span(rows, context)
            amount, unit = parse_span(span)
            starts = self._buckets(rows, context, amount, unit) if self.timechart and self.fill else []
        cells = self._cells(rows, amount, unit)
        columns = self._columns(cells)
        if self.split:
            header += [name for _, name in columns]
        yield from self._table(cells, columns, starts)

    def _span(self, rows: list[Row], context: Context) -> str:
        times = [n for row in rows if (n := to_number(row.get("_time"))) is not None]
        low, high = time_range(times, context)
        return default_span(high - low, self.bins)

    def _buckets(self, rows: list[Row], context: Context, amount: float, unit: str) -> list[float]:
        times = [n for row in rows if (n := to_number(row.get("_time"))) is not None]
        if not times and not math.isfinite(context.earliest):
            return []
        low, high = time_range(times, context)
        current = floor_time(low, amount, unit)
        found: list[float] = []
        open_end = not math.isfinite(context.latest)  # then the last row's own time is the end, and inside
        while current < high or (open_end and current == high) or not found:
            found.append(current)
            current = next_bucket(current, amount, unit)
            if len(found) > MAX_BUCKETS:
                raise SplError(f"The span gives more than {MAX_BUCKETS} buckets; choose a longer one")
        return found

    def _cells(self, rows: list[Row], amount: float, unit: str) -> dict[Any, dict[Any, list[Row]]]:
        """Rows by the value of the row field, then by that of the split field (None stands for null)."""
        cells: dict[Any, dict[Any, list[Row]]] = {}
        for row in rows:
            for key in self._row_keys(row, amount, unit):
                values = values_of(row.get(self.split.field)) if self.split else []
                names: list[str | None] = [to_text(item) for item in values]
                for name in names or [None]:
                    cells.setdefault(key, {}).setdefault(name, []).append(row)
        return cells

    def _row_keys(self, row: Row, amount: float, unit: str) -> list[Any]:
        if self.over is None:
            return [""]
        value = row.get(self.over)
        if not amount:
            return values_of(value)
        number = to_number(value)
        if number is None:
            return []
        if self.over == "_time":
            return [floor_time(number, amount, unit)]
        low = math.floor(number / amount) * amount
        return [f"{format_float(float(low))}-{format_float(float(low + amount))}"]

    def _columns(self, cells: dict[Any, dict[Any, list[Row]]]) -> list[tuple[tuple[Any, int], str]]:
        """Return ((group of the split, number of the aggregation), name of the column) in order."""
        if not self.split:
            return [((None, place), item.output) for place, item in enumerate(self.aggregations)]
        groups = self._split_groups(cells)
        several = len(self.aggregations) > 1
        return [
            ((group, place), f"{item.output}: {group}" if several else group)
            for place, item in enumerate(self.aggregations)
            for group in groups
        ]

    def _split_groups(self, cells: dict[Any, dict[Any, list[Row]]]) -> list[str]:
        """The values with the highest totals, then OTHER, then NULL (docs: chart, limit and agg)."""
        assert self.split is not None
        totals: dict[str, float] = {}
        nulls = False
        engine = Aggregator(self.aggregations[:1])
        for columns in cells.values():
            for value, rows in columns.items():
                if value is None:
                    nulls = True
                    continue
                result = next(iter(self._aggregate(engine, rows).values()), 0)
                totals[value] = totals.get(value, 0) + (to_number(result) or 0)
        ranked = sorted(totals, key=lambda name: ((1 if self.split and self.split.bottom else -1) * totals[name], name))
        kept = ranked[: self.split.limit] if self.split.limit else ranked
        groups = sorted(kept)
        if len(ranked) > len(kept) and self.split.use_other:
            groups.append(self.split.other)
        if nulls and self.split.use_null:
            groups.append(self.split.null)
        return groups

    @staticmethod
    def _aggregate(engine: Aggregator, rows: list[Row]) -> dict[str, Any]:
        group: Group = engine.new()
        engine.add(group, rows)
        return engine.results(group)

    def _table(
        self, cells: dict[Any, dict[Any, list[Row]]], columns: list[tuple[tuple[Any, int], str]], starts: list[float]
    ) -> Iterator[Row]:
        engine = Aggregator(self.aggregations)
        groups = list(dict.fromkeys(group for (group, _), _ in columns))
        for key in sorted({*cells, *starts}, key=group_key):
            row: Row = {self.over: key} if self.over else {}
            merged = self._merged(cells.get(key, {}), groups)
            results = {group: self._aggregate(engine, rows) for group, rows in merged.items()}
            for (group, place), name in columns:
                item = self.aggregations[place]
                value = results.get(group, {}).get(item.output)
                if value is None and item.counting:
                    value = 0
                if value is not None:
                    row[name] = value
            yield row

    def _merged(self, cells: dict[Any, list[Row]], groups: list[Any]) -> dict[Any, list[Row]]:
        if not self.split:
            return {None: [row for rows in cells.values() for row in rows]}
        merged: dict[Any, list[Row]] = {}
        for value, rows in cells.items():
            target = self.split.null if value is None else value if value in groups else self.split.other
            merged.setdefault(target, []).extend(rows)
        return merged


CHART_OPTIONS = (
    "limit",
    "useother",
    "otherstr",
    "usenull",
    "nullstr",
    "span",
    "bins",
    "cont",
    "partial",
    "sep",
    "format",
)


def _split(args: Arguments, field: str, options: dict[str, str]) -> Split:
    text = options.get("limit", "10").strip().lower()
    bottom = text.startswith("bottom")
    limit = whole(args, "limit", text.removeprefix("top").removeprefix("bottom").strip())
    return Split(
        field,
        limit,
        bottom,
        boolean(args, "useother", options.get("useother", "t")),
        options.get("otherstr", "OTHER"),
        boolean(args, "usenull", options.get("usenull", "t")),
        options.get("nullstr", "NULL"),
    )


def _take_options(args: Arguments, options: dict[str, str]) -> None:
    options |= args.options(*CHART_OPTIONS)
    args.refuse_option(CHART_OPTIONS)
    for name in ("sep", "format"):
        if name in options:
            raise args.fail(f"the option {name} is not supported")


def parse_timechart(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    options: dict[str, str] = {}
    _take_options(args, options)
    aggregations = parse_aggregations(args, env, "by", *CHART_OPTIONS)
    field = args.field_name() if args.accept_word("by") else None
    _take_options(args, options)
    args.close()
    if not aggregations:
        raise args.fail("at least one aggregation is needed")
    if "span" in options:
        _check_span(args, options["span"])
    split = _split(args, field, options) if field else None
    fill = boolean(args, "cont", options.get("cont", "t"))
    bins = whole(args, "bins", options.get("bins", "100"), 1)
    return Chart(aggregations, "_time", split, options.get("span"), True, fill, bins)


def parse_chart(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    options: dict[str, str] = {}
    _take_options(args, options)
    aggregations = parse_aggregations(args, env, "over", "by", *CHART_OPTIONS)
    _take_options(args, options)
    fields: list[str] = []
    over = args.field_name() if args.accept_word("over") else None
    _take_options(args, options)
    if args.accept_word("by"):
        while not args.done() and len(fields) < 2:
            _take_options(args, options)
            if not args.accept_op(",") and not args.done():
                fields.append(args.field_name())
    _take_options(args, options)
    args.close()
    if not aggregations:
        raise args.fail("at least one aggregation is needed")
    if over is None and fields:
        over = fields.pop(0)
    if len(fields) > 1:
        raise args.fail("at most one field to split by is possible with OVER")
    if "span" in options:
        _check_span(args, options["span"])
    split = _split(args, fields[0], options) if fields else None
    return Chart(aggregations, over, split, options.get("span"))


COMMANDS: dict[str, Parse] = {
    "chart": parse_chart,
    "timechart": parse_timechart,
}
