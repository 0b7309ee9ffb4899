"""One attack a family becomes one finding; what ordinary traffic does that looks like it becomes none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Dict, List

import pytest

from apisec.abuse.campaigns import FINDING_SCORE
from apisec.abuse.engine import Engine
from apisec.abuse.event import FIELDS, NAMES
from tests.core.abuse.town import (
    COUNTING,
    DAYS,
    Event,
    at,
    event,
    findings,
    forgot,
    login,
    ordinary,
    run,
    signal,
    visit,
)

Lived = Callable[..., Engine]
NOON = at(DAYS, 12)
SRC = "203.0.113.66"


def stuffing() -> List[Event]:
    return [login(NOON + 4 * n, "mallory", f"victim{n}", 401, src=SRC) for n in range(60)]


def stuffing_with_new_agents() -> List[Event]:
    """Every attempt is another anonymous principal, from one address."""
    return [login(NOON + 4 * n, f"m{n}", f"victim{n}", 401, src=SRC) for n in range(60)]


def guessing() -> List[Event]:
    return [
        event(NOON + n, "mallory", "GET /me", 401, auth_token=f"~secret.jwt~guess{n}~", src=SRC) for n in range(240)
    ]


def guessing_as_new_principals() -> List[Event]:
    return [event(NOON + n, f"g{n}", "GET /me", 401, src=SRC) for n in range(90)]


def guessing_slowly() -> List[Event]:
    """One made-up token an hour, by who is somebody beside it."""
    good = [event(at(DAYS, n, 9), "mallory", "GET /products", src=SRC) for n in range(18)]
    return good + [
        event(at(DAYS, n, 600), "mallory", "GET /me", 401, auth_token=f"~secret.jwt~guess{n}~", src=SRC)
        for n in range(18)
    ]


def brute_force() -> List[Event]:
    """All passwords for one account."""
    return [login(NOON + 2 * n, "mallory", "u001", 401, src=SRC) for n in range(250)]


def enumeration() -> List[Event]:
    return [forgot(NOON + 30 * n, "mallory", f"who{n}", 200 if n % 9 == 0 else 404, src=SRC) for n in range(60)]


def scraping() -> List[Event]:
    return [
        event(NOON + 50 * n, "mallory", "GET /products/{id}", object_ids=[f"id={n}"], bytes_out=500, src=SRC)
        for n in range(80)
    ]


def excess() -> List[Event]:
    return [event(NOON + 60 * n, "mallory", "GET /orders", bytes_out=30_000, src=SRC) for n in range(60)]


def flood() -> List[Event]:
    return [event(NOON + n, "mallory", "GET /search", 429 if n % 3 == 0 else 200, src=SRC) for n in range(240)]


def injection() -> List[Event]:
    return [event(NOON + 90 * n, "mallory", "GET /search", signals=[signal("sqli", 0.95)], src=SRC) for n in range(8)]


def forgery() -> List[Event]:
    return [event(NOON + 90 * n, "mallory", "GET /search", signals=[signal("ssrf", 0.95)], src=SRC) for n in range(8)]


def looking_around() -> List[Event]:
    return [event(NOON + 20 * n, "mallory", f"GET /.hidden{n}", 404, src=SRC) for n in range(20)]


def malformed() -> List[Event]:
    return [event(NOON + 40 * n, "mallory", "POST /orders", (400, 422, 500)[n % 3], src=SRC) for n in range(40)]


def probing() -> List[Event]:
    """Two an hour, each another one."""
    targets = ("POST /orders", "GET /search", "POST /forgot", "GET /products/{id}")
    return [event(at(DAYS, 6 + n / 2), "mallory", targets[n % 4], (400, 422, 500)[n % 3], src=SRC) for n in range(14)]


# The families that count; those with memories of their own have tests of their own.
ATTACKS = {
    "credential_stuffing": (stuffing, stuffing_with_new_agents, brute_force),
    "token_guessing": (guessing, guessing_as_new_principals, guessing_slowly),
    "account_enumeration": (enumeration,),
    "scraping": (scraping,),
    "excess_data": (excess,),
    "flooding": (flood,),
    "injection": (injection,),
    "ssrf": (forgery,),
    "reconnaissance": (looking_around,),
    "spec_violation": (malformed, probing),
}
CASES = [(family, make) for family, makers in ATTACKS.items() for make in makers]


@pytest.mark.parametrize(("family", "make"), CASES, ids=[make.__name__ for _, make in CASES])
def test_an_attack_among_ordinary_people_is_one_finding(
    lived: Lived, family: str, make: Callable[[], List[Event]]
) -> None:
    told = run(lived(), [*ordinary(DAYS), *make()])
    (found,) = findings(told)
    assert found["lead"] == family
    assert found["score"] >= FINDING_SCORE
    accused = {found["principal"]} if found["principal"] else set(found["members"])
    assert accused <= {one["principal"] for one in make()}
    assert found["reasons"]
    assert any("expected" in reason for reason in found["reasons"])
    assert set(found["examples"]) <= {one["id"] for one in make()}
    assert found["seen"] > found["expected"]


def test_an_anomaly_is_what_its_schema_says(lived: Lived) -> None:
    kinds: Dict[str, Any] = {
        "string": str,
        "number": (int, float),
        "integer": int,
        "array": list,
        "object": dict,
        "boolean": bool,
    }
    for one in run(lived(), stuffing() + excess()):
        assert set(one) <= NAMES
        for field in FIELDS:
            assert not field.required or field.name in one, field.name
            assert field.name not in one or isinstance(one[field.name], kinds[field.kind]), field.name


def many_accounts_doing_little() -> List[Event]:
    """Known people's accounts, each with three odd requests; nobody alone stands out."""
    return [event(NOON + 3 * n, f"u{n % 40:03}", "POST /orders", 422, src=f"198.51.{n % 40}.7") for n in range(160)]


