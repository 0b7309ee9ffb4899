"""``apisecclassify`` and the verdicts in ``apisecinventory``: as processes of the built app, and in a Splunk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from apisec_app.commands.classify import ApisecClassifyCommand, Names, added
from apisec_app.overrides import OVERRIDES, key_of

from apisec.endpoints.inventory import Inventory
from tests.package import chunked
from tests.support import app
from tests.support.splunk import Splunk

PYTHONS = app.pythons()
TRANSACTION = {"apisec_level", "apisec_classes", "apisec_fields", "apisec_conflicts", "apisec_operation_level"}
CARD = "4111 1111 1111 1111"

pytestmark = pytest.mark.app


def event(number: int, **changes: Any) -> dict[str, Any]:
    base = {
        "id": f"e{number}",
        "time": 1_700_000_000 + number,
        "service": "shop",
        "team": "red",
        "operation": "POST /pay",
        "endpoint": "/pay",
        "status": 200,
        "principal": f"~principal~{number:016x}~",
        "coverage": "complete",
        "request_fields": [
            {"path": "card.number", "in": "body", "type": "string", "classes": ["pci.pan"]},
            {"path": "items[].code", "in": "body", "type": "string", "classes": ["pci.pan"]},
            {"path": "state", "in": "body", "type": "string"},
        ],
        "response_fields": [{"path": "contact", "in": "body", "type": "string", "classes": ["pii.email"]}],
    }
    return {**base, **changes}


def raw(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"_time": str(one["time"]), "_raw": json.dumps(one, separators=(",", ":"))} for one in events]


@pytest.fixture(scope="module")
def script(unpacked: Path) -> Path:
    return unpacked / "bin/apisecclassify.py"


@pytest.mark.parametrize("version", PYTHONS)
def test_transactions_get_their_level_and_classes(script: Path, version: str) -> None:
    plain = event(2, request_fields=[{"path": "state", "in": "body", "type": "string"}], response_fields=[])
    configuration, records, messages = chunked.run(
        PYTHONS[version], script, [raw([event(1)]), raw([plain])], ["state=off"]
    )

    assert configuration["type"] == "streaming"
    assert all(record.keys() >= TRANSACTION for record in records)
    assert (records[0]["apisec_level"], records[0]["apisec_classes"]) == ("restricted", ["pci.pan", "pii.email"])
    assert "request body card.number is pci.pan (restricted; traffic)" in records[0]["apisec_fields"]
    assert (records[1]["apisec_level"], records[1]["apisec_classes"]) == ("public", "")
    assert messages == []


def test_an_event_that_was_not_read_whole_is_not_public(script: Path) -> None:
    blind = event(1, request_fields=[], response_fields=[], coverage="undecoded")
    _, [record], _ = chunked.run(PYTHONS["3.11"], script, [raw([blind])], ["state=off"])

    assert record["apisec_level"] == "internal"


def test_where_it_reads_collections_it_runs_on_the_search_head(script: Path) -> None:
    configuration, [record], messages = chunked.run(PYTHONS["3.11"], script, [raw([event(1)])])

    assert configuration["type"] == "stateful"
    assert record["apisec_level"] == "restricted"
    assert any("without overrides" in text for _, text in messages), "there is no session to read them with"


@pytest.mark.parametrize("version", PYTHONS)
def test_any_text_is_looked_at(script: Path, version: str) -> None:
    lines = [
        {"_raw": f"host app: user=ada card={CARD} mail ada@example.org"},
        {"_raw": json.dumps({"customer": {"iban": "DE89370400440532013000"}, "state": "OPEN"})},
        {"_raw": "<order><email>ada@example.org</email></order>"},
        {"_raw": "nothing to see"},
    ]
    configuration, records, messages = chunked.run(PYTHONS[version], script, [lines], ["field=_raw", "redact=true"])

    assert configuration["type"] == "streaming"
    assert messages == []
    classes = [record["apisec_classes"] for record in records]
    assert classes == [["pci.pan", "pii.email"], "fin.iban", "pii.email", ""]
    assert [record["apisec_level"] for record in records] == ["restricted", "restricted", "confidential", "public"]
    assert records[0]["apisec_counts"] == ["pci.pan=1", "pii.email=1"]
    assert [record["apisec_redacted"] for record in records] == [
        "host app: user=ada card=<pci.pan> mail <pii.email>",
        '{"customer": {"iban": "<fin.iban>"}, "state": "OPEN"}',
        "<order><email>&lt;pii.email&gt;</email></order>",
        "nothing to see",
    ]


def test_a_fields_name_speaks_and_several_fields_are_looked_at_together() -> None:
    record = {"cards{}.number": ["4111111111111111", "5500005555555559"], "customer.ssn": "078051120", "note": "hello"}

    found = added(record, ["cards{}.number", "customer.ssn", "note"], strict=False, redact=True)

    assert found["apisec_classes"] == ["pci.pan", "pii.ssn"]
    assert found["apisec_counts"] == ["pci.pan=2", "pii.ssn=1"]
    assert found["apisec_redacted_cards{}.number"] == ["<pci.pan>", "<pci.pan>"]
    assert found["apisec_redacted_customer.ssn"] == "<pii.ssn>"
    assert found["apisec_redacted_note"] == "hello"


def test_strict_takes_a_checksum_for_proof() -> None:
    record = {"order_id": "4111111111111111"}

    balanced, strict = (added(record, ["order_id"], strict=mode, redact=False) for mode in (False, True))
    assert (balanced["apisec_classes"], strict["apisec_classes"]) == ([], ["pci.pan"])


@pytest.mark.parametrize("bad", ["field=,", "fields=_raw"])
def test_wrong_options_are_refused(script: Path, bad: str) -> None:
    with pytest.raises(AssertionError, match=r"Illegal value|Unrecognized option"):
        chunked.run(PYTHONS["3.11"], script, [[]], [bad])


def test_names_are_bounded() -> None:
    names = Names()

    assert names("a, b,a") == ["a", "b"]
    assert names.format(["a", "b"]) == "a,b"
    with pytest.raises(ValueError, match="1 to 20"):
        names(",".join(f"f{n}" for n in range(21)))


def test_broken_events_break_nothing(script: Path) -> None:
    broken = [
        {"_raw": "{", "_time": "x"},
        {"_raw": "[" * 100_000, "_time": "1"},
        {"_raw": '{"operation": 7, "request_fields": {"a": 1}, "response_fields": [7, {"classes": 3}]}', "_time": "1"},
        {"_raw": "", "_time": ""},
    ]
    for args in (["state=off"], ["field=_raw"]):
        _, records, _ = chunked.run(PYTHONS["3.11"], script, [broken], args)
        assert len(records) == len(broken)


def test_what_was_not_looked_at_is_counted_and_not_shown() -> None:
    found = added({"_raw": "word ada@example.org. " * 20_000}, ["_raw"], strict=False, redact=True)

    assert found["apisec_skipped"] > 100_000
    assert "ada@" not in found["apisec_redacted"]
    assert len(found["apisec_redacted"]) < 200_000


# In a Splunk ----------------------------------------------------------------------------------------------------------


def learn(splunk: Splunk, count: int) -> None:
    """Let the inventory know an operation, and a team say that article codes are no cards."""
    inventory = Inventory()
    for number in range(count):
        inventory.add(event(number, service=splunk.service))
    override = {
        "service": splunk.service, "path": "items[].code", "class": "none", "author": "ada", "reason": "of articles",
        "version": 1, "created": 1.0, "updated": 1.0,
    }  # fmt: skip
    splunk.put({"apisec_inventory": inventory.to_documents(), OVERRIDES: [{**override, "_key": key_of(override)}]})
    splunk.undo(lambda: splunk.put({OVERRIDES: []}))


def test_overrides_and_the_inventory_decide(splunk: Splunk) -> None:
    learn(splunk, 60)
    splunk.send([event(1, time=splunk.now())])

    [row] = splunk.search(f'index=apisec service="{splunk.service}" | apisecclassify')

    assert "request body card.number is pci.pan (restricted; traffic, 94% of 60)" in row["apisec_fields"]
    assert not any("items[].code" in line for line in row["apisec_fields"])
    assert row["apisec_conflicts"] == "request body items[].code: override says none, this event shows pci.pan"
    assert row["apisec_operation_level"] == "restricted"
    assert row["apisec_flags"] == "handles PCI data"


def test_fields_with_their_verdicts_are_listed(splunk: Splunk) -> None:
    learn(splunk, 60)

    rows = splunk.search(f'| `apisec_learned` | apisecinventory output=fields | search service="{splunk.service}"')

    by_path = {row["path"]: row for row in rows}
    card, code = by_path["card.number"], by_path["items[].code"]
    assert (card["class"], card["level"], card["source"], card["sure"], card["samples"]) == (
        "pci.pan", "restricted", "traffic", "true", "60",
    )  # fmt: skip
    assert (code["class"], code["level"]) == ("none", "public")
    assert code["conflict"] == "override says none, traffic shows pci.pan in 60 of 60 samples"
    assert code["conflict_grade"] == "high"


def test_every_option_is_in_the_help_of_the_search_bar() -> None:
    help_text = (app.ROOT / "package/default/searchbnf.conf").read_text("utf-8")

    assert ApisecClassifyCommand.name == "apisecclassify"
    for name in ("field", "redact", "mode", "state"):
        assert f"({name}=" in help_text.partition("[apisecclassify-command]")[2]
