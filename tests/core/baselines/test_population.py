"""Sums of principals: exact merges, weights nobody exceeds, habits that excuse, and what a single one cannot move."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec.baselines.book import OWN, PEERS, YOUNG, Book
from apisec.baselines.habits import MAX_HABITS, Habit
from apisec.baselines.histograms import GENERATION_SLOTS, UNIT
from apisec.baselines.population import DAY_ROWS, Population, coarse, weight_of
from apisec.errors import DocumentError

START = 1_400 * GENERATION_SLOTS
rows = st.lists(
    st.tuples(
        st.integers(0, 5),  # principal
        st.integers(START, START + 3 * 288),
        st.dictionaries(st.sampled_from(["requests", "bytes"]), st.tuples(*[st.integers(0, 4)] * 3), max_size=2),
        st.integers(1, 288),
    ),
    max_size=30,
)
Row = tuple[int, int, dict[str, tuple[int, int, int]], int]


def learned(given_rows: list[Row]) -> Population:
    population, book = Population("principal"), Book()
    for who, slot, sums, count in given_rows:
        population.learn(f"p{who}", slot, sums, count, book)
    return population


def counted(population: Population) -> dict[str, Any]:
    cells = {
        counter: [dict(cell.sums.recent) for cell in cells] for counter, cells in population.cells.items() if any(cells)
    }
    return {"weight": population.weight, "first": population.first, "cells": cells}


@given(rows, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_any_split_gives_what_one_pass_gives(given_rows: list[Row], rng: random.Random) -> None:
    shards: list[list[Row]] = [[], []]
    for row in given_rows:
        rng.choice(shards).append(row)
    merged = learned(shards[0])
    merged.merge(Population.from_state("principal", json.loads(json.dumps(learned(shards[1]).to_state()))))
    once, both = counted(learned(given_rows)), counted(merged)
    empty: list[dict[int, int]] = [{}, {}, {}]
    assert both["weight"] == once["weight"]
    for counter in {*once["cells"], *both["cells"]}:
        assert both["cells"].get(counter, empty) == once["cells"].get(counter, empty)


def test_nobody_weighs_more_than_an_hour_of_rows_a_day() -> None:
    assert weight_of("a", 7, 1) == weight_of("a", 7, 12) == UNIT
    assert sum(weight_of("a", slot, 20) for slot in range(20)) == DAY_ROWS * UNIT
    for rows in (30, 100, 288):  # a sample of what machines do weighs as much
        for who in ("a", "b", "c"):
            days = [weight_of(who, slot, rows) for slot in range(10 * rows)]
            assert sum(days) == pytest.approx(10 * DAY_ROWS * UNIT, rel=0.12)
            assert days.count(0) > len(days) // 3


def people(days: int, count: int = 60, seed: int = 3) -> Iterator[tuple[str, int, int, int]]:
    """Yield (principal, slot, requests in the hour, rows of the day): visits of some rows, rates that differ."""
    rng = random.Random(seed)
    rates = [rng.gammavariate(2.0, 2.0) for _ in range(count)]
    for day in range(days):
        for who, rate in enumerate(rates):
            begin = START + day * 288 + rng.randrange(270)
            total = 0
            for step in range(rng.randrange(1, 6)):
                total += 1 + round(rng.expovariate(1.0 / rate))
                yield f"p{who}", begin + step, total, step + 1


def town(days: int = 6, extra: int = 0, each: int = 0, slots: int = 288) -> Population:
    """Learn people, and for the last ``extra`` days somebody with ``each`` requests in the hours of ``slots``."""
    population, book = Population("principal"), Book()
    events = [(slot, who, seen, count) for who, slot, seen, count in people(days)]
    for day in range(days - extra, days):
        events += [(START + day * 288 + slot, "odd", each, slot + 1) for slot in range(slots)]
    for slot, who, seen, count in sorted(events):
        population.learn(who, slot, {"requests": (seen, seen, seen)}, count, book)
    return population


def judged(population: Population, seen: float, who: str = "new", day: int = 6) -> tuple[float, float, str]:
    return population.judge("requests", 0, who, START + day * 288, seen, Book())


def test_what_everybody_does_is_ordinary_and_more_is_not() -> None:
    population = town()
    evidence = [judged(population, seen)[0] for seen in (1, 10, 40, 100, 400)]
    assert evidence[0] == 0.0
    assert evidence == sorted(evidence)
    assert evidence[1] < 1.0 < evidence[2]
    assert evidence[4] > 6.0
    assert judged(population, 40)[2] == PEERS
    assert judged(learned([]), 40)[2] == YOUNG


@pytest.mark.parametrize("days", [1, 2, 3])
def test_one_principal_alone_moves_what_is_expected_by_a_tenth_at_most(days: int) -> None:
    calm, poisoned = town(), town(extra=days, each=1000)
    assert judged(poisoned, 40)[1] == pytest.approx(judged(calm, 40)[1], rel=0.1)
    assert judged(poisoned, 100)[0] == pytest.approx(judged(calm, 100)[0], rel=0.25)


def test_a_habit_of_days_excuses_its_own_only() -> None:
    population = town(extra=6, each=300)
    assert population.habits["odd"].established
    evidence, expected, basis = judged(population, 300, "odd")
    assert (evidence, basis) == (0.0, OWN)
    assert expected == pytest.approx(300.0, rel=0.1)
    assert judged(population, 3000, "odd")[0] > 3.0
    assert judged(population, 300)[0] > 5.0, "somebody else"


@pytest.mark.parametrize(
    ("days", "of", "habit"), [(1, 1, False), (2, 2, True), (3, 8, False), (4, 8, False), (5, 8, True)]
)
def test_who_comes_later_has_no_habit_for_five_days(days: int, of: int, habit: bool) -> None:
    population = town(of, extra=days, each=300, slots=60)
    assert population.habits["odd"].established == habit
    if not habit and of > 1:
        assert judged(population, 300, "odd", of)[0] > 5.0


def test_a_machine_has_a_habit_in_two_days_whenever_it_comes() -> None:
    assert not machine(days=1, slots=144).established
    assert machine(days=2, slots=144).established
    assert not machine(days=4, slots=48).established, "who is there for some hours may be somebody slow"


def machine(days: int, slots: int) -> Habit:
    """Return the habit of one that comes later, with 400 requests an hour in so many slots of each day."""
    population, book = town(), Book()
    for day in range(6, 6 + days):
        for part in range(slots):
            population.learn("odd", START + day * 288 + part, {"requests": (400, 400, 400)}, part + 1, book)
    return population.habits["odd"]


def test_hits_on_few_days_are_no_habit() -> None:
    population, book = town(), Book()
    for day in (6, 14):
        for part in range(60):
            population.learn("odd", START + day * 288 + part, {"requests": (300, 300, 300)}, part + 1, book)
    assert not population.habits["odd"].established


def test_a_habit_at_most_doubles_in_a_day() -> None:
    population, book = town(extra=6, each=300), Book()
    expected = []
    for day in range(6, 10):
        for part in range(288):
            seen = 300.0 * 10 ** (day - 5)
            population.learn("odd", START + day * 288 + part, {"requests": (seen, seen, seen)}, 288, book)
        population.habits["odd"].start(START + (day + 1) * 288, 1)
        expected.append(judged(population, 1.0, "odd", day + 1)[1])
    assert expected[0] <= 2.0 * 300.0
    assert all(expected[day] <= 2.0 * expected[day - 1] for day in range(1, len(expected)))
    assert expected[-1] > 350.0, "he is followed, slowly"


def test_an_established_habit_does_not_teach_the_others() -> None:
    population, book = town(extra=6, each=300), Book()
    weight = list(population.weight)
    population.learn("odd", START + 6 * 288, {"requests": (300, 300, 300)}, 288, book)
    assert population.weight == weight


def test_the_table_of_habits_keeps_those_with_the_most_hits() -> None:
    population, book = town(), Book()
    for part in range(200):
        slot = START + 6 * 288 + part
        population.learn("often", slot, {"requests": (500, 500, 500)}, part + 1, book)
        population.learn(f"once{part}", slot, {"requests": (500, 500, 500)}, 1, book)
    assert len(population.habits) == MAX_HABITS
    assert "often" in population.habits


def test_sums_are_forgotten_after_two_generations() -> None:
    population, book = town(), Book()
    population.learn("p1", START + GENERATION_SLOTS, {"requests": (1, 1, 1)}, 1, book)
    assert population.weight[1] > 0
    population.learn("p1", START + 2 * GENERATION_SLOTS, {"requests": (1, 1, 1)}, 1, book)
    assert population.weight == [UNIT, UNIT]
    population.learn("p1", START, {"requests": (1, 1, 1)}, 1, book)
    assert population.weight == [UNIT, UNIT], "what is older than both generations is not learned"
    population.move_to(population.generation + 5)
    assert population.weight == [0, 0]
    assert not population.cells


def test_hostile_counters_are_bounded() -> None:
    population, book = Population("principal"), Book()
    for n in range(200):
        population.learn("p", START, {f"c{n}": (1, 1, 1), "x" * 100: (1, 1, 1)}, 1, book)
    population.learn("p", START, {"requests": (float("nan"), float("inf"), -1.0)}, 1, book)
    assert len(population.cells) <= 40
    assert "x" * 100 not in population.cells


def test_state_is_read_back_with_its_fits() -> None:
    population = town(extra=3, each=300)
    read = Population.from_state("principal", json.loads(json.dumps(population.to_state())))
    assert read.to_state() == population.to_state()
    for seen in (3, 30, 300, 3000):
        assert judged(read, seen) == judged(population, seen)
        assert judged(read, seen, "odd") == judged(population, seen, "odd")


BROKEN: list[Any] = [
    None, {}, {"cells": {"requests": [1, 2]}}, {"cells": {"requests": [[[], [1, -1], 0]] * 3}}, {"weight": [-1, 0]},

    {"cells": {str(n): [[[], [], 0]] * 3 for n in range(99)}}, {"habits": {"p": {}}}, {"habits": {"p": None}},
    {"habits": {"p": {"s": [0] * 9, "d": [], "b": {"1h requests": [0, 1, 1]}, "t": {}, "p": {}}}},
    {"habits": {"p": {"s": [0] * 9, "d": [], "b": {"9h requests": [1, 1, 1]}, "t": {}, "p": {}}}},
    {"habits": {"p": {"s": [0.5] * 9, "d": [], "b": {}, "t": {}, "p": {}}}},
    {"habits": {str(n): {"s": [0] * 9, "d": [], "b": {}, "t": {}, "p": {}} for n in range(99)}},
]  # fmt: skip


@pytest.mark.parametrize("part", BROKEN)
def test_a_broken_state_is_refused(part: Any) -> None:
    whole = {"generation": 1, "first": 0, "fitted": 0, "weight": [0, 0], "cells": {}, "habits": {}}
    with pytest.raises(DocumentError):
        Population.from_state("principal", {**whole, **part} if part else part)


def test_what_hardly_anybody_has_is_not_judged_by_ones() -> None:
    """Three failed accounts are rare where one is, but not a million times rarer."""
    population, book = Population("principal"), Book()
    for n in range(20_000):
        sums = {"accounts_failed": (1, 1, 1)} if n % 500 == 0 else {}
        population.learn(f"p{n}", START + n // 10, sums, 1, book)
    one, three = (population.judge("accounts_failed", 0, "new", START + 2000, seen, Book()).evidence for seen in (1, 3))
    assert one == pytest.approx(2.7, abs=0.3)
    assert one + 1.0 < three < one + 4.0


@given(st.floats(0.0, 1e12))
def test_sums_are_rounded_down_by_a_thirtieth_at_most(seen: float) -> None:
    assert coarse(seen) <= seen <= coarse(seen) * (1.0 + 1.0 / 32.0)
    assert coarse(coarse(seen)) == coarse(seen)
