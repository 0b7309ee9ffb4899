"""Excess data: more in one response, of more owners, or more classified values, than a principal has reason for.

Exports and migrations move much, and volume alone is never a finding. What an application asks for has an upper end
that its clients share (``extremes``): who raises the limit, expands what is nested or selects all fields gets responses
that no other client of the operation does (``size``, and how often: ``oversize``). Lists of one's own name one owner;
who is given the records of others gets many (``owners``), by one large page or by many small ones. A migration writes
to what it was given, and takes what it takes for that.
"""

# ruff: noqa: ARG002 - every family takes what the protocol gives
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Dict, NamedTuple, Tuple

from apisec.abuse import narrow
from apisec.abuse.base import OPERATION, PRINCIPAL_OPERATION, Context, Window, decades
from apisec.abuse.counting import CountingFamily
from apisec.abuse.doors import names_accounts
from apisec.abuse.extremes import Extremes
from apisec.abuse.rewriting import rewrites
from apisec.abuse.tally import Counted
from apisec.abuse.weighing import Claim, Total, Weighed, figure, volume
from apisec.activity import OTHER
from apisec.activity.hashing import value_hash32

if TYPE_CHECKING:
    from apisec.activity import OperationActivity

OUT_OF_LINE = 3.0  # decades from which on a row's responses are counted
TWICE = 2.0  # what is less than twice the usual is no other way of asking, however alike the others are
SIZE_CAP, OWNERS_CAP = 4.0, 4.0
REPEATED_CAP = 2.0  # decades that it says at most that it came again
ALONGSIDE = 1.0  # decades that size and volume say beside each other: large responses make volume, and come again
DATA = "data"  # the group of claims about it
BYTES, RECORDS, VALUES, OWNERS = "bytes", "records", "values", narrow.OWNERS
REQUESTS = "requests"  # in seven days: how many responses the largest is one of
# A difference that says nothing, and the words.
MEASURES: Dict[str, Tuple[float, str]] = {
    BYTES: (1024.0, "bytes in one response"),
    RECORDS: (10.0, "records in one response"),
    VALUES: (20.0, "classified values in one response"),
    OWNERS: (3.0, "owners of what its lists gave"),
}


class Large(NamedTuple):
    """One measure of what an operation gave a principal in a row; ``decades`` says how unusual it is."""

    decades: float
    measure: str
    operation: str
    seen: float
    usual: float

    @property
    def reason(self) -> str:
        words = f"{figure(self.seen)} {MEASURES[self.measure][1]} of {self.operation}"
        return f"{words}; three in four principals get at most {figure(self.usual)}"


