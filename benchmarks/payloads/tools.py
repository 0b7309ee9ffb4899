"""Attacks as tools write them: grown of ``attacks/tools.yml`` by seeds, in encodings that tools choose.

The styles are those of sqlmap, nuclei, XSStrike, commix, tplmap, ysoserial and of scanners for Log4j, GraphQL, MongoDB,
prototypes, SSRF, XXE, line breaks and directories. None of their code or lists is here.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

import yaml

from benchmarks.payloads import harmless
from benchmarks.payloads.sent import Sent, complete

FILE = Path(__file__).parent / "attacks" / "tools.yml"
STYLES = (
    "commix", "directories", "graphql", "jndi", "lines", "nosql", "nuclei", "pollution", "sqlmap", "ssrf", "tplmap",
    "xsstrike", "xxe", "ysoserial",
)  # fmt: skip
NAMES = {"nosql", "pollution"}  # what is sent as a parameter's name where it looks like one
SEED = 90_210
FIELDS = ("id", "q", "name", "url", "data", "file", "host", "comment", "sort", "lang")
_DIGITS = re.compile(r"#{2,4}|§")
_ESCAPED = re.compile(r"%(?=[0-9a-fA-F]{2})")


@lru_cache(maxsize=1)
def _lists() -> dict[str, list[str]]:
    return dict(yaml.safe_load(FILE.read_text(encoding="utf-8")))


def value(style: str, chance: random.Random) -> str:
    """Return one attack of a style, as it reaches the program behind the gateway, but for what stays encoded."""
    slots = {name: some for name, some in _lists().items() if name not in STYLES}
    text = chance.choice(_lists()[style])
    for _ in range(4):  # lists name lists
        text = harmless.filled(text, slots, chance) if "‹" in text else text
    return _DIGITS.sub(
        lambda match: str(chance.randrange(10 ** (len(match.group()) - 1), 10 ** len(match.group()))), text
    )


def _plain(text: str, _: random.Random) -> str:
    return text


def _cases(text: str, chance: random.Random) -> str:
    return "".join([chance.choice((one.upper(), one.lower())) for one in text])


def _commented(text: str, _: random.Random) -> str:
    return text.replace(" ", "/**/")


def _twice(text: str, _: random.Random) -> str:
    return quote(text, safe="")


def _entities(text: str, _: random.Random) -> str:
    return re.sub(r"[<>\"']", lambda match: f"&#{ord(match.group())};", text)


_ENCODINGS: dict[str, tuple[Callable[[str, random.Random], str], ...]] = {
    "sqlmap": (_plain, _plain, _cases, _commented, _twice),
    "xsstrike": (_plain, _plain, _twice, _entities),
    "nuclei": (_plain, _plain, _twice),
    "commix": (_plain, _plain, _twice),
}


def requests(count: int, seed: int = SEED) -> Iterator[Sent]:
    """Yield ``count`` requests, the styles in turn."""
    chance = random.Random(seed)
    for number in range(count):
        style = STYLES[number % len(STYLES)]
        text = chance.choice(_ENCODINGS.get(style, (_plain,)))(value(style, chance), chance)
        yield _sent(style, f"{style}-{number}", text, chance)


def _sent(style: str, title: str, text: str, chance: random.Random) -> Sent:
    name = chance.choice(FIELDS)
    if style in NAMES and text[0] not in "{'1":
        return Sent(style, title, "GET", f"/api/v1/items?{_query(text)}=1", complete((), b""))
    if style == "xxe":
        body = text.encode()
        headers = (("Content-Type", "application/xml"),)
        return Sent(style, title, "POST", "/api/v1/import", complete(headers, body), body)
    if style == "jndi" and chance.random() < 0.5:
        usual = tuple(pair for pair in complete((), b"") if pair[0] != "User-Agent")
        return Sent(style, title, "GET", "/api/v1/items", (*usual, ("User-Agent", text)))
    if chance.random() < 0.5:
        return Sent(style, title, "GET", f"/api/v1/items?{name}={_query(text)}", complete((), b""))
    body = json.dumps({"id": chance.randrange(1_000), "data": {name: text}}).encode()
    return Sent(style, title, "POST", "/api/v1/items", complete((("Content-Type", "application/json"),), body), body)


def _query(text: str) -> str:
    """Return a text as it stands in a query; what is escaped already stays so."""
    return "%".join([quote(part, safe="") for part in _ESCAPED.split(text)])
