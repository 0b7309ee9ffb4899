"""JSON that was cut off, closed behind its last whole value.

A gateway's copy, or an event, holds the beginning of a long body: most of a list, then half a word. What is visible of
it is as good as the rest of the traffic: each record's id, under its name.
"""

from __future__ import annotations

import re
from typing import List

MAX_OPEN = 64  # brackets inside one another
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*("|\\?\Z)|[][{},]', re.DOTALL)  # a quote always matches, so it is linear
_CLOSING = {"{": "}", "[": "]"}


def close_cut(text: str) -> str:
    """Return the text up to its last whole value or new record with all brackets closed; empty where there is none.

    Linear in the text. What is no JSON at all may come back as no JSON.
    """
    still_open: List[str] = []
    end, closing = 0, ""
    for token in _TOKEN.finditer(text):
        sign = text[token.start()]
        if sign == ",":
            end, closing = token.start(), "".join(still_open)
        elif sign in "{[":
            if len(still_open) >= MAX_OPEN:
                break
            still_open.append(_CLOSING[sign])
            if sign == "{":  # a record that has begun is one
                end, closing = token.end(), "".join(still_open)
        elif sign == '"':
            if token[1] != '"':
                break  # cut inside of a text
        elif not still_open or still_open.pop() != sign:
            break
        elif not still_open:
            return text[: token.end()]  # whole; something else stands behind it
    return text[:end] + closing[::-1] if end else ""
