"""Verdicts on fields: what traffic, a name, the form of values and an override make of one; how noise is held off."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from apisec.classification.classes import BY_NAME
from apisec.classification.evidence import SURE, TEXT_RATE, UNLIKELY, is_chance
from apisec.classification.fields import Verdict, summary, verdicts
from apisec.classification.levels import LEVELS, rank
from apisec.classification.overrides import Overrides
from apisec.endpoints.inventory import Inventory, OperationStats
from apisec.statistics import wilson

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "classification" / "fields.yml").read_text("utf-8"))
OPERATION = "POST /things"
NOBODY = Overrides()
NAMES = sorted(BY_NAME)
VALUES = {"digits": 4_000_123, "text": "see what they wrote there", "email": "ada@example.org"}


def learned(fields: Iterable[Dict[str, Any]], messages: Optional[int] = None) -> OperationStats:
    """An operation whose requests carry fields; of each ``present``, ``classes`` with counts, ``type``, ``holds``."""
    listed = list(fields)
    inventory = Inventory()
    for n in range(messages or max(field["present"] for field in listed)):
        there = [field for field in listed if n < field["present"]]
        event = {
            "time": n,
            "service": "shop",
            "operation": OPERATION,
            "status": 0,
            "request_fields": [entry(field, n) for field in there],
        }
        shown = {field["path"]: VALUES[field["holds"]] for field in there if "holds" in field}
        if shown:
            event["request_body"] = json.dumps(shown)
        inventory.add(event)
    ((_, stats),) = inventory.items()
    return stats


def entry(field: Dict[str, Any], n: int) -> Dict[str, Any]:
    """The field as the ``n``-th event lists it; its nulls come last."""
    kind = "null" if n >= field["present"] - field.get("nulls", 0) else field.get("type", "string")
    made = {"path": field["path"], "in": field.get("in", "body"), "type": kind}
    classes = [name for name, times in field.get("classes", {}).items() if n < times]
    return {**made, "classes": classes} if classes else made


def overrides(*rows: Dict[str, Any]) -> Overrides:
    full = [{"service": "shop", "author": "ada", "reason": "we looked at it", **row} for row in rows]
    return Overrides.parse({"version": 1, "overrides": full}, "test")


def judged(field: Dict[str, Any], said: Overrides = NOBODY) -> Verdict:
    (found,) = verdicts(learned([field]), said, "shop", OPERATION)
    return found


@pytest.mark.parametrize("case", CASES["fields"], ids=lambda case: case["id"])
def test_a_field(case: Dict[str, Any]) -> None:
    said = overrides({"path": case["field"]["path"], "class": case["override"]}) if "override" in case else Overrides()
    row = judged(case["field"], said).row()

    assert {name: row[name] for name in case["verdict"]} == case["verdict"]


@pytest.mark.parametrize("case", CASES["operations"], ids=lambda case: case["id"])
def test_an_operation(case: Dict[str, Any]) -> None:
    stats = learned(case["fields"], case.get("messages"))
    said = overrides(*case.get("overrides", ()))
    row = summary(verdicts(stats, said, "shop", OPERATION), stats).row()

    assert {name: row[name] for name in case["summary"]} == case["summary"]


def answered(status: int, path: str, name: str, where: str = "body") -> OperationStats:
    inventory = Inventory()
    for n in range(SURE):
        field = {"path": path, "in": where, "type": "string", "classes": [name]}
        event = {"time": n, "service": "shop", "operation": OPERATION, "status": status, "response_fields": [field]}
        inventory.add(event)
    ((_, stats),) = inventory.items()
    return stats


def test_a_credential_in_an_answers_body_is_told_and_a_cookie_that_a_login_sets_is_not() -> None:
    told = answered(200, "access_token", "secret.token")
    cookie = answered(200, "sid", "secret.session", "cookie")

    loud, quiet = (summary(verdicts(one, Overrides(), "shop", OPERATION), one) for one in (told, cookie))
    assert ([flag.text for flag in loud.flags], loud.level) == (["credentials in a response"], "restricted")
    assert (quiet.flags, quiet.level) == ((), "internal")


def test_each_status_has_a_verdict_of_its_own() -> None:
    stats = answered(200, "email", "pii.email")
    stats.merge(answered(404, "email", "pii.email"))

    assert [one.message for one in verdicts(stats, Overrides(), "shop", OPERATION)] == ["200", "404"]


def test_bodies_that_could_not_be_read_do_not_make_an_operation_public() -> None:
    inventory = Inventory()
    for n in range(900):
        event = {"time": n, "service": "shop", "operation": OPERATION, "status": 0}
        fields = [{"path": "state", "in": "body", "type": "string"}]
        broken = {"coverage": "undecoded", "coverage_reasons": ["request.body: not JSON"]}
        inventory.add({**event, **({"request_fields": fields} if n < 100 else broken)})
    ((_, stats),) = inventory.items()
    found = verdicts(stats, Overrides(), "shop", OPERATION)

    handled = summary(found, stats)
    assert found[0].level == "public"
    assert (handled.level, handled.sure) == ("internal", False)


def test_an_operation_without_any_field_is_not_public() -> None:
    stats = learned([{"path": "x", "present": 1}])

    assert summary([], stats).level == "internal"


# Noise ----------------------------------------------------------------------------------------------------------------


@given(name=st.sampled_from(NAMES), samples=st.integers(2, 10**7), holds=st.sampled_from(["text", None]))
def test_one_hit_under_a_name_that_says_nothing_is_seen_and_raises_no_level(
    name: str, samples: int, holds: Optional[str]
) -> None:
    found = counted("blob", samples, {name: 1})

    assert found.carried == ()
    assert [one.data_class for one in found.classes] == [name]
    assert rank(found.level) <= rank("internal")


def counted(path: str, samples: int, classes: Dict[str, int]) -> Verdict:
    """A verdict from counts alone, so that millions of samples cost nothing."""
    stats = learned([{"path": path, "present": 1, "holds": "text"}])
    field = stats.request.fields.stats["body", path]
    field.present, field.classes, field.types = samples, dict(classes), {"string": samples}
    (found,) = verdicts(stats, Overrides(), "shop", OPERATION)
    return found


@given(data=st.data(), name=st.sampled_from(NAMES), samples=st.integers(1, 10**6))
def test_more_hits_never_make_less_of_a_class(data: st.DataObject, name: str, samples: int) -> None:
    fewer = data.draw(st.integers(1, samples))
    more = data.draw(st.integers(fewer, samples))
    low, high = (counted("blob", samples, {name: hits}) for hits in (fewer, more))

    assert set(low.carried) <= set(high.carried)
    assert rank(low.level) <= rank(high.level)
    assert low.confidence <= high.confidence + 1e-12


@given(st.integers(1, 10**6), st.data())
def test_more_samples_without_a_class_never_make_more_of_it(samples: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(1, samples))
    more = data.draw(st.integers(samples, 10**7))
    few, many = counted("blob", samples, {"pii.ssn": hits}), counted("blob", more, {"pii.ssn": hits})

    assert set(many.carried) <= set(few.carried)
    assert many.seen or many.carried  # and it is never hidden


@given(st.integers(0, 2000), st.integers(0, 2000))
def test_a_bound_holds_the_share_between_its_ends(hits: int, more: int) -> None:
    samples = hits + more
    low, high = wilson(hits, samples)

    assert 0.0 <= low <= (hits / samples if samples else 0.0) <= high <= 1.0


def test_false_alarms_at_the_assumed_rate_hardly_ever_raise_a_level() -> None:
    chance = random.Random(5)
    raised = 0
    for _ in range(20_000):
        samples = round(10 ** chance.uniform(0, 5))
        hits = sum(chance.random() < TEXT_RATE for _ in range(min(samples, 200)))
        hits += poisson(chance, max(0, samples - 200) * TEXT_RATE)
        raised += not is_chance(min(hits, samples), samples, TEXT_RATE)
    assert raised <= 3  # 20,000 fields at UNLIKELY: a fifth of one is expected


def poisson(chance: random.Random, mean: float) -> int:
    count, passed = 0, chance.expovariate(1.0)
    while passed < mean:
        count += 1
        passed += chance.expovariate(1.0)
    return count


def test_the_rule_is_the_exact_tail() -> None:
    # P(X >= 2) of n at 1e-4 is about (n * 1e-4)^2 / 2: 2e-5 at n = 64.
    assert UNLIKELY == 2e-5
    assert not is_chance(2, 63, TEXT_RATE)
    assert is_chance(2, 65, TEXT_RATE)


@given(
    st.dictionaries(st.sampled_from(NAMES), st.integers(0, 3000), max_size=5),
    st.integers(0, 3000),
    st.integers(0, 3000),
    st.one_of(st.none(), st.sampled_from(["none", "pii.name", "pci.pan"])),
)
def test_any_counts_make_a_verdict(classes: Dict[str, int], present: int, nulls: int, said: Optional[str]) -> None:
    stats = learned([{"path": "card.number", "present": 1}])
    field = stats.request.fields.stats["body", "card.number"]
    field.present, field.classes, field.types = present, classes, {"null": nulls}
    rules = Overrides() if said is None else overrides({"path": "card.number", "class": said})
    found = verdicts(stats, rules, "shop", OPERATION)

    row = found[0].row()
    assert row["level"] in LEVELS
    assert 0.0 <= found[0].confidence <= 1.0
    assert 0 <= found[0].hits <= found[0].samples
    assert json.dumps([row, summary(found, stats).row()])


def test_rows_have_the_same_members() -> None:
    fields: List[Dict[str, Any]] = [
        {"path": "a", "present": 3},
        {"path": "email", "present": 3, "classes": {"pii.email": 3}},
    ]
    rows = [one.row() for one in verdicts(learned(fields), Overrides(), "shop", OPERATION)]

    assert len({tuple(row) for row in rows}) == 1
