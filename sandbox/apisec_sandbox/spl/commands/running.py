"""Commands that look at the rows before: accum, autoregress, delta.

Source: Search Reference, the page of each.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apisec_sandbox.spl.commands.base import Arguments, Command, Env, Parse, added, union, whole
from apisec_sandbox.spl.context import Context, Fields, Stage
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.values import Row, clean, to_number

MAX_LAG = 10_000  # rows that autoregress and delta look back at most


@dataclass
class OnEarlier(Command):
    """Reads ``field`` and writes ``outputs``, row after row."""

    field: str
    outputs: list[str]

    def needs(self, wanted: Fields) -> Fields:
        return union(wanted, (self.field,))

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        return Stage(self._rows(stage), added(stage.header, *self.outputs), stage.events)

    def _rows(self, stage: Stage) -> Iterator[Row]:
        raise NotImplementedError


@dataclass
class Accum(OnEarlier):
    """The sum of the numbers so far; a row without a number gets none."""

    def _rows(self, stage: Stage) -> Iterator[Row]:
        total: int | float = 0
        for row in stage.rows:
            number = to_number(row.get(self.field))
            if number is not None:
                total += number
                row[self.outputs[0]] = clean(total)
            yield row


def parse_accum(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    field = args.field_name()
    output = args.field_name("a name behind AS") if args.accept_word("as") else field
    args.close()
    return Accum(field, [output])


@dataclass
class AutoRegress(OnEarlier):
    """The field's values of rows before, as fields of this one."""

    lags: list[int]

    def _rows(self, stage: Stage) -> Iterator[Row]:
        before: deque[Any] = deque(maxlen=max(self.lags))
        for row in stage.rows:
            value = row.get(self.field)
            for lag, output in zip(self.lags, self.outputs, strict=True):
                if lag <= len(before) and before[-lag] is not None:
                    row[output] = before[-lag]
            before.append(value)
            yield row


def parse_autoregress(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    field = args.field_name()
    output = args.field_name("a name behind AS") if args.accept_word("as") else None
    options = args.take(("p",))
    args.close()
    match = re.fullmatch(r"(\d+)(?:-(\d+))?", options.get("p", "1"))
    if not match:
        raise args.fail(f"p must be a number or a range such as 1-3, given {options['p']!r}")
    first, last = int(match[1]), int(match[2] or match[1])
    if not 0 < first <= last <= MAX_LAG:
        raise args.fail(f"p must lie between 1 and {MAX_LAG}, given {options['p']!r}")
    lags = list(range(first, last + 1))
    if output and len(lags) > 1:
        raise args.fail("a name behind AS is possible with a single p only")
    return AutoRegress(field, [output] if output else [f"{field}_p{lag}" for lag in lags], lags)


@dataclass
class Delta(OnEarlier):
    """What the field's number differs from that of an earlier row."""

    lag: int

    def _rows(self, stage: Stage) -> Iterator[Row]:
        before: deque[int | float | None] = deque(maxlen=self.lag)
        for row in stage.rows:
            number = to_number(row.get(self.field))
            earlier = before[0] if len(before) == self.lag else None
            if number is not None and earlier is not None:
                row[self.outputs[0]] = clean(number - earlier)
            before.append(number)
            yield row


def parse_delta(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    field = args.field_name()
    output = args.field_name("a name behind AS") if args.accept_word("as") else f"delta({field})"
    options = args.take(("p",))
    args.close()
    lag = whole(args, "p", options.get("p", "1"), 1)
    if lag > MAX_LAG:
        raise args.fail(f"p must be at most {MAX_LAG}, given {lag}")
    return Delta(field, [output], lag)


COMMANDS: dict[str, Parse] = {"accum": parse_accum, "autoregress": parse_autoregress, "delta": parse_delta}
OPTIONS = {"autoregress": ("p",), "delta": ("p",)}
