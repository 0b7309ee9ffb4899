"""stats, eventstats, streamstats, top and rare.

Source: Search Reference, the page of each command. Rows that lack a ``by`` field are left out; a multivalue ``by``
field puts a row into the group of each of its values; groups come out ordered by the ``by`` fields.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apisec_sandbox.spl.commands.aggregation import Aggregation, Aggregator, Group, parse_aggregations
from apisec_sandbox.spl.commands.base import Arguments, Command, Env, Parse, added, boolean, checked, union, whole
from apisec_sandbox.spl.context import Context, Fields, Stage
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.values import Row, combinations, group_key, to_text, values_of

GroupKey = tuple[Any, ...]


def group_values(row: Row, by: list[str]) -> list[GroupKey]:
    """Return the groups a row belongs to: none when it lacks a field, several for multivalues."""
    parts = []
    plain = True
    for name in by:
        value = row.get(name)
        if value is None:
            return []
        if type(value) is list:
            plain = False
        parts.append(value)
    if plain:
        return [tuple(parts)]
    return list(combinations([values_of(part) for part in parts]))


def order_groups(keys: Any) -> list[GroupKey]:
    return sorted(keys, key=lambda key: tuple(group_key(value) for value in key))


@dataclass
class Stats(Command):
    aggregations: list[Aggregation]
    by: list[str]

    def needs(self, wanted: Fields) -> Fields:  # noqa: ARG002
        return union(frozenset(self.by), *(item.reads() for item in self.aggregations))

    def apply(self, stage: Stage, context: Context) -> Stage:
        header = self.by + [item.output for item in self.aggregations if not item.wild]
        return Stage(self._rows(stage, context), list(dict.fromkeys(header)))

    def _rows(self, stage: Stage, context: Context) -> Iterator[Row]:
        engine = Aggregator(self.aggregations)
        groups: dict[GroupKey, Group] = {}
        if not self.by:
            groups[()] = engine.new()
        by, add, new = self.by, engine.add, engine.new
        for row in checked(stage.rows, context):
            for key in group_values(row, by):
                group = groups.get(key)
                if group is None:
                    group = groups[key] = new()
                add(group, row)
        for key in order_groups(groups):
            yield {**dict(zip(by, key, strict=True)), **engine.results(groups[key])}


def _parse_stats_arguments(args: Arguments, env: Env) -> tuple[list[Aggregation], list[str]]:
    aggregations = parse_aggregations(args, env, "by")
    by = args.field_list() if args.accept_word("by") else []
    args.close()
    if not aggregations:
        raise args.fail("at least one aggregation is needed")
    return aggregations, by


def parse_stats(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    args.options("partitions", "allnum", "delim")
    args.refuse_option(("partitions", "allnum", "delim"))
    return Stats(*_parse_stats_arguments(args, env))


@dataclass
class EventStats(Command):
    aggregations: list[Aggregation]
    by: list[str]

    def needs(self, wanted: Fields) -> Fields:
        return union(wanted, self.by, *(item.reads() for item in self.aggregations))

    def apply(self, stage: Stage, context: Context) -> Stage:
        names = [item.output for item in self.aggregations if not item.wild]
        return Stage(self._rows(stage, context), added(stage.header, *names), stage.events)

    def _rows(self, stage: Stage, context: Context) -> Iterator[Row]:
        engine = Aggregator(self.aggregations)
        rows = list(checked(stage.rows, context))
        groups: dict[GroupKey, Group] = {}
        for row in rows:
            for key in group_values(row, self.by):
                engine.add(groups.setdefault(key, engine.new()), row)
        results = {key: engine.results(group) for key, group in groups.items()}
        for row in rows:
            for key in group_values(row, self.by)[:1]:
                row.update(results[key])
            yield row


def parse_eventstats(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    args.options("allnum")
    args.refuse_option(("allnum",))
    return EventStats(*_parse_stats_arguments(args, env))


@dataclass
class StreamStats(Command):
    aggregations: list[Aggregation]
    by: list[str]
    window: int = 0
    current: bool = True
    over_all: bool = True  # ``global``: the window counts all rows, not those of the group
    reset_on_change: bool = False

    def needs(self, wanted: Fields) -> Fields:
        return union(wanted, self.by, *(item.reads() for item in self.aggregations))

    def apply(self, stage: Stage, context: Context) -> Stage:
        names = [item.output for item in self.aggregations if not item.wild]
        rows = self._windowed(stage, context) if self.window else self._running(stage, context)
        return Stage(rows, added(stage.header, *names), stage.events)

    def _running(self, stage: Stage, context: Context) -> Iterator[Row]:
        engine = Aggregator(self.aggregations)
        groups: dict[GroupKey, Group] = {}
        previous: GroupKey | None = None
        for row in checked(stage.rows, context):
            for key in group_values(row, self.by)[:1]:
                if self.reset_on_change and key != previous:
                    groups.clear()
                previous = key
                group = groups.setdefault(key, engine.new())
                snapshot = dict(row)
                if not self.current:
                    row.update(engine.results(group))
                engine.add(group, snapshot)
                if self.current:
                    row.update(engine.results(group))
            yield row

    def _windowed(self, stage: Stage, context: Context) -> Iterator[Row]:
        engine = Aggregator(self.aggregations)
        shared: deque[tuple[GroupKey, Row]] = deque(maxlen=self.window + (0 if self.current else 1))
        separate: dict[GroupKey, deque[tuple[GroupKey, Row]]] = {}
        for row in checked(stage.rows, context):
            for key in group_values(row, self.by)[:1]:
                held = shared if self.over_all else separate.setdefault(key, deque(maxlen=shared.maxlen))
                held.append((key, dict(row)))
                group = engine.new()
                seen = list(held) if self.current else list(held)[:-1]
                for other, past in seen:
                    if other == key:
                        engine.add(group, past)
                row.update(engine.results(group))
            yield row


def parse_streamstats(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    known = ("window", "current", "global", "reset_on_change", "allnum")
    options = args.options(*known)
    args.refuse_option(known)
    aggregations = []
    by: list[str] = []
    while not args.done():  # options may also stand behind the aggregations
        aggregations += parse_aggregations(args, env, "by", *known)
        if args.accept_word("by"):
            by = args.field_list(*known)
        options |= args.options(*known)
    if not aggregations:
        raise args.fail("at least one aggregation is needed")
    return StreamStats(
        aggregations,
        by,
        whole(args, "window", options.get("window", "0")),
        boolean(args, "current", options.get("current", "t")),
        boolean(args, "global", options.get("global", "t")),
        boolean(args, "reset_on_change", options.get("reset_on_change", "f")),
    )


@dataclass
class Top(Command):
    """top and rare: the values that come most or least often, with count and percent."""

    fields: list[str]
    by: list[str]
    limit: int
    rare: bool
    count_field: str = "count"
    percent_field: str = "percent"
    show_count: bool = True
    show_percent: bool = True
    use_other: bool = False
    other: str = "OTHER"

    def needs(self, wanted: Fields) -> Fields:  # noqa: ARG002
        return union(frozenset(self.fields), self.by)

    def apply(self, stage: Stage, context: Context) -> Stage:
        shown = ((self.count_field, self.show_count), (self.percent_field, self.show_percent))
        return Stage(self._rows(stage, context), self.by + self.fields + [name for name, show in shown if show])

    def _rows(self, stage: Stage, context: Context) -> Iterator[Row]:
        counts: dict[GroupKey, dict[GroupKey, int]] = {}
        for row in checked(stage.rows, context):
            for key in group_values(row, self.by + self.fields):
                text = tuple(to_text(value) for value in key)
                group = counts.setdefault(text[: len(self.by)], {})
                own = text[len(self.by) :]
                group[own] = group.get(own, 0) + 1
        for group_name in sorted(counts):
            yield from self._ranked(group_name, counts[group_name])

    def _ranked(self, group: GroupKey, counts: dict[GroupKey, int]) -> Iterator[Row]:
        total = sum(counts.values())
        order = sorted(counts, key=lambda key: ((1 if self.rare else -1) * counts[key], key))
        kept = order[: self.limit] if self.limit else order
        for key in kept:
            yield self._row(group, key, counts[key], total)
        rest = sum(counts[key] for key in order[len(kept) :])
        if self.use_other and rest:
            yield self._row(group, tuple(self.other for _ in self.fields), rest, total)

    def _row(self, group: GroupKey, key: GroupKey, count: int, total: int) -> Row:
        row: Row = dict(zip(self.by + self.fields, group + key, strict=True))
        if self.show_count:
            row[self.count_field] = count
        if self.show_percent:
            row[self.percent_field] = f"{100 * count / total:.6f}"
        return row


def parse_top(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    known = ("limit", "countfield", "percentfield", "showcount", "showperc", "useother", "otherstr")
    options = args.options(*known)
    token = args.peek()
    if token and token.kind == "word" and token.value.isdigit():
        options["limit"] = args.next().value
    options |= args.options(*known)
    args.refuse_option(known)
    fields = args.field_list("by")
    by = args.field_list() if args.accept_word("by") else []
    args.close()
    if not fields:
        raise args.fail("at least one field is needed")
    return Top(
        fields,
        by,
        whole(args, "limit", options.get("limit", "10")),
        segment.name == "rare",
        options.get("countfield", "count"),
        options.get("percentfield", "percent"),
        boolean(args, "showcount", options.get("showcount", "t")),
        boolean(args, "showperc", options.get("showperc", "t")),
        boolean(args, "useother", options.get("useother", "f")),
        options.get("otherstr", "OTHER"),
    )


COMMANDS: dict[str, Parse] = {
    "stats": parse_stats,
    "eventstats": parse_eventstats,
    "streamstats": parse_streamstats,
    "top": parse_top,
    "rare": parse_top,
}
