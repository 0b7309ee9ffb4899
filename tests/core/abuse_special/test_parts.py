"""What the families remember: chances, queues, and parts that are JSON, bounded, mergeable and refuse what is not."""

from __future__ import annotations

import json
import math
from typing import Any, List, Type

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec.abuse.base import SLOTS_PER_DAY
from apisec.abuse.clients import Change, Credentials, Seen
from apisec.abuse.habits import Habits
from apisec.abuse.machines import Machines
from apisec.abuse.machines import take as take_clients
from apisec.abuse.object_shares import ObjectShares
from apisec.abuse.ownership import Owners, OwnerShares
from apisec.abuse.provenance import MAX_ISSUED, MAX_SAMPLE, PUBLIC, Holders, Provenance
from apisec.abuse.rarity import MOST_OF_ONE, Population, Queue, beginning, correlated_tail
from apisec.abuse.roles import MAX_WAITING, Roles
from apisec.abuse.shapes import Changes, Fields
from apisec.abuse.uses import Place
from apisec.activity import ClientKey, ClientUse, OperationActivity, Row, value_hash32
from apisec.errors import DocumentError

SLOT = 100 * SLOTS_PER_DAY
PARTS: List[Type[Any]] = [
    Provenance, Holders, ObjectShares, OwnerShares, Owners, Habits, Roles, Credentials, Machines, Fields, Changes,
]  # fmt: skip


@pytest.mark.parametrize("count", [7, 400, 3_000])
def test_the_principals_of_a_day_are_estimated_where_a_sample_is_kept(count: int) -> None:
    """Many a little each is judged against all who were there, not against those that were remembered."""
    shares = ObjectShares()
    for index in range(count):
        shares.measure(100, f"user{index}", "jwt", {"unissued": (0.0, 1.0)})
    assert shares.active(100) == pytest.approx(count, rel=0.35)
    assert shares.active(99) == 0


def brute_tail(hits: int, trials: int, mean: float, correlation: float) -> float:
    """Sum the beta-binomial's probabilities by their definition."""
    spread = (1 - correlation) / correlation
    a, b = mean * spread, (1 - mean) * spread

    def log_beta(x: float, y: float) -> float:
        return math.lgamma(x) + math.lgamma(y) - math.lgamma(x + y)

    return sum(
        math.comb(trials, k) * math.exp(log_beta(k + a, trials - k + b) - log_beta(a, b))
        for k in range(hits, trials + 1)
    )


@given(
    st.integers(1, 60), st.integers(0, 60), st.sampled_from([0.001, 0.02, 0.3, 0.9]), st.sampled_from([0.05, 0.3, 0.9])
)
@settings(max_examples=60, deadline=None)
def test_the_tail_is_the_sum_of_its_probabilities(trials: int, hits: int, mean: float, correlation: float) -> None:
    hits = min(hits, trials)
    exact = brute_tail(hits, trials, mean, correlation)
    assert correlated_tail(hits, trials, mean, correlation) == pytest.approx(exact, rel=1e-8)


def test_more_is_rarer_and_spread_makes_it_less_telling() -> None:
    tails = [correlated_tail(k, 30, 0.01, 0.2) for k in range(31)]
    assert tails == sorted(tails, reverse=True)
    assert correlated_tail(10, 10, 0.01, 0.9) > 100 * correlated_tail(10, 10, 0.01, 0.05)


def test_a_population_learns_how_much_its_principals_differ() -> None:
    alike, apart = Population(), Population()
    for index in range(400):
        alike.add(1.0, 10.0)
        apart.add(10.0 if index % 10 == 0 else 0.0, 10.0)
    assert alike.mean == pytest.approx(apart.mean)
    assert alike.correlation < 0.1
    assert apart.correlation > 0.85
    assert alike.tail(10, 10) < 1e-5 < 0.05 < apart.tail(10, 10)


def test_nobody_alone_moves_a_population_much() -> None:
    """Of one principal's day counts no more than MOST_OF_ONE trials, and half a year of it is told apart by days."""
    some = Population()
    for _ in range(200):
        some.add(0.0, 10.0)
    before = some.mean
    some.add(100_000.0, 100_000.0)
    assert some.mean <= before + MOST_OF_ONE / 2_000.0


def test_a_known_habit_is_expected_to_go_on() -> None:
    some = Population()
    for _ in range(200):
        some.add(0.0, 10.0)
    assert some.tail(10, 10) < 1e-4
    assert some.tail(10, 10, own_hits=30, own_trials=30) > 0.5


