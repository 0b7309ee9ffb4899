"""How much looking a transaction may cost: hostile text can make every character a beginning of something.

The unit is about a microsecond of the pure engine on a small machine. It is counted and not measured, so that the same
transaction always gives the same event. What is beyond the bound is not looked at, and therefore not shown.
"""

from __future__ import annotations

import re

from apisec.detectors.engine import candidates

MAX_WORK = 45_000  # of one transaction; all other stages of the pure engine take as long again at worst
PER_TEXT, PER_DIGIT, PER_MATCH, PER_RUN = 8, 2, 8, 10
PER_NAME, PER_KNOWN_NAME = 60, 4  # a name in text that was not asked before in this transaction, and one that was
PER_FIELD = 30  # a field's name that was not met before
LONG = 1_024  # characters of a text whose detectors are counted

_DIGIT = re.compile(r"\d")


def cost(text: str, strict: bool) -> int:
    """Return the units that looking at a text costs, without what is found in it."""
    size = len(text)
    each = 5 * len(candidates(text, None, strict)) // 2 + 10 if size > LONG else 4  # twentieths of a unit
    return PER_TEXT + PER_DIGIT * _digits(text) + size * each // 20


def most(text: str) -> int:
    """Return the most that looking at a text of at most ``LONG`` characters may cost; cheaper to know than ``cost``."""
    return PER_TEXT + (PER_DIGIT + 1) * len(text)


def of_json(data: bytes) -> int:
    """Return no less than the values of a JSON text cost that are at most ``LONG`` characters; cheaper than each."""
    each = PER_TEXT * (data.count(b",") + 1)
    if each + (PER_DIGIT + 1) * len(data) <= MAX_WORK // 2:
        return each + (PER_DIGIT + 1) * len(data)
    return each + PER_DIGIT * (len(data) - len(data.translate(None, b"0123456789"))) + len(data) // 5


def _digits(text: str) -> int:
    return sum(map(text.count, "0123456789")) if text.isascii() else len(_DIGIT.findall(text))


def unseen(count: int) -> str:
    """Return what is shown for characters that were not looked at."""
    return f"[not analysed, {count} characters]"
