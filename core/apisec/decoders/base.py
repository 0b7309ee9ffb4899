"""What decoding gives: a document, its leaves with their places in the text, and a way back.

A decoder never copies a text apart and together again. It says where each value stands (``start``, ``end``)
and how a replacement is written there, so that everything that is not sensitive stays as it was on the wire:
number notation, order, duplicate members, white space.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Iterator, List, Mapping, NamedTuple, Optional, Protocol, Sequence, Tuple

Label = Callable[[str], str]  # a member's name as it may stand in a field's path


class Leaf(NamedTuple):
    """One value. ``value`` is decoded; ``text[start:end]`` is where a replacement goes.

    ``path`` holds only labelled names: ``items[].card.number``. ``name`` and ``parent`` are the raw names that
    give evidence. ``kind``: string, integer, number, boolean, null, key (a name that may itself be
    sensitive) or binary (bytes that no text may show). ``within`` names the decoder whose encoding a
    replacement needs, where that is another one than the document's: JSON in a part, in an event of a stream.
    ``group`` says which values are members of one object: a number of that object within its document, or -1 for
    a value that is a member of none (an array's element, a text).
    """

    path: str
    name: str
    parent: str
    kind: str
    value: str
    start: int
    end: int
    within: str = ""
    group: int = -1


@dataclass(frozen=True)
class Document:
    """A decoded text. ``end`` is where its last whole value ends: beyond it nothing was understood.

    ``incomplete`` says why not everything was, or is None.
    """

    text: str
    leaves: Sequence[Leaf]
    end: int
    decoder: Decoder
    incomplete: Optional[str] = None

    def render(self, replacements: Mapping[int, str]) -> str:
        """Return the text with some leaves (by index) replaced, each written as its format demands."""
        if not replacements:
            return self.text if self.end == len(self.text) else self.text[: self.end]
        pieces: List[str] = []
        position = 0
        ordered = sorted([(self.leaves[i].start, i) for i in replacements])
        for start, index in ordered:
            leaf = self.leaves[index]
            pieces.append(self.text[position:start])
            pieces.append(self.decoder.encode(leaf, replacements[index]))
            position = leaf.end
        pieces.append(self.text[position : self.end])
        return "".join(pieces)


@dataclass(frozen=True)
class MediaType:
    """``type/subtype`` in lower case with its parameters (RFC 9110, 8.3.1)."""

    essence: str = ""
    parameters: Tuple[Tuple[str, str], ...] = ()

    def parameter(self, name: str) -> Optional[str]:
        return next((value for key, value in self.parameters if key == name), None)


@dataclass(frozen=True)
class Limits:
    """Bounds that hostile input meets."""

    text: int = 1 << 17  # characters of one body that are analysed; hostile ones of that size take some 100 ms
    depth: int = 64  # objects and arrays inside one another
    leaves: int = 10_000  # values of one document
    nested: int = 4  # encodings inside one another: JSON in base64 in JSON …


class Place(NamedTuple):
    """Where a text with a format of its own stands in another one: the path, the names that give evidence."""

    start: int
    path: str = ""
    name: str = ""
    parent: str = ""

    def take(self, document: Document) -> Iterator[Leaf]:
        """Yield the leaves of the inner document as leaves of the outer one."""
        outer, offset, decoder = self.path, self.start, document.decoder.name
        for path, name, parent, kind, value, start, end, within, group in document.leaves:
            if outer:
                path = f"{outer}.{path}" if path else outer
            parent = parent or (self.name if name else self.parent)
            name = name or ("" if kind == "key" else self.name)
            group = group + offset if group >= 0 else -1
            yield Leaf(path, name, parent, kind, value, start + offset, end + offset, within or decoder, group)


class Decoder(Protocol):
    """Reads one family of formats. Raises DecodeError or LimitExceeded; neither message repeats a byte."""

    name: str

    def accepts(self, media: MediaType) -> bool:
        """Return whether the media type is of this family."""
        ...

    def decode(self, text: str, media: MediaType, limits: Limits, label: Label, truncated: bool) -> Document:
        """Return the document; ``truncated`` says that the text was cut, so that its end may miss."""
        ...

    def encode(self, leaf: Leaf, replacement: str) -> str:
        """Return how a replacement is written between ``start`` and ``end`` of the leaf."""
        ...


def as_is(name: str) -> str:
    """Label a member by its own name."""
    return name


MAX_NAME = 512  # characters; a longer name is no name, and is looked at as a value


def labelled(name: str, label: Label) -> str:
    """Return a name's label; one that is too long costs nothing, and differs from the name."""
    return label(name) if len(name) <= MAX_NAME else "{key}"


class Inner(Protocol):
    """What decoders ask for texts inside their own: the registry, which knows all of them."""

    def embedded(self, text: str, name: str, limits: Limits, label: Label) -> Optional[Document]:
        """Return the document of a text that shows a format of its own, or None."""
        ...

    def declared(self, text: str, media: MediaType, limits: Limits, label: Label) -> Optional[Document]:
        """Return the document of a text whose media type is declared, or None where it is not one."""
        ...

    def encode(self, leaf: Leaf, replacement: str) -> str:
        """Return how a replacement is written in the encoding that the leaf names."""
        ...
