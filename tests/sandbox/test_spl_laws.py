"""Laws that hold whatever the rows are: of the search's logic, and of commands that only choose or order.

Rows come from hypothesis through an event index of their own, so that the whole way is walked: raw JSON, extraction,
the search command, the commands behind it.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from apisec_sandbox.spl import engine
from apisec_sandbox.spl.context import Context
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.splunkd.runtime import Runtime
from tests.support.spl import Bench

START, NOW = 1_700_000_000, 1_700_100_000
GIVEN = settings(
    max_examples=15,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

words = st.sampled_from(("a", "b", "ab", "B", "1", "2", "10", "-3", "2.5", "a b", "x=y", 'q"q', "*", ""))
cells = st.one_of(words, st.integers(-5, 12), st.lists(words.filter(bool), min_size=1, max_size=3))
rows = st.lists(st.fixed_dictionaries({}, optional={"f": cells, "g": cells, "h": cells}), max_size=12)

terms = st.one_of(
    st.builds("{}={}".format, st.sampled_from("fgh"), st.sampled_from(("a", "b*", "1", "*", '"a b"', "10"))),
    st.builds(
        "{}{}{}".format, st.sampled_from("fgh"), st.sampled_from(("<", ">", "<=", ">=", "!=")), st.integers(-3, 10)
    ),
    st.builds("{} IN (a, 1, {})".format, st.sampled_from("fgh"), st.sampled_from(("2", "B", "x*"))),
    st.sampled_from(("ab", "NOT a", '"a b"', "f=*", "NOT g=*")),
)
filters = st.recursive(
    terms,
    lambda inner: st.one_of(
        st.builds("({} OR {})".format, inner, inner),
        st.builds("({} AND {})".format, inner, inner),
        st.builds("({} {})".format, inner, inner),
        st.builds("NOT ({})".format, inner),
    ),
    max_leaves=4,
)
comparisons = st.one_of(
    st.builds("{}{}{}".format, st.sampled_from("fg"), st.sampled_from(("<", ">=", "=", "!=")), st.integers(-3, 10)),
    st.builds('{}="{}"'.format, st.sampled_from("fg"), st.sampled_from(("a", "b", "10"))),
    st.builds('like({}, "{}")'.format, st.sampled_from("fg"), st.sampled_from(("a%", "_", "%"))),
    st.builds('match({}, "{}")'.format, st.sampled_from("fg"), st.sampled_from(("^a", "b", "[0-9]"))),
)
plain_rows = st.lists(st.fixed_dictionaries({"f": words.filter(bool), "g": st.integers(-5, 12)}), max_size=12)

commands = st.sampled_from(
    (
        "stats count by f",
        "stats values(*) as *",
        "stats sum(g) avg(g) max(f) by h",
        "eventstats count by g",
        "streamstats window=2 sum(g) as s by f",
        "dedup f",
        "dedup 2 g sortby -f",
        "sort 0 f -g",
        "sort - g",
        "head 3",
        "tail 2",
        "reverse",
        "table f g",
        "fields - h",
        "fields f",
        "rename f AS k",
        "rename * AS x_*",
        "fillnull",
        "fillnull value=z f",
        "mvexpand f",
        'makemv delim="a" f',
        "mvcombine g",
        "nomv f",
        "eval n=f.g, m=f+g",
        "eval c=case(f>g, 1, true(), mvcount(f))",
        'eval j=json_object("f", f)',
        'eval s=split(f, "b")',
        "where f>g",
        'where isnotnull(f) AND NOT like(f, "a%")',
        "search f=a* OR g>1",
        "search NOT h=*",
        'rex field=f "(?<r>[ab]+)"',
        'rex field=f mode=sed "s/a/b/g"',
        'regex f="a"',
        "top f",
        "rare limit=1 g by f",
        "chart count by f g",
        "chart max(g) over f by h",
        "timechart span=1h count by f",
        "timechart count",
        "bin span=5 g",
        "bin span=1h _time",
        "foreach f g [ eval <<FIELD>>_=len('<<FIELD>>') ]",
        "replace a WITH b IN f",
        "format",
        "return 3 f g",
        "appendpipe [ stats count ]",
        "spath",
        "eval f=mvsort(f), g=mvdedup(g)",
        "transpose",
        "addtotals",
    )
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Bench(tmp_path_factory.mktemp("laws"), {"now": NOW, "events": []}) as made:
        yield made


class Pool:
    """Events of an example have a stretch of time of their own: no index has to be emptied between examples."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.batch = 0

    def fill(self, items: list[dict[str, Any]]) -> str:
        self.batch += 1
        source = f"batch{self.batch}"
        self.bench.add(
            {
                "time": START + place,
                "sourcetype": "law",
                "source": source,
                "raw": json.dumps({"id": str(place), **item}),
            }
            for place, item in enumerate(items)
        )
        return f"index=main source={source}"

    def ids(self, search: str) -> list[str]:
        return [row["id"] for row in self.bench.run(f"{search} | table id").rows]


