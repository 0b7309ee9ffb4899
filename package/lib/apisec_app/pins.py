"""What people said of learned paths: words pinned as fixed or as values, and merges and splits that were undone.

Said over REST and kept apart from what the refresh learns and writes (``refresh/paths.py``), so that neither can undo
the other's writing: a refresh applies it each time that it decides, and the next decision follows it. Each thing that
was said is a document of its own, so that two people who say different things at once do not undo each other's either.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field
from typing import Dict, Iterable, List, Optional, Tuple

from apisec.endpoints.learning.registry import MAX_PINS, UNDO, Registry
from apisec.errors import DocumentError

from .kvstore import Collection, Document

PATH_PINS = "apisec_path_pins"
VERSION = 1
PIN, UNDONE = "pin", "undone"  # kinds of documents
UNPINNED = ""
MAX_UNDONE = 500

Place = Tuple[str, ...]
Pin = Tuple[str, float]  # what a word means, and when that was said
Undone = Tuple[int, str, float]  # number of a change, who undid it, and when


@dataclass
class Said:
    """Of one service. ``pins``: a word's meaning at a place, UNPINNED for one that was taken back; times are in
    seconds since the epoch. ``fresh``: what was said since it was read, as documents to save."""

    service: str
    pins: Dict[Tuple[Place, str], Pin] = field(default_factory=dict)
    undone: Dict[int, Undone] = field(default_factory=dict)
    fresh: List[Document] = field(default_factory=list)

    def apply(self, registry: Registry, until: float = math.inf) -> None:
        """Make a registry follow what was said up to a time; done twice, it changes nothing."""
        for number, author, when in sorted(self.undone.values(), key=lambda one: (one[2], one[0])):
            if when <= until and not any(
                one.kind == UNDO and one.why == (f"change {number}",) for one in registry.history
            ):
                try:
                    registry.undo(number, author, when)
                except DocumentError:  # so long ago that the history has forgotten it; its pins are below
                    continue
        for (place, word), (meaning, when) in sorted(self.pins.items()):
            if when > until:
                continue
            if meaning == UNPINNED:
                registry.unpin(place, word)
            else:
                registry.pin(place, word, meaning)

    def pin(self, place: Place, word: str, meaning: str, now: float) -> None:
        """Say what a word is at a place; DocumentError when there are too many."""
        if len(self.pins) >= MAX_PINS and (place, word) not in self.pins:
            raise DocumentError(f"more than {MAX_PINS} words are pinned: unpin some, or give a specification")
        self.pins[place, word] = (meaning, now)
        about = {"place": list(place), "word": word, "meaning": meaning}
        self._say(PIN, _short(place, word), now, about)

    def undo(self, registry: Registry, number: int, author: str, now: float) -> None:
        """Undo a merge or a split: what it pins counts even when the history forgets the change. DocumentError."""
        if len(self.undone) >= MAX_UNDONE and number not in self.undone:
            raise DocumentError(f"more than {MAX_UNDONE} changes are undone: pin the words instead")
        before = dict(registry.pins)
        registry.undo(number, author, now)
        for (place, word), meaning in registry.pins.items():
            if before.get((place, word)) != meaning:
                self.pin(place, word, meaning, now)
        self.undone[number] = (number, author, now)
        self._say(UNDONE, str(number), now, {"number": number, "author": author})

    def _say(self, kind: str, name: str, now: float, about: Document) -> None:
        key = f"{self.service}|{kind}|{name}"
        head = {"_key": key, "version": VERSION, "kind": kind, "service": self.service, "said": now}
        self.fresh.append({**head, **about})


class PathPins:
    """What was said of all services. splunklib's HTTPError passes through."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    def load(self, services: Optional[Iterable[str]] = None) -> Dict[str, Said]:
        """Return what was said by service; DocumentError for a document that is damaged."""
        wanted = None if services is None else set(services)
        query = {"service": next(iter(wanted))} if wanted is not None and len(wanted) == 1 else None
        found: Dict[str, Said] = {}
        for document in self._collection.load(query):
            service = str(document.get("service"))
            if wanted is None or service in wanted:
                _read(document, found.setdefault(service, Said(service)))
        return found

    def save(self, said: Said) -> None:
        """Write what was said since it was read, and nothing else."""
        self._collection.save(said.fresh)
        said.fresh.clear()


def _read(document: Document, said: Said) -> None:
    """Take over what a document says. DocumentError when it is damaged, or of a version that is not known."""
    where = f"{PATH_PINS} {document.get('_key')}"
    if document.get("version") != VERSION:
        raise DocumentError(f"version {document.get('version')!r} is not known", where=where)
    try:
        when = float(document["said"])
        if document["kind"] == UNDONE:
            number = int(document["number"])
            said.undone[number] = (number, str(document["author"]), when)
        else:
            place = tuple(str(one) for one in document["place"])
            said.pins[place, str(document["word"])] = (str(document["meaning"]), when)
    except (KeyError, TypeError, ValueError) as error:
        raise DocumentError("is damaged: delete it, and pin anew", where=where) from error


def _short(place: Place, word: str) -> str:
    """Return a key for a word at a place: both may hold any characters."""
    text = json.dumps([*place, word])
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
