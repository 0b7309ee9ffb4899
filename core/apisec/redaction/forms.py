"""What a value under a telling name must look like to be believed: a person's name, a secret, a date, a street.

A name of a field says less than it seems: *client name* holds a browser, *password* the word *required*, *street* the
address of a network card. The checks refuse what is surely something else and accept unknown layouts, because a leak
is worse than a false alarm; ``strong`` holds those that a name which may mean many things needs. Each takes a value (at
most ``values.MAX_NAMED`` characters) and answers with its canonical form, or None. All take linear time.
"""

from __future__ import annotations

import re
from typing import List, Optional

from apisec.detectors.given_names import GIVEN_NAMES
from apisec.redaction.form_words import (
    FIRM,
    FIRM_LAST,
    FOLLOWS,
    KNOWN,
    NO_BEGINNING,
    NO_NAME,
    NO_NUMBERED,
    NO_PASSWORD,
    NO_SECRET,
    NO_WORD,
    POLICY,
    PROSE,
    TESTER,
    THINGS,
)

DATE = re.compile(r"(?:1[89]|20)\d{2}[-/.](?:0?[1-9]|1[0-2])[-/.]\d{1,2}(?:[T ].*)?", re.DOTALL)
UUID = re.compile(r"\{?[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\}?")
MASK = re.compile(r"[*xX•#.\s-]+")
_DECIMAL = re.compile(r"[-+]?\d+[.,]\d+(?:[eE][-+]?\d+)?")
_URL = re.compile(r"https?://", re.IGNORECASE)
_CARRIES = re.compile(r"[=\d@]")  # a link that may hold a secret: a parameter, a code in its path, a password
_VARIABLE = r"\{\{.*\}\}|\$\{.*\}|\$\(.*\)|<[^<>]*>|%\(?\w+\)?s?%?"
_NO_SECRET_FORM = re.compile(f"{MASK.pattern}|{DATE.pattern}|{_DECIMAL.pattern}|{_VARIABLE}", re.DOTALL)
_REGEX = re.compile(r"\^.*(?:\(\?|\\[dws]|\[[^\]]{2,}\]).*", re.DOTALL)

# A person's name: letters and marks of any script, and what joins them.
_MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0dff\u0e31-\u0e4e\u0eb1-\u0ece\u200c\u200d"
_PERSON = re.compile(rf"['’ʻ‘]?[^\W\d_](?:[^\W_]|[{_MARKS}'’ʻ‘ʼ`´.,·・‐‑ ()\"&-]){{0,119}}")
_NUMBERED = re.compile(r"(?:\d{1,4}|[ ,]{1,2}(?:2nd|3rd|4th|5th|2ND|3RD|4TH)\.?| \(?\d{1,3}\)?)\Z")
_PLAIN = re.compile(r"[A-Z][a-z]{1,20}(?:[ -][A-Z][a-z]{1,20}){1,4}")  # most names
_TICKET = re.compile(r"[A-Z]{2,30}[/^][A-Z]{1,30}(?:[ ^/][A-Z]{1,30}){0,3}\^{0,4}")  # DOE/JOHN MR, DOE^JOHN^A (HL7)
_CAMEL = re.compile(r"[a-zß-öø-ÿ]+[A-Z]")
MAX_PERSON, MAX_WORDS, MAX_WORD = 120, 8, 40
MNEMONIC = 12  # words of the shortest seed phrase (BIP 39)
_PIECE = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_ENUM = re.compile(r"[A-Za-z][A-Za-z0-9 _./:+-]{0,63}")
_UPPER_WORDS = re.compile(r"[A-Z]{2,20}(?:_[A-Z]{2,20})+")

_WORD = re.compile(r"[^\W\d_]+")

_RUNS = re.compile(r"\d+")
_LETTERS = re.compile(r"[^\W\d_]+")
_YEAR = range(1200, 2640)  # of the calendars in use: Jalali 1300, Gregorian, Buddhist 2500

