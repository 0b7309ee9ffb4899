"""Whether a value that was found stands elsewhere in its transaction too; when it may, the core looks and replaces."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from apisec.redaction.echo import Echo, Writing, forms, known
from apisec.redaction.encodings import BASE64, unbase64

_PLAIN = re.compile(r"[A-Za-z0-9_.~-]+")  # written the same in every encoding but base64
_MIN_INNER = 6  # bytes of a value; the ones at its edges are not certain in base64


def stands_anywhere(secrets: Mapping[str, str], shown: Sequence[str], base64: Sequence[str]) -> bool:
    """Return whether a known value may stand in what is shown; ``base64`` holds the values that have such runs."""
    if not secrets:
        return False
    hay = "\0".join(shown)
    ways = Writing("%" in hay or "+" in hay, "&" in hay, "\\" in hay, base64=False)
    if any(form in hay for value in secrets for form in _forms(value, ways)) and _stands(secrets, hay, ways):
        return True
    decoded = [text for value in base64 for run in BASE64.findall(value) for text in unbase64(run)]
    if not decoded:
        return False
    inside = "\0".join(decoded)
    return any(value[1:-1] in inside for value in secrets if len(value) >= _MIN_INNER)


def _stands(secrets: Mapping[str, str], hay: str, ways: Writing) -> bool:
    """Return whether one stands in a text, by what the core looks for."""
    plain: dict[str, str] = {}
    odd: dict[str, str] = {}
    for value, token in known(secrets):
        (plain if _PLAIN.fullmatch(value) else odd)[value] = token
    return Echo(plain, ways=PLAIN).stands_in(hay) or (bool(odd) and Echo(odd, ways=ways).stands_in(hay))


@lru_cache(maxsize=4096)
def _forms(value: str, ways: Writing) -> tuple[str, ...]:
    return tuple(forms(value, ways))


PLAIN = Writing(percent=False, entity=False, escape=False, base64=False)
