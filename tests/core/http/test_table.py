"""Tables of operations: routing, typed parameters, and mistakes in a table."""

from __future__ import annotations

from typing import Any, Tuple

import pytest

from apisec.http import paging
from apisec.http.problem import Problem
from apisec.http.table import Operation, Parameter, Table, allowed, path_parameter, path_values, query_values

ID = path_parameter("id", "^[0-9a-f]{4}$", "an id", 4)
NAME = path_parameter("name", "^[a-z]+$", "a name")
LIMITS = paging.parameters(("name", "count"), "-count")


def operation(name: str, method: str, path: str, *parameters: Parameter, **more: Any) -> Operation:
    return Operation(name, method, path, "", "", lambda call: call, parameters, **more)


TABLE = Table(
    [
        operation("list", "GET", "/things", *LIMITS, Parameter("old", {"type": "boolean"})),
        operation("one", "GET", "/things/{id}", ID),
        operation("change", "PUT", "/things/{id}", ID),
        operation("all", "GET", "/things/all"),
        operation("check", "POST", "/things:check"),
        operation("undo", "POST", "/things/{id}:undo", ID),
        operation("part", "GET", "/things/{id}/parts/{name}", ID, NAME),
    ],
    {},
)


@pytest.mark.parametrize(
    ("method", "path", "name", "values"),
    [
        ("GET", "/things", "list", {}),
        ("GET", "/things/", "list", {}),
        ("HEAD", "/things", "list", {}),
        ("GET", "/things/all", "all", {}),
        ("GET", "/things/00ff", "one", {"id": "00ff"}),
        ("PUT", "/things/00ff", "change", {"id": "00ff"}),
        ("POST", "/things:check", "check", {}),
        ("POST", "/things/00ff:undo", "undo", {"id": "00ff"}),
        ("GET", "/things/00ff/parts/leg", "part", {"id": "00ff", "name": "leg"}),
    ],
)
def test_paths_lead_to_operations(method: str, path: str, name: str, values: Any) -> None:
    found = TABLE.find(path)
    chosen = TABLE.operation(found, method)
    assert (chosen.name, path_values(chosen, found.values)) == (name, values)


@pytest.mark.parametrize("path", ["/", "", "/thing", "/things/00ff/parts", "/things//parts/leg", "/things/a/b/c/d"])
def test_other_paths_are_not_found(path: str) -> None:
    with pytest.raises(Problem) as caught:
        TABLE.find(path)
    assert caught.value.status == 404


@pytest.mark.parametrize("identifier", ["00fg", "00ff\n", "00fff", "..", "%2e"])
def test_what_no_id_looks_like_is_not_found(identifier: str) -> None:
    found = TABLE.find(f"/things/{identifier}")
    with pytest.raises(Problem) as caught:
        path_values(found.methods["GET"], found.values)
    assert caught.value.status == 404
    assert caught.value.errors[0].pointer == "path/id"


def test_a_method_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(Problem) as caught:
        TABLE.operation(TABLE.find("/things/00ff"), "DELETE")
    assert (caught.value.status, caught.value.headers) == (405, {"Allow": "GET, HEAD, OPTIONS, PUT"})
    assert allowed(TABLE.find("/things:check").methods) == "OPTIONS, POST"


def query(*given: Tuple[str, str]) -> Any:
    return query_values(TABLE.operations[0], given, ("output_mode",))


def test_parameters_are_typed_and_have_defaults() -> None:
    assert query() == {"limit": 100, "sort": "-count"}
    given = query(("limit", "7"), ("old", "true"), ("output_mode", "json"), ("sort", "name"))
    assert given == {"limit": 7, "old": True, "sort": "name"}


@pytest.mark.parametrize(
    ("given", "pointer", "text"),
    [
        ((("limit", "0"),), "query/limit", "at least 1"),
        ((("limit", "1001"),), "query/limit", "at most 1000"),
        ((("limit", "1e3"),), "query/limit", "must be an integer"),
        ((("limit", "9" * 30),), "query/limit", "must be an integer"),
        ((("limit", "x" * 9_000),), "query/limit", "more than 8000 characters"),
        ((("limit", "١"),), "query/limit", "must be an integer"),
        ((("limit", "1"), ("limit", "2")), "query/limit", "given twice"),
        ((("limt", "1"),), "query/limt", "did you mean 'limit'"),
        ((("old", "maybe"),), "query/old", "must be a boolean"),
        ((("sort", "cuont"),), "query/sort", "did you mean 'count'"),
        ((("cursor", "a.b"),), "query/cursor", "does not match"),
    ],
)
def test_other_parameters_are_refused(given: Any, pointer: str, text: str) -> None:
    with pytest.raises(Problem) as caught:
        query(*given)
    problem = caught.value.document()
    assert (problem["status"], problem["errors"][0]["pointer"]) == (400, pointer)
    assert text in problem["errors"][0]["detail"]
    assert len(str(problem)) < 2_000


def test_a_required_parameter_is_asked_for() -> None:
    needed = operation("x", "GET", "/x", Parameter("q", {"type": "string"}, required=True))
    with pytest.raises(Problem, match="query/q: is missing"):
        query_values(needed, [])


GET = operation("a", "GET", "/a")


@pytest.mark.parametrize(
    ("operations", "text"),
    [
        ([GET, operation("a", "PUT", "/a")], "two operations"),
        ([GET, operation("b", "GET", "/a")], "is taken"),
        ([operation("a", "GET", "/a/{id}")], "parameters differ"),
        ([operation("a", "GET", "/a", ID)], "parameters differ"),
        ([operation("a", "PUT", "/a", takes="Nothing")], "no schema Nothing"),
        ([operation("a", "PUT", "/a", takes="Odd")], "'oneOf' is not checked"),
        ([operation("a", "GET", "/a", Parameter("q", {"type": "text"}))], "no type"),
    ],
)
def test_mistakes_in_a_table_are_found_when_it_is_made(operations: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Table(operations, {"Odd": {"oneOf": []}})
