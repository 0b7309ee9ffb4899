"""Offline traffic: reproducible, true to the API's document, and every actor does what it says."""

from __future__ import annotations

import base64
import gzip
import html
import json
import math
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, unquote_plus, urlsplit

import pytest
from jsonschema.validators import Draft202012Validator

from apisec_sandbox.cli import main
from apisec_sandbox.sample_api.app import load_document
from apisec_sandbox.sample_api.credentials import SHADOW_OPERATIONS
from apisec_sandbox.traffic.payloads import FAMILIES

ATTACKS = ("enumerate", "skip", "inject", "replay")
HOURS = 24
ATTACK_AFTER = 5 * 3600
CLASSES = {"pci.pan", "pii.ssn", "pii.email", "pii.phone", "fin.iban", "secret.password", "secret.jwt", "secret.bearer",
           "secret.session", "secret.api_key", "secret.basic"}  # fmt: skip


def generate(folder: Path, *arguments: str, hash_seed: str = "") -> Path:
    """Run the command, with a hash seed as a process; the files are traffic, labels and planted.jsonl in ``folder``."""
    folder.mkdir(parents=True)
    command = ["traffic", "--offline", "--duration", str(HOURS * 3600)]
    command += ["--users", "25", "--attack-after", str(ATTACK_AFTER), *arguments]
    for name, option in (("traffic", "output"), ("labels", "labels"), ("planted", "planted")):
        command += [f"--{option}", str(folder / f"{name}.jsonl")]
    if not hash_seed:
        assert main(command) == 0
        return folder
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    process = [sys.executable, "-m", "apisec_sandbox", *command]
    subprocess.run(process, check=True, capture_output=True, timeout=120, env=environment)
    return folder


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def body(message: dict[str, Any]) -> bytes:
    """The message's body without its encodings."""
    text = message.get("body", "")
    data = base64.b64decode(text) if message.get("body_encoding") == "base64" else text.encode()
    packed = ["content-encoding", "gzip"] in message["headers"]
    return gzip.decompress(data) if packed else data


def header(message: dict[str, Any], name: str) -> str:
    return next((value for key, value in message["headers"] if key == name), "")


