"""Numbers of patients, insured persons and prescribers; record numbers and diagnoses by words."""

from __future__ import annotations

import re
from typing import Optional

from apisec.detectors.base import Detector, linear, said, words
from apisec.detectors.numbers import LEFT, RIGHT, of_numbers
from apisec.validators.health import ROWS
from apisec.validators.numbers import compact

_DATE = re.compile(r"(?:19|20)\d\d|(?:19|20)\d\d-?[01]\d-?[0-3]\d|[0-3]\d-[01]\d-(?:19|20)\d\d")
_RECORD = (
    *("mrn", "medical record", "medical record number", "medical record no", "chart number", "chart no", "patient"),
    *(
        "chart",
        "hospital id",
        "pat nr",
        "patiëntnr",
        "numéro dossier",
        "patient id",
        "patient number",
        "patient no",
        "patient nr",
        "hospital number",
        "hospital no",
        "uhid",
        "patient n",
    ),
    *("patientennummer", "patienten nr", "patienten id", "numéro de dossier", "numéro de patient", "dossier patient"),
    *("ipp", "historia clínica", "número de historia clínica", "número de paciente", "nhc", "paziente"),
    *("numero paziente", "cartella clinica", "prontuário", "número do paciente", "patiëntnummer", "patientnummer"),
    *("numer pacjenta", "potilasnumero", "hasta no", "hasta numarası"),
)
_INSURED = (
    *("insurance number", "insurance no", "insurance id", "insurance policy", "insurance policy number", "insurance"),
    *("insurance policy no", "policy number", "policy no", "policy id", "member id", "member number", "member no"),
    *("subscriber id", "subscriber number", "plan id", "health plan", "health plan id"),
    *(
        "insurance card",
        "insurance card shows",
        "insured under",
        "health insurance",
        "medical insurance",
    ),
    *("versichertennummer", "versicherungsnummer", "versicherungsnr", "krankenversicherung", "krankenkasse"),
    *("krankenversicherungsnummer", "krankenversichertennummer", "krankenkassennummer", "numéro d'assuré", "assurance"),
    *("assurance maladie", "numéro de mutuelle", "mutuelle", "carte vitale", "número de póliza", "póliza", "seguro"),
    *("tarjeta sanitaria", "seguro médico", "polizza", "tessera sanitaria", "apólice", "plano de saúde", "carteirinha"),
    *(
        "insured with",
        "versicherungsschein",
        "versicherten nr",
        "assuré",
        "polisnr",
        "polisnummer",
        "zorgverzekering",
        "zorgpolis",
        "polisa",
        "polisy",
        "numer ubezpieczenia",
        "försäkringsnummer",
    ),
    *("forsikringsnummer", "sigorta", "poliçe", "vakuutusnumero"),
)


def _number(text: str) -> Optional[str]:
    """Accept a code with at least four digits that is no date."""
    found = compact(text)
    return found if sum(c.isdigit() for c in found) >= 4 and not _DATE.fullmatch(text) else None


def _diagnosis(text: str) -> Optional[str]:
    """Accept a code of ICD-10 in its written form, with capitals."""
    return text.replace(".", "")


DETECTORS = (
    *of_numbers(ROWS),
    Detector(
        "health.mrn",
        "health.mrn",
        linear(rf"{said(*_RECORD)}(?P<value>[A-Z]{{0,4}}[- ]?\d[\d-]{{3,14}}(?![\w-])(?![.,:/]\d))"),
        _number,
        confidence="context",
        near=words(*_RECORD),
        gate="near",
    ),
    Detector(
        "health.insurance",
        "health.insurance",
        linear(rf"(?<![Nn]ational[ -])(?<!NATIONAL )(?<![Ss]ocial ){said(*_INSURED)}"
               rf"(?P<value>[A-Z]{{0,4}}[- ]?\d[\dA-Z-]{{5,16}}(?![\w-])(?![.,:/]\d))"),
        _number,
        confidence="context",
        near=words(*_INSURED),
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
