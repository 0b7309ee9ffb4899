"""The app built from this checkout, and a Splunk that runs it, with its scheduler."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.support import app
from tests.support.splunk import Splunk, Target
from tests.support.splunk_fixtures import archive, module_splunk, target
from tests.support.splunk_standin import standin

__all__ = ["archive", "module_splunk", "target"]
sys.path[:0] = [str(app.ROOT / "tools"), str(app.ROOT / "package/lib")]


@pytest.fixture(scope="module")
def scheduling(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Splunk]:
    """A Splunk whose scheduler runs: SPLUNK_URL's, or a stand-in for one module alone."""
    if Target.from_environment() is not None:
        splunk = Splunk(request.getfixturevalue("target"))
        yield splunk
        splunk.close()
        return
    with standin(tmp_path_factory.mktemp("splunk"), request.getfixturevalue("archive"), schedule=True) as own:
        yield Splunk(own)
