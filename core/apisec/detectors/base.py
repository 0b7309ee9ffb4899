"""What a detector is: a class, a shape, a validator and a context, each standing once."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Callable, Dict, FrozenSet, Iterable, List, NamedTuple, Optional, Pattern, Tuple

from apisec.validators.lazy import lazy

Validator = Callable[[str], Optional[str]]

NEAR = 48  # characters before a value in which a telling word counts
HEAD = 3  # letters of a telling word that the engine looks up
CONFIDENCE = ("shape", "checksum", "context")

# A detector without literals names one of these. Each matches in every text that the detector can fire in, so that
# other engines can ask them first: no lookaround, no backreference. The gate ``near`` is the detector's own ``near``.
GATES: Dict[str, str] = {
    "digits": r"\d(?:[\W_]{0,2}\d){6}|\d\D{1,4}\d{6}",  # seven digits, however they are grouped
    "grouped": r"\d{2}[ ./+-]\d|\d[ ./+-]\d{2}|\d-K",  # digits with a separator among them
    "date_code": r"\d{6}[-+A-FU-Y]\d{3}",
    "iban": r"[A-Za-z]{2}\d\d[^A-Za-z0-9]{0,3}[A-Za-z0-9]",
    "mac": r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}:|-[0-9A-Fa-f]{2}-)[0-9A-Fa-f]{2}|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.",
    "pair": r"\d\.\d{4,15}[,; ]{1,2}[-+]?\d",  # two decimals side by side
    "base58": r"[13][1-9A-HJ-NP-Za-km-z]{25}",
    "ifsc": r"[A-Z]{4}0[A-Z0-9]{6}",
    "slash_dash": r"/[0-9A-Z]{4}-\d{2}",
    "vat": r"(?:AT|B[EG]|C[YZ]|D[EK]|E[ELS]|F[IR]|GB|H[RU]|I[ET]|L[TUV]|MT|NL|P[LT]|RO|S[EIK])[ -]?[A-Z0-9]{0,3}\d{2}",
    "capitals": r"[A-Z][ -]?\d{2}|\d{3}[ -]?[A-Z]",
    "code": r"[A-Za-z][ -]?\d{2}|\d{3}[ -]?[A-Za-z]",  # letters and digits in one word
    "run": r"\d{12}",
    "groups": r"\d{3,8}[\W_]{1,6}\d{3,10}",  # two groups; a separator may take three bytes
    "names": r"[^\s0-9a-z]\S{1,44} (?:\S{1,4} ){0,2}[^\s0-9a-z]",  # two words that begin with a capital
    "dotted": r"[\w-]{17}\.[\w-]{6}",  # long parts with a dot between
}


class Match(NamedTuple):
    """``start`` and ``end`` in the scanned text; ``canonical`` is what the token is made of."""

    start: int
    end: int
    data_class: str
    canonical: str
    detector: str


@dataclass(frozen=True)
class Detector:
    """Finds values of one class in decoded text.

    ``shape`` is linear in the length of the text. Its group ``value`` is the value (the whole match without
    one). ``validate`` returns the canonical form, or None when the candidate is not of the class.
    ``literals``: at least one stands in every text that can match (an empty tuple: ``gate`` says what does).
    ``gate``: a name of ``GATES``, or ``near``.
    ``confidence``, in balanced mode: ``shape`` proves itself anywhere; ``checksum`` fires anywhere but under the
    name of an order, a time, a hash; ``context`` fires where the field's name says the class (or its parent, or one
    of ``hints``), or where ``near`` matches in the 48 characters before. In strict mode ``checksum`` fires
    everywhere, and so does ``context`` with ``checked``: its validator computes a checksum.
    ``trim``: the shape may run on into the next word; the value ends where its canonical form does.
    """

    id: str
    data_class: str
    shape: Pattern[str]
    validate: Validator
    literals: Tuple[str, ...] = ()
    trim: bool = False
    confidence: str = "shape"
    near: Optional[Words] = None
    checked: bool = False
    gate: str = ""
    hints: Tuple[str, ...] = ()

    @property
    def bare(self) -> bool:
        """Whether a name such as *order_id* speaks against the value (balanced mode)."""
        return self.confidence == "checksum"

    def hinted(self, hint: str) -> bool:
        """Return whether a field's name that says ``hint`` says this detector's class."""
        return self.data_class == hint or self.data_class.startswith(hint + ".") or hint in self.hints


def linear(pattern: str, flags: int = 0) -> Pattern[str]:
    """Return a shape, compiled when first asked. It nests no quantifiers, so that hostile text costs linear time."""
    return lazy(pattern, flags)


_SPELLED = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "o", "ł": "l"}


@dataclass(frozen=True)
class Words:
    """Telling words. ``heads``: the first three letters of one of them begin a word of every text that matches.

    ``pattern`` matches what ``shape`` does, each word an alternative of its own, for other engines: no lookaround, no
    backreference. ``stems`` are the words as they were given: many detectors share most of theirs.
    """

    shape: Pattern[str]
    heads: FrozenSet[str]
    pattern: str
    stems: Tuple[str, ...]


def words(*stems: str) -> Words:
    """Compile telling words for ``near``, in any case, with and without their accents.

    A stem is written in lower case. One that ends in ``*`` takes the rest of the word; a blank stands for up to two
    separators.
    """
    for stem in stems:
        if not stem[:1].isalpha() or (stem.endswith("*") and len(stem) <= HEAD):
            raise ValueError(f"telling word {stem!r}: begin with a letter, and give {HEAD} of them before a *")
    begun: Dict[str, List[str]] = {}  # by their first letter: most words of a text are refused by it alone
    for stem in stems:
        begun.setdefault(stem[0], []).append(_stem(stem))
    ways = [_begun(first, patterns) for first, patterns in begun.items()]
    heads = frozenset().union(*[heads_of(stem) for stem in stems])
    return Words(lazy(_spoken(ways)), heads, any_stem(stems), stems)


def any_stem(stems: Iterable[str]) -> str:
    """Return the pattern of a text in which one of some telling words stands."""
    return _spoken([_stem(stem) for stem in stems])


def _spoken(ways: Iterable[str]) -> str:
    return rf"(?i)(?:\b|_)(?:{'|'.join(ways)})"


def _begun(first: str, patterns: List[str]) -> str:
    """Return a pattern for stems that begin with the same letter: its ways are written once where it has one."""
    if not first.isascii() or len(patterns) == 1:
        return "|".join(patterns)
    return f"{first}(?:{'|'.join([pattern[1:] for pattern in patterns])})"


@lru_cache(maxsize=4096)  # of the detectors' own words; rows of one table share most of them
def heads_of(stem: str) -> FrozenSet[str]:
    """Return how a text's word that matches a stem may begin: in each spelling, and with its second word joined."""
    first = re.split(r"[^\w]", stem.rstrip("*"))[0]
    forms = [_spellings(text[:HEAD]) for text in (first, re.sub(r"\W", "", stem))]
    return frozenset([form[:HEAD] for spelled in forms for form in spelled])


