"""One spelling of letters: accents away, Cyrillic and Greek in Latin letters, other scripts in one normal form."""

from __future__ import annotations

import unicodedata
from typing import Dict

# Letters that no decomposition brings to ASCII, and two alphabets as their readers romanise names of fields.
_LATIN = "ß ss ø o ł l æ ae ı i đ d ð d þ th œ oe ħ h ə e"
_CYRILLIC = (
    "а a б b в v г g д d е e ж zh з z и i й y к k л l м m н n о o п p р r с s т t у u ф f х kh ц ts ч ch ш sh щ shch"
    " ы y э e ю yu я ya є ie і i ґ g ђ dj ј j љ lj њ nj ћ c џ dz"
)
_GREEK = "α a β v γ g δ d ε e ζ z η i θ th ι i κ k λ l μ m ν n ξ x ο o π p ρ r σ s ς s τ t υ y φ f χ ch ψ ps ω o"
_DROPPED = "ьъ'’ʼ״׳"


def _letters() -> Dict[int, str]:
    pairs = f"{_LATIN} {_CYRILLIC} {_GREEK}".split()
    table = dict(zip(map(ord, pairs[::2]), pairs[1::2]))
    table.update({ord(chr(c).upper()): text.capitalize() for c, text in table.items() if len(chr(c).upper()) == 1})
    table.update({ord(c): "" for mark in _DROPPED for c in (mark, mark.upper())})
    table.pop(ord("'"))  # parts the words of an ASCII name
    return table


_LETTERS = _letters()


def fold(text: str) -> str:
    """Return text in the letters that stems are kept in; ASCII stays as it is."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    bare = "".join([c for c in text if not unicodedata.combining(c)])
    return unicodedata.normalize("NFC", bare.translate(_LETTERS))
