"""What many do a little of each: tried from everywhere, or broken for everybody."""

from __future__ import annotations

import json
import random
from typing import Any, Callable, Dict, List, Sequence

import pytest

from apisec.abuse.breakages import Breakages
from apisec.abuse.crowds import Crowd
from apisec.abuse.engine import Engine
from apisec.abuse.reconnaissance import Reconnaissance
from apisec.abuse.spec_violation import SpecViolation
from apisec.errors import DocumentError
from tests.core.abuse.town import Event, at, event, findings, run

FAMILIES = (Reconnaissance(), SpecViolation())
AGENTS = (
    "Mozilla/5.0 (X11; Linux) Firefox/140.0",
    "Mozilla/5.0 (Macintosh) Safari/17",
    "shop/5.1 (Android)",
    "shop/5.1 (iPhone)",
)
PEOPLE, DAY = 60, 4


def agent(person: int) -> str:
    return AGENTS[person % len(AGENTS)]


def order(time: float, person: int, status: int = 201, **more: Any) -> Event:
    about = {"src": f"198.51.{person}.7", "http_user_agent": agent(person)}
    return event(time, f"u{person}", "POST /orders", status, **{**about, **more})


def day_of(day: int, failing: Sequence[int] = ()) -> List[Event]:
    """Everybody orders twice a day; one in thirty is refused, and so are all of the ``failing``, who try again."""
    rng, events = random.Random(day), []
    for person in range(PEOPLE):
        for _ in range(2):
            time = at(day, 7 + rng.random() * 14)
            bad = rng.random() < 1 / 30 or person in failing
            events += [order(time + 20 * n, person, 400 if bad else 201) for n in range(3 if person in failing else 1)]
        if rng.random() < 0.05:  # an old client, a broken link
            path = ("GET /favicon.ico", f"GET /old/{day}")[rng.random() < 0.3]
            events.append(event(at(day, 12 + rng.random()), f"u{person}", path, 404, src=f"198.51.{person}.7"))
    return events


def a_path_each() -> List[Event]:
    """Eighty paths of a list, each from another address, with another agent each."""
    about = {"principal_kind": "anonymous", "auth": "none", "auth_token": ""}
    return [
        event(at(DAY, 3 + n * 0.05), f"m{n}", f"GET /.well/{n}", 404, src=f"203.{n}.113.9",
              http_user_agent=f"tool{n % 7}/1", **about)
        for n in range(80)
    ]  # fmt: skip


def odd_orders() -> List[Event]:
    """Twenty accounts, half of them of ordinary people, some odd requests each."""
    return [order(at(DAY, 9 + n * 0.04), (n % 20) * 5, 422, http_user_agent=AGENTS[n % 4]) for n in range(240)]


@pytest.fixture(scope="module")
def lived() -> Callable[[], Engine]:
    engine = Engine(families=FAMILIES)
    run(engine, [one for day in range(DAY) for one in day_of(day)])
    documents = json.loads(json.dumps(engine.documents(dirty_only=False)))
    return lambda: Engine(documents, families=FAMILIES)


CASES: Dict[str, Callable[[], List[Event]]] = {"reconnaissance": a_path_each, "spec_violation": odd_orders}


@pytest.mark.parametrize("family", CASES)
def test_a_little_of_each_is_found_together(lived: Callable[[], Engine], family: str) -> None:
    (found,) = findings(run(lived(), [*day_of(DAY), *CASES[family]()]))
    assert found["lead"] == family
    guilty = {one["principal"] for one in CASES[family]()}
    assert len(guilty & set(found["members"])) > len(found["members"]) / 2


@pytest.mark.parametrize(
    "failing",
    [
        [person for person in range(PEOPLE) if person % 4 == 2],  # a release of one client
        list(range(PEOPLE)),  # of the server
    ],
    ids=["client", "server"],
)
def test_what_is_broken_is_no_attack(lived: Callable[[], Engine], failing: List[int]) -> None:
    assert not findings(run(lived(), day_of(DAY, failing)))


@pytest.mark.parametrize("kind", [Breakages, Crowd])
@pytest.mark.parametrize("state", [None, [], {}, {"callers": [], "clients": 3}, {"trail": {}, "contributors": []}])
def test_what_is_no_state_is_refused(kind: Any, state: Any) -> None:
    with pytest.raises(DocumentError):
        kind.from_state(state)
