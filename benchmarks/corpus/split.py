"""What a split of the corpus is made of: formats of values, names of fields, phrases, hard negatives, a style."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

Value = str | int | float | bool
Make = Callable[[random.Random], Value]
Name = tuple[str, ...]  # each part words: ("payment card", "number"); see `spell`

# Strata: what kind of API speaks so, and how often of a hundred.
STRATA = {"english": 60, "other": 25, "legacy": 15}
UNNAMED, SENTENCE = "unnamed", "sentence"  # strata of values that no name tells of, and of those in free text


@dataclass(frozen=True)
class Format:
    """One way a class is written. ``key`` says class, issuer and layout; no key stands in two splits.

    ``bare`` says that the value shows what it is under any name and in any text; others are planted only where a
    name or a phrase tells. ``accept`` are classes that are right too. ``kind`` parts the names of a class: a family
    name does not stand under *given name*.
    """

    key: str
    make: Make
    data_class: str
    bare: bool = False
    accept: tuple[str, ...] = ()
    kind: str = ""


@dataclass(frozen=True)
class Negative:
    """A value that is not sensitive, under a name that may look so. ``strict`` are classes that strict mode may see."""

    key: str
    name: str
    make: Make
    strict: tuple[str, ...] = ()
    stratum: str = ""


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


Names = Mapping[str, tuple[Name, ...]]  # by stratum


@dataclass(frozen=True)
class Split:
    """One part of the corpus; names, phrases and style stand in a YAML file beside its formats.

    ``weights`` say how often a family of formats is drawn (1 when it is not there), ``size`` how many transactions
    make every class come often enough.
    """

    name: str
    seed: int
    formats: Mapping[str, tuple[Format, ...]]  # by family of classes
    negatives: tuple[Negative, ...]
    names: Mapping[str, Names]  # by class, or by class and kind: "pii.name family"
    phrases: Mapping[str, tuple[str, ...]]  # by class, or by class and kind, with {v}
    harmless_phrases: tuple[str, ...]  # with {v}, for values of negatives
    style: Style
    weights: Mapping[str, int]
    size: int = 3000


# Classes that targets are set for come more often, so that one miss in a hundred can be told from none.
WEIGHTS = {
    "pci.pan": 6,
    "pii.ssn": 4,
    "fin.iban": 4,
    "pii.email": 4,
    "pii.national_id": 6,
    "secret.api_key": 4,
    "pii.phone": 3,
}


def load(
    name: str,
    seed: int,
    formats: Mapping[str, tuple[Format, ...]],
    negatives: tuple[Negative, ...],
    files: Path | tuple[Path, Path] | None = None,
    weights: Mapping[str, int] | None = None,
    size: int = 3000,
) -> Split:
    """Make a split of its formats and of the words in a file, ``NAME.yml`` when none is named.

    Where there are two, names of fields stand by themselves in the first.
    """
    path = files or Path(__file__).with_name(f"{name}.yml")
    words = _read(path) if isinstance(path, Path) else {"names": _read(path[0]), **_read(path[1])}
    return Split(
        name=name,
        seed=seed,
        formats=formats,
        negatives=negatives
        + tuple(Negative(name, name, _choice(values)) for name, values in words.get("harmless", {}).items()),
        names={data_class: _names(listed) for data_class, listed in words["names"].items()},
        phrases={data_class: tuple(listed) for data_class, listed in words["phrases"].items()},
        harmless_phrases=tuple(words["harmless_phrases"]),
        style=_style(words["style"]),
        weights=WEIGHTS if weights is None else weights,
        size=size,
    )


def _read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document


def _style(document: Mapping[str, Any]) -> Style:
    style = {key: tuple(value) for key, value in document.items()}
    style["casings"] = tuple(CASINGS[casing] for casing in style["casings"])
    style["wrappers"] = tuple(tuple(wrapper) for wrapper in style["wrappers"])
    style["neutral_names"] = tuple(map(name_of, style["neutral_names"]))
    return Style(**style)


def _choice(values: Sequence[Value]) -> Make:
    return lambda rng: rng.choice(values)


def name_of(text: str, stratum: str = "") -> Name:
    """Read ``payment card/no``: the member *no* of an object *payment card*. Standards keep their own spelling."""
    return tuple(f"={part}" if stratum == "legacy" else part for part in text.split("/"))


def _names(listed: Any) -> Names:
    """Read the names of a class: a list, or a list for each stratum."""
    strata = listed if isinstance(listed, dict) else {"": listed}
    return {stratum: tuple(name_of(name, stratum) for name in names) for stratum, names in strata.items()}


def every_name(split: Split) -> Iterator[Name]:
    """Yield every name of a split, as it stands in its files."""
    for names in split.names.values():
        for listed in names.values():
            yield from listed
    yield from (name_of(one.name, one.stratum) for one in split.negatives)
    yield from split.style.neutral_names


# Words that every API uses for a part of something; what they are parts of differs between the splits.
GENERIC = {"number"}


def folded(names: Iterable[Name]) -> set[str]:
    """Return names as one would compare them: letters and digits of the whole, and of the last part by itself."""
    found = set()
    for name in names:
        found |= {_signs("".join(name)), _signs(name[-1])}
    return found - GENERIC


def _signs(text: str) -> str:
    return "".join(sign for sign in text.lower() if sign.isalnum())


def without(split: Split, *others: Split) -> Split:
    """Return a split without the names that stand in others: those may grow, and know nothing of it."""
    taken = set[str]().union(*(folded(every_name(other)) for other in others))

    def kept(names: Iterable[Name]) -> tuple[Name, ...]:
        return tuple(name for name in names if not folded([name]) & taken)

    return replace(
        split,
        names={name: {key: kept(listed) for key, listed in strata.items()} for name, strata in split.names.items()},
        negatives=tuple(one for one in split.negatives if kept([name_of(one.name, one.stratum)])),
    )


def spell(part: str, casing: Callable[[Sequence[str]], str]) -> str:
    """Return one part of a name as a message spells it: ``=Dbtr`` is a standard's own word, and stays."""
    return part[1:] if part.startswith("=") else casing(part.split())


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
    stratum: str = ""
    kind: str = ""

    @property
    def text(self) -> str:
        return str(self.value).lower() if isinstance(self.value, bool) else str(self.value)


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
