"""The SPL cases under tests/cases/spl, as searches that any Splunk can run.

A case that brings its own rows (makeresults) runs as it is. One that reads events is narrowed to the events of this
run: every ``search`` and ``tstats`` that starts a pipeline gets the run's index and source. One that reads a lookup
file gets this run's copy. What needs configuration of the case's world (extractions, macros, tags) or writes something
is left out, with the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

Document = dict[str, Any]
# These write, or tell of the machine and not of the language.
NOT_COMPARED = (
    "rest",
    "savedsearch",
    "collect",
    "mcollect",
    "outputlookup",
    "outputcsv",
    "sendalert",
    "loadjob",
    "map",
)
_WORD = re.compile(r"[\w.:{}-]+")


@dataclass(frozen=True)
class Case:
    """``world`` names the events that it runs on, "" for none; ``reason`` says why it cannot run."""

    name: str
    search: str
    earliest: str = ""
    latest: str = ""
    now: float = 0.0
    world: str = ""
    refused: bool = False
    reason: str = ""


@dataclass
class World:
    """Events as HEC envelopes, lookup files, and the names that its configuration gives a meaning to."""

    name: str
    now: float
    envelopes: list[Document] = field(default_factory=list)
    lookups: dict[str, str] = field(default_factory=dict)
    configured: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Run:
    """Where this run's events and lookups are."""

    index: str
    marker: str

    def source(self, world: str) -> str:
        return f"apisec-compare-{self.marker}-{world}"

    def lookup(self, name: str) -> str:
        return f"apisec_compare_{self.marker}_{name}"


def load(paths: Iterable[Path], run: Run) -> tuple[list[Case], dict[str, World]]:
    """Cases of files and folders, ready for a run, and the worlds that they need."""
    cases: list[Case] = []
    worlds: dict[str, World] = {}
    for path in sorted({file for given in paths for file in _files(given)}):
        world = _world(path.parent)
        worlds[world.name] = world
        cases += [ready(case, world, run) for case in _cases(path, world)]
    return cases, worlds


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for file in path.rglob("*.yml"):
        if not file.name.startswith("_") and file.name not in ("world.yml", "knowledge.yml"):
            yield file