class ExcessData(CountingFamily):
    name = "excess_data"
    claims = (
        Claim(
            "oversize", "oversize", "times larger responses than others get", PRINCIPAL_OPERATION, least=3,
            group=DATA, example="large", cap=REPEATED_CAP,
        ),
        Claim(
            "strangers", "strangers", "times records of more owners than others get", PRINCIPAL_OPERATION, least=3,
            example="large", cap=REPEATED_CAP,
        ),
        volume(
            "sensitive", "sensitive", "classified values", PRINCIPAL_OPERATION, least=100, group=DATA, example="large"
        ),
        volume("bytes", "bytes", "bytes", PRINCIPAL_OPERATION, least=100_000, group=DATA, example="large"),
    )  # fmt: skip
    totals = (
        Total("total", "oversize", "times larger responses than others get", example="large"),
        Total("total_owners", "strangers", "times records of more owners than others get", example="large"),
    )
    further = ("size", "owners")

    def mark(self, counted: Counted, context: Context) -> None:
        for name, found in _out_of_line(counted, context, marking=True).items():
            if OWNERS in found:
                counted.mark(name, "strangers", 1)
            if len(found) > (OWNERS in found):
                counted.mark(name, "oversize", 1)

    def beside(self, counted: Counted, context: Context, lead: Weighed) -> Mapping[str, float]:
        features: Dict[str, float] = {}
        for found in _out_of_line(counted, context).values():
            for measure, large in found.items():
                feature, cap = ("owners", OWNERS_CAP) if measure == OWNERS else ("size", SIZE_CAP)
                features[feature] = max(features.get(feature, 0.0), min(cap, large.decades))
        size = features.get("size", 0.0)
        if size and lead.feature in _DATA:
            together = max(size, lead.decades) + min(size, lead.decades, ALONGSIDE)
            features["size"] = together - lead.decades
        return features

    def words(self, counted: Counted, context: Context, operation: str, features: Mapping[str, float]) -> Sequence[str]:
        if not features.keys() & {"size", "owners"}:
            return ()
        out_of_line = _out_of_line(counted, context).values()
        return [large.reason for found in out_of_line for large in sorted(found.values(), reverse=True)][:3]

    def learn(self, window: Window, context: Context) -> None:
        for (service, name), uses in window.by_operation.items():
            if name == OTHER:
                continue
            extremes = context.part(OPERATION, (service, name), Extremes)
            for row, used in uses:
                principal = value_hash32(row.principal)
                trail = context.tally.principals[(service, row.principal)].part.operations.get(name)
                if trail is not None:
                    extremes.take(REQUESTS, principal, trail.sums("requests")[2])
                for measure, most in _measured(used):
                    extremes.take(measure, principal, most)


_DATA = frozenset(claim.feature for claim in ExcessData.claims if claim.group == DATA)


def _measured(used: OperationActivity) -> Iterator[Tuple[str, float]]:
    """Yield by measure the most of one response (owners: of the row)."""
    if used.requests > used.failures:
        yield BYTES, used.largest_out
        if used.largest_records:
            yield RECORDS, used.largest_records
        if used.largest_sensitive:
            yield VALUES, used.largest_sensitive
        if used.owners:
            yield OWNERS, used.owners.count


def _looks(counted: Counted, operation: str, extremes: Extremes) -> float:
    """Return how many times as many responses as others a principal got: the largest of many is larger."""
    trail = counted.part.operations.get(operation)
    return trail.sums("requests")[2] / max(1.0, extremes.usual(REQUESTS, 1.0)) if trail else 1.0


def _out_of_line(counted: Counted, context: Context, marking: bool = False) -> Dict[str, Dict[str, Large]]:
    """Return by operation and measure what hardly any other principal gets."""
    service, principal = counted.row.service, value_hash32(counted.row.principal)
    found: Dict[str, Dict[str, Large]] = {}
    if rewrites(counted, marking):
        return found
    for _, name, used in counted.used():
        extremes = context.peek(OPERATION, (service, name), Extremes)
        if extremes is None or names_accounts(context, service, name, used):  # a login is no list
            continue
        for measure, most in _measured(used):
            grain = MEASURES[measure][0]
            p_value, usual = extremes.tail(measure, most, grain, principal), extremes.usual(measure, grain)
            if decades(p_value) < OUT_OF_LINE or most < TWICE * usual:
                continue
            said = decades(p_value, _looks(counted, name, extremes))
            if said >= OUT_OF_LINE:
                if measure != OWNERS and _may_be_large(counted, context, name):
                    continue
                large = Large(said, measure, name, most, usual)
                known = found.setdefault(name, {}).get(measure)
                found[name][measure] = max(large, known) if known else large
    return found


def _may_be_large(counted: Counted, context: Context, operation: str) -> bool:
    """Whether responses of the window hold nobody else's: then they are as large as what is there.

    A list of what belongs to one is no catalogue, however many public things its records refer to; and of a large
    response, which is cut, the owners may not be seen.
    """
    if narrow.is_own(context, operation, counted):
        return True
    return not narrow.names_few(context, operation, counted) and narrow.is_nobodys(context, operation, counted)
