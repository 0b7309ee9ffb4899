"""Credentials on another client: a thief's differs in everything at once; phones and machines do otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import List

import pytest

from apisec.abuse.base import SERVICE, Observation
from apisec.abuse.clients import AGENT, JA4, NETWORK
from apisec.abuse.machines import Machines
from apisec.abuse.token_theft import TokenTheft
from tests.core.abuse_special.world import LAPTOP, SERVICE_NAME, TOOL, Client, World, at, request, users

FINDING = 90.0
APP = "AppClient/7.4 (Android 15)"


def seen(
    world: World, time: float, who: str, client: Client, kind: str = "jwt", credential: str = ""
) -> List[Observation]:
    return world.step([request(time, who, "GET /me", client=client, kind=kind, credential=credential)])


def moved(index: int, hour: int) -> Client:
    return (f"80.187.{index}.{hour + 1}" if hour % 2 else f"10.{index}.{hour}.1", APP, "t13d1313h2_phone")


@pytest.fixture
def lived() -> World:
    """Three days of users at home and phones that change their network each four hours; then weeks of rows."""
    found = World(TokenTheft())
    for day in range(3):
        for index, who in enumerate(users(12)):
            home = (f"192.0.{index}.9", LAPTOP[1], LAPTOP[2])
            seen(found, at(day, 300 * index), who, home)
        for hour in range(0, 24, 4):
            for index in range(6):
                seen(found, at(day, 3_600 * hour + 30 * index), f"phone{index}", moved(index, hour))
    found.memory.reload()
    machines = found.memory.part(SERVICE, (SERVICE_NAME,), Machines)
    for _ in range(8_000):
        machines.expose("jwt")
        machines.expose("api_key")
    return found


def best(found: Sequence[Observation]) -> float:
    return max((one.score for one in found), default=0.0)


def test_a_thief_beside_the_owner(lived: World) -> None:
    found = seen(lived, at(4), "user3", TOOL)
    assert found[0].score >= FINDING
    assert found[0].principal == "user3"
    assert found[0].evidence["changed"] == ["network", "agent", "ja4"]
    assert "python-requests from 198.51.100.0/24" in found[0].reasons[0]
    home = ("192.0.3.9", LAPTOP[1], LAPTOP[2])
    again = seen(lived, at(4, 400), "user3", home)
    assert again[0].p_value < found[0].p_value  # the owner goes on
    assert again[0].evidence["old_goes_on"] is True


def test_the_client_is_the_thiefs_however_much_the_owner_does(lived: World) -> None:
    home = ("192.0.7.9", LAPTOP[1], LAPTOP[2])
    owner = [request(at(4, second), "user7", "GET /me", client=home, kind="jwt") for second in (0, 20, 40)]
    found = lived.step([*owner, request(at(4, 60), "user7", "GET /me", client=TOOL, kind="jwt")])
    assert found[0].client.startswith("python-requests from 198.51.100.0/24")


def test_the_same_agent_from_elsewhere_with_another_stack(lived: World) -> None:
    """A thief that calls itself what the owner's browser does has another TLS stack still."""
    found = seen(lived, at(4), "user5", ("203.0.113.9", LAPTOP[1], "t13d0909h2_eeee_ffff"))
    assert best(found) >= 72
    found = seen(lived, at(4, 400), "user5", ("192.0.5.9", LAPTOP[1], LAPTOP[2]))
    found += seen(lived, at(4, 700), "user5", ("203.0.113.9", LAPTOP[1], "t13d0909h2_eeee_ffff"))
    assert best(found) >= 80


def test_phones_change_their_network(lived: World) -> None:
    scores = [best(seen(lived, at(4, 3_600 * hour), "phone2", moved(200, hour))) for hour in range(0, 24, 2)]
    assert max(scores) < 54


def test_an_update_changes_the_stack_only(lived: World) -> None:
    assert best(seen(lived, at(4), "user6", ("192.0.6.9", LAPTOP[1], "t13d1517h2_newer"))) <= 54


def test_another_device_has_another_credential(lived: World) -> None:
    """Signed in on a laptop too: a credential of its own, no change at all."""
    assert not seen(lived, at(4), "user7", TOOL, credential="second")


def test_what_others_show_together_is_one_machine(lived: World) -> None:
    """HTTP/3 beside HTTP/2: when two others did so, the third is no news, wherever it is."""
    quic = "q13d0312h3_xxxx"
    for index in (1, 2):
        seen(lived, at(4, 300 * index), f"user{index}", (f"192.0.{index}.9", LAPTOP[1], quic))
    seen(lived, at(6), "user1", ("192.0.1.9", LAPTOP[1], LAPTOP[2]))
    machines = lived.memory.part(SERVICE, (SERVICE_NAME,), Machines)
    found = seen(lived, at(6, 600), "user8", ("198.18.0.1", LAPTOP[1], quic))
    assert best(found) < 54
    assert machines.chance("jwt", JA4) > machines.chance("jwt", NETWORK | AGENT | JA4)


def test_keys_of_machines_are_shared(lived: World) -> None:
    """A key on a second machine is ordinary sooner than a session is."""
    seen(lived, at(4), "partner", ("192.0.2.1", "go-resty/2.16", "t13d_go"), kind="api_key")
    found = seen(lived, at(4, 600), "partner", ("192.0.77.1", "Java-http-client/21", "t13d_java"), kind="api_key")
    machines = lived.memory.part(SERVICE, (SERVICE_NAME,), Machines)
    everything = NETWORK | AGENT | JA4
    assert machines.chance("api_key", everything) > 2 * machines.chance("jwt", everything)
    assert found[0].features["change"] < seen(lived, at(4), "user3", TOOL)[0].features["change"]


def test_own_habit_holds(lived: World) -> None:
    """One that carries its token from a script to a browser every day does so tomorrow."""
    script = ("192.0.9.9", "curl/8.11", "t13d_curl")
    there = ("203.0.113.44", LAPTOP[1], LAPTOP[2])
    for day in range(4, 16):
        lived.memory.suspects = set()
        credential = f"of-day-{day}"
        seen(lived, at(day, 100), "user9", script, credential=credential)
        found = seen(lived, at(day, 900), "user9", there, credential=credential)
    assert found == [] or best(found) < FINDING
    assert lived.memory.parts


def test_many_behind_one_address_and_a_kiosk(lived: World) -> None:
    for index in range(40):
        assert not seen(lived, at(4, 10 * index), f"clerk{index}", ("203.0.113.80", LAPTOP[1], LAPTOP[2]))


def test_a_credential_that_no_gateway_fingerprints(lived: World) -> None:
    """Without JA4 a change of network and agent is still told, if with less."""
    bare = ("192.0.66.1", LAPTOP[1], "")
    seen(lived, at(4), "user66", bare)
    found = seen(lived, at(4, 500), "user66", ("198.51.100.3", "curl/8.11", ""))
    assert found[0].evidence["changed"] == ["network", "agent"]
