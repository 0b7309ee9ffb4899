"""Values of path parameters: what people and programs put where a template says ``{name}``.

A parameter's kind comes of its name, type, format and enumeration, else of the style of ids that its API was given. The
vocabularies of the two parts differ: a value met in development is no help in the examination.
"""

from __future__ import annotations

import random
import re
import string
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Rng = random.Random
Make = Callable[[Rng, int], str]  # the value of a rank in a population

_BASE62 = string.ascii_letters + string.digits
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CONSONANTS, _VOWELS = "bcdfghjklmnprstvwz", "aeiou"


@dataclass(frozen=True)
class Vocabulary:
    words: tuple[str, ...]
    names: tuple[str, ...]
    surnames: tuple[str, ...]
    cities: tuple[str, ...]


def _read() -> dict[str, dict[str, tuple[str, ...]]]:
    text = Path(__file__).with_name("vocabulary.yml").read_text(encoding="utf-8")
    return {
        part: {name: tuple(words.split()) for name, words in lists.items()}
        for part, lists in yaml.safe_load(text).items()
    }


_LISTS = _read()
VOCABULARIES = {False: Vocabulary(**_LISTS["development"]), True: Vocabulary(**_LISTS["held out"])}
COUNTRIES, CURRENCIES, LOCALES = (_LISTS["both"][name] for name in ("countries", "currencies", "locales"))
EXTENSIONS, TLDS = _LISTS["both"]["extensions"], _LISTS["both"]["domains"]


class Values:
    """Makers of values, for one part's vocabulary."""

    def __init__(self, held: bool) -> None:
        self._v = VOCABULARIES[held]

    def coined(self, rng: Rng, _: int = 0) -> str:
        """A word nobody has in a dictionary: names of brands, accounts, buckets."""
        size = rng.choice((2, 2, 3, 3, 4))
        word = "".join(rng.choice(_CONSONANTS) + rng.choice(_VOWELS) for _ in range(size))
        return word + rng.choice(("", "", "n", "r", "x", "l"))

    def username(self, rng: Rng, rank: int) -> str:
        name, surname = rng.choice(self._v.names), rng.choice(self._v.surnames)
        style = rng.randrange(8)
        if style == 0:
            return name if rank < 20 else name + surname
        if style == 1:
            return name[0] + surname
        if style == 2:
            return f"{name}{rng.choice('._-')}{surname}"
        if style == 3:
            return f"{name}{rng.randrange(1, 999)}"
        if style == 4:
            return name.title() + surname.title()
        if style == 5:
            return self.coined(rng) + rng.choice(("", "dev", "hq", "labs", "bot"))
        return f"{name}{surname}" if style == 6 else f"{rng.choice(self._v.words)}{name}"

    def word(self, rng: Rng, _: int) -> str:
        return rng.choice(self._v.words)

    def slug(self, rng: Rng, rank: int) -> str:
        words = [rng.choice(self._v.words) for _ in range(rng.choice((1, 2, 2, 3, 4)))]
        if rng.random() < 0.3:
            words.append(self.coined(rng))
        return "-".join([*words, str(rank)] if rng.random() < 0.15 else words)

    def resource(self, rng: Rng, rank: int) -> str:
        """Names that operators give to machines, projects, groups."""
        style = rng.randrange(5)
        if style == 0:
            return self.coined(rng)
        if style == 1:
            return f"{rng.choice(self._v.words)}-{rng.choice(('prod', 'dev', 'qa', 'eu', 'us'))}-{rng.randrange(1, 9)}"
        if style == 2:
            return f"{self.coined(rng)}_{rng.choice(self._v.words)}"
        if style == 3:
            return self.coined(rng).title() + rng.choice(self._v.words).title()
        return f"{rng.choice(self._v.words)}-{self.coined(rng)}"

    def label(self, rng: Rng, _: int) -> str:
        """Names with spaces, percent-encoded on the wire."""
        if rng.random() < 0.5:
            return f"{rng.choice(self._v.names).title()} {rng.choice(self._v.surnames).title()}"
        return f"{rng.choice(self._v.words).title()} {self.coined(rng).title()}"

    def email(self, rng: Rng, rank: int) -> str:
        return f"{self.username(rng, rank)}@{self.coined(rng)}.{rng.choice(TLDS)}"

    def domain(self, rng: Rng, _: int) -> str:
        return f"{self.coined(rng)}.{rng.choice(TLDS)}"

    def file(self, rng: Rng, rank: int) -> str:
        return f"{self.slug(rng, rank)}.{rng.choice(EXTENSIONS)}"

    def city(self, rng: Rng, _: int) -> str:
        return rng.choice(self._v.cities).title() if rng.random() < 0.5 else self.coined(rng).title()

    def kinds(self) -> dict[str, Make]:
        return {
            "integer": lambda rng, rank: str(rank + 1),
            "big": lambda rng, rank: str(rng.randrange(10_000, 10**9)),
            "year": lambda rng, rank: str(2026 - rank % 30),
            "uuid": lambda rng, rank: str(uuid.UUID(int=rng.getrandbits(128), version=4)),
            "hex24": lambda rng, rank: f"{rng.getrandbits(96):024x}",
            "hash": lambda rng, rank: f"{rng.getrandbits(160):040x}",
            "ulid": lambda rng, rank: "01" + "".join(rng.choice(_CROCKFORD) for _ in range(24)),
            "base62": lambda rng, rank: "".join(rng.choice(_BASE62) for _ in range(rng.choice((8, 11, 16, 22)))),
            "prefixed": lambda rng, rank: "obj_" + "".join(rng.choice(_BASE62) for _ in range(14)),
            "sku": lambda rng, rank: (
                "".join(rng.choices(string.ascii_uppercase, k=3)) + f"-{rng.randrange(100, 99999)}"
            ),
            "code": lambda rng, rank: "".join(rng.choices(string.ascii_uppercase + string.digits, k=6)),
            "symbol": lambda rng, rank: "".join(rng.choices(string.ascii_uppercase, k=rng.choice((3, 4)))),
            "date": lambda rng, rank: f"2026-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}",
            "time": lambda rng, rank: (
                f"2026-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}T{rng.randrange(24):02}:00:00Z"
            ),
            "version": lambda rng, rank: f"{rng.randrange(1, 6)}.{rng.randrange(12)}.{rng.randrange(20)}",
            "ip": lambda rng, rank: ".".join(str(rng.randrange(1, 255)) for _ in range(4)),
            "country": lambda rng, rank: COUNTRIES[rank % len(COUNTRIES)],
            "COUNTRY": lambda rng, rank: COUNTRIES[rank % len(COUNTRIES)].upper(),
            "currency": lambda rng, rank: CURRENCIES[rank % len(CURRENCIES)],
            "locale": lambda rng, rank: LOCALES[rank % len(LOCALES)],
            "boolean": lambda rng, rank: ("true", "false")[rank % 2],
            **{name: getattr(self, name) for name in NAMED},
        }


