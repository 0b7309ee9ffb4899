"""A search and what it must give, worked out without any SPL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.analysts.world import World

Rows = list[list[Any]]


@dataclass(frozen=True)
class Case:
    """``oracle`` gives the rows; ``ordered`` says whether the search fixes their order."""

    name: str
    search: str
    columns: list[str]
    oracle: Callable[[World], Rows]
    ordered: bool = True
    earliest: str = ""
    latest: str = ""


class Cases(list[Case]):
    def add(
        self, search: str, columns: str, *, ordered: bool = True, earliest: str = "", latest: str = ""
    ) -> Callable[[Callable[[World], Rows]], Callable[[World], Rows]]:
        """Decorate an oracle with its search; ``columns`` are separated by blanks."""

        def register(oracle: Callable[[World], Rows]) -> Callable[[World], Rows]:
            self.append(Case(oracle.__name__, search, columns.split(), oracle, ordered, earliest, latest))
            return oracle

        return register


def median(values: list[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def stdev(values: list[float]) -> float:
    """Of a sample, as Splunk's stdev."""
    mean = sum(values) / len(values)
    return float((sum((v - mean) ** 2 for v in values) / (len(values) - 1)) ** 0.5)


def groups(rows: list[dict[str, Any]], *names: str) -> dict[Any, list[dict[str, Any]]]:
    """Rows by the values of these fields (a tuple when there are several), in the order of first sight."""
    found: dict[Any, list[dict[str, Any]]] = {}
    for row in rows:
        key = tuple(row.get(name) for name in names)
        found.setdefault(key[0] if len(names) == 1 else key, []).append(row)
    return found
