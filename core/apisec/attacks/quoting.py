"""What a text quotes by the typography of people, before a quote that breaks out of something.

A quote that opens has a blank before it and none behind it, and its like ends the other way: the '=' key, an error
"near '<>'", cmd="a | b". What breaks out of a literal *closes* one, so it stands at the beginning or behind a word.
Mentions count up to the first quote that is none: behind it everything may be another language.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice
from typing import Iterator, List, Tuple

MAX_MENTIONS = 40
_QUOTE = re.compile("['\"`]")
_OPENING = " \t\n([{<,:=|/^"  # what stands before a quote that opens
_WITHIN = r"(?![\s;|&)])[^{0}\n]{{1,80}}(?<![\s;|&(])"
_MENTION = re.compile(
    "|".join([f"{quote}{_WITHIN.format(quote)}{quote}" for quote in "'\"`"]).join(("(?:", ")"))
    + r"(?=[\s)\]}>.,;:!?]|$)|(?P<both>['\"`])[^\w\s'\"`]{0,4}(?P=both)(?=[\s)\]}>.,;:!?]|$)"
    + r"|['\"`](?:\\?['\"`;<>,.]){1,4}(?=\])"  # a class of characters
    + r"|['\"`] (?:and|or|und|oder|et|ou|o|y|&|/) ['\"`](?=[\s).,;:]|$)"
)

_CONTRACTED = re.compile(
    r"\w'(?:s|t|re|ve|ll|d|m)(?=[\s.,;:!?)]|$)"
    # O'Brien, d'Angelo, l'eau: a letter of its own and a word that is none of SQL's
    r"|(?<!\w)[a-z]'(?!(?:or|and|xor|not|union|select|having|group|order|limit|like|in|is|between|div|mod|regexp|rlike"
    r"|into|from|where|waitfor|exec\w*)\b)[a-z]{3,30}\b",
    re.IGNORECASE,
)
# A text that begins with a quotation goes on with a word, and not with one of SQL.
_GOES_ON = re.compile(
    r" (?!(?:or|and|xor|not|union|like|in|between|regexp|rlike|having|order|group|limit|div|mod|select|where|from|as"
    r"|sounds"
    r"|is (?:not )?null)\b)[a-z]{2,}",
    re.IGNORECASE,
)


# A class of characters in a pattern: negated, repeated, at an end or beside another; and all marks in ASCII's order.
_CLASS = re.compile(r"\[\^?\]?(?:\\.|\[:\w{3,8}:\]|[^\]\\\n]){1,80}\]|[^\w\s]{0,8}#\\?\$%&[^\w\s]{2,40}")
_SPOKEN = re.compile(r"[A-Za-z]{3}|\s[\w(]|(?<!\\)[A-Za-z0-9]'|\d=")
_BEHIND_CLASS = "+*?{)|$[\\"


def _classes(text: str) -> List[Tuple[int, int]]:
    """Return where a pattern's classes of characters are, quotes and separators of which say nothing."""
    if "[" not in text and "%&" not in text:
        return []
    return [
        match.span()
        for match in islice(_CLASS.finditer(text), MAX_MENTIONS)
        if (match.end() == len(text) or text[match.end()] in _BEHIND_CLASS or match.group()[:2] == "[^")
        and not _SPOKEN.search(match.group())
    ]


@lru_cache(maxsize=64)  # several families ask it of one text
def mentions(text: str) -> Tuple[Tuple[int, int], ...]:
    """Return where mentions begin and end, quotes included."""
    classes = _classes(text)
    found: List[Tuple[int, int]] = []
    at = 0
    for _ in range(MAX_MENTIONS):
        quote = _QUOTE.search(text, at)
        if quote is None:
            break
        start = quote.start()
        within = next((end for begin, end in classes if begin <= start < end), 0)
        if within:
            at = within
            continue
        contracted = _CONTRACTED.match(text, start - 1) if start else None
        if contracted is not None:
            at = contracted.end()
            continue
        if start and text[start - 1] not in _OPENING:
            break
        mention = _MENTION.match(text, start)
        if mention is None:
            break
        if not found and not text[:start].strip(_OPENING) and not _GOES_ON.match(text, mention.end()):
            break
        at = mention.end()
        found.append((start, at))
    if not classes:
        return tuple(found)
    return tuple(_apart(sorted(classes + found)))


def _apart(spans: List[Tuple[int, int]]) -> Iterator[Tuple[int, int]]:
    """Yield spans in order, each from where the one before it ends."""
    last = 0
    for start, end in spans:
        if start >= last:
            yield start, end
            last = end


def unmentioned(text: str) -> str:
    """Return a text with an x for each mention."""
    found = mentions(text)
    if not found:
        return text
    ends = [0, *[end for _, end in found]]
    starts = [*[start for start, _ in found], len(text)]
    return "x".join([text[end:start] for end, start in zip(ends, starts)])
