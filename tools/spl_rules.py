"""What a search of this app may hold: what Splunk documents, and nothing that is risky, costly or quietly wrong.

Walks the commands of a search with the stand-in's own lexer. A fault fails the build; a note is only shown.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from apisec_sandbox.spl.errors import suggestion
from apisec_sandbox.spl.lexer import Token, arguments
from apisec_sandbox.spl.parser import Segment, split

VOCABULARY = Path(__file__).with_name("splunk_vocabulary.yml")
EXPRESSIONS = frozenset(("eval", "where", "fieldformat"))
STATISTICS = frozenset(("stats", "eventstats", "streamstats", "chart", "timechart", "tstats", "sistats"))
# ``name=value`` in these is a comparison, an assignment or an argument of somebody else's.
FREE = frozenset(("search", "regex", "return", "savedsearch", "rest", "sendalert", "head", "multisearch", "union",
                  "datamodel", "from", "tags", "rename", "fields", "table")) | EXPRESSIONS  # fmt: skip
# Reading 10,000 of more rows, these answer wrongly and say nothing.
NEED_EVERY_ROW = frozenset(("streamstats", "dedup", "eventstats", "accum", "delta", "autoregress"))
REDUCING = frozenset(
    ("stats", "dedup", "top", "rare", "head", "tail", "return", "format", "tstats", "chart", "mvexpand")
)
SHIPPED = frozenset(("detection", "scheduled"))
DASHED = re.compile(r"[A-Za-z_]\w*-[A-Za-z_]\w*")


@dataclass(frozen=True)
class Remark:
    """``position`` counts in the expanded search."""

    text: str
    position: int
    fault: bool = True


@functools.cache
def vocabulary() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(VOCABULARY.read_text("utf-8"))
    return found


@functools.cache
def known_functions(group: str) -> frozenset[str]:
    return frozenset(name for names in vocabulary()[group].values() for name in names)


@dataclass(frozen=True)
class Scene:
    """What the rules need to know beside the search: its kind, and the app's own commands."""

    kind: str
    own_commands: frozenset[str] = frozenset()


Rule = Callable[[list[Segment], Scene], Iterator[Remark]]


def remarks(text: str, scene: Scene, start: int = 0, end: int | None = None, depth: int = 0) -> Iterator[Remark]:
    """Remarks on a search and its subsearches."""
    segments = split(text, start, end)
    rules: tuple[Rule, ...] = (_commands, _options, _functions, _filters, _dashes, _sorts)
    for rule in rules:
        yield from rule(segments, scene)
    if depth and scene.kind in SHIPPED and not any(s.name in REDUCING for s in segments):
        yield Remark("a subsearch keeps its first 10,000 rows: reduce it with stats, dedup or head",
                     segments[0].name_at, fault=False)  # fmt: skip
    for segment in segments:
        for token in _tokens(segment):
            inner = text[token.start + 1 : token.end - 1]
            if token.kind == "search" and inner.strip() and segment.name != "foreach":
                yield from remarks(text, scene, token.start + 1, token.end - 1, depth + 1)


def _tokens(segment: Segment) -> list[Token]:
    return arguments(segment.text, segment.start, segment.end)


def _commands(segments: list[Segment], scene: Scene) -> Iterator[Remark]:
    words = vocabulary()
    for segment in segments:
        name = segment.name
        if name in words["risky"]:
            yield Remark(f"command '{name}' is not for an app: {words['risky'][name]}", segment.name_at)
        elif name in words["costly"] and scene.kind in SHIPPED:
            yield Remark(f"command '{name}' in a scheduled search: {words['costly'][name]}", segment.name_at)
        elif name in words["outdated"]:
            new = words["outdated"][name]
            yield Remark(f"command '{name}' is an old name of '{new}'", segment.name_at, fault=False)
        elif name not in words["commands"] and name not in scene.own_commands:
            near = suggestion(name, words["commands"])
            yield Remark(f"command '{name}' is neither in Splunk's Search Reference nor in commands.conf.{near}",
                         segment.name_at)  # fmt: skip


