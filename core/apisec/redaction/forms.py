"""What a value under a telling name must look like to be believed: a person's name, a secret, a date, a street.

A name of a field says less than it seems: *client name* holds a browser, *password* the word *required*, *street* the
address of a network card. Each check here takes a value (at most ``values.MAX_NAMED`` characters) and answers with its
canonical form, or None where the form speaks against the class. All take linear time.
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
    NO_PASSWORD,
    NO_SECRET,
    POLICY,
    PROSE,
)

DATE = re.compile(r"(?:1[89]|20)\d{2}[-/.](?:0?[1-9]|1[0-2])[-/.]\d{1,2}(?:[T ].*)?", re.DOTALL)
UUID = re.compile(r"\{?[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\}?")
MASK = re.compile(r"[*xX•#.\s-]+")
_DECIMAL = re.compile(r"[-+]?\d+[.,]\d+(?:[eE][-+]?\d+)?")
_URL = re.compile(r"https?://", re.IGNORECASE)
_VARIABLE = re.compile(r"\{\{.*\}\}|\$\{.*\}|\$\(.*\)|<[^<>]*>|%\(?\w+\)?s?%?", re.DOTALL)
_REGEX = re.compile(r"\^.*(?:\(\?|\\[dws]|\[[^\]]{2,}\]).*", re.DOTALL)

# A person's name: letters and marks of any script, and what joins them.
_MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0dff\u0e31-\u0e4e\u0eb1-\u0ece\u200c\u200d"
_PERSON = re.compile(rf"['’ʻ‘]?[^\W\d_](?:[^\W\d_]|[{_MARKS}'’ʻ‘ʼ`´.,·・‐‑ ()\"&-]){{0,119}}")
_TICKET = re.compile(r"[A-Z]{2,30}[/^][A-Z]{1,30}(?:[ ^/][A-Z]{1,30}){0,3}\^{0,4}")  # DOE/JOHN MR, DOE^JOHN^A (HL7)
_ORDINAL = re.compile(r"[ ,]{1,2}(?:2nd|3rd|4th|5th|2ND|3RD|4TH)\.?\Z|[ ]\(?\d{1,3}\)?\Z")
_CAMEL = re.compile(r"[a-zß-öø-ÿ]+[A-Z]")
MAX_PERSON, MAX_WORDS, MAX_WORD = 120, 8, 40
_PIECE = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_ENUM = re.compile(r"[A-Za-z][A-Za-z0-9 _./:+-]{0,63}")
_UPPER_WORDS = re.compile(r"[A-Z]{2,20}(?:_[A-Z]{2,20})+")

_WORD = re.compile(r"[^\W\d_]+")

_RUNS = re.compile(r"\d+")
_LETTERS = re.compile(r"[^\W\d_]+")
_YEAR = range(1200, 2640)  # of the calendars in use: Jalali 1300, Gregorian, Buddhist 2500

_TOKEN_LIKE = re.compile(r"[\x21-\x7e]+")
_STREET_ALONE = re.compile(r"[A-Z][A-Za-z.'-]{3,40}\d{1,4}[A-Za-z]?")
_MAC = re.compile(r"(?:[0-9A-Fa-f]{1,4}[:.-]){2,7}[0-9A-Fa-f]{1,4}")
_POSTCODE = re.compile(
    r"\d{3,10}|\d{5}[- ]\d{3,5}|\d{2}[- .]\d{3}(?:-\d{3})?|\d{3}[- ]\d{2,4}|\d{4}[- ]\d{3}|\d{3} \d{3}|\d{4} ?[A-Z]{2}"
    r"|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z][ -]?\d[A-Z]\d|[A-Z]\d[\dW][ -]?[A-Z\d]{4}|[A-Z]\d{4}[A-Z]{3}"
    r"|(?:[A-Z]{1,2}|〒)[ -]?\d{3,6}(?:[ -]\d{2,4})?|[A-Z]{2}\d[- ]?\d{4}|[A-Z]{3} ?\d{4}"
)


def person(value: str) -> Optional[str]:
    """Accept one to eight words of letters, as names are written; no state, role, firm, sentence or identifier."""
    text = value.strip()
    if len(text) > MAX_PERSON or text.lower() in NO_NAME:
        return None
    bare = _ORDINAL.sub("", text)
    if bare != text and text[-1].isdigit() and not _given(bare):
        return None  # John Smith 2, but not Terminal 2
    if _TICKET.fullmatch(bare):
        return value
    words = bare.split()
    if not 1 <= len(words) <= MAX_WORDS or max(map(len, words)) > MAX_WORD or not _PERSON.fullmatch(bare):
        return None
    return None if _identifier(bare, words) or _prose(words) or _firm(words) else value


def _given(text: str) -> bool:
    return re.split(r"[\s-]", text, maxsplit=1)[0].lower() in GIVEN_NAMES


def _identifier(text: str, words: List[str]) -> bool:
    """Return whether a text is one name of a thing: *queue-runner*, *userName*, *example.com*; not *anne-marie*."""
    if len(words) > 1 or not text.isascii():
        return False
    kebab = "-" in text and text.islower() and not any(part in GIVEN_NAMES for part in text.split("-"))
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
    """Return whether a text is a value of an enumeration: words, or methods with a number (*wpa2-psk*, *RS256*)."""
    if not _ENUM.fullmatch(text):
        return False
    pieces = _PIECE.findall(text)
    letters = [piece for piece in pieces if not piece.isdigit()]
    if len(letters) < len(pieces):
        return all(_known(piece) for piece in letters) and all(len(p) <= 4 for p in pieces if p.isdigit())
    strange = sum([not (_known(piece) or _wordlike(piece)) for piece in letters])
    return strange <= (len(letters) > 2)  # an abbreviation among three words: img-authz-plugin


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
    """Return whether what stands in a secret's place is none: a variable, a mask, a date, a URL, a decimal."""
    return bool(
        MASK.fullmatch(text)
        or DATE.fullmatch(text)
        or _DECIMAL.fullmatch(text)
        or _URL.match(text)
        or _VARIABLE.fullmatch(text)
    )


