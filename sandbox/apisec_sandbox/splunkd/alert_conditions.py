"""When an alert triggers, and when it is throttled.

Source: savedsearches.conf.spec (counttype, relation, quantity, alert_condition, alert.suppress*); Alerting Manual,
"Configure alert trigger conditions", "Throttle alerts".
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from apisec_sandbox.spl import engine
from apisec_sandbox.spl.context import Stage
from apisec_sandbox.spl.values import Row, to_number, to_text
from apisec_sandbox.splunkd.confs import Stanza
from apisec_sandbox.splunkd.home import write_atomic
from apisec_sandbox.splunkd.job import Job
from apisec_sandbox.splunkd.periods import seconds_of

LOG = logging.getLogger("apisec_sandbox.scheduler")
COUNTED = ("number of events", "number of results", "number of hosts", "number of sources")
RELATIONS: dict[str, Callable[[float, float], bool]] = {
    "greater than": lambda a, b: a > b,
    "less than": lambda a, b: a < b,
    "equal to": lambda a, b: a == b,
    "not equal to": lambda a, b: a != b,
}
CHANGES = {"rises by": 1, "drops by": -1}
COMPARATORS = (*RELATIONS, *CHANGES)


def triggers(stanza: Stanza, job: Job, previous: float | None) -> bool:
    """Whether the results fulfil the condition; ``previous`` is the count of the run before."""
    custom = stanza.get("alert_condition")
    kind = stanza.get("counttype", "always").lower() or "always"
    if custom and kind in ("always", "custom"):
        return _custom(custom, job)
    if kind == "always":
        return bool(job.outcome.rows) or not stanza.get("relation")
    if kind == "custom":
        return bool(job.outcome.rows)
    return _compare(stanza, count(stanza, job.outcome.rows), previous)


def count(stanza: Stanza, rows: list[Row]) -> int:
    """What counttype counts."""
    kind = stanza.get("counttype", "always").lower()
    if kind in ("number of hosts", "number of sources"):
        name = kind.removeprefix("number of ").removesuffix("s")
        return len({to_text(row[name]) for row in rows if row.get(name) is not None})
    return len(rows)


def _compare(stanza: Stanza, found: int, previous: float | None) -> bool:
    relation, text = stanza.get("relation").lower(), stanza.get("quantity").strip()
    quantity = to_number(text.removesuffix("%"))
    if quantity is None or relation not in COMPARATORS:
        LOG.warning('saved search "%s": relation and quantity do not make a condition', stanza.name)
        return False
    if relation in RELATIONS:
        return bool(RELATIONS[relation](found, float(quantity)))
    if previous is None:  # the first run has nothing to rise or drop from
        return False
    change = (found - previous) * CHANGES[relation]
    needed = previous * float(quantity) / 100 if text.endswith("%") else float(quantity)
    return change > 0 and change >= needed


def _custom(text: str, job: Job) -> bool:
    """Run the condition over the results: it triggers when a row is left."""
    compiler = engine.Compiler(job.context.services, job.context)
    stage = Stage([dict(row) for row in job.outcome.rows], list(job.outcome.header))
    for command in compiler.compile_continuation(text):
        stage = command.apply(stage, job.context)
    return next(iter(stage.rows), None) is not None


class Memory:
    """What alerts remember between runs, in a file so that a restart does not fire again: throttles and counts."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        held: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        # The first version of the file held throttles only.
        self._throttles: dict[str, float] = held.get("throttles", {}) if "throttles" in held else held
        self._counts: dict[str, float] = held.get("counts", {}) if "throttles" in held else {}

    def _save(self) -> None:
        content = json.dumps({"throttles": self._throttles, "counts": self._counts})
        write_atomic(self._path, content.encode(), 0o600)

    def suppressed(self, stanza: Stanza, group: str, rows: list[Row], digest: bool) -> bool:
        """Whether an alert of the same fields fired within the period; if not, start its period."""
        key = json.dumps([group, [] if digest else throttle_values(stanza, rows)])
        whole = json.dumps([group, []])
        with self._lock:
            now = self._clock()
            self._throttles = {k: until for k, until in self._throttles.items() if until > now}
            if key in self._throttles or whole in self._throttles:
                return True
            if not stanza.flag("alert.suppress"):
                return False
            self._throttles[key] = now + seconds_of(stanza.get("alert.suppress.period") or "1h")
            self._save()
        return False

    def suppress(self, group: str, seconds: float) -> None:
        """Hold all alerts of the group back for so long; 0 lifts every throttle of it."""
        with self._lock:
            if seconds:
                self._throttles[json.dumps([group, []])] = self._clock() + seconds
            else:
                self._throttles = {k: v for k, v in self._throttles.items() if json.loads(k)[0] != group}
            self._save()

    def remaining(self, group: str) -> float:
        """Seconds until the last throttle of the group ends."""
        with self._lock:
            ends = [until for key, until in self._throttles.items() if json.loads(key)[0] == group]
        return max(0.0, max(ends, default=0.0) - self._clock())

    def previous(self, group: str, found: int) -> float | None:
        """Return the count of the run before, and remember this one."""
        with self._lock:
            before = self._counts.get(group)
            if before != found:
                self._counts[group] = float(found)
                self._save()
        return before


def throttle_values(stanza: Stanza, rows: list[Row]) -> list[str]:
    names: Iterable[str] = stanza.get("alert.suppress.fields").replace(",", " ").split()
    first = rows[0] if rows else {}
    return [to_text(first.get(name, "")) for name in names]
