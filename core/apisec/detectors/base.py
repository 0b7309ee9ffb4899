"""What a detector is: a class, a shape, a validator and a context, each standing once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable, NamedTuple, Optional, Pattern, Tuple

Validator = Callable[[str], Optional[str]]


class Match(NamedTuple):
    """``start`` and ``end`` in the scanned text; ``canonical`` is what the token is made of."""

    start: int
    end: int
    data_class: str
    canonical: str
    detector: str


@dataclass(frozen=True)
class Detector:
    """Finds values of one class in decoded text.

    ``shape`` is linear in the length of the text. Its group ``value`` is the value (the whole match without
    one). ``validate`` returns the canonical form, or None when the candidate is not of the class.
    ``literals``: at least one stands in every text that can match (an empty tuple: none is known).
    ``bare``: the value is only digits, so that a name such as *order_id* speaks against it (balanced mode).
    ``trim``: the shape may run on into the next word; the value ends where its canonical form does.
    """

    id: str
    data_class: str
    shape: Pattern[str]
    validate: Validator
    literals: Tuple[str, ...] = ()
    bare: bool = False
    trim: bool = False


class Evidence(NamedTuple):
    """One shape of a payload and how much it says alone, 0 to 1. Several add up: 1 - (1-a)(1-b)."""

    weight: float
    shape: Pattern[str]


@dataclass(frozen=True)
class SignalDetector:
    """Gives evidence of an attack in one decoded value of a request.

    ``hint`` stands in every text that can score, and makes ordinary text cheap. ``unbalanced`` shapes count
    only where a quote was opened and not closed: *'red' or 'blue'* is prose, *x' or 'a'='a* is not.
    """

    id: str
    hint: Pattern[str]
    shapes: Tuple[Evidence, ...]
    unbalanced: Tuple[Evidence, ...] = ()

    def score(self, text: str) -> float:
        """Return 0 to 1 for a decoded text in lower case."""
        if not self.hint.search(text):
            return 0.0
        doubt = 1.0
        for weight, shape in self.shapes:
            if shape.search(text):
                doubt *= 1 - weight
        if self.unbalanced and (text.count("'") % 2 or text.count('"') % 2):
            for weight, shape in self.unbalanced:
                if shape.search(text):
                    doubt *= 1 - weight
        return round(1 - doubt, 3)


def shapes(*pairs: Tuple[float, str]) -> Tuple[Evidence, ...]:
    """Compile weighted shapes."""
    return tuple([Evidence(weight, linear(pattern)) for weight, pattern in pairs])


def linear(pattern: str, flags: int = 0) -> Pattern[str]:
    """Compile a shape. A shape has no nested quantifiers, so that hostile text costs linear time."""
    return re.compile(pattern, flags)


def whole(text: str) -> Optional[str]:
    """Accept a candidate as it stands: its shape is proof enough."""
    return text
