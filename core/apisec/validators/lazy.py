"""Expressions that are compiled when they are first asked: a process pays for those that its texts meet."""

from __future__ import annotations

import re
from typing import Any, Pattern, cast

_ASKED = ("search", "match", "fullmatch", "finditer", "findall", "sub", "groupindex", "groups")


class _Lazy:
    """Stands for a compiled pattern. Its methods are the compiled pattern's own from the first call on."""

    def __init__(self, pattern: str, flags: int) -> None:
        self.pattern = pattern
        inline = re.IGNORECASE if pattern.startswith("(?i)") else 0  # no other flag leads a pattern here
        self.flags = int(flags | inline | (0 if flags & re.ASCII else re.UNICODE))

    def __getattr__(self, name: str) -> Any:
        if name not in _ASKED:
            raise AttributeError(name)
        compiled = re.compile(self.pattern, self.flags)
        self.__dict__.update({asked: getattr(compiled, asked) for asked in _ASKED})
        return self.__dict__[name]


def lazy(pattern: str, flags: int = 0) -> Pattern[str]:
    """Return an expression that is compiled at its first use. A wrong one raises ``re.error`` only then."""
    return cast("Pattern[str]", _Lazy(pattern, flags))
