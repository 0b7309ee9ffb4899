"""The registry of families: an explicit list, one file each."""

from __future__ import annotations

from typing import List, Tuple

from apisec.abuse.base import Family


def _registered(families: List[Family]) -> Tuple[Family, ...]:
    names = [family.name for family in families]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"families registered twice: {', '.join(twice)}")
    return tuple(families)


FAMILIES: Tuple[Family, ...] = _registered([])
