"""National ids of Asia, Africa and Oceania."""

from __future__ import annotations

from typing import Tuple

from apisec.validators.checks import (
    calendar_date,
    last_digit,
    luhn,
    sums_to_zero,
    varied,
    verhoeff,
    weighted,
    ymd,
)
from apisec.validators.numbers import Number

_au_sum = sums_to_zero((1, 4, 3, 7, 5, 8, 6, 9, 10), 11)


def _au(d: str) -> bool:
    return varied(d) and _au_sum(d)


# GB/T 2260: the provinces' codes.
_CN_PROVINCES = frozenset(
    (
        *("11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41", "42", "43"),
        *("44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71", "81", "82", "83"),
    )
)
_CN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def _cn(text: str) -> bool:
    return (
        text[:2] in _CN_PROVINCES
        and calendar_date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
        and text[17] == "10X98765432"[weighted(text[:17], _CN_WEIGHTS) % 11]
    )


def _eg(d: str) -> bool:
    year = int(d[1:3]) + (1900 if d[0] == "2" else 2000)
    return calendar_date(year, int(d[3:5]), int(d[5:7])) and (1 <= int(d[7:9]) <= 35 or d[7:9] == "88")


def _hk(text: str) -> bool:
    values = [36] * (9 - len(text)) + [int(c, 36) for c in text[:-1]]
    last = 10 if text[-1] == "A" else int(text[-1])
    return (sum([v * w for v, w in zip(values, range(9, 1, -1))]) + last) % 11 == 0


def _id(d: str) -> bool:
    # Women add 40 to the day.
    day = int(d[6:8])
    return (
        11 <= int(d[:2]) <= 97
        and calendar_date(int(d[10:12]), int(d[8:10]), day - 40 if day > 40 else day)
        and d[12:] != "0000"
    )


def _in_aadhaar(d: str) -> bool:
    return varied(d) and d != d[::-1] and verhoeff(d)


_ir_digit = last_digit(range(10, 1, -1), 11, "01987654321")


def _ir(d: str) -> bool:
    return varied(d) and d[:3] != "000" and _ir_digit(d)


def _il(d: str) -> bool:
    return varied(d) and luhn(d)


_jp_digit = last_digit((6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2), 11, "00987654321")
_kr_digit = last_digit((2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), 11, "10987654321")


def _kr_date(d: str) -> bool:
    # Since October 2020 the last six digits are random: the date and the century's digit are all there is.
    return ymd(d[:6])


def _kr(d: str) -> bool:
    return ymd(d[:6]) and _kr_digit(d)


# JPN: places of birth, of states (01 to 16, 21 to 59) and of other countries (60 to 99, with gaps).
_MY_NO_PLACES = frozenset((0, 17, 18, 19, 20, 69, 70, 73, 80, 81, 94, 95, 96, 97))


def _my(d: str) -> bool:
    return ymd(d[:6]) and int(d[6:8]) not in _MY_NO_PLACES


def _nz(d: str) -> bool:
    d = d.rjust(9, "0")
    if not 10_000_000 <= int(d) <= 200_000_000:
        return False
    check = -weighted(d[:8], (3, 2, 7, 6, 5, 4, 3, 2)) % 11
    if check == 10:
        check = -weighted(d[:8], (7, 4, 3, 2, 5, 2, 7, 6)) % 11
    return check == int(d[8])


_SG_LETTERS = {
    "S": (0, "JZIHGFEDCBA"),
    "T": (4, "JZIHGFEDCBA"),
    "F": (0, "XWUTRQPNMLK"),
    "G": (4, "XWUTRQPNMLK"),
    "M": (3, "XWUTRQPNJLK"),
}


def _sg(text: str) -> bool:
    offset, letters = _SG_LETTERS[text[0]]
    return text[8] == letters[(offset + weighted(text[1:8], (2, 7, 6, 5, 4, 3, 2))) % 11]


_th_digit = last_digit(range(13, 1, -1), 11, "10987654321")


def _tr(d: str) -> bool:
    odd, even = sum(map(int, d[0:9:2])), sum(map(int, d[1:8:2]))
    return (7 * odd - even) % 10 == int(d[9]) and sum(map(int, d[:10])) % 10 == int(d[10])


_TW_LETTERS = {c: i for i, c in enumerate("ABCDEFGHJKLMNPQRSTUVXYWZIO", 10)}


