"""Structured logs: one JSON object a line on stderr, and never a value that came from traffic.

A record is an event name and fields that the program itself made (counts, states, file names). An exception is
logged by its type and by where it was raised; its message is left out, because messages quote input.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

FieldValue = str | int | float | bool | None

MAX_FRAMES = 12
BURST = 20  # lines of one event …
WINDOW_SECONDS = 60.0  # … in this time; the first one after it says how many were held back
MAX_EVENTS = 1000  # kinds of events that are told apart


class RateLimit(logging.Filter):
    """Lets ``BURST`` lines of one event through in ``WINDOW_SECONDS``: a storm of errors must not fill a disk."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._seen: dict[tuple[str, str], list[float]] = {}  # event → begin of the window, lines in it

    def filter(self, record: logging.LogRecord) -> bool:
        now, event = self._clock(), (record.name, str(record.msg))
        begin, lines = self._seen.get(event, (now, 0.0))
        if now - begin >= WINDOW_SECONDS:
            if lines > BURST:
                record.held_back = int(lines - BURST)
            begin, lines = now, 0.0
        if event not in self._seen and len(self._seen) >= MAX_EVENTS:
            self._seen.clear()
        self._seen[event] = [begin, lines + 1]
        return lines < BURST


class JsonFormatter(logging.Formatter):
    """Formats a record as one JSON line; ``process`` names the process (supervisor, worker-0a, exporter, control)."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "process": self._process,
            "pid": os.getpid(),
            "logger": record.name,
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, dict):
            line["event"] = record.msg
            line.update(fields)
        else:  # a library's own record: its text, without arguments that might hold values
            line["event"] = "library"
            line["text"] = str(record.msg)
        if hasattr(record, "held_back"):
            line["held_back"] = record.held_back
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["frames"] = frames(record.exc_info[2])
        return json.dumps(line, ensure_ascii=True)


def frames(trace: TracebackType | None) -> list[str]:
    """Return where an exception was raised, outermost first: ``file:line function``."""
    found = traceback.extract_tb(trace)[-MAX_FRAMES:]
    return [f"{os.path.basename(frame.filename)}:{frame.lineno} {frame.name}" for frame in found]  # noqa: PTH119


def configure(process: str, level: int = logging.INFO) -> None:
    """Send every logger of this process to stderr as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(process))
    handler.addFilter(RateLimit())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)  # it logs URLs and retries, we log the outcome


def emit(logger: logging.Logger, level: int, event: str, **fields: FieldValue) -> None:
    """Log an event by name with fields; the caller vouches that no field comes from traffic."""
    logger.log(level, event, extra={"fields": fields})


def failure(logger: logging.Logger, event: str, **fields: FieldValue) -> None:
    """Log the exception that is being handled: its type and place, not its message."""
    logger.error(event, exc_info=True, extra={"fields": fields})
