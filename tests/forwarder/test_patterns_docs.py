"""The examples of docs/patterns.md are patterns."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from apisec.patterns.document import parse
from apisec_forwarder.admin.documents import read

TEXT = (Path(__file__).parents[2] / "docs/patterns.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def test_there_are_examples_of_each_kind() -> None:
    kinds = {("correlation" in e, "requires" in e) for e in EXAMPLES}
    assert kinds == {(False, False), (False, True), (True, False)}


@pytest.mark.parametrize("example", EXAMPLES)
def test_example(example: str) -> None:
    pattern = parse(read(example.encode()), now=1795219200.0)  # 2026-11-21
    assert pattern.mode == "shadow"
