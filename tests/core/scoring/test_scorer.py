"""The scorer's own promises: order, bounds, hostile input, the model artefact."""

from __future__ import annotations

import copy
import json
import random
from collections import deque
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec.errors import ModelError
from apisec.scoring import SEVERITIES, Scorer, default_model, parse_model, severity_of
from apisec.scoring.client import agent_family, client_of, difference, network_of
from apisec.scoring.features import COMPONENTS, NAMES
from apisec.scoring.model import digest
from apisec.scoring.state import (
    MAX_BODIES,
    MAX_IDS,
    Bodies,
    HourCount,
    Levels,
    ResponseMemory,
    stands_in,
)
from apisec.sequences.flows import learn_flows
from tests.support.shop_events import START, Shop, event


def test_a_batch_in_any_order_scores_as_in_order_of_time() -> None:
    events = Shop(hours=1).events
    in_order = Scorer(default_model()).score_batch(events)
    expected = {one["id"]: in_order[index] for index, one in enumerate(events)}
    shuffled = list(events)
    random.Random(5).shuffle(shuffled)
    again = Scorer(default_model()).score_batch(shuffled)
    assert [expected[one["id"]] for one in shuffled] == again


def test_newest_first_accuses_no_one_of_skipping_steps() -> None:
    shop = Shop()
    scorer = Scorer(default_model(), None, learn_flows(shop.events))
    scores = [scorer.score(one) for one in reversed(shop.events)]
    assert max(score.components["sequence"] for score in scores) == 0


def test_numbers_as_text_score_the_same() -> None:
    events = Shop(hours=1).events
    texts = [
        {**one, "time": str(one["time"]), "status": str(one["status"]), "bytes_out": str(one["bytes_out"])}
        for one in events
    ]
    one, other = Scorer(default_model()), Scorer(default_model())
    assert [one.score(e) for e in events] == [other.score(e) for e in texts]


junk = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)
keys = ["time", "service", "operation", "principal", "principal_kind", "status", "object_ids", "signals", "session"]
hostile = st.dictionaries(st.sampled_from([*keys, "src", "ja4", "http_user_agent", "bytes_out", "action"]), junk)


@given(st.lists(hostile, max_size=12))
@settings(max_examples=100, deadline=None)
def test_hostile_events_give_a_score_within_the_scale(events: list[dict[str, Any]]) -> None:
    scorer = Scorer(default_model())
    for one in [*events, *({**one, "operation": "GET /a", "principal": "p"} for one in events)]:
        score = scorer.score(one)
        assert 0 <= score.score <= 100
        assert score.severity == severity_of(score.score)
        assert tuple(score.components) == COMPONENTS
        assert all(0 <= value <= 100 for value in score.components.values())
        json.dumps(score.evidence)


def test_state_is_bounded_per_principal() -> None:
    scorer = Scorer(default_model())
    for n in range(3 * MAX_IDS):
        ids = [f"order_id={n}-{part}" for part in range(4)]
        score = scorer.score(event("bad", "GET /orders/{order_id}", START + n / 10, object_ids=ids))
    assert score.evidence["object"]["distinct"] == MAX_IDS


def test_what_lies_an_hour_back_no_longer_counts() -> None:
    scorer = Scorer(default_model())
    for n in range(40):
        scorer.score(event("p", "GET /orders/{order_id}", START + n, object_ids=[f"order_id={n}"]))
    later = event("p", "GET /orders/{order_id}", START + 3700, object_ids=["order_id=1"])
    assert scorer.score(later).components["object"] == 0


def test_no_reason_repeats_a_secret_or_an_object_id() -> None:
    scorer = Scorer(default_model())
    for n in range(40):
        one = event("p", "GET /orders/{order_id}", START + n, object_ids=[f"order_id=4111-{n}"], status=404)
        score = scorer.score(one)
    assert "4111" not in json.dumps([score.reasons, score.evidence])


def test_severities_cover_the_scale_in_order() -> None:
    assert [severity_of(least) for least, _ in SEVERITIES] == [name for _, name in SEVERITIES]
    assert severity_of(0.0) == "informational"
    assert severity_of(100.0) == "critical"
    assert [least for least, _ in SEVERITIES] == sorted((least for least, _ in SEVERITIES), reverse=True)


# --- parts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agent", "family"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36",
            "Chrome on Windows",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/141.0 Safari/537.36 Edg/141.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iOS"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("curl/8.4.0", "curl"),
        ("python-requests/2.32.3", "python-requests"),
        ("ShopApp/7.1 (Android 14; Pixel)", "shopapp on Android"),
        ("", ""),
    ],
)
def test_agent_families(agent: str, family: str) -> None:
    assert agent_family(agent) == family


def test_networks_and_differences() -> None:
    assert network_of("192.0.2.77") == "192.0.2.0/24"
    assert network_of("2001:db8:1:2::3") == "2001:db8:1::/48"
    phone = client_of("192.0.2.1", "curl/8", "t13a")
    assert difference(phone, client_of("192.0.2.9", "curl/9", "t13a")) == 0
    assert difference(phone, client_of("198.51.100.1", "curl/8", "t13a")) == pytest.approx(0.15)
    assert difference(phone, client_of("198.51.100.1", "wget/1", "t13b")) == pytest.approx(1.0)
    assert difference(phone, client_of("198.51.100.1", "wget/1", None)) == pytest.approx(1.0)
    assert difference(phone, client_of("192.0.2.9", "wget/1", "t13b")) == pytest.approx(0.4)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 30)), min_size=2, max_size=40))
