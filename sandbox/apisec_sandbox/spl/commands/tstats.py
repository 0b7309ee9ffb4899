"""tstats over indexed fields and over data models.

Source: Search Reference, "tstats". Over indexed fields it sees index-time metadata and what HEC's ``fields`` brought,
nothing that is extracted at search time. Over an accelerated data model it answers as if all that was indexed had
been summarised; over one that is not accelerated ``summariesonly=true`` finds no summaries, hence no rows.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from apisec_sandbox.spl.commands.aggregation import Aggregation, check_names, parse_aggregations, refuse_per
from apisec_sandbox.spl.commands.aggregator import PRESTATS
from apisec_sandbox.spl.commands.base import (
    Arguments,
    Command,
    Env,
    Parse,
    boolean,
    checked,
    must_be_first,
    whole,
)
from apisec_sandbox.spl.commands.datasets import DatasetRows, find_model, pick, rows_of
from apisec_sandbox.spl.commands.sources import choose_indexes, compile_filter
from apisec_sandbox.spl.commands.stats import Stats
from apisec_sandbox.spl.context import Context, Fields, Stage
from apisec_sandbox.spl.defaultfields import DEFAULT_FIELDS, add_default_fields
from apisec_sandbox.spl.errors import SplError, suggestion
from apisec_sandbox.spl.lexer import Token
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.searchexpr import SearchExpression
from apisec_sandbox.spl.times import floor_time, parse_span
from apisec_sandbox.spl.values import Row, to_number

TSTATS_OPTIONS = (
    *("prestats", "local", "append", "summariesonly", "include_reduced_buckets", "allow_old_summaries"),
    *("chunk_size", "fillnull_value"),
)


def _with_defaults(rows: Iterable[Row], names: frozenset[str]) -> Iterator[Row]:
    """Default fields are indexed, too (docs: Use default fields)."""
    for row in rows:
        add_default_fields(row, names)
        yield row


@dataclass
class TStats(Command):
    generating: ClassVar[bool] = True
    stats: Stats
    where: SearchExpression
    models: list[DatasetRows] | None  # None: indexed fields
    span: tuple[float, str] | None
    fill_null: str | None

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        return self.stats.apply(Stage(self._rows(self._ranged(context), context)), context)

    def _ranged(self, context: Context) -> Context:
        earliest, latest = self.where.span(context.earliest, context.latest, context.now)
        return replace(context, earliest=earliest, latest=latest)

    def _source(self, ranged: Context) -> Iterable[Row]:
        if self.models is not None:
            return itertools.chain.from_iterable(one.apply(Stage(()), ranged).rows for one in self.models)
        names = choose_indexes(self.where.indexes, ranged)
        rows = ranged.services.indexed(names, ranged.earliest, ranged.latest)
        read = (self.stats.needs(frozenset()) or frozenset()) | self.where.fields
        return _with_defaults(rows, read & DEFAULT_FIELDS) if read & DEFAULT_FIELDS else rows

    def _rows(self, ranged: Context, context: Context) -> Iterator[Row]:
        for row in checked(self._source(ranged), context):
            context.scanned += 1
            if not self.where.test(row):
                continue
            if self.span and (when := to_number(row.get("_time"))) is not None:
                row["_time"] = floor_time(when, *self.span)
            if self.fill_null is not None:
                for name in self.stats.by:
                    row.setdefault(name, self.fill_null)
            yield row


@dataclass
class Appended(Command):
    """``append=t``: the partial results of several tstats one after the other, for a stats that merges them."""

    inner: TStats

    def needs(self, wanted: Fields) -> Fields:
        return wanted

    def apply(self, stage: Stage, context: Context) -> Stage:
        own = self.inner.apply(Stage(()), context)
        header = list(dict.fromkeys([*(stage.header or ()), *self.inner.stats.by, PRESTATS]))
        return Stage(itertools.chain(stage.rows, own.rows), header)


def parse_tstats(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    options = args.take(TSTATS_OPTIONS)
    flags = {
        name: boolean(args, name, options.get(name, "f"))
        for name in ("prestats", "append", "summariesonly", "local", "include_reduced_buckets", "allow_old_summaries")
    }
    whole(args, "chunk_size", options.get("chunk_size", "10000000"), 10_000)
    if flags["append"] and not flags["prestats"]:
        raise args.fail("append=true is valid with prestats=true only")
    if not flags["append"]:
        must_be_first(segment)
    aggregations = parse_aggregations(args, env, "from", "where", "by", "groupby")
    models = _models(args, env, flags["summariesonly"])
    where = _where(args, segment, env)
    by, span = _by(args)
    args.close()
    _refuse(args, aggregations, by, span)
    aggregations = check_names(args, aggregations, by)
    stats = Stats(aggregations, by, prestats=flags["prestats"])
    command = TStats(stats, where, models, span, options.get("fillnull_value"))
    return Appended(command) if flags["append"] else command


def _refuse(args: Arguments, aggregations: list[Aggregation], by: list[str], span: object) -> None:
    """What the tsidx files cannot answer (docs: tstats, "Usage")."""
    if not aggregations:
        raise args.fail("at least one aggregation is needed")
    refuse_per(args, aggregations)
    for item in aggregations:
        if item.expression is not None:
            raise args.fail(f"eval expressions are not supported in aggregations ('{item.output}')")
        if item.wild:
            raise args.fail(f"wildcards are not supported in aggregations ('{item.output}')")
    for name in by:
        if "*" in name:
            raise args.fail(f"wildcards are not supported in the BY clause ('{name}')")
    if span and "_time" not in by:
        raise args.fail("span needs BY _time")


def _models(args: Arguments, env: Env, summaries_only: bool) -> list[DatasetRows] | None:
    """Read ``FROM datamodel=Model[.Dataset]``; without a dataset the model's root datasets, one after the other."""
    token = args.accept_word("from")
    if token is None:
        return None
    kind = args.next("datamodel=<name>")
    name_token = args.next("a data model's name") if args.accept_op("=") else kind
    text = name_token.value
    if name_token is kind and text.lower().startswith("datamodel:"):
        text = text.partition(":")[2]
    elif name_token is kind or not kind.is_word("datamodel"):
        raise args.fail(
            f"FROM {kind.value} is not supported: name a data model (FROM datamodel=…) or use WHERE index=…", kind
        )
    wanted, _, inside = text.partition(".")
    try:
        model, accelerated = find_model(env, wanted)
    except KeyError:
        near = suggestion(wanted, env.services.data_model_names())
        message = f"Error in 'TsidxStats': Data model '{wanted}' was not found.{near}"
        raise SplError(message, args.text, name_token.start) from None
    try:
        chosen = [pick(model, inside)] if inside else model.roots()
    except SplError as error:
        raise args.fail(error.message, name_token) from error
    if summaries_only and not accelerated:
        env.context.say("WARN", f"Data model '{wanted}' is not accelerated: summariesonly=true finds no summaries.")
        return []
    return [rows_of(model, one, env) for one in chosen]


def _where(args: Arguments, segment: Segment, env: Env) -> SearchExpression:
    start = end = segment.end
    if token := args.accept_word("where"):
        start = token.end
        end = _skip_to_by(args, segment.end)
    return compile_filter(segment.text, start, end, env, reading=True)


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
        follows = args.peek(1)
        if token and token.is_word("prefix") and follows and follows.is_op("("):
            raise args.fail("PREFIX() is a directive that this stand-in does not run", token)
        args.refuse_option(("span",))
        by.append(args.field_name())
    if not by:
        raise args.fail("BY needs at least one field")
    return by, span


COMMANDS: dict[str, Parse] = {"tstats": parse_tstats}
OPTIONS = {"tstats": TSTATS_OPTIONS}
