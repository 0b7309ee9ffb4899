"""Index time: each case of tests/cases/hec/index_time.yml through the parser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from apisec_sandbox.splunkd.confs import Confs, Stanza
from apisec_sandbox.splunkd.home import Home
from apisec_sandbox.splunkd.indexes import Event
from apisec_sandbox.splunkd.parsing import Meta, Parser, ParsingError
from apisec_sandbox.splunkd.parsing.strptime import Clock, FormatError, compile_format
from apisec_sandbox.splunkd.parsing.timestamps import recognise

NOW = 1795219200.0
CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[1] / "cases" / "hec" / "index_time.yml").read_text("utf-8")
)


class Given(Confs):
    """Configuration as a case gives it."""

    def __init__(self, home: Home, given: dict[str, dict[str, dict[str, str]]]) -> None:
        super().__init__(home)
        self._given = {
            conf: {name: Stanza(name, "t", settings, settings) for name, settings in stanzas.items()}
            for conf, stanzas in given.items()
        }

    def stanzas(self, conf: str, app: str | None = None, *_: Any, **__: Any) -> dict[str, Stanza]:
        return self._given[conf]


def parser(tmp_path: Path, props: dict[str, dict[str, str]], transforms: dict[str, dict[str, str]]) -> Parser:
    made = Parser(Given(Home(tmp_path), {"props": props, "transforms": transforms}), lambda: NOW)
    made.refresh()
    return made


def seen(event: Event, expected: Any) -> Any:
    """What a case looks at, of one event."""
    if isinstance(expected, str):
        return event.raw
    if isinstance(expected, list):
        return [event.time, event.raw]
    return {name: getattr(event, name) for name in expected}


def run(case: dict[str, Any], tmp_path: Path) -> Iterator[Event]:
    props = {"t": case.get("props", {}), **case.get("stanzas", {})}
    text = case["text"] * case.get("text_times", 1) + case.get("text_end", "")
    meta = Meta("h", case.get("source", "s"), "t", "main")
    return parser(tmp_path, props, case.get("transforms", {})).raw(text, meta)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(case: dict[str, Any], tmp_path: Path) -> None:
    if "error" in case:
        with pytest.raises(ParsingError) as caught:
            list(run(case, tmp_path))
        assert case["error"] in str(caught.value)
        return
    found = list(run(case, tmp_path))
    if "lengths" in case:
        assert [len(event.raw) for event in found] == case["lengths"]
        return
    assert len(found) == len(case["events"]), [event.raw for event in found]
    assert [seen(event, expected) for event, expected in zip(found, case["events"], strict=True)] == case["events"]
    assert all(event.indextime == NOW for event in found)


@given(text=st.text(alphabet=st.sampled_from('ab1 :/-\n\r2026TZ{}",.[]+é'), max_size=200))
def test_nothing_of_a_text_is_lost(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Without merging and cutting, the events are the lines of the text that are not blank."""
    rules = {"t": {"SHOULD_LINEMERGE": "false", "TRUNCATE": "0"}}
    made = parser(Path("/nonexistent"), rules, {})
    found = [event.raw for event in made.raw(text, Meta("h", "s", "t", "main"))]
    lines = text.replace("\r", "\n").split("\n")
    assert found == [line for line in lines if line.strip()]


@given(text=st.text(alphabet=st.sampled_from('0123456789:/-T.,Z+ janfebNovPM[]"='), max_size=128))
def test_any_text_has_a_time_or_none(text: str) -> None:
    found = recognise(text, Clock(NOW))
    assert found is None or isinstance(found, float)


@given(text=st.text(alphabet=st.sampled_from("%YmdHMSzZs369NQ:.- TjpbaIx")), sample=st.text(max_size=30))
def test_any_format_compiles_or_is_refused(text: str, sample: str) -> None:
    try:
        compile_format(text).match(sample)
    except FormatError:
        return


def test_changed_configuration_holds_at_once(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    confs = Confs(home)
    made = Parser(confs, lambda: NOW)
    meta = Meta("h", "s", "t", "main")

    def cut() -> list[str]:
        made.refresh()
        return [event.raw for event in made.raw("abcdef", meta)]

    assert cut() == ["abcdef"]
    confs.write("props", "t", {"TRUNCATE": "3"}, "system")
    assert cut() == ["abc"]
