"""Step skipping and flow automation through the engine: attacks are found with what was expected, the rest is quiet."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from apisec.abuse.base import Observation
from apisec.abuse.engine import Engine
from apisec.abuse.flow_automation import FlowAutomation
from apisec.abuse.model import Models
from apisec.abuse.step_skipping import StepSkipping
from apisec.activity.row import Step
from tests.core.sequences.shop import CART, CONFIRM, DAY, HOUR, PAY, START, VOUCHER, Client, Shop, Taken, windows

DAYS = 5
LATER = START + DAYS * DAY + 10 * HOUR


def engine(documents: Any, watched: list[Observation] | None = None) -> Engine:
    families = (StepSkipping(), FlowAutomation())  # untrained models: features are decades
    return Engine(documents, families=families, models=Models(), watch=None if watched is None else watched.append)


@pytest.fixture(scope="module")
def learned() -> Any:
    """The state after five ordinary days, as a store keeps it."""
    made = engine({})
    run(made, Shop(people=50).days(0, DAYS))
    return json.loads(json.dumps(made.documents(dirty_only=False)))


def run(made: Engine, taken: Iterable[Taken], kind: str = "jwt", clients: Mapping[str, Client] = {}) -> list[Any]:
    found = []
    for end, rows in windows(sorted(taken, key=lambda one: one[1].time), kind=kind, clients=clients):
        found += made.advance(rows, end)
        made.saved()
    return found


def observed(
    documents: Any, taken: Iterable[Taken], kind: str = "jwt", clients: Mapping[str, Client] = {}
) -> list[Observation]:
    watched: list[Observation] = []
    run(engine(documents, watched), taken, kind, clients)
    return watched


def skipping(shop: Shop, who: str, times: int, leave_out: str = PAY, every: float = 200.0) -> list[Taken]:
    """Somebody who was there an hour before, and then leaves a step out again and again."""
    taken = list(shop.buy(who, LATER - HOUR))
    for number in range(times):
        taken += shop.buy(who, LATER + number * every, leave_out=[leave_out])
    return taken


def test_ordinary_days_are_quiet(learned: Any) -> None:
    assert [one for one in observed(learned, Shop(people=50, seed=2).days(DAYS, DAYS + 1)) if one.score >= 54.0] == []


def test_who_leaves_a_step_out_is_told_what_was_expected(learned: Any) -> None:
    leave_out, at = PAY, CONFIRM
    found = [one for one in observed(learned, skipping(Shop(seed=3), "thief", 12, leave_out)) if one.principal]
    assert {one.family for one in found} >= {"step_skipping"}
    last = [one for one in found if one.family == "step_skipping"][-1]
    assert (last.operation, last.principal, last.seen) == (at, "thief", 12.0)
    assert last.score > 80.0
    assert last.features["broken"] > 1.0
    assert last.features["repeated"] > 2.0
    assert f"did {at}" in last.reasons[0]
    assert f"without {leave_out} for the same object, 12 times in seven days" in last.reasons[0]
    assert last.evidence["required"] == leave_out
    assert last.expected < 1.0 < last.seen
    assert last.examples


def test_who_goes_on_with_what_others_began_is_below_a_finding(learned: Any) -> None:
    found = observed(learned, skipping(Shop(seed=3), "desk", 12, CART))
    assert 0.0 < max(one.score for one in found if one.family == "step_skipping") < 72.0


def test_one_skipped_step_says_as_much_as_it_is_rare(learned: Any) -> None:
    found = [one for one in observed(learned, skipping(Shop(seed=3), "thief", 1)) if one.family == "step_skipping"]
    assert len(found) == 1
    assert found[0].features["broken"] == pytest.approx(-math.log10(found[0].evidence["rate"]), abs=1e-3)
    assert "repeated" not in found[0].features


def test_many_who_skip_once_are_one_observation_of_the_operation(learned: Any) -> None:
    shop = Shop(seed=4)
    taken = [one for n in range(12) for one in skipping(shop, f"account {n}", 1)]
    found = [one for one in observed(learned, taken) if one.entity == "operation"]
    together = [one for one in found if one.family == "step_skipping"]
    assert {one.operation for one in together} == {CONFIRM}
    assert set(together[-1].members) == {f"account {n}" for n in range(12)}
    assert together[-1].score > 90.0


def test_a_young_services_principals_are_compared_with_one_another() -> None:
    """The first five minutes of a service: fifteen keep the order, and one leaves the payment out."""
    shop, noon = Shop(seed=10), START + 12 * HOUR
    taken = [one for n in range(15) for one in shop.buy(f"person {n}", noon + 5 * n, pause=8.0)]
    for number in range(9):
        taken += shop.buy("thief", noon + 20 + 15 * number, leave_out=[PAY], pause=3.0)
    found = [one for one in observed({}, taken) if one.family == "step_skipping" and one.principal]
    assert {(one.principal, one.operation) for one in found} == {("thief", CONFIRM)}
    assert found[-1].score >= 90.0
    assert found[-1].evidence["days"] == 15
    assert found[-1].evidence["covered"] == 1.0
    others = [step for step in taken if step[0] != "thief"]
    assert [one for one in observed({}, others) if one.score >= 36.0] == []


def test_fewer_than_that_say_nothing() -> None:
    shop, noon = Shop(seed=10), START + 12 * HOUR
    taken = [one for n in range(6) for one in shop.buy(f"person {n}", noon + 5 * n, pause=8.0)]
    taken += [one for n in range(9) for one in shop.buy("thief", noon + 15 * n, leave_out=[PAY], pause=3.0)]
    assert [one for one in observed({}, taken) if one.family == "step_skipping"] == []


def test_who_is_several_people_has_no_sequence(learned: Any) -> None:
    found = observed(learned, skipping(Shop(seed=3), "an address", 12), kind="anonymous")
    assert [one for one in found if one.family == "step_skipping"] == []
    assert max((one.score for one in found), default=0.0) < 72.0


def test_a_refused_step_is_not_skipped_to(learned: Any) -> None:
    taken = skipping(Shop(seed=3), "thief", 12)
    refused = [(who, step._replace(status=409) if step.operation == CONFIRM else step) for who, step in taken]
    assert [one for one in observed(learned, refused) if one.family == "step_skipping"] == []


def scripted(shop: Shop, who: str, times: int, every: float) -> list[Taken]:
    return [one for n in range(times) for one in shop.buy(who, LATER + n * every, pause=1.0)]


def test_a_script_that_does_nothing_but_the_flow_is_found(learned: Any) -> None:
    found = [one for one in observed(learned, scripted(Shop(seed=5), "bot", 40, 60.0)) if one.principal]
    assert {one.family for one in found} == {"flow_automation"}
    assert found[-1].score > 90.0
    assert found[-1].operation == CONFIRM
    assert found[-1].features["alone"] > 1.0
    assert found[-1].evidence["other_steps"] == 0
    assert any(f"other steps beside 40 times {CONFIRM}" in reason for reason in found[-1].reasons)


def test_many_accounts_that_do_only_the_flow_are_one_observation(learned: Any) -> None:
    shop = Shop(seed=6)
    taken = [one for n in range(20) for one in scripted(shop, f"account {n}", 4, 400.0 + n)]
    together = [one for one in observed(learned, taken) if one.entity == "operation" and one.score > 70.0]
    assert together
    assert {one.family for one in together} == {"flow_automation"}
    assert max(len(one.members) for one in together if one.operation == CONFIRM) == 20


def test_a_timer_that_takes_days_is_found(learned: Any) -> None:
    """One step an hour, as a timer does it: no pace, few flows a day, and nothing else."""
    shop, taken = Shop(seed=11), []
    for number in range(20):
        at = LATER + 3 * 3600.0 * number
        ids = shop.cart()
        for step, operation in enumerate((CART, PAY, CONFIRM)):
            taken.append(
                ("timer", Step(at + 3600.0 * (step + shop.chance.uniform(-0.03, 0.03)), operation, 200, ids, 0))
            )
    found = observed(learned, taken)
    assert found[-1].features["regular"] > 1.0
    assert any("pauses are more alike" in reason for reason in found[-1].reasons)
    assert found[-1].score > 70.0


def test_seats_that_are_held_and_never_paid_for_are_found(learned: Any) -> None:
    taken = [("hoarder", Step(LATER + 20.0 * n, CART, 200, (), 0)) for n in range(60)]
    found = [one for one in observed(learned, taken) if one.principal and one.family == "flow_automation"]
    assert found[-1].operation == CART
    assert found[-1].score >= 90.0


def test_vouchers_that_are_tried_are_found(learned: Any) -> None:
    taken = [("guesser", Step(LATER + 7.0 * n, VOUCHER, 200 if n == 70 else 404, (), 0)) for n in range(80)]
    found = [one for one in observed(learned, taken) if one.principal and one.family == "flow_automation"]
    assert found[-1].operation == VOUCHER
    assert found[-1].features["tries"] > 2.0
    assert found[-1].score >= 90.0


def test_accounts_that_were_made_for_it_and_do_one_thing_each_are_one_crowd(learned: Any) -> None:
    """Nobody does it twice: the same steps, by one tool, from one network, by accounts that nobody knew yesterday."""
    taken: list[Taken] = []
    for n in range(24):
        at = LATER + 90.0 * n
        taken.append((f"made {n}", Step(at, "GET /me", 200, (), 0)))
        taken.append((f"made {n}", Step(at + 2.0, VOUCHER, 200, (), 0)))
    tool = {f"made {n}": (f"203.0.113.{n}", "harvest/1.0") for n in range(24)}
    found = [one for one in observed(learned, taken, clients=tool) if one.entity == "operation"]
    assert found[-1].operation == VOUCHER
    assert found[-1].score >= 90.0
    assert set(found[-1].members) == set(tool)
    alike = [one for one in observed(learned, taken) if one.entity == "operation"]
    assert max((one.score for one in alike), default=0.0) < 90.0, "from everywhere: a link that was passed on"


@pytest.mark.parametrize("kind", ["jwt", "api_key"])
def test_a_new_partner_that_orders_by_program_all_day_is_no_finding(learned: Any, kind: str) -> None:
    """Dozens of orders a day at a machine's pace, with the readings that an integration has beside them."""
    shop, taken = Shop(seed=13), []
    for n in range(120):
        at = LATER + 700.0 * n * shop.chance.uniform(0.9, 1.1)
        taken += [("partner", Step(at + 0.4 * step, "GET /orders", 200, (), 0)) for step in range(7)]
        taken += shop.buy("partner", at + 3.0, pause=0.5)
    found = observed(learned, taken, kind, {"partner": ("203.0.113.9", "integration/2.1")})
    assert max((one.score for one in found if one.family == "flow_automation"), default=0.0) < 90.0


