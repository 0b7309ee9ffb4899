"""Whether a value that was found stands elsewhere in its transaction too; when it may, the core looks and replaces."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from apisec.redaction.echo import Echo, Writing, counts, forms, is_word, known
from apisec.redaction.encodings import BASE64, unbase64
from apisec.redaction.tokens import class_of

_PLAIN = re.compile(r"[A-Za-z0-9_.~-]+")  # written the same in every encoding but base64
_UNCHANGED = re.compile(r"[A-Za-z0-9]+")
MAX_KEPT = 24  # characters that are looked for first
MAX_LOW = 12  # characters; a longer value has a capital in base64 but for one in thousands
_BASE64_ONLY = Writing(percent=False, entity=False, escape=False, base64=True)
_NOWHERE = "\x1f\0"
_MIN_INNER = 6  # bytes of a value; the ones at its edges are not certain in base64


def stands_anywhere(secrets: Mapping[str, str], shown: Sequence[str], base64: Sequence[str]) -> bool:
    """Return whether a known value may stand in what is shown; ``base64`` holds the values that have such runs."""
    hay = "\0".join(shown)
    near = [value for value, token in secrets.items() if _needle(value, token) in hay]
    if near:
        ways = Writing("%" in hay or "+" in hay, "&" in hay, "\\" in hay, base64=False)
        if any(form in hay for value in near for form in _forms(value, ways)) and _stands(secrets, hay, ways):
            return True
    if any(form in hay for value in secrets if len(value) <= MAX_LOW for form in _low_forms(value)):
        return True
    return bool(base64) and _hidden([value[1:-1] for value in secrets if len(value) >= _MIN_INNER], base64)


@lru_cache(maxsize=1024)
def _needle(value: str, token: str) -> str:
    """Return what stands wherever a value stands in plain or any other way of writing that the core looks for.

    A word is looked for as it is. Of others, letters and digits in a row are written alike everywhere but in base64.
    """
    data_class = class_of(token)
    if not counts(value, data_class):
        return _NOWHERE
    if is_word(value, data_class):
        return value
    return max(_UNCHANGED.findall(value), key=len, default="")[:MAX_KEPT]


@lru_cache(maxsize=1024)
def _low_forms(value: str) -> tuple[str, ...]:
    """Return what a short value is in base64 where that has no capital: the gate takes such text for no base64."""
    return tuple([form for form in forms(value, _BASE64_ONLY) if form != value and form == form.lower()])


def _hidden(inner: Sequence[str], base64: Sequence[str]) -> bool:
    """Return whether the inner parts of known values stand in base64."""
    shortest = min(map(len, inner), default=0) * 4 // 3  # characters that they take at least
    if not inner:
        return False
    runs = [run for value in base64 if len(value) >= shortest for run in BASE64.findall(value)]
    decoded = "\0".join([text for run in runs if len(run) >= shortest for text in unbase64(run)])
    return any(value in decoded for value in inner)


def _stands(secrets: Mapping[str, str], hay: str, ways: Writing) -> bool:
    """Return whether one stands in a text, by what the core looks for."""
    plain: dict[str, str] = {}
    odd: dict[str, str] = {}
    for value, token in known(secrets):
        (plain if _PLAIN.fullmatch(value) else odd)[value] = token
    return Echo(plain, ways=PLAIN).stands_in(hay) or (bool(odd) and Echo(odd, ways=ways).stands_in(hay))


@lru_cache(maxsize=1024)
def _forms(value: str, ways: Writing) -> tuple[str, ...]:
    return tuple(forms(value, ways))


PLAIN = Writing(percent=False, entity=False, escape=False, base64=False)
