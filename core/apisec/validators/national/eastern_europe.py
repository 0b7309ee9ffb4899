"""National ids of central, eastern and south-eastern Europe, and of Kazakhstan."""

from __future__ import annotations

from typing import Tuple

from apisec.validators.checks import Check, calendar_date, last_digit, mod_11_10, sums_to_zero, varied, weighted
from apisec.validators.numbers import Number


def _month(month: int, *offsets: int) -> int:
    """Return a month without the offset that marks a century or sex; 0 when it is none."""
    return next((month - offset for offset in (0, *offsets) if 1 <= month - offset <= 12), 0)


_bg_digit = last_digit((2, 4, 8, 5, 10, 9, 7, 3, 6), 11, "01234567890")


def _bg(d: str) -> bool:
    return calendar_date(int(d[:2]), _month(int(d[2:4]), 20, 40), int(d[4:6])) and _bg_digit(d)


def _cz(d: str) -> bool:
    # Women add 50 to the month; 20 more (70) when a day's serials ran out. Until 1985 a rest of 10 gave a 0.
    if not calendar_date(int(d[:2]), _month(int(d[2:4]), 50, 20, 70), int(d[4:6])):
        return False
    return int(d) % 11 == 0 or (d[9] == "0" and int(d[:9]) % 11 == 10)


def _hu_personal(d: str) -> bool:
    # Sex and century, YYMMDD, serial. The weights turn round for those born after 1996.
    if not calendar_date(int(d[1:3]), int(d[3:5]), int(d[5:7])):
        return False
    up, down = (weighted(d[:10], range(1, 11)) % 11, weighted(d[:10], range(10, 0, -1)) % 11)
    return int(d[10]) in (up, down)


_hu_tax = last_digit(range(1, 10), 11, "0123456789-")


_hu_taj = last_digit((3, 7) * 4, 10, "0123456789")


def _jmbg(low: int, high: int) -> Check:
    """The number of the former Yugoslavia: DDMMYYY, region, serial, mod 11 (Službeni list SFRJ 58/76)."""
    digit = last_digit((7, 6, 5, 4, 3, 2) * 2, 11, "0-987654321")

    def check(d: str) -> bool:
        year = int(d[4:7]) + (1000 if d[4] in "89" else 2000)
        return low <= int(d[7:9]) <= high and calendar_date(year, int(d[2:4]), int(d[:2])) and digit(d)

    return check


def _kz(d: str) -> bool:
    if not calendar_date(int(d[:2]), int(d[2:4]), int(d[4:6])):
        return False
    rest = weighted(d[:11], range(1, 12)) % 11
    if rest == 10:
        rest = weighted(d[:11], (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)) % 11
    return rest == int(d[11])


_pl_digit = sums_to_zero((1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1), 10)


def _pl(d: str) -> bool:
    month = int(d[2:4])
    return calendar_date(int(d[:2]), _month(month, 20, 40, 60, 80), int(d[4:6])) and _pl_digit(d)


def _pl_card(text: str) -> bool:
    values = [int(c, 36) for c in text]
    return sum([v * w for v, w in zip(values, (7, 3, 1, 9, 7, 3, 1, 7, 3))]) % 10 == 0


_ro_digit = last_digit((2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9), 11, "01234567891")


def _ro(d: str) -> bool:
    county = int(d[7:9])
    return (
        calendar_date(int(d[1:3]), int(d[3:5]), int(d[5:7]))
        and (1 <= county <= 52 or county == 70)
        and d[9:12] != "000"
        and _ro_digit(d)
    )


def _ru_snils(d: str) -> bool:
    # Numbers up to 001-001-998 carry no check and are not given any more.
    return int(d[:9]) > 1001998 and weighted(d[:9], range(9, 0, -1)) % 101 % 100 == int(d[9:])


_ru_eleventh = last_digit((7, 2, 4, 10, 3, 5, 9, 4, 6, 8), 11, "01234567890")
_ru_twelfth = last_digit((3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8), 11, "01234567890")


def _ru_inn(d: str) -> bool:
    return d[:2] != "00" and _ru_eleventh(d) and _ru_twelfth(d)


_si_tax = last_digit((8, 7, 6, 5, 4, 3, 2), 11, "-0987654321")


def _ua(d: str) -> bool:
    # The first five digits count the days since 31 December 1899: 5 digits reach to 2173.
    return varied(d) and weighted(d, (-1, 5, 7, 9, 4, 6, 10, 5, 7)) % 11 % 10 == int(d[9])


