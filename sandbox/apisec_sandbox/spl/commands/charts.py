"""chart and timechart: their syntax.

Source: Search Reference, "chart" and "timechart". The table itself is made in chart_table.py.
"""

from __future__ import annotations

from typing import Any

from apisec_sandbox.spl.commands.aggregation import Aggregation, check_names, parse_aggregations, refuse_per
from apisec_sandbox.spl.commands.base import Arguments, Command, Env, Parse, boolean, whole
from apisec_sandbox.spl.commands.bins import LogSpan, TimeSpan, read_span
from apisec_sandbox.spl.commands.chart_table import Chart, Filter, Split
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.times import resolve
from apisec_sandbox.spl.values import to_number

SPLIT_OPTIONS = ("limit", "useother", "otherstr", "usenull", "nullstr")
BIN_OPTIONS = ("span", "bins", "minspan", "aligntime", "start", "end")
CHART_OPTIONS = (*SPLIT_OPTIONS, *BIN_OPTIONS, "cont", "sep", "format", "agg", "dedup_splitvals")
TIMECHART_OPTIONS = (*CHART_OPTIONS, "partial", "fixedrange")


class _Reader:
    """Takes options wherever they stand; ``agg`` takes an aggregation."""

    def __init__(self, segment: Segment, env: Env, known: tuple[str, ...]) -> None:
        self.args = Arguments(segment)
        self.env = env
        self.known = known
        self.options: dict[str, str] = {}
        self.scoring: Aggregation | None = None

    def take(self) -> dict[str, str]:
        """Take the options that stand here, and return them alone too."""
        found: dict[str, str] = {}
        while True:
            name, equals = self.args.peek(), self.args.peek(1)
            if name and equals and name.is_word("agg") and equals.is_op("="):
                self.args.at += 2
                self.scoring = _single(self.args, self.env)
                continue
            pair = self.args.option([option for option in self.known if option != "agg"])
            if pair is None:
                break
            found[pair[0]] = self._limit_words(pair[1]) if pair[0] == "limit" else pair[1]
        self.args.refuse_option(self.known)
        self.options |= found
        return found

    def _limit_words(self, value: str) -> str:
        """``limit=top 5`` has its number behind a space."""
        token = self.args.peek()
        if value.lower() in ("top", "bottom") and token and token.value.isdigit():
            self.args.at += 1
            return value + token.value
        return value

    def aggregations(self) -> list[Aggregation]:
        stop = ("by", "over", "where", *self.known)
        found = parse_aggregations(self.args, self.env, *stop, computed=True)
        while self.take():
            found += parse_aggregations(self.args, self.env, *stop, computed=True)
        if not found:
            raise self.args.fail("at least one aggregation is needed")
        return found

    def field(self) -> str:
        self.args.accept_op(",")
        return self.args.field_name()

    def split(self, field: str, span: str | None) -> Split:
        args, options = self.args, self.options
        text = options.get("limit", "10").strip().lower()
        limit = whole(args, "limit", text.removeprefix("top").removeprefix("bottom").strip())
        return Split(
            field,
            limit,
            text.startswith("bottom"),
            boolean(args, "useother", options.get("useother", "t")),
            options.get("otherstr", "OTHER"),
            boolean(args, "usenull", options.get("usenull", "t")),
            options.get("nullstr", "NULL"),
            self.scoring,
            self._where(),
            None if span is None else self.span_of(span, field),
        )

    def _where(self) -> Filter | None:
        """``where count in top5``, ``where sum(x) > 100`` (chart and timechart, where clause)."""
        args = self.args
        if not args.accept_word("where"):
            return None
        item = _single(args, self.env)
        token = args.next("in top5, notin bottom5, < or > with a number")
        if token.is_word("in", "notin"):
            chosen = args.next("top5 or bottom5")
            kind = "top" if chosen.value.lower().startswith("top") else "bottom"
            text = chosen.value.lower().removeprefix(kind) or args.next("a number").value
            found = Filter(item, token.value.lower(), kind, float(whole(args, kind, text, 1)))
        elif token.is_op("<", ">"):
            value = args.next("a number")
            number = to_number(value.value)
            if number is None:
                raise args.fail("the where clause compares with a number", value)
            found = Filter(item, token.value, "", float(number))
        else:
            raise args.fail("the where clause takes in, notin, < or >", token)
        self.take()
        return found

    def span_of(self, text: str, field: str) -> Any:
        try:
            return read_span(text, field, self.env.context.now)
        except SplError as error:
            raise self.args.fail(error.message) from error

    def chart(self, items: list[Aggregation], over: str | None, split: Split | None, timechart: bool) -> Chart:
        args, options = self.args, self.options
        args.close()
        align = options.get("aligntime", "")
        if align not in ("", "earliest", "latest"):
            try:
                resolve(align, self.env.context.now)
            except SplError as error:
                raise args.fail(error.message) from error
        span = self.span_of(options["span"], over) if "span" in options and over else None
        least = self.span_of(options["minspan"], over) if "minspan" in options and over else None
        if isinstance(least, LogSpan):
            raise args.fail("minspan takes a length, not a log span")
        if timechart and span is not None and not isinstance(span, TimeSpan):
            raise args.fail("timechart takes a span of time, such as 5m")
        return Chart(
            check_names(args, items, [over] if over else []),
            over,
            split,
            span,
            timechart,
            boolean(args, "cont", options.get("cont", "t")),
            whole(args, "bins", options["bins"], 2) if "bins" in options else None,
            least,
            align,
            boolean(args, "partial", options.get("partial", "t")),
            boolean(args, "fixedrange", options.get("fixedrange", "t")),
            options.get("format") or ("$AGG$" + options.get("sep", ": ") + "$VAL$"),
            boolean(args, "dedup_splitvals", options.get("dedup_splitvals", "f")),
            self._bound("start"),
            self._bound("end"),
        )

    def _bound(self, name: str) -> float | None:
        if name not in self.options:
            return None
        number = to_number(self.options[name])
        if number is None:
            raise self.args.fail(f"{name} must be a number, given {self.options[name]!r}")
        return float(number)


