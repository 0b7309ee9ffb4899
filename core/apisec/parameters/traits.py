"""What of a value a model keeps: its kind, the power of two of its length, which characters, which pairs of them.

None of it gives a value back: pairs of characters are folded (letters without case, digits as one) and hashed.
"""

from __future__ import annotations

import re
import zlib
from typing import Dict, List, Set, Tuple

MAX_READ = 2_048  # characters of a value whose classes are looked at
MAX_PAIRED = 128  # characters whose pairs are looked at
PAIRS = 1_024  # buckets of pairs
LENGTHS = 18  # powers of two: 0, 1, 2-3, 4-7 … 65,536 and more

# Kinds of values, the first that fits.
KINDS: Tuple[Tuple[str, str], ...] = (
    ("integer", r"[+-]?\d{1,18}"),
    ("number", r"[+-]?\d{1,18}(?:[.,]\d{1,18})?(?:[eE][+-]?\d{1,3})?"),
    ("boolean", r"(?i:true|false|yes|no|on|off)"),
    ("uuid", r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"),
    ("time", r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?"),
)
TEXT = "text"
KIND_NAMES: Tuple[str, ...] = (*[name for name, _ in KINDS], TEXT)
_KIND = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in KINDS))

# Classes of characters. Those behind the first ones tell: few parameters that never have one begin to.
CLASSES: Tuple[Tuple[str, str], ...] = (
    ("small letters", "abcdefghijklmnopqrstuvwxyz"),
    ("capital letters", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("digits", "0123456789"),
    ("full stops", "."),
    ("hyphens", "-"),
    ("underscores", "_"),
    ("plus signs", "+"),
    ("at signs", "@"),
    ("colons", ":"),
    ("commas", ","),
    ("tildes and carets", "~^"),
    ("letters beyond ASCII", ""),
    ("blanks", " "),
    ("line breaks", "\n\r\t"),
    ("apostrophes", "'"),
    ("quotation marks", '"'),
    ("backquotes", "`"),
    ("angle brackets", "<>"),
    ("parentheses", "()"),
    ("square brackets", "[]"),
    ("braces", "{}"),
    ("semicolons", ";"),
    ("bars", "|"),
    ("ampersands", "&"),
    ("dollar signs", "$"),
    ("backslashes", "\\"),
    ("slashes", "/"),
    ("percent signs", "%"),
    ("hashes", "#"),
    ("asterisks", "*"),
    ("equals signs", "="),
    ("exclamation marks", "!"),
    ("question marks", "?"),
    ("control characters", ""),
    ("characters beyond ASCII", ""),
)
CLASS_NAMES: Tuple[str, ...] = tuple([name for name, _ in CLASSES])
_NUMBER = {name: number for number, name in enumerate(CLASS_NAMES)}
_BIT: Dict[str, int] = {character: 1 << number for number, (_, some) in enumerate(CLASSES) for character in some}
_LETTER = 1 << _NUMBER["letters beyond ASCII"]
_CONTROL = 1 << _NUMBER["control characters"]
_BEYOND = 1 << _NUMBER["characters beyond ASCII"]
BLANKS = 1 << _NUMBER["blanks"]
TELLING: int = sum([1 << number for number, name in enumerate(CLASS_NAMES) if number > _NUMBER["blanks"]])


def kind_of(value: str) -> str:
    """Return the kind of a value."""
    match = _KIND.fullmatch(value)
    return match.lastgroup or TEXT if match is not None else TEXT


def classes_of(value: str) -> int:
    """Return the classes of a value's characters, a bit each."""
    found = 0
    for character in set(value[:MAX_READ]):
        bit = _BIT.get(character)
        if bit is None:
            bit = _CONTROL if character < " " or character == "\x7f" else _BEYOND
            if bit == _BEYOND and character.isalpha():
                bit = _LETTER
        found |= bit
    return found


def names_of(classes: int) -> List[str]:
    """Return the names of classes."""
    return [name for number, name in enumerate(CLASS_NAMES) if classes >> number & 1]


def length_of(size: int) -> int:
    """Return the power of two that a length belongs to: 0 of 0, 1 of 1, 2 of 2-3, 3 of 4-7."""
    return min(size.bit_length(), LENGTHS - 1)


def pairs_of(value: str) -> Set[int]:
    """Return the hashed pairs of a value's characters, its beginning and end among them."""
    text = f"\x02{value[:MAX_PAIRED].lower()}\x03"
    folded = [("0" if "0" <= c <= "9" else c if c.isascii() else "\x01") for c in text]
    return {zlib.crc32((a + b).encode()) % PAIRS for a, b in zip(folded, folded[1:])}


def lacking(text: bool, classes: int, longest: int) -> str:
    """Return a pattern of values that have no telling class but these, up to a power of two of characters.

    Where ``text`` is not among the kinds of a parameter, it is a pattern of all the other kinds.
    """
    if not text:
        return "|".join([f"(?:{pattern})" for _, pattern in KINDS])
    strange = TELLING & ~classes
    some = "".join([_WRITTEN[number] for number in range(len(CLASSES)) if strange >> number & 1])
    size = f"{{0,{(1 << longest) - 1}}}" if longest < LENGTHS - 1 else "*"
    return f"[^{some}]{size}" if some else rf"[\s\S]{size}"


# How the classes are written in a pattern; characters beyond ASCII are left out, so that no pictogram is strange alone.
_WRITTEN: Tuple[str, ...] = tuple(
    [r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f" if name == "control characters" else re.escape(some) for name, some in CLASSES]
)
