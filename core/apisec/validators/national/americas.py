"""National ids of the Americas (the social security number of the United States has a file of its own)."""

from __future__ import annotations

from typing import Tuple

from apisec.validators.checks import calendar_date, last_digit, luhn, varied, weighted
from apisec.validators.numbers import Number

_ar_digit = last_digit((5, 4, 3, 2, 7, 6, 5, 4, 3, 2), 11, "09987654321")


def cpf(d: str) -> bool:
    """Return whether eleven digits are a CPF: two check digits, mod 11 (Receita Federal, IN RFB 1548)."""
    first = weighted(d[:9], range(10, 1, -1)) * 10 % 11 % 10
    return varied(d) and first == int(d[9]) and weighted(d[:10], range(11, 1, -1)) * 10 % 11 % 10 == int(d[10])


def _ca(d: str) -> bool:
    # The first digit is the province; 0 is no province, and stands in examples and for temporary numbers.
    return varied(d) and luhn(d)


def rut(text: str) -> bool:
    """Return whether digits and a last digit or K are a Chilean RUN or RUT (mod 11, weights 2 to 7 from the right)."""
    total = sum([int(c) * (2 + i % 6) for i, c in enumerate(reversed(text[:-1]))])
    return varied(text[:-1]) and text[-1] == "0K987654321"[total % 11]


_NIT_WEIGHTS = (3, 7, 13, 17, 19, 23, 29, 37, 41, 43, 47, 53, 59, 67, 71)


def nit(d: str) -> bool:
    """Return whether digits carry the check digit of a Colombian NIT (DIAN, Orden Administrativa 4 de 1989)."""
    return int(d[-1]) == (0, 1, 9, 8, 7, 6, 5, 4, 3, 2, 1)[weighted(d[-2::-1], _NIT_WEIGHTS) % 11]


def _ec(d: str) -> bool:
    province = int(d[:2])
    return (1 <= province <= 24 or province == 30) and luhn(d)


_CURP_VALUES = {c: i for i, c in enumerate("0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ")}


def _mx_curp(text: str) -> bool:
    year = int(text[4:6]) + (2000 if text[16].isalpha() else 1900)
    if not calendar_date(year, int(text[6:8]), int(text[8:10])):
        return False
    total = sum([_CURP_VALUES[c] * (18 - i) for i, c in enumerate(text[:17])])
    return -total % 10 == int(text[17])


_RFC_VALUES = {c: i for i, c in enumerate("0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ Ñ")}


def rfc(text: str) -> bool:
    """Return whether 12 (company) or 13 (person) characters are an RFC (SAT, Anexo III: homoclave)."""
    padded = text.rjust(13)
    if not calendar_date(int(padded[4:6]), int(padded[6:8]), int(padded[8:10])):
        return False
    total = sum([_RFC_VALUES[c] * (13 - i) for i, c in enumerate(padded[:12])])
    return padded[12] == "0A987654321"[total % 11]


def _us_itin(d: str) -> bool:
    group = int(d[3:5])
    return 50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or 94 <= group <= 99


_pe_ruc_digit = last_digit((5, 4, 3, 2, 7, 6, 5, 4, 3, 2), 11, "10987654321")


