"""What the admin API's handlers work on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from apisec_forwarder.bundles.manage import Bundles
from apisec_forwarder.decisions.feed import Receiver
from apisec_forwarder.decisions.registry import Registry
from apisec_forwarder.decisions.service import DecisionService
from apisec_forwarder.decisions.tally import Tallies


@dataclass(frozen=True)
class Context:
    """``held`` gives the ids of the patterns that the gateway holds alone; times are seconds."""

    registry: Registry
    service: DecisionService
    tallies: Tallies
    receiver: Receiver
    gateway: str
    env: str
    status_file: Path
    held: Callable[[], frozenset[str]]
    clock: Callable[[], float]
    started: float = field(default=0.0)
    bundles: Bundles | None = None  # None: the configuration has no section bundles
