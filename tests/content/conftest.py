"""The app built from this checkout, and a stand-in for Splunk that runs it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import app

sys.path[:0] = [str(app.ROOT / "tools"), str(app.ROOT / "package/lib")]


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return app.build(tmp_path_factory.mktemp("app"))


@pytest.fixture
def splunk(archive: Path, tmp_path: Path) -> Iterator[app.StandIn]:
    stand_in = app.StandIn(tmp_path / "splunk", archive)
    yield stand_in
    stand_in.close()
