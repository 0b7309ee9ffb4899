"""The phrases of ``vocabulary.yml``, each with the group that is held out together."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Any
from zlib import crc32

import yaml

from apisec.classification.classes import BY_NAME
from apisec.errors import DocumentError

WHERE = "ml/apisec_ml/names/vocabulary.yml"
_LISTS = ("owners", "wrappers", "parents", "nouns", "attributes", "plain", "heads", "heads_before")


@dataclass(frozen=True)
class Phrase:
    """Words that name a class (None: an ordinary field). ``stem`` is the word that carries it: held out as one."""

    words: tuple[str, ...]
    data_class: str | None
    language: str
    stem: str


@dataclass(frozen=True)
class Vocabulary:
    """Phrases of classes, and the lists that ordinary names and spellings are made of."""

    phrases: tuple[Phrase, ...]
    owners: tuple[str, ...]
    wrappers: tuple[str, ...]
    parents: tuple[str, ...]
    nouns: tuple[str, ...]
    attributes: tuple[str, ...]
    plain: tuple[str, ...]
    heads: tuple[str, ...]
    heads_before: tuple[str, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(sorted({phrase.data_class for phrase in self.phrases if phrase.data_class}))


def load() -> Vocabulary:
    """Read the vocabulary that ships with this package; DocumentError when a class is none of apisec's."""
    document = yaml.safe_load(resources.files("apisec_ml.names").joinpath("vocabulary.yml").read_text("utf-8"))
    return parse(document)


def parse(document: dict[str, Any]) -> Vocabulary:
    unknown = sorted(set(document["positive"]) - set(BY_NAME))
    if unknown:
        raise DocumentError(f"not a class: {', '.join(unknown)}", where=WHERE)
    phrases = [
        _phrase(words, data_class, language)
        for data_class, languages in document["positive"].items()
        for language, listed in languages.items()
        for words in listed.split(";")
    ]
    return Vocabulary(tuple(phrases), *(tuple(document[key].split()) for key in _LISTS))


def _phrase(text: str, data_class: str, language: str) -> Phrase:
    words = tuple(text.split())
    return Phrase(words, data_class, language, max(words, key=lambda word: (len(word), word)))


def group(stem: str, folds: int) -> int:
    """Return the fold (0 to ``folds`` - 1) of a stem: the same in every run, and for every phrase that has it."""
    return crc32(stem.encode()) % folds
