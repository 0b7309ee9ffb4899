"""stats and eventstats.

Source: Search Reference, the page of each command. Rows that lack a ``by`` field are left out; a multivalue ``by``
field puts a row into the group of each of its values; groups come out ordered by the ``by`` fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from apisec_sandbox.spl.commands.aggregation import (
    Aggregation,
    check_names,
    numeric_fields,
    parse_aggregations,
    refuse_per,
)
from apisec_sandbox.spl.commands.aggregator import BATCH, PRESTATS, Aggregator, Batch, Group, GroupKey, Keys, batches
from apisec_sandbox.spl.commands.base import Arguments, Command, Env, Parse, added, boolean, checked, union, whole
from apisec_sandbox.spl.commands.streamstats import RESETS, STREAM_OPTIONS, parse_streamstats
from apisec_sandbox.spl.commands.top import TOP_OPTIONS, parse_top
from apisec_sandbox.spl.context import Context, Fields, Stage, header_of
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.values import Row


@dataclass
class Stats(Command):
    """``prestats`` gives, in place of results, what stats, chart and timechart further down can merge."""

    aggregations: list[Aggregation]
    by: list[str]
    allnum: bool = False
    dedup_splitvals: bool = False
    prestats: bool = False

    @property
    def any_order(self) -> bool:
        return all(item.order_free for item in self.aggregations)

    def numeric(self) -> frozenset[str]:
        """Return the fields that are read as numbers only: the scan may hand them over as such."""
        return numeric_fields(self.aggregations) - set(self.by) if not self.allnum else frozenset()

    def needs(self, wanted: Fields) -> Fields:  # noqa: ARG002
        return union(frozenset(self.by), *(item.reads() for item in self.aggregations))

    def apply(self, stage: Stage, context: Context) -> Stage:
        if self.prestats:
            return Stage(self._rows(stage, context), [*self.by, PRESTATS])
        header = self.by + [item.output for item in self.aggregations if not item.wild]
        if any(item.wild for item in self.aggregations):  # the columns are known at the end only
            rows = list(self._rows(stage, context))
            return Stage(rows, header_of(Stage((), self.by), rows))
        return Stage(self._rows(stage, context), list(dict.fromkeys(header)))

    def _rows(self, stage: Stage, context: Context) -> Iterator[Row]:
        engine = Aggregator(self.aggregations, self.allnum)
        keys = Keys(self.by, self.dedup_splitvals)
        groups: dict[GroupKey, Group] = {} if self.by else {(): engine.new()}
        for rows in batches(stage.rows, context):
            batch = Batch(rows)
            engine.feed(batch, keys.split(batch) if self.by else None, groups)
        for key in keys.ordered(groups):
            group = groups.pop(key)
            row: Row = dict(zip(self.by, keys.shown(key), strict=True))
            yield {**row, PRESTATS: engine.prestats(group)} if self.prestats else {**row, **engine.results(group)}


def parse_by(args: Arguments, *stop: str) -> list[str]:
    """Take the fields of a ``by`` clause, if there is one.

    Raises:
        SplError: ``by`` without a field, or a wildcard in its place.
    """
    token = args.accept_word("by")
    if not token:
        return []
    fields = args.field_list(*stop)
    if not fields:
        raise args.fail("BY needs at least one field", token)
    if wild := next((name for name in fields if "*" in name), None):
        raise args.fail(f"The field '{wild}' of the BY clause cannot hold a wildcard", token)
    return fields


STATS_OPTIONS = ("partitions", "allnum", "delim", "prestats", "dedup_splitvals")


def parse_stats(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    options = args.options(*STATS_OPTIONS)
    args.refuse_option(STATS_OPTIONS)
    items = parse_aggregations(args, env, "by", *STATS_OPTIONS)
    by = parse_by(args, *STATS_OPTIONS)
    options |= args.options(*STATS_OPTIONS)
    args.refuse_option(STATS_OPTIONS)
    args.close()
    if not items:
        raise args.fail("at least one aggregation is needed")
    refuse_per(args, items)
    whole(args, "partitions", options.get("partitions", "1"), 0)  # threads: the result is the same
    if "delim" in options:  # what nomv joins the values of list() and values() with
        env.context.delimiters.update(
            {item.output: options["delim"] for item in items if item.function in ("list", "values")}
        )
    return Stats(
        check_names(args, items, by),
        by,
        boolean(args, "allnum", options.get("allnum", "f")),
        boolean(args, "dedup_splitvals", options.get("dedup_splitvals", "f")),
        boolean(args, "prestats", options.get("prestats", "f")),
    )


@dataclass
class EventStats(Command):
    aggregations: list[Aggregation]
    by: list[str]
    allnum: bool = False

    def needs(self, wanted: Fields) -> Fields:
        return union(wanted, self.by, *(item.reads() for item in self.aggregations))

    def apply(self, stage: Stage, context: Context) -> Stage:
        names = [item.output for item in self.aggregations if not item.wild]
        return Stage(self._rows(stage, context), added(stage.header, *names), stage.events)

    def _rows(self, stage: Stage, context: Context) -> Iterator[Row]:
        engine, keys = Aggregator(self.aggregations, self.allnum), Keys(self.by)
        rows = list(checked(stage.rows, context))
        groups: dict[GroupKey, Group] = {}
        for start in range(0, len(rows), BATCH):
            batch = Batch(rows[start : start + BATCH])
            engine.feed(batch, keys.split(batch) if self.by else None, groups)
        results = {key: engine.results(group) for key, group in groups.items()}
        for row in rows:
            for key in keys.of_row(row)[:1]:
                row.update(results[key])
            yield row


def parse_eventstats(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    options = args.options("allnum")
    args.refuse_option(("allnum",))
    items = parse_aggregations(args, env, "by", "allnum")
    by = parse_by(args, "allnum")
    options |= args.options("allnum")
    args.close()
    if not items:
        raise args.fail("at least one aggregation is needed")
    refuse_per(args, items)
    return EventStats(check_names(args, items, by), by, boolean(args, "allnum", options.get("allnum", "f")))


OPTIONS = {
    "stats": tuple(name for name in STATS_OPTIONS if name != "prestats"),  # prestats is tstats' by its page
    "eventstats": ("allnum",),
    "streamstats": (*STREAM_OPTIONS, *RESETS),
    "top": TOP_OPTIONS,
    "rare": TOP_OPTIONS,
}
COMMANDS: dict[str, Parse] = {
    "stats": parse_stats,
    "eventstats": parse_eventstats,
    "streamstats": parse_streamstats,
    "top": parse_top,
    "rare": parse_top,
}
