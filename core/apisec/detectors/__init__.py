"""Detectors: one family a file, registered here by an explicit list that refuses duplicates.

A new family is one file with ``DETECTORS``, its name below, and ``tests/cases/detectors/<family>.yml``. Attacks have
a registry of their own: ``apisec.attacks``.
"""

from __future__ import annotations

from types import ModuleType
from typing import Dict, Iterable, Tuple

from apisec.classification.classes import BY_NAME
from apisec.detectors import (
    addresses,
    api_keys,
    banking,
    cards,
    credentials,
    crypto,
    dates,
    devices,
    documents,
    email,
    health,
    iban,
    leaks,
    location,
    national_ids,
    people,
    phone,
    ssn,
)
from apisec.detectors.base import CONFIDENCE, GATES, Detector, Match

FAMILIES: Tuple[ModuleType, ...] = (
    api_keys,  # the earlier family gives the class where two say as much of the same text
    credentials,
    iban,
    cards,
    email,
    ssn,
    phone,
    dates,
    addresses,
    people,
    leaks,
    national_ids,
    health,
    banking,
    crypto,
    documents,
    devices,
    location,
)


def register(families: Iterable[ModuleType]) -> Dict[str, Detector]:
    """Return the detectors of the families by id; a second one of the same id is a bug."""
    table: Dict[str, Detector] = {}
    for family in families:
        for detector in family.DETECTORS:
            if detector.id in table:
                raise ValueError(f"detector {detector.id!r} is registered twice")
            if detector.data_class not in BY_NAME:
                raise ValueError(f"detector {detector.id!r}: no data class {detector.data_class!r}")
            _check(detector)
            table[detector.id] = detector
    return table


def _check(detector: Detector) -> None:
    """Refuse a detector that no engine would ask, or that could never fire."""
    if detector.confidence not in CONFIDENCE:
        raise ValueError(f"detector {detector.id!r}: confidence {detector.confidence!r} is none of {CONFIDENCE}")
    if not detector.literals and detector.gate not in GATES and (detector.gate != "near" or detector.near is None):
        raise ValueError(f"detector {detector.id!r} has neither literals nor a gate")
    if detector.gate == "near" and detector.checked:
        raise ValueError(f"detector {detector.id!r}: strict mode needs a gate that does not ask for words")


DETECTORS: Dict[str, Detector] = register(FAMILIES)

__all__ = ["DETECTORS", "FAMILIES", "Detector", "Match", "register"]
