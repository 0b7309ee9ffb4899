"""``apisecscore``: a score from 0 to 100 for each transaction, with reasons and evidence.

The input apisec_detection judges behaviour once, on activity rows; its anomalies (``apisec:anomaly``) of the search's
time are read here by a search of the same user, and each transaction gets what they say of it. Runs on the search head
(a stateful command): indexers cannot search.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Dict, List, Optional, Sequence, Tuple

from splunklib.binding import HTTPError
from splunklib.searchcommands import Configuration, Option, StreamingCommand, validators

from apisec.abuse.event import SOURCETYPE_ANOMALY, severity_of
from apisec.scoring.marks import COMPONENTS, NOTHING, ORDINARY, Judgement, Marks, Signs, Summary, signs_of

from ..connection import SearchError, search
from ..records import event_of, first
from .adding import Adding, Columns, Judge, Row, cells

DAY = 86_400.0
BEFORE = 3_600.0  # seconds before the search's time: anomalies that tell of what went on then
AFTER = 7 * DAY  # behind it: what is low and slow is found days later
MAX_ANOMALIES = 200_000
PRINCIPAL = "principal"
NEEDED = ("service", "principal", "operation", "_time")
ADDED = (
    "apisec_score", "apisec_severity", "apisec_reasons", "apisec_families", "apisec_campaigns",
    *(f"apisec_{name}_score" for name in COMPONENTS), "apisec_evidence",
)  # fmt: skip
_SPL = f'search `apisec_anomalies` sourcetype="{SOURCETYPE_ANOMALY}" | fields _raw'


def values_of(judged: Judgement) -> List[Any]:
    """The values of ``ADDED`` for one transaction."""
    return [
        _figure(judged.score),
        judged.severity,
        judged.reasons,
        list(dict.fromkeys(mark.family for mark in judged.marks)),
        list(dict.fromkeys(mark.campaign for mark in judged.marks)),
        *(_figure(judged.components[name]) for name in COMPONENTS),
        _json([mark.evidence() for mark in judged.marks]),
    ]


def _figure(score: float) -> str:
    return f"{score:.1f}" if score else "0"


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


_ORDINARY = cells(values_of(ORDINARY))


class Transaction:
    """Reads what is asked of a row: from its columns where they are there, else from ``_raw``."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        places = [columns.places.get(name, -1) for name in NEEDED]
        self._places: Optional[List[int]] = places if -1 not in places else None
        self._raw = columns.places.get("_raw", -1)
        self._signals = any(name.startswith("signals{}") for name in columns.places)

    def read(self, row: Row) -> Tuple[str, str, str, float, Optional[Mapping[str, Any]]]:
        """Return service, principal, operation, time, and the event where it had to be read whole."""
        if self._places is None:
            event = event_of(self._columns.record(row))
            names = (event.get(name) for name in NEEDED[:3])
            service, principal, operation = (one if isinstance(one, str) else "" for one in names)
            return service, principal, operation, float(event["time"]), event
        service, principal, operation, time = (row[place] for place in self._places)
        try:
            return _one(service), _one(principal), _one(operation), float(time), None
        except ValueError:
            return _one(service), _one(principal), _one(operation), 0.0, None

    def signs(self, row: Row, event: Optional[Mapping[str, Any]]) -> Signs:
        """Return the signs of attacks that the request carries."""
        if event is None:
            raw = row[self._raw] if self._raw >= 0 else ""
            if not self._signals and '"signals"' not in raw:
                return NOTHING
            event = event_of(self._columns.record(row))
        return signs_of(event.get("signals"))


def _one(text: str) -> str:
    """Indexed fields meet the same fields of the JSON: one value of the two."""
    return text.partition("\n")[0]


class Kind(StreamingCommand.ConfigurationSettings):  # type: ignore[misc]
    """Tells splunkd that rows of principals are a report, and no events."""

    def iteritems(self) -> List[Tuple[str, Any]]:
        found = dict(super().iteritems())
        if self.command.by == PRINCIPAL:
            found["type"] = "reporting"
        return list(found.items())

    items = iteritems


