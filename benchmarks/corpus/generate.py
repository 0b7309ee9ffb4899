"""Generate a split: lines for ``apisec-forwarder replay``, and the labels beside them."""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from benchmarks.corpus.bodies import BODIES, ERRORS, Carrier, bare
from benchmarks.corpus.checks import Rng
from benchmarks.corpus.draft import Draft
from benchmarks.corpus.elsewhere import ELSEWHERE, path
from benchmarks.corpus.split import STRATA, UNNAMED, Format, Item, Name, Names, Negative, Split, name_of

START = 1_767_225_600.0
SHORT = 6  # characters below which a value is looked for by itself only, and so must be alone in its transaction
NEUTRAL = 0.25  # share of the values showing themselves that stand under a name that says nothing
ANY_COUNTRY = 0.35  # share of the national numbers under a name that tells no country

T = TypeVar("T")


class Decks:
    """Draws without putting back, deck after deck: everything comes about equally often."""

    def __init__(self, rng: Rng) -> None:
        self._rng, self._decks = rng, dict[object, list[Any]]()

    def draw(self, key: object, entries: Sequence[T]) -> T:
        deck = self._decks.get(key)
        if not deck:
            deck = self._decks[key] = self._rng.sample(entries, len(entries))
        found: T = deck.pop()
        return found

    def weighted(self, key: object, weights: dict[T, int]) -> T:
        return self.draw(key, [entry for entry, weight in weights.items() for _ in range(weight)])


def names_of(split: Split, form: Format) -> dict[str, Names]:
    """Return the lists of names that a format may stand under, by their class: its own, and that above it."""
    listed = {}
    above = form.data_class.rpartition(".")[0]
    for name in (f"{form.data_class} {form.kind}", form.data_class, f"{above} {form.kind}"):
        if name in split.names:
            listed[name] = split.names[name]
            break
    if above in split.names and (above == "pii.national_id" or not listed):
        listed[above] = split.names[above]
    return listed


def _named(rng: Rng, decks: Decks, split: Split, form: Format) -> tuple[Name, str, bool]:
    """Return a name for a format, its stratum, and whether it tells no more than the class above."""
    listed = names_of(split, form)
    own = next(iter(listed))
    above = len(listed) > 1 and rng.random() < ANY_COUNTRY
    chosen = list(listed)[-1] if above else own
    shares = {stratum: STRATA.get(stratum, 1) for stratum in listed[chosen]}
    stratum = decks.weighted(("stratum", own), shares)
    name = decks.draw((chosen, stratum), listed[chosen][stratum])
    return name, stratum, chosen != own or (own != form.data_class and own == "pii.national_id")


def positive(rng: Rng, decks: Decks, split: Split) -> Item:
    """Return one value that is sensitive, under a name that says so or, when it shows itself, sometimes under none."""
    family = decks.weighted("family", {name: split.weights.get(name, 1) for name in split.formats})
    form = decks.draw(("format", family), split.formats[family])
    name, stratum, any_country = _named(rng, decks, split, form)
    accept = form.accept
    if any_country:
        accept += ("pii.national_id",)  # whose check the number passes, too: nothing tells the country
    if form.bare and rng.random() < NEUTRAL:
        name, stratum = rng.choice(split.style.neutral_names), UNNAMED
    key = form.key + ("|bare" if form.bare else "")
    return Item(name, form.make(rng), form.data_class, key, accept, (), form.make, stratum, form.kind)


@functools.cache
def _harmless(negatives: tuple[Negative, ...]) -> list[Negative]:
    """Return what a deck of harmless values holds. Those that pass for cards come half as often: about as cards do."""
    return [one for one in negatives for _ in range(1 if one.strict == ("pci.pan",) else 2)]


def negative(rng: Rng, decks: Decks, split: Split) -> Item:
    chosen: Negative = decks.draw("harmless", _harmless(split.negatives))
    name = name_of(chosen.name, chosen.stratum)
    return Item(name, chosen.make(rng), None, chosen.key, (), chosen.strict, chosen.make, chosen.stratum)


def _items(rng: Rng, decks: Decks, split: Split, positives: int, negatives: int) -> list[Item]:
    items = [positive(rng, decks, split) for _ in range(positives)]
    items += [negative(rng, decks, split) for _ in range(negatives)]
    rng.shuffle(items)
    taken: set[tuple[str, ...]] = set()
    found = []
    for item in items:
        if item.name not in taken and not any(
            item.name[: len(n)] == n or n[: len(item.name)] == item.name for n in taken
        ):
            taken.add(item.name)
            found.append(item)
    return found


def _collides(draft: Draft) -> bool:
    """True when a short value stands alone twice: whether it leaked could not be told."""
    line = draft.line()
    short = [label.item.text for label in draft.labels if label.item.data_class and len(label.item.text) < SHORT]
    return any(len(re.findall(rf"(?<![0-9A-Za-z]){re.escape(text)}(?![0-9A-Za-z])", line)) > 1 for text in short)


def _carrier(rng: Rng, weights: dict[Carrier, int]) -> Carrier:
    return rng.choices(list(weights), list(weights.values()))[0]


def transaction(rng: Rng, decks: Decks, split: Split, number: int) -> Draft:
    """Return one transaction: a body on a side, sometimes on both, and values elsewhere."""
    draft = Draft(f"{split.name}-{number}", START + number)
    draft.segments = [rng.choice(split.style.collections)]
    draft.request.headers.append(("User-Agent", rng.choice(split.style.agents)))
    sides = rng.choice((("request",), ("response",), ("request", "response")))
    for side in sides:
        carrier = _carrier(rng, BODIES)
        if carrier in ERRORS and side == "request":
            continue
        draft.carrier = carrier.__name__
        items = _items(rng, decks, split, rng.randint(1, 4), rng.randint(2, 7))
        while carrier is bare and not any(item.key.endswith("|bare") for item in items):
            items = _items(rng, decks, split, 3, 0)
        carrier(rng, split, draft, side, items)
    if rng.random() < 0.5:
        carrier = _carrier(rng, ELSEWHERE)
        draft.carrier = carrier.__name__
        items = _items(rng, decks, split, rng.randint(1, 3), rng.randint(1, 4))
        while carrier is path and not any(item.key.endswith("|bare") for item in items):
            items = _items(rng, decks, split, 3, 0)
        carrier(rng, split, draft, "request", items)
    return draft


def transactions(split: Split, count: int | None = None, seed: int | None = None) -> Iterator[Draft]:
    """Yield ``count`` transactions, or as many as the split's own size; the same seed gives the same ones."""
    rng = random.Random(split.seed if seed is None else seed)
    decks, number = Decks(rng), 0
    while number < (split.size if count is None else count):
        draft = transaction(rng, decks, split, number)
        if draft.labels and not _collides(draft):
            yield draft
            number += 1
