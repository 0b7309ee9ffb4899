"""Spells phrases as programmers do: conventions, owners before, wrappers behind, parents above, slips of the pen."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from apisec_ml.names.vocabulary import Phrase, Vocabulary, group

CONVENTIONS = ("camel", "snake", "kebab", "pascal", "dotted", "joined", "upper", "spaced", "screaming", "mixed")


@dataclass(frozen=True)
class Example:
    """A spelled name. ``fold`` is that of its stem, so that a stem is never on both sides of a split."""

    name: str
    parent: str
    data_class: str | None
    fold: int
    language: str
    convention: str


@dataclass(frozen=True)
class Recipe:
    """How many examples: spellings of each phrase, and ordinary names."""

    spellings: int = 10
    ordinary: int = 26_000
    turned: int = 5  # of each phrase: with a head that makes it another thing
    folds: int = 3
    seed: int = 1


def spell(words: list[str], convention: str) -> str:
    """Write words in a convention."""
    capital = [word[:1].upper() + word[1:] for word in words]
    match convention:
        case "camel":
            return words[0] + "".join(capital[1:])
        case "pascal":
            return "".join(capital)
        case "joined":
            return "".join(words)
        case "upper":
            return "_".join(words).upper()
        case "screaming":
            return "".join(words).upper()
        case "mixed":
            return "_".join(capital)
    return {"snake": "_", "kebab": "-", "dotted": ".", "spaced": " "}[convention].join(words)


def slip(word: str, rng: random.Random) -> str:
    """Misspell or shorten a word as people do."""
    if len(word) < 5:
        return word
    at = rng.randrange(1, len(word) - 1)
    kind = rng.randrange(4)
    if kind == 0:
        return word[:at] + word[at + 1 :]
    if kind == 1:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == 2:
        return word[:at] + word[at] + word[at:]
    return word[0] + "".join(c for c in word[1:] if c not in "aeiou") if rng.random() < 0.5 else word[:4]


def examples(vocabulary: Vocabulary, recipe: Recipe) -> list[Example]:
    """Return all examples; the same for the same vocabulary and recipe."""
    rng = random.Random(recipe.seed)  # noqa: S311 - spellings, not secrets
    made = [
        *_sensitive(vocabulary, recipe, rng),
        *_turned(vocabulary, recipe, rng),
        *_ordinary(vocabulary, recipe, rng),
    ]
    return list(dict.fromkeys(made))


def _sensitive(vocabulary: Vocabulary, recipe: Recipe, rng: random.Random) -> Iterator[Example]:
    for phrase in vocabulary.phrases:
        for turn in range(recipe.spellings):
            words = list(phrase.words)
            if turn >= 4:
                _dress(words, vocabulary, rng)
            convention = CONVENTIONS[turn] if turn < 4 else rng.choice(CONVENTIONS)
            parent = rng.choice(vocabulary.parents) if rng.random() < 0.4 else ""
            yield _example(phrase, words, convention, parent, recipe)


def _dress(words: list[str], vocabulary: Vocabulary, rng: random.Random) -> None:
    """Add an owner, a wrapper, an unknown word or a slip."""
    if rng.random() < 0.5:
        words.insert(0, rng.choice(vocabulary.owners))
    if rng.random() < 0.15:
        words.insert(0, rng.choice(vocabulary.nouns))
    if rng.random() < 0.2:
        words.append(rng.choice(vocabulary.wrappers))
    if rng.random() < 0.15:
        at = rng.randrange(len(words))
        words[at] = slip(words[at], rng)


def _turned(vocabulary: Vocabulary, recipe: Recipe, rng: random.Random) -> Iterator[Example]:
    """Sensitive phrases with a head that makes them another thing: email template, is password valid."""
    for phrase in vocabulary.phrases:
        for _ in range(recipe.turned):
            words = list(phrase.words)
            if rng.random() < 0.25:
                words.insert(0, rng.choice(vocabulary.heads_before))
                words.append(rng.choice(vocabulary.heads))
            else:
                words += rng.choice(vocabulary.heads).split("_")
            if rng.random() < 0.3:
                words.insert(0, rng.choice(vocabulary.owners))
            parent = rng.choice(vocabulary.parents) if rng.random() < 0.3 else ""
            yield _example(phrase, words, rng.choice(CONVENTIONS), parent, recipe, ordinary=True)


def _example(
    phrase: Phrase, words: list[str], convention: str, parent: str, recipe: Recipe, *, ordinary: bool = False
) -> Example:
    data_class = None if ordinary else phrase.data_class
    fold = group(phrase.stem, recipe.folds)
    return Example(spell(words, convention), parent, data_class, fold, phrase.language, convention)


def _ordinary(vocabulary: Vocabulary, recipe: Recipe, rng: random.Random) -> Iterator[Example]:
    for name in vocabulary.plain:
        for convention in ("camel", "snake", rng.choice(CONVENTIONS)):
            yield _plain(name, spell(name.split("_"), convention), "", convention, recipe)
    for _ in range(recipe.ordinary):
        noun = rng.choice(vocabulary.nouns)
        words = [noun]
        shape = rng.random()
        if shape < 0.55:
            words += rng.choice(vocabulary.attributes).split("_")
        elif shape < 0.7:
            words.insert(0, rng.choice(vocabulary.nouns))
        elif shape < 0.8:
            words.insert(0, rng.choice(vocabulary.plain).split("_")[0])
        if rng.random() < 0.12:
            words.insert(0, rng.choice(vocabulary.owners))
        if rng.random() < 0.1:
            at = rng.randrange(len(words))
            words[at] = slip(words[at], rng)
        parent = rng.choice([*vocabulary.parents, *vocabulary.nouns]) if rng.random() < 0.4 else ""
        convention = rng.choice(CONVENTIONS)
        yield _plain(noun, spell(words, convention), parent, convention, recipe)


def _plain(stem: str, name: str, parent: str, convention: str, recipe: Recipe) -> Example:
    return Example(name, parent, None, group(stem, recipe.folds), "en", convention)
