"""Traffic made of OpenAPI documents that nobody tuned to: names, nesting, types, formats and examples are theirs.

What a property is, is judged by a person reading its name and its parent's: ``spec_labels.csv`` (name, parent,
class). ``*`` as parent is any parent without a row of its own, an empty one the top of a body. The class ``?`` leaves
a property out of the score; ``a|b`` is the class a, and b is right too; a property without a row is harmless, unless
its format is ``email`` or ``password``.
"""

from __future__ import annotations

import csv
import json
import random
import re
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from benchmarks.corpus import development, examination
from benchmarks.corpus.checks import Rng, digits
from benchmarks.corpus.draft import Draft
from benchmarks.corpus.split import Item, Make
from benchmarks.corpus.values import identifier, moment, random_text

LABELS = Path(__file__).with_name("spec_labels.csv")
UNJUDGED = ("?",)
FORMATS = {"email": "pii.email", "password": "secret.password"}  # of OpenAPI, where no row judges
MAX_DEPTH, MAX_MEMBERS, MAX_LEAVES = 6, 60, 200
METHODS = ("get", "post", "put", "patch")
START = 1_767_312_000.0
WORDS = ("alpha", "maple", "orbit", "velvet", "canyon", "ripple", "summit", "harvest", "cobalt", "lumen")

_TELLS = re.compile(r"@|(?:\d[ .-]?){9}|[A-Za-z0-9_-]{20}")  # an example that is itself an address, a number, a key

Labels = Mapping[tuple[str, str], str]


def read_labels(path: Path = LABELS) -> dict[tuple[str, str], str]:
    """Return the class by name and parent, both in lower case."""
    with path.open(encoding="utf-8", newline="") as file:
        return {(row["name"], row["parent"]): row["class"] for row in csv.DictReader(file)}


def judged(labels: Labels, name: str, parent: str, form: str = "") -> tuple[str, ...]:
    """Return the class of a property and those that are right too, ``("?",)``, or nothing when it is harmless."""
    name, parent = _folded(name), _folded(parent)
    found = labels.get((name, parent), labels.get((name, "*"), FORMATS.get(form, "")))
    return tuple(found.split("|")) if found else ()


def _folded(name: str) -> str:
    return "".join(sign for sign in name.lower() if sign.isalnum())


def read(path: Path) -> Mapping[str, Any]:
    text = path.read_text(encoding="utf-8")
    document = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    if not isinstance(document, dict):
        raise TypeError(f"{path}: not an OpenAPI document")
    return document


@dataclass(frozen=True)
class Leaf:
    """A value of a body: where it stands, what it is called, what it was judged to be."""

    path: str
    parent: str
    name: str
    value: Any
    classes: tuple[str, ...]


@dataclass
class Payload:
    """A body generated of a schema, and its leaves."""

    document: Mapping[str, Any]
    shape: Rng  # which members are there: the same ones whatever their values are
    rng: Rng  # values
    labels: Labels
    leaves: list[Leaf] = field(default_factory=list)

    def resolved(self, schema: Any, depth: int = 0) -> Mapping[str, Any]:
        """Follow references; parts of ``allOf`` become one schema, of ``oneOf`` and ``anyOf`` the first counts."""
        if not isinstance(schema, dict) or depth > 12:
            return {}
        if "$ref" in schema:
            return self.resolved(self._reference(str(schema["$ref"])), depth + 1)
        for choice in ("oneOf", "anyOf"):
            if schema.get(choice):
                return self.resolved(
                    {**schema[choice][0], **{k: v for k, v in schema.items() if k == "properties"}}, depth + 1
                )
        if schema.get("allOf"):
            merged: dict[str, Any] = {"properties": dict(schema.get("properties") or {})}
            for part in schema["allOf"]:
                found = self.resolved(part, depth + 1)
                merged = {**merged, **found, "properties": {**merged["properties"], **(found.get("properties") or {})}}
            return merged
        return schema

    def _reference(self, reference: str) -> Any:
        found: Any = self.document
        for part in reference.removeprefix("#/").split("/"):
            part = part.replace("~1", "/").replace("~0", "~").replace("%7B", "{").replace("%7D", "}")
            found = found.get(part) if isinstance(found, dict) else None
        return found

    def value(self, schema: Any, path: str, parent: str, name: str, depth: int = 0) -> Any:
        """Return a value of a schema; leaves are noted on the way."""
        schema = self.resolved(schema)
        kind = schema.get("type")
        kind = next((one for one in kind if one != "null"), "string") if isinstance(kind, list) and kind else kind
        if schema.get("properties") and kind in (None, "object"):
            return self._object(schema["properties"], path, name, depth)
        if kind == "array":
            if depth >= MAX_DEPTH:
                return []
            return [self.value(schema.get("items"), f"{path}[]", parent, name, depth + 1)]
        if kind == "object" or (kind is None and not schema.get("enum")):
            return {}
        classes = judged(self.labels, name, parent, str(schema.get("format", "")))
        value, classes = self._leaf(schema, str(kind), classes)
        if not isinstance(value, bool):
            self.leaves.append(Leaf(path, parent, name, value, classes))
        return value

    def _object(self, properties: Mapping[str, Any], path: str, name: str, depth: int) -> dict[str, Any]:
        out: dict[str, Any] = {}
        if depth >= MAX_DEPTH:
            return out
        members = list(properties)
        for member in members if len(members) <= MAX_MEMBERS else self.shape.sample(members, MAX_MEMBERS):
            if len(self.leaves) >= MAX_LEAVES:
                break
            if isinstance(member, str) and member.isprintable() and "." not in member:
                inner = f"{path}.{member}" if path else member
                out[member] = self.value(properties[member], inner, name, member, depth + 1)
        return out

    def _leaf(self, schema: Mapping[str, Any], kind: str, classes: tuple[str, ...]) -> tuple[Any, tuple[str, ...]]:
        """Return a value, and its classes: none can be judged of one that cannot be what its name says."""
        if kind == "boolean":
            return self.rng.random() < 0.5, ()
        if schema.get("enum"):
            return self.rng.choice(schema["enum"]), UNJUDGED if classes else ()
        if classes and classes != UNJUDGED:
            made = planted(self.rng, classes[0], kind)
            if made is not None:
                return made, classes
            classes = UNJUDGED
        example = schema.get("example")
        if isinstance(example, str) and kind == "string" and example and not _TELLS.search(example):
            return example, classes
        return harmless(self.rng, kind, str(schema.get("format", "")), int(schema.get("maxLength") or 60)), classes