def _options(segments: list[Segment], scene: Scene) -> Iterator[Remark]:
    del scene
    words = vocabulary()
    for segment in segments:
        known = words["commands"].get(segment.name, {}).get("options")
        if segment.name in FREE or not isinstance(known, list):
            continue
        for token in _option_names(segment):
            name = token.value.lower()
            if name not in known and not any(re.fullmatch(k.replace("*", ".*"), name) for k in known):
                near = suggestion(name, known)
                yield Remark(f"'{segment.name}' has no documented option '{token.value}'.{near}", token.start)


def _option_names(segment: Segment) -> Iterator[Token]:
    """Words before an equals sign, outside of parentheses and before a WHERE clause."""
    depth = 0
    tokens = _tokens(segment)
    for token, following in itertools.pairwise(tokens):
        depth += token.is_op("(") - token.is_op(")")
        if token.is_word("where", "from"):
            return
        if not depth and token.kind == "word" and following.is_op("="):
            yield token


def _functions(segments: list[Segment], scene: Scene) -> Iterator[Remark]:
    del scene
    for segment in segments:
        if segment.name not in EXPRESSIONS | STATISTICS:
            continue
        known = known_functions("functions")
        if segment.name in STATISTICS:
            known = known | known_functions("aggregates") | {"eval"}
        tokens = _tokens(segment)
        for token, following in itertools.pairwise(tokens):
            name = re.split(r"[^\w]", token.value.lower())[-1]
            if token.kind != "word" or not following.is_op("(") or not name or name in known:
                continue
            if name in ("and", "or", "not", "xor", "in", "by", "where", "as", "like"):
                continue
            if segment.name in STATISTICS and re.fullmatch(r"(perc|p|exactperc|upperperc)\d+(\.\d+)?", name):
                continue
            near = suggestion(name, known)
            yield Remark(f"function '{name}' is not in Splunk's Search Reference.{near}", token.start)


def _filters(segments: list[Segment], scene: Scene) -> Iterator[Remark]:
    """Rules on the terms of the search command that reads events."""
    if not segments or segments[0].name != "search":
        return
    tokens = _tokens(segments[0])
    for place, token in enumerate(tokens):
        before = tokens[place - 1] if place else None
        value_of = tokens[place - 2].value.lower() if place > 1 and before and before.is_op("=", "!=") else ""
        if token.kind not in ("word", "text"):
            continue
        if value_of == "index" and token.value == "*":
            yield Remark("index=* reads every index: name yours", token.start, fault=scene.kind != "doc")
        elif value_of in ("earliest", "latest") and token.value.startswith("rt"):
            yield Remark("real-time searches keep a process busy: use a schedule", token.start)
        elif token.value.startswith("*") and len(token.value) > 1 and not _is_name(tokens, place):
            yield Remark(f"a leading wildcard ({token.value!r}) reads every event", token.start)
        elif before and before.is_op("!=") and scene.kind in SHIPPED:
            yield Remark(f"{value_of}!=… drops events without {value_of}; NOT {value_of}=… keeps them", token.start,
                         fault=False)  # fmt: skip


def _is_name(tokens: list[Token], place: int) -> bool:
    return place + 1 < len(tokens) and tokens[place + 1].is_op("=", "!=", "<", ">", "<=", ">=")


def _dashes(segments: list[Segment], scene: Scene) -> Iterator[Remark]:
    del scene
    for segment in segments:
        if segment.name not in EXPRESSIONS:
            continue
        for token in _tokens(segment):
            match = DASHED.search(token.value) if token.kind == "word" and "'" not in token.value else None
            if match and match[0].count("-") and not re.search(r"\s", match[0]):
                yield Remark(f"'{match[0]}' subtracts: a name with a dash stands in single quotes, "
                             "and a subtraction has blanks", token.start, fault=False)  # fmt: skip


def _sorts(segments: list[Segment], scene: Scene) -> Iterator[Remark]:
    del scene
    for place, segment in enumerate(segments):
        if segment.name != "sort" or re.match(r"\s*(\d+\b|limit=)", segment.body):
            continue
        later = next((s.name for s in segments[place + 1 :] if s.name in NEED_EVERY_ROW), None)
        if later:
            yield Remark(f"sort keeps 10,000 rows and {later} reads on: write sort 0", segment.name_at)
