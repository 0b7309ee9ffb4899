"""An identifier's words, and the known stems that a word is made of."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Dict, FrozenSet, List, Optional, Sequence, Tuple

from apisec.classification.names.folding import fold
from apisec.classification.names.stems import CONCEPTS, COUNTRY_WORDS, western

MAX_NAME = 128  # characters of a name that are looked at
MAX_WORD = 40  # characters of a word that are broken into stems
MIN_PART = 3  # characters of a stem inside a longer word: shorter ones stand in words by chance
_SHORT_PARTS = frozenset(("id", "no", "nr", "cc", "ip"))  # but for these, at the beginning or the end of a word
_LAST_PARTS = frozenset(("nm", "nb", "dt", "cd"))  # and these at the end
MAX_JOINED = 4  # neighbours that are one stem only together
# Spellings of one word: stems that are made of several words are looked for in the one written out.
_SAME = {
    **dict.fromkeys(("no", "nr", "num", "nbr", "nmbr", "numb", "nb", "nos", "nums"), "number"),
    **dict.fromkeys(("cd", "cde"), "code"),
    **dict.fromkeys(("ident", "idntfr", "identifier"), "id"),
    **dict.fromkeys(("acct", "acc", "accnt", "acnt"), "account"),
    **dict.fromkeys(("addr", "adr", "addrs"), "address"),
    **dict.fromkeys(("veh", "vhcl"), "vehicle"),
    **dict.fromkeys(("cust", "cstmr"), "customer"),
    **dict.fromkeys(("pat", "ptnt"), "patient"),
    **dict.fromkeys(("dvc",), "device"),
    **dict.fromkeys(("nm",), "name"),
    **dict.fromkeys(("dt", "dte"), "date"),
    **dict.fromkeys(("fst", "frst"), "first"),
    **dict.fromkeys(("lst",), "last"),
    **dict.fromkeys(("ins", "insrnc"), "insurance"),
    **dict.fromkeys(("natl", "ntl"), "national"),
    **dict.fromkeys(("govt", "gov", "gvt"), "government"),
    **dict.fromkeys(("med",), "medical"),
    **dict.fromkeys(("rec", "rcd", "recd"), "record"),
    **dict.fromkeys(("hosp",), "hospital"),
    **dict.fromkeys(("pstl",), "postal"),
}
# Words of their own, but no part of one: mobil-eid is a mobile-id, auto-matic has no wallet.
_NO_PARTS = frozenset(("eid", "matic", "tron", "solana", "ripple"))
# Stems of three letters whose plural is another word.
_NO_PLURAL = frozenset(
    ("cif", "cp", "cpe", "cap", "pan", "pin", "ads", "sin", "nit", "rut", "tin", "nie", "abn", "ein", "zip")
)
# Between two stems of a word written as one: dateofbirth, numerodetelefono.
_BETWEEN = frozenset(
    ("of", "de", "do", "da", "di", "du", "del", "des", "la", "le", "el", "em", "en", "van", "und", "and")
)
NATIONAL = "pii.national_id."

_SPLIT = re.compile(
    r"[A-Z]{2,}s(?![a-z])"  # IDs
    r"|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+[0-9]?(?![a-z0-9])|[A-Z]?[a-z]+|[A-Z]+[0-9]?|[0-9]+"
)
# Of a script that has no capital letters: marks belong to the letters that they stand on.
_SPLIT_ALL = re.compile(_SPLIT.pattern + r"|[^\x00-\x7f\s\u2010-\u2027\u3001-\u3003\uff01-\uff0f]+")


def split(identifier: str) -> Tuple[str, ...]:
    """Return the words of an identifier in lower case, folded: ``cardNo`` is ``card``, ``no``."""
    text = identifier[:MAX_NAME]
    if text.isascii():
        return tuple([word.lower() for word in _SPLIT.findall(text)])
    return tuple([word.lower() for word in _SPLIT_ALL.findall(fold(text))])


def _vocabulary() -> Tuple[Dict[str, FrozenSet[str]], List[Tuple[str, FrozenSet[str]]]]:
    exact: Dict[str, FrozenSet[str]] = {}
    open_ended: Dict[str, FrozenSet[str]] = {}
    countries = {NATIONAL + country: stems for country, stems in COUNTRY_WORDS.items()}
    for concept, stems in {**CONCEPTS, **countries}.items():
        for stem in stems.split():
            bare = fold(stem.rstrip("*")).lower()
            exact[bare] = exact.get(bare, frozenset()) | {concept}
            if stem.endswith("*"):
                open_ended[bare] = open_ended.get(bare, frozenset()) | {concept}
    return exact, sorted(open_ended.items(), key=lambda pair: -len(pair[0]))


_EXACT, _OPEN = _vocabulary()
_OPEN_STEMS = tuple(stem for stem, _ in _OPEN)
_LONGEST = max(map(len, _EXACT))
UNKNOWN: FrozenSet[str] = frozenset()
HUNGARIAN = frozenset("abcdfgklmnpqrstvxz")  # but eMail, iPhone
_CAPITAL_OR_SIGN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ_-.")
_VERSION = re.compile(r"[vrt]?[0-9]+")
_WRAPPERS = frozenset(("field", "fld", "column", "col", "property", "prop", "attribute", "attr"))
STEMS: FrozenSet[str] = frozenset(_EXACT)


def _known(word: str) -> FrozenSet[str]:
    """Return the concepts of a word as it stands, in the plural, or with digits behind it."""
    found = _EXACT.get(word)
    if found is None and word[-1:].isdigit():
        word = word.rstrip("0123456789")
        found = _EXACT.get(word)
    if found is None and len(word) > MIN_PART and word[-1:] == "s" and word[:-1] not in _NO_PLURAL:
        found = _EXACT.get(word[:-1]) or (_EXACT.get(word[:-2]) if word.endswith("es") else None)
    if found is None and word.startswith(_OPEN_STEMS):
        found = next(concepts for stem, concepts in _OPEN if word.startswith(stem))
    return found or UNKNOWN


@lru_cache(maxsize=4096)
def meaning(word: str) -> FrozenSet[str]:
    """Return the concepts that a word stands for, whole or broken into stems without a rest; none when unknown.

    Without a rest, so that *cardinality* is no card and *passenger* no password.
    """
    found = _known(word)
    if word in _EXACT or len(word) > MAX_WORD or (len(word) <= 4 and word.isascii()):
        return found
    if found and not word.startswith(_OPEN_STEMS):
        return found
    parts = _parts(word)
    if parts:  # what an open stem takes with it may say something as well
        return found.union(*[_known(part) for part in parts])
    return found or (UNKNOWN if word.isascii() else _head(word))


def _head(word: str) -> FrozenSet[str]:
    """Return what a word of a script without spaces ends with: there the last syllables say what it is."""
    for start in range(1, len(word) - 1):
        found = _EXACT.get(word[start:], UNKNOWN)
        if found:
            return found
    return UNKNOWN


def meanings(words: Sequence[str]) -> List[FrozenSet[str]]:
    """Return the concepts of words, neighbours joined where that is a stem: ``codice``, ``fiscale``.

    *id* before another word identifies nothing: an id card has a number, an id token is a token.
    """
    found: List[FrozenSet[str]] = []
    at = 0
    while at < len(words):
        for count in range(min(MAX_JOINED, len(words) - at), 0, -1):
            known = meaning(words[at]) if count == 1 else _joined(words[at : at + count])
            if known:
                break
        found.append(known)
        at += count
    for at, known in enumerate(found[:-1]):
        if "identifier" in known and not all(after == {"neutral"} for after in found[at + 1 :]):
            found[at] = known - {"identifier"} | {"idword"}
    return found


def undressed(name: str, words: Sequence[str]) -> str:
    """Return a name without what a convention adds: ``sPhone``, ``m_email``, ``phone__c``, ``email_v2``, ``iban_01``.

    The empty string when nothing is added.
    """
    if len(words) > 1 and words[0] in HUNGARIAN and name[1:2] in _CAPITAL_OR_SIGN:
        return name[1:]
    end = len(words)
    while end > 1 and _added(words[end - 1]):
        end -= 1
    return "_".join(words[:end]) if end < len(words) else ""


def _added(word: str) -> bool:
    return len(word) == 1 or word.isdigit() or word in _WRAPPERS or _VERSION.fullmatch(word) is not None


def _joined(words: Sequence[str]) -> FrozenSet[str]:
    """Return the concepts of neighbours that only together are a stem, as written or written out."""
    word = "".join(words)
    found = _EXACT.get(word)
    if found is None:
        full = "".join([_SAME.get(one, one) for one in words]).rstrip("0123456789")
        if full != word:
            found = _EXACT.get(full)
            word = full
    if found is None and len(word) <= MAX_WORD and word.startswith(_OPEN_STEMS):
        first = len(words[0])
        found = next((known for stem, known in _OPEN if len(stem) > first and word.startswith(stem)), None)
    return found or UNKNOWN


def _parts(word: str) -> Optional[List[str]]:
    """Break a word into the fewest stems; what cannot begin a stem costs nothing further."""
    size = len(word)
    best: List[Optional[List[str]]] = [[]] + [None] * size
    for start in range(size):
        head = best[start]
        if head is None:
            continue
        for end in range(start + 1, min(size, start + _LONGEST) + 1):
            known = best[end]
            if known is not None and len(known) <= len(head) + 1:
                continue
            stem = word[start:end]
            between = stem in _BETWEEN and head and end < size and len(head[-1]) > MIN_PART
            if between or (stem in _EXACT and _is_part(stem, start, end, size)):
                best[end] = [*head, stem]
    return best[size]


def _is_part(stem: str, start: int, end: int, size: int) -> bool:
    """Return whether a stem may stand in a longer word of ``size``, from ``start`` to ``end``."""
    if not stem.isascii():
        return True  # writes without spaces: a letter there is a syllable or a word
    if stem in _NO_PARTS and size > len(stem):
        return False
    if end - start > MIN_PART:
        return True
    if end - start == MIN_PART:
        return stem in _FIRM
    return (stem in _SHORT_PARTS and (not start or end == size)) or (stem in _LAST_PARTS and end == size)


# Words of three letters that stand in longer ones for themselves; others only look like it.
_FIRM = frozenset(
    stem
    for stems in (*western.CONCEPTS.values(), *COUNTRY_WORDS.values())
    for stem in stems.split()
    if len(stem) == MIN_PART
) | frozenset(("ccv", "cvd", "phn", "crd", "nbr"))
