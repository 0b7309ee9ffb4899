"""Scraping: reading through what is there, object by object or page by page.

Crawlers that are welcome do so for as long as they are known (their own habit), staff and migrations read much in one
go (volume alone is never a finding). Who scrapes does hardly anything else than read: the share of one operation in all
that it does (``monotony``) is what people, who look around, do not show. Many who each read a little, and nothing else,
are as monotonous each, and are counted by operation (``narrow``).
"""

from __future__ import annotations

from collections.abc import Mapping

from apisec.abuse.base import PRINCIPAL_OPERATION, Context
from apisec.abuse.counting import (
    UNKNOWN,
    VOLUME_CAP,
    Claim,
    CountingFamily,
    Total,
    Weighed,
    monotony,
    volume,
)
from apisec.abuse.tally import Counted

NARROW = 2.0  # decades of monotony from which a principal counts as narrow
LEAST_NARROW = 4  # different objects
LEAST_VOLUME = 0.7  # decades of volume without which monotony says nothing
MONOTONY_CAP = 6.0
LEAST_MONOTONY = 2.0  # decades: less is how people differ


def reads(operation: str) -> bool:
    """Whether an operation reads: GET, HEAD, or what a body asks for by name (GraphQL)."""
    return operation.startswith(("GET ", "HEAD ")) or len(operation.split(" ")) > 2


class Scraping(CountingFamily):
    name = "scraping"
    claims = (
        Claim(
            "objects", "objects", "different objects", PRINCIPAL_OPERATION, least=8, group="width", example="object",
            cap=VOLUME_CAP,
        ),
        Claim("all_objects", "objects", "different objects", least=12, group="width", example="object", cap=VOLUME_CAP),
        volume("records", "records", "records", PRINCIPAL_OPERATION, least=100, group="width"),
    )  # fmt: skip
    totals = (Total("total", "narrow", "principals that read nothing else", least=5, example="object"),)
    further = ("monotony",)

    def mark(self, counted: Counted, context: Context) -> None:
        service = counted.row.service
        for name, counts in list(counted.by_operation.items()):
            if not reads(name) or not counts.get("objects"):
                continue
            trail = counted.part.operations.get(name)
            if trail is None or trail.sums("objects")[1] < LEAST_NARROW or trail.sums("narrow")[1]:
                continue
            if monotony(context, service, name, counted) >= NARROW:
                counted.mark(name, "narrow", 1)

    def beside(self, counted: Counted, context: Context, lead: Weighed) -> Mapping[str, float]:
        if lead.feature != "objects" or lead.basis == UNKNOWN or lead.decades < LEAST_VOLUME:
            return {}
        if not reads(lead.operation):
            return {}
        found = min(MONOTONY_CAP, monotony(context, counted.row.service, lead.operation, counted))
        return {"monotony": found} if found >= LEAST_MONOTONY else {}
