"""Commands on multivalues: makemv, nomv, mvexpand, mvcombine.

Source: Search Reference, the page of each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apisec_sandbox.spl.commands.base import Arguments, Command, Env, OnField, Parse, boolean, checked, whole
from apisec_sandbox.spl.context import EVERY, Context, Fields, Stage
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.pcre import Pattern, compile_pattern
from apisec_sandbox.spl.values import Row, collapse, to_text, values_of

MAKEMV_OPTIONS = ("delim", "tokenizer", "allowempty", "setsv")


@dataclass
class MakeMv(OnField):
    field: str
    delimiter: str
    pattern: Pattern | None
    allow_empty: bool

    def apply(self, stage: Stage, context: Context) -> Stage:
        context.delimiters[self.field] = self.delimiter
        return super().apply(stage, context)

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
            return collapse([match[1] for match in self.pattern.finditer(text) if match[1] or self.allow_empty])
        return collapse([part for part in text.split(self.delimiter) if part or self.allow_empty])


def parse_makemv(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    options = args.take(MAKEMV_OPTIONS)
    field = args.field_name()
    options |= args.take(MAKEMV_OPTIONS)
    args.close()
    pattern = None
    if "tokenizer" in options:
        try:
            pattern = compile_pattern(options["tokenizer"])
        except SplError as error:
            raise args.fail(error.message) from error
        if pattern.groups < 1:
            raise args.fail("tokenizer needs a capturing group")
    if not options.get("delim", " "):
        raise args.fail("delim must not be empty")
    if boolean(args, "setsv", options.get("setsv", "f")):
        # A field with a multivalue and a single value at once: no row here can hold that.
        raise args.fail("setsv=true is an option that this stand-in does not run")
    allow_empty = boolean(args, "allowempty", options.get("allowempty", "f"))
    return MakeMv(field, options.get("delim", " "), pattern, allow_empty)


@dataclass
class NoMv(OnField):
    """The values joined by the delimiter that makemv, mvcombine or stats gave the field, else by line breaks."""

    field: str
    delimiter: str = "\n"

    def apply(self, stage: Stage, context: Context) -> Stage:
        self.delimiter = context.delimiters.get(self.field, "\n")
        return super().apply(stage, context)

    def _rows(self, stage: Stage) -> Iterator[Row]:
        for row in stage.rows:
            if isinstance(row.get(self.field), list):
                row[self.field] = self.delimiter.join(to_text(value) for value in row[self.field])
            yield row


def parse_nomv(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    field = args.field_name()
    args.close()
    return NoMv(field)


@dataclass
class MvExpand(OnField):
    """One row for each value; rows without the field pass through (docs: mvexpand)."""

    field: str
    limit: int

    def apply(self, stage: Stage, context: Context) -> Stage:
        return Stage(self._rows(Stage(checked(stage.rows, context))), stage.header, stage.events)

    def _rows(self, stage: Stage) -> Iterator[Row]:
        for row in stage.rows:
            values = values_of(row.get(self.field))
            if len(values) < 2:
                yield row if not isinstance(row.get(self.field), list) else {**row, self.field: collapse(values)}
                continue
            for value in values[: self.limit] if self.limit else values:
                yield {**row, self.field: value}


def parse_mvexpand(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    options = args.take(("limit",))
    field = args.field_name()
    options |= args.take(("limit",))
    args.close()
    return MvExpand(field, whole(args, "limit", options.get("limit", "0")))


@dataclass
class MvCombine(Command):
    """Rows that agree in everything else become one, with this field's values as a multivalue."""

    field: str
    delimiter: str

    def needs(self, wanted: Fields) -> Fields:  # noqa: ARG002
        return EVERY

    def apply(self, stage: Stage, context: Context) -> Stage:
        context.delimiters[self.field] = self.delimiter
        return Stage(self._rows(stage), stage.header, stage.events)

    def _rows(self, stage: Stage) -> Iterator[Row]:
        """Rows without the field are kept as they are (docs: mvcombine)."""
        groups: dict[Any, tuple[Row, list[Any]]] = {}
        for number, row in enumerate(stage.rows):
            key: Any = number
            if row.get(self.field) is not None:
                key = tuple(sorted((k, to_text(v)) for k, v in row.items() if k != self.field and v is not None))
            groups.setdefault(key, (row, []))[1].extend(values_of(row.get(self.field)))
        for row, values in groups.values():
            merged = collapse(values)
            if merged is not None:
                row[self.field] = merged
            yield row


def parse_mvcombine(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    options = args.take(("delim",))
    field = args.field_name()
    options |= args.take(("delim",))
    args.close()
    return MvCombine(field, options.get("delim", " "))


COMMANDS: dict[str, Parse] = {
    "makemv": parse_makemv,
    "nomv": parse_nomv,
    "mvexpand": parse_mvexpand,
    "mvcombine": parse_mvcombine,
}
OPTIONS = {"makemv": MAKEMV_OPTIONS, "mvexpand": ("limit",), "mvcombine": ("delim",)}
