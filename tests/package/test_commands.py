"""The search commands as splunkd runs them: processes of the built app on each of Splunk's Pythons, protocol v2."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.package import chunked
from tests.support import app
from tests.support.shop_events import Shop

PYTHONS = app.pythons()
SCORE_FIELDS = {
    "apisec_score", "apisec_severity", "apisec_reasons", "apisec_families", "apisec_campaigns", "apisec_evidence",
    "apisec_object_score", "apisec_access_score", "apisec_sequence_score", "apisec_payload_score",
    "apisec_identity_score", "apisec_volume_score",
}  # fmt: skip

pytestmark = pytest.mark.app


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("app")
    return app.unpack(app.build(folder), folder)


@pytest.fixture(scope="module")
def events() -> list[dict[str, Any]]:
    made = Shop(seed=4, users=6, hours=2).events
    signals = [{"detector": "injection.sqli", "family": "sqli", "where": "query.q", "score": 0.97}]
    return [*made[:400], {**made[0], "id": "payload", "signals": signals, "time": made[400]["time"]}]


def raw(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"_time": str(e["time"]), "_raw": json.dumps(e), "principal": e["principal"]} for e in events]


@pytest.mark.parametrize("version", PYTHONS)
def test_score_adds_every_field_to_every_record(installed: Path, events: list[dict[str, Any]], version: str) -> None:
    script = installed / "bin/apisecscore.py"
    configuration, records, messages = chunked.run(
        PYTHONS[version], script, [raw(events[:200]), raw(events[200:])], ["state=off"]
    )
    assert configuration["type"] == "stateful"
    assert len(records) == len(events)
    assert all(record.keys() >= SCORE_FIELDS for record in records)
    assert [record["_raw"] for record in records] == [json.dumps(e) for e in events], "order and events are kept"
    payload = records[-1]
    assert float(payload["apisec_payload_score"]) > 50
    assert payload["apisec_reasons"] == "the request carries signs of sqli"
    assert {record["apisec_score"] for record in records[:-1]} == {"0"}
    assert messages == []


def test_score_reads_fields_where_there_is_no_raw(installed: Path, events: list[dict[str, Any]]) -> None:
    script = installed / "bin/apisecscore.py"
    flat = {
        "_time": "1700000000.5", "service": "shop", "operation": "GET /search", "principal": ["p", "p"],
        "status": ["200", "200"], "signals{}.detector": ["injection.sqli", "injection.xss"],
        "signals{}.where": ["query.q", "query.q"], "signals{}.score": ["0.95", "0.9"],
    }  # fmt: skip
    _, [record], _ = chunked.run(PYTHONS["3.11"], script, [[flat]], ["state=off"])
    assert float(record["apisec_payload_score"]) == pytest.approx(60 * (1 - 0.05 * 0.1), abs=0.1)
    assert record["apisec_reasons"] == "the request carries signs of injection.sqli, injection.xss"
    assert record["principal"] == ["p", "p"]
    again = {**flat, **record}
    _, [second], _ = chunked.run(PYTHONS["3.11"], script, [[again]], ["state=off"])
    assert second == record, "a second time the fields are replaced"


def test_score_below_the_minimum_is_left_out(installed: Path, events: list[dict[str, Any]]) -> None:
    script = installed / "bin/apisecscore.py"
    _, records, _ = chunked.run(PYTHONS["3.11"], script, [raw(events)], ["state=off", "min_score=50"])
    assert [json.loads(record["_raw"])["id"] for record in records] == ["payload"]


def test_score_without_a_session_warns_and_scores(installed: Path, events: list[dict[str, Any]]) -> None:
    script = installed / "bin/apisecscore.py"
    _, records, messages = chunked.run(PYTHONS["3.11"], script, [raw(events[:3])])
    assert len(records) == 3
    assert messages
    assert messages[0][0] == "WARN"
    assert "by the signs in each request alone" in messages[0][1]


@pytest.mark.parametrize("version", PYTHONS)
def test_score_by_principal_is_a_row_each(installed: Path, events: list[dict[str, Any]], version: str) -> None:
    chunks = [raw(events[:200]), raw(events[200:]), []]
    script, args = installed / "bin/apisecscore.py", ["state=off", "by=principal"]
    configuration, records, _ = chunked.run(PYTHONS[version], script, chunks, args)
    assert configuration["type"] == "reporting"
    assert {record["principal"] for record in records} == {event["principal"] for event in events}
    assert sum(int(record["events"]) for record in records) == len(events)
    assert (records[0]["principal"], records[0]["marked"]) == (events[-1]["principal"], "1")
    assert [float(record["apisec_score"]) for record in records[1:]] == [0.0] * (len(records) - 1)
    first, last = (float(records[0][name]) for name in ("first_time", "last_time"))
    own = [event["time"] for event in events if event["principal"] == records[0]["principal"]]
    assert [first, last] == pytest.approx([min(own), max(own)])


@pytest.mark.parametrize("bad", ["min_score=101", "min_score=much", "state=perhaps", "minscore=1", "by=address"])
def test_score_refuses_wrong_options(installed: Path, bad: str) -> None:
    with pytest.raises(AssertionError, match=r"Illegal value|Unrecognized option"):
        chunked.run(PYTHONS["3.11"], installed / "bin/apisecscore.py", [[]], [bad])


def test_broken_events_are_scored_and_break_nothing(installed: Path) -> None:
    broken = [
        {"_raw": "{", "_time": "x"},
        {"_raw": "[" * 100_000, "_time": "1"},
        {"_raw": '{"time": "yesterday", "signals": 7, "object_ids": {"a": 1}, "status": []}', "_time": "1"},
        {"_raw": "", "_time": ""},
    ]
    for script in ("apisecscore.py", "apisecinventory.py"):
        args = ["state=off"] if script == "apisecscore.py" else []
        _, records, _ = chunked.run(PYTHONS["3.11"], installed / "bin" / script, [broken], args)
        assert len(records) == (len(broken) if args else 0)


@pytest.mark.parametrize("version", PYTHONS)
def test_inventory_by_map_and_reduce_equals_one_pass(
    installed: Path, events: list[dict[str, Any]], version: str
) -> None:
    python, script = PYTHONS[version], installed / "bin/apisecinventory.py"
    configuration, whole, _ = chunked.run(python, script, [raw(events)])
    assert configuration["type"] == "reporting"
    assert configuration["streaming_preop"].split()[:2] == ["apisecinventory", 'phase="map"']

    shuffled = random.Random(5).sample(events, len(events))
    states: list[dict[str, Any]] = []
    for part in (shuffled[:100], shuffled[100:250], shuffled[250:]):
        mapped_configuration, mapped, _ = chunked.run(python, script, [raw(part[:50]), raw(part[50:])], ["phase=map"])
        assert mapped_configuration["type"] == "streaming"
        states += mapped
    _, merged, _ = chunked.run(python, script, [states[::2], states[1::2]])
    assert merged == whole
    assert sum(int(row["count"]) for row in merged) == len(events)


def test_inventory_rows_come_with_the_last_chunk_only(installed: Path, events: list[dict[str, Any]]) -> None:
    _, rows, _ = chunked.run(
        PYTHONS["3.11"], installed / "bin/apisecinventory.py", [raw(events[:100]), raw(events[100:]), []]
    )
    assert len(rows) == len({e["operation"] for e in events})


@pytest.mark.parametrize("version", PYTHONS)
def test_about_says_what_runs(installed: Path, version: str) -> None:
    configuration, [row], _ = chunked.run(PYTHONS[version], installed / "bin/apisecabout.py", [[]])
    assert (configuration["type"], configuration["generating"]) == ("reporting", True)
    assert row["app_version"] == app.version()
    assert row["python_version"].startswith(f"{version}.")
    assert row["model_state"] == "verified"


def test_about_names_a_model_that_was_changed(installed: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(installed, tmp_path / "apisec")
    model = copy / "lib/apisec/abuse/model.json"
    text = model.read_text("utf-8")
    model.write_text(text.replace('"z": 4.75', '"z": 4.85'), "utf-8")
    assert model.read_text("utf-8") != text
    _, [row], _ = chunked.run(PYTHONS["3.11"], copy / "bin/apisecabout.py", [[]])
    assert "sha256" in row["model_state"]
