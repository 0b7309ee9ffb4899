"""Two public rules for templating, written anew from their descriptions.

``ten_siblings``  numbers, UUIDs and object ids are parameters; other segments when more than ten paths of one method
                  and length differ there alone (Akto: ``STRING_MERGING_THRESHOLD = 10``)
``digits``        numbers, UUIDs, and segments of at least eight characters with three digits (APIClarity's speculator)
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

Path = tuple[str, tuple[str, ...]]  # method and segments

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}")
THRESHOLD = 10


def digits(paths: Iterable[Path]) -> dict[Path, tuple[str, ...]]:
    """Return each path's skeleton."""
    return {path: tuple("{}" if _suspect(segment) else segment for segment in path[1]) for path in paths}


def _suspect(segment: str) -> bool:
    if _NUMBER.fullmatch(segment) or _UUID.fullmatch(segment):
        return True
    return len(segment) >= 8 and sum(c.isdigit() for c in segment) >= 3


def ten_siblings(paths: Iterable[Path]) -> dict[Path, tuple[str, ...]]:
    """Return each path's skeleton."""
    first = {path: tuple("{}" if _instant(s) else s for s in path[1]) for path in paths}
    groups: dict[tuple[str, int, tuple[str, ...]], set[str]] = defaultdict(set)
    known = {(path[0], segments) for path, segments in first.items()}
    for method, segments in known:
        for at in range(len(segments)):
            groups[method, at, (*segments[:at], "", *segments[at + 1 :])].add(segments[at])
    merged = {key for key, values in groups.items() if len(values) > THRESHOLD}
    found = {}
    for path, segments in first.items():
        shown = list(segments)
        for at in range(len(segments)):
            if (path[0], at, (*segments[:at], "", *segments[at + 1 :])) in merged:
                shown[at] = "{}"
                break  # one position differs, as in the rule
        found[path] = tuple(shown)
    return found


def _instant(segment: str) -> bool:
    return bool(_NUMBER.fullmatch(segment) or _UUID.fullmatch(segment) or _OBJECT_ID.fullmatch(segment))


PEERS = {"10 similar siblings": ten_siblings, "number, UUID, digits": digits}
