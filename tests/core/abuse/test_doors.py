"""Logins, registrations and questions about accounts, known by what they do; names and statuses say nothing."""

from __future__ import annotations

import json
import random
from typing import Any, Callable, Dict, List

import pytest

from apisec.abuse.account_enumeration import AccountEnumeration
from apisec.abuse.accounts import GENERATION, MAX_ACCOUNTS, Accounts
from apisec.abuse.credential_stuffing import CredentialStuffing
from apisec.abuse.doors import Door
from apisec.abuse.engine import Engine
from apisec.abuse.spec_violation import SpecViolation
from apisec.abuse.token_guessing import TokenGuessing
from apisec.activity import OperationActivity
from apisec.activity.attempts import CLOSED, MUTE, OPENED, TRIED, Attempts
from apisec.errors import DocumentError
from tests.core.abuse.town import Event, at, event, findings, forgot, login, run

FAMILIES = (AccountEnumeration(), CredentialStuffing(), SpecViolation(), TokenGuessing())
TOKEN = [{"path": "t", "in": "body", "type": "string", "classes": ["secret.token"]}]
PEOPLE, LIVED = 40, 6  # days
DAY = LIVED


def enter(time: float, who: str, account: str, good: bool, src: str, way: str) -> Event:
    """Log in. ``way``: failures are told by the status, by an answer without a token, or nothing is called a secret."""
    made = login(time, who, account, src=src)
    made.update(operation="POST /enter", status=200 if good else {"status": 401, "token": 200, "unnamed": 400}[way])
    made["response_fields"] = TOKEN if good else [{"path": "text", "in": "body", "type": "string"}]
    if way == "unnamed":
        made["request_fields"] = [{"path": name, "in": "body", "type": "string"} for name in "ab"]
        made["request_body"] = json.dumps({"a": account, "b": "x" + account})
    return made


def join(time: float, who: str, account: str, status: int, src: str) -> Event:
    made = login(time, who, account, status, src=src)
    return {**made, "operation": "POST /members", "response_fields": TOKEN if status == 201 else []}


def home(person: int) -> str:
    return f"198.51.{person}.7"


def day_of(day: int, way: str) -> List[Event]:
    rng, events = random.Random(day), []
    for person in range(PEOPLE):
        time, src = at(day, 7 + rng.random() * 14), home(person)
        if rng.random() < 0.6:
            good = (True,) if rng.random() > 0.1 else (False, True)
            events += [enter(time + 20 * n, f"a{person}", f"u{person}", one, src, way) for n, one in enumerate(good)]
            events.append(event(time + 60, f"u{person}", "GET /things", src=src))
        if rng.random() < 0.1:
            status = 409 if rng.random() < 0.1 else 201
            events.append(join(time + 99, f"n{day}-{person}", f"new{day}-{person}", status, f"198.52.{person}.7"))
        if rng.random() < 0.05:
            events.append(forgot(time + 200, f"a{person}", f"u{person}", src=src))
    return events


def one_by_one(way: str) -> List[Event]:
    return [enter(at(DAY, 12, 4 * n), "mallory", f"v{n}", n % 60 == 59, "203.0.113.9", way) for n in range(80)]


def an_hour_each(way: str) -> List[Event]:
    return [enter(at(DAY, n * 0.9), "mallory", f"v{n}", False, "203.0.113.9", way) for n in range(25)]


def from_everywhere(way: str) -> List[Event]:
    return [enter(at(DAY, 6 + n * 0.1), f"m{n}", f"v{n}", False, f"203.{n}.113.9", way) for n in range(120)]


def one_password_for_all(way: str) -> List[Event]:
    """Accounts that exist, each a try or two, from where they never came from."""
    return [
        enter(at(DAY, 9 + n * 0.05), f"m{n % 30}", f"u{n % PEOPLE}", False, f"203.{n % 30}.113.9", way)
        for n in range(60)
    ]


