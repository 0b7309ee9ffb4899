"""Comparison and conditional functions. Source: Search Reference, "Comparison and conditional functions"."""

from __future__ import annotations

import functools
import re
from typing import Any

from apisec_sandbox.spl.functions.json_functions import dump, load
from apisec_sandbox.spl.functions.registry import MANY, Call, Evaluate, check_regex, function, invalid, regex, simple
from apisec_sandbox.spl.values import (
    Row,
    cidr_match,
    compare,
    to_number,
    to_text,
    values_of,
)


@function("case", 2, MANY)
def _case(call: Call) -> Evaluate:
    if len(call.args) % 2:
        raise invalid("case", "it takes pairs of a condition and a value")
    pairs = list(zip(call.args[::2], call.args[1::2], strict=True))

    def run(row: Row) -> Any:
        for condition, value in pairs:
            if condition(row) is True:
                return value(row)
        return None

    return run


@function("validate", 2, MANY)
def _validate(call: Call) -> Evaluate:
    """The opposite of case: the value of the first condition that is false."""
    if len(call.args) % 2:
        raise invalid("validate", "it takes pairs of a condition and a value")
    pairs = list(zip(call.args[::2], call.args[1::2], strict=True))

    def run(row: Row) -> Any:
        for condition, value in pairs:
            if condition(row) is not True:
                return value(row)
        return None

    return run


@function("if", 3)
def _if(call: Call) -> Evaluate:
    condition, yes, no = call.args
    return lambda row: yes(row) if condition(row) is True else no(row)


@function("coalesce", 1, MANY)
def _coalesce(call: Call) -> Evaluate:
    args = call.args
    return lambda row: next((value for value in (arg(row) for arg in args) if value is not None), None)


@function("nullif", 2)
def _nullif(call: Call) -> Evaluate:
    first, second = call.args

    def run(row: Row) -> Any:
        x, y = first(row), second(row)
        return None if x is not None and y is not None and compare(x, y) == 0 else x

    return run


@function("isnull", 1, boolean=True)
def _isnull(call: Call) -> Evaluate:
    arg = call.args[0]
    return lambda row: arg(row) is None


@function("isnotnull", 1, boolean=True)
def _isnotnull(call: Call) -> Evaluate:
    arg = call.args[0]
    return lambda row: arg(row) is not None


@function("null", 0)
def _null(_call: Call) -> Evaluate:
    return lambda _row: None


@function("true", 0, boolean=True)
def _true(_call: Call) -> Evaluate:
    return lambda _row: True


@function("false", 0, boolean=True)
def _false(_call: Call) -> Evaluate:
    return lambda _row: False


@function("in", 2, MANY, boolean=True)
def _in(call: Call) -> Evaluate:
    first, others = call.args[0], call.args[1:]
    if all(constant is not None for constant in call.constants[1:]):
        return _in_set(first, call.constants[1:])

    def run(row: Row) -> bool | None:
        values = values_of(first(row))
        if not values:
            return None
        wanted = [value for value in (other(row) for other in others) if value is not None]
        return any(compare(x, y) == 0 for x in values for y in wanted)

    return run


def _in_set(first: Evaluate, constants: list[Any]) -> Evaluate:
    """Membership in constants: as texts, and as numbers where both are."""
    texts = frozenset(to_text(value) for value in constants if to_number(value) is None)
    numbers = frozenset(number for value in constants if (number := to_number(value)) is not None)

    def run(row: Row) -> bool | None:
        held = first(row)
        if held is None:
            return None
        for value in values_of(held):
            number = to_number(value)
            if number in numbers if number is not None else to_text(value) in texts:
                return True
        return False

    return run


@simple("cidrmatch", 2, boolean=True)
def _cidrmatch(net: Any, ip: Any) -> bool:
    return any(cidr_match(to_text(net), to_text(value)) for value in values_of(ip))


LIKE_TOKEN = re.compile(r"\\[%_\\]|%+|.", re.DOTALL)


@functools.lru_cache(maxsize=1024)
def _like_regex(pattern: str) -> re.Pattern[str]:
    r"""``%`` is any text, ``_`` one character, ``\%`` and ``\_`` are themselves; case counts."""
    parts = []
    for piece in LIKE_TOKEN.findall(pattern):
        escaped = len(piece) == 2 and piece[0] == "\\"
        parts.append(
            re.escape(piece[1]) if escaped else ".*?" if piece[0] == "%" else "." if piece == "_" else re.escape(piece)
        )
    return re.compile("".join(parts) + r"\Z", re.DOTALL)


@simple("like", 2, boolean=True)
def _like(text: Any, pattern: Any) -> bool:
    test = _like_regex(to_text(pattern)).match
    return any(test(to_text(value)) for value in values_of(text))


@function("match", 2, boolean=True)
def _match(call: Call) -> Evaluate:
    check_regex(call, 1)
    subject, pattern = call.args
    if isinstance(call.constants[1], str):
        test = regex(call.constants[1]).search

        def fixed(row: Row) -> bool | None:
            x = subject(row)
            if type(x) is str:
                return test(x) is not None
            return None if x is None else any(test(to_text(value)) for value in values_of(x))

        return fixed

    def run(row: Row) -> bool | None:
        x, y = subject(row), pattern(row)
        if x is None or y is None:
            return None
        search = regex(to_text(y)).search
        return any(search(to_text(value)) for value in values_of(x))

    return run


class _Outside:
    """What a search expression inside eval asks: event types and tags, no subsearch."""

    def __init__(self, call: Call) -> None:
        self._services = call.services
        self.now = call.now

    def subsearch(self, text: str, position: int) -> str:  # noqa: ARG002
        raise invalid("searchmatch", "the search cannot hold a subsearch")

    def eventtype(self, name: str) -> str | None:
        return self._services.eventtype(name) if self._services else None

    def tag_pairs(self, tag: str) -> list[tuple[str, str]]:
        return self._services.tag_pairs(tag) if self._services else []


@function("searchmatch", 1, boolean=True)
def _searchmatch(call: Call) -> Evaluate:
    """The row fits a search expression, by the rules of the search command."""
    from apisec_sandbox.spl.searchexpr import parse_search  # it needs the knowledge that needs these functions

    text = call.constants[0]
    if not isinstance(text, str):
        raise invalid("searchmatch", "it takes a search in double quotes")
    parsed = parse_search(text, 0, len(text), _Outside(call))
    call.reads = parsed.fields
    return parsed.test


@function("lookup", 3)
def _lookup(call: Call) -> Evaluate:
    """``lookup(<table>, json_object(<fields>), json_array(<outputs>))``: the outputs as a JSON object, or null."""
    from apisec_sandbox.spl.commands.lookups import LookupMatcher  # commands need these functions

    name, services = call.constants[0], call.services
    table = services.lookup(name) if services and isinstance(name, str) else None
    if table is None:
        raise invalid("lookup", f"the lookup table {name!r} does not exist")
    matchers: dict[tuple[str, ...], Any] = {}
    _, given, outputs = call.args

    def run(row: Row) -> str | None:
        keys, columns = load(given(row)), load(outputs(row))
        if not isinstance(keys, dict) or not isinstance(columns, list):
            return None
        names = tuple(keys)
        if names not in matchers:
            matchers[names] = LookupMatcher(table, [(key, key) for key in names])
        found = matchers[names].find({key: to_text(value) for key, value in keys.items() if value is not None})
        if not found:
            return None
        values = {column: [v for match in found for v in values_of(match.get(column))] for column in map(str, columns)}
        return dump({column: held[0] if len(held) == 1 else held for column, held in values.items() if held})

    return run
