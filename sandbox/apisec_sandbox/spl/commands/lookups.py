"""lookup, inputlookup, outputlookup.

Source: Search Reference, the page of each; Knowledge Manual, "Add field matching rules to your lookup configuration"
and "Configure a time-based lookup"; transforms.conf.spec.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from apisec_sandbox.spl.commands.base import (
    Arguments,
    Command,
    Env,
    Parse,
    added,
    boolean,
    checked,
    choice,
    must_be_first,
    union,
    whole,
)
from apisec_sandbox.spl.commands.sources import compile_filter
from apisec_sandbox.spl.context import Context, Fields, LookupTable, Stage, TimeRule, header_of
from apisec_sandbox.spl.errors import SplError, suggestion
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.searchexpr import SearchExpression, parse_search
from apisec_sandbox.spl.times import strptime
from apisec_sandbox.spl.values import Row, cidr_match, collapse, to_number, to_text, values_of, wildcard_regex

Pairs = list[tuple[str, str]]


def time_of(rule: TimeRule, row: Row) -> float | None:
    """Return when a row of a time-based table begins to hold."""
    held = row.get(rule.column)
    if held is None:
        return None
    number = to_number(held)
    epoch = number is not None and rule.layout.startswith("%s")
    return float(number) if epoch and number is not None else strptime(to_text(held), rule.layout)


class LookupMatcher:
    """Finds the rows of a table for the key fields of a row. Exact keys by hash, patterns by scan."""

    def __init__(self, table: LookupTable, keys: Pairs) -> None:
        self.table = table
        self.keys = keys
        self.rows = filtered(table)
        self.time = table.time
        self._exact = [(column, name) for column, name in keys if column not in table.match_types]
        self._loose = [(column, name) for column, name in keys if column in table.match_types]
        self._index: dict[tuple[str, ...], list[Row]] = {}
        for row in self.rows:
            values = [row.get(column) for column, _ in self._exact]
            if all(value is not None for value in values):
                for key in itertools.product(*(values_of(value) for value in values)):
                    self._index.setdefault(tuple(self._fold(to_text(value)) for value in key), []).append(row)
        self._times: dict[int, tuple[list[float], list[Row]]] = {}

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
            for candidate in self._in_time(self._index.get(key, []), row):
                if all(self._loosely(candidate, column, row.get(name)) for column, name in self._loose):
                    found.append(candidate)
                    if len(found) >= self.table.max_matches:
                        return found
        return found

    def _in_time(self, candidates: list[Row], row: Row) -> list[Row]:
        """Candidates at or before the event's time, latest first; all of them without a time rule."""
        if self.time is None or not candidates:
            return candidates
        when = to_number(row.get("_time"))
        if when is None:
            return []
        times, rows = self._by_time(candidates)
        found = []
        for place in range(bisect_right(times, when) - 1, -1, -1):
            offset = when - times[place]
            if offset > self.time.most:
                break
            if offset >= self.time.least:
                found.append(rows[place])
        return found

    def _by_time(self, candidates: list[Row]) -> tuple[list[float], list[Row]]:
        held = self._times.get(id(candidates))
        if held is None:
            assert self.time is not None
            timed = [(when, row) for row in candidates if (when := time_of(self.time, row)) is not None]
            timed.sort(key=lambda pair: pair[0])
            held = self._times[id(candidates)] = ([when for when, _ in timed], [row for _, row in timed])
        return held

    def _loosely(self, candidate: Row, column: str, value: Any) -> bool:
        pattern = to_text(candidate.get(column, ""))
        if self.table.match_types[column] == "CIDR":
            return any(cidr_match(pattern, to_text(item)) for item in values_of(value))
        match = wildcard_regex(pattern, ignore_case=not self.table.case_sensitive).match
        return any(match(to_text(item)) for item in values_of(value))

    def values(self, found: list[Row], column: str) -> Any:
        """What the matches give for a column, filled up with the default match to the least number of matches."""
        held = [item for match in found for item in values_of(match.get(column))]
        missing = self.table.min_matches - len(found)
        if missing > 0 and self.table.default_match:
            held += [self.table.default_match] * missing
        return collapse(held)

    def outputs(self) -> Pairs:
        """All columns that are no key: what a lookup without OUTPUT adds (docs: lookup)."""
        taken = {column for column, _ in self.keys}
        columns = header_of(Stage(()), self.rows)
        return [(column, column) for column in columns if column not in taken and not column.startswith("_")]


