"""The reports on what the inventory learned, and the command's outputs, in a Splunk."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

import confs
from apisec.endpoints.inventory import Inventory
from tests.core.inventory.events import START, event, learned, principal
from tests.support import app
from tests.support.splunk import Splunk

pytestmark = pytest.mark.app
REPORTS = [
    name
    for name, stanza in confs.read(app.ROOT / "package/default/savedsearches.conf").items()
    if "`apisec_learned`" in stanza["search"]
]


def shop() -> Inventory:
    """Two versions, the newer one slower; one operation that fails; one without credentials."""
    chance = random.Random(2)
    made = []
    for n in range(600):
        slow = n >= 300
        operation = "GET /v2/orders" if slow else "GET /v1/orders"
        about = {"operation": operation, "endpoint": operation[4:], "uri_query": ""}
        latency = chance.lognormvariate(3, 0.3) * (3 if slow else 1)
        made.append(
            event(
                time=START + n * 60, principal=principal(n), response_time=latency, upstream_time=latency / 2, **about
            )
        )
    made += [event(operation="POST /cart", endpoint="/cart", http_method="POST", status=503, response_time=None)] * 9
    made += [event(operation="GET /health", endpoint="/health", auth="none", principal_kind="anonymous")] * 9
    return learned(made)


@pytest.fixture(scope="module")
def splunk(module_splunk: Splunk) -> Splunk:
    module_splunk.fill({"apisec_inventory": shop().to_documents()})
    # A state names its service, too: made again under the name that is the test's own.
    documents = []
    for document in module_splunk.collection("apisec_inventory"):
        state = document["state"].replace('["shop"', json.dumps([module_splunk.service])[:-1])
        documents.append({**document, "state": state})
    module_splunk.put({"apisec_inventory": documents})
    return module_splunk


def report(splunk: Splunk, name: str) -> list[dict[str, Any]]:
    return splunk.mine(splunk.search(f"| savedsearch {name}"))


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_has_rows_with_its_columns(splunk: Splunk, name: str) -> None:
    rows = report(splunk, name)
    assert rows
    assert {row["service"] for row in rows} == {splunk.service}


def test_the_reports_are_those_that_are_meant() -> None:
    assert sorted(REPORTS) == [
        "apisec_latency_by_hour", "apisec_latency_by_version", "apisec_openapi", "apisec_regressions",
        "apisec_slowest_operations", "apisec_upstream_against_gateway",
    ]  # fmt: skip
    page = (app.ROOT / "docs/inventory.md").read_text("utf-8")
    for name in REPORTS:
        assert f"`{name}`" in page


def test_the_regression_is_told_with_its_version(splunk: Splunk) -> None:
    [row] = report(splunk, "apisec_regressions")
    assert (row["kind"], row["version"], row["previous_version"]) == ("latency", "v2", "v1")
    assert row["operation"] == "GET /v2/orders"
    assert float(row["ratio"]) > 2


def test_half_of_the_time_is_the_gateways(splunk: Splunk) -> None:
    for row in report(splunk, "apisec_upstream_against_gateway"):
        assert float(row["gateway_share"]) == pytest.approx(50, abs=1)


def test_the_openapi_document_is_valid(splunk: Splunk) -> None:
    [row] = report(splunk, "apisec_openapi")
    document = json.loads(row["openapi"])
    OpenAPIV31SpecValidator(document).validate()
    assert set(document["paths"]) == {"/v1/orders", "/v2/orders", "/cart", "/health"}
    assert document["paths"]["/health"]["get"]["security"] == [{}]
    assert int(row["operations"]) == 4


def test_hours_add_up(splunk: Splunk) -> None:
    rows = [row for row in report(splunk, "apisec_latency_by_hour") if row["operation"].endswith("/orders")]
    assert sum(int(row["count"]) for row in rows) == 600


def test_fields_of_the_learned_inventory(splunk: Splunk) -> None:
    spl = "| `apisec_learned` | apisecinventory output=fields | search message=200 path=email"
    rows = splunk.mine(splunk.search(spl))
    assert {row["operation"] for row in rows} == {"GET /v1/orders", "GET /v2/orders", "GET /health"}
    assert {(row["format"], row["classes"]) for row in rows} == {("email", "pii.email")}
