"""Detections as content/ holds them: read, checked against the vocabulary, with errors that name file and place.

A detection is a document of Splunk's contentctl (5.x), which checks it itself (contentctl_project.py), and one member
more, ``apisec``: what contentctl has no place for.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

ROOT = Path(__file__).resolve().parent.parent
CONTENT = ROOT / "content"
_NAME = re.compile(r"[a-z][a-z0-9_]{2,63}")
_RELATIVE = re.compile(r"(now|-\d+[smhdw](@[smhdw])?|\$info_(min|max)_time\$)")
# What contentctl knows of a detection and we want of each; ``tests`` it gets from ours.
_KEYS = {
    "name", "id", "version", "date", "author", "status", "type", "description", "data_source", "search",
    "how_to_implement", "known_false_positives", "references", "deployment", "rba", "drilldown_searches", "tags",
    "apisec",
}  # fmt: skip
_TAGS = {"analytic_story", "asset_type", "mitre_attack_id", "product", "security_domain", "throttling"}
_EXTENSION = {"owasp_api", "response", "sigma", "tests"}
_DRILLDOWN = {"name", "search", "earliest_offset", "latest_offset"}
ORIGINAL = "%original_detection_search%"  # in a drilldown: the detection's own search
EXPECTED = ("principals", "operations", "services", "gateways")  # what a test may say is accused


class ContentError(Exception):
    """A detection is not acceptable; the message begins with the file."""


@dataclass(frozen=True)
class Detection:
    """``slug`` is the file's name: the id of its pattern template, and the name of its filter macro."""

    slug: str
    document: Mapping[str, Any]

    @property
    def stanza(self) -> str:
        """The saved search's name, in the form of Splunk's own content."""
        return f"APISEC - {self.document['name']} - Rule"

    @property
    def filter_macro(self) -> str:
        return f"{self.slug}_filter"

    @property
    def search(self) -> str:
        return str(self.document["search"])

    @property
    def schedule(self) -> Mapping[str, str]:
        """cron_schedule, earliest_time, latest_time, schedule_window."""
        return cast("Mapping[str, str]", self.document["deployment"]["scheduling"])

    @property
    def throttling(self) -> Mapping[str, Any]:
        """``fields`` and ``period``: one finding of a campaign."""
        return cast("Mapping[str, Any]", self.document["tags"]["throttling"])

    @property
    def owasp(self) -> Sequence[str]:
        return cast("Sequence[str]", self.document["apisec"]["owasp_api"])

    @property
    def response(self) -> Mapping[str, Any] | None:
        """The template of a block pattern; None where no pattern could help."""
        return cast("Mapping[str, Any] | None", self.document["apisec"]["response"])

    @property
    def tests(self) -> Sequence[Mapping[str, Any]]:
        return cast("Sequence[Mapping[str, Any]]", self.document["apisec"]["tests"])

    @property
    def drilldowns(self) -> list[dict[str, str]]:
        """The drilldowns with the detection's own search in the place of its name."""
        listed = self.document["drilldown_searches"]
        return [{**item, "search": item["search"].replace(ORIGINAL, self.search)} for item in listed]


def vocabulary(content: Path = CONTENT) -> dict[str, Any]:
    return dict(yaml.safe_load((content / "vocabulary.yml").read_text("utf-8")))


def load(content: Path = CONTENT) -> list[Detection]:
    """Every detection, by name; raises ContentError for the first that is not acceptable."""
    words = vocabulary(content)
    found = [read(path, words) for path in sorted((content / "detections").glob("*.yml"))]
    if not found:
        raise ContentError(f"{content / 'detections'}: holds no detection")
    for key in ("id", "name"):
        seen: dict[str, str] = {}
        for detection in found:
            other = seen.setdefault(str(detection.document[key]), detection.slug)
            if other != detection.slug:
                raise ContentError(f"{detection.slug}.yml: {key} is {other}.yml's too")
    return found


def read(path: Path, words: Mapping[str, Any]) -> Detection:
    """One file."""
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
    except yaml.YAMLError as error:
        raise ContentError(f"{path.name}: not YAML: {error}") from None
    if not _NAME.fullmatch(path.stem):
        raise ContentError(f"{path.name}: a name is lower case letters, digits and underscores")
    if not isinstance(document, dict):
        raise ContentError(f"{path.name}: a detection is a mapping")
    detection = Detection(path.stem, document)
    for problem in problems(detection, words):
        raise ContentError(f"{path.name}: {problem}")
    return detection


def problems(detection: Detection, words: Mapping[str, Any]) -> list[str]:
    """Everything that is wrong with a detection but its SPL, which spl_lint.py reads."""
    document = detection.document
    for where, node, keys in (
        ("", document, _KEYS),
        ("tags: ", document.get("tags", {}), _TAGS),
        ("apisec: ", document.get("apisec", {}), _EXTENSION),
    ):
        missing, unknown = keys - node.keys(), node.keys() - keys
        if missing or unknown:
            return [
                f"{where}{word} {sorted(listed)}"
                for word, listed in (("missing", missing), ("unknown", unknown))
                if listed
            ]
    found = _heading(detection, words) + _schedule(detection) + _risk(document, words) + _drilldowns(document)
    if not detection.search.rstrip().endswith(f"`{detection.filter_macro}`"):
        found.append(f"search: must end with `{detection.filter_macro}`")
    return found + _response(detection.response) + _tests(detection.tests)