@dataclass
class Lookup(Command):
    streaming: ClassVar[bool] = True
    table: LookupTable
    keys: Pairs  # (column of the table, field of the row)
    outputs: Pairs | None  # (column, field); None: all columns that are no key
    only_new: bool
    time_field: str = "_time"

    def needs(self, wanted: Fields) -> Fields:
        names = [name for _, name in self.keys]
        return union(wanted, names, [name for _, name in self.outputs or ()], [self.time_field])

    def apply(self, stage: Stage, context: Context) -> Stage:
        matcher = LookupMatcher(self.table, self.keys)
        outputs = matcher.outputs() if self.outputs is None else self.outputs
        header = added(stage.header, *(name for _, name in outputs))
        return Stage(self._rows(stage, context, matcher, outputs), header, stage.events)

    def _rows(self, stage: Stage, context: Context, matcher: LookupMatcher, outputs: Pairs) -> Iterator[Row]:
        for row in checked(stage.rows, context):
            timed = row if self.time_field == "_time" else {**row, "_time": row.get(self.time_field)}
            found = matcher.find(timed)
            for column, name in outputs:
                if self.only_new and row.get(name) is not None:
                    continue
                held = matcher.values(found, column)
                if held is not None:
                    row[name] = held
            yield row


class _NoSurroundings:
    """The surroundings of a table's filter: it knows neither subsearches nor event types."""

    now = 0.0

    def subsearch(self, text: str, position: int) -> str:
        raise SplError("The filter of a lookup cannot hold subsearches", text, position)

    def eventtype(self, name: str) -> str | None:  # noqa: ARG002
        return None

    def tag_pairs(self, tag: str) -> list[tuple[str, str]]:  # noqa: ARG002
        return []


def filtered(table: LookupTable) -> list[Row]:
    """Return the rows that the table's ``filter`` lets through (transforms.conf.spec)."""
    rows = table.rows()
    if not table.filter:
        return rows
    test = parse_search(table.filter, 0, len(table.filter), _NoSurroundings()).test
    return [row for row in rows if test(row)]


def find_lookup(args: Arguments, env: Env, name: str, *, new: bool = False) -> LookupTable:
    """Return the lookup whose name was taken last; with ``new`` its file need not be there yet."""
    token = args.tokens[args.at - 1]
    table = env.services.lookup(name)
    if table is None or not (new or table.exists()):
        near = suggestion(name, [one for one in env.services.lookup_names() if one != name])  # it may be shut to them
        raise args.fail(f"The lookup table '{name}' does not exist or is not available.{near}", token)
    return table


LOOKUP_OPTIONS = ("local", "update", "event_time_field")


