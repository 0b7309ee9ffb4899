"""transaction: events that belong together become one.

Source: Search Reference, "transaction"; Search Manual, "Identify and group events into transactions".

Events are read newest first, so a transaction opens with the event that ends it. It is closed by the event that
starts it, by its span, pause or number of events. Incomplete ones are evicted and left out, unless ``keepevicted``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from apisec_sandbox.spl.commands.aggregation import skip_parentheses
from apisec_sandbox.spl.commands.base import Arguments, Command, Env, Parse, boolean, checked, whole
from apisec_sandbox.spl.commands.sources import compile_filter
from apisec_sandbox.spl.context import EVERY, Context, Fields, Stage
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.expressions import parse_expression
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.times import parse_span
from apisec_sandbox.spl.values import Row, clean, collapse, to_number, to_text, values_of

TRANSACTION_OPTIONS = (
    *("maxspan", "maxpause", "maxevents", "startswith", "endswith", "connected", "unifyends", "keeporphans"),
    *("keepevicted", "mvlist", "mvraw", "delim", "nullstr", "maxopentxn", "maxopenevents", "name"),
)
OWN = frozenset(("_time", "_raw", "duration", "eventcount", "closed_txn"))
MONTH = 30 * 86400
Test = Callable[[Row], bool]


@dataclass(frozen=True)
class Rules:
    fields: list[str]
    max_span: float | None = None  # seconds
    max_pause: float | None = None
    max_events: int = 1000
    starts: Test | None = None
    ends: Test | None = None
    connected: bool = True
    keep_orphans: bool = False
    keep_evicted: bool = False
    lists: frozenset[str] | None = frozenset()  # fields whose values stay in order, with nulls; None: every field
    null: str = "NULL"


@dataclass
class Transaction:
    rows: list[Row] = field(default_factory=list)  # newest first
    held: dict[str, set[str]] = field(default_factory=dict)  # values of the fields that bind
    newest: float = 0.0
    oldest: float = 0.0
    closed: bool = False

    def add(self, row: Row, when: float, rules: Rules) -> None:
        if not self.rows:
            self.newest = when
        self.oldest = when
        self.rows.append(row)
        for name in rules.fields:
            for value in values_of(row.get(name)):
                self.held.setdefault(name, set()).add(to_text(value))

    def takes(self, row: Row, rules: Rules) -> bool:
        """Consistent in every field that both have; ``connected`` asks for one such field at least."""
        shared = 0
        for name in rules.fields:
            values = {to_text(value) for value in values_of(row.get(name))}
            own = self.held.get(name)
            if values and own:
                if values.isdisjoint(own):
                    return False
                shared += 1
        return shared > 0 or not rules.connected or not rules.fields

    def within(self, when: float, rules: Rules) -> bool:
        if rules.max_span is not None and self.newest - when > rules.max_span:
            return False
        return rules.max_pause is None or self.oldest - when <= rules.max_pause


class Grouper:
    """Open transactions, found by the values that bind them."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.open: dict[int, Transaction] = {}
        self._by_value: dict[tuple[str, str], dict[int, None]] = {}
        self._number = 0

    def add(self, row: Row, when: float) -> Iterator[Transaction]:
        """Take one event; yield what it closes or evicts."""
        rules = self.rules
        if rules.fields and all(row.get(name) is None for name in rules.fields):
            return
        ends, starts = rules.ends is not None and rules.ends(row), rules.starts is not None and rules.starts(row)
        number = self._find(row)
        if number is not None and (ends or not self.open[number].within(when, rules)):
            past = self._close(number)
            past.closed = not ends or rules.starts is None
            number = None
            yield past
        if number is None:
            if rules.ends is not None and not ends:
                if rules.keep_orphans:
                    orphan = Transaction()
                    orphan.add(row, when, rules)
                    yield orphan
                return
            self._number += 1
            number = self._number
            self.open[number] = Transaction()
        self._put(number, row, when)
        if starts or len(self.open[number].rows) >= rules.max_events > 0:
            done = self._close(number)
            done.closed = True
            yield done

    def _find(self, row: Row) -> int | None:
        if not self.rules.fields:
            return next(reversed(self.open), None)
        for name in self.rules.fields:
            for value in values_of(row.get(name)):
                for number in reversed(self._by_value.get((name, to_text(value)), {})):
                    if self.open[number].takes(row, self.rules):
                        return number
        if self.rules.connected:
            return None
        return next((number for number in reversed(self.open) if self.open[number].takes(row, self.rules)), None)

    def _put(self, number: int, row: Row, when: float) -> None:
        self.open[number].add(row, when, self.rules)
        for name in self.rules.fields:
            for value in values_of(row.get(name)):
                self._by_value.setdefault((name, to_text(value)), {})[number] = None

    def _close(self, number: int) -> Transaction:
        done = self.open.pop(number)
        for name, values in done.held.items():
            for value in values:
                self._by_value.get((name, value), {}).pop(number, None)
        return done

    def rest(self) -> Iterator[Transaction]:
        """What is open at the end: complete, unless an event that starts it was to come."""
        limited = self.rules.max_span is not None or self.rules.max_pause is not None or self.rules.ends is not None
        for one in self.open.values():
            one.closed = self.rules.starts is None and limited
            yield one


