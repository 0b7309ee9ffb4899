"""What an answer does with a payload: gives markup back as it was sent, or computes what a template asked for.

Asked of transactions that carry a payload's signal only. A JSON document that repeats what was stored is no evidence;
a page is, for a browser runs what stands in it unescaped.
"""

from __future__ import annotations

import re
from typing import Iterable, Iterator, Set, Tuple

MAX_BODY = 1_048_576  # bytes of an answer that are searched
MIN_VALUE = 8  # bytes of a value that stands nowhere by chance
MAX_VALUES = 20
_PAGE = re.compile(r"\s*(?:text/html|application/xhtml|image/svg|text/xml|application/xml)", re.IGNORECASE)
_MARKUP = re.compile(r"[<>\"'][^<>]{0,200}")
_PRODUCT = re.compile(r"(?<!\d)(\d{1,6})\s{0,2}\*\s{0,2}['\"]?(\d{1,6})(?!\d)")
MIN_PRODUCT = 100  # a smaller number stands in many an answer

Value = Tuple[str, str]  # where, and the text


def reflected(values: Iterable[Value], families: Iterable[Tuple[str, str]], kind: str, body: bytes) -> Iterator[str]:
    """Yield what an answer tells of the values with signals: ``families`` are the places of signals and their families.

    ``kind`` is the answer's content type, ``body`` what it holds, in no coding.
    """
    markup: Set[str] = {where for where, family in families if family in ("xss", "template", "crlf")}
    template: Set[str] = {where for where, family in families if family in ("template", "jndi")}
    data, page, said = body[:MAX_BODY], _PAGE.match(kind) is not None, set()
    for count, (where, value) in enumerate(values):
        if count >= MAX_VALUES:
            return
        if page and where in markup and _stands(value, data):
            said.add("answer.reflection")
        if where in template and _computed(value, data):
            said.add("answer.evaluated")
    yield from sorted(said)


def _stands(value: str, data: bytes) -> bool:
    raw = value.encode("utf-8", "surrogatepass")
    return len(raw) >= MIN_VALUE and _MARKUP.search(value) is not None and raw in data


def _computed(value: str, data: bytes) -> bool:
    """Return whether a product that a value asks for stands in an answer, and the question does not."""
    for one in _PRODUCT.finditer(value[:1_000]):
        product = int(one.group(1)) * int(one.group(2))
        asked = product >= MIN_PRODUCT and one.group().encode() not in data
        if asked and re.search(rb"(?<![\d.])%d(?![\d.])" % product, data):
            return True
    return False