@pytest.fixture(scope="module")
def pool(bench: Bench) -> Pool:
    bench.splunkd.confs.write("props", "law", {"KV_MODE": "json"}, "search")
    return Pool(bench)


@given(rows, filters, filters)
@GIVEN
def test_or_is_union_and_is_intersection_not_is_complement(
    pool: Pool, items: list[dict[str, Any]], one: str, two: str
) -> None:
    base = pool.fill(items)
    everything, left, right = (set(pool.ids(search)) for search in (base, f"{base} {one}", f"{base} {two}"))
    assert set(pool.ids(f"{base} ({one}) OR ({two})")) == everything & set(pool.ids(f"{base} (({one}) OR ({two}))"))
    assert set(pool.ids(f"{base} (({one}) OR ({two}))")) == left | right
    assert set(pool.ids(f"{base} ({one}) ({two})")) == left & right
    assert set(pool.ids(f"{base} NOT ({one})")) == everything - left


@given(plain_rows, filters)
@GIVEN
def test_a_filter_is_the_same_in_front_and_behind(pool: Pool, items: list[dict[str, Any]], text: str) -> None:
    base = pool.fill(items)
    assert pool.ids(f"{base} {text}") == pool.ids(f"{base} | search {text}")
    assert pool.ids(f"{base} {text}") == pool.ids(f"{base} | eval other=1 | search {text} | fields id")


@given(plain_rows, comparisons, comparisons)
@GIVEN
def test_where_is_boolean_algebra(pool: Pool, items: list[dict[str, Any]], one: str, two: str) -> None:
    base = pool.fill(items)
    everything, left, right = (set(pool.ids(s)) for s in (base, f"{base} | where {one}", f"{base} | where {two}"))
    assert set(pool.ids(f"{base} | where {one} OR {two}")) == left | right
    assert set(pool.ids(f"{base} | where {one} AND {two}")) == left & right
    assert set(pool.ids(f"{base} | where NOT ({one})")) == everything - left
    assert pool.ids(f"{base} | where {one} | where {two}") == pool.ids(f"{base} | where {one} AND {two}")


@given(rows)
@GIVEN
def test_commands_that_choose_or_order(pool: Pool, items: list[dict[str, Any]]) -> None:
    base = pool.fill(items)
    everything = pool.ids(base)
    assert everything == [str(place) for place in reversed(range(len(items)))]
    for key in ("f", "-g", "f, -g", "num(g)", "str(h)"):
        assert sorted(pool.ids(f"{base} | sort 0 {key}")) == sorted(everything)
        once = pool.ids(f"{base} | sort 0 {key}")
        assert pool.ids(f"{base} | sort 0 {key} | sort 0 {key}") == once
    kept = pool.ids(f"{base} | dedup f")
    assert set(kept) <= set(everything)
    assert kept == pool.ids(f"{base} | dedup f | dedup f")
    assert pool.ids(f"{base} | reverse | reverse") == everything
    assert pool.ids(f"{base} | head 4") == everything[:4]
    assert pool.ids(f"{base} | tail 4") == everything[::-1][:4]
    assert pool.ids(f"{base} | fillnull value=z") == everything
    assert pool.ids(f"{base} | rename f AS k | rename k AS f") == everything
    assert pool.ids(f"{base} | eventstats count by f | streamstats count by g") == everything


@given(rows)
@GIVEN
def test_groups_sum_to_the_whole(pool: Pool, items: list[dict[str, Any]]) -> None:
    base = pool.fill(items)
    values = Counter(
        value for item in items for value in (item["f"] if isinstance(item.get("f"), list) else [item.get("f")])
        if value is not None
    )  # fmt: skip
    found = pool.bench.run(
        f"{base} | eval f=mvappend(f, 'f{{}}') | stats count by f | stats sum(count) AS n dc(f) AS d"
    ).rows
    seen = {str(value): count for value, count in values.items() if value != ""}
    if seen:
        assert int(found[0]["n"]) == sum(seen.values())
    counted = pool.bench.run(f"{base} | stats count count(eval(isnull(g))) AS without count(g) AS with").rows[0]
    assert int(counted["count"]) == len(items)
    assert int(counted["without"]) + len(pool.ids(f"{base} | where isnotnull(g)")) == len(items)


@given(rows, st.lists(commands, min_size=1, max_size=4))
@settings(
    max_examples=150,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_pipeline_gives_rows_or_an_error_of_the_language(
    pool: Pool, items: list[dict[str, Any]], pipeline: list[str]
) -> None:
    base = pool.fill(items)
    services = Runtime(pool.bench.splunkd, "search", "admin")
    with contextlib.suppress(SplError):  # anything else fails the test
        outcome = engine.execute(" | ".join([base, *pipeline]), services, Context(services, NOW))
        assert all(set(row) <= set(outcome.header) for row in outcome.rows)
        assert all(value != [] for row in outcome.rows for value in row.values())