_DIGIT = re.compile(r"\d")
_TWO_LETTERS = re.compile(r"[^\W\d_]{2}")
_TOKEN_LIKE = re.compile(r"[\x21-\x7e]+")
MAX_ONE_WORD = 25  # ASCII characters of an address without a space or comma; wallets and hashes have more
_MACHINE = re.compile(  # MAC and IP addresses, host names, with a port or without; addresses in memory
    r"(?:[0-9A-Fa-f]{0,4}[:.-]){2,7}[0-9A-Fa-f]{0,4}|[\d.]+:\d+|(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?|[a-z]+:\d+|0[xX][0-9A-Fa-f]+"
)
_POSTCODE = re.compile(
    r"\d{3,10}|\d{5}[- ]\d{3,5}|\d{2}[- .]\d{3}(?:-\d{3})?|\d{3}[- ]\d{2,4}|\d{4}[- ]\d{3}|\d{3} \d{3}|\d{4} ?[A-Z]{2}"
    r"|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z][ -]?\d[A-Z]\d|[A-Z]\d[\dW][ -]?[A-Z\d]{4}|[A-Z]\d{4}[A-Z]{3}"
    r"|(?:[A-Z]{1,2}|〒)[ -]?\d{3,6}(?:[ -]\d{2,4})?|[A-Z]{2}\d[- ]?\d{4}|[A-Z]{3} ?\d{4}"
)


def person(value: str) -> Optional[str]:
    """Accept one to eight words as names are written; no state, role, firm, sentence or name of a program."""
    text = value.strip()
    lower = text.lower()
    if len(text) > MAX_PERSON or lower in NO_NAME:
        return None
    words = text.split()
    if _PLAIN.fullmatch(text):
        common = lower.split()
        return None if common[0] in NO_BEGINNING or not NO_WORD.isdisjoint(common) else value
    if _TICKET.fullmatch(text):
        return value
    if not 1 <= len(words) <= MAX_WORDS or max(map(len, words)) > MAX_WORD or not _PERSON.fullmatch(text):
        return None
    if _DIGIT.search(text) and not _numbered_person(text, words):
        return None
    return None if _identifier(text, words) or _prose(words) or _firm(words) else value


def _numbered_person(text: str, words: List[str]) -> bool:
    """Return whether a name may hold digits: *test123*, *Test User 1*, *John Smith 3rd*; not *node2*, *Terminal 2*."""
    bare = _NUMBERED.sub("", text)
    if _DIGIT.search(bare):
        return False
    if len(words) == 1:
        return len(bare) >= 3 and bare.lower() not in NO_NUMBERED
    return words[0].lower() in TESTER or words[0].lower() in GIVEN_NAMES


def _identifier(text: str, words: List[str]) -> bool:
    """Return whether a text is one name of a thing: *queue-runner*, *userName*, *example.com*; not *anne-marie*."""
    if len(words) > 1 or not text.isascii():
        return False
    parts = text.split("-")
    kebab = text.islower() and (len(parts) > 2 or (len(parts) > 1 and not THINGS.isdisjoint(parts)))
    dotted = "." in text.strip(".") and text.islower()
    return kebab or dotted or _CAMEL.match(text) is not None


def _prose(words: List[str]) -> bool:
    if len(words) > 1 and words[0].lower() in NO_BEGINNING:
        return True
    return len(words) > 2 and any(word in PROSE for word in words)


def _firm(words: List[str]) -> bool:
    if len(words) < 2:
        return False
    return words[-1].strip("()") in FIRM_LAST or any(word.strip(",()").lower() in FIRM for word in words)


def enumerated(text: str) -> bool:
    """Return whether a text is made of words that stand for methods and states: *client_credentials*, *wpa2-psk*."""
    first = _PIECE.match(text)
    if first is None or not _known(first.group()) or not _ENUM.fullmatch(text):
        return False
    pieces = _PIECE.findall(text)
    letters = [piece for piece in pieces if not piece.isdigit()]
    return all(map(_known, letters)) and all(len(piece) <= 4 for piece in pieces if piece.isdigit())


def _known(piece: str) -> bool:
    return piece.lower() in KNOWN


