"""How much counts of samples say: bounds of a share, and whether chance explains hits.

Detectors err. In a field of 10,000 free texts one hit may be a real number or a false alarm, and counts alone cannot
tell; 40 hits are no accident. ``is_chance`` asks how likely as many false alarms would be, by the exact binomial tail,
so that one rule serves 3 samples and 3 million.
"""

from __future__ import annotations

from functools import lru_cache

from apisec.statistics import beta_cdf

SURE = 50  # samples from which on a verdict is called sure

# False alarms a value that are assumed, by what the values are. Meant to be generous: the price of assuming too many
# is that rare data is called "seen" for longer, that of too few an operation restricted by noise.
TEXT_RATE = 1e-4
# Of classes whose values nothing else looks like: a vendor's key, a signed token, an IBAN with its two check digits.
PROVEN_RATE = 1e-5
# Digits alone pass one check in ten (Luhn's, modulo 10 and 11), whatever they count: tickets, articles, meters.
DIGITS_RATE = 0.1
# The likelihood below which chance is no explanation: an inventory of 5,000 operations with 100 fields that sees noise
# alone, and as much of it as is assumed, raises ten of them; two hits in SURE samples count.
UNLIKELY = 2e-5


@lru_cache(maxsize=16_384)
def is_chance(hits: int, samples: int, rate: float) -> bool:
    """Whether false alarms at a rate (per sample) explain that many hits: P(X >= hits) is not below ``UNLIKELY``.

    One hit always may be one.
    """
    if hits <= 1:
        return True
    if hits > samples * rate:  # below its mean a tail is never unlikely
        return beta_cdf(min(rate, 1.0), float(hits), samples - hits + 1.0) >= UNLIKELY
    return True
