"""Learned precedence: the rules that were put into a log are found, through noise, and nothing else is."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from apisec.errors import DocumentError
from apisec.sequences.flows import FlowModel, Step, learn_flows

LOGIN = "POST /login"
BROWSE = ["GET /products", "GET /products/{product_id}", "GET /search", "GET /orders", "PUT /accounts/me"]
CART, START = "POST /cart/items", "POST /checkout/start"
ADDRESS, PAYMENT = "POST /checkout/{checkout_id}/address", "POST /checkout/{checkout_id}/payment"
CONFIRM, CANCEL = "POST /checkout/{checkout_id}/confirm", "POST /orders/{order_id}/cancel"


class Shop:
    """A log of ``users`` ordinary people; ``linked`` says whether steps carry the checkout's id."""

    def __init__(self, seed: int, *, users: int = 40, linked: bool = True) -> None:
        self.random = random.Random(seed)
        self.linked = linked
        self.rows: list[dict[str, Any]] = []
        self.checkout = 0
        for user in range(users):
            self.day(f"~principal~{user:04d}~")
        self.rows.sort(key=lambda row: row["time"])

    def row(self, who: str, operation: str, now: float, status: int = 200, *ids: str) -> None:
        row = {"service": "shop", "principal": who, "session": "", "operation": operation}
        self.rows.append({**row, "time": now, "status": status, "object_ids": list(ids)})

    def day(self, who: str) -> None:
        now = self.random.uniform(0, 20_000)
        self.row(who, LOGIN, now)
        for _ in range(self.random.randint(1, 3)):
            for _ in range(self.random.randint(5, 25)):
                now += self.random.expovariate(1 / 15)
                self.row(who, self.random.choice(BROWSE), now)
            now = self.buy(who, now)

    def buy(self, who: str, now: float) -> float:
        self.checkout += 1
        ids = [f"checkout_id={self.checkout}"] if self.linked else []
        for step in self.path():
            now += self.random.expovariate(1 / 12)
            if step is None:
                self.row(who, PAYMENT, now, 402, *ids)
            elif self.random.random() < 0.15:
                self.row(who, self.random.choice(BROWSE), now)
                self.row(who, step, now + 1, 200, *([] if step in (CART, START) else ids))
            else:
                self.row(who, step, now, 200, *([] if step in (CART, START) else ids))
        return now

    def path(self) -> Iterator[str | None]:
        """The steps, with going back, a declined payment (None), a repeated click and giving up."""
        chance = self.random.random()
        yield from (CART, START, ADDRESS)
        if chance < 0.1:
            return
        if chance < 0.25:
            yield ADDRESS
        if chance < 0.4:
            yield None
        yield PAYMENT
        if 0.4 < chance < 0.5:
            yield from (ADDRESS, PAYMENT)
        yield CONFIRM
        if 0.5 < chance < 0.55:
            yield CONFIRM

    def attack(self, who: str, times: int) -> None:
        now = self.random.uniform(0, 20_000)
        self.row(who, LOGIN, now)
        for _ in range(times):
            self.checkout += 1
            now += 5
            self.row(who, START, now)
            self.row(who, CONFIRM, now + 1, 200, *([f"checkout_id={self.checkout}"] if self.linked else []))


def required(model: FlowModel) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in model.invariants:
        found.setdefault(one.operation, set()).add(one.requires)
    return found


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize("attackers", [0, 2])
def test_the_rules_of_the_shop_are_learned_and_no_others(seed: int, linked: bool, attackers: int) -> None:
    shop = Shop(seed, linked=linked)
    for number in range(attackers):
        shop.attack(f"~principal~bad{number}~", 200)
    model = learn_flows(shop.rows)
    assert required(model) == {START: {CART}, ADDRESS: {START}, PAYMENT: {ADDRESS}, CONFIRM: {PAYMENT}}
    (confirm,) = model.requirements(CONFIRM, "shop")
    assert confirm.linked == ("checkout_id" if linked else "")
    assert confirm.confidence >= 0.85
    assert confirm.support == len({row["principal"] for row in shop.rows if row["operation"] == CONFIRM})
    assert LOGIN not in {one.requires for one in model.invariants}
    assert LOGIN in {one.requires for one in model.trivial}


def test_random_order_teaches_nothing() -> None:
    chance = random.Random(7)
    operations = [f"POST /thing{n}" for n in range(8)]
    rows = [
        {"service": "s", "principal": f"p{n % 50}", "operation": chance.choice(operations), "time": n, "status": 200}
        for n in range(5000)
    ]
    assert learn_flows(rows).invariants == ()


