"""What a split of the corpus is made of: formats of values, names of fields, phrases, hard negatives, a style."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

Value = str | int | float
Make = Callable[[random.Random], Value]


@dataclass(frozen=True)
class Format:
    """One way a class is written. ``key`` says class, issuer and layout; no key stands in both splits.

    ``bare`` says that the value shows what it is under any name and in any text; others are planted only where a
    name or a phrase tells. ``accept`` are classes that are right too.
    """

    key: str
    make: Make
    data_class: str
    bare: bool = False
    accept: tuple[str, ...] = ()
    names: str = ""  # names of its own, where those of the class would not tell: comma-separated


@dataclass(frozen=True)
class Negative:
    """A value that is not sensitive, under a name that may look so. ``strict`` are classes that strict mode may see."""

    key: str
    name: str
    make: Make
    strict: tuple[str, ...] = ()


@dataclass(frozen=True)
class Style:
    """How payloads of a split are put together."""

    casings: tuple[Callable[[Sequence[str]], str], ...]
    wrappers: tuple[tuple[str, ...], ...]  # members around a record, outermost first; "[]" is an array
    arrays: tuple[str, ...]
    collections: tuple[str, ...]  # path segments
    namespaces: tuple[str, ...]  # of XML
    neutral_names: str  # names that say nothing of a value
    texts: tuple[str, ...]  # {phrase}: what stands around a phrase in free text
    traces: tuple[str, ...]  # {phrase}: stack traces
    operations: tuple[str, ...]  # of GraphQL, JSON-RPC, SOAP
    agents: tuple[str, ...]


@dataclass(frozen=True)
class Split:
    name: str
    seed: int
    formats: Mapping[str, tuple[Format, ...]]  # by class
    names: Mapping[str, str]  # by class, comma-separated; "card/nbr" is nbr in an object card
    phrases: Mapping[str, tuple[str, ...]]  # by class, with {v}
    negatives: tuple[Negative, ...]
    negative_phrases: tuple[str, ...]  # with {v}, for values of negatives
    style: Style


@dataclass(frozen=True)
class Item:
    """A value to place. ``data_class`` is None for what is not sensitive."""

    name: tuple[str, ...]  # each part words: ("payment card", "number")
    value: Value
    data_class: str | None
    key: str
    accept: tuple[str, ...] = ()
    strict: tuple[str, ...] = ()
    make: Make | None = field(default=None, compare=False)

    @property
    def text(self) -> str:
        return str(self.value)


def names(listed: str) -> list[tuple[str, ...]]:
    """Read names written ``card no, payment card/no``."""
    return [tuple(part.strip() for part in name.split("/")) for name in listed.replace("\n", " ").split(",") if name.strip()]


def camel(words: Sequence[str]) -> str:
    return words[0] + "".join(word[:1].upper() + word[1:] for word in words[1:])


def snake(words: Sequence[str]) -> str:
    return "_".join(words)


def kebab(words: Sequence[str]) -> str:
    return "-".join(words)


def pascal(words: Sequence[str]) -> str:
    return "".join(word[:1].upper() + word[1:] for word in words)


def screaming(words: Sequence[str]) -> str:
    return "_".join(words).upper()


def flat(words: Sequence[str]) -> str:
    return "".join(words)
