"""Check digits: the few algorithms that most numbers of the world share, over ASCII digits and letters.

ISO/IEC 7064:2003 (pure and hybrid systems), Luhn (ISO/IEC 7812-1, annex B), Verhoeff (1969), weighted sums.
Callers have checked length and alphabet: nothing here raises for text of the right characters.
"""

from __future__ import annotations

from operator import mul
from typing import Callable, List, Sequence, Tuple

Check = Callable[[str], bool]

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)

# Verhoeff: the dihedral group D5 and the powers of its permutation (Verhoeff 1969, chapter 4).
_D5 = tuple(
    tuple((i + j) % 5 + 5 * (j > 4) if i < 5 else (i - j) % 5 + 5 * (j < 5) for j in range(10)) for i in range(10)
)
_PERMUTATION = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _powers() -> Tuple[Tuple[int, ...], ...]:
    rows: List[Tuple[int, ...]] = [tuple(range(10))]
    for _ in range(7):
        rows.append(tuple([rows[-1][_PERMUTATION[i]] for i in range(10)]))
    return tuple(rows)


_POWERS = _powers()


def luhn(digits: str) -> bool:
    """Return whether ASCII digits carry a right Luhn check digit (ISO/IEC 7812-1, annex B)."""
    values = [ord(c) - 48 for c in digits]
    return (sum(values[-1::-2]) + sum([_DOUBLED[v] for v in values[-2::-2]])) % 10 == 0


def verhoeff(digits: str) -> bool:
    """Return whether the last digit is Verhoeff's check digit."""
    state = 0
    for i, c in enumerate(reversed(digits)):
        state = _D5[state][_POWERS[i & 7][ord(c) - 48]]
    return state == 0


def mod_11_10(digits: str) -> bool:
    """Return whether the last digit is right by the hybrid system mod 11, 10 (ISO/IEC 7064, 9)."""
    state = 10
    for c in digits[:-1]:
        state = ((state + ord(c) - 48) % 10 or 10) * 2 % 11
    return (state + ord(digits[-1]) - 48) % 10 == 1


def mod_97_10(text: str) -> bool:
    """Return whether letters (A is 10) and digits leave 1 by the pure system mod 97-10 (ISO/IEC 7064, 8)."""
    number = text if text.isdigit() else "".join([str(int(c, 36)) for c in text])
    return int(number) % 97 == 1


def weighted(text: str, weights: Sequence[int]) -> int:
    """Return the sum of digits times weights; ends with the shorter of both."""
    return sum(map(mul, map(int, text), weights))


def sums_to_zero(weights: Sequence[int], modulus: int) -> Check:
    """Return a check: all digits, the last included, times the weights are a multiple of the modulus."""

    def check(text: str) -> bool:
        return weighted(text, weights) % modulus == 0

    return check


def last_digit(weights: Sequence[int], modulus: int, table: str) -> Check:
    """Return a check: the last character is ``table[weighted sum of the others % modulus]`` (``-``: never right)."""
    span = len(weights)

    def check(text: str) -> bool:
        return text[span] == table[weighted(text, weights) % modulus]

    return check


def mrz_digit(text: str) -> int:
    """Return the check digit of a field of a machine-readable zone: weights 7, 3, 1 (ICAO 9303-3, 4.9)."""
    return sum([(0 if c == "<" else int(c, 36)) * (7, 3, 1)[i % 3] for i, c in enumerate(text)]) % 10


def calendar_date(year: int, month: int, day: int) -> bool:
    """Return whether the date exists; of a year in two digits (0 to 99) every fourth is a leap year."""
    if not 1 <= month <= 12 or day < 1:
        return False
    if month == 2:
        leap = year % 4 == 0 and (year < 100 or year % 100 != 0 or year % 400 == 0)
        return day <= 28 + leap
    return day <= (30 if month in (4, 6, 9, 11) else 31)


def ymd(digits: str) -> bool:
    """Return whether six digits are YYMMDD."""
    return calendar_date(int(digits[:2]), int(digits[2:4]), int(digits[4:6]))


def dmy(digits: str) -> bool:
    """Return whether six digits are DDMMYY."""
    return calendar_date(int(digits[4:6]), int(digits[2:4]), int(digits[:2]))


def varied(digits: str) -> bool:
    """Return whether not all digits are the same: 000… and 111… pass many checks and are nobody's number."""
    return digits.count(digits[0]) < len(digits)
