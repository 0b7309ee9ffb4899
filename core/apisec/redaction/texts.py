"""Texts at first sight: values in which nothing can stand, and names that are given a value inside a text."""

from __future__ import annotations

import re

# Words with at most one short number, a timestamp, a UUID or hash: most values of ordinary traffic, and nothing
# can stand in them. A number of three digits beside a blank can be a code that the words tell of, a word with a capital
# behind a blank a name or a street (*my name is Ada Lovelace*, *at 12 Main Street*). The alternatives differ by their
# next character, so that failing costs linear time too.
_LOWER = r"(?:[a-z]{1,15}|[A-Z]{1,8}(?![a-z]))"
_WORD = r"(?:[A-Z]?[a-z]{1,15}|[A-Z]{1,8}(?![a-z]))"
_MARK = r"[,.!?/_-]"
_NEXT = rf"(?:{_MARK}{{1,2}}{_WORD}|(?: [ ,.!?/_-]?|{_MARK} ){_LOWER})"
_WORDS = rf"{_WORD}(?:{_NEXT})*"
_SEPARATOR = r"[ ,.!?/_-]{1,2}"
_NUMBER = r"(?<![A-Z]-)(?:\d{1,2}|(?<! )\d{3,6}(?! ))(?!-[A-Z])"  # AB-12-CD is a plate
DULL = re.compile(
    rf"/?(?:{_WORDS}(?:{_SEPARATOR})?|[A-Z][a-z]{{1,15}} [A-Z][a-z]{{1,15}}"
    rf"|(?:{_WORDS}{_SEPARATOR})?{_NUMBER}(?:{_NEXT})*)"
    r"|\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}"
)

# name=value and name: value inside text: error messages, logs, URLs, GraphQL, broken JSON.
ASSIGNED = re.compile(r"(?<![\w.-])([A-Za-z_][\w.-]{1,48})\\?[\"']?\]?(\s{0,2}[:=]\s{0,2})")
VALUE = re.compile(r"\\?\"([^\"\\]{1,512})|'([^'\\]{1,512})|([^\s\"'&,;}<>)\]\\]{1,512})")
TELLING = re.compile(
    r"(?i)pass|pw|psw|kennw|contras|senha|clave|mdp|pin|secret|token|key|auth|sess|sid|cv[vc]|csc|ssn|social|otp"
    r"|mfa|iban|account|acct|konto|card|karte|pan|code|cred|jwt|user|name|birth|dob"
    r"|tax|vat|ein|tin|nino|nhs|npi|dea|mbi|mrn|medic|patient|insur|icd|diag|imei|imsi|iccid|mac|device|serial|idfa"
    r"|wallet|btc|eth|routing|aba|sort|bic|swift|ifsc|bsb|clabe|passport|licen|national|exp|vin|plate|zip|post|plz"
    r"|phone|mobile|tel|lat|lon|lng|geo"
)
