"""A town that has lived for some days, made once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Dict, List

import pytest

from apisec.abuse.engine import Engine
from tests.core.abuse.town import COUNTING, DAYS, findings, ordinary, run


@pytest.fixture(scope="session")
def documents() -> str:
    engine = Engine(families=COUNTING)
    told: List[Dict[str, Any]] = []
    for day in range(DAYS):
        told += run(engine, ordinary(day))
    assert not findings(told), [(one["family"], one["reasons"]) for one in findings(told)]
    return json.dumps(engine.documents(dirty_only=False))


@pytest.fixture
def lived(documents: str) -> Callable[..., Engine]:
    """Make an engine that knows the town."""
    return lambda **more: Engine(json.loads(documents), **{"families": COUNTING, **more})
