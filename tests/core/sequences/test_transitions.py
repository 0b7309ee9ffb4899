"""Interpolated modified Kneser-Ney: a probability, the paper's formula, exact merging, bounded state."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec.errors import DocumentError
from apisec.sequences import transitions as module
from apisec.sequences.transitions import DISCOUNTS, GENERATION_SLOTS, ORDER, OTHER, START, Transitions

NAMES = "abcde"
SESSIONS = st.lists(st.text(alphabet=NAMES, min_size=1, max_size=12), min_size=1, max_size=12)


def learned(sessions: list[str], into: Transitions | None = None) -> Transitions:
    model = Transitions() if into is None else into
    for session in sessions:
        context: tuple[str, ...] = (START,)
        for step in session:
            model.learn(context, model.word(step, 1))
            context = (*context, step)[-ORDER:]
    return model


def contexts(sessions: list[str]) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = {(), ("z",), ("z", "a")}
    for session in sessions:
        for at in range(len(session)):
            full = (START, *session[:at])
            found.update(full[-length:] for length in range(1, ORDER + 1) if length <= len(full))
    return found


@settings(max_examples=40, deadline=None)
@given(SESSIONS)
def test_probabilities_after_any_context_sum_to_one(sessions: list[str]) -> None:
    model = learned(sessions)
    steps = [*sorted(model.operations), "never seen"]
    for context in contexts(sessions):
        shares = [model.probability(context, step) for step in steps]
        assert min(shares) > 0.0
        assert sum(shares) == pytest.approx(1.0)


def by_the_paper(sessions: list[str], context: tuple[str, ...], step: str) -> float:
    """Chen and Goodman's formula from whole tables, with the discounts for few counts."""
    counts: dict[tuple[str, ...], int] = defaultdict(int)
    for session in sessions:
        padded = (START, *session)
        for at in range(1, len(padded)):
            counts[padded[max(0, at - ORDER) : at + 1]] += 1
    tried: dict[int, dict[tuple[str, ...], int]] = {}
    # Of each length: raw counts of what is no suffix of a longer one, else the number of different longer ones.
    for length in range(ORDER + 1, 0, -1):
        level = {gram: times for gram, times in counts.items() if len(gram) == length}
        for gram in tried.get(length + 1, {}):
            level[gram[1:]] = level.get(gram[1:], 0) + 1
        tried[length] = level
    vocabulary = {step for session in sessions for step in session}

    def share(history: tuple[str, ...]) -> float:
        following = {gram[-1]: n for gram, n in tried[len(history) + 1].items() if gram[:-1] == history}
        below = share(history[1:]) if history else 1.0 / (len(vocabulary) + 1)
        if not following:
            return below
        total = sum(following.values())
        taken = [DISCOUNTS[min(n, 3) - 1] for n in following.values()]
        own = following.get(step, 0)
        kept = (own - DISCOUNTS[min(own, 3) - 1]) / total if own else 0.0
        return kept + sum(taken) / total * below

    return share(context)


@settings(max_examples=40, deadline=None)
@given(SESSIONS)
def test_it_is_the_formula_of_chen_and_goodman(sessions: list[str]) -> None:
    model = learned(sessions)
    if any(all(row[1:5]) for row in model._frequencies):
        return  # enough counts for estimated discounts: they are held below
    for context in contexts(sessions):
        for step in "abz":
            assert model.probability(context, step) == pytest.approx(by_the_paper(sessions, context, step))


def test_discounts_are_estimated_from_the_numbers_of_rare_counts() -> None:
    # Chen and Goodman, equation 26, with n1..n4 = 100, 40, 20, 10: Y = 100 / 180.
    one, two, three = module._estimated([0, 100, 40, 20, 10])
    ratio = 100 / 180
    assert (one, two, three) == pytest.approx((1 - 2 * ratio * 0.4, 2 - 3 * ratio * 0.5, 3 - 4 * ratio * 0.5))


