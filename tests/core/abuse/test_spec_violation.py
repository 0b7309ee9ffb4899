"""What tells who looks for what breaks from a client that is broken: he varies it."""

from __future__ import annotations

import json
import random
from typing import Any, Callable, Dict, List, Mapping

import pytest

from apisec.abuse.engine import Engine
from apisec.abuse.mass_assignment import MassAssignment
from apisec.abuse.shapes import Fields
from apisec.abuse.spec_violation import SpecViolation
from tests.core.abuse.town import Event, at, event, findings, run

FAMILIES = (SpecViolation(), MassAssignment())
ORDER = {"item": "string", "count": "integer", "note": "string", "address.street": "string"}
LIVED = 4  # days
SRC = "203.0.113.50"


def send(time: float, who: str, members: Mapping[str, str], status: int = 201, **more: Any) -> Event:
    fields = [{"path": path, "in": "body", "type": kind} for path, kind in members.items()]
    return event(time, who, "POST /orders", status, request_fields=fields, **more)


def day_of(day: int) -> List[Event]:
    """Forty people, some of whom forget a member, and are refused for it."""
    rng, events = random.Random(day), []
    for person in range(40):
        about: Dict[str, Any] = {"src": f"198.51.{person}.7"}
        time = at(day, 7 + 14 * rng.random())
        events += [event(time + 9 * n, f"u{person}", "GET /products", **about) for n in range(rng.randint(3, 12))]
        left_out = {name: kind for name, kind in ORDER.items() if name != "note" or rng.random() < 0.5}
        if rng.random() < 0.05:
            events.append(send(time + 200, f"u{person}", {"item": "string"}, 422, **about))
        events.append(send(time + 220, f"u{person}", left_out, **about))
    return events


def visits(members: Callable[[int], Mapping[str, str]]) -> List[Event]:
    """A dozen visits of a day, each with ten ordinary requests and one that is refused, always with 400."""
    made = []
    for n in range(12):
        time = at(LIVED, 6 + n)
        made += [event(time + 20 * m, "mallory", "GET /products", src=SRC) for m in range(10)]
        made.append(send(time + 250, "mallory", members(n), 400, src=SRC))
    return made


def types(n: int) -> Dict[str, str]:
    kinds = ("boolean", "object", "integer", "string", "number")
    return {name: kinds[(n + place) % len(kinds)] for place, name in enumerate(ORDER)}


def omissions(n: int) -> Dict[str, str]:
    return {name: kind for place, (name, kind) in enumerate(ORDER.items()) if n >> place & 1}


def strange(n: int) -> Dict[str, str]:
    return {**ORDER, f"word{n}": "string"}


def broken(_: int) -> Dict[str, str]:
    """A client that writes numbers as texts, and has a member of a version to come."""
    return {**dict.fromkeys(ORDER, "string"), "count": "string", "express": "boolean", "gift": "string"}


def fussy(n: int) -> Dict[str, str]:
    """Numbers with and without a fraction, and members that are null: the item is sold out."""
    return {**ORDER, "count": ("integer", "number")[n % 2], "address.street": ("string", "null")[n % 3 == 0]}


@pytest.fixture(scope="module")
def lived() -> Callable[[], Engine]:
    engine = Engine(families=FAMILIES)
    run(engine, [one for day in range(LIVED) for one in day_of(day)])
    documents = json.loads(json.dumps(engine.documents(dirty_only=False)))
    return lambda: Engine(documents, families=FAMILIES)


@pytest.mark.parametrize(
    ("members", "told"), [(types, True), (omissions, True), (strange, True), (broken, False), (fussy, False)]
)
def test_who_varies_what_is_refused_is_found(
    lived: Callable[[], Engine], members: Callable[[int], Mapping[str, str]], told: bool
) -> None:
    found = findings(run(lived(), [*day_of(LIVED), *visits(members)]))
    assert [one["principal"] for one in found] == ["~principal~mallory~"] * told
    assert all(one["lead"] == "spec_violation" for one in found)


def test_what_was_refused_teaches_no_types() -> None:
    fields = Fields()
    fields.learn_row(1, "u1", 1, ["body.count"], at_once=True)
    fields.ripen(300, lambda _: False)
    fields.rows = 100.0
    fields.learn_types(["body.count:integer"])
    fields = Fields.from_state(json.loads(json.dumps(fields.to_state())))
    assert fields.amiss(["body.count:string"], 2) == {"body.count:string"}
    assert fields.amiss(["body.count:number"], 2) == set()
    assert fields.amiss(["body.count:null", "body.more:null"], 2) == {"body.more"}
    assert fields.amiss(["body.count:integer"], 1) == {"body.count"}  # nobody but itself sends it


@pytest.mark.parametrize("taken", [True, False])
def test_where_new_fields_are_taken_all_the_time_none_is_odd(taken: bool) -> None:
    fields = Fields()
    for day in range(12):
        names = [f"body.answers.q{day}", "body.name"]
        fields.learn_row(288 * day, "u1", 1, names, at_once=day == 0)
        fields.ripen(288 * day, lambda _: False)
        if taken:
            fields.learn_types([f"{name}:string" for name in [f"body.answers.q{day - 1}", *names]])
    assert fields.takes_any == taken
    fields.rows = 1_000.0
    assert not fields.takes_any


def test_fields_that_were_known_before_types_have_any() -> None:
    fields = Fields()
    fields.learn_row(1, "u1", 1, ["body.count"], at_once=True)
    fields.ripen(300, lambda _: False)
    state = {name: value for name, value in fields.to_state().items() if name != "types"}
    known = Fields.from_state(state)
    assert known.amiss(["body.count:string"], 2) == set()
    known.learn_types(["body.count:integer"])
    assert known.amiss(["body.count:string"], 2) == {"body.count:string"}
