"""The same harmless values and attacks in parameters whose models have learned what they usually carry.

Each kind of harmless values has an operation with one parameter. Half of its texts teach: many principals send them,
over some days. Then the other half is asked, and attacks in each of the parameters. What teaches and what is asked
share no text, no phrase of the grammar that was held back, and no folder of files.
"""

from __future__ import annotations

import json
import random
import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import yaml

from apisec.abuse.payload import WEAK
from apisec.model.transaction import Transaction
from apisec.parameters import Book
from apisec_forwarder.pipeline import Engine
from benchmarks.payloads import crs, grammar, harmless, installed, tools
from benchmarks.payloads.sent import Sent, complete

PRINCIPALS, DAYS, TEACHING, ASKED = 40, 3, 1_200, 150  # requests of a kind that teach, and that are asked
ATTACKS = 150  # of one kind
TOOLS = 700  # attacks of tools of which each parameter gets some
SECONDS_A_DAY = 86_400
_TIME = 1_700_000_000.0

_WORDS = ["red", "chair", "lamp", "garden", "table", "wood", "small", "kitchen", "desk", "green", "sofa", "glass"]
# Parameters as most are: the less they may hold, the more an unusual value says.
ORDINARY: dict[str, Callable[[random.Random], str]] = {
    "(a number)": lambda chance: str(chance.randrange(100_000)),
    "(one of five)": lambda chance: chance.choice(("asc", "desc", "newest", "oldest", "price")),
    "(an article)": lambda chance: f"SKU-{chance.randrange(10_000):04d}-{chance.choice('ABC')}",
    "(a UUID)": lambda chance: str(uuid.UUID(int=chance.getrandbits(128), version=4)),
    "(a date)": lambda chance: (
        f"20{chance.randrange(20, 27)}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}"
    ),
    "(a price)": lambda chance: f"{chance.randrange(1, 900)}.{chance.randrange(100):02d}",
    "(a mail address)": lambda chance: (
        f"{chance.choice(_WORDS)}.{chance.choice(_WORDS)}@{chance.choice(_WORDS)}.example"
    ),
    "(a path)": lambda chance: f"/{chance.choice(_WORDS)}/{chance.choice(_WORDS)}-{chance.randrange(1_000)}",
    "(a word)": lambda chance: chance.choice(_WORDS) + chance.choice(("", " " + chance.choice(_WORDS))),
}

_STRING = re.compile(r'"([^"\\]{1,2000})"\s*[,}\]]')
_XML = re.compile(r"""(?<=["'>])(?!\s|1\.0)([^<>"']{1,2000})(?=["'<])""")
_FILLERS = ("attribute_value", "element_value", "value", "test")  # beside what the rule set's tests are about

Texts = tuple[str, list[str], list[str]]  # a kind, what teaches, what is asked
Says = Callable[[dict[str, Any]], bool]
Refuses = Callable[[Sent], bool]


def texts(split: str) -> Iterator[Texts]:
    """Yield the kinds of a split, with filled texts that teach and others that are asked."""
    yield from _made(split)
    yield from _grown(split)
    yield from _files(split)
    for name, make in ORDINARY.items():
        chance = random.Random(name)
        yield name, [make(chance) for _ in range(TEACHING)], [make(chance) for _ in range(ASKED)]


def _made(split: str) -> Iterator[Texts]:
    document = yaml.safe_load((harmless.FOLDER / f"{split}.yml").read_text(encoding="utf-8"))
    for kind, templates in sorted(document["kinds"].items()):
        chance = random.Random(f"{harmless.SEEDS[split]} {kind}")
        halves = templates[::2], templates[1::2]
        counts = TEACHING, ASKED
        filled = [
            [harmless.filled(chance.choice(half), document["slots"], chance) for _ in range(count)]
            for half, count in zip(halves, counts, strict=True)
        ]
        yield f"made {kind}", filled[0], filled[1]


def _grown(split: str) -> Iterator[Texts]:
    """Half of the phrases teach; in the examination all of them are asked."""
    asked = "development" if split == "development" else "examination"
    for kind in grammar.KINDS:
        some = [
            [grammar.value(kind, which, random.Random(f"{split} {which} {kind} {number}")) for number in range(count)]
            for which, count in (("development", TEACHING), (asked, ASKED))
        ]
        known = set(some[0])
        yield f"grown {kind}", some[0], [text for text in some[1] if text not in known]


