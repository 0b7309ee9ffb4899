"""The benchmark of path templating measures what it says, and the learner keeps its floor on a small API."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import templating
from benchmarks.paths import specs, values
from benchmarks.paths.peers import digits, ten_siblings
from benchmarks.paths.score import score
from benchmarks.paths.traffic import Request, Traffic

FIELDS = {
    "user": ["login", "bio"],
    "repo": ["stars", "language"],
    "issue": ["title", "state"],
    "search": ["hits"],
    "me": ["theme"],
}
PATHS = {
    "/users/{username}": "user",
    "/users/me": "me",
    "/users/search": "search",
    "/users/{username}/repos": "repo",
    "/repos/{owner}/{repo}/issues": "issue",
    "/repos/{owner}/{repo}/issues/{number}": "issue",
    "/repos/{owner}/{repo}/pulls": "repo",
    "/orders/{id}:cancel": "user",
}


def document() -> dict[str, object]:
    def answer(kind: str) -> dict[str, object]:
        schema = {"type": "object", "properties": {name: {"type": "string"} for name in FIELDS[kind]}}
        return {"get": {"responses": {"200": {"content": {"application/json": {"schema": schema}}}}}}

    return {"openapi": "3.0.0", "paths": {path: answer(kind) for path, kind in PATHS.items()}}


def folder(tmp_path: Path) -> Path:
    for number in range(12):
        path = tmp_path / f"provider{number}.example" / "1.0" / "openapi.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(document()), encoding="utf-8")
    return tmp_path


def test_the_parts_share_no_provider_and_no_word_of_values(tmp_path: Path) -> None:
    root = folder(tmp_path)
    parts = [{api.provider for api in specs.load(root, held, 99)} for held in (False, True)]
    assert all(parts)
    assert not parts[0] & parts[1]
    assert len(parts[0] | parts[1]) == 12
    taught, blind = values.VOCABULARIES[False], values.VOCABULARIES[True]
    for name in ("words", "names", "surnames", "cities"):
        assert not set(getattr(taught, name)) & set(getattr(blind, name)), name


def test_traffic_is_the_same_each_time_and_follows_the_templates(tmp_path: Path) -> None:
    api = specs.load(folder(tmp_path), True, 1)[0]
    requests = list(Traffic(api, True).requests(3, 9))
    assert requests == list(Traffic(api, True).requests(3, 9))
    assert {request.truth for request in requests} == set(range(len(PATHS)))
    for request in requests:
        template = api.operations[request.truth].segments
        assert len(template) == len(request.segments)
        assert all(t == s for t, s in zip(template, request.segments, strict=True) if "{" not in t)


def test_learning_finds_what_shape_cannot(tmp_path: Path) -> None:
    apis = specs.load(folder(tmp_path), True, 4)
    ways: dict[str, templating.Templater] = {"learned": templating.Learner(), "shape": templating.shape}
    found = templating.examine(apis, True, (20, 60), ways)
    learned, shape = (templating.total(found[name]).rates() for name in ("learned", "shape"))
    assert learned["recall"] >= 0.9
    assert learned["lost"] == 0
    assert learned["exact"] > shape["exact"]


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ([("users", "{}"), ("users", "{}")], {"recalled": 1, "exact": 1, "lost": 0, "right": 2}),
        ([("users", "{}"), ("users", "bob")], {"recalled": 1, "exact": 0, "lost": 0, "right": 1}),
        ([("users", "ann"), ("users", "bob")], {"recalled": 0, "exact": 0, "lost": 0, "right": 0}),
    ],
)
def test_scores(taken: list[tuple[str, ...]], expected: dict[str, int]) -> None:
    operation = specs.Operation("GET", ("users", "{name}"), {})
    requests = [Request("GET", ("users", name), (), (), 0) for name in ("ann", "bob")]
    result = score(specs.Api("p", "a", (operation,)), requests, taken)
    assert {name: getattr(result, name) for name in expected} == expected


def test_a_fixed_path_that_became_a_parameter_is_lost() -> None:
    operation = specs.Operation("GET", ("users", "me"), {})
    result = score(specs.Api("p", "a", (operation,)), [Request("GET", ("users", "me"), (), (), 0)], [("users", "{}")])
    assert (result.static, result.lost) == (1, 1)


def test_peers() -> None:
    paths = [("GET", ("users", name)) for name in "abcdefghijk"] + [
        ("GET", ("users", "7")),
        ("GET", ("id", "abc12345")),
    ]
    merged = ten_siblings(paths)
    assert {merged[path] for path in paths[:12]} == {("users", "{}")}
    assert merged["GET", ("id", "abc12345")] == ("id", "abc12345")
    few = ten_siblings(paths[:5])
    assert few["GET", ("users", "a")] == ("users", "a")
    told = digits(paths)
    assert (told["GET", ("users", "a")], told["GET", ("id", "abc12345")]) == (("users", "a"), ("id", "{}"))


def test_without_documents_nothing_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert templating.main([]) == 0
    assert "nothing measured" in capsys.readouterr().out
