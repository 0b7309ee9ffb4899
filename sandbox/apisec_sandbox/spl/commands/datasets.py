"""Commands that read datasets: from, datamodel.

Source: Search Reference, "from", "datamodel".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from apisec_sandbox.spl.commands.base import Arguments, Command, Env, Parse, boolean, checked, choice, must_be_first
from apisec_sandbox.spl.commands.lookups import InputLookup, find_lookup
from apisec_sandbox.spl.commands.sources import INTERNAL, SearchSource, compile_filter, compile_saved
from apisec_sandbox.spl.context import Context, Stage
from apisec_sandbox.spl.datamodels import DataModel, Dataset, condition, flat_search, load, source_search, steps
from apisec_sandbox.spl.errors import SplError, suggestion
from apisec_sandbox.spl.lexer import Token
from apisec_sandbox.spl.parser import Segment, prepare
from apisec_sandbox.spl.values import Row

MODES = ("search", "flat", "acceleration_search", "search_string", "acceleration_search_string", "flat_string")
DATAMODEL_OPTIONS = ("strict_fields", "allow_old_summaries", "summariesonly")
KINDS = ("datamodel", "lookup", "savedsearch")


def find_model(services: Env, name: str) -> tuple[DataModel, bool]:
    """Return a model and whether it is accelerated.

    Raises:
        KeyError: there is none of this name.
    """
    found = services.services.data_model(name)
    if found is None:
        raise KeyError(name)
    document, settings = found
    return load(document, name), settings.get("acceleration", "0").strip().lower() in ("1", "true", "t")


def pick(model: DataModel, name: str) -> Dataset:
    """Return a dataset of the model, by name or lineage.

    Raises:
        SplError: there is none.
    """
    one = model.find(name)
    if one is None:
        near = suggestion(name, model.datasets)
        raise SplError(f"Data model '{model.name}' has no dataset '{name}'.{near}")
    return one


@dataclass
class DatasetRows(Command):
    """The events of a root dataset and of those below it that were asked for.

    ``named`` gives a field its full name (``Web.status``) or its plain one. ``nodename`` says which datasets
    below the root an event belongs to.
    """

    generating: ClassVar[bool] = True
    model: DataModel
    root: Dataset
    only: Dataset  # an event must belong to it
    env: Env
    full_names: bool = True
    strict: bool = True

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        return Stage(self._rows(context), None, True)

    def _rows(self, context: Context) -> Iterator[Row]:
        source = self.env.compile(" | ".join([source_search(self.model, self.root), *steps(self.root)]))
        self._narrow(source)
        needed = {one.name for one in self.model.chain(self.only.name)}
        members = self._members()
        columns = self._columns()
        for event in checked(self.env.run(source, context).rows, context):
            row, names = event, {self.root.name}
            for one, belongs, compute in members:
                if one.parent in names and belongs(row):
                    names.add(one.name)
                    row = compute(row, context)
            if needed <= names:
                shown = self._shown(row, columns)
                shown["nodename"] = [one.lineage for one in self.model.below(self.root) if one.name in names]
                yield shown

    def _narrow(self, source: list[Command]) -> None:
        """Let the scan extract only what the datasets name; calculations may read more, so then everything."""
        head = source[0]
        below = self.model.below(self.root)
        simple = not any(one.calculations for one in below) and not any(condition(one) for one in below[1:])
        if len(source) == 1 and isinstance(head, SearchSource) and simple and self.strict:
            head.wanted = head.expression.fields | INTERNAL | {name for one in below for name in one.fields}

    def _members(self) -> list[tuple[Dataset, Callable[[Row], bool], Callable[[Row, Context], Row]]]:
        found = []
        for one in self.model.below(self.root)[1:]:
            text = prepare(condition(one), self.env.services.macro)
            test = compile_filter(text, 0, len(text), self.env).test
            calculations = [command for step in steps(one) for command in self.env.compile(f"| {step}")]
            found.append((one, test, _computer(calculations)))
        return found

    def _columns(self) -> list[tuple[str, str]]:
        pairs: dict[str, str] = {}
        for one in self.model.below(self.root):
            pairs.update({full: plain for plain, full in self.model.columns(one.name)})
        return [(plain, full if self.full_names else plain) for full, plain in pairs.items()]

    def _shown(self, row: Row, columns: list[tuple[str, str]]) -> Row:
        shown = {} if self.strict else dict(row)
        for plain, name in columns:
            if row.get(plain) is not None:
                shown[name] = row[plain]
        for name in ("_raw", "index", "splunk_server", "_indextime"):
            if name in row:
                shown[name] = row[name]
        return shown


def _computer(commands: list[Command]) -> Callable[[Row, Context], Row]:
    def compute(row: Row, context: Context) -> Row:
        stage = Stage([row])
        for command in commands:
            stage = command.apply(stage, context)
        return next(iter(stage.rows))

    return compute


def rows_of(model: DataModel, only: Dataset, env: Env, *, full_names: bool = True, strict: bool = True) -> DatasetRows:
    return DatasetRows(model, model.chain(only.name)[0], only, env, full_names, strict)


@dataclass
class WithoutNode(Command):
    """Takes ``nodename`` away again: only tstats shows it."""

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        rows = ({name: value for name, value in row.items() if name != "nodename"} for row in stage.rows)
        return Stage(rows, stage.header, stage.events)


@dataclass
class Sequence(Command):
    """Several commands as one source of rows."""

    generating: ClassVar[bool] = True
    commands: list[Command]
    env: Env

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        return self.env.run(self.commands, context)


@dataclass
class Rows(Command):
    generating: ClassVar[bool] = True
    rows: list[Row]

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        return Stage([dict(row) for row in self.rows], list(dict.fromkeys(name for row in self.rows for name in row)))


def parse_datamodel(segment: Segment, env: Env) -> Command:
    must_be_first(segment)
    args = Arguments(segment)
    words: list[tuple[str, Token]] = []
    options: dict[str, str] = {}
    while not args.done():
        options |= args.take(DATAMODEL_OPTIONS)
        if not args.done():
            token = args.next()
            words.append((token.value, token))
    flags = {name: boolean(args, name, options.get(name, "t" if name == "strict_fields" else "f")) for name in options}
    if not words:
        return Rows([{"modelName": name} for name in env.services.data_model_names()])
    name, token = words[0]
    try:
        model, accelerated = find_model(env, name)
    except KeyError:
        near = suggestion(name, env.services.data_model_names())
        raise args.fail(f"Data model '{name}' was not found.{near}", token) from None
    if len(words) == 1:
        return Rows([_described(model, one) for one in model.datasets.values()])
    only = _picked(args, model, *words[1])
    if len(words) == 2:
        return Rows([_described(model, only)])
    if len(words) > 3:
        raise args.fail(f"unexpected argument {words[3][0]!r}", words[3][1])
    mode = choice(args, "the mode", words[2][0], MODES)
    if mode.endswith("_string"):
        return Rows([{"search": flat_search(model, only.name)}])
    if flags.get("summariesonly") and not accelerated:
        return Rows([])
    full = mode != "flat"
    strict = flags.get("strict_fields", True)
    return Sequence([rows_of(model, only, env, full_names=full, strict=strict), WithoutNode()], env)


def _described(model: DataModel, one: Dataset) -> Row:
    about = {
        "objectName": one.name,
        "parentName": one.parent,
        "lineage": one.lineage,
        "fields": [{"fieldName": plain, "name": full} for plain, full in model.columns(one.name)],
        "constraints": [{"search": text, "owner": one.name} for text in one.constraints],
    }
    return {"_raw": json.dumps(about)}


def _picked(args: Arguments, model: DataModel, name: str, token: Token) -> Dataset:
    try:
        return pick(model, name)
    except SplError as error:
        raise args.fail(error.message, token) from error


def dataset(args: Arguments, env: Env, text: str, token: Token) -> list[Command]:
    """Return the commands for ``datamodel:M.D``, ``lookup:L`` or ``savedsearch:S``."""
    kind, colon, name = text.partition(":")
    name = name.strip().strip('"')
    if not colon or kind.lower() not in KINDS or not name:
        raise args.fail(f"expected <type>:<name> with type {', '.join(KINDS)}, found {text!r}", token)
    if kind.lower() == "lookup":
        return [InputLookup(find_lookup(args, env, name), False, 0, 1_000_000_000, None)]
    if kind.lower() == "savedsearch":
        saved = env.services.saved_search(name)
        if saved is None:
            raise args.fail(f"Unable to find saved search named '{name}'.", token)
        return compile_saved(args, env, name, saved, token)
    return _model_rows(args, env, name, token)


def _model_rows(args: Arguments, env: Env, name: str, token: Token) -> list[Command]:
    wanted, _, inside = name.partition(".")
    try:
        model, _ = find_model(env, wanted)
    except KeyError:
        near = suggestion(wanted, env.services.data_model_names())
        raise args.fail(f"Data model '{wanted}' was not found.{near}", token) from None
    only = _picked(args, model, inside, token) if inside else model.roots()[0]
    return [rows_of(model, only, env, full_names=False), WithoutNode()]


def parse_from(segment: Segment, env: Env) -> Command:
    """``from datamodel:"M.D"``, ``from lookup:users``, ``from savedsearch "name"``; it stands first."""
    must_be_first(segment)
    args = Arguments(segment)
    token = args.next("a dataset such as datamodel:Web")
    text = token.value
    if text.endswith(":") or ":" not in text:
        text = text.rstrip(":") + ":" + args.field_name("the dataset's name")
    args.close()
    return Sequence(dataset(args, env, text, token), env)


COMMANDS: dict[str, Parse] = {"from": parse_from, "datamodel": parse_datamodel}
OPTIONS = {"datamodel": DATAMODEL_OPTIONS}
