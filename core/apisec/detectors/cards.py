"""Payment cards: numbers bare, grouped and masked, stripes, verification values and expiry dates by context."""

from __future__ import annotations

from typing import Optional

from apisec.detectors.base import Detector, behind, linear, said, whole, words
from apisec.validators.cards import pan, pan_alone
from apisec.validators.digits import ascii_digits

_GAP = r"[ \-._/\u00a0\u2009\u200b\u2010-\u2015\u202f]"
# Groups as printed: 4-4-4-4, 4-6-5 (American Express), 4-6-4 (Diners), 6-10 and 8-8. What follows after a gap may be a
# date or a quantity, so the fifth group of a number of 17 to 19 digits is asked for apart.
_FOURS = rf"\d{{4}}{_GAP}{{1,2}}\d{{4}}{_GAP}{{1,2}}\d{{4}}{_GAP}{{1,2}}"
_GROUPS = (
    rf"{_FOURS}\d{{1,4}}|\d{{4}}{_GAP}{{1,2}}\d{{6}}{_GAP}{{1,2}}\d{{4,5}}"
    rf"|\d{{8}}{_GAP}\d{{8}}|\d{{6}}{_GAP}\d{{10}}"
)
_FIVE_GROUPS = rf"{_FOURS}\d{{4}}{_GAP}{{1,2}}\d{{1,3}}"
_LEFT = r"(?<!\d)(?<!\d[.,])"
_RIGHT = r"(?!\d)(?![.,]\d)"
# Not within hexadecimal: digits that touch one of its letters (a hash, an ETag), or are the end of a UUID.
_BARE = r"(?<!\d[a-fA-F])(?:\d{13,19}|(?<![0-9a-fA-F]{4}-)\d{12})(?![a-fA-F]\d)"

_CARD = words(
    *(
        "card",
        "cards",
        "credit card*",
        "debit card*",
        "pan",
        "visa",
        "mastercard",
        "amex",
        "american express",
        "maestro",
    ),
    *("kreditkarte*", "karte*", "kartennummer", "tarjeta*", "carte bancaire", "carte de crédit", "carta di credito"),
    *("cartão*", "creditcard*", "kaart*", "cc", "ccn"),
)
_VERIFICATION = (
    *("cvv", "cvv2", "cvc", "cvc2", "cvn", "csc", "card verification value", "card verification code", "security code"),
    *("kartenprüfnummer", "kartenpruefnummer", "prüfnummer", "sicherheitscode", "código de seguridad"),
    *("codigo de seguridad", "cryptogramme", "code de sécurité", "codice di sicurezza", "código de segurança"),
    *("codigo de seguranca", "beveiligingscode", "veiligheidscode", "prüfziffer", "prüfcode", "kartenprüfcode"),
    *("kartenprüfziffer", "dreistelliger code", "dreistellige code", "dreistelligen code", "three digit code"),
    *("digits on the back", "code on the back", "back of the card", "back of my card", "signature panel code"),
    *("card verification", "card code", "cryptogramme visuel", "code à trois chiffres", "trois chiffres au dos"),
    *("dígitos del reverso", "código del reverso", "dígitos do verso", "código do verso", "cifre sul retro"),
    *("drie cijfers", "cvc code", "cvv code", "cvv kod", "cvc kod", "cvv kodu", "kod cvv", "kod bezpieczeństwa"),
    *("kod zabezpieczający", "säkerhetskod", "sikkerhedskode", "sikkerhetskode", "turvakoodi", "güvenlik kodu"),
    *("bezpečnostní kód", "biztonsági kód", "код безопасности", "cvv код"),
)
_EXPIRY = words(
    *("exp", "expiry", "expires", "expiration", "exp date", "valid thru", "valid until", "valid through", "good thru"),
    *("gültig bis", "ablaufdatum", "verfallsdatum", "caducidad", "vencimiento", "vence", "válida hasta", "expire"),
    *("date d expiration", "d'expiration", "scadenza", "scade", "valida fino", "validade", "vervaldatum", "geldig tot"),
    *(
        "expired",
        "expiring",
        "expira*",
        "expirant",
        "good until",
        "good till",
        "valid till",
        "läuft am",
        "läuft im",
        "verfällt",
        "verfalldatum",
        "gültig",
        "caduca",
    ),
    *("caducado", "vencida", "vencido", "fin de validité", "valable jusqu*", "válido até", "válida até", "vence em"),
    *("verloopt", "verlopen", "vervalt", "ważna do", "ważny do", "data ważności", "giltig till", "går ut"),
    *("utgångsdatum", "udløber", "udløbsdato", "utløper", "utløpsdato", "voimassa", "son kullanma*", "geçerlilik*"),
    *("platnost*", "érvényes*", "действительна до", "срок действия", "mm/yy", "mm yy", "jj mm", "mm/aa", "mm aa"),
)
_CODE_BEHIND = (
    *("CVV2?", "cvv2?", "CVC2?", "cvc2?", "CSC", "csc", "[Ss]ecurity code", "[Cc]ard verification", "[Pp]rüfnummer"),
    *("[Pp]rüfziffer", "[Kk]artenprüfnummer", "código de seguridad", "cryptogramme", "codice di sicurezza"),
    *("código de segurança", "beveiligingscode"),
)
_EXPIRY_BEHIND = (
    *("[Ee]xpiry", "[Ee]xpiration", "[Ee]xp date", "[Ee]xp", "[Aa]blaufdatum", "[Cc]aducidad", "fecha de caducidad"),
    *("vencimiento", "date d'expiration", "scadenza", "data di scadenza", "validade", "vervaldatum"),
)
_NO_CODE = frozenset(("000", "0000"))


