"""Expressions that compile late behave as the compiled ones do, and say the same of themselves before."""

from __future__ import annotations

import re

import pytest

from apisec.detectors import DETECTORS
from apisec.validators.lazy import lazy


@pytest.mark.parametrize(("pattern", "flags"), [(r"(?i)a(?P<value>\d+)", 0), (r"\w+", re.ASCII), (r"[a-c]", re.I)])
def test_a_lazy_expression_is_the_compiled_one(pattern: str, flags: int) -> None:
    late, now = lazy(pattern, flags), re.compile(pattern, flags)
    assert (late.pattern, late.flags) == (now.pattern, now.flags)
    for text in ("A12", "é", "abc d4"):
        assert [m.span() for m in late.finditer(text)] == [m.span() for m in now.finditer(text)]
        assert bool(late.search(text, 1)) == bool(now.search(text, 1))
    assert dict(late.groupindex) == dict(now.groupindex)


def test_a_wrong_expression_raises_at_its_first_use() -> None:
    late = lazy("(")
    with pytest.raises(re.error):
        late.search("")


def test_every_detector_compiles() -> None:
    for detector in DETECTORS.values():
        assert detector.shape.search("") is None
        if detector.near is not None:
            assert detector.near.shape.search("") is None
            assert re.compile(detector.near.pattern).flags == detector.near.shape.flags
