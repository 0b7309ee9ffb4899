"""Overrides: which one decides about a field, and what a document may not say."""

from __future__ import annotations

import datetime
import itertools
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from apisec.classification import overrides as module
from apisec.classification.globs import fits, intersect, paths_intersect, segments
from apisec.classification.overrides import Override, Overrides, place, read
from apisec.errors import DocumentError

CASES = Path(__file__).parents[2] / "cases" / "overrides"
FIND = yaml.safe_load((CASES / "find.yml").read_text(encoding="utf-8"))
PROBLEMS = yaml.safe_load((CASES / "problems.yml").read_text(encoding="utf-8"))
DAY = datetime.date(2026, 11, 21)


def entry(
    service: str, operation: Optional[str], location: Optional[str], path: str, data_class: str
) -> Dict[str, Any]:
    made = {"service": service, "operation": operation, "in": location, "path": path, "class": data_class}
    return {"author": "ada", "reason": "checked by hand", **{key: value for key, value in made.items() if value}}


def document(entries: List[Dict[str, Any]]) -> Dict[str, Any]:
    return {"version": 1, "overrides": entries}


@pytest.mark.parametrize("case", FIND, ids=lambda case: case["name"])
@pytest.mark.parametrize("order", [1, -1])
def test_find(case: Dict[str, Any], order: int) -> None:
    overrides = Overrides.parse(document([entry(*row) for row in case["entries"]][::order]), "f.yaml")
    assert len(overrides) == len(case["entries"])
    for _ in range(2):  # the second answer is remembered
        for service, operation, location, path, answer in case["asked"]:
            assert overrides.find(service, operation, location, path) == answer, path


@pytest.mark.parametrize("case", PROBLEMS, ids=lambda case: case["name"])
def test_problems(case: Dict[str, Any]) -> None:
    _, problems = read(case["document"])
    assert [place(problem.at) for problem in problems] == [where for where, _ in case["problems"]]
    unsaid = [message for at, (_, message) in enumerate(case["problems"]) if message not in problems[at].message]
    assert unsaid == []
    with pytest.raises(DocumentError) as caught:
        Overrides.parse(case["document"], "f.yaml")
    assert str(caught.value).count("f.yaml: ") == len(problems)


def test_expiry_is_the_first_day_without_it() -> None:
    later = {**entry("s", None, None, "b", "pii.name"), "expires": DAY}
    text = {**entry("s", None, None, "c", "pii.name"), "expires": "2027-01-01"}
    overrides = Overrides.parse(document([entry("s", None, None, "a", "pii.name"), later, text]), "f")
    assert overrides.next_expiry() == DAY
    assert [one.path for one in overrides.on(DAY - datetime.timedelta(1)).entries] == ["a", "b", "c"]
    after = overrides.on(DAY)
    assert [one.path for one in after.entries] == ["a", "c"]
    assert after.find("s", "GET /", "body", "b") is None
    assert after.next_expiry() == datetime.date(2027, 1, 1)
    assert Overrides().next_expiry() is None


def test_the_winner_says_who_and_why() -> None:
    overrides = Overrides.parse(document([entry("s", None, None, "a", "none")]), "f")
    winner = overrides.winner("s", "GET /", "body", "a")
    assert winner is not None
    assert (winner.author, winner.reason) == ("ada", "checked by hand")


def test_too_many_wildcards_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_GLOBS", 3)
    entries = [entry("s", None, None, f"f{n}.*", "pii.name") for n in range(4)]
    assert read(document(entries[:3]))[1] == []
    assert "more than 3 entries with wildcards" in read(document(entries))[1][0].message


def test_a_lookup_does_not_walk_all_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [entry("s", None, None, f"part{n}.name{n}", "pii.name") for n in range(10_000)]
    overrides = Overrides.parse(document([*entries, entry("s", None, None, "**.ref", "pii.email")]), "f")
    asked = []
    counts = module._counts

    def counted(one: Override, operation: str, location: str) -> bool:
        asked.append(one)
        return counts(one, operation, location)

    monkeypatch.setattr(module, "_counts", counted)
    assert overrides.find("s", "GET /", "body", "part77.name77") == "pii.name"
    assert overrides.find("s", "GET /", "body", "part77.name78") is None
    assert overrides.find("s", "GET /", "body", "part77.x.ref") == "pii.email"
    assert len(asked) == 2


def test_the_memory_of_answers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CACHE", 10)
    overrides = Overrides.parse(document([entry("s", None, None, "a.*", "pii.name")]), "f")
    for n in range(100):
        assert overrides.find("s", "GET /", "body", f"a.{n}") == "pii.name"
        assert len(overrides._known) <= 10


GLOBS = st.text(alphabet="ab*", max_size=6)
PATHS = st.lists(st.sampled_from(["a", "b", "ab", "*", "a*", "**"]), min_size=1, max_size=5)
TEXTS = ["".join(letters) for size in range(6) for letters in itertools.product("ab", repeat=size)]


@given(GLOBS, GLOBS)
def test_globs_intersect_when_a_text_fits_both(left: str, right: str) -> None:
    found = any(fits(left, text) and fits(right, text) for text in TEXTS)
    assert intersect(left, right) == intersect(right, left)
    if found or len((left + right).replace("*", "")) <= 5:
        assert intersect(left, right) == found


@given(PATHS, st.lists(st.sampled_from(["a", "b", "ab", "aab"]), min_size=1, max_size=5))
def test_the_trie_finds_what_the_globs_say(glob: List[str], path: List[str]) -> None:
    one = Override("s", ".".join(glob), "pii.name", "a", "r")
    expected = paths_intersect(tuple(glob), tuple(path))
    assert (Overrides([one]).find("s", "", "body", ".".join(path)) == "pii.name") is expected


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_path_is_too_strange(path: str, operation: str) -> None:
    overrides = Overrides.parse(document([entry("s", "G*", None, "**.a*b*c.**", "pii.name")]), "f")
    overrides.find("s", operation, "body", path)
    assert ".".join(segments(path)) == path


def test_hostile_text_costs_no_more_than_the_product_of_lengths() -> None:
    assert not fits("a*" * 400 + "b", "a" * 20_000)
    deep = Override("s", ".".join(["**", "a"] * 20), "pii.name", "a", "r")
    assert Overrides([deep]).find("s", "", "body", ".".join("a" * 500)) == "pii.name"
