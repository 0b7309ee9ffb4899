"""Detections as content/ holds them: read, checked against the vocabulary, with errors that name file and place."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
CONTENT = ROOT / "content"
_NAME = re.compile(r"[a-z][a-z0-9_]{2,63}")
_RELATIVE = re.compile(r"(now|-\d+[smhdw](@[smhdw])?|\$info_(min|max)_time\$)")
_KEYS = {
    "name", "id", "version", "date", "author", "status", "type", "description", "data_source", "search",
    "how_to_implement", "known_false_positives", "references", "schedule", "rba", "throttle", "tags", "drilldowns",
    "response", "tests",
}  # fmt: skip


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
    missing, unknown = _KEYS - document.keys(), document.keys() - _KEYS
    if missing or unknown:
        return [f"missing {sorted(missing)}" if missing else "", f"unknown {sorted(unknown)}" if unknown else ""]
    found = _heading(document, words) + _schedule(document) + _risk(document, words) + _drilldowns(document)
    if not detection.search.rstrip().endswith(f"`{detection.filter_macro}`"):
        found.append(f"search: must end with `{detection.filter_macro}`")
    response = document["response"]
    if response is None:  # what it finds is nothing that a pattern could block
        pass
    elif not isinstance(response.get("key"), list) or not isinstance(response.get("pattern"), dict):
        found.append("response: needs key (a list of fields) and pattern (a mapping)")
    elif {"id"} & response["pattern"].keys() or {"mode", "expires"} & response["pattern"].get("apisec", {}).keys():
        found.append("response: id, mode and expires are set when the pattern is pushed")
    expected = [bool(_accused(test["expect"])) for test in document["tests"]]
    if len(set(expected)) != 2:
        found.append("tests: need traffic that must and traffic that must not trigger")
    return found


def _accused(expect: Mapping[str, Any]) -> list[str]:
    """Return the risk objects that a test expects: principals, or operations after their service."""
    return list(expect["principals"] if "principals" in expect else expect["operations"])


def _heading(document: Mapping[str, Any], words: Mapping[str, Any]) -> list[str]:
    found = []
    try:
        uuid.UUID(str(document["id"]))
    except ValueError:
        found.append(f"id: {document['id']!r} is not a UUID")
    for key, allowed in (("status", "statuses"), ("type", "types")):
        if document[key] not in words[allowed]:
            found.append(f"{key}: {document[key]!r} is not one of {words[allowed]}")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", str(document["date"])):
        found.append("date: write '2026-11-21', quoted")
    tags = document["tags"]
    for key in ("mitre_attack", "owasp_api"):
        listed = tags.get(key) or []
        found += [f"tags.{key}: {tag!r} is not in vocabulary.yml" for tag in listed if tag not in words[key]]
        if not listed:
            found.append(f"tags.{key}: name at least one")
    if tags.get("security_domain") not in words["security_domains"]:
        found.append(f"tags.security_domain: {tags.get('security_domain')!r} is unknown")
    return found


def _schedule(document: Mapping[str, Any]) -> list[str]:
    schedule, throttle = document["schedule"], document["throttle"]
    found = []
    if len(str(schedule.get("cron", "")).split()) != 5:
        found.append("schedule.cron: five fields are needed")
    found += [
        f"schedule.{key}: {schedule.get(key)!r} is not a relative time such as -65m@m"
        for key in ("earliest", "latest")
        if not _RELATIVE.fullmatch(str(schedule.get(key, "")))
    ]
    if "risk_object" not in throttle.get("fields", ()):
        found.append("throttle.fields: must hold risk_object, or one campaign raises many findings")
    if not re.fullmatch(r"\d+s", str(throttle.get("period", ""))):
        found.append("throttle.period: write seconds, such as 86400s")
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
    listed = document["drilldowns"]
    found = [] if len(listed) >= 2 else ["drilldowns: two are needed"]
    for item in listed:
        if set(item) != {"name", "search", "earliest", "latest"}:
            found.append(f"drilldowns: {sorted(item)} instead of name, search, earliest, latest")
        else:
            found += [
                f"drilldowns: {item[key]!r} is no relative time"
                for key in ("earliest", "latest")
                if not _RELATIVE.fullmatch(item[key])
            ]
    return found
