"""Check a detection's SPL without a Splunk: commands, macros, lookups, fields.

Reads enough of SPL for the detections' own style: a pipeline of the commands in vocabulary.yml. Every field that an
expression reads must be one of the event, of a lookup, of our commands, or made earlier in the pipeline.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

import confs
import detections
from apisec.abuse import event as anomaly
from apisec.endpoints.changes import schema as changes
from apisec.model.event import FIELDS
from apisec.openapi.drift import Drift
from apisec.scoring.marks import COMPONENTS
from detections import Detection

# What every event in Splunk has.
DEFAULT_FIELDS = {"_time", "_raw", "_indextime", "index", "source", "sourcetype", "host", "linecount", "splunk_server"}
SCORE_FIELDS = {
    "apisec_score", "apisec_severity", "apisec_reasons", "apisec_families", "apisec_campaigns", "apisec_evidence",
    *(f"apisec_{name}_score" for name in COMPONENTS),
}  # fmt: skip
# Of apisec:health: what every event has, and those of apisec_forwarder/metrics.py that detections read.
HEALTH_FIELDS = {
    "gateway", "env", "version", "interval", "hec.state", "transactions_received", "hec_events_shipped",
    "spool_dropped_events", "gateway_write_failures", "transactions_failed", "spool_bytes", "lag_seconds",
    "events.coverage=complete", "events.coverage=truncated", "events.coverage=undecoded",
}  # fmt: skip
OBJECTS = {"evidence", "features"}  # of an anomaly: their members are each family's own
# Of a risk event: what every detection's rows have, and its name.
RISK_FIELDS = {"risk_object", "risk_object_type", "risk_score", "risk_message", "threat_object", "threat_object_type"}
WORDS = {"AND", "OR", "NOT", "AS", "BY", "OUTPUT", "OUTPUTNEW", "IN", "LIKE", "XOR", "WHERE", "true", "false", "null"}
_GROUP = re.compile(r"\(\?P?<([A-Za-z_]\w*)>")
OPTIONS = {"current", "window", "global", "time_window", "allnum", "reset_on_change"}
_TOKEN = re.compile(
    r"""(?P<string>"(?:[^"\\]|\\.)*") | (?P<quoted>'[^']*') | (?P<macro>`[^`]*`) | (?P<bracket>[\[\]]) | (?P<pipe>\|)
      | (?P<number>\d[\w.]*) | (?P<word>[A-Za-z_@$][\w.{}$]*) | (?P<other>[^\s])""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Token:
    kind: str
    text: str


@dataclass
class Knowledge:
    """What the app defines: macros with their definitions, lookups with their fields, aliases of the sourcetype."""

    macros: dict[str, str]
    lookups: dict[str, set[str]]
    event_fields: set[str]
    commands: set[str]
    forbidden: set[str]

    @classmethod
    def of(cls, default: Path, found: Iterable[Detection]) -> Knowledge:
        words = detections.vocabulary()
        macros = {name: s["definition"] for name, s in confs.read(default / "macros.conf").items()}
        macros |= {d.filter_macro: "search *" for d in found}
        lookups = {
            name: {f.strip() for f in s["fields_list"].split(",")}
            for name, s in confs.read(default / "transforms.conf").items()
        }
        names = set(DEFAULT_FIELDS) | {f.name for f in FIELDS} | changes.FIELD_NAMES
        names |= anomaly.NAMES | drift_fields() | HEALTH_FIELDS | RISK_FIELDS | {"detection"}
        for stanza in confs.read(default / "props.conf").values():
            names |= _made_by(stanza)
        return cls(macros, lookups, names, set(words["commands"]), set(words["forbidden_functions"]))


def drift_fields() -> set[str]:
    """Fields of apisec:drift: a difference, and what became of it."""
    return {one.name for one in fields(Drift)} | {"change", "severity_before"}


def _made_by(stanza: Mapping[str, str]) -> set[str]:
    """The fields that a sourcetype's aliases and calculations make, and the lists that they are made of."""
    names: set[str] = set()
    for key, value in stanza.items():
        if key.startswith("FIELDALIAS-"):
            names |= set(re.split(r"\s+AS\s+", value))
        elif key.startswith("EVAL-"):
            names.add(key[5:])
    return names


@dataclass
class _Pipeline:
    """``fields``: what is known at this point."""

    knowledge: Knowledge
    fields: set[str]
    faults: list[str] = field(default_factory=list)


def tokens(text: str) -> list[Token]:
    return [Token(str(m.lastgroup), m.group()) for m in _TOKEN.finditer(text)]


def lint(detection: Detection, knowledge: Knowledge) -> list[str]:
    """Faults of the search and of the drilldowns, each a sentence."""
    faults = check(detection.search, knowledge)
    for item in detection.drilldowns:
        faults += [f"drilldown {item['name']!r}: {fault}" for fault in check(item["search"], knowledge)]
    produced = final_fields(detection.search, knowledge)
    wanted = set(RISK_FIELDS)
    response = detection.response or {}
    wanted |= set(response.get("key", ())) | set(detection.throttling["fields"])
    wanted |= {r["field"] for r in detection.document["rba"]["risk_objects"]}
    wanted |= set(re.findall(r"\$result\.([\w.]+)\??\$", str(response)))
    faults += [f"search: its result has no field {name!r}" for name in sorted(wanted - produced)]
    return faults


