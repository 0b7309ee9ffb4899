"""A short run of the chaos benchmark: whatever broke, sent ids are acknowledged ids once it has healed."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.chaos import run

SECONDS = 25.0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nothing_is_lost_while_everything_breaks(tmp_path: Path) -> None:
    # what is broken here is killed too often in so short a time for an engine that takes seconds to start
    result = run(tmp_path, SECONDS, rate=60, engine="pure")
    assert result.sent > 500
    assert result.missing == []
    assert result.unknown == []
    assert sum(result.faults.values()) > 5
