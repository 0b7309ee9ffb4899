"""One Splunk with two teams for all tests of the doors between them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.package.teams.world import World, world


@pytest.fixture(scope="session")
def teams(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("teams"), archive) as made:
        yield made
