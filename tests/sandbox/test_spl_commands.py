"""Commands by cases: tests/cases/spl/commands/<command>.yml, one file a command; documented behaviour as data.

A case has ``page`` (of the Search Reference), ``search``, and ``rows`` or ``error`` (a part of the message, with
``column``, from 1, where it points). ``columns`` is the order of the columns where it matters, ``setup`` a list of
searches that run before, ``messages`` what the job says beside its rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from apisec_sandbox.spl.commands import REGISTRY, UNSUPPORTED
from apisec_sandbox.spl.values import to_text
from apisec_sandbox.splunkd.apps import install
from apisec_sandbox.splunkd.home import Home
from apisec_sandbox.splunkd.indexes import Event
from apisec_sandbox.splunkd.jobs import Request
from apisec_sandbox.splunkd.server import Options, Splunkd
from apisec_sandbox.splunkd.web import HttpError

FOLDER = Path(__file__).parents[1] / "cases" / "spl" / "commands"
APP = Path(__file__).parent / "fixtures" / "commandsapp"
START, NOW = 1_700_000_000, 1_700_000_300


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


FILES = {path.stem: load(path) for path in sorted(FOLDER.glob("[a-z]*.yml"))}
CASES = [pytest.param(case, id=f"{name}-{place}") for name, cases in FILES.items() for place, case in enumerate(cases)]
ERRORS = load(FOLDER / "_errors.yml")


@pytest.fixture(scope="module")
def splunkd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Splunkd]:
    home = Home(tmp_path_factory.mktemp("home"))
    install(APP, home)
    made = Splunkd(home, Options(with_tls=False, schedule=False))
    made.ensure_admin()
    made.store.append(
        Event(START + 60 * place, NOW, "h", "s", "cases", json.dumps(item), {"level": str(place // 3)})
        for place, item in enumerate(load(FOLDER / "_events.yml")["events"])
    )
    made.confs.write("savedsearches", "mine", {"search": "search status=$which$ | table user"}, "search")
    made.confs.write("savedsearches", "all", {"search": "search index=main | stats count"}, "search")
    made.confs.write("savedsearches", "endless", {"search": "| savedsearch endless"}, "search")
    yield made
    made.close()


def shown(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: [to_text(v) for v in value] if isinstance(value, list) else to_text(value) for name, value in row.items()
    }


@pytest.mark.parametrize("case", CASES)
def test_commands(splunkd: Splunkd, case: dict[str, Any]) -> None:
    for text in case.get("setup", ()):
        assert splunkd.jobs.run(Request(text, now=NOW)).state == "DONE"
    if "error" in case:
        refused(splunkd, case["search"], case["error"], case.get("column", -1))
        return
    job = splunkd.jobs.run(Request(case["search"], now=NOW))
    assert job.state == "DONE", job.error
    assert [shown(row) for row in job.outcome.rows] == case["rows"]
    columns = list(dict.fromkeys(name for row in case["rows"] for name in row))
    assert set(columns) <= set(job.outcome.header)
    if "columns" in case:
        assert job.outcome.header == case["columns"]
    for kind, part in case.get("messages", ()):
        assert any(kind == held and part in text for held, text in job.context.messages), job.context.messages


@pytest.mark.parametrize(("text", "message", "column"), ERRORS, ids=lambda part: str(part)[:50])
def test_errors_name_and_point(splunkd: Splunkd, text: str, message: str, column: int) -> None:
    refused(splunkd, text, message, column)


def refused(splunkd: Splunkd, text: str, message: str, column: int) -> None:
    try:
        failed = splunkd.jobs.run(Request(text, now=NOW)).error
    except HttpError as error:
        failed = error.text
    assert message in failed
    if column >= 0:
        line = text.count("\n", 0, column - 1) + 1
        own = column - 1 - (text.rfind("\n", 0, column - 1) + 1) + 1
        assert f"(line {line}, column {own})" in failed


def test_a_known_command_outside_the_subset_is_named_as_such(splunkd: Splunkd) -> None:
    assert UNSUPPORTED.isdisjoint(REGISTRY)
    for name in sorted(UNSUPPORTED):
        refused(splunkd, f"search index=main | {name} x", f"Error in '{name}' command: a Splunk command that", 21)
