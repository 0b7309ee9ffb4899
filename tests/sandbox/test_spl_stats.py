"""Statistics as laws: batches, single rows, splits and merges agree; sketches keep their bound; scans keep fields."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec_sandbox.spl import aggregates
from apisec_sandbox.spl.accumulators import Accumulator
from apisec_sandbox.spl.aggregates import to_numbers
from apisec_sandbox.spl.commands.aggregation import Aggregation
from apisec_sandbox.spl.commands.aggregator import Aggregator, Batch, Group, GroupKey, Keys
from apisec_sandbox.spl.commands.chart_table import time_span
from apisec_sandbox.spl.commands.stats import Stats
from apisec_sandbox.spl.commands.streamstats import StreamStats
from apisec_sandbox.spl.context import Context, Hints, Services, Stage
from apisec_sandbox.spl.distributions import Percentile
from apisec_sandbox.spl.knowledge import Knowledge
from apisec_sandbox.spl.scan import RowMaker
from apisec_sandbox.spl.values import Row, to_number, to_text

ODD = ["", "0", "-0", "007", "1e3", ".5", "5.", "+4", " 7 ", "nan", "inf", "1_000", "0x10", "12345678901234567890", "x"]
scalars = st.one_of(
    st.sampled_from(ODD),
    st.integers(-(10**6), 10**6),
    st.integers(-(10**6), 10**6).map(str),
    st.integers(-1000, 1000).map(lambda n: n / 4),
    st.integers(-1000, 1000).map(lambda n: f"{n / 4}"),
)
values = st.one_of(st.none(), scalars, st.lists(scalars, min_size=2, max_size=3))
rows = st.lists(
    st.fixed_dictionaries({"_time": st.integers(0, 50)}, optional={"k": values, "x": values, "y": values}), max_size=30
)
NAMES = [*aggregates.FUNCTIONS, "perc90", "p25.5", "exactperc75", "upperperc95"]


def services() -> Context:
    return Context(cast(Services, SimpleNamespace()), 0.0)


def items(*names: str, field: str = "x") -> list[Aggregation]:
    return [Aggregation(name, aggregates.factory(name), f"{name}({field})", field) for name in names]


def same(left: Any, right: Any) -> bool:
    """Equal; doubles up to the rounding of another order of adding."""
    if isinstance(left, int | float) and isinstance(right, int | float):
        return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9)
    return bool(left == right)


def assert_same(left: list[Row], right: list[Row]) -> None:
    assert [set(row) for row in left] == [set(row) for row in right]
    assert [
        (name, row[name], other[name])
        for row, other in zip(left, right, strict=True)
        for name in row
        if not same(row[name], other[name])
    ] == []


def clean(found: list[Row]) -> list[Row]:
    return [{name: value for name, value in row.items() if value is not None} for row in found]


def grouped(engine: Aggregator, keys: Keys, groups: dict[GroupKey, Group]) -> list[Row]:
    return [{"k": key, **engine.results(groups[key])} for key in keys.ordered(groups)]


@given(rows.map(clean))
def test_columns_give_what_single_rows_give(found: list[Row]) -> None:
    engine, keys = Aggregator(items(*NAMES)), Keys(["k"])
    by_columns: dict[GroupKey, Group] = {}
    engine.feed(Batch(found), keys.split(Batch(found)), by_columns)
    by_rows: dict[GroupKey, Group] = {}
    for row in found:
        for key in keys.of_row(row):
            engine.add_row(by_rows.setdefault(key, engine.new()), row)
    assert_same(grouped(engine, keys, by_columns), grouped(engine, keys, by_rows))


@given(rows.map(clean), st.integers(0, 30))
def test_a_split_merged_is_the_whole(found: list[Row], cut: int) -> None:
    engine, keys = Aggregator(items(*NAMES)), Keys(["k"])
    whole: dict[GroupKey, Group] = {}
    engine.feed(Batch(found), keys.split(Batch(found)), whole)
    merged: dict[GroupKey, Group] = {}
    for part in (found[:cut], found[cut:]):
        groups: dict[GroupKey, Group] = {}
        engine.feed(Batch(part), keys.split(Batch(part)), groups)
        for key, group in groups.items():
            state = json.loads(json.dumps(group.state()))  # what travels between map and reduce
            if key not in merged:
                merged[key] = engine.new()
            engine.merge(merged[key], engine.restore(state))
    assert_same(grouped(engine, keys, merged), grouped(engine, keys, whole))


@given(rows.map(clean), st.integers(0, 30))
def test_prestats_merged_is_stats(found: list[Row], cut: int) -> None:
    wanted, context = items(*NAMES), services()
    whole = list(Stats(wanted, ["k"]).apply(Stage([dict(row) for row in found]), context).rows)
    map_phase = [
        row
        for part in (found[:cut], found[cut:])
        for row in Stats(wanted, ["k"], prestats=True).apply(Stage([dict(row) for row in part]), context).rows
    ]
    assert_same(list(Stats(wanted, ["k"]).apply(Stage(map_phase), context).rows), whole)


@given(st.lists(scalars, max_size=20))
def test_numbers_in_bulk_are_those_of_one_by_one(found: list[Any]) -> None:
    assert to_numbers(found) == [to_number(one) for one in found]


@pytest.mark.parametrize(("current", "over_all"), [(True, True), (False, True), (True, False), (False, False)])
@given(rows.map(clean), st.integers(1, 6))
@settings(max_examples=30)
def test_a_window_is_an_aggregation_of_its_rows(current: bool, over_all: bool, found: list[Row], size: int) -> None:
    wanted = items("count", "sum", "min", "last", "range", "values")
    shown = [{**row, "k": to_text(row["k"])} for row in found if "k" in row and type(row["k"]) is not list]
    command = StreamStats(wanted, ["k"], size, current, over_all)
    got = list(command.apply(Stage([dict(row) for row in shown]), services()).rows)
    engine = Aggregator(wanted)
    for place, row in enumerate(shown):
        past = shown[: place + 1] if current else shown[:place]
        if not over_all:
            past = [other for other in past if other["k"] == row["k"]]
        group = engine.new()
        engine.add(group, [other for other in past[-size:] if other["k"] == row["k"]])
        assert_same([{name: got[place].get(name) for name in engine.results(group)}], [engine.results(group)])


@pytest.mark.parametrize("shape", [lambda r: r.random(), lambda r: r.lognormvariate(0, 2), lambda r: r.randrange(3000)])
@pytest.mark.parametrize("percent", [1.0, 50.0, 95.0, 99.0])
def test_a_sketch_keeps_its_rank_within_one_percent(shape: Callable[[random.Random], float], percent: float) -> None:
    chance = random.Random(5)
    numbers = [shape(chance) for _ in range(60_000)]
    parts = [Percentile(percent) for _ in range(3)]
    for place, part in enumerate(parts):
        part.add(numbers[place::3])
    for part in parts[1:]:
        parts[0].merge(part)
    found, upper = parts[0].result(), Percentile(percent, upper=True)
    upper.merge(parts[0])
    ordered = sorted(numbers)
    below = sum(number < found for number in ordered) / len(ordered)
    upto = sum(number <= found for number in ordered) / len(ordered)
    assert below - 0.01 <= percent / 100 <= upto + 0.01
    assert upper.result() >= found
    assert sum(map(len, parts[0].sketch.levels)) < 20_000


def test_memory_of_a_percentile_is_bounded_and_exactperc_is_exact() -> None:
    bounded, exact = Percentile(95.0), Percentile(95.0, exact=True)
    for start in range(0, 400_000, 4000):
        bounded.add(range(start, start + 4000))
        exact.add(range(start, start + 4000))
    assert sum(map(len, bounded.sketch.levels)) < 30_000
    assert not bounded.counts
    assert exact.result() == 0.95 * 399_999


def test_documented_percentiles() -> None:
    """Search Reference, "perc": of 10,9,…,1 the 50th is 5.5 and the 95th 9.55."""
    found: dict[float, Accumulator] = {percent: Percentile(percent) for percent in (50.0, 95.0)}
    for accumulator in found.values():
        accumulator.add(list(range(10, 0, -1)))
    assert {percent: accumulator.result() for percent, accumulator in found.items()} == {50.0: 5.5, 95.0: 9.55}


def test_the_average_is_that_of_doubles_added_one_by_one() -> None:
    """Search Reference, "avg": a hundred times 3.99 has the average 3.9900000000000055, ten thousand another."""
    for number, expected in ((100, 3.9900000000000055), (10_000, 3.990000000000215)):
        accumulator = aggregates.factory("avg")()
        for start in range(0, number, 7):
            accumulator.add([3.99] * min(7, number - start))
        assert accumulator.result() == expected


@pytest.mark.parametrize(
    ("seconds", "span"),
    [(900, 10), (3600, 60), (4 * 3600, 300), (86400, 1800), (7 * 86400, 86400), (30 * 86400, 86400)],
)
def test_documented_spans_of_timechart(seconds: int, span: int) -> None:
    """Search Reference, "timechart", default time spans."""
    assert (time_span(seconds, 100, 0).amount, time_span(seconds, 100, 0).unit) == (span, "s")
    assert time_span(365 * 86400, 100, 0).unit == "mon"
    assert time_span(seconds, 100, 1000).amount == max(span, 1800)


# The scan

leaves: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.integers(10**17, 10**19), st.floats(-5, 5), st.text(max_size=3)
)
documents = st.dictionaries(
    st.sampled_from(["x", "y", "z", "a.b", "a", "b.x"]),
    st.one_of(
        leaves,
        st.lists(leaves, max_size=3),
        st.dictionaries(st.sampled_from(["b", "c", "x", "b.c"]), leaves, max_size=2),
    ),
    max_size=5,
)
UNUSUAL = [
    "{}",
    "-0 ",
    "text x=1 y=2",
    '{"x": -0, "y": 1.50}',
    '{"x":1.50,"y":{"x":1.5}}',
    '{"x" : 1e-7 }',
    '{"x":1,"x":2}',
]
layouts = st.sampled_from([{}, {"separators": (",", ":")}, {"ensure_ascii": False}, {"indent": 1}])


@given(documents, layouts, st.sampled_from(UNUSUAL))
@settings(max_examples=200)
def test_the_short_way_gives_what_the_general_one_gives(document: Any, layout: Any, other: str) -> None:
    knowledge = Knowledge(lambda _name: {}, lambda _name: None, 0.0)
    for raw in (json.dumps(document, **layout), other):
        event: tuple[Any, ...] = (1.5, 2.0, "h", "s", "t", raw, {}, "main", None)
        wanted = frozenset(("x", "y", "host", "a.b", "a.b.c", "b.x"))
        (short,) = RowMaker(knowledge, wanted, None, Hints(numeric=frozenset("y"), exact=wanted)).rows([event])
        (general,) = RowMaker(knowledge, None, None, Hints()).rows([event])
        for name in wanted:
            expected = general.get(name)
            if name == "y" and type(short.get(name)) in (int, float):
                assert short[name] == to_number(expected)
            else:
                assert short.get(name) == expected


def test_default_fields_come_by_the_general_way() -> None:
    knowledge = Knowledge(lambda _name: {}, lambda _name: None, 0.0)
    event: tuple[Any, ...] = (7200.0, 2.0, "h", "s", "t", '{"x": 1}', {}, "main", None)
    (row,) = RowMaker(knowledge, frozenset(("x", "date_hour")), None, Hints()).rows([event])
    assert (row["x"], row["date_hour"]) == ("1", "2")
