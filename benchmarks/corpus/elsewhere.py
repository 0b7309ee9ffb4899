"""Ways in which values travel outside bodies: target, headers, cookies, credentials."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

from benchmarks.corpus.bodies import Carrier, spelled
from benchmarks.corpus.checks import Rng, letters
from benchmarks.corpus.draft import Draft
from benchmarks.corpus.split import UNNAMED, Item, Split, kebab, spell


def query(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> None:
    _query(rng, split, draft, items, 1)


def query_twice(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> None:
    _query(rng, split, draft, items, 2)


def _query(rng: Rng, split: Split, draft: Draft, items: Sequence[Item], times: int) -> None:
    casing, seen = spelled(rng, split), set()
    draft.method = "GET" if not draft.request.body else draft.method
    for item in items:
        name, value = ".".join(casing(part) for part in item.name), item.text
        if name in seen or len(value) > 300:
            continue
        seen.add(name)
        draft.label("request", "query", name, item)
        for _ in range(times):
            value = quote(value, safe="")
        draft.query.append(f"{quote(name)}={value}")


def path(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> None:
    """A value that shows itself as a segment, and one that is harmless."""
    for item in items:
        if item.key.endswith("|bare") and len(item.text) < 200 and "/" not in item.text:
            draft.label("request", "path", None, replace(item, stratum=UNNAMED))
            draft.segments += [rng.choice(split.style.collections), quote(item.text, safe="@:")]
            break
    draft.segments.append(rng.choice(split.style.collections))


def matrix(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> None:
    casing, segment = spelled(rng, split), rng.choice(split.style.collections)
    for item in items[:4]:
        if len(item.name) == 1 and item.name[0].isascii() and len(item.text) < 200:
            name = casing(item.name[0])
            if f";{name}=" not in segment:
                draft.label("request", "path", name, item)
                segment += f";{name}={quote(item.text, safe='')}"
    draft.segments.append(segment)


def headers(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> None:
    """Headers of one's own; those that every client sends are not listed among an event's fields."""
    seen = set()
    for item in items:
        name = "X-" + kebab([_header(part) for part in item.name])
        if name in seen or not (item.text + name).isascii() or "\n" in item.text:
            continue
        seen.add(name)
        draft.label(side, "header", name.lower(), item)
        draft.side(side).headers.append((name, item.text))


def _header(part: str) -> str:
    return spell(part, lambda words: kebab([word.title() for word in words])).replace("[]", "")


def cookies(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> None:
    casing, pairs = spelled(rng, split), {}
    for item in items:
        if len(item.name) == 1 and (item.text + item.name[0]).isascii() and not set(item.text) & set(';, "\n\\'):
            name = casing(item.name[0])
            if name not in pairs:
                pairs[name] = item.text
                draft.label("request", "cookie", name, item)
    draft.request.headers.append(("Cookie", "; ".join(f"{name}={value}" for name, value in pairs.items())))


def credentials(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> None:
    """Authorization: what it says of who acts stands in fields of the event's own; nothing of it may leak."""
    for item in items:
        if item.data_class in ("secret.jwt", "secret.token", "secret.password"):
            value = f"Bearer {item.text}"
            if item.data_class == "secret.password":
                value = "Basic " + base64.b64encode(f"svc-{letters(rng, 4)}:{item.text}".encode()).decode()
            draft.label("request", "header", None, item, scored=False)
            draft.request.headers.append(("Authorization", value))
            return


# Carrier and how often it is taken.
ELSEWHERE: dict[Carrier, int] = {
    query: 5,
    query_twice: 2,
    path: 3,
    matrix: 2,
    headers: 3,
    cookies: 3,
    credentials: 1,
}
