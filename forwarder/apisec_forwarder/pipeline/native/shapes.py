"""Coarse shapes that stand for most patterns of numbers and codes: few, so that one pass over a text asks them all.

hyperscan takes about a nanosecond a byte for each automaton it cannot merge or skip with, whatever it finds; a
hundred exact patterns make dozens. ``cover`` proves for each detector that one of these matches in all that it can
find; a detector of which that is not so is asked by its own pattern.
"""

from __future__ import annotations

_SEPARATOR = r"[ ./+\-()_\x80-\xff]"  # in numbers as they are written; those that are not ASCII are several bytes
_OUTSIDE = "[^0-9A-Za-z]"

DIGITS = rf"[0-9](?:{_SEPARATOR}*[0-9]){{8}}[0-9 ./+\-()_\x80-\xff]*[^0-9 ./+\-()_\x80-\xff]"  # nine, to their end
GROUPS: tuple[tuple[str, ...], ...] = (  # those of a group stand for patterns together
    (
        DIGITS,
        # A date and time has eight digits before its T, six before its Z.
        rf"[&A-Z\x80-\xff](?:{_SEPARATOR}?[0-9]){{6}}",
        rf"(?:[0-9]{_SEPARATOR}?){{6}}[A-SU-Y]",
        rf"{_OUTSIDE}[0-9]{{6}}[+\-A-FU-Y][0-9]{{3}}",
    ),
    (rf"[^0-9]0(?:{_SEPARATOR}*[0-9]){{6}}",),  # phones of seven digits
    (rf"{_OUTSIDE}[1-8] [0-9]{{2}} [0-9]{{2}} (?:[0-9]{{2}}|2[AB]) ",),
    (r"[0-9]{3}\.[0-9]{3}-", rf"{_OUTSIDE}[0-9]{{7,8}}-[0-9K]{_OUTSIDE}"),
    (r"[A-Z]{5}[0-9]{4}[A-Z]",),
    (r"[A-Z]{6}[0-9]{2}[A-Z]",),
    (r"[A-Z]{3} [A-Z]{3} [0-9]{2}[A-Z]",),
    (r"[A-Z]{4}0[A-Z0-9]{6}",),
    (r"[0-9][A-Z][0-9A-Z][0-9][ -]?[A-Z][0-9A-Z][0-9]",),
    (r"[0-9A-Z]{3}/[0-9A-Z]{4}-",),
    (
        r"[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}:",
        r"[0-9A-Fa-f]{2}-[0-9A-Fa-f]{2}-[0-9A-Fa-f]{2}-",
        r"[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.",
    ),
    (r"[0-9]\.[0-9]{4,15}(?:, ?|; ?| )[+\-]?[0-9]",),  # a pair of coordinates
    (rf"{_OUTSIDE}[A-Za-z]{{2}}[0-9]{{2}}(?:[ .\-\x80-\xff]*[0-9A-Za-z]){{3}}",),  # an IBAN's beginning
    (rf"{_OUTSIDE}[A-HJ-NPR-Z0-9]{{13}}",),  # a vehicle's number
    (rf"{_OUTSIDE}[13][1-9A-HJ-NP-Za-km-z]{{12}}",),  # an address of Bitcoin
)
SHAPES = tuple(shape for group in GROUPS for shape in group)
MARKS = frozenset(("@", "<<"))  # of patterns that begin with anything
