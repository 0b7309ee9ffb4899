"""Commands that reach outside: lookup, outputlookup, collect, sendalert.

Source: Search Reference, the page of each; Knowledge Manual, "About lookups".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apisec_sandbox.spl.commands.base import Arguments, Command, Env, Parse, added, boolean, checked, union, whole
from apisec_sandbox.spl.commands.sources import find_lookup
from apisec_sandbox.spl.context import Context, Fields, LookupTable, Stage, header_of
from apisec_sandbox.spl.lexer import Token
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.values import Row, cidr_match, collapse, to_text, values_of, wildcard_regex

Pairs = list[tuple[str, str]]


class LookupMatcher:
    """Finds the rows of a table for the key fields of a row. Exact keys by hash, patterns by scan."""

    def __init__(self, table: LookupTable, keys: Pairs) -> None:
        self.table = table
        self.keys = keys
        self.rows = table.rows()
        self._exact = [(column, name) for column, name in keys if column not in table.match_types]
        self._loose = [(column, name) for column, name in keys if column in table.match_types]
        self._index: dict[tuple[str, ...], list[Row]] = {}
        for row in self.rows:
            values = [row.get(column) for column, _ in self._exact]
            if all(value is not None for value in values):
                self._index.setdefault(tuple(self._fold(to_text(value)) for value in values), []).append(row)

    def _fold(self, text: str) -> str:
        return text if self.table.case_sensitive else text.lower()

    def find(self, row: Row) -> list[Row]:
        """Return the matching rows of the table, in its order; a multivalue key matches by each of its values."""
        keys: list[tuple[str, ...]] = [()]
        for _, name in self._exact:
            values = [self._fold(to_text(value)) for value in values_of(row.get(name))]
            keys = [(*key, value) for key in keys for value in values]
        found: list[Row] = []
        for key in keys:
            for candidate in self._index.get(key, ()):
                if all(self._loosely(candidate, column, row.get(name)) for column, name in self._loose):
                    found.append(candidate)
                    if len(found) >= self.table.max_matches:
                        return found
        return found

    def _loosely(self, candidate: Row, column: str, value: Any) -> bool:
        pattern = to_text(candidate.get(column, ""))
        if self.table.match_types[column] == "CIDR":
            return any(cidr_match(pattern, to_text(item)) for item in values_of(value))
        match = wildcard_regex(pattern, ignore_case=not self.table.case_sensitive).match
        return any(match(to_text(item)) for item in values_of(value))


@dataclass
class Lookup(Command):
    table: LookupTable
    keys: Pairs  # (column of the table, field of the row)
    outputs: Pairs | None  # (column, field); None: all columns that are no key
    only_new: bool

    def needs(self, wanted: Fields) -> Fields:
        names = [name for _, name in self.keys]
        return union(wanted, names, [name for _, name in self.outputs or ()])

    def apply(self, stage: Stage, context: Context) -> Stage:
        matcher = LookupMatcher(self.table, self.keys)
        outputs = self.outputs
        if outputs is None:
            columns = header_of(Stage(()), matcher.rows)
            taken = {column for column, _ in self.keys}
            outputs = [(column, column) for column in columns if column not in taken and not column.startswith("_")]
        header = added(stage.header, *(name for _, name in outputs))
        return Stage(self._rows(stage, context, matcher, outputs), header, stage.events)

    def _rows(self, stage: Stage, context: Context, matcher: LookupMatcher, outputs: Pairs) -> Iterator[Row]:
        for row in checked(stage.rows, context):
            found = matcher.find(row)
            for column, name in outputs:
                if self.only_new and row.get(name) is not None:
                    continue
                held = collapse([item for match in found for item in values_of(match.get(column))])
                if held is None and not found and self.table.default_match:
                    held = self.table.default_match
                if held is not None:
                    row[name] = held
            yield row


def parse_lookup(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    known = ("local", "update", "event_time_field")
    args.options(*known)
    args.refuse_option(known)
    name = args.field_name("a lookup's name")
    table = find_lookup(args, env, name)
    keys = _pairs(args)
    if not keys:
        raise args.fail("at least one field to match is needed")
    token = args.peek()
    outputs: Pairs | None = None
    only_new = False
    if token and token.is_word("output", "outputnew"):
        args.next()
        only_new = token.is_word("outputnew")
        outputs = _pairs(args)
    args.close()
    return Lookup(table, keys, outputs, only_new)


def _pairs(args: Arguments) -> Pairs:
    """Read ``column [AS field]``, with or without commas."""
    pairs: Pairs = []
    while (token := args.peek()) and not token.is_word("output", "outputnew"):
        if args.accept_op(","):
            continue
        column = args.field_name()
        pairs.append((column, args.field_name() if args.accept_word("as") else column))
    return pairs


@dataclass
class OutputLookup(Command):
    table: LookupTable
    append: bool
    key_field: str | None
    override_if_empty: bool
    maximum: int

    def apply(self, stage: Stage, context: Context) -> Stage:
        rows = list(checked(stage.rows, context))
        if rows or self.override_if_empty:
            kept = [{k: v for k, v in row.items() if k == "_key" or not k.startswith("_")} for row in rows]
            self.table.write(kept[: self.maximum], self.append, self.key_field)
        return Stage(rows, stage.header, stage.events)


def parse_outputlookup(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    known = ("append", "create_empty", "override_if_empty", "max", "key_field", "createinapp", "output_format")
    options = args.options(*known)
    args.refuse_option(known)
    table = find_lookup(args, env, args.field_name("a lookup's name"))
    options |= args.options(*known)
    args.close()
    return OutputLookup(
        table,
        boolean(args, "append", options.get("append", "f")),
        options.get("key_field"),
        boolean(args, "override_if_empty", options.get("override_if_empty", "t")),
        whole(args, "max", options.get("max", "1000000000")),
    )


COLLECT_OPTIONS = (
    *("index", "addtime", "file", "host", "marker", "output_format", "run_in_preview", "spool"),
    *("source", "sourcetype", "testmode"),
)


@dataclass
class Collect(Command):
    index: str
    settings: dict[str, str]

    def apply(self, stage: Stage, context: Context) -> Stage:
        rows = list(checked(stage.rows, context))
        if self.settings.get("testmode", "f").lower() not in ("t", "true", "1"):
            context.services.collect([dict(row) for row in rows], self.index, self.settings, context)
        return Stage(rows, stage.header, stage.events)


def parse_collect(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    options = args.options(*COLLECT_OPTIONS)
    args.refuse_option(COLLECT_OPTIONS)
    if "index" not in options and not args.done():
        options["index"] = args.field_name("an index")
    options |= args.options(*COLLECT_OPTIONS)
    args.close()
    if "index" not in options:
        raise args.fail("index=<name> is needed")
    for name in ("file", "spool"):
        if name in options:
            raise args.fail(f"the option {name} is not supported")
    return Collect(options.pop("index"), options)


@dataclass
class SendAlert(Command):
    action: str
    params: dict[str, str]

    def apply(self, stage: Stage, context: Context) -> Stage:
        rows = list(checked(stage.rows, context))
        context.services.sendalert(self.action, self.params, rows, context)
        return Stage(rows, stage.header, stage.events)


def parse_sendalert(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    action = args.field_name("an alert action's name")
    params: dict[str, str] = {}
    while not args.done():
        token: Token = args.next()
        if not args.accept_op("="):
            raise args.fail(f"expected param.name=value, found {token.value!r}", token)
        if not (token.value.startswith("param.") or token.value in ("results_link", "results_path")):
            raise args.fail(f"unknown option {token.value!r}; known: param.<name>, results_link, results_path", token)
        params[token.value] = args.next("a value").value
    return SendAlert(action, params)


COMMANDS: dict[str, Parse] = {
    "lookup": parse_lookup,
    "outputlookup": parse_outputlookup,
    "collect": parse_collect,
    "sendalert": parse_sendalert,
}