def _response(response: Mapping[str, Any] | None) -> list[str]:
    if response is None:  # what it finds is nothing that a pattern could block
        return []
    if not isinstance(response.get("key"), list) or not isinstance(response.get("pattern"), dict):
        return ["apisec.response: needs key (a list of fields) and pattern (a mapping)"]
    if {"id"} & response["pattern"].keys() or {"mode", "expires"} & response["pattern"].get("apisec", {}).keys():
        return ["apisec.response: id, mode and expires are set when the pattern is pushed"]
    return []


def _tests(tests: Sequence[Mapping[str, Any]]) -> list[str]:
    for test in tests:
        if len(test["expect"]) != 1 or not set(test["expect"]) <= set(EXPECTED):
            return [f"apisec.tests: {test['name']!r} expects one of {', '.join(EXPECTED)}"]
    if len({bool(accused(test)) for test in tests}) != 2:
        return ["apisec.tests: need traffic that must and traffic that must not trigger"]
    return []


def accused(test: Mapping[str, Any]) -> list[str]:
    """The risk objects that a test expects; operations come after their service."""
    return [str(name) for listed in test["expect"].values() for name in listed]


def lines(test: Mapping[str, Any], content: Path = CONTENT) -> list[dict[str, Any]]:
    """The traffic of a test: ``case``, ``at`` (seconds from now), ``event``, and ``sourcetype`` where it is another."""
    text = (content / "examples" / test["events"]).read_text("utf-8")
    return [line for line in map(json.loads, text.splitlines()) if line["case"] in test["case"]]


def _heading(detection: Detection, words: Mapping[str, Any]) -> list[str]:
    document, found = detection.document, []
    try:
        uuid.UUID(str(document["id"]))
    except ValueError:
        found.append(f"id: {document['id']!r} is not a UUID")
    if re.sub(r"[ ./-]", "_", str(document["name"])).lower() != detection.slug:  # contentctl's own rule
        found.append(f"name: {document['name']!r} and the file's name must be the same words")
    for key, allowed in (("status", "statuses"), ("type", "types")):
        if document[key] not in words[allowed]:
            found.append(f"{key}: {document[key]!r} is not one of {words[allowed]}")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", str(document["date"])):
        found.append("date: write '2026-11-21', quoted")
    tags = document["tags"]
    for where, listed, known in (
        ("tags.mitre_attack_id", tags["mitre_attack_id"], words["mitre_attack"]),
        ("apisec.owasp_api", detection.owasp, words["owasp_api"]),
        ("tags.analytic_story", tags["analytic_story"], words["analytic_stories"]),
    ):
        found += [f"{where}: {tag!r} is not in vocabulary.yml" for tag in listed if tag not in known]
        if not listed and not (known is words["owasp_api"] and _is_about_no_item(document)):
            found.append(f"{where}: name at least one")
    if tags["security_domain"] not in words["security_domains"]:
        found.append(f"tags.security_domain: {tags['security_domain']!r} is unknown")
    return found


def _is_about_no_item(document: Mapping[str, Any]) -> bool:
    """Of OWASP's list: what is about apisec itself, or about other findings."""
    return bool(document["tags"]["analytic_story"] == ["API sensor"] or document["type"] == "Correlation")


def _schedule(detection: Detection) -> list[str]:
    schedule, throttle = detection.schedule, detection.throttling
    found = []
    if len(str(schedule.get("cron_schedule", "")).split()) != 5:
        found.append("scheduling.cron_schedule: five fields are needed")
    found += [
        f"scheduling.{key}: {schedule.get(key)!r} is not a relative time such as -65m@m"
        for key in ("earliest_time", "latest_time")
        if not _RELATIVE.fullmatch(str(schedule.get(key, "")))
    ]
    if not {"risk_object", "campaign"} & set(throttle.get("fields", ())):
        found.append("throttling.fields: must hold risk_object or campaign, or one campaign raises many findings")
    if not re.fullmatch(r"\d+s", str(throttle.get("period", ""))):
        found.append("throttling.period: write seconds, such as 86400s")
    return found


def _risk(document: Mapping[str, Any], words: Mapping[str, Any]) -> list[str]:
    rba = document["rba"]
    found = [
        f"rba.risk_objects: {item!r} needs field, type of {words['risk_object_types']} and a score of 1 to 100"
        for item in rba["risk_objects"]
        if item.get("type") not in words["risk_object_types"] or not 1 <= int(item.get("score", 0)) <= 100
    ]
    found += [f"rba: {item['field']!r} is an address" for item in rba["risk_objects"] if item["field"] in ("src", "ip")]
    return found + ([] if rba["risk_objects"] else ["rba.risk_objects: name at least one"])


def _drilldowns(document: Mapping[str, Any]) -> list[str]:
    listed = document["drilldown_searches"]
    found = [] if len(listed) >= 2 else ["drilldown_searches: two are needed"]
    for item in listed:
        if set(item) != _DRILLDOWN:
            found.append(f"drilldown_searches: {sorted(item)} instead of {sorted(_DRILLDOWN)}")
        else:
            found += [
                f"drilldown_searches: {item[key]!r} is no relative time"
                for key in ("earliest_offset", "latest_offset")
                if not _RELATIVE.fullmatch(item[key])
            ]
    return found
