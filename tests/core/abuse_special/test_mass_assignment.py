"""Members that only the server may set: new, telling and taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import List

import pytest

from apisec.abuse.base import OPERATION, SERVICE, Observation
from apisec.abuse.mass_assignment import MassAssignment
from apisec.abuse.shapes import Changes, Fields, field_of, telling
from tests.core.abuse_special.world import SERVICE_NAME, World, at, request, users

FINDING = 90.0
SAVE = "PATCH /profile"
ORDINARY = {"nickname": "string", "address.street": "string"}


def save(
    world: World, time: float, who: str, more: Mapping[str, str] = {}, status: int = 200, times: int = 1
) -> List[Observation]:
    fields = {**ORDINARY, **more}
    return world.step(request(time + index, who, SAVE, fields=fields, status=status) for index in range(times))


@pytest.fixture
def lived() -> World:
    found = World(MassAssignment())
    for day in range(3):
        for index, who in enumerate(users(20)):
            save(found, at(day, 300 * index), who)
    found.memory.reload()
    found.memory.part(SERVICE, (SERVICE_NAME,), Changes).rows = 4_000.0
    found.memory.part(OPERATION, (SERVICE_NAME, SAVE), Fields).rows = 500.0
    return found


def best(found: Sequence[Observation]) -> float:
    return max((one.score for one in found), default=0.0)


@pytest.mark.parametrize("name", ["is_admin", "role", "user.permissions", "verified", "accountBalance", "owner_id"])
def test_a_telling_member_that_is_taken(lived: World, name: str) -> None:
    found = save(lived, at(4), "mallory", {name: "string"})
    assert found[0].score >= FINDING
    assert (found[0].principal, found[0].operation) == ("mallory", SAVE)
    assert f"body.{name}" in found[0].reasons[0]
    assert found[0].signature == f"body.{name}"


def test_a_record_sent_back_whole_is_no_finding(lived: World) -> None:
    assert best(save(lived, at(4), "editor", {"createdAt": "string"})) < FINDING
    assert best(save(lived, at(4, 600), "mallory", {"createdAt": "string", "approvedBy": "string"}, times=3)) >= FINDING


def test_a_refusal_is_worth_less(lived: World) -> None:
    refused = best(save(lived, at(4), "mallory", {"is_admin": "boolean"}, status=422))
    taken = best(save(lived, at(4, 300), "mallory", {"is_admin": "boolean"}))
    assert refused < FINDING <= taken


def test_several_that_are_refused_are_a_search(lived: World) -> None:
    more = {"is_admin": "boolean", "approvedBy": "string", "creditLimit": "integer"}
    assert best(save(lived, at(4), "mallory", more, status=400)) >= FINDING


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("createdAt", "state"),
        ("orderBy", ""),
        ("planLevel", "state"),
        ("at", ""),
        ("limit", ""),
        ("dailyLimit", "money"),
    ],
)
def test_what_the_server_writes_is_telling(name: str, kind: str) -> None:
    assert telling(f"body.{name}")[1] == kind


def test_a_limit_alone_is_of_a_page(lived: World) -> None:
    """Who breaks forms sends offset, limit and sort where none belongs, and is now and then answered with success."""
    paging = {"limit": "integer", "offset": "integer", "sort": "string"}
    assert best(save(lived, at(4), "mallory", paging, times=3)) < FINDING


@pytest.mark.parametrize("name", ["theme", "limit", "shipping_notes", "total_of_all_items", "timezone"])
def test_an_unknown_member_that_tells_little_is_no_finding(lived: World, name: str) -> None:
    assert best(save(lived, at(4), "user3", {name: "string"}, status=400)) < FINDING


def test_a_deployments_field_comes_from_many(lived: World) -> None:
    scores = []
    for day in (4, 5, 6):
        for index, who in enumerate(users(20)):
            scores.append(best(save(lived, at(day, 300 * index), who, {"pronouns": "string"})))
    assert max(scores) < FINDING
    assert max(scores[40:]) == 0.0  # two days later it is what everybody sends


def test_an_operation_that_takes_anything_teaches_that_names_are_nothing(lived: World) -> None:
    """Free members below metadata: new ones every day, one of them called role."""
    for day in range(4, 9):
        for index, who in enumerate(users(20)):
            lived.memory.suspects = set()
            save(lived, at(day, 300 * index), who, {f"metadata.k{day}{index}": "string"})
    found = save(lived, at(10), "user3", {"metadata.role": "string"})
    assert best(found) < FINDING


def test_a_member_that_staff_sends_is_known(lived: World) -> None:
    known = lived.memory.part(OPERATION, (SERVICE_NAME, SAVE), Fields)
    for clerk in range(10):  # more than are needed to make it ordinary
        known.learn_row(lived.memory.now_slot, f"clerk{clerk}", 1_000 + clerk, ["body.role"], at_once=True)
    save(lived, at(4), "user1")
    assert not save(lived, at(5), "clerk3", {"role": "string"})


def test_what_waits_is_not_learned_from_suspects(lived: World) -> None:
    """The members of an attack do not become ordinary while it lasts."""
    first = save(lived, at(4), "mallory", {"is_admin": "boolean"})
    later = save(lived, at(6), "mallory", {"is_admin": "boolean"})
    assert first[0].score >= FINDING
    assert later[0].score >= FINDING


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("body.is_admin", "rights"),
        ("body.isAdmin", "rights"),
        ("body.users[].role", "rights"),
        ("body.emailVerified", "state"),
        ("body.credit_limit", "money"),
        ("body.ownerId", "owner"),
        ("body.address.street", ""),
        ("body.description", ""),
        ("body.administrative_notes_text", ""),
        ("body.", ""),
    ],
)
def test_how_telling_a_name_is(name: str, kind: str) -> None:
    worth, found = telling(name)
    assert found == kind
    assert (worth > 0) == (kind != "")


def test_only_what_a_client_chooses_counts() -> None:
    assert field_of("body.role:string") == "body.role"
    assert field_of("header.authorization.claims.role:string") == ""
    assert field_of("path.order_id:string") == ""
