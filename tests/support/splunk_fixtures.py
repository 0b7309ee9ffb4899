"""Which Splunk the tests run on: the stand-in, or the one that SPLUNK_URL names, and then only what can run there."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import app
from tests.support.splunk import Rest, Splunk, Target, unready
from tests.support.splunk_standin import standin

DESELECTED = pytest.StashKey[list[tuple[str, str]]]()


def _reasons() -> dict[str, str]:
    """Marker → why its tests do not run on the Splunk that SPLUNK_URL names."""
    target = Target.from_environment()
    if target is None:
        return {}
    reasons = {"standin": "needs the stand-in's process or files"}
    if not target.reachable:
        reasons["callback"] = "Splunk must reach this machine: set SPLUNK_REACH to its address as Splunk sees it"
    if os.environ.get("SPLUNK_EXCLUSIVE") != "1":
        reasons["exclusive"] = "learns for the whole app: set SPLUNK_EXCLUSIVE=1 where no input apisec_inventory runs"
    return reasons


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out by name what cannot run on the given Splunk."""
    try:
        reasons = _reasons()
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    left_out = [(item, next((r for m, r in reasons.items() if item.get_closest_marker(m)), "")) for item in items]
    config.stash[DESELECTED] = [(item.nodeid, reason) for item, reason in left_out if reason]
    if config.stash[DESELECTED]:
        config.hook.pytest_deselected(items=[item for item, reason in left_out if reason])
        items[:] = [item for item, reason in left_out if not reason]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    left_out = config.stash.get(DESELECTED, [])
    if left_out:
        terminalreporter.section("not run on SPLUNK_URL")
        named = Counter((name.partition("[")[0], reason) for name, reason in left_out)
        for (name, reason), count in named.items():
            terminalreporter.line(f"{name}{f' ({count} cases)' if count > 1 else ''}: {reason}")


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app of this checkout."""
    return app.build(tmp_path_factory.mktemp("app"))


@pytest.fixture(scope="session")
def unpacked(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app's folder, for scripts that a test starts as splunkd would."""
    return app.unpack(archive, tmp_path_factory.mktemp("unpacked"))


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    given = Target.from_environment()
    if given is not None:
        problems = unready(Rest(given), app.version())
        assert not problems, f"{given.url}: " + "; ".join(problems)
        yield given
        return
    with standin(tmp_path_factory.mktemp("splunk"), request.getfixturevalue("archive")) as own:
        yield own


@pytest.fixture
def splunk(target: Target) -> Iterator[Splunk]:
    """One test's use of the Splunk."""
    one = Splunk(target)
    yield one
    one.close()


@pytest.fixture(scope="module")
def module_splunk(target: Target) -> Iterator[Splunk]:
    """The same for all tests of a module."""
    one = Splunk(target)
    yield one
    one.close()
