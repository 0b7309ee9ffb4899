"""Render content/ into the app: ``python tools/render_content.py --into build/src/package``.

Adds each detection to default/savedsearches.conf, its filter macro to default/macros.conf and its readers to
metadata/default.meta, and writes the pattern templates to lib/apisec_app/content/patterns.json. The same content gives
the same bytes. ``--check`` only checks.

Example:
    python tools/render_content.py --check
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import confs
import detections
import spl_lint
from detections import ContentError, Detection

RISK_INDEX = "apisec_risk"


def compact(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def saved_search(detection: Detection) -> dict[str, str]:
    """The stanza of one detection: search, schedule, throttle, risk, and what Enterprise Security reads."""
    document = detection.document
    settings = {
        "description": str(document["description"]).strip(),
        "disabled": "true",
        # Run by hand it finds what the one who runs it may see; on its schedule it runs as its owner all the same.
        "dispatchAs": "user",
        "search": detection.search,
    }
    settings |= _schedule(detection) | _actions(detection) | _enterprise_security(detection)
    return settings


def _schedule(detection: Detection) -> dict[str, str]:
    schedule, throttle = detection.schedule, detection.throttling
    return {
        "enableSched": "1",
        "cron_schedule": schedule["cron_schedule"],
        "dispatch.earliest_time": schedule["earliest_time"],
        "dispatch.latest_time": schedule["latest_time"],
        "schedule_window": schedule["schedule_window"],
        "allow_skew": "60s",
        "is_visible": "false",
        "counttype": "number of events",
        "relation": "greater than",
        "quantity": "0",
        "alert.track": "0",
        # Per row, so that each principal is throttled on its own.
        "alert.digest_mode": "0",
        "alert.suppress": "1",
        "alert.suppress.fields": ",".join(throttle["fields"]),
        "alert.suppress.period": throttle["period"],
    }


def _actions(detection: Detection) -> dict[str, str]:
    """Risk events into the app's own index, and the action's parameters, ready for the day it is switched on."""
    rba = detection.document["rba"]
    risk = [{"risk_object_field": r["field"], "risk_object_type": r["type"], "risk_score": r["score"]}
            for r in rba["risk_objects"]]  # fmt: skip
    risk += [{"threat_object_field": t["field"], "threat_object_type": t["type"]} for t in rba["threat_objects"]]
    block = {
        "action.apisec_block": "0",
        "action.apisec_block.param.pattern": detection.slug,
        "action.apisec_block.param.mode": "shadow",
    }
    return {
        "action.summary_index": "1",
        "action.summary_index._name": RISK_INDEX,
        "action.summary_index.detection": detection.slug,
        "action.summary_index.detection_version": str(detection.document["version"]),
        **(block if detection.response else {}),
        "action.risk": "1",
        "action.risk.param._risk": compact(risk),
        "action.risk.param._risk_message": rba["message"],
        "action.risk.param.verbose": "0",
    }


def _enterprise_security(detection: Detection) -> dict[str, str]:
    document = detection.document
    tags = document["tags"]
    annotations = {"analytic_story": tags["analytic_story"], "mitre_attack": tags["mitre_attack_id"],
                   "owasp_api": detection.owasp, "type": [document["type"]]}  # fmt: skip
    metadata = {"deprecated": "0", "detection_id": document["id"], "detection_version": str(document["version"]),
                "publish_time": document["date"]}  # fmt: skip
    return {
        "action.correlationsearch.enabled": "1",
        "action.correlationsearch.label": detection.stanza,
        "action.correlationsearch.detection_type": "ebd",
        "action.correlationsearch.annotations": compact(annotations),
        "action.correlationsearch.metadata": compact(metadata),
        "action.notable.param.security_domain": tags["security_domain"],
        "action.notable.param.rule_title": f"{document['name']}: $risk_object$",
        "action.notable.param.rule_description": document["rba"]["message"],
        "action.notable.param.drilldown_searches": compact(detection.drilldowns),
    }


def filter_macro(detection: Detection) -> dict[str, str]:
    return {
        "definition": "search *",
        "iseval": "0",
        "description": f"Leave out what {detection.document['name']} should not find. Change it in local/.",
    }


def patterns(found: list[Detection]) -> str:
    """The templates as one JSON document, by the detections' names."""
    templates = {d.slug: {"version": d.document["version"], **d.response} for d in found if d.response}
    return json.dumps(templates, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def permissions(found: list[Detection]) -> str:
    """Stanzas of metadata that keep detections to those who see every team.

    A scheduled search finds what every team has, and its results are for whoever may read the search.
    """
    readers = "[ admin, sc_admin, apisec_admin, apisec_analyst ]"
    access = f"access = read : {readers}, write : [ admin, sc_admin, apisec_admin ]"
    return "\n".join(f"[savedsearches/{quote(d.stanza)}]\n{access}\n" for d in found)


def render(found: list[Detection], package: Path) -> None:
    """Write the four files into a staged package."""
    default = package / "default"
    searches = {d.stanza: saved_search(d) for d in found}
    shipped = default / "savedsearches.conf"
    own = shipped.read_text("utf-8").rstrip("\n") + "\n\n" if shipped.exists() else ""
    shipped.write_text(own + confs.write(searches), "utf-8")
    macros = (default / "macros.conf").read_text("utf-8").rstrip("\n")
    filters = confs.write({d.filter_macro: filter_macro(d) for d in found})
    (default / "macros.conf").write_text(f"{macros}\n\n# --- Filters of the detections ---\n\n{filters}", "utf-8")
    meta = package / "metadata/default.meta"
    meta.write_text(f"{meta.read_text('utf-8').rstrip(chr(10))}\n\n{permissions(found)}", "utf-8")
    target = package / "lib/apisec_app/content/patterns.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(patterns(found), "utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, help="a staged copy of package/")
    parser.add_argument("--check", action="store_true", help="write nothing")
    arguments = parser.parse_args()
    if not arguments.check and arguments.into is None:
        parser.error("say where to (--into FOLDER), or --check")
    try:
        found = detections.load()
        knowledge = spl_lint.Knowledge.of(detections.ROOT / "package/default", found)
        faults = [f"{d.slug}.yml: {fault}" for d in found for fault in spl_lint.lint(d, knowledge)]
        if faults:
            raise ContentError("\n".join(faults))
        if arguments.into is not None and not arguments.check:
            render(found, arguments.into)
    except ContentError as error:
        print(f"render_content: error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
