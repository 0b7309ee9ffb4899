"""Scraping: reading through what is there, object by object or page by page.

Crawlers that are welcome do so for as long as they are known (their own habit), staff and migrations read much in one
go (volume alone is never a finding). Who scrapes does hardly anything else than read: the share of one operation in all
that it does (``monotony``) is what people, who look around, do not show. Many who each read a little, and nothing else,
are as monotonous each, and are counted by operation (``narrow``).
"""

from __future__ import annotations

from collections.abc import Mapping

from apisec.abuse import narrow
from apisec.abuse.base import PRINCIPAL_OPERATION, Context, Window
from apisec.abuse.counting import UNKNOWN, CountingFamily, Total, Weighed, volume
from apisec.abuse.tally import Counted

LEAST_NARROW = 4  # different objects, or ids given
LEAST_VOLUME = 0.7  # decades of volume without which monotony says nothing


def reads(operation: str) -> bool:
    """Whether an operation reads: GET, HEAD, or what a body asks for by name (GraphQL)."""
    return operation.startswith(("GET ", "HEAD ")) or len(operation.split(" ")) > 2


class Scraping(CountingFamily):
    name = "scraping"
    claims = (
        volume(
            "objects", "objects", "different objects", PRINCIPAL_OPERATION, least=8, group="width", example="object"
        ),
        volume(
            "given", "given", "ids that nothing had given to it before", PRINCIPAL_OPERATION, least=50, group="width"
        ),
        volume("all_objects", "objects", "different objects", least=12, group="width", example="object"),
    )  # fmt: skip
    totals = (Total("total", "narrow", "principals that read nothing else", least=5, example="object"),)
    further = ("monotony",)

    def mark(self, counted: Counted, context: Context) -> None:
        for name, counts in list(counted.by_operation.items()):
            if not reads(name) or not (counts.get("objects") or counts.get("given")):
                continue
            trail = counted.part.operations.get(name)
            if trail is None or trail.sums("narrow")[1]:
                continue
            if max(trail.sums("objects")[1], trail.sums("given")[1]) < LEAST_NARROW:
                continue
            if narrow.narrowness(context, name, counted) > 0.0 and not narrow.is_own(context, name, counted):
                counted.mark(name, "narrow", 1)

    def beside(self, counted: Counted, context: Context, lead: Weighed) -> Mapping[str, float]:
        if not lead.operation or lead.basis == UNKNOWN or lead.decades < LEAST_VOLUME or not reads(lead.operation):
            return {}
        if narrow.is_own(context, lead.operation, counted):
            return {}
        return {"monotony": narrow.narrowness(context, lead.operation, counted)}

    def learn(self, window: Window, context: Context) -> None:
        narrow.learn(window, context)
