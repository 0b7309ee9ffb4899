"""What is ordinary for one operation: objects and requests per principal and hour, share of errors.

The unit is the principal-hour. A document's quantiles are over principal-hours, shrunk towards what is common
to all operations of the service while there are few of them, so that one quiet night of a new operation does
not make its second visitor an outlier. Principals whose habit lies far above the others (a service desk, a
partner's batch job) are named with their own habit, when it has lasted.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Set, Tuple

from apisec.baselines.values import event_time, number, text, texts, whole
from apisec.errors import DocumentError

DOCUMENT_VERSION = 1
HOUR = 3600.0
PRIOR_HOURS = 20.0  # principal-hours that the prior weighs as much as
DEFAULT_OBJECTS = 10.0  # objects and requests per hour that are taken for ordinary where nothing is known
DEFAULT_REQUESTS = 120.0
DEFAULT_ERRORS = 0.05
# Attackers, service desks and batch jobs stand in the data they teach from, and in a small service they are more
# than 1 % of it. So the 99th percentile is held to what the middle of the principals allows: median and median
# absolute deviation of the logarithm bear nearly half of the principals being odd (Hampel, 1974).
DEVIATIONS = 3.0
MAD_TO_SIGMA = 1.4826  # of a normal distribution
LEAST_MAD = math.log(1.25)  # counts that hardly vary still vary by a quarter
TRIM_SHARE = 0.02  # of the principals, those with the highest counts, do not count towards the percentile
MIN_HABIT_HOURS = 6  # different hours in which a principal must have done the same for it to be its habit
# Who did little at first and much later has changed, which is what an incident looks like; of a habit, the first
# hours are like the rest.
FIRST_HOURS, FIRST_HOURS_ALIKE = 4, 3
HABIT_FACTOR = 1.5  # times the operation's p99 before a habit is worth naming
MAX_HABITS = 50  # per operation
MAX_OPERATIONS = 20_000
MAX_IDS = 2_048  # different ids counted in one principal-hour

Key = Tuple[str, str]  # service, operation


@dataclass(frozen=True)
class Baseline:
    """Counts are per principal and hour; ``hours`` is the number of principal-hours learned from."""

    service: str
    operation: str
    principals: int = 0
    hours: int = 0
    objects_p50: float = 0.0
    objects_p99: float = DEFAULT_OBJECTS
    objects_max: float = 0.0
    requests_p50: float = 0.0
    requests_p99: float = DEFAULT_REQUESTS
    requests_max: float = 0.0
    error_share: float = DEFAULT_ERRORS
    habits: Mapping[str, Tuple[float, float]] = field(default_factory=dict)  # principal: (objects, requests)

    def to_document(self) -> Dict[str, Any]:
        document: Dict[str, Any] = {
            "_key": f"{self.service}|{self.operation}",
            "version": DOCUMENT_VERSION,
            "service": self.service,
            "operation": self.operation,
            "principals": self.principals,
            "hours": self.hours,
        }
        for name in _FIGURES:
            document[name] = round(getattr(self, name), 4)
        document["habits"] = {who: list(counts) for who, counts in sorted(self.habits.items())}
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Baseline:
        """Numbers may be text; raises DocumentError when a part is missing or not a number."""
        operation = text(document.get("operation"))
        if not operation:
            raise DocumentError("has no operation", where="baselines")
        figures: Dict[str, float] = {}
        for name in _FIGURES:
            value = number(document.get(name))
            if value is None or value < 0:
                raise DocumentError(f"{name} is not a number of at least 0", where=f"baselines[{operation}]")
            figures[name] = value
        return cls(
            text(document.get("service")),
            operation,
            whole(document.get("principals")),
            whole(document.get("hours")),
            habits=_habits_of(document.get("habits")),
            **figures,
        )


_FIGURES = (
    "objects_p50",
    "objects_p99",
    "objects_max",
    "requests_p50",
    "requests_p99",
    "requests_max",
    "error_share",
)


def _habits_of(value: Any) -> Dict[str, Tuple[float, float]]:
    habits: Dict[str, Tuple[float, float]] = {}
    for who, counts in value.items() if isinstance(value, Mapping) else ():
        if isinstance(counts, (list, tuple)) and len(counts) == 2 and len(habits) < MAX_HABITS:
            objects, requests = number(counts[0]), number(counts[1])
            if objects is not None and requests is not None:
                habits[str(who)] = (objects, requests)
    return habits


class Baselines:
    """Baselines by service and operation; unknown operations get the defaults with ``hours`` 0."""

    def __init__(self, baselines: Iterable[Baseline] = ()) -> None:
        self._known: Dict[Key, Baseline] = {(one.service, one.operation): one for one in baselines}

    def __len__(self) -> int:
        return len(self._known)

    def get(self, service: str, operation: str) -> Optional[Baseline]:
        return self._known.get((service, operation))

    def to_documents(self) -> List[Dict[str, Any]]:
        return [self._known[key].to_document() for key in sorted(self._known)]

    @classmethod
    def from_documents(cls, documents: Iterable[Mapping[str, Any]]) -> Baselines:
        """Raises DocumentError when a document is not one of ``to_documents``."""
        return cls(Baseline.from_document(document) for document in documents)


# --- learning ---------------------------------------------------------------------------------------------


class _Hour:
    """One principal, one operation, one hour."""

    __slots__ = ("errors", "ids", "objects", "requests")

    def __init__(self) -> None:
        self.requests = 0
        self.errors = 0
        self.objects = 0  # already counted, of aggregated rows
        self.ids: Set[str] = set()

    @property
    def distinct(self) -> int:
        return max(self.objects, len(self.ids))


Hours = Dict[str, Dict[int, _Hour]]  # principal -> hour -> counts


def learn_baselines(rows: Iterable[Mapping[str, Any]]) -> Baselines:
    """Learn from events, or from rows that a search has already aggregated by principal and hour.

    An event has service, operation, principal, time, status and object_ids. An aggregated row has service,
    operation, principal, time (or _time: the hour), ``requests``, ``objects`` (distinct ids) and ``errors``.
    """
    operations: Dict[Key, Hours] = {}
    first, last = math.inf, -math.inf
    for row in rows:
        operation, principal = text(row.get("operation")), text(row.get("principal"))
        key = (text(row.get("service")), operation)
        if not operation or not principal or (key not in operations and len(operations) >= MAX_OPERATIONS):
            continue
        hours = operations.setdefault(key, {}).setdefault(principal, defaultdict(_Hour))
        time = event_time(row)
        first, last = min(first, time), max(last, time)
        _count(hours[int(time // HOUR)], row)
    # Half a minute of data has principals with an "hour" each, and says nothing of what they do in one.
    worth = min(1.0, max(0.0, (last - first) / HOUR))
    priors = _priors(operations, worth)
    return Baselines(_learn_operation(key, hours, priors[key[0]], worth) for key, hours in sorted(operations.items()))


def _count(hour: _Hour, row: Mapping[str, Any]) -> None:
    if "requests" in row:
        hour.requests += whole(row.get("requests"))
        hour.objects += whole(row.get("objects"))
        hour.errors += whole(row.get("errors"))
        return
    hour.requests += 1
    hour.errors += whole(row.get("status")) >= 400
    if len(hour.ids) < MAX_IDS:
        hour.ids.update(texts(row.get("object_ids"), 16))


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


@dataclass(frozen=True)
class _Prior:
    """The typical operation of a service."""

    objects: float = DEFAULT_OBJECTS
    requests: float = DEFAULT_REQUESTS
    errors: float = DEFAULT_ERRORS


def _priors(operations: Mapping[Key, Hours], worth: float) -> Dict[str, _Prior]:
    """Take the median over a service's operations of each figure; never below one object or request.

    ``worth`` (0–1) is how much a principal-hour of the data is worth; with few, the defaults count.
    """
    hours_of: Dict[str, float] = defaultdict(float)
    figures: Dict[str, List[Tuple[float, float, float]]] = defaultdict(list)
    for (service, _), hours in operations.items():
        objects = _ordinary_most(hours, lambda hour: hour.distinct)
        requests = _ordinary_most(hours, lambda hour: hour.requests)
        figures[service].append((objects, requests, _error_share(hours)))
        hours_of[service] += worth * sum(len(own) for own in hours.values())
    priors = {}
    for service, of_operations in figures.items():
        objects, requests, errors = (_quantile(sorted(one[part] for one in of_operations), 0.5) for part in range(3))
        count = hours_of[service]
        priors[service] = _Prior(
            _shrunk(max(1.0, objects), DEFAULT_OBJECTS, count),
            _shrunk(max(1.0, requests), DEFAULT_REQUESTS, count),
            _shrunk(errors, DEFAULT_ERRORS, count),
        )
    return priors


def _peak(hours: Mapping[int, _Hour]) -> float:
    return max(max(hour.distinct, hour.requests) for hour in hours.values())


def _trimmed(hours: Hours) -> List[_Hour]:
    """All principal-hours but those of the few principals with the highest counts."""
    ordered = sorted(hours, key=lambda who: (_peak(hours[who]), who))
    # Rounded up, so that one attacker among twenty is left out; a lone principal is its own baseline.
    left_out = min(math.ceil(TRIM_SHARE * len(ordered)), (len(ordered) - 1) // 4)
    return [hour for who in ordered[: len(ordered) - left_out] for hour in hours[who].values()]


def _ordinary_bound(peaks: Sequence[float]) -> float:
    """Return the highest hour that is still in line with those of most principals; ``peaks`` has one each."""
    logs = sorted(math.log(max(peak, 1.0)) for peak in peaks)
    middle = _quantile(logs, 0.5)
    deviation = max(_quantile(sorted(abs(one - middle) for one in logs), 0.5), LEAST_MAD)
    return math.exp(middle + DEVIATIONS * MAD_TO_SIGMA * deviation)


def _ordinary_most(hours: Hours, counts: Callable[[_Hour], int]) -> float:
    """Return the 99th percentile over principal-hours, held to the bound that most principals set."""
    values = sorted(float(counts(hour)) for hour in _trimmed(hours))
    bound = _ordinary_bound([float(max(counts(hour) for hour in own.values())) for own in hours.values()])
    return min(_quantile(values, 0.99), bound)


def _error_share(hours: Hours) -> float:
    """The mean over principals, so that a scanner counts once."""
    shares = [
        sum(hour.errors for hour in own.values()) / max(1, sum(hour.requests for hour in own.values()))
        for own in hours.values()
    ]
    return sum(shares) / len(shares)


def _shrunk(value: float, prior: float, hours: float) -> float:
    """Weigh what was seen against the prior: James and Stein's shrinkage with a fixed prior weight."""
    return (value * hours + prior * PRIOR_HOURS) / (hours + PRIOR_HOURS)


