"""What one event adds to a row."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec.activity import Activity, ClientKey, Row, value_hash32
from apisec.activity.steps import GAVE
from tests.core.activity.events import START, WRONG, damaged, event, field, login, row_of, rows_of

OPERATION = "GET /orders/{order_id}"


def hashes(*values: str) -> set[int]:
    return {value_hash32(value) for value in values}


def test_requests_clients_and_credentials() -> None:
    row = row_of(
        event(10.0, src="192.0.2.7", ja4="t13d"),
        event(20.0, src="192.0.2.8", ja4="t13d", status=404),
        event(30.5, src="198.51.100.1", http_user_agent="Mozilla/5.0 (X11; Linux) Firefox/140.0", auth_token=""),
    )
    assert (row.requests, row.failures, row.first, row.last) == (3, 1, START + 10, START + 30.5)
    home = ClientKey("192.0.2.0/24", "curl", "t13d")
    assert [(use.requests, use.failures, use.first, use.last) for use in [row.clients[home]]] == [
        (2, 1, START + 10, START + 20)
    ]
    assert set(row.credentials) == {"~secret.jwt~0000000000000001~", "~secret.session~0000000000000001~"}
    assert row.credentials["~secret.jwt~0000000000000001~"].requests == 2
    assert row.sources == ["192.0.2.7", "192.0.2.8", "198.51.100.1"]
    used = row.operations[OPERATION]
    assert (used.requests, used.statuses, used.bytes_in, used.bytes_out) == (3, {200: 2, 404: 1}, 30, 300)
    assert used.response_time == pytest.approx(37.5)


def test_what_apisec_refused_is_counted_as_that_and_nothing_else() -> None:
    row = row_of(event(5.0, action="blocked", object_ids=["order_id=1"], status=403, given={"id": 9}))
    used = row.operations[OPERATION]
    assert (row.requests, row.blocked, used.requests, used.blocked) == (0, 1, 0, 1)
    assert not row.steps
    assert not row.clients
    assert not used.objects
    assert not row.issued
    assert not row.examples


def test_ids_that_a_response_gave_are_issued_and_those_that_were_asked_for_are_not() -> None:
    row = row_of(
        event(7.9, object_ids=["order_id=1001"], given={"id": 1001, "items": [{"id": "it_5"}], "total": 12.5}),
        event(9.0, object_ids=["order_id=1002"], status=404, given={"id": "lost-1"}),
        event(70.0, operation="GET /orders", object_ids=[], given=[{"id": 1003}, {"id": "it_5"}]),
    )
    assert row.issued == {value_hash32("it_5"): 7, value_hash32("1003"): 70}
    used = row.operations[OPERATION]
    assert used.objects == {value_hash32("1001"): 7, value_hash32("1002"): 9}
    assert (used.object_count, used.objects_refused, used.objects_dropped, used.walked) == (2, 1, 0, 1)
    assert row.bodies_seen == 3
    assert row.operations["GET /orders"].records == 2


def test_steps_are_in_the_order_of_time_and_know_what_was_made() -> None:
    row = row_of(
        event(20.0, object_ids=["order_id=7"]),
        event(10.0, http_method="POST", operation="POST /orders", status=201, given={"id": 7, "state": "new"}),
    )
    assert [(step.time - START, step.operation, step.status) for step in row.steps] == [
        (10.0, "POST /orders", 201),
        (20.0, OPERATION, 200),
    ]
    assert row.steps[0].ids == (GAVE, value_hash32("7"))
    assert row.steps[1].ids == (value_hash32("7"),)
    assert row.steps[0].session == value_hash32("~secret.session~0000000000000001~")
    assert row.gaps == {14: 1}, "10,000 ms have 14 bits"


def test_what_a_body_asks_for_is_an_operation() -> None:
    row = row_of(
        event(
            1.0,
            operation="POST /graphql",
            body_operation="Clip",
            request_fields=[field("variables.id"), field("query")],
            body={"query": "query Clip", "variables": {"id": "cli_9"}},
        )
    )
    assert list(row.operations) == ["POST /graphql#Clip"]
    assert set(row.operations["POST /graphql#Clip"].objects) == hashes("cli_9")


WHO = "~pii.email~00000000000000b1~"


@pytest.mark.parametrize(
    ("event_of_it", "tried", "counts"),
    [
        (login(1.0, WHO, 401), [WHO], (1, 1, 0)),
        (login(1.0, WHO, 200), [WHO], (1, 0, 1)),
        (login(1.0, WHO, 302), [WHO], (1, 0, 1)),
        (login(1.0, WHO, 503), [WHO], (1, 0, 0)),
        (login(1.0, WHO, 429), [WHO], (1, 0, 0)),
        (login(1.0, None, 401), [], (1, 1, 0)),
        (login(1.0, None, 401, request_body=f"password=x&user={WHO}"), [WHO], (1, 1, 0)),
        (login(1.0, None, 401, request_body='{"user": "cut o'), [], (1, 1, 0)),
        (login(1.0, None, 401, request_body="[[[["), [], (1, 1, 0)),
        (event(1.0, auth="basic", user="~user~0000000000000001~", status=401), ["~user~0000000000000001~"], (1, 1, 0)),
        (event(1.0, auth="bearer", user="~user~0000000000000001~", status=401), [], (0, 0, 0)),
    ],
)
def test_attempts_to_log_in(event_of_it: Any, tried: list[str], counts: tuple[int, int, int]) -> None:
    accounts = row_of(event_of_it).accounts
    assert (accounts.attempts, accounts.failures, accounts.successes) == counts
    assert accounts.tried == hashes(*tried)


def test_a_name_to_log_in_with_counts_where_no_class_tells() -> None:
    asked = [field("credentials.username"), field("credentials.password", "body", "string", "secret.password")]
    row = row_of(login(1.0, None, 401, request_fields=asked, body={"credentials": {"username": "jdoe"}}))
    assert row.accounts.tried == hashes("jdoe")


def test_identities_count_without_a_password_too() -> None:
    asked = [field("email", "query", "string", "pii.email"), field("page", "query")]
    row = row_of(event(1.0, request_fields=asked, uri_query=f"page=2&email={WHO}"))
    assert row.operations[OPERATION].identities.values == hashes(WHO)
    assert row.accounts.attempts == 0


def test_signals_by_family() -> None:
    both = [
        {"family": "sqli", "detector": "injection.sqli", "where": "query.q", "score": 0.5},
        {"family": "sqli", "detector": "injection.sqli", "where": "query.p", "score": 0.6},
        {"family": "xss", "detector": "injection.xss", "where": "query.q", "score": 0.7},
    ]
    answer = {"family": "answer", "detector": "answer.stack_trace", "where": "response.body", "score": 0.9}
    row = row_of(event(1.0, signals=both), event(2.0, signals=[both[0], answer], status=500), event(3.0))
    sqli = row.signals["sqli"]
    assert (sqli.requests, sqli.answered, sqli.strength) == (2, 1, 0.8)
    assert (sqli.detectors, sqli.where) == ({"injection.sqli": 3}, {"query.q": 2, "query.p": 1})
    assert (sqli.operations, sqli.statuses) == ({OPERATION: 2}, {200: 1, 500: 1})
    assert row.signals["xss"].answered == 0
    assert row.examples["signal:sqli"] == ["e1.0", "e2.0"]


def test_sensitive_values_are_fields_times_records() -> None:
    answered = [field("items[].mail", "body", "string", "pii.email"), field("owner", "body", "string", "pii.name")]
    one = event(1.0, response_fields=answered, given={"owner": "~x~", "items": [{"mail": "a"}] * 20})
    used = row_of(one).operations[OPERATION]
    assert (used.records, used.sensitive, used.classes) == (20, 21, {"pii.email": 20, "pii.name": 1})
    del one["response_body"]
    unseen = row_of(one).operations[OPERATION]
    assert (unseen.records, unseen.sensitive) == (0, 2), "without the body each field counts once"


def test_owners_are_those_of_what_was_asked_for() -> None:
    row = row_of(
        event(1.0, given={"id": 5, "owner_id": "u1", "customer": {"id": "u9"}}),
        event(2.0, given={"data": {"owner_id": "u2", "created_by": "u3", "status": "open"}}),
        event(3.0, given={"items": [{"owner_id": "u4"}]}),
    )
    assert row.owners == {
        "owner_id": {value_hash32("u1"): 1, value_hash32("u2"): 1},
        "id": {value_hash32("u9"): 1},
        "created_by": {value_hash32("u3"): 1},
    }


def test_examples_are_the_first_and_the_largest() -> None:
    row = row_of(
        *[
            event(float(n), bytes_out=1000 * n, status=403 if n == 50 else 200, object_ids=["a=1"])
            for n in range(60, 0, -1)
        ]
    )
    assert row.examples == {
        "any": ["e1.0", "e2.0", "e3.0"],
        "object": ["e1.0", "e2.0", "e3.0"],
        "failure": ["e50.0"],
        "refused": ["e50.0"],
        "large": ["e60.0", "e59.0", "e58.0"],
    }


def test_fields_of_requests_by_place_path_and_type() -> None:
    asked = [field("role"), field("page", "query", "integer"), field("authorization.claims.sub", "header")]
    row = row_of(event(1.0, request_fields=asked), event(2.0, request_fields=asked[:1]))
    assert row.operations[OPERATION].fields == {"body.role:string": 2, "query.page:integer": 1}


def test_text_gives_the_same_row_as_the_event() -> None:
    asked = [field("user", "body", "string", "pii.email"), field("password", "body", "string", "secret.password")]
    made = {**login(1.0, WHO, 200, given={"id": 4}), "request_fields": asked, "response_fields": [field("id")]}
    activity = Activity()
    activity.add_raw(json.dumps(made, separators=(",", ":")))
    assert [row.to_document() for row in activity.rows()] == [row_of(made).to_document()]


@pytest.mark.parametrize(
    "wrong",
    [
        "", "{", "[]", "7", "null", "[" * 5000, "{}",
        json.dumps({"time": 1, "operation": "GET /"}),
        json.dumps({"time": -5, "operation": "GET /", "principal": "p"}),
        json.dumps({"time": 1e300, "operation": "GET /", "principal": "p"}),
        '{"time": NaN, "operation": "GET /", "principal": "p"}',
        json.dumps({"time": 1, "operation": ["GET /"], "principal": "p"}),
    ],
)  # fmt: skip
def test_what_is_no_transaction_is_dropped_and_counted(wrong: str) -> None:
    activity = Activity()
    activity.add_raw(wrong)
    assert (len(activity), activity.dropped) == (0, 1)


LONG = {name: name * 300 for name in ("path", "in", "type", "family", "detector", "where")}
HOSTILE: list[Any] = [
    None, True, -1, 1e308, 10**40, "", "x" * 2000, [], ["x"], [{}], {}, {"a": {"b": []}}, [[[]]], "NaN", "\ud800",
    ["x" * 900 + "=1"], [{**LONG, "classes": ["c" * 900], "score": 9}], [{**LONG, "in": "body", "score": "0.5"}] * 3,
]  # fmt: skip


@pytest.mark.parametrize(
    "name", sorted({*login(1.0, WHO, 200, given={"id": 1}, user="u", ja4="j", body_operation="b")})
)
def test_a_member_of_any_shape_makes_a_row_or_is_dropped(name: str) -> None:
    for value in HOSTILE:
        activity = Activity()
        made = login(1.0, WHO, 200, given={"id": 1}, signals=[{"family": "sqli", "score": "high", "where": 4}])
        activity.add({**made, name: value})
        assert len(activity) + activity.dropped == 1
        for row in activity.rows():
            document = json.loads(json.dumps(row.to_document()))
            assert len(json.dumps(document)) < 8000
            assert Row.from_document(document).to_document() == document, "what is written can be read"


@pytest.mark.parametrize(
    ("body", "records", "ids"),
    [
        ('{"id": 5, "next": "/orders/77?copy=8", "self": "https://shop.example/orders/78"}', 0, ["5", "77", "8", "78"]),
        (
            '{"orders": [1, 2, "x-3"], "note": "call me at 5", "at": "2026-01-01T10:00:00Z", "total": 9}',
            0,
            ["1", "2", "x-3"],
        ),
        ('[{"id": 1, "tags": [{"id": 2}]}, {"id": 3}]', 2, ["1", "2", "3"]),
        ('{"u-10-20": {"id": 4}, "u-10-21": {"id": 5}}', 2, ["u-10-20", "u-10-21", "4", "5"]),
        (
            '{"mail": "~pii.email~00000000000000b1~", "born": "~pii.dob~00000000000000b1~"}',
            0,
            ["~pii.email~00000000000000b1~"],
        ),
        ('[{"id": "a1"},{"id": "a2"},{"id": "a', 3, ["a1", "a2"]),
        ("<orders><id>42</id><ref>AB-7</ref></orders>", 0, ["42", "AB-7"]),
        ('{"price": "12.50", "state": "open", "active": true, "lines": null, "ratio": 1.5}', 0, []),
        ("", 0, []),
        (
            '{"records": [{"nr": 400073860516185, "fee": 8800}, {"code": 17000, "no": 12}]}',
            2,
            ["400073860516185", "17000"],
        ),
        ('{"a":' * 900 + "1" + "}" * 900, 0, []),
    ],
)
def test_what_a_response_gives(body: str, records: int, ids: list[str]) -> None:
    row = row_of(event(1.0, response_body=body))
    assert row.operations[OPERATION].records == records
    assert set(row.issued) == hashes(*ids)


def test_a_mapping_from_ids_to_records_may_be_long() -> None:
    body = {f"u-{n}-7": {"id": n, "mail": "x"} for n in range(100, 400)}
    row = row_of(event(1.0, given=body))
    assert set(row.issued) == hashes(*body, *map(str, range(100, 400)))
    assert row.operations[OPERATION].records == 300


def test_of_very_many_names_those_count_that_cannot_be_mistaken() -> None:
    """To ask what a name means costs; of a body that is made of names, only so many are asked."""
    names = [f"{chr(97 + n % 26)}{'x' * (n // 26)}" for n in range(600)]
    row = row_of(event(1.0, given={name: {"order_id": n, "number": n} for n, name in enumerate(names)}))
    assert set(row.issued) == hashes(*map(str, range(600)))


def test_slots_are_those_of_the_events_time() -> None:
    rows = rows_of(event(299.9994), event(299.9996), event(300.0))
    assert [(row.start - START, row.requests) for row in rows] == [(0.0, 1), (300.0, 2)]


WHOLE = {
    **login(1.0, WHO, 200, given={"id": 1, "items": [{"owner_id": "u1", "ref": "r-1"}]}, object_ids=["order_id=5"]),
    "signals": [{"family": "sqli", "detector": "injection.sqli", "where": "body.note", "score": 0.9}],
    "response_fields": [field("items[].mail", "body", "string", "pii.email")],
}  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(WRONG, st.randoms(use_true_random=False))
def test_a_damaged_event_makes_a_row_that_can_be_read_or_is_dropped(wrong: Any, chance: random.Random) -> None:
    activity = Activity()
    activity.add_raw(json.dumps(damaged(WHOLE, wrong, chance)))
    assert len(activity) + activity.dropped == 1
    for row in activity.rows():
        document = json.loads(json.dumps(row.to_document()))
        assert Row.from_document(document).to_document() == document


def test_lists_say_how_much_they_gave_at_once_and_whose() -> None:
    answered = [field("items[].mail", "body", "string", "pii.email")]
    pages = [[{"id": f"o-{n}", "owner_id": f"u{n % 2}", "mail": "a"} for n in range(size)] for size in (4, 9, 2)]
    row = row_of(*[event(1.0 + n, given={"items": page}, response_fields=answered) for n, page in enumerate(pages)])
    used = row.operations[OPERATION]
    assert (used.records, used.largest_records) == (15, 9)
    assert (used.sensitive, used.largest_sensitive) == (15, 9)
    assert used.owners.count == 2
    assert {value_hash32(f"o-{n}") for n in range(9)} <= set(used.given.values)
    assert Row.from_document(row.to_document()).to_document() == row.to_document()
