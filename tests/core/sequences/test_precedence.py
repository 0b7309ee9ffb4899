"""Mined rules: those that were put into the traffic are found, nothing else is, and attackers do not undo them."""

from __future__ import annotations

import json
import random
from typing import Dict

import pytest

from apisec.activity.hashing import value_hash32
from apisec.activity.row import Step
from apisec.errors import DocumentError
from apisec.sequences.counts import gap_class, gap_quantile
from apisec.sequences.following import ELSEWHERE, Moment, Order, follow, teach
from apisec.sequences.precedence import GENERATION_SLOTS, Precedence
from apisec.sequences.walk import Walk
from apisec.statistics import upper_bound
from tests.core.sequences.shop import CART, CONFIRM, DAY, HOUR, NOTE, PAY, START, Shop, Taken


def study(taken: list[Taken], order: Order | None = None, walks: dict[str, Walk] | None = None) -> Order:
    order = Order.new() if order is None else order
    walks = {} if walks is None else walks
    for who, step in sorted(taken, key=lambda one: one[1].time):
        walk = walks.setdefault(who, Walk())
        teach(order, walk, who, follow(order, walk, step, int(step.time // 300)))
        order.precedence.ripen(step.time, lambda _: False)
    order.precedence.mined_at = -1
    order.precedence.mine(12)
    return order


def number(who: str) -> int:
    return value_hash32(who)


def found(order: Order) -> set[tuple[str, str, bool]]:
    return {(rule.operation, rule.requires, rule.pair.linked) for rule in order.precedence.all_rules()}


@pytest.mark.parametrize("linked", [True, False])
def test_the_order_of_the_checkout_is_found_and_nothing_else(linked: bool) -> None:
    order = study(Shop(linked=linked).days(0, 8))
    assert found(order) == {(PAY, CART, linked), (CONFIRM, PAY, linked)}
    assert order.precedence.steps == {CART, PAY, CONFIRM}


def test_the_bound_is_that_of_clopper_and_pearson_over_days_of_principals() -> None:
    shop = Shop()
    taken = shop.days(0, 8)
    taken += [one for who in ("x", "y") for one in shop.buy(who, START + 20 * HOUR, leave_out=[PAY])]
    rule = study(taken).precedence.rules(CONFIRM)[0]
    assert rule.broken == 2
    assert rule.bound == upper_bound(2, rule.days, 0.95)
    people = {who for who, step in taken if step.operation == CONFIRM}
    assert len(people) <= rule.days <= 3 * len(people), "nobody teaches more than three days"


def test_one_busy_principal_does_not_outvote_the_others() -> None:
    shop = Shop()
    taken = shop.days(0, 6)
    for number in range(600):
        taken += shop.buy("attacker", START + 2 * DAY + number * 100, leave_out=[PAY], pause=1.0)
    rule = study(taken).precedence.rules(CONFIRM)[0]
    assert rule.broken <= 3
    assert rule.bound < 0.06


def test_too_few_principals_make_no_rule() -> None:
    assert not found(study(Shop(people=7).days(0, 13)))
    assert found(study(Shop(people=9).days(0, 13)))


def test_a_step_before_everything_says_nothing() -> None:
    shop = Shop(linked=False)
    taken = shop.days(0, 6)
    firsts: dict[tuple[str, int], float] = {}
    for who, step in taken:
        firsts.setdefault((who, int(step.time // DAY)), step.time)
    taken += [(who, Step(time - 5, "POST /login", 200, (), 0)) for (who, _), time in firsts.items()]
    assert not any(required == "POST /login" for _, required, _ in found(study(taken)))


def test_a_failed_step_fulfils_nothing() -> None:
    shop = Shop()
    order = Order.new()
    walks: Dict[str, Walk] = {}
    study(shop.days(0, 6), order, walks)
    moments = steps_of(order, walks, "new", [(CART, 200), (PAY, 402), (CONFIRM, 200)])
    assert [rule.rule.requires for rule in moments[-1].broken] == [PAY]
    moments = steps_of(order, walks, "other", [(CART, 200), (PAY, 402), (PAY, 200), (CONFIRM, 200)])
    assert not moments[-1].broken


def steps_of(
    order: Order, walks: dict[str, Walk], who: str, steps: list[tuple[str, int]], at: float = START + 7 * DAY
) -> list[Moment]:
    walk = walks.setdefault(who, Walk())
    follow(order, walk, Step(at - HOUR, NOTE, 200, (), 0), int(at // 300))  # it was there before
    things = (number(who),)
    return [
        follow(order, walk, Step(at + 30 * number, operation, status, things, 0), int(at // 300))
        for number, (operation, status) in enumerate(steps)
    ]


def test_another_object_fulfils_nothing() -> None:
    order = Order.new()
    walks: Dict[str, Walk] = {}
    study(Shop().days(0, 6), order, walks)
    assert not steps_of(order, walks, "new", [(CART, 200), (PAY, 200)])[-1].broken
    walk, at = walks["new"], START + 7 * DAY + 300
    broken = follow(order, walk, Step(at, CONFIRM, 200, (123,), 0), 1).broken
    assert [one.rule.requires for one in broken] == [PAY]
    assert not follow(order, walk, Step(at + 1, CONFIRM, 200, (number("new"),), 0), 1).broken


def test_the_customers_id_in_every_answer_links_nothing() -> None:
    """Each step names the customer beside the cart; what was paid for another cart does not pay for this one."""
    order = Order.new()
    walks: Dict[str, Walk] = {}
    taken = [(who, step._replace(ids=(*step.ids, number(who)) if step.ids else ())) for who, step in Shop().days(0, 6)]
    study(taken, order, walks)
    assert (CONFIRM, PAY, True) in found(order)
    walk, at, owner = Walk(), START + 7 * DAY, 77
    steps = [(CART, 1001), (PAY, 1001), (CONFIRM, 1001), (CART, 1002), (CONFIRM, 1002)]
    moments = [
        follow(order, walk, Step(at + 30 * n, operation, 200, (owner, cart), 0), 1)
        for n, (operation, cart) in enumerate(steps)
    ]
    assert [len(moment.broken) for moment in moments] == [0, 0, 0, 0, 1]


def test_many_who_break_a_rule_again_and_again_do_not_unteach_it() -> None:
    shop = Shop()
    order = Order.new()
    walks: Dict[str, Walk] = {}
    study(shop.days(0, 4), order, walks)
    for day in range(4, 8):
        attacks = [
            one
            for number in range(25)
            for times in range(6)
            for one in shop.buy(f"account {number}", START + day * DAY + 9 * HOUR + times * 300, leave_out=[PAY])
        ]
        study([*shop.days(day, day + 1), *attacks], order, walks)
    rule = next(rule for rule in order.precedence.rules(CONFIRM) if rule.requires == PAY)
    assert rule.broken <= 25, "each of them once"
    assert rule.rate < 0.15


def test_when_most_break_it_there_is_no_rule_any_more() -> None:
    """The payment moved to another service: the order changes for everybody."""
    shop = Shop(people=25)
    order = Order.new()
    walks: Dict[str, Walk] = {}
    study(shop.days(0, 4), order, walks)
    assert (CONFIRM, PAY, True) in found(order)
    study([one for one in shop.days(4, 30) if one[1].operation != PAY], order, walks)
    assert CONFIRM not in {operation for operation, required, _ in found(order) if required == PAY}


def test_who_breaks_a_rule_teaches_a_day_later_and_not_when_accused_by_then() -> None:
    for accused, broken in ((frozenset({"thief"}), 0), (frozenset(), 1)):
        order = study(Shop().days(0, 6))
        walks: Dict[str, Walk] = {}
        for who, step in Shop(seed=3).buy("thief", START + 7 * DAY, leave_out=[PAY]):
            walk = walks.setdefault(who, Walk())
            teach(order, walk, who, follow(order, walk, step, 0))
        assert len(order.precedence.waiting) == 1
        again = Precedence.from_state(json.loads(json.dumps(order.precedence.to_state())))
        days = again.total().targets[CONFIRM].days
        again.ripen(START + 7 * DAY + HOUR, lambda _: False)
        assert again.total().targets[CONFIRM].days == days, "too early"
        again.ripen(START + 9 * DAY, accused.__contains__)
        assert again.total().targets[CONFIRM].days == days + broken
        assert not again.waiting


def test_a_step_that_arrives_late_excuses_what_it_was_missed_for() -> None:
    order = Order.new()
    walks: Dict[str, Walk] = {}
    study(Shop().days(0, 6), order, walks)
    moments = steps_of(order, walks, "new", [(CART, 200), (CONFIRM, 200), ("GET /products", 200)])
    walk, things = walks["new"], (number("new"),)
    assert len(moments[1].broken) == len(walk.breaks) == 1
    time = moments[1].step.time
    follow(order, walk, Step(time + 3600, NOTE, 200, (), 0), 1)
    late = follow(order, walk, Step(time - 10, PAY, 200, things, 0), 1)
    assert late.late
    assert not walk.breaks


def test_who_was_not_seen_before_is_accused_of_little() -> None:
    order = Order.new()
    walks: Dict[str, Walk] = {}
    study(Shop().days(0, 6), order, walks)
    at = START + 7 * DAY
    moment = follow(order, Walk(), Step(at, CONFIRM, 200, (5,), 0), int(at // 300))
    assert moment.broken[0].covered == 0.0
    assert steps_of(order, walks, "seen for an hour", [(CONFIRM, 200)])[-1].broken[0].covered == ELSEWHERE


def test_parts_of_the_principals_merge_to_the_whole() -> None:
    taken = Shop(people=30).days(0, 5)
    whole = study(taken)
    parts = [study([one for one in taken if number(one[0]) % 3 == side]) for side in range(3)]
    total = Precedence()
    for part in parts:
        total.merge(Precedence.from_state(json.loads(json.dumps(part.precedence.to_state()))))
    total.mine(12)
    assert total.all_rules() == whole.precedence.all_rules()
    assert total.to_state()["n"] == whole.precedence.to_state()["n"]


def test_a_state_read_again_holds_the_same_rules() -> None:
    precedence = study(Shop().days(0, 6)).precedence
    again = Precedence.from_state(json.loads(json.dumps(precedence.to_state())))
    assert again.to_state() == precedence.to_state()
    assert again.steps == precedence.steps
    rule, other = precedence.rules(PAY)[0], again.rules(PAY)[0]
    assert (rule.pair, rule.days, rule.window) == (other.pair, other.days, other.window)


def test_rules_live_for_two_generations() -> None:
    precedence = study(Shop().days(0, 6)).precedence
    first = 100 * GENERATION_SLOTS
    precedence.forget(first)
    for slot, rules in ((first + GENERATION_SLOTS, 2), (first + 2 * GENERATION_SLOTS, 0)):
        precedence.forget(slot)
        precedence.mined_at = -1
        precedence.mine(12)
        assert len(precedence.all_rules()) == rules


@pytest.mark.parametrize("change", [{"v": 0}, {"n": {}}, {"r": [[1]]}, {"b": {"m": -1, "a": {}, "t": {}}}, {"g": "x"}])
def test_states_that_are_none_are_refused(change: dict[str, object]) -> None:
    state = {**Precedence().to_state(), **change}
    with pytest.raises(DocumentError, match="precedence"):
        Precedence.from_state(state)


def test_a_quantile_of_gaps_is_never_too_low() -> None:
    chance = random.Random(3)
    gaps = [chance.expovariate(1 / 40) for _ in range(500)]
    classes = [0] * 21
    for gap in gaps:
        classes[gap_class(gap)] += 1
    exact = sorted(gaps)[475]
    assert exact <= gap_quantile(classes, 0.95) <= 2 * exact + 1
