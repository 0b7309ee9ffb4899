"""What analysts said, in the KV store: dispositions of campaigns, and the exceptions that they and bundles made.

A disposition's ``_key`` is its campaign's id, an exception's is made of what it is for (core's ``key_of``). Beside the
members of core's documents an exception carries ``created`` and ``updated`` (seconds since the epoch) and ``source``,
the campaign whose disposition made it, or the digest of the bundle that brought it.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any, List, Optional, Set, Tuple

from apisec.dispositions import exceptions as core
from apisec.dispositions import verdicts
from apisec.dispositions.exceptions import Exemption, Exemptions
from apisec.errors import DocumentError

from .kvstore import Document


def today(now: float) -> datetime.date:
    """Return the day (UTC) of a time in seconds since the epoch."""
    return datetime.datetime.fromtimestamp(now, datetime.timezone.utc).date()


class ExceptionStore:
    """The exceptions of all services. ``collection`` is ``kvstore.Collection`` or what ``access.reader`` gives."""

    def __init__(self, collection: Any) -> None:
        self._collection = collection

    def rows(self, service: Optional[str] = None) -> List[Document]:
        """Return the stored documents, of one service or of all."""
        found: List[Document] = self._collection.load({"service": service} if service is not None else None)
        return found

    def readable(self, now: float) -> Tuple[Exemptions, List[str]]:
        """Return the exceptions that count now, and one line for each row that cannot be read: those hide nothing."""
        found, problems = core.read(self.rows())
        return found.on(today(now)), problems

    def promoted(self, service: str, now: float) -> Tuple[Exemption, ...]:
        """Return what of a service's exceptions travels with its bundle: a principal is a token of this place."""
        found = core.read(self.rows(service))[0].on(today(now))
        return tuple(sorted((one for one in found.entries if not one.principal), key=lambda one: one.key))

    def get(self, key: str) -> Optional[Document]:
        found: Optional[Document] = self._collection.get(key)
        return found

    def put(self, made: Iterable[Exemption], now: float, source: str = "") -> List[Document]:
        """Store exceptions; each takes the place of the one for the same. DocumentError for a day out of bounds."""
        rows = []
        for one in made:
            core.within(one, today(now))
            former = self.get(one.key)
            created = former.get("created", now) if former is not None else now
            rows.append(document_of(one, created, now, source))
        self._collection.save(rows)
        return rows

    def replace(self, service: str, made: Iterable[Exemption], now: float, source: str) -> List[Document]:
        """Make these the exceptions of a service that came with bundles; those that analysts made here stay."""
        former = {str(row["_key"]): row for row in self.rows(service)}
        rows = []
        for one in made:
            known = former.get(one.key)
            rows.append(document_of(one, known.get("created", now) if known else now, now, source))
        kept = {str(row["_key"]) for row in rows}
        self._collection.save(rows)
        gone = [key for key, row in former.items() if key not in kept and _from_bundle(row)]
        self._collection.delete_all(sorted(gone))
        return rows

    def delete(self, keys: Iterable[str]) -> None:
        self._collection.delete_all(sorted(keys))


def _from_bundle(row: Mapping[str, Any]) -> bool:
    return str(row.get("source") or "").startswith("sha256:")


def document_of(one: Exemption, created: float, updated: float, source: str) -> Document:
    """Return an exception as the KV store keeps it."""
    row: Document = {"_key": one.key, "version": core.VERSION, **one.to_document()}
    row.update(created=created, updated=updated, source=source)
    return row


def exemption_of(row: Mapping[str, Any]) -> Exemption:
    """Return the exception of a stored document. DocumentError for one that is damaged."""
    return core.parse({name: row[name] for name in core.MEMBERS if row.get(name) is not None})


class DispositionStore:
    """What was said of campaigns, one document a campaign: a second word takes the place of the first."""

    def __init__(self, collection: Any, exceptions: ExceptionStore) -> None:
        self._collection = collection
        self._exceptions = exceptions

    def rows(self) -> List[Document]:
        """Return the stored documents that are whole."""
        return [row for row in self._collection.load() if _is_whole(row)]

    def get(self, campaign: str) -> Optional[Document]:
        found: Optional[Document] = self._collection.get(campaign)
        return found if found is not None and _is_whole(found) else None

    def put(self, said: Mapping[str, Any], made: List[Exemption], now: float) -> Document:
        """Store a disposition with its exceptions; those that a word before made, and this one does not, go."""
        former = self.get(str(said["_key"]))
        kept = self._exceptions.put(made, now, str(said["_key"]))
        row = {**said, "exceptions": [str(one["_key"]) for one in kept]}
        if former is not None:
            row["created"] = former.get("created", now)
            self._drop(former, set(row["exceptions"]))
        self._collection.save([row])
        return row

    def delete(self, row: Mapping[str, Any]) -> None:
        """Remove a disposition, and the exceptions that it made and nobody said again since."""
        self._drop(row, set())
        self._collection.delete(str(row["_key"]))

    def _drop(self, row: Mapping[str, Any], but: Set[str]) -> None:
        mine = {str(key) for key in row.get("exceptions") or ()} - but
        held = {key: self._exceptions.get(key) for key in mine}
        self._exceptions.delete(key for key, one in held.items() if one and one.get("source") == row["_key"])


def _is_whole(row: Mapping[str, Any]) -> bool:
    """Return whether a row is one that was written here: what others write into the collection is nobody's word."""
    return row.get("version") == verdicts.VERSION and all(name in row for name in (*verdicts.LABEL, "updated"))


def expiry(text: Optional[str]) -> Optional[datetime.date]:
    """Return a day as the API takes it, checked by its schema. DocumentError for one that is no day."""
    if text is None:
        return None
    try:
        return datetime.date(*map(int, text.split("-")))
    except (TypeError, ValueError):
        raise DocumentError("must be a date such as 2027-01-31", where="expires") from None
