"""Operations of public OpenAPI documents: template, parameters, and the fields of their answers.

The documents are not kept here (benchmarks/README.md says where they come from). A third of the providers, by the hash
of their names, is held out: rules and weights are made on the others.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAX_BYTES = 3_000_000  # larger documents take seconds each to read
PER_PROVIDER = 5  # documents: some providers have hundreds that are alike
MAX_FIELDS, MAX_DEPTH = 40, 3
METHODS = ("get", "post", "put", "patch", "delete", "head")

_PARAMETER = re.compile(r"\{([^{}]*)\}")
_EXTENSION = re.compile(r"\.(?:json|xml|csv|pdf|html?|txt|png|jpe?g|gif|svg|zip|ya?ml|atom|rss|\{\})$", re.IGNORECASE)


@dataclass(frozen=True)
class Operation:
    """``segments`` of the template, ``{name}`` for a parameter; ``fields``: path, and whether it is always there."""

    method: str
    segments: tuple[str, ...]
    parameters: Mapping[str, Mapping[str, Any]] = field(hash=False, compare=False)
    fields: tuple[tuple[str, bool], ...] = ()

    @property
    def skeleton(self) -> tuple[str, ...]:
        return skeleton(self.segments)

    @property
    def is_static(self) -> bool:
        return not any("{" in segment for segment in self.segments)


@dataclass(frozen=True)
class Api:
    provider: str
    name: str
    operations: tuple[Operation, ...]


def skeleton(segments: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """Return a template without its parameters' names. ``{id}:cancel`` keeps its verb, ``{id}.json`` is ``{}``."""
    return tuple(_bare(segment) if "{" in segment else segment for segment in segments)


def _bare(segment: str) -> str:
    head, colon, verb = segment.rpartition(":")
    if colon and "{" in head and verb.isalpha():
        return "{}:" + verb
    return "{}"


def held_out(provider: str) -> bool:
    return hashlib.sha256(provider.encode()).digest()[0] % 3 == 0


def documents(folder: Path, held: bool) -> Iterator[tuple[str, Path]]:
    """Give provider and file of the chosen part: at most ``PER_PROVIDER`` of each, chosen by hash."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in folder.rglob("*.json"):
        provider = path.relative_to(folder).parts[0].removesuffix(".json")
        if held_out(provider) == held and path.stat().st_size <= MAX_BYTES:
            found[provider].append(path)
    for provider, paths in sorted(found.items()):
        ordered = sorted(paths, key=lambda p: hashlib.sha256(str(p.relative_to(folder)).encode()).digest())
        yield from ((provider, path) for path in ordered[:PER_PROVIDER])


def read(provider: str, path: Path) -> Api:
    document = json.loads(path.read_text(encoding="utf-8"))
    reader = _Reader(document if isinstance(document, dict) else {})
    operations: dict[tuple[str, tuple[str, ...]], Operation] = {}
    for operation in reader.operations():
        operations.setdefault((operation.method, operation.skeleton), operation)
    return Api(provider, path.stem, tuple(operations.values()))


class _Reader:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def operations(self) -> Iterator[Operation]:
        for path, item in (self._document.get("paths") or {}).items():
            if "#" in path or "?" in path or not isinstance(item, dict):
                continue  # RPC by header or query: no path tells these apart
            segments = tuple(part for part in path.split("/") if part)
            for method in METHODS:
                body = item.get(method)
                if isinstance(body, dict):
                    given = [*(item.get("parameters") or []), *(body.get("parameters") or [])]
                    yield Operation(method.upper(), segments, self._parameters(given, path), self._answer(body))

    def _parameters(self, given: list[Any], path: str) -> dict[str, Mapping[str, Any]]:
        found: dict[str, Mapping[str, Any]] = {name: {} for name in _PARAMETER.findall(path)}
        for raw in given:
            parameter = self._resolve(raw)
            if parameter.get("in") == "path" and parameter.get("name") in found:
                schema = self._resolve(parameter.get("schema")) or parameter
                found[parameter["name"]] = {name: schema[name] for name in ("type", "format", "enum") if name in schema}
        return found

    def _answer(self, operation: Mapping[str, Any]) -> tuple[tuple[str, bool], ...]:
        answers = operation.get("responses")
        for status in ("200", "201", "202", "204", "default", 200):
            answer = self._resolve(answers.get(status)) if isinstance(answers, dict) else {}
            if answer:
                schema = answer.get("schema")
                for media in (answer.get("content") or {}).values():
                    schema = schema or (media.get("schema") if isinstance(media, dict) else None)
                return tuple(self._fields(schema, "", True, 0))[:MAX_FIELDS]
        return ()

    def _fields(self, raw: Any, path: str, always: bool, depth: int) -> Iterator[tuple[str, bool]]:
        schema = self._resolve(raw)
        if depth > MAX_DEPTH:
            return
        if path and "properties" not in schema and "items" not in schema and "allOf" not in schema:
            yield path, always
        for part in schema.get("allOf") or []:
            yield from self._fields(part, path, always, depth + 1)
        if schema.get("items"):
            yield from self._fields(schema["items"], path + "[]", always, depth + 1)
        properties = schema.get("properties")
        if isinstance(properties, dict):
            required = schema.get("required")
            needed = required if isinstance(required, list) else []
            for name, child in list(properties.items())[:MAX_FIELDS]:
                inner = f"{path}.{name}" if path else name
                yield from self._fields(child, inner, always and name in needed, depth + 1)

    def _resolve(self, node: Any) -> Mapping[str, Any]:
        for _ in range(8):
            if not isinstance(node, dict) or "$ref" not in node:
                break
            reference, node = node["$ref"], self._document
            if not isinstance(reference, str) or not reference.startswith("#/"):
                return {}
            for step in reference[2:].split("/"):
                step = step.replace("~1", "/").replace("~0", "~")
                node = node.get(step) if isinstance(node, dict) else None
        return node if isinstance(node, dict) else {}


def load(folder: Path, held: bool, limit: int) -> list[Api]:
    """Return the chosen part's documents that have operations, at most ``limit`` of them, spread over the providers."""
    listed = sorted(documents(folder, held), key=lambda item: hashlib.sha256(item[1].name.encode() + b"0").digest())
    found: list[Api] = []
    for provider, path in listed:
        if len(found) >= limit:
            break
        api = read(provider, path)
        if api.operations:
            found.append(api)
    return found
