"""What a number of a registry is: its form, its check, how it is printed and which words announce it.

A row of this kind stands once, in the table of its family (``national``, ``tax``, ``health``, ``banking``,
``devices``, ``documents``). Detectors are built from the rows, and ``refine`` asks them what a value can be.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Dict, Iterable, List, Mapping, Optional, Pattern, Tuple

from apisec.validators.checks import Check
from apisec.validators.lazy import lazy

MAX_ALONE = 1 / 50  # the share of random numbers that may pass where no word announces one, in strict mode

# Seconds and milliseconds since 1970 of the years 2001 to 2033: the likeliest reading of such digits without a word.
CLOCK = lazy(r"1\d{9}(?:\d{3})?", re.ASCII)

SEPARATORS = " \t\u00a0\u2009\u202f.-/()_:\u2010\u2011\u2012\u2013\u2014\u2015"
_DROP = {ord(c): None for c in SEPARATORS}


def compact(text: str) -> str:
    """Return a number without what groups it: separators gone, letters upper, digits of any script as ASCII."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = "".join([str(int(c)) if c.isdecimal() else c for c in text])
    return text.translate(_DROP).upper()


@dataclass(frozen=True)
class Number:
    """One kind of number.

    ``form`` is a pattern of the whole compact text; ``check`` is asked only for text of that form. ``odds`` is the
    share of random text of the form that passes: what a match says by itself. ``written`` are patterns of the
    printed forms, with their separators; ``written_as`` and ``bare_as`` are the confidence of a detector for them
    (``shape``, ``checksum``, ``context``, or empty for none). ``words`` announce it in text; those that other
    numbers share stand in the family's own list. ``checked``: ``check`` computes a checksum, so that strict mode
    needs no words (never for fewer than nine characters with odds over 1 in 90: one amount in ten would pass).
    ``gate``: what the engine looks for first (``detectors.base.GATES``), ``written_gate`` for the printed forms:
    ``grouped`` where the bare one is of digits. ``source``: who says so.
    """

    id: str
    data_class: str
    form: str
    check: Check
    odds: float
    words: Tuple[str, ...]
    source: str
    written: Tuple[str, ...] = ()
    written_as: str = "context"
    bare_as: str = "context"
    checked: bool = True
    gate: str = "digits"
    written_gate: str = ""
    rare: float = 1.0
    pattern: Pattern[str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", lazy(self.form, re.ASCII))

    @property
    def alone(self) -> bool:
        """Whether the bare number proves itself in strict mode. Nearly every number of nine digits passes one of a
        dozen checks that one in ten passes, so that those need a name or a word; printed in their groups, two proofs.
        """
        return self.checked and self.odds * self.rare < MAX_ALONE

    def accept(self, text: str) -> Optional[str]:
        """Return the compact form when the text is a number of this kind, else None."""
        return self.of_compact(compact(text))

    def of_compact(self, text: str) -> Optional[str]:
        return text if self.pattern.fullmatch(text) and self.check(text) else None


def anything(_: str) -> bool:
    """Accept: the form is all there is to check."""
    return True


def by_class(rows: Iterable[Number]) -> Mapping[str, Tuple[Number, ...]]:
    """Return the rows by class, those that say most first; a second row of the same id is a bug."""
    table: Dict[str, List[Number]] = {}
    seen = set()
    for row in sorted(rows, key=lambda row: row.odds):
        if row.id in seen:
            raise ValueError(f"number {row.id!r} is defined twice")
        seen.add(row.id)
        table.setdefault(row.data_class, []).append(row)
    return {name: tuple(found) for name, found in table.items()}
