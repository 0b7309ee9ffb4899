"""Text of no known structure: one value, searched for everything that shows itself."""

# ruff: noqa: ARG002 - every decoder takes what the protocol gives
from __future__ import annotations

import re

from apisec.decoders.base import Document, Label, Leaf, Limits, MediaType

_SUBTYPES = ("graphql", "javascript", "x-javascript", "ecmascript", "sql", "x-yaml", "yaml", "jwt", "toml")
_TAIL = 4_096  # characters at a cut text's end in which a place is looked for where no value can be cut in two
# The end of a sentence, a line or a tag; not behind a digit, for numbers go on, nor before a line of base64.
_PLACE = re.compile(r"(?<!\d)(?:[.;!?]\s|\n(?![A-Za-z0-9+/=]{20})|>(?=[\s<]))")


def place_to_cut(text: str, limit: int) -> int:
    """Return the last place up to ``limit`` where no value is cut in two; 0 when there is none near."""
    last = 0
    for match in _PLACE.finditer(text, max(0, limit - _TAIL), limit):
        last = match.end()
    return last


class TextDecoder:
    """Plain text, HTML, scripts, GraphQL: the whole text is one leaf."""

    name = "text"

    def accepts(self, media: MediaType) -> bool:
        major, _, subtype = media.essence.partition("/")
        return major == "text" or (major == "application" and subtype in _SUBTYPES)

    def decode(self, text: str, media: MediaType, limits: Limits, label: Label, truncated: bool) -> Document:
        end = place_to_cut(text, len(text)) if truncated else len(text)
        leaves = [Leaf("", "", "", "string", text[:end], 0, end)] if text else []
        return Document(text, leaves, end, self, incomplete="ends too early" if truncated else None)

    def encode(self, leaf: Leaf, replacement: str) -> str:
        return replacement
