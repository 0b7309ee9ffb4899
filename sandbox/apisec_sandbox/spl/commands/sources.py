"""Commands that bring rows: search, makeresults, rest, savedsearch.

Source: Search Reference, the page of each.
"""

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
    boolean,
    choice,
    union,
    whole,
)
from apisec_sandbox.spl.commands.formats import as_expression
from apisec_sandbox.spl.context import Context, Fields, Hints, Stage
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.lexer import Token
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.searchexpr import SearchExpression, Test, parse_search
from apisec_sandbox.spl.values import Row

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


class _ReadingResolver(_Resolver):
    """For a search that reads indexes, so that one side of an OR may mean the default ones."""

    def default_indexes(self) -> list[str]:
        return choose_indexes(None, self.env.context)


@dataclass
class SearchSource(Command):
    """``search`` at the head of a pipeline: reads the indexes."""

    generating: ClassVar[bool] = True
    expression: SearchExpression
    hints: Hints = Hints()  # noqa: RUF009 - frozen; set by the planner

    def needs(self, wanted: Fields) -> Fields:
        return union(wanted, self.expression.fields, INTERNAL)

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        return Stage(self._rows(context), None, True)

    def _rows(self, context: Context) -> Iterator[Row]:
        earliest, latest = self.expression.span(context.earliest, context.latest, context.now)
        test, early = self.expression.test, self.expression.early
        names = choose_indexes(self.expression.indexes, context)
        whole = self.hints.by_kind or self.expression.empty  # nothing is left to test on rows
        early = None if self.expression.empty else test if whole else early
        for rows in context.services.events(names, earliest, latest, self.wanted, early, self.hints):
            context.check()
            context.scanned += len(rows)
            for problem in context.services.problems():
                context.say("WARN", problem)
            yield from rows if whole else filter(test, rows)


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

    streaming: ClassVar[bool] = True
    test: Test
    fields: frozenset[str]

    def needs(self, wanted: Fields) -> Fields:
        return union(wanted, self.fields)

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        test = self.test
        return Stage((row for row in stage.rows if test(row)), stage.header, stage.events)


def parse_search_source(segment: Segment, env: Env) -> Command:
    expression = parse_search(segment.text, segment.start, segment.end, _ReadingResolver(env))
    return SearchSource(expression)


def parse_search_filter(segment: Segment, env: Env) -> Command:
    expression = parse_search(segment.text, segment.start, segment.end, _Resolver(env), anywhere=True)
    return SearchFilter(expression.test, expression.fields)


def compile_filter(text: str, start: int, end: int, env: Env, reading: bool = False) -> SearchExpression:
    """A search expression inside another command (WHERE of tstats and inputlookup); ``reading``: it chooses indexes."""
    resolver = _ReadingResolver(env) if reading else _Resolver(env)
    return parse_search(text, start, end, resolver, anywhere=True)


@dataclass
class MakeResults(Command):
    generating: ClassVar[bool] = True
    count: int
    annotate: bool
    data: list[Row] | None

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        if self.data is not None:
            return Stage([dict(row) for row in self.data], list(dict.fromkeys(n for row in self.data for n in row)))
        row: Row = {"_time": int(context.now)}
        header = ["_time"]
        if self.annotate:  # the other annotations are there as columns, with null in them (docs: makeresults)
            header = ["_raw", "_time", "host", "source", "sourcetype", "splunk_server", "splunk_server_group"]
            row["splunk_server"] = SERVER
        return Stage((dict(row) for _ in range(self.count)), header)


SERVER = "apisec-sandbox"
MAKE_OPTIONS = ("count", "annotate", "format", "data", "splunk_server", "splunk_server_group")


def parse_makeresults(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    options = args.take(MAKE_OPTIONS)
    args.close()
    data = None
    if ("data" in options) != ("format" in options):
        raise args.fail("format=csv|json and data=<text> belong together")
    if "data" in options:
        data = _inline(args, choice(args, "format", options["format"], ("csv", "json")), options["data"])
    annotate = boolean(args, "annotate", options.get("annotate", "f"))
    return MakeResults(whole(args, "count", options.get("count", "1")), annotate, data)


def _inline(args: Arguments, layout: str, text: str) -> list[Row]:
    if layout == "csv":
        reader = csv.DictReader(io.StringIO(text.strip().replace("\\n", "\n")), skipinitialspace=True)
        return [{k.strip(): v.strip() for k, v in row.items() if k and v} for row in reader]
    loaded = jsonpath.parse(text)
    if not isinstance(loaded, list) or not all(isinstance(item, dict) for item in loaded):
        raise args.fail("data must be a JSON array of objects")
    return [_json_row(item) for item in loaded]


def _json_row(item: dict[str, Any]) -> Row:
    row: Row = {}
    for name, value in item.items():
        if value is not None:
            row[name] = value if isinstance(value, str) else jsonpath.leaf_text(value)
    return row


@dataclass
class Rest(Command):
    generating: ClassVar[bool] = True
    path: str
    params: dict[str, str]
    strict: bool

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        try:
            rows = context.services.rest(self.path, self.params, context)
        except SplError as error:
            if self.strict:
                raise
            context.say("WARN", error.message)  # rest goes on without what it cannot get (docs: rest, strict)
            return Stage([])
        for row in rows:
            row.setdefault("splunk_server", SERVER)
        return Stage(rows)


REST_OPTIONS = ("count", "splunk_server", "splunk_server_group", "timeout", "strict")


def parse_rest(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    path: str | None = None
    params: dict[str, str] = {}
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
    server = params.pop("splunk_server", "*")
    params.pop("splunk_server_group", None)
    for name in ("timeout", "count"):
        if name in params:
            whole(args, name, params[name])
    params.pop("timeout", None)
    strict = boolean(args, "strict", params.pop("strict", "f"))
    if not fnmatchcase(SERVER, server) and server != "local":
        raise args.fail(f"there is no search peer {server!r}; this one is {SERVER} (or local)")
    return Rest(path, params, strict)


@dataclass
class Pipeline(Command):
    """The commands of a saved search in place of ``savedsearch``."""

    generating: ClassVar[bool] = True
    commands: list[Command]
    env: Env

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        return self.env.run(self.commands, context)


def compile_saved(args: Arguments, env: Env, name: str, text: str, token: Token | None) -> list[Command]:
    """Compile a saved search where it is named; one that names itself has no end."""
    try:
        return env.compile(text)
    except RecursionError as error:
        raise args.fail(f"The saved search '{name}' refers to itself.", token) from error


def parse_savedsearch(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    start = args.peek()
    name = args.field_name("a saved search's name")
    values: dict[str, str] = {}
    while not args.done():
        key = args.field_name()
        args.expect_op("=")
        values[key] = args.next("a value").value
    text = env.services.saved_search(name)
    if text is None:
        raise args.fail(f"Unable to find saved search named '{name}'.", start)
    if boolean(args, "nosubstitution", values.pop("nosubstitution", "f")):
        values = {}
    for key, value in values.items():
        text = text.replace(f"${key}$", value)
    return Pipeline(compile_saved(args, env, name, text, start), env)


COMMANDS: dict[str, Parse] = {
    "search": parse_search_filter,
    "makeresults": parse_makeresults,
    "rest": parse_rest,
    "savedsearch": parse_savedsearch,
}
OPTIONS = {"makeresults": MAKE_OPTIONS, "rest": REST_OPTIONS, "savedsearch": ("nosubstitution",)}
