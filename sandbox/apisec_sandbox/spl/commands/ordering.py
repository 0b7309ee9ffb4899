"""Commands that order, cut and thin out rows: sort, head, tail, reverse, dedup.

Source: Search Reference, the page of each.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from apisec_sandbox.spl.commands.base import Arguments, Command, Env, Parse, boolean, checked, union, whole
from apisec_sandbox.spl.context import Context, Fields, Stage
from apisec_sandbox.spl.expressions import Expression, parse_expression
from apisec_sandbox.spl.lexer import Token
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.values import Row, address, to_number, to_text

Key = Callable[[Any], tuple[int, Any]]
SLACK = 4  # rows held before a sort with a limit cuts down, as a multiple of the limit


def _number_key(value: Any) -> tuple[int, Any]:
    number = to_number(value)
    return (0, number) if number is not None else (1, 0)


def _ip_key(value: Any) -> tuple[int, Any]:
    ip = address(to_text(value))
    return (1, to_text(value)) if ip is None else (0, (ip.version, int(ip)))


def _auto_key(value: Any) -> tuple[int, Any]:
    """Numbers as numbers, addresses as addresses, all else by code point, in this order (docs: sort, auto)."""
    number = to_number(value)
    if number is not None:
        return 0, number
    text = to_text(value)
    if text[:1].isdigit() or ":" in text:  # cheap: only these can be addresses
        ip = address(text)
        if ip is not None:
            return 1, (ip.version, int(ip))
    return 2, text


SORT_KEYS: dict[str, Key] = {
    "auto": _auto_key,
    "num": _number_key,
    "str": lambda value: (0, to_text(value)),
    "ip": _ip_key,
}


@dataclass(frozen=True)
class SortField:
    name: str
    descending: bool
    key: Key


@dataclass
class Sort(Command):
    """Rows that lack a field come last in either order (docs: sort)."""

    fields: list[SortField]
    limit: int | None  # None: the default of limits.conf; 0: no limit

    def needs(self, wanted: Fields) -> Fields:
        return union(wanted, (item.name for item in self.fields))

    def apply(self, stage: Stage, context: Context) -> Stage:
        return Stage(self._rows(stage, context), stage.header, stage.events)

    def _rows(self, stage: Stage, context: Context) -> Iterator[Row]:
        limit = context.limits.sort if self.limit is None else self.limit
        if not limit:
            yield from self.ordered(list(checked(stage.rows, context)))
            return
        rows: list[Row] = []
        for row in checked(stage.rows, context):
            rows.append(row)
            if len(rows) >= limit * SLACK + 1000:
                rows = self.ordered(rows)[:limit]
        yield from self.ordered(rows)[:limit]

    def ordered(self, rows: list[Row]) -> list[Row]:
        """Return the rows in order; equal ones keep theirs."""
        for item in reversed(self.fields):
            present = [row for row in rows if row.get(item.name) is not None]
            absent = [row for row in rows if row.get(item.name) is None]
            present.sort(key=lambda row, by=item: by.key(row[by.name]), reverse=item.descending)  # type: ignore[misc]
            rows = present + absent
        return rows


def parse_sort(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    options = args.options("limit")
    limit = args.count(-1)
    options |= args.options("limit")
    if "limit" in options:
        limit = whole(args, "limit", options["limit"])
    args.refuse_option(("limit",))
    fields = sort_fields(args)
    flipped = _sort_flag(args, fields)
    args.close()
    if not fields:
        raise args.fail("at least one field is needed")
    if flipped:
        fields = [SortField(item.name, not item.descending, item.key) for item in fields]
    return Sort(fields, None if limit < 0 else limit)


def _sort_flag(args: Arguments, fields: list[SortField]) -> bool:
    """A trailing ``d`` or ``desc`` turns the whole order around; it reads like one more field."""
    if len(fields) > 1 and fields[-1].name in ("d", "desc") and not args.tokens[-2].is_op(","):
        fields.pop()
        return True
    return False


def sort_fields(args: Arguments) -> list[SortField]:
    """Read ``[+|-] field`` or ``[+|-] kind(field)``, with or without commas."""
    fields: list[SortField] = []
    while token := args.peek():
        if token.is_op(","):
            args.at += 1
            continue
        if token.kind not in ("word", "text"):
            break
        fields.append(_sort_field(args, args.next()))
    return fields


def _sort_field(args: Arguments, token: Token) -> SortField:
    name, descending = token.value, False
    if token.kind == "word" and name[0] in "+-":
        descending = name[0] == "-"
        name = name[1:] or args.field_name()
    follows = args.peek()
    if follows and follows.is_op("(") and not follows.spaced:
        kind = name.lower()
        if kind not in SORT_KEYS:
            raise args.fail(f"unknown sort function {kind!r}; known: {', '.join(SORT_KEYS)}", token)
        args.next()
        name = args.field_name()
        args.expect_op(")")
        return SortField(name, descending, SORT_KEYS[kind])
    return SortField(name, descending, _auto_key)


@dataclass
class Head(Command):
    """The first rows, or those up to the first one for which an expression is not true."""

    count: int | None
    condition: Expression | None = None
    keep_last: bool = False
    allow_null: bool = False

    def needs(self, wanted: Fields) -> Fields:
        return union(wanted, self.condition.fields if self.condition else ())

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        return Stage(self._rows(stage), stage.header, stage.events)

    def _rows(self, stage: Stage) -> Iterator[Row]:
        if self.count == 0:
            return
        for number, row in enumerate(stage.rows, 1):
            if self.condition:
                held = self.condition.run(row)
                if held is not True and not (held is None and self.allow_null):
                    if self.keep_last:
                        yield row
                    return
            yield row
            if self.count is not None and number >= self.count:
                return


HEAD_OPTIONS = ("limit", "null", "keeplast")


def parse_head(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    options = args.options(*HEAD_OPTIONS)
    count: int | None = 10
    condition = None
    token = args.peek()
    if token and token.is_op("("):
        condition = parse_expression(segment.text, token.start, _closing(args, token), env.scope)
        count = None
    else:
        count = args.count(10)
    options |= args.take(HEAD_OPTIONS)
    if "limit" in options:
        count = whole(args, "limit", options["limit"])
        count = None if condition and not count else count
    args.close()
    flags = {name: boolean(args, name, options.get(name, "f")) for name in ("keeplast", "null")}
    return Head(count, condition, flags["keeplast"], flags["null"])


def _closing(args: Arguments, opened: Token) -> int:
    """Move behind the parenthesis that closes ``opened``; return its position."""
    depth = 0
    while token := args.peek():
        depth += token.is_op("(") - token.is_op(")")
        args.at += 1
        if depth == 0:
            return token.end
    raise args.fail("missing )", opened)


@dataclass
class Tail(Command):
    """The last rows, last first (docs: tail)."""

    count: int

    def needs(self, wanted: Fields) -> Fields:
        return wanted

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        return Stage(self._rows(stage), stage.header, stage.events)

    def _rows(self, stage: Stage) -> Iterator[Row]:
        yield from reversed(deque(stage.rows, maxlen=self.count))


def parse_tail(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    count = whole(args, "the count", args.next().value) if not args.done() else 10
    args.close()
    return Tail(count)


@dataclass
class Reverse(Command):
    def needs(self, wanted: Fields) -> Fields:
        return wanted

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        return Stage(self._rows(stage), stage.header, stage.events)

    @staticmethod
    def _rows(stage: Stage) -> Iterator[Row]:
        yield from reversed(list(stage.rows))


def parse_reverse(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    Arguments(segment).close()
    return Reverse()


@dataclass
class Dedup(Command):
    fields: list[str]
    count: int
    keep_empty: bool
    keep_events: bool
    consecutive: bool
    sort_by: Sort | None

    def needs(self, wanted: Fields) -> Fields:
        own = union(wanted, self.fields)
        return self.sort_by.needs(own) if self.sort_by else own

    def apply(self, stage: Stage, context: Context) -> Stage:
        """The order of ``sortby`` decides which row of several is the one that stays (docs: dedup)."""
        ordered = self.sort_by.apply(stage, context) if self.sort_by else stage
        return Stage(self._rows(ordered), ordered.header, ordered.events)

    def _rows(self, stage: Stage) -> Iterator[Row]:
        seen: dict[tuple[Any, ...], int] = {}
        for row in stage.rows:
            key = self._key(row)
            if key is None:
                if self.keep_empty:
                    yield row
                continue
            number = seen.get(key, 0)
            if self.consecutive and number == 0:
                seen.clear()
            seen[key] = number + 1
            if number < self.count:
                yield row
            elif self.keep_events:
                yield {name: value for name, value in row.items() if name not in self.fields}

    def _key(self, row: Row) -> tuple[Any, ...] | None:
        """A multivalue counts as a whole; a row that lacks one of the fields has no key."""
        key = tuple(row.get(name) for name in self.fields)
        if any(value is None for value in key):
            return None
        return tuple(tuple(map(to_text, value)) if isinstance(value, list) else to_text(value) for value in key)


DEDUP_OPTIONS = ("keepempty", "keepevents", "consecutive")


def parse_dedup(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    count = args.count(1, 1)
    options = args.options(*DEDUP_OPTIONS)
    fields: list[str] = []
    while (token := args.peek()) and not token.is_word("sortby"):
        options |= args.take(DEDUP_OPTIONS)
        fields += args.field_list("sortby", *DEDUP_OPTIONS)
        follows = args.peek()
        if follows and not follows.is_word("sortby", *DEDUP_OPTIONS):
            args.refuse_option(DEDUP_OPTIONS)
            raise args.fail(f"unexpected {follows.value!r}", follows)
    if not fields:
        raise args.fail("at least one field is needed")
    order = None
    if token := args.accept_word("sortby"):
        chosen = sort_fields(args)
        if not chosen:
            raise args.fail("sortby needs at least one field", token)
        order = Sort(chosen, 0)
    args.close()
    flags = {name: boolean(args, name, options.get(name, "f")) for name in DEDUP_OPTIONS}
    return Dedup(fields, count, flags["keepempty"], flags["keepevents"], flags["consecutive"], order)


COMMANDS: dict[str, Parse] = {
    "sort": parse_sort,
    "head": parse_head,
    "tail": parse_tail,
    "reverse": parse_reverse,
    "dedup": parse_dedup,
}
OPTIONS = {"sort": ("limit",), "head": HEAD_OPTIONS, "dedup": DEDUP_OPTIONS}
