"""Crowds that do one thing alike: many accounts that take the same way to an operation, from one kind of client.

People come to an order by many ways, from clients of their own, at a pace of their own, and most of them have been
there before. What one script does in the name of many accounts is alike: the way to it step by step and its pace
(``path``, ``pace``), doing little else (``scripted``), software or network (``client``), and accounts made for it
(``newcomers``). Each is judged against
the shares of ordinary days, and against those of the others of the same day: a marketing burst brings newcomers of all
kinds, a release changes everybody's way. Ways alone are no finding: it takes both, how they act and who they are.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Dict, List, NamedTuple, Optional, Tuple

from apisec.abuse.base import OPERATION, PRINCIPAL, SLOTS_PER_DAY, Context, Observation, decades, observation
from apisec.abuse.counting import examples_of
from apisec.abuse.flow_company import Company
from apisec.abuse.flow_repeats import ANONYMOUS, is_worth, pool_of
from apisec.abuse.habits import unit_of
from apisec.abuse.rarity import WEEKLY_DECAY, by_hash, mapping, numbers
from apisec.abuse.shares import share_tail
from apisec.abuse.weighing import figure
from apisec.activity.hashing import value_hash32
from apisec.errors import DocumentError
from apisec.sequences import window as sequences
from apisec.sequences.following import Moment
from apisec.sequences.steps import changes

if TYPE_CHECKING:
    from apisec.abuse.tally import Counted
    from apisec.activity import Row

MAX_RECENT = 256  # principals of a day
MAX_VALUES = 64  # of one attribute
MAX_TOTAL = 5_000.0  # principals' days; then all is halved
LEAST_KNOWN = 30.0  # principals' days, before anything is unusual
LEAST_CROWD = 4
LEAST_OF_PATH = 10.0  # principals' days, before a pace on it is unusual
PRECISION = 20.0  # of the beta distribution: shares differ from day to day
SCRIPTS_PRECISION = 60.0  # what one does again and again has less to do with the day
NOVEL = 0.5  # principals' days that a value counts as that was never seen
SLOTS_PER_WEEK = 7 * SLOTS_PER_DAY
FAMILY = "flow_automation"
SCRIPTED_CAP, PATH_CAP, PACE_MORE = 6.0, 3.5, 0.5  # decades
CLIENT_CAP, CLIENT_MORE = 3.0, 0.5
NEWCOMER_CAP = 1.4  # a link that is passed on brings newcomers by one way, too
LEAST_DECADES = 2.0
LONGEST_WAY = 16  # steps of a session to an operation; longer ones are people's
YOUNG_SLOTS = 2 * SLOTS_PER_DAY  # of a service: everybody is new
KNOWN_SLOTS = 4 * SLOTS_PER_DAY  # and before it is known how many seem to be scripts
DENIED = (401, 403)
PATH, SOFTWARE, NETWORK, PACE, FRESH, SCRIPT = range(6)
BEFORE, NEW, HOME = range(3)  # of FRESH: was there the day before; was not; did this very thing by this software before
ATTRIBUTES = 6
FEATURES = {PATH: "path", SCRIPT: "scripted"}


class Taken(NamedTuple):
    """How a principal came to do the operation today: when, and a value (a hash, or a class) of each attribute."""

    slot: int
    values: Tuple[int, ...]


class Crowd(NamedTuple):
    """Principals that came the same way; features in decades."""

    members: Tuple[str, ...]
    takers: int  # all principals of the day
    expected: float  # that come this way in a day with as many
    features: Dict[str, float]


class Takers:
    """Of one operation: who did it today and how, and what is usual. The part "takers" of its profile."""

    name: ClassVar[str] = "takers"
    __slots__ = ("_recent", "_total", "_usual", "_week")

    def __init__(self) -> None:
        self._recent: Dict[str, Taken] = {}
        self._usual: List[Dict[int, float]] = [{} for _ in range(ATTRIBUTES)]
        self._total = 0.0
        self._week = 0

    def take(self, slot: int, principal: str, values: Tuple[int, ...]) -> bool:
        """Note how a principal did it; return whether that is its first time today."""
        if principal in self._recent:
            return False
        self._recent[principal] = Taken(slot, values)
        if len(self._recent) > MAX_RECENT:
            del self._recent[next(iter(self._recent))]
        return True

    def script(self, principal: str, hides: bool) -> None:
        """Note that a principal does it again and again today and little else; a program, if it did not do so before.

        ``hides``: it comes by the software by which people come, and then it is no matter since when.
        """
        known = self._recent.get(principal)
        if known is not None and (hides or known.values[FRESH] != HOME):
            self._recent[principal] = Taken(known.slot, (*known.values[:SCRIPT], 1))

    def today(self) -> int:
        """Return how many principals did it within a day, of those that came by a way short enough to be known."""
        return len(self._recent)

    def crowd(self, place: int, value: int) -> Optional[Crowd]:
        """Return what is unusual about those who came by one path, or like scripts; None when they are few."""
        alike = [(who, one.values) for who, one in self._recent.items() if one.values[place] == value]
        members = [(who, values) for who, values in alike if place == SCRIPT or values[FRESH] != HOME]
        if len(members) < LEAST_CROWD or self._total < LEAST_KNOWN:
            return None
        others = [one.values for one in self._recent.values() if one.values[place] != value]
        count, takers = len(members), len(self._recent)
        usual = self._share(place, value)
        values = [each for _, each in members]
        features = {
            FEATURES[place]: decades(_tail(count - 1, takers - 1, usual, _PRECISIONS[place])),
            "pace": self._paced(value, values) if place == PATH else 0.0,
            "client": max(self._alike(place, values, others) for place in (SOFTWARE, NETWORK)),
            "newcomers": self._of(FRESH, NEW, values, others),
        }
        return Crowd(tuple(sorted(who for who, _ in members)), takers, usual * takers, features)

    def _alike(self, place: int, values: List[Tuple[int, ...]], others: List[Tuple[int, ...]]) -> float:
        """How unusual it is that so many share one value of an attribute."""
        held = Counter(each[place] for each in values if each[place])
        if not held:
            return 0.0
        value, _ = min(held.items(), key=lambda one: (-one[1], one[0]))
        return max(0.0, self._of(place, value, values, others) - math.log10(len(held)))

    def _paced(self, path: int, values: List[Tuple[int, ...]]) -> float:
        """How unusual the pace of most is among those that ever came by the path."""
        known = self._usual[PATH].get(path, 0.0)
        if known < LEAST_OF_PATH:
            return 0.0
        held = Counter(each[PACE] for each in values)
        value, count = min(held.items(), key=lambda one: (-one[1], one[0]))
        share = (self._usual[PACE].get(value, 0.0) + NOVEL) / (known + 1.0)
        return decades(_tail(count, len(values), share), len(held))

    def _of(self, place: int, value: int, values: List[Tuple[int, ...]], others: List[Tuple[int, ...]]) -> float:
        today = (sum(each[place] == value for each in others) + NOVEL) / (len(others) + 1.0) if others else 0.0
        usual = max(self._share(place, value), today)
        return decades(_tail(sum(each[place] == value for each in values), len(values), usual))

    def _share(self, place: int, value: int) -> float:
        return (self._usual[place].get(value, 0.0) + NOVEL) / (self._total + 1.0)

    # --- learning -------------------------------------------------------------------------------------------

    def learn(self, slot: int, suspicious: Callable[[str], bool]) -> None:
        """Learn what is a day old, but for those who are under suspicion now."""
        old = [(who, one) for who, one in self._recent.items() if one.slot <= slot - SLOTS_PER_DAY]
        for who, one in old:
            del self._recent[who]
            if not suspicious(who):
                self._count(one.values)
        week = slot // SLOTS_PER_WEEK
        if week > self._week:
            self._fade(WEEKLY_DECAY ** min(week - self._week, 52) if self._week else 1.0)
            self._week = week
        if self._total > MAX_TOTAL:
            self._fade(0.5)

    def _count(self, values: Iterable[int]) -> None:
        self._total += 1.0
        for place, value in enumerate(values):
            held = self._usual[place]
            held[value] = held.get(value, 0.0) + 1.0
            if len(held) > 2 * MAX_VALUES:
                self._usual[place] = _commonest(held)

    def _fade(self, factor: float) -> None:
        self._total *= factor
        self._usual = [{value: count * factor for value, count in held.items()} for held in self._usual]

    def forget(self, slot: int) -> None:
        """Those of today are bounded by ``take``, what is usual by ``_count``."""

    def merge(self, other: Takers) -> None:
        for who, one in other._recent.items():
            self.take(one.slot, who, one.values)
        self._total += other._total
        for place, theirs in enumerate(other._usual):
            mine = self._usual[place]
            for value, count in theirs.items():
                mine[value] = mine.get(value, 0.0) + count
            self._usual[place] = _commonest(mine)
        self._week = max(self._week, other._week)

    def to_state(self) -> Dict[str, Any]:
        usual = [
            {str(value): round(count, 3) for value, count in sorted(_commonest(held).items())} for held in self._usual
        ]
        recent = {who: [one.slot, *one.values] for who, one in self._recent.items()}
        return {"recent": recent, "usual": usual, "total": round(self._total, 3), "week": self._week}

    @classmethod
    def from_state(cls, state: Any) -> Takers:
        """Read what ``to_state`` gave; raises DocumentError for anything else."""
        members = mapping(state, 4, cls.name)
        made = cls()
        for who, one in mapping(members.get("recent"), MAX_RECENT, cls.name).items():
            slot, *values = (int(value) for value in numbers(one, 1 + ATTRIBUTES, cls.name))
            made._recent[who] = Taken(slot, tuple(values))
        usual = members.get("usual")
        if not isinstance(usual, list) or len(usual) != ATTRIBUTES:
            raise DocumentError(f"is not what is usual of {ATTRIBUTES} attributes", where=cls.name)
        for place, held in enumerate(usual):
            counts = by_hash(held, 2 * MAX_VALUES, cls.name)
            made._usual[place] = dict(zip(counts, numbers(list(counts.values()), len(counts), cls.name)))
        made._total = numbers([members.get("total")], 1, cls.name)[0]
        made._week = int(numbers([members.get("week")], 1, cls.name)[0])
        return made


def _commonest(held: Dict[int, float]) -> Dict[int, float]:
    kept = sorted(held.items(), key=lambda one: (-one[1], one[0]))[:MAX_VALUES]
    return dict(kept)


def _tail(hits: int, trials: int, share: float, precision: float = PRECISION) -> float:
    share = min(max(share, 1e-4), 1.0 - 1e-4)
    return share_tail(hits, trials, share * precision, (1.0 - share) * precision) if trials > 0 else 1.0


_PRECISIONS = {PATH: PRECISION, SCRIPT: SCRIPTS_PRECISION}


# --- who comes in a window -------------------------------------------------------------------------------

# By operation: ways to it, each with one who took it.
Came = Dict[Tuple[str, str], Dict[int, "Counted"]]


def note(context: Context) -> Came:
    """Note who comes to which operation and how; return by which ways, with one of those who took each."""
    came: Came = {}
    for counted in context.tally.principals.values():
        if pool_of(counted.row.kind) == ANONYMOUS:
            continue  # an address may be many
        service, principal = counted.key
        for moment in sequences.moments(context, counted):
            operation = moment.step.operation
            if _counts(moment) and operation in counted.by_operation and is_worth(counted, operation):
                values = _values(counted, moment, context)
                context.part(OPERATION, (service, operation), Takers).take(context.now_slot, principal, values)
                came.setdefault((service, operation), {}).setdefault(moment.trace, counted)
    return came


def _counts(moment: Moment) -> bool:
    """Whether a step says by which way somebody came to an operation."""
    if moment.late or not changes(moment.step.operation) or moment.step.status in DENIED:
        return False
    return 0 < moment.length <= LONGEST_WAY


def _values(counted: Counted, moment: Moment, context: Context) -> Tuple[int, ...]:
    """The attributes of somebody who does an operation: way, software, network, newness, pace (``flow_crowds``)."""
    software, network = client_of(counted.row)
    seconds = max(0.0, moment.step.time - moment.began) / max(1, moment.length - 1)
    pace = value_hash32(f"{moment.trace} {int(seconds * 8.0).bit_length()}")
    fresh = NEW if context.age_of(PRINCIPAL, counted.key) < SLOTS_PER_DAY else BEFORE
    company = context.peek(OPERATION, (counted.key[0], moment.step.operation), Company)
    if company is not None and company.is_home(context.now_slot, unit_of(counted.row), named_software(counted.row)):
        fresh = HOME
    return (moment.trace, software, network, pace, fresh, 0)


def named_software(row: Row) -> int:
    """Return the hash of what most of a row's requests call themselves, or else of their JA4; 0 for neither."""
    key = row.client
    return value_hash32(key.agent or key.ja4) if key.agent or key.ja4 else 0


