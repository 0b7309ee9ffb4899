"""Documents stay small, and those of earlier versions are read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from apisec.endpoints.inventory import MAX_FIELDS, STATE_VERSION, Inventory
from apisec.endpoints.inventory.fit import MAX_DOCUMENT
from tests.core.inventory.events import START, event, learned, principal

UNCHANGED = """
service operation team count principals anonymous auth first_seen last_seen statuses errors data_classes
response_time_p95 bytes_in_p50
"""
CASES = Path(__file__).resolve().parents[2] / "cases/inventory"


def broad() -> Inventory:
    """The widest operation that an inventory holds: fields, words, versions, hours, all at their limits."""
    inventory = Inventory()
    for n in range(400):
        names = [f"a_rather_long_name_of_a_member_{part}_{n % 8}" for part in range(50)]
        fields = [{"path": f"data.items[].{name}", "in": "body", "type": "string"} for name in names]
        fields[0]["classes"] = ["pii.email"]  # type: ignore[assignment]
        body = {"data": {"items": [{name: f"SOME WORD {chr(65 + n % 20)}{part}" for part, name in enumerate(names)}]}}
        inventory.add(
            event(
                time=START + n * 3600 / 3,
                principal=principal(n),
                status=(200, 201, 400, 404, 500)[n % 5],
                response_time=1.1 ** (n % 120),
                upstream_time=1.05 ** (n % 120),
                uri_query=f"api-version={n % 9}.0",
                bytes_out=1.07**n,
                request_fields=fields,
                response_fields=fields,
                request_body=json.dumps(body),
                response_body=json.dumps(body),
            )
        )
    return inventory


def test_a_document_is_small_whatever_was_seen() -> None:
    whole = broad()
    (before,) = whole.rows()
    assert len(before["response_fields"]) == MAX_FIELDS
    assert len(whole.to_state()) > MAX_DOCUMENT
    (document,) = whole.to_documents()
    assert len(json.dumps(document)) <= MAX_DOCUMENT
    for name in ("count", "statuses", "principals", "response_time_p99", "data_classes"):
        assert document[name] == before[name]
    assert document["fields_dropped"] > 0
    kept = [field for field in document["response_fields"] if field["classes"]]
    assert len(kept) == sum(bool(field["classes"]) for field in before["response_fields"]), "classes stay longest"
    again = Inventory.from_documents([document])
    assert again.to_documents() == [document]


def test_an_ordinary_document_loses_nothing() -> None:
    inventory = learned([event(time=START + n * 60, principal=principal(n)) for n in range(500)])
    (document,) = inventory.to_documents()
    assert document["state"] == inventory.to_state()
    assert len(json.dumps(document)) < 20_000


@pytest.mark.parametrize("version", range(1, STATE_VERSION))
def test_a_document_of_an_earlier_version_is_upgraded_and_goes_on(version: int) -> None:
    stored = json.loads((CASES / f"documents-{version}.json").read_text("utf-8"))
    assert [document["version"] for document in stored] == [version, version]
    inventory = Inventory.from_documents(stored)
    upgraded = {document["_key"]: document for document in inventory.to_documents()}
    for old in stored:
        new = upgraded[old["_key"]]
        assert new["version"] == STATE_VERSION
        for name in UNCHANGED.split():
            assert new[name] == old[name], name
        assert [field["path"] for field in new["response_fields"]] == [f["path"] for f in old["response_fields"]]
    inventory.merge(learned([event()]))
    assert {row["operation"]: row["count"] for row in inventory.rows()}["GET /orders/{order_id}"] == 61
