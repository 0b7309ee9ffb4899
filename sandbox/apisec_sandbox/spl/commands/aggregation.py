"""The list of aggregations that stats, chart, timechart and tstats share: its parser.

Source: Search Reference, "stats", "chart" (eval expressions over aggregations), "Statistical and charting functions".
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from apisec_sandbox.spl import aggregates
from apisec_sandbox.spl.accumulators import Accumulator, Count, Per
from apisec_sandbox.spl.aggregates import Factory
from apisec_sandbox.spl.commands.base import Arguments, Env
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.expressions import Expression, parse_expression
from apisec_sandbox.spl.lexer import Token, arguments, expression_tokens
from apisec_sandbox.spl.values import Row


@dataclass(frozen=True)
class Aggregation:
    """One ``function(field) AS name``. Without field or expression it counts rows.

    With ``parts`` it is an expression over other aggregations, as chart's ``eval(avg(a)/max(b)) AS ratio``.
    """

    function: str
    factory: Factory
    output: str
    field: str | None = None
    expression: Expression | None = None
    parts: tuple[Aggregation, ...] = ()

    @property
    def wild(self) -> bool:
        return self.field is not None and "*" in self.field

    @property
    def numeric(self) -> bool:
        return self.factory().numeric

    @property
    def timed(self) -> bool:
        return self.function in aggregates.NEEDS_TIME

    @property
    def order_free(self) -> bool:
        if self.parts:
            return all(part.order_free for part in self.parts)
        return aggregates.order_free(self.function)

    def reads(self) -> set[str]:
        if self.parts:
            return set().union(*(part.reads() for part in self.parts))
        names = set(self.expression.fields) if self.expression else {self.field} if self.field else set()
        if self.timed:
            names.add("_time")
        return names

    @property
    def counting(self) -> bool:
        return self.function in aggregates.COUNTING

    def value(self, row: Row) -> Any:
        """Return what a row gives: a condition that is not true gives null, as in count(eval(x>1))."""
        if self.expression:
            found = self.expression.run(row)
            return None if found is False else found
        return row.get(self.field) if self.field else 1


def numeric_fields(items: Iterable[Aggregation]) -> frozenset[str]:
    """Return the fields that are read as numbers only."""
    numeric: set[str] = set()
    other: set[str] = set()
    for item in items:
        plain = item.field is not None and item.numeric and not item.parts
        (numeric if plain else other).update(item.reads())
    return frozenset(numeric - other)


def parse_aggregations(args: Arguments, env: Env, *stop: str, computed: bool = False) -> list[Aggregation]:
    """Take aggregations up to a stop word or the end. ``computed`` allows expressions over aggregations."""
    found: list[Aggregation] = []
    while (token := args.peek()) and not _stops(args, token, stop):
        if token.is_op(","):
            args.at += 1
            continue
        found.append(_aggregation(args, env, computed))
    return found


def _stops(args: Arguments, token: Token, stop: tuple[str, ...]) -> bool:
    """A stop word; the name of an option only where a ``=`` follows: ``limit`` may not, but ``count`` may be both."""
    if not token.is_word(*stop):
        return False
    if token.is_word("by", "over", "where", "from", "groupby"):
        return True
    follows = args.peek(1)
    return follows is not None and follows.is_op("=")


def check_names(args: Arguments, items: list[Aggregation], by: Iterable[str]) -> list[Aggregation]:
    """Refuse names that come twice, as splunkd does; the same aggregation twice is one."""
    kept = list({(item.output, item.function, item.field, id(item.expression)): item for item in items}.values())
    fields = list(by)
    for place, name in enumerate(fields):
        if name in fields[:place]:
            raise args.fail(f"Repeated group by field '{name}'.")
    seen: set[str] = set()
    for item in kept:
        if item.output in fields:
            raise args.fail(f"The output field '{item.output}' cannot have the same name as a group-by field.")
        if item.output in seen and "*" not in item.output:
            raise args.fail(
                f"Duplicate rename field '{item.output}'. When renaming, ensure that all the rename fields are unique."
            )
        seen.add(item.output)
    return kept


def _aggregation(args: Arguments, env: Env, computed: bool) -> Aggregation:
    token = args.next("an aggregation")
    if token.kind != "word":
        raise args.fail(f"expected an aggregation such as count or avg(field), found {token.value!r}", token)
    opened = args.peek()
    if computed and token.is_word("eval") and opened and opened.is_op("("):
        return _computed(args, env, token, opened)
    try:
        factory = aggregates.factory(token.value)
    except SplError as error:
        raise args.fail(error.message, token) from error
    name, field_name, expression = token.value, None, None
    if args.accept_op("("):
        field_name, expression, end = _inside(args, env)
        name = args.text[token.start : end]
        if field_name is not None:
            name = f"{token.value}({field_name})"
    if field_name is None and expression is None:
        if token.value.lower() not in ("count", "c"):
            raise args.fail(f"{token.value} needs a field in parentheses", token)
        name = token.value.lower()
    renamed = args.field_name("a name behind AS") if args.accept_word("as") else None
    if expression is not None and renamed is None:
        raise args.fail(
            f"You must specify a rename for the aggregation specifier on the dynamically evaluated field '{name}'",
            token,
        )
    output = renamed if renamed is not None else name
    if "*" in output and (field_name is None or output.count("*") > field_name.count("*")):
        raise args.fail(f"The number of wildcards of '{output}' and of the field does not match", token)
    return Aggregation(token.value.lower(), factory, output, field_name, expression)


def _computed(args: Arguments, env: Env, token: Token, opened: Token) -> Aggregation:
    """``eval(round(avg(x),2)) AS name``: aggregations inside become fields of an expression over results."""
    start, end = skip_parentheses(args, opened)
    tokens = expression_tokens(args.text, start, end)
    parts: list[Aggregation] = []
    text, position, place = "", start, 0
    while place < len(tokens):
        length = _aggregation_length(tokens[place:])
        if length:
            inner = copy.copy(args)
            begin, stop = tokens[place].start, tokens[place + length - 1].end
            inner.tokens, inner.at, inner.end = arguments(args.text, begin, stop), 0, stop
            parts.append(_aggregation(inner, env, computed=False))
            text += args.text[position:begin] + f"'{parts[-1].output}'"
            position = stop
        place += length or 1
    text += args.text[position:end]
    try:
        expression = parse_expression(text, 0, len(text), env.scope)
    except SplError as error:
        raise args.fail(error.message, token) from error
    if not parts:
        raise args.fail("eval needs at least one aggregation inside, such as eval(avg(x)/max(y))", token)
    name = args.text[token.start : end + 1]
    renamed = args.field_name("a name behind AS") if args.accept_word("as") else name
    return Aggregation("eval", Count, renamed, None, expression, tuple(parts))


def _aggregation_length(tokens: list[Token]) -> int:
    """The number of tokens of ``count``, ``avg(field)`` or ``count(eval(…))`` at the head; 0 for anything else.

    ``max(a, b)`` is eval's own function and not an aggregation.
    """
    word = tokens[0]
    if word.kind != "word" or not _is_function(word.value):
        return 0
    if len(tokens) == 1 or not tokens[1].is_op("("):
        return 1 if word.is_word("count", "c") else 0
    depth = 0
    for place, token in enumerate(tokens[1:], 1):
        depth += token.is_op("(") - token.is_op(")")
        if depth == 0:
            condition = len(tokens) > 3 and tokens[2].is_word("eval") and tokens[3].is_op("(")
            return place + 1 if place <= 3 or condition else 0
    return 0


def _is_function(name: str) -> bool:
    try:
        aggregates.factory(name)
    except SplError:
        return False
    return True


def scaled(item: Aggregation, span: float) -> Aggregation:
    """Return the aggregation for buckets of so many seconds: per_hour and its kin depend on them."""
    if item.parts:
        return replace(item, parts=tuple(scaled(part, span) for part in item.parts))
    make = item.factory
    if not isinstance(make(), Per):
        return item

    def factory() -> Accumulator:
        made = make()
        assert isinstance(made, Per)
        made.span = span
        return made

    return replace(item, factory=factory)


def refuse_per(args: Arguments, items: Iterable[Aggregation]) -> None:
    """per_second, per_minute, per_hour and per_day are timechart's."""
    for item in items:
        if item.function in aggregates.PER or any(part.function in aggregates.PER for part in item.parts):
            raise args.fail(f"The aggregation function '{item.function}' can be used with timechart only.")


def _inside(args: Arguments, env: Env) -> tuple[str | None, Expression | None, int]:
    """Read what stands in the parentheses, whose opening one is taken; return also where they end."""
    token = args.peek()
    if token and token.is_op(")"):
        args.at += 1
        return None, None, token.end
    if token and token.is_word("eval") and (opened := args.peek(1)) and opened.is_op("("):
        args.at += 1
        start, end = skip_parentheses(args, opened)
        expression = parse_expression(args.text, start, end, env.scope)
        return None, expression, args.expect_op(")").end
    name = args.field_name()
    return name, None, args.expect_op(")").end


def skip_parentheses(args: Arguments, opened: Token) -> tuple[int, int]:
    """Move behind the parenthesis that closes ``opened`` (which is next); return the span inside."""
    depth = 0
    while token := args.peek():
        depth += token.is_op("(") - token.is_op(")")
        args.at += 1
        if depth == 0:
            return opened.end, token.start
    raise args.fail("missing )", opened)
