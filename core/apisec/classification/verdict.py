"""What is said of a field: its class, how sure that is, what shows it and what contradicts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, NamedTuple, Optional, Tuple

from apisec.classification.classes import BY_NAME, sensitivity
from apisec.classification.overrides import NONE

SEVERAL = "several"  # the class of a field that carries unrelated ones
OVERRIDE, TRAFFIC, NAME = "override", "traffic", "name"
CARRIED, SEEN, CHANCE = "carried", "seen", "chance"


class Shown(NamedTuple):
    """One class in a field: in how many samples it was found, and the bounds of its share.

    ``state``: CARRIED counts; SEEN is too rare to tell from a false alarm; CHANCE is what check digits let through in a
    field of digits.
    """

    data_class: str
    hits: int
    low: float
    high: float
    state: str

    @property
    def carried(self) -> bool:
        return self.state == CARRIED


class Conflict(NamedTuple):
    """What contradicts an override. ``grade`` is high, medium or low; ``text`` says it in a sentence."""

    kind: str
    grade: str
    data_class: str
    text: str


@dataclass(frozen=True)
class Verdict:
    """What a field is.

    ``message`` is ``request`` or a status. ``data_class`` is a class, SEVERAL, ``none`` (a team says: not sensitive) or
    empty (nothing found). ``samples`` were looked at, ``hits`` of them carried the class; ``confidence`` is the lower
    bound of that share (1 for an override), ``sure`` says that there were enough samples. ``classes`` are all that
    traffic showed, the most frequent first; ``named`` is what the field's name says. ``source`` is override, traffic or
    name.
    """

    message: str
    location: str
    path: str
    data_class: str
    confidence: float
    samples: int
    hits: int
    sure: bool
    source: str
    level: str
    classes: Tuple[Shown, ...] = ()
    named: str = ""
    conflict: Optional[Conflict] = None

    @property
    def carried(self) -> Tuple[str, ...]:
        """The classes that count: the override's, or those that traffic carries."""
        if self.source == OVERRIDE:
            return (self.data_class,) if self.data_class != NONE else ()
        return tuple(one.data_class for one in self.classes if one.carried)

    @property
    def seen(self) -> Tuple[str, ...]:
        """The classes that were found too rarely to tell them from false alarms."""
        return tuple(one.data_class for one in self.classes if one.state == SEEN)

    @property
    def gravest(self) -> str:
        """The most sensitive class that counts, also where there are several; empty without any."""
        counted = self.carried or ((self.data_class,) if self.data_class in BY_NAME else ())
        return max(counted, key=lambda name: (sensitivity(name), name), default="")

    def row(self) -> Dict[str, object]:
        """Return what an analyst reads, the same members for every field."""
        return {
            "message": self.message,
            "in": self.location,
            "path": self.path,
            "class": self.data_class,
            "level": self.level,
            "confidence": round(self.confidence, 4),
            "sure": self.sure,
            "samples": self.samples,
            "hits": self.hits,
            "source": self.source,
            "named": self.named,
            "carried": list(self.carried),
            "seen": list(self.seen),
            "conflict": self.conflict.text if self.conflict else "",
            "conflict_grade": self.conflict.grade if self.conflict else "",
        }


def related(one: str, other: str) -> bool:
    """Whether one of two classes is the other, or above it."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")