def check(spl: str, knowledge: Knowledge) -> list[str]:
    return _run(spl, knowledge).faults


def final_fields(spl: str, knowledge: Knowledge) -> set[str]:
    return _run(spl, knowledge).fields


def _run(spl: str, knowledge: Knowledge) -> _Pipeline:
    faults = [f"macro {name} is not defined" for name in _macro_names(spl) if name not in knowledge.macros]
    if faults:
        return _Pipeline(knowledge, set(), faults)
    pipeline = _Pipeline(knowledge, set(knowledge.event_fields))
    for number, segment in enumerate(split(tokens(expand(spl, knowledge)))):
        _command(pipeline, segment, first=number == 0)
    return pipeline


def _macro_names(spl: str) -> list[str]:
    return [name.partition("(")[0] for name in re.findall(r"`([^`]+)`", spl)]


def expand(spl: str, knowledge: Knowledge, depth: int = 5) -> str:
    """Replace macros by their definitions."""
    if depth == 0 or "`" not in spl:
        return spl
    return expand(re.sub(r"`([^`(]+)[^`]*`", lambda m: knowledge.macros[m.group(1)], spl), knowledge, depth - 1)


def split(stream: list[Token]) -> Iterator[list[Token]]:
    """Segments between pipes outside brackets."""
    segment: list[Token] = []
    depth = 0
    for token in stream:
        depth += {"[": 1, "]": -1}.get(token.text, 0) if token.kind == "bracket" else 0
        if token.kind == "pipe" and depth == 0:
            if segment:
                yield segment
            segment = []
        else:
            segment.append(token)
    if segment:
        yield segment


def _command(pipeline: _Pipeline, segment: list[Token], *, first: bool) -> None:
    name, rest = segment[0].text, segment[1:]
    if first and name not in pipeline.knowledge.commands:
        name, rest = "search", segment
    if name not in pipeline.knowledge.commands:
        pipeline.faults.append(f"command {name!r} is not in vocabulary.yml")
        return
    for inner in _subsearches(rest):
        sub = _Pipeline(pipeline.knowledge, set(pipeline.knowledge.event_fields))
        for number, part in enumerate(split(inner)):
            _command(sub, part, first=number == 0)
        pipeline.faults += sub.faults
    rest = list(_outside(rest))
    handler = _HANDLERS.get(name)
    if handler is not None:
        handler(pipeline, rest)


def _subsearches(rest: list[Token]) -> Iterator[list[Token]]:
    inner: list[Token] = []
    depth = 0
    for token in rest:
        if token.text == "[" and token.kind == "bracket":
            depth += 1
            if depth == 1:
                inner = []
                continue
        if token.text == "]" and token.kind == "bracket":
            depth -= 1
            if depth == 0:
                yield inner
                continue
        if depth:
            inner.append(token)


def _outside(rest: list[Token]) -> Iterator[Token]:
    depth = 0
    for token in rest:
        if token.kind == "bracket":
            depth += 1 if token.text == "[" else -1
        elif depth == 0:
            yield token


def _read(pipeline: _Pipeline, rest: list[Token]) -> None:
    """Every word in an expression that is no function and no word of the language must be a field."""
    for i, token in enumerate(rest):
        following = rest[i + 1].text if i + 1 < len(rest) else ""
        if token.kind == "word" and following == "(":
            if token.text.startswith(tuple(pipeline.knowledge.forbidden)):
                pipeline.faults.append(f"function {token.text!r} is not allowed")
        elif token.kind in ("word", "quoted"):
            # ``a.b`` between fields is a concatenation: both sides are read.
            names = [token.text.strip("'")] if token.kind == "quoted" else token.text.strip(".").split(".")
            for name in names:
                held = name in pipeline.fields or name.partition(".")[0] in pipeline.fields & OBJECTS
                if name and name not in WORDS and not name.startswith("$") and not held:
                    pipeline.faults.append(f"field {name!r} is not known here")


def _eval(pipeline: _Pipeline, rest: list[Token]) -> None:
    for expression in _by_comma(rest):
        target = expression[0].text.strip("'")
        if len(expression) < 3 or expression[1].text != "=":
            pipeline.faults.append(f"eval: {target!r} is not assigned")
            continue
        _read(pipeline, expression[2:])
        pipeline.fields.add(target)


def _by_comma(rest: list[Token]) -> Iterator[list[Token]]:
    part: list[Token] = []
    depth = 0
    for token in rest:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if token.text == "," and depth == 0:
            yield part
            part = []
        else:
            part.append(token)
    if part:
        yield part


