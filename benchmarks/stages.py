"""Where the native engine's time goes: processor microseconds of each stage, without those of the stages inside."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from apisec_forwarder.pipeline.native import bodies, compose, engine, listed
from apisec_forwarder.pipeline.native.asking import Asker
from apisec_forwarder.pipeline.native.compose import Composer
from apisec_forwarder.pipeline.native.engine import NativePipeline
from apisec_forwarder.pipeline.native.gate import Gate
from apisec_forwarder.pipeline.native.hits import Hits
from apisec_forwarder.pipeline.native.plans import Tree

# Stage, and what it is made of: an object and the name of its function.
STAGES: tuple[tuple[str, Any, str], ...] = (
    ("whole", NativePipeline, "record"),
    ("target and query", NativePipeline, "_begin"),
    ("heads", NativePipeline, "_read_head"),
    ("heads", NativePipeline, "_read_response_head"),
    ("walk", bodies, "read"),
    ("duplicates", bodies, "check"),
    ("load JSON", engine, "load"),
    ("hyperscan", Gate, "hits"),
    ("join and place hits", Hits, "__init__"),
    ("ask the core", Asker, "_answer"),
    ("finish bodies", bodies.Bodies, "finish"),
    ("field lists", Tree, "fields"),
    ("by part", NativePipeline, "_by_part"),
    ("echo", compose, "stands_anywhere"),
    ("compose", Composer, "compose"),
    ("field lists", listed, "of_request"),
    ("field lists", listed, "of_response"),
)


class Clock:
    """Time by stage; a stage that calls another stops meanwhile."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self._running: list[list[Any]] = []  # stage, and when its own time went on

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            now = time.process_time()
            if self._running:
                self._add(now)
            self._running.append([stage, now])
            try:
                return function(*args, **kwargs)
            finally:
                now = time.process_time()
                self._add(now)
                self._running.pop()
                if self._running:
                    self._running[-1][1] = now

        return run

    def _add(self, now: float) -> None:
        stage, since = self._running[-1]
        self.spent[stage] = self.spent.get(stage, 0.0) + now - since
        self._running[-1][1] = now


@contextmanager
def measured() -> Iterator[dict[str, float]]:
    """Collect seconds by stage of all engines that run inside of the ``with`` block."""
    clock = Clock()
    before = [(owner, name, getattr(owner, name)) for _, owner, name in STAGES if hasattr(owner, name)]
    for stage, owner, name in STAGES:
        if hasattr(owner, name):
            setattr(owner, name, clock.timed(stage, getattr(owner, name)))
    try:
        yield clock.spent
    finally:
        for owner, name, function in before:
            setattr(owner, name, function)
