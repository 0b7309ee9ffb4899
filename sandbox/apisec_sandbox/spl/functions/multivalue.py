"""Multivalue functions. Source: Search Reference, "Multivalue functions"."""

from __future__ import annotations

import math
from typing import Any

from apisec_sandbox.spl import times
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.functions.registry import (
    MANY,
    MAX_REPEAT,
    Call,
    Evaluate,
    check_regex,
    function,
    invalid,
    regex,
    simple,
)
from apisec_sandbox.spl.values import (
    Row,
    clean,
    collapse,
    to_number,
    to_text,
    values_of,
)


@function("mvcount", 1)
def _mvcount(call: Call) -> Evaluate:
    arg = call.args[0]
    return lambda row: len(values) if (values := values_of(arg(row))) else None


@simple("mvindex", 2, 3)
def _mvindex(field: Any, start: Any, end: Any = None) -> Any:
    """From 0; -1 is the last; with an end, inclusive."""
    values, first = values_of(field), to_number(start)
    last = first if end is None else to_number(end)
    if first is None or last is None:
        return None
    low = int(first) + (len(values) if first < 0 else 0)
    high = int(last) + (len(values) if last < 0 else 0)
    return None if low < 0 or high < low else collapse(values[low : high + 1])


@function("mvappend", 1, MANY)
def _mvappend(call: Call) -> Evaluate:
    args = call.args
    return lambda row: collapse([item for arg in args for item in values_of(arg(row))])


@simple("mvdedup", 1)
def _mvdedup(field: Any) -> Any:
    return collapse(_unique(values_of(field)))


def _unique(values: list[Any]) -> list[Any]:
    seen: dict[str, Any] = {}
    for value in values:
        seen.setdefault(to_text(value), value)
    return list(seen.values())


@simple("mvsort", 1)
def _mvsort(field: Any) -> Any:
    return collapse(sorted(values_of(field), key=to_text))


@simple("mvjoin", 2)
def _mvjoin(field: Any, delimiter: Any) -> str:
    return to_text(delimiter).join(to_text(value) for value in values_of(field))


@simple("mvzip", 2, 3)
def _mvzip(left: Any, right: Any, delimiter: Any = ",") -> Any:
    pairs = zip(values_of(left), values_of(right), strict=False)
    return collapse([to_text(a) + to_text(delimiter) + to_text(b) for a, b in pairs])


@function("mvfind", 2)
def _mvfind(call: Call) -> Evaluate:
    check_regex(call, 1)
    field, pattern = call.args

    def run(row: Row) -> int | None:
        values, text = values_of(field(row)), pattern(row)
        if text is None:
            return None
        search = regex(to_text(text)).search
        return next((place for place, value in enumerate(values) if search(to_text(value))), None)

    return run


@function("mvfilter", 1)
def _mvfilter(call: Call) -> Evaluate:
    names = call.fields[0]
    if len(names) != 1:
        raise invalid("mvfilter", f"the expression refers to one field, not to {', '.join(names) or 'none'}")
    name, test = names[0], call.args[0]

    def run(row: Row) -> Any:
        held = row.get(name)
        try:
            return collapse([value for value in values_of(held) if test(_with(row, name, value)) is True])
        finally:
            _with(row, name, held)

    return run


def _with(row: Row, name: str, value: Any) -> Row:
    """Put one value of a multivalue in its place for a moment: a copy of the row for each would be slow."""
    if value is None:
        row.pop(name, None)
    else:
        row[name] = value
    return row


@function("mvmap", 2)
def _mvmap(call: Call) -> Evaluate:
    names = call.fields[0]
    if len(names) != 1:
        raise invalid("mvmap", "the first is one field")
    name, change = names[0], call.args[1]

    def run(row: Row) -> Any:
        held = row.get(name)
        try:
            results = [change(_with(row, name, value)) for value in values_of(held)]
        finally:
            _with(row, name, held)
        return collapse([item for result in results for item in values_of(result)])

    return run


@simple("mvrange", 2, 3)
def _mvrange(start: Any, end: Any, step: Any = 1) -> Any:
    """The end is left out. A step such as ``1d`` or ``1mon`` makes times of it."""
    first, last, by = to_number(start), to_number(end), to_number(step)
    if first is None or last is None:
        return None
    if by is None:
        return collapse(_time_range(first, last, to_text(step)))
    count = max(0, math.ceil((last - first) / by)) if by else 0
    if count > MAX_REPEAT:
        raise SplError(f"mvrange would make more than {MAX_REPEAT} values")
    return collapse([clean(first + place * by) for place in range(count)])


def _time_range(first: float, last: float, step: str) -> list[Any]:
    amount, unit = times.parse_span(step)
    found: list[Any] = []
    current = first
    while current < last:
        found.append(clean(current))
        if len(found) > MAX_REPEAT:
            raise SplError(f"mvrange would make more than {MAX_REPEAT} values")
        current = times.next_bucket(current, amount, unit)
    return found


@simple("commands", 1)
def _commands(text: Any) -> Any:
    """The names of the commands of a search, each once."""
    from apisec_sandbox.spl.parser import split  # it compiles expressions itself

    try:
        return collapse(list(dict.fromkeys(segment.name for segment in split(to_text(text)))))
    except SplError:
        return None
