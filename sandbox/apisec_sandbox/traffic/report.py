"""What a run leaves behind: planted values, counts, and a table of them for people."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO

from apisec_sandbox.traffic.actors import Actor
from apisec_sandbox.traffic.calls import Call, Plant, Reply

MAX_PLANTED = 2_000_000  # distinct records kept to write each one once


def dump(value: dict[str, Any]) -> str:
    """Return one JSON line; UTF-8 as it is, so that planted values can be searched for."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


class Planted:
    """Writes each sensitive value once per place: ``{"value", "class", "where"}``; ``file`` None only counts."""

    def __init__(self, file: TextIO | None, *, flush: bool = False) -> None:
        """``flush``: every record is in the file when ``add`` returns, so that a killed run has lost none."""
        self._file, self._flush = file, flush
        self._known: set[tuple[str, str, str]] = set()
        self.by_class: Counter[str] = Counter()

    def add(self, plants: Iterable[Plant]) -> None:
        for plant in plants:
            key = (plant.value, plant.data_class, plant.where)
            if not plant.value or key in self._known or len(self._known) >= MAX_PLANTED:
                continue
            self._known.add(key)
            self.by_class[plant.data_class] += 1
            if self._file:
                self._file.write(dump({"value": plant.value, "class": plant.data_class, "where": plant.where}))
        if self._file and self._flush:
            self._file.flush()


@dataclass
class Row:
    """Counts of one persona, or of one attack."""

    requests: int = 0
    refused: int = 0
    errors: int = 0  # no answer came
    statuses: Counter[str] = field(default_factory=Counter)  # by class: 2xx …
    actors: set[str] = field(default_factory=set)
    operations: set[str] = field(default_factory=set)

    def add(self, actor: str, call: Call, reply: Reply) -> None:
        self.requests += 1
        self.refused += reply.refused
        self.errors += reply.status == 0
        self.statuses[f"{reply.status // 100}xx"] += 1
        self.actors.add(actor)
        self.operations.add(call.operation)

    def document(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "actors": len(self.actors),
            "refused": self.refused,
            "errors": self.errors,
            "statuses": dict(sorted(self.statuses.items())),
        }


class Tally:
    """Counts of a run: ordinary requests by persona, attack requests by attack."""

    def __init__(self) -> None:
        self.ordinary: dict[str, Row] = {}
        self.attacks: dict[str, Row] = {}
        self.requests = 0

    def add(self, actor: Actor, call: Call, reply: Reply) -> None:
        self.requests += 1
        group, key = (self.attacks, call.attack) if call.attack else (self.ordinary, actor.persona)
        group.setdefault(key, Row()).add(actor.name, call, reply)

    def document(self) -> dict[str, Any]:
        """Return the summary: totals, then one object per persona and per attack."""

        def total(rows: Iterable[Row], name: str) -> int:
            return sum(getattr(row, name) for row in rows)

        ordinary, attacks = self.ordinary.values(), self.attacks.values()
        return {
            "requests": self.requests,
            "ordinary_requests": total(ordinary, "requests"),
            "ordinary_refused": total(ordinary, "refused"),
            "ordinary_server_errors": sum(row.statuses["5xx"] for row in ordinary),
            "attack_requests": total(attacks, "requests"),
            "attack_refused": total(attacks, "refused"),
            "errors": total(ordinary, "errors") + total(attacks, "errors"),
            "operations": len(set().union(*(row.operations for row in (*ordinary, *attacks)))),
            "ordinary": {name: row.document() for name, row in sorted(self.ordinary.items())},
            "attacks": {name: row.document() for name, row in sorted(self.attacks.items())},
        }


COLUMNS = ("who", "actors", "requests", "2xx", "4xx", "5xx", "no answer", "refused")


def _cells(name: str, row: Row) -> tuple[str, ...]:
    statuses = (str(row.statuses[status]) for status in ("2xx", "4xx", "5xx"))
    return (name, str(len(row.actors)), str(row.requests), *statuses, str(row.errors), str(row.refused))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = zip(cells, widths, strict=True)
    return "  ".join((first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)))


def table(tally: Tally) -> str:
    """Return the counts as aligned text."""
    rows = [_cells(name, row) for name, row in sorted(tally.ordinary.items())]
    rows += [_cells(f"attack: {name}", row) for name, row in sorted(tally.attacks.items())]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    return "\n".join(_line(cells, widths) for cells in (COLUMNS, *rows))


class Meter:
    """One line of progress on a terminal, rewritten at most ten times a second."""

    def __init__(self, stream: TextIO, total: float, unit: str) -> None:
        self._stream, self._total, self._unit = stream, total, unit
        self._live = stream.isatty()
        self._shown = -1.0

    def show(self, done: float, clock: float, tally: Tally) -> None:
        """``done`` of ``total``; ``clock`` is monotonic seconds, to limit the rate."""
        if self._live and clock - self._shown >= 0.1:
            self._shown = clock
            share = min(1.0, done / self._total) if self._total else 1.0
            bar = "#" * int(share * 24)
            text = f"\r[{bar:<24}] {done:,.0f}/{self._total:,.0f} {self._unit}  {tally.requests:,} requests"
            self._stream.write(text)
            self._stream.flush()

    def close(self) -> None:
        if self._live:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
