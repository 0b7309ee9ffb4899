"""Which Splunk the tests run on: the stand-in, or the one that SPLUNK_URL names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import app
from tests.support.splunk import Rest, Splunk, Target, unready
from tests.support.splunk_standin import standin


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
