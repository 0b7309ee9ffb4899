"""The lint of every search: what it finds, where it says it is, and that nothing is passed over in silence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import detections
import reference
import spl_check
import spl_rules
import spl_sources
from apisec_sandbox.spl import aggregates, functions
from apisec_sandbox.spl.commands import OPTIONS, REGISTRY

ROOT = detections.ROOT


@pytest.fixture(scope="module")
def checker() -> Iterator[spl_check.Checker]:
    with spl_check.Checker() as made:
        yield made


def plain(
    text: str, kind: str = "dashboard", earliest: str | None = "-1h", latest: str | None = "now"
) -> spl_sources.Source:
    def place(position: int) -> tuple[int, int]:
        return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)

    shown = spl_sources.without_tokens(text)
    return spl_sources.Source(Path("a.conf"), kind, "it", shown, place, 0, earliest, latest)


def said(checker: spl_check.Checker, source: spl_sources.Source) -> list[str]:
    return [str(found) for found in checker.check(source)]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("dashboard", 'index=apisec | map search="search x"', "a.conf:1:16: it: "),
        ("dashboard", "index=apisec | delete", "a.conf:1:16: it: "),
        ("dashboard", "index=apisec\n| stat count", "a.conf:2:3: it: Unknown search command 'stat'"),
        ("dashboard", "`apisec_transactions` | eval a=nonsense(1)", "a.conf:1:32: it: "),
        ("dashboard", "index=* error", "a.conf:1:7: it: index=* reads every index"),
        ("dashboard", "index=apisec *word", "a.conf:1:14: it: a leading wildcard"),
        ("dashboard", "index=apisec principal=*word", "a leading wildcard"),
        ("dashboard", "index=apisec | sort principal | streamstats count", "a.conf:1:16: it: sort keeps 10,000 rows"),
        ("dashboard", "`no_such_macro` | stats count", "a.conf:1:1: it: "),
        ("dashboard", "index=apisec | lookup no_such principal", "no_such"),
        ("dashboard", "index=apisec | stats count by", "a.conf:1:"),
        (
            "detection",
            "index=apisec | append [ search index=apisec | stats count ]",
            "a.conf:1:16: it: command 'append' in a",
        ),
        ("detection", "index=apisec [ search index=apisec | fields principal ]", "note: it: a subsearch keeps"),
        ("detection", "index=apisec principal!=x | stats count", "drops events without principal"),
        ("dashboard", "index=apisec | bucket _time span=1h", "note: it: command 'bucket' is an old name of 'bin'"),
        ("dashboard", "index=apisec | eval a=first-last", "note: it: 'first-last' subtracts"),
        ("eventtype", "index=apisec | head 1", "a.conf:1:14: it: an event type is a filter"),
        ("eval", "| makeresults | eval a=1==1", "boolean"),
    ],
)
def test_it_finds(checker: spl_check.Checker, kind: str, text: str, expected: str) -> None:
    found = said(checker, plain(text, kind))
    assert any(expected in line for line in found), found


@pytest.mark.parametrize(
    ("kind", "earliest", "expected"),
    [
        ("scheduled", "", "earliest and latest are needed"),
        ("detection", None, "earliest and latest are needed"),
        ("dashboard", "rt-1h", "rt-1h: real-time"),
    ],
)
def test_it_wants_times(checker: spl_check.Checker, kind: str, earliest: str | None, expected: str) -> None:
    assert any(expected in line for line in said(checker, plain("index=apisec | stats count", kind, earliest)))


@pytest.mark.parametrize(
    "text",
    [
        "`apisec_transactions` service=$service|s$ | timechart count BY action",
        "index=apisec principal=* | sort 0 principal | streamstats count by principal | dedup principal",
        '| inputlookup apisec_exceptions where operation="$operation$" | table service, operation',
        "index=apisec NOT principal=x | stats count(eval(status>400)) AS bad p95(response_time) BY service",
        "| tstats count WHERE index=apisec BY operation _time span=1h",
    ],
)
def test_it_passes(checker: spl_check.Checker, text: str) -> None:
    assert said(checker, plain(text)) == []


def test_a_position_behind_a_macro_is_that_of_the_text_as_written(checker: spl_check.Checker) -> None:
    text = "`apisec_transactions` principal=x\n  | `apisec_dedup` | eval a=b(2)"
    assert said(checker, plain(text))[0].startswith("a.conf:2:29: ")


def test_places_in_files(tmp_path: Path) -> None:
    """Each kind of file gives the line and column at which a word of its search stands."""
    (tmp_path / "default").mkdir()
    conf = tmp_path / "default/savedsearches.conf"
    conf.write_text("# x\n[one]\nsearch = index=a \\\n| WORD b\nenableSched = 1\n")
    view = tmp_path / "view.xml"
    body = json.dumps({"dataSources": {"q": {"type": "ds.search", "options": {"query": 'a "b" WORD'}}}}, indent=1)
    view.write_text(f'<dashboard version="2"><definition><![CDATA[\n{body}\n]]></definition></dashboard>')
    simple = tmp_path / "simple.xml"
    simple.write_text("<dashboard>\n<query>index=a\n| WORD</query></dashboard>")
    page = tmp_path / "page.md"
    page.write_text("Text\n\n```spl\nindex=a\n| WORD\n```\n")
    rule = tmp_path / "rule.yml"
    rule.write_text(
        "search: |-\n  index=a\n    | WORD\ndeployment: {scheduling: {earliest_time: -1h, latest_time: now}}\n"
        "drilldown_searches:\n  - {name: n, search: 'it''s WORD', earliest_offset: -1h, latest_offset: now}\n"
        "  - {name: o, search: '%original_detection_search% | ABOVE', earliest_offset: -1h, latest_offset: now}\n"
    )
    sources = [
        *spl_sources.conf_sources(tmp_path / "default"),
        *spl_sources.view(view),
        *spl_sources.view(simple),
        *spl_sources.document(page),
        *spl_sources.detection(rule),
    ]
    assert [source.kind for source in sources] == [
        "scheduled",
        "dashboard",
        "dashboard",
        "doc",
        "detection",
        "drilldown",
        "drilldown",
    ]
    for source in sources:
        word = "ABOVE" if source.own else "WORD"  # the detection's own search, before the drilldown's
        line, column = (int(part) for part in source.at(source.text.index(word)).rsplit(":", 2)[1:])
        assert source.path.read_text().splitlines()[line - 1][column - 1 :].startswith(word), source


def test_a_chain_is_read_behind_its_base(tmp_path: Path) -> None:
    sources = {
        "base": {"type": "ds.search", "options": {"query": "index=apisec"}},
        "more": {"type": "ds.chain", "options": {"extend": "base", "query": "| WORD"}},
    }
    view = tmp_path / "view.xml"
    body = json.dumps({"dataSources": sources})
    view.write_text(f'<dashboard version="2"><definition><![CDATA[{body}]]></definition></dashboard>')
    chain = list(spl_sources.view(view))[1]
    assert chain.text == "index=apisec | WORD"
    _, column = (int(part) for part in chain.at(chain.text.index("WORD")).rsplit(":", 2)[1:])
    assert view.read_text()[column - 1 :].startswith("WORD")


def test_every_kind_of_search_is_read() -> None:
    """That none is at fault says the lint, before any test."""
    listed = list(spl_sources.every())
    assert {"detection", "drilldown", "dashboard", "macro", "eventtype", "eval"} <= {one.kind for one in listed}
    assert len(listed) > 40


def test_the_stand_in_has_nothing_that_splunk_does_not_document() -> None:
    words = spl_rules.vocabulary()
    assert [name for name in REGISTRY if name not in words["commands"]] == []
    assert [name for name in functions.SIGNATURES if name not in spl_rules.known_functions("functions")] == []
    assert [name for name in aggregates.FUNCTIONS if name not in spl_rules.known_functions("aggregates")] == []
    for name, options in OPTIONS.items():
        documented = words["commands"][name]["options"]
        assert documented == "any" or set(options) <= set(documented), name
    assert set(words["risky"]) | set(words["costly"]) | set(words["outdated"]) <= set(words["commands"])


def test_the_pages_of_the_reference_are_up_to_date() -> None:
    stale = [name for name, page in reference.PAGES.items() if not reference.same(ROOT / name, page())]
    assert stale == [], "run python tools/reference.py"
