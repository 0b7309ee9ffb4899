"""The model of order by itself: judged sessions, explained paths, parts that merge."""

from __future__ import annotations

import json

import pytest

from apisec.activity.row import Step
from apisec.errors import DocumentError
from apisec.sequences.model import SequenceModel
from tests.core.sequences.shop import CART, CONFIRM, DAY, PAY, START, Shop

LATER = START + 9 * DAY


def steps_by_principal(days: int = 6) -> dict[str, list[Step]]:
    found: dict[str, list[Step]] = {}
    for who, step in Shop().days(0, days):
        found.setdefault(who, []).append(step)
    return found


@pytest.fixture(scope="module")
def model() -> SequenceModel:
    made = SequenceModel()
    for who, steps in steps_by_principal().items():
        made.learn("shop", who, steps)
    made.mine()
    return made


def session(*operations: str) -> list[Step]:
    return [
        Step(LATER + 20 * n, operation, 200, (7,) if "cart" in operation else (), 0)
        for n, operation in enumerate(operations)
    ]


def test_an_ordinary_session_is_no_finding_and_a_skipped_step_is(model: SequenceModel) -> None:
    ordinary = model.judge("shop", session("GET /products", "GET /search", CART, PAY, CONFIRM))
    assert ordinary is not None
    assert ordinary.rule is None
    assert ordinary.p_value > 0.01
    found = model.judge("shop", session("GET /products", "GET /search", CART, CONFIRM))
    assert found is not None
    assert found.rule is not None
    assert (found.taken, found.after, found.expected, found.rule.requires) == (CONFIRM, CART, PAY, PAY)
    assert found.p_value < ordinary.p_value
    assert found.share > 0.5
    assert len(found.reasons) == 2
    assert f"do {PAY}; this went to {CONFIRM}" in found.reasons[1]


def test_of_an_unknown_service_or_no_steps_nothing_is_said(model: SequenceModel) -> None:
    assert model.judge("other", session(CART)) is None
    assert model.judge("shop", []) is None


def test_a_path_stands_beside_what_was_expected(model: SequenceModel) -> None:
    path = model.explain("shop", session(CART, CONFIRM))
    assert [one.expected for one in path][1] == PAY
    assert [len(one.broken) for one in path] == [0, 1]
    assert path[1].bits > 4.0


def test_judging_changes_nothing(model: SequenceModel) -> None:
    before = model.to_documents()
    model.judge("shop", session(CART, "POST /never/seen", CONFIRM))
    model.explain("shop", session("POST /never/seen"))
    assert model.to_documents() == before


def test_parts_by_principal_merge_to_the_whole(model: SequenceModel) -> None:
    parts = [SequenceModel() for _ in range(3)]
    for number, (who, steps) in enumerate(sorted(steps_by_principal().items())):
        parts[number % 3].learn("shop", who, steps)
    total = SequenceModel()
    for part in parts:
        total.merge(SequenceModel.from_documents(json.loads(json.dumps(part.to_documents()))))
    total.mine()
    [merged], [whole] = total.to_documents(), model.to_documents()
    # Surprise is measured against what was known when a session ran, so it is not compared.
    assert (merged["transitions"], merged["precedence"]) == (whole["transitions"], whole["precedence"])
    assert total.order("shop").surprise.counted(8) > 0


@pytest.mark.parametrize("change", [{"version": 2}, {"service": 1}, {"transitions": None}, {"surprise": {}}])
def test_documents_that_are_none_are_refused(model: SequenceModel, change: dict[str, object]) -> None:
    with pytest.raises(DocumentError):
        SequenceModel.from_documents([{**model.to_documents()[0], **change}])
