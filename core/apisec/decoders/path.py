"""The path of a request target as a document: segments, and matrix parameters inside them (RFC 3986, 3.3)."""

# ruff: noqa: ARG002 - every decoder takes what the protocol gives
from __future__ import annotations

from typing import List, Sequence
from urllib.parse import quote, unquote

from apisec.decoders.base import Document, Label, Leaf, Limits, MediaType, labelled


class PathDecoder:
    """Not in the registry: a path is no body. ``names`` gives, per segment, the name that speaks for it."""

    name = "path"

    def __init__(self, names: Sequence[str] = ()) -> None:
        self._names = names

    def accepts(self, media: MediaType) -> bool:
        return False

    def decode(self, text: str, media: MediaType, limits: Limits, label: Label, truncated: bool) -> Document:
        leaves: List[Leaf] = []
        position = index = 0
        for segment in text.split("/"):
            if segment:
                name = self._names[index] if index < len(self._names) else ""
                self._segment(segment, position, name, label, leaves)
                index += 1
            position += len(segment) + 1
        return Document(text, leaves, len(text), self)

    @staticmethod
    def _segment(segment: str, start: int, name: str, label: Label, leaves: List[Leaf]) -> None:
        base, *matrix = segment.split(";")
        if base:
            leaves.append(Leaf("", name, "", "string", unquote(base), start, start + len(base)))
        position = start + len(base) + 1
        for parameter in matrix:
            key, equals, value = parameter.partition("=")
            known = unquote(key)
            shown = labelled(known, label)
            if shown != known:
                leaves.append(Leaf(shown, "", "", "key", known, position, position + len(key)))
            if equals:
                at = position + len(key) + 1
                leaves.append(Leaf(shown, known, "", "string", unquote(value), at, at + len(value)))
            position += len(parameter) + 1

    def encode(self, leaf: Leaf, replacement: str) -> str:
        return quote(replacement, safe="~")