def _stats(pipeline: _Pipeline, rest: list[Token], *, keep: bool = False) -> None:
    rest = list(_without_options(rest))
    upper = [t.text.upper() for t in rest]
    cut = upper.index("BY") if "BY" in upper else len(rest)
    by = [t.text.strip("'") for t in rest[cut + 1 :] if t.kind in ("word", "quoted")]
    made: set[str] = set()
    functions = rest[:cut]
    for i, token in enumerate(functions):
        after = functions[i + 1].text if i + 1 < len(functions) else ""
        before = functions[i - 1].text.upper() if i else ""
        if before == "AS":
            made.add(token.text.strip("'"))
        elif token.kind == "word" and token.text == "count" and after != "(":
            made.add("count")
    _read(pipeline, [t for i, t in enumerate(functions) if not _is_name(functions, i)])
    _read(pipeline, [Token("word", name) for name in by])
    pipeline.fields = (pipeline.fields if keep else set(by)) | made


def _without_options(rest: list[Token]) -> Iterator[Token]:
    """What stats and its like are told beside the aggregations: current=f."""
    skip = 0
    for i, token in enumerate(rest):
        if token.text in OPTIONS and i + 1 < len(rest) and rest[i + 1].text == "=":
            skip = 3
        if skip == 0:
            yield token
        skip = max(0, skip - 1)


def _is_name(functions: list[Token], i: int) -> bool:
    return bool(i and functions[i - 1].text.upper() == "AS") or functions[i].text == "count"


def _eventstats(pipeline: _Pipeline, rest: list[Token]) -> None:
    _stats(pipeline, rest, keep=True)


def _lookup(pipeline: _Pipeline, rest: list[Token]) -> None:
    table = rest[0].text
    known = pipeline.knowledge.lookups.get(table)
    if known is None:
        pipeline.faults.append(f"lookup {table!r} is not in transforms.conf")
        return
    words = [t.text for t in rest[1:] if t.kind == "word"]
    cut = next((i for i, w in enumerate(words) if w.upper().startswith("OUTPUT")), len(words))
    for inside, outside in _renamed(words[:cut]):
        if inside not in known:
            pipeline.faults.append(f"lookup {table!r} has no field {inside!r}")
        if outside not in pipeline.fields:
            pipeline.faults.append(f"field {outside!r} is not known here")
    for inside, outside in _renamed(words[cut + 1 :]):
        if inside not in known:
            pipeline.faults.append(f"lookup {table!r} has no field {inside!r}")
        pipeline.fields.add(outside)


def _renamed(words: list[str]) -> Iterator[tuple[str, str]]:
    i = 0
    while i < len(words):
        if i + 2 < len(words) and words[i + 1].upper() == "AS":
            yield words[i], words[i + 2]
            i += 3
        else:
            yield words[i], words[i]
            i += 1


def _inputlookup(pipeline: _Pipeline, rest: list[Token]) -> None:
    table = next((t.text for t in rest if t.kind == "word" and t.text in pipeline.knowledge.lookups), None)
    if table is None:
        pipeline.faults.append("inputlookup names no lookup of transforms.conf")
        return
    pipeline.fields = set(pipeline.knowledge.lookups[table])


def _table(pipeline: _Pipeline, rest: list[Token]) -> None:
    names = [t.text.strip("'") for t in rest if t.kind in ("word", "quoted")]
    _read(pipeline, [Token("quoted", f"'{name}'") for name in names])
    if not any(t.text == "-" for t in rest[:1]):
        pipeline.fields = set(names)


def _sort(pipeline: _Pipeline, rest: list[Token]) -> None:
    _read(pipeline, [t for t in rest if t.kind in ("word", "quoted")])


def _spath(pipeline: _Pipeline, rest: list[Token]) -> None:
    options = {
        rest[i - 1].text: rest[i + 1].text for i, t in enumerate(rest) if t.text == "=" and 0 < i < len(rest) - 1
    }
    _read(pipeline, [Token("word", options.get("input", "_raw"))])
    pipeline.fields.add(options.get("output", options.get("path", "")))


def _rex(pipeline: _Pipeline, rest: list[Token]) -> None:
    """Named groups are fields."""
    _read(pipeline, [rest[i + 2] for i, token in enumerate(rest[:-2]) if token.text == "field"])
    pipeline.fields |= {name for token in rest if token.kind == "string" for name in _GROUP.findall(token.text)}


def _rename(pipeline: _Pipeline, rest: list[Token]) -> None:
    for old, new in _renamed([t.text.strip("'\"") for t in rest if t.text != ","]):
        _read(pipeline, [Token("quoted", f"'{old}'")])
        pipeline.fields = (pipeline.fields - {old}) | {new}


def _score(pipeline: _Pipeline, rest: list[Token]) -> None:
    del rest
    pipeline.fields |= SCORE_FIELDS


def _bin(pipeline: _Pipeline, rest: list[Token]) -> None:
    _read(pipeline, rest[:1])


_HANDLERS = {
    "where": _read,
    "eval": _eval,
    "stats": _stats,
    "eventstats": _eventstats,
    "streamstats": _eventstats,
    "tstats": _stats,
    "lookup": _lookup,
    "inputlookup": _inputlookup,
    "fields": _table,
    "table": _table,
    "sort": _sort,
    "dedup": _sort,
    "mvexpand": _sort,
    "spath": _spath,
    "rex": _rex,
    "rename": _rename,
    "bin": _bin,
    "apisecscore": _score,
}
