"""Payment card numbers: ISO/IEC 7812-1 (Luhn) and the ranges that issuers hold."""

from __future__ import annotations

import re
from typing import Dict, Tuple

from apisec.validators.checks import luhn

MIN_PAN_DIGITS = 12  # ISO/IEC 7812-1 allows 10; Maestro begins at 12
MAX_PAN_DIGITS = 19

_ANY = tuple(range(12, 20))
_LONG = (16, 17, 18, 19)

# First and last prefix (inclusive), lengths, and those lengths that prove a card which stands alone. The networks'
# published ranges, as collected in Wikipedia's table of issuer identification numbers and in the acquirers' BIN tables,
# 2026. Local cards of Visa's and Mastercard's ranges (Carte Bancaire, Dankort 4571, Elo 4011) are found there.
# A wide prefix proves nothing alone with a length that its network gives out hardly or no more: Visa's 13 digits (EANs
# of Germany), UATP's 1 with 15 (ids of social networks), the 17 to 19 digits that ISO/IEC 7812 would allow to Discover,
# JCB and Diners Club.
_RANGES: Tuple[Tuple[str, str, Tuple[int, ...], Tuple[int, ...]], ...] = (
    ("1", "1", (15,), ()),  # UATP
    ("34", "34", (15,), (15,)),  # American Express
    ("37", "37", (15,), (15,)),
    ("300", "305", (14, *_LONG), (14, 16)),  # Diners Club
    ("3095", "3095", (14, *_LONG), (14, 16)),
    ("36", "36", (14, 15, *_LONG), (14,)),
    ("38", "39", (14, *_LONG), (14,)),
    ("3528", "3589", _LONG, (16,)),  # JCB, and RuPay 353 and 356
    ("4", "4", (13, 16, 19), (16, 19)),  # Visa
    ("51", "55", (16,), (16,)),  # Mastercard
    ("2221", "2720", (16,), (16,)),
    ("6011", "6011", _LONG, (16,)),  # Discover
    ("644", "649", _LONG, (16,)),
    ("65", "65", _LONG, (16,)),  # Discover, RuPay, Troy, Elo, Verve
    ("62", "62", _LONG, _LONG),  # UnionPay: debit cards of China have 19
    ("81", "82", _LONG, (16,)),  # UnionPay 81, RuPay 81 and 82
    ("60", "60", (16,), (16,)),  # RuPay, Discover, Hipercard 606282, Cabal
    ("508", "508", (16,), (16,)),
    ("5018", "5018", _ANY, _ANY),  # Maestro
    ("5020", "5020", _ANY, _ANY),
    ("5038", "5038", _ANY, _ANY),
    ("5893", "5893", _ANY, _ANY),
    ("6304", "6304", _ANY, _ANY),
    ("6759", "6759", _ANY, _ANY),
    ("6761", "6763", _ANY, _ANY),
    ("6767", "6767", (16, 18, 19), (16, 18, 19)),  # Maestro, once Solo
    ("6333", "6333", (16, 18, 19), (16, 18, 19)),  # once Switch
    ("5019", "5019", (16,), (16,)),  # Dankort
    ("2200", "2204", _LONG, (16, 19)),  # Mir
    ("2205", "2205", (16,), (16,)),  # BORICA
    ("506099", "506198", (16, 18, 19), (16, 18, 19)),  # Verve
    ("507865", "507964", (16, 18, 19), (16, 18, 19)),
    ("504175", "504175", (16,), (16,)),  # Elo
    ("506699", "506778", (16,), (16,)),
    ("509000", "509999", (16,), (16,)),
    ("627780", "627780", (16,), (16,)),
    ("636297", "636297", (16,), (16,)),
    ("636368", "636369", (16,), (16,)),
    ("637095", "637095", (16,), (16,)),  # Hiper
    ("637568", "637612", (16,), (16,)),
    ("3841", "3841", (19,), (19,)),  # Hipercard
    ("9792", "9792", (16,), (16,)),  # Troy
    ("9860", "9860", (16,), (16,)),  # Humo
    ("8600", "8600", (16,), (16,)),  # UzCard
    ("636", "636", _LONG, (16,)),  # InterPayment
)

_Range = Tuple[str, str, Tuple[int, ...], Tuple[int, ...]]

# Numbers that begin with a time of this century and the last: YYMMDDHHMM or DDMMYYYY. In a range of Mastercard's or
# Diners Club's begin those of the years 22 to 27, of the 22nd to the 27th and of the 30th of a month.
_TIME = re.compile(
    r"2[2-7](?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d"
    r"|(?:2[2-7]|30)(?:0[1-9]|1[0-2])(?:19|20)\d\d"
)


def _by_head() -> Dict[str, Tuple[_Range, ...]]:
    """Return the ranges by a card's first two digits."""
    heads = [f"{head:02d}" for head in range(100)]
    return {head: tuple([r for r in _RANGES if r[0][:2] <= head[: len(r[0])] <= r[1][:2]]) for head in heads}


_BY_HEAD = _by_head()


def issuer_known(digits: str, *, alone: bool = False) -> bool:
    """Return whether an issuer holds this prefix with this length; ``alone``: so that it proves a card by itself."""
    length = len(digits)
    for first, last, lengths, telling in _BY_HEAD.get(digits[:2], ()):
        if length in (telling if alone else lengths) and first <= digits[: len(first)] <= last:
            return True
    return False


def pan(digits: str) -> bool:
    """Return whether ASCII digits are a payment card number."""
    return (
        MIN_PAN_DIGITS <= len(digits) <= MAX_PAN_DIGITS
        and issuer_known(digits)
        and luhn(digits)
        and digits.count(digits[0]) < len(digits)
    )


def pan_alone(digits: str) -> bool:
    """Return whether ASCII digits are a card under a name, or in a text, that says nothing of cards.

    Of random numbers of 16 digits one in 33 is (two thirds of them in the ranges of Visa and Mastercard, a fifth of all
    numbers), of 19 one in 80, of 14 one in 240, of other lengths one in 400 or fewer; of numbers that begin with a
    time, none.
    """
    return pan(digits) and issuer_known(digits, alone=True) and not _TIME.match(digits)
