"""Text to events: LINE_BREAKER, TRUNCATE, and the merging of lines.

Source: Getting Data In, "Configure event line breaking"; props.conf.spec, "Line breaking".
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

LOG = logging.getLogger("apisec_sandbox.parsing")


@dataclass(frozen=True)
class LineRules:
    """Settings of props.conf that concern lines; patterns are spl.pcre.Pattern."""

    breaker: Any
    truncate: int = 10_000  # bytes; 0: never
    merge: bool = True
    before_date: bool = True
    before: Any = None
    after: Any = None
    not_after: Any = None
    not_before: Any = None
    max_lines: int = 256

    def events(self, text: str, has_time: Callable[[str], bool]) -> Iterator[str]:
        """Break the text into events; empty ones are dropped."""
        lines = self._lines(text)
        if self.merge:
            lines = self._merged(lines, has_time)
        for line in lines:
            if line.strip():
                yield line

    def _lines(self, text: str) -> Iterator[str]:
        """What stands between the matches; the first group is thrown away, what is around it stays."""
        start = 0
        if self.breaker is not None:
            for match in self.breaker.finditer(text):
                stop, following = match.span(1) if match.re.groups else match.span()
                if following <= start and following != stop:
                    continue
                if stop > start:
                    yield self._cut(text[start:stop])
                start = max(start, following)
        if start < len(text):
            yield self._cut(text[start:].rstrip("\r\n"))

    def _cut(self, line: str) -> str:
        if not self.truncate or len(line) * 4 <= self.truncate:
            return line
        raw = line.encode("utf-8", "replace")
        if len(raw) <= self.truncate:
            return line
        LOG.warning("a line of %d bytes is cut at TRUNCATE = %d", len(raw), self.truncate)
        return raw[: self.truncate].decode("utf-8", "ignore")

    def _merged(self, lines: Iterable[str], has_time: Callable[[str], bool]) -> Iterator[str]:
        held: list[str] = []
        bound = False  # MUST_NOT_BREAK_AFTER matched: only MUST_BREAK_AFTER ends the event
        for line in lines:
            if held and (len(held) >= self.max_lines or self._ends(held[-1]) or self._starts(line, bound, has_time)):
                yield "\n".join(held)
                held, bound = [], False
            held.append(line)
            bound = bound or (self.not_after is not None and self.not_after.search(line) is not None)
        if held:
            yield "\n".join(held)

    def _ends(self, line: str) -> bool:
        return self.after is not None and self.after.search(line) is not None

    def _starts(self, line: str, bound: bool, has_time: Callable[[str], bool]) -> bool:
        if bound or (self.not_before is not None and self.not_before.search(line)):
            return False
        if self.before is not None and self.before.search(line):
            return True
        return self.before_date and has_time(line)