def rotation() -> List[Event]:
    """All credentials become void at once: everybody is refused some times, and logs in anew."""
    events: List[Event] = []
    for index in range(40):
        who, time = f"u{index:03}", NOON + 37 * index
        events += [event(time + n, who, "GET /orders", 401, src=f"198.51.{index}.7") for n in range(6)]
        events += visit(time + 30, who, index + 1)
    return events


def office() -> List[Event]:
    """Thirty people log in behind one address within a quarter of an hour; some mistype."""
    events: List[Event] = []
    for index in range(30):
        if index % 5 == 0:
            events.append(login(NOON + 30 * index, "office", f"typo{index}", 401, src="203.0.113.30"))
        events.append(login(NOON + 30 * index + 9, "office", f"clerk{index}", src="203.0.113.30"))
    return events


def mistyped() -> List[Event]:
    return [login(NOON + n, "hasty", f"tpyo{n}", 401, src="203.0.113.31") for n in range(3)] + [
        login(NOON + 9, "hasty", "hasty", src="203.0.113.31")
    ]


def new_monitor() -> List[Event]:
    return [event(NOON + 20 * n, "watch", "GET /health", src="203.0.113.32") for n in range(180)]


def migration() -> List[Event]:
    return [
        event(NOON + 2 * n, "clerk", "PUT /products/{id}", object_ids=[f"id={n}"], src="203.0.113.33")
        for n in range(500)
    ]


def expired_key() -> List[Event]:
    """A batch job that nobody gave the new key."""
    about = {"principal_kind": "api_key", "auth_token": "~secret.api_key~old~", "src": "203.0.113.34"}
    return [event(at(DAYS, 1 + n / 4), "batch", "GET /products", 401, **about) for n in range(80)]


def renewing() -> List[Event]:
    """A device whose tokens live for half an hour, and which asks for the next when one is refused."""
    made: List[Event] = []
    for n in range(40):
        about: Event = {"src": "203.0.113.36", "auth_token": f"~secret.jwt~device{n}~"}
        made += [event(at(DAYS, n / 2, 400 * m), "device", "GET /products", **about) for m in range(4)]
        made.append(event(at(DAYS, n / 2, 1750), "device", "GET /products", 401, **about))
    return made


def broken_client() -> List[Event]:
    """Its one form is refused, whenever it is sent."""
    return [event(at(DAYS, 8 + n), "broken", "POST /orders", 422, src="203.0.113.37") for n in range(12)]


def old_password() -> List[Event]:
    return [login(at(DAYS, 1 + n / 4), "job", "nightly", 401, src="203.0.113.35") for n in range(80)]


def hasty_program() -> List[Event]:
    """A program that keeps on trying the password of yesterday, at home, every ten seconds."""
    at_home = {"src": "198.51.5.7"}
    return [login(NOON + 10 * n, "au001", "u001", 401, **at_home) for n in range(300)]


def program_elsewhere() -> List[Event]:
    """The same on another machine, until somebody sees it after a quarter of an hour."""
    return [login(NOON + 10 * n, "cron", "u001", 401, src=SRC) for n in range(80)]


def one_weak_signal() -> List[Event]:
    return [event(NOON, "oreilly", "GET /search", signals=[signal("sqli", 0.6)])]


def burst() -> List[Event]:
    """Four times as many people as on any day, for an hour."""
    return [one for n in range(160) for one in visit(NOON + 20 * n, f"new{n}", 2 * n + 1)]


@pytest.mark.parametrize(
    "make",
    [
        rotation,
        office,
        mistyped,
        new_monitor,
        migration,
        expired_key,
        renewing,
        broken_client,
        old_password,
        hasty_program,
        program_elsewhere,
        one_weak_signal,
        burst,
    ],
)
def test_what_ordinary_traffic_does_is_no_finding(lived: Lived, make: Callable[[], List[Event]]) -> None:
    told = findings(run(lived(), [*ordinary(DAYS), *make()]))
    assert not told, [(one["family"], one["reasons"]) for one in told]


def test_sessions_that_expired_weeks_ago_are_no_guesses(lived: Lived) -> None:
    """An office comes back from its holidays, one by one: nobody's session holds any more."""

    def at_work(day: int, status: int) -> List[Event]:
        about = {"principal_kind": "session", "src": "203.0.113.40"}
        times = [(n, again) for n in range(12) for again in (0, 600)]
        return [event(at(day, 6 + 1.3 * n, again), f"desk{n}", "GET /orders", status, **about) for n, again in times]

    engine = lived()
    back = DAYS + 9
    assert not findings(run(engine, [*ordinary(DAYS), *at_work(DAYS, 200)]))
    assert not findings(run(engine, [*ordinary(back), *at_work(back, 401)]))


def test_a_new_service_is_not_suspicious_for_being_new() -> None:
    told = findings(run(Engine(families=COUNTING), ordinary(0)))
    assert not told, [(one["family"], one["reasons"]) for one in told]


def test_a_payload_is_found_in_the_first_hour_of_a_service() -> None:
    told = findings(
        run(Engine(families=COUNTING), [*ordinary(0, people=20), *({**one, "time": at(0, 12)} for one in injection())])
    )
    assert [one["lead"] for one in told] == ["injection"]
