"""Counts by name in bounded memory: what is beyond the limit is counted together, so that sums stay exact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Dict

OTHER = "~other"  # no name starts with a tilde but tokens, and those are longer

Counts = Dict[str, int]


def tally(counts: Counts, name: str, times: int, limit: int) -> None:
    """Count ``name``; of more than ``limit`` names the later ones are counted as ``OTHER``."""
    if name in counts:
        counts[name] += times
    elif len(counts) < limit:
        counts[name] = times
    else:
        counts[OTHER] = counts.get(OTHER, 0) + times


def add_all(counts: Counts, more: Mapping[str, int], limit: int) -> None:
    """Add the counts of another part of the data; in the order of names, so that a merge has one outcome."""
    for name in sorted(more):
        tally(counts, name, more[name], limit)


def counts_of(state: Any) -> Counts:
    """Return the counts of a state. TypeError or ValueError when it is none."""
    return {str(name): int(times) for name, times in dict(state).items()}


def names(counts: Mapping[str, int]) -> list[str]:
    """Return what was counted by name, sorted."""
    return sorted(name for name in counts if name != OTHER)
