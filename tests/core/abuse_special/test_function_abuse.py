"""Operations of another role: served or refused, by one or by many; new operations and testers are ordinary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import List

import pytest

from apisec.abuse.base import SERVICE, Observation
from apisec.abuse.function_abuse import FunctionAbuse
from apisec.abuse.roles import Roles
from apisec.abuse.uses import is_for_staff
from apisec.activity.hashing import value_hash32
from tests.core.abuse_special.world import SERVICE_NAME, TOOL, Client, Event, World, at, request, users

FINDING = 90.0
EVERYDAY = ("GET /products", "GET /orders", "POST /orders", "GET /me")
STAFF = ("GET /customers/all", "PUT /customers/{customer_id}/tier", "GET /ledger")
DESK = ("GET /tickets", "PATCH /tickets/{ticket_id}")
OFFICE: Client = (
    "203.0.113.5",
    "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0",
    "t13d1516h2_office",
)


def calls(time: float, who: str, operations: Sequence[str], **more: object) -> List[Event]:
    return [request(time + index, who, one, **more) for index, one in enumerate(operations)]  # type: ignore[arg-type]


@pytest.fixture
def lived() -> World:
    """Four days of thirty users, two clerks and a tester that is refused; then as many rows as weeks have."""
    found = World(FunctionAbuse())
    for day in range(4):
        for index, who in enumerate(users(30)):
            home = (f"192.0.{index}.9", OFFICE[1], OFFICE[2])
            found.step(calls(at(day, 60 * index), who, EVERYDAY, client=home))
        for clerk, operations in (("boss", STAFF), ("helper", DESK)):
            found.step(calls(at(day, 4_000), clerk, ("GET /me", *operations), client=OFFICE))
        found.step(calls(at(day, 5_000), "tester", ("GET /me", *EVERYDAY), client=OFFICE))
        found.step(calls(at(day, 5_100), "tester", STAFF, status=403, client=OFFICE))
    found.memory.reload()
    found.memory.part(SERVICE, (SERVICE_NAME,), Roles).rows = 20_000.0
    return found


def best(found: Sequence[Observation]) -> float:
    return max((one.score for one in found), default=0.0)


def test_a_user_that_is_served_what_is_for_staff(lived: World) -> None:
    home = ("192.0.3.9", OFFICE[1], OFFICE[2])
    first = lived.step(calls(at(5), "user3", STAFF[:1], client=home))
    assert best(first) < FINDING  # one step is little
    found = lived.step(calls(at(5, 300), "user3", (*STAFF, *DESK) * 3, client=TOOL))
    assert found[0].score >= FINDING
    assert found[0].principal == "user3"
    assert found[0].operation in STAFF + DESK
    assert "served this principal" in found[0].reasons[0]
    assert {"unexpected", "roles", "place"} <= set(found[0].features)


def test_one_that_is_refused_again_and_again(lived: World) -> None:
    few = lived.step(calls(at(5), "user4", STAFF, status=403))
    assert best(few) < 72
    found = lived.step(calls(at(5, 300), "user4", STAFF * 20, status=403))
    assert found[0].score >= FINDING
    assert found[0].evidence["refused"] == 63
    assert sorted(found[0].evidence["refused_operations"]) == sorted(STAFF)
    assert any("refused it 63 times" in reason for reason in found[0].reasons)


def test_the_tester_goes_on(lived: World) -> None:
    found = lived.step(calls(at(5), "tester", (*EVERYDAY, *STAFF), client=OFFICE))
    found += lived.step(calls(at(5, 3_000), "tester", STAFF * 2, status=403, client=OFFICE))
    assert all(not one.features.get("refused") for one in found)
    assert (
        best(lived.step(calls(at(6), "session-of-tester", STAFF * 2, status=403, client=OFFICE, kind="session"))) < 54
    )


def test_clerks_go_on_and_get_a_colleague(lived: World) -> None:
    assert best(lived.step(calls(at(5), "boss", STAFF * 3, client=OFFICE))) < 36
    new = [lived.step(calls(at(day), "colleague", ("GET /me", *DESK), client=OFFICE)) for day in (5, 6, 7)]
    assert all(best(found) < 72 for found in new)


def test_an_operation_of_a_deployment_is_new_for_everybody(lived: World) -> None:
    scores = []
    for day in (5, 6, 7):
        for index, who in enumerate(users(30)):
            scores.append(best(lived.step(calls(at(day, 300 * index), who, (*EVERYDAY, "GET /wishlist")))))
    assert max(scores) < 72


def test_a_voucher_is_rare_but_of_no_role(lived: World) -> None:
    for index in (1, 8):
        lived.step(calls(at(4, 300 * index), f"user{index}", (*EVERYDAY, "POST /vouchers")))
    scores = [best(lived.step(calls(at(7 + n), f"user{n}", (*EVERYDAY, "POST /vouchers") * 2))) for n in (11, 12)]
    assert max(scores) < 72


def test_many_accounts_take_up_what_nearly_nobody_does(lived: World) -> None:
    found: List[Observation] = []
    for index in range(11):
        found = lived.step(calls(at(5, 600 * index), f"user{10 + index}", STAFF[:1]))
    crowd = next(one for one in found if one.entity == "operation")
    assert crowd.score >= FINDING
    assert len(crowd.members) == 11
    assert crowd.operation == STAFF[0]


def test_many_accounts_are_refused_a_little_each(lived: World) -> None:
    found: List[Observation] = []
    for index in range(10):
        found = lived.step(calls(at(5, 600 * index), f"user{10 + index}", STAFF, status=403))
    crowd = next(one for one in found if one.entity == "operation")
    assert crowd.score >= FINDING
    assert len(crowd.members) == 10


def test_a_page_that_asks_for_what_its_users_may_not_see(lived: World) -> None:
    """A release whose page is refused by one operation, for everybody who opens it."""
    scores = [
        best(lived.step(calls(at(5, 300 * index), who, (*EVERYDAY[:1], "GET /notices/all"), status=403)))
        for index, who in enumerate(users(30))
    ]
    assert max(scores) < FINDING


@pytest.mark.parametrize("status", [401, 404])
def test_what_hides_what_is_for_staff_refuses_it(lived: World, status: int) -> None:
    found = lived.step(calls(at(5), "user4", STAFF * 20, status=status))
    assert found[0].score >= FINDING
    assert found[0].evidence["refused"] == 60


def test_a_session_that_is_over_is_nothing_about_roles(lived: World) -> None:
    """After a rotation everybody is unauthorised, clerks and users alike; what is gone is missed by whoever asks."""
    for who, operations in (("user9", (*EVERYDAY, *STAFF)), ("boss", STAFF), ("stranger", (*EVERYDAY, *STAFF))):
        assert not lived.step(calls(at(5), who, operations * 5, status=401)), who
    assert not lived.step(calls(at(5, 600), "user9", EVERYDAY * 5, status=404))


def test_a_client_that_begins_anew_with_each_session(lived: World) -> None:
    found: List[Observation] = []
    for day in range(5, 10):
        for turn in range(8):
            who = f"session{day}-{turn}"
            found += lived.step(calls(at(day, 4_000 * turn), who, STAFF[:1], status=403, kind="session", client=TOOL))
    assert best(found) >= FINDING


def test_a_customer_that_goes_on_with_one_function_of_staff(lived: World) -> None:
    home = ("192.0.3.9", OFFICE[1], OFFICE[2])
    lived.step(calls(at(5), "user3", EVERYDAY, client=home))
    once = lived.step(calls(at(5, 300), "user3", STAFF[:1], client=home))
    often = [one for hour in range(1, 9) for one in lived.step(calls(at(5, 3_600 * hour), "user3", STAFF[:1] * 3))]
    assert best(once) < 72
    assert best(often) >= FINDING
    assert often[-1].features["repeated"] > 0.0
    assert any("no new member of that role" in reason for reason in often[-1].reasons)


def test_who_is_not_signed_in_says_nothing_of_roles() -> None:
    """Half of all principals of a service log in and do nothing else: a login is no role, nor are orders."""
    world = World(FunctionAbuse())
    for day in range(4):
        for index, who in enumerate(users(20)):
            home = (f"192.0.{index}.9", OFFICE[1], OFFICE[2])
            before = calls(at(day, 60 * index), f"nobody{index}-{day}", ("POST /login",), client=home, kind="anonymous")
            world.step(before + calls(at(day, 60 * index + 5), f"{who}-{day}", EVERYDAY, client=home, kind="session"))
    world.memory.reload()
    roles = world.memory.part(SERVICE, (SERVICE_NAME,), Roles)
    assert not any(roles.is_for_few(value_hash32(one)) for one in ("POST /login", *EVERYDAY))
    assert all(roles.commonness(value_hash32(one), ()) > 0.8 for one in EVERYDAY)
    tried = calls(at(5), "nobody99", ("POST /login",) * 40, status=403, client=TOOL, kind="anonymous")
    assert not world.step(tried)


BATCH: Client = ("192.88.7.9", "nightly/3.1", "t13d1010h1_batch")


@pytest.mark.parametrize(("client", "finding"), [(BATCH, False), (TOOL, True)])
def test_the_next_key_of_a_program(lived: World, client: Client, finding: bool) -> None:
    """Keys are renewed: the program that comes from the same place in the same way does what the old key did."""
    for day in range(4, 14):
        lived.step(calls(at(day), "first key", STAFF[2:], client=BATCH, kind="api_key"))
        lived.step(calls(at(day, 600), "boss", STAFF, client=OFFICE))
    found = lived.step(calls(at(14), "next key", STAFF[2:] * 60, client=client, kind="api_key"))
    assert (best(found) >= FINDING) is finding


def test_who_works_for_others_gets_more_to_do(lived: World) -> None:
    found = lived.step(calls(at(5), "boss", DESK * 12, client=OFFICE))
    assert found
    assert 54 <= best(found) < FINDING


def test_somebody_new_who_does_one_thing_of_a_role_alone(lived: World) -> None:
    """Those whose role it is do others beside it; a clerk's second session does not begin anew."""
    stranger = lived.step(calls(at(5), "new", STAFF[:1] * 9, client=TOOL))
    assert best(stranger) >= FINDING
    for day in (5, 6):
        client = ("192.88.9.44", OFFICE[1], "t13d1516h2_home")
        lived.step(calls(at(day, 900), f"clerk {day}", ("GET /me", *DESK) * 4, client=client, kind="session"))
    again = lived.step(calls(at(7), "clerk 7", DESK[:1] * 9, client=client, kind="session"))
    assert best(again) < 72


