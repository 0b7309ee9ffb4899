"""Text of no known structure: one value, searched for everything that shows itself."""

# ruff: noqa: ARG002 - every decoder takes what the protocol gives
from __future__ import annotations

from apisec.decoders.base import Document, Label, Leaf, Limits, MediaType

_SUBTYPES = ("graphql", "javascript", "x-javascript", "ecmascript", "sql", "x-yaml", "yaml", "jwt", "toml")
_TAIL = 512  # a value may be cut at a cut text's end; none that is found is longer, but for keys and blobs


class TextDecoder:
    """Plain text, HTML, scripts, GraphQL: the whole text is one leaf."""

    name = "text"

    def accepts(self, media: MediaType) -> bool:
        major, _, subtype = media.essence.partition("/")
        return major == "text" or (major == "application" and subtype in _SUBTYPES)

    def decode(self, text: str, media: MediaType, limits: Limits, label: Label, truncated: bool) -> Document:
        end = max(0, len(text) - _TAIL) if truncated else len(text)
        leaves = [Leaf("", "", "", "string", text[:end], 0, end)] if text else []
        return Document(text, leaves, end, self, incomplete="ends too early" if truncated else None)

    def encode(self, leaf: Leaf, replacement: str) -> str:
        return replacement
