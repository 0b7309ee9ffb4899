"""What the demo shows: a line when a stage begins, its progress, what was seen, and the record of it as JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from apisec_sandbox.demo.processes import DemoError

CLEAR_LINE = "\r\x1b[2K"  # ECMA-48: back to the first column, erase the line


@dataclass
class Stage:
    """One stage as it was observed. ``facts`` are figures for ``--json``; ``seconds`` is how long it took."""

    name: str
    title: str
    observed: bool = False
    started: float = 0.0
    seconds: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    error: str | None = None

    def see(self, line: str, **facts: Any) -> None:
        """Note one thing that was seen, in words for people and in figures for ``--json``."""
        self.lines.append(line)
        self.facts.update(facts)


class Timeline:
    """Prints stages as they happen. ``started`` of a stage counts seconds since the demo began."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.stages: list[Stage] = []
        self._began = time.monotonic()
        self.began_at = time.time()

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._began

    @contextmanager
    def stage(self, name: str, title: str) -> Iterator[Stage]:
        """Run one stage; it counts as observed when its block ends without an error."""
        stage = Stage(name, title, started=round(self.elapsed, 2))
        self.stages.append(stage)
        self.say(f"[dim]{self._clock()}[/]  [bold]{escape(title)}[/]")
        try:
            yield stage
            stage.observed = True
        except DemoError as error:
            stage.error = str(error)
            raise
        finally:
            stage.seconds = round(self.elapsed - stage.started, 2)
            for line in stage.lines:
                self.say(f"         {escape(line)}")
            mark = "[green]✔ seen[/]" if stage.observed else "[red]✘ not seen[/]"
            self.say(f"         {mark} [dim]after {stage.seconds:.1f} s[/]")

    def progress(self, text: str) -> None:
        """Say what is being waited for, in one line that the next one replaces; nothing where there is no terminal."""
        if self.console.is_terminal:
            width = max(20, self.console.width - 10)
            self.console.file.write(f"{CLEAR_LINE}         {text[:width]}")
            self.console.file.flush()

    def say(self, markup: str) -> None:
        """Print one line over whatever progress stood there."""
        if self.console.is_terminal:
            self.console.file.write(CLEAR_LINE)
        self.console.print(markup, highlight=False, soft_wrap=True)

    def _clock(self) -> str:
        minutes, seconds = divmod(self.elapsed, 60)
        return f"{int(minutes):02d}:{seconds:04.1f} "

    def write(self, path: Path, summary: dict[str, Any]) -> None:
        """Write what was observed: the summary's keys, and per stage its figures and times in seconds."""
        document = {
            **summary,
            "began": self.began_at,
            "seconds": round(self.elapsed, 2),
            "stages": [
                {
                    "name": stage.name,
                    "observed": stage.observed,
                    "started": stage.started,
                    "seconds": stage.seconds,
                    "error": stage.error,
                    **stage.facts,
                }
                for stage in self.stages
            ],
        }
        path.write_text(json.dumps(document, indent=2, sort_keys=False) + "\n", encoding="utf-8")
