"""What is applied in Splunk, in the collection ``apisec_bundles``: one document a service, and one a release.

A change is written in steps, and each is a call of its own to the KV store, so that a crash may fall between any two:

1. lock: a document that only one can insert, with the time at which it ends;
2. the release, and then the service's document with the change as ``pending``;
3. the effects: overrides, ownership. All of them are written as a whole, so that doing it twice does no harm;
4. the service's document with the change in its history, and nothing pending. The lock is removed.

Whoever finds something pending that nobody holds a lock for goes on with step 3. What is nested is JSON text: the
KV store takes no names with dots or dollars, and signatures hold for the very numbers and texts.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from apisec.bundles.history import Entry, State
from apisec.bundles.release import Release, parse
from apisec.bundles.trust import Trust
from apisec.errors import ApisecError, DocumentError

from ..kvstore import Collection, Document

BUNDLES = "apisec_bundles"
VERSION = 1
STATE, RELEASE, LOCK, TRUST, SETTINGS = "state", "release", "lock", "trust", "settings"
LEASE = 120.0  # seconds: splunkd's clients give up after 30 to 60 s, and the answer of a change takes less
REMEDY = "apply the service's bundle again"


class BusyError(ApisecError):
    """Somebody else changes this service's bundle at the moment; try again in some seconds."""


@dataclass(frozen=True)
class Pending:
    """A change that began: its entry, and why."""

    entry: Entry
    reason: str


class Held(NamedTuple):
    """What the KV store holds of a service; ``pending`` is a change that did not end."""

    state: Optional[State]
    pending: Optional[Pending]


class Head(NamedTuple):
    """What a list shows: ``applied`` as ``Entry.summary`` has it, None before the first; whether a change is on."""

    applied: Optional[Dict[str, Any]]
    pending: bool


@dataclass(frozen=True)
class Settings:
    """``environment`` of this Splunk, empty while nobody has set it: no bundle is applied then."""

    environment: str = ""


class BundleStore:
    """The collection. splunklib's HTTPError passes through; DocumentError names a document that somebody damaged."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    # --- services ---------------------------------------------------------------------------------------------

    def held(self, service: str) -> Held:
        document = self._collection.get(_key(STATE, service))
        return self._read(document) if document is not None else Held(None, None)

    def heads(self) -> Dict[str, Head]:
        """Return what is applied to each service, without the bundles themselves."""
        return {str(one["service"]): _head(one) for one in self._collection.load({"kind": STATE})}

    def head(self, service: str) -> Optional[Head]:
        """Return what is applied to a service; None where nothing ever was, or began to be."""
        found = self._collection.get(_key(STATE, service))
        return _head(found) if found is not None else None

    def begin(self, service: str, state: Optional[State], pending: Pending, now: float) -> None:
        """Write a change down before its effects."""
        self._collection.save([_release(service, pending.entry, now)])
        self._collection.save([_document(service, state, pending, now)])

    def end(self, state: State, now: float) -> None:
        """Write a change into the history, and clear away releases that no history names any more."""
        self._collection.save([_document(state.service, state, None, now)])
        kept = {_release_key(state.service, one) for one in state.history}
        query = {"kind": RELEASE, "service": state.service}
        for one in self._collection.load(query, fields=("_key",)):
            if one["_key"] not in kept:
                self._collection.delete(str(one["_key"]))

    def _read(self, document: Mapping[str, Any]) -> Held:
        where = f"apisec_bundles {document.get('_key')}"
        try:
            if document["version"] != VERSION:
                raise DocumentError(f"version {document['version']!r} is not known: {REMEDY}", where=where)
            listed = json.loads(document["history"])
            pending = json.loads(document["pending"]) if document.get("pending") else None
            releases = self._releases([*listed, *([pending] if pending else [])])
            history = tuple(_entry(one, releases) for one in listed)
            state = State(str(document["service"]), int(document["highest"]), history) if history else None
            return Held(state, Pending(_entry(pending, releases), str(pending["why"])) if pending else None)
        except (KeyError, TypeError, ValueError, RecursionError, DocumentError) as error:
            raise DocumentError(f"is damaged ({error}): {REMEDY}", where=where) from error

    def _releases(self, listed: List[Mapping[str, Any]]) -> Dict[str, Release]:
        found = self._collection.find(sorted({str(one["release"]) for one in listed}))
        return {str(one["_key"]): _parsed(one["release"]) for one in found}

    # --- locks ------------------------------------------------------------------------------------------------

    def lock(self, service: str, now: float) -> str:
        """Take the right to change a service's bundle; returns what ``unlock`` needs. Raises BusyError."""
        key, holder = _key(LOCK, service), uuid.uuid4().hex
        for _ in range(2):
            wanted = {"_key": key, "version": VERSION, "kind": LOCK, "service": service, "holder": holder}
            if self._collection.insert({**wanted, "until": now + LEASE}):
                return holder
            held = self._collection.get(key)
            if held is not None and float(held["until"]) > now:
                break
            if held is not None:  # of one that died: only this very lock, for somebody else may have taken it by now
                self._collection.delete_where({"_key": key, "holder": held["holder"]})
        raise BusyError(f"somebody else changes the bundle of {service} at the moment; try again in some seconds")

    def unlock(self, service: str, holder: str) -> None:
        self._collection.delete_where({"_key": _key(LOCK, service), "holder": holder})

    def holds(self, service: str, holder: str) -> bool:
        """Return whether a lock is held still: one that took longer than the lease may have lost it to another."""
        held = self._collection.get(_key(LOCK, service))
        return held is not None and held.get("holder") == holder

    # --- trusted keys and settings ----------------------------------------------------------------------------

    def trust(self) -> Trust:
        """Return the trusted keys; read at each use, so that a revocation counts at once. None trusted without any."""
        return Trust.parse(self.trust_document(), "trust")

    def trust_document(self) -> Dict[str, Any]:
        held = self._collection.get(TRUST)
        if held is None:
            return {"version": 1, "keys": []}
        found: Dict[str, Any] = _loaded(held, "document")
        return found

    def save_trust(self, document: Mapping[str, Any], by: str, now: float) -> None:
        """Replace the trusted keys. DocumentError names each thing that is wrong."""
        Trust.parse(document, "trust")
        self._save(TRUST, {"document": json.dumps(document)}, by, now)

    def settings(self) -> Settings:
        held = self._collection.get(SETTINGS)
        return Settings(str(held.get("environment") or "")) if held is not None else Settings()

    def save_settings(self, settings: Settings, by: str, now: float) -> None:
        self._save(SETTINGS, {"environment": settings.environment}, by, now)

    def _save(self, kind: str, members: Mapping[str, Any], by: str, now: float) -> None:
        self._collection.save([{"_key": kind, "version": VERSION, "kind": kind, "by": by, "updated": now, **members}])


