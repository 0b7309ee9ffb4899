"""From the text of a search to its rows: parse, plan which fields are read, run."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from apisec_sandbox.spl.commands import EITHER, GENERATING, REGISTRY, UNSUPPORTED, unsupported
from apisec_sandbox.spl.commands.base import Command, Env
from apisec_sandbox.spl.commands.chart_table import Chart
from apisec_sandbox.spl.commands.sources import SearchSource, parse_search_source
from apisec_sandbox.spl.commands.stats import Stats
from apisec_sandbox.spl.commands.top import Top
from apisec_sandbox.spl.context import EVERY, Context, Hints, Services, Stage, header_of
from apisec_sandbox.spl.custom import CustomCommand
from apisec_sandbox.spl.defaultfields import named_in
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.lexer import QUOTED
from apisec_sandbox.spl.parser import Segment, prepare, split, unknown_command
from apisec_sandbox.spl.values import Row

KIND = frozenset(("host", "source", "sourcetype", "index"))
TRANSFORMING = frozenset(
    (
        *("stats", "chart", "timechart", "top", "rare", "tstats", "table", "makeresults", "inputlookup", "transpose"),
        *("untable", "xyseries", "eventcount", "metadata", "gentimes", "rest", "datamodel", "from", "addcoltotals"),
        *("makecontinuous", "appendcols"),
    )
)


@dataclass
class Outcome:
    """The rows of a finished search, in memory, with their columns in order."""

    rows: list[Row]
    header: list[str]
    events: bool = False
    truncated: bool = False


@dataclass
class Compiler:
    """Turns text into commands; ``dry`` parses subsearches without running them."""

    services: Services
    context: Context
    dry: bool = False
    expanded: str = ""
    names: list[str] = field(default_factory=list)

    def compile(self, text: str) -> list[Command]:
        """Compile a whole pipeline.

        Raises:
            SplError: with text and position.
        """
        prepared = prepare(text, self.services.macro)
        self.expanded = self.expanded or prepared
        try:
            return self._commands(split(prepared))
        except SplError as error:
            raise error.located(prepared) from error

    def compile_continuation(self, text: str) -> list[Command]:
        """Compile commands that go on with rows that are there: a post-process search."""
        prepared = prepare(text, self.services.macro)
        if not prepared.strip().startswith("|"):
            prepared = "| " + prepared
        self.expanded = prepared
        env = Env(self.services, self.context, self.compile, run_commands, self.dry)
        try:
            return [self._command(segment, env, first=False) for segment in split(prepared)]
        except SplError as error:
            raise error.located(prepared) from error

    def _commands(self, segments: list[Segment]) -> list[Command]:
        env = Env(self.services, self.context, self.compile, run_commands, self.dry)
        commands: list[Command] = []
        for place, segment in enumerate(segments):
            command = self._command(segment, env, first=place == 0)
            commands.append(command)
        text = segments[0].text if segments else ""
        plan(commands, named_in(f"{self.expanded} {text}"))
        return commands

    def _command(self, segment: Segment, env: Env, first: bool) -> Command:
        self.names.append(segment.name)
        if segment.name == "search" and first:
            return parse_search_source(segment, env)
        parse = REGISTRY.get(segment.name)
        if parse is None:
            return self._custom(segment, first)
        if segment.name in GENERATING and not first:
            raise SplError(
                f"Error in '{segment.name}' command: This command must be the first command of a search.",
                segment.text,
                segment.name_at,
            )
        return parse(segment, env)

    def _custom(self, segment: Segment, first: bool) -> Command:
        spec = self.services.custom_command(segment.name)
        if spec is None:
            if segment.name in UNSUPPORTED:
                raise unsupported(segment)
            raise unknown_command(segment, [*REGISTRY, *self.services.custom_names()])
        return CustomCommand(spec, custom_arguments(segment), segment.body.strip(), first)


ARGUMENT = re.compile(r'((?:[^\s"]|"(?:[^"\\]|\\.)*")+)', re.DOTALL)


def custom_arguments(segment: Segment) -> list[str]:
    """Split a custom command's arguments as splunkd does: at white space and commas, quotes around values removed."""
    found: list[str] = []
    for match in ARGUMENT.finditer(segment.body):
        word = match[1].strip(",")
        if not word:
            continue
        found += [QUOTED.sub(lambda m: re.sub(r"\\(.)", r"\1", m[1]), part) for part in _commas(word)]
    return found


def _commas(word: str) -> list[str]:
    if "=" in word or '"' in word:
        return [word]
    return [part for part in word.split(",") if part]


def plan(commands: list[Command], named: frozenset[str] = frozenset()) -> None:
    """Tell each command which fields those behind it read, so that a scan extracts no more.

    ``named`` are the default fields that the search names: where every field is read, only those of them are made.
    """
    wanted = EVERY
    for command in reversed(commands):
        command.wanted = command.needs(wanted)
        wanted = command.wanted
    if commands and isinstance(commands[0], SearchSource):
        by_kind = commands[0].expression.fields <= KIND
        commands[0].hints = replace(_hints(commands[0], commands[1:]), by_kind=by_kind, named=named)


def _hints(source: SearchSource, behind: list[Command]) -> Hints:
    """What the first command that takes all rows, behind others that take them one by one, allows the scan."""
    nothing: frozenset[str] = frozenset()
    fields = source.expression.fields
    touched = nothing if fields <= KIND else fields  # those of its kind are judged before there is a row
    for command in behind:
        own = command.needs(nothing)
        if own is None:
            break
        if isinstance(command, Stats | Chart | Top):
            numeric = nothing if isinstance(command, Top) else command.numeric()
            exact = None if source.wanted is None else touched | own
            return Hints(not command.any_order, numeric - touched, exact)
        if not command.streaming:
            break
        touched |= own
    return Hints()


def run_commands(commands: list[Command], context: Context) -> Stage:
    """Chain the commands; nothing runs until the rows are read."""
    stage = Stage(())
    for command in commands:
        stage = command.apply(stage, context)
    return stage


def execute(text: str, services: Services, context: Context) -> Outcome:
    """Run a search to its end.

    Raises:
        SplError: it does not parse, or fails while running.
    """
    compiler = Compiler(services, context)
    commands = compiler.compile(text)
    try:
        stage = run_commands(commands, context)
        rows: list[Row] = []
        truncated = False
        for row in stage.rows:
            if len(rows) >= context.limits.results:
                truncated = True
                break
            rows.append(row)
    except SplError as error:
        raise error.located(compiler.expanded) from error
    except RecursionError as error:
        raise SplError("The search is nested too deeply") from error
    if truncated:
        context.say("WARN", f"Results were truncated to {context.limits.results} rows.")
    return Outcome(rows, header_of(stage, rows), stage.events, truncated)


def check(text: str, services: Services, context: Context) -> dict[str, Any]:
    """Parse a search without running anything; return what search/parser answers."""
    compiler = Compiler(services, context, dry=True)
    compiler.compile(text)
    prepared = compiler.expanded
    commands = [
        {
            "command": segment.name,
            "rawargs": segment.body.strip(),
            "pipeline": "report" if segment.name in TRANSFORMING else "streaming",
            "args": segment.body.strip(),
            "isGenerating": place == 0 and segment.name in (GENERATING | EITHER),
            "streamType": "SP_STREAM",
        }
        for place, segment in enumerate(split(prepared))
    ]
    return {"normalizedSearch": prepared.strip(), "commands": commands, "remoteTimeOrdered": True}