def password(value: str) -> Optional[str]:
    """Accept what somebody may have chosen: words too, but no state, no rule about passwords and no switch."""
    text = value.strip()
    if not text or text.lower() in NO_PASSWORD or (text.isdigit() and len(text) < 3):
        return None
    if said_nothing(text) or _REGEX.fullmatch(text) or _UPPER_WORDS.fullmatch(text):
        return None
    if _joined_states(text) or _about(text):
        return None
    return value


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
    """Accept a token or key of at least ``minimum`` characters that was drawn, not named."""
    text = value.strip()
    if len(text) < minimum or text.lower() in NO_SECRET or said_nothing(text):
        return None
    return None if enumerated(text) or (text.count(" ") > 1 and _about(text)) else value


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
    runs = _RUNS.findall(text)
    if len(text) > 40 or not 1 <= len(runs) <= 9:
        return None
    if len(runs) == 1 and text.lstrip("-+") == runs[0]:
        return value if len(runs[0]) in (6, 8, 9, 10, 11, 12, 13) or _year(runs[0]) else None
    if max(map(len, runs)) > 9 or not (any(map(_year, runs)) or _short_date(runs)):
        return None
    return value if all(len(word) <= 12 for word in _LETTERS.findall(text)) and "_" not in text else None


def _year(run: str) -> bool:
    return len(run) == 4 and int(run) in _YEAR


def _short_date(runs: List[str]) -> bool:
    """Return whether runs of digits are day, month and year of two digits; eight digits may come before a time."""
    return (len(runs) >= 3 and all(len(run) <= 2 for run in runs[:3])) or len(runs[0]) == 8


def street(value: str) -> Optional[str]:
    """Accept letters and digits as addresses of houses have them; no network's, mail's or wallet's address, no date."""
    text = value.strip()
    if not 5 <= len(text) <= 300 or "://" in text or "@" in text or DATE.fullmatch(text) or UUID.fullmatch(text):
        return None
    if not any(map(str.isdigit, text)) or not any(a.isalpha() and b.isalpha() for a, b in zip(text, text[1:])):
        return None
    single = _TOKEN_LIKE.fullmatch(text) is not None and "," not in text
    return None if single and (_MAC.fullmatch(text) or not _STREET_ALONE.fullmatch(text)) else value


def postcode(value: str) -> Optional[str]:
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
