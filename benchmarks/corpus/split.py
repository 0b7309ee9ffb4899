"""What a split of the corpus is made of: formats of values, names of fields, phrases, hard negatives, a style."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

Value = str | int | float
Make = Callable[[random.Random], Value]
Name = tuple[str, ...]  # each part words: ("payment card", "number")


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
    operations: tuple[str, ...]  # of GraphQL, JSON-RPC, SOAP
    neutral_names: tuple[Name, ...]  # names that say nothing of a value
    namespaces: tuple[str, ...]  # of XML
    agents: tuple[str, ...]
    texts: tuple[str, ...]  # {phrase}: what stands around a phrase in free text
    traces: tuple[str, ...]  # {phrase}: stack traces


@dataclass(frozen=True)
class Split:
    """One part of the corpus; names, phrases and style stand in a YAML file beside its formats."""

    name: str
    seed: int
    formats: Mapping[str, tuple[Format, ...]]  # by family of classes
    negatives: tuple[Negative, ...]
    names: Mapping[str, tuple[Name, ...]]  # by class
    phrases: Mapping[str, tuple[str, ...]]  # by class, with {v}
    harmless_phrases: tuple[str, ...]  # with {v}, for values of negatives
    style: Style


def load(name: str, seed: int, formats: Mapping[str, tuple[Format, ...]], negatives: tuple[Negative, ...]) -> Split:
    """Make a split of its formats and of the words in ``NAME.yml``."""
    words = yaml.safe_load(Path(__file__).with_name(f"{name}.yml").read_text(encoding="utf-8"))
    style = {key: tuple(value) for key, value in words["style"].items()}
    style["casings"] = tuple(CASINGS[casing] for casing in style["casings"])
    style["wrappers"] = tuple(tuple(wrapper) for wrapper in style["wrappers"])
    style["neutral_names"] = tuple(map(_name, style["neutral_names"]))
    return Split(
        name=name,
        seed=seed,
        formats=formats,
        negatives=negatives
        + tuple(Negative(name, name, _choice(values)) for name, values in words["harmless"].items()),
        names={data_class: tuple(map(_name, listed)) for data_class, listed in words["names"].items()},
        phrases={data_class: tuple(listed) for data_class, listed in words["phrases"].items()},
        harmless_phrases=tuple(words["harmless_phrases"]),
        style=Style(**style),
    )


def _choice(values: Sequence[str]) -> Make:
    return lambda rng: rng.choice(values)


def _name(text: str) -> Name:
    """Read ``payment card/no``: the member *no* of an object *payment card*."""
    return tuple(text.split("/"))


@dataclass(frozen=True)
class Item:
    """A value to place. ``data_class`` is None for what is not sensitive."""

    name: Name
    value: Value
    data_class: str | None
    key: str
    accept: tuple[str, ...] = ()
    strict: tuple[str, ...] = ()
    make: Make | None = field(default=None, compare=False)

    @property
    def text(self) -> str:
        return str(self.value)


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


CASINGS = {casing.__name__: casing for casing in (camel, snake, kebab, pascal, screaming, flat)}
