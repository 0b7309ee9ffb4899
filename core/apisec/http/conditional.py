"""Strong ETags and what clients demand with them (RFC 9110, 8.8.3 and 13.1)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, List, Optional

from apisec.http.documents import canonical
from apisec.http.problem import Problem

_TAGS = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]{0,200})"')
MAX_HEADER = 4_096  # characters of If-Match and If-None-Match


def etag(value: Any) -> str:
    """Return the ETag of a JSON-like value, or of a text."""
    text = value if isinstance(value, str) else canonical(value)
    return f'"{hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]}"'


def _tags(header: str, *, weak: bool) -> List[str]:
    """Return the entity tags of a header; weak ones only where a weak comparison is enough."""
    return [f'"{tag}"' for prefix, tag in _TAGS.findall(header[:MAX_HEADER]) if weak or not prefix]


def unchanged(headers: Mapping[str, str], current: str) -> bool:
    """Return whether a GET may be answered with 304: the client has this version. Header names in lower case."""
    given = headers.get("if-none-match", "").strip()
    return given == "*" or current in _tags(given, weak=True)


def check(headers: Mapping[str, str], current: Optional[str], *, required: bool = False) -> None:
    """Hold If-Match and If-None-Match of a change against the present version, None for a thing that is not there.

    Raises Problem 412 when they do not hold, and 428 when ``required`` and the thing is there but no version was named.
    """
    match, none_match = headers.get("if-match", "").strip(), headers.get("if-none-match", "").strip()
    if none_match and current is not None and (none_match == "*" or current in _tags(none_match, weak=True)):
        raise _failed("If-None-Match names a version that is there already", current)
    if match and (current is None or (match != "*" and current not in _tags(match, weak=False))):
        raise _failed("If-Match names another version than the present one", current)
    if required and current is not None and not match:
        detail = "the change names no version that it is based on"
        raise Problem(428, "", detail, "GET the thing, and send its ETag as If-Match; If-Match: * overwrites.")


def _failed(detail: str, current: Optional[str]) -> Problem:
    headers = {"ETag": current} if current else {}
    return Problem(412, "", detail, "GET it, and repeat the change on its present version.", headers=headers)
