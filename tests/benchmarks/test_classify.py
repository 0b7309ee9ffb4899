"""The judge of verdicts: it tells right from false and missed, and the samples that it makes are what it says."""

from __future__ import annotations

import pytest

from benchmarks.classifying.fields import KINDS, Field, Sample, by_class, judge, made, score
from benchmarks.classifying.logs import KINDS as LOGS
from benchmarks.classifying.logs import Lines

MAIL = Sample("ada@example.org", ("pii.email",))
NOTHING = Sample("hello", ())


def judged(field: Field) -> Field:
    judge([field], 0.0, 1)
    return field


def test_a_class_that_is_there_and_told_is_right() -> None:
    one = judged(Field("named", ("contact", "mail"), [MAIL] * 5))

    assert one.planted == {"pii.email": 5}
    assert score([one], "carried")["named"].row() == {
        "right": 1, "false": 0, "missed": 0, "precision": 1.0, "recall": 1.0,
    }  # fmt: skip


def test_a_class_that_is_told_and_not_there_is_false() -> None:
    lied = judged(Field("harmless", ("contact",), [Sample("ada@example.org", ())] * 5))

    assert score([lied], "carried")["harmless"].false == 1
    assert by_class([lied])["pii.email"].false == 1


def test_a_class_that_is_there_and_not_told_is_missed() -> None:
    blind = judged(Field("unnamed", ("data",), [Sample("hello", ("pci.pan",))] * 5))

    assert score([blind], "carried")["unnamed"].missed == 1


def test_once_in_a_field_is_to_be_seen_and_not_to_be_carried() -> None:
    one = judged(Field("text", ("data",), [MAIL, *[NOTHING] * 200]))

    assert score([one], "carried")["text"].row()["missed"] == 0
    assert (score([one], "carried")["text"].right, score([one], "shown")["text"].right) == (0, 1)


def test_false_detections_are_mixed_in() -> None:
    field = Field("unnamed", ("data",), [NOTHING] * 30)
    judge([field], 1.0, 1)

    assert field.verdict is not None
    assert sum(one.hits for one in field.verdict.classes) == 30


def test_fields_come_of_every_kind_and_the_same_for_the_same_seed() -> None:
    first, again = (list(made(3, 2, 4)) for _ in range(2))

    assert {one.kind for one in first} == set(KINDS)
    assert [one.samples for one in first] == [one.samples for one in again]
    assert all(not one.planted for one in first if one.kind in ("harmless", "digits"))


@pytest.mark.parametrize("kind", LOGS)
def test_some_lines_carry_personal_data(kind: str) -> None:
    texts = [text for _, text in Lines().records(200, kind)]

    personal = [text for text in texts if "example.org" in text.replace("%40", "@") or "4111" in text]
    assert 5 < len(personal) < 50
