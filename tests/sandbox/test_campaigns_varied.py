"""The split that draws its APIs and attackers: the laws of the others hold, and seeds have little in common."""

from __future__ import annotations

import io
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import orjson
import pytest

from apisec_sandbox.campaigns.attacks import FAMILIES, STYLES
from apisec_sandbox.campaigns.operations import Compiled
from apisec_sandbox.campaigns.run import Made, Settings, generate
from apisec_sandbox.campaigns.sink import Sink
from apisec_sandbox.campaigns.spec import KINDS, SHAPES, ApiSpec, Operation
from apisec_sandbox.campaigns.values import Tokens, seeded
from apisec_sandbox.campaigns.varied.campaign import Attack
from apisec_sandbox.campaigns.varied.campaigns import GOALS, STRATEGIES
from apisec_sandbox.campaigns.varied.grammar import specs

START = 1_767_571_200.0  # a Monday
SCALAR = re.compile(r':("[^"]+"|\d+)[,}]')
NO_FLOODS = tuple(family for family in FAMILIES if family != "flooding")  # thousands of events that say nothing here


@dataclass(frozen=True)
class Run:
    made: Made
    pairs: list[tuple[dict[str, Any], dict[str, Any]]]


def settings(seed: str, **more: Any) -> Settings:
    usual = {"weeks": 0.05, "scale": 0.12, "apps": 4, "attacks": 140.0, "families": NO_FLOODS}
    return Settings(split="varied", seed=seed, start=START, **{**usual, **more})


def written(given: Settings) -> tuple[Made, list[bytes], list[bytes]]:
    events, labels = io.StringIO(), io.StringIO()
    made = generate(given, Tokens.of_seed(given.seed), Sink(events, None, labels))
    return made, events.getvalue().encode().splitlines(), labels.getvalue().encode().splitlines()


@pytest.fixture(scope="module")
def run() -> Run:
    made, events, labels = written(settings("6"))
    pairs = [(orjson.loads(event), orjson.loads(label)) for event, label in zip(events, labels, strict=True)]
    return Run(made, pairs)


def test_labels_are_complete_and_in_order_of_time(run: Run) -> None:
    assert all(event["id"] == label["id"] for event, label in run.pairs)
    assert all(before["time"] <= after["time"] for (before, _), (after, _) in pairwise(run.pairs))
    known = {each.name: each for each in run.made.campaigns}
    seen: Counter[str] = Counter()
    for event, label in run.pairs:
        if label["campaign"] is None:
            assert label["persona"] != "intruder"
            assert not event.get("signals")
        else:
            campaign = known[label["campaign"]]
            assert (label["family"], label["style"]) == (campaign.family, campaign.style)
            assert event["service"] == campaign.scene.app.name
            seen[campaign.family] += 1
            seen[campaign.style] += 1
    assert set(STYLES) <= set(seen)
    assert len(set(seen) & set(NO_FLOODS)) > 12  # not every API has what every family needs


def test_ordinary_people_ask_only_for_what_a_response_gave_them(run: Run) -> None:
    issued: defaultdict[str, set[str]] = defaultdict(set)
    cut: set[str] = set()  # who got a response whose event does not show all of it
    asked = 0
    for event, label in run.pairs:
        if label["campaign"] is None and label["actor"] not in cut:
            for named in event["object_ids"]:
                asked += 1
                assert named.partition("=")[2] in issued[label["actor"]], (label, event["operation"])
        issued[label["actor"]].update(text.strip('"') for text in SCALAR.findall(event.get("response_body", "")))
        if "coverage_reasons" in event:
            cut.add(label["actor"])
    assert asked > 2_000


def test_nobody_ordinary_leaves_out_a_step_that_is_needed(run: Run) -> None:
    flows = {scene.app.name: scene.app for scene in run.made.scenes}
    done: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    attacked: set[tuple[str, str]] = set()
    for event, label in run.pairs:
        app = flows[event["service"]]
        key = next((op.spec.key for op in app.flow[1:] if _is(op.spec, event)), "")
        if key and event["object_ids"] and event["status"] < 300:
            thing = (event["service"], event["object_ids"][0].partition("=")[2])
            done[thing].append(key)
            if label["campaign"] is not None:
                attacked.add(thing)
    finished = skipped = 0
    for thing, taken in done.items():
        spec = flows[thing[0]].spec
        needed = [key for key in spec.flow[1:] if key not in spec.optional]
        found = [key for key in dict.fromkeys(taken) if key not in spec.optional]
        whole = [key for key in needed if key not in spec.repeated]
        if thing in attacked:
            skipped += [key for key in found if key in whole] != whole[: len(found)]
            continue
        assert found == needed[: len(found)], (thing, taken)
        finished += found == needed
    assert finished > 40
    assert skipped > 10


