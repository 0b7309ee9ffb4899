"""The rows of any split of the events are the rows of one pass, beyond every bound too."""

from __future__ import annotations

import json
import random
from typing import Any, Dict, List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec.activity import Activity, Row
from apisec.activity.hashing import keep
from apisec.activity.operation import MAX_FIELDS, MAX_OBJECTS
from apisec.activity.parts import MAX_CREDENTIAL_CLIENTS, MAX_EXAMPLES, MAX_IDENTITIES, MAX_NAMES
from apisec.activity.row import (
    MAX_CLIENTS,
    MAX_COUNTED,
    MAX_CREDENTIALS,
    MAX_FAMILIES,
    MAX_ISSUED,
    MAX_OPERATIONS,
    MAX_OWNER_VALUES,
    MAX_OWNERS,
    MAX_SOURCES,
    MAX_STEPS,
    MAX_USERS,
)
from tests.core.activity.events import event, field, login, rows_of

NUMBERS = st.integers(0, 400)


@st.composite
def events(draw: st.DrawFn) -> Dict[str, Any]:
    """Of few principals and slots, with many of everything else."""
    number = draw(NUMBERS)
    # Requests at the same millisecond too: their order must not matter either.
    changes: Dict[str, Any] = {
        "id": f"e{draw(NUMBERS)}", "principal": f"~principal~{draw(st.integers(0, 1)):016x}~",
        "operation": f"GET /r{draw(st.integers(0, 90))}/{{r_id}}", "object_ids": [f"r_id={number}"],
        "http_method": draw(st.sampled_from(["GET", "POST"])), "status": draw(st.sampled_from([200, 201, 404, 403, 0])),
        "action": draw(st.sampled_from(["allowed", "allowed", "blocked"])), "src": f"192.0.2.{draw(NUMBERS)}",
        "team": draw(st.sampled_from(["web", "", "app"])), "auth_token": f"t{draw(st.integers(0, 30))}",
        "http_user_agent": f"agent-{draw(st.integers(0, 20))}/1", "user": f"u{draw(st.integers(0, 12))}",
        "bytes_out": draw(st.sampled_from([100, 20_000, 30_000])), "response_time": draw(st.floats(0, 1e4)),
        "given": {"id": number, "next": [number + 1, f"x{number}"], "owner": f"o{number % 11}"},
        "signals": [{"family": "sqli", "detector": "d", "where": f"query.q{number}", "score": draw(st.floats(0, 1))}],
        "request_fields": [field(f"f{number}", "query")],
        "response_fields": [field("owner", "body", "string", f"pii.{number % 20}")],
    }  # fmt: skip
    at = draw(st.sampled_from([0.0, 1.5, 299.999, 300.0, 450.25]))
    return draw(st.sampled_from([event(at, **changes), login(at, f"w{number}", 401, user=changes["user"])]))


def documents(rows: List[Row]) -> List[Any]:
    return [row.to_document() for row in rows]


def by_shards(given_events: List[Dict[str, Any]], chance: random.Random, shards: int) -> List[Row]:
    """Deal events to processes in any order, and merge what they send, in any order."""
    dealt = [Activity() for _ in range(shards)]
    shuffled = given_events[:]
    chance.shuffle(shuffled)
    for one in shuffled:
        chance.choice(dealt).add(one)
    sent = [json.dumps(row.to_document()) for one in dealt for row in one.rows()]
    chance.shuffle(sent)
    together = Activity()
    for text in sent:
        together.add_row(Row.from_document(json.loads(text)))
    return together.rows()


@settings(max_examples=40, deadline=None)
@given(st.lists(events(), max_size=30), st.randoms(use_true_random=False), st.integers(1, 4))
def test_any_split_gives_the_rows_of_one_pass(
    given_events: List[Dict[str, Any]], chance: random.Random, shards: int
) -> None:
    assert documents(by_shards(given_events, chance, shards)) == documents(rows_of(*given_events))


BUSY = keep([f"GET /r{n}" for n in range(90)], 1)[0]  # an operation that a row keeps by its own name

TOKEN = keep([f"t{n}" for n in range(600)], 1)[0]


