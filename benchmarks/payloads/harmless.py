"""Harmless requests whose values look like something: text, names, code, markup, templates, traces, ids, addresses.

``made`` writes them from the lists in ``harmless/``: *development* may be looked at while detectors are written,
*examination* has other texts, other names of fields and another seed, and so have *third*, which was written when the
detectors had seen the figures of the examination, and *fourth*, written behind their last change. ``found`` takes what
people wrote for people: the
paragraphs of the manuals and changelogs that are installed beside this program, which nobody chose.
"""

from __future__ import annotations

import base64
import json
import random
import re
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import yaml

from benchmarks.payloads.sent import Sent, complete

FOLDER = Path(__file__).parent / "harmless"
SEEDS = {"development": 20_261, "examination": 77_003, "third": 41_117, "fourth": 66_413}
_SLOT = re.compile(r"‹(\w+)›")
_SHORT, _LONG = 20, 1_500  # characters of a paragraph that is taken


def made(split: str, count: int) -> Iterator[Sent]:
    """Yield ``count`` requests with several harmless values each; ``kind`` is that of the first one."""
    document = yaml.safe_load((FOLDER / f"{split}.yml").read_text(encoding="utf-8"))
    chance = random.Random(SEEDS[split])
    kinds = sorted(document["kinds"])
    for number in range(count):
        kind = kinds[number % len(kinds)]
        values = [_value(document, kind, chance) for _ in range(chance.choice((1, 1, 2, 3)))]
        names = chance.sample(document["fields"], len(values))
        carrier = chance.choice(_CARRIERS)
        yield _request(kind, f"{split}-{number}", carrier(dict(zip(names, values, strict=True)), chance))


def found(count: int) -> Iterator[Sent]:
    """Yield ``count`` requests, each with one paragraph of the descriptions of installed packages, spread evenly."""
    packages = [one for one in distributions() if str(one.metadata["Name"]) != "apisec"]  # its manuals show attacks
    texts = [_description(one) for one in sorted(packages, key=lambda one: str(one.metadata["Name"]))]
    yield from _paragraphs("found", texts, count)


def published(folder: Path, count: int) -> Iterator[Sent]:
    """Yield ``count`` requests, each with one paragraph of the texts in a folder, spread evenly."""
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in sorted(folder.glob("*.txt"))]
    yield from _paragraphs("published", texts, count)


def _paragraphs(kind: str, texts: Iterable[str], count: int) -> Iterator[Sent]:
    found = [one.strip() for text in texts for one in re.split(r"\n\s*\n", text)]
    paragraphs = list(dict.fromkeys([one for one in found if _SHORT <= len(one) <= _LONG]))
    chance = random.Random(5)
    chance.shuffle(paragraphs)
    for number, paragraph in enumerate(paragraphs[:count]):
        carrier = _CARRIERS[number % len(_CARRIERS)]
        yield _request(kind, f"{kind}-{number}", carrier({"text": paragraph}, chance))


def _description(one: Distribution) -> str:
    """Return the text behind the headers of a package's METADATA (core metadata 2.1)."""
    return (one.read_text("METADATA") or "").partition("\n\n")[2]


def _value(document: dict[str, Any], kind: str, chance: random.Random) -> str:
    return filled(chance.choice(document["kinds"][kind]), document["slots"], chance)


def filled(template: str, slots: dict[str, list[str]], chance: random.Random) -> str:
    """Return a text with its slots filled."""
    made = {
        "b64": lambda: base64.b64encode(chance.randbytes(chance.choice((12, 24, 48)))).decode(),
        "hex": lambda: chance.randbytes(16).hex(),
        "jwt": lambda: _jwt(chance),
    }

    def slot(match: re.Match[str]) -> str:
        name = match.group(1)
        return made[name]() if name in made else chance.choice(slots[name])

    text = _SLOT.sub(slot, template)
    return re.sub(r"(?<!#)##+(?!#)(?=$|[^ #\w])|##+", lambda m: _digits(len(m.group()), chance), text)


def _digits(count: int, chance: random.Random) -> str:
    return "".join(str(chance.randrange(10)) for _ in range(count))


def _jwt(chance: random.Random) -> str:
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": str(chance.randrange(10**6)), "iat": 1_700_000_000})
    head = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return f"{head}.{base64.urlsafe_b64encode(chance.randbytes(32)).decode().rstrip('=')}"


_Carried = tuple[str, str, tuple[tuple[str, str], ...], bytes]


def _query(values: dict[str, str], _: random.Random) -> _Carried:
    return "GET", f"/api/v1/items?{urlencode(values)}", (), b""


def _form(values: dict[str, str], _: random.Random) -> _Carried:
    return "POST", "/api/v1/items", (), urlencode(values, quote_via=quote).encode()


def _json(values: dict[str, str], chance: random.Random) -> _Carried:
    body = {"id": chance.randrange(10**6), "data": values, "tags": ["a", "b"], "active": True}
    return "POST", "/api/v1/items", (("Content-Type", "application/json"),), json.dumps(body).encode()


def _list(values: dict[str, str], chance: random.Random) -> _Carried:
    rows = [{"n": chance.randrange(9), name: value} for name, value in values.items()]
    return "POST", "/api/v1/bulk", (("Content-Type", "application/json"),), json.dumps({"rows": rows}).encode()


_CARRIERS: tuple[Callable[[dict[str, str], random.Random], _Carried], ...] = (_query, _form, _json, _json, _list)


def _request(kind: str, title: str, carried: _Carried) -> Sent:
    method, target, headers, body = carried
    return Sent(kind, title, method, target, complete(headers, body), body)


def request(kind: str, title: str, number: int, values: dict[str, str], chance: random.Random) -> Sent:
    """Return a request that carries values; ``number`` chooses the carrier."""
    return _request(kind, title, _CARRIERS[number % len(_CARRIERS)](values, chance))
