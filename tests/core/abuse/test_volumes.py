"""Volume is no finding; what stands beside it is: sizes, owners, narrowness, load."""

from __future__ import annotations

import json
import math
from typing import Any, Dict, List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec.abuse.base import Observation, decades
from apisec.abuse.counters import PrincipalCounters
from apisec.abuse.credential_stuffing import CredentialStuffing
from apisec.abuse.engine import Engine
from apisec.abuse.excess_data import ExcessData
from apisec.abuse.extremes import LEAST_PRINCIPALS, MAX_PRINCIPALS, Extremes
from apisec.abuse.flooding import Flooding
from apisec.abuse.load import CAP, KEPT_HOURS, LEAST_SPENT, Load
from apisec.abuse.narrow import OWNERS, names_few
from apisec.abuse.scraping import Scraping
from apisec.abuse.tally import Counted
from apisec.activity import Row
from apisec.errors import DocumentError
from apisec.sequences.steps import reads
from tests.core.abuse.town import Anomalies, Event, at, event, findings, login, run

PEOPLE, DAYS = 36, 2
EXPERTS = (ExcessData(), Flooding(), Scraping())


# --- the end of a distribution --------------------------------------------------------------------------------


def sizes(values: Any) -> Extremes:
    extremes = Extremes()
    for who, value in enumerate(values):
        extremes.take("bytes", who * 7919, value)
    return extremes


def test_a_page_has_an_end_and_a_heavy_tail_has_none() -> None:
    page = sizes(3_000.0 + 10 * (n % 40) for n in range(80))
    heavy = sizes(3_000.0 * (1.0 - (n + 0.5) / 80) ** -0.7 for n in range(80))
    twice, tenfold = (decades(page.tail("bytes", value, 256.0)) for value in (7_000.0, 33_000.0))
    assert 3.0 < twice < 4.0, "eighty people do not say more of who chooses another size of page"
    assert tenfold > 4.3
    assert decades(heavy.tail("bytes", 33_000.0, 256.0)) < 2
    assert decades(page.tail("bytes", 3_390.0, 256.0)) < 2, "as much as some others got"


def test_nobody_knows_an_end_of_few_and_staff_does_not_move_it() -> None:
    assert sizes(100.0 for _ in range(LEAST_PRINCIPALS - 1)).tail("bytes", 1e9, 1.0) == 1.0
    people = [3_000.0 + n for n in range(58)]
    alone, beside = (decades(sizes(each).tail("bytes", 9_000.0, 256.0)) for each in (people, [*people, 1e6, 1e6]))
    assert beside > alone - 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(1, 1e9), min_size=LEAST_PRINCIPALS, max_size=200), st.floats(1, 1e10), st.floats(1, 1e10))
def test_more_is_never_likelier_and_state_says_the_same(values: List[float], one: float, other: float) -> None:
    extremes = sizes(values)
    less, more = sorted((one, other))
    assert 0.0 < extremes.tail("bytes", more, 10.0) <= extremes.tail("bytes", less, 10.0) <= 1.0
    again = Extremes.from_state(json.loads(json.dumps(extremes.to_state())))
    assert math.isclose(again.tail("bytes", one, 10.0), extremes.tail("bytes", one, 10.0), rel_tol=1e-3)
    extremes.merge(again)
    assert len(extremes.to_state()["bytes"]) <= MAX_PRINCIPALS


@pytest.mark.parametrize("state", [None, [], {"bytes": 7}, {"bytes": {"x": 1}}, {"bytes": {"1": -1}}])
def test_what_is_no_state_is_refused(state: Any) -> None:
    with pytest.raises(DocumentError):
        Extremes.from_state(state)
    with pytest.raises(DocumentError):
        Load.from_state(state)


def test_load_is_measured_by_the_busiest_hours_and_an_idle_service_has_none() -> None:
    load, most = Load(), 10.0 * LEAST_SPENT
    for hour in range(KEPT_HOURS + 30):
        load.take(12 * hour, most if hour % 12 == 11 else most / 5.0)
        load.forget(12 * hour)
    assert load.decades(LEAST_SPENT - 1) == load.decades(0.24 * most) == 0.0
    assert 0.9 < load.decades(most / 2.0) <= 1.1, "half of what all take in the busiest hours"
    assert load.decades(1e9) == CAP
    assert Load.from_state(json.loads(json.dumps(load.to_state()))).decades(most / 2.0) == load.decades(most / 2.0)
    assert len(load.to_state()) == KEPT_HOURS
    assert Load().decades(1e9) == 0.0