def _pe_dni(text: str) -> bool:
    # The verifier stands on the card as a digit or a letter; its two rows have eleven places.
    place = weighted(text[:8], (3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return text[8] in ("65432110987"[place], "KJIHGFEDCBA"[place])


def _uy(d: str) -> bool:
    d = d.rjust(8, "0")
    return varied(d) and -weighted(d[:7], (2, 9, 8, 7, 6, 3, 4)) % 10 == int(d[7])


ROWS: Tuple[Number, ...] = (
    Number("ar.cuil", "pii.national_id.ar", r"2[0347]\d{9}", _ar_digit, 1 / 10, ("cuil", "cuit"), "AFIP RG 10/97",
           (r"2[0347]-\d{8}-\d",), "checksum", rare=0.045),
    Number("ar.dni", "pii.national_id.ar", r"[1-9]\d{6,7}", varied, 0.99, ("dni", "documento nacional"), "Ley 17.671",
           (r"\d{1,2}\.\d{3}\.\d{3}",), bare_as="", checked=False),
    Number("br.cpf", "pii.national_id.br", r"\d{11}", cpf, 1 / 100, ("cpf", "cadastro de pessoa*"),
           "IN RFB 1548/2015", (r"\d{3}\.\d{3}\.\d{3}-\d{2}", r"\d{9}-\d{2}"), "checksum"),
    Number("ca.sin", "pii.national_id.ca", r"[0-79]\d{8}", _ca, 1 / 10, ("sin", "nas", "social insurance*",
           "assurance sociale"), "ESDC: SIN Code of Practice; Luhn", (r"[0-79]\d{2}[- ]\d{3}[- ]\d{3}",)),
    Number("cl.run", "pii.national_id.cl", r"[1-9]\d{6,7}[0-9K]", rut, 1 / 11, ("rut", "run", "rol único",
           "rol unico"), "Decreto Ley 3; módulo 11", (r"\d{1,2}\.\d{3}\.\d{3}-[0-9K]", r"\d{7,8}-[0-9K]"), "checksum",
           checked=False),
    Number("co.nit", "pii.national_id.co", r"\d{8,11}", nit, 1 / 11, ("nit", "cédula", "cedula", "cc"),
           "DIAN: dígito de verificación", (r"\d{1,3}(?:\.\d{3}){2,3}-\d",), bare_as="",
           checked=False),
    Number("do.cedula", "pii.national_id.do", r"\d{11}", luhn, 1 / 10, ("cédula", "cedula"), "JCE: Ley 8-92; Luhn",
           (r"\d{3}-\d{7}-\d",), "checksum"),
    Number("ec.cedula", "pii.national_id.ec", r"(?:[01]\d|2[0-4]|30)[0-5]\d{7}", _ec, 1 / 10, ("cédula", "cedula",
           "ci"), "Registro Civil: módulo 10", (r"\d{9}-\d",)),
    Number("mx.curp", "pii.national_id.mx", r"[A-Z][AEIOUX][A-Z]{2}\d{6}[HMX][A-Z]{2}[B-DF-HJ-NP-TV-ZÑ]{3}[0-9A-Z]\d",
           _mx_curp, 1 / 270, ("curp",), "DOF 18/10/2021, Instructivo CURP", (), "shape", "shape", gate="code"),
    Number("mx.rfc", "pii.national_id.mx", r"[A-ZÑ&]{4}\d{6}[A-Z0-9]{2}[0-9A]", rfc, 1 / 300, ("rfc",),
           "SAT: clave del RFC", (r"[A-ZÑ&]{4}[- ]\d{6}[- ][A-Z0-9]{2}[0-9A]",), "checksum", "checksum", gate="code"),
    Number("pe.dni", "pii.national_id.pe", r"\d{8}[0-9A-K]", _pe_dni, 1 / 10, ("dni", "documento nacional"),
           "RENIEC: código de verificación", (r"\d{8}-[0-9A-K]",), written_gate="digits"),
    Number("pe.ruc", "pii.national_id.pe", r"1[057]\d{9}", _pe_ruc_digit, 1 / 10, ("ruc",), "SUNAT: módulo 11",
           rare=0.033),
    Number("uy.ci", "pii.national_id.uy", r"[1-9]\d{6,7}", _uy, 1 / 10, ("cédula", "cedula", "ci"), "DNIC: cédula",
           (r"\d\.\d{3}\.\d{3}-\d",), "checksum", checked=False),
    Number("us.itin", "pii.itin", r"9\d{8}", _us_itin, 1 / 2.3, ("itin", "individual taxpayer*"),
           "IRM 3.21.263: ITIN ranges", (r"9\d{2}[- ]\d{2}[- ]\d{4}",), "shape", checked=False),
)  # fmt: skip
