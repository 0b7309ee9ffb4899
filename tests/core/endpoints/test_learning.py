"""Learned templates: what traffic shows, in any order and on any machine, with ids that stay."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec.endpoints.learning import PathModel
from apisec.endpoints.learning.answers import KEPT, fingerprint, hashes_of
from apisec.endpoints.learning.decision import WEIGHTS
from apisec.endpoints.learning.evidence import FEATURES
from apisec.endpoints.learning.trie import MAX_SHAPED, Trie
from apisec.errors import DocumentError

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "templating" / "learned.yml").read_text(encoding="utf-8"))
NAMES = CASES[0]["values"]


def event(path: str, fields: Any = (), status: Any = 200, method: str = "GET", **more: Any) -> dict[str, Any]:
    shown = [{"path": name, "in": "body", "type": "string"} for name in fields]
    return {
        "service": "shop", "http_method": method, "uri_path": path, "status": status, "response_fields": shown, **more,
    }  # fmt: skip


def traffic_of(case: dict[str, Any]) -> list[dict[str, Any]]:
    chance = random.Random(case["name"])
    found = []
    for stream in case["traffic"]:
        count = stream["times"] * (len(case["values"]) if "*" in stream["path"] else 1)
        for turn in range(count):
            path = stream["path"].replace("*", case["values"][turn % len(case["values"])], 1)
            while "*" in path:
                path = path.replace("*", chance.choice(case["values"]), 1)
            found.append(event(path, stream["fields"]))
    return found


def model_of(events: list[dict[str, Any]], source: str = "") -> PathModel:
    model = PathModel(source)
    for one in events:
        model.add_event(one)
    return model


def templates_of(model: PathModel) -> set[str]:
    return {row["endpoint"] for row in model.operations("shop")}


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_traffic_shows_templates(case: dict[str, Any]) -> None:
    model = model_of(traffic_of(case))
    model.decide(1.0)
    assert templates_of(model) == set(case["templates"])


def test_every_number_has_a_weight_and_the_other_way_round() -> None:
    assert set(WEIGHTS) == set(FEATURES)


def test_evidence_says_how_many_values_and_why() -> None:
    model = model_of(traffic_of(CASES[0]))
    model.decide(1.0)
    row = next(row for row in model.operations("shop") if row["endpoint"] == "/users/{user_id}")
    [evidence] = row["evidence"]
    assert (evidence["segment"], evidence["values"]) == (1, len(NAMES))
    assert evidence["requests"] == 5 * len(NAMES)
    assert evidence["probability"] > 0.75
    assert evidence["why"]


@pytest.mark.parametrize(
    ("stamped", "learned"),
    [
        ("GET /users/zotu", "GET /users/{user_id}"),
        ("GET /users/never-seen", "GET /users/{user_id}"),
        ("GET /users/zotu/orders", "GET /users/{user_id}/orders"),
        ("GET /users/{username}/orders", "GET /users/{username}/orders"),  # a specification's own name stays
        ("GET /users/me", "GET /users/me"),
        ("GET /elsewhere/7", "GET /elsewhere/{elsewhere_id}"),
        ("GET /elsewhere/alone", "GET /elsewhere/alone"),
    ],
)
def test_operations_are_renamed(stamped: str, learned: str) -> None:
    model = model_of(traffic_of(CASES[0]))
    model.decide(1.0)
    assert model.rename("shop", stamped) == learned
    assert model.rename("unknown", stamped.replace("/7", "")) == stamped.replace("/7", "")


@pytest.mark.parametrize(
    "change", [{"status": 404}, {"status": "404"}, {"status": 0}, {"status": 403}, {"action": "blocked"}]
)
def test_what_does_not_say_that_a_path_exists_is_not_learned(change: dict[str, Any]) -> None:
    model = model_of([{**event("/wp-admin/setup"), **change}])
    model.decide(1.0)
    assert templates_of(model) == set()


def test_events_may_have_travelled_through_splunk() -> None:
    model = model_of([{**event("/a/b%20c/x;v=1"), "status": "200"}])
    model.decide(1.0)
    assert templates_of(model) == {"/a/{a_id}/x"}


# -- merging ---------------------------------------------------------------------------------------------------------

words = st.sampled_from(["users", "orders", "alice", "me", "zotu", "search", "7", "2026-01-02", "ord-17", "x:run"])
ids = st.one_of(words, st.integers(0, 60).map(str), st.uuids().map(str))
requests = st.lists(
    st.tuples(st.sampled_from(["GET", "POST"]), st.lists(ids, max_size=4), st.sampled_from(["", "AAAA", "BBBB"])),
    max_size=60,
)


def trie_of(listed: list[Any]) -> Trie:
    trie = Trie()
    for method, segments, answer in listed:
        trie.add(method, segments, answer)
    return trie


def state(trie: Trie) -> str:
    return json.dumps(trie.to_state(), sort_keys=True)


def flat(trie: Trie) -> Any:
    """What a trie says, whatever the order of its table of answers."""
    document = trie.to_state()

    def node(part: list[Any]) -> Any:
        ends = {m: {document["answers"][n]: times for n, times in found} for m, found in dict([*part, {}][1]).items()}
        children = {key: node(child) for key, child in (part[2] if len(part) > 2 else {}).items()}
        return [part[0], ends, children, part[3:]]

    return node(document["root"])


@given(requests, requests, requests)
@settings(max_examples=60, deadline=None)
def test_tries_merge_in_any_order_to_what_one_pass_counts(one: Any, two: Any, three: Any) -> None:
    whole = flat(trie_of(one + two + three))
    for order in itertools.permutations((one, two, three)):
        merged = trie_of(order[0])
        merged.merge(trie_of(order[1]))
        merged.merge(trie_of(order[2]))
        assert flat(merged) == whole
    right = trie_of(two)
    right.merge(trie_of(three))
    left = trie_of(one)
    left.merge(right)
    assert flat(left) == whole


@given(requests)
@settings(max_examples=60, deadline=None)
def test_a_trie_survives_its_state(listed: Any) -> None:
    trie = trie_of(listed)
    again = Trie.from_state(json.loads(state(trie)))
    assert state(again) == state(trie)
    assert again.nodes == trie.nodes


@given(st.lists(st.integers(0, 2), min_size=20, max_size=20))
@settings(max_examples=10, deadline=None)
def test_split_traffic_decides_as_the_whole_does(places: list[int]) -> None:
    events = traffic_of(CASES[0])
    whole = model_of(events)
    whole.decide(1.0)
    merged = PathModel()
    for shard in range(3):
        merged.merge(model_of([one for n, one in enumerate(events) if places[n % len(places)] == shard]))
    merged.decide(1.0)
    assert merged.operations("shop") == whole.operations("shop")


def test_a_named_source_counts_once_and_its_later_state_wins() -> None:
    events = traffic_of(CASES[0])
    early, late = model_of(events[:50], "forwarder-1"), model_of(events, "forwarder-1")
    other = model_of(traffic_of(CASES[3]), "forwarder-2")
    results = []
    for order in ([early, late, other], [late, other, early, late], [other, late, late, early]):
        head = PathModel()
        for model in order:
            head.merge(PathModel.from_state(model.to_state()))
        results.append(head.services["shop"].whole().trie.root.count)
    learned = len(events) + len(traffic_of(CASES[3]))
    assert results == [learned] * 3


def test_nameless_sources_add_up() -> None:
    head = model_of([event("/a")])
    head.merge(model_of([event("/a")]))
    assert head.services["shop"].whole().trie.root.count == 2


def test_settled_sources_are_one() -> None:
    head = PathModel()
    for name in ("a", "b"):
        head.merge(model_of([event("/x")], name))
    head.settle()
    assert list(head.services["shop"].parts) == [""]
    assert head.services["shop"].whole().trie.root.count == 2


# -- bounds ----------------------------------------------------------------------------------------------------------


def test_numbers_share_a_child_once_they_are_many() -> None:
    trie = Trie()
    for number in range(MAX_SHAPED):
        trie.add("GET", ["orders", str(number)])
    assert trie.nodes == 2 + MAX_SHAPED
    trie.add("GET", ["orders", "99"])
    assert trie.nodes == 3


def test_hostile_paths_do_not_fill_memory_and_what_is_asked_for_often_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apisec.endpoints.learning.trie.MAX_NODES", 1_000)
    chance = random.Random(5)
    trie = Trie()
    for n in range(3_000):
        trie.add("GET", ["".join(chance.choices("abcdefghij", k=7)) for _ in range(3)])
        if n % 10 == 0:
            trie.add("GET", ["orders", "export"])
        assert trie.nodes <= 1_000
    assert trie.root.count == 3_300
    assert trie.root.children["orders"].count >= 250  # what came before it was seen often is counted with the others


def test_a_path_of_any_length_is_counted() -> None:
    trie = Trie()
    trie.add("GET", ["a"] * 1_000)
    assert trie.nodes < 40


# -- ids, history, undo ----------------------------------------------------------------------------------------------


def early_and_late() -> tuple[PathModel, dict[str, str]]:
    """A model that took the first two names for fixed words, before others came."""
    model = model_of(
        [event("/users/zotu", ["id"]) for _ in range(9)] + [event("/users/belix", ["id"]) for _ in range(9)]
    )
    model.services["shop"].registry.pin(("users",), "zotu", "fixed")
    model.services["shop"].registry.pin(("users",), "belix", "fixed")
    model.decide(1.0)
    before = {row["endpoint"]: row["id"] for row in model.operations("shop")}
    for word in ("zotu", "belix"):
        model.services["shop"].registry.unpin(("users",), word)
    model.merge(model_of(traffic_of(CASES[0])))
    return model, before


def test_a_merge_keeps_the_oldest_id_and_the_others_lead_to_it() -> None:
    model, before = early_and_late()
    assert set(before) == {"/users/zotu", "/users/belix"}
    [change] = model.decide(2.0)["shop"]
    registry = model.services["shop"].registry
    merged = registry.id_of("GET", ("users", "{}"))
    assert merged == min(before.values())
    assert {registry.id_of("GET", ("users", name)) for name in ("zotu", "belix")} == {merged}
    row = change.row()
    assert (row["kind"], row["after"], row["operations"], row["time"]) == ("merge", "/users/{}", 2, 2.0)
    assert row["before"] == ["/users/belix", "/users/zotu"]
    assert row["why"]


def test_ids_and_history_survive_a_restart() -> None:
    model, _ = early_and_late()
    model.decide(2.0)
    again = PathModel.from_state(model.to_state())
    assert again.decide(3.0) == {"shop": []}
    assert again.operations("shop") == model.operations("shop")
    assert again.services["shop"].registry.history == model.services["shop"].registry.history


def test_ids_are_the_same_on_every_machine() -> None:
    one, two = model_of(traffic_of(CASES[0])), model_of(list(reversed(traffic_of(CASES[0]))))
    one.decide(1.0)
    two.decide(99.0)
    assert one.operations("shop") == two.operations("shop")


def test_an_undone_merge_gives_the_old_ids_back_and_sticks() -> None:
    model, before = early_and_late()
    [merge] = model.decide(2.0)["shop"]
    undone = model.services["shop"].registry.undo(merge.number, "ann", 3.0)
    assert (undone.kind, undone.author) == ("undo", "ann")
    model.decide(3.0)
    for _ in range(2):
        ids_now = {row["endpoint"]: row["id"] for row in model.operations("shop")}
        assert {name: ids_now[name] for name in before} == before
        assert ids_now["/users/{user_id}"] not in before.values()
        assert model.rename("shop", "GET /users/zotu") == "GET /users/zotu"
        assert model.rename("shop", "GET /users/mira") == "GET /users/{user_id}"
        model = PathModel.from_state(model.to_state())
        model.merge(model_of(traffic_of(CASES[0])))
        assert model.decide(4.0) == {"shop": []}


def test_an_undone_split_makes_the_word_a_value_again() -> None:
    model, _ = early_and_late()
    model.decide(2.0)
    registry = model.services["shop"].registry
    registry.pin(("users",), "mira", "fixed")
    changes = model.decide(3.0)["shop"]
    assert {change.kind for change in changes} == {"split"}
    assert {change.after for change in changes} == {("users", "mira"), ("users", "mira", "orders")}
    for change in changes:
        registry.undo(change.number, "ann", 4.0)
    model.decide(5.0)
    assert model.rename("shop", "GET /users/mira") == "GET /users/{user_id}"


@pytest.mark.parametrize("number", [0, 99])
def test_only_changes_can_be_undone(number: int) -> None:
    model, _ = early_and_late()
    model.decide(2.0)
    with pytest.raises(DocumentError, match=f"number {number}"):
        model.services["shop"].registry.undo(number, "ann", 3.0)


def test_a_specification_comes_first() -> None:
    events = [event(f"/shelves/{word}", [word]) for word in ("fiction", "poetry", "export") for _ in range(20)]
    model = model_of(events)
    model.decide(1.0)
    assert templates_of(model) == {"/shelves/fiction", "/shelves/poetry", "/shelves/export"}
    model.decide(2.0, {"shop": ["/shelves/{shelf}", "/shelves/export"]})
    assert templates_of(model) == {"/shelves/{shelve_id}", "/shelves/export"}
    row = next(row for row in model.operations("shop") if row["endpoint"] == "/shelves/{shelve_id}")
    assert row["evidence"][0]["why"] == ["the specification says so"]


def test_ids_that_queries_name_are_known_again_in_paths() -> None:
    plain = [event(f"/boards/{word}") for word in ("zeno", "quark", "flint", "dune") for _ in range(6)]
    told = [{**one, "object_ids": [f"board={one['uri_path'][8:]}"], "uri_path": "/moves"} for one in plain]
    model = model_of(plain + told)
    model.decide(1.0)
    reasons = model.operations("shop")[0]["evidence"]
    without = model_of(plain)
    without.decide(1.0)
    assert "/boards/{board_id}" not in templates_of(without)
    assert "/boards/{board_id}" in templates_of(model), reasons


# -- states ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"version": 9}', '{"version": 1, "source": "", "services": {"a": {}}}']
)
def test_a_state_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(DocumentError):
        PathModel.from_state(text)


leaves = st.none() | st.integers() | st.text(max_size=3)
documents = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner))


@given(documents)
@settings(max_examples=60, deadline=None)
def test_no_state_crashes(part: Any) -> None:
    document = {"version": 1, "source": "", "services": {"a": {"parts": {"": part}, "registry": part}}}
    with pytest.raises(DocumentError):
        PathModel.from_state(json.dumps(document))


def test_split_is_one_model_a_service_and_merges_back() -> None:
    model = PathModel()
    for service in ("a", "b"):
        model.add(service, "GET", ["x"])
    parts = model.split()
    assert [list(part.services) for part in parts] == [["a"], ["b"]]
    whole = PathModel()
    for part in parts:
        whole.merge(PathModel.from_state(part.to_state()))
    assert whole.to_state() == model.to_state()


# -- answers ---------------------------------------------------------------------------------------------------------


@given(st.sets(st.text(max_size=12), max_size=40))
def test_a_fingerprint_depends_on_the_fields_alone(fields: set[str]) -> None:
    one, two = fingerprint(sorted(fields)), fingerprint(sorted(fields, reverse=True))
    assert one == two
    assert len(hashes_of(one)) <= KEPT
    assert bool(one) == bool(fields)


def test_fingerprints_of_like_answers_are_alike() -> None:
    one = hashes_of(fingerprint(f"data.f{n}" for n in range(12)))
    two = hashes_of(fingerprint(f"data.f{n}" for n in range(2, 14)))
    assert len(one & two) == 10
    assert hashes_of("not base64!") == frozenset()


@pytest.mark.parametrize(
    "fields", [None, "x", 7, [1], [{"path": ["a"], "in": "body"}], [{"path": 1, "in": "body"}], {"a": 1}]
)
def test_fields_of_any_form_do_no_harm(fields: Any) -> None:
    model = model_of([{**event("/a"), "response_fields": fields, "object_ids": fields}] * 2)
    model.decide(1.0)
    assert templates_of(model) == {"/a"}