def crowd(chance: random.Random) -> List[Dict[str, Any]]:
    """One principal that does more of everything than a row holds."""
    made = []
    for n in range(1500):
        at = round(chance.uniform(0, 300), 3)
        number = chance.randrange(600)
        operation = BUSY if n % 3 else f"GET /r{chance.randrange(90)}"
        common: Dict[str, Any] = {
            "id": f"e{n}", "src": f"198.51.{number}.7", "http_user_agent": f"agent-{number}/1", "user": f"u{number}",
            "auth_token": TOKEN if n % 2 else f"t{number}", "status": chance.choice(range(200, 230)) + n % 2 * 200,
        }  # fmt: skip
        made.append(
            event(
                at,
                **common,
                operation=operation,
                object_ids=[f"{chance.choice('abcdefg')}_id={number}"],
                bytes_out=100 * number,
                request_fields=[field(f"f{number}", "query")],
                response_fields=[field("x", "body", "string", f"pii.c{number % 40}")],
                given={
                    "ids": [3 * n, 3 * n + 1],
                    f"{chance.choice(['owner', 'user', 'customer', 'tenant', 'holder'])}_id": n,
                },
                signals=[{"family": f"f{number % 40}", "where": f"query.{number}", "score": 0.5}],
            )
        )
        made.append(login(at, f"w{n}", **common))
    return made


def test_a_crowd_beyond_every_bound_merges_exactly() -> None:
    chance = random.Random(3)
    given_events = crowd(chance)
    (row,) = rows_of(*given_events)
    assert documents(by_shards(given_events, chance, 5)) == [row.to_document()]
    busiest = row.operations[BUSY]
    bounds: List[Tuple[int, Any]] = [
        (MAX_OPERATIONS + 1, row.operations), (MAX_CLIENTS, row.clients), (MAX_CREDENTIALS, row.credentials),
        (MAX_SOURCES, row.sources), (MAX_USERS, row.users), (MAX_STEPS, row.steps), (MAX_ISSUED, row.issued),
        (MAX_OBJECTS, busiest.objects), (MAX_FIELDS, busiest.fields), (MAX_NAMES, busiest.statuses),
        (MAX_IDENTITIES, row.accounts.tried), (MAX_OWNERS, row.owners), (MAX_FAMILIES, row.signals),
        (MAX_CREDENTIAL_CLIENTS, row.credentials[TOKEN].clients), (MAX_COUNTED, row.source_hashes),
    ]  # fmt: skip
    assert [len(held) for _, held in bounds] == [most for most, _ in bounds]
    assert {len(values) for values in row.owners.values()} == {MAX_OWNER_VALUES}
    assert {len(ids) for ids in row.examples.values()} <= set(range(1, MAX_EXAMPLES + 1))


def test_what_is_sampled_is_still_counted() -> None:
    given_events = crowd(random.Random(3))
    (row,) = rows_of(*given_events)
    assert row.requests == 3000
    assert sum(one.requests for one in row.operations.values()) == 3000
    assert row.accounts.attempts == 1500
    assert row.accounts.tried_count == pytest.approx(1500, rel=0.2)
    bodies = [json.loads(one["response_body"]) for one in given_events if "ids" in one.get("response_body", "")]
    issued = {one for n, body in enumerate(bodies) if n % 2 == 0 for one in (*body.pop("ids"), *body.values())}
    assert len(row.issued) + row.issued_dropped == pytest.approx(len(issued), rel=0.1)
    objects = {one["object_ids"][0].partition("=")[2] for one in given_events if one["operation"] == BUSY}
    assert row.operations[BUSY].object_count == pytest.approx(len(objects), rel=0.15)
    assert row.source_count == pytest.approx(len({one["src"] for one in given_events}), rel=0.3)
    assert row.operation_count == pytest.approx(len({one["operation"] for one in given_events}), rel=0.3)
    assert row.steps_dropped == 3000 - MAX_STEPS
    assert [step.time for step in row.steps] == sorted(one["time"] for one in given_events)[:MAX_STEPS]


def test_rows_of_different_keys_do_not_merge() -> None:
    one, other = rows_of(event(1.0), event(301.0))
    with pytest.raises(ValueError, match="do not merge"):
        one.merge(other)


def test_rows_are_ordered_and_the_rest_is_counted() -> None:
    activity = Activity(max_rows=3)
    for principal in ("c", "b", "a", "d"):
        for at in (301.0, 1.0):
            activity.add(event(at, principal=principal))
    assert [(row.slot % 100, row.principal) for row in activity.rows()] == [(0, "c"), (1, "b"), (1, "c")]
    assert activity.dropped == 5
