"""Claims about trailing sums, and what they say: a sum against what is ordinary, in decades, with words for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Dict, List, NamedTuple, Optional, Tuple

from apisec.abuse.base import (
    HORIZONS,
    OPERATION,
    PRINCIPAL,
    PRINCIPAL_OPERATION,
    SERVICE,
    SLOTS_PER_DAY,
    SLOTS_PER_HOUR,
    Context,
    Key,
    decades,
)
from apisec.abuse.counters import Trail
from apisec.abuse.lately import Lately
from apisec.abuse.shares import Share, share_tail
from apisec.abuse.tally import SOURCE
from apisec.abuse.traffic import OperationTraffic
from apisec.baselines.counters import HORIZON_INDEX

UNKNOWN = "default"  # basis of an expectation that rests on nothing
UNKNOWN_CAP, UNKNOWN_VOLUME_CAP = 6.0, 3.0  # decades that a claim says at most where no expectation is
SHORT: Tuple[str, ...] = ("1h", "1d")
VOLUME_CAP = 4.0  # decades: volume alone is never a finding (5)
LEAST_EVIDENCE = 1.0  # decades below which nothing is said
LEAST_MEMBERS = 3  # principals of a total
HORIZON_WORDS = {"1h": "in an hour", "1d": "in a day", "7d": "in seven days"}
HORIZON_SLOTS = {"1h": SLOTS_PER_HOUR, "1d": SLOTS_PER_DAY, "7d": 7 * SLOTS_PER_DAY}
_BASIS_WORDS = {
    "own habit": "by its own habit",
    "peers": "by what its peers do",
    "operation": "for this operation",
    "service": "for this service",
    "default": "where nothing is known yet",
}


@dataclass(frozen=True)
class Claim:
    """``unit`` completes "41 …": "failed logins". ``least``: a smaller sum says nothing, however rare."""

    feature: str
    counter: str
    unit: str
    scope: str = PRINCIPAL
    least: float = 2.0
    group: str = ""
    horizons: Tuple[str, ...] = HORIZONS
    of: str = ""  # a counter that it must be an unusual share of, too
    usual: Tuple[float, float] = (0.01, 0.02)  # mean and deviation of that share where nothing is known
    cap: float = 12.0  # decades that it says at most
    example: str = "any"  # kind of the row's examples

    @property
    def unknown(self) -> float:
        """Decades that it says at most while too little is known: nothing ordinary has marks, volume all have."""
        return UNKNOWN_VOLUME_CAP if self.cap <= VOLUME_CAP else UNKNOWN_CAP


def volume(
    feature: str, counter: str, unit: str, scope: str = PRINCIPAL, *, least: float, group: str, example: str = "any"
) -> Claim:
    """Return a claim about volume, which is no finding by itself."""
    return Claim(feature, counter, unit, scope, least, group, SHORT, cap=VOLUME_CAP, example=example)


@dataclass(frozen=True)
class Total:
    """A claim about an operation; ``per``: a counter that it is a share of."""

    feature: str
    counter: str
    unit: str
    per: str = ""
    least: float = 10.0
    horizons: Tuple[str, ...] = ("1h", "1d")
    example: str = "any"
    cap: float = 12.0  # decades that it says at most


class Weighed(NamedTuple):
    decades: float
    seen: float
    expected: float
    basis: str
    horizon: str
    unit: str
    feature: str
    operation: str
    example: str

    @property
    def reason(self) -> str:
        where = f" on {self.operation}" if self.operation else ""
        basis = _BASIS_WORDS.get(self.basis, self.basis)
        words = HORIZON_WORDS[self.horizon]
        return f"{figure(self.seen)} {self.unit} {words}{where}; {figure(self.expected)} expected {basis}"


def figure(value: float) -> str:
    """Return a number as people write it: 1,234, 12.3, 0.04."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.2g}" if value < 10 else f"{value:.1f}"


