"""A small API with users, and families that look at it window by window with nothing but their own memory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Dict, List, Optional, Set, Tuple, Type

from apisec.abuse.base import SERVICE, SLOT_SECONDS, SLOTS_PER_DAY, Family, Key, Observation, P, Window
from apisec.abuse.model import Models
from apisec.activity import Activity
from apisec.baselines.tails import Tail

START_SLOT = 20_000 * SLOTS_PER_DAY
SERVICE_NAME = "shop"
LAPTOP = ("192.0.2.10", "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0", "t13d1516h2_aaaa_bbbb")
TOOL = ("198.51.100.77", "python-requests/2.32", "t13d1010h1_cccc_dddd")

Client = Tuple[str, str, str]
Event = Dict[str, Any]


class Unasked:
    """Expectations that nobody asks in these tests: nothing is ever unlikely."""

    def tail(self, counter: str, scope: str, key: Key, horizon: str, slot: int, seen: float, per: float = 0.0) -> Tail:
        return Tail(1.0, 0.0, "default")


class Memory:
    """The parts of profiles, as ``base.Context`` has them; ``reload`` writes and reads all of them."""

    def __init__(self) -> None:
        self.now_slot = START_SLOT
        self.models = Models()
        self.expectations = Unasked()
        self.suspects: Set[str] = set()
        self.parts: Dict[Tuple[str, Key, str], Any] = {}
        self.first: Dict[Tuple[str, Key], int] = {}

    def part(self, scope: str, key: Key, kind: Type[P]) -> P:
        found: P = self.parts.setdefault((scope, key, kind.name), kind())
        return found

    def peek(self, scope: str, key: Key, kind: Type[P]) -> Optional[P]:
        return self.parts.get((scope, key, kind.name))

    def age(self, service: str) -> int:
        return self.age_of(SERVICE, (service,))

    def age_of(self, scope: str, key: Key) -> int:
        return self.now_slot - self.first.setdefault((scope, key), self.now_slot)

    def frozen(self, service: str, principal: str) -> bool:
        return principal in self.suspects

    def reload(self) -> None:
        """Write every part as JSON and read it again, as between two windows of the input."""
        for address, part in self.parts.items():
            state = json.loads(json.dumps(part.to_state()))
            self.parts[address] = type(part).from_state(state)


class World:
    """Feeds one family; ``day`` and ``second`` say when."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self.memory: Any = Memory()  # what a family asks of a context, and no more
        self.memory.age(SERVICE_NAME)

    def step(self, events: Iterable[Event]) -> List[Observation]:
        """Let the family look at the windows of these events; return what it says, the strongest first."""
        activity = Activity()
        for event in events:
            activity.add(event)
        slots: Dict[int, List[Any]] = {}
        for row in activity.rows():
            slots.setdefault(row.slot, []).append(row)
        said: List[Observation] = []
        for slot, rows in sorted(slots.items()):
            self.memory.now_slot = slot
            window = Window.of(rows)
            seen = list(self.family.observe(window, self.memory))
            said += seen
            suspects = {who for one in seen if one.score >= 72 for who in (one.principal, *one.members)}
            self.memory.suspects = suspects
            self.family.learn(window.without((SERVICE_NAME, who) for who in suspects), self.memory)
            for part in self.memory.parts.values():
                part.forget(slot)
        return sorted(said, key=lambda one: -one.score)


def at(day: float, second: float = 0.0) -> float:
    return (START_SLOT + day * SLOTS_PER_DAY) * SLOT_SECONDS + second


def request(
    time: float,
    who: str,
    operation: str,
    *,
    status: int = 200,
    ids: Sequence[str] = (),
    body: Any = None,
    fields: Mapping[str, str] = {},
    kind: str = "jwt",
    client: Client = LAPTOP,
    credential: str = "",
) -> Event:
    """Return one event; ``fields`` are members of the request's body with their types."""
    return {
        "schema": 1,
        "id": f"{who}-{time:.3f}",
        "time": time,
        "service": SERVICE_NAME,
        "team": "team-shop",
        "operation": operation,
        "http_method": operation.partition(" ")[0],
        "principal": who,
        "principal_kind": kind,
        "auth_token": credential or f"~secret.jwt~{who}~",
        "status": status,
        "src": client[0],
        "http_user_agent": client[1],
        "ja4": client[2],
        "object_ids": list(ids),
        "request_fields": [{"path": path, "in": "body", "type": kind} for path, kind in fields.items()],
        "response_body": None if body is None else json.dumps(body),
        "bytes_out": 200,
    }


LIST, READ = "GET /orders", "GET /orders/{order_id}"


def order(number: int, owner: str) -> Dict[str, Any]:
    return {"id": f"ord-{number:06d}", "customer_id": owner, "total": 12.5}


def visit(time: float, who: str, numbers: Sequence[int], *, listed: bool = True, **more: Any) -> List[Event]:
    """List one's own orders and read some of them."""
    mine = [order(number, f"cus-{who}") for number in numbers]
    events = [request(time, who, LIST, body={"items": mine}, **more)] if listed else []
    for index, one in enumerate(mine):
        events.append(request(time + 2.0 + index, who, READ, ids=[f"order_id={one['id']}"], body=one, **more))
    return events


def probe(
    time: float, who: str, numbers: Iterable[int], *, gap: float = 1.0, status: int = 200, **more: Any
) -> List[Event]:
    """Ask for others' orders by their ids."""
    found = []
    for index, number in enumerate(numbers):
        body = order(number, f"cus-user{number // 10}") if status == 200 else {"error": "no"}
        ids = [f"order_id=ord-{number:06d}"]
        found.append(request(time + index * gap, who, READ, ids=ids, body=body, status=status, **more))
    return found


def users(count: int) -> List[str]:
    return [f"user{index}" for index in range(count)]


def own(who: str, much: int = 3) -> List[int]:
    return [int(who[4:]) * 10 + index for index in range(much)]
