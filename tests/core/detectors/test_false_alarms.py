"""How often ordinary values set off a detector, in balanced mode and without a telling name.

The shares were measured with 9,100 values of each kind (200,200 together); the bounds leave room for the smaller sample
of this test. Where a share is not zero, the values are as likely to be numbers of people: see the comment beside it.
"""

from __future__ import annotations

from collections import Counter

import pytest

from apisec.detectors import DETECTORS
from apisec.detectors.engine import scan
from tests.core.detectors.negatives import KINDS, texts

SAMPLE = 1000

# Per cent of the values of a kind in which anything was found, at most.
BOUND = {
    "order": 2.0,  # digits that pass Luhn within an issuer's range
    "snowflake": 0.5,  # 18 and 19 digits, likewise
    "numbered": 5.0,  # dates and serials with the check of a Nordic number
    "version": 8.0,  # telephone numbers with dots
    "range": 0.5,
}


@pytest.mark.parametrize("kind", KINDS)
def test_ordinary_values_seldom_set_off_a_detector(kind: str) -> None:
    found: Counter[str] = Counter()
    for text in texts(kind, SAMPLE):
        found.update({match.detector for match in scan(text)})
    alarms = 100 * sum(found.values()) / SAMPLE
    assert alarms <= BOUND.get(kind, 0.2), found.most_common(5)


def test_under_a_name_that_speaks_against_it_a_checksum_is_not_enough() -> None:
    checksums = {detector.id for detector in DETECTORS.values() if detector.confidence == "checksum"}
    for kind in ("order", "snowflake", "numbered"):
        for text in texts(kind, SAMPLE):
            assert not {match.detector for match in scan(text, reference=True)} & checksums


def test_strict_mode_finds_by_a_strong_checksum_alone_and_asks_words_of_weak_ones() -> None:
    """Strict mode finds more of the same values without a name, and not one in ten of them."""
    found = sum(1 for text in texts("order", SAMPLE) if scan(text, strict=True, reference=True))
    assert SAMPLE / 200 < found < SAMPLE / 25
