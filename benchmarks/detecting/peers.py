"""Three peers, over hours of principals made of the same activity rows.

* **thresholds**: one limit a counter for all of a service, the usual saved search; an hour's score is its greatest
  ratio to the greatest ordinary hour of the history.
* **three sigma**: deviations from the mean of the principal's own history, or of the service where there is less than
  a day of it.
* **isolation forest** (Liu, Ting and Zhou, ICDM 2008; scikit-learn's): on the logarithms of the same counters, fitted
  to the history of each service.

The history is the first quarter of the time, which has no attack. Every peer gives each later hour of a principal a
score; alarms of one principal within three days are one finding.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from sklearn.ensemble import IsolationForest

from apisec.activity import Row

HOUR, IDLE = 3600.0, 72 * 3600.0
HISTORY = 0.25  # of the time
COUNTERS = (
    "requests", "failures", "refused", "missing", "objects", "operations", "bytes", "records", "accounts", "signals",
    "clients",
)  # fmt: skip

Alarm = tuple[float, Mapping[str, Any]]
Hours = dict[tuple[str, str, int], numpy.ndarray]


def counters_of(row: Row) -> numpy.ndarray:
    """Return what a saved search could count of a row, in the order of ``COUNTERS``."""
    used = row.operations.values()
    statuses: dict[int, int] = defaultdict(int)
    for one in used:
        for status, count in one.statuses.items():
            statuses[status] += count
    return numpy.array(
        [
            row.requests,
            row.failures,
            statuses[401] + statuses[403],
            statuses[404],
            sum(len(one.objects) for one in used),
            len(row.operations),
            sum(one.bytes_out for one in used),
            sum(one.records for one in used),
            row.accounts.tried_count,
            sum(one.requests for one in row.signals.values()),
            len(row.clients),
        ],
        dtype=float,
    )


def hours_of(rows: Iterable[Row]) -> Hours:
    """Add up the rows of each principal's hours."""
    hours: Hours = {}
    for row in rows:
        key = (row.service, row.principal, int(row.start // HOUR))
        made = counters_of(row)
        hours[key] = hours[key] + made if key in hours else made
    return hours


@dataclass(frozen=True)
class Scored:
    """The later hours of all principals, and each peer's score of them; higher is worse."""

    keys: Sequence[tuple[str, str, int]]
    scores: Mapping[str, numpy.ndarray]


def score(hours: Hours) -> Scored:
    """Learn from the history, score what comes later."""
    first, last = min(key[2] for key in hours), max(key[2] for key in hours)
    border = first + (last - first) * HISTORY
    history = {key: made for key, made in hours.items() if key[2] < border}
    later = sorted((key for key in hours if key[2] >= border), key=lambda key: (key[2], key))
    matrix = numpy.array([hours[key] for key in later])
    known: dict[str, list[numpy.ndarray]] = defaultdict(list)
    own: dict[tuple[str, str], list[numpy.ndarray]] = defaultdict(list)
    for (service, principal, _), made in history.items():
        known[service].append(made)
        own[(service, principal)].append(made)
    services = {name: numpy.array(rows) for name, rows in known.items()}
    where = numpy.array([key[0] for key in later])
    return Scored(
        later,
        {
            "thresholds": _by_service(services, where, matrix, _thresholds),
            "three sigma": _sigmas(services, own, later, matrix),
            "isolation forest": _by_service(services, where, matrix, _forest),
        },
    )


def _by_service(services: Mapping[str, numpy.ndarray], where: numpy.ndarray, matrix: numpy.ndarray, judge: Any) -> Any:
    scores = numpy.zeros(len(matrix))
    for name, rows in services.items():
        mine = where == name
        if mine.any():
            scores[mine] = judge(rows, matrix[mine])
    return scores


def _thresholds(history: numpy.ndarray, later: numpy.ndarray) -> Any:
    return (later / numpy.maximum(history.max(axis=0), 3.0)).max(axis=1)


def _forest(history: numpy.ndarray, later: numpy.ndarray) -> Any:
    forest = IsolationForest(n_estimators=100, random_state=1).fit(numpy.log1p(history))
    return -forest.score_samples(numpy.log1p(later))


def _sigmas(
    services: Mapping[str, numpy.ndarray],
    own: Mapping[tuple[str, str], Sequence[numpy.ndarray]],
    later: Sequence[tuple[str, str, int]],
    matrix: numpy.ndarray,
) -> numpy.ndarray:
    fitted: dict[Any, tuple[numpy.ndarray, numpy.ndarray]] = {
        name: (rows.mean(axis=0), rows.std(axis=0)) for name, rows in services.items()
    }
    for who, rows in own.items():
        if len(rows) >= 24:
            fitted[who] = (numpy.mean(rows, axis=0), numpy.std(rows, axis=0))
    scores = numpy.zeros(len(matrix))
    for index, (service, principal, _) in enumerate(later):
        mean, deviation = fitted.get((service, principal)) or fitted.get(service) or (matrix[index], matrix[index])
        scores[index] = ((matrix[index] - mean) / numpy.maximum(deviation, 0.5)).max()
    return scores


def alarms(scored: Scored, peer: str, threshold: float) -> list[Alarm]:
    """Return one alarm a principal and three days, at the end of the hour, as anomalies are written."""
    last: dict[tuple[str, str], float] = {}
    found: list[Alarm] = []
    for (service, principal, hour), value in zip(scored.keys, scored.scores[peer], strict=True):
        if value < threshold:
            continue
        time = (hour + 1) * HOUR
        if time - last.get((service, principal), -math.inf) > IDLE:
            found.append((time, _anomaly(service, principal, hour, peer)))
        last[(service, principal)] = time
    return found


def _anomaly(service: str, principal: str, hour: int, peer: str) -> Mapping[str, Any]:
    return {
        "service": service,
        "family": peer,
        "entity": "principal",
        "principal": principal,
        "campaign": f"{service} {principal} {hour}",
        "score": 100.0,
    }


def levels(scored: Scored, peer: str) -> Iterator[float]:
    """Yield thresholds from strict to lenient: the scores themselves, ever more of them."""
    ordered = numpy.sort(scored.scores[peer])[::-1]
    for k in numpy.unique(numpy.geomspace(1, max(2, len(ordered) // 10), 60).astype(int)):
        yield float(ordered[min(k, len(ordered)) - 1])
