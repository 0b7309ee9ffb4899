"""How far the input came: a small file in the folder that splunkd gives it."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Optional

VERSION = 1


@dataclass(frozen=True)
class Progress:
    """``through``: index time up to which events are in the inventory; ``learned``: when flows were learned.

    ``pending``: end of the window that was begun after ``through`` and is not known to be done; a run that finds one
    does exactly that window again. All seconds since the epoch, 0 for never and none.
    """

    through: float = 0.0
    learned: float = 0.0
    pending: float = 0.0


class Checkpoint:
    """Reads and replaces the file of one input; a broken one counts as none, because the KV store knows too."""

    def __init__(self, directory: str, input_name: str) -> None:
        safe = re.sub(r"[^A-Za-z0-9_-]", "_", input_name)
        self._path = Path(directory) / f"{safe}.json"

    def read(self) -> Progress:
        try:
            document = json.loads(self._path.read_text("utf-8"))
            if document["version"] == VERSION:
                return Progress(*(float(document[name]) for name in ("through", "learned", "pending")))
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return Progress()

    def write(self, progress: Progress, *, pid: Optional[int] = None) -> None:
        """Replace the file in one step, so that a crash leaves the old or the new one."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_name(f"{self._path.name}.{pid or os.getpid()}.part")
        with part.open("w", encoding="utf-8") as out:
            json.dump({"version": VERSION, **asdict(progress)}, out)
            out.flush()
            os.fsync(out.fileno())
        part.replace(self._path)
