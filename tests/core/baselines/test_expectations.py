"""Expectations from the outside: calibrated on people they have not seen, saved and read, merged, hostile documents."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict, deque
from typing import Any

import pytest

from apisec.baselines.expectations import MAX_STATE, Expectations
from apisec.errors import DocumentError

START = 20_160 * 288  # a slot
HOURS = (12, 288, 2016)


class Town:
    """People of one service who come in visits; rates differ by person, and some are far busier than others."""

    def __init__(self, seed: int, people: int = 250) -> None:
        self.rng = random.Random(seed)
        self.rates = [self.rng.lognormvariate(1.0, 0.8) for _ in range(people)]
        self.past: dict[int, deque[tuple[int, int]]] = defaultdict(deque)

    def day(self, day: int) -> list[tuple[int, str, tuple[float, float, float], int]]:
        """Return (slot, principal, sums, rows in a day) in order of slot."""
        visits = []
        for who, rate in enumerate(self.rates):
            for _ in range(self.rng.choice((0, 1, 1, 2))):
                begin = START + day * 288 + self.rng.randrange(288)
                visits += [(begin + step, who, 1 + self._poisson(rate)) for step in range(self.rng.randrange(1, 4))]
        rows = []
        for slot, who, count in sorted(visits):
            past = self.past[who]
            past.append((slot, count))
            while past[0][0] <= slot - HOURS[-1]:
                past.popleft()
            sums = tuple(float(sum(n for at, n in past if at > slot - length)) for length in HOURS)
            rows.append((slot, f"p{who}", (sums[0], sums[1], sums[2]), sum(at > slot - 288 for at, _ in past)))
        return rows

    def _poisson(self, mean: float) -> int:
        count, left = 0, self.rng.expovariate(1.0)
        while left < mean:
            count, left = count + 1, left + self.rng.expovariate(1.0)
        return count


def learn(expectations: Expectations, town: Town, days: range, service: str = "shop") -> None:
    for day in days:
        for slot, who, sums, rows in town.day(day):
            expectations.learn_sums("principal", (service, who), slot, {"requests": sums}, rows)
            expectations.learn_sums("principal@operation", (service, "GET /a", who), slot, {"requests": sums}, rows)


@pytest.fixture(scope="module")
def town() -> Town:
    return Town(1)


@pytest.fixture(scope="module")
def learned(town: Town) -> Expectations:
    expectations = Expectations()
    learn(expectations, town, range(14))
    return expectations


def test_p_values_are_what_they_say_in_the_weeks_to_come(town: Town, learned: Expectations) -> None:
    exceeded, judged = Counter[int](), 0
    for day in range(14, 28):
        for slot, who, sums, _ in town.day(day):
            judged += 1
            p = learned.tail("requests", "principal", ("shop", who), "1h", slot, sums[0]).p
            exceeded.update(decade for decade in (1, 2, 3) if p <= 10.0**-decade)
    for decade in (1, 2, 3):
        nominal = judged * 10.0**-decade
        assert nominal / 3.0 - 3 <= exceeded[decade] <= nominal * 3.0 + 3, (decade, exceeded, judged)


def test_far_out_is_far_out(learned: Expectations) -> None:
    slot = START + 14 * 288
    tails = [learned.tail("requests", "principal", ("shop", "new"), "1h", slot, seen) for seen in (1, 20, 60, 300)]
    assert tails[0].p == 1.0
    assert tails[1].p > 1e-3
    assert tails[3].p < 1e-5 < tails[1].p
    assert [one.p for one in tails] == sorted((one.p for one in tails), reverse=True)
    assert 2.0 < tails[0].expected < 12.0
    assert tails[0].basis == "peers"


def test_a_new_operation_is_judged_as_the_typical_one_of_its_service() -> None:
    expectations = Expectations()
    for name, rate in (("GET /a", 200.0), ("GET /b", 300.0), ("GET /c", 250.0), ("GET /d", 280.0)):
        rng = random.Random(name)
        for n in range(400):
            seen = round(rng.gammavariate(4.0, rate / 4.0))
            key = ("shop", name, f"p{n % 80}")
            expectations.learn_sums("principal@operation", key, START + n, {"requests": (seen, seen, seen)}, 1)
    slot = START + 400
    new = expectations.tail("requests", "principal@operation", ("shop", "GET /new", "p"), "1h", slot, 300.0)
    elsewhere = expectations.tail("requests", "principal@operation", ("bank", "GET /new", "p"), "1h", slot, 300.0)
    assert 150.0 < new.expected < 350.0
    assert new.p > 0.1
    assert elsewhere.expected == 10.0, "the prior"


def test_totals_are_told_by_scope_and_share() -> None:
    expectations, rng = Expectations(), random.Random(4)
    for part in range(9 * 288):
        values = {"requests": rng.randrange(20), "failures": rng.randrange(2)}
        expectations.learn_total("operation", ("shop", "GET /a"), START + part, values)
    slot = START + 9 * 288 - 1
    key = ("shop", "GET /a")
    assert expectations.tail("requests", "operation", key, "1h", slot, 120).p > 0.05
    flood = expectations.tail("requests", "operation", key, "1h", slot, 5000)
    assert flood.p < 1e-4
    assert flood.basis == "operation"
    many = expectations.tail("failures", "operation", key, "1h", slot, 60)
    shared = expectations.tail("failures", "operation", key, "1h", slot, 60, per=1200)
    assert many.p < 1e-2 < shared.p
    assert expectations.tail("requests", "service", ("shop",), "1h", slot, 5000).p == 1.0, "nothing is known"


def test_documents_are_read_back_and_only_changed_ones_saved(learned: Expectations) -> None:
    documents = json.loads(json.dumps(learned.to_documents()))
    assert len(learned.to_documents(dirty_only=True)) == len(documents), "until they are saved"
    learned.saved()
    assert learned.to_documents(dirty_only=True) == []
    read = Expectations.from_documents(documents)
    assert read.to_documents(dirty_only=True) == []
    assert read.to_documents() == documents
    slot = START + 14 * 288
    for seen in (5, 50, 500):
        one = learned.tail("requests", "principal@operation", ("shop", "GET /a", "p1"), "1d", slot, seen)
        other = read.tail("requests", "principal@operation", ("shop", "GET /a", "p1"), "1d", slot, seen)
        assert other.expected == one.expected
        assert other.p == pytest.approx(one.p, rel=0.5), "curves are made anew from what was learned since"
    read.learn_sums("principal", ("shop", "p1"), slot, {"requests": (1, 1, 1)}, 1)
    assert {document["_key"] for document in read.to_documents(dirty_only=True)} == {
        "principals|principal|shop",
        "calibration|service|shop",
    }


def test_documents_stay_small() -> None:
    expectations, rng = Expectations(), random.Random(7)
    for n in range(2_500):
        sums = {f"c{kind}": (rng.lognormvariate(3, 3), 1e3, 1e5) for kind in range(12)}
        slot = START + n
        expectations.learn_sums("principal@operation", ("shop", "GET /a", f"p{n % 90}"), slot, sums, 3)
    sizes = [len(document["state"]) for document in expectations.to_documents() if document["kind"] == "principals"]
    assert max(sizes) <= MAX_STATE


def test_what_is_not_learned_any_more_is_given_up() -> None:
    expectations = Expectations()
    for service, slot in (("old", START), ("shop", START + 2 * 4032)):
        expectations.learn_sums("principal", (service, "p"), slot, {"requests": (1, 1, 1)}, 1)
        expectations.learn_total("service", (service,), slot, {"requests": 1})
    expectations.forget(START + 2 * 4032)
    assert expectations.gone() == ["calibration|service|old", "principals|principal|old", "total|service|old"]
    assert {document["service"] for document in expectations.to_documents()} == {"shop"}
    expectations.saved()
    assert expectations.gone() == []


def test_a_damaged_document_does_not_take_the_others_with_it(learned: Expectations) -> None:
    documents = learned.to_documents()
    documents[1] = {**documents[1], "state": "{"}
    damaged: list[str] = []
    read = Expectations.from_documents(documents, damaged)
    assert len(read.to_documents()) == len(documents) - 1
    assert damaged == [f"{documents[1]['_key']}: expectations: the state is not JSON"]


def test_shards_merge() -> None:
    one, left, right = Expectations(), Expectations(), Expectations()
    for slot, who, sums, rows in Town(3, 60).day(0):
        part = left if int(who[1:]) % 2 else right
        for expectations in (one, part):
            expectations.learn_sums("principal", ("shop", who), slot, {"requests": sums}, rows)
            expectations.learn_total("service", ("shop",), slot, {"requests": 1})
    left.merge(Expectations.from_documents(right.to_documents()))
    merged, once = left.to_documents(), one.to_documents()
    assert [document["_key"] for document in merged] == [document["_key"] for document in once]
    for number, mine in enumerate(merged):
        theirs = once[number]
        state, expected = json.loads(mine["state"]), json.loads(theirs["state"])
        if mine["kind"] == "total":
            assert state == expected
        if mine["kind"] == "principals":
            assert state["weight"] == expected["weight"]
            assert [cell[0] for cell in state["cells"]["requests"]] == [
                cell[0] for cell in expected["cells"]["requests"]
            ]


def test_wrong_questions_are_refused() -> None:
    with pytest.raises(KeyError, match="parts"):
        Expectations().tail("requests", "principal", ("shop",), "1h", START, 1.0)
    with pytest.raises(KeyError):
        Expectations().tail("requests", "everybody", ("shop",), "1h", START, 1.0)
    with pytest.raises(KeyError):
        Expectations().tail("requests", "service", ("shop",), "1y", START, 1.0)


@pytest.mark.parametrize("seen", [float("nan"), float("inf"), -5.0, 1e300])
@pytest.mark.parametrize("counter", ["requests", "bytes"])
def test_hostile_sums_are_judged(learned: Expectations, counter: str, seen: float) -> None:
    slot = START + 14 * 288
    tail = learned.tail(counter, "principal", ("shop", "x"), "1h", slot, seen)
    assert (tail.p < 1e-6) if seen > 0 else (tail.p == 1.0)
    assert 0.0 < learned.tail(counter, "service", ("shop",), "1h", slot, seen).p <= 1.0


GOOD = Expectations()
GOOD.learn_total("service", ("shop",), START, {"requests": 1})


@pytest.mark.parametrize(
    "change",
    [
        {"version": 99}, {"kind": "other"}, {"scope": "principal"}, {"service": None}, {"state": "{"}, {"state": None},
        {"state": "[]"}, {"state": "[" * 100_000}, {"kind": "principals"}, {"operation": 7}, {"operation": "GET /a"},
    ],
)  # fmt: skip
def test_a_broken_document_is_refused(change: dict[str, Any]) -> None:
    document = next(one for one in GOOD.to_documents() if one["kind"] == "total")
    Expectations.from_documents([document])
    with pytest.raises(DocumentError):
        Expectations.from_documents([{**document, **change}])
