"""Media types: what a client accepts, and what it says that it sends."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Tuple

_MAX_HEADER = 2_048
_QUALITY = re.compile(r"q=([01](?:\.\d{0,3})?)\Z", re.ASCII)


def media_type(content_type: str) -> str:
    """Return the media type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def accepts(header: str, offered: Iterable[str]) -> bool:
    """Return whether an Accept header allows one of the media types; an empty one allows all (RFC 9110, 12.5.1)."""
    ranges = [_range(part) for part in header[:_MAX_HEADER].split(",") if part.strip()]
    return not ranges or any(_quality(ranges, media_type(one)) > 0 for one in offered)


def _range(part: str) -> Tuple[str, float]:
    name, *parameters = [piece.strip().lower() for piece in part.split(";")]
    for piece in parameters:
        found = _QUALITY.match(piece)
        if found:
            return name, float(found[1])
    return name, 1.0


def _quality(ranges: Iterable[Tuple[str, float]], offered: str) -> float:
    """Return the quality of the most specific range that fits."""
    best = (0, 0.0)
    for name, quality in ranges:
        rank = 3 if name == offered else 2 if name == offered.partition("/")[0] + "/*" else 1 if name == "*/*" else 0
        best = max(best, (rank, quality)) if rank else best
    return best[1]
