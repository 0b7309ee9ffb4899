"""Check views, of Dashboard Studio and forms in Simple XML, for what neither schema nor validator catches.

    python tools/dashboard_lint.py

Panels that name no data source, chains that extend nothing, tokens that no input sets, panels outside the layout,
data sources that nothing shows, and macros and lookups that the app does not define.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any

import confs
import detections

VIEWS = detections.ROOT / "package/default/data/ui/views"
DATA_SOURCES = {"ds.search", "ds.chain", "ds.savedSearch"}
VISUALIZATIONS = {
    "splunk.singlevalue", "splunk.table", "splunk.line", "splunk.area", "splunk.bar", "splunk.column", "splunk.pie",
    "splunk.markdown", "splunk.sankey", "splunk.events",
}  # fmt: skip
# Options of the panels in use; an unknown one is ignored by Splunk without a word.
OPTIONS = {"majorFontSize", "count", "legendDisplay", "stackMode", "markdown"}
_TOKEN = re.compile(r"\$([A-Za-z_][\w.]*)(?:\|\w+)?\$")


def definition(path: Path) -> dict[str, Any]:
    """The JSON inside a view; raises ValueError when it is not a Dashboard Studio view."""
    root = ET.fromstring(path.read_text("utf-8"))  # noqa: S314 - our own file
    if root.tag != "dashboard" or root.get("version") != "2":
        raise ValueError('not <dashboard version="2">')
    return dict(json.loads(root.findtext("definition") or ""))


def lint(document: dict[str, Any], default: Path) -> list[str]:
    """Sentences, one a fault."""
    return [*_sources(document, default), *_panels(document), *_layout(document), *_tokens(document)]


def _sources(document: dict[str, Any], default: Path) -> Iterator[str]:
    sources = document["dataSources"]
    macros, lookups = confs.read(default / "macros.conf"), confs.read(default / "transforms.conf")
    shown = {s for part in ("visualizations", "inputs") for v in document[part].values()
             for s in v.get("dataSources", {}).values()}  # fmt: skip
    shown |= {s["options"]["extend"] for s in sources.values() if s["type"] == "ds.chain"}
    for name, source in sources.items():
        query = source["options"].get("query", "")
        if source["type"] not in DATA_SOURCES:
            yield f"{name}: unknown type {source['type']}"
        if source["type"] == "ds.chain" and sources.get(source["options"]["extend"], {}).get("type") != "ds.search":
            yield f"{name}: extends {source['options']['extend']!r}, which is no ds.search"
        if name not in shown:
            yield f"{name}: is shown nowhere"
        yield from _named(name, query, macros, lookups)


def _named(name: str, query: str, macros: Container[str], lookups: Container[str]) -> Iterator[str]:
    """Macros and lookups of a search that the app does not define."""
    for macro in re.findall(r"`([^`(]+)[^`]*`", query):
        if macro not in macros:
            yield f"{name}: macro {macro} is not defined"
    for lookup in re.findall(r"\b(?:input)?lookup\s+(\w+)", query):
        if lookup not in lookups:
            yield f"{name}: lookup {lookup} is not in transforms.conf"


def lint_form(root: ET.Element, default: Path) -> Iterator[str]:
    """Sentences, one a fault, of a form in Simple XML."""
    macros, lookups = confs.read(default / "macros.conf"), confs.read(default / "transforms.conf")
    known = {one.get("token", "") for kind in ("input", "set") for one in root.iter(kind)}
    known |= {f"{one.get('token')}.{end}" for one in root.iter("input") for end in ("earliest", "latest")}
    for number, query in enumerate(root.iter("query"), 1):
        yield from _named(f"query {number}", query.text or "", macros, lookups)
    for token in sorted(set(_TOKEN.findall(ET.tostring(root, "unicode")))):
        if token not in known and not token.startswith("row."):
            yield f"neither an input nor a click sets the token {token!r}"


def _faults(path: Path, default: Path) -> list[str]:
    root = ET.fromstring(path.read_text("utf-8"))  # noqa: S314 - our own file
    return list(lint_form(root, default)) if root.tag == "form" else lint(definition(path), default)


def _panels(document: dict[str, Any]) -> Iterator[str]:
    for part in ("visualizations", "inputs"):
        for name, item in document[part].items():
            for source in item.get("dataSources", {}).values():
                if source not in document["dataSources"]:
                    yield f"{name}: unknown data source {source!r}"
    for name, item in document["visualizations"].items():
        if item["type"] not in VISUALIZATIONS:
            yield f"{name}: unknown type {item['type']}"
        yield from (f"{name}: unknown option {o!r}" for o in item.get("options", {}) if o not in OPTIONS)


def _layout(document: dict[str, Any]) -> Iterator[str]:
    layout = document["layout"]
    placed: list[str] = []
    for tab in layout["tabs"]["items"]:
        body = layout["layoutDefinitions"].get(tab["layoutId"])
        if body is None:
            yield f"tab {tab['label']!r}: no layout {tab['layoutId']!r}"
            continue
        width, height = body["options"]["width"], body["options"]["height"]
        for block in body["structure"]:
            placed.append(block["item"])
            at = block["position"]
            if at["x"] + at["w"] > width or at["y"] + at["h"] > height:
                yield f"{block['item']}: outside the canvas"
    for name in set(placed) ^ set(document["visualizations"]):
        yield f"{name}: {'is no visualization' if name in placed else 'is not in the layout'}"
    for name in set(layout["globalInputs"]) ^ set(document["inputs"]):
        yield f"input {name}: not both defined and placed"


def _tokens(document: dict[str, Any]) -> Iterator[str]:
    known = set()
    for item in document["inputs"].values():
        token = item["options"]["token"]
        known |= {f"{token}.earliest", f"{token}.latest"} if item["type"] == "input.timerange" else {token}
    for name, source in document["dataSources"].items():
        for token in _TOKEN.findall(json.dumps(source["options"])):
            if token not in known:
                yield f"{name}: no input sets the token {token!r}"


def main() -> int:
    argparse.ArgumentParser(description=__doc__).parse_args()
    failed = False
    for path in sorted(VIEWS.glob("*.xml")):
        try:
            faults = _faults(path, detections.ROOT / "package/default")
        except (ValueError, KeyError, ET.ParseError) as error:
            faults = [f"cannot be read: {error!r}"]
        for fault in faults:
            print(f"dashboard_lint: {path.name}: {fault}", file=sys.stderr)
        failed = failed or bool(faults)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
