"""Postal addresses by the way streets are written in several countries, post-office boxes, and postcodes by context."""

from __future__ import annotations

from typing import Optional

from apisec.detectors.base import Detector, linear, said, whole, words

_UP = r"[A-ZÀ-ÖØ-Þ]"
_NAME = rf"{_UP}[a-zà-öø-ÿ'’.][\w'’.-]{{0,24}}"
_CITY = rf"{_UP}[\w'’-]{{1,24}}(?: (?:am |an der |de |la |do |da |upon )?{_UP}[\w'’-]{{1,24}}){{0,2}}"

_STREETS = """
Street St Avenue Ave Road Rd Boulevard Blvd Lane Ln Drive Dr Court Ct Place Pl Square Sq Terrace Terr Way Parkway
Pkwy Highway Hwy Crescent Cres Close Circle Cir Trail Trl Alley Gardens Grove Mews Row Walk
"""
_ENGLISH = _STREETS.split()
_SPELLED = tuple(f" {word}" for word in _ENGLISH)
_ROMANCE = (
    *("Calle ", "Avenida ", "Avda", "Plaza ", "Paseo ", "Carrer ", "Rua ", "Travessa ", "Praça ", "Alameda ", "Via "),
    *("Viale ", "Corso ", "Piazza ", "Vicolo ", "Strada "),
)
_FRENCH = ("rue", "avenue", "boulevard", "place", "chemin", "allée", "impasse", "quai", "route", "cours", "square")
_GERMANIC = (
    *("straße", "strasse", "str.", "gasse", "allee", "platz", "damm", "ufer"),
    *("straat", "laan", "plein", "gracht", "gatan", "vägen", "gata", "veien", "gade", "vej", "katu"),
)
_APART = ("Straße", "Strasse", "Str.", "Gasse", "Allee", "Platz", "Damm", "Ufer")
_POSTCODES = r"\d{5}-\d{4}|\d{5}-\d{3}|\d{4} ?[A-Z]{2}|\d{4,6}|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d"
_POSTCODE_WORDS = (
    *("zip", "zip code", "zipcode", "postal code", "postalcode", "postcode", "post code", "postleitzahl", "plz"),
    *("código postal", "codigo postal", "code postal", "codice postale", "cap", "cep", "cp", "postnummer"),
)

_FIRST = ("Penny", "One", "Each", "Any")  # words that begin a sentence, not a street


def _street(text: str) -> Optional[str]:
    return " ".join(text.split())


def _numbered(text: str) -> Optional[str]:
    """Refuse a sum of money or of time that is followed by a word such as *Way* or *Close*."""
    words_ = text.split()
    return None if len(words_) < 3 or words_[1] in _FIRST else _street(text)


DETECTORS = (
    # 12 North Main Street, Apt 4, Springfield, IL 62704
    Detector(
        "address.english",
        "pii.address",
        linear(
            rf"(?<![\w.,$€£#-])\d{{1,5}}[A-Za-z]? (?:(?:[NSEW]|North|South|East|West)\.? )?"
            rf"(?:(?:{_NAME}|\d{{1,3}}(?:st|nd|rd|th)) ){{1,3}}"
            rf"(?:{'|'.join(_ENGLISH)})\b\.?(?:,? (?:Apt|Suite|Ste|Unit|Flat|Floor|Fl|#)\.? ?\w{{1,6}})?"
            rf"(?:, {_CITY}(?:,? (?:[A-Z]{{2}} )?(?:{_POSTCODES})\b)?)?"
        ),
        _numbered,
        literals=_SPELLED,
    ),
    # Hauptstraße 12a, 10115 Berlin; Keizersgracht 123, 1015 CJ Amsterdam; Am Alten Platz 3
    Detector(
        "address.germanic",
        "pii.address",
        linear(
            rf"(?<![\w-])(?:{_UP}[\w.-]{{2,24}}[ -]){{0,2}}"
            rf"(?:[\w.-]{{2,30}}(?:{'|'.join(_GERMANIC)})|{_UP}[\w.-]{{2,24}} (?:{'|'.join(_APART)}))"
            r" {1,2}\d{1,4}(?: ?[a-zA-Z](?!\w))?(?:[-/]\d{1,4})?"
            rf"(?:[,\n ]{{1,3}}(?:[A-Z]{{1,2}}-)?(?:\d{{5}}|\d{{4}}(?: ?[A-Z]{{2}})?) {_CITY})?(?![\w%])"
        ),
        _street,
        literals=(*_GERMANIC, *_APART),
    ),
    # 12 bis, rue de la Paix, 75002 Paris
    Detector(
        "address.french",
        "pii.address",
        linear(
            rf"(?<![\w.,-])\d{{1,4}}(?: ?(?:bis|ter|[A-D]))?,? (?:{'|'.join(_FRENCH)}) "
            r"(?:(?:de la|de l['’]|des|du|de|d['’]|la|le|les) ?)?"
            rf"{_NAME}(?:[ -](?:de |du |la |le )?{_NAME}){{0,3}}(?:,? \d{{5}} {_CITY})?"
        ),
        _street,
        literals=tuple(f" {word} " for word in _FRENCH),
    ),
    # Calle Mayor 12, 28013 Madrid; Rua Augusta, 1500; Via Roma 7
    Detector(
        "address.romance",
        "pii.address",
        linear(
            rf"(?<!\w)(?:{'|'.join([word.strip() for word in _ROMANCE])})\.? "
            r"(?:(?:de la|de los|de|del|della|delle|dei|da|do|das|dos|di|la|el) )?"
            rf"{_NAME}(?: (?:de |del |da |do |di )?{_NAME}){{0,3}},? (?:n[.º°]{{0,2}} ?)?\d{{1,5}}(?![\w.:])"
            rf"(?:[,\n ]{{1,3}}\d{{4,5}}(?:-\d{{3}})? {_CITY})?"
        ),
        _street,
        literals=_ROMANCE,
    ),
    # ul. Długa 12, 00-950 Warszawa
    Detector(
        "address.polish",
        "pii.address",
        linear(
            rf"(?<!\w)(?:ul|al|os|pl)\. (?:[A-ZŁŚŻŹĆ][\w.-]{{1,24}} ){{1,3}}\d{{1,4}}[a-zA-Z]?(?:/\d{{1,4}})?(?![\w%])"
            rf"(?:[,\n ]{{1,3}}\d{{2}}-\d{{3}} {_CITY})?"
        ),
        _street,
        literals=("ul. ", "al. ", "os. ", "pl. "),
    ),
    Detector(
        "address.box",
        "pii.address",
        linear(
            r"(?<!\w)(?:P\. ?O\. ?Box|PO Box|P O Box|Postfach|Apartado(?: de Correos)?|Caixa Postal|Postbus) "
            r"\d{1,3}(?: ?\d{2,3}){0,2}(?!\w)"
        ),
        _street,
        literals=(" Box ", "Postfach ", "Apartado ", "Caixa Postal ", "Postbus "),
    ),
    Detector(
        "postcode.said",
        "pii.postcode",
        linear(rf"{said(*_POSTCODE_WORDS)}(?P<value>{_POSTCODES})(?![\w-])(?![.,]\d)"),
        whole,
        confidence="context",
        near=words(*_POSTCODE_WORDS),
        gate="near",
    ),
)
