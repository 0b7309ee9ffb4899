"""What a model's p-values are worth is found from ordinary judgements, also where the model is wrong."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from apisec.baselines.book import PEERS, Book
from apisec.baselines.calibration import LAST_BIN, PRIOR_CURVE, Calibration, Curve, fit_curve, straight
from apisec.baselines.histograms import UNIT
from apisec.errors import DocumentError

KEY = ("principal", "requests", 0, PEERS)


def seen_by(model: float, count: int, seed: int = 1) -> tuple[Calibration, int]:
    """Return ordinary judgements of a model whose decades are ``model`` times too many."""
    rng = random.Random(seed)
    calibration = Calibration()
    for n in range(count):
        calibration.add(model * rng.expovariate(2.302585092994046), UNIT, f"p{n % 500}")
    return calibration, count * UNIT


def curve_of(calibration: Calibration, total: int, prior: Curve = PRIOR_CURVE) -> Curve:
    return fit_curve(calibration.robust(), total, 0, prior)


@pytest.mark.parametrize("model", [1.0, 1.5, 2.5])
def test_a_model_that_is_too_sure_is_told_what_it_is_worth(model: float) -> None:
    curve = curve_of(*seen_by(model, 40_000))
    for true in (1.0, 2.0, 3.0):
        assert curve.decades(model * true) == pytest.approx(true, abs=0.3), "a factor of 2"
    # Nothing was seen there: the slope goes on.
    assert curve.decades(model * 6.0) == pytest.approx(6.0, abs=1.3)
    assert curve.decades(model * 30.0) > curve.decades(model * 20.0)


def test_where_nothing_is_known_the_prior_speaks() -> None:
    curve = curve_of(Calibration(), 0)
    assert curve.decades(4.0) == pytest.approx(3.0)
    assert curve.decades(40.0) == pytest.approx(30.0)
    other = curve_of(Calibration(), 0, straight(0.45))
    assert other.decades(10.0) == pytest.approx(4.5)


def test_one_principal_alone_does_not_blind() -> None:
    calibration, total = seen_by(1.0, 5_000)
    honest = curve_of(calibration, total).decades(6.0)
    for _ in range(300):
        calibration.add(6.5, UNIT, "attacker")
    assert curve_of(calibration, total + 300 * UNIT).decades(6.0) == pytest.approx(honest, abs=0.1)
    for _ in range(300):
        calibration.add(6.5, UNIT, "another")
    assert curve_of(calibration, total + 600 * UNIT).decades(6.0) < honest - 1.0, "two are a sign of the times"


def test_a_curve_never_falls() -> None:
    curve = curve_of(*seen_by(1.3, 3_000))
    steps = [curve.decades(evidence / 7.0) for evidence in range(7 * LAST_BIN // 10 + 20)]
    assert steps == sorted(steps)
    assert steps[0] == 0.0


def test_state_is_read_back_and_broken_ones_are_refused() -> None:
    book = Book()
    book.move_to(7)
    for n in range(100):
        book.cell(KEY).add(n / 20.0, UNIT, f"p{n}")
        book.count(("principal", 0, PEERS), UNIT)
    state = json.loads(json.dumps(book.to_state()))
    assert Book.from_state(state).to_state() == state
    broken: list[Any] = [
        {**state, "cells": {"principal|1h|peers": []}},
        {**state, "cells": {"principal|1h|peers|requests": [[], {str(n): [1, 1] for n in range(99)}]}},
        {**state, "cells": {"principal|1h|nobody|requests": [[], {}]}},
        {**state, "totals": {"principal|1h|peers": [-1, 0]}},
        {**state, "typical": {"1h|requests": [1.0, -1.0, 5.0]}},
        {}, None,
    ]  # fmt: skip
    for one in broken:
        with pytest.raises(DocumentError):
            Book.from_state(one)


def test_books_merge_and_forget() -> None:
    one, other = Book(), Book()
    for book, principal in ((one, "a"), (other, "b")):
        book.move_to(7)
        book.count(("principal", 0, PEERS), UNIT)
        book.cell(KEY).add(3.5, UNIT, principal)
    one.merge(other)
    assert one.total(("principal", 0, PEERS)) == 2 * UNIT
    assert one.cell(KEY).evidences.recent == {35: 2 * UNIT}
    one.move_to(8)
    assert one.total(("principal", 0, PEERS)) == 2 * UNIT
    one.move_to(9)
    assert one.total(("principal", 0, PEERS)) == 0
    assert not one.cells