@dataclass
class TransactionCommand(Command):
    rules: Rules

    def needs(self, wanted: Fields) -> Fields:  # noqa: ARG002
        return EVERY

    def apply(self, stage: Stage, context: Context) -> Stage:
        return Stage(self._rows(stage, context), stage.header, stage.events)

    def _rows(self, stage: Stage, context: Context) -> Iterator[Row]:
        timed = [(float(when), row) for row in checked(stage.rows, context) if (when := _time(row)) is not None]
        timed.sort(key=lambda pair: -pair[0])
        grouper = Grouper(self.rules)
        done = [one for when, row in timed for one in grouper.add(row, when)]
        done += grouper.rest()
        done.sort(key=lambda one: -one.oldest)
        complete = self.rules.keep_evicted or self.rules.starts is None
        for one in done:
            if one.closed or complete or (self.rules.keep_orphans and len(one.rows) == 1):
                yield self._merged(one)

    def _merged(self, one: Transaction) -> Row:
        rows = one.rows[::-1]  # in the order of time
        row: Row = {"_time": clean(one.oldest), "_raw": "\n".join(to_text(part.get("_raw", "")) for part in rows)}
        for name in dict.fromkeys(name for part in rows for name in part if name not in OWN):
            row[name] = self._values(name, rows)
        row["closed_txn"] = int(one.closed)
        row["duration"] = clean(round(one.newest - one.oldest, 6))
        row["eventcount"] = len(rows)
        return row

    def _values(self, name: str, rows: list[Row]) -> Any:
        if self.rules.lists is None or name in self.rules.lists:
            return collapse([item for row in rows for item in (values_of(row.get(name)) or [self.rules.null])])
        return collapse(sorted({to_text(item) for row in rows for item in values_of(row.get(name))}))


def _time(row: Row) -> int | float | None:
    return to_number(row.get("_time"))


def parse_transaction(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    options: dict[str, str] = {}
    tests: dict[str, Test] = {}
    names: list[str] = []
    while not args.done():
        before = args.at
        for name in ("startswith", "endswith"):
            if test := _condition(args, env, name):
                tests[name] = test
        options |= args.take(TRANSACTION_OPTIONS)
        names += args.field_list(*TRANSACTION_OPTIONS)
        if args.at == before:
            args.close()
    return TransactionCommand(_rules(args, names, options, tests))


def _rules(args: Arguments, names: list[str], options: dict[str, str], tests: dict[str, Test]) -> Rules:
    if "name" in options:
        raise args.fail("name= (transactiontypes.conf) is an option that this stand-in does not run")
    defaults = {"connected": "t", "unifyends": "f", "keeporphans": "f", "keepevicted": "f", "mvraw": "f"}
    flags = {name: boolean(args, name, options.get(name, default)) for name, default in defaults.items()}
    for name in ("maxopentxn", "maxopenevents"):  # bounds of memory there; here a search's rows bound it
        whole(args, name, options.get(name, "5000"), 1)
    if "delim" in options:
        raise args.fail("delim is an option that this stand-in does not run: mvlist keeps values apart")
    if flags["unifyends"] or flags["mvraw"]:
        raise args.fail("unifyends=true and mvraw=true are options that this stand-in does not run")
    return Rules(
        names,
        _seconds(args, options, "maxspan"),
        _seconds(args, options, "maxpause"),
        0 if options.get("maxevents") == "-1" else whole(args, "maxevents", options.get("maxevents", "1000")),
        tests.get("startswith"),
        tests.get("endswith"),
        flags["connected"],
        flags["keeporphans"],
        flags["keepevicted"],
        _lists(options.get("mvlist", "f")),
        options.get("nullstr", "NULL"),
    )


def _lists(text: str) -> frozenset[str] | None:
    if text.lower() in ("t", "true", "1"):
        return None
    if text.lower() in ("f", "false", "0"):
        return frozenset()
    return frozenset(part.strip() for part in text.split(",") if part.strip())


def _seconds(args: Arguments, options: dict[str, str], name: str) -> float | None:
    text = options.get(name, "-1")
    if text.startswith("-"):  # no limit
        return None
    try:
        amount, unit = parse_span(text)
    except SplError as error:
        raise args.fail(error.message) from error
    return amount if unit == "s" else amount * MONTH


def _condition(args: Arguments, env: Env, name: str) -> Test | None:
    """``startswith="text"``, ``startswith=(user=x)`` or ``startswith=eval(a>b)``."""
    token, equals, value = args.peek(), args.peek(1), args.peek(2)
    if not (token and token.is_word(name) and equals and equals.is_op("=") and value):
        return None
    args.at += 2
    if value.is_word("eval") and (opened := args.peek(1)) and opened.is_op("("):
        args.at += 1
        start, end = skip_parentheses(args, opened)
        run = parse_expression(args.text, start, end, env.scope).run
        return lambda row: run(row) is True
    if value.is_op("("):
        start, end = skip_parentheses(args, value)
        return compile_filter(args.text, start, end, env).test
    args.at += 1
    return _text_condition(value.value, env)


def _text_condition(text: str, env: Env) -> Test:
    """What stands in the quotes is a search expression; a phrase is ``startswith=("logged in")``."""
    return compile_filter(text, 0, len(text), env).test


COMMANDS: dict[str, Parse] = {"transaction": parse_transaction}
OPTIONS = {"transaction": TRANSACTION_OPTIONS}
