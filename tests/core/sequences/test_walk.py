"""What is remembered of one principal: sessions, what stood before, in bounded memory and readable state."""

from __future__ import annotations

import json
import math
import statistics

import pytest

from apisec.activity.row import Step
from apisec.errors import DocumentError
from apisec.sequences import walk as module
from apisec.sequences.steps import Break, Pair
from apisec.sequences.transitions import START
from apisec.sequences.walk import DAY, MAX_BREAKS, MAX_DONE, MAX_OBJECTS, SESSION_PAUSE, Walk

NOW = 1_767_571_200.0


def step(operation: str, after: float = 0.0, *ids: int) -> Step:
    return Step(NOW + after, operation, 200, ids, 0)


def test_a_session_ends_with_a_pause() -> None:
    walk = Walk()
    for after, context in ((0.0, (START,)), (10.0, (START, "a")), (SESSION_PAUSE + 11.0, (START,))):
        assert walk.enter(NOW + after)
        assert walk.context == context
        walk.move("a")
    assert walk.length == 1


def test_repeating_a_step_is_no_longer_path() -> None:
    walk = Walk()
    assert [walk.move("a") for _ in range(5)] == [True, True, False, False, False]
    assert (walk.length, walk.context) == (2, (START, "a", "a"))
    assert walk.move("b")


def test_sessions_that_took_the_same_steps_have_the_same_trace() -> None:
    traces = []
    for steps in ("abc", "abc", "acb", "abcc", "ab"):
        walk = Walk()
        walk.enter(NOW)
        for one in steps:
            walk.move(one)
        traces.append(walk.trace)
    assert traces[0] == traces[1]
    assert len(set(traces)) == 4


def test_pauses_are_summed_up_with_mean_and_variance() -> None:
    walk = Walk()
    for after in (0.0, 60.0, 180.0, 240.0):
        walk.enter(NOW + after - 5.0)
        walk.enter(NOW + after)
        beat = walk.beat("POST /a", NOW + after)
    pauses = [math.log(pause + 0.05) for pause in (60.0, 120.0, 60.0)]
    assert beat.times == 4
    assert beat.between == pytest.approx((statistics.fmean(pauses), statistics.pvariance(pauses)))
    assert beat.before == pytest.approx((math.log(5.05), 0.0))


def test_steps_out_of_order_are_told_apart() -> None:
    walk = Walk()
    walk.enter(NOW)
    assert walk.enter(NOW - 30.0), "clocks differ"
    assert not walk.enter(NOW - 300.0)
    assert walk.last == NOW


def test_what_stood_before_counts_once_without_an_object_and_always_with_one() -> None:
    walk = Walk()
    walk.note(step("POST /a"))
    walk.note(step("POST /b", 5.0, 7))
    assert walk.before(step("POST /d", 10.0, 7), 3600.0, 60.0) == {
        Pair("POST /a", False): 10.0,
        Pair("POST /b", False): 5.0,
        Pair("POST /b", True): 5.0,
    }
    walk.look(step("POST /d", 10.0, 7), {})
    assert set(walk.before(step("POST /d", 500.0, 7), 3600.0, 60.0)) == {Pair("POST /b", True)}
    assert not walk.before(step("POST /d", 500.0, 8), 3600.0, 60.0)
    assert Pair("POST /a", False) in walk.before(step("POST /d", 40.0), 3600.0, 60.0), "sent twice"


def test_a_step_is_about_what_its_request_names_and_of_that_what_is_youngest() -> None:
    walk = Walk()
    walk.note(step("POST /customers", 0.0, 0, 5))
    walk.note(step("POST /orders", 9.0, 5, 0, 7, 8))
    assert walk.thing(step("POST /pay", 20.0, 5, 7)) == 7
    assert walk.thing(step("POST /pay", 20.0, 5, 99)) == 5, "what was never seen says less"
    assert walk.thing(step("POST /pay", 20.0, 99)) == 99
    assert walk.thing(step("POST /reviews", 20.0, 0, 7)) == 0, "given by the answer"
    assert set(walk.before(step("POST /pay", 20.0, 8), 1.0, 1.0)) == {Pair("POST /orders", True)}


def test_memory_is_bounded_and_keeps_the_newest() -> None:
    walk = Walk()
    for number in range(1000):
        walk.note(step(f"POST /{number}", float(number), number, number + 1))
        walk.look(step(f"POST /{number}", float(number)), {Pair("POST /a", False): 1.0})
        walk.broke(Break(NOW + number, "POST /d", Pair("POST /a", False), 0))
        walk.beat(f"POST /{number}", NOW + number)
    assert (len(walk.done), len(walk.objects), len(walk.breaks)) == (MAX_DONE, MAX_OBJECTS, MAX_BREAKS)
    assert "POST /999" in walk.done
    assert 1000 in walk.objects
    assert len(walk.looks) == module.MAX_LOOKS
    assert len(walk.beats) == module.MAX_BEATS
    assert len(json.dumps(walk.to_state())) < 60_000


def test_the_old_is_forgotten() -> None:
    walk = Walk()
    walk.note(step("POST /a", 0.0, 7))
    walk.look(step("POST /a"), {})
    walk.broke(Break(NOW, "POST /d", Pair("POST /a", False), 0))
    walk.beat("POST /a", NOW)
    walk.forget(int((NOW + DAY / 2) // 300))
    assert walk.done
    assert walk.objects
    walk.forget(int((NOW + 2 * DAY) // 300))
    assert not walk.done
    assert not walk.objects
    assert walk.breaks
    walk.forget(int((NOW + 9 * DAY) // 300))
    assert (walk.breaks, walk.looks, walk.beats) == ([], {}, {})


def full(seed: int = 0) -> Walk:
    walk = Walk()
    for number in range(5):
        one = step(f"POST /{(seed + number) % 7}", seed * 10.0 + number, number)
        walk.enter(one.time)
        walk.move(one.operation)
        walk.look(one, walk.before(one, 3600.0, 60.0))
        walk.note(one)
        walk.beat(one.operation, one.time)
        walk.may_teach(one.time, 100)
        walk.highest.append(1.5)
    walk.broke(Break(NOW + 4.0, "POST /4", Pair("POST /9", True), 3))
    walk.teaches("POST /4", walk.looks["POST /4"])
    return walk


def test_a_state_read_again_is_the_same() -> None:
    walk = full()
    again = Walk.from_state(json.loads(json.dumps(walk.to_state())))
    assert again.to_state() == walk.to_state()
    assert (again.done, again.objects, again.looks, again.breaks) == (walk.done, walk.objects, walk.looks, walk.breaks)


def test_two_engines_memories_of_one_principal_come_together() -> None:
    one, other = full(), full(3)
    one.merge(other)
    assert set(one.done) == {f"POST /{number}" for number in range(7)}
    assert one.context == other.context
    assert set(one.beats) == set(one.done)
    assert one.trace == other.trace != 0
    assert one.last == other.last


@pytest.mark.parametrize(
    "change", [{"v": 9}, {"c": [99]}, {"w": 1}, {"d": [[0]]}, {"t": [1]}, {"e": [[1, 2]]}, {"o": [[]]}, {"b": [[1]]}]
)
def test_states_that_are_none_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(DocumentError, match="walk"):
        Walk.from_state({**full().to_state(), **change})
