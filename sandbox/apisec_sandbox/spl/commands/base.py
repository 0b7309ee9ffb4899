"""What a command is, and what its parser gets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from apisec_sandbox.spl.context import EVERY, Context, Fields, Services, Stage
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.expressions import Scope
from apisec_sandbox.spl.lexer import Cursor, Token, arguments
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.values import Row


class Command:
    """One step of a pipeline. ``apply`` may be lazy: it is called once, before any row is read."""

    generating: ClassVar[bool] = False  # stands first, takes no rows
    streaming: ClassVar[bool] = False  # looks at one row at a time (Search Reference, "Command types")
    wanted: Fields = EVERY  # what the commands behind it read; set by the planner

    def needs(self, wanted: Fields) -> Fields:  # noqa: ARG002 - the safe answer is: every field
        """Return the fields this command and those behind it read, given what those behind it read."""
        return EVERY

    def apply(self, stage: Stage, context: Context) -> Stage:
        raise NotImplementedError


class OnField(Command):
    """Rewrites one field, row by row: ``_rows`` says how."""

    streaming: ClassVar[bool] = True
    field: str

    def needs(self, wanted: Fields) -> Fields:
        return union(wanted, (self.field,))

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        return Stage(self._rows(stage), stage.header, stage.events)

    def _rows(self, stage: Stage) -> Iterator[Row]:
        raise NotImplementedError


@dataclass
class Env:
    """What parsing a command may need beside its text."""

    services: Services
    context: Context
    compile: Callable[[str], list[Command]]
    run: Callable[[list[Command], Context], Stage]
    dry: bool = False  # parse only: subsearches are checked but not run
    scope: Scope = field(init=False)

    def __post_init__(self) -> None:
        self.scope = Scope(self.context.now, services=self.services)


Parse = Callable[[Segment, Env], Command]


class Arguments(Cursor):
    """The arguments of one command, with what most commands share: options and lists of fields."""

    def __init__(self, segment: Segment) -> None:
        super().__init__(arguments(segment.text, segment.start, segment.end), segment.text, segment.end)
        self.command = segment.name

    def fail(self, message: str, token: Token | None = None) -> SplError:
        return self.error(f"Error in '{self.command}' command: {message}", token)

    def option(self, known: Iterable[str]) -> tuple[str, str] | None:
        """Take ``name=value`` when it stands here; a name outside ``known`` is left for the caller."""
        name, equals, value = self.peek(), self.peek(1), self.peek(2)
        if not (name and equals and name.kind == "word" and equals.is_op("=")):
            return None
        if name.value.lower() not in known:
            return None
        if value is None or value.kind not in ("word", "text"):
            raise self.fail(f"the option {name.value} needs a value", equals)
        self.at += 3
        return name.value.lower(), value.value

    def options(self, *known: str) -> dict[str, str]:
        """Take all options that stand here."""
        found: dict[str, str] = {}
        while pair := self.option(known):
            found[pair[0]] = pair[1]
        return found

    def refuse_option(self, known: Iterable[str]) -> None:
        """Raise when an option stands here: the caller has taken those it knows."""
        name, equals = self.peek(), self.peek(1)
        if name and equals and name.kind == "word" and equals.is_op("="):
            raise self.fail(f"unknown option '{name.value}'; known: {', '.join(known) or 'none'}", name)

    def field_name(self, what: str = "a field name") -> str:
        token = self.next(what)
        if token.kind not in ("word", "text", "name"):
            raise self.fail(f"expected {what}, found {token.value!r}", token)
        return token.value

    def field_list(self, *stop: str) -> list[str]:
        """Take field names, with or without commas, up to a stop word or the end."""
        names: list[str] = []
        while (token := self.peek()) and not token.is_word(*stop):
            if token.is_op(","):
                self.at += 1
                continue
            follows = self.peek(1)
            if token.kind not in ("word", "text", "name") or (follows and follows.is_op("=")):
                break
            names.append(token.value)
            self.at += 1
        return names

    def take(self, known: tuple[str, ...], *kept: str) -> dict[str, str]:
        """Take the options that stand here and refuse others; ``kept`` are names that ``=`` may follow."""
        found = self.options(*known)
        token = self.peek()
        if token is None or not token.is_word(*kept):
            self.refuse_option(known)
        return found

    def count(self, default: int, least: int = 0) -> int:
        """Take a bare number where one stands."""
        token = self.peek()
        if not (token and token.kind == "word" and token.value.isdigit()):
            return default
        self.at += 1
        return whole(self, "the count", token.value, least)

    def subsearch(self) -> Token:
        token = self.next("a subsearch in brackets")
        if token.kind != "search":
            raise self.fail("a subsearch in brackets is needed", token)
        return token

    def close(self) -> None:
        token = self.peek()
        if token:
            raise self.fail(f"unexpected argument {token.value!r}", token)


def whole(args: Arguments, name: str, text: str, least: int = 0) -> int:
    """Read a whole number, or fail with the option's name."""
    try:
        number = int(text)
    except ValueError as error:
        raise args.fail(f"{name} must be a whole number, given {text!r}") from error
    if number < least:
        raise args.fail(f"{name} must be at least {least}, given {number}")
    return number


def boolean(args: Arguments, name: str, text: str) -> bool:
    folded = text.lower()
    if folded in ("t", "true", "1", "yes"):
        return True
    if folded in ("f", "false", "0", "no"):
        return False
    raise args.fail(f"{name} must be true or false, given {text!r}")


def choice(args: Arguments, name: str, text: str, known: tuple[str, ...]) -> str:
    """Read one of the documented values of an option."""
    folded = text.lower()
    if folded not in known:
        raise args.fail(f"{name} must be one of {', '.join(known)}, given {text!r}")
    return folded


def is_first(segment: Segment) -> bool:
    """Tell whether the command stands at the head of its pipeline."""
    return segment.text[: segment.name_at].strip() in ("", "|")


def must_be_first(segment: Segment) -> None:
    if not is_first(segment):
        raise SplError(
            f"Error in '{segment.name}' command: This command must be the first command of a search.",
            segment.text,
            segment.name_at,
        )


def union(wanted: Fields, *more: Iterable[str]) -> Fields:
    """Return what is wanted with more fields; everything stays everything, and so does a wildcard."""
    if wanted is None:
        return EVERY
    names = set(wanted)
    for part in more:
        names.update(part)
    return EVERY if any("*" in name for name in names) else frozenset(names)


def added(header: list[str] | None, *names: str) -> list[str] | None:
    """Return the header with columns that a command adds."""
    if header is None:
        return None
    return header + [name for name in dict.fromkeys(names) if name not in header]


def checked(rows: Iterable[Row], context: Context, every: int = 1000) -> Iterator[Row]:
    """Let the job be cancelled while rows go through."""
    for number, row in enumerate(rows):
        if number % every == 0:
            context.check()
        yield row
