"""Flooding: more requests than a principal has reason for, or than the service takes.

Load grows, marketing brings bursts, integrations run round the clock: each principal is judged against its peers and
its own habit. Volume alone is never a finding, for a migration and a new monitor look no different. A flood repeats
itself where work proceeds: it asks for one thing again and again (``monotony``), gets nothing new by it, and takes
what the whole service takes in its busiest hours (``load``), or asks at a rate far beyond the fastest of all others
here (``rate``), for as much as is asked for in those hours. And what the service itself refuses as too much is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from apisec.abuse import narrow
from apisec.abuse.base import PRINCIPAL_OPERATION, SERVICE, Context, Window
from apisec.abuse.counting import CountingFamily
from apisec.abuse.load import Arrivals, Load
from apisec.abuse.rewriting import rewrites
from apisec.abuse.tally import Counted
from apisec.abuse.weighing import UNKNOWN, Claim, Total, Weighed, figure, volume

LEAST_SINGLE = 8  # requests of one operation in an hour, by somebody who does nothing else
LEAST_VOLUME = 2.0  # decades of volume without which nothing beside it counts
LEAST_RATE, RATE_CAP = 2.0, 2.0  # decades of the rate: what volume says already, and what it says at most beyond


class Flooding(CountingFamily):
    name = "flooding"
    claims = (
        volume("requests", "requests", "requests", least=60, group="volume"),
        volume("operation", "requests", "requests", PRINCIPAL_OPERATION, least=40, group="volume"),
        volume(
            "busy", "response_time", "milliseconds of the service's time", PRINCIPAL_OPERATION, least=5_000,
            group="volume",
        ),
        Claim("throttled", "s429", "requests over a limit (429)", example="failure"),
    )  # fmt: skip
    totals = (
        Total("total", "s429", "requests over a limit (429)", example="failure"),
        Total("total_single", "single", "principals that repeat one request", least=5),
    )
    further = ("load", "monotony", "rate")

    def mark(self, counted: Counted, context: Context) -> None:
        for name, counts in list(counted.by_operation.items()):
            futile = narrow.futility(counted, name)
            counted.mark(name, narrow.AGAIN, futile * (counts.get("requests", 0.0) - _failed(counted, name)))
            trail = counted.part.operations.get(name)
            before = trail.sums("requests")[0] if trail is not None else 0.0
            if before + counts.get("requests", 0.0) < LEAST_SINGLE or (trail is not None and trail.sums("single")[1]):
                continue
            if futile > 0.0 and narrow.narrowness(context, name, counted, marking=True) > 0.0:
                counted.mark(name, "single", 1)

    def beside(self, counted: Counted, context: Context, lead: Weighed) -> Mapping[str, float]:
        operation = lead.operation or self._main_operation(counted, lead)
        trail = counted.part.operations.get(operation)
        if trail is None or lead.decades < LEAST_VOLUME or lead.basis == UNKNOWN or rewrites(counted):
            return {}
        futile = narrow.futility(counted, operation)
        arrivals = context.peek(SERVICE, (counted.row.service,), Arrivals)
        felt = arrivals.decades(trail.sums(narrow.AGAIN)[0]) if arrivals else 0.0
        load = context.peek(SERVICE, (counted.row.service,), Load)
        heavy = futile * (load.decades(trail.sums("response_time")[0]) if load else 0.0)
        features = {}
        if felt > 0.0:
            features["rate"] = min(RATE_CAP, max(0.0, narrow.haste(context, operation, counted)[0] - LEAST_RATE))
        if narrow.is_known(context, operation, counted):
            # A page that asks for the same each second is monotonous too: without load it is no flood.
            features["load"] = heavy
            features["monotony"] = min(heavy, futile * narrow.narrowness(context, operation, counted))
        return features

    def words(self, counted: Counted, context: Context, operation: str, features: Mapping[str, float]) -> Sequence[str]:
        said = [narrow.words(counted, operation)] if features.get("monotony") else []
        if features.get("load"):
            spent = counted.part.operations[operation].sums("response_time")[0] / 1000.0
            said.append(f"{figure(spent)} seconds of the service's time in an hour, as much as in its busiest hours")
        if features.get("rate"):
            _, seen, usual = narrow.haste(context, operation, counted)
            words = f"{figure(seen)} requests of {operation} in five minutes that gave nothing new"
            said.append(f"{words}; three in four others never sent more than {figure(usual)}")
        return said

    def learn(self, window: Window, context: Context) -> None:
        for service, rows in window.by_service.items():
            spent = sum(used.response_time for row in rows for used in row.operations.values())
            context.part(SERVICE, (service,), Load).take(context.now_slot, spent)
            context.part(SERVICE, (service,), Arrivals).take(context.now_slot, sum(row.requests for row in rows))


def _failed(counted: Counted, operation: str) -> float:
    """Return how many requests the service could not answer: software tries those again by itself."""
    found = (used.statuses for _, name, used in counted.used() if name == operation)
    return float(sum(count for statuses in found for status, count in statuses.items() if status >= 500))
