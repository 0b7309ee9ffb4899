"""What the classifier sees of a name, hashed: n-grams of its words, its words, its parent's words."""

from __future__ import annotations

from typing import Iterator, List, Sequence
from zlib import crc32

from apisec.classification.names.words import split

# The stems of the grammar are no features: a stem more would need a model trained anew.
BUCKETS = 1 << 15
MAX_WORDS = 8  # of a name; more are not looked at
MAX_LETTERS = 24  # of a word
_MASK = BUCKETS - 1


def features(name: str, parent: str = "") -> List[int]:
    """Return the buckets of a name's features, sorted and without doubles. An empty list for a name without words."""
    words = split(name)[:MAX_WORDS]
    if not words:
        return []
    found = {crc32(text) & _MASK for text in _texts(words)}
    above = split(parent)[-2:]
    found.update(crc32(b"p:" + word[:MAX_LETTERS].encode()) & _MASK for word in above)
    if above:
        found.add(crc32(f"q:{above[-1][:MAX_LETTERS]}/{words[-1][:MAX_LETTERS]}".encode()) & _MASK)
    return sorted(found)


def _texts(words: Sequence[str]) -> Iterator[bytes]:
    before = b"^"
    for word in words:
        text = word[:MAX_LETTERS].encode()
        yield b"w:" + text
        yield b"b:" + before + b" " + text
        before = text
        framed = b"<" + text + b">"
        for size in (3, 4, 5):
            yield from [framed[at : at + size] for at in range(len(framed) - size + 1)]
    yield b"h:" + before
