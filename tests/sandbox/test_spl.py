"""SPL by cases: documented behaviour as data, and properties."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apisec_sandbox.spl import functions
from apisec_sandbox.spl.custom import decode_multivalue, decode_rows, encode_multivalue, encode_rows
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.expressions import Scope, parse_expression
from apisec_sandbox.spl.values import to_text
from apisec_sandbox.splunkd.home import Home
from apisec_sandbox.splunkd.jobs import Request
from apisec_sandbox.splunkd.server import Options, Splunkd

CASES = Path(__file__).parents[1] / "cases" / "spl"
FUNCTIONS = yaml.safe_load((CASES / "functions.yml").read_text())
START, NOW = 1_700_000_000, 1_700_000_300


@pytest.fixture(scope="module")
def splunkd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Splunkd]:
    made = Splunkd(Home(tmp_path_factory.mktemp("home")), Options(with_tls=False, schedule=False))
    made.ensure_admin()
    yield made
    made.close()


def shown(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: [to_text(v) for v in value] if isinstance(value, list) else to_text(value) for name, value in row.items()
    }


@pytest.mark.parametrize(("text", "expected"), FUNCTIONS["expressions"], ids=lambda part: str(part)[:60])
def test_functions(text: str, expected: Any) -> None:
    expression = parse_expression(text, 0, len(text), Scope(float(START)))
    value = expression.run(dict(FUNCTIONS["row"]))
    assert (None if value is None else shown({"v": value})["v"]) == expected


def test_every_function_has_a_case() -> None:
    assert len(FUNCTIONS["expressions"]) > 100
    expressions = json.dumps(FUNCTIONS["expressions"])
    # lookup() needs a table: documented/eval_conditions.yml has one
    assert [name for name in functions.SIGNATURES if f"{name}(" not in expressions and name != "lookup"] == []


scalars = st.one_of(st.text(max_size=12), st.integers(-(10**9), 10**9).map(str))
values = st.one_of(scalars, st.lists(scalars, min_size=2, max_size=4))
names = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=6).filter(
    lambda name: not name.startswith("__mv_")
)


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_multivalues_survive_the_protocol(items: list[str]) -> None:
    assert decode_multivalue(encode_multivalue(items)) == items


@given(st.lists(st.dictionaries(names, values, max_size=4), max_size=5))
def test_rows_survive_the_protocol(rows: list[dict[str, Any]]) -> None:
    header = list(dict.fromkeys(name for row in rows for name in row))
    decoded, columns = decode_rows(encode_rows(rows, header))
    kept = [{name: value for name, value in row.items() if value != ""} for row in rows]
    if header:
        assert decoded == kept
        assert columns == header


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(-1000, 1000)), max_size=60))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_stats_agree_with_plain_python(splunkd: Splunkd, pairs: list[tuple[str, int]]) -> None:
    data = json.dumps([{"k": key, "v": str(value)} for key, value in pairs])
    escaped = data.replace("\\", "\\\\").replace('"', '\\"')
    search = f'| makeresults format=json data="{escaped}" | stats count sum(v) AS s max(v) AS m dc(v) AS d BY k'
    job = splunkd.jobs.run(Request(search, now=NOW))
    assert job.state == "DONE", job.error
    expected = []
    for key in sorted({key for key, _ in pairs}):
        own = [value for k, value in pairs if k == key]
        expected.append({"k": key, "count": len(own), "s": sum(own), "m": max(own), "d": len(set(own))})
    assert job.outcome.rows == expected


@given(st.text(alphabet="abc =|()[]\"'`<>!*,.$-_0123\\\n", max_size=40))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_text_parses_or_is_refused(splunkd: Splunkd, text: str) -> None:
    from apisec_sandbox.spl import engine
    from apisec_sandbox.spl.context import Context
    from apisec_sandbox.splunkd.runtime import Runtime

    services = Runtime(splunkd, "search", "admin")
    for prefix in ("search ", "search x | eval a=", "search x | stats ", "search x | where "):
        with contextlib.suppress(SplError):  # anything else would fail the test
            engine.check(prefix + text, services, Context(services, NOW))
