"""Generate a split: lines for ``apisec-forwarder replay``, and the labels beside them."""

from __future__ import annotations

import random
from collections.abc import Iterator

from benchmarks.corpus.bodies import BODIES, ERRORS, Carrier, bare
from benchmarks.corpus.checks import Rng
from benchmarks.corpus.draft import Draft
from benchmarks.corpus.elsewhere import ELSEWHERE, path
from benchmarks.corpus.split import Format, Item, Name, Negative, Split

START = 1_767_225_600.0
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
SHORT = 6  # characters below which a value is looked for by itself only, and so must be alone in its transaction


def names_of(split: Split, form: Format) -> tuple[Name, ...]:
    """Return the names a format may stand under: those of its class, or of the class above it."""
    name = form.data_class
    while name and name not in split.names:
        name = name.rpartition(".")[0]
    return split.names[name]


def positive(rng: Rng, split: Split) -> Item:
    """Return one value that is sensitive, under a name that says so or, when it shows itself, sometimes under none."""
    families = list(split.formats)
    family = rng.choices(families, [WEIGHTS.get(name, 1) for name in families])[0]
    form = rng.choice(split.formats[family])
    name = rng.choice(names_of(split, form))
    if form.bare and rng.random() < 0.3:
        name = rng.choice(split.style.neutral_names)
    key = form.key + ("|bare" if form.bare else "")
    return Item(name, form.make(rng), form.data_class, key, form.accept, (), form.make)


def negative(rng: Rng, split: Split) -> Item:
    chosen: Negative = rng.choice(split.negatives)
    return Item((chosen.name,), chosen.make(rng), None, chosen.key, (), chosen.strict, chosen.make)


def _items(rng: Rng, split: Split, positives: int, negatives: int) -> list[Item]:
    items = [positive(rng, split) for _ in range(positives)] + [negative(rng, split) for _ in range(negatives)]
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
    """True when a short value stands twice: whether it leaked could not be told."""
    line = draft.line()
    short = [label.item.text for label in draft.labels if label.item.data_class and len(label.item.text) < SHORT]
    return any(line.count(text) > 1 for text in short)


def _carrier(rng: Rng, weights: dict[Carrier, int]) -> Carrier:
    return rng.choices(list(weights), list(weights.values()))[0]


def transaction(rng: Rng, split: Split, number: int) -> Draft:
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
        items = _items(rng, split, rng.randint(1, 4), rng.randint(2, 7))
        while carrier is bare and not any(item.key.endswith("|bare") for item in items):
            items = _items(rng, split, 3, 0)
        carrier(rng, split, draft, side, items)
    if rng.random() < 0.5:
        carrier = _carrier(rng, ELSEWHERE)
        draft.carrier = carrier.__name__
        items = _items(rng, split, rng.randint(1, 3), rng.randint(1, 4))
        while carrier is path and not any(item.key.endswith("|bare") for item in items):
            items = _items(rng, split, 3, 0)
        carrier(rng, split, draft, "request", items)
    return draft


def transactions(split: Split, count: int, seed: int | None = None) -> Iterator[Draft]:
    """Yield ``count`` transactions; the same seed gives the same ones."""
    rng = random.Random(split.seed if seed is None else seed)
    number = 0
    while number < count:
        draft = transaction(rng, split, number)
        if draft.labels and not _collides(draft):
            yield draft
            number += 1
