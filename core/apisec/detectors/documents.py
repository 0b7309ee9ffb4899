"""Travel documents, driving licences and vehicles: zones by their check digits, numbers by words."""

from __future__ import annotations

from typing import Optional

from apisec.detectors.base import Detector, behind, linear, words
from apisec.detectors.numbers import LEFT, RIGHT, of_numbers
from apisec.validators.documents import ROWS, mrz
from apisec.validators.numbers import compact

# Between two lines of a zone: a line break as it stands or written out, or a blank.
_BREAK = r"(?:\\r|\\n|[\r\n |]){0,4}"
_DATES = r"\d{6}[\d<][MFX<]\d{6}[\d<]"

_PASSPORT_BEHIND = (
    *("[Pp]assport", r"[Rr]eisepass\w{0,6}", "[Pp]asaporte", "[Pp]asseport", "[Pp]assaporto", r"[Pp]aspoort\w{0,6}"),
)
_LICENCE_BEHIND = (
    *("(?:[Dd]riv(?:ing|er'?s?) )?[Ll]icen[cs]e", r"[Ff]ührerschein\w{0,6}", "permis", "carnet de conducir", "patente"),
    *("permiso de conducir", r"rijbewijs\w{0,6}"),
)


def _with_digits(least: int, most: int, text: str) -> Optional[str]:
    found = compact(text)
    digits = sum(c.isdigit() for c in found)
    return found if least <= digits and 6 <= len(found) <= most else None


def _passport(text: str) -> Optional[str]:
    return _with_digits(5, 10, text)


def _licence(text: str) -> Optional[str]:
    return _with_digits(4, 19, text)


def _plate(text: str) -> Optional[str]:
    found = compact(text)
    mixed = any(c.isdigit() for c in found) and any(c.isalpha() for c in found)
    return found if mixed and 4 <= len(found) <= 9 else None


DETECTORS = (
    Detector(
        "mrz.passport",
        "pii.passport",
        linear(rf"(?<![A-Z0-9<])(?:[PV][A-Z<][A-Z<]{{42}}{_BREAK})?[A-Z0-9<]{{9}}[\d<][A-Z<]{{3}}{_DATES}"
               r"[A-Z0-9<]{14}[\d<]{2}(?![A-Z0-9<])"),
        mrz,
        literals=("<<",),
    ),
    Detector(
        "mrz.card",
        "pii.passport",
        linear(rf"(?<![A-Z0-9<])(?:[ACI][A-Z0-9<][A-Z<]{{3}}[A-Z0-9<]{{25}}{_BREAK}{_DATES}[A-Z<]{{3}}"
               rf"[A-Z0-9<]{{11}}\d{_BREAK}[A-Z<]{{30}}"
               rf"|[ACIPV][A-Z<][A-Z<]{{34}}{_BREAK}[A-Z0-9<]{{9}}[\d<][A-Z<]{{3}}{_DATES}[A-Z0-9<]{{8}})"
               r"(?![A-Z0-9<])"),
        mrz,
        literals=("<<",),
    ),
    *of_numbers(ROWS),
    Detector(
        "passport",
        "pii.passport",
        linear(rf"(?i){LEFT}(?:[A-Z]{{0,3}} ?\d{{5,9}}[A-Z]?|[A-Z]\d[A-Z0-9]{{7}}"
               rf"|[CFGHJK][0-9CFGHJKLMNPRTVWXYZ]{{8}}\d?|\d{{2}}[A-Z]{{2}}\d{{5}}){RIGHT}"),
        _passport,
        confidence="context",
        near=words("passport", "passport no", "reisepass*", "pasaporte", "passeport", "passaporto", "passaporte",
                   "paspoort*", "paszport*", "pass nr", "passnummer", "pasnummer", "pasaport*", "passi", "passinumero",
                   "travel document*", "reisedokument*", "útlevél", "cestovní pas", "паспорт", "护照", "旅券", "여권"),
        gate="near",
    ),
    # C01X00T47 is my passport number
    Detector(
        "passport.behind",
        "pii.passport",
        linear(rf"{LEFT}(?P<value>[A-Z]{{0,3}}\d{{5,9}}[A-Z]?|[CFGHJK][0-9CFGHJKLMNPRTVWXYZ]{{8}})"
               rf"{behind(*_PASSPORT_BEHIND)}"),
        _passport,
        literals=("assport", "eisepass", "asaporte", "asseport", "assaporto", "aspoort"),
    ),
    Detector(
        "licence.behind",
        "pii.driving_licence",
        linear(rf"{LEFT}(?P<value>[A-Z]{{0,5}}\d{{5,14}}[A-Z0-9]{{0,4}}|[A-Z]\d{{2}}[A-Z0-9]{{8}})"
               rf"{behind(*_LICENCE_BEHIND)}"),
        _licence,
        literals=("icence", "icense", "ührerschein", "permis", "conducir", "patente", "rijbewijs"),
    ),
    Detector(
        "driving_licence",
        "pii.driving_licence",
        linear(rf"(?i){LEFT}(?!(?:cnh|dl|no|nr|is)[ -])"
               rf"(?:[A-Z]{{1,3}}[ -]?\d{{3}}[ -]?\d{{3}}[ -]?\d{{2,3}}[ -]?\d{{0,4}}"
               rf"|[A-Z]{{0,5}}\d{{5,14}}[A-Z]{{0,2}}"
               rf"|[A-Z]\d{{2}}[A-Z0-9]{{8}}|\d{{3}} \d{{3}} \d{{3}}|[A-Z]\d{{3}}(?:[ -]\d{{3,4}}){{2,3}}"
               rf"|\d{{2}}[A-Z]{{2}}\d{{5}}|[A-Z]{{2}}\d{{7}}[A-Z]|U1[A-Z0-9]{{7}}[A-Z]|\d{{8}}[A-Z]|\d{{5}}/\d{{2}}/\d{{4}}"
               rf"|\d{{6}}-\d{{4}}|\d{{2}} \d{{2}} \d{{6}}){RIGHT}"),
        _licence,
        confidence="context",
        near=words("driving licence", "driving license", "driver licence*", "driver license*", "drivers licence*",
                   "drivers license*", "driver s licen*", "driver's licen*", "driver’s licen*", "dl", "permis n*",
                   "numéro de permis", "carnet de conducir", "patente", "sürücü belgesi", "ehliyet*", "ajokortti*",
                   "kørekort*", "førerkort*", "řidičský průkaz*", "vezetői engedély*", "водительск*", "license number",
                   "licence number", "dl no", "dl number",
                   "führerschein*", "permis de conduire", "licencia de conducir", "permiso de conducir", "cnh",
                   "patente di guida", "rijbewijs*", "carta de condução", "körkort*",
                   "prawo jazdy", "prawa jazdy", "dmv"),
        gate="near",
    ),
    Detector(
        "plate",
        "pii.vehicle",
        linear(rf"(?i){LEFT}[A-ZÄÖÜ0-9]{{1,4}}[ -][A-Z0-9]{{1,4}}(?:[ -][A-Z0-9]{{1,4}})?{RIGHT}"
               rf"|{LEFT}[A-Z0-9]{{5,8}}{RIGHT}"),
        _plate,
        confidence="context",
        near=words("vehicle registration*", "car registration*", "reg no", "reg number", "rego",
                   "tablica*", "rendszám*", "rekisterinumero*", "license plate",
                   "licence plate", "number plate", "plate number", "plate no", "registration plate",
                   "kennzeichen", "nummernschild", "matrícula", "immatriculation", "targa", "kenteken*",
                   "numer rejestracyjny"),
        gate="near",
    ),
)  # fmt: skip
