"""streamstats: aggregations over the rows so far, or over a window of them.

Source: Search Reference, "streamstats": ``window`` counts rows, of all groups with ``global``; ``time_window`` is a
length of time over rows in time's order; ``current=f`` leaves the row itself out; a reset empties all groups.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from apisec_sandbox.spl.commands.aggregation import (
    Aggregation,
    check_names,
    parse_aggregations,
    refuse_per,
    skip_parentheses,
)
from apisec_sandbox.spl.commands.aggregator import Aggregator, Group, GroupKey, Keys
from apisec_sandbox.spl.commands.base import Arguments, Command, Env, added, boolean, checked, union, whole
from apisec_sandbox.spl.context import Context, Fields, Stage
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.expressions import Expression, parse_expression
from apisec_sandbox.spl.lexer import unquote
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.times import parse_span
from apisec_sandbox.spl.values import Row, to_number

MAX_WINDOW = 10_000  # limits.conf [stats] max_stream_window


class Window:
    """Rows of a sliding window with the aggregation of all of them.

    Two stacks, so that a row costs a constant number of merges however long the window is: ``_old`` holds for each
    older row the aggregation of it and of the newer ones of its stack, ``_fresh`` that of the newer rows. Where merging
    is not of constant cost, a row's window is computed anew.
    """

    def __init__(self, engine: Aggregator) -> None:
        self._engine = engine
        self.rows: deque[Row] = deque()
        self._old: list[Group] = []
        self._fresh = engine.new()
        self._merges = not engine.wild and all(part.constant for part in self._fresh.accumulators)

    def push(self, row: Row) -> None:
        self.rows.append(row)
        if self._merges:
            self._engine.add_row(self._fresh, row)

    def pop(self) -> None:
        """Drop the oldest row."""
        if self._merges:
            if not self._old:
                self._turn()
            self._old.pop()
        self.rows.popleft()

    def _turn(self) -> None:
        below: Group | None = None
        for row in reversed(self.rows):
            group = self._engine.new()
            self._engine.add_row(group, row)
            if below is not None:
                self._engine.merge(group, below)
            self._old.append(group)
            below = group
        self._fresh = self._engine.new()

    def total(self) -> Group:
        if not self._merges:
            group = self._engine.new()
            self._engine.add(group, list(self.rows))
            return group
        if not self._old:
            return self._fresh
        group = self._engine.new()
        self._engine.merge(group, self._old[-1])
        self._engine.merge(group, self._fresh)
        return group


@dataclass
class StreamStats(Command):
    aggregations: list[Aggregation]
    by: list[str]
    window: int = 0
    current: bool = True
    over_all: bool = True  # ``global``: the window counts all rows, not those of the group
    reset_on_change: bool = False
    reset_before: Expression | None = None
    reset_after: Expression | None = None
    seconds: float = 0.0  # time_window
    allnum: bool = False

    def needs(self, wanted: Fields) -> Fields:
        conditions = [item.fields for item in (self.reset_before, self.reset_after) if item]
        times = [{"_time"}] if self.seconds else []
        return union(wanted, self.by, *(item.reads() for item in self.aggregations), *conditions, *times)

    def apply(self, stage: Stage, context: Context) -> Stage:
        names = [item.output for item in self.aggregations if not item.wild]
        return Stage(self._rows(stage, context), added(stage.header, *names), stage.events)

    def _rows(self, stage: Stage, context: Context) -> Iterator[Row]:
        engine, keys = Aggregator(self.aggregations, self.allnum), Keys(self.by)
        windowed = bool(self.window or self.seconds)
        state = _Windows(self, engine) if windowed else _Running(engine, self.current)
        previous: GroupKey | None = None
        for row in checked(stage.rows, context):
            for key in keys.of_row(row)[:1]:
                if (self.reset_on_change and key != previous) or _true(self.reset_before, row):
                    state.clear()
                previous = key
                ends = _true(self.reset_after, row)
                self._put(row, engine.results(state.take(key, row)))
                if ends:
                    state.clear()
            yield row

    def _put(self, row: Row, results: Row) -> None:
        for item in self.aggregations:
            if not item.wild:
                row.pop(item.output, None)
        row.update(results)


class _Running:
    """All rows so far, group by group."""

    def __init__(self, engine: Aggregator, current: bool) -> None:
        self._engine = engine
        self._current = current
        self._groups: dict[GroupKey, Group] = {}

    def clear(self) -> None:
        self._groups.clear()

    def take(self, key: GroupKey, row: Row) -> Group:
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = self._engine.new()
        if self._current:
            self._engine.add_row(group, row)
            return group
        before = self._engine.new()
        self._engine.merge(before, group)
        self._engine.add_row(group, row)
        return before


class _Windows:
    """The last rows, of each group or of all."""

    def __init__(self, command: StreamStats, engine: Aggregator) -> None:
        self._command = command
        self._engine = engine
        self._windows: dict[GroupKey, Window] = {}
        self._order: dict[GroupKey, deque[tuple[GroupKey, float | None]]] = {}

    def clear(self) -> None:
        self._windows.clear()
        self._order.clear()

    def take(self, key: GroupKey, row: Row) -> Group:
        command = self._command
        shelf = () if command.over_all else key
        order = self._order.setdefault(shelf, deque())
        when = to_number(row.get("_time")) if command.seconds else None
        self._expire(order, when)
        window = self._windows.setdefault(key, Window(self._engine))
        if not command.current:
            self._shorten(order, command.window)
            before = self._engine.new()
            self._engine.merge(before, window.total())
        window.push(dict(row))
        order.append((key, when))
        if command.current:
            self._shorten(order, command.window)
            return window.total()
        return before

    def _shorten(self, order: deque[tuple[GroupKey, float | None]], most: int) -> None:
        while len(order) > (most or MAX_WINDOW):
            self._drop(order)

    def _expire(self, order: deque[tuple[GroupKey, float | None]], when: float | None) -> None:
        while when is not None and order:
            oldest = order[0][1]
            if oldest is not None and abs(when - oldest) < self._command.seconds:
                return
            self._drop(order)

    def _drop(self, order: deque[tuple[GroupKey, float | None]]) -> None:
        key, _ = order.popleft()
        window = self._windows[key]
        window.pop()
        if not window.rows:
            del self._windows[key]


def _true(condition: Expression | None, row: Row) -> bool:
    return condition is not None and condition.run(row) is True


STREAM_OPTIONS = ("window", "current", "global", "reset_on_change", "allnum", "time_window")
RESETS = ("reset_before", "reset_after")


def parse_streamstats(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    known = (*STREAM_OPTIONS, *RESETS)
    options: dict[str, str] = {}
    resets: dict[str, Expression] = {}
    aggregations: list[Aggregation] = []
    by: list[str] = []
    while not args.done():  # options may also stand behind the aggregations
        begin = args.at
        options |= args.options(*STREAM_OPTIONS)
        _take_reset(args, env, resets)
        _refuse_unknown(args, known)
        aggregations += parse_aggregations(args, env, "by", *known)
        if args.accept_word("by"):
            by = args.field_list(*known)
        if args.at == begin:
            args.close()
    if not aggregations:
        raise args.fail("at least one aggregation is needed")
    refuse_per(args, aggregations)
    window = whole(args, "window", options.get("window", "0"))
    if window > MAX_WINDOW:
        raise args.fail(f"window must be at most {MAX_WINDOW} (limits.conf max_stream_window), given {window}")
    return StreamStats(
        check_names(args, aggregations, by),
        by,
        window,
        boolean(args, "current", options.get("current", "t")),
        boolean(args, "global", options.get("global", "t")),
        boolean(args, "reset_on_change", options.get("reset_on_change", "f")),
        resets.get("reset_before"),
        resets.get("reset_after"),
        _seconds(args, options.get("time_window")),
        boolean(args, "allnum", options.get("allnum", "f")),
    )


def _refuse_unknown(args: Arguments, known: tuple[str, ...]) -> None:
    token = args.peek()
    if token and token.value.lower() not in known:
        args.refuse_option(known)


def _seconds(args: Arguments, text: str | None) -> float:
    if text is None:
        return 0.0
    try:
        amount, unit = parse_span(text)
    except SplError as error:
        raise args.fail(error.message) from error
    if unit != "s":
        raise args.fail(f"time_window takes units up to weeks, given {text!r}")
    return amount


def _take_reset(args: Arguments, env: Env, resets: dict[str, Expression]) -> None:
    """``reset_before=(expression)``, also ``"("expression")"`` as the page writes it, or all of it in quotes."""
    name, equals, value = args.peek(), args.peek(1), args.peek(2)
    if not (name and equals and value and equals.is_op("=") and name.is_word(*RESETS)):
        return
    args.at += 2
    if value.is_op("("):
        start, end = skip_parentheses(args, value)
        resets[name.value.lower()] = parse_expression(args.text, start, end, env.scope)
        return
    args.at += 1
    text = value.value
    if value.kind == "text" and text.strip() == "(":
        while (token := args.next('")" behind the expression')) and not (token.kind == "text" and token.value == ")"):
            pass
        text = unquote(args.text[value.end : token.start])
    try:
        resets[name.value.lower()] = parse_expression(text, 0, len(text), env.scope)
    except SplError as error:
        raise args.fail(error.message, value) from error
