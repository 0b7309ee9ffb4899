"""Payment card numbers: ISO/IEC 7812-1 (Luhn) and the ranges that issuers hold."""

from __future__ import annotations

from typing import Dict, Tuple

from apisec.validators.checks import luhn

MIN_PAN_DIGITS = 12  # ISO/IEC 7812-1 allows 10; Maestro begins at 12
MAX_PAN_DIGITS = 19

# First and last prefix (inclusive), lengths. The networks' published ranges, as collected in Wikipedia's table of
# issuer identification numbers and in the acquirers' BIN tables, 2026. Local cards of Visa's and Mastercard's ranges
# (Carte Bancaire, Dankort 4571, Elo 4011) are found there.
_RANGES: Tuple[Tuple[str, str, Tuple[int, ...]], ...] = (
    ("1", "1", (15,)),  # UATP
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("300", "305", (14, 16, 17, 18, 19)),  # Diners Club
    ("3095", "3095", (14, 16, 17, 18, 19)),
    ("36", "36", (14, 15, 16, 17, 18, 19)),
    ("38", "39", (14, 16, 17, 18, 19)),
    ("3528", "3589", (16, 17, 18, 19)),  # JCB, and RuPay 353 and 356
    ("4", "4", (13, 16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),
    ("6011", "6011", (16, 17, 18, 19)),  # Discover
    ("644", "649", (16, 17, 18, 19)),
    ("65", "65", (16, 17, 18, 19)),  # Discover, RuPay, Troy, Elo, Verve
    ("62", "62", (16, 17, 18, 19)),  # UnionPay
    ("81", "82", (16, 17, 18, 19)),  # UnionPay 81, RuPay 81 and 82
    ("60", "60", (16,)),  # RuPay, Discover, Hipercard 606282, Cabal
    ("508", "508", (16,)),  # RuPay
    ("5018", "5018", (12, 13, 14, 15, 16, 17, 18, 19)),  # Maestro
    ("5020", "5020", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("5038", "5038", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("5893", "5893", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("6304", "6304", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("6759", "6759", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("6761", "6763", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("6767", "6767", (16, 18, 19)),  # Maestro, once Solo
    ("6333", "6333", (16, 18, 19)),  # once Switch
    ("5019", "5019", (16,)),  # Dankort
    ("2200", "2204", (16, 17, 18, 19)),  # Mir
    ("2205", "2205", (16,)),  # BORICA
    ("506099", "506198", (16, 18, 19)),  # Verve
    ("507865", "507964", (16, 18, 19)),
    ("504175", "504175", (16,)),  # Elo
    ("506699", "506778", (16,)),
    ("509000", "509999", (16,)),
    ("627780", "627780", (16,)),
    ("636297", "636297", (16,)),
    ("636368", "636369", (16,)),
    ("637095", "637095", (16,)),  # Hiper
    ("637568", "637612", (16,)),
    ("3841", "3841", (19,)),  # Hipercard
    ("9792", "9792", (16,)),  # Troy
    ("9860", "9860", (16,)),  # Humo
    ("8600", "8600", (16,)),  # UzCard
    ("636", "636", (16, 17, 18, 19)),  # InterPayment
)


def _by_head() -> Dict[str, Tuple[Tuple[str, str, Tuple[int, ...]], ...]]:
    """Return the ranges by a card's first two digits."""
    heads = [f"{head:02d}" for head in range(100)]
    return {head: tuple([r for r in _RANGES if r[0][:2] <= head[: len(r[0])] <= r[1][:2]]) for head in heads}


_BY_HEAD = _by_head()


def issuer_known(digits: str) -> bool:
    """Return whether an issuer holds this prefix with this length."""
    length = len(digits)
    for first, last, lengths in _BY_HEAD.get(digits[:2], ()):
        if length in lengths and first <= digits[: len(first)] <= last:
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
