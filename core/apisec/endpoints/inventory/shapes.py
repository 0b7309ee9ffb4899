"""What the values of one field look like: types, formats, lengths, ranges, and the few that many callers share.

A shape keeps no value that could be somebody's: of texts only those stay that look like words of an enumeration, while
there are few of them, and they are told only when several principals sent or got them.
"""

from __future__ import annotations

import math
from typing import Any, Dict, List, Optional, Union

from apisec.endpoints.inventory.formats import FORMAT_OF_CLASS, describe
from apisec.endpoints.inventory.tally import Counts, add_all, counts_of

MAX_WORDS = 24  # different ones; a field with more is free text
MIN_PRINCIPALS = 5  # that share a value before it is told
MIN_VALUES = 50  # texts of a field before its values are taken for all that there are
MIN_REPEATS = 4  # times that values stand on average in an enumeration
SURE = 0.98  # share of a field's texts that a format must hold for
MAX_FORMATS = 16
INT32 = 2**31
INT64 = 2**63
_BITS = 16

Words = Dict[str, List[int]]  # value: [times, bitmap of principals]


def principal_bit(hashed: int) -> int:
    """Return the bit of a principal. Different bits are different principals: a bitmap never counts too many."""
    return 1 << (hashed % _BITS)


class Shape:
    """Counts of one field's values by type, and what they have in common. ``words`` is None for free text."""

    __slots__ = (
        "booleans", "formats", "high", "integers", "longest", "low", "nulls", "numbers", "shortest", "texts", "tokens",
        "words",
    )  # fmt: skip

    def __init__(self) -> None:
        self.nulls = self.booleans = self.integers = self.numbers = self.texts = self.tokens = 0
        self.low, self.high = math.inf, -math.inf
        self.shortest, self.longest = INT64, -1  # characters of texts that hold no token
        self.formats: Counts = {}
        self.words: Optional[Words] = {}

    def add(self, value: Any, bit: int) -> None:
        """Count a scalar of JSON; ``bit`` is the principal's."""
        kind = type(value)
        if kind is str:
            self._text(value, bit)
        elif value is None:
            self.nulls += 1
        elif kind is bool:
            self.booleans += 1
        elif kind is int:
            self.integers += 1
            self._number(value)
        elif kind is float:
            self.numbers += 1
            self._number(value)

    def _number(self, value: Union[int, float]) -> None:
        if not -1e308 < value < 1e308:
            value = math.copysign(1e308, value)
        if value < self.low:
            self.low = value
        if value > self.high:
            self.high = value

    def _text(self, value: str, bit: int) -> None:
        found = describe(value)
        if found is None:
            self.tokens += 1
            return
        self.texts += 1
        length = len(value)
        if length < self.shortest:
            self.shortest = length
        if length > self.longest:
            self.longest = length
        if found.format:
            self.formats[found.format] = self.formats.get(found.format, 0) + 1
        words = self.words
        if words is None:
            return
        if not found.word:
            self.words = None
            return
        known = words.get(value)
        if known is not None:
            known[0] += 1
            known[1] |= bit
        elif len(words) < MAX_WORDS:
            words[value] = [1, bit]
        else:
            self.words = None

    def merge(self, other: Shape) -> None:
        for name in ("nulls", "booleans", "integers", "numbers", "texts", "tokens"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        self.shortest, self.longest = min(self.shortest, other.shortest), max(self.longest, other.longest)
        add_all(self.formats, other.formats, MAX_FORMATS)
        self.words = _merged(self.words, other.words)

    @property
    def count(self) -> int:
        return self.nulls + self.booleans + self.integers + self.numbers + self.texts + self.tokens

    def format(self, classes: Any = ()) -> str:
        """Return the format that nearly all values have, or an empty text."""
        if self.tokens > self.texts:
            return next((FORMAT_OF_CLASS[name] for name in classes if name in FORMAT_OF_CLASS), "")
        if self.texts:
            name = max(self.formats, key=lambda one: (self.formats[one], one), default="")
            return name if name and self.formats[name] >= SURE * self.texts else ""
        if self.numbers:
            return "double"
        if self.integers:
            return "int32" if self.low >= -INT32 and self.high < INT32 else "int64"
        return ""

    def enumeration(self) -> List[str]:
        """Return the values of what looks like an enumeration, most frequent first; only such as many share."""
        words = self.words
        if not words or self.tokens or self.texts < max(MIN_VALUES, MIN_REPEATS * len(words)):
            return []
        shared = [word for word, (_, bits) in words.items() if bin(bits).count("1") >= MIN_PRINCIPALS]
        return sorted(shared, key=lambda word: (-words[word][0], word))

    def complete(self) -> bool:
        """Return whether ``enumeration`` names every value that was seen."""
        return bool(self.words) and len(self.enumeration()) == len(self.words or ())

    def row(self, classes: Any = ()) -> Dict[str, Any]:
        """Return what can be said of the values; only what there is to say."""
        row: Dict[str, Any] = {}
        if self.nulls:
            row["nullable"] = True
        found = self.format(classes)
        if found:
            row["format"] = found
        if self.longest >= 0 and not self.tokens:
            row["length"] = [self.shortest, self.longest]
        if self.high >= self.low:
            row["range"] = [self.low, self.high]
        values = self.enumeration()
        if values:
            row["values"] = values
        return row

    def to_state(self) -> List[Any]:
        counts = [self.nulls, self.booleans, self.integers, self.numbers, self.texts, self.tokens]
        numbers = [self.low, self.high] if self.high >= self.low else []
        lengths = [self.shortest, self.longest] if self.longest >= 0 else []
        words: Any = None if self.words is None else self.words
        return [counts, numbers, lengths, self.formats, words]

    @classmethod
    def from_state(cls, state: Any) -> Shape:
        """TypeError or ValueError when the state is not one of ``to_state``."""
        shape = cls()
        counts, numbers, lengths, formats, words = state
        (shape.nulls, shape.booleans, shape.integers, shape.numbers, shape.texts, shape.tokens) = map(int, counts)
        if numbers:
            shape.low, shape.high = (float(n) if isinstance(n, float) else int(n) for n in numbers)
        if lengths:
            shape.shortest, shape.longest = (int(n) for n in lengths)
        shape.formats = counts_of(formats)
        shape.words = None
        if words is not None:
            shape.words = {str(word): [int(times), int(bits)] for word, (times, bits) in words.items()}
        return shape


def _merged(mine: Optional[Words], theirs: Optional[Words]) -> Optional[Words]:
    """Return the words of both, or None when one is free text or they are too many together."""
    if mine is None or theirs is None:
        return None
    for word, (times, bits) in theirs.items():
        known = mine.get(word)
        if known is None:
            mine[word] = [times, bits]
        else:
            known[0] += times
            known[1] |= bits
    return mine if len(mine) <= MAX_WORDS else None
