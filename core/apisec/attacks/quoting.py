"""What a text quotes by the typography of people, before a quote that breaks out of something.

A quote that opens has a blank before it and none behind it, and its like ends the other way: the '=' key, an error
"near '<>'", cmd="a | b". What breaks out of a literal *closes* one, so it stands at the beginning or behind a word.
Mentions count up to the first quote that is none: behind it everything may be another language.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import List, Tuple

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

_CONTRACTED = re.compile(r"\w'(?:s|t|re|ve|ll|d|m)(?=[\s.,;:!?)]|$)", re.IGNORECASE)
# A text that begins with a quotation goes on with a word, and not with one of SQL.
_GOES_ON = re.compile(
    r" (?!(?:or|and|xor|not|union|like|in|between|regexp|rlike|having|order|group|limit|div|mod|select|where|from|as"
    r"|sounds"
    r"|is (?:not )?null)\b)[a-z]{2,}",
    re.IGNORECASE,
)


@lru_cache(maxsize=64)  # several families ask it of one text
def mentions(text: str) -> Tuple[Tuple[int, int], ...]:
    """Return where mentions begin and end, quotes included."""
    found: List[Tuple[int, int]] = []
    at = 0
    for _ in range(MAX_MENTIONS):
        quote = _QUOTE.search(text, at)
        if quote is None:
            break
        start = quote.start()
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
    return tuple(found)


def unmentioned(text: str) -> str:
    """Return a text with an x for each mention."""
    found = mentions(text)
    if not found:
        return text
    ends = [0, *[end for _, end in found]]
    starts = [*[start for start, _ in found], len(text)]
    return "x".join([text[end:start] for end, start in zip(ends, starts)])
