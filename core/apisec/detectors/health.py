"""Numbers of patients, insured persons and prescribers; record numbers and diagnoses by words."""

from __future__ import annotations

from typing import Optional

from apisec.detectors.base import Detector, linear, words
from apisec.detectors.numbers import LEFT, RIGHT, of_numbers
from apisec.validators.health import ROWS
from apisec.validators.numbers import compact

# A word after the telling one (no, number, id, is, #) may stand before the value.
_AFTER = r"(?i:[\s#:=.]|\b(?:no|nr|num|number|nummer|id|is|ist|code|codes)\b){0,6}"


def _number(text: str) -> Optional[str]:
    """Accept a code with at least four digits."""
    found = compact(text)
    return found if sum(c.isdigit() for c in found) >= 4 else None


def _diagnosis(text: str) -> Optional[str]:
    """Accept a code of ICD-10 in its written form, with capitals."""
    return text.replace(".", "")


DETECTORS = (
    *of_numbers(ROWS),
    Detector(
        "health.mrn",
        "health.mrn",
        linear(rf"(?i:\b(?:mrn|medical record|patient (?:id|no|number|nr)|patienten(?:nummer|nr|id)|patientnumber|"
               rf"hospital (?:no|number)|numéro de dossier|historia clínica)\b){_AFTER}"
               r"(?P<value>[A-Za-z]{0,4}[- ]?\d[\d-]{3,14}(?![\w-]))"),
        _number,
        confidence="context",
        near=words("mrn", "medical record*", "patient*", "hospital no", "hospital number", "numéro de dossier",
                   "historia clínica"),
        gate="near",
    ),
    Detector(
        "health.insurance",
        "health.insurance",
        linear(rf"(?i:\b(?:insurance|\w{{0,20}}versicherung\w{{0,10}}|policy|member|subscriber|"
               rf"beneficiary|assurance|seguro|mutuelle)\b)"
               rf"(?i:[ _-]?(?:card|policy|member|plan))?{_AFTER}"
               r"(?P<value>(?-i:[A-Z]{0,4})[- ]?\d[\dA-Z-]{5,16}(?![\w-]))"),
        _number,
        confidence="context",
        near=words("health insurance*", "insurance member*", "health plan*", "medical insurance*", "krankenkasse*",
                   "krankenversicherung*", "assurance maladie", "seguro médico", "member id", "subscriber id",
                   "mutuelle"),
        gate="near",
    ),
    Detector(
        "health.diagnosis",
        "health.diagnosis",
        linear(rf"{LEFT}[A-TV-Z]\d[0-9AB](?:\.[0-9A-TV-Z]{{1,4}})?{RIGHT}"),
        _diagnosis,
        confidence="context",
        near=words("icd", "icd10", "icd 10", "diagnosis", "diagnosed", "diagnoses", "dx", "diagnóstico", "diagnose",
                   "diagnosen", "cie 10"),
        gate="near",
    ),
)  # fmt: skip