def _wordlike(piece: str) -> bool:
    """Return whether letters can be a word: a vowel, and no pair of letters that words hardly have (of long ones, one).

    Of eight letters drawn at random one in a hundred can be, of twelve one in two hundred; of words of English that
    stand in public APIs' names and enumerations nine in ten.
    """
    text = piece.lower()
    if not 3 <= len(text) <= 15 or not any(vowel in text for vowel in "aeiouy"):
        return False
    return sum([after not in FOLLOWS[letter] for letter, after in zip(text, text[1:])]) <= (len(text) > 8)


def said_nothing(text: str) -> bool:
    """Return whether what stands in a secret's place is none: a variable, a mask, a date, a decimal, a link."""
    if text[:4] in ("http", "HTTP"):
        return bool(_URL.match(text)) and not _CARRIES.search(text)
    return _NO_SECRET_FORM.fullmatch(text) is not None


def password(value: str) -> Optional[str]:
    """Accept what somebody may have chosen: words too, but no state, no rule about passwords and no switch."""
    text = value.strip()
    if not text or text.lower() in NO_PASSWORD or (text.isdigit() and len(text) < 3):
        return None
    if said_nothing(text) or (text[0] == "^" and _REGEX.fullmatch(text)):
        return None
    if ("_" in text or "-" in text) and (_UPPER_WORDS.fullmatch(text) or _joined_states(text)):
        return None
    return None if _about(text) else value


def _joined_states(text: str) -> bool:
    """Return whether a text is made of words of which one is a state: *must_change*, *not-required*."""
    pieces = re.split(r"[_-]", text) if text.replace("_", "").replace("-", "").isalpha() else []
    return len(pieces) > 1 and any(_known(piece) or piece.lower() in POLICY for piece in pieces)


def _about(text: str) -> bool:
    """Return whether a text speaks of passwords: *must have at least 8 characters*."""
    if text.count(" ") < 2:
        return False
    words = _WORD.findall(text.lower())
    return any(word in POLICY for word in words)


def secret(value: str, minimum: int) -> Optional[str]:
    """Accept a token or key of at least ``minimum`` characters: one word, or a header's scheme and what follows."""
    text = value.strip()
    if len(text) < minimum or text.lower() in NO_SECRET or said_nothing(text) or enumerated(text):
        return None
    spaces = text.count(" ")
    if spaces and spaces < MNEMONIC - 1 and text.replace(" ", "").isalpha():
        return None  # words; twelve and more are a seed phrase
    return None if spaces > 1 and _about(text) else value


def one_time(value: str) -> Optional[str]:
    """Accept a code of 4 to 12 characters: digits, in groups too, or letters and digits that are no word."""
    text = value.strip()
    if not 4 <= len(text) <= 12 or DATE.fullmatch(text) or MASK.fullmatch(text) or _DECIMAL.fullmatch(text):
        return None
    joined = text.replace("-", "").replace(" ", "")
    if not joined.isalnum() or text.lower() in NO_SECRET:
        return None
    if any(c.isdecimal() for c in joined):
        return None if enumerated(text) else value
    return value if joined.isupper() and joined.isascii() and not _wordlike(joined) else None


def birth(value: str) -> Optional[str]:
    """Accept a date in any order and script of digits, a year, or a count of seconds or milliseconds."""
    text = value.strip()
    if len(text) > 40:
        return None
    if DATE.fullmatch(text):
        return value
    runs = _RUNS.findall(text)
    if not 1 <= len(runs) <= 9:
        return None
    if len(runs) == 1 and text.lstrip("-+") == runs[0]:
        return value if len(runs[0]) in (4, 6, 8, 9, 10, 11, 12, 13) else None
    if max(map(len, runs)) > 9 or not (any(map(_year, runs)) or _short_date(runs)):
        return None
    return value if all(len(word) <= 12 for word in _LETTERS.findall(text)) and "_" not in text else None


def _year(run: str) -> bool:
    return len(run) == 4 and int(run) in _YEAR


