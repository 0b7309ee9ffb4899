"""What a score means: one place for the scale and its thresholds.

A score is 100 times the model's probability that the transaction is part of an attack. The thresholds were set
on training traffic so that an ordinary transaction practically never reaches ``high``.
"""

from __future__ import annotations

from typing import Tuple

MAX_SCORE = 100.0

# Lowest score of each severity, highest first.
SEVERITIES: Tuple[Tuple[float, str], ...] = (
    (90.0, "critical"),
    (70.0, "high"),
    (40.0, "medium"),
    (20.0, "low"),
    (0.0, "informational"),
)

# A component below this gives no reason: a sentence that explains nothing costs an analyst's time.
REASON_THRESHOLD = 10.0


def severity_of(score: float) -> str:
    """Return the severity of a score of 0–100."""
    for least, name in SEVERITIES:
        if score >= least:
            return name
    return SEVERITIES[-1][1]
