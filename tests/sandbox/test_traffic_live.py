"""Live traffic: the same actors over TLS, each from its own address with its own ClientHello."""

from __future__ import annotations

import asyncio
import itertools
import json
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from apisec_sandbox.certificates import Authority
from apisec_sandbox.sample_api.app import create_app
from apisec_sandbox.traffic.actors import BRISK, World
from apisec_sandbox.traffic.calls import Call, Reply, Rest, Wait
from apisec_sandbox.traffic.cast import Plan, cast
from apisec_sandbox.traffic.clients import KINDS, STACKS, public_address
from apisec_sandbox.traffic.offline import exchange
from apisec_sandbox.traffic.stage import Stage
from apisec_sandbox.traffic.values import HELDOUT, TRAIN, Values, ascii_of, iban_check, luhn_digit, seeded
from tests.support.waiting import until

ATTACKS = ("enumerate", "skip", "inject", "replay")
CONFIRM = "POST /checkout/{checkout_id}/confirm"
BLOCKED = b'{"error":"blocked","pattern":"p"}'


@dataclass
class Gateway:
    """The shop behind a gateway that refuses to confirm what was not paid, and remembers who asked."""

    app: ASGIApp = field(default_factory=lambda: create_app(1))
    peers: Counter[str] = field(default_factory=Counter)
    hosts: set[bytes] = field(default_factory=set)
    identities: set[str] = field(default_factory=set)
    paying: set[str] = field(default_factory=set)
    refused: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        self.peers[scope["client"][0]] += 1
        self.hosts.add(headers[b"host"])
        self.identities.add(headers[b"x-request-id"].decode())
        checkout, _, step = scope["path"].removeprefix("/checkout/").partition("/")
        if step == "payment":
            self.paying.add(checkout)
        if step == "confirm" and checkout not in self.paying:
            self.refused += 1
            shown = [(b"x-apisec-pattern", b"p")] if self.refused % 2 else []
            kind = [(b"content-type", b"application/json"), (b"content-length", str(len(BLOCKED)).encode())]
            await send({"type": "http.response.start", "status": 403, "headers": [*shown, *kind]})
            await send({"type": "http.response.body", "body": BLOCKED})
            return
        await self.app(scope, receive, send)


LIFETIME = timedelta(days=1)


@contextmanager
def serving(app: Gateway, folder: Path) -> Iterator[tuple[str, Path]]:
    """Serve over TLS; yield the URL and the CA's certificate."""
    authority = Authority(folder / "ca.pem", LIFETIME)
    certificate, key = folder / "gateway.pem", folder / "gateway.key"
    authority.issue("localhost", certificate, key)
    config = uvicorn.Config(
        app, port=0, lifespan="off", log_level="critical", ssl_certfile=str(certificate), ssl_keyfile=str(key)
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started)
        yield f"https://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", authority.certificate
    finally:
        server.should_exit = True
        thread.join(10)


def traffic(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "apisec_sandbox", "traffic", *arguments]
    return subprocess.run(command, check=check, capture_output=True, text=True, timeout=60)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_live(tmp_path: Path) -> None:
    gateway = Gateway()
    report, planted = tmp_path / "report", tmp_path / "planted"
    with serving(gateway, tmp_path) as (url, ca):
        arguments = ["--url", url, "--ca-file", str(ca), "--host", "shop.test", "--users", "30", "--rate", "90"]
        arguments += ["--duration", "12", "--attack-after", "2", "--attackers", ",".join(ATTACKS), "--json"]
        done = traffic(*arguments, "--report", str(report), "--planted", str(planted))
    assert done.stderr == ""
    summary, sent = json.loads(done.stdout), lines(report)
    assert summary["requests"] == len(sent) > 500
    assert summary["errors"] == summary["ordinary_server_errors"] == summary["missed_arrivals"] == 0
    assert {each["id"] for each in sent} == gateway.identities
    assert gateway.hosts == {b"shop.test"}
    # everyone has an address of its own, and the server saw just these
    assert gateway.peers == Counter(each["address"] for each in sent)
    assert len(gateway.peers) > 20
    # attackers attack after two seconds and go on to the end, whatever is refused
    begin = min(each["time"] for each in sent)
    for attack in ATTACKS:
        times = [each["time"] - begin for each in sent if each["kind"] == attack]
        assert min(times) >= 1.9, attack
        assert max(times) > 8, attack
    refused = [each for each in sent if each["refused"]]
    assert len(refused) == gateway.refused > 0
    assert {each["status"] for each in refused} == {403}
    assert all(each["refused"] == (each["kind"] == "skip") for each in sent if each["operation"] == CONFIRM)
    assert (summary["ordinary_refused"], summary["attack_refused"]) == (0, len(refused))
    assert {each["class"] for each in lines(planted)} >= {"pci.pan", "pii.ssn", "secret.jwt", "secret.password"}
    assert report.stat().st_mode & 0o077 == planted.stat().st_mode & 0o077 == 0


