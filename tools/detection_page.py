"""docs/detections.md: every detection, what of OWASP's and ATT&CK's lists they cover, and what there is to tune."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import confs
import detections
import sigma_export
from detections import Detection

STORIES = {
    "API abuse": "Somebody abuses an API. These read `apisec:anomaly`, which the input `apisec_detection` writes: one "
    "finding a campaign,\nabout the principal; where many share in it, about the operation, with its members beside.",
    "API posture": "The API itself is the weakness. These accuse an operation or a service, and have nobody to block.",
    "API sensor": "The forwarder does not see what it should. These accuse a gateway, and come before all others.",
}
_MACRO = re.compile(r"`(apisec_\w+)`")
_FIRST = re.compile(r"(.+?[.:])(?:\s|$)")


def page() -> str:
    found = detections.load()
    words = detections.vocabulary()
    macros = confs.read(detections.ROOT / "package/default/macros.conf")
    stories = "\n".join(_story(name, found) for name in STORIES)
    return f"""# Detections

Generated from `content/detections/` by `python tools/reference.py`. {len(found)} saved searches, all disabled until
you enable them ([app.md](app.md#the-first-detection)); that of `api_scraping` is *APISEC - API scraping - Rule*.
[content/README.md](../content/README.md) says how one is
written and tested. Each has two drilldowns or more, is throttled so that a campaign is one finding, and leaves out what
its macro `<id>_filter` says. Splunk's contentctl reads them all (`python tools/contentctl_project.py --validate`);
`python tools/sigma_export.py --into sigma` writes what Sigma can say of them.

{stories}
## OWASP API Security Top 10 (2023)

| item | detections | what traffic does not show |
|---|---|---|
{_owasp(found, words)}

## MITRE ATT&CK

| technique | detections |
|---|---|
{_attack(found, words)}

## Macros to tune

Change them in `local/macros.conf`, or on *Settings → Advanced search → Search macros*.

| macro | default | read by |
|---|---|---|
{_macros(found, macros)}

## Sigma

{_sigma(found)}
"""


def _story(name: str, found: Iterable[Detection]) -> str:
    rows = "\n".join(_row(one) for one in found if one.document["tags"]["analytic_story"] == [name])
    return f"""## {name}

{STORIES[name]}

| id | finds | type | risk | OWASP | ATT&CK | block pattern |
|---|---|---|---|---|---|---|
{rows}
"""


def _row(one: Detection) -> str:
    document = one.document
    score = max(item["score"] for item in document["rba"]["risk_objects"])
    cells = [f"`{one.slug}`", _cell(_first(document["description"])), document["type"], str(score),
             ", ".join(item.partition(":")[0] for item in one.owasp), ", ".join(document["tags"]["mitre_attack_id"]),
             "yes" if one.response else ""]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _first(text: str) -> str:
    """The first sentence, or what stands before its colon."""
    match = _FIRST.match(" ".join(text.split()))
    assert match is not None
    return match[1].rstrip(":.") + "."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _owasp(found: Iterable[Detection], words: Mapping[str, Any]) -> str:
    return "\n".join(
        f"| {item.partition(':')[0]} {title} | {_ids(one for one in found if item in one.owasp)} "
        f"| {_cell(' '.join(words['owasp_limits'][item].split()))} |"
        for item, title in words["owasp_api"].items()
    )


def _attack(found: Iterable[Detection], words: Mapping[str, Any]) -> str:
    by = {technique: [one for one in found if technique in one.document["tags"]["mitre_attack_id"]]
          for technique in words["mitre_attack"]}  # fmt: skip
    return "\n".join(f"| {name} {words['mitre_attack'][name]} | {_ids(ones)} |" for name, ones in by.items() if ones)


def _ids(found: Iterable[Detection]) -> str:
    return ", ".join(f"`{one.slug}`" for one in found)


def _macros(found: Iterable[Detection], macros: Mapping[str, Mapping[str, str]]) -> str:
    readers: dict[str, list[Detection]] = {}
    for one in found:
        for name in _MACRO.findall(one.search):
            if one not in readers.setdefault(name, []):
                readers[name].append(one)
    rows = [
        (name, macros[name]["definition"], readers[name])
        for name in sorted(readers)
        if name in macros and "`" not in macros[name]["definition"]
    ]
    return "\n".join(
        f"| `{name}` | `{_cell(value)}` | {_ids(ones)} |"
        for name, value, ones in rows
        if "\n" not in value and len(ones) < 4
    )


def _sigma(found: Iterable[Detection]) -> str:
    cannot = [(one, why) for one in found if (why := sigma_export.why_not(one)) is not None]
    said = "\n".join(f"- `{one.slug}`: {' '.join(why.split())}" for one, why in cannot)
    return f"""Rules over transactions are what a fixed threshold can do, without baselines: a help where no Splunk
is, no substitute. pySigma reads them; `apisec-pipeline.yml` beside them maps fields to Splunk's. Sigma cannot say:

{said}"""
