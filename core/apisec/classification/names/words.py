"""An identifier's words, and the known stems that a word is made of."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Dict, FrozenSet, List, Optional, Sequence, Tuple

from apisec.classification.names.stems import CONCEPTS, COUNTRY_WORDS

MAX_NAME = 128  # characters of a name that are looked at
MAX_WORD = 40  # characters of a word that are broken into stems
MIN_PART = 3  # characters of a stem inside a longer word: shorter ones stand in words by chance
_SHORT_PARTS = frozenset(("id", "no", "nr", "cc", "ip"))  # but for these, at the beginning or the end of a word
_NO_PARTS = frozenset(("eid",))  # words of their own, but no part of one: mobil-eid is a mobile-id
NATIONAL = "pii.national_id."

_SPLIT = re.compile(
    r"[A-Z]{2,}s(?![a-z])"  # IDs
    r"|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+[0-9]?(?![a-z0-9])|[A-Z]?[a-z]+|[A-Z]+[0-9]?|[0-9]+"
)
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "æ": "ae", "Æ": "Ae", "ı": "i", "đ": "d"})


def split(identifier: str) -> Tuple[str, ...]:
    """Return the words of an identifier in lower case, accents folded: ``cardNo`` is ``card``, ``no``."""
    text = identifier[:MAX_NAME]
    if not text.isascii():
        text = text.translate(_LETTERS)
        text = "".join([c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)])
    return tuple([word.lower() for word in _SPLIT.findall(text)])


def _vocabulary() -> Tuple[Dict[str, FrozenSet[str]], List[Tuple[str, FrozenSet[str]]]]:
    exact: Dict[str, FrozenSet[str]] = {}
    open_ended: Dict[str, FrozenSet[str]] = {}
    countries = {NATIONAL + country: stems for country, stems in COUNTRY_WORDS.items()}
    for concept, stems in {**CONCEPTS, **countries}.items():
        for stem in stems.split():
            bare = stem.rstrip("*")
            exact[bare] = exact.get(bare, frozenset()) | {concept}
            if bare != stem:
                open_ended[bare] = open_ended.get(bare, frozenset()) | {concept}
    return exact, sorted(open_ended.items(), key=lambda pair: -len(pair[0]))


_EXACT, _OPEN = _vocabulary()
_OPEN_STEMS = tuple(stem for stem, _ in _OPEN)
_LONGEST = max(map(len, _EXACT))
UNKNOWN: FrozenSet[str] = frozenset()


def _known(word: str) -> FrozenSet[str]:
    """Return the concepts of a word as it stands, in the plural, or with digits behind it."""
    found = _EXACT.get(word)
    if found is None and word[-1:].isdigit():
        word = word.rstrip("0123456789")
        found = _EXACT.get(word)
    if found is None and len(word) > MIN_PART and word[-1:] == "s":
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
    if found or not 4 < len(word) <= MAX_WORD:
        return found
    parts = _parts(word)
    return frozenset().union(*[_known(part) for part in parts]) if parts else UNKNOWN


def meanings(words: Sequence[str]) -> List[FrozenSet[str]]:
    """Return the concepts of words, neighbours joined where that is a stem: ``codice``, ``fiscale``.

    *id* before another word identifies nothing: an id card has a number, an id token is a token.
    """
    found: List[FrozenSet[str]] = []
    at = 0
    while at < len(words):
        for count in (3, 2, 1):
            joined = "".join(words[at : at + count])
            known = meaning(joined) if count == 1 else _joined(joined, len(words[at]))
            if (known or count == 1) and at + count <= len(words):
                break
        found.append(known)
        at += count
    for at, known in enumerate(found[:-1]):
        if "identifier" in known and not all(after == {"neutral"} for after in found[at + 1 :]):
            found[at] = known - {"identifier"} | {"idword"}
    return found


def _joined(word: str, first: int) -> FrozenSet[str]:
    """Return the concepts of neighbours that only together are a stem; ``first``: length of the first of them."""
    found = _EXACT.get(word, UNKNOWN)
    if not found and len(word) <= MAX_WORD and word.startswith(_OPEN_STEMS):
        found = next((known for stem, known in _OPEN if len(stem) > first and word.startswith(stem)), UNKNOWN)
    return found


def _parts(word: str) -> Optional[List[str]]:
    """Break a word into the fewest stems; what cannot begin a stem costs nothing further."""
    size = len(word)
    best: List[Optional[List[str]]] = [[]] + [None] * size
    for start in range(size - 1):
        head = best[start]
        if head is None:
            continue
        for end in range(start + 2, min(size, start + _LONGEST) + 1):
            known = best[end]
            if known is not None and len(known) <= len(head) + 1:
                continue
            stem = word[start:end]
            if stem in _NO_PARTS and size > len(stem):
                continue
            if stem in _EXACT and (end - start >= MIN_PART or (stem in _SHORT_PARTS and (not start or end == size))):
                best[end] = [*head, stem]
    return best[size]
