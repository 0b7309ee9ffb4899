"""Keeping an operation's document small: what is worth least goes first, and ``fields_dropped`` says that some went."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Dict, Tuple

if TYPE_CHECKING:
    from apisec.endpoints.inventory.inventory import Inventory
    from apisec.endpoints.inventory.operation import OperationStats

MAX_DOCUMENT = 200_000  # bytes of JSON: far below the KV store's 16 MB, so that thousands are read in one search

Step = Callable[["OperationStats"], None]


def _close_words(stats: OperationStats) -> None:
    for _, message in stats.messages():
        for shape in message.shapes.values():
            shape.words = None


def _fewer_asked(stats: OperationStats) -> None:
    stats.asked.keep(16)


def _fewer_hours(stats: OperationStats) -> None:
    hours = stats.timing.hours
    for hour in sorted(hours)[:-24]:
        del hours[hour]


def _fields(limit: int) -> Step:
    def step(stats: OperationStats) -> None:
        for _, message in stats.messages():
            message.fields.keep(limit)
            for key in [key for key in message.shapes if key not in message.fields.stats]:
                del message.shapes[key]

    return step


STEPS: Tuple[Step, ...] = (
    _close_words,
    _fewer_asked,
    _fewer_hours,
    *(_fields(limit) for limit in (200, 100, 50, 25, 12, 6)),
)


def fitted(part: Inventory, document_of: Callable[[Inventory], Dict[str, Any]]) -> Dict[str, Any]:
    """Return the document of an inventory of one operation, which loses parts until the document is small enough."""
    document = document_of(part)
    for step in STEPS:
        if len(json.dumps(document)) <= MAX_DOCUMENT:
            break
        for stats in part.operations():
            step(stats)
        document = document_of(part)
    return document
