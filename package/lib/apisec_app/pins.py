"""What people said of learned paths: words pinned as fixed or as values, and merges and splits that were undone.

Said over REST and kept apart from what the refresh learns and writes (``refresh/paths.py``), so that neither can undo
the other's writing: a refresh applies it each time that it decides, and the next decision follows it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, List, Optional, Tuple

from apisec.endpoints.learning.registry import MAX_PINS, UNDO, Registry
from apisec.errors import DocumentError

from .kvstore import Collection, Document

PATH_PINS = "apisec_path_pins"
VERSION = 1
UNPINNED = ""
MAX_UNDONE = 500

Place = Tuple[str, ...]


@dataclass
class Said:
    """Of one service. ``pins``: a word's meaning at a place, UNPINNED for one that was taken back; ``undone``: number
    of the change, who undid it and when (seconds since the epoch)."""

    pins: Dict[Tuple[Place, str], str] = field(default_factory=dict)
    undone: List[Tuple[int, str, float]] = field(default_factory=list)

    def apply(self, registry: Registry) -> None:
        """Make a registry follow what was said; done twice, it changes nothing."""
        for number, author, when in self.undone:
            if not any(one.kind == UNDO and one.why == (f"change {number}",) for one in registry.history):
                try:
                    registry.undo(number, author, when)
                except DocumentError:  # so long ago that the history has forgotten it; its pins are below
                    continue
        for (place, word), meaning in sorted(self.pins.items()):
            if meaning == UNPINNED:
                registry.unpin(place, word)
            else:
                registry.pin(place, word, meaning)

    def document(self, service: str) -> Document:
        """Return it as the KV store keeps it."""
        return {
            "_key": service,
            "version": VERSION,
            "service": service,
            "pins": [[list(place), word, meaning] for (place, word), meaning in sorted(self.pins.items())],
            "undone": [list(one) for one in self.undone],
        }

    def pin(self, place: Place, word: str, meaning: str) -> None:
        """Say what a word is at a place; DocumentError when there are too many."""
        if len(self.pins) >= MAX_PINS and (place, word) not in self.pins:
            raise DocumentError(f"more than {MAX_PINS} words are pinned: unpin some, or give a specification")
        self.pins[place, word] = meaning

    def undo(self, registry: Registry, number: int, author: str, now: float) -> None:
        """Undo a merge or a split: what it pins counts even when the history forgets the change. DocumentError."""
        before = dict(registry.pins)
        registry.undo(number, author, now)
        for (place, word), meaning in registry.pins.items():
            if before.get((place, word)) != meaning:
                self.pin(place, word, meaning)
        self.undone = [*self.undone, (number, author, now)][-MAX_UNDONE:]


class PathPins:
    """What was said of all services. splunklib's HTTPError passes through."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    def load(self, services: Optional[Iterable[str]] = None) -> Dict[str, Said]:
        """Return what was said by service; DocumentError for a document that is damaged."""
        found = self._collection.load() if services is None else self._collection.find(sorted(services))
        return {str(document["_key"]): said_of(document) for document in found}

    def save(self, service: str, said: Said) -> None:
        self._collection.save([said.document(service)])


def said_of(document: Document) -> Said:
    """Return what a document says. DocumentError when it is damaged, or of a version that is not known."""
    where = f"{PATH_PINS} {document.get('_key')}"
    if document.get("version") != VERSION:
        raise DocumentError(f"version {document.get('version')!r} is not known", where=where)
    try:
        said = Said()
        for place, word, meaning in document["pins"][:MAX_PINS]:
            said.pins[_place(place), str(word)] = str(meaning)
        said.undone = [(int(number), str(author), float(when)) for number, author, when in document["undone"]]
    except (KeyError, TypeError, ValueError) as error:
        raise DocumentError("is damaged: delete it, and pin anew", where=where) from error
    return said


def _place(segments: Any) -> Place:
    return tuple(str(one) for one in segments)
