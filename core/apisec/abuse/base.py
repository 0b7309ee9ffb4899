"""What the engine and the families agree on: windows of activity rows in, observations out.

A family is one file with one class. It looks at a window of activity rows (``observe``), at what it remembers of
principals, operations and services (parts of their profiles), and at what is ordinary (expectations), and says what it
saw as *features*: numbers of at least 0 where more is worse. By convention a feature is evidence in decades,
``-log10`` of the chance that ordinary traffic shows as much (``decades``), so that independent features add up. The
family's model (``apisec.abuse.model``) makes one p-value of them, and ``score_of`` a score.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Dict, List, Optional, Protocol, Tuple, Type, TypeVar

from apisec.baselines.tails import Tail

if TYPE_CHECKING:
    from apisec.abuse.tally import Tally
    from apisec.activity import ClientKey, OperationActivity, Row

FAMILIES: Tuple[str, ...] = (
    "object_enumeration",
    "function_abuse",
    "excess_data",
    "scraping",
    "credential_stuffing",
    "token_guessing",
    "account_enumeration",
    "token_theft",
    "step_skipping",
    "flow_automation",
    "flooding",
    "injection",
    "ssrf",
    "mass_assignment",
    "reconnaissance",
    "spec_violation",
)
SLOT_SECONDS = 300  # of an activity row
SLOTS_PER_HOUR, SLOTS_PER_DAY = 12, 288
P_FLOOR = 1e-12  # nothing that was learned from a few million transactions says more than this
SCORE_PER_DECADE = 18.0  # 90 is 1 in 100,000
MAX_SCORE = 100.0
MAX_MEMBERS = 64  # principals that an observation names
MAX_CLIENT = 160  # characters
MAX_EXAMPLES = 6  # event ids

PRINCIPAL, OPERATION, SERVICE = "principal", "operation", "service"  # scopes of profiles, and entities
PRINCIPAL_OPERATION = "principal@operation"  # of expectations
# The keys of the scopes: (service, principal), (service, operation), (service,).
Key = Tuple[str, ...]


def score_of(p_value: float) -> float:
    """Return the score (0–100) of a p-value: 18 a decade, 90 for 1e-5."""
    return min(MAX_SCORE, max(0.0, -SCORE_PER_DECADE * math.log10(max(p_value, P_FLOOR)))) + 0.0


def decades(p_value: float, trials: float = 1.0) -> float:
    """Return the evidence in decades: ``-log10`` of a p-value after ``trials`` looks (Bonferroni); at least 0."""
    return max(0.0, -math.log10(min(1.0, max(p_value, P_FLOOR) * max(trials, 1.0))))


@dataclass(frozen=True)
class Observation:
    """Something unusual that one principal did in a window, or that was done to one operation (by many).

    ``seen`` and ``expected`` are counts of ``unit`` ("objects in an hour"), ``basis`` says what the expectation is
    made of ("peers", "own habit", "operation", "service", "default"). ``operation`` is empty when it is about the
    whole service, ``principal`` when ``entity`` is "operation"; then ``members`` are the principals that contributed
    the excess. ``first`` and ``last`` are seconds since the epoch. ``evidence`` is JSON.
    """

    family: str
    service: str
    team: str
    operation: str
    entity: str
    principal: str
    slot: int
    first: float
    last: float
    features: Mapping[str, float]
    p_value: float
    score: float
    seen: float
    expected: float
    unit: str
    basis: str
    requests: int = 0
    members: Tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    reasons: Tuple[str, ...] = ()
    examples: Tuple[str, ...] = ()
    # What campaigns of many principals are joined by, beside family and operation: "/.git/config", a user agent.
    signature: str = ""
    client: str = ""  # of the principal: network, agent and JA4 of the client that did it, or that it used most


Sums = Tuple[float, float, float]  # over the last hour, day and seven days
HORIZONS: Tuple[str, ...] = ("1h", "1d", "7d")


class Expecting(Protocol):
    """What ``apisec.baselines.expectations.Expectations`` offers.

    Scopes and keys: "principal" (service, principal), "principal@operation" (service, operation, principal),
    "operation" (service, operation), "service" (service,). ``seen`` and the sums of ``learn_sums`` are over 12, 288 and
    2016 slots up to ``slot``; ``rows`` counts the key's rows of a day, and ``learn_total`` takes the values of
    one slot.
    """

    def tail(
        self, counter: str, scope: str, key: Key, horizon: str, slot: int, seen: float, per: float = 0.0
    ) -> Tail: ...

    def learn_sums(self, scope: str, key: Key, slot: int, sums: Mapping[str, Sums], rows: int) -> None: ...

    def learn_total(self, scope: str, key: Key, slot: int, values: Mapping[str, float]) -> None: ...


class Part(Protocol):
    """What one family remembers in a profile. Bounded, mergeable, plain JSON as state.

    ``name`` is unique among parts and names the member of the profile's document.
    """

    name: ClassVar[str]

    def merge(self, other: Any) -> None: ...

    def to_state(self) -> Any: ...

    @classmethod
    def from_state(cls, state: Any) -> Any:
        """Read what ``to_state`` gave; raises DocumentError."""
        ...

    def forget(self, slot: int) -> None:
        """Drop what is too old at ``slot``."""
        ...


P = TypeVar("P", bound=Part)


class Judging(Protocol):
    """What ``apisec.abuse.model.Models`` offers."""

    def p_value(self, family: str, features: Mapping[str, float]) -> float: ...


class Context(Protocol):
    """What a family may ask while it looks at a window."""

    now_slot: int
    expectations: Expecting
    models: Judging
    tally: Tally  # what each principal and operation did in the window and lately

    def part(self, scope: str, key: Key, kind: Type[P]) -> P:
        """Return the part of a profile, made on first use; it will be saved."""
        ...

    def peek(self, scope: str, key: Key, kind: Type[P]) -> Optional[P]:
        """Return the part if it is there; it is not to be changed, and not saved."""
        ...

    def age(self, service: str) -> int:
        """Slots since the service was first seen. A young service has no rarity: everything in it is new."""
        ...

    def age_of(self, scope: str, key: Key) -> int:
        """Slots since a principal or an operation was first seen; 0 for what this window shows first."""
        ...

    def frozen(self, service: str, principal: str) -> bool:
        """Whether the principal takes part in an open campaign, and so teaches nothing."""
        ...


@dataclass(frozen=True)
class Window:
    """The rows of one step of the engine, ordered by (slot, service, principal); mostly of one slot.

    A late event gives a row of an earlier slot, and there may be several rows of one principal.
    """

    start_slot: int
    end_slot: int  # inclusive
    rows: Sequence[Row]
    by_principal: Mapping[Tuple[str, str], Sequence[Row]]
    by_service: Mapping[str, Sequence[Row]]
    by_operation: Mapping[Tuple[str, str], Sequence[Tuple[Row, OperationActivity]]]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Window:
        ordered = sorted(rows, key=lambda row: (row.slot, row.service, row.principal))
        principals: Dict[Tuple[str, str], List[Row]] = defaultdict(list)
        services: Dict[str, List[Row]] = defaultdict(list)
        operations: Dict[Tuple[str, str], List[Tuple[Row, OperationActivity]]] = defaultdict(list)
        for row in ordered:
            principals[(row.service, row.principal)].append(row)
            services[row.service].append(row)
            for name, activity in row.operations.items():
                operations[(row.service, name)].append((row, activity))
        start, end = (ordered[0].slot, ordered[-1].slot) if ordered else (0, 0)
        return cls(start, end, ordered, dict(principals), dict(services), dict(operations))

    def without(self, frozen: Iterable[Tuple[str, str]]) -> Window:
        """Return the window less the rows of these (service, principal)."""
        out = set(frozen)
        return Window.of(row for row in self.rows if (row.service, row.principal) not in out) if out else self


class Family(Protocol):
    """One kind of abuse. Stateless: what it remembers, it keeps in parts of profiles."""

    @property
    def name(self) -> str: ...

    @property
    def features(self) -> Tuple[str, ...]: ...

    def observe(self, window: Window, context: Context) -> Iterable[Observation]:
        """Say what is unusual in the window."""
        ...

    def learn(self, window: Window, context: Context) -> None:
        """Take what is ordinary from the window, which holds no rows of principals in open campaigns."""
        ...


def observation(
    context: Context,
    family: str,
    row: Row,
    features: Mapping[str, float],
    *,
    seen: float,
    expected: float,
    unit: str,
    basis: str,
    operation: str = "",
    entity: str = PRINCIPAL,
    members: Sequence[str] = (),
    first: Optional[float] = None,
    last: Optional[float] = None,
    requests: Optional[int] = None,
    evidence: Optional[Mapping[str, Any]] = None,
    reasons: Sequence[str] = (),
    examples: Sequence[str] = (),
    signature: str = "",
    client: Optional[ClientKey] = None,
) -> Observation:
    """Return the observation with p-value and score by the family's model.

    ``row`` says service, team, slot and (unless ``entity`` is "operation") principal. ``client`` is the one that did
    it, where that is not the one that the principal used most.
    """
    kept = {name: round(value, 4) for name, value in features.items() if value > 0}
    p_value = max(P_FLOOR, min(1.0, context.models.p_value(family, kept)))
    return Observation(
        family=family,
        service=row.service,
        team=row.team,
        operation=operation,
        entity=entity,
        principal=row.principal if entity == PRINCIPAL else "",
        slot=row.slot,
        first=row.first if first is None else first,
        last=row.last if last is None else last,
        features=kept,
        p_value=p_value,
        score=round(score_of(p_value), 2),
        seen=seen,
        expected=expected,
        unit=unit,
        basis=basis,
        requests=row.requests if requests is None else requests,
        members=tuple(members)[:MAX_MEMBERS],
        evidence=dict(evidence or {}),
        reasons=tuple(reasons),
        examples=tuple(dict.fromkeys(examples))[:MAX_EXAMPLES],
        signature=signature,
        client=(client or row.client).text[:MAX_CLIENT] if row.clients and entity == PRINCIPAL else "",
    )
