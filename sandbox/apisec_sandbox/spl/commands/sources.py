"""Commands that bring rows: search, makeresults, inputlookup, rest, savedsearch, append, appendpipe, format, return."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, ClassVar

from apisec_sandbox.spl import jsonpath
from apisec_sandbox.spl.commands.base import (
    Arguments,
    Command,
    Env,
    Parse,
    added,
    boolean,
    checked,
    union,
    whole,
)
from apisec_sandbox.spl.context import Context, Fields, LookupTable, Stage, header_of
from apisec_sandbox.spl.errors import SplError, suggestion
from apisec_sandbox.spl.expressions import Expression, parse_expression
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.searchexpr import SearchExpression, Test, parse_search
from apisec_sandbox.spl.values import Row, to_text, values_of

INTERNAL = frozenset(("_time", "_raw", "index"))


class _Resolver:
    """What a search expression asks its surroundings."""

    def __init__(self, env: Env) -> None:
        self.env = env
        self.now = env.context.now

    def subsearch(self, text: str, position: int) -> str:
        commands = self.env.compile(text)
        if self.env.dry:
            return ""
        context = self.env.context
        if context.depth > 5:
            raise SplError("Subsearches are nested too deeply", text, position)
        limit = context.limits.subsearch
        stage = self.env.run(commands, replace(context, depth=context.depth + 1))
        rows = list(itertools.islice(stage.rows, limit + 1))
        if len(rows) > limit:
            context.say("WARN", f"[subsearch]: Subsearch produced more than {limit} results, truncating to {limit}.")
        return as_expression(rows[:limit])

    def eventtype(self, name: str) -> str | None:
        return self.env.services.eventtype(name)

    def tag_pairs(self, tag: str) -> list[tuple[str, str]]:
        return self.env.services.tag_pairs(tag)


def as_expression(rows: list[Row]) -> str:
    """What a subsearch stands for: ``( ( a="1" AND b="2" ) OR ( … ) )``; a field ``search`` or ``query`` is text.

    No row at all matches nothing (docs: Search Manual, "Use subsearch to correlate events"; format).
    """
    parts = [text for row in rows if (text := row_expression(row))]
    return "( " + " OR ".join(parts) + " )" if parts else "NOT ()"


def row_expression(row: Row) -> str:
    terms = []
    for name, value in row.items():
        if name.startswith("_"):
            continue
        options = [_term(name, to_text(item)) for item in values_of(value)]
        if options:
            terms.append(options[0] if len(options) == 1 else "( " + " OR ".join(options) + " )")
    return "( " + " AND ".join(terms) + " )" if terms else ""


def _term(name: str, value: str) -> str:
    if name in ("search", "query"):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{escaped}"'


@dataclass
class SearchSource(Command):
    """``search`` at the head of a pipeline: reads the indexes."""

    generating: ClassVar[bool] = True
    expression: SearchExpression

    def needs(self, wanted: Fields) -> Fields:
        return union(wanted, self.expression.fields, INTERNAL)

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        return Stage(self._rows(context), None, True)

    def _rows(self, context: Context) -> Iterator[Row]:
        earliest, latest = context.earliest, context.latest
        if self.expression.earliest is not None or self.expression.latest is not None:
            # A time in the search replaces the job's whole range (docs: Specify time modifiers in your search).
            earliest = float("-inf") if self.expression.earliest is None else self.expression.earliest
            latest = float("inf") if self.expression.latest is None else self.expression.latest
        test, early = self.expression.test, self.expression.early
        names = choose_indexes(self.expression.indexes, context)
        rows = context.services.events(names, earliest, latest, self.wanted, early)
        for row in checked(rows, context):
            context.scanned += 1
            if test(row):
                yield row


def choose_indexes(patterns: list[str] | None, context: Context) -> list[str]:
    """Return the indexes to read: those the search names and the user may read, else the user's default ones."""
    allowed = context.services.indexes()
    if patterns is None:
        return [name for name in context.services.default_indexes() if name in allowed]
    chosen = []
    for name in allowed:
        for pattern in patterns:
            open_to = pattern.startswith("_") or not name.startswith("_")
            if fnmatchcase(name, pattern.replace("[", "[[]").replace("?", "[?]").lower()) and open_to:
                chosen.append(name)
                break
    return chosen


@dataclass
class SearchFilter(Command):
    """``search`` further down: a filter."""

    test: Test
    fields: frozenset[str]

    def needs(self, wanted: Fields) -> Fields:
        return union(wanted, self.fields)

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        test = self.test
        return Stage((row for row in stage.rows if test(row)), stage.header, stage.events)


def parse_search_source(segment: Segment, env: Env) -> Command:
    expression = parse_search(segment.text, segment.start, segment.end, _Resolver(env))
    return SearchSource(expression)