def _single(args: Arguments, env: Env) -> Aggregation:
    """One aggregation without AS."""
    token = args.peek()
    follows = args.peek(1)
    end = args.at + 1
    if follows and follows.is_op("("):
        while end < len(args.tokens) and not args.tokens[end].is_op(")"):
            end += 1
        end += 1
    rest, args.tokens = args.tokens, args.tokens[:end]
    try:
        found = parse_aggregations(args, env)
    finally:
        args.tokens = rest
    if len(found) != 1:
        raise args.fail("an aggregation such as count or sum(x) is needed", token)
    return found[0]


def _stands(args: Arguments, name: str) -> bool:
    token = args.peek()
    return token is not None and token.is_word(name)


def parse_timechart(segment: Segment, env: Env) -> Command:
    reader = _Reader(segment, env, TIMECHART_OPTIONS)
    reader.take()
    items = reader.aggregations()
    split = None
    if reader.args.accept_word("by"):
        field = reader.field()
        reader.take()
        split = reader.split(field, None)
        reader.take()
    if any(item.wild for item in items):
        raise reader.args.fail("timechart takes no wildcards in field names")
    return reader.chart(items, "_time", split, timechart=True)


def parse_chart(segment: Segment, env: Env) -> Command:
    reader = _Reader(segment, env, CHART_OPTIONS)
    reader.take()
    items = reader.aggregations()
    refuse_per(reader.args, items)
    fields: list[str] = []
    spans: dict[str, str] = {}
    if reader.args.accept_word("over"):
        fields.append(reader.field())
        spans[fields[0]] = reader.take().get("span", "")
    first = len(fields)
    if reader.args.accept_word("by"):
        while not reader.args.done() and len(fields) < 2 and not _stands(reader.args, "where"):
            fields.append(reader.field())
            spans[fields[-1]] = reader.take().get("span", "")
        if len(fields) == first:
            raise reader.args.fail("BY needs a field")
    over, column = (*fields, None, None)[:2]
    if over and column and not spans.get(over) and spans.get(column):
        reader.options.pop("span", None)  # it stands behind the column's field and is the column's
    if over and spans.get(over):
        reader.options["span"] = spans[over]
    split = reader.split(column, spans.get(column) or None) if column else None
    return reader.chart(items, over, split, timechart=False)


COMMANDS: dict[str, Parse] = {"chart": parse_chart, "timechart": parse_timechart}
OPTIONS = {"chart": CHART_OPTIONS, "timechart": TIMECHART_OPTIONS}
