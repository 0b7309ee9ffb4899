"""Profiles: what the families remember of a principal, an operation or a service, as documents of a key-value store.

    {"_key": "p:4be1…", "version": 1, "scope": "principal", "key": ["shop", "~principal~…~"], "first": 5891904,
     "last": 5892100, "parts": {"counters": …, "provenance": …}}

A part is read from its state when somebody asks for it, so that a window costs what it touches.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Dict, List, Optional, Set, Tuple, Type, TypeVar

from apisec.abuse.base import OPERATION, PRINCIPAL, SERVICE, SLOTS_PER_DAY, Key, Part
from apisec.errors import DocumentError

PROFILE_VERSION = 1
# Who has not been seen for so long is forgotten: longer than the longest horizon (7 days) and a holiday.
KEEP_SLOTS = {PRINCIPAL: 30 * SLOTS_PER_DAY, OPERATION: 90 * SLOTS_PER_DAY, SERVICE: 365 * SLOTS_PER_DAY}
MAX_PARTS = 32  # of one profile
_SIZES = {PRINCIPAL: 2, OPERATION: 2, SERVICE: 1}

P = TypeVar("P", bound=Part)
Address = Tuple[str, Key]  # scope, key


def profile_key(scope: str, key: Key) -> str:
    """Return the ``_key`` of a profile's document: short, whatever operations are called."""
    digest = hashlib.blake2b("\x1f".join(key).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"{scope[0]}:{digest}"


class Profile:
    """One principal, operation or service. ``first`` and ``last`` are slots."""

    __slots__ = ("_states", "damaged", "first", "key", "last", "parts", "scope")

    def __init__(self, scope: str, key: Key, first: int, last: int, states: Optional[Dict[str, Any]] = None) -> None:
        self.scope = scope
        self.key = key
        self.first = first
        self.last = last
        self.parts: Dict[str, Part] = {}
        self.damaged: List[str] = []  # parts that could not be read
        self._states: Dict[str, Any] = states or {}  # not yet read

    def part(self, kind: Type[P], make: bool = True) -> Optional[P]:
        """Return the part of this kind, made when ``make`` and there is none. A damaged one is begun anew."""
        found = self.parts.get(kind.name)
        if found is None:
            read = self._read(kind)
            if read is None and not make:
                return None
            found = self.parts[kind.name] = read if read is not None else kind()
        if not isinstance(found, kind):
            raise TypeError(f"two kinds of parts are called {kind.name!r}")
        return found

    def _read(self, kind: Type[P]) -> Optional[P]:
        if kind.name not in self._states:
            return None
        try:
            found: P = kind.from_state(self._states.pop(kind.name))
            return found
        except DocumentError as error:
            self.damaged.append(f"{profile_key(self.scope, self.key)}.{kind.name}: {error}")
            return None

    def to_document(self) -> Dict[str, Any]:
        states = dict(self._states)
        states.update((name, part.to_state()) for name, part in self.parts.items())
        return {
            "_key": profile_key(self.scope, self.key),
            "version": PROFILE_VERSION,
            "scope": self.scope,
            "key": list(self.key),
            "first": self.first,
            "last": self.last,
            "parts": {name: states[name] for name in sorted(states)},
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Profile:
        """Raises DocumentError when it is not one of ``to_document``."""
        scope, key, parts = document.get("scope"), document.get("key"), document.get("parts")
        where = f"profiles[{str(document.get('_key'))[:64]}]"
        if document.get("version") != PROFILE_VERSION:
            message = f"has version {document.get('version')!r}; this apisec reads {PROFILE_VERSION}: upgrade the app"
            raise DocumentError(message, where=where)
        if scope not in _SIZES or not isinstance(key, list) or not all(isinstance(one, str) for one in key):
            raise DocumentError("has no scope and key", where=where)
        if len(key) != _SIZES[scope] or not isinstance(parts, dict) or len(parts) > MAX_PARTS:
            raise DocumentError("has a key or parts of another shape", where=where)
        slots = (document.get("first"), document.get("last"))
        if not all(type(one) is int and one >= 0 for one in slots):
            raise DocumentError("first and last are not slots", where=where)
        return cls(scope, tuple(key), document["first"], document["last"], dict(parts))


class Profiles:
    """All profiles in memory, and which of them have to be saved."""

    def __init__(self, documents: Iterable[Mapping[str, Any]] = ()) -> None:
        self._profiles: Dict[Address, Profile] = {}
        self._dirty: Set[Address] = set()
        self._touched: Set[Address] = set()  # since ``forget`` was last called
        self._gone: List[str] = []
        self.load(documents)

    def __len__(self) -> int:
        return len(self._profiles)

    def load(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Take documents, in place of what is in memory under their keys; raises DocumentError."""
        for document in documents:
            profile = Profile.from_document(document)
            self._profiles[(profile.scope, profile.key)] = profile
            self._dirty.discard((profile.scope, profile.key))

    def see(self, scope: str, key: Key, slot: int) -> Profile:
        """Return the profile, made when new; it counts as seen in ``slot``."""
        address = (scope, key)
        profile = self._profiles.get(address)
        if profile is None:
            profile = self._profiles[address] = Profile(scope, key, slot, slot)
        else:
            profile.first = min(profile.first, slot)
            profile.last = max(profile.last, slot)
        self.touch(scope, key)
        return profile

    def get(self, scope: str, key: Key) -> Optional[Profile]:
        return self._profiles.get((scope, key))

    def touch(self, scope: str, key: Key) -> None:
        self._dirty.add((scope, key))
        self._touched.add((scope, key))

    def damaged(self) -> List[str]:
        """Return what could not be read of the profiles touched since ``forget``: part and why."""
        profiles = [self._profiles[one] for one in sorted(self._touched) if one in self._profiles]
        return [problem for profile in profiles for problem in profile.damaged]

    def forget(self, slot: int) -> None:
        """Let the parts of what was touched drop what is old, and drop what was not seen for long."""
        for address in self._touched:
            profile = self._profiles.get(address)
            for part in profile.parts.values() if profile else ():
                part.forget(slot)
        self._touched.clear()
        if slot % SLOTS_PER_DAY:
            return
        old = [one for one, profile in self._profiles.items() if profile.last < slot - KEEP_SLOTS[profile.scope]]
        for address in old:
            del self._profiles[address]
            self._dirty.discard(address)
            self._gone.append(profile_key(*address))

    def documents(self, dirty_only: bool = True) -> List[Dict[str, Any]]:
        """Return the documents to save, in order of their keys."""
        chosen = self._dirty if dirty_only else self._profiles.keys()
        return [self._profiles[address].to_document() for address in sorted(chosen) if address in self._profiles]

    def gone(self) -> List[str]:
        """Return the ``_key`` of documents to delete."""
        return list(self._gone)

    def saved(self) -> None:
        """What ``documents`` and ``gone`` gave is in the store."""
        self._dirty.clear()
        self._gone.clear()

    def release(self, most: int) -> None:
        """Keep at most ``most`` saved profiles in memory: those seen last. The caller loads them again when needed."""
        clean = [one for one in self._profiles if one not in self._dirty]
        if len(clean) <= most:
            return
        clean.sort(key=lambda one: (self._profiles[one].last, one))
        for address in clean[: len(clean) - most]:
            del self._profiles[address]