def parse_search_filter(segment: Segment, env: Env) -> Command:
    expression = parse_search(segment.text, segment.start, segment.end, _Resolver(env))
    return SearchFilter(expression.test, expression.fields)


def compile_filter(text: str, start: int, end: int, env: Env) -> SearchExpression:
    """A search expression inside another command (tstats WHERE)."""
    return parse_search(text, start, end, _Resolver(env))


@dataclass
class MakeResults(Command):
    generating: ClassVar[bool] = True
    count: int
    annotate: bool
    data: list[Row] | None

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        now = int(context.now)
        if self.data is not None:
            return Stage([dict(row) for row in self.data], list(dict.fromkeys(n for row in self.data for n in row)))
        extra: Row = {"_raw": None, "host": None, "source": None, "sourcetype": None} if self.annotate else {}
        rows = ({"_time": now, **{k: v for k, v in extra.items() if v is not None}} for _ in range(self.count))
        return Stage(rows, ["_time"])


def parse_makeresults(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    known = ("count", "annotate", "format", "data", "splunk_server")
    options = args.options(*known)
    args.refuse_option(known)
    args.close()
    data = None
    if "data" in options:
        data = _inline(args, options.get("format", ""), options["data"])
    annotate = boolean(args, "annotate", options.get("annotate", "f"))
    return MakeResults(whole(args, "count", options.get("count", "1")), annotate, data)


def _inline(args: Arguments, layout: str, text: str) -> list[Row]:
    if layout == "csv":
        reader = csv.DictReader(io.StringIO(text.strip().replace("\\n", "\n")))
        return [{k.strip(): v.strip() for k, v in row.items() if k and v is not None} for row in reader]
    if layout == "json":
        loaded = jsonpath.parse(text)
        if not isinstance(loaded, list) or not all(isinstance(item, dict) for item in loaded):
            raise args.fail("data must be a JSON array of objects")
        return [
            {name: value if isinstance(value, str) else jsonpath.leaf_text(value) for name, value in item.items()}
            for item in loaded
        ]
    raise args.fail("data needs format=csv or format=json")


@dataclass
class InputLookup(Command):
    table: LookupTable
    append: bool
    start: int
    maximum: int
    condition: Expression | None
    generating: ClassVar[bool] = False

    def needs(self, wanted: Fields) -> Fields:
        return wanted if self.append else frozenset()

    def apply(self, stage: Stage, context: Context) -> Stage:
        loaded = self._load()
        if not self.append:
            return Stage(loaded, header_of(Stage(loaded), loaded))
        rows = itertools.chain(checked(stage.rows, context), loaded)
        header = None if stage.header is None else added(stage.header, *header_of(Stage(loaded), loaded))
        return Stage(rows, header, stage.events)

    def _load(self) -> list[Row]:
        rows = self.table.rows()
        if self.condition:
            run = self.condition.run
            rows = [row for row in rows if run(row) is True]
        return rows[self.start : self.start + self.maximum]


def find_lookup(args: Arguments, env: Env, name: str) -> LookupTable:
    """Return the lookup whose name was taken last."""
    token = args.tokens[args.at - 1]
    table = env.services.lookup(name)
    if table is None:
        near = suggestion(name, env.services.lookup_names())
        raise args.fail(f"The lookup table '{name}' does not exist or is not available.{near}", token)
    return table


def parse_inputlookup(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    known = ("append", "start", "max", "strict")
    options = args.options(*known)
    args.refuse_option(known)
    name = args.field_name("a lookup's name")
    table = find_lookup(args, env, name)
    options |= args.options(*known)
    condition = None
    if token := args.accept_word("where"):
        condition = parse_expression(segment.text, token.end, segment.end, env.scope)
        args.at = len(args.tokens)
    args.close()
    return InputLookup(
        table,
        boolean(args, "append", options.get("append", "f")),
        whole(args, "start", options.get("start", "0")),
        whole(args, "max", options.get("max", "1000000000")),
        condition,
    )


@dataclass
class Rest(Command):
    generating: ClassVar[bool] = True
    path: str
    params: dict[str, str]

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        return Stage(context.services.rest(self.path, self.params, context))


def parse_rest(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    path, params = None, {}
    while not args.done():
        token = args.next()
        if args.accept_op("="):
            params[token.value] = args.next("a value").value
        elif path is None and token.value.startswith("/"):
            path = token.value
        else:
            raise args.fail(f"unexpected argument {token.value!r}", token)
    if path is None:
        raise args.fail("a path such as /services/server/info is needed")
    params.pop("splunk_server", None)
    return Rest(path, params)


@dataclass
class Pipeline(Command):
    """The commands of a saved search in place of ``savedsearch``."""

    generating: ClassVar[bool] = True
    commands: list[Command]
    env: Env

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        return self.env.run(self.commands, context)


def parse_savedsearch(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    name = args.field_name("a saved search's name")
    values: dict[str, str] = {}
    while not args.done():
        key = args.field_name()
        args.expect_op("=")
        values[key] = args.next("a value").value
    text = env.services.saved_search(name)
    if text is None:
        raise args.fail(f"Unable to find saved search named '{name}'.")
    for key, value in values.items():
        text = text.replace(f"${key}$", value)
    return Pipeline(env.compile(text), env)


@dataclass
class Append(Command):
    commands: list[Command]
    env: Env

    def apply(self, stage: Stage, context: Context) -> Stage:
        limit = context.limits.append
        other = self.env.run(self.commands, replace(context, depth=context.depth + 1))
        rows = list(itertools.islice(other.rows, limit))
        header = None if stage.header is None else added(stage.header, *header_of(other, rows))
        return Stage(itertools.chain(stage.rows, rows), header, stage.events)


def parse_append(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    known = ("maxtime", "maxout", "timeout", "extendtimerange")
    args.options(*known)
    args.refuse_option(known)
    token = args.next("a subsearch in brackets")
    args.close()
    if token.kind != "search":
        raise args.fail("a subsearch in brackets is needed", token)
    return Append(env.compile(token.value), env)


@dataclass
class AppendPipe(Command):
    """Run a pipeline over the rows so far and append what it gives."""

    commands: list[Command]

    def apply(self, stage: Stage, context: Context) -> Stage:
        rows = list(stage.rows)
        current = Stage([dict(row) for row in rows], None if stage.header is None else list(stage.header), stage.events)
        for command in self.commands:
            current = command.apply(current, context)
        more = list(itertools.islice(current.rows, context.limits.append))
        header = None if stage.header is None else added(stage.header, *header_of(current, more))
        return Stage(itertools.chain(rows, more), header, stage.events)


def parse_appendpipe(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    args.options("run_in_preview")
    token = args.next("a pipeline in brackets")
    args.close()
    if token.kind != "search":
        raise args.fail("a pipeline in brackets is needed", token)
    commands = env.compile("| " + token.value.strip().removeprefix("|"))
    if any(command.generating for command in commands):
        raise args.fail("the pipeline must start with a command that takes rows", token)
    return AppendPipe(commands)


@dataclass
class Format(Command):
    maximum: int

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        rows = list(itertools.islice(stage.rows, self.maximum) if self.maximum else stage.rows)
        return Stage([{"search": as_expression(rows)}], ["search"])


def parse_format(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    options = args.options("maxresults", "emptystr")
    args.close()
    return Format(whole(args, "maxresults", options.get("maxresults", "0")))


@dataclass
class Return(Command):
    """``return [N] field | alias=field | $field``: a search string out of the first rows."""

    count: int
    terms: list[tuple[str | None, str]]  # (name in the expression or None for the bare value, field)

    def needs(self, wanted: Fields) -> Fields:  # noqa: ARG002
        return union(frozenset(), (name for _, name in self.terms))

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        parts = []
        for row in itertools.islice(stage.rows, self.count):
            terms = [self._one(alias, row[name]) for alias, name in self.terms if row.get(name) is not None]
            if terms:
                parts.append(f"({' '.join(terms)})")
        return Stage([{"search": " OR ".join(parts)}] if parts else [], ["search"])

    @staticmethod
    def _one(alias: str | None, value: Any) -> str:
        options = [to_text(item) if alias is None else _term(alias, to_text(item)) for item in values_of(value)]
        return options[0] if len(options) == 1 else "(" + " OR ".join(options) + ")"


def parse_return(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    token = args.peek()
    count = 1
    if token and token.kind == "word" and token.value.isdigit():
        count = whole(args, "the count", args.next().value, 1)
    terms: list[tuple[str | None, str]] = []
    while not args.done():
        if args.accept_op(","):
            continue
        name = args.field_name()
        if args.accept_op("="):
            terms.append((name, args.field_name()))
        elif name.startswith("$"):
            terms.append((None, name[1:]))
        else:
            terms.append((name, name))
    if not terms:
        raise args.fail("at least one field is needed")
    return Return(count, terms)


COMMANDS: dict[str, Parse] = {
    "search": parse_search_filter,
    "makeresults": parse_makeresults,
    "inputlookup": parse_inputlookup,
    "rest": parse_rest,
    "savedsearch": parse_savedsearch,
    "append": parse_append,
    "appendpipe": parse_appendpipe,
    "format": parse_format,
    "return": parse_return,
}