def test_peers_quantile_equals_counting(members: list[tuple[int, int]]) -> None:
    """Each tuple is one principal; its level rises in two steps."""
    levels = Levels()
    finals = []
    for first, more in members:
        levels.rise(0, first)
        levels.rise(first, first + more)
        finals.append(first + more)
    own, others = finals[0], finals[1:]
    level, count = levels.peers_quantile(own, 0.8)
    assert count == len(others)
    assert sum(other > level for other in others) <= 0.2 * len(others) + 1e-9
    assert level == 0 or sum(other >= level for other in others) > 0.2 * len(others) - 1e-9


@given(st.lists(st.floats(0, 20_000), min_size=1, max_size=80))
def test_the_hour_count_of_a_rising_series_is_that_of_the_last_hour(times: list[float]) -> None:
    times.sort()
    count = HourCount()
    for time in times:
        count.add(time, failed=time % 2 < 1)
    minute = int(times[-1] // 60)
    within = [time for time in times if minute - int(time // 60) < 60]
    assert count.total == len(within)
    assert count.failures == sum(time % 2 < 1 for time in within)


# --- the model artefact -----------------------------------------------------------------------------------


def test_the_shipped_model_gives_its_golden_vectors() -> None:
    model = default_model()
    assert len(model.golden) >= 10
    for vector, expected in model.golden:
        assert model.probability(vector) == pytest.approx(expected, abs=1e-9)
    assert all(weight >= 0 for weight in model.weights)
    assert model.probability([0.0] * len(NAMES)) < 0.05


def _broken(change: str) -> dict[str, Any]:
    document = copy.deepcopy(default_model().to_document())
    if change == "weight":
        document["weights"][0] += 1
    elif change == "weight, resealed":
        document["weights"] = [weight + 1 for weight in document["weights"]]
        document["sha256"] = digest(document)
    elif change == "features":
        document["features"].reverse()
    elif change == "version":
        document["version"] = 2
    elif change == "key":
        document["code"] = "import os"
    elif change == "infinite":
        document["weights"][0] = float("inf")
    elif change == "golden":
        document["golden"] = []
        document["sha256"] = digest(document)
    return document


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("weight", "sha256"),
        ("weight, resealed", "golden"),
        ("features", "features"),
        ("version", "train the model anew"),
        ("key", "code"),
        ("infinite", "digested"),
        ("golden", "golden"),
    ],
)
def test_a_model_that_was_tampered_with_is_refused(change: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        parse_model(json.dumps(_broken(change)))


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000])
def test_what_is_no_model_is_refused(text: str) -> None:
    with pytest.raises(ModelError):
        parse_model(text)


# --- provenance -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "body", "found"),
    [
        ("42", '{"id":42}', True),
        ("42", '{"ids":["41","42"]}', True),
        ("42", '{"id":142}', False),
        ("42", '{"total":42.5}', False),
        ("42", '{"a":"42-7","b":42}', True),
        ("a-b", '["a-b"]', True),
        ("42", "42", True),
        ("42", "", False),
    ],
)
def test_an_id_stands_in_a_response_as_a_whole_word(value: str, body: str, found: bool) -> None:
    assert stands_in(value, body) is found


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 300)), max_size=120))
def test_remembered_responses_stay_within_their_budget(kept: list[tuple[int, int]]) -> None:
    memory = ResponseMemory(limit=1000)
    owners: list[Bodies] = [deque() for _ in range(6)]
    for owner, size in kept:
        memory.keep(owners[owner], "x" * size)
        assert memory.total == sum(len(body) for bodies in owners for _, body in bodies) <= 1000
        assert all(len(bodies) <= MAX_BODIES for bodies in owners)


def test_ids_that_responses_gave_are_no_enumeration_but_guessed_ones_are() -> None:
    desk, walker = Scorer(default_model()), Scorer(default_model())
    detail = "GET /orders/{order_id}"
    for n in range(12):
        own = event(f"user-{n}", "GET /orders", START - 60 + n, response_body=f'{{"orders": [{n}]}}')
        for one in (own, event(f"user-{n}", detail, START - 30 + n, object_ids=[f"order_id={n}"])):
            desk.score(one)
            walker.score(one)
    for n in range(20):
        time = START + n * 10
        listed = json.dumps({"orders": [1000 + n, 2000 + n]})
        desk.score(event("p", "GET /support/customers", time, response_body=listed))
        walker.score(event("p", "GET /orders", time, response_body='{"orders": [17]}'))
        issued = desk.score(event("p", detail, time + 1, object_ids=[f"order_id={1000 + n}"]))
        guessed = walker.score(event("p", detail, time + 1, object_ids=[f"order_id={1000 + n}"]))
    assert issued.evidence["object"]["unissued"] == 0
    assert guessed.evidence["object"]["unissued"] == 20
    assert guessed.components["object"] > issued.components["object"]
    assert any("stood in no response to it before" in reason for reason in guessed.reasons)


def test_ids_that_a_public_page_gives_away_are_issued_to_nobody() -> None:
    scorer = Scorer(default_model())
    leaked = json.dumps({"reviews": [{"order_id": 1000 + n} for n in range(20)]})
    review = "GET /products/{product_id}/reviews"
    for n in range(8):
        page = event(f"user-{n}", review, START + n, object_ids=["product_id=1"], response_body=leaked)
        scorer.score(page)
    for n in range(20):
        read = event("user-7", "GET /orders/{order_id}", START + 60 + n, object_ids=[f"order_id={1000 + n}"])
        scorer.score(event("user-7", "GET /orders", START + 59 + n, response_body='{"orders": [17]}'))
        scorer.score(event("user-7", review, START + 59 + n, object_ids=["product_id=1"], response_body=leaked))
        score = scorer.score(read)
    # The first page came before anyone could know that all read it; one of the principal's bodies may be that.
    assert score.evidence["object"]["unissued"] >= 15