@Configuration(distributed=False)
class ApisecScoreCommand(Adding, StreamingCommand):  # type: ignore[misc]
    """
    ##Syntax
    apisecscore (min_score=<number>)? (by=event|principal)? (state=on|off)?

    ##Description
    Adds apisec_score, apisec_severity, apisec_reasons, apisec_families, apisec_campaigns, component scores and
    apisec_evidence to each transaction; or gives one row for each principal.

    ##Example
    `apisec_transactions` | apisecscore min_score=50
    """

    added = ADDED
    ConfigurationSettings = Kind

    min_score = Option(
        doc="**Syntax:** min_score=<number> **Description:** Leave out what scores lower. Default: 0, all.",
        default=0.0,
        validate=validators.Float(minimum=0, maximum=100),
    )
    by = Option(
        doc="**Syntax:** by=event|principal **Description:** principal: one row for each principal of each service. "
        "Default: event.",
        default="event",
        validate=validators.Set("event", PRINCIPAL),
    )
    state = Option(
        doc="**Syntax:** state=on|off **Description:** off: by the signs of attacks in each request alone, without "
        "anomalies. Default: on.",
        default="on",
        validate=validators.Set("on", "off"),
    )

    def judge(self, columns: Columns) -> Judge:
        """Return what judges the rows of one chunk."""
        if not hasattr(self, "_marks"):
            self._marks = self._load()
            self._principals: Dict[Tuple[str, str], Summary] = {}
        reader = Transaction(columns)
        return self._summing(reader) if self.by == PRINCIPAL else self._judging(reader)

    def _judging(self, reader: Transaction) -> Judge:
        marks, least = self._marks, float(self.min_score)
        ordinary = _ORDINARY if least <= 0 else None

        def judge(row: Row) -> Optional[Sequence[str]]:
            service, principal, operation, time, event = reader.read(row)
            signs = reader.signs(row, event)
            if signs is NOTHING and not marks.accused(service, principal):
                return ordinary
            judged = marks.judge(service, principal, operation, time, signs)
            return cells(values_of(judged)) if judged.score >= least else None

        return judge

    def _summing(self, reader: Transaction) -> Judge:
        marks, principals = self._marks, self._principals

        def judge(row: Row) -> None:
            service, principal, operation, time, event = reader.read(row)
            key = (service, principal)
            held = principals.get(key)
            if held is None:
                held = principals[key] = Summary()
            held.add(operation, time, marks.judge(service, principal, operation, time, reader.signs(row, event)))

        return judge

    def _execute_chunk_v2(self, process: Any, chunk: Any) -> None:
        super()._execute_chunk_v2(process, chunk)
        if self.by == PRINCIPAL and self._finished:
            self._record_writer.write_records(self._rows())

    def _pass(self, header: List[str], rows: Iterator[Row]) -> None:
        if self.by != PRINCIPAL:
            super()._pass(header, rows)
            return
        judge = self.judge(Columns(header))
        for row in filter(None, rows):
            judge(row)

    def _rows(self) -> Iterator[Dict[str, Any]]:
        """One row for each principal, the highest score first."""
        held = getattr(self, "_principals", {})
        least = float(self.min_score)
        for (service, principal), one in sorted(held.items(), key=lambda item: (-item[1].score, item[0])):
            if one.score < least:
                continue
            yield {
                "service": service,
                "principal": principal,
                "apisec_score": _figure(one.score),
                "apisec_severity": severity_of(one.score),
                "apisec_reasons": list(one.reasons),
                "apisec_families": list(one.families),
                "apisec_campaigns": list(one.campaigns),
                **{f"apisec_{name}_score": _figure(one.components[name]) for name in COMPONENTS},
                "events": one.events,
                "marked": one.marked,
                "operations": sorted(one.operations),
                "first_time": f"{one.first:.3f}",
                "last_time": f"{one.last:.3f}",
            }

    def _load(self) -> Marks:
        if self.state == "off":
            return Marks()
        try:
            found = Marks(self._anomalies())
        except (HTTPError, OSError, AttributeError, SearchError) as error:
            # AttributeError: no session was passed (service is None).
            self.logger.warning("anomalies unavailable: %s", error)
            self.write_warning("{}", f"apisecscore: scoring by the signs in each request alone: {error}")
            return Marks()
        if found.dropped:
            self.write_warning("{}", f"apisecscore: {found.dropped} anomalies left out; search a shorter time")
        return found

    def _anomalies(self) -> Iterator[Mapping[str, Any]]:
        about = self.metadata.searchinfo
        earliest = max(0.0, float(about.earliest_time or 0) - BEFORE)
        latest = float(about.latest_time or 0)
        until = f"{latest + AFTER:.0f}" if latest else "now"
        rows = search(self.service, _SPL, earliest=f"{earliest:.0f}", latest=until)
        for number, row in enumerate(rows):
            if number >= MAX_ANOMALIES:
                self.write_warning("{}", f"apisecscore: more than {MAX_ANOMALIES} anomalies; search a shorter time")
                return
            try:
                anomaly = json.loads(first(row.get("_raw")) or "")
            except ValueError:
                continue
            if isinstance(anomaly, dict):
                yield anomaly