def test_devices_that_do_nothing_but_report_are_what_they_are_for(learned: Any) -> None:
    """A rollout: from one day on eight of them send a reading every half an hour, and after a day a ninth."""
    taken, devices = [], [f"device {number}" for number in range(9)]
    for number, who in enumerate(devices):
        times = range(72) if number < 8 else range(50, 72)
        taken += [(who, Step(LATER + 60.0 * number + 1800.0 * n, "POST /readings", 201, (), 0)) for n in times]
    found = observed(learned, taken, clients=dict.fromkeys(devices, ("203.0.113.9", "meter/2.1")))
    assert max((one.score for one in found), default=0.0) < 72.0
    assert max((one.features.get("alone", 0.0) for one in found), default=0.0) < 1.0


def test_a_monitor_of_a_week_is_a_habit(learned: Any) -> None:
    """A check every half an hour, and two looks at one's account, for ten days."""
    taken: list[Taken] = []
    for n in range(480):
        at = LATER + 1800.0 * n
        taken.append(("monitor", Step(at, "POST /probes", 200, (), 0)))
        taken += [("monitor", Step(at + 2.0 + look, "GET /me", 200, (), 0)) for look in range(2)]
    found = [one for one in observed(learned, taken) if one.family == "flow_automation"]
    assert max(one.score for one in found) < 90.0
    assert max(one.features.get("alone", 0.0) for one in found if one.first < LATER + 6 * DAY) > 0.0
    assert not any(one.features.get("alone") for one in found if one.first > LATER + 8.5 * DAY)