NAMED = ("coined", "username", "word", "slug", "resource", "label", "email", "domain", "file", "city")
# What ids look like in APIs: style, weight.
ID_STYLES = {
    "integer": 30,
    "big": 8,
    "uuid": 20,
    "hex24": 8,
    "ulid": 4,
    "base62": 10,
    "prefixed": 5,
    "slug": 6,
    "username": 3,
    "sku": 6,
}
MIXED = 0.05  # parameters whose values are of two kinds

_BY_NAME: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"e_?mail", ("email",)),
    (r"country|nation", ("country", "COUNTRY")),
    (r"currency", ("currency",)),
    (r"lang|locale|culture|dialect", ("locale",)),
    (r"year|season", ("year",)),
    (r"date|^day$|month", ("date",)),
    (r"timestamp|time$", ("time", "big")),
    (r"uuid|guid", ("uuid",)),
    (r"sha|hash|digest|checksum|commit", ("hash",)),
    (r"slug", ("slug",)),
    (r"file|path$|image$", ("file",)),
    (r"domain|host", ("domain",)),
    (r"^ip|address$", ("ip", "hash")),
    (r"version", ("version", "integer")),
    (r"symbol|ticker|coin", ("symbol",)),
    (r"city|region|state$|location$|zone", ("city", "coined", "resource")),
    (r"categor|tag|topic|genre|kind|type$|status|format|scope|field|metric|provider|object$|action|event$|model",
     ("word", "coined", "slug")),
    (r"user_?name|login|handle|author|owner$|^user$|member$|^account$|^org$|workspace|realm", ("username", "coined")),
    (r"name$|^repo|project$|resource|group$|bucket|cluster|environment$|^app$|tenant$",
     ("resource", "slug", "label", "username")),
    (r"token|secret|key$", ("base62", "hex24", "uuid", "slug")),
    (r"code$|serial|number$|reference", ("code", "sku", "big")),
    (r"index|page|offset|count|limit|position|level|port|lat|lon|line|^num", ("integer",)),
)  # fmt: skip
BY_NAME = tuple((re.compile(pattern, re.IGNORECASE), kinds) for pattern, kinds in _BY_NAME)
SMALL = {"word", "country", "COUNTRY", "currency", "locale", "year", "boolean", "symbol", "version", "city"}


class Population:
    """The values one parameter takes at one place of an API, most popular first; drawn by Zipf's law."""

    def __init__(self, rng: Rng, makes: list[Make], size: int, exponent: float, forbidden: frozenset[str]) -> None:
        self._values: list[str] = []
        weights: list[float] = []
        known = set(forbidden)
        for rank in range(size):
            for _ in range(4):  # a small vocabulary runs dry
                value = rng.choice(makes)(rng, rank)
                if value not in known:
                    known.add(value)
                    self._values.append(value)
                    weights.append(weights[-1] if weights else 0.0)
                    weights[-1] += (len(self._values)) ** -exponent
                    break
        if not self._values:
            self._values, weights = ["item"], [1.0]
        self._weights = weights

    def draw(self, rng: Rng) -> str:
        return rng.choices(self._values, cum_weights=self._weights)[0]


def kinds_of(name: str, schema: Mapping[str, Any], style: str, rng: Rng) -> list[str]:
    """Return the kinds of a parameter's values."""
    form, kind = schema.get("format"), schema.get("type")
    if form in ("uuid", "email"):
        return [form]
    if form in ("date", "date-time"):
        return ["date" if form == "date" else "time"]
    if kind == "boolean":
        return ["boolean"]
    if kind in ("integer", "number"):
        return ["year" if "year" in name.lower() else style if style in ("integer", "big") else "integer"]
    for pattern, kinds in BY_NAME:
        if pattern.search(name):
            return [rng.choice(kinds)]
    chosen = style if rng.random() < 0.7 else rng.choices(list(ID_STYLES), list(ID_STYLES.values()))[0]
    other = rng.choices(list(ID_STYLES), list(ID_STYLES.values()))[0]
    return [chosen, other] if rng.random() < MIXED else [chosen]


def size_of(kinds: list[str], rng: Rng) -> int:
    """Return how many values there are: a handful of categories, hundreds of projects, thousands of orders."""
    if set(kinds) <= SMALL:
        return rng.randint(4, 40)
    return min(3000, max(5, int(rng.lognormvariate(5, 1.5))))
