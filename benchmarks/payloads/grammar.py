"""Harmless values without end: chat, commits, logs, traces, patterns, code and templates, from a grammar and a seed.

``harmless/grammar.yml`` has a list for each name. Development sees about half of every long list, chosen by a hash of
its entries; the examination sees all of them, by other seeds: what is said of it holds for turns of phrase that nobody
saw while detectors were written.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator
from functools import lru_cache

import yaml

from benchmarks.payloads import harmless
from benchmarks.payloads.sent import Sent

KINDS = (
    "chat", "code", "commits", "cron", "graphql", "languages", "latex", "logs", "markdown", "merges", "nested", "paths",
    "regexes", "sqlish", "traces", "urls",
)  # fmt: skip
FIELDS = ("text", "comment", "q", "title", "body", "value", "message", "note", "name", "input")
LONG, DEEP = 4, 12  # entries of a list of which some are held back, and how deep it is expanded
SEEDS = {"development": range(1, 10), "examination": range(101, 110)}
_NAME = re.compile(r"‹(\w+)›")


@lru_cache(maxsize=4)
def lists(split: str) -> dict[str, list[str]]:
    """Return the lists as a split sees them."""
    found = yaml.safe_load((harmless.FOLDER / "grammar.yml").read_text(encoding="utf-8"))
    if split != "development":
        return dict(found)
    return {
        name: sorted(some, key=_rank)[: -(-len(some) // 2)] if len(some) >= LONG else some
        for name, some in found.items()
    }


def _rank(entry: str) -> str:
    return hashlib.sha256(entry.encode()).hexdigest()


def value(kind: str, split: str, chance: random.Random) -> str:
    """Return one value of a kind."""
    text = _expanded(kind, lists(split), chance, 0)
    return re.sub(r"(?<!#)#{2,4}(?![# ])|(?<=[\w/.:]|\()##(?= )|§", lambda m: _digits(len(m.group()), chance), text)


def _expanded(name: str, known: dict[str, list[str]], chance: random.Random, depth: int) -> str:
    if name == "hex":
        return chance.randbytes(20).hex()
    if depth > DEEP:
        return ""
    entry = chance.choice(known[name])
    return _NAME.sub(lambda match: _expanded(match.group(1), known, chance, depth + 1), entry)


def _digits(count: int, chance: random.Random) -> str:
    return "".join(str(chance.randrange(10)) for _ in range(count))


def values(split: str, seed: int, each: int) -> Iterator[tuple[str, str]]:
    """Yield ``each`` values of every kind, with their kind."""
    for kind in KINDS:
        chance = random.Random(f"{seed} {kind}")
        for _ in range(each):
            yield kind, value(kind, split, chance)


def requests(split: str, count: int) -> Iterator[Sent]:
    """Yield ``count`` requests with one value each, in turn by query, form and JSON."""
    seeds = SEEDS[split]
    each = -(-count // (len(KINDS) * len(seeds)))
    made = [pair for seed in seeds for pair in values(split, seed, each)]
    chance = random.Random(seeds[0])
    chance.shuffle(made)
    for number, (kind, text) in enumerate(made[:count]):
        yield harmless.request(kind, f"{split}-{number}", number, {chance.choice(FIELDS): text}, chance)