def _pan(text: str) -> Optional[str]:
    digits = ascii_digits(text)
    return digits if pan(digits) else None


def _alone(text: str) -> Optional[str]:
    digits = ascii_digits(text)
    return digits if pan_alone(digits) else None


def _code(text: str) -> Optional[str]:
    digits = ascii_digits(text)
    return None if digits in _NO_CODE else digits


DETECTORS = (
    Detector(
        "track",
        "pci.track",
        linear(r"%B\d{12,19}\^[^^\n]{2,26}\^\d{4,40}\??|;\d{12,19}=\d{4,40}\?"),
        whole,
        literals=("%B", ";"),
    ),
    Detector(
        "pan.bare",
        "pci.pan",
        linear(rf"{_LEFT}{_BARE}{_RIGHT}"),
        _alone,
        confidence="checksum",
        gate="run",
    ),
    Detector("pan.grouped", "pci.pan", linear(rf"{_LEFT}(?:{_GROUPS}){_RIGHT}"), _pan, gate="groups"),
    Detector("pan.five_groups", "pci.pan", linear(rf"{_LEFT}{_FIVE_GROUPS}{_RIGHT}"), _pan, gate="groups"),
    # Within hexadecimal, as a fraction, anywhere: near the word, or in strict mode.
    Detector(
        "pan.within",
        "pci.pan",
        linear(r"(?<!\d)\d{12,19}(?!\d)"),
        _pan,
        confidence="context",
        near=_CARD,
        checked=True,
        gate="run",
    ),
    Detector(
        "cvv.said",
        "pci.cvv",
        linear(rf"{said(*_VERIFICATION)}(?P<value>\d{{3,4}})(?![\w:/%-])(?![.,]\d)"),
        _code,
        confidence="context",
        near=words(*_VERIFICATION),
        gate="near",
    ),
    # 847 is the CVV; entered 847 as the security code
    Detector(
        "cvv.behind",
        "pci.cvv",
        linear(rf"(?<![\w.,/:-])(?P<value>\d{{3,4}}){behind(*_CODE_BEHIND)}"),
        _code,
        literals=(
            *("CVV", "cvv", "CVC", "cvc", "CSC", "csc", "ecurity code", "erification", "rüfnummer", "rüfziffer"),
            *("seguridad", "ryptogramme", "sicurezza", "segurança", "eveiligingscode"),
        ),
    ),
    Detector(
        "expiry.behind",
        "pci.expiry",
        linear(rf"(?<![\d/.-])(?P<value>(?:0[1-9]|1[0-2]) ?[/-] ?(?:20)?[2-4]\d){behind(*_EXPIRY_BEHIND)}"),
        lambda text: text.replace(" ", ""),
        literals=("xp", "blaufdatum", "aducidad", "encimiento", "cadenza", "alidade", "ervaldatum"),
    ),
    # number|month|year|code, as lists of stolen cards are written
    Detector(
        "cvv.beside",
        "pci.cvv",
        linear(
            r"(?<!\d)\d{13,19}[|;,:/ \t]{1,3}(?:0[1-9]|1[0-2])[|;,:/ \t-]{0,2}(?:20)?[2-4]\d[|;,:/ \t]{1,3}"
            r"(?P<value>\d{3,4})(?![\d.])"
        ),
        _code,
        gate="run",
    ),
    Detector(
        "expiry.said",
        "pci.expiry",
        linear(
            r"(?<![\d/.-])(?:(?:0[1-9]|1[0-2]) ?[/-] ?(?:20)?[2-4]\d|20[2-4]\d[/-](?:0[1-9]|1[0-2]))(?![\d/-])(?!\.\d)"
        ),
        lambda text: text.replace(" ", ""),
        confidence="context",
        near=_EXPIRY,
        gate="near",
    ),
)