def _is(spec: Operation, event: dict[str, Any]) -> bool:
    said = event.get("body_operation")
    return bool(said == spec.key if said else event["operation"] == f"{spec.method} {spec.path}")


def test_a_campaign_is_at_least_so_big_that_it_reaches_its_aim(run: Run) -> None:
    sent: Counter[str] = Counter(label["campaign"] for _, label in run.pairs if label.get("cover") is False)
    ended = [each for each in run.made.campaigns if isinstance(each, Attack) and each.ended]
    assert len(ended) > 18
    for each in ended:
        assert sent[each.name] >= GOALS[each.family][0], (each.name, each.family, each.strategy)


def test_floods_of_every_style_are_felt() -> None:
    only = {"weeks": 0.3, "scale": 0.02, "apps": 2, "attacks": 14.0, "families": ("flooding",)}
    _, events, labels = written(settings("4", **only))
    times: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for event, label in zip(events, map(orjson.loads, labels), strict=True):
        if label.get("cover") is False:
            times[label["style"], label["campaign"]].append(orjson.loads(event)["time"])
    assert {style for style, _ in times} == set(STYLES)
    for each in times.values():
        assert len(each) >= GOALS["flooding"][0]
        assert len(each) / (each[-1] - each[0]) >= 0.5


def test_graphql_says_what_changes_something() -> None:
    api = next(api for seed in range(20) for api in specs(str(seed), 4) if api.graphql)
    tokens = Tokens.of_seed("1")
    made = [Compiled(0, op, api, tokens, seeded("x")) for op in api.operations if op.path == api.graphql]
    words = {op.kind: orjson.loads(op.document({}).raw)["query"].split()[0] for op in made}
    assert {kind for kind, word in words.items() if word == "mutation"} >= {"create", "step", "update", "admin_write"}
    assert {kind for kind, word in words.items() if word == "query"} >= {"browse", "view", "search", "list", "read"}


def test_a_seed_gives_the_same_bytes_in_one_part_or_several() -> None:
    small = {"weeks": 0.01, "scale": 0.05, "apps": 2, "attacks": 100.0}
    _, whole, _ = written(settings("x", **small))
    parts = [line for shard in (0, 1) for line in written(settings("x", **small, shard=shard, shards=2))[1]]
    assert sorted(whole) == sorted(parts)
    assert len(whole) > 300


# --- the grammar --------------------------------------------------------------------------------------------------


def _operations(apis: list[ApiSpec]) -> set[tuple[str, str]]:
    return {(op.method, op.path) for api in apis for op in api.operations if op.path != api.graphql}


def test_two_seeds_have_little_in_common() -> None:
    first, second = _operations(specs("1", 12)), _operations(specs("2", 12))
    assert len(first & second) < 0.1 * len(first)


def test_every_api_has_what_its_people_need() -> None:
    drawn = [api for seed in range(4) for api in specs(str(seed), 40)]
    for api in drawn:
        doors = [(op.method, op.path) for op in api.operations if op.path != api.graphql]
        keys = [op.key for op in api.operations]
        assert len(doors) == len(set(doors)), api.name
        assert len(keys) == len(set(keys)), api.name
        kinds = {op.kind for op in api.operations}
        assert kinds >= {"me", "browse", "view", "search", "list", "read", "update", "create", "step", "desk", "admin",
                         "admin_write", "export", "health"}  # fmt: skip
        assert kinds <= KINDS
        assert {op.shape for op in api.operations} <= SHAPES
        assert 3 <= len(api.flow) <= 8
        assert len([key for key in api.flow[1:] if key not in api.optional + api.repeated]) >= 2
        assert (api.auth == "api_key") == ("login" not in kinds)
    everything = {(api.auth, api.errors, bool(api.graphql), api.soft, bool(api.limit)) for api in drawn}
    assert len(everything) > 50


def test_every_family_has_strategies() -> None:
    assert set(STRATEGIES) == set(GOALS) == set(FAMILIES)
    assert sum(len(set(each)) for each in STRATEGIES.values()) > 35
