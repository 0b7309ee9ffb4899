"""National ids of western and southern Europe."""

from __future__ import annotations

from typing import Tuple

from apisec.validators.checks import (
    calendar_date,
    dmy,
    last_digit,
    luhn,
    mod_11_10,
    mrz_digit,
    sums_to_zero,
    varied,
    verhoeff,
    weighted,
)
from apisec.validators.numbers import Number


def _at(d: str) -> bool:
    # The check digit stands fourth; months 13 to 15 serve when a day's serials are used up.
    if d[0] == "0" or not 1 <= int(d[4:6]) <= 31 or not 1 <= int(d[6:8]) <= 15:
        return False
    return weighted(d[:3] + d[4:], (3, 7, 9, 5, 8, 4, 2, 1, 6)) % 11 == int(d[3])


def _be(d: str) -> bool:
    # Bis numbers add 20 or 40 to the month; an unknown day or month is 00; births since 2000 are counted with a 2.
    month, day = int(d[2:4]), int(d[4:6])
    if month % 20 > 12 or month > 52 or day > 31 or d[6:9] in ("000", "999"):
        return False
    control = int(d[9:])
    return control in (97 - int(d[:9]) % 97, 97 - int("2" + d[:9]) % 97)


_ch_digit = sums_to_zero((1, 3) * 6 + (1,), 10)


def _de_tax(d: str) -> bool:
    # Of the first ten digits exactly one stands twice or thrice, never three times in a row.
    head = d[:10]
    counts = sorted([head.count(c) for c in set(head)])
    if counts[-1] not in (2, 3) or counts[:-1] != [1] * (len(counts) - 1):
        return False
    return not any(head[i] == head[i + 1] == head[i + 2] for i in range(8)) and mod_11_10(d)


def _de_card(text: str) -> bool:
    return any(c.isdigit() for c in text[:9]) and mrz_digit(text[:9]) == int(text[9])


def _de_pension(text: str) -> bool:
    day, month = int(text[2:4]), int(text[4:6])
    if not 1 <= (day if day <= 31 else day - 50) <= 31 or not 0 <= month <= 12:
        return False
    digits = f"{text[:8]}{ord(text[8]) - 64:02d}{text[9:11]}"
    products = [int(c) * w for c, w in zip(digits, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1))]
    return sum([p // 10 + p % 10 for p in products]) % 10 == int(text[11])


_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"


def _es_dni(text: str) -> bool:
    return text[:8] != "00000000" and text[8] == _DNI_LETTERS[int(text[:8]) % 23]


def _es_nie(text: str) -> bool:
    return text[8] == _DNI_LETTERS[int(str("XYZ".index(text[0])) + text[1:8]) % 23]


def _fr_nir(text: str) -> bool:
    # Corsica's departments 2A and 2B count as 19 and 18. Months 20 to 42 and from 50 mark incomplete civil status.
    month = int(text[3:5])
    if not (1 <= month <= 12 or month == 20 or 30 <= month <= 42 or month >= 50) or text[5:7] == "00":
        return False
    number = text[:5] + {"2A": "19", "2B": "18"}.get(text[5:7], text[5:7]) + text[7:13]
    return number.isdigit() and 97 - int(number) % 97 == int(text[13:])


def _fr_tax(d: str) -> bool:
    return int(d[:10]) % 511 == int(d[10:]) and varied(d)


_NINO_NEVER = ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ")


def _gb_nino(text: str) -> bool:
    return text[:2] not in _NINO_NEVER


def _gb_utr(d: str) -> bool:
    return d[0] == "21987654321"[weighted(d[1:], (6, 7, 8, 9, 10, 5, 4, 3, 2)) % 11]


def _gr_tax(d: str) -> bool:
    return varied(d) and weighted(d, (256, 128, 64, 32, 16, 8, 4, 2)) % 11 % 10 == int(d[8])


def _gr_amka(d: str) -> bool:
    return dmy(d[:6]) and luhn(d)


def _ie_pps(text: str) -> bool:
    second = ord(text[8]) - 64 if len(text) == 9 and text[8] != "W" else 0
    return text[7] == "WABCDEFGHIJKLMNOPQRSTUV"[(weighted(text[:7], (8, 7, 6, 5, 4, 3, 2)) + 9 * second) % 23]


# Decreto ministeriale 23 dicembre 1976: values of characters in odd places; letters stand for digits (omocodia).
_IT_ODD = dict(
    zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16,
         10, 22, 25, 24, 23))
)  # fmt: skip
_IT_DIGITS = str.maketrans("LMNPQRSTUV", "0123456789")