@settings(max_examples=40, deadline=None)
@given(SESSIONS, st.data())
def test_models_of_any_split_merge_to_the_model_of_all(sessions: list[str], data: st.DataObject) -> None:
    sides = [data.draw(st.integers(0, 2)) for _ in sessions]
    parts = [learned([one for at, one in enumerate(sessions) if sides[at] == number]) for number in range(3)]
    total = Transitions()
    for part in parts:
        total.merge(Transitions.from_state(json.loads(json.dumps(part.to_state()))))
    whole = learned(sessions)
    assert total.to_state() == whole.to_state()
    assert all(total.probability(one, "a") == whole.probability(one, "a") for one in contexts(sessions))


def test_a_state_read_again_is_the_same_model() -> None:
    model = learned(["abcab", "abd", "abce", "e"])
    again = Transitions.from_state(json.loads(json.dumps(model.to_state())))
    assert again.to_state() == model.to_state()
    assert again.probability(("a", "b"), "c") == model.probability(("a", "b"), "c")


def test_pairs_are_counted_whatever_stood_before() -> None:
    found = learned(["abc", "xbc", "bc"]).pairs()
    assert found == {(START, "a"): 1, (START, "x"): 1, (START, "b"): 1, ("a", "b"): 1, ("x", "b"): 1, ("b", "c"): 3}


def test_the_longest_known_context_says_what_is_expected() -> None:
    model = learned(["abc"] * 9 + ["xbd"] * 8)
    assert model.likeliest((START, "a", "b"))[0] == "c"
    assert model.likeliest((START, "x", "b"))[0] == "d"
    assert model.likeliest(("q", "q", "b"))[0] == "c"  # backs off to what follows b; of equals the first
    assert Transitions().likeliest((START,)) == ("", 0.0)


def test_longer_contexts_are_more_certain_than_shorter_ones() -> None:
    model = learned(["abc"] * 30 + ["xbd"] * 30)
    assert model.probability((START, "a", "b"), "c") > 0.9
    assert model.probability(("b",), "c") < 0.6
    assert model.surprisal((START, "a", "b"), "d") > 4.0


def test_the_number_of_contexts_is_bounded_and_frequent_ones_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_GRAMS", 200)
    model = learned(["abc"] * 50)
    names = [chr(0x3B1 + n) for n in range(24)]
    for one in names:
        for other in names:
            learned([one + other + "c"], model)
    assert len(model) <= 200
    assert model.likeliest((START, "a", "b"))[0] == "c"
    assert sum(model.probability((START, "a"), step) for step in [*model.operations, "?"]) == pytest.approx(1.0)


def test_operations_beyond_the_bound_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_OPERATIONS", 3)
    model = Transitions()
    assert [model.word(step, 1) for step in "abcd"] == ["a", "b", "c", OTHER]
    assert model.known("a") == "a"
    assert model.known("d") == OTHER
    assert model.words((START, "a", "d"), 2) == (START, "a", OTHER)


def test_what_nobody_does_any_more_is_forgotten() -> None:
    model = Transitions()
    model.forget(10 * GENERATION_SLOTS)
    learned(["ab"] * 4 + ["c"], model)
    model.forget(11 * GENERATION_SLOTS)
    assert model.probability((START,), "a") > model.probability((START,), "c")
    assert dict(model._grams) == {(START, "a"): 2, (START, "a", "b"): 2}
    model.forget(11 * GENERATION_SLOTS + 5)
    assert model._grams[(START, "a")] == 2
    model.forget(20 * GENERATION_SLOTS)
    assert len(model) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"n": [[0, 2]]},
        {"n": [[0, 9, 1]]},
        {"n": [[2, 2, 1]]},
        {"n": [[0, 2, -1]]},
        {"n": [[0, 2, 0]]},
        {"n": [[2, 0, 2, 2, 1]]},
        {"n": "abc"},
        {"o": [1]},
        {"o": ["a", "b"], "f": [1]},
        {"g": None},
    ],
)
def test_states_that_are_none_are_refused(change: dict[str, object]) -> None:
    state = {**learned(["a"]).to_state(), **change}
    with pytest.raises(DocumentError):
        Transitions.from_state(state)
    with pytest.raises(DocumentError):
        Transitions.from_state(list(state))


def test_figures_are_the_same_on_every_python() -> None:
    model = learned(["abcabd", "abce", "xbd", "abcab"] * 3)
    assert repr(model.probability(("a", "b", "c"), "a")) == "0.6334666666666666"
    assert repr(model.surprisal((START, "x"), "z")) == "5.50635266602479"