@pytest.mark.parametrize(
    ("operation", "read"),
    [
        ("GET /a", True), ("POST /api/getOrder", True), ("POST /v2/orders:search", True), ("POST /g#MyOrders", False),
        ("POST /g#createOrder", False), ("POST /g#getOrder", True),
        ("POST /orders", False), ("PUT /orders/{id}", False), ("POST /widget", False),
        ("POST /a/updateViewer", False), ("POST", False),
    ],
)  # fmt: skip
def test_what_reads_is_known_by_method_and_verb(operation: str, read: bool) -> None:
    assert reads(operation) is read


class Known:
    """A context that knows one operation."""

    def __init__(self, extremes: Extremes) -> None:
        self._extremes = extremes

    def peek(self, scope: str, key: Any, kind: Any) -> Any:
        return self._extremes


@pytest.mark.parametrize(("people", "owners", "few"), [(40, 1.0, True), (40, 30.0, False), (5, 1.0, False)])
def test_a_list_of_what_belongs_to_one_is_known_by_those_who_ask_for_it(people: int, owners: float, few: bool) -> None:
    extremes = Extremes()
    for who in range(people):
        extremes.take(OWNERS, who * 7919, owners)
    counted = Counted(("shop", "p"), [Row("shop", "p", 1)], PrincipalCounters(), 0)
    assert names_few(Known(extremes), "GET /a", counted) is few  # type: ignore[arg-type]


# --- a small office -------------------------------------------------------------------------------------------


def listing(time: float, who: str, first: int, count: int, owner: str = "") -> Event:
    """A page of documents: one's own, or (no owner) those of many."""
    records = [
        {"id": f"d-{n}", "owner_id": owner or f"u{n % 50}", "title": "x" * 20} for n in range(first, first + count)
    ]
    body = json.dumps({"documents": records})
    return event(time, who, "GET /documents", response_body=body, bytes_out=len(body), response_time=40.0)


def catalogue(time: float, who: str, first: int) -> Event:
    body = json.dumps({"items": [{"sku": f"sku-{n}"} for n in range(first, first + 10)]})
    return event(time, who, "GET /catalogue", response_body=body, bytes_out=len(body), response_time=30.0)


def search(time: float, who: str, status: int = 200, spent: float = 250.0) -> Event:
    body = json.dumps({"found": [{"id": "f-1"}, {"id": "f-2"}]})
    return event(time, who, "GET /search", status, response_body=body, bytes_out=len(body), response_time=spent)


def days() -> List[Event]:
    events: List[Event] = []
    for day in range(DAYS):
        for index in range(PEOPLE):
            who, time = f"p{index}", at(day, 7 + index * 0.31 % 11)
            for turn in range(3):
                more = time + 600 * turn
                events.append(listing(more, who, 100 * index, 3 + index % 8, who))
                events.append(search(more + 20, who))
                events.append(event(more + 40, who, "GET /me", bytes_out=300))
                events.append(catalogue(more + 50, who, 10 * (index % 3)))
                events.append(event(more + 60, who, "PUT /documents/{id}", object_ids=[f"id=d-{100 * index + turn}"]))
    return events


@pytest.fixture(scope="module")
def state() -> str:
    engine = Engine(families=EXPERTS)
    assert not findings(run(engine, days()))
    return json.dumps(engine.documents(dirty_only=False))


def after(state: str, events: List[Event]) -> Anomalies:
    return run(Engine(json.loads(state), families=EXPERTS), events)


