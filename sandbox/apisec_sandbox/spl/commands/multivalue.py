"""Commands on multivalues: makemv, nomv, mvexpand, mvcombine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apisec_sandbox.spl.commands.base import Arguments, Command, Env, OnField, Parse, boolean, whole
from apisec_sandbox.spl.context import EVERY, Context, Fields, Stage
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.functions import regex
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.values import Row, collapse, to_text, values_of


@dataclass
class MakeMv(OnField):
    field: str
    delimiter: str
    pattern: Any
    allow_empty: bool

    def _rows(self, stage: Stage) -> Iterator[Row]:
        for row in stage.rows:
            value = row.get(self.field)
            if value is not None and not isinstance(value, list):
                found = self._split(to_text(value))
                if found is not None:
                    row[self.field] = found
            yield row

    def _split(self, text: str) -> Any:
        if self.pattern is not None:
            return collapse([match[1] for match in self.pattern.finditer(text)])
        return collapse([part for part in text.split(self.delimiter) if part or self.allow_empty])


def parse_makemv(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    known = ("delim", "tokenizer", "allowempty", "setsv")
    options = args.options(*known)
    args.refuse_option(known)
    field = args.field_name()
    args.close()
    pattern = None
    if "tokenizer" in options:
        try:
            pattern = regex(options["tokenizer"])
        except SplError as error:
            raise args.fail(error.message) from error
        if pattern.groups < 1:
            raise args.fail("tokenizer needs a capturing group")
    if not options.get("delim", " "):
        raise args.fail("delim must not be empty")
    return MakeMv(
        field, options.get("delim", " "), pattern, boolean(args, "allowempty", options.get("allowempty", "f"))
    )


@dataclass
class NoMv(OnField):
    field: str

    def _rows(self, stage: Stage) -> Iterator[Row]:
        for row in stage.rows:
            if isinstance(row.get(self.field), list):
                row[self.field] = "\n".join(to_text(value) for value in row[self.field])
            yield row


def parse_nomv(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    field = args.field_name()
    args.close()
    return NoMv(field)


@dataclass
class MvExpand(OnField):
    field: str
    limit: int

    def _rows(self, stage: Stage) -> Iterator[Row]:
        for row in stage.rows:
            values = values_of(row.get(self.field))
            if len(values) < 2:
                yield row
                continue
            for value in values[: self.limit] if self.limit else values:
                yield {**row, self.field: value}


def parse_mvexpand(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    field = args.field_name()
    options = args.options("limit")
    args.close()
    return MvExpand(field, whole(args, "limit", options.get("limit", "0")))


@dataclass
class MvCombine(Command):
    """Rows that agree in everything else become one, with this field's values as a multivalue."""

    field: str
    delimiter: str

    def needs(self, wanted: Fields) -> Fields:  # noqa: ARG002
        return EVERY

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        return Stage(self._rows(stage), stage.header, stage.events)

    def _rows(self, stage: Stage) -> Iterator[Row]:
        groups: dict[tuple[Any, ...], tuple[Row, list[Any]]] = {}
        for row in stage.rows:
            others = tuple(sorted((k, to_text(v)) for k, v in row.items() if k != self.field))
            groups.setdefault(others, (row, []))[1].extend(values_of(row.get(self.field)))
        for row, values in groups.values():
            merged = collapse(values)
            if merged is not None:
                row[self.field] = merged
            yield row


def parse_mvcombine(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    options = args.options("delim")
    field = args.field_name()
    args.close()
    return MvCombine(field, options.get("delim", " "))


COMMANDS: dict[str, Parse] = {
    "makemv": parse_makemv,
    "nomv": parse_nomv,
    "mvexpand": parse_mvexpand,
    "mvcombine": parse_mvcombine,
}
