"""Reads parts of documents strictly: every fault is noted with its place, so that one run tells all of them."""

from __future__ import annotations

import re
from typing import Any, Dict, Iterable, List, Mapping, Optional, Pattern, Tuple

from apisec.errors import DocumentError, did_you_mean
from apisec.patterns import spans

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
MAX_TEXT = 1_000  # characters of a text for people


class Reading:
    """One document being read; ``problems`` are lines such as ``ownership.team: is missing``."""

    def __init__(self) -> None:
        self.problems: List[str] = []

    def add(self, at: str, message: str) -> None:
        self.problems.append(f"{at}: {message}" if at else message)

    def mapping(self, value: Any, at: str, known: Iterable[str], required: Iterable[str] = ()) -> Dict[str, Any]:
        """Return a mapping with text keys that are all known; an empty one when it is none."""
        if not isinstance(value, Mapping):
            self.add(at, "must be a mapping of keys")
            return {}
        names = tuple(known)
        found: Dict[str, Any] = {}
        for key, item in value.items():
            if key not in names:
                self.add(f"{at}.{key}" if at else str(key), f"unknown key{did_you_mean(str(key), names)}")
            else:
                found[key] = item
        for key in required:
            if found.get(key) is None:
                self.add(f"{at}.{key}" if at else key, "is missing")
        return found

    def text(self, value: Any, at: str, shape: Optional[Pattern[str]] = None, what: str = "") -> str:
        """Return a text in one line, or an empty one where it is absent or wrong."""
        if value is None:
            return ""
        if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT or not value.isprintable():
            self.add(at, f"must be a text of 1 to {MAX_TEXT} characters in one line")
            return ""
        if shape is not None and not shape.fullmatch(value):
            self.add(at, f"must be {what}")
            return ""
        return value.strip()

    def texts(
        self, value: Any, at: str, most: int, shape: Optional[Pattern[str]] = None, what: str = ""
    ) -> Tuple[str, ...]:
        """Return a list of different texts."""
        if value is None:
            return ()
        if not isinstance(value, list) or len(value) > most:
            self.add(at, f"must be a list of at most {most} texts")
            return ()
        found = [self.text(item, f"{at}[{index}]", shape, what) for index, item in enumerate(value)]
        if len(set(found)) < len(found):
            self.add(at, "names one thing twice")
        return tuple(found)

    def whole(self, value: Any, at: str, least: int, most: int) -> int:
        """Return a whole number, or the least one where it is wrong."""
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.add(at, f"must be a whole number from {least} to {most}")
            return least
        return value

    def instant(self, value: Any, at: str) -> float:
        """Return seconds since the epoch of an RFC 3339 time, 0.0 where it is absent or wrong."""
        if value is None:
            return 0.0
        try:
            return spans.instant(value, at)
        except DocumentError as error:
            self.problems.append(str(error))
            return 0.0

    def done(self, where: str) -> None:
        """Raise DocumentError when anything was wrong; each line is led by ``where``."""
        if self.problems:
            raise DocumentError("\n".join(f"{where}: {problem}" for problem in self.problems))
