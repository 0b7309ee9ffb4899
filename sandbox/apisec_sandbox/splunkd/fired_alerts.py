"""Triggered alerts, as the Triggered Alerts page and alerts/fired_alerts list them.

Source: REST API Reference, "alerts/fired_alerts"; savedsearches.conf.spec (alert.track, alert.expires).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from apisec_sandbox.splunkd.home import write_atomic

MAX_KEPT = 10_000


@dataclass(frozen=True)
class Fired:
    """One alert that triggered; ``name`` is unique."""

    name: str
    savedsearch: str
    app: str
    owner: str
    sid: str
    time: float
    expires: float
    severity: int
    actions: str
    digest: bool
    results: int


class FiredAlerts:
    """Alerts until they expire, in a file."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        held = json.loads(path.read_text()) if path.exists() else []
        self._fired = [Fired(**item) for item in held]

    def add(self, fired: Fired) -> None:
        with self._lock:
            self._fired = [*self._fired, fired][-MAX_KEPT:]
            self._save()

    def list(self) -> list[Fired]:
        """Return what has not expired, the newest first."""
        now = self._clock()
        with self._lock:
            return [fired for fired in reversed(self._fired) if fired.expires > now]

    def delete(self, name: str) -> bool:
        with self._lock:
            before = len(self._fired)
            self._fired = [fired for fired in self._fired if fired.name != name]
            if len(self._fired) < before:
                self._save()
            return len(self._fired) < before

    def _save(self) -> None:
        now = self._clock()
        self._fired = [fired for fired in self._fired if fired.expires > now]
        write_atomic(self._path, json.dumps([asdict(fired) for fired in self._fired]).encode(), 0o600)