def _spellings(text: str) -> List[str]:
    forms = [""]
    for c in text:
        forms = [form + way for form in forms for way in _ways(c)]
    return forms


def _ways(c: str) -> List[str]:
    """Return how a letter in lower case is written: itself, without its accent, spelled out."""
    if c.isascii():
        return [c]
    base = unicodedata.normalize("NFKD", c)[0]
    return list(dict.fromkeys((c, base, _SPELLED.get(c, base))))


@lru_cache(maxsize=4096)
def _stem(stem: str) -> str:
    pieces = []
    for c in stem.rstrip("*"):
        if c.isascii():
            pieces.append(r"[\s._-]{0,2}" if c == " " else re.escape(c))
            continue
        upper = c.upper() if len(c.upper()) == 1 else c
        pieces.append(f"(?:{'|'.join(dict.fromkeys((*_ways(c), upper)))})")
    return "".join(pieces) + ("" if stem.endswith("*") else r"(?:\b|_|\d)")


def any_case(text: str) -> str:
    """Return a pattern for a text in any case, without a flag: a blank is up to two separators."""
    return "".join([r"[\s._-]{0,2}" if c == " " else f"[{c}{c.upper()}]" if c.isascii() else c for c in text])


def said(*stems: str) -> str:
    """Return a pattern for telling words right before a value, with what links them: *is*, *no.*, a colon."""
    ends = [any_case(stem[:-1]) + r"\w{0,12}" if stem.endswith("*") else any_case(stem) for stem in stems]
    return rf"(?<![^\W_])(?:{'|'.join(ends)}){_LINK}"


def behind(*words_: str) -> str:
    """Return a pattern for words right behind a value, as they are written: *847 is the CVV*, *847 (CVV)*."""
    return rf"(?=(?:{_IS}|\s?[(\[]){_ONES}(?:{'|'.join(words_)})(?!\w))"


_IS = r",?\s(?:is|was|as|ist|lautet|als|est|es|como|è|come|é|jest|är|er)\s"
_ONES = (
    r"(?:(?:the|my|your|our|his|her|their|a|der|die|das|mein|meine|el|la|mi|su|le|mon|ma|votre|il|mia|o|meu|minha|de"
    r"|mijn|uw)\s)?(?:(?:card|bank|new|old|current)\s)?"
)

# At most twelve: an equals sign, quotes, brackets, blanks, and words that stand between a word and its value.
_LINK_WORDS = (
    "is are was as ist sind lautet war est sont es son è sono é são zijn to jest är er on am il le el no nr n number"
    " nummer numarası código numéro numero número code kod id value card karte kreditkarte kaart carte carta tarjeta"
    " cartão karty entered provided received got given reads shown with my mein meine meiner mon ma mi mia meu minha"
    " mijn of the for für de del della dell la der des do da van in"
)
_LINK = rf"(?i:[\s.:=#\"'\\()\[>-]|n[°º]|(?:{_LINK_WORDS.replace(' ', '|')})\b){{1,12}}"


def whole(text: str) -> Optional[str]:
    """Accept a candidate as it stands: its shape is proof enough."""
    return text
