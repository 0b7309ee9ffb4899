"""Write what detections say in Sigma, for other systems than Splunk: ``python tools/sigma_export.py --into sigma``.

A detection's ``apisec.sigma`` holds rules and correlations without what they share (title, ids, references, tags), or a
sentence that says why Sigma cannot say it. Scores, baselines and learned flows are not Sigma's: the rules of behaviour
are what a fixed threshold can do, and are no substitute for the input apisec_detection.

pySigma reads them; ``apisec-pipeline.yml`` maps their fields to those of Splunk:

    sigma convert -t splunk -p sigma/apisec-pipeline.yml sigma/

Example:
    python tools/sigma_export.py --into /tmp/sigma
"""

from __future__ import annotations

import argparse
import sys
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

import detections
from detections import ContentError, Detection

# Fixed for ever: ids of rules that others hold.
NAMESPACE = uuid.UUID("2b1f6d0e-7c0e-4a52-9f3e-0c8a4d1e5b77")
PIPELINE = "apisec-pipeline.yml"
# Sourcetypes by Sigma's category. A detection that reads anomalies says in Sigma what transactions can show.
CATEGORIES = {"apisec:transaction": "api", "apisec:anomaly": "api", "apisec:change": "change", "apisec:drift": "drift",
              "apisec:health": "health", "stash": "risk"}  # fmt: skip
SOURCETYPES = {
    "api": "apisec:transaction",
    "change": "apisec:change",
    "drift": "apisec:drift",
    "health": "apisec:health",
}
FIELDS = {  # lists and objects, as Splunk names them
    "signals.family": "signals{}.family",
    "signals.detector": "signals{}.detector",
    "signals.score": "signals{}.score",
    "request_fields.classes": "request_fields{}.classes{}",
}
LEVELS = ((60, "high"), (45, "medium"), (0, "low"))  # by the risk score


def why_not(detection: Detection) -> str | None:
    """The reason why Sigma cannot say it, if it cannot."""
    sigma = detection.document["apisec"]["sigma"]
    return sigma if isinstance(sigma, str) else None


def documents(detection: Detection) -> Iterator[dict[str, Any]]:
    """The Sigma documents of one detection: rules, and correlations of them by their names."""
    sigma = detection.document["apisec"]["sigma"]
    if isinstance(sigma, str):
        return
    for number, part in enumerate(sigma):
        yield _correlation(detection, part) if "correlation" in part else _rule(detection, part, number, len(sigma))


def _rule(detection: Detection, part: Mapping[str, Any], number: int, parts: int) -> dict[str, Any]:
    title = (
        detection.document["name"] if parts == 1 else f"{detection.document['name']}: {part['name'].replace('_', ' ')}"
    )
    made = {"title": title, "id": str(uuid.uuid5(NAMESPACE, f"{detection.slug}:{part.get('name', number)}"))}
    if "name" in part:
        made["name"] = _name(detection, part["name"])
    category = CATEGORIES[detection.document["data_source"][0]]
    return {**made, **_about(detection), "logsource": {"product": "apisec", "category": category},
            "detection": part["detection"], **_judgement(detection)}  # fmt: skip


def _correlation(detection: Detection, part: Mapping[str, Any]) -> dict[str, Any]:
    said = part["correlation"]
    made = {"title": detection.document["name"], "id": str(uuid.uuid5(NAMESPACE, f"{detection.slug}:correlation"))}
    correlation = {**said, "rules": [_name(detection, name) for name in said["rules"]]}
    return {**made, **_about(detection), "correlation": correlation, **_judgement(detection)}


def _name(detection: Detection, name: str) -> str:
    return f"{detection.slug}_{name}"


def _about(detection: Detection) -> dict[str, Any]:
    document = detection.document
    tags = [f"attack.{technique.lower()}" for technique in document["tags"]["mitre_attack_id"]]
    return {"status": "test", "description": str(document["description"]).strip(), "author": document["author"],
            "references": document["references"], "date": document["date"], "tags": tags}  # fmt: skip


def _judgement(detection: Detection) -> dict[str, Any]:
    score = max(item["score"] for item in detection.document["rba"]["risk_objects"])
    level = next(name for least, name in LEVELS if score >= least)
    return {"falsepositives": [str(detection.document["known_false_positives"]).strip()], "level": level}


def pipeline() -> dict[str, Any]:
    """A processing pipeline of pySigma: fields, and the sourcetype of each category."""
    sources = [
        {"id": f"sourcetype_{category}", "type": "add_condition", "conditions": {"sourcetype": sourcetype},
         "rule_conditions": [{"type": "logsource", "product": "apisec", "category": category}]}
        for category, sourcetype in SOURCETYPES.items()
    ]  # fmt: skip
    sources.append({"id": "index_risk", "type": "add_condition", "conditions": {"index": "apisec_risk"},
                    "rule_conditions": [{"type": "logsource", "product": "apisec", "category": "risk"}]})  # fmt: skip
    mapping = {"id": "fields", "type": "field_name_mapping", "mapping": FIELDS}
    return {"name": "apisec in Splunk", "priority": 50, "transformations": [mapping, *sources]}


def dump(nodes: list[dict[str, Any]]) -> str:
    return yaml.safe_dump_all(nodes, sort_keys=False, allow_unicode=True, width=120)


def write(into: Path, found: list[Detection]) -> int:
    """Write the files; returns the number of detections that Sigma can say."""
    into.mkdir(parents=True, exist_ok=True)
    (into / PIPELINE).write_text(dump([pipeline()]), "utf-8")
    said = [(detection, nodes) for detection in found if (nodes := list(documents(detection)))]
    for detection, nodes in said:
        (into / f"{detection.slug}.yml").write_text(dump(nodes), "utf-8")
    return len(said)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, required=True, help="folder to write to")
    arguments = parser.parse_args()
    try:
        found = detections.load()
        said = write(arguments.into, found)
    except ContentError as error:
        print(f"sigma_export: error: {error}", file=sys.stderr)
        return 1
    print(f"{said} of {len(found)} detections in {arguments.into}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
