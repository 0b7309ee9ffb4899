"""The simulator's laws: complete labels, an order of time, ordinary people who know only what they were told."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from apisec_sandbox.campaigns import apis_dev, apis_heldout
from apisec_sandbox.campaigns.attacks import FAMILIES, FLOODS, STYLES, TACTICS, TEMPOS, heldout_payloads, payloads
from apisec_sandbox.campaigns.ids import identity
from apisec_sandbox.campaigns.people import AGENTS, CARRIERS, HOSTERS, NETWORKS
from apisec_sandbox.campaigns.varied import attacks_payloads

MEMBERS = ("id", "time", "service", "operation", "status", "src", "ja4", "auth", "auth_token", "object_ids", "signals")
ISSUED = re.compile(r'"id":("[^"]+"|\d+)')
Thing = tuple[str, str]  # service, id
SPLITS = ("dev", "heldout")
NO_FLOODS = tuple(each for each in FAMILIES if each != "flooding")  # thousands of events that say nothing to the laws
STYLES_OF_IDS = ("int", "snow", "ord", "uuid", "hex", "pre", "ulid")


def command(folder: Path, *arguments: str, hash_seed: str = "0") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "apisec_sandbox", "campaigns", "--output", str(folder), *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
    )


def generate(folder: Path, *arguments: str, hash_seed: str = "0") -> Path:
    done = command(folder, *arguments, hash_seed=hash_seed)
    assert done.returncode == 0, done.stderr
    return folder


def lines(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def _slim(line: bytes) -> dict[str, Any]:
    """Return an event's members that the laws below read."""
    event = orjson.loads(line)
    found = {name: event[name] for name in MEMBERS if name in event}
    found["issued"] = [text.strip('"') for text in ISSUED.findall(event.get("response_body", ""))]
    return found


@dataclass(frozen=True)
class Run:
    folder: Path

    @cached_property
    def pairs(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        events = [_slim(line) for line in (self.folder / "events.jsonl").read_bytes().splitlines()]
        return list(zip(events, lines(self.folder / "labels.jsonl"), strict=True))

    @cached_property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "report.json").read_text("utf-8"))
        return found

    def of(self, persona: str) -> Iterator[dict[str, Any]]:
        return (event for event, label in self.pairs if label["persona"] == persona and not label["campaign"])


@pytest.fixture(scope="module", params=SPLITS)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("campaigns") / request.param
    size = ("--weeks", "0.11", "--scale", "0.25", "--attacks", "120", "--apps", "5", "--seed", "5")
    return Run(generate(folder, "--split", request.param, *size, "--families", ",".join(NO_FLOODS)))


# --- labels ---------------------------------------------------------------------------------------------


def test_every_event_has_its_label_and_they_come_in_order_of_time(run: Run) -> None:
    assert len(run.pairs) > 15_000
    assert len({event["id"] for event, _ in run.pairs}) == len(run.pairs)
    assert all(event["id"] == label["id"] for event, label in run.pairs)
    assert all(before["time"] <= after["time"] for (before, _), (after, _) in pairwise(run.pairs))


def test_no_ordinary_event_is_labelled_and_no_attack_is_not(run: Run) -> None:
    known = {each["id"]: each for each in run.report["campaigns"]}
    counted: Counter[str] = Counter()
    for event, label in run.pairs:
        assert set(label) - {"cover"} == {"id", "actor", "persona", "campaign", "family", "style"}
        if label["campaign"] is None:
            assert (label["family"], label["style"]) == (None, None)
            assert "cover" not in label
            assert label["persona"] != "intruder"  # who came to attack does nothing else
            assert not event.get("signals")
        else:
            campaign = known[label["campaign"]]
            assert (label["family"], label["style"]) == (campaign["family"], campaign["style"])
            assert event["service"] == campaign["service"]
            assert campaign["first"] <= event["time"] <= campaign["last"]
            counted[label["campaign"]] += 1
    assert counted == {name: each["events"] for name, each in known.items()}
    assert {each["family"] for each in known.values()} == set(NO_FLOODS)
    assert {each["style"] for each in known.values()} == set(STYLES)


def test_the_first_attack_leaves_time_to_learn(run: Run) -> None:
    begin, end = run.pairs[0][0]["time"], run.pairs[-1][0]["time"]
    assert min(each["first"] for each in run.report["campaigns"]) >= begin + 0.2 * (end - begin)


