"""Which version of an API a request's headers ask for; only what can be nothing but a version is told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from apisec.model.transaction import Headers

MAX_VALUE = 512  # characters of a header that are looked at
# Headers that hold a version and nothing else; of others, the name ends in ``api-version`` (x-github-api-version).
_OWN = frozenset(("accept-version", "anthropic-version", "notion-version", "stripe-version", "x-ms-version"))
# A number of at most seven digits in three parts, or a date: too short for a number of somebody's.
_DATE = r"20\d\d-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])"
_VERSION = rf"(?:{_DATE}|v?\d{{1,3}}(?:\.\d{{1,2}}){{0,2}})(?:[.-](?:alpha|beta|preview|rc)\.?\d{{0,2}})?"
_VALUE = re.compile(_VERSION, re.IGNORECASE | re.ASCII)
_PARAMETER = re.compile(
    rf';[ \t]{{0,8}}(?:api-?)?v(?:er(?:sion)?)?="?({_VERSION})(?=["\s;,]|$)', re.IGNORECASE | re.ASCII
)
_MEDIA_TYPE = re.compile(r"[.+-](v\d{1,3}(?:\.\d{1,2}){0,2})(?=[.+;,\s-]|$)", re.IGNORECASE | re.ASCII)


def places(names: Sequence[str]) -> tuple[int, ...]:
    """Return where among headers' names, in lower case, a version may stand; those that hold nothing else first."""
    own = [index for index, name in enumerate(names) if name in _OWN or name.endswith("api-version")]
    return (*own, *[index for index, name in enumerate(names) if name == "accept"])


def stated(headers: Headers, where: Sequence[int]) -> str:
    """Return the first version that headers at these places state, or an empty text."""
    for index in where:
        value = headers[index][1]
        found = _stated(value) if len(value) <= MAX_VALUE else ""
        if found:
            return found
    return ""


def api_version(headers: Headers) -> str:
    """Return the version that the headers of a request ask for, or an empty text."""
    return stated(headers, places([name.lower() for name, _ in headers]))


@lru_cache(maxsize=2048)
def _stated(value: str) -> str:
    """Return the version that a header's value is, or has as a parameter or part of a media type."""
    if _VALUE.fullmatch(value.strip()):
        return value.strip().lower()
    found = _PARAMETER.search(value) or _MEDIA_TYPE.search(value)
    return found[1].lower() if found else ""