def parse_lookup(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    options = args.take(LOOKUP_OPTIONS)
    for name in ("local", "update"):  # both say where and when a table is read: here it is always fresh and local
        boolean(args, name, options.get(name, "f"))
    table = find_lookup(args, env, args.field_name("a lookup's name"))
    start = args.at - 1
    keys = read_pairs(args)
    if not keys:
        raise args.fail("at least one field to match is needed")
    token = args.peek()
    outputs: Pairs | None = None
    only_new = False
    if token and token.is_word("output", "outputnew"):
        args.next()
        only_new = token.is_word("outputnew")
        outputs = read_pairs(args)
        if not outputs:
            raise args.fail(f"{token.value} needs at least one field", token)
    args.close()
    known = frozenset(table.columns())
    if not known.issuperset(column for column, _ in [*keys, *(outputs or ())]):
        raise args.fail(
            "Could not find all of the specified lookup fields in the lookup table. "
            f"'{table.name}' has: {', '.join(sorted(known))}",
            args.tokens[start],
        )
    return Lookup(table, keys, outputs, only_new, options.get("event_time_field", "_time"))


def read_pairs(args: Arguments) -> Pairs:
    """Read ``column [AS field]``, with or without commas."""
    pairs: Pairs = []
    while (token := args.peek()) and not token.is_word("output", "outputnew"):
        if args.accept_op(","):
            continue
        column = args.field_name()
        pairs.append((column, args.field_name() if args.accept_word("as") else column))
    return pairs


@dataclass
class InputLookup(Command):
    table: LookupTable | None  # None: there is no such lookup, and strict=false was asked for
    append: bool
    start: int
    maximum: int
    condition: SearchExpression | None

    def needs(self, wanted: Fields) -> Fields:
        return wanted if self.append else frozenset()

    def apply(self, stage: Stage, context: Context) -> Stage:
        loaded = self._load()
        header = header_of(Stage(()), loaded)
        if not self.append:
            return Stage(loaded, header)
        rows = itertools.chain(checked(stage.rows, context), loaded)
        return Stage(rows, None if stage.header is None else added(stage.header, *header), stage.events)

    def _load(self) -> list[Row]:
        rows = filtered(self.table) if self.table else []
        if self.condition:
            rows = [row for row in rows if self.condition.test(row)]
        return rows[self.start : self.start + self.maximum]


def _input_table(args: Arguments, env: Env, strict: bool) -> LookupTable | None:
    """Find the table. A file that is missing is a warning, unless ``strict`` (docs: inputlookup).

    A name that is no file and no definition is an error in either case: there is nothing that it could mean.
    """
    name = args.field_name("a lookup's name")
    try:
        return find_lookup(args, env, name)
    except SplError as error:
        if strict or not name.endswith(".csv"):
            raise
        env.context.say("WARN", error.message)
        return None


INPUT_OPTIONS = ("append", "start", "max", "strict")


def parse_inputlookup(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    options = args.take(INPUT_OPTIONS)
    table = _input_table(args, env, boolean(args, "strict", options.get("strict", "f")))
    options |= args.take(INPUT_OPTIONS, "where")
    condition = None
    if token := args.accept_word("where"):
        # WHERE is in the syntax of search, wildcards included, not in that of eval (docs: inputlookup).
        condition = compile_filter(segment.text, token.end, segment.end, env)
        args.at = len(args.tokens)
    args.close()
    append = boolean(args, "append", options.get("append", "f"))
    if not append:
        must_be_first(segment)
    start = whole(args, "start", options.get("start", "0"))
    return InputLookup(table, append, start, whole(args, "max", options.get("max", "1000000000")), condition)


OUTPUT_OPTIONS = (
    *("append", "allow_updates", "create_context", "create_empty", "createinapp", "key_field", "max"),
    *("output_format", "override_if_empty"),
)


@dataclass
class OutputLookup(Command):
    table: LookupTable
    append: bool
    key_field: str | None
    override_if_empty: bool
    create_empty: bool
    maximum: int

    def apply(self, stage: Stage, context: Context) -> Stage:
        rows = list(checked(stage.rows, context))
        if rows:
            kept = [{k: v for k, v in row.items() if _stored(k) and v is not None} for row in rows[: self.maximum]]
            self.table.write(_in_order(kept, stage.header), self.append, self.key_field)
        elif not self.append and self.override_if_empty:
            self.table.clear(self.create_empty)
        elif self.create_empty and not self.table.exists():
            self.table.clear(True)
        return Stage(rows, stage.header, stage.events)


def _in_order(rows: list[Row], header: list[str] | None) -> list[Row]:
    """Rows with their fields in the order of the columns: a file is written in it."""
    if not header:
        return rows
    return [{name: row[name] for name in dict.fromkeys([*header, *row]) if name in row} for row in rows]


def _stored(name: str) -> bool:
    """Internal fields are not written, but for the time and a document's key."""
    return not name.startswith("_") or name in ("_time", "_key")


def parse_outputlookup(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    options = args.take(OUTPUT_OPTIONS)
    table = find_lookup(args, env, args.field_name("a lookup's name"), new=True)
    options |= args.take(OUTPUT_OPTIONS)
    args.close()
    flags = {"append": "f", "allow_updates": "t", "create_empty": "f", "createinapp": "t", "override_if_empty": "t"}
    read = {name: boolean(args, name, options.get(name, default)) for name, default in flags.items()}
    choice(args, "create_context", options.get("create_context", "app"), ("app", "user", "system"))
    choice(args, "output_format", options.get("output_format", "splunk_mv_csv"), ("splunk_sv_csv", "splunk_mv_csv"))
    if not read["allow_updates"]:
        raise args.fail("allow_updates=false is an option that this stand-in does not run")
    maximum = whole(args, "max", options.get("max", "1000000000"))
    return OutputLookup(
        table, read["append"], options.get("key_field"), read["override_if_empty"], read["create_empty"], maximum
    )


COMMANDS: dict[str, Parse] = {
    "lookup": parse_lookup,
    "inputlookup": parse_inputlookup,
    "outputlookup": parse_outputlookup,
}
OPTIONS = {"lookup": LOOKUP_OPTIONS, "inputlookup": INPUT_OPTIONS, "outputlookup": OUTPUT_OPTIONS}