def test_ordinary_people_ask_only_for_what_a_response_gave_them(run: Run) -> None:
    issued: defaultdict[str, set[str]] = defaultdict(set)
    asked = 0
    for event, label in run.pairs:
        for named in event["object_ids"]:
            if label["campaign"] is None:
                asked += 1
                assert named.partition("=")[2] in issued[label["actor"]], (label, event["operation"])
        issued[label["actor"]].update(event["issued"])
    assert asked > 3_000


# --- ordinary traffic -------------------------------------------------------------------------------------


def test_people_sleep(run: Run) -> None:
    """In each application's own time zone, most of what people do is done by day."""
    zones = {each["name"]: each["zone"] for each in run.report["services"]}
    hours: Counter[int] = Counter()
    for persona in ("person", "phone", "power"):
        for event in run.of(persona):
            hours[int(event["time"] / 3600 + zones[event["service"]]) % 24] += 1
    night = sum(hours[hour] for hour in range(1, 6))
    evening = sum(hours[hour] for hour in range(17, 22))
    assert 0 < night < evening / 4


def test_everybody_takes_part(run: Run) -> None:
    ordinary = run.report["ordinary"]
    wanted = "person phone office kiosk power desk admin tester monitor crawler batch migration partner device"
    assert set(wanted.split()) <= set(ordinary)
    people = [ordinary[name] for name in ("person", "phone", "power", "office")]
    assert all(0.0 < each["share_4xx"] < 0.12 for each in people)
    assert ordinary["tester"]["share_4xx"] > 0.05
    assert {event["status"] // 100 for event in run.of("partner")} >= {2, 5}
    assert len({event["src"] for event in run.of("crawler")}) == len(run.report["services"])


def test_addresses_are_shared_and_changed(run: Run) -> None:
    actors: defaultdict[str, set[str]] = defaultdict(set)
    moved: defaultdict[str, set[str]] = defaultdict(set)
    stacks: defaultdict[str, set[str]] = defaultdict(set)
    for event, label in run.pairs:
        if label["persona"] == "office":
            actors[event["src"]].add(label["actor"])
        if label["persona"] == "phone" and not label["campaign"]:
            moved[label["actor"]].add(event["src"])
            stacks[label["actor"]].add(event["ja4"])
    assert max(map(len, actors.values())) >= 3  # an office behind one address
    assert max(map(len, moved.values())) >= 2  # a phone between networks
    assert all(len(found) == 1 for found in stacks.values())


def test_what_happens_to_an_application_is_seen_in_its_traffic(run: Run) -> None:
    happened = {each["name"]: dict(reversed(pair) for pair in each["happened"]) for each in run.report["services"]}
    assert all(set(each) >= {"deploy", "rotate", "broken"} for each in happened.values())
    specs = {each.name: each for each in (*apis_dev.APIS, *apis_heldout.APIS)}
    new = 0
    refused: Counter[str] = Counter()
    for event, label in run.pairs:
        spec = specs[event["service"].rpartition("-")[0]]
        released = {f"{op.method} {op.path}" for op in spec.operations if op.released and op.path != spec.graphql}
        if event["operation"] in released:
            new += 1
            assert event["time"] >= _epoch(happened[event["service"]]["deploy"]) - 1.0
        since = event["time"] - _epoch(happened[event["service"]]["rotate"])
        if event["status"] == 401 and not label["campaign"] and event["auth"] != "none" and 0 <= since < 43_200:
            refused[label["actor"]] += 1
    assert new > 50
    assert len(refused) > 20  # many at once, each once or twice
    assert sorted(refused.values())[len(refused) // 2] <= 2


def _epoch(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


# --- attacks ----------------------------------------------------------------------------------------------


def test_attackers_of_objects_ask_for_what_is_not_theirs(run: Run) -> None:
    issued: defaultdict[str, set[str]] = defaultdict(set)
    strange = asked = 0
    for event, label in run.pairs:
        if label["family"] == "object_enumeration" and not label["cover"]:
            for named in event["object_ids"]:
                asked += 1
                strange += named.partition("=")[2] not in issued[label["actor"]]
        elif label["campaign"] is None or label["cover"]:
            issued[label["actor"]].update(event["issued"])
    assert asked > 100
    assert strange > 0.9 * asked


def test_thieves_use_credentials_of_ordinary_users(run: Run) -> None:
    owners = {event.get("auth_token") for event, label in run.pairs if label["persona"] != "intruder"}
    stolen = [
        event for event, label in run.pairs if label["family"] == "token_theft" and label["persona"] == "intruder"
    ]
    assert len(stolen) > 20
    assert all(event["auth_token"] in owners for event in stolen)


def test_distributed_campaigns_have_many_sources_and_loud_ones_few(run: Run) -> None:
    by_style = defaultdict(list)
    for each in run.report["campaigns"]:
        if each["family"] in ("credential_stuffing", "account_enumeration", "object_enumeration", "injection"):
            by_style[each["style"]].append(each["addresses"])
    assert min(by_style["distributed"]) >= 4
    assert max(by_style["loud"]) <= 3


def test_slow_campaigns_are_slow(run: Run) -> None:
    for each in run.report["campaigns"]:
        if each["style"] == "slow" and each["family"] != "flooding" and each["hours"] > 2:
            assert each["events_an_hour"] < 60, each


@pytest.mark.parametrize("split", SPLITS)
def test_floods_of_every_style_are_felt(tmp_path: Path, split: str) -> None:
    size = ("--weeks", "0.25", "--scale", "0.02", "--apps", "1", "--attacks", "16", "--seed", "2")
    made = Run(generate(tmp_path, "--split", split, *size, "--families", "flooding"))
    found = {each["style"]: each for each in made.report["campaigns"]}
    assert set(found) == set(STYLES)
    for each in found.values():
        assert 2_500 <= each["events"] <= 20_000, each
        assert 0.5 <= each["events_an_hour"] / 3_600.0 <= 40.0, each
    assert found["distributed"]["addresses"] >= 6
    assert found["loud"]["addresses"] <= 3
    assert found["slow"]["events_an_hour"] == min(each["events_an_hour"] for each in found.values())
    # In every five minutes between its first and its last it has one in two seconds.
    times: defaultdict[str, list[float]] = defaultdict(list)
    for event, label in made.pairs:
        if label["campaign"] and not label["cover"]:
            times[label["campaign"]].append(event["time"])
    counts = [Counter(int((moment - each[0]) // 300) for moment in each) for each in times.values()]
    whole = [each[number] for each in counts for number in range(max(each))]
    assert len(whole) > 12
    assert min(whole) >= 150


@pytest.mark.parametrize("split", SPLITS)
def test_scrapers_take_most_of_a_catalogue(tmp_path: Path, split: str) -> None:
    size = ("--weeks", "1.2", "--scale", "0.01", "--apps", "1", "--attacks", "3.4", "--seed", "2")
    made = Run(generate(tmp_path, "--split", split, *size, "--families", "scraping"))
    taken = defaultdict(set)
    for event, label in made.pairs:
        if label["campaign"] and not label["cover"] and event["status"] < 300:
            taken[label["style"]].update(event.get("object_ids", ()))
    assert {style for style, things in taken.items() if len(things) >= 240} == set(STYLES)


def test_skipped_steps_were_skipped(run: Run) -> None:
    """What an attacker has finished lacks a step that ordinary people never leave out."""
    flows = {each.name: each for each in (*apis_dev.APIS, *apis_heldout.APIS) if not each.graphql}
    steps: defaultdict[Thing, list[str]] = defaultdict(list)
    attacked: set[Thing] = set()
    for event, label in run.pairs:
        spec = flows.get(event["service"].rpartition("-")[0])
        names = {f"{op.method} {op.path}": op.key for op in spec.operations if op.key in spec.flow} if spec else {}
        if event["operation"] in names and event["object_ids"] and event["status"] < 300:
            thing = (event["service"], event["object_ids"][0])
            steps[thing].append(names[event["operation"]])
            if label["family"] == "step_skipping":
                attacked.add(thing)
    assert len(attacked) > 20
    whole = {each.name: list(each.flow[1:]) for each in flows.values()}
    for thing, done in steps.items():
        taken = list(dict.fromkeys(done))
        assert taken == whole[thing[0].rpartition("-")[0]][: len(taken)] or thing in attacked, (thing, done)
    skipped = [each for each in attacked if list(dict.fromkeys(steps[each])) != whole[each[0].rpartition("-")[0]]]
    assert len(skipped) > len(attacked) / 2


# --- splits -------------------------------------------------------------------------------------------------


def pools(split: str) -> dict[str, set[Any]]:
    """Return what a split is made of, by name."""
    apis = apis_dev.APIS if split == "dev" else apis_heldout.APIS
    sent: tuple[tuple[payloads.Payload, ...], ...] = (
        payloads.DEV,
        payloads.DEV_LINKS,
        (*payloads.DEV_PATHS, *attacks_payloads.PATHS),
    )
    if split == "heldout":
        sent = (heldout_payloads.HELDOUT, heldout_payloads.LINKS, heldout_payloads.PATHS)
    texts = [{each.text for each in group} for group in sent]
    return {
        "names": {each.name for each in apis},
        "domains": {each.domain for each in apis},
        "flows": {each.flow for each in apis},
        "operations": {(op.method, op.path) for each in apis if not each.graphql for op in each.operations},
        "networks": {*NETWORKS[split], *HOSTERS[split], *CARRIERS[split]},
        "agents": {agent for group in AGENTS[split].values() for agent in group},
        "payloads": texts[0],
        "links": texts[1],
        "paths": texts[2],
        "hosts of links": {urlsplit(text).hostname for text in texts[1]},
    }


def test_the_splits_share_nothing_that_could_be_learnt_by_heart() -> None:
    dev, heldout = pools("dev"), pools("heldout")
    for name, values in dev.items():
        assert len(values) >= 4, name
        assert len(heldout[name]) >= 4, name
        assert not values & heldout[name], name


def test_styles_and_families_differ_in_how_they_work() -> None:
    assert set(TACTICS["dev"]) == set(TACTICS["heldout"]) == set(FAMILIES)
    assert len(FAMILIES) == 16
    for family in FAMILIES:
        dev, held = TACTICS["dev"][family].__code__, TACTICS["heldout"][family].__code__
        assert dev.co_code != held.co_code, family
    for tempos, style in product((TEMPOS, FLOODS), STYLES):
        assert tempos["dev"][style].__code__.co_code != tempos["heldout"][style].__code__.co_code


@pytest.mark.parametrize("style", STYLES_OF_IDS)
def test_ids_are_of_one_object_each(style: str) -> None:
    made = {identity(style, f"shop-{name}", number) for name in ("order", "item") for number in range(1_000, 1_500)}
    assert len(made) == (500 if style in ("int", "snow", "ord") else 1_000) or style in ("snow", "ord")
    assert len({identity(style, "shop-order", number) for number in range(1_000, 3_000)}) == 2_000
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", each) for each in made)


# --- the command ----------------------------------------------------------------------------------------------


SMALL = ("--weeks", "0.02", "--scale", "0.05", "--attacks", "80", "--apps", "3", "--format", "both")


def test_a_seed_gives_the_same_bytes_in_one_part_or_several(tmp_path: Path) -> None:
    whole = generate(tmp_path / "a", *SMALL, "--seed", "x", hash_seed="1")
    other = generate(tmp_path / "b", *SMALL, "--seed", "y", hash_seed="1")
    parts = tmp_path / "c"
    for part in ("1/2", "2/2"):
        generate(parts, *SMALL, "--seed", "x", "--shard", part, hash_seed="2")
    for name in ("events", "transactions", "labels"):
        found = sorted((whole / f"{name}.jsonl").read_text().splitlines())
        joined = [line for path in sorted(parts.glob(f"{name}-*.jsonl")) for line in path.read_text().splitlines()]
        assert found == sorted(joined)
        assert found != sorted((other / f"{name}.jsonl").read_text().splitlines())
    assert (whole / "transactions.jsonl").stat().st_mode & 0o777 == 0o600


def test_the_report_says_what_was_made(tmp_path: Path) -> None:
    done = command(tmp_path / "a", *SMALL[:-2], "--families", "ssrf,injection", "--styles", "loud", "--json")
    assert done.returncode == 0
    report = json.loads(done.stdout)
    assert report == json.loads((tmp_path / "a" / "report.json").read_text())
    assert set(report["families"]) <= {"ssrf", "injection"}
    assert {each["style"] for each in report["campaigns"]} == {"loud"}
    ordinary = sum(each["events"] for each in report["ordinary"].values())
    assert report["events"] == ordinary + report["attack_events"]
    assert all(sum(each["by_hour_utc"]) == each["events"] for each in report["ordinary"].values())
    quiet = command(tmp_path / "b", *SMALL[:-2], "--families", "none")
    assert "0 of them of 0 campaigns" in quiet.stdout
    assert "people by hour (UTC)" in quiet.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--families", "bola"), "--families: unknown 'bola'; choose from object_enumeration"),
        (("--styles", "fast"), "--styles: unknown 'fast'"),
        (("--weeks", "nan"), "--weeks must be from 0.01 to 104"),
        (("--apps", "0"), "--apps must be from 1"),
        (("--shard", "3/2"), "is not K/N"),
        (("--keys", "/nowhere/keys.json"), "no key file of the forwarder"),
    ],
)
def test_bad_arguments_are_named(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = command(tmp_path / "out", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "out").exists()