def test_beginnings_are_never_impossible() -> None:
    assert 0 < beginning(0, 1e6, 1e-4, 100.0) < 1e-4 < beginning(0, 0, 1e-4, 100.0) * 1.01
    assert beginning(50, 100, 1e-4, 1.0) == pytest.approx(0.495, abs=0.01)


def test_a_queue_lets_suspects_go_and_forgets_the_oldest() -> None:
    queue = Queue(16)
    for index in range(20):
        queue.add(SLOT + index, f"p{index % 2}", index)
    assert len(queue.waiting) <= 16
    assert not list(queue.ripe(SLOT, lambda who: False))
    learned = list(queue.ripe(SLOT + SLOTS_PER_DAY + 30, lambda who: who == "p1"))
    assert learned
    assert all(one[1] == "p0" for one in learned)
    assert not queue.waiting


def row_with(issued: range, asked: range, slot: int = SLOT) -> Row:
    row = Row("shop", "ann", slot)
    row.add_issued({value_hash32(str(one)) for one in issued}, 5)
    row.kind = "jwt"
    operation = row.operations.setdefault("GET /orders/{id}", OperationActivity())
    for one in asked:
        operation.objects[value_hash32(str(one))] = 10
    operation.requests = len(asked)
    operation.statuses[200] = len(asked)
    return row


def take(provenance: Provenance, row: Row) -> Any:
    used = row.operations["GET /orders/{id}"]
    new = provenance.take(row, 7, used, Holders(), 1)
    provenance.give(row)
    return new


def test_what_was_issued_before_is_no_guess_and_an_object_counts_once() -> None:
    provenance = Provenance()
    assert take(provenance, row_with(range(10), range(5))).unissued == 0
    later = take(provenance, row_with(range(0), range(14), SLOT + 300))
    assert (later.objects, later.unissued) == (9, 4)
    assert take(provenance, row_with(range(0), range(14), SLOT + 301)).objects == 0


def test_what_is_issued_later_in_the_row_was_a_guess() -> None:
    row = row_with(range(0), range(3))
    row.issued.update(dict.fromkeys(row.operations["GET /orders/{id}"].objects, 200))
    assert take(Provenance(), row).unissued == 3


def test_memories_of_ids_are_bounded_and_less_sure_for_it() -> None:
    provenance = Provenance()
    for step in range(8):
        provenance.give(row_with(range(step * 900, step * 900 + 900), range(0), SLOT + step * SLOTS_PER_DAY))
    assert len(provenance.issued) <= MAX_ISSUED
    assert 0.3 < provenance.sure < 1.0
    assert provenance.issued[value_hash32(str(7 * 900))] == SLOT // SLOTS_PER_DAY + 7
    provenance.forget(SLOT + 60 * SLOTS_PER_DAY)
    assert not provenance.issued
    assert provenance.sure == 1.0


def test_what_many_hold_is_public_and_the_sample_is_bounded() -> None:
    holders = Holders()
    for who in range(PUBLIC + 2):
        holders.hold([11], who, 1)
    holders.hold([12], 1, 1)
    assert holders.judge([11, 12], [11, 12], 99) == (2, [1], 1)
    assert holders.judge([12], [12], 1) == (1, [], 0)  # its own
    holders.hold([value_hash32(str(one)) for one in range(3 * MAX_SAMPLE)], 5, 1)
    assert len(holders.to_state()["held"]) <= MAX_SAMPLE