def test_arrivals_are_open_loop_and_files_steer(tmp_path: Path) -> None:
    """A server that answers late does not slow the arrivals; files begin the attack and end the run."""

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.4)
        await shop(scope, receive, send)

    shop = create_app(1)
    stop, attack, report = tmp_path / "stop", tmp_path / "attack", tmp_path / "report"
    with serving(Gateway(app=slow), tmp_path) as (url, ca):
        arguments = ["--url", url, "--ca-file", str(ca), "--users", "10", "--rate", "60", "--duration", "50", "--json"]
        arguments += ["--attackers", "inject", "--stop-file", str(stop), "--attack-file", str(attack)]
        command = [sys.executable, "-m", "apisec_sandbox", "traffic", *arguments, "--report", str(report)]
        began = time.monotonic()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            until(lambda: report.exists() and len(report.read_text().splitlines()) > 30)
            assert "inject" not in {each["kind"] for each in lines(report)}
            attack.touch()
            until(lambda: '"kind":"inject"' in report.read_text())
            stop.touch()
            output, _ = process.communicate(timeout=20)
        assert time.monotonic() - began < 40
    summary = json.loads(output)
    assert process.returncode == 0
    assert summary["missed_arrivals"] > 0  # eleven actors cannot have 60 requests a second in flight for 0.4 s each
    sent = sorted(each["time"] for each in lines(report))
    assert len([1 for early, late in itertools.pairwise(sent) if late - early < 0.4]) > len(sent) / 2


def client_hello(context: ssl.SSLContext) -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1").do_handshake()
    return outgoing.read()


def fingerprint(hello: bytes) -> tuple[object, ...]:
    """Return what JA4 is made of: version, sorted suites, sorted extensions, whether ALPN is there."""
    position = 5 + 4 + 2 + 32
    position += 1 + hello[position]
    size = int.from_bytes(hello[position : position + 2], "big")
    suites = hello[position + 2 : position + 2 + size]
    position += 2 + size
    position += 1 + hello[position] + 2
    extensions = []
    while position < len(hello):
        kind, length = hello[position : position + 2], int.from_bytes(hello[position + 2 : position + 4], "big")
        extensions.append(kind)
        position += 4 + length
    return tuple(sorted(suites[i : i + 2] for i in range(0, len(suites), 2))), tuple(sorted(extensions))


def test_every_tls_stack_has_a_fingerprint_of_its_own(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca.pem", LIFETIME)
    prints = {name: fingerprint(client_hello(stack.context(authority.certificate))) for name, stack in STACKS.items()}
    assert len(set(prints.values())) == len(STACKS)
    assert len({stack.ja4 for stack in STACKS.values()}) == len(STACKS)
    for stack in STACKS.values():
        context = stack.context(authority.certificate)
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    tools = {kind.stack for style in KINDS.values() for kind in style["tool"]}
    assert not tools & {
        kind.stack for style in KINDS.values() for role in style if role != "tool" for kind in style[role]
    }


def test_server_that_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    other = Authority(tmp_path / "other" / "ca.pem", LIFETIME).certificate
    gateway = Gateway()
    with serving(gateway, tmp_path) as (url, _):
        done = traffic("--url", url, "--ca-file", str(other), "--duration", "1", check=False)
    assert done.returncode == 1
    assert "nothing answered" in done.stderr
    assert gateway.peers.total() == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "either --url (live) or --offline"),
        (["--url", "https://127.0.0.1:1", "--offline"], "either --url (live) or --offline"),
        (["--offline"], "--output"),
        (["--url", "https://example.com"], "not a loopback"),
        (["--url", "https://127.0.0.1.example.com"], "not a loopback"),
        (["--url", "ftp://127.0.0.1"], "http(s)://HOST:PORT"),
        (["--url", "https://127.0.0.1:99999"], "--url"),
        (["--url", "https://127.0.0.1:1", "--labels", "x"], "--labels is only for offline"),
        (["--offline", "--output", "x", "--report", "y"], "--report is only for live"),
        (["--offline", "--output", "x", "--users", "1"], "--users must be from 5"),
        (["--offline", "--output", "x", "--rate", "nan"], "--rate must be from"),
        (["--offline", "--output", "x", "--attackers", "phish"], "unknown attack 'phish'"),
        (["--offline", "--output", "x", "--start", "soon"], "'soon' is not a time"),
    ],
)
def test_usage_errors_name_the_argument(tmp_path: Path, arguments: list[str], message: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "apisec_sandbox", "traffic", *arguments],
        capture_output=True, text=True, timeout=30, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 2
    assert message in done.stderr
    assert not list(tmp_path.iterdir())


def test_failures_exit_with_one(tmp_path: Path) -> None:
    missing = traffic("--offline", "--output", str(tmp_path / "no" / "x"), "--duration", "60", check=False)
    assert (missing.returncode, "no/x" in missing.stderr) == (1, True)
    text = tmp_path / "text"
    text.write_text("no certificate")
    bad = traffic("--url", "https://127.0.0.1:1", "--ca-file", str(text), check=False)
    assert (bad.returncode, bad.stderr.count("\n")) == (1, 1)