@dataclass
class Traffic:
    """One run; ``pairs`` are (transaction, label) in order."""

    folder: Path
    style: str

    @cached_property
    def pairs(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        transactions, labels = lines(self.folder / "traffic.jsonl"), lines(self.folder / "labels.jsonl")
        return list(zip(transactions, labels, strict=True))

    @cached_property
    def planted(self) -> list[dict[str, Any]]:
        return lines(self.folder / "planted.jsonl")

    def of(self, attack: str | None) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        return [(each, label) for each, label in self.pairs if label["attack"] == attack]


@pytest.fixture(scope="module", params=["train", "heldout"])
def traffic(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Traffic:
    folder = tmp_path_factory.mktemp("traffic") / request.param
    attackers = ",".join((*ATTACKS, *ATTACKS))
    return Traffic(generate(folder, "--style", request.param, "--seed", "11", "--attackers", attackers), request.param)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Traffic, Traffic]:
    folder = tmp_path_factory.mktemp("both")
    made = [
        Traffic(generate(folder / style, "--style", style, "--attackers", ",".join(ATTACKS)), style)
        for style in ("train", "heldout")
    ]
    return made[0], made[1]


# The files


def test_files_are_in_order_and_belong_together(traffic: Traffic) -> None:
    times = [each["time"] for each, _ in traffic.pairs]
    assert times == sorted(times)
    assert len(times) > 1_000
    assert times[-1] - times[0] <= HOURS * 3600
    assert all(each["id"] == label["id"] for each, label in traffic.pairs)
    assert len({label["id"] for _, label in traffic.pairs}) == len(times)
    for each, label in traffic.pairs:
        assert set(label) == {"id", "actor", "persona", "kind", "attack", "operation"}
        assert label["kind"] == (label["attack"] or "ordinary")
        assert set(each) == {"id", "time", "client", "request", "response", "duration"}
        assert each["client"]["ja4"]
        assert each["client"]["tls_version"] in ("TLSv1.2", "TLSv1.3")
        assert each["duration"] > 0


@pytest.mark.parametrize(
    "arguments", [["--style", "train"], ["--style", "heldout", "--rate", "3", "--duration", "600"]]
)
def test_a_seed_gives_the_same_bytes(tmp_path: Path, arguments: list[str]) -> None:
    short = ["--users", "8", "--duration", "21600", "--attack-after", "3600"]
    arguments = ["--attackers", ",".join(ATTACKS), *short, *arguments]
    first = generate(tmp_path / "a", *arguments, "--seed", "3", hash_seed="1")
    second = generate(tmp_path / "b", *arguments, "--seed", "3", hash_seed="2")
    other = generate(tmp_path / "c", *arguments, "--seed", "4")
    for name in ("traffic.jsonl", "labels.jsonl", "planted.jsonl"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
        assert (first / name).read_bytes() != (other / name).read_bytes()


def test_an_attacker_more_leaves_the_people_as_they_are(tmp_path: Path) -> None:
    def people(folder: Path) -> set[str]:
        return {each["value"] for each in lines(folder / "planted.jsonl") if each["where"] == "request.json.email"}

    few = ("--seed", "3", "--users", "10")
    without = people(generate(tmp_path / "a", *few))
    assert without - people(generate(tmp_path / "b", *few, "--attackers", "skip")) == set()


# The API's document


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield f"{method.upper()} {path}", operation


def test_every_answer_is_as_documented(traffic: Traffic) -> None:
    document = load_document()
    known = dict(operations(document))
    shared = {"components": document["components"]}
    validators: dict[int, Draft202012Validator] = {}
    checked: defaultdict[str, int] = defaultdict(int)
    for each, label in traffic.pairs:
        operation = label["operation"]
        if operation in SHADOW_OPERATIONS:
            continue
        response = each["response"]
        if label["attack"] == "inject" and response["status"] in (404, 405):
            continue  # a payload in the path may lead out of the operation
        described = known[operation]["responses"][str(response["status"])]
        if "$ref" in described:
            described = document["components"]["responses"][described["$ref"].rpartition("/")[2]]
        media_type = header(response, "content-type").partition(";")[0]
        if "content" not in described:
            assert not body(response)
            continue
        schema = described["content"][media_type]["schema"]
        if media_type == "application/json":
            validator = validators.setdefault(id(schema), Draft202012Validator({**shared, **schema}))
            validator.validate(json.loads(body(response)))
        checked[operation] += 1
    assert len(checked) >= 28
    if traffic.style == "train":
        assert {label["operation"] for _, label in traffic.pairs} & set(SHADOW_OPERATIONS)


def test_operations_are_those_of_the_url(traffic: Traffic) -> None:
    for each, label in traffic.pairs:
        method, _, template = label["operation"].partition(" ")
        assert each["request"]["method"] == method
        pattern = re.sub(r"\\\{[^/]+?\\\}", "[^/]+", re.escape(template))
        assert re.fullmatch(pattern, urlsplit(each["request"]["url"]).path), (label, each["request"]["url"])


# Planted values


def haystack(each: dict[str, Any]) -> list[str]:
    """All texts of one transaction with their encodings undone once."""
    request, response = each["request"], each["response"]
    texts = [request["url"], unquote(request["url"]), unquote_plus(request["url"])]
    texts += [value for _, value in (*request["headers"], *response["headers"])]
    for message in (request, response):
        text = body(message).decode("utf-8", "replace")
        texts.append(html.unescape(text))
        media_type = header(message, "content-type")
        if "json" in media_type and text:
            texts.append(json.dumps(json.loads(text), ensure_ascii=False))
            texts += leaves(json.loads(text))
        elif "form-urlencoded" in media_type:
            texts += [value for _, value in parse_qsl(text, keep_blank_values=True)]
    scheme, _, blob = header(request, "authorization").partition(" ")
    if scheme == "Basic":
        texts.append(base64.b64decode(blob).decode())
    return texts


def leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for member in value.values() for text in leaves(member)]
    if isinstance(value, list):
        return [text for member in value for text in leaves(member)]
    return [str(value)]


def test_every_planted_value_occurs(traffic: Traffic) -> None:
    everything = "\n".join(text for each, _ in traffic.pairs for text in haystack(each))
    missing = [value for value in {plant["value"] for plant in traffic.planted} if value not in everything]
    assert missing == []
    assert {plant["class"] for plant in traffic.planted} == CLASSES
    assert min(len(plant["value"]) for plant in traffic.planted) >= 6  # shorter ones occur by chance
    places = {".".join(plant["where"].split(".")[:2]) for plant in traffic.planted}
    wanted = {f"request.{place}" for place in ("path", "query", "header", "json", "form", "multipart", "xml")}
    assert wanted <= places


def test_every_sensitive_field_is_recorded(traffic: Traffic) -> None:
    """What the API's own field names call sensitive is planted; nothing is sent behind the record's back."""
    recorded = {plant["value"] for plant in traffic.planted}
    names = {"email", "password", "ssn", "phone", "iban", "access_token", "refresh_token"}
    found = 0
    for each, _ in traffic.pairs:
        for message in (each["request"], each["response"]):
            if "json" in header(message, "content-type") and body(message):
                for name, value in members(json.loads(body(message))):
                    if (name in names and value) or (name == "number" and "*" not in str(value)):
                        assert str(value) in recorded, name
                        found += 1
        for name, value in parse_qsl(urlsplit(each["request"]["url"]).query):
            assert name not in ("ssn", "phone", "card", "email") or value in recorded
        scheme, _, credential = header(each["request"], "authorization").partition(" ")
        assert not scheme or credential in recorded
    assert found > 1_000


def members(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, member in value.items():
            if isinstance(member, (dict, list)):
                yield from members(member)
            else:
                yield name, member
    elif isinstance(value, list):
        for member in value:
            yield from members(member)


# Ordinary users


def test_ordinary_users_have_no_trouble(traffic: Traffic) -> None:
    statuses = [each["response"]["status"] for each, _ in traffic.of(None)]
    assert not [status for status in statuses if status >= 500]
    declined = sum(status == 402 for status in statuses)
    assert sum(400 <= status < 500 for status in statuses) - declined <= len(statuses) * 0.005
    assert declined <= len(statuses) * 0.01


def test_everyone_takes_part(traffic: Traffic) -> None:
    ordinary = traffic.of(None)
    personas = {label["persona"] for _, label in ordinary}
    assert {"shopper", "mobile", "clerk", "partner", "admin", "payments", "monitor"} <= personas
    by_address: defaultdict[str, set[str]] = defaultdict(set)
    for each, label in ordinary:
        by_address[each["client"]["address"]].add(label["actor"])
    assert max(map(len, by_address.values())) >= 2  # a shared address: a household, or a carrier's NAT
    assert len({each["client"]["ja4"] for each, _ in ordinary}) >= 5


def test_ordinary_checkouts_pay_before_they_confirm(traffic: Traffic) -> None:
    paid: set[str] = set()
    confirmed = 0
    for each, label in traffic.pairs:
        match = re.search(r"/checkout/([^/]+)/(payment|confirm)$", each["request"]["url"])
        if match and match[2] == "payment" and each["response"]["status"] == 200:
            paid.add(match[1])
        elif match and match[2] == "confirm":
            assert (match[1] in paid) == (label["attack"] != "skip")
            confirmed += label["attack"] is None
    assert confirmed >= 5


def test_some_customers_type_what_looks_like_an_attack(traffic: Traffic) -> None:
    queries = [
        unquote_plus(each["request"]["url"]) for each, label in traffic.of(None) if "search" in label["operation"]
    ]
    assert any("'" in query for query in queries)
    assert any("select" in query or "delete" in query for query in queries)


# Attackers


def test_attacks_begin_when_they_should(traffic: Traffic) -> None:
    begin = traffic.pairs[0][0]["time"] + ATTACK_AFTER
    for attack in ATTACKS:
        times = [each["time"] for each, _ in traffic.of(attack)]
        assert len(times) >= 3, attack
        assert min(times) >= begin
    attackers = {label["actor"] for _, label in traffic.pairs if label["attack"]}
    before = {label["actor"] for each, label in traffic.pairs if each["time"] < begin}
    assert attackers <= before  # each was an ordinary customer first


def subject(each: dict[str, Any]) -> str:
    token = header(each["request"], "authorization").removeprefix("Bearer ")
    claims = token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"])


def test_enumerator_reads_other_peoples_orders(traffic: Traffic) -> None:
    own: defaultdict[str, set[str]] = defaultdict(set)
    read: defaultdict[str, set[str]] = defaultdict(set)
    for each, label in traffic.pairs:
        if label["operation"].endswith("/confirm") and each["response"]["status"] == 201:
            own[label["actor"]].add(json.loads(body(each["response"]))["id"])
        if label["attack"] == "enumerate":
            read[label["actor"]].add(urlsplit(each["request"]["url"]).path.split("/")[2])
    assert len(read) == 2
    assert sum(map(len, read.values())) >= 20
    assert all(not own[actor] & ids for actor, ids in read.items())


def folded(text: str) -> str:
    """Undo what a payload may be wrapped in: percent-encoding, entities, comments, case."""
    for _ in range(3):
        text = unquote(text.replace("+", " "))
    return re.sub(r"/\*\*/|\s+", " ", html.unescape(text)).lower()


def test_injector_sends_payloads_and_nobody_else_does(traffic: Traffic) -> None:
    payloads = {folded(text) for family in FAMILIES[traffic.style] for text in family.payloads}
    payloads = {text for text in payloads if len(text) >= 6}
    places = set()
    for each, label in traffic.of("inject"):
        texts = [folded(text) for text in (each["request"]["url"], *haystack({**each, "response": {"headers": []}}))]
        places.add(header(each["request"], "content-type") or "url")
        if not any(payload[:100] in text for payload in payloads for text in texts):
            shortest = {folded(text) for family in FAMILIES[traffic.style] for text in family.payloads}
            assert any(payload in text for payload in shortest - payloads for text in texts), label
    assert len(places) >= 2
    for each, _ in traffic.of(None):
        texts = [folded(text) for text in haystack({**each, "response": {"headers": []}})]
        assert not any(payload in text for payload in payloads if len(payload) > 8 for text in texts)


def test_thief_uses_a_token_while_its_owner_goes_on(traffic: Traffic) -> None:
    owners: defaultdict[str, list[tuple[float, dict[str, Any]]]] = defaultdict(list)
    for each, _ in traffic.of(None):
        token = header(each["request"], "authorization")
        if token.startswith("Bearer "):
            owners[token].append((each["time"], each["client"]))
    stolen = traffic.of("replay")
    for each, label in stolen:
        token = header(each["request"], "authorization")
        assert token in owners
        clients = [client for _, client in owners[token]]
        assert each["client"]["address"] not in {client["address"] for client in clients}
        assert each["client"]["ja4"] not in {client["ja4"] for client in clients}
        assert label["persona"] == "thief"
    first: dict[str, float] = {}
    for each, _ in stolen:
        first.setdefault(subject(each), each["time"])
    assert any(
        header(each["request"], "authorization").startswith("Bearer ")
        and each["time"] > first.get(subject(each), math.inf)
        for each, _ in traffic.of(None)
    )  # an owner goes on


# Styles


def test_heldout_shares_nothing_that_a_detector_could_learn_by_heart(both: tuple[Traffic, Traffic]) -> None:
    train, heldout = both
    fixed = {"secret.api_key", "secret.basic"}  # the shop's own; staff passwords and the shop's IBAN likewise

    def values(traffic: Traffic, prefix: str) -> set[str]:
        return {each["value"] for each in traffic.planted
                if each["class"].startswith(prefix) and each["class"] not in fixed
                and each["where"].startswith("request.") and "@shop.example" not in each["value"]}  # fmt: skip

    for prefix in ("pci", "pii", "fin"):
        assert values(train, prefix)
        assert not values(train, prefix) & values(heldout, prefix)
    agents = [{header(each["request"], "user-agent") for each, _ in traffic.pairs} for traffic in both]
    assert not agents[0] & agents[1]
    orders = [
        {
            urlsplit(each["request"]["url"]).path.split("/")[2]
            for each, label in traffic.of(None)
            if label["operation"] == "GET /orders/{order_id}"
        }
        for traffic in both
    ]
    assert all(order.isdigit() for order in orders[0])
    assert not any(order.isdigit() for order in orders[1])


def test_payload_sets_are_disjoint() -> None:
    sets = [{text for family in FAMILIES[style] for text in family.payloads} for style in ("train", "heldout")]
    assert not sets[0] & sets[1]
    assert min(map(len, sets)) >= 30