def _files(split: str) -> Iterator[Texts]:
    """One half of the folders teaches, the other is asked; both are for development, and both for the examination."""
    halves = ("examination", "development") if split == "development" else ("development", "examination")
    found: dict[str, list[list[str]]] = defaultdict(lambda: [[], []])
    for number, (half, count) in enumerate(zip(halves, (TEACHING, ASKED), strict=True)):
        for kind, text in installed.values(half, count):
            found[kind][number].append(text)
    for kind, (teaching, asked) in sorted(found.items()):
        known = set(teaching)
        others = [text for text in asked if text not in known]
        if len(teaching) >= ASKED and others:
            yield f"files {kind}", teaching, others


def attacks(folder: Path, split: str) -> list[str]:
    """Return the values that the rule set's attacks carry in queries and bodies, the longest of each."""
    found = []
    for sent, _ in crs.attacks(folder, split):
        values = [value for _, value in parse_qsl(sent.target.partition("?")[2])]
        values += _carried(sent)
        if values:
            found.append(max(values, key=len))
    return list(dict.fromkeys(found))


def _carried(sent: Sent) -> list[str]:
    """Return the values of a body by its media type; those of parts of a form are left out."""
    media = next((value for name, value in sent.headers if name.lower() == "content-type"), "")
    text = sent.body.decode("utf-8", "replace")
    if "json" in media:
        return _STRING.findall(text)
    if "xml" in media:
        return [value for value in _XML.findall(text) if value not in _FILLERS]
    return [value for _, value in parse_qsl(text)] if "urlencoded" in media else []


def request(kind: str, text: str, principal: int, day: int) -> Transaction:
    """Return a request with one parameter that a principal sends on a day."""
    made = _sent(kind, text, principal).transaction()
    return replace(made, time=_TIME + day * SECONDS_A_DAY)


def _sent(kind: str, text: str, principal: int) -> Sent:
    body = json.dumps({"text": text}).encode()
    headers = (
        ("Content-Type", "application/json"),
        ("Authorization", f"Bearer key-of-{principal:05d}-0123456789abcdef"),
    )
    target = f"/api/v1/{''.join(filter(str.isalpha, kind))}"
    return Sent(kind, f"{kind}-{principal}", "POST", target, complete(headers, body), body)


def told(event: dict[str, Any]) -> bool:
    """Return whether an event has a signal of an attack that counts as whole."""
    return any(_is_payload(one) and float(one["score"]) >= WEAK for one in event.get("signals", ()))


def payloads(event: dict[str, Any]) -> bool:
    """Return whether an event has any signal of an attack."""
    return any(map(_is_payload, event.get("signals", ())))


def _is_payload(signal: dict[str, Any]) -> bool:
    return signal["family"] not in ("anomaly", "answer")


def measure(engine: Engine, split: str, folder: Path | None, refuses: Refuses | None) -> dict[str, dict[str, float]]:
    """Return shares of requests by kind: told before anything was learned, and after; what the rules refuse."""
    tests = attacks(folder, split) if folder else []
    sent_by_tools = [
        tools.value(tools.STYLES[n % len(tools.STYLES)], random.Random(f"habits {n}")) for n in range(TOOLS)
    ]
    found: dict[str, dict[str, float]] = {}
    for kind, teaching, asked in texts(split):
        chance = random.Random(kind)
        groups = {"harmless": asked}
        for name, some in (("tests", tests), ("tools", sent_by_tools)):
            groups[name] = chance.sample(some, min(len(some), ATTACKS))
        row: dict[str, float] = {}
        engine.learn(None)
        for name, some in groups.items():
            row[f"{name}, alone"] = _share(engine, kind, some, told)
        engine.learn(Book(every=1))
        for number, text in enumerate(teaching):
            engine.process(request(kind, text, number % PRINCIPALS, number % DAYS))
        for name, some in groups.items():
            row[f"{name}, learned"] = _share(engine, kind, some, told)
        row["harmless, seen"] = _share(engine, kind, asked, payloads)
        row["tests, or unusual"] = _share(engine, kind, groups["tests"], lambda event: bool(event.get("signals")))
        if refuses is not None:
            for name, some in groups.items():
                said = [refuses(_sent(kind, text, 900)) for text in some]
                row[f"{name}, CRS"] = round(sum(said) / len(said), 4) if said else 0.0
        found[kind] = row
    return found


def _share(engine: Engine, kind: str, values: Iterable[str], says: Says) -> float:
    said = [says(engine.process(request(kind, text, 900 + n, DAYS))) for n, text in enumerate(values)]
    return round(sum(said) / len(said), 4) if said else 0.0
