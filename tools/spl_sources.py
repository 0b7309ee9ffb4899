"""Every search of the app, with the place of each of its characters.

Read are the conf files of package/default, the views, the detections with their drilldowns, and the fenced blocks
marked ``spl`` in the documents. Tokens (``$service|s$``) are replaced by words of the same length, so that a position
in a search stays a position in its file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

import detections

TOKEN = re.compile(r"\$[A-Za-z_][\w.]*\??(\|\w+)?\$")
SPL_BLOCK = re.compile(r"^([ \t]*)```spl[ \t]*\n(.*?)^\1```[ \t]*$", re.MULTILINE | re.DOTALL)
XML_QUERY = re.compile(r"<query>(.*?)</query>", re.DOTALL)
Place = tuple[int, int]


@dataclass(frozen=True)
class Source:
    """One search. ``kind``: detection, scheduled, drilldown, dashboard, macro, eventtype, eval, lookup, saved, doc.

    ``text`` may begin with what the file does not hold (a chain's base search): ``own`` is where the file's part
    begins, and ``place`` gives line and column of a position counted from there.
    """

    path: Path
    kind: str
    name: str
    text: str
    place: Callable[[int], Place]
    own: int = 0
    earliest: str | None = None
    latest: str | None = None

    def at(self, position: int) -> str:
        line, column = self.place(max(0, position - self.own))
        return f"{_shown(self.path)}:{line}:{column}"


def _shown(path: Path) -> str:
    return str(path.relative_to(detections.ROOT)) if path.is_relative_to(detections.ROOT) else str(path)


def every(root: Path = detections.ROOT) -> Iterator[Source]:
    default = root / "package/default"
    yield from conf_sources(default)
    for path in sorted((default / "data/ui").rglob("*.xml")):
        yield from view(path)
    for path in sorted((root / "content/detections").glob("*.yml")):
        yield from detection(path)
    for path in documents(root):
        yield from document(path)


def documents(root: Path) -> list[Path]:
    return [path for path in (*sorted((root / "docs").rglob("*.md")), root / "README.md", root / "content/README.md")
            if path.is_file()]  # fmt: skip


def without_tokens(text: str) -> str:
    """``$x|s$`` is quoted by Splunk, so a text in quotes stands for it."""

    def stand_in(match: re.Match[str]) -> str:
        if match[1] == "|s":
            return '"' + "x" * (len(match[0]) - 2) + '"'
        return "x" * len(match[0])

    return TOKEN.sub(stand_in, text)


# --- conf files ---


@dataclass(frozen=True)
class Setting:
    stanza: str
    key: str
    value: str
    line: int
    column: int

    def place(self, position: int) -> Place:
        line = self.value.count("\n", 0, position)
        column = position - self.value.rfind("\n", 0, position)
        return self.line + line, column if line else self.column + position


def settings(path: Path) -> Iterator[Setting]:
    """Settings with their places; a backslash at the end of a line continues the value."""
    lines = path.read_text("utf-8").splitlines()
    stanza, number = "default", 0
    while number < len(lines):
        line = lines[number]
        begin, number = number, number + 1
        stripped = line.strip()
        if stripped.startswith("[") and stripped.endswith("]"):
            stanza = stripped[1:-1]
        elif stripped and not stripped.startswith("#") and "=" in line:
            key, _, value = line.partition("=")
            column = len(key) + 2 + len(value) - len(value.lstrip())
            value = value.lstrip()
            while value.endswith("\\") and number < len(lines):
                value = value[:-1] + "\n" + lines[number]
                number += 1
            yield Setting(stanza, key.strip(), value.rstrip(), begin + 1, column)


def conf_sources(default: Path) -> Iterator[Source]:
    for name, make in (("savedsearches", _saved), ("macros", _macro), ("eventtypes", _eventtype), ("props", _props)):
        path = default / f"{name}.conf"
        if path.is_file():
            yield from make(path)


def _source(path: Path, kind: str, setting: Setting, prefix: str = "", **times: str | None) -> Source:
    text = prefix + without_tokens(setting.value)
    return Source(path, kind, setting.stanza, text, setting.place, len(prefix), **times)


def _saved(path: Path) -> Iterator[Source]:
    found: dict[str, dict[str, Setting]] = {}
    for setting in settings(path):
        found.setdefault(setting.stanza, {})[setting.key] = setting
    for stanza in found.values():
        if "search" in stanza:
            on = stanza.get("enableSched")
            kind = "scheduled" if on and on.value in ("1", "true") else "saved"
            earliest, latest = stanza.get("dispatch.earliest_time"), stanza.get("dispatch.latest_time")
            times = {"earliest": earliest.value if earliest else "", "latest": latest.value if latest else ""}
            yield _source(path, kind, stanza["search"], **times)


def _macro(path: Path) -> Iterator[Source]:
    found = list(settings(path))
    evaluated = {s.stanza for s in found if s.key == "iseval" and s.value in ("1", "true")}
    for setting in found:
        if setting.key == "definition":
            prefix = "| makeresults | eval macro_value=" if setting.stanza in evaluated else ""
            yield _source(path, "eval" if prefix else "macro", setting, prefix)


def _eventtype(path: Path) -> Iterator[Source]:
    yield from (_source(path, "eventtype", s) for s in settings(path) if s.key == "search")


def _props(path: Path) -> Iterator[Source]:
    for setting in settings(path):
        if setting.key.startswith("EVAL-"):
            yield _source(path, "eval", setting, f"| makeresults | eval '{setting.key[5:]}'=")
        elif setting.key.startswith("LOOKUP-"):
            yield _source(path, "lookup", setting, "| makeresults | lookup ")


# --- views ---


def view(path: Path) -> Iterator[Source]:
    text = path.read_text("utf-8")
    match = re.search(r"<definition><!\[CDATA\[(.*?)\]\]></definition>", text, re.DOTALL)
    if match:
        yield from _studio(path, text, match.start(1), json.loads(match[1]))
    for query in XML_QUERY.finditer(text):
        inner = query[1].removeprefix("<![CDATA[").removesuffix("]]>")
        begin = text.index(inner, query.start(1))
        yield Source(path, "dashboard", path.stem, without_tokens(inner), _plain(text, begin))


def _studio(path: Path, text: str, begin: int, definition: dict[str, object]) -> Iterator[Source]:
    sources = definition.get("dataSources")
    assert isinstance(sources, dict)
    for name, source in sources.items():
        query = source.get("options", {}).get("query")
        if query is None:
            continue
        encoded = json.dumps(query, ensure_ascii=False)
        at = text.find(encoded, text.find(json.dumps(name) + ":", begin))
        base, seen = "", name
        while "extend" in sources[seen]["options"] and len(base) < len(text):
            seen = sources[seen]["options"]["extend"]
            base = sources[seen]["options"].get("query", "") + " " + base
        times = source["options"].get("queryParameters", {})
        yield Source(path, "dashboard", name, without_tokens(base + query), _json(text, at + 1, query), len(base),
                     times.get("earliest"), times.get("latest"))  # fmt: skip


def _plain(text: str, begin: int) -> Callable[[int], Place]:
    def place(position: int) -> Place:
        at = begin + position
        return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)

    return place


def _json(text: str, begin: int, value: str) -> Callable[[int], Place]:
    """Escapes are longer in the file than in the value."""

    def place(position: int) -> Place:
        return _plain(text, begin)(len(json.dumps(value[:position], ensure_ascii=False)) - 2)

    return place


# --- YAML and Markdown ---


def detection(path: Path) -> Iterator[Source]:
    text = path.read_text("utf-8")
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    document = yaml.safe_load(text)
    assert root is not None
    fields = {key.value: value for key, value in root.value}
    schedule = document.get("deployment", {}).get("scheduling", {})
    times = schedule.get("earliest_time"), schedule.get("latest_time")
    yield _yaml(path, text, "detection", path.stem, fields["search"], *times)
    for item, node in zip(document.get("drilldown_searches", ()), fields["drilldown_searches"].value, strict=True):
        inner = {key.value: value for key, value in node.value}
        yield _drilldown(_yaml(path, text, "drilldown", item["name"], inner["search"],
                               item["earliest_offset"], item["latest_offset"]), document["search"])  # fmt: skip


def _drilldown(source: Source, original: str) -> Source:
    """What begins with the detection's own search is read behind it."""
    if not source.text.startswith(detections.ORIGINAL):
        return source
    rest, skipped = source.text[len(detections.ORIGINAL) :], len(detections.ORIGINAL)
    return replace(
        source, text=original + rest, own=len(original), place=lambda position: source.place(position + skipped)
    )


def _yaml(
    path: Path, text: str, kind: str, name: str, node: yaml.ScalarNode, earliest: str | None, latest: str | None
) -> Source:
    lines, value = text.splitlines(), str(node.value)
    mark = node.start_mark

    def place(position: int) -> Place:
        if node.style in ("|", ">"):
            above = value.count("\n", 0, position)
            number = mark.line + 1 + above
            first = lines[mark.line + 1]
            indent = len(first) - len(first.lstrip())
            return number + 1, indent + position - value.rfind("\n", 0, position)
        quote = 1 if node.style in ("'", '"') else 0
        doubled = value.count("'", 0, position) if node.style == "'" else 0
        return mark.line + 1, mark.column + 1 + quote + position + doubled

    return Source(path, kind, name, without_tokens(value), place, 0, earliest, latest)


def document(path: Path) -> Iterator[Source]:
    text = path.read_text("utf-8")
    for number, match in enumerate(SPL_BLOCK.finditer(text), 1):
        yield Source(path, "doc", f"block {number}", without_tokens(match[2]), _plain(text, match.start(2)))
