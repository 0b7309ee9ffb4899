"""All example traffic of all detections in one Splunk at once, and each detection run over it by the scheduler.

Every test of every detection is a case with services, principals, campaigns and gateways of its own: what one case
holds cannot excuse or accuse another.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

import detections
from apisec.abuse import event as anomaly
from apisec.model.event import INDEXED
from detections import Detection
from tests.support.splunk import APP, Splunk, saved_path

RELATIVE = ("first_time", "last_time", "since", "until", "first_seen", "last_seen")  # seconds from now, when below 0
_OWN_IDS = ("id", "campaign")
JOBS = "/services/search/jobs"
_TOKEN = re.compile(r"~(\w+)~[0-9a-f]{12}([0-9a-f]{4})~")
_INDEXED = {"apisec:transaction": INDEXED, anomaly.SOURCETYPE_ANOMALY: anomaly.INDEXED}


@dataclass(frozen=True)
class Case:
    number: int
    detection: Detection
    test: Mapping[str, Any]
    marker: str = ""

    @property
    def name(self) -> str:
        return f"{self.detection.slug}: {self.test['name']}"

    def own(self, name: str) -> str:
        """A service or gateway of this case."""
        return f"{name}{self.number}-{self.marker}"

    def tokens(self, text: str) -> str:
        """The principals (sessions, users) of a text as this case's own."""
        return _TOKEN.sub(rf"~\1~{self.marker}{self.number:04x}\2~", text)

    def event(self, line: Mapping[str, Any], now: float) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.tokens(json.dumps(line["event"])))
        event |= {name: self.own(event[name]) for name in ("service", "gateway") if name in event}
        event |= {name: self._id(event[name]) for name in _OWN_IDS if name in event}
        event |= {name: now + event[name] for name in RELATIVE if event.get(name, 0) < 0}
        if "examples" in event:
            event["examples"] = [self._id(one) for one in event["examples"]]
        return {**event, "time": round(now + line["at"], 3)}

    def _id(self, text: str) -> str:
        return f"{self.marker}-{self.number}-{text}"

    def document(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """A document of a collection as this case's own."""
        made: dict[str, Any] = json.loads(self.tokens(json.dumps(document)))
        service = made["service"]
        return {**made, "service": self.own(service), "_key": made["_key"].replace(service, self.own(service), 1)}

    def accused(self) -> list[str]:
        """The risk objects that the test expects."""
        ((kind, names),) = self.test["expect"].items()
        if kind == "principals":
            return [self.tokens(name) for name in names]
        parts = (name.partition(" ") for name in names)
        return [f"{self.own(first)}{space}{rest}" for first, space, rest in parts]

    def of(self, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows about what belongs to this case."""
        mine = re.compile(rf"[a-z]{self.number}-{self.marker}\b|~{self.marker}{self.number:04x}[0-9a-f]{{4}}~")
        return [row for row in rows if mine.search(json.dumps(row))]


def cases(marker: str = "") -> list[Case]:
    listed = [(detection, test) for detection in detections.load() for test in detection.tests]
    return [Case(number, detection, test, marker) for number, (detection, test) in enumerate(listed, 10)]


def run_by_scheduler(splunk: Splunk, detection: Detection) -> list[dict[str, Any]]:
    """Enable a detection, have its next start moved to now, and return the results of the scheduler's own job."""
    saved = saved_path(detection.stanza)
    splunk.edit_saved(detection.stanza, {"disabled": "0"})
    began = splunk.now()
    splunk.rest.call("POST", f"{saved}/reschedule", {"schedule_time": "now"})

    def done() -> str:
        jobs = [one["content"] for one in splunk.rest.entries(f"{saved}/history")]
        return next((job["sid"] for job in jobs if job["isDone"] and started(job["sid"]) >= began - 1), "")

    sid = splunk.wait(done, f"the scheduler to run {detection.slug}")
    found: list[dict[str, Any]] = splunk.rest.call("GET", f"{JOBS}/{quote(sid, safe='')}/results?count=0")["results"]
    return found


def started(sid: str) -> float:
    """When the scheduler started a job, whole seconds since the epoch, as its id says; 0 for other jobs."""
    return float(sid.rpartition("_at_")[2].partition("_")[0]) if sid.startswith("scheduler__") else 0.0


class Scene:
    """``rows``: what each detection found, by its slug; ``risk``: the risk events of all of them."""

    def __init__(self, splunk: Splunk) -> None:
        self.splunk = splunk
        self.cases = cases(splunk.marker)
        self.source = f"apisec-content-{splunk.marker}"
        self._fill()
        self._send()
        self.rows = {detection.slug: self._run(detection) for detection in detections.load()}
        self.risk = self._risk()

    def _fill(self) -> None:
        collections: dict[str, list[dict[str, Any]]] = {}
        for case in self.cases:
            if "state" in case.test:
                text = (detections.CONTENT / "examples" / case.test["state"]).read_text("utf-8")
                for name, documents in json.loads(text).items():
                    collections.setdefault(name, []).extend(map(case.document, documents))
        for name, documents in collections.items():
            path = self.splunk.data(name)
            query = quote(json.dumps({"$or": [{"service": s} for s in sorted({d["service"] for d in documents})]}))
            self.splunk.undo(partial(self.splunk.rest.call, "DELETE", f"{path}?query={query}"))
            self.splunk.rest.call("POST", f"{path}/batch_save", body=documents)

    def _send(self) -> None:
        envelopes = list(self._envelopes(self.splunk.now()))
        self.splunk.hec(envelopes)
        held = f"search index={APP}* source={self.source} | stats count"
        self.splunk.wait(
            lambda: int(self.splunk.search(f"| {held}", "-7d", "+1d")[0]["count"]) == len(envelopes), "the events"
        )

    def _envelopes(self, now: float) -> Iterator[dict[str, Any]]:
        for case in self.cases:
            for line in detections.lines(case.test):
                event = case.event(line, now)
                sourcetype = line.get("sourcetype", case.detection.document["data_source"][0])
                fields = {name: str(event[name]) for name in _INDEXED.get(sourcetype, ()) if name in event}
                index = line.get("index", APP)
                about = {"time": event["time"], "index": index, "source": self.source, "sourcetype": sourcetype}
                yield {**about, "host": "edge", "event": event, "fields": fields}

    def _run(self, detection: Detection) -> list[dict[str, Any]]:
        """Let the scheduler run the saved search now, with its actions; what it found of this scene."""
        rows = run_by_scheduler(self.splunk, detection)
        self.splunk.edit_saved(detection.stanza, {"disabled": "1"})
        return self.splunk.mine(rows)

    def _risk(self) -> list[dict[str, Any]]:
        """Risk events, once as many are indexed as there are findings."""
        found = sum(map(len, self.rows.values()))
        spl = f'`apisec_risk_index` NOT source="{self.source}" | table detection, risk_object, risk_object_type'

        def told() -> list[dict[str, Any]]:
            rows = self.splunk.mine(self.splunk.search(spl, "-7d", "+1d"))
            return rows if len(rows) >= found else []

        return self.splunk.wait(told, f"{found} risk events") if found else []

    def drill(self, case: Case, row: Mapping[str, Any], drilldown: Mapping[str, str]) -> list[dict[str, Any]]:
        """What a drilldown shows of a finding; ``$info_min_time$`` is where the detection's own range began."""

        def value(match: re.Match[str]) -> str:
            found = row[match[1]]
            return str(found[0] if isinstance(found, list) else found).replace("\\", "\\\\").replace('"', '\\"')

        spl = re.sub(r"\$(\w+)\$", value, drilldown["search"])
        earliest, latest = (drilldown[key] for key in ("earliest_offset", "latest_offset"))
        own = case.detection.schedule["earliest_time"]
        return self.splunk.search(spl, own if "$" in earliest else earliest, "now" if "$" in latest else latest)
