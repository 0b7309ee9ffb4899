"""Since when something is done in one way: a week is a habit, whatever changed since begins anew."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec.abuse.flow_manners import MAX_OPERATIONS, Manners
from apisec.errors import DocumentError

DAY = 288  # slots
BEGIN = 1_000 * DAY
CHECK, ORDER = 11, 12  # operations


def daily(*beside: float) -> Manners:
    """Somebody with so many steps beside each time, day by day."""
    made = Manners()
    for day, steps in enumerate(beside):
        made.note(BEGIN + day * DAY, CHECK, steps)
    return made


@pytest.mark.parametrize(
    ("beside", "habit"),
    [
        ((0.0,) * 8, True),
        ((0.0,) * 7, False),
        ((0.05, 0.01, 0.09, 0.0, 0.001, 0.0, 0.0, 0.0), True),  # next to nothing is next to nothing
        ((2.0, 1.5, 3.0, 2.0, 4.0, 2.0, 1.0, 2.0), True),
        ((2.0, 2.0, 2.0, 2.0, 2.0, 0.1, 0.1, 0.1), False),  # a customer who hands it over to a script
        ((0.0, 0.0, 0.0, 9.0, 0.0, 0.0, 0.0, 0.0), False),
    ],
)
def test_what_is_done_in_one_way_for_a_week_is_a_habit(beside: tuple[float, ...], habit: bool) -> None:
    assert daily(*beside).is_habit(BEGIN + (len(beside) - 1) * DAY, CHECK) is habit


def test_of_another_operation_and_of_the_accused_nothing_is_a_habit() -> None:
    made = daily(*(0.0,) * 9)
    now = BEGIN + 8 * DAY
    assert not made.is_habit(now, ORDER)
    made.begin_anew(CHECK)
    assert not made.is_habit(now, CHECK)


Notes = list[tuple[int, int, float]]  # slot, operation, steps beside
_NOTES = st.lists(st.tuples(st.integers(0, 40 * DAY), st.integers(0, 60), st.floats(0.0, 100.0)), max_size=90)


@given(_NOTES, _NOTES)
def test_states_are_bounded_and_read_again(
    notes: list[tuple[int, int, float]], more: list[tuple[int, int, float]]
) -> None:
    one, other = Manners(), Manners()
    for made, all_of in ((one, notes), (other, more)):
        for slot, operation, beside in sorted(all_of):
            made.note(slot, operation, beside)
    one.merge(other)
    state = json.loads(json.dumps(one.to_state()))
    assert len(state) <= MAX_OPERATIONS
    assert Manners.from_state(state).to_state() == state


@pytest.mark.parametrize("state", [None, [], {"x": [1, 2]}, {"1": [1]}, {"1": [-1, 2.0]}])
def test_states_that_are_none_are_refused(state: object) -> None:
    with pytest.raises(DocumentError):
        Manners.from_state(state)