def test_own_owner_is_the_one_that_is_shown_most() -> None:
    owners = Owners()
    for slot in range(5):
        row = Row("shop", "ann", SLOT + slot)
        row.owners = {"customer": {1: 4}}
        owners.take(row)
    row = Row("shop", "ann", SLOT + SLOTS_PER_DAY)
    row.owners = {"customer": {1: 1, 2: 3, 3: 2}}
    owners.take(row)
    assert owners.today(SLOT // SLOTS_PER_DAY + 1) == {"customer": (5.0, 6.0)}


def test_of_very_many_a_fair_share_waits_and_counts_for_all() -> None:
    roles = Roles()
    roles.meet(5, "GET /orders", SLOT)
    for index in range(3_000):
        roles.wait(SLOT, f"p{index}", 5, [], [Place(1, 2)])
    assert len(roles.to_state()["waiting"]) <= MAX_WAITING
    roles.learn(SLOT + SLOTS_PER_DAY, lambda who: False, SLOTS_PER_DAY)
    use = roles.use(5)
    assert use is not None
    assert use.adopters == pytest.approx(3_000, rel=0.25)
    assert roles.principals == use.adopters


def test_pairs_do_not_depend_on_the_order_that_a_store_keeps() -> None:
    roles = Roles()
    for operation in (9, 5, 7):
        roles.meet(operation, f"GET /{operation}", SLOT)
    roles.wait(SLOT, "ann", 9, [], [])
    roles.wait(SLOT, "ann", 5, [9], [])
    roles.learn(SLOT + SLOTS_PER_DAY, lambda who: False, SLOTS_PER_DAY)
    again = Roles.from_state(json.loads(json.dumps(roles.to_state(), sort_keys=True)))
    assert (again.together(5, 9), again.together(5, 7), again.together(7, 9)) == (1, 0, 0)


def filled(kind: Type[Any]) -> Any:
    """Return a part that remembers something."""
    part = kind()
    if kind is Provenance:
        take(part, row_with(range(30), range(20, 40)))
    elif kind is Holders:
        part.hold([1, 2, 3], 9, 100)
    elif kind in (ObjectShares, OwnerShares):
        for index in range(5):
            part.measure(SLOT // SLOTS_PER_DAY - 3, f"p{index}", "jwt", {"unissued": (1.0, 4.0)})
        part.learn(SLOT, lambda who: False)
        part.measure(SLOT // SLOTS_PER_DAY, "p1", "jwt", {"unissued": (0.0, 2.0)})
    elif kind is Owners:
        row = Row("shop", "ann", SLOT)
        row.owners = {"customer": {1: 4, 2: 1}}
        part.take(row)
    elif kind is Habits:
        part.take(5, 2, 0, SLOT)
        part.take(6, 0, 3, SLOT)
    elif kind is Roles:
        part.meet(5, "GET /orders", SLOT)
        part.rows = 12.0
        part.wait(SLOT, "ann", 5, [6, 7], [Place(1, 2)])
        part.refuse(SLOT, "bob", [9], 3)
        part.refused.remember([9, 10], 3, SLOT)
        part.take_up(5, "ann", SLOT)
        part.doubt("eve", SLOT)
    elif kind is Credentials:
        use = ClientUse(3, 0, 10.0, 20.0)
        for agent in ("curl", "Firefox"):
            take_clients(part, Machines(), 4, [(ClientKey("n", agent, "j"), use)], 1)
        part.learning.append([SLOT, 2])
    elif kind is Machines:
        part.expose("jwt")
        part.machine(5, 6)
        change = Change(Seen(1, 2, 3, 1.0, 2.0, 4, 6), Seen(1, 5, 6, 1.0, 2.0, 4), True, False, 2)
        part.wait(SLOT - 2 * SLOTS_PER_DAY, "bob", "jwt", change)
        part.wait(SLOT, "ann", "jwt", change)
    elif kind is Fields:
        part.learn_row(SLOT, "ann", 1, ["body.a"], at_once=True)
        part.ripen(SLOT, lambda who: False)
        part.learn_row(SLOT, "bob", 2, ["body.b"], at_once=False)
    else:
        part.rows, part.sudden = 10.0, 2.0
    return part


@pytest.mark.parametrize("kind", PARTS, ids=lambda kind: kind.name)
def test_state_is_json_and_comes_back(kind: Type[Any]) -> None:
    part = filled(kind)
    state = json.loads(json.dumps(part.to_state()))
    assert state
    assert json.loads(json.dumps(kind.from_state(state).to_state())) == state
    merged = kind.from_state(state)
    merged.merge(kind())
    assert json.loads(json.dumps(merged.to_state())) == state
    empty = kind()
    empty.merge(kind.from_state(state))
    kind.from_state(json.loads(json.dumps(empty.to_state())))
    empty.forget(SLOT + 400 * SLOTS_PER_DAY)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("kind", PARTS, ids=lambda kind: kind.name)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_damaged_state_is_refused_and_nothing_else(kind: Type[Any], data: st.DataObject) -> None:
    """Any member of a true state replaced by anything: read, or refused with DocumentError."""
    state = json.loads(json.dumps(filled(kind).to_state()))
    holder, key = state, None
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            break
        key = data.draw(st.sampled_from(keys))
        below = holder[key]
        if not isinstance(below, (dict, list)) or not below or data.draw(st.booleans()):
            break
        holder = below
    if key is not None:
        holder[key] = data.draw(JSON)
    try:
        kind.from_state(state).to_state()
    except DocumentError:
        return
    try:
        kind.from_state(data.draw(JSON))
    except DocumentError:
        return