ROWS: Tuple[Number, ...] = (
    Number("ba.jmbg", "pii.national_id.ba", r"\d{13}", _jmbg(10, 19), 1 / 2700, ("jmbg", "matični broj",
           "maticni broj"), "Zakon o jedinstvenom matičnom broju BiH"),
    Number("bg.egn", "pii.national_id.bg", r"\d{10}", _bg, 1 / 90, ("egn", "егн", "единен граждански номер"),
           "ГРАО: ЕГН"),
    Number("cz.rc", "pii.national_id.cz", r"\d{10}", _cz, 1 / 85, ("rodné číslo", "rodne cislo", "rodného čísla",
           "rč", "birth number"), "Zákon č. 133/2000 Sb.", (r"\d{6}/\d{4}",), "checksum"),
    Number("hr.oib", "pii.national_id.hr", r"\d{11}", mod_11_10, 1 / 10, ("oib", "osobni identifikacijski broj"),
           "Zakon o osobnom identifikacijskom broju; ISO 7064 mod 11,10"),
    Number("hu.personal", "pii.national_id.hu", r"[1-8]\d{10}", _hu_personal, 1 / 150, ("személyi azonosító",
           "szemelyi azonosito", "személyi szám", "személyi*"), "1996. évi XX. törvény",
           (r"[1-8][ -]\d{6}[ -]\d{4}",), "checksum"),
    Number("hu.tax", "pii.national_id.hu", r"8\d{9}", _hu_tax, 1 / 11, ("adóazonosító", "adoazonosito", "adószám"),
           "1996. évi XX. törvény, adóazonosító jel", (r"8\d{3} \d{3} \d{3}",), rare=0.11),
    Number("hu.taj", "pii.national_id.hu", r"\d{9}", _hu_taj, 1 / 10, ("taj", "taj szám", "tajszám"),
           "1996. évi XX. törvény, TAJ szám", (r"\d{3}[ -]\d{3}[ -]\d{3}",)),
    Number("kz.iin", "pii.national_id.kz", r"\d{6}[0-6]\d{5}", _kz, 1 / 300, ("иин", "жсн", "iin"),
           "Закон РК № 223-III"),
    Number("pl.pesel", "pii.national_id.pl", r"\d{11}", _pl, 1 / 55, ("pesel", "nr pesel", "numer pesel"),
           "Ustawa o ewidencji ludności"),
    Number("pl.card", "pii.national_id.pl", r"[A-Z]{3}\d{6}", _pl_card, 1 / 10, ("dowód osobisty", "dowod osobisty",
           "dowodu osobistego", "nr dowodu"), "Rozporządzenie MSWiA; weights 7 3 1", (r"[A-Z]{3} \d{6}",),
           gate="code"),
    Number("ro.cnp", "pii.national_id.ro", r"[1-9]\d{12}", _ro, 1 / 560, ("cnp", "cod numeric personal"),
           "HG 1375/2006"),
    Number("rs.jmbg", "pii.national_id.rs", r"\d{13}", _jmbg(60, 99), 1 / 680, ("jmbg", "матични број",
           "maticni broj"), "Zakon o jedinstvenom matičnom broju građana"),
    Number("ru.snils", "pii.national_id.ru", r"\d{11}", _ru_snils, 1 / 100, ("снилс", "snils"), "ПФР: СНИЛС",
           (r"\d{3}-\d{3}-\d{3}[ -]\d{2}",), "checksum"),
    Number("ru.inn", "pii.national_id.ru", r"\d{12}", _ru_inn, 1 / 100, ("инн", "inn"), "Приказ ФНС ЯК-7-6/1186"),
    Number("si.emso", "pii.national_id.si", r"\d{13}", _jmbg(50, 59), 1 / 2700, ("emšo", "emso"), "ZCRP, EMŠO"),
    Number("si.tax", "pii.national_id.si", r"[1-9]\d{7}", _si_tax, 1 / 11, ("davčna številka", "davcna stevilka",
           "davčna"), "ZDavP-2", checked=False),
    Number("ua.rnokpp", "pii.national_id.ua", r"\d{10}", _ua, 1 / 10, ("рнокпп", "іпн", "ідентифікаційний*", "rnokpp",
           "ipn"), "Наказ ДПА: РНОКПП"),
)  # fmt: skip
