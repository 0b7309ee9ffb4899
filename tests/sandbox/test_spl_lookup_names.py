"""What is said of a lookup that somebody may not read: as of one that is not there, never its own name as a hint."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from apisec_sandbox.spl.commands.lookups import find_lookup
from apisec_sandbox.spl.errors import SplError


@pytest.mark.parametrize(("names", "hint"), [(["prices"], ""), (["price", "prices"], " Did you mean 'price'?")])
def test_a_shut_lookup_is_not_proposed_for_itself(names: list[str], hint: str) -> None:
    services = SimpleNamespace(lookup=lambda _: None, lookup_names=lambda: names)
    args: Any = SimpleNamespace(tokens=["prices"], at=1, fail=lambda text, _: SplError(text))
    with pytest.raises(SplError) as problem:
        find_lookup(args, SimpleNamespace(services=services), "prices")  # type: ignore[arg-type]
    assert str(problem.value) == f"The lookup table 'prices' does not exist or is not available.{hint}"