def client_of(row: Row) -> Tuple[int, int]:
    """Return hashes of the software (agent and JA4) and network of the client that sent most of a row; 0 for none."""
    key = row.client
    software = value_hash32(f"{key.agent} {key.ja4}") if key.agent or key.ja4 else 0
    return software, value_hash32(key.network) if key.network else 0


def _crowd_features(crowd: Crowd) -> Dict[str, float]:
    """How they act (way and pace, or like scripts) and who they are (client and newness), each within bounds."""
    found = crowd.features
    if "scripted" in found:
        features = {"scripted": min(found["scripted"], SCRIPTED_CAP)}
    else:
        path = min(found["path"], PATH_CAP)
        features = {"path": path, "pace": min(found["pace"], path, PATH_CAP + PACE_MORE - path)}
    most = sum(features.values()) + CLIENT_MORE  # a class of pupils has one address, and does what it likes
    features["client"] = min(found["client"], CLIENT_CAP, most)
    features["newcomers"] = min(found["newcomers"], NEWCOMER_CAP, most)
    return features


def crowds_of(context: Context, came: Came) -> Iterable[Observation]:
    """Say which of those that come to an operation today are alike."""
    for (service, operation), ways in came.items():
        if context.age(service) < YOUNG_SLOTS:
            continue
        takers = context.part(OPERATION, (service, operation), Takers)
        wanted = [(PATH, way, counted) for way, counted in ways.items()]
        if context.age(service) >= KNOWN_SLOTS:
            wanted.append((SCRIPT, 1, next(iter(ways.values()))))
        crowds = [(takers.crowd(place, value), counted) for place, value, counted in wanted]
        known = [(crowd, counted) for crowd, counted in crowds if crowd is not None]
        best = max(known, key=lambda one: (sum(_crowd_features(one[0]).values()), one[0].members), default=None)
        found = _observed(best[0], best[1], operation, context) if best is not None else None
        if found is not None:
            yield found


def _observed(crowd: Crowd, counted: Counted, operation: str, context: Context) -> Optional[Observation]:
    features = _crowd_features(crowd)
    if sum(features.values()) < LEAST_DECADES:
        return None
    who = len(crowd.members)
    alike = "do it again and again and little else" if "scripted" in features else "came to it by the same steps"
    reasons = [
        f"{who} of the {crowd.takers} principals that did {operation} within a day {alike}; "
        f"{figure(round(crowd.expected, 2))} expected"
    ]
    reasons += [_CROWD_REASONS[name] for name in ("client", "newcomers", "pace") if features.get(name, 0.0) >= 1.0]
    return observation(
        context,
        FAMILY,
        counted.row,
        features,
        entity=OPERATION,
        operation=operation,
        seen=float(who),
        expected=round(crowd.expected, 4),
        unit="principals in a day that are alike",
        basis="operation",
        members=crowd.members,
        requests=sum(row.requests for row in counted.rows),
        evidence={"principals": who, "of": crowd.takers},
        reasons=reasons,
        examples=examples_of(counted, "any"),
    )


_CROWD_REASONS = {
    "client": "most of them by the same software or from the same network",
    "newcomers": "most of them were not there the day before",
    "pace": "at the same pace",
}
