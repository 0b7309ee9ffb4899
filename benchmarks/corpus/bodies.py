"""Ways in which values travel in bodies: each carrier places the items of one side in a draft, and labels them.

A carrier takes what it can carry and leaves the rest. Paths are those of the event's fields (docs/reference/event.md):
``customer.mail``, ``items[].pan``, ``Envelope.Body.@id``.
"""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape, quoteattr

from benchmarks.corpus.checks import Rng, letters
from benchmarks.corpus.draft import Draft
from benchmarks.corpus.split import SENTENCE, UNNAMED, Item, Split, pascal, spell

Carrier = Callable[[Rng, Split, Draft, str, Sequence[Item]], None]
JSON = "application/json"
SHORT = 6  # characters below which a harmless value in a text could be anything


def spelled(rng: Rng, split: Split) -> Callable[[str], str]:
    """One message spells all its names in one casing; an array (``emails[]``) is one only where JSON has arrays."""
    return _without_arrays(_spelled(rng, split))


def _spelled(rng: Rng, split: Split) -> Callable[[str], str]:
    casing = rng.choice(split.style.casings)
    return lambda part: spell(part, casing)


def _without_arrays(spelling: Callable[[str], str]) -> Callable[[str], str]:
    return lambda part: spelling(part).removesuffix("[]")


def _put(target: dict[str, Any], path: Sequence[str], value: object) -> bool:
    """Set a member, objects made on the way; False when it is there already."""
    for part in path[:-1]:
        name, array = part.removesuffix("[]"), part.endswith("[]")
        inner = target.setdefault(name, [{}] if array else {})
        if isinstance(inner, list) is not array:
            return False
        inner = inner[0] if array else inner
        if not isinstance(inner, dict):
            return False
        target = inner
    name = path[-1].removesuffix("[]")
    if name in target:
        return False
    target[name] = [value] if path[-1].endswith("[]") else value
    return True


def _record(casing: Callable[[str], str], items: Sequence[Item]) -> tuple[dict[str, Any], list[tuple[str, Item]]]:
    """Return a JSON object of items, and the path of each."""
    record: dict[str, Any] = {}
    placed = []
    for item in items:
        path = [casing(part) for part in item.name]
        if _put(record, path, item.value):
            placed.append((".".join(path).removesuffix("[]"), item))
    return record, placed


def _wrapped(rng: Rng, split: Split, record: object) -> tuple[Any, str]:
    """Return a record inside one of the style's wrappers, and the prefix of its paths."""
    wrapper, prefix = rng.choice(split.style.wrappers), ""
    for part in wrapper:
        prefix = f"{prefix.rstrip('.')}[]." if part == "[]" else f"{prefix}{part}."
    for part in reversed(wrapper):
        record = [record] if part == "[]" else {part: record}
    return record, prefix


def _send(draft: Draft, side: str, kind: str, body: bytes, shown: str | None = None) -> None:
    message = draft.side(side)
    message.headers.append(("Content-Type", kind))
    message.body = body
    message.shown = body.decode("utf-8", "replace") if shown is None else shown


