"""Verdicts on fields whose truth is known: values of the split *development*, through redactor and inventory.

Five kinds of fields, an operation each, so that nothing but its own samples speaks for one:

``named``    values of a class under a name that says so; in some of them every second value is a filler (*n/a*)
``unnamed``  values that show themselves, under a name that says nothing
``text``     harmless sentences, of which 2, 10 or 40 in a hundred hold a value of one of three classes
``harmless`` hard negatives: numbers that pass checks, names that look telling
``digits``   counters and random numbers of 12 to 19 digits, some with a card issuer's first ones, in strict mode: of
             those one in ten passes the check of cards

False detections are mixed in: a sample gets a class that is not in it. The truth of a text is what was planted in it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from apisec.classification import levels
from apisec.classification.classes import BY_NAME
from apisec.classification.fields import Verdict, summary, verdicts
from apisec.classification.overrides import Overrides
from apisec.classification.verdict import related
from apisec.decoders import DECODERS, Limits, MediaType
from apisec.endpoints.inventory import Inventory
from apisec.redaction.fields import field_list
from apisec.redaction.masks import Masker
from apisec.redaction.redactor import Redactor, label
from benchmarks.corpus import development
from benchmarks.corpus.generate import Decks, negative, positive
from benchmarks.corpus.split import UNNAMED, Item, spell

SPLIT = development.SPLIT
KINDS = ("named", "unnamed", "text", "harmless", "digits")
FILLERS = ("n/a", "-", "unknown", "", "none")
RATES = (0.02, 0.1, 0.4)
PLANTED = sorted(name for name in SPLIT.phrases if name in BY_NAME)
MAX_LISTED = 500
_REAL = [name for name, c in BY_NAME.items() if c.sensitivity >= 2]


class Sample(NamedTuple):
    """A value, and the classes that are in it: each of them is right."""

    value: object
    classes: tuple[str, ...]


@dataclass
class Field:
    """A field with its samples. ``planted`` counts in how many samples each class is."""

    kind: str
    path: tuple[str, ...]
    samples: list[Sample]
    accept: tuple[str, ...] = ()
    planted: dict[str, int] = field(default_factory=dict)
    verdict: Verdict | None = None
    operation_level: str = ""

    def __post_init__(self) -> None:
        for sample in self.samples:
            for name in sample.classes:
                self.planted[name] = self.planted.get(name, 0) + 1

    def right(self, data_class: str) -> bool:
        """Whether a class is in this field: the planted one, one above or below it, or one that is right too."""
        return any(related(data_class, name) for name in (*self.planted, *self.accept))

    @property
    def level(self) -> str:
        return levels.highest(levels.level(name) for name in self.planted)


def made(seed: int, count: int, samples: int) -> Iterator[Field]:
    """Yield ``count`` fields of each kind."""
    rng = random.Random(seed)
    decks = Decks(rng)
    for _ in range(count):
        yield _valued(rng, "named", _drawn(rng, decks, unnamed=False), samples)
        yield _valued(rng, "unnamed", _drawn(rng, decks, unnamed=True), samples)
        yield _text(rng, decks, samples)
        yield _valued(rng, "harmless", negative(rng, decks, SPLIT), samples)
        yield _digits(rng, samples)


def _drawn(rng: random.Random, decks: Decks, *, unnamed: bool) -> Item:
    while True:
        item = positive(rng, decks, SPLIT)
        if (item.stratum == UNNAMED) == unnamed and item.make is not None:
            return item


def _valued(rng: random.Random, kind: str, item: Item, samples: int) -> Field:
    casing = rng.choice(SPLIT.style.casings)
    classes = (item.data_class,) if item.data_class else ()
    filled = 0.5 if kind == "named" and rng.random() < 0.3 else 0.0
    assert item.make is not None
    values = [
        Sample(rng.choice(FILLERS), ()) if rng.random() < filled else Sample(item.make(rng), classes)
        for _ in range(samples)
    ]
    return Field(kind, tuple(spell(part, casing) for part in item.name), values, item.accept)


def _digits(rng: random.Random, samples: int) -> Field:
    length, quoted, counts = rng.randint(12, 19), rng.random() < 0.5, rng.random() < 0.5
    prefix = rng.choice(("", "", "4", "51", "37", "6011"))
    start = rng.randrange(10 ** (length - len(prefix) - 1), 10 ** (length - len(prefix)) - 10**6)
    numbers = [f"{prefix}{start + (n if counts else rng.randrange(10**6))}" for n in range(samples)]
    name = rng.choice(SPLIT.style.neutral_names)
    return Field("digits", name, [Sample(number if quoted else int(number), ()) for number in numbers])


def _text(rng: random.Random, decks: Decks, samples: int) -> Field:
    name, rate = rng.choice(SPLIT.style.neutral_names), rng.choice(RATES)
    chosen = rng.sample(PLANTED, 3)
    casing = rng.choice(SPLIT.style.casings)
    accept: set[str] = set()
    values = []
    for _ in range(samples):
        if rng.random() >= rate:
            harmless = negative(rng, decks, SPLIT)
            # A number that strict mode may take for a card reads as one in a sentence, too.
            shown = "a thing" if harmless.strict else harmless.text
            phrase = rng.choice(SPLIT.harmless_phrases).replace("{v}", shown)
            values.append(Sample(rng.choice(SPLIT.style.texts).format(phrase=phrase), ()))
            continue
        data_class = rng.choice(chosen)
        form = rng.choice([one for forms in SPLIT.formats.values() for one in forms if one.data_class == data_class])
        accept |= set(form.accept)
        phrase = rng.choice(SPLIT.phrases[data_class]).replace("{v}", str(form.make(rng)))
        values.append(Sample(rng.choice(SPLIT.style.texts).format(phrase=phrase), (data_class,)))
    return Field("text", tuple(spell(part, casing) for part in name), values, tuple(accept))


def judge(fields: list[Field], noise: float, seed: int) -> None:
    """Give each field its verdict, with false detections in a share of its samples."""
    rng = random.Random(seed)
    masker = Masker()
    for number, one in enumerate(fields):
        inventory = Inventory()
        for n, sample in enumerate(one.samples):
            inventory.add(_event(one, sample, n, masker, rng.choice(_REAL) if rng.random() < noise else ""))
        ((key, stats),) = inventory.items()
        found = verdicts(stats, Overrides(), *key)
        path = ".".join(part.removesuffix("[]") for part in one.path)
        mine = [verdict for verdict in found if verdict.path.replace("[]", "") == path] or found[:1]
        assert mine, (number, one.path, [verdict.path for verdict in found])
        one.verdict, one.operation_level = mine[0], summary(found, stats).level


def _event(one: Field, sample: Sample, n: int, masker: Masker, false: str) -> dict[str, Any]:
    body: object = sample.value
    for name in reversed(one.path):
        body = {name: body}
    document = DECODERS["json"].decode(json.dumps(body), MediaType(), Limits(), label, False)
    part = Redactor(masker, strict=one.kind == "digits").part(document)
    listed = field_list("body", part.fields, MAX_LISTED)
    if false:
        listed[0]["classes"] = sorted({*_classes(listed[0]), false})
    return {
        "time": float(n), "service": "bench", "operation": "POST /fields", "status": 0,
        "principal": f"~principal~{n % 9:016x}~", "request_fields": listed, "request_body": part.render(),
    }  # fmt: skip


def _classes(entry: Mapping[str, Any]) -> list[str]:
    found: list[str] = entry.get("classes", [])
    return found


@dataclass
class Counts:
    """Right, false and missed classes of fields."""

    right: int = 0
    false: int = 0
    missed: int = 0

    def row(self) -> dict[str, float | int]:
        said, there = self.right + self.false, self.right + self.missed
        return {
            "right": self.right,
            "false": self.false,
            "missed": self.missed,
            "precision": round(self.right / said, 4) if said else 1.0,
            "recall": round(self.right / there, 4) if there else 1.0,
        }


def score(fields: list[Field], said: str) -> dict[str, Counts]:
    """Return counts by kind of field for what is *carried*, *shown* (carried or seen), or *any* (each class found)."""
    table = {kind: Counts() for kind in KINDS}
    for one in fields:
        assert one.verdict is not None
        classes = told(one.verdict, said)
        counts = table[one.kind]
        counts.false += sum(not one.right(name) for name in classes)
        for name, times in one.planted.items():
            if times < 2 and said == "carried":
                continue  # once only: it is to be seen, and carried where a name says so
            found = any(related(name, other) or other in one.accept for other in classes)
            counts.right += found
            counts.missed += not found
    return table


def told(verdict: Verdict, said: str) -> tuple[str, ...]:
    if said == "carried":
        return verdict.carried
    return (*verdict.carried, *verdict.seen) if said == "shown" else tuple(one.data_class for one in verdict.classes)


def by_class(fields: list[Field]) -> dict[str, Counts]:
    """Return counts by class of what is carried; a false one counts for the class that was said."""
    table: dict[str, Counts] = {}
    for one in fields:
        assert one.verdict is not None
        for name in one.verdict.carried:
            if not one.right(name):
                table.setdefault(name, Counts()).false += 1
        for name, times in one.planted.items():
            if times >= 2:
                found = any(related(name, other) or other in one.accept for other in one.verdict.carried)
                counts = table.setdefault(name, Counts())
                table[name] = replace(counts, right=counts.right + found, missed=counts.missed + (not found))
    return table


def level_of_operations(fields: list[Field]) -> dict[str, int]:
    """Return how many operations have the level of their data, one above it, and one below it."""
    table = {"right": 0, "above": 0, "below": 0}
    for one in fields:
        # An operation of few samples, and one whose data was only seen, is internal at least.
        wanted, given = levels.rank(one.level), levels.rank(one.operation_level)
        same = wanted == given or {wanted, given} == {levels.rank("public"), levels.rank("internal")}
        table["right" if same else "above" if given > wanted else "below"] += 1
    return table
