"""The search language: terms, macros, positions of errors, search-time knowledge, and what no input may do."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec_sandbox.spl.defaultfields import named_in
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.expressions import Scope, parse_expression
from apisec_sandbox.spl.functions import SIGNATURES
from apisec_sandbox.spl.knowledge import Knowledge
from apisec_sandbox.spl.lexer import arguments
from apisec_sandbox.spl.macros import from_conf, prepare
from apisec_sandbox.spl.parser import split
from apisec_sandbox.spl.pcre import compile_pattern
from apisec_sandbox.spl.searchexpr import parse_search
from apisec_sandbox.spl.timeformats import strftime, strptime
from apisec_sandbox.spl.times import resolve
from apisec_sandbox.spl.values import to_number, to_text
from apisec_sandbox.splunkd.home import Home
from apisec_sandbox.splunkd.indexes import Event
from apisec_sandbox.splunkd.jobs import Request
from apisec_sandbox.splunkd.server import Options, Splunkd
from apisec_sandbox.splunkd.web import HttpError

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parents[1] / "cases/spl/language.yml").read_text("utf-8"))
NOW = 1_700_000_000.0
ENOUGH = 20.0  # seconds of processor time for a hostile search of 200 kB: what is quadratic takes many minutes


class Nothing:
    """No knowledge objects, no subsearches."""

    now = NOW

    def subsearch(self, text: str, position: int) -> str:
        raise SplError("no subsearches here", text, position)

    def eventtype(self, name: str) -> str | None:
        return None

    def tag_pairs(self, tag: str) -> list[tuple[str, str]]:
        return []


def knowledge(props: dict[str, str]) -> Knowledge:
    confs: dict[str, Any] = {name: CASES[name] for name in ("macros", "transforms", "eventtypes", "tags")}
    confs["props"] = {"st": props}
    return Knowledge(confs.__getitem__, lambda _name: None, NOW)


def event(raw: str, **fields: Any) -> dict[str, Any]:
    row = {"_raw": raw, "_time": NOW, "_indextime": NOW, "host": "h", "source": "src", "sourcetype": "st"}
    return row | {"index": "main", "splunk_server": "s"} | fields


TERMS = [(case["raw"], text, True) for case in CASES["terms"] for text in case["match"]]
TERMS += [(case["raw"], text, False) for case in CASES["terms"] for text in case["miss"]]


@pytest.mark.parametrize(("raw", "text", "expected"), TERMS, ids=[f"{text} {expected}" for _, text, expected in TERMS])
def test_term(raw: str, text: str, expected: bool) -> None:
    found = parse_search(text, 0, len(text), Nothing())
    row = event(raw, **CASES["fields"])
    assert found.test(row) is expected
    if found.early is not None and expected:
        assert found.early(row)  # necessary, so never in the way of a match


def test_terms_look_at_all_fields_where_there_is_no_raw_text() -> None:
    row = {"product": "red apple", "_key": "pear"}
    assert parse_search("apple", 0, 5, Nothing(), anywhere=True).test(row)
    assert not parse_search("pear", 0, 4, Nothing(), anywhere=True).test(row)
    assert not parse_search("apple", 0, 5, Nothing()).test(row)


@pytest.fixture(scope="module")
def splunkd(tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = Splunkd(Home(tmp_path_factory.mktemp("home")), Options(with_tls=False, schedule=False))
    made.ensure_admin()
    for name, stanza in CASES["macros"].items():
        made.confs.write("macros", name, stanza, "search")
    for name, stanza in CASES["event_props"].items():
        made.confs.write("props", name, stanza, "search")
    made.confs.write("indexes", "extra", {"disabled": "0"}, "system")
    made.store.append(
        Event(NOW + after, NOW, "h", "calculated", sourcetype, raw, {}, index)
        for _, index, sourcetype, after, raw in CASES["events"]
    )
    yield made
    made.close()


@pytest.mark.parametrize(("text", "message", "line", "column"), CASES["refused"], ids=lambda part: str(part)[:50])
def test_errors_point_into_what_was_typed(splunkd: Splunkd, text: str, message: str, line: int, column: int) -> None:
    try:
        failed = splunkd.jobs.run(Request(text, now=NOW)).error
    except HttpError as error:
        failed = error.text
    assert message in failed
    assert f"(line {line}, column {column})" in failed
    assert text.split("\n")[line - 1] in failed


@pytest.mark.parametrize(("text", "expected"), CASES["found"], ids=lambda part: str(part)[:60])
def test_search_finds(splunkd: Splunkd, text: str, expected: str) -> None:
    job = splunkd.jobs.run(Request(text, now=NOW))
    assert job.error == ""
    assert sorted(to_text(row["id"]) for row in job.outcome.rows) == expected.split()


@pytest.mark.parametrize(("text", "expected"), CASES["told"], ids=lambda part: str(part)[:60])
def test_what_cannot_be_applied_is_told_once(splunkd: Splunkd, text: str, expected: list[str]) -> None:
    job = splunkd.jobs.run(Request(text, now=NOW))
    told = [message for kind, message in job.context.messages if kind == "WARN"]
    assert len(told) == len(expected)
    for start, message in zip(expected, told, strict=True):
        assert message.startswith(start)


def test_broken_event_types_are_told(splunkd: Splunkd) -> None:
    splunkd.confs.write("eventtypes", "odd", {"search": "`gone`"}, "search")
    try:
        told = splunkd.jobs.run(Request("sourcetype=plain", now=NOW)).context.messages
        unaffected = splunkd.jobs.run(Request("sourcetype=plain | stats count by x", now=NOW)).context.messages
    finally:
        splunkd.confs.write("eventtypes", "odd", {"search": "alice"}, "search")
    assert [(kind, text[:32]) for kind, text in told] == [("WARN", "eventtypes.conf [odd] search: Th")]
    assert unaffected == []


def test_default_fields_cost_nothing_where_none_is_named() -> None:
    assert named_in("index=main * source=* | stats count(x) as n_* by host | search n_a=*") == frozenset()
    assert named_in("* | table date_h* punct timestartpos") == {"date_hour", "punct", "timestartpos"}
    assert named_in("* | fields - *") == frozenset()
    assert {"date_zone", "linecount"} <= named_in("* | fields *")


@pytest.mark.parametrize(("text", "expected"), CASES["expanded"])
def test_macro(text: str, expected: str) -> None:
    assert prepare(text, from_conf(CASES["macros"])) == expected


@pytest.mark.parametrize(("props", "raw", "expected"), CASES["extracted"], ids=lambda part: str(part)[:60])
def test_extraction(props: dict[str, str], raw: str, expected: dict[str, Any]) -> None:
    known = knowledge(props)
    everything, named = event(raw), event(raw)
    known.enricher(None)(everything)
    known.enricher(frozenset(expected))(named)
    assert [problem for problem in known.problems if problem.startswith("props")] == []
    for row in (everything, named):
        shown = {name: row.get(name) for name in expected}
        as_text = {k: [to_text(i) for i in v] if isinstance(v, list) else v and to_text(v) for k, v in shown.items()}
        assert as_text == expected


def test_event_types_have_their_macros_and_priorities() -> None:
    known = knowledge({})
    row = event("status=404 user=alice src=10.9.9.9")
    known.enricher(None)(row)
    assert row["eventtype"] == ["nested", "failed"]
    assert row["tag"] == ["attack", "staff"]
    assert row["tag::user"] == "staff"
    assert known.eventtype("off") is None
    assert any("unknown_macro" in problem and "gone" in problem for problem in known.problems)


def test_patterns_of_sources_beat_source_types() -> None:
    stanzas = {
        "st": {"EVAL-x": '"type"', "EVAL-y": '"type"'},
        "source::/var/.../*.log": {"EVAL-x": '"deep"'},
        "source::/var/*.log": {"EVAL-x": '"flat"'},
        "(?::){0}s*": {"EVAL-z": '"pattern"'},
        "host::H": {"EVAL-y": '"host"'},
    }
    confs: dict[str, Any] = {"props": stanzas, "macros": {}, "transforms": {}, "eventtypes": {}, "tags": {}}
    known = Knowledge(confs.__getitem__, lambda _name: None, NOW)
    for source, expected in (("/var/a/b.log", "deep"), ("/var/b.log", "flat"), ("/tmp/b.log", "type")):
        row = event("x", source=source)
        known.enricher(None)(row)
        assert (row["x"], row["y"], row["z"]) == (expected, "host", "pattern")


def test_default_fields_where_they_are_named() -> None:
    row = event("GET /a?b=c HTTP/1.1\nsecond")
    knowledge({}).enricher(frozenset(("date_hour", "date_wday", "linecount", "punct")))(row)
    assert (row["date_hour"], row["date_wday"], row["linecount"], row["punct"]) == ("22", "tuesday", "2", "_/?=_/.")


# What no input may do

HOSTILE = {
    "parentheses": "(" * 40_000,
    "negations": "NOT " * 40_000,
    "brackets": "[search " * 20_000,
    "quotes": '"a" ' * 40_000 + '"',
    "backslashes": '"' + "\\" * 200_001,
    "terms": "a OR " * 30_000 + "a",
    "spaces": " " * 200_000 + "a=",
    "stars": "*a" * 2_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_searches_end_soon(name: str) -> None:
    text = HOSTILE[name]
    began = time.process_time()
    with contextlib.suppress(SplError):
        parse_search(text, 0, len(text), Nothing()).test(event("aaaa" * 100))
    with contextlib.suppress(SplError):
        for segment in split(prepare(text, from_conf({}))):
            arguments(segment.text, segment.start, segment.end)
    assert time.process_time() - began < ENOUGH


@pytest.mark.parametrize("text", ["(" * 5000, "-" * 20_000 + "1", "NOT " * 20_000 + "a", "abs(" * 5000, "1+" * 40_000])
def test_hostile_expressions_are_refused_or_run(text: str) -> None:
    with contextlib.suppress(SplError):
        parse_expression(text, 0, len(text), Scope(NOW)).run({"a": "1"})


def test_long_sums_and_conditions_need_no_stack() -> None:
    assert run("+".join(["1"] * 20_000)) == 20_000
    assert run(f"if({' AND '.join(['1=1'] * 20_000)}, 1, 0)") == 1


def test_no_pattern_hangs() -> None:
    with pytest.raises(SplError, match="backtracks"):
        compile_pattern("(a|aa)+$").search("a" * 60 + "b")


def run(text: str, **row: Any) -> Any:
    return parse_expression(text, 0, len(text), Scope(NOW)).run(row)


values = st.one_of(st.none(), st.text(max_size=8), st.integers(-(10**20), 10**20).map(str), st.floats().map(repr))
held = st.one_of(values, st.lists(st.text(max_size=4), min_size=2, max_size=3))
OUTSIDE = frozenset(("lookup", "searchmatch", "mvfilter", "mvmap", "random", "time", "commands"))


@given(st.sampled_from(sorted(SIGNATURES.keys() - OUTSIDE)), st.lists(held, min_size=4, max_size=4))
@settings(max_examples=400, deadline=None)
def test_functions_raise_nothing_but_their_own_errors(name: str, given_values: list[Any]) -> None:
    least, most = SIGNATURES[name].arity
    row = {f"f{place}": value for place, value in enumerate(given_values) if value is not None}
    for count in {least, min(most, 4)}:
        call = f"{name}({', '.join(f'f{place}' for place in range(count))})"
        with contextlib.suppress(SplError):
            run(call, **row)


@given(st.text(alphabet="ab1.'\"()+-*/%=<>!, \\{}[]|`$~é_NOTINlikeANDORXOR", max_size=40))
@settings(max_examples=400, deadline=None)
def test_any_expression_parses_or_is_refused(text: str) -> None:
    with contextlib.suppress(SplError):
        run(text, a="1", b="x")


numbers = st.one_of(st.integers(-(2**50), 2**50), st.floats(-1e12, 1e12))


@given(numbers, numbers)
def test_numbers_keep_the_laws_of_arithmetic(x: float, y: float) -> None:
    fields = {"x": to_text(x), "y": to_text(y)}
    assert run("x+y", **fields) == run("y+x", **fields)
    assert run("x*y", **fields) == run("y*x", **fields)
    assert run("x-y", **fields) == run("-(y-x)", **fields)
    assert run("if(x<y OR x=y OR x>y, 1, 0)", **fields) == 1
    assert to_number(fields["x"]) == x


@given(st.text(max_size=20), st.text(min_size=1, max_size=3))
def test_split_and_join_are_inverse(text: str, delimiter: str) -> None:
    assert run("mvjoin(split(t, d), d)", t=text, d=delimiter) == text


@given(
    st.integers(0, 4_000_000_000), st.sampled_from(["%Y-%m-%dT%H:%M:%S%z", "%s", "%d/%b/%Y:%H:%M:%S %z", "%c", "%F %T"])
)
def test_times_read_back_as_written(epoch: int, layout: str) -> None:
    assert strptime(str(strftime(epoch, layout)), layout) == epoch


@given(st.text(alphabet="+-@0123456789smhdwqyon/:.rtT ", max_size=16))
def test_any_time_modifier_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(SplError):
        assert isinstance(resolve(text, NOW), (int, float))
