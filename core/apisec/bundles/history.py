"""What was applied to a service, in order: the same at a forwarder and in Splunk, wherever it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, Mapping, Optional, Tuple

from apisec.bundles.release import Release, parse
from apisec.errors import DocumentError

MAX_HISTORY = 20  # releases of one service that are kept
APPLY, ROLLBACK, EDIT = "apply", "rollback", "edit"


@dataclass(frozen=True)
class Entry:
    """One application of a release; ``at`` in seconds since the epoch."""

    release: Release
    at: float
    by: str
    action: str  # one of the three above

    @property
    def digest(self) -> str:
        return self.release.bundle.digest

    def to_document(self) -> Dict[str, Any]:
        return {"release": self.release.to_document(), "at": self.at, "by": self.by, "action": self.action}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Entry:
        """DocumentError, KeyError, TypeError or ValueError for what is none of ``to_document``."""
        return cls(parse(document["release"]), float(document["at"]), str(document["by"]), str(document["action"]))

    def summary(self) -> Dict[str, Any]:
        """Return who applied what and when, without the release."""
        made = self.release.bundle.made
        shown = {"version": self.release.bundle.version, "digest": self.digest, "at": self.at, "by": self.by}
        signed = [one.key for one in self.release.signatures]
        return {**shown, "action": self.action, "author": made.author, "reason": made.reason, "keys": signed}


@dataclass(frozen=True)
class State:
    """A service's applied release (the last of ``history``), and the highest version that ever was."""

    service: str
    highest: int
    history: Tuple[Entry, ...]

    @property
    def applied(self) -> Entry:
        return self.history[-1]

    @property
    def digests(self) -> FrozenSet[str]:
        return frozenset(one.digest for one in self.history)

    def followed(self, entry: Entry) -> State:
        """Return the state after one more application."""
        highest = max(self.highest, entry.release.bundle.version)
        return State(self.service, highest, (*self.history, entry)[-MAX_HISTORY:])

    def before(self, to: Optional[str] = None) -> Entry:
        """Return the last application of another bundle, or of that digest. DocumentError where there is none."""
        earlier = [one for one in self.history[:-1] if one.digest != self.applied.digest] if self.history else []
        if not earlier:
            raise DocumentError("there is no bundle before the applied one", where="service")
        wanted = [one for one in earlier if one.digest == to] if to is not None else earlier
        if not wanted:
            raise DocumentError(f"{to} was not applied here, or too long ago", where="to")
        return wanted[-1]
