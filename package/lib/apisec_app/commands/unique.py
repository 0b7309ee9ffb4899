"""Counting each transaction once, though the events of a search lie on several indexers.

A forwarder ships at least once: after an outage the same event, with the same id, can lie on two indexers. Each map
process counts an id once and passes on eight bytes for each; the search head compares them. Ids that several processes
saw are told as duplicates; asked again with them, map passes those events on whole, and the search head counts one
each. So events travel only when some are there twice, which is rare.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Dict, List, Set

from ..records import raw_of

Record = Dict[str, Any]
Add = Callable[[Record], None]

IDS_FIELD = "apisec_ids"
EVENT_FIELD = "apisec_event"
DUPLICATES_FIELD = "apisec_duplicates"
TOO_MANY = "many"
MAX_DUPLICATES = 4_000  # ids in one option; more are left to the search language's dedup
_BYTES = 8


def id_hash(identifier: str) -> int:
    """Return 64 bits of an id, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(identifier.encode("utf-8", "replace"), digest_size=_BYTES).digest(), "little")


def pack(hashes: Iterable[int]) -> str:
    """Return hashes as text that is safe in a search string."""
    return base64.urlsafe_b64encode(b"".join(one.to_bytes(_BYTES, "little") for one in hashes)).decode("ascii")


def unpack(text: str) -> List[int]:
    """Return the hashes of a text. ValueError when it is not one of ``pack``."""
    try:
        data = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not packed ids") from error
    if len(data) % _BYTES:
        raise ValueError("not packed ids: a part is missing")
    return [int.from_bytes(data[at : at + _BYTES], "little") for at in range(0, len(data), _BYTES)]


class Once:
    """The ids of one map process."""

    def __init__(self, duplicates: Iterable[int] = ()) -> None:
        self._seen: Set[int] = set()
        self._duplicates = frozenset(duplicates)
        self._new: List[int] = []

    def is_duplicate(self, hashed: int) -> bool:
        """Return whether the search head has to decide about this id."""
        return hashed in self._duplicates

    def first(self, hashed: int) -> bool:
        """Return whether this process meets an id for the first time."""
        if hashed in self._seen:
            return False
        self._seen.add(hashed)
        self._new.append(hashed)
        return True

    def take(self) -> str:
        """Return the ids that are new since the last call, packed."""
        packed, self._new = pack(self._new), []
        return packed

    def sift(self, records: Iterable[Record], event_of: Callable[[Record], Record], add: Add) -> Iterator[Record]:
        """Give ``add`` each event that this process meets first; yield what the search head has to see."""
        for record in records:
            event = event_of(record)
            identifier = event.get("id")
            hashed = id_hash(identifier) if isinstance(identifier, str) else None
            if hashed is None or (not self.is_duplicate(hashed) and self.first(hashed)):
                add(event)
            elif self.is_duplicate(hashed):
                yield {EVENT_FIELD: raw_of(record) or json.dumps(event)}
        yield {IDS_FIELD: self.take()}


class Together:
    """The ids of all map processes, on the search head; eight bytes each until they are compared."""

    def __init__(self) -> None:
        self._hashes = array("Q")
        self._decided: Set[int] = set()

    def add(self, packed: str) -> None:
        """Take the ids of one map process. ValueError when they are none."""
        self._hashes.extend(unpack(packed))

    def first(self, hashed: int) -> bool:
        """Return whether an event that map passed on whole is the first of its id."""
        if hashed in self._decided:
            return False
        self._decided.add(hashed)
        return True

    def duplicates(self) -> List[int]:
        """Return the ids that more than one process counted."""
        ordered = sorted(self._hashes)
        return sorted({one for one, other in zip(ordered, ordered[1:]) if one == other})

    def told(self) -> Iterator[Record]:
        """Yield the record that names the duplicates, if there are any."""
        twice = self.duplicates()
        if twice:
            yield {DUPLICATES_FIELD: pack(twice) if len(twice) <= MAX_DUPLICATES else TOO_MANY}
