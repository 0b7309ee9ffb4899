"""Check every search of the app: ``python tools/spl_check.py`` (``--notes`` for advice too).

Each is parsed by the stand-in with the app installed in it, which refuses what is outside its subset, and held to
spl_rules.py; detections are also read by spl_lint.py, which follows their fields. Faults are FILE:LINE:COLUMN: text.
"""

from __future__ import annotations

import argparse
import logging
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import confs
import detections
import render_content
import spl_lint
import spl_rules
import spl_sources
from apisec_sandbox.spl import engine
from apisec_sandbox.spl.context import Context
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.macros import prepare
from apisec_sandbox.splunkd.apps import install
from apisec_sandbox.splunkd.home import Home
from apisec_sandbox.splunkd.runtime import Runtime
from apisec_sandbox.splunkd.server import Options, Splunkd
from apisec_sandbox.splunkd.web import HttpError
from spl_sources import Source

RELATIVE = re.compile(r"rt|\$|[+-]?\d*[a-z]|\d+|now|0")
BOUNDED = frozenset(("scheduled", "detection", "drilldown"))


@dataclass(frozen=True)
class Found:
    """One line of the report."""

    at: str
    name: str
    text: str
    fault: bool

    def __str__(self) -> str:
        return f"{self.at}: {'' if self.fault else 'note: '}{self.name}: {self.text}"


class Checker:
    """The stand-in with the app in it; a context manager, because it owns a folder."""

    def __init__(self, root: Path = detections.ROOT) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="spl-check-")
        staged = Path(self.folder.name) / "apisec"
        for part in ("default", "lookups", "bin", "metadata", "README"):
            if (root / "package" / part).is_dir():
                shutil.copytree(root / "package" / part, staged / part)
        render_content.render(detections.load(root / "content"), staged)
        home = Home(Path(self.folder.name) / "home")
        self.app = install(staged, home).name
        self.splunkd = Splunkd(home, Options(with_tls=False, schedule=False))
        self.splunkd.ensure_admin()
        self.services = Runtime(self.splunkd, self.app, "admin")
        self.own_commands = frozenset(confs.read(root / "package/default/commands.conf"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.splunkd.close()
        self.folder.cleanup()

    def check(self, source: Source) -> Iterator[Found]:
        """Everything there is to say about one search."""
        yield from self._times(source)
        if source.kind == "macro":
            yield from self._macro(source)
            return
        if source.kind == "eventtype" and "|" in re.sub(r'"(?:[^"\\]|\\.)*"', "", source.text):
            yield self._found(source, source.text.index("|"), "an event type is a filter: it has no pipe")
        problem = self.parse(source)
        if problem:
            yield problem
            return
        yield from self._rules(source)

    def parse(self, source: Source) -> Found | None:
        """What the stand-in's parser says against it."""
        context = Context(self.services, time.time(), app=self.app)
        try:
            engine.check(source.text, self.services, context)
        except HttpError as error:
            return self._found(source, source.own, error.text)
        except SplError as error:
            return self._found(source, max(source.own, error.position), error.message)
        return None

    def _rules(self, source: Source) -> Iterator[Found]:
        whole = prepare(source.text, self.services.macro)
        scene = spl_rules.Scene(source.kind, self.own_commands)
        for remark in spl_rules.remarks(whole, scene):
            position = whole.origin(remark.position)[1]
            if position >= source.own:  # a base search is checked where it stands
                yield self._found(source, position, remark.text, remark.fault)

    def _macro(self, source: Source) -> Iterator[Found]:
        """A macro may hold a filter, commands, or a value: one of these must parse."""
        problems = []
        for prefix in ("", "| makeresults | ", "| makeresults | eval macro_value="):
            tried = Source(source.path, "macro", source.name, prefix + source.text, source.place, len(prefix))
            problem = self.parse(tried)
            if problem is None:
                if prefix != "| makeresults | eval macro_value=":
                    yield from (f for f in self._rules(tried) if "wildcard" not in f.text)
                return
            problems.append(problem)
        yield problems[0]

    def _times(self, source: Source) -> Iterator[Found]:
        times = [text for text in (source.earliest, source.latest) if text]
        if source.kind in BOUNDED and len(times) < 2:
            yield self._found(source, source.own, "earliest and latest are needed, or it reads all of time")
        yield from (
            self._found(source, source.own, f"{text}: real-time searches keep a process busy: use a schedule")
            for text in times
            if text.startswith("rt")
        )

    def _found(self, source: Source, position: int, text: str, fault: bool = True) -> Found:
        return Found(source.at(position), source.name, text.split("\n")[0], fault)


def everything(root: Path = detections.ROOT) -> tuple[list[Found], int]:
    """All remarks, and the number of searches that were read."""
    with Checker(root) as checker:
        sources = list(spl_sources.every(root))
        return [found for source in sources for found in checker.check(source)], len(sources)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notes", action="store_true", help="show advice too")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    found, number = everything()
    known = detections.load()
    knowledge = spl_lint.Knowledge.of(detections.ROOT / "package/default", known)
    faults = [str(item) for item in found if item.fault]
    faults += [f"content/detections/{d.slug}.yml: {fault}" for d in known for fault in spl_lint.lint(d, knowledge)]
    notes = [str(item) for item in found if not item.fault] if arguments.notes else []
    for line in [*faults, *notes]:
        print(line, file=sys.stderr)
    print(f"spl_check: {number} searches, {len(faults)} faults", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