def test_help_teaches() -> None:
    assert "apisec-sandbox traffic --offline" in traffic("--help").stdout


# Parts


def test_stage_keeps_actors_in_their_own_order() -> None:
    """Natural time: calls come in order of time, and a reply's time counts."""
    world = World("train", natural=True, attack_at=0.0)
    stage = Stage(cast(Plan(1, "train", 20, ATTACKS), world), 1000.0, natural=True)
    last = 0.0
    for _ in range(400):
        turn = stage.next()
        assert turn is not None
        role, call = turn
        assert isinstance(call, Call)
        assert role.due >= last
        last = role.due
        stage.finish(role, Reply(503), 0.5)


@pytest.mark.parametrize("status", [0, 200, 401, 403, 404, 429, 500])
def test_no_answer_stops_an_actor(status: int) -> None:
    """Whatever the server says, every actor goes on; so attackers go on when they are refused."""
    world = World("heldout", natural=False, attack_at=0.0)
    stage = Stage(cast(Plan(2, "heldout", 30, ATTACKS), world), 0.0, natural=False)
    asked: Counter[str] = Counter()
    for number in range(3000):
        turn = stage.next(number * 0.05)
        assert turn is not None
        role, _ = turn
        asked[role.actor.name] += 1
        stage.finish(role, Reply(status, (("content-type", "application/json"),), b"[]"), 0.0)
    quiet = {"monitor", "admin", "clerk", "partner", "replay"}
    assert all(count > 5 for name, count in asked.items() if name.split("-")[0] not in quiet)


@pytest.mark.parametrize("seed", range(4))
def test_refusals_at_any_moment_stop_nobody(seed: int) -> None:
    """One in ten answers of the real shop are replaced by a refusal, an error or silence."""
    world = World("train", natural=False, attack_at=50.0)
    rng = seeded("refusals", seed)
    now = 0.0
    app = create_app(seed, clock=lambda: now)
    stage = Stage(cast(Plan(seed, "train", 30, ATTACKS), world), 0.0, natural=False)
    kinds: Counter[str] = Counter()

    async def go() -> None:
        nonlocal now
        for _ in range(4000):
            now += 0.05
            turn = stage.next(now)
            assert turn is not None
            role, call = turn
            reply = await exchange(app, call, [("host", "shop"), *call.headers], 40_000)
            if rng.random() < 0.1:
                reply = Reply(
                    rng.choice((0, 401, 403, 429, 500, 503)), (("content-type", "application/json"),), BLOCKED
                )
            kinds[call.attack or "ordinary"] += 1
            stage.finish(role, reply, 0.0)

    asyncio.run(go())
    assert set(kinds) == {"ordinary", *ATTACKS}


def test_rests_are_shortened_live() -> None:
    class One:
        now = 0.0

        def steps(self) -> Iterator[Any]:
            yield Rest(1000.0)
            yield Wait(3.0)
            yield Call("GET /", "GET", "/", (), b"", None, None, ())  # type: ignore[arg-type]

    for natural, due in ((True, 1003.0), (False, 1000.0 * BRISK + 3)):
        turn = Stage([One()], 0.0, natural).next(5.0)  # type: ignore[list-item]
        assert turn is not None
        assert turn[0].due == pytest.approx(due)
        assert turn[0].actor.now == 5.0


@pytest.mark.parametrize("formats", [TRAIN, HELDOUT], ids=["train", "heldout"])
def test_values_are_valid(formats: Any) -> None:
    values = Values(formats, seeded("test"))
    for number in range(300):
        card = values.card()
        digits = "".join(filter(str.isdigit, card.number))
        assert luhn_digit(digits[:-1]) == digits[-1]
        person = values.person(number)
        iban = person.iban.replace(" ", "")
        assert iban_check(iban[:2], iban[4:]) == iban[2:4]
        area = "".join(filter(str.isdigit, person.ssn))[:3]
        assert area not in ("000", "666")
        assert area[0] != "9"
        assert person.email.isascii()
        assert len("".join(filter(str.isdigit, person.phone))) >= 9
        assert len(person.password) >= 6


def test_known_check_digits() -> None:
    """The examples of ISO 13616 and of every text book on Luhn."""
    assert iban_check("DE", "370400440532013000") == "89"
    assert iban_check("GB", "WEST12345698765432") == "82"
    assert luhn_digit("7992739871") == "3"


def test_names_in_every_script_make_an_address() -> None:
    assert ascii_of("Björn") == "bjorn"
    assert ascii_of("陽子").startswith("u")
    assert ascii_of("O'Brien") == "obrien"


def test_public_addresses_keep_networks_apart() -> None:
    assert public_address("127.34.5.6").endswith(".34.5.6")
    assert public_address("127.34.5.6").rpartition(".")[0] == public_address("127.34.5.9").rpartition(".")[0]