def _world(folder: Path) -> World:
    """The world beside the cases: ``world.yml``, or ``_events.yml`` with an event a minute."""
    given = folder / "world.yml"
    if given.exists():
        return _given_world(folder.name, yaml.safe_load(given.read_text("utf-8")))
    events = folder / "_events.yml"
    if not events.exists():
        return World("", 1_700_000_300.0)
    items = yaml.safe_load(events.read_text("utf-8"))["events"]
    about = {"host": "h", "sourcetype": "cases"}
    envelopes = [
        {**about, "time": 1_700_000_000 + 60 * n, "event": json.dumps(item), "fields": {"level": str(n // 3)}}
        for n, item in enumerate(items)
    ]
    return World(folder.name, 1_700_000_300.0, envelopes)


def _given_world(name: str, document: Document) -> World:
    """Its events but those that only its own extractions make fields of: a Splunk without them would see others."""
    confs = document.get("confs", {})
    extracted = {
        stanza
        for stanza, settings in confs.get("props", {}).items()
        if any(key.startswith(("EXTRACT", "REPORT", "TRANSFORMS")) for key in settings)
    }
    kept = [
        (place, item)
        for place, item in enumerate(document["events"])
        if item.get("index", "main") == "main" and item["sourcetype"] not in extracted
    ]
    envelopes = [_envelope(item, place, document) for place, item in kept]
    automatic = {found for _, item in kept for found in re.findall(r'\b(\w+)"?[=:]', item["raw"])}
    configured = frozenset(_configured(confs)) - automatic | set(document.get("indexes", ()))
    return World(name, float(document["now"]), envelopes, document.get("lookups", {}), configured)


def _envelope(item: Document, place: int, world: Document) -> Document:
    about = {"host": item.get("host", "h"), "sourcetype": item["sourcetype"], "event": item["raw"]}
    about |= {"fields": item["fields"]} if item.get("fields") else {}
    return {"time": item.get("time", world.get("start", 0) + world.get("step", 0) * place), **about}


def _configured(confs: Mapping[str, Mapping[str, Mapping[str, str]]]) -> Iterator[str]:
    """Names that mean something in this world's configuration only."""
    yield from ("eventtype", "tag")
    for conf, stanzas in confs.items():
        for stanza, settings in stanzas.items():
            if conf in ("transforms", "eventtypes"):
                yield stanza
            for key, value in settings.items():
                kind, _, target = key.partition("-")
                if kind == "EVAL":
                    yield target
                elif kind in ("FIELDALIAS", "LOOKUP"):
                    yield value.split()[-1]
                elif kind in ("EXTRACT", "REGEX", "FORMAT"):
                    yield from (one or other for one, other in re.findall(r"\(\?P?<(\w+)>|(\w+)::", value))


def _cases(path: Path, world: World) -> Iterator[Case]:
    document = yaml.safe_load(path.read_text("utf-8"))
    listed = document if isinstance(document, list) else document.get("cases", [])
    for number, item in enumerate(listed):
        name = f"{path.stem} {number}: {item.get('page', item['search'][:60])}"
        reason = "needs searches before it" if item.get("setup") else ""
        times = (str(item.get("earliest", "")), str(item.get("latest", "")))
        yield Case(name, item["search"], *times, world.now, world.name, "error" in item, reason)
    if isinstance(document, dict):
        yield from _expressions(path.stem, document, world)
        yield from _terms(path.stem, document, world)
        for search, *_ in document.get("errors", ()):
            yield Case(f"{path.stem} refuses: {search[:60]}", search, now=world.now, world=world.name, refused=True)


def _expressions(stem: str, document: Document, world: World) -> Iterator[Case]:
    """Each expression over one row that ``given`` or ``row`` makes."""
    given = document.get("given", "")
    made = ", ".join(f"{_target(name)}={_literal(value)}" for name, value in document.get("row", {}).items())
    setting = f"| {given} " if given else f"| eval {made} " if made else ""
    for expression, *_ in document.get("expressions", ()):
        search = f"| makeresults {setting}| eval examined={expression} | table examined"
        yield Case(f"{stem}: {expression[:60]}", search, now=world.now)


def _terms(stem: str, document: Document, world: World) -> Iterator[Case]:
    """Whether a raw text matches: each search of ``terms`` over one row that holds it."""
    for item in document.get("terms", ()):
        made = f"| makeresults | eval _raw={_literal(item['raw'])}"
        for term in (term for value in item.values() if isinstance(value, list) for term in value):
            yield Case(f"{stem}: {term[:60]}", f"{made} | search {term} | stats count", now=world.now)


def _target(name: str) -> str:
    return name if re.fullmatch(r"\w+", name) else f'"{name}"'


def _literal(value: Any) -> str:
    if isinstance(value, list):
        return f"mvappend({', '.join(_literal(item) for item in value)})"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def ready(case: Case, world: World, run: Run) -> Case:
    """The case narrowed to the run's events and lookups, or with the reason why it cannot be."""
    reason = case.reason or _obstacle(case, world)
    if reason:
        return replace(case, reason=reason)
    search = case.search
    for name in world.lookups:
        search = re.sub(rf"(inputlookup\s[^|]*?)\b{re.escape(name)}", rf"\g<1>{run.lookup(name)}", search)
    if case.world and not case.refused:
        search = narrowed(search, run.index, run.source(case.world))
    return replace(case, search=search)


def _obstacle(case: Case, world: World) -> str:
    commands = set(re.findall(r"(?:^|[|\[])\s*\|?\s*(\w+)", case.search))
    for name in NOT_COMPARED:
        if name in commands:
            return f"{name} is not compared"
    if case.world and "`" in case.search:
        return "needs macros"
    words = set(_WORD.findall(case.search))
    found = sorted(words & world.configured)
    if found and case.world and not case.refused:
        return f"needs configuration: {', '.join(found)}"
    if "tstats" in commands and "where" not in case.search.lower():
        return "tstats over every index"
    return ""


def narrowed(search: str, index: str, source: str) -> str:
    """Every pipeline that reads events reads those of this run only: the search's own, and those in brackets."""
    return _pipeline(search, f'index={index} source="{source}"')


def _pipeline(text: str, own: str) -> str:
    inner = _brackets(text, own)
    end = _segment_end(inner, 0)
    return _narrow(inner[:end], own) + inner[end:]


def _brackets(text: str, own: str) -> str:
    """Narrow what stands in brackets, at any depth."""
    out, place = [], 0
    for begin, end in _outer_brackets(text):
        content = text[begin + 1 : end]
        reads = re.match(r"\s*(search\b|\|\s*tstats\b)", content)
        out += [text[place : begin + 1], _pipeline(content, own) if reads else _brackets(content, own)]
        place = end
    return "".join(out) + text[place:]


def _outer_brackets(text: str) -> Iterator[tuple[int, int]]:
    """Begin and end of each pair of brackets that stands in no other and in no quotes."""
    depth, begin = 0, 0
    for place, letter in _unquoted(text):
        if letter == "[":
            begin = place if depth == 0 else begin
            depth += 1
        elif letter == "]" and depth:
            depth -= 1
            if depth == 0:
                yield begin, place


def _unquoted(text: str) -> Iterator[tuple[int, str]]:
    quoted = escaped = False
    for place, letter in enumerate(text):
        if escaped:
            escaped = False
        elif letter == "\\":
            escaped = True
        elif letter == '"':
            quoted = not quoted
        elif not quoted:
            yield place, letter


def _narrow(segment: str, own: str) -> str:
    """The first command of a pipeline; ``segment`` may start with a pipe."""
    bare = segment.strip()
    if bare.startswith("|"):
        if re.match(r"\|\s*tstats\b", bare):
            return re.sub(r"(?i)\bwhere\b", f"where {own}", _without_main(segment), count=1)
        return segment
    if not re.match(r"search\b", bare):
        if bare.startswith(("makeresults", "inputlookup", "eval", "stats")) or not bare:
            return segment
        bare = f"search {bare}"
    terms = _without_main(bare[len("search") :]).strip()
    return f"search {own}{f' ({terms})' if terms else ''} "


def _without_main(text: str) -> str:
    return re.sub(r'\bindex="?main"?\s*', "", text)


def _segment_end(text: str, begin: int) -> int:
    """The end of the segment that starts here: the pipe after it."""
    lead = re.match(r"\s*\|", text[begin:])
    first, depth = begin + (lead.end() if lead else 0), 0
    for place, letter in _unquoted(text):
        depth += {"[": 1, "]": -1}.get(letter, 0)
        if place >= first and letter == "|" and depth == 0:
            return place
    return len(text)
