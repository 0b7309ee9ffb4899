"""top and rare: the values that come most or least often, with count and percent.

Source: Search Reference, "top" and "rare": ten rows of each group unless ``limit`` says else, 0 stands for all up to
50,000 (limits.conf [top] maxresultrows).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from apisec_sandbox.spl.commands.aggregator import Batch, GroupKey, Keys, batches
from apisec_sandbox.spl.commands.base import Arguments, Command, Env, boolean, union, whole
from apisec_sandbox.spl.context import Context, Fields, Stage
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.values import Row, to_text

MAX_ROWS = 50_000
TOP_OPTIONS = ("limit", "countfield", "percentfield", "showcount", "showperc", "useother", "otherstr")


@dataclass
class Top(Command):
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
    any_order = True

    def needs(self, wanted: Fields) -> Fields:  # noqa: ARG002
        return union(frozenset(self.fields), self.by)

    def apply(self, stage: Stage, context: Context) -> Stage:
        shown = ((self.count_field, self.show_count), (self.percent_field, self.show_percent))
        return Stage(self._rows(stage, context), self.by + self.fields + [name for name, show in shown if show])

    def _rows(self, stage: Stage, context: Context) -> Iterator[Row]:
        keys = Keys(self.by + self.fields)
        counts: Counter[GroupKey] = Counter()
        for rows in batches(stage.rows, context):
            for key, places in keys.split(Batch(rows)).items():
                counts[key] += len(places)
        groups: dict[GroupKey, dict[GroupKey, int]] = {}
        for key, count in counts.items():
            name = tuple(map(to_text, key))
            groups.setdefault(name[: len(self.by)], {})[name[len(self.by) :]] = count
        for group in sorted(groups):
            yield from self._ranked(group, groups[group])

    def _ranked(self, group: GroupKey, counts: dict[GroupKey, int]) -> Iterator[Row]:
        total = sum(counts.values())
        order = sorted(counts, key=lambda key: ((1 if self.rare else -1) * counts[key], key))
        kept = order[: min(self.limit or MAX_ROWS, MAX_ROWS)]
        for key in kept:
            yield self._row(group, key, counts[key], total)
        rest = sum(counts[key] for key in order[len(kept) :])
        if self.use_other and rest:
            yield self._row(group, tuple(self.other for _ in self.fields), rest, total)

    def _row(self, group: GroupKey, key: Iterable[str], count: int, total: int) -> Row:
        row: Row = dict(zip(self.by + self.fields, (*group, *key), strict=True))
        if self.show_count:
            row[self.count_field] = count
        if self.show_percent:
            row[self.percent_field] = f"{100 * count / total:.6f}"
        return row


def parse_top(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    options = args.options(*TOP_OPTIONS)
    token = args.peek()
    if token and token.kind == "word" and token.value.isdigit():
        options["limit"] = args.next().value
    options |= args.options(*TOP_OPTIONS)
    args.refuse_option(TOP_OPTIONS)
    fields = args.field_list("by")
    by = args.field_list() if args.accept_word("by") else []
    options |= args.options(*TOP_OPTIONS)
    args.refuse_option(TOP_OPTIONS)
    args.close()
    if not fields:
        raise args.fail("at least one field is needed")
    top = Top(
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
    _refuse_clash(args, top)
    return top


def _refuse_clash(args: Arguments, top: Top) -> None:
    names = [*top.by, *top.fields]
    if clash := next((name for name in names if names.count(name) > 1), None):
        raise args.fail(f"The field '{clash}' stands there twice")
    for option, name, shown in (
        ("countfield", top.count_field, top.show_count),
        ("percentfield", top.percent_field, top.show_percent),
    ):
        if shown and name in names:
            raise args.fail(f"The {option} '{name}' is also a field of the list; choose another with {option}=")