NOON = at(DAYS, 12)
ATTACKS: Dict[str, Tuple[str, str, List[Event]]] = {  # family, what it says, events
    "everybody's documents, by pages no larger than those of others, an hour apart": (
        "excess_data",
        "owners of what its lists gave of GET /documents",
        [listing(NOON + 3_600 * n, "mallory", 10 * n, 10) for n in range(12)],
    ),
    "one search that takes the service's time": (
        "flooding",
        "seconds of the service's time in an hour",
        [search(NOON + n, "mallory") for n in range(1_500)],
    ),
    "one search, as often as the service is asked in its busiest hours, that costs nothing": (
        "flooding",
        "that gave nothing new",
        [search(NOON + n, "mallory", spent=2.0) for n in range(900)],
    ),
    "all that is for everybody, page by page": (
        "scraping",
        "requests in seven days are GET /catalogue",
        [catalogue(NOON + 40 * n, "mallory", 10 * n) for n in range(40)],
    ),
    "the same, no faster than people turn pages, and none twice": (
        "scraping",
        "hardly one again",
        [catalogue(NOON + 500 * n, "mallory", 10 * n) for n in range(60)],
    ),
}


@pytest.mark.parametrize(("family", "words", "events"), ATTACKS.values(), ids=ATTACKS)
def test_what_stands_beside_volume_makes_the_finding(state: str, family: str, words: str, events: List[Event]) -> None:
    (found,) = findings(after(state, events))
    assert (found["lead"], found["principal"]) == (family, "~principal~mallory~")
    assert any(words in reason for reason in found["reasons"]), found["reasons"]


ORDINARY: Dict[str, List[Event]] = {
    "a new partner with large pages of its own": [
        one
        for n in range(40)
        for one in (
            listing(NOON + 300 * n, "partner", 5_000, 60, "partner"),
            event(NOON + 300 * n + 9, "partner", "PUT /documents/{id}", object_ids=[f"id=d-{5_000 + n}"]),
        )
    ],
    "a migration that rewrites what it reads": [
        event(NOON + n, "clerk", "PUT /documents/{id}", object_ids=[f"id=d-{n}"], response_time=90.0)
        for n in range(1_500)
    ],
    "a migration that reads large pages of everybody's and rewrites them": [
        one
        for n in range(40)
        for one in (
            listing(NOON + 60 * n, "clerk", 60 * n, 60),
            *(
                event(NOON + 60 * n + k, "clerk", "PUT /documents/{id}", object_ids=[f"id=d-{60 * n + k}"])
                for k in range(1, 50, 2)
            ),
        )
    ],
    "somebody who reads all of his own": [listing(NOON + 5 * n, "p7", 700 + 9 * n, 9, "p7") for n in range(40)],
    "an import that makes a thing by each request": [
        event(NOON + n / 3, "importer", "POST /documents", 201, response_time=90.0) for n in range(1_500)
    ],
    "a tab that is left open and asks twice a minute": [search(NOON + 30 * n, "p5", spent=9.0) for n in range(600)],
    "software that tries again what fails": [search(NOON + n / 2, "p5", 503, spent=9.0) for n in range(900)],
    "a client that sends what is refused": [search(NOON + n, "broken", 400) for n in range(600)],
}


@pytest.mark.parametrize("events", ORDINARY.values(), ids=ORDINARY)
def test_volume_alone_is_no_finding(state: str, events: List[Event]) -> None:
    told = after(state, events)
    assert not findings(told), [(one["family"], one["features"]) for one in findings(told)]


def signed_in(time: float, who: str, account: str, members: int = 1) -> Event:
    """A login that is answered with the records of the account's members."""
    records = [{"id": f"{account}-{n}", "owner_id": f"{account}-{n}"} for n in range(members)]
    body = json.dumps({"records": records, "token": "t"})
    return login(time, who, account, response_body=body, bytes_out=len(body))


def test_who_logs_in_to_many_accounts_is_given_many_owners_by_no_list() -> None:
    seen: List[Observation] = []
    engine = Engine(families=(CredentialStuffing(), ExcessData()), watch=seen.append)
    run(engine, [signed_in(at(day, 8 + 0.1 * n), f"a{n}", f"u{n}") for day in range(DAYS) for n in range(PEOPLE)])
    run(engine, [signed_in(NOON + 400 * n, "mallory", f"v{n}", members=25) for n in range(6)])
    assert [one.score for one in seen if one.family == "excess_data" and "owners" in one.features] == []