def _key(kind: str, service: str) -> str:
    return f"{kind}|{service}"


def _release_key(service: str, entry: Entry) -> str:
    """The key of a release: the same bundle may be signed anew, and each release is kept as it was."""
    release = entry.release
    signed = [[one.key, one.signature.hex()] for one in release.signatures]
    known = json.dumps([release.bundle.digest, release.environment, release.seen_digest, signed])
    return f"{RELEASE}|{service}|{hashlib.sha256(known.encode()).hexdigest()[:32]}"


def _release(service: str, entry: Entry, now: float) -> Document:
    return {
        "_key": _release_key(service, entry),
        "version": VERSION,
        "kind": RELEASE,
        "service": service,
        "release": json.dumps(entry.release.to_document()),
        "stored": now,
    }


def _row(service: str, entry: Entry) -> Dict[str, Any]:
    return {"release": _release_key(service, entry), "at": entry.at, "by": entry.by, "action": entry.action}


def _document(service: str, state: Optional[State], pending: Optional[Pending], now: float) -> Document:
    history = [_row(service, one) for one in state.history] if state is not None else []
    began = {**_row(service, pending.entry), "why": pending.reason} if pending is not None else None
    return {
        "_key": _key(STATE, service),
        "version": VERSION,
        "kind": STATE,
        "service": service,
        "highest": state.highest if state is not None else 0,
        "applied": json.dumps(state.applied.summary()) if state is not None else "",
        "history": json.dumps(history),
        "pending": json.dumps(began) if began is not None else "",
        "updated": now,
    }


def _entry(row: Mapping[str, Any], releases: Mapping[str, Release]) -> Entry:
    return Entry(releases[str(row["release"])], float(row["at"]), str(row["by"]), str(row["action"]))


@lru_cache(maxsize=32)
def _parsed(text: str) -> Release:
    """Return a stored release. The handler's process lives long, and a history has the same releases at each call."""
    return parse(json.loads(text), "a stored release")


def _head(document: Mapping[str, Any]) -> Head:
    return Head(_loaded(document, "applied") if document.get("applied") else None, bool(document.get("pending")))


def _loaded(document: Mapping[str, Any], member: str) -> Any:
    try:
        return json.loads(document[member])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        where = f"apisec_bundles {document.get('_key')}"
        raise DocumentError(f"is damaged ({type(error).__name__}): write it again", where=where) from error
