"""The same harmless values and attacks in parameters whose models have learned what they usually carry.

Each kind of harmless values has an operation with one parameter. Half of its texts teach: many principals send them,
over some days. Then the other half is asked, and attacks in each of the parameters.
"""

from __future__ import annotations

import json
import random
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import yaml

from apisec.model.transaction import Body, Transaction
from apisec.parameters import Book
from apisec_forwarder.pipeline import Engine
from benchmarks.payloads import crs, harmless
from benchmarks.payloads.sent import Sent, complete

PRINCIPALS, DAYS, TEACHING, ASKED = 40, 3, 1_200, 150  # requests of a kind that teach, and that are asked
ATTACKS = 150  # of one kind
SECONDS_A_DAY = 86_400
_TIME = 1_700_000_000.0


_WORDS = ["red", "chair", "lamp", "garden", "table", "wood", "small", "kitchen", "desk", "green", "sofa", "glass"]
# Parameters as most are: the less they may hold, the more an unusual value says.
ORDINARY: dict[str, Callable[[random.Random], str]] = {
    "(a number)": lambda chance: str(chance.randrange(100_000)),
    "(one of five)": lambda chance: chance.choice(("asc", "desc", "newest", "oldest", "price")),
    "(an article)": lambda chance: f"SKU-{chance.randrange(10_000):04d}-{chance.choice('ABC')}",
    "(a UUID)": lambda chance: str(uuid.UUID(int=chance.getrandbits(128), version=4)),
    "(a word)": lambda chance: chance.choice(_WORDS) + chance.choice(("", " " + chance.choice(_WORDS))),
}


def texts(split: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield the kinds of a split, with filled texts that teach and others that are asked."""
    document = yaml.safe_load((harmless.FOLDER / f"{split}.yml").read_text(encoding="utf-8"))
    for kind, templates in sorted(document["kinds"].items()):
        chance = random.Random(f"{harmless.SEEDS[split]} {kind}")
        halves = templates[::2], templates[1::2]
        counts = TEACHING, ASKED
        filled = [
            [harmless.filled(chance.choice(half), document["slots"], chance) for _ in range(count)]
            for half, count in zip(halves, counts, strict=True)
        ]
        yield kind, filled[0], filled[1]
    for name, make in ORDINARY.items():
        chance = random.Random(name)
        yield name, [make(chance) for _ in range(TEACHING)], [make(chance) for _ in range(ASKED)]


def attacks(folder: Path) -> list[str]:
    """Return values of queries and forms of the development attacks, the longest of each."""
    found = []
    for sent, _ in crs.attacks(folder, "development"):
        pairs = parse_qsl(sent.target.partition("?")[2]) + parse_qsl(sent.body.decode("latin-1"))
        if pairs:
            found.append(max([value for _, value in pairs], key=len))
    return list(dict.fromkeys(found))


def request(kind: str, text: str, principal: int, day: int) -> Transaction:
    """Return a request with one parameter that a principal sends on a day."""
    body = json.dumps({"text": text}).encode()
    headers = (
        ("Content-Type", "application/json"),
        ("Authorization", f"Bearer key-of-{principal:05d}-0123456789abcdef"),
    )
    sent = Sent(kind, f"{kind}-{principal}", "POST", f"/api/v1/{kind}", complete(headers, body), body)
    sent = replace(sent, target=f"/api/v1/{''.join(filter(str.isalpha, kind))}")
    made = sent.transaction()
    return replace(made, time=_TIME + day * SECONDS_A_DAY, request=replace(made.request, body=Body(body, len(body))))


def payloads(event: dict[str, Any]) -> bool:
    """Return whether an event has a signal of an attack."""
    return any(one["family"] not in ("anomaly", "answer") for one in event.get("signals", ()))


def departures(event: dict[str, Any]) -> bool:
    """Return whether an event has nothing but that a value is unusual."""
    return not payloads(event) and any(one["family"] == "anomaly" for one in event.get("signals", ()))


def measure(engine: Engine, split: str, folder: Path | None) -> dict[str, dict[str, float]]:
    """Return shares of requests with signals by kind: before anything was learned, and after."""
    bad = attacks(folder) if folder else []
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for kind, teaching, asked in texts(split):
        chance = random.Random(kind)
        some = chance.sample(bad, min(len(bad), ATTACKS))
        engine.learn(None)
        found[kind]["harmless before"] = _share(engine, kind, asked, payloads)
        found[kind]["attacks before"] = _share(engine, kind, some, payloads)
        engine.learn(Book(every=1))
        for number, text in enumerate(teaching):
            engine.process(request(kind, text, number % PRINCIPALS, number % DAYS))
        found[kind]["harmless after"] = _share(engine, kind, asked, payloads)
        found[kind]["harmless, unusual"] = _share(engine, kind, asked, departures)
        found[kind]["attacks after"] = _share(engine, kind, some, payloads)
        found[kind]["attacks, or unusual"] = _share(engine, kind, some, lambda event: bool(event.get("signals")))
    return dict(found)


def _share(engine: Engine, kind: str, values: Iterable[str], says: Any) -> float:
    said = [says(engine.process(request(kind, text, 900 + n, DAYS))) for n, text in enumerate(values)]
    return round(sum(said) / len(said), 4) if said else 0.0