def who_can_join(_: str) -> List[Event]:
    return [join(at(DAY, 9 + n * 0.1), "mallory", f"u{n}", 409, "203.0.113.9") for n in range(PEOPLE)]


def who_forgot(_: str) -> List[Event]:
    """The answer is the same for all."""
    return [forgot(at(DAY, 9 + n * 0.1), "mallory", f"v{n}", 200, src="203.0.113.9") for n in range(50)]


def who_is_there(_: str) -> List[Event]:
    """Nothing tells that a reset is one, but that it calls accounts as the login does; each source asks for three."""
    made = []
    for n in range(60):
        asked = enter(at(DAY, 9 + n * 0.1), f"m{n // 3}", f"v{n}", False, f"203.{n // 3}.113.9", "unnamed")
        body = json.dumps({"a": f"v{n}"})
        made.append({**asked, "operation": "POST /again", "request_body": body, "status": 400, "request_fields":
                     asked["request_fields"][:1]})  # fmt: skip
    return made


def codes_for_an_office(way: str) -> List[Event]:
    """Twelve who are new ask for a code, and log in with it."""
    return [
        one
        for n in range(12)
        for one in (
            forgot(at(DAY, 9, 300 * n), "office", f"w{n}", src="203.0.113.78"),
            enter(at(DAY, 9, 300 * n + 40), "office", f"w{n}", True, "203.0.113.78", way),
        )
    ]


def all_expired(way: str) -> List[Event]:
    return [
        enter(at(DAY, 8 + person * 0.1, 30 * n), f"a{person}", f"u{person}", False, home(person), way)
        for person in range(PEOPLE)
        for n in range(2)
    ]


def nobody_gets_in(way: str) -> List[Event]:
    """The directory is away for an hour; everybody tries from wherever he is, three times."""
    return [
        enter(at(DAY, 10 + person * 0.025, 40 * n), f"b{person}", f"u{person}", False, where, way)
        for person in range(PEOPLE)
        for n in range(3)
        for where in (home(person) if person % 2 else f"100.{person}.64.9",)
    ]


def an_office(way: str) -> List[Event]:
    """Thirty people behind one address; every sixth mistypes the name first."""
    return [
        enter(at(DAY, 8 + n * 0.02, 9 * good), "office", f"c{n}" if good else f"k{n}", bool(good), "203.0.113.77", way)
        for n in range(30)
        for good in ((0, 1) if n % 6 == 0 else (1,))
    ]


@pytest.fixture(scope="module")
def lived() -> Callable[[str], Engine]:
    documents: Dict[str, Any] = {}

    def make(way: str) -> Engine:
        if way not in documents:
            engine = Engine(families=FAMILIES)
            run(engine, [one for day in range(LIVED) for one in day_of(day, way)])
            documents[way] = json.loads(json.dumps(engine.documents(dirty_only=False)))
        return Engine(documents[way], families=FAMILIES)

    return make


@pytest.mark.parametrize("way", ["status", "token", "unnamed"])
@pytest.mark.parametrize("make", [one_by_one, an_hour_each, from_everywhere, one_password_for_all])
def test_stuffing_is_found_however_a_login_is_written(
    lived: Callable[[str], Engine], way: str, make: Callable[[str], List[Event]]
) -> None:
    (found,) = findings(run(lived(way), [*day_of(DAY, way), *make(way)]))
    assert found["lead"] == "credential_stuffing"
    guilty = {one["principal"] for one in make(way)}
    assert guilty & {found["principal"], *found["members"]}


def test_whose_accounts_were_opened_is_said(lived: Callable[[str], Engine]) -> None:
    entered = [event(at(DAY, 12, 4 * 59 + 2), "u7", "GET /things", src="203.0.113.9")]
    told = run(lived("status"), [*day_of(DAY, "status"), *one_by_one("status"), *entered])
    evidence = [one["evidence"] for one in told if one["principal"] == "~principal~mallory~"]
    assert [one["entered"] for one in evidence if "entered" in one] == [["~principal~u7~"]]
    assert any(one.get("accounts_opened") == 1 for one in evidence)