def _makers() -> dict[str, list[Make]]:
    found: dict[str, list[Make]] = {}
    for split in (development.SPLIT, examination.SPLIT):
        for forms in split.formats.values():
            for form in forms:
                name = form.data_class
                while name:
                    found.setdefault(name, []).append(form.make)
                    name = name.rpartition(".")[0]
    return found


MAKERS = _makers()


def planted(rng: Rng, data_class: str, kind: str) -> Any:
    """Return a value of a class that fits a JSON type; None when no format of the class does."""
    for _ in range(20):
        value = rng.choice(MAKERS[data_class])(rng)
        if kind == "string":
            return str(value)
        if kind == "integer" and str(value).isdigit() and str(value)[0] != "0":
            return int(value)
        if kind == "number" and isinstance(value, (int, float)):
            return value
    return None


def harmless(rng: Rng, kind: str, form: str, longest: int) -> Any:
    """Return a value of a type and format that says nothing of anybody."""
    if kind == "integer":
        return rng.randint(1, 90_000)
    if kind == "number":
        return round(rng.uniform(1, 900), 2)
    makers: dict[str, Callable[[], str]] = {
        "date": lambda: moment(rng).strftime("%Y-%m-%d"),
        "date-time": lambda: moment(rng).isoformat(),
        "uuid": lambda: identifier(rng),
        "uri": lambda: f"https://static.{rng.choice(WORDS)}.dev/{rng.randint(1, 999)}",
        "byte": lambda: random_text("", 16, string.ascii_letters)(rng),
    }
    text = makers.get(form, lambda: " ".join(rng.choices(WORDS, k=rng.randint(1, 3))))()
    return text if longest >= len(text) else (rng.choice(WORDS) + digits(rng, 2))[: max(1, longest)]


def _schemas(payload: Payload, operation: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the side and schema of an operation's bodies, of OpenAPI 3 and 2."""
    body = payload.resolved(operation.get("requestBody"))
    for media, content in (body.get("content") or {}).items():
        if "json" in media or "form" in media:
            yield "request", content.get("schema")
            break
    for parameter in map(payload.resolved, operation.get("parameters") or ()):
        if parameter.get("in") == "body":
            yield "request", parameter.get("schema")
    for status, answer in (operation.get("responses") or {}).items():
        response = payload.resolved(answer)
        if str(status).startswith("2"):
            for media, content in (response.get("content") or {}).items():
                if "json" in media:
                    yield "response", content.get("schema")
                    break
            if "schema" in response:
                yield "response", response["schema"]


def transactions(path: Path, labels: Labels, limit: int, seed: int = 20_261) -> Iterator[Draft]:
    """Yield up to ``limit`` transactions of a document."""
    document = read(path)
    shape, rng = random.Random(f"{seed} {path.name}"), random.Random(f"{path.name} {seed}")
    operations = [
        (method, url, operation)
        for url, item in (document.get("paths") or {}).items()
        if isinstance(item, dict)
        for method, operation in item.items()
        if method in METHODS and isinstance(operation, dict)
    ]
    shape.shuffle(operations)
    count = 0
    for method, url, operation in operations:
        if count >= limit:
            return
        draft = Draft(f"{path.stem}-{count}", START + count, "spec", method.upper(), f"{path.stem.split('.')[0]}.test")
        draft.segments = [part.strip("{}") for part in url.split("/") if part]
        for side, schema in _schemas(Payload(document, shape, rng, labels), operation):
            _body(draft, side, schema, Payload(document, shape, rng, labels))
        if draft.labels:
            yield draft
            count += 1


def _body(draft: Draft, side: str, schema: Any, payload: Payload) -> None:
    """Give a side of a draft a body of a schema, and label its leaves."""
    value = payload.value(schema, "", "", "")
    if not payload.leaves or draft.side(side).body or not isinstance(value, (dict, list)):
        return
    draft.side(side).headers.append(("Content-Type", "application/json"))
    draft.side(side).body = json.dumps(value, default=str).encode()
    for leaf in payload.leaves:
        if leaf.classes != UNJUDGED:
            name = (leaf.parent, leaf.name) if leaf.parent else (leaf.name,)
            data_class = leaf.classes[0] if leaf.classes else None
            item = Item(name, leaf.value, data_class, "spec", leaf.classes[1:])
            draft.label(side, "body", leaf.path.removeprefix("[]."), item)
