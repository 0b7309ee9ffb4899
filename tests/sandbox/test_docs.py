"""The page on the stand-in names every command of SPL, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from apisec_sandbox.spl.commands import REGISTRY

PAGE = Path(__file__).parents[2] / "docs" / "sandbox.md"


def test_the_page_lists_the_commands() -> None:
    text = PAGE.read_text()
    listed = re.search(r"^Commands: (.*?)\.\n\n", text, re.DOTALL | re.MULTILINE)
    assert listed
    assert set(re.findall(r"[a-z]+", listed[1])) == set(REGISTRY)