def _it_cf(text: str) -> bool:
    day = int(text[9:11].translate(_IT_DIGITS))
    if not 1 <= (day if day < 40 else day - 40) <= 31:
        return False
    even = sum([int(c) if c.isdigit() else ord(c) - 65 for c in text[1:15:2]])
    return (sum([_IT_ODD[c] for c in text[0:15:2]]) + even) % 26 == ord(text[15]) - 65


_nl_sum = sums_to_zero((9, 8, 7, 6, 5, 4, 3, 2, -1), 11)


def _nl_bsn(d: str) -> bool:
    return d[:3] != "000" and varied(d) and _nl_sum(d)


_pt_digit = last_digit((9, 8, 7, 6, 5, 4, 3, 2), 11, "00987654321")


def _pt_card(text: str) -> bool:
    values = [int(c, 36) for c in text]
    doubled = [v * 2 if v * 2 < 10 else v * 2 - 9 for v in values[-2::-2]]
    return (sum(values[-1::-2]) + sum(doubled)) % 10 == 0 and any(values)


def _lu(d: str) -> bool:
    year, month, day = int(d[:4]), int(d[4:6]), int(d[6:8])
    return 1880 <= year <= 2099 and calendar_date(year, month, day) and luhn(d[:12]) and verhoeff(d[:11] + d[12])