def _short_date(runs: List[str]) -> bool:
    """Return whether runs of digits are day, month and year of two digits; eight digits may come before a time."""
    return (len(runs) >= 3 and all(len(run) <= 2 for run in runs[:3])) or len(runs[0]) == 8


def street(value: str) -> Optional[str]:
    """Accept a house's address: letters with a number, or several words; none of a network, a mailbox or a wallet."""
    text = value.strip()
    if not 5 <= len(text) <= 300 or "://" in text or "@" in text or DATE.fullmatch(text) or UUID.fullmatch(text):
        return None
    if not _TWO_LETTERS.search(text):
        return None
    if _TOKEN_LIKE.fullmatch(text) and "," not in text and (_MACHINE.fullmatch(text) or len(text) > MAX_ONE_WORD):
        return None
    if _DIGIT.search(text):
        return value
    words = text.split()
    return value if len(words) > 1 and not text.islower() and not (_prose(words) or _firm(words)) else None


def known_postcode(value: str) -> Optional[str]:
    """Accept the postcodes of the world's countries, as the Universal Postal Union lists their forms."""
    text = value.strip().upper()
    if not text.isascii():
        text = "".join([str(int(c)) if c.isdecimal() else c for c in text])
    return re.sub(r"[ .-]", "", text) if len(text) <= 14 and _POSTCODE.fullmatch(text) else None


def mail(value: str) -> Optional[str]:
    """Accept one mailbox, with a name before it or without; a text that holds one is searched instead."""
    text = value.strip()
    local, _, domain = text.rpartition("@")
    if not local or not domain or len(text) > 320:
        return None
    return value.lower() if " " not in text or text.endswith(">") else None


_CAPITALISED = re.compile(r"[A-ZÀ-ÖØ-ÞĀ-Ž]")


def strong_person(value: str) -> Optional[str]:
    """Accept two to five words, each with a capital, or two to four signs of a script without capitals."""
    text = value.strip()
    words = text.split()
    if person(text) is None or any(c.isdigit() for c in text) or any(w.lower() in NO_NUMBERED for w in words):
        return None
    if not text.isascii() and text.lower() == text.upper():
        return value if 2 <= len(text) <= 4 or 2 <= len(words) <= 5 else None
    capitals = sum(_CAPITALISED.match(word) is not None or word[0].isupper() for word in words)
    return value if 2 <= len(words) <= 5 and capitals >= 2 and words[0][0].isupper() else None


def strong_secret(value: str) -> Optional[str]:
    """Accept a token of twelve characters and more that no words make: digits and letters, one word."""
    text = value.strip()
    mixed = any(c.isdigit() for c in text) and any(c.isalpha() for c in text)
    return (
        value
        if len(text) >= 12 and mixed and " " not in text and secret(text, 12) and not UUID.fullmatch(text)
        else None
    )


def strong_birth(value: str) -> Optional[str]:
    """Accept day, month and year."""
    text = value.strip()
    runs = _RUNS.findall(text)
    return birth(text) and value if len(runs) >= 3 or (runs and runs[0] == text and len(text) == 8) else None


def strong_street(value: str) -> Optional[str]:
    """Accept words with the number of a house."""
    return value if street(value) and len(value.split()) > 1 and any(map(str.isdigit, value)) else None


def strong_device(value: str) -> Optional[str]:
    """Accept a UUID, or at least ten letters and digits mixed."""
    text = value.strip()
    mixed = text.replace("-", "").isalnum() and any(map(str.isdigit, text)) and any(map(str.isalpha, text))
    return text.upper() if UUID.fullmatch(text) or (10 <= len(text) <= 80 and mixed) else None


def strong_phone(value: str) -> Optional[str]:
    """Accept a number with its country's code, or at least nine digits in groups."""
    text = value.strip()
    return value if text[:1] == "+" or (not text.isdigit() and sum(map(str.isdigit, text)) >= 9) else None


def strong_postcode(value: str) -> Optional[str]:
    """Accept the forms of countries whose postcodes are more than digits."""
    return known_postcode(value) if not value.strip().isdigit() else None
