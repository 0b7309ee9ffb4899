"""Commands that fill and change cells: fillnull, filldown, regex, replace.

Source: Search Reference, the page of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from apisec_sandbox.spl.commands.base import Arguments, Command, Env, OnField, Parse, added
from apisec_sandbox.spl.commands.fields import Chooser, chooser, expanded, has_wildcard
from apisec_sandbox.spl.context import EVERY, Context, Fields, Stage, header_of
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.pcre import Pattern, compile_pattern
from apisec_sandbox.spl.values import Row, collapse, to_text, values_of, wildcard_regex


@dataclass
class FillNull(Command):
    """Without a list every column that any row has is filled: that needs all rows first (docs: fillnull)."""

    value: str
    fields: list[str]

    def needs(self, wanted: Fields) -> Fields:
        return wanted if self.fields and not has_wildcard(self.fields) else EVERY

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        if self.fields and not has_wildcard(self.fields):
            return Stage(self._rows(stage, self.fields), added(stage.header, *self.fields), stage.events)
        rows = list(stage.rows)
        header = header_of(stage, rows)
        names = expanded(self.fields or ["*"], header)
        return Stage(self._rows(Stage(rows), names), added(stage.header, *names), stage.events)

    def _rows(self, stage: Stage, names: list[str]) -> Iterator[Row]:
        for row in stage.rows:
            for name in names:
                if row.get(name) is None:
                    row[name] = self.value
            yield row


def parse_fillnull(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    options = args.take(("value",))
    fields = args.field_list()
    args.close()
    return FillNull(options.get("value", "0"), fields)


@dataclass
class FillDown(Command):
    """A null takes the last value above it; without a list, in all columns (docs: filldown)."""

    fields: list[str]

    def needs(self, wanted: Fields) -> Fields:
        return wanted if self.fields and not has_wildcard(self.fields) else EVERY

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        return Stage(self._rows(stage, chooser(self.fields or ["*"])), stage.header, stage.events)

    @staticmethod
    def _rows(stage: Stage, test: Chooser) -> Iterator[Row]:
        last: Row = {}
        for row in stage.rows:
            for name, value in row.items():
                if value is not None and (name in last or test(name)):
                    last[name] = value
            for name, value in last.items():
                if row.get(name) is None:
                    row[name] = value
            yield row


def parse_filldown(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    fields = args.field_list()
    args.close()
    return FillDown(fields)


@dataclass
class Regex(OnField):
    """Keeps the rows with a value that matches; with ``!=`` those without one (docs: regex)."""

    field: str
    pattern: Pattern
    negative: bool

    def _rows(self, stage: Stage) -> Iterator[Row]:
        search = self.pattern.search
        for row in stage.rows:
            found = any(search(to_text(value)) for value in values_of(row.get(self.field)))
            if found != self.negative:
                yield row


def parse_regex(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    field, negative = "_raw", False
    follows = args.peek(1)
    if follows and follows.is_op("=", "!="):
        field = args.field_name()
        negative = args.next().value == "!="
    token = args.next("a regular expression")
    args.close()
    try:
        return Regex(field, compile_pattern(token.value), negative)
    except SplError as error:
        raise args.fail(error.message, token) from error


Change = Callable[[str], str | None]


@dataclass
class Replace(Command):
    """Whole values change; a wildcard keeps what it stood for where the new value has one too (docs: replace).

    Letter case counts. Of several pairs the last one that matches a value wins.
    """

    streaming: ClassVar[bool] = True
    changes: list[Change]
    fields: list[str] | None  # None: every field but the internal ones

    def needs(self, wanted: Fields) -> Fields:
        return wanted

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        return Stage(self._rows(stage), stage.header, stage.events)

    def _rows(self, stage: Stage) -> Iterator[Row]:
        test = chooser(self.fields or ["*"])
        for row in stage.rows:
            for name, value in row.items():
                if value is not None and test(name):
                    row[name] = collapse([self._changed(item) for item in values_of(value)])
            yield row

    def _changed(self, value: object) -> object:
        text = to_text(value)
        for change in reversed(self.changes):
            found = change(text)
            if found is not None:
                return found
        return value


def _change(old: str, new: str) -> Change:
    if "*" not in old:
        return lambda text: new if text == old else None
    groups = wildcard_regex(old, ignore_case=False).pattern.replace(".*?", "(.*?)")
    pattern = compile_pattern(f"(?s){groups}")
    parts = new.split("*")

    def change(text: str) -> str | None:
        match = pattern.match(text)
        if not match:
            return None
        held = (*match.groups(), *("" for _ in parts))
        return "".join(part + (held[place] if place < len(parts) - 1 else "") for place, part in enumerate(parts))

    return change


def parse_replace(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    changes: list[Change] = []
    fields = None
    while not args.done():
        if args.accept_op(","):
            continue
        if token := args.accept_word("in"):
            fields = args.field_list()
            if not fields:
                raise args.fail("IN needs at least one field", token)
            break
        start = args.peek()
        old = args.field_name("a value to replace")
        if not args.accept_word("with"):
            raise args.fail(f"expected WITH behind {old!r}", args.peek())
        new = args.field_name("the new value")
        if new.count("*") > old.count("*"):
            raise args.fail("the new value has more wildcards than the old one", start)
        changes.append(_change(old, new))
    args.close()
    if not changes:
        raise args.fail("usage is replace <old> WITH <new> [IN <fields>]")
    return Replace(changes, fields)


COMMANDS: dict[str, Parse] = {
    "fillnull": parse_fillnull,
    "filldown": parse_filldown,
    "regex": parse_regex,
    "replace": parse_replace,
}
OPTIONS = {"fillnull": ("value",)}