def _learn_operation(key: Key, hours: Hours, prior: _Prior, worth: float) -> Baseline:
    everything = [hour for own in hours.values() for hour in own.values()]
    trimmed = _trimmed(hours)
    objects = sorted(float(hour.distinct) for hour in trimmed)
    requests = sorted(float(hour.requests) for hour in trimmed)
    count = worth * len(trimmed)
    objects_p99 = _shrunk(_ordinary_most(hours, lambda hour: hour.distinct), prior.objects, count)
    requests_p99 = _shrunk(_ordinary_most(hours, lambda hour: hour.requests), prior.requests, count)
    return Baseline(
        service=key[0],
        operation=key[1],
        principals=len(hours),
        hours=len(everything),
        objects_p50=_quantile(objects, 0.5),
        objects_p99=objects_p99,
        objects_max=float(max(hour.distinct for hour in everything)),
        requests_p50=_quantile(requests, 0.5),
        requests_p99=requests_p99,
        requests_max=float(max(hour.requests for hour in everything)),
        error_share=_shrunk(_error_share(hours), prior.errors, worth * len(everything)),
        habits=_habits(hours, objects_p99, requests_p99),
    )


def _habits(hours: Hours, objects_p99: float, requests_p99: float) -> Dict[str, Tuple[float, float]]:
    """Principals that are far above the others for hours: their own 90th percentile of objects and requests."""
    found: List[Tuple[float, str, Tuple[float, float]]] = []
    for who, own in hours.items():
        if len(own) < MIN_HABIT_HOURS:
            continue
        objects = _quantile(sorted(float(hour.distinct) for hour in own.values()), 0.9)
        requests = _quantile(sorted(float(hour.requests) for hour in own.values()), 0.9)
        first = [own[hour] for hour in sorted(own)[:FIRST_HOURS]]
        by_objects = sum(hour.distinct > objects_p99 for hour in first) >= FIRST_HOURS_ALIKE
        by_requests = sum(hour.requests > requests_p99 for hour in first) >= FIRST_HOURS_ALIKE
        if (by_objects and objects > HABIT_FACTOR * objects_p99) or (
            by_requests and requests > HABIT_FACTOR * requests_p99
        ):
            found.append((-requests, who, (objects, requests)))
    return {who: counts for _, who, counts in sorted(found)[:MAX_HABITS]}
