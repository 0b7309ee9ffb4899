"""Tax and register numbers of companies: VAT numbers of the EU and others, EIN, CNPJ, ABN and their like.

With its country's letters before it a VAT number is rare enough to be told anywhere; bare digits need a name or words.
"""

from __future__ import annotations

from typing import Dict, Tuple

from apisec.validators.checks import Check, last_digit, luhn, mod_11_10, mod_97_10, sums_to_zero, varied, weighted
from apisec.validators.national.americas import nit, rfc, rut
from apisec.validators.numbers import Number


def cnpj(text: str) -> bool:
    """Return whether 14 characters are a CNPJ; letters are allowed since July 2026 (IN RFB 2229/2024)."""
    values = [ord(c) - 48 for c in text]
    for place in (12, 13):
        weights = [(place - 1 - i) % 8 + 2 for i in range(place)]
        rest = sum([v * w for v, w in zip(values, weights)]) % 11
        if values[place] != (0 if rest < 2 else 11 - rest):
            return False
    return varied(text)


def _prefixed(check: Check) -> Check:
    return lambda text: check(text[2:])


def _at(d: str) -> bool:
    # "U" and eight digits; the doubled ones count by their digits' sum.
    doubled = [int(c) * 2 for c in d[2:8:2]]
    total = sum(map(int, d[1:8:2])) + sum([v // 10 + v % 10 for v in doubled])
    return (96 - total) % 10 == int(d[8])


def _be(d: str) -> bool:
    return 97 - int(d[:8]) % 97 == int(d[8:])


def _bg(d: str) -> bool:
    rest = weighted(d[:8], range(1, 9)) % 11
    return (rest if rest < 10 else weighted(d[:8], range(3, 11)) % 11 % 10) == int(d[8])


def _cy(text: str) -> bool:
    odd = sum([(1, 0, 5, 7, 9, 13, 15, 17, 19, 21)[int(c)] for c in text[:8:2]])
    return (odd + sum(map(int, text[1:8:2]))) % 26 == ord(text[8]) - 65


_cz = last_digit((8, 7, 6, 5, 4, 3, 2), 11, "10987654321")
_dk = sums_to_zero((2, 7, 6, 5, 4, 3, 2, 1), 11)
_ee = sums_to_zero((3, 7, 1, 3, 7, 1, 3, 7, 1), 10)


def _el(d: str) -> bool:
    return varied(d) and weighted(d, (256, 128, 64, 32, 16, 8, 4, 2)) % 11 % 10 == int(d[8])


def es_cif(text: str) -> bool:
    """Return whether nine characters are a Spanish CIF: its control is a digit, a letter, or either, by its kind."""
    doubled = [int(c) * 2 for c in text[1:8:2]]
    control = -(sum(map(int, text[2:8:2])) + sum([v // 10 + v % 10 for v in doubled])) % 10
    letter = text[8] == "JABCDEFGHI"[control] and text[0] not in "ABEH"
    return letter or (text[8] == str(control) and text[0] not in "PQSNWR")


_fi = last_digit((7, 9, 10, 5, 8, 4, 2), 11, "0-987654321")


def siren(d: str) -> bool:
    """Return whether nine digits are a SIREN (INSEE; Luhn)."""
    return varied(d) and luhn(d)


def _fr(text: str) -> bool:
    # Two digits of a key before the SIREN. The key's form with letters was never given out.
    return (12 + 3 * (int(text[2:]) % 97)) % 97 == int(text[:2])


def _gb(d: str) -> bool:
    total = weighted(d[:7], (8, 7, 6, 5, 4, 3, 2)) + int(d[7:9])
    return total % 97 == 0 or (total + 55) % 97 == 0


_hu = sums_to_zero((9, 7, 3, 1, 9, 7, 3, 1), 10)


def _ie(text: str) -> bool:
    second = ord(text[8]) - 64 if len(text) == 9 and text[8] != "W" else 0
    return text[7] == "WABCDEFGHIJKLMNOPQRSTUV"[(weighted(text[:7], (8, 7, 6, 5, 4, 3, 2)) + 9 * second) % 23]


def _lt(d: str) -> bool:
    rest = weighted(d[:8], range(1, 9)) % 11
    return d[7] == "1" and (rest if rest < 10 else weighted(d[:8], (3, 4, 5, 6, 7, 8, 9, 1)) % 11 % 10) == int(d[8])


def _lu(d: str) -> bool:
    return int(d[:6]) % 89 == int(d[6:])


def _lv_company(d: str) -> bool:
    return d[0] > "3" and weighted(d, (9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1)) % 11 == 3


def _mt(d: str) -> bool:
    return 37 - weighted(d[:6], (3, 4, 6, 7, 8, 9)) % 37 == int(d[6:])


_nl_sum = sums_to_zero((9, 8, 7, 6, 5, 4, 3, 2, -1), 11)


def _nl(text: str) -> bool:
    # Since 2020 the numbers of sole traders are checked as mod 97-10 with the letters NL.
    return _nl_sum(text[:9]) or mod_97_10("NL" + text)


nip = last_digit((6, 5, 7, 2, 3, 4, 5, 6, 7), 11, "0123456789-")
_pt = last_digit((9, 8, 7, 6, 5, 4, 3, 2), 11, "00987654321")


def _ro(d: str) -> bool:
    return weighted(d[:-1].rjust(9, "0"), (7, 5, 3, 2, 1, 7, 5, 3, 2)) * 10 % 11 % 10 == int(d[-1])


def _se(d: str) -> bool:
    return d[10:] == "01" and luhn(d[:10])


_si = last_digit((8, 7, 6, 5, 4, 3, 2), 11, "-0987654321")


def _sk(d: str) -> bool:
    return int(d) % 11 == 0 and d[2] in "234789"


# Directive 2006/112/EC, article 215; formats and checks as VIES applies them.
_VAT: Dict[str, Tuple[str, Check, float]] = {
    "AT": (r"U\d{8}", _at, 1 / 10),
    "BE": (r"[01]\d{9}", _be, 1 / 97),
    "BG": (r"\d{9}", _bg, 1 / 10),
    "CY": (r"[013459]\d{7}[A-Z]", _cy, 1 / 26),
    "CZ": (r"\d{8}", _cz, 1 / 10),
    "DE": (r"[1-9]\d{8}", mod_11_10, 1 / 10),
    "DK": (r"[1-9]\d{7}", _dk, 1 / 11),
    "EE": (r"10\d{7}", _ee, 1 / 10),
    "EL": (r"\d{9}", _el, 1 / 10),
    "ES": (r"[ABCDEFGHJNPQRSUVW]\d{7}[0-9A-J]", es_cif, 1 / 14),
    "FI": (r"\d{8}", _fi, 1 / 11),
    "FR": (r"\d{11}", _fr, 1 / 97),
    "GB": (r"\d{9}", _gb, 1 / 48),
    "HR": (r"\d{11}", mod_11_10, 1 / 10),
    "HU": (r"\d{8}", _hu, 1 / 10),
    "IE": (r"\d{7}[A-W][A-I]?", _ie, 1 / 23),
    "IT": (r"\d{11}", luhn, 1 / 10),
    "LT": (r"\d{9}", _lt, 1 / 100),
    "LU": (r"\d{8}", _lu, 1 / 100),
    "LV": (r"\d{11}", _lv_company, 1 / 18),
    "MT": (r"[1-9]\d{7}", _mt, 1 / 100),
    "NL": (r"\d{9}B\d{2}", _nl, 1 / 10),
    "PL": (r"\d{10}", nip, 1 / 11),
    "PT": (r"[1-9]\d{8}", _pt, 1 / 10),
    "RO": (r"[1-9]\d{4,9}", _ro, 1 / 10),
    "SE": (r"\d{12}", _se, 1 / 1000),
    "SI": (r"[1-9]\d{7}", _si, 1 / 11),
    "SK": (r"[1-9]\d{9}", _sk, 1 / 18),
}

_VAT_WORDS = (
    *("vat", "ust id*", "ust idnr", "ustid*", "umsatzsteuer*", "mwst*", "tva", "iva", "btw", "moms", "nip", "dič"),
)


def _vat(country: str) -> Number:
    form, check, odds = _VAT[country]
    spaced = form.replace(r"\d{9}", r"\d{3}[ .]?\d{3}[ .]?\d{3}")
    confidence = "checksum" if odds <= 1 / 40 else "context"
    # Romania's may have five digits: too few for their check alone.
    return Number(f"vat.{country.lower()}", "fin.tax_id", f"{country}{form}", _prefixed(check), odds, _VAT_WORDS,
                  "Directive 2006/112/EC, VIES", (f"{country}[ -]?{spaced}",), confidence, "",
                  checked=country != "RO", written_gate="vat")  # fmt: skip


_abn_sum = sums_to_zero((10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19), 89)


def _abn(d: str) -> bool:
    return d[0] != "0" and _abn_sum(str(int(d[0]) - 1) + d[1:])


_acn = last_digit((8, 7, 6, 5, 4, 3, 2, 1), 10, "0987654321")
_ar = last_digit((5, 4, 3, 2, 7, 6, 5, 4, 3, 2), 11, "09987654321")
_ch = last_digit((5, 4, 3, 2, 7, 6, 5, 4), 11, "0-987654321")

# GB 32100-2015: alphabet without I, O, S, V, Z; powers of 3 mod 31.
_USCC = {c: i for i, c in enumerate("0123456789ABCDEFGHJKLMNPQRTUWXY")}


def _cn(text: str) -> bool:
    return sum([_USCC[c] * pow(3, i, 31) for i, c in enumerate(text[:17])]) % 31 == (31 - _USCC[text[17]]) % 31


def _gstin(text: str) -> bool:
    # The characters' values in base 36, every second one doubled, quotient and rest of 36 added.
    total = 0
    for i, c in enumerate(text[:14]):
        product = int(c, 36) * (1 + i % 2)
        total += product // 36 + product % 36
    return -total % 36 == int(text[14], 36)


def _jp(d: str) -> bool:
    return 9 - weighted(d[:0:-1], (1, 2) * 6) % 9 == int(d[0])


_no = last_digit((3, 2, 7, 6, 5, 4, 3, 2), 11, "0-987654321")
_regon = last_digit((8, 9, 2, 3, 4, 5, 6, 7), 11, "01234567890")
_ru_inn = last_digit((2, 4, 10, 3, 5, 9, 4, 6, 8), 11, "01234567890")


def _ogrn(d: str) -> bool:
    return int(d[:-1]) % (len(d) - 2) % 10 == int(d[-1])


_pe = last_digit((5, 4, 3, 2, 7, 6, 5, 4, 3, 2), 11, "10987654321")


_nz = sums_to_zero((1, 3) * 6 + (1,), 10)  # GS1


# IRS: prefixes that campuses and the internet assign.
_EIN = r"(?:0[1-6]|1[0-6]|2[0-7]|3\d|4[0-8]|5\d|6[0-8]|7[1-7]|8[0-8]|9[0-589])"


ROWS: Tuple[Number, ...] = (
    Number("us.ein", "fin.tax_id", _EIN + r"\d{7}", varied, 1.0, ("ein", "fein", "employer identification*",
           "federal tax*"), "IRS Publication 1635", (_EIN + r"-\d{7}",), bare_as="", checked=False),
    Number("ar.cuit", "fin.tax_id", r"3[034]\d{9}", _ar, 1 / 10, ("cuit",), "AFIP RG 10/97", (r"3[034]-\d{8}-\d",),
           "checksum", rare=0.033),
    Number("au.abn", "fin.tax_id", r"[1-9]\d{10}", _abn, 1 / 89, ("abn", "australian business number"),
           "ABR: format of the ABN", (r"\d{2} \d{3} \d{3} \d{3}",), "checksum"),
    Number("au.acn", "fin.tax_id", r"\d{9}", _acn, 1 / 10, ("acn", "australian company number"), "ASIC: ACN check",
           (r"\d{3} \d{3} \d{3}",)),
    Number("br.cnpj", "fin.tax_id", r"[0-9A-Z]{12}\d{2}", cnpj, 1 / 100, ("cnpj",), "IN RFB 2229/2024",
           (r"[0-9A-Z]{2}\.[0-9A-Z]{3}\.[0-9A-Z]{3}/[0-9A-Z]{4}-\d{2}",), "checksum", gate="near", checked=False,
           written_gate="slash_dash"),
    Number("ch.uid", "fin.tax_id", r"CHE\d{9}", lambda text : _ch(text[3 :]), 1 / 11, ("uid", "mwst", "tva", "iva"),
           "UIDG; eCH-0097", (r"CHE-?\d{3}\.\d{3}\.\d{3}",), "shape", "checksum", gate="code"),
    Number("cl.rut", "fin.tax_id", r"[5-9]\d{7}[0-9K]", rut, 1 / 11, ("rut empresa", "rut"), "SII: módulo 11",
           bare_as="", written=(r"[5-9]\d\.\d{3}\.\d{3}-[0-9K]",)),
    Number("cn.uscc", "fin.tax_id", r"[159ANY][1239]\d{6}[0-9A-HJ-NPQRTUWXY]{10}", _cn, 1 / 31, ("统一社会信用代码",
           "uscc", "credit code"), "GB 32100-2015", gate="code", rare=0.15),
    Number("co.nit_company", "fin.tax_id", r"[89]\d{9}", nit, 1 / 11, ("nit",), "DIAN: dígito de verificación",
           (r"[89]\d{2}\.?\d{3}\.?\d{3}-\d",), rare=0.23),
    Number("es.cif", "fin.tax_id", r"[ABCDEFGHJNPQRSUVW]\d{7}[0-9A-J]", es_cif, 1 / 14, ("cif", "nif"),
           "Orden EHA/451/2008", (r"[ABCDEFGHJNPQRSUVW]-\d{8}",), gate="code"),
    Number("fr.siren", "fin.tax_id", r"\d{9}", siren, 1 / 10, ("siren",), "INSEE; Luhn", (r"\d{3} \d{3} \d{3}",)),
    Number("fr.siret", "fin.tax_id", r"\d{14}", siren, 1 / 10, ("siret",), "INSEE; Luhn",
           (r"\d{3} \d{3} \d{3} \d{5}",)),
    Number("gb.vat", "fin.tax_id", r"\d{9}", _gb, 1 / 48, ("vat",), "HMRC: VAT modulus 97 and 9755",
           (r"\d{3} \d{4} \d{2}",)),
    Number("in.gstin", "fin.tax_id", r"[0-3]\d[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[0-9A-Z]", _gstin, 1 / 36, ("gstin", "gst"),
           "CBIC: GSTIN", bare_as="shape", gate="code"),
    Number("in.pan_company", "fin.tax_id", r"[A-Z]{3}[CHABGJLFT][A-Z]\d{4}[A-Z]", varied, 1.0, ("pan",
           "permanent account*"), "Income Tax Department: structure of PAN", checked=False, gate="code"),
    Number("it.iva", "fin.tax_id", r"\d{11}", luhn, 1 / 10, ("partita iva", "p iva", "piva"), "DPR 633/1972; Luhn"),
    Number("jp.corporate", "fin.tax_id", r"[1-9]\d{12}", _jp, 1 / 9, ("法人番号", "corporate number",
           "houjin bangou"), "Order No. 30 of 2014, article 3"),
    Number("mx.rfc_company", "fin.tax_id", r"[A-ZÑ&]{3}\d{6}[A-Z0-9]{2}[0-9A]", rfc, 1 / 300, ("rfc",),
           "SAT: clave del RFC", (r"[A-ZÑ&]{3}-\d{6}-[A-Z0-9]{2}[0-9A]",), gate="code"),
    Number("no.org", "fin.tax_id", r"[89]\d{8}", _no, 1 / 11, ("orgnr", "org nr", "organisasjonsnummer"),
           "Brønnøysundregistrene", (r"[89]\d{2} \d{3} \d{3}",), rare=0.23),
    Number("nz.nzbn", "fin.tax_id", r"9429\d{9}", _nz, 1 / 10, ("nzbn", "business number"), "NZBN: GS1 check digit",
           rare=0.0001),
    Number("pe.ruc_company", "fin.tax_id", r"20\d{9}", _pe, 1 / 10, ("ruc",), "SUNAT: módulo 11", rare=0.011),
    Number("pl.nip", "fin.tax_id", r"[1-9]\d{9}", nip, 1 / 11, ("nip",), "Ustawa o NIP", (r"\d{3}-\d{3}-\d{2}-\d{2}",
           r"\d{3}-\d{2}-\d{2}-\d{3}"), "checksum"),
    Number("pl.regon", "fin.tax_id", r"\d{9}", _regon, 1 / 10, ("regon",), "GUS: REGON"),
    Number("ru.inn_company", "fin.tax_id", r"\d{10}", _ru_inn, 1 / 10, ("инн", "inn"), "Приказ ФНС ЯК-7-6/1186"),
    Number("ru.ogrn", "fin.tax_id", r"[1-59]\d{12}|3\d{14}", _ogrn, 1 / 10, ("огрн", "огрнип", "ogrn"),
           "Постановление 438"),
    Number("se.org", "fin.tax_id", r"[125-9]\d[2-9]\d{7}", luhn, 1 / 10, ("orgnr", "org nr", "organisationsnummer"),
           "Bolagsverket; Luhn", (r"[125-9]\d[2-9]\d{3}-\d{4}",)),
    Number("de.ust", "fin.tax_id", r"[1-9]\d{8}", mod_11_10, 1 / 10, ("ust id", "ust idnr", "ustid*",
           "umsatzsteuer*"), "§ 27a UStG; ISO 7064 mod 11,10"),
)  # fmt: skip
ROWS += tuple([_vat(country) for country in _VAT])