ROWS: Tuple[Number, ...] = (
    Number("at.svnr", "pii.national_id.at", r"\d{10}", _at, 1 / 260, ("svnr", "svnummer", "sozialversicherungsnummer",
           "sv nummer", "sv nr", "versicherungsnummer"), "ASVG § 31 Abs. 4", (r"\d{4}[ -]\d{6}",
           r"\d{4} \d{2}[ .]?\d{2}[ .]?\d{2}")),
    Number("be.rn", "pii.national_id.be", r"\d{11}", _be, 1 / 440, ("rijksregisternummer", "registre national",
           "numéro national", "nationaal nummer", "insz", "niss", "rijksregister*"), "Arrêté royal du 3 avril 1984",
           (r"\d{2}\.\d{2}\.\d{2}-\d{3}[.-]\d{2}",), "checksum"),
    Number("ch.ahv", "pii.national_id.ch", r"756\d{10}", _ch_digit, 1 / 10, ("ahv*", "avs", "navs", "nass", "oasi"),
           "AHVV Art. 133; GS1 check digit", (r"756\.\d{4}\.\d{4}\.\d{2}",), "checksum", "checksum"),
    Number("de.tax", "pii.national_id.de", r"[1-9]\d{10}", _de_tax, 1 / 265, ("steuerid", "steuer id", "idnr", "tin",
           "steueridentifikationsnummer", "steuerliche identifikationsnummer", "identifikationsnummer",
           "steuernummer"), "§ 139b AO; ISO 7064 mod 11,10", (r"[1-9]\d [1-9]?\d{2,3} \d{3} \d{3}",)),
    Number("de.card", "pii.national_id.de", r"[CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ]{8}\d", _de_card, 1 / 10,
           ("personalausweis*", "ausweisnummer", "ausweis nr", "identity card", "id card"), "PAuswV § 5; ICAO 9303-3",
           checked=False, gate="near"),
    Number("de.pension", "pii.national_id.de", r"\d{8}[A-Z]\d{3}", _de_pension, 1 / 125, ("rentenversicherungs*",
           "sozialversicherungs*", "rvnr", "vsnr", "sv nummer", "versicherungsnummer"), "VKVV § 2; § 147 SGB VI",
           (r"\d{2} \d{6} [A-Z] \d{3}", r"\d{2} \d{6}[A-Z]\d{3}"), gate="code"),
    Number("es.dni", "pii.national_id.es", r"\d{8}[A-Z]", _es_dni, 1 / 26, ("dni", "nif", "documento nacional",
           "documento de identidad"), "Real Decreto 1553/2005", (r"\d{2}\.\d{3}\.\d{3}-?[A-Z]", r"\d{8}-[A-Z]"),
           gate="code", rare=0.5),
    Number("es.nie", "pii.national_id.es", r"[XYZ]\d{7}[A-Z]", _es_nie, 1 / 26, ("nie", "nif", "extranjero"),
           "Orden INT/2058/2008", (r"[XYZ]-?\d\.?\d{3}\.?\d{3}-[A-Z]",), "checksum", "checksum", gate="code"),
    Number("fr.nir", "pii.national_id.fr", r"[1-478]\d{4}(?:\d\d|2[AB])\d{8}", _fr_nir, 1 / 110, ("nir",
           "sécurité sociale", "securite sociale", "numéro de sécu", "insee", "carte vitale"),
           "Décret n° 82-103 (INSEE)", (r"[1-478] \d{2} \d{2} (?:\d\d|2[AB]) \d{3} \d{3} ?(?:[/|-] ?)?\d{2}",),
           "checksum"),
    Number("fr.tax", "pii.national_id.fr", r"[0-3]\d{12}", _fr_tax, 1 / 1000, ("spi", "numéro fiscal", "nif",
           "fiscal*"), "DGFiP: numéro SPI", (r"[0-3]\d \d{2} \d{3} \d{3} \d{3}",), "checksum"),
    Number("gb.nino", "pii.national_id.gb", r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]", _gb_nino, 0.98, ("nino",
           "ni number", "ni no", "national insurance*"), "HMRC NIM39110",
           (r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} \d{2} \d{2} ?[A-D]",), "shape", "checksum", checked=False,
           gate="code"),
    Number("gb.utr", "pii.national_id.gb", r"\d{10}", _gb_utr, 1 / 10.5, ("utr", "unique taxpayer*", "tax reference"),
           "HMRC: UTR modulus 11", (r"\d{5} \d{5}",)),
    Number("gr.amka", "pii.national_id.gr", r"\d{11}", _gr_amka, 1 / 275, ("amka", "αμκα"), "Law 3655/2008; Luhn"),
    Number("gr.afm", "pii.national_id.gr", r"\d{9}", _gr_tax, 1 / 10, ("afm", "αφμ", "tin"), "AADE: ΑΦΜ, mod 11"),
    Number("ie.pps", "pii.national_id.ie", r"\d{7}[A-W][A-IW]?", _ie_pps, 1 / 23, ("pps", "ppsn", "pps number",
           "personal public service"), "DEASP: PPS number, mod 23", (r"\d{7}[- ][A-W][A-IW]?",), checked=False,
           gate="code"),
    Number("it.cf", "pii.national_id.it", r"[A-Z]{6}\d{2}[ABCDEHLMPRST][\dLMNP-V]{2}[A-Z][\dLMNP-V]{3}[A-Z]", _it_cf,
           1 / 42, ("codice fiscale", "cod fisc*", "cf"), "DM 23/12/1976",
           (r"[A-Z]{3} [A-Z]{3} \d{2}[ABCDEHLMPRST][\dLMNP-V]{2} [A-Z][\dLMNP-V]{3}[A-Z]",), "shape", "shape",
           gate="code"),
    Number("lu.matricule", "pii.national_id.lu", r"(?:18|19|20)\d{11}", _lu, 1 / 2700, ("matricule", "nin",
           "identification number"), "CTIE Luxembourg: Luhn and Verhoeff", (r"\d{4} \d{4} \d{5}",), "checksum"),
    Number("nl.bsn", "pii.national_id.nl", r"\d{9}", _nl_bsn, 1 / 11, ("bsn", "burgerservicenummer", "sofinummer",
           "sofi nummer", "burger service nummer"), "Wabb; elfproef", (r"\d{4}\.\d{2}\.\d{3}",
           r"\d{3}[ .]\d{3}[ .]\d{3}")),
    Number("pt.nif", "pii.national_id.pt", r"[1235689]\d{8}", _pt_digit, 1 / 10, ("nif", "contribuinte", "nipc",
           "número fiscal"), "Decreto-Lei 14/2013", (r"[1235689]\d{2} \d{3} \d{3}",)),
    Number("pt.card", "pii.national_id.pt", r"\d{9}[A-Z0-9]{2}\d", _pt_card, 1 / 10, ("cartão de cidadão",
           "cartao de cidadao", "cartão cidadão", "bilhete de identidade"), "AMA: Cartão de Cidadão",
           (r"\d{8} \d ?[A-Z][A-Z0-9]\d",), "checksum"),
)  # fmt: skip
