"""The table that chart and timechart make: one row per value or bucket, one column per aggregation or series.

Source: Search Reference, "chart" and "timechart". Rows are fed to one group per row and series as they come; which
series get a column of their own is decided at the end, and the groups of the others are merged into OTHER.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from apisec_sandbox.spl.commands.aggregation import Aggregation, numeric_fields, scaled
from apisec_sandbox.spl.commands.aggregator import Aggregator, Batch, Group, GroupKey, Keys, batches
from apisec_sandbox.spl.commands.base import Command, union
from apisec_sandbox.spl.commands.bins import TIME_SPANS, NumberSpan, Span, TimeSpan, nice_span
from apisec_sandbox.spl.context import Context, Fields, Stage
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.times import SECONDS, next_bucket, resolve
from apisec_sandbox.spl.values import Row, sort_key, to_number, to_text

MAX_BUCKETS = 50_000
BINS = 100  # timechart's default
MONTH = 30 * 86400
MAX_PROVISIONAL = 20_000  # groups before the buckets of an open range are made longer
SECOND = TimeSpan(1, "s")
VALID = (int, float)


@dataclass(frozen=True)
class Filter:
    """The where clause: which series stay, by an aggregation over each."""

    item: Aggregation
    test: str  # in, notin, < or >
    kind: str  # top or bottom
    number: float

    def kept(self, scores: dict[str, float]) -> set[str]:
        if self.test == "<":
            return {name for name, score in scores.items() if score < self.number}
        if self.test == ">":
            return {name for name, score in scores.items() if score > self.number}
        sign = -1 if self.kind == "top" else 1
        chosen = set(sorted(scores, key=lambda name: (sign * scores[name], name))[: int(self.number)])
        return chosen if self.test == "in" else set(scores) - chosen


@dataclass(frozen=True)
class Split:
    """How a chart splits into columns."""

    field: str
    limit: int = 10
    bottom: bool = False
    use_other: bool = True
    other: str = "OTHER"
    use_null: bool = True
    null: str = "NULL"
    scoring: Aggregation | None = None
    where: Filter | None = None
    span: Span | None = None


def time_span(seconds: float, bins: int, least: float) -> TimeSpan:
    """The shortest of the documented spans that gives at most ``bins`` buckets (timechart, "Default time spans")."""
    for amount in TIME_SPANS:
        if amount >= least and seconds / amount <= bins:
            return TimeSpan(amount, "s")
    return TimeSpan(1, "mon")


@dataclass
class Chart(Command):
    aggregations: list[Aggregation]
    over: str | None
    split: Split | None
    span: Span | None = None
    timechart: bool = False
    fill: bool = True  # cont
    bins: int | None = None
    least: TimeSpan | NumberSpan | None = None
    align: str = ""
    partial: bool = True
    fixed: bool = True
    layout: str = "$AGG$: $VAL$"
    dedup: bool = False
    start: float | None = None  # start and end: bounds that bins measures beside the numbers
    end: float | None = None

    @property
    def any_order(self) -> bool:
        return all(item.order_free for item in self._all())

    def _all(self) -> list[Aggregation]:
        """All aggregations, those that choose series included."""
        more = [self.split.scoring, self.split.where.item if self.split.where else None] if self.split else []
        return [*self.aggregations, *(item for item in more if item)]

    def numeric(self) -> frozenset[str]:
        own = {self.over, self.split.field if self.split else None}
        return numeric_fields(self._all()) - own

    def needs(self, wanted: Fields) -> Fields:  # noqa: ARG002
        own = {name for name in (self.over, self.split.field if self.split else None) if name}
        return union(frozenset(own), *(item.reads() for item in self._all()))

    def apply(self, stage: Stage, context: Context) -> Stage:
        header = [self.over] if self.over else []
        if not self.split:
            header += [item.output for item in self.aggregations if not item.wild]
        rows = _Run(self, context).rows(stage.rows, header)
        # The columns of a split are known at the end only, and the commands behind add theirs to them.
        return Stage(list(rows) if self.split else rows, header)


@dataclass
class _Run:
    """One run of a chart."""

    chart: Chart
    context: Context
    groups: dict[GroupKey, Group] = field(default_factory=dict)
    low: float = math.inf
    high: float = -math.inf
    step: TimeSpan = SECOND  # buckets while timechart's span is not known

    def __post_init__(self) -> None:
        items = self.chart._all()
        self.span: Span | None = self.chart.span
        if self.chart.timechart and isinstance(self.span, TimeSpan):
            items = [scaled(item, self._seconds(self.span)) for item in items]
        self.engine = Aggregator(items)
        self.rows_of = Keys((), self.chart.dedup)
        self.columns = Keys((), self.chart.dedup)

    def rows(self, rows: Iterable[Row], header: list[str]) -> Iterator[Row]:
        rows = self._settle_span(rows)
        for held in batches(rows, self.context):
            self._feed(held)
        if self.chart.timechart and self.span is None:
            self._coarsen(self._automatic())
        cells: dict[Any, dict[str | None, Group]] = {}
        for (key, column), group in self.groups.items():
            cells.setdefault(key, {})[column] = group
        series = self._series(cells)
        if self.chart.split:
            header += list(dict.fromkeys(self._names(series)))
        yield from self._table(cells, series)

    # The span

    @staticmethod
    def _seconds(span: TimeSpan) -> float:
        return span.amount if span.unit == "s" else span.amount * MONTH

    def _settle_span(self, rows: Iterable[Row]) -> Iterable[Row]:
        """Choose the span before rows are fed, where that is possible or necessary."""
        chart, context = self.chart, self.context
        if chart.timechart:
            closed = math.isfinite(context.earliest) and context.earliest > 0 and math.isfinite(context.latest)
            if isinstance(self.span, TimeSpan):
                self.span = self._aligned(self.span)
            elif closed and chart.fixed:
                self.low, self.high = context.earliest, context.latest
                self.span = self._automatic()
                self._rescale()
            elif not chart.any_order:
                held = list(rows)
                self._measure(Batch(held))
                self.span = self._automatic()
                self._rescale()
                return held
            return rows
        if chart.bins is not None and self.span is None and chart.over:
            held = list(rows)
            numbers = [n for n in Batch(held).field(chart.over).numbers() if type(n) in VALID]
            numbers += [bound for bound in (chart.start, chart.end) if bound is not None]
            width = max(numbers, default=0) - min(numbers, default=0)
            least = chart.least.amount if chart.least else 0.0
            self.span = NumberSpan(max(nice_span(width, chart.bins), least))
            return held
        return rows

    def _rescale(self) -> None:
        if isinstance(self.span, TimeSpan):
            seconds = self._seconds(self.span)
            self.engine = Aggregator([scaled(item, seconds) for item in self.engine.items])

    def _automatic(self) -> TimeSpan:
        width = max(0.0, self.high - self.low) if self.high >= self.low else 0.0
        least = self._seconds(self.chart.least) if isinstance(self.chart.least, TimeSpan) else 0.0
        return self._aligned(time_span(width, self.chart.bins or BINS, least))

    def _aligned(self, span: TimeSpan) -> TimeSpan:
        """``aligntime`` moves where buckets start; spans of days and longer ignore it."""
        align, context = self.chart.align, self.context
        if not align or span.unit != "s" or span.amount % SECONDS["d"] == 0:
            return span
        edges = {"earliest": context.earliest, "latest": context.latest}
        origin = edges[align] if align in edges else resolve(align, context.now)
        return TimeSpan(span.amount, span.unit, origin) if math.isfinite(origin) else span

    def _measure(self, batch: Batch) -> None:
        times = [when for when in batch.field("_time").numbers() if type(when) in VALID]
        if times:
            self.low, self.high = min(self.low, min(times)), max(self.high, max(times))

    def _coarsen(self, span: TimeSpan) -> None:
        """Merge the groups of short buckets into longer ones, and go on with those."""
        self.span = span
        self._rescale()
        merged: dict[GroupKey, Group] = {}
        for (when, column), group in self.groups.items():
            key = (span.place(when), column)
            if key not in merged:
                merged[key] = self.engine.new()
            self.engine.merge(merged[key], group)
        self.groups = merged

    # Feeding

    def _feed(self, rows: list[Row]) -> None:
        batch = Batch(rows)
        if self.chart.timechart and self.span is None:
            self._measure(batch)
            self._provisional()
        self.engine.feed(batch, self._parts(batch), self.groups)

    def _provisional(self) -> None:
        """While the range is open, keep buckets that are no longer than the final ones; all documented spans nest."""
        if len(self.groups) > MAX_PROVISIONAL:
            self.step = self._automatic()
            self._coarsen(self.step)
            self.span = None

    def _parts(self, batch: Batch) -> dict[GroupKey, list[int]]:
        column = self._column_keys(batch)
        parts: dict[GroupKey, list[int]] = {}
        for place, row_keys in enumerate(self._row_keys(batch)):
            for row_key in row_keys:
                for name in column[place] if column else (None,):
                    parts.setdefault((row_key, name), []).append(place)
        return parts

    def _row_keys(self, batch: Batch) -> Iterator[tuple[Any, ...]]:
        over = self.chart.over
        if over is None:
            yield from ((None,) for _ in batch.rows)
            return
        column = batch.field(over)
        span = self.step if self.span is None and self.chart.timechart else self.span
        if span is None:
            yield from (self.rows_of.of_value(value) for value in column.values)
            return
        for value, number in zip(column.values, column.numbers(), strict=True):
            if type(number) is list:
                yield tuple(span.place(one) for one in number if one is not None)
            elif number is not None:
                yield (span.place(number),)
            else:  # no number: timechart leaves the row out, chart keeps the value as it is
                yield () if value is None or self.chart.timechart else (value,)

    def _column_keys(self, batch: Batch) -> list[list[str | None]]:
        split = self.chart.split
        if split is None:
            return []
        found: list[list[str | None]] = []
        for value in batch.field(split.field).values:
            names: list[str | None] = list(self.columns.of_value(value))
            if split.span is not None:
                names = [_binned(split.span, name) for name in names]
            found.append(names or [None])
        return found

    # Columns

    def _series(self, cells: dict[Any, dict[str | None, Group]]) -> list[str | None]:
        """The series with the highest scores in order of their names, then OTHER, then NULL."""
        split = self.chart.split
        if split is None:
            return [None]
        names = {name for columns in cells.values() for name in columns if name is not None}
        if split.where:
            kept = split.where.kept(self._scores(cells, split.where.item))
        else:
            kept = self._highest(cells, names, split)
        found: list[str | None] = sorted(kept, key=sort_key)
        if len(names) > len(kept) and split.use_other:
            found.append(split.other)
        if split.use_null and any(None in columns for columns in cells.values()):
            found.append(split.null)
        return found

    def _highest(self, cells: dict[Any, dict[str | None, Group]], names: set[str], split: Split) -> set[str]:
        if not split.limit or len(names) <= split.limit:
            return names
        scores = self._scores(cells, split.scoring)
        sign = 1 if split.bottom else -1
        return set(sorted(names, key=lambda name: (sign * scores.get(name, 0), name))[: split.limit])

    def _scores(self, cells: dict[Any, dict[str | None, Group]], item: Aggregation | None) -> dict[str, float]:
        """Sum the values of a series; of several aggregations its number of rows counts (docs: chart, limit)."""
        scores: dict[str, float] = {}
        single = item or (self.chart.aggregations[0] if len(self.chart.aggregations) == 1 else None)
        for columns in cells.values():
            for name, group in columns.items():
                if name is not None:
                    value = group.rows if single is None else self.engine.results(group).get(single.output)
                    scores[name] = scores.get(name, 0.0) + (to_number(value) or 0)
        return scores

    def _names(self, series: list[str | None]) -> list[str]:
        if self.chart.split is None:
            return []
        items = self.chart.aggregations
        return [self._name(item, name) for item in items for name in series]

    def _name(self, item: Aggregation, series: str | None) -> str:
        if len(self.chart.aggregations) == 1:
            return str(series)
        return self.chart.layout.replace("$AGG$", item.output).replace("$VAL$", str(series))

    # Rows

    def _table(self, cells: dict[Any, dict[str | None, Group]], series: list[str | None]) -> Iterator[Row]:
        starts = self._buckets(cells) if self.chart.timechart and self.chart.fill else []
        keys = sorted({*cells, *starts}, key=lambda key: () if key is None else sort_key(self._shown(key)))
        for key in self._whole(keys):
            row: Row = {self.chart.over: self._shown(key)} if self.chart.over else {}
            results = {name: self.engine.results(group) for name, group in self._merged(cells.get(key, {}), series)}
            for item in self.chart.aggregations:
                for name in series:
                    self._put(row, item, name, results.get(name, {}))
            yield row

    def _shown(self, key: Any) -> Any:
        return self.rows_of.shown((key,))[0]

    def _put(self, row: Row, item: Aggregation, series: str | None, results: Row) -> None:
        if item.wild:
            outputs = {name: value for name, value in results.items() if name not in self._fixed_names()}
            row.update(outputs)
            return
        value = results.get(item.output)
        if value is None and item.counting:
            value = 0
        if value is not None:
            row[item.output if self.chart.split is None else self._name(item, series)] = value

    def _fixed_names(self) -> set[str]:
        return {item.output for item in self.engine.items if not item.wild}

    def _merged(self, cells: dict[str | None, Group], series: list[str | None]) -> Iterator[tuple[str | None, Group]]:
        split = self.chart.split
        if split is None:
            yield from cells.items()
            return
        merged: dict[str | None, Group] = {}
        for value, group in cells.items():
            target = split.null if value is None else value if value in series else split.other
            if target in merged:
                self.engine.merge(merged[target], group)
            else:
                merged[target] = group
        yield from merged.items()

    def _buckets(self, cells: dict[Any, Any]) -> list[float]:
        """All buckets of the range of the search; where that is open, or fixedrange=f, of the rows."""
        context, span = self.context, self.span
        assert isinstance(span, TimeSpan)
        ends = [key for key in cells if key is not None]
        open_low = not self.chart.fixed or not (math.isfinite(context.earliest) and context.earliest > 0)
        open_high = not self.chart.fixed or not math.isfinite(context.latest)
        if (open_low or open_high) and not ends:
            return []
        current = min(ends) if open_low else span.place(context.earliest)
        last = max(ends) if open_high else None
        found: list[float] = []
        while (last is not None and current <= last) or (last is None and current < context.latest):
            found.append(current)
            current = next_bucket(current, span.amount, span.unit)
            if len(found) > MAX_BUCKETS:
                raise SplError(
                    f"Error in 'timechart' command: The span gives more than {MAX_BUCKETS} buckets; choose a longer one"
                )
        return found

    def _whole(self, keys: list[Any]) -> list[Any]:
        """partial=f leaves out buckets that the range of the search cuts."""
        span, context = self.span, self.context
        if self.chart.partial or not isinstance(span, TimeSpan):
            return keys
        return [
            key
            for key in keys
            if key >= context.earliest and next_bucket(key, span.amount, span.unit) <= context.latest
        ]


def _binned(span: Span, name: str | None) -> str | None:
    number = to_number(name)
    if number is None:
        return name
    placed = span.place(number)
    return name if placed is None else to_text(placed)