@pytest.mark.parametrize("make", [who_can_join, who_forgot])
def test_asking_for_accounts_is_found(lived: Callable[[str], Engine], make: Callable[[str], List[Event]]) -> None:
    (found,) = findings(run(lived("status"), [*day_of(DAY, "status"), *make("")]))
    assert (found["lead"], found["principal"]) == ("account_enumeration", "~principal~mallory~")


def test_a_question_is_known_by_how_the_login_calls_accounts(lived: Callable[[str], Engine]) -> None:
    (found,) = findings(run(lived("unnamed"), [*day_of(DAY, "unnamed"), *who_is_there("")]))
    assert found["lead"] == "account_enumeration"
    assert set(found["members"]) <= {one["principal"] for one in who_is_there("")}


@pytest.mark.parametrize("way", ["status", "token"])
@pytest.mark.parametrize("make", [all_expired, an_office, nobody_gets_in, codes_for_an_office])
def test_many_who_fail_at_home_are_no_attack(
    lived: Callable[[str], Engine], way: str, make: Callable[[str], List[Event]]
) -> None:
    assert not findings(run(lived(way), [*day_of(DAY, way), *make(way)]))


def used_of(outcome: int, *accounts: int, status: int = 200) -> OperationActivity:
    used, attempts = OperationActivity(), Attempts()
    for account in accounts:
        attempts.add(outcome, account)
    used.attempts[TRIED], used.requests, used.statuses = attempts, len(accounts), {status: len(accounts)}
    return used


def test_a_registration_is_where_accounts_come_once() -> None:
    comes_again, once = Door(), Door()
    for day in range(20):
        comes_again.learn(used_of(OPENED, day % 7, status=201))
        once.learn(used_of(OPENED, day, status=201))
    assert not comes_again.registers(OperationActivity())
    assert once.registers(OperationActivity())
    assert comes_again.registers(used_of(CLOSED, 1, status=409)), "what there is cannot be made"


def test_an_answer_without_a_credential_fails_where_others_get_one() -> None:
    door = Door()
    assert door.logins(used_of(MUTE, 1)).failures == 0
    door.learn(used_of(OPENED, *range(9)))
    found = door.logins(used_of(MUTE, 1))
    assert (found.failures, found.failed) == (1, {1})
    read = Door.from_state(json.loads(json.dumps(door.to_state())))
    assert read.logins(used_of(MUTE, 1)) == found


def test_accounts_beyond_the_sample_are_no_strangers() -> None:
    rng = random.Random(1)
    everybody = [rng.getrandbits(32) for _ in range(2 * MAX_ACCOUNTS)]
    accounts = Accounts()
    for start in range(0, len(everybody), 100):
        accounts.add(everybody[start : start + 100], 0b11, 5)
    read = Accounts.from_state(json.loads(json.dumps(accounts.to_state())))
    assert len(read) == MAX_ACCOUNTS
    assert not read.strangers(everybody, 0b01)
    others = [rng.getrandbits(32) for _ in range(1000)]
    assert 300 < len(read.strangers(others, 0b01)) < 700, "half of them lie where all are known"
    assert len(read.strangers(everybody, 0b100)) == MAX_ACCOUNTS, "none of them ever came from there"
    read.forget(5 + 2 * GENERATION)
    assert not len(read)


@pytest.mark.parametrize("kind", [Door, Accounts])
@pytest.mark.parametrize("state", [None, [], {}, [1, "", "", "", "!"], {"answers": {"t": [1]}}, [[]] * 5])
def test_what_is_no_state_is_refused(kind: Any, state: Any) -> None:
    with pytest.raises(DocumentError):
        kind.from_state(state)
