"""Commands that choose and name columns: fields, table, rename.

Source: Search Reference, "fields", "table", "rename".
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from apisec_sandbox.spl.commands.base import Arguments, Command, Env, Parse, union
from apisec_sandbox.spl.context import EVERY, Context, Fields, Stage, header_of
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.values import Row, wildcard_names

Chooser = Callable[[str], bool]


def chooser(names: list[str]) -> Chooser:
    """Return a test for field names against names and patterns."""
    exact = frozenset(name for name in names if "*" not in name)
    patterns = [(name, wildcard_names(name)) for name in names if "*" in name]
    if not patterns:
        return exact.__contains__
    return lambda field: (
        field in exact or any(visible(name, field) and test(field) is not None for name, test in patterns)
    )


def expanded(names: list[str], header: list[str]) -> list[str]:
    """Return the columns that names and patterns choose, in the order of the list."""
    found: dict[str, None] = {}
    for name in names:
        if "*" not in name:
            found[name] = None
            continue
        test = wildcard_names(name)
        found.update(dict.fromkeys(column for column in header if test(column) and visible(name, column)))
    return list(found)


def visible(pattern: str, column: str) -> bool:
    """``*`` does not choose internal fields; ``_*`` does (docs: fields)."""
    return not column.startswith("_") or pattern.startswith("_")


def has_wildcard(names: list[str]) -> bool:
    return any("*" in name for name in names)


@dataclass
class FieldsCommand(Command):
    streaming: ClassVar[bool] = True
    names: list[str]
    remove: bool

    def needs(self, wanted: Fields) -> Fields:
        if self.remove:
            return wanted
        if has_wildcard(self.names):
            return EVERY
        own = frozenset(self.names) | {"_time", "_raw"}
        return own if wanted is None else wanted & own

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        test = chooser(self.names)
        if self.remove:
            header = None if stage.header is None else [name for name in stage.header if not test(name)]
            return Stage(_without(stage, test), header, stage.events)
        kept = _only(stage, lambda name: test(name) or name.startswith("_"))
        return Stage(kept, self._header(stage), stage.events)

    def _header(self, stage: Stage) -> list[str] | None:
        """The listed columns in the order of the list; internal ones stay, behind them."""
        held = stage.header
        if held is None:
            return None if has_wildcard(self.names) else list(dict.fromkeys(self.names))
        chosen = [name for name in expanded(self.names, held) if name in held]
        return chosen + [name for name in held if name.startswith("_") and name not in chosen]


def _without(stage: Stage, test: Chooser) -> Iterator[Row]:
    for row in stage.rows:
        yield {name: value for name, value in row.items() if not test(name)}


def _only(stage: Stage, test: Chooser) -> Iterator[Row]:
    for row in stage.rows:
        yield {name: value for name, value in row.items() if test(name)}


def parse_fields(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    remove = False
    first: list[str] = []
    token = args.peek()
    if token and token.kind == "word" and token.value[0] in "+-":
        remove = token.value[0] == "-"
        args.at += 1
        first = [token.value[1:]] if token.value[1:] else []
    names = first + args.field_list()
    args.close()
    if not names:
        raise args.fail("at least one field is needed")
    return FieldsCommand(names, remove)


@dataclass
class Table(Command):
    """``fieldformat`` aside, the columns are those of the list, in its order, whether or not a row has them."""

    names: list[str]

    def needs(self, wanted: Fields) -> Fields:  # noqa: ARG002
        return union(frozenset(), self.names)

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        if not has_wildcard(self.names):
            return Stage(_only(stage, frozenset(self.names).__contains__), list(dict.fromkeys(self.names)))
        rows = list(stage.rows)
        header = expanded(self.names, header_of(stage, rows))
        return Stage(_only(Stage(rows), frozenset(header).__contains__), header)


def parse_table(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    names = args.field_list()
    args.close()
    if not names:
        raise args.fail("at least one field is needed")
    return Table(names)


@dataclass
class Rename(Command):
    """A source that is missing empties the target, as documented (docs: rename)."""

    streaming: ClassVar[bool] = True
    pairs: list[tuple[str, str]]

    def needs(self, wanted: Fields) -> Fields:
        if wanted is None or any("*" in source for source, _ in self.pairs):
            return EVERY
        targets = {target for _, target in self.pairs}
        return union(wanted - targets, (source for source, _ in self.pairs))

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        header = stage.header
        if header is not None:
            for source, target in self.pairs:
                header = _renamed_header(header, source, target)
        return Stage(self._rows(stage), header, stage.events)

    def _rows(self, stage: Stage) -> Iterator[Row]:
        for row in stage.rows:
            for source, target in self.pairs:
                if "*" in source:
                    _rename_pattern(row, source, target)
                elif source in row:
                    row[target] = row.pop(source)
                else:
                    row.pop(target, None)
            yield row


def _new_name(match: Any, target: str) -> str:
    parts = target.split("*")
    return "".join(part + group for part, group in itertools.zip_longest(parts, match.groups(), fillvalue=""))


def _rename_pattern(row: Row, source: str, target: str) -> None:
    test = wildcard_names(source)
    for name in list(row):
        match = test(name)
        if match and visible(source, name):
            row[_new_name(match, target)] = row.pop(name)


def _renamed_header(header: list[str], source: str, target: str) -> list[str]:
    if "*" not in source:
        if source not in header:
            return header
        held = [name for name in header if name != target or name == source]
        return [target if name == source else name for name in held]
    test = wildcard_names(source)
    names = [_new_name(match, target) if (match := test(name)) and visible(source, name) else name for name in header]
    return list(dict.fromkeys(names))


def parse_rename(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    pairs: list[tuple[str, str]] = []
    while not args.done():
        if args.accept_op(","):
            continue
        start = args.peek()
        source = args.field_name()
        if not args.accept_word("as"):
            raise args.fail(f"expected AS behind {source!r}", args.peek())
        target = args.field_name()
        if source.count("*") != target.count("*"):
            raise args.fail(
                f"Wildcard mismatch: '{source}' as '{target}'. Both names need the same number of wildcards", start
            )
        pairs.append((source, target))
    if not pairs:
        raise args.fail("usage is rename old AS new")
    return Rename(pairs)


COMMANDS: dict[str, Parse] = {"fields": parse_fields, "table": parse_table, "rename": parse_rename}