def test_what_is_done_once_before_everything_was_seen_is_no_step_of_a_flow() -> None:
    """A registration precedes each first login, but no later one; and the data may begin after it."""
    chance = random.Random(3)
    rows: list[dict[str, Any]] = []
    for user in range(40):
        now = user * 10.0
        rows.append({"operation": "POST /register", "time": now})
        for _ in range(5):
            now += chance.uniform(2, 20)
            rows.append({"operation": LOGIN, "time": now})
            now += 600
        for row in rows[-6:]:
            row.update(service="s", principal=f"p{user}", status=200)
    model = learn_flows(rows)
    assert model.invariants == ()
    assert learn_flows([row for row in rows if row["time"] < 60]).invariants == ()


def test_anonymous_principals_teach_nothing() -> None:
    rows = [{**row, "principal_kind": "anonymous"} for row in Shop(1).rows]
    assert learn_flows(rows).to_documents() == []


def test_too_few_principals_teach_nothing() -> None:
    assert learn_flows(Shop(1, users=3).rows).invariants == ()


def test_the_order_of_rows_and_numbers_as_text_make_no_difference() -> None:
    rows = Shop(3).rows
    shuffled = [{**row, "time": str(row["time"]), "status": str(row["status"])} for row in rows]
    random.Random(1).shuffle(shuffled)
    assert learn_flows(shuffled).to_documents() == learn_flows(rows).to_documents()


def test_documents_survive_the_key_value_store() -> None:
    model = learn_flows(Shop(2).rows)
    documents = json.loads(json.dumps(model.to_documents()))
    assert {"_key", "service", "operation", "requires", "support", "confidence", "window"} <= documents[0].keys()
    as_text = [{key: str(value) for key, value in document.items()} for document in documents]
    again = FlowModel.from_documents(as_text)
    assert again.to_documents() == model.to_documents()
    with pytest.raises(DocumentError, match="requires"):
        FlowModel.from_documents([{"operation": "POST /x"}])


MODEL = FlowModel.from_documents(
    [
        {"service": "shop", "operation": CONFIRM, "requires": PAYMENT, "support": 40, "confidence": 0.97}
        | {"window": 300, "linked": "checkout_id"}
    ]
)
MINE, OTHER = ("checkout_id=1",), ("checkout_id=2",)


@pytest.mark.parametrize(
    ("history", "skipped"),
    [
        ([], True),
        ([Step(START, 990), Step(PAYMENT, 995, 200, MINE)], False),
        ([Step(PAYMENT, 995, 200, OTHER)], True),
        ([Step(PAYMENT, 995, 402, MINE)], True),
        ([Step(PAYMENT, 995, 402, MINE), Step(PAYMENT, 996, 200, MINE)], False),
        ([Step(PAYMENT, 990, 200, MINE), Step(ADDRESS, 995, 200, MINE)], False),
        ([Step(PAYMENT, 1000 - 5 * 3600, 200, MINE)], True),
        ([Step(PAYMENT, 1000 - 2 * 3600, 200, MINE)], False),
        ([Step(PAYMENT, 1001, 200, MINE)], True),
        ([Step(PAYMENT, 995, 200)], False),
    ],
    ids=[
        "nothing before",
        "paid",
        "paid another checkout",
        "payment declined",
        "declined, then paid",
        "went back after paying",
        "paid yesterday",
        "paid two hours ago",
        "paid afterwards",
        "payment without an id",
    ],
)
def test_skipped_steps(history: list[Step], skipped: bool) -> None:
    found = MODEL.skipped(history, CONFIRM, 1000.0, service="shop", object_ids=MINE)
    assert (found is not None) is skipped
    if found:
        assert (found.expected, found.operation) == (PAYMENT, CONFIRM)
        assert found.taken == (history[-1].operation if history else "")
        assert "without POST /checkout/{checkout_id}/payment" in found.text
        assert "97 % of 40 principals" in found.text


def test_the_window_binds_steps_that_share_no_object() -> None:
    history = [Step(PAYMENT, 1000 - 400, 200)]
    assert MODEL.skipped(history, CONFIRM, 1000.0) is not None
    assert MODEL.skipped(history, CONFIRM, 890.0) is None
    assert MODEL.skipped([], CONFIRM, 1000.0, service="bank") is None