def _object(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> Any:
    """Label the items as members of one wrapped object, and return it."""
    record, placed = _record(_spelled(rng, split), items)
    document, prefix = _wrapped(rng, split, record)
    for path, item in placed:
        draft.label(side, "body", prefix + path, item)
    return document


def json_object(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> None:
    document = _object(rng, split, draft, side, items)
    _send(
        draft,
        side,
        JSON,
        json.dumps(document, ensure_ascii=rng.random() < 0.5, indent=rng.choice((None, None, 2))).encode(),
    )


def json_array(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> None:
    """Several records of the same fields, with values of their own."""
    casing, name = _spelled(rng, split), rng.choice(split.style.arrays)
    rows = []
    for _ in range(rng.randint(2, 4)):
        fresh = [item if item.make is None else _again(rng, item) for item in items]
        record, placed = _record(casing, fresh)
        rows.append(record)
        for path, item in placed:
            draft.label(side, "body", f"{name}[].{path}", item)
    _send(draft, side, JSON, json.dumps({name: rows}, ensure_ascii=False).encode())


def _again(rng: Rng, item: Item) -> Item:
    assert item.make is not None
    return replace(item, value=item.make(rng))


def json_escaped(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> None:
    r"""Every character of every string as \u escape."""
    texts = [replace(item, value=item.text, make=None) for item in items]
    document = _object(rng, split, draft, side, texts)
    marks = {item.text: "".join(f"\\u{unit:04x}" for unit in _units(item.text)) for item in texts}
    text = json.dumps(document, ensure_ascii=False)
    for raw, escaped in marks.items():
        text = text.replace(json.dumps(raw, ensure_ascii=False), f'"{escaped}"')
    _send(draft, side, JSON, text.encode(), json.dumps(document, ensure_ascii=False))


def _units(text: str) -> list[int]:
    data = text.encode("utf-16-be")
    return [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)]


def json_in_string(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> None:
    record, placed = _record(spelled(rng, split), items)
    name = rng.choice(split.style.neutral_names)[0].removeprefix("=").split()[0]
    for path, item in placed:
        draft.label(side, "body", f"{name}.{path}", item)
    _send(draft, side, JSON, json.dumps({"status": 1, name: json.dumps(record)}).encode())


def base64_in_string(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> None:
    # The blob goes as a whole, with what else it holds: nothing in it that a checksum could speak for.
    record, placed = _record(spelled(rng, split), [item for item in items if item.data_class or not item.strict])
    name = rng.choice(split.style.neutral_names)[0].removeprefix("=").split()[0]
    for _, item in placed:
        if item.data_class is not None:
            draft.label(side, "body", None, item)
    encode = rng.choice((base64.b64encode, base64.urlsafe_b64encode))
    _send(
        draft, side, JSON, json.dumps({name: encode(json.dumps(record, ensure_ascii=False).encode()).decode()}).encode()
    )


def json_charset(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> None:
    document = _object(rng, split, draft, side, items)
    shown, charset = json.dumps(document, ensure_ascii=False), rng.choice(("utf-16", "utf-16-le", "iso-8859-1"))
    text = json.dumps(document) if charset == "iso-8859-1" and not _latin(shown) else shown
    _send(draft, side, f"{JSON}; charset={charset}", text.encode(charset), shown)


def _latin(text: str) -> bool:
    return all(ord(sign) < 256 for sign in text)


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)  # the same bytes at any time


def json_compressed(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> None:
    document = _object(rng, split, draft, side, items)
    raw = json.dumps(document, ensure_ascii=False).encode()
    coding, compress = rng.choice((("gzip", _gzip), ("deflate", zlib.compress)))
    draft.side(side).headers.append(("Content-Encoding", coding))
    _send(draft, side, JSON, compress(raw), raw.decode())


def json_truncated(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> None:
    """A body that was cut: what stands whole before the cut is there, and the rest is not planted."""
    casing = spelled(rng, split)
    record, placed = _record(casing, [item for item in items if len(item.name) == 1])
    text = json.dumps(record)
    cut = text.rfind('": ', 0, int(len(text) * rng.uniform(0.6, 0.95))) + 3  # before a value: half a value is no label
    for path, item in placed:
        member = f"{json.dumps(path)}: {json.dumps(item.value)}"
        if 0 <= text.find(member) <= cut - len(member):
            draft.label(side, "body", path, item)
    _send(draft, side, JSON, text[:cut].encode())


def ndjson(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> None:
    casing, lines = spelled(rng, split), []
    for _ in range(rng.randint(2, 3)):
        record, placed = _record(casing, [item if item.make is None else _again(rng, item) for item in items])
        lines.append(json.dumps(record))
        for path, item in placed:
            draft.label(side, "body", path, item)
    _send(draft, side, "application/x-ndjson", "\n".join(lines).encode())


def json_rpc(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> None:
    record, placed = _record(spelled(rng, split), items)
    for path, item in placed:
        draft.label(side, "body", f"params.{path}", item)
    document = {"jsonrpc": "2.0", "method": rng.choice(split.style.operations), "params": record, "id": 7}
    _send(draft, side, JSON, json.dumps(document).encode())


def bare(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> None:
    """A body that is one value: JSON's number or string, or plain text."""
    for item in items:
        if item.key.endswith("|bare"):
            draft.label(side, "body", None, replace(item, stratum=UNNAMED))
            if rng.random() < 0.5:
                _send(draft, side, JSON, json.dumps(item.value).encode())
            else:
                _send(draft, side, "text/plain; charset=utf-8", item.text.encode())
            return


def form(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> None:
    pairs, seen = [], set()
    casing = spelled(rng, split)
    for item in items:
        parts = [casing(part) for part in item.name]
        if ".".join(parts) not in seen:
            seen.add(".".join(parts))
            draft.label(side, "body", ".".join(parts), item)
            name = parts[0] + "".join(f"[{part}]" for part in parts[1:])
            pairs.append(f"{quote(name, safe='[]')}={quote_plus(item.text)}")
    shown = "\n".join(f"{'.'.join(i.name)}: {i.text}" for i in items)
    _send(draft, side, "application/x-www-form-urlencoded", "&".join(pairs).encode(), shown)


def multipart(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> None:
    boundary, casing = "----b" + letters(rng, 16), spelled(rng, split)
    parts, seen = [], set()
    for item in items:
        name = ".".join(casing(part) for part in item.name)
        if name not in seen:
            seen.add(name)
            draft.label(side, "body", name, item)
            parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{item.text}\r\n')
    _send(draft, side, f"multipart/form-data; boundary={boundary}", ("".join(parts) + f"--{boundary}--\r\n").encode())


def _xml(record: dict[str, Any], attributes: bool, rng: Rng) -> str:
    out = []
    for name, value in record.items():
        if isinstance(value, dict):
            out.append(f"<{name}>{_xml(value, attributes, rng)}</{name}>")
        else:
            out.append(f"<{name}>{escape(str(value).lower() if isinstance(value, bool) else str(value))}</{name}>")
    return "".join(out)


def xml(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> None:
    """Elements, and with a namespace some attributes."""
    casing, space = spelled(rng, split), rng.choice(split.style.namespaces)
    root = pascal(rng.choice(split.style.collections).split()).replace("V", "Api")
    count = len(items) // 3 if space else 0
    single = [item for item in items if len(item.name) == 1]
    attributes = {casing(item.name[0]): item for item in single[:count]}
    record, placed = _record(casing, [item for item in items if item not in attributes.values()])
    for name, item in attributes.items():
        draft.label(side, "body", f"{root}.@{name}", item)
    for path, item in placed:
        draft.label(side, "body", f"{root}.{path}", item)
    shown = "".join(f" {name}={quoteattr(item.text)}" for name, item in attributes.items())
    if space:
        shown += f' xmlns="{space}"'
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}{shown}>{_xml(record, False, rng)}</{root}>'
    _send(draft, side, rng.choice(("application/xml", "text/xml; charset=utf-8")), body.encode())


def soap(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> None:
    operation = pascal([rng.choice(split.style.operations)])
    record, placed = _record(spelled(rng, split), items)
    for path, item in placed:
        draft.label(side, "body", f"Envelope.Body.{operation}.{path}", item)
    body = (
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
        f"<{operation}>{_xml(record, False, rng)}</{operation}></soap:Body></soap:Envelope>"
    )
    _send(draft, side, "text/xml; charset=utf-8", body.encode())


def graphql_variables(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> None:
    record, placed = _record(spelled(rng, split), items)
    operation = rng.choice(split.style.operations)
    for path, item in placed:
        draft.label(side, "body", f"variables.input.{path}", item)
    query = f"mutation {operation}($input: Input!) {{ {operation}(input: $input) {{ id status }} }}"
    _send(draft, side, JSON, json.dumps({"query": query, "variables": {"input": record}}).encode())


def graphql_inline(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> None:
    """Arguments inside the query's text: any field of the body may tell."""
    operation, arguments = rng.choice(split.style.operations), []
    for item in items:
        plain = item.name[0].removeprefix("=")
        if len(item.name) == 1 and plain.replace("_", "").replace(" ", "").isalnum() and plain.isascii():
            name = "".join(word.title() if i else word for i, word in enumerate(plain.split()))
            draft.label(side, "body", None, item)
            arguments.append(f"{name}: {json.dumps(item.value, ensure_ascii=False)}")
    query = f"mutation {{ {operation}(input: {{{', '.join(arguments)}}}) {{ id }} }}"
    _send(draft, side, JSON, json.dumps({"query": query}).encode())


def text(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> None:
    """Free text: an error message, or a stack trace; with the first item that a phrase tells of."""
    chosen = _phrases(rng, split, items)
    if not chosen:
        return
    frame = rng.choice(split.style.texts + split.style.traces)
    body = "\n".join(frame.format(phrase=phrase) for phrase, _ in chosen)
    for _, item in chosen:
        draft.label("response", "body", None, item)
    draft.status = 500
    _send(draft, "response", "text/plain; charset=utf-8", body.encode())


def json_message(rng: Rng, split: Split, draft: Draft, side: str, items: Sequence[Item]) -> None:
    """An error message in a member of JSON."""
    chosen = _phrases(rng, split, items)
    if not chosen:
        return
    frame = rng.choice(split.style.texts)
    body = "\n".join(frame.format(phrase=phrase) for phrase, _ in chosen)
    for _, item in chosen:
        draft.label("response", "body", None, item)
    draft.status = 422
    _send(
        draft, "response", "application/problem+json", json.dumps({"title": "Unprocessable", "detail": body}).encode()
    )


def _phrases(rng: Rng, split: Split, items: Sequence[Item]) -> list[tuple[str, Item]]:
    chosen = []
    for item in items:
        phrases: Sequence[str] = split.harmless_phrases
        if item.data_class is not None:
            of_class = split.phrases.get(item.data_class, ())
            phrases = split.phrases.get(f"{item.data_class} {item.kind}", of_class)
        if "pci.pan" in item.strict or "\n" in item.text or (not item.data_class and len(item.text) < SHORT):
            continue  # a card's number in a sentence that says nothing of it: nobody could tell
        if item.data_class == "secret.password" and set(item.text) & set(' "&<'):
            continue  # nobody could tell where it ends
        if phrases:
            chosen.append((rng.choice(phrases).replace("{v}", item.text), replace(item, stratum=SENTENCE)))
    return chosen[:4]


ERRORS = (text, json_message)  # only responses

# Carrier and how often it is taken.
BODIES: dict[Carrier, int] = {
    json_object: 10,
    json_array: 5,
    json_escaped: 2,
    json_in_string: 3,
    base64_in_string: 2,
    json_charset: 2,
    json_compressed: 2,
    json_truncated: 2,
    ndjson: 2,
    json_rpc: 2,
    bare: 2,
    form: 4,
    multipart: 3,
    xml: 4,
    soap: 2,
    graphql_variables: 2,
    graphql_inline: 2,
    text: 6,
    json_message: 3,
}
