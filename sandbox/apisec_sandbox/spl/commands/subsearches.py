"""Commands that run other pipelines beside theirs: append, appendcols, appendpipe, multisearch, union.

Source: Search Reference, the page of each; limits.conf [searchresults] and [subsearch].
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from apisec_sandbox.spl.commands.base import Arguments, Command, Env, Parse, added, boolean, checked, is_first, whole
from apisec_sandbox.spl.commands.datasets import dataset
from apisec_sandbox.spl.commands.sources import SearchSource
from apisec_sandbox.spl.context import Context, Stage, header_of
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.lexer import Token
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.values import Row, to_number

SUBSEARCH_OPTIONS = ("maxtime", "maxout", "timeout", "extendtimerange")
MAX_DEPTH = 8  # of pipelines inside pipelines


@dataclass(frozen=True)
class Limit:
    """How many rows another pipeline may bring; ``maxtime`` and ``timeout`` are checked but never reached here."""

    rows: int | None = None

    def run(self, env: Env, commands: list[Command], context: Context, name: str) -> tuple[Stage, list[Row]]:
        if context.depth >= MAX_DEPTH:
            raise SplError(f"Error in '{name}' command: searches are nested too deeply.")
        stage = env.run(commands, replace(context, depth=context.depth + 1))
        most = context.limits.append if self.rows is None else self.rows
        rows = list(itertools.islice(checked(stage.rows, context), most + 1))
        if len(rows) > most:
            context.say("WARN", f"[{name}]: Subsearch produced more than {most} results, truncating to {most}.")
            rows.pop()
        return stage, rows


def _limit(args: Arguments, options: dict[str, str]) -> Limit:
    for name in ("maxtime", "timeout"):
        if name in options:
            whole(args, name, options[name])
    boolean(args, "extendtimerange", options.get("extendtimerange", "f"))
    return Limit(whole(args, "maxout", options["maxout"]) if "maxout" in options else None)


@dataclass
class Append(Command):
    commands: list[Command]
    env: Env
    limit: Limit

    def apply(self, stage: Stage, context: Context) -> Stage:
        other, rows = self.limit.run(self.env, self.commands, context, "append")
        header = None if stage.header is None else added(stage.header, *header_of(other, rows))
        return Stage(itertools.chain(stage.rows, rows), header, stage.events)


def parse_append(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    options = args.take(SUBSEARCH_OPTIONS)
    token = args.subsearch()
    args.close()
    return Append(env.compile(token.value), env, _limit(args, options))


@dataclass
class AppendCols(Command):
    """The first row gets the fields of the other search's first row, and so on, but for internal ones."""

    commands: list[Command]
    env: Env
    limit: Limit
    override: bool

    def apply(self, stage: Stage, context: Context) -> Stage:
        other, rows = self.limit.run(self.env, self.commands, context, "appendcols")
        names = [name for name in header_of(other, rows) if not name.startswith("_")]
        header = None if stage.header is None else added(stage.header, *names)
        return Stage(self._rows(stage.rows, rows, frozenset(names)), header, stage.events)

    def _rows(self, own: Iterable[Row], others: list[Row], names: frozenset[str]) -> Iterator[Row]:
        for left, right in itertools.zip_longest(own, others):
            row: Row = {} if left is None else left
            for name, value in (right or {}).items():
                if name in names and (self.override or row.get(name) is None):
                    row[name] = value
            yield row


