"""Dates of birth: a date near a word that says birth."""

from __future__ import annotations

import re
from typing import Optional

from apisec.detectors.base import Detector, behind, linear, words

_MONTHS = """
jan feb mar apr may jun jul aug sep oct nov dec januar februar märz maerz mai juni juli okt dez januari februari
maart mei enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre janvier février
fevrier mars avril juin juillet août aout septembre octobre novembre décembre decembre gennaio febbraio aprile
maggio giugno luglio settembre ottobre dicembre janeiro fevereiro março marco maio junho julho setembro outubro
novembro dezembro january february march april june july august september october november december oktober dezember
"""
_FORMS = {form for month in _MONTHS.split() for form in (month, month.title())}
_MONTH = "|".join(sorted(_FORMS, key=lambda form: (-len(form), form)))
_ORDERS = (  # day and month first, month first, year first
    re.compile(r"(?P<d>\d{1,2})\D{1,3}(?P<m>\d{1,2})\D{1,3}(?P<y>\d{4}|\d{2})"),
    re.compile(r"(?P<m>\d{1,2})\D{1,3}(?P<d>\d{1,2})\D{1,3}(?P<y>\d{4}|\d{2})"),
    re.compile(r"(?P<y>\d{4})\D{1,3}(?P<m>\d{1,2})\D{1,3}(?P<d>\d{1,2})"),
    re.compile(r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})"),
)
_TIME = re.compile(r"(?<=\d)T\d.*")
_YEAR = re.compile(r"(?<!\d)(?:1[89]|20)\d\d(?!\d)")
_WORDS = words(
    *("born", "birth", "birthday", "birthdate", "birth date", "date of birth", "dob", "d o b", "b day"),
    *("geboren", "geb", "geburtsdatum", "geburtstag", "né", "née", "naissance"),
    *(
        "nacido",
        "nacida",
        "nacimiento",
        "nació",
        "nato",
        "nata",
        "nascita",
        "nascido",
        "nascida",
        "nascimento",
        "geboortedatum",
        "geboortedag",
        *(
            "nasceu",
            "ur",
            "nascida",
            "urodzon*",
            "urodził*",
            "urodzenia",
            "född",
            "födelse*",
            "født",
            "fødsels*",
            "doğum*",
        ),
        *("doğdu*", "syntym*", "syntynyt", "родился", "родилась", "рождения", "narozen*", "születe*", "născut*"),
    ),
)
_BEHIND = (
    *("[Dd]ate of birth", "[Bb]irthday", "[Bb]irth date", "[Bb]irthdate", "DOB", "dob", "[Gg]eburtstag"),
    *("[Gg]eburtsdatum", "fecha de nacimiento", "cumpleaños", "date de naissance", "anniversaire", "data di nascita"),
    *("compleanno", "data de nascimento", "aniversário", "geboortedatum", "verjaardag"),
)


def _birth(text: str) -> Optional[str]:
    """Accept a date that exists, with a year in which a person can have been born."""
    digits = "".join([str(int(c)) if c.isdecimal() else c for c in _TIME.sub("", text)])
    if any(c.isalpha() for c in digits):
        return text if _YEAR.search(digits) else None
    for order in _ORDERS:
        date = order.fullmatch(digits)
        if date and 1 <= int(date["m"]) <= 12 and 1 <= int(date["d"]) <= 31 and _year(date["y"]):
            return text
    return None


def _year(text: str) -> bool:
    return len(text) == 2 or 1880 <= int(text) <= 2100


DETECTORS = (
    Detector(
        "birth.said",
        "pii.dob",
        linear(
            r"(?<![\w./-])(?:\d{1,2}(?:[./-]|\. ?)\d{1,2}(?:[./-]|\. ?)(?:\d{4}|\d{2})"
            r"|\d{4}[./-]\d{1,2}[./-]\d{1,2}(?:T[\d:.]{4,15}(?:Z|[+-]\d\d:?\d\d)?)?"
            rf"|(?:19|20)\d{{6}}|\d{{1,2}}(?:\.|st|nd|rd|th)? (?:de |of )?(?:{_MONTH})\.?,? (?:de |of )?\d{{4}}"
            rf"|(?:{_MONTH})\.? \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}})(?![\w/-])(?!\.\d)"
        ),
        _birth,
        confidence="context",
        near=_WORDS,
        gate="near",
    ),
    # 1980-02-01 is my date of birth
    Detector(
        "birth.behind",
        "pii.dob",
        linear(
            r"(?<![\w./-])(?P<value>\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|\d{4}[./-]\d{1,2}[./-]\d{1,2})"
            rf"{behind(*_BEHIND)}"
        ),
        _birth,
        literals=(
            *("irth", "DOB", "dob", "eburtstag", "eburtsdatum", "nacimiento", "umpleaños", "naissance", "nniversaire"),
            *("nascita", "ompleanno", "nascimento", "niversário", "eboortedatum", "erjaardag"),
        ),
    ),
)
