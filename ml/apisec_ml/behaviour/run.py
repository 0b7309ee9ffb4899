"""The engine over whole files, window by window as the app's input does it, in as many processes as there are cores."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import joblib

from apisec.abuse.base import Observation
from apisec.abuse.engine import Engine
from apisec.abuse.families import FAMILIES
from apisec.abuse.model import Models
from apisec_ml.behaviour.events import parts_of
from apisec_ml.behaviour.rows import Source, end_of, slots_of
from apisec_ml.behaviour.truth import DAY, Truth
from apisec_ml.behaviour.whereabouts import Courses

KEPT_SCORE = 60.0  # anomalies below tell nobody anything, and would fill the memory
EPISODE = 6 * 3600.0  # an attack that begins at noon is not the morning's
KEPT_NEAREST = 20.0
KEPT_DECADES = 0.5  # observations below are not worth training on: a third of all rows shows as much
REPORT_SECONDS = 10.0


@dataclass(frozen=True)
class Settings:
    """``model`` is an artefact; None for the one that ships. ``observations`` says to keep them, for training.

    ``families`` are the only ones to look, all of them where there are none.
    """

    model: Path | None = None
    families: frozenset[str] = frozenset()
    cache: Path | None = None
    observations: bool = False
    quiet: bool = False


@dataclass
class Run:
    """What one part gave. Anomalies and observations come with the end of their window (seconds)."""

    source: str
    truth: Truth = field(default_factory=Truth)
    anomalies: list[tuple[float, Mapping[str, Any]]] = field(default_factory=list)
    # The strongest observation by family, service, who and six hours: what is weaker teaches nothing more.
    strongest: dict[tuple[str, str, str, int], tuple[float, Observation]] = field(default_factory=dict)
    # Highest score by service, who, family and day: what a missed campaign was nearest to.
    nearest: dict[tuple[str, str, str, int], float] = field(default_factory=dict)
    courses: Courses = field(default_factory=Courses)
    rows: int = 0
    windows: int = 0
    seconds: float = 0.0
    engine_seconds: float = 0.0
    state_bytes: int = 0

    @property
    def events(self) -> int:
        return self.truth.ordinary + self.truth.attacks


class _Progress:
    """One line to stderr every ten seconds; ``truth`` knows how much there is where rows were kept."""

    def __init__(self, name: str, quiet: bool, truth: Truth) -> None:
        self.name, self.quiet, self.truth = name, quiet, truth
        self.done, self.began = 0, time.monotonic()
        self._next = self.began + REPORT_SECONDS

    def tick(self, count: int) -> None:
        self.done += count
        now = time.monotonic()
        if now >= self._next:
            self._next = now + REPORT_SECONDS
            self.say(f"{self.done:,} events{self._share(now)}, {self.done / (now - self.began):,.0f}/s")

    def _share(self, now: float) -> str:
        total = self.truth.ordinary + self.truth.attacks
        if total <= self.done:  # not known before: counted on the way
            return ""
        left = (now - self.began) * (total - self.done) / max(1, self.done)
        return f" of {total:,}, {left:,.0f} s left"

    def say(self, text: str) -> None:
        if not self.quiet:
            print(f"{self.name}: {text}", file=sys.stderr, flush=True)


def models_of(path: Path | None) -> Models | None:
    """Return the models of an artefact; None stands for those that ship. Raises ModelError."""
    if path is None:
        return None
    from apisec.abuse.artefact import parse_models

    return parse_models(path.read_text(encoding="utf-8"))


def run(source: Source, settings: Settings) -> Run:
    """Let a new engine see all of a source."""
    result = Run(source.name)
    progress = _Progress(f"{source.name} part {source.part.number + 1}", settings.quiet, result.truth)
    seen: list[Observation] = []
    families = [one for one in FAMILIES if one.name in settings.families] or FAMILIES
    engine = Engine(families=families, models=models_of(settings.model), watch=seen.append)
    for slot, rows in slots_of(source, result.truth, settings.cache, progress.tick):
        began = time.perf_counter()
        anomalies = engine.advance(rows, end_of(slot))
        engine.saved()  # as the input does, so that a window costs what it touches
        result.engine_seconds += time.perf_counter() - began
        result.rows += len(rows)
        result.windows += 1
        result.courses.add(end_of(slot), anomalies)
        result.anomalies += [(end_of(slot), one) for one in anomalies if one["score"] >= KEPT_SCORE]
        _note(result, seen, end_of(slot), settings.observations)
        seen.clear()
    result.seconds = time.monotonic() - progress.began
    progress.say(f"{result.events:,} events in {result.seconds:.0f} s")
    return result


def _note(result: Run, seen: Sequence[Observation], time: float, keep: bool) -> None:
    """Keep what observations say of who, and for training the observations themselves."""
    day = int(time // DAY)
    for one in seen:
        if one.score < KEPT_NEAREST:
            continue
        for who in (one.principal,) if one.principal else one.members:
            key = (one.service, who, one.family, day)
            if one.score > result.nearest.get(key, 0.0):
                result.nearest[key] = one.score
    for one in seen if keep else ():
        strength = sum(one.features.values())
        slot = (one.family, one.service, one.principal or one.operation, int(time // EPISODE))
        known = result.strongest.get(slot)
        if strength >= KEPT_DECADES and (known is None or strength > sum(known[1].features.values())):
            result.strongest[slot] = (time, one)


def run_all(sources: Sequence[Source], settings: Settings, jobs: int) -> list[Run]:
    """Run all sources, each in parts by service where there are fewer sources than ``jobs``."""
    wanted = max(1, -(-jobs // len(sources)))
    tasks: list[Source] = []
    for source in sources:
        parts, known = parts_of(source.events, wanted)
        tasks += [replace(source, part=part, known=known) for part in parts]
    if jobs == 1 or len(tasks) == 1:
        return [run(task, settings) for task in tasks]
    tasks_of = (joblib.delayed(run)(task, settings) for task in tasks)
    return list(joblib.Parallel(n_jobs=jobs, backend="multiprocessing")(tasks_of))