def _tw(text: str) -> bool:
    region = _TW_LETTERS[text[0]]
    return (region // 10 + region % 10 * 9 + weighted(text[1:], (8, 7, 6, 5, 4, 3, 2, 1, 1))) % 10 == 0


def _za(d: str) -> bool:
    # Citizenship 0 to 2; the digit before the last was race until 1986, and is 8 or 9 since.
    return ymd(d[:6]) and d[10] in "012" and luhn(d)


ROWS: Tuple[Number, ...] = (
    Number("ae.eid", "pii.national_id.ae", r"784(?:19|20)\d{10}", luhn, 1 / 10, ("emirates id", "eid", "id number"),
           "ICP: Emirates ID; Luhn", (r"784-(?:19|20)\d{2}-\d{7}-\d",), "checksum", "checksum"),
    Number("au.tfn", "pii.national_id.au", r"\d{9}", _au, 1 / 11, ("tfn", "tax file*"), "ATO: TFN, mod 11",
           (r"\d{3}[- ]\d{3}[- ]\d{3}",)),
    Number("cn.ric", "pii.national_id.cn", r"[1-8]\d{5}(?:18|19|20)\d{9}[0-9X]", _cn, 1 / 650, ("身份证", "公民身份",
           "身分證", "shenfenzheng", "identity card", "id card", "resident identity*"),
           "GB 11643-1999; ISO 7064 mod 11-2", (), "", "checksum"),
    Number("eg.nid", "pii.national_id.eg", r"[23]\d{13}", _eg, 1 / 75, ("الرقم القومي", "national id",
           "national number"), "Civil Status Organization of Egypt", checked=False),
    Number("hk.hkid", "pii.national_id.hk", r"[A-Z]{1,2}\d{6}[0-9A]", _hk, 1 / 11, ("hkid", "身份證", "identity card",
           "id card"), "Immigration Department of Hong Kong", (r"[A-Z]{1,2}\d{6} ?\([0-9A]\)",), "checksum",
           checked=False, gate="code"),
    Number("id.nik", "pii.national_id.id", r"\d{16}", _id, 1 / 16, ("nik", "ktp", "nomor induk*"), "Permendagri: NIK",
           checked=False),
    Number("il.tz", "pii.national_id.il", r"\d{9}", _il, 1 / 10, ("teudat zehut", "תעודת זהות", "zehut", "ת.ז"),
           "Population Registry of Israel; Luhn", (r"\d{8}-\d",)),
    Number("in.aadhaar", "pii.national_id.in", r"[2-9]\d{11}", _in_aadhaar, 1 / 10, ("aadhaar", "aadhar", "uidai",
           "आधार"), "UIDAI; Verhoeff", (r"[2-9]\d{3} \d{4} \d{4}", r"[2-9]\d{3}-\d{4}-\d{4}"), "checksum"),
    Number("in.pan", "pii.national_id.in", r"[A-Z]{3}P[A-Z]\d{4}[A-Z]", varied, 1.0, ("pan", "pan number", "pan no",
           "permanent account*"), "Income Tax Department: structure of PAN", (), "", "checksum", checked=False,
           gate="code"),
    Number("ir.melli", "pii.national_id.ir", r"\d{10}", _ir, 1 / 11, ("کد ملی", "code melli", "kod melli",
           "national code", "melli"), "National Organization for Civil Registration of Iran", (r"\d{3}-\d{6}-\d",),
           "checksum"),
    Number("jp.my", "pii.national_id.jp", r"\d{12}", _jp_digit, 1 / 10, ("マイナンバー", "個人番号", "my number",
           "mynumber", "kojin bango"), "Order No. 85 of 2014, article 5", (r"\d{4}[- ]\d{4}[- ]\d{4}",)),
    Number("kr.rrn", "pii.national_id.kr", r"\d{6}[0-9]\d{6}", _kr, 1 / 300, ("주민등록번호", "rrn",
           "resident registration*", "jumin"), "Resident Registration Act; mod 11", (r"\d{6}-\d{7}",), "checksum"),
    Number("kr.rrn_2020", "pii.national_id.kr", r"\d{6}[1-8]\d{6}", _kr_date, 1 / 27, ("주민등록번호", "rrn",
           "resident registration*", "jumin"), "MOIS: numbers since October 2020", (r"\d{6}-[1-8]\d{6}",),
           checked=False),
    Number("my.nric", "pii.national_id.my", r"\d{12}", _my, 1 / 31, ("mykad", "nric", "kad pengenalan", "no kp",
           "ic no", "ic number"), "JPN: National Registration Regulations 1990", (r"\d{6}-\d{2}-\d{4}",),
           checked=False),
    Number("nz.ird", "pii.national_id.nz", r"\d{8,9}", _nz, 1 / 18, ("ird", "ird number", "inland revenue*"),
           "Inland Revenue: RWT and NRWT certificate filing specification", (r"\d{2,3}-\d{3}-\d{3}",), checked=False),
    Number("pk.cnic", "pii.national_id.pk", r"[1-7]\d{12}", varied, 0.99, ("cnic", "nadra", "nicop"), "NADRA: CNIC",
           (r"[1-7]\d{4}-\d{7}-\d",), checked=False),
    Number("sa.nid", "pii.national_id.sa", r"[12]\d{9}", luhn, 1 / 10, ("iqama", "هوية", "الهوية", "saudi id",
           "absher"), "Ministry of Interior of Saudi Arabia; Luhn"),
    Number("sg.nric", "pii.national_id.sg", r"[STFGM]\d{7}[A-Z]", _sg, 1 / 26, ("nric", "fin", "uin"),
           "ICA: NRIC and FIN", (), "", "checksum", gate="code"),
    Number("th.nid", "pii.national_id.th", r"[1-8]\d{12}", _th_digit, 1 / 10, ("เลขประจำตัวประชาชน", "บัตรประชาชน",
           "thai id", "thai national*"), "Department of Provincial Administration of Thailand",
           (r"[1-8]-\d{4}-\d{5}-\d{2}-\d", r"[1-8] \d{4} \d{5} \d{2} \d"), "checksum"),
    Number("tr.tckn", "pii.national_id.tr", r"[1-9]\d{10}", _tr, 1 / 100, ("tckn", "kimlik", "tc kimlik*", "tc no",
           "vatandaşlık"), "5490 sayılı Nüfus Hizmetleri Kanunu"),
    Number("tw.nid", "pii.national_id.tw", r"[A-Z][1289]\d{8}", _tw, 1 / 10, ("身分證", "身份證", "統一編號",
           "national id"), "Ministry of the Interior of Taiwan", gate="code"),
    Number("za.id", "pii.national_id.za", r"\d{13}", _za, 1 / 900, ("said", "id number", "rsa id", "identity number",
           "id no"), "Department of Home Affairs; Luhn", (r"\d{6} \d{4} \d{2} ?\d",), "checksum"),
)  # fmt: skip