def parse_appendcols(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    options = args.take(("override", *SUBSEARCH_OPTIONS))
    token = args.subsearch()
    args.close()
    override = boolean(args, "override", options.pop("override", "f"))
    return AppendCols(env.compile(token.value), env, _limit(args, options), override)


@dataclass
class AppendPipe(Command):
    """Run a pipeline over the rows so far and append what it gives."""

    commands: list[Command]

    def apply(self, stage: Stage, context: Context) -> Stage:
        rows = list(checked(stage.rows, context))
        current = Stage([dict(row) for row in rows], None if stage.header is None else list(stage.header), stage.events)
        for command in self.commands:
            current = command.apply(current, context)
        more = list(checked(current.rows, context))
        header = None if stage.header is None else added(stage.header, *header_of(current, more))
        return Stage(itertools.chain(rows, more), header, stage.events)


def parse_appendpipe(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    options = args.take(("run_in_preview",))
    boolean(args, "run_in_preview", options.get("run_in_preview", "t"))
    token = args.subsearch()
    args.close()
    commands = env.compile("| " + token.value.strip().removeprefix("|"))
    if any(command.generating for command in commands):
        raise args.fail("the pipeline must start with a command that takes rows", token)
    return AppendPipe(commands)


@dataclass
class Union(Command):
    """Rows of several searches: events by time, newest first; rows of other kinds one search after the other."""

    generating: ClassVar[bool] = False
    name: str
    parts: list[list[Command]]
    env: Env
    limit: Limit | None
    alone: bool  # first in the pipeline: there are no rows yet

    def apply(self, stage: Stage, context: Context) -> Stage:
        stages = [] if self.alone else [stage]
        for commands in self.parts:
            if self.limit is None:
                stages.append(self.env.run(commands, context))
            else:
                other, rows = self.limit.run(self.env, commands, context, self.name)
                stages.append(Stage(rows, other.header, other.events))
        if all(one.events for one in stages):
            return Stage(heapq.merge(*(one.rows for one in stages), key=_newest), None, True)
        return _chained(stages)


def _newest(row: Row) -> float:
    return -float(to_number(row.get("_time")) or 0)


def _chained(stages: list[Stage]) -> Stage:
    rows = [list(one.rows) for one in stages]
    header = list(dict.fromkeys(name for one, held in zip(stages, rows, strict=True) for name in header_of(one, held)))
    return Stage(itertools.chain.from_iterable(rows), header if any(one.header for one in stages) else None)


def parse_multisearch(segment: Segment, env: Env) -> Command:
    """At least two searches of streaming commands only (docs: multisearch)."""
    args = Arguments(segment)
    if not is_first(segment):
        raise SplError(
            "Error in 'multisearch' command: This command must be the first command of a search.",
            segment.text,
            segment.name_at,
        )
    parts: list[list[Command]] = []
    while not args.done():
        token = args.subsearch()
        commands = env.compile(token.value)
        _only_streaming(args, token, commands)
        parts.append(commands)
    if len(parts) < 2:
        raise args.fail("Multisearch requires two or more searches")
    return Union("multisearch", parts, env, None, True)


def _only_streaming(args: Arguments, token: Token, commands: list[Command]) -> None:
    for place, command in enumerate(commands):
        if not (command.streaming or (place == 0 and isinstance(command, SearchSource))):
            raise args.fail(
                f"Multisearch subsearches might only contain purely streaming operations "
                f"(subsearch {place + 1} contains a non-streaming command).",
                token,
            )


def parse_union(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    alone = is_first(segment)
    parts: list[list[Command]] = []
    options: dict[str, str] = {}
    while not args.done():
        if args.accept_op(","):
            continue
        options |= args.take(SUBSEARCH_OPTIONS)
        token = args.next("a dataset or a subsearch")
        parts.append(env.compile(token.value) if token.kind == "search" else dataset(args, env, token.value, token))
    if len(parts) + (not alone) < 2:
        raise args.fail("at least two datasets are needed")
    return Union("union", parts, env, _limit(args, options), alone)


COMMANDS: dict[str, Parse] = {
    "append": parse_append,
    "appendcols": parse_appendcols,
    "appendpipe": parse_appendpipe,
    "multisearch": parse_multisearch,
    "union": parse_union,
}
OPTIONS = {
    "append": SUBSEARCH_OPTIONS,
    "appendcols": ("override", *SUBSEARCH_OPTIONS),
    "appendpipe": ("run_in_preview",),
    "union": SUBSEARCH_OPTIONS,
}
