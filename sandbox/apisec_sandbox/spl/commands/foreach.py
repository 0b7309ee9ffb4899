"""foreach in its modes: fields, values of a multivalue, elements of a JSON array.

Source: Search Reference, "foreach".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apisec_sandbox.spl import jsonpath
from apisec_sandbox.spl.commands.base import Arguments, Command, Env, Parse, choice
from apisec_sandbox.spl.commands.fields import expanded
from apisec_sandbox.spl.context import EVERY, Context, Fields, Stage, header_of
from apisec_sandbox.spl.lexer import Token
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.values import Row, to_text, values_of, wildcard_names

PLACEHOLDERS = {
    "fieldstr": "<<FIELD>>",
    "matchstr": "<<MATCHSTR>>",
    "matchseg1": "<<MATCHSEG1>>",
    "matchseg2": "<<MATCHSEG2>>",
    "matchseg3": "<<MATCHSEG3>>",
    "itemstr": "<<ITEM>>",
    "iterstr": "<<ITER>>",
}
FOREACH_OPTIONS = ("mode", *PLACEHOLDERS)
MODES = ("multifield", "multivalue", "json_array", "auto_collections")
MAX_COMPILED = 4096  # templates kept, filled in: values repeat, and each text compiles once


@dataclass
class Fill:
    """What the template's placeholders are called."""

    names: dict[str, str]

    def of(self, option: str) -> str:
        return self.names.get(option, PLACEHOLDERS[option])

    def field(self, template: str, pattern: str, name: str) -> str:
        match = wildcard_names(pattern)(name)
        groups = match.groups() if match else ()
        values = {self.of("fieldstr"): name, self.of("matchstr"): "".join(groups)}
        for number in (1, 2, 3):
            values[self.of(f"matchseg{number}")] = groups[number - 1] if number <= len(groups) else ""
        return _replaced(template, values)

    def item(self, template: str, literal: str, number: int) -> str:
        return _replaced(template, {self.of("itemstr"): literal, self.of("iterstr"): str(number)})


def _replaced(template: str, values: dict[str, str]) -> str:
    pattern = "|".join(re.escape(name) for name in sorted(values, key=len, reverse=True))
    return re.sub(pattern, lambda match: values[match[0]], template)


@dataclass
class ForeachField(Command):
    """Run the template's commands for each field that a pattern chooses."""

    patterns: list[str]
    template: str
    fill: Fill
    env: Env

    def needs(self, wanted: Fields) -> Fields:  # noqa: ARG002
        return EVERY

    def apply(self, stage: Stage, context: Context) -> Stage:
        rows = list(stage.rows)
        header = header_of(stage, rows)
        current = Stage(rows, stage.header, stage.events)
        for pattern in self.patterns:
            for name in expanded([pattern], header):
                for command in self.env.compile("| " + self.fill.field(self.template, pattern, name)):
                    current = command.apply(current, context)
        return current


@dataclass
class ForeachValue(Command):
    """Run eval once for each value of one field, row by row."""

    field: str
    mode: str  # auto_collections: a JSON array where the field holds one, else its values
    template: str
    fill: Fill
    env: Env

    def needs(self, wanted: Fields) -> Fields:  # noqa: ARG002
        return EVERY

    def apply(self, stage: Stage, context: Context) -> Stage:
        return Stage(self._rows(stage, context), stage.header, stage.events)

    def _rows(self, stage: Stage, context: Context) -> Iterator[Row]:
        compiled: dict[str, list[Command]] = {}
        for row in stage.rows:
            for number, item in enumerate(self._items(row)):
                text = self.fill.item(self.template, _literal(item), number)
                if text not in compiled:
                    if len(compiled) >= MAX_COMPILED:
                        compiled.clear()
                    compiled[text] = self.env.compile("| " + text)
                for command in compiled[text]:
                    for changed in command.apply(Stage([row]), context).rows:
                        row = changed
            yield row

    def _items(self, row: Row) -> list[Any]:
        held = row.get(self.field)
        if self.mode == "multivalue" or held is None:
            return list(values_of(held))
        document = jsonpath.parse_plain(to_text(held)) if not isinstance(held, list) else None
        if isinstance(document, list):
            return document
        return list(values_of(held)) if self.mode == "auto_collections" else []


def _literal(item: Any) -> str:
    """A value as it stands in an expression: numbers bare, all else in quotes."""
    if isinstance(item, bool):
        return "true()" if item else "false()"
    if item is None:
        return "null()"
    if isinstance(item, (dict, list)):
        item = json.dumps(item, separators=(",", ":"), ensure_ascii=False)
    text = to_text(item)
    if isinstance(item, (int, float)) or re.fullmatch(r"-?\d+(\.\d+)?", text):
        return f"({text})" if text.startswith("-") else text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def parse_foreach(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    options = args.take(FOREACH_OPTIONS)
    mode = choice(args, "mode", options.pop("mode", "multifield"), MODES)
    patterns = args.field_list()
    options |= args.options(*PLACEHOLDERS)
    token = args.subsearch()
    args.close()
    if not patterns:
        raise args.fail("usage is foreach <fields> [eval …]", token)
    fill = Fill(options)
    template = token.value.strip().lstrip("|").strip()
    if mode == "multifield":
        _check(args, env, fill.field(template, "*", "x"), token, any_streaming=True)
        return ForeachField(patterns, template, fill, env)
    if len(patterns) > 1 or "*" in patterns[0]:
        raise args.fail(f"mode={mode} takes exactly one field", token)
    _check(args, env, fill.item(template, "1", 0), token, any_streaming=False)
    return ForeachValue(patterns[0], mode, template, fill, env)


def _check(args: Arguments, env: Env, text: str, token: Token, *, any_streaming: bool) -> None:
    """Compile the template once: its errors belong to parsing."""
    commands = env.compile("| " + text)
    if any(command.generating for command in commands) or not commands:
        raise args.fail("the subsearch must hold streaming commands", token)
    if not any_streaming and (len(commands) > 1 or not text.lower().startswith("eval ")):
        raise args.fail("in this mode the subsearch must be a single eval", token)


COMMANDS: dict[str, Parse] = {"foreach": parse_foreach}
OPTIONS = {"foreach": FOREACH_OPTIONS}