def weigh(context: Context, claim: Claim, key: Key, trail: Trail, operation: str = "") -> Optional[Weighed]:
    """Return the strongest horizon of a claim, or None when none says anything."""
    sums = trail.sums(claim.counter)
    if sums[-1] < claim.least:  # the longest holds the others
        return None
    best: Optional[Weighed] = None
    for horizon in claim.horizons:
        seen = sums[HORIZON_INDEX[horizon]]
        if seen < claim.least:
            continue
        tail = context.expectations.tail(claim.counter, claim.scope, key, horizon, context.now_slot, seen)
        if tail.p >= 1.0:
            continue
        strength = min(decades(tail.p, len(claim.horizons)), claim.cap)
        if tail.basis == UNKNOWN:
            strength = min(strength, claim.unknown)
        if strength <= 0.0 or (best is not None and strength <= best.decades):
            continue
        if claim.of:
            trials = trail.sums(claim.of)[HORIZON_INDEX[horizon]]
            strength = min(strength, decades(_share_p(context, claim, key, seen, trials), len(claim.horizons)))
        if strength > 0.0 and (best is None or strength > best.decades):
            best = Weighed(
                strength, seen, tail.expected, tail.basis, horizon, claim.unit, claim.feature, operation, claim.example
            )
    return best


def _share_p(context: Context, claim: Claim, key: Key, seen: float, trials: float) -> float:
    """The chance of so large a share of what the principal did, by how the shares of ordinary ones differ."""
    service = key[0].rstrip(SOURCE)
    place: Tuple[str, Key] = (
        (OPERATION, (service, key[1])) if claim.scope == PRINCIPAL_OPERATION else (SERVICE, (service,))
    )
    traffic = context.peek(place[0], place[1], OperationTraffic)
    share = traffic.shares.get(f"{claim.counter}/{claim.of}") if traffic else None
    return share_tail(min(seen, trials), max(trials, 1.0), *(share or Share()).beta(*claim.usual))


def features_of(weighed: Iterable[Weighed], groups: Mapping[str, str]) -> Dict[str, float]:
    """Return features whose sum counts each group once: what is weaker adds what it has beyond, which is nothing."""
    best: Dict[str, float] = {}
    features: Dict[str, float] = {}
    for one in sorted(weighed, key=lambda each: (-each.decades, each.feature)):
        group = groups.get(one.feature) or one.feature
        if group not in best:
            best[group] = one.decades
            features[one.feature] = one.decades
    return features


def weigh_total(
    context: Context, total: Total, key: Key, trail: Trail, contributors: Mapping[str, Lately]
) -> Optional[Tuple[Weighed, List[str]]]:
    slot = context.now_slot
    best: Optional[Tuple[Weighed, List[str]]] = None
    for horizon, seen, requests in zip(HORIZONS, trail.sums(total.counter), trail.sums(total.per or "requests")):
        if horizon not in total.horizons or seen < total.least:
            continue
        since = slot - HORIZON_SLOTS[horizon]
        recent = {who: one.most(horizon, slot) for who, one in contributors.items() if one.slot > since}
        if len(recent) < LEAST_MEMBERS:
            continue
        rest = seen - min(seen, max(recent.values()))
        if rest <= 0:
            continue
        tail = context.expectations.tail(
            total.counter, OPERATION, key, horizon, slot, rest, requests if total.per else 0.0
        )
        strength = min(decades(tail.p, len(total.horizons)), total.cap)
        if best is None or strength > best[0].decades:
            members = sorted(recent, key=lambda who: (-recent[who], who))
            weighed = Weighed(
                strength, seen, tail.expected, tail.basis, horizon, total.unit, total.feature, key[1], total.example
            )
            best = weighed, members
    return best


def reasons_of(weighed: Iterable[Weighed]) -> List[str]:
    """Return the sentences of what counts, the strongest first; each feature once."""
    reasons: Dict[str, str] = {}
    for one in sorted(weighed, key=lambda each: (-each.decades, each.feature)):
        if one.decades >= LEAST_EVIDENCE:
            reasons.setdefault(one.feature, one.reason)
    return list(reasons.values())[:6]
