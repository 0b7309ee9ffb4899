"""Laws of commands: they parse or refuse any text, and what they do to rows holds for any rows."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apisec_sandbox.spl import engine
from apisec_sandbox.spl.commands import OPTIONS, REGISTRY
from apisec_sandbox.spl.commands.bins import LogSpan, NumberSpan, TimeSpan
from apisec_sandbox.spl.commands.extract import clipped
from apisec_sandbox.spl.commands.ordering import SORT_KEYS, Sort, SortField
from apisec_sandbox.spl.commands.tables import Untable, XySeries
from apisec_sandbox.spl.context import Context, Stage
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.values import Row, to_number
from apisec_sandbox.splunkd.home import Home
from apisec_sandbox.splunkd.runtime import Runtime
from apisec_sandbox.splunkd.server import Options, Splunkd

NOW = 1_700_000_300
FIXTURE = [HealthCheck.function_scoped_fixture]


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    made = Splunkd(Home(tmp_path_factory.mktemp("home")), Options(with_tls=False, schedule=False))
    made.ensure_admin()
    yield Runtime(made, "search", "admin")
    made.close()


words = st.sampled_from(
    (
        *("a", "b*", "_time", '"x y"', "'n'", "5", "-1", "=", "(", ")", ",", "AS", "BY", "WITH", "IN", "where"),
        *("OUTPUT", "1h", "log10", "t", "eval(x=1)", "+", "-", "count", "sum(a)", "[eval a=1]", "s/a/b/"),
        *('"(?<x>a)"', "[search a]"),
    )
)


@given(st.sampled_from(sorted(REGISTRY)), st.data(), st.booleans())
@settings(max_examples=600, suppress_health_check=FIXTURE, deadline=None)
def test_any_arguments_parse_or_are_refused(services: Runtime, name: str, data: st.DataObject, first: bool) -> None:
    pairs = st.builds("{}={}".format, st.sampled_from([*OPTIONS.get(name, ()), "span", "field"]), words)
    text = " ".join(data.draw(st.lists(st.one_of(words, pairs), max_size=6)))
    search = f"| {name} {text}" if first else f"search x | {name} {text}"
    with contextlib.suppress(SplError):  # anything else would fail the test
        engine.check(search, services, Context(services, NOW))


cells = st.one_of(st.none(), st.integers(-50, 50).map(str), st.text("abz.1", max_size=3), st.integers(-50, 50))
rows = st.lists(st.dictionaries(st.sampled_from("kvw"), cells, max_size=3), max_size=40)


@given(rows, st.lists(st.tuples(st.sampled_from("kvw"), st.booleans(), st.sampled_from(sorted(SORT_KEYS))), min_size=1))
@settings(max_examples=80, deadline=None)
def test_a_limited_sort_is_the_head_of_the_whole_one(data: list[Row], keys: list[tuple[str, bool, str]]) -> None:
    fields = [SortField(name, descending, SORT_KEYS[kind]) for name, descending, kind in keys]
    context = Context(None, NOW)  # type: ignore[arg-type]  # sort asks no service
    whole = list(Sort(fields, 0).apply(Stage(list(data)), context).rows)
    assert sorted(map(repr, whole)) == sorted(map(repr, data))
    for limit in (1, 3, 1000):
        assert list(Sort(fields, limit).apply(Stage(list(data)), context).rows) == whole[:limit]
    many = data * 60  # more than what is held before it cuts down
    assert list(Sort(fields, 2).apply(Stage(many), context).rows) == Sort(fields, 0).ordered(list(many))[:2]


@given(
    st.dictionaries(st.integers(0, 20), st.dictionaries(st.sampled_from("abc"), st.integers(), min_size=1), max_size=8)
)
@settings(max_examples=60, deadline=None)
def test_xyseries_undoes_untable(table: dict[int, dict[str, int]]) -> None:
    context = Context(None, NOW)  # type: ignore[arg-type]  # neither asks a service
    before = [{"x": x, **table[x]} for x in sorted(table)]
    flat = Untable("x", "name", "value").apply(Stage(before), context)
    assert list(XySeries("x", "name", ["value"], ": ", None).apply(flat, context).rows) == before


documents = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=4)),
    max_leaves=20,
).filter(lambda value: isinstance(value, (dict, list)))


@given(documents, st.integers(1, 200))
def test_a_clipped_document_is_one(document: object, most: int) -> None:
    text = json.dumps(document, ensure_ascii=False)
    short = clipped(text, most)
    json.loads(short)
    if len(text) <= most:
        assert short == text


@given(st.floats(-1e9, 1e9), st.sampled_from([0.25, 1, 3, 10, 3600]), st.sampled_from([0.0, 7.0, 1_700_000_000.0]))
def test_a_bin_holds_its_number(number: float, amount: float, origin: float) -> None:
    low, _, high = NumberSpan(amount).place(abs(number)).partition("-")
    assert (to_number(low) or 0) <= abs(number) + 1e-3
    assert abs(number) < (to_number(high) or 0) + 1e-3
    start = TimeSpan(amount, "s", origin).place(number)
    assert start - 1e-3 <= number < start + amount + 1e-3


@given(st.floats(1e-6, 1e9), st.sampled_from([(1, 10), (2, 10), (1, 2), (1.5, 4)]))
def test_a_log_bin_holds_its_number(number: float, span: tuple[float, float]) -> None:
    found = LogSpan(*span).place(number)
    assert found is not None
    low, high = (float(part) for part in found.replace("e-", "e~").split("-") for part in [part.replace("~", "-")])
    assert low <= number * (1 + 1e-6)
    assert number * (1 - 1e-6) <= high
