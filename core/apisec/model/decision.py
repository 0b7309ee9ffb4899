"""What the matcher says about one request, and about one observed transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple


@dataclass(frozen=True)
class Match:
    """One pattern matched one event.

    ``mode`` is the pattern's mode at that moment; ``refuses`` says that this match alone refuses the request
    (never in shadow, always in enforce, by the principal's share in canary).
    """

    pattern: str
    mode: str
    refuses: bool
    principal: str


@dataclass(frozen=True)
class Decision:
    """The answer to one call-out; ``pattern`` is the id of the pattern that refuses, None when it may pass."""

    pattern: Optional[str] = None
    matches: Tuple[Match, ...] = ()

    @property
    def blocked(self) -> bool:
        return self.pattern is not None


ALLOW = Decision()
