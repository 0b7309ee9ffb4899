"""Commands that choose, order and name: fields, table, rename, sort, head, tail, reverse, dedup, fillnull, regex."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from apisec_sandbox.spl.commands.base import Arguments, Command, Env, OnField, Parse, added, boolean, union, whole
from apisec_sandbox.spl.context import EVERY, Context, Fields, Stage, header_of
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.expressions import Expression, parse_expression
from apisec_sandbox.spl.functions import regex
from apisec_sandbox.spl.lexer import Token
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.values import Row, address, sort_key, to_number, to_text, values_of, wildcard_names


def chooser(names: list[str]) -> Callable[[str], bool]:
    """Return a test for field names against names and patterns."""
    exact = frozenset(name for name in names if "*" not in name)
    patterns = [wildcard_names(name) for name in names if "*" in name]
    if not patterns:
        return exact.__contains__
    return lambda name: name in exact or any(pattern(name) is not None for pattern in patterns)


def expanded(names: list[str], header: list[str]) -> list[str]:
    """Return the columns that names and patterns choose, in the order of the list."""
    found: dict[str, None] = {}
    for name in names:
        if "*" not in name:
            found[name] = None
            continue
        test = wildcard_names(name)
        found.update(dict.fromkeys(column for column in header if test(column) and _visible(name, column)))
    return list(found)


def _visible(pattern: str, column: str) -> bool:
    """``*`` does not choose internal fields; ``_*`` does (docs: fields)."""
    return not column.startswith("_") or pattern.startswith("_")


@dataclass
class FieldsCommand(Command):
    names: list[str]
    remove: bool

    def needs(self, wanted: Fields) -> Fields:
        if self.remove:
            return wanted
        if any("*" in name for name in self.names):
            return EVERY
        internal = frozenset(("_time", "_raw"))
        own = frozenset(self.names) | internal
        return own if wanted is None else wanted & own

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        test = chooser(self.names)
        if self.remove:
            header = None if stage.header is None else [name for name in stage.header if not test(name)]
            return Stage(_without(stage, test), header, stage.events)
        header = None
        if not any("*" in name for name in self.names):
            held = stage.header
            header = [name for name in self.names if held is None or name in held]
            header += [name for name in held or () if name.startswith("_") and name not in header]
        return Stage(_only(stage, lambda name: test(name) or name.startswith("_")), header, stage.events)


def _without(stage: Stage, test: Callable[[str], bool]) -> Iterator[Row]:
    for row in stage.rows:
        yield {name: value for name, value in row.items() if not test(name)}


def _only(stage: Stage, test: Callable[[str], bool]) -> Iterator[Row]:
    for row in stage.rows:
        yield {name: value for name, value in row.items() if test(name)}


def parse_fields(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    remove = False
    token = args.peek()
    if token and token.kind == "word" and token.value[0] in "+-":
        remove = token.value[0] == "-"
        rest = token.value[1:]
        args.at += 1
        first = [rest] if rest else []
    else:
        first = []
    names = first + args.field_list()
    args.close()
    if not names:
        raise args.fail("at least one field is needed")
    return FieldsCommand(names, remove)


@dataclass
class Table(Command):
    names: list[str]

    def needs(self, wanted: Fields) -> Fields:  # noqa: ARG002
        return union(frozenset(), self.names)

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        if not any("*" in name for name in self.names):
            return Stage(_only(stage, frozenset(self.names).__contains__), list(dict.fromkeys(self.names)))
        rows = list(stage.rows)
        header = expanded(self.names, header_of(stage, rows))
        return Stage(_only(Stage(rows), frozenset(header).__contains__), header)


def parse_table(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    names = args.field_list()
    args.close()
    if not names:
        raise args.fail("at least one field is needed")
    return Table(names)


@dataclass
class Rename(Command):
    """A source that is missing empties the target, as documented (docs: rename)."""

    pairs: list[tuple[str, str]]

    def needs(self, wanted: Fields) -> Fields:
        if wanted is None or any("*" in source for source, _ in self.pairs):
            return EVERY
        targets = {target for _, target in self.pairs}
        return union(wanted - targets, (source for source, _ in self.pairs))

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        header = stage.header
        if header is not None:
            for source, target in self.pairs:
                header = _renamed_header(header, source, target)
        return Stage(self._rows(stage), header, stage.events)

    def _rows(self, stage: Stage) -> Iterator[Row]:
        for row in stage.rows:
            for source, target in self.pairs:
                if "*" in source:
                    _rename_pattern(row, source, target)
                elif source in row:
                    row[target] = row.pop(source)
                else:
                    row.pop(target, None)
            yield row


def _new_name(match: Any, target: str) -> str:
    parts = target.split("*")
    return "".join(part + group for part, group in itertools.zip_longest(parts, match.groups(), fillvalue=""))


def _rename_pattern(row: Row, source: str, target: str) -> None:
    test = wildcard_names(source)
    for name in list(row):
        match = test(name)
        if match and _visible(source, name):
            row[_new_name(match, target)] = row.pop(name)


def _renamed_header(header: list[str], source: str, target: str) -> list[str]:
    if "*" not in source:
        held = [name for name in header if name != target or name == source]
        return [target if name == source else name for name in held]
    test = wildcard_names(source)
    return [_new_name(match, target) if (match := test(name)) else name for name in header]


def parse_rename(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    pairs: list[tuple[str, str]] = []
    while not args.done():
        if args.accept_op(","):
            continue
        start = args.peek()
        source = args.field_name()
        if not args.accept_word("as"):
            raise args.fail(f"expected AS behind {source!r}", args.peek())
        target = args.field_name()
        if source.count("*") != target.count("*"):
            raise args.fail("both names need the same number of wildcards", start)
        pairs.append((source, target))
    if not pairs:
        raise args.fail("usage is rename old AS new")
    return Rename(pairs)


Key = Callable[[Any], tuple[int, Any]]


def _number_key(value: Any) -> tuple[int, Any]:
    number = to_number(value)
    return (0, number) if number is not None else (1, 0)


def _ip_key(value: Any) -> tuple[int, Any]:
    ip = address(to_text(value))
    return (1, to_text(value)) if ip is None else (0, (ip.version, int(ip)))


SORT_KEYS: dict[str, Key] = {
    "auto": sort_key,
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
    fields: list[SortField]
    limit: int | None  # None: the default of limits.conf; 0: no limit

    def needs(self, wanted: Fields) -> Fields:
        return union(wanted, (item.name for item in self.fields))

    def apply(self, stage: Stage, context: Context) -> Stage:
        return Stage(self._rows(stage, context), stage.header, stage.events)

    def _rows(self, stage: Stage, context: Context) -> Iterator[Row]:
        rows = list(stage.rows)
        for item in reversed(self.fields):
            present = [row for row in rows if row.get(item.name) is not None]
            absent = [row for row in rows if row.get(item.name) is None]
            present.sort(key=lambda row, by=item: by.key(row[by.name]), reverse=item.descending)  # type: ignore[misc]
            rows = present + absent
        limit = context.limits.sort if self.limit is None else self.limit
        yield from rows[:limit] if limit else rows


def parse_sort(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    limit = None
    if pair := args.option(("limit",)):
        limit = whole(args, "limit", pair[1])
    token = args.peek()
    if token and token.kind == "word" and token.value.isdigit():
        limit = int(args.next().value)
    fields = _sort_fields(args)
    flipped = _sort_flag(args, fields)
    args.close()
    if not fields:
        raise args.fail("at least one field is needed")
    if flipped:
        fields = [SortField(item.name, not item.descending, item.key) for item in fields]
    return Sort(fields, limit)


def _sort_flag(args: Arguments, fields: list[SortField]) -> bool:
    """A trailing ``d`` or ``desc`` turns the whole order around; it reads like one more field."""
    if len(fields) > 1 and fields[-1].name in ("d", "desc") and not args.tokens[-2].is_op(","):
        fields.pop()
        return True
    return False


def _sort_fields(args: Arguments) -> list[SortField]:
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
    return SortField(name, descending, sort_key)


@dataclass
class Head(Command):
    count: int | None
    condition: Expression | None = None
    keep_last: bool = False
    allow_null: bool = False

    def needs(self, wanted: Fields) -> Fields:
        return union(wanted, self.condition.fields if self.condition else ())

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        return Stage(self._rows(stage), stage.header, stage.events)

    def _rows(self, stage: Stage) -> Iterator[Row]:
        for number, row in enumerate(stage.rows):
            if self.count is not None and number >= self.count:
                return
            if self.condition:
                held = self.condition.run(row)
                if held is not True and not (held is None and self.allow_null):
                    if self.keep_last:
                        yield row
                    return
            yield row
            if self.count is not None and number + 1 >= self.count:
                return


def parse_head(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    options = args.options("limit", "null", "keeplast")
    count: int | None = 10
    condition = None
    token = args.peek()
    if token and token.is_op("("):
        condition = parse_expression(segment.text, token.start, _closing(args, token), env.scope)
        count = None
    elif token and token.kind == "word" and token.value.isdigit():
        count = int(args.next().value)
    if "limit" in options:
        count = whole(args, "limit", options["limit"])
    options |= args.options("null", "keeplast")
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
        kept = Stage(self._rows(stage), stage.header, stage.events)
        return self.sort_by.apply(kept, context) if self.sort_by else kept

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


def parse_dedup(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    known = ("keepempty", "keepevents", "consecutive")
    token = args.peek()
    count = 1
    if token and token.kind == "word" and token.value.isdigit():
        count = whole(args, "the count", args.next().value, 1)
    options = args.options(*known)
    fields: list[str] = []
    while (token := args.peek()) and not token.is_word("sortby"):
        options |= args.options(*known)
        args.refuse_option(known)
        fields += args.field_list("sortby", *known)
        follows = args.peek()
        if follows and not follows.is_word("sortby", *known):
            args.refuse_option(known)
            raise args.fail(f"unexpected {follows.value!r}", follows)
    order = None
    if args.accept_word("sortby"):
        order = Sort(_sort_fields(args), 0)
    args.close()
    if not fields:
        raise args.fail("at least one field is needed")
    flags = {name: boolean(args, name, options.get(name, "f")) for name in known}
    return Dedup(fields, count, flags["keepempty"], flags["keepevents"], flags["consecutive"], order)


@dataclass
class FillNull(Command):
    value: str
    fields: list[str]

    def needs(self, wanted: Fields) -> Fields:
        return wanted if self.fields else EVERY

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        if self.fields:
            return Stage(self._rows(stage, self.fields), added(stage.header, *self.fields), stage.events)
        rows = list(stage.rows)
        header = header_of(stage, rows)
        names = [name for name in header if not name.startswith("_")]
        return Stage(self._rows(Stage(rows), names), header if stage.header is not None else None, stage.events)

    def _rows(self, stage: Stage, names: list[str]) -> Iterator[Row]:
        for row in stage.rows:
            for name in names:
                if row.get(name) is None:
                    row[name] = self.value
            yield row


def parse_fillnull(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    options = args.options("value")
    args.refuse_option(("value",))
    fields = args.field_list()
    args.close()
    return FillNull(options.get("value", "0"), fields)


@dataclass
class Regex(OnField):
    field: str
    pattern: Any
    negative: bool

    def _rows(self, stage: Stage) -> Iterator[Row]:
        search = self.pattern.search
        for row in stage.rows:
            found = any(search(to_text(value)) for value in values_of(row.get(self.field)))
            if found != self.negative:
                yield row


def parse_regex(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    field, negative = "_raw", False
    follows = args.peek(1)
    if follows and follows.is_op("=", "!="):
        field = args.field_name()
        negative = args.next().value == "!="
    token = args.next("a regular expression")
    args.close()
    try:
        return Regex(field, regex(token.value), negative)
    except SplError as error:
        raise args.fail(error.message, token) from error


COMMANDS: dict[str, Parse] = {
    "fields": parse_fields,
    "table": parse_table,
    "rename": parse_rename,
    "sort": parse_sort,
    "head": parse_head,
    "tail": parse_tail,
    "reverse": parse_reverse,
    "dedup": parse_dedup,
    "fillnull": parse_fillnull,
    "regex": parse_regex,
}
