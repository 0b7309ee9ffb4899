"""What is known and what was told, in bounded memory.

Something that is known is not told: what was there while a service was learned, or what was told already. Some changes
come back (a regression, a credential that is not asked for). They are told again when the last time is long enough
ago: a day after the first time, two after the second, four, at most thirty.
"""

from __future__ import annotations

import hashlib
from typing import Any, Dict, List

DAY = 86_400.0
LONGEST = 30 * DAY
MAX_SUBJECTS = 800  # of one operation or service; what comes after is not told, and counted
_DIGEST = 6  # bytes: two of 800 subjects meet once in 10^9


def digest(kind: str, subject: str) -> str:
    """Return the short name under which a subject is remembered."""
    return hashlib.blake2b(f"{kind}\x1f{subject}".encode("utf-8", "replace"), digest_size=_DIGEST).hexdigest()


class Told:
    """Subjects by digest: how often they were told, and when last (seconds since the epoch)."""

    __slots__ = ("_subjects", "dropped")

    def __init__(self) -> None:
        self._subjects: Dict[str, List[float]] = {}
        self.dropped = 0

    def knows(self, kind: str, subject: str) -> bool:
        return digest(kind, subject) in self._subjects

    def learn(self, kind: str, subject: str) -> None:
        """Take something for known without telling it."""
        key = digest(kind, subject)
        if key not in self._subjects and self._room():
            self._subjects[key] = [0, 0.0]

    def tell(self, kind: str, subject: str, now: float) -> int:
        """Return how often it is told with this time; 0 when it was told too short ago, or there is no room for it."""
        key = digest(kind, subject)
        known = self._subjects.get(key)
        if known is None:
            if not self._room():
                return 0
            self._subjects[key] = [1, now]
            return 1
        times, last = int(known[0]), known[1]
        if times and now - last < min(LONGEST, DAY * 2 ** (times - 1)):
            return 0
        self._subjects[key] = [times + 1, now]
        return times + 1

    def _room(self) -> bool:
        if len(self._subjects) < MAX_SUBJECTS:
            return True
        self.dropped += 1
        return False

    def merge(self, other: Told) -> None:
        """Take over what another one knows; of both the one that was told more often, and later."""
        self.dropped += other.dropped
        for key, theirs in sorted(other._subjects.items()):
            mine = self._subjects.get(key)
            if mine is not None:
                self._subjects[key] = max(mine, theirs)
            elif self._room():
                self._subjects[key] = theirs

    def to_state(self) -> List[Any]:
        return [self.dropped, {key: [int(times), when] for key, (times, when) in sorted(self._subjects.items())}]

    @classmethod
    def from_state(cls, state: Any) -> Told:
        """TypeError or ValueError when the state is not one of ``to_state``."""
        told = cls()
        told.dropped = int(state[0])
        told._subjects = {str(key): [int(times), float(when)] for key, (times, when) in dict(state[1]).items()}
        return told
