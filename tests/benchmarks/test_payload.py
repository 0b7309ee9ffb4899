"""The payload benchmark: what it takes for an attack, what for harmless, and how it counts."""

from __future__ import annotations

import base64
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from benchmarks import payload
from benchmarks.payloads import crs, grammar, habits, harmless, installed, tools
from benchmarks.payloads.modsecurity import ModSecurity, Unavailable
from benchmarks.payloads.sent import Sent, complete

RAW = base64.b64encode(b"POST /a?b=1 HTTP/1.1\r\nHost: x\r\n\r\nc=2").decode()
TESTS = {
    "tests": [
        {
            "test_title": f"942100-{number}",
            "stages": [{"stage": {"input": given, "output": output}}],
        }
        for number, (given, output) in enumerate(
            [
                ({"uri": "/?a=1", "headers": {"Host": "h"}}, {"log_contains": 'id "942100"'}),
                ({"method": "POST", "uri": "/", "data": "a=1 or 1=1"}, {"log_contains": 'id "942101"'}),
                ({"uri": "/?a=fine"}, {"no_log_contains": 'id "942100"'}),
                ({"encoded_request": RAW}, {"log_contains": 'id "942100"'}),
                ({"encoded_request": "%"}, {"log_contains": 'id "942100"'}),
            ]
        )
    ]
}


def test_regression_tests_become_requests(tmp_path: Path) -> None:
    (tmp_path / "942100.yaml").write_text(yaml.safe_dump(TESTS))
    (tmp_path / "920100.yaml").write_text(yaml.safe_dump(TESTS))  # of a family about policies: left out
    both = [list(crs.attacks(tmp_path, split)) for split in ("development", "examination")]
    sent = {one.title: (one, rule) for half in both for one, rule in half}
    assert sorted(sent) == ["942100-0", "942100-1", "942100-3"]
    assert sent["942100-1"][0].body == b"a=1+or+1%3D1"
    assert sent["942100-1"][1] == "942101"
    assert (sent["942100-3"][0].method, sent["942100-3"][0].target, sent["942100-3"][0].body) == (
        "POST",
        "/a?b=1",
        b"c=2",
    )
    assert [one.title for split in ("development", "examination") for one, _ in crs.harmless(tmp_path, split)] == [
        "942100-2"
    ]


def test_every_title_is_of_one_split() -> None:
    halves = [crs.split_of(f"942100-{number}") for number in range(300)]
    assert 60 < halves.count("development") < 140


def test_the_examination_is_no_copy_of_development() -> None:
    texts = {}
    for split in ("development", "examination", "third", "fourth"):
        document = yaml.safe_load((harmless.FOLDER / f"{split}.yml").read_text(encoding="utf-8"))
        texts[split] = {text for values in document["kinds"].values() for text in values}
        assert not [text for text in texts[split] if "‹" in harmless._SLOT.sub("", text)]
    for one, other in combinations(texts, 2):
        shared = {text for text in texts[one] & texts[other] if not text.startswith("‹")}
        assert not shared


def test_made_requests_are_whole() -> None:
    made = list(harmless.made("development", 60))
    assert len({one.kind for one in made}) > 10
    for one in made:
        names = [name.lower() for name, _ in one.headers]
        assert "host" in names
        assert bool(one.body) == ("content-length" in names) == ("content-type" in names)


def test_found_requests_are_what_people_wrote() -> None:
    assert len({one.target + one.body.decode() for one in harmless.found(50)}) == 50


def test_habits_are_taught_and_asked_with_other_texts() -> None:
    for kind, teaching, asked in habits.texts("third"):
        assert len(teaching) >= habits.ASKED
        assert 0 < len(asked) <= habits.ASKED
        assert kind.startswith("(") or kind in ("machine", "shopping") or not set(teaching) & set(asked)
    first, second = habits.request("a", "x", 1, 0), habits.request("a", "x", 2, 1)
    assert second.time - first.time == habits.SECONDS_A_DAY
    assert payload.habit_table({"a": {"harmless": 0.25}, "b": {"harmless": 0.75}}).endswith("| mean | 50.0 % |")


def test_rules_refuse_an_attack_and_nothing_else() -> None:
    try:
        rules = ModSecurity()
    except Unavailable as error:
        pytest.skip(str(error))
    ordinary = Sent("x", "x", "GET", "/?a=hello", complete((), b""))
    attack = Sent("x", "x", "GET", "/?a=%3Cscript%3Ealert(1)%3C/script%3E", complete((), b""))
    assert not rules.refuses(ordinary)
    assert rules.refuses(attack)
    assert payload.attack_rules(rules)(attack)
    assert not payload.attack_rules(rules)(ordinary)


def test_tools_send_each_style_the_same_by_a_seed_and_nothing_unfilled() -> None:
    first, again, other = [list(tools.requests(140, seed)) for seed in (1, 1, 2)]
    assert first == again
    assert {one.kind for one in first} == set(tools.STYLES)
    assert len(set(first) & set(other)) < len(first) // 2
    for one in first:
        assert "‹" not in one.target + one.body.decode()
        assert "%E2%80%B9" not in one.target


def test_what_is_told_is_seen_and_not_the_other_way_round() -> None:
    judge = payload.Seen("pure")
    asked = {}
    for text in ("hello", "ls%20-la%20%2Fvar%3B%20df%20-h", "1%27%20or%20%271%27%3D%271"):
        one = Sent("x", text, "GET", f"/?a={text}", complete((), b""))
        asked[text] = judge.told(one), judge.seen(one)
    assert list(asked.values()) == [(False, False), (False, True), (True, True)]


def test_a_seed_grows_the_same_values_and_another_one_others() -> None:
    first, again, other = [list(grammar.values("examination", seed, 8)) for seed in (1, 1, 2)]
    assert first == again
    assert {kind for kind, _ in first} == set(grammar.KINDS)
    assert len(set(first) & set(other)) < len(first) // 4
    assert not [text for _, text in first if "‹" in text or "§" in text]


def test_development_sees_half_of_what_the_grammar_says() -> None:
    seen, whole = grammar.lists("development"), grammar.lists("examination")
    for name, entries in whole.items():
        assert set(seen[name]) <= set(entries)
        assert len(seen[name]) == (-(-len(entries) // 2) if len(entries) >= grammar.LONG else len(entries)), name


def test_files_are_taken_by_folders_of_one_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(12):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "a.py").write_text("\n".join(f"value_{number}_{line} = compute({line})" for line in range(40)))
    monkeypatch.setattr(installed, "ROOTS", (str(tmp_path),))
    installed._files.cache_clear()
    halves = {split: {text for _, text in installed.values(split, 500)} for split in ("development", "examination")}
    installed._files.cache_clear()
    assert halves["development"]
    assert halves["examination"]
    assert not halves["development"] & halves["examination"]
