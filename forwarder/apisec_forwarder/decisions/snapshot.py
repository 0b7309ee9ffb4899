"""The history of steps on disk, so that a restart refuses nobody for a step it would have forgotten.

A file of JSON lines: a head, then one line a principal. It holds tokens and templates, no raw values.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson

from apisec.patterns.history import History
from apisec_forwarder.files import write_private

NAME = "history.jsonl"
VERSION = 1
SLICE = 200  # principals between two looks at the event loop


async def save(history: History, path: Path) -> None:
    """Write the history in slices, so that no call-out waits for it."""
    lines = [orjson.dumps({"version": VERSION, "since": history.since})]
    for index, principal in enumerate(history.principals()):
        lines.append(orjson.dumps([principal, history.export(principal)]))
        if index % SLICE == SLICE - 1:
            await asyncio.sleep(0)
    data = b"\n".join(lines) + b"\n"
    await asyncio.get_running_loop().run_in_executor(None, lambda: write_private(path, data, durable=False))


def load(history: History, path: Path, now: float) -> int:
    """Restore what was saved and begin to observe; return the number of principals, 0 without a usable file."""
    history.start(now)
    try:
        with path.open("rb") as file:
            head = orjson.loads(file.readline())
            if head["version"] != VERSION:
                return 0
            for line in file:
                principal, steps = orjson.loads(line)
                history.restore(str(principal), steps)
            history.since = None if head["since"] is None else min(now, float(head["since"]))
    except FileNotFoundError:
        return 0
    except (OSError, ValueError, KeyError, TypeError):
        history.start(now)  # a damaged file: what it held is unknown from now on
    return len(history)