def test_what_is_called_a_reading_is_no_flow(learned: Any) -> None:
    taken = [("partner", Step(LATER + 20.0 * n, "POST /api/thread.get", 200, (n,), 0)) for n in range(400)]
    assert not [one for one in observed(learned, taken, "api_key") if one.family == "flow_automation"]


def test_a_day_of_good_business_is_no_automation(learned: Any) -> None:
    """Three times as many people who look around as ever."""
    found = observed(learned, Shop(people=150, seed=7).days(DAYS, DAYS + 1))
    assert max((one.score for one in found if one.family == "flow_automation"), default=0.0) < 72.0


def test_attackers_in_open_campaigns_teach_nothing(learned: Any) -> None:
    made = engine(learned)
    before = _rule(made)
    run(made, skipping(Shop(seed=3), "thief", 60))
    run(made, Shop(people=50, seed=2).days(DAYS + 1, DAYS + 2))
    after = _rule(made)
    assert after["days"] > before["days"]
    assert after["broken"] <= 1


def _rule(made: Engine) -> dict[str, int]:
    document = next(one for one in made.documents(dirty_only=False)["profiles"] if one["scope"] == "service")
    counts = document["parts"]["precedence"]["n"]["t"][CONFIRM]
    began, lost = next((pair[2], pair[3]) for pair in counts["p"] if pair[0] == PAY and pair[1])
    return {"days": counts["d"], "broken": counts["d"] - began + lost}


def test_a_restart_changes_nothing(learned: Any) -> None:
    """State is saved and read between any two windows with the same result."""
    taken = [*Shop(people=8, seed=8).days(DAYS, DAYS + 1), *skipping(Shop(seed=9), "thief", 6)]
    through = run(engine(learned), taken)
    documents, pieces = learned, []
    for end, rows in windows(sorted(taken, key=lambda one: one[1].time)):
        made = engine(documents)
        pieces += made.advance(rows, end)
        documents = json.loads(json.dumps(made.documents(dirty_only=False)))
    assert json.dumps(pieces) == json.dumps(through)
