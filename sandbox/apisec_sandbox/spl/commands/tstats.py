"""tstats over indexed fields: index-time metadata and what HEC's ``fields`` brought, nothing extracted at search time.

Source: Search Reference, "tstats". Data models and prestats are not supported, and say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from apisec_sandbox.spl.commands.aggregation import Aggregation, parse_aggregations
from apisec_sandbox.spl.commands.base import Arguments, Command, Env, Parse, boolean, checked, must_be_first
from apisec_sandbox.spl.commands.sources import choose_indexes, compile_filter
from apisec_sandbox.spl.commands.stats import Stats
from apisec_sandbox.spl.context import Context, Stage
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.lexer import Token
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.searchexpr import SearchExpression
from apisec_sandbox.spl.times import floor_time, parse_span
from apisec_sandbox.spl.values import Row

TSTATS_OPTIONS = ("prestats", "local", "append", "summariesonly", "allow_old_summaries", "chunk_size", "fillnull_value")


@dataclass
class TStats(Command):
    generating: ClassVar[bool] = True
    stats: Stats
    where: SearchExpression
    span: tuple[float, str] | None
    fill_null: str | None

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        return self.stats.apply(Stage(self._rows(context)), context)

    def _rows(self, context: Context) -> Iterator[Row]:
        earliest = context.earliest if self.where.earliest is None else self.where.earliest
        latest = context.latest if self.where.latest is None else self.where.latest
        names = choose_indexes(self.where.indexes, context)
        for row in checked(context.services.indexed(names, earliest, latest), context):
            context.scanned += 1
            if not self.where.test(row):
                continue
            if self.span:
                row["_time"] = floor_time(row["_time"], *self.span)
            if self.fill_null is not None:
                for name in self.stats.by:
                    row.setdefault(name, self.fill_null)
            yield row


def parse_tstats(segment: Segment, env: Env) -> Command:
    must_be_first(segment)
    args = Arguments(segment)
    options = args.options(*TSTATS_OPTIONS)
    args.refuse_option(TSTATS_OPTIONS)
    for name in ("prestats", "append"):
        if boolean(args, name, options.get(name, "f")):
            raise args.fail(f"{name}=true is not supported")
    aggregations = parse_aggregations(args, env, "from", "where", "by", "groupby")
    if not aggregations:
        raise args.fail("at least one aggregation is needed")
    if token := args.accept_word("from"):
        raise args.fail("FROM (data models, tsidx namespaces) is not supported; use WHERE index=…", token)
    where = _where(args, segment, env)
    by, span = _by(args)
    args.close()
    _refuse_time_span(args, by, span)
    return TStats(_stats(aggregations, by), where, span, options.get("fillnull_value"))


def _stats(aggregations: list[Aggregation], by: list[str]) -> Stats:
    return Stats(aggregations, by)


def _where(args: Arguments, segment: Segment, env: Env) -> SearchExpression:
    start = end = segment.end
    if token := args.accept_word("where"):
        start = token.end
        end = _skip_to_by(args, segment.end)
    return compile_filter(segment.text, start, end, env)


def _skip_to_by(args: Arguments, end: int) -> int:
    while token := args.peek():
        if token.is_word("by", "groupby"):
            return token.start
        args.at += 1
    return end


def _by(args: Arguments) -> tuple[list[str], tuple[float, str] | None]:
    by: list[str] = []
    span = None
    if not args.accept_word("by", "groupby"):
        return by, None
    while not args.done():
        token: Token | None = args.peek()
        if args.accept_op(","):
            continue
        if pair := args.option(("span",)):
            try:
                span = parse_span(pair[1])
            except SplError as error:
                raise args.fail(error.message, token) from error
            continue
        by.append(args.field_name())
    if not by:
        raise args.fail("BY needs at least one field")
    return by, span


def _refuse_time_span(args: Arguments, by: list[str], span: tuple[float, str] | None) -> None:
    if span and "_time" not in by:
        raise args.fail("span needs BY _time")


COMMANDS: dict[str, Parse] = {"tstats": parse_tstats}
OPTIONS = {"tstats": TSTATS_OPTIONS}
