"""Numbers of persons of many countries, in their compact form, each valid by the rule of its issuer."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from benchmarks.corpus.checks import Rng, digits, letters, luhn, mod11_10, verhoeff, weighted

_EPOCH = datetime.date(1945, 1, 1)
_DAYS = 60 * 365


def born(rng: Rng, before: int = 2000) -> datetime.date:
    """Return a day of birth from 1945 on, before a year."""
    day = _EPOCH + datetime.timedelta(days=rng.randrange(_DAYS))
    return day if day.year < before else day.replace(year=before - 1 - day.year % 40, day=min(day.day, 28))


def _until(rng: Rng, attempt: Callable[[Rng], str | None]) -> str:
    """Try until an attempt gives a number: some payloads have no check digit."""
    while True:
        found = attempt(rng)
        if found is not None:
            return found


def gb(rng: Rng) -> str:
    def attempt(rng: Rng) -> str | None:
        prefix = letters(rng, 1, "ABCEGHJKLMNOPRSTWXYZ") + letters(rng, 1, "ABCEGHJKLMNPRSTWXYZ")
        return None if prefix in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ") else prefix

    return _until(rng, attempt) + digits(rng, 6) + letters(rng, 1, "ABCD")


def de(rng: Rng) -> str:
    """Steuerliche Identifikationsnummer: one digit twice, one missing, the others once."""
    order = rng.sample("0123456789", 9)
    order.insert(rng.randrange(2, 9), order[0])
    if order[0] == "0":
        order[0], order[1] = order[1], order[0]
    return mod11_10("".join(order))


def fr(rng: Rng) -> str:
    day = born(rng)
    body = f"{rng.choice('12')}{day:%y%m}{rng.randint(1, 19):02d}{rng.randint(1, 400):03d}{rng.randint(1, 500):03d}"
    return f"{body}{97 - int(body) % 97:02d}"


_SPANISH = "TRWAGMYFPDXBNJZSQVHLCKE"


def es(rng: Rng) -> str:
    number = digits(rng, 8)
    return number + _SPANISH[int(number) % 23]


def es_nie(rng: Rng) -> str:
    head, number = rng.choice("XYZ"), digits(rng, 7)
    return head + number + _SPANISH[int(str("XYZ".index(head)) + number) % 23]


_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        map(
            int,
            [
                "1",
                "0",
                "5",
                "7",
                "9",
                "13",
                "15",
                "17",
                "19",
                "21",
                "1",
                "0",
                "5",
                "7",
                "9",
                "13",
                "15",
                "17",
                "19",
                "21",
                "2",
                "4",
                "18",
                "20",
                "11",
                "3",
                "6",
                "8",
                "12",
                "14",
                "16",
                "10",
                "22",
                "25",
                "24",
                "23",
            ],
        ),
        strict=True,
    )
)


def it(rng: Rng) -> str:
    day = born(rng)
    number = day.day + (40 if rng.random() < 0.5 else 0)
    consonants = "BCDFGLMNPRSTVZ"
    body = f"{letters(rng, 6, consonants)}{day:%y}{'ABCDEHLMPRST'[day.month - 1]}{number:02d}"
    body += rng.choice("ABCDEFGHIL") + digits(rng, 3)
    even = sum(int(c) if c.isdigit() else ord(c) - 65 for c in body[1::2])
    return body + chr(65 + (even + sum(_ODD[c] for c in body[::2])) % 26)


def br(rng: Rng) -> str:
    body = digits(rng, 9)
    for start in (10, 11):
        body += str(weighted(body, range(start, 1, -1)) * 10 % 11 % 10)
    return body


def in_aadhaar(rng: Rng) -> str:
    return verhoeff(digits(rng, 11, "23456789"))


def pl(rng: Rng) -> str:
    body = f"{born(rng):%y%m%d}{digits(rng, 4)}"
    return body + str(-weighted(body, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10)


def ca(rng: Rng) -> str:
    return luhn(digits(rng, 8, "1234567"))


def se(rng: Rng) -> str:
    return luhn(f"{born(rng):%y%m%d}{digits(rng, 3)}")


def nl(rng: Rng) -> str:
    def attempt(rng: Rng) -> str | None:
        body = digits(rng, 8, "123456789")
        check = weighted(body, range(9, 1, -1)) % 11
        return f"{body}{check}" if check < 10 else None

    return _until(rng, attempt)


def tr(rng: Rng) -> str:
    body = digits(rng, 9, "123456789")
    body += str((7 * sum(map(int, body[0:9:2])) - sum(map(int, body[1:8:2]))) % 10)
    return body + str(sum(map(int, body)) % 10)


def pt(rng: Rng) -> str:
    body = digits(rng, 8, "12")
    check = 11 - weighted(body, range(9, 1, -1)) % 11
    return body + str(check if check < 10 else 0)


def fi(rng: Rng) -> str:
    day, number = born(rng), f"{rng.randint(2, 899):03d}"
    return f"{day:%d%m%y}-{number}{'0123456789ABCDEFHJKLMNPRSTUVWXY'[int(f'{day:%d%m%y}{number}') % 31]}"


def no(rng: Rng) -> str:
    def attempt(rng: Rng) -> str | None:
        body = f"{born(rng):%d%m%y}{rng.randint(0, 499):03d}"
        for weights in ((3, 7, 6, 1, 8, 9, 4, 5, 2), (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)):
            body += str(-weighted(body, weights) % 11)
        return body if len(body) == 11 else None

    return _until(rng, attempt)


def dk(rng: Rng) -> str:
    def attempt(rng: Rng) -> str | None:
        body = f"{born(rng):%d%m%y}{digits(rng, 3, '0123')}"
        check = -weighted(body, (4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
        return f"{body}{check}" if check < 10 else None

    return _until(rng, attempt)


def be(rng: Rng) -> str:
    body = f"{born(rng):%y%m%d}{rng.randint(1, 997):03d}"
    return f"{body}{97 - int(body) % 97:02d}"


def cz(rng: Rng) -> str:
    def attempt(rng: Rng) -> str | None:
        day = born(rng)
        body = f"{day:%y}{day.month + rng.choice((0, 50)):02d}{day:%d}{digits(rng, 3)}"
        return f"{body}{int(body) % 11}" if day.year > 1953 and int(body) % 11 < 10 else None

    return _until(rng, attempt)


def ro(rng: Rng) -> str:
    body = f"{rng.choice('12')}{born(rng):%y%m%d}{rng.randint(1, 46):02d}{rng.randint(1, 999):03d}"
    return body + str(weighted(body, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11 % 10 or 0) if _fits(body) else ro(rng)


def _fits(body: str) -> bool:
    """A Romanian check of 10 is written 1; such numbers are left out, as some software refuses them."""
    return weighted(body, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11 != 10


def bg(rng: Rng) -> str:
    body = f"{born(rng):%y%m%d}{digits(rng, 3)}"
    return body + str(weighted(body, (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10)


def cl(rng: Rng) -> str:
    body = digits(rng, 8, "12")
    check = -weighted(reversed(body), (2, 3, 4, 5, 6, 7, 2, 3)) % 11
    return body + "0123456789K"[check]


def mx(rng: Rng) -> str:
    day, vowel = born(rng), "AEIOU"
    body = letters(rng, 1, "BCDFGHJLMPRTV") + letters(rng, 1, vowel) + letters(rng, 2, "BCDFGLMPRST")
    body += f"{day:%y%m%d}{rng.choice('HM')}{rng.choice(('DF', 'JC', 'NL', 'PL', 'VZ', 'GT'))}"
    body += letters(rng, 3, "BCDFGLMNPRST") + "0"
    alphabet = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
    return body + str(-sum(alphabet.index(c) * (18 - i) for i, c in enumerate(body)) % 10)


def za(rng: Rng) -> str:
    return luhn(f"{born(rng):%y%m%d}{digits(rng, 4)}08")


def kr(rng: Rng) -> str:
    body = f"{born(rng):%y%m%d}{rng.choice('12')}{digits(rng, 1, '012345678')}{digits(rng, 4)}"
    return body + str((11 - weighted(body, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10)


def cn(rng: Rng) -> str:
    area = rng.choice(("110101", "310104", "330106"))
    body = f"{area}{born(rng):%Y%m%d}{digits(rng, 3)}"
    return body + "10X98765432"[weighted(body, (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)) % 11]


def sg(rng: Rng) -> str:
    head, body = rng.choice("ST"), digits(rng, 7)
    total = weighted(body, (2, 7, 6, 5, 4, 3, 2)) + (4 if head == "T" else 0)
    return head + body + "JZIHGFEDCBA"[total % 11]


def hk(rng: Rng) -> str:
    head, body = letters(rng, 1), digits(rng, 6)
    total = 36 * 9 + (ord(head) - 55) * 8 + weighted(body, (7, 6, 5, 4, 3, 2))
    return f"{head}{body}({'0123456789A'[-total % 11]})"


def au(rng: Rng) -> str:
    def attempt(rng: Rng) -> str | None:
        body = digits(rng, 9, "123456789")
        return body if weighted(body, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0 else None

    return _until(rng, attempt)


def ch(rng: Rng) -> str:
    body = f"756{digits(rng, 9)}"
    return body + str(-sum(int(c) * (3 if i % 2 else 1) for i, c in enumerate(body)) % 10)


def ee(rng: Rng) -> str:
    body = f"{rng.choice('34')}{born(rng):%y%m%d}{digits(rng, 3)}"
    check = weighted(body, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if check == 10:
        check = weighted(body, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return body + str(check)


def ie(rng: Rng) -> str:
    body = digits(rng, 7)
    return body + "WABCDEFGHIJKLMNOPQRSTUV"[weighted(body, range(8, 1, -1)) % 23]


def th(rng: Rng) -> str:
    body = digits(rng, 12, "12345678")
    return body + str((11 - weighted(body, range(13, 1, -1)) % 11) % 10)


def us_ssn(rng: Rng) -> str:
    area = rng.choice([*range(1, 666), *range(667, 900)])
    return f"{area:03d}{rng.randint(1, 99):02d}{rng.randint(1, 9999):04d}"


def us_itin(rng: Rng) -> str:
    return f"9{digits(rng, 2)}{rng.choice([*range(70, 89), 90, 91, 92, *range(94, 100)])}{digits(rng, 4)}"


def nhs(rng: Rng) -> str:
    """NHS number of England: modulus 11 over nine digits."""

    def attempt(rng: Rng) -> str | None:
        body = digits(rng, 9, "4567")
        check = (11 - weighted(body, range(10, 1, -1)) % 11) % 11
        return f"{body}{check}" if check < 10 else None

    return _until(rng, attempt)