def test_one_function_alone_in_one_session_after_the_other(lived: World) -> None:
    """A login is all that the client did on earlier days beside: that is no work of a role."""
    found: List[Observation] = []
    for day in (5, 7):
        for turn in range(4):
            found += lived.step(calls(at(day, 4_000 * turn), "nobody", ("POST /login",), client=TOOL, kind="anonymous"))
            found += lived.step(
                calls(at(day, 4_000 * turn + 300), f"session {day}", STAFF[:1], client=TOOL, kind="session")
            )
    assert best(found[:-1]) < 72 < best(found[-1:])


def test_a_tester_of_the_first_days() -> None:
    """Before seven days are full, what is refused in them still becomes more, a little unevenly."""
    world = World(FunctionAbuse())
    for day in range(4):
        for index, who in enumerate(users(30)):
            home = (f"192.0.{index}.9", OFFICE[1], OFFICE[2])
            world.step(calls(at(day, 60 * index), who, EVERYDAY, client=home))
        world.step(calls(at(day, 4_000), "boss", STAFF, client=OFFICE))
        if day < 3:
            world.step(calls(at(day, 5_000), "tester", STAFF * 2, status=403, client=TOOL))
    world.memory.part(SERVICE, (SERVICE_NAME,), Roles).rows = 20_000.0
    own = ("192.88.9.45", OFFICE[1], "t13d1516h2_home")
    assert best(world.step(calls(at(3, 9_000), "tester", STAFF * 6, status=403, client=TOOL))) < 72
    assert best(world.step(calls(at(3, 9_000), "stranger", STAFF * 12, status=403, client=own))) >= FINDING


@pytest.mark.parametrize(
    ("name", "staff"),
    [
        ("GET /admin/users", True),
        ("POST /v1/internal_notes", True),
        ("GET /console/export", True),
        ("GET /api/maintenance_orders", False),
        ("GET /me/data-export", False),
        ("GET /rooted/plants", False),
    ],
)
def test_names_that_say_it_is_for_staff(name: str, staff: bool) -> None:
    assert is_for_staff(name) is staff
