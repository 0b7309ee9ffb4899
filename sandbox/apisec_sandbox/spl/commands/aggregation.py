"""The list of aggregations that stats, chart, timechart and tstats share: its parser and its running state."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from apisec_sandbox.spl import aggregates
from apisec_sandbox.spl.aggregates import Accumulator, Factory
from apisec_sandbox.spl.commands.base import Arguments, Env
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.expressions import Expression, parse_expression
from apisec_sandbox.spl.lexer import Token
from apisec_sandbox.spl.values import Row, wildcard_names


@dataclass(frozen=True)
class Aggregation:
    """One ``function(field) AS name``. Without field or expression it counts rows."""

    function: str
    factory: Factory
    output: str
    field: str | None = None
    expression: Expression | None = None

    @property
    def wild(self) -> bool:
        return self.field is not None and "*" in self.field

    def reads(self) -> set[str]:
        names = set(self.expression.fields) if self.expression else {self.field} if self.field else set()
        if self.function in aggregates.NEEDS_TIME:
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


def parse_aggregations(args: Arguments, env: Env, *stop: str) -> list[Aggregation]:
    """Take aggregations up to a stop word or the end."""
    found: list[Aggregation] = []
    while (token := args.peek()) and not token.is_word(*stop):
        if token.is_op(","):
            args.at += 1
            continue
        found.append(_aggregation(args, env))
    return found


def _aggregation(args: Arguments, env: Env) -> Aggregation:
    token = args.next("an aggregation")
    if token.kind != "word":
        raise args.fail(f"expected an aggregation such as count or avg(field), found {token.value!r}", token)
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
    elif token.value.lower() not in ("count", "c"):
        raise args.fail(f"{token.value} needs a field in parentheses", token)
    else:
        name = "count"
    renamed = args.field_name("a name behind AS") if args.accept_word("as") else None
    if expression is not None and renamed is None:
        raise args.fail(
            f"You must specify a rename for the aggregation specifier on the dynamically evaluated field '{name}'",
            token,
        )
    output = renamed if renamed is not None else name
    return Aggregation(token.value.lower(), factory, output, field_name, expression)


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


@dataclass
class Group:
    """Accumulators of one group: one per aggregation, and one per field for those with a wildcard."""

    accumulators: list[Accumulator]
    wild: list[dict[str, Accumulator]] = field(default_factory=list)


class Aggregator:
    """Feeds rows to groups and reads their results."""

    def __init__(self, aggregations: Iterable[Aggregation]) -> None:
        self.plain = [item for item in aggregations if not item.wild]
        self.wild = [(item, wildcard_names(str(item.field))) for item in aggregations if item.wild]
        self._feeds = [_reader(item) for item in self.plain]

    def new(self) -> Group:
        return Group([item.factory() for item in self.plain], [{} for _ in self.wild])

    def add(self, group: Group, row: Row) -> None:
        for read, accumulator in zip(self._feeds, group.accumulators, strict=True):
            value = read(row)
            if value is None:
                continue
            if type(value) is list:
                for item in value:
                    accumulator.add(item, row)
            else:
                accumulator.add(value, row)
        if self.wild:
            self._add_wild(group, row)

    def _add_wild(self, group: Group, row: Row) -> None:
        for (item, test), held in zip(self.wild, group.wild, strict=True):
            for name, value in row.items():
                if value is None or name.startswith("_") or not test(name):
                    continue
                if name not in held:
                    held[name] = item.factory()
                for one in value if isinstance(value, list) else [value]:
                    held[name].add(one, row)

    def results(self, group: Group) -> dict[str, Any]:
        """Return the outputs by name, null ones left out."""
        found: dict[str, Any] = {}
        for item, accumulator in zip(self.plain, group.accumulators, strict=True):
            value = accumulator.result()
            if value is not None:
                found[item.output] = value
        for (item, _), held in zip(self.wild, group.wild, strict=True):
            for name, accumulator in held.items():
                value = accumulator.result()
                if value is not None:
                    found[wild_output(item, name)] = value
        return found


def wild_output(item: Aggregation, name: str) -> str:
    """``values(*) AS *`` gives the field's own name, ``avg(x*)`` gives ``avg(x1)``."""
    pattern = str(item.field)
    if item.output == f"{item.function}({pattern})" or "*" not in item.output:
        return f"{item.function}({name})"
    match = wildcard_names(pattern)(name)
    groups = match.groups() if match else ()
    parts = item.output.split("*")
    return "".join(part + (groups[place] if place < len(groups) else "") for place, part in enumerate(parts))


def _reader(item: Aggregation) -> Callable[[Row], Any]:
    if item.expression is None and item.field is not None:
        name = item.field
        return lambda row: row.get(name)
    return item.value
