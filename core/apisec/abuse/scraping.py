"""Scraping: reading through what is there, object by object or page by page.

Crawlers that are welcome do so for as long as they are known (their own habit), staff and migrations read much in one
go (volume alone is never a finding). Who scrapes does hardly anything else than read: the share of one operation in all
that it does (``monotony``) is what people, who look around, do not show. Many who each read a little, and nothing else,
are as monotonous each, and are counted by operation (``narrow``), as are many who each read a little more than people
do (``wide``).

People also come back to what they know, and meet again what is popular: who asks for hundreds of things and none twice
goes through a collection (``walk``), at whatever pace. And scraping takes what is for everybody. Of what few hold desks
and auditors read much, and nothing else; whether they may is asked by other families.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from apisec.abuse import harvest, narrow, sharing
from apisec.abuse.base import PRINCIPAL_OPERATION, SLOTS_PER_DAY, Context, Window
from apisec.abuse.counting import CountingFamily
from apisec.abuse.tally import Counted
from apisec.abuse.weighing import UNKNOWN, VOLUME_CAP, Claim, Total, Weighed, figure
from apisec.sequences.steps import reads

LEAST_NARROW = 4  # different objects, or ids given
LEAST_WIDE, WIDE = 8, 0.02  # different objects in a day, and the chance of so many by one of ordinary ones
HABIT = "own habit"  # basis of an expectation: a crawler that is known does nothing else either
LEAST_VOLUME = 0.7  # decades of volume without which monotony says nothing
WALK_CAP = HARVEST_CAP = 4.0  # decades: they are volume, too
FOUNDING_SLOTS = 8 * SLOTS_PER_DAY  # what comes every other day has no habit before a week is over
FOUNDERS_SLOTS, FOUNDING_SHARE = SLOTS_PER_DAY * 5 // 4, 0.7  # it comes within, and has done nothing else


class Scraping(CountingFamily):
    name = "scraping"
    # Over seven days too: the slow ones are no faster than people, but go on.
    claims = (
        Claim(
            "objects", "objects", "different objects", PRINCIPAL_OPERATION, least=8, group="width", example="object",
            cap=VOLUME_CAP,
        ),
        Claim(
            "given", "given", "ids that nothing had given to it before", PRINCIPAL_OPERATION, least=50, group="width",
            cap=VOLUME_CAP,
        ),
        Claim(
            "all_objects", "objects", "different objects", least=12, group="width", example="object", cap=VOLUME_CAP
        ),
    )  # fmt: skip
    totals = (
        Total("total", "narrow", "principals that read nothing else", least=5, example="object"),
        # A sale makes many read more than usual: volume again.
        Total("total_wide", "wide", "principals that read more than others", least=5, example="object", cap=VOLUME_CAP),
    )
    further = ("monotony", "walk", "harvest")

    def mark(self, counted: Counted, context: Context) -> None:
        sharing.mark(counted, context)
        narrow.mark_opened(counted)
        for name in list(counted.by_operation):
            trail = counted.part.operations.get(name)
            if trail is None or not reads(name) or narrow.is_own(context, name, counted):
                continue
            counts = counted.by_operation[name]
            objects, given = (trail.sums(counter)[1] + counts.get(counter, 0.0) for counter in ("objects", "given"))
            if max(objects, given) < LEAST_NARROW:
                continue
            if not trail.sums("narrow")[1] and _reads_alone(counted, context, name):
                counted.mark(name, "narrow", 1)
            if objects >= LEAST_WIDE and not trail.sums("wide")[1]:
                key = (counted.row.service, name, counted.row.principal)
                tail = context.expectations.tail("objects", PRINCIPAL_OPERATION, key, "1d", context.now_slot, objects)
                if tail.basis != UNKNOWN and tail.p <= WIDE:
                    counted.mark(name, "wide", 1)

    def beside(self, counted: Counted, context: Context, lead: Weighed) -> Mapping[str, float]:
        operation = lead.operation or self._main_operation(counted, lead)
        trail = counted.part.operations.get(operation)
        if trail is None or lead.basis == UNKNOWN or lead.decades < LEAST_VOLUME or not reads(operation):
            return {}
        if lead.basis == HABIT or narrow.is_own(context, operation, counted):
            return {}
        if _is_founder(counted, context, operation) or sharing.is_private(context, operation, counted):
            return {}
        # Who opens each thing several times is somebody who looks at it, not who takes it.
        proceeds = narrow.progress(counted, operation)
        monotony = proceeds * narrow.narrowness(context, operation, counted)
        # What follows measures the same in other ways, and counts as far as it says more.
        walk = max(0.0, min(WALK_CAP, narrow.walked(context, operation, counted)[0]) - lead.decades)
        gain = proceeds * min(HARVEST_CAP, harvest.harvested(context, operation, counted)[0])
        return {"monotony": monotony, "walk": walk, "harvest": max(0.0, gain - monotony - walk)}

    def words(self, counted: Counted, context: Context, operation: str, features: Mapping[str, float]) -> Sequence[str]:
        said = [narrow.words(counted, operation)] if features.get("monotony") else []
        if features.get("walk"):
            seen = narrow.walked(context, operation, counted)[1]
            said.append(f"{figure(seen)} different things of {operation} in seven days, and hardly one again")
        if features.get("harvest"):
            _, things, others = harvest.harvested(context, operation, counted)
            words = f"{figure(things)} different things of {operation} in seven days"
            said.append(f"{words}, and {figure(others)} requests for anything but them and what names them")
        return said

    def learn(self, window: Window, context: Context) -> None:
        narrow.learn(window, context)
        sharing.learn(window, context)
        for key in window.by_principal:
            harvest.learn(context.tally.principals[key], context)


def _reads_alone(counted: Counted, context: Context, operation: str) -> bool:
    """Whether the principal hardly does anything else; the window is not in the trails yet."""
    if narrow.narrowness(context, operation, counted, marking=True) > 0.0:
        return True
    return harvest.stands_out(context, operation, counted)


def _is_founder(counted: Counted, context: Context, operation: str) -> bool:
    """Whether a young service knows the principal from its first day on, and (until an hour ago) by nothing else."""
    age = context.age(counted.row.service)
    if age >= FOUNDING_SLOTS or age - counted.age >= FOUNDERS_SLOTS:
        return False
    hits, trials = (trail.sums("requests") for trail in (counted.part.operations[operation], counted.part.total))
    return hits[2] - hits[0] >= FOUNDING_SHARE * (trials[2] - trials[0])
