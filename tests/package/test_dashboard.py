"""The view: every reference holds, and every search of it runs."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dashboard_lint
import detections
from tests.support import app
from tests.support.splunk import Splunk

DEFAULT = app.ROOT / "package/default"
VIEW = dashboard_lint.definition(DEFAULT / "data/ui/views/apisec_overview.xml")
Document = dict[str, Any]


def test_the_view_is_clean() -> None:
    assert dashboard_lint.lint(VIEW, DEFAULT) == []


def set_at(*path: str, value: Any) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        node = document
        for part in path[:-1]:
            node = node[part]
        node[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (set_at("visualizations", "viz_top", "dataSources", "primary", value="ds_tops"), "unknown data source"),
        (set_at("dataSources", "ds_top", "options", "extend", value="ds_distribution"), "which is no ds.search"),
        (set_at("dataSources", "ds_risk", "options", "query", value="`apisec_risks`"), "macro apisec_risks is not"),
        (
            set_at("dataSources", "ds_risk", "options", "query", value="| inputlookup apisec_flow"),
            "is not in transforms",
        ),
        (set_at("dataSources", "ds_risk", "options", "query", value="x=$servic$"), "no input sets the token 'servic'"),
        (set_at("dataSources", "ds_new", value={"type": "ds.search", "options": {}}), "is shown nowhere"),
        (set_at("visualizations", "viz_top", "type", value="splunk.tables"), "unknown type splunk.tables"),
        (set_at("visualizations", "viz_top", "options", "rows", value=3), "unknown option 'rows'"),
        (set_at("layout", "globalInputs", value=["input_time"]), "not both defined and placed"),
        (set_at("layout", "layoutDefinitions", "layout_1", "structure", value=[]), "is not in the layout"),
    ],
)
def test_the_lint_catches(change: Callable[[Document], None], said: str) -> None:
    document = copy.deepcopy(VIEW)
    change(document)
    assert any(said in fault for fault in dashboard_lint.lint(document, DEFAULT))


def queries(service: str = "*") -> dict[str, str]:
    """Every data source as one search, tokens filled in."""
    sources = VIEW["dataSources"]
    found = {}
    for name, source in sources.items():
        base = sources[source["options"]["extend"]]["options"]["query"] if source["type"] == "ds.chain" else ""
        found[name] = f"{base} {source['options']['query']}".replace("$service|s$", f'"{service}"').strip()
    return found


STATE: dict[str, list[Document]] = {
    "apisec_inventory": [
        {"_key": "a", "service": "shop", "operation": "GET /a", "count": 3, "errors": 1, "auth": ["none"],
         "data_classes": ["pii.ssn", "pii.email"], "last_seen": 1.0},
    ],
    "apisec_patterns": [
        {"_key": "e|p", "pattern": "p", "service": "shop", "title": "t", "mode": "shadow", "state": "pushed",
         "pushed": 1.0, "upper_bound": 0.004},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def splunk(module_splunk: Splunk) -> Splunk:
    examples: dict[str, list[dict[str, Any]]] = {"apisec:transaction": [], "apisec:change": []}
    named = {(one.document["data_source"][0], test["events"]) for one in detections.load() for test in one.tests}
    for source, path in sorted(named):
        for line in map(json.loads, (app.ROOT / "content/examples" / path).read_text("utf-8").splitlines()):
            if line["event"].get("service") == "shop" and line["at"] > -3500:  # the dashboard's hour
                event = {**line["event"], "id": f"{path}-{line['event'].get('id', '')}"}
                examples.get(line.get("sourcetype", source), []).append({**line, "event": event})
    for source, lines in examples.items():
        module_splunk.send(module_splunk.recent(lines), source)
    module_splunk.fill(STATE)
    return module_splunk


NEEDS_RISK = {"ds_risk", "ds_risk_time", "ds_risk_table"}
NEEDS_MORE = {"ds_refusals", "ds_health"}


@pytest.mark.app
@pytest.mark.parametrize("name", queries())
def test_every_search_runs(splunk: Splunk, name: str) -> None:
    rows = splunk.search(queries(splunk.service)[name], "-60m@m")
    assert rows or name in NEEDS_RISK | NEEDS_MORE, "no rows"


@pytest.mark.app
def test_the_figures_are_right(splunk: Splunk) -> None:
    found = queries(splunk.service)
    assert splunk.search(found["ds_operations"])[0]["count"] == "1"
    assert {row["data_classes"] for row in splunk.search(found["ds_classes"])} == {"pii.ssn", "pii.email"}
    [row] = splunk.search(found["ds_patterns"])
    assert (row["title"], row["upper_bound"]) == ("t", "0.40 %")
    total = sum(int(row["count"]) for row in splunk.search(found["ds_distribution"], "-60m@m"))
    assert total == splunk.count()


def test_the_view_is_in_the_navigation() -> None:
    assert 'name="apisec_overview" default="true"' in Path(DEFAULT / "data/ui/nav/default.xml").read_text("utf-8")


@pytest.mark.app
@pytest.mark.parametrize("name", ["service", "operation", "principal", "status", "action"])
def test_fields_that_are_indexed_too_count_once(splunk: Splunk, name: str) -> None:
    """An analyst's plain count must be right, whatever the index and the JSON both hold."""
    own = f'service="{splunk.service}"'
    rows = splunk.search(f"`apisec_transactions` {own} | stats count AS n BY {name}", "-60m@m")
    assert sum(int(row["n"]) for row in rows) == splunk.count()
    indexed = splunk.search(f"| tstats count AS n where index=apisec {own} BY {name}", "-60m@m")
    assert {row[name]: row["n"] for row in rows} == {row[name]: row["n"] for row in indexed}
