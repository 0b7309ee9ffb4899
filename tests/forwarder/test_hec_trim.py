"""Events larger than Splunk keeps whole are cut down, bodies first, and say so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from apisec_forwarder.exporters.trim import fit
from tests.forwarder.hec_rig import Rig
from tests.support.hec import FakeHec


def envelope(**event: Any) -> bytes:
    whole = {
        "id": "t1",
        "coverage": "complete",
        "principal": "~p~0123456789abcdef~",
        "data_classes": ["pci.pan"],
        **event,
    }
    return json.dumps({"time": 1.5, "sourcetype": "apisec:transaction", "event": whole, "fields": {"a": "b"}}).encode()


def cut(data: bytes, size: int) -> dict[str, Any]:
    smaller = fit(data, size)
    assert smaller is not None
    assert len(smaller) <= size
    event: dict[str, Any] = json.loads(smaller)["event"]
    return event


def test_bodies_go_first() -> None:
    fields = [{"path": f"a.{number}", "type": "string"} for number in range(20)]
    data = envelope(request_body="q" * 50_000, response_body="s" * 90_000, response_fields=fields)
    event = cut(data, 60_000)
    assert event["response_fields"] == fields
    assert 10_000 < len(event["response_body"]) + len(event["request_body"]) < 60_000
    assert event["coverage"] == "truncated"
    assert event["coverage_reasons"] == [f"event: {len(data)} bytes, bodies cut to fit"]
    assert event["data_classes"] == ["pci.pan"]


def test_then_lists() -> None:
    fields = [{"path": f"a.{number}", "type": "string"} for number in range(5000)]
    event = cut(envelope(response_body="s" * 9000, response_fields=fields), 20_000)
    assert "response_body" not in event
    assert 10 < len(event["response_fields"]) < 5000
    assert "bodies and lists" in event["coverage_reasons"][0]


def test_then_long_texts() -> None:
    event = cut(envelope(url="https://shop.example/" + "u" * 60_000, uri_query="q" * 60_000), 5_000)
    assert event["url"].startswith("https://shop.example/uuu")


def test_what_was_not_decoded_stays_so() -> None:
    event = cut(
        envelope(request_body="q" * 9000, coverage="undecoded", coverage_reasons=["request.body: not JSON"]), 4096
    )
    assert event["coverage"] == "undecoded"
    assert event["coverage_reasons"][1:] == ["request.body: not JSON"]


def test_what_is_no_transaction_is_left_alone() -> None:
    assert fit(b"not JSON", 4) is None
    assert fit(b"[]", 1) is None
    assert fit(json.dumps({"sourcetype": "apisec:health", "event": {"x": "y" * 9000}}).encode(), 4096) is None


def test_what_cannot_be_cut_enough() -> None:
    assert fit(envelope(principal="p" * 9000), 4096) is None


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["request_body", "response_body", "url", "uri_query"]),
        st.text(max_size=300).map(lambda t: t * 40),
    ),
    st.lists(st.text(max_size=30), max_size=300),
)
def test_it_fits_and_keeps_who_and_what(texts: dict[str, str], ids: list[str]) -> None:
    event = cut(envelope(**texts, object_ids=ids), 4096)
    assert event["id"] == "t1"
    assert event["principal"] == "~p~0123456789abcdef~"


def test_on_the_way_to_hec(tmp_path: Path) -> None:
    with FakeHec(max_bytes=9000) as hec:
        rig = Rig(tmp_path, hec)
        rig.start(batch_bytes=8000, event_bytes=6000)
        rig.spool.append(envelope(response_body="s" * 50_000))
        rig.steps(10)
        (event,) = hec.events("apisec:transaction")
        assert event["event"]["coverage"] == "truncated"
        assert rig.counter("hec_events_trimmed") == 1
        rig.close()


def test_a_413_for_a_single_event_cuts_it_until_it_is_taken(tmp_path: Path) -> None:
    """A proxy's limit is not known in advance."""
    with FakeHec(max_bytes=3000) as hec:
        rig = Rig(tmp_path, hec)
        rig.start(batch_bytes=100_000)
        rig.spool.append(envelope(response_body="s" * 50_000))
        rig.steps(20)
        assert hec.ids() == ["t1"]
        assert rig.buried() == []
        assert rig.shipper.drained()
        rig.close()
