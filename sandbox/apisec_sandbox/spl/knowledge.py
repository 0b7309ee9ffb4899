"""Search-time knowledge: what props, transforms, eventtypes and tags make of a raw event.

Order of operations (Knowledge Manual, "The sequence of search-time operations"): inline extractions (EXTRACT),
extractions by transform (REPORT), automatic key-value extraction (KV_MODE), aliases, calculated fields, lookups,
event types, tags. Within one kind stanzas apply by precedence: source, host, sourcetype; names in ASCII order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from apisec_sandbox.spl import jsonpath
from apisec_sandbox.spl.commands.outputs import LookupMatcher, Pairs
from apisec_sandbox.spl.context import Fields, LookupTable
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.expressions import Expression, Scope, parse_expression
from apisec_sandbox.spl.functions import regex
from apisec_sandbox.spl.searchexpr import Test, parse_search
from apisec_sandbox.spl.values import Row, collapse, to_text, values_of, wildcard_regex

Settings = Mapping[str, str]
Confs = Callable[[str], Mapping[str, Settings]]
METADATA = frozenset(("_time", "_raw", "host", "source", "sourcetype", "index", "_indextime", "splunk_server"))
PAIR = re.compile(r'([A-Za-z_][\w.\-]*)=(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]+))')
SPLIT_ALIAS = re.compile(r"\s*(?:\"([^\"]+)\"|(\S+))\s+AS(?:NEW)?\s+(?:\"([^\"]+)\"|(\S+))", re.IGNORECASE)
MAX_KV_CHARS = 10_240  # limits.conf [kv] maxchars


@dataclass
class Extraction:
    pattern: Any
    source_key: str = "_raw"
    layout: list[tuple[str, str]] = field(default_factory=list)  # FORMAT: name template, value template
    multiple: bool = False

    def run(self, row: Row) -> None:
        """Add fields of the first match, of all with MV_ADD; a field that is there stays."""
        for value in values_of(row.get(self.source_key)):
            found: dict[str, list[str]] = {}
            for match in self.pattern.finditer(to_text(value)):
                for name, text in self._fields(match):
                    found.setdefault(name, []).append(text)
                if not self.multiple and not any("$" in name for name, _ in self.layout):
                    break
            for name, texts in found.items():
                row.setdefault(name, collapse(texts if self.multiple else texts[:1]))

    def _fields(self, match: re.Match[str]) -> list[tuple[str, str]]:
        if not self.layout:
            return [(name, text) for name, text in match.groupdict().items() if text is not None]
        return [(_filled(name, match), _filled(text, match)) for name, text in self.layout]


def _filled(template: str, match: re.Match[str]) -> str:
    return re.sub(r"\$(\d+)", lambda m: match[int(m[1])] or "" if int(m[1]) <= match.re.groups else "", template)


@dataclass
class AutoLookup:
    matcher: LookupMatcher
    outputs: Pairs
    only_new: bool

    def run(self, row: Row) -> None:
        found = self.matcher.find(row)
        for column, name in self.outputs:
            if self.only_new and row.get(name) is not None:
                continue
            held = collapse([item for match in found for item in values_of(match.get(column))])
            if held is not None:
                row[name] = held


@dataclass
class Props:
    """Everything that applies to the events of one host, source and sourcetype."""

    kv_mode: str = "auto"
    extractions: list[Extraction] = field(default_factory=list)
    aliases: list[tuple[str, str, bool]] = field(default_factory=list)  # (source, target, only when target is null)
    calculated: list[tuple[str, Expression]] = field(default_factory=list)
    lookups: list[AutoLookup] = field(default_factory=list)

    def wanted(self, fields: Fields) -> Fields:
        """Return which extracted fields are needed so that these fields come out."""
        if fields is None or self.lookups:
            return None
        names = set(fields)
        for _ in range(len(self.aliases) + len(self.calculated) + 1):
            before = len(names)
            names.update(source for source, target, _ in self.aliases if target in names)
            for name, expression in self.calculated:
                if name in names:
                    names.update(expression.fields)
            if len(names) == before:
                break
        return frozenset(names)


class Knowledge:
    """Compiled knowledge of one app's context; made anew when configuration changes."""

    def __init__(self, confs: Confs, lookup: Callable[[str], LookupTable | None], now: float) -> None:
        self._confs = confs
        self._lookup = lookup
        self._now = now
        self._props: dict[tuple[str, str, str], Props] = {}
        self._patterns = self._source_patterns()
        self._types: list[tuple[str, Test, frozenset[str]]] | None = None
        self.tags = self._tags()
        self.problems: list[str] = []

    def _source_patterns(self) -> list[tuple[str, Any, str]]:
        """(kind, pattern, stanza) of the stanzas that name a source or host by pattern."""
        found = []
        for name in self._confs("props"):
            kind, colons, pattern = name.partition("::")
            if colons and kind in ("source", "host"):
                folded = pattern.replace("...", "*")
                found.append((kind, wildcard_regex(folded, ignore_case=kind == "host"), name))
        return found

    def _tags(self) -> dict[tuple[str, str], list[str]]:
        """Tags by (field, value)."""
        from urllib.parse import unquote

        found: dict[tuple[str, str], list[str]] = {}
        for stanza, settings in self._confs("tags").items():
            name, equals, value = stanza.partition("=")
            if equals:
                on = [tag for tag, state in settings.items() if state.strip().lower() in ("enabled", "1", "true")]
                found[(name.strip(), unquote(value.strip()))] = on
        return found

    def props(self, host: str, source: str, sourcetype: str) -> Props:
        key = (host, source, sourcetype)
        known = self._props.get(key)
        if known is None:
            if len(self._props) > 10_000:
                self._props.clear()
            known = self._props[key] = self._compile(host, source, sourcetype)
        return known

    def _compile(self, host: str, source: str, sourcetype: str) -> Props:
        stanzas = self._confs("props")
        values = {"source": source, "host": host}
        names = [sourcetype] if sourcetype in stanzas else []
        for wanted in ("host", "source"):  # the later one is the stronger one
            names += [name for kind, test, name in self._patterns if kind == wanted and test.match(values[kind])]
        merged: dict[str, str] = {}
        for name in names:
            merged.update(stanzas[name])
        return self._props_of(merged, "/".join(names) or sourcetype)

    def _props_of(self, settings: Settings, where: str) -> Props:
        props = Props(kv_mode=settings.get("KV_MODE", "auto").strip().lower())
        builders: list[tuple[str, Callable[[Props, str, str], None]]] = [
            ("EXTRACT-", self._extract),
            ("REPORT-", self._report),
            ("FIELDALIAS-", self._alias),
            ("EVAL-", self._calculate),
            ("LOOKUP-", self._automatic),
        ]
        for prefix, build in builders:
            for key in sorted(settings):
                if key.startswith(prefix):
                    try:
                        build(props, key[len(prefix) :], settings[key])
                    except SplError as error:
                        self.problems.append(f"props.conf [{where}] {key}: {error.message}")
        return props

    @staticmethod
    def _extract(props: Props, _name: str, value: str) -> None:
        pattern, found, source = value.rpartition(" in ")
        if found and re.fullmatch(r"\w+", source.strip()):
            props.extractions.append(Extraction(regex(pattern.strip()), source.strip()))
        else:
            props.extractions.append(Extraction(regex(value.strip())))

    def _report(self, props: Props, _name: str, value: str) -> None:
        transforms = self._confs("transforms")
        for name in (part.strip() for part in value.split(",")):
            settings = transforms.get(name)
            if settings is None:
                raise SplError(f"transforms.conf has no stanza [{name}]")
            props.extractions.append(_transform(settings, name))

    @staticmethod
    def _alias(props: Props, _name: str, value: str) -> None:
        for match in SPLIT_ALIAS.finditer(value):
            only_new = "asnew" in match[0].lower().split()
            props.aliases.append((match[1] or match[2], match[3] or match[4], only_new))

    def _calculate(self, props: Props, name: str, value: str) -> None:
        props.calculated.append((name, parse_expression(value, 0, len(value), Scope(self._now))))

    def _automatic(self, props: Props, _name: str, value: str) -> None:
        words = value.replace(",", " ").split()
        table = self._lookup(words[0]) if words else None
        if table is None:
            raise SplError(f"no lookup {words[0] if words else ''!r}")
        upper = [word.upper() for word in words]
        cut = next((place for place, word in enumerate(upper) if word in ("OUTPUT", "OUTPUTNEW")), len(words))
        keys, outputs = _alias_pairs(words[1:cut]), _alias_pairs(words[cut + 1 :])
        only_new = cut < len(words) and upper[cut] == "OUTPUTNEW"
        matcher = LookupMatcher(table, keys)
        if not outputs:
            taken = {column for column, _ in keys}
            columns = dict.fromkeys(name for row in matcher.rows for name in row)
            outputs = [(name, name) for name in columns if name not in taken and not name.startswith("_")]
        props.lookups.append(AutoLookup(matcher, outputs, only_new))

    # Applying

    def enricher(self, wanted: Fields) -> Callable[[Row], None]:
        """Return what adds search-time fields to a row that holds metadata and indexed fields."""
        classify = wanted is None or "eventtype" in wanted or any(name.startswith("tag") for name in wanted)
        plans: dict[tuple[str, str, str], tuple[Props, Fields]] = {}

        def run(row: Row) -> None:
            key = (row["host"], row["source"], row["sourcetype"])
            plan = plans.get(key)
            if plan is None:
                props = self.props(*key)
                plan = plans[key] = (props, None if classify else props.wanted(wanted))
            self._apply(row, *plan)
            if classify:
                self._classify(row)

        return run

    def _apply(self, row: Row, props: Props, need: Fields) -> None:
        if need is None or not need <= METADATA:
            self._extract_fields(row, props, need)
        for source, target, only_new in props.aliases:
            if source in row and not (only_new and target in row):
                row[target] = row[source]
        if props.calculated:
            self._calculated(row, props)
        for lookup in props.lookups:
            lookup.run(row)

    @staticmethod
    def _extract_fields(row: Row, props: Props, need: Fields) -> None:
        indexed = row.keys() - METADATA
        for extraction in props.extractions:
            extraction.run(row)
        raw = row["_raw"]
        if props.kv_mode == "json" or (props.kv_mode == "auto" and raw[:1] == "{"):
            document = jsonpath.parse(raw)
            if document is not None:
                for name, value in jsonpath.flatten(document, need).items():
                    if name in indexed:
                        # Indexed and extracted again: both are values of the field, as in Splunk.
                        row[name] = [*values_of(row[name]), *values_of(value)]
                    else:
                        row.setdefault(name, value)
                return
        if props.kv_mode == "auto":
            pairs: dict[str, list[str]] = {}
            for match in PAIR.finditer(raw[:MAX_KV_CHARS]):
                text = match[3] if match[3] is not None else re.sub(r"\\(.)", r"\1", match[2])
                pairs.setdefault(match[1], []).append(text)
            for name, texts in pairs.items():
                row.setdefault(name, texts[0])

    @staticmethod
    def _calculated(row: Row, props: Props) -> None:
        """All are computed from what was there before: one does not see another (docs: calculated fields)."""
        results = [(name, expression.run(row)) for name, expression in props.calculated]
        for name, value in results:
            if value is not None:
                row[name] = "True" if value is True else "False" if value is False else value

    def _classify(self, row: Row) -> None:
        types = [name for name, test, _ in self._eventtypes() if test(row)]
        if types:
            row["eventtype"] = collapse(types)
        tags: dict[str, None] = {}
        for (name, value), labels in self.tags.items():
            if labels and any(to_text(item) == value for item in values_of(row.get(name))):
                tags.update(dict.fromkeys(labels))
                own = values_of(row.get(f"tag::{name}"))
                row[f"tag::{name}"] = collapse(sorted({*own, *labels}))
        if tags:
            row["tag"] = collapse(sorted(tags))

    def _eventtypes(self) -> list[tuple[str, Test, frozenset[str]]]:
        if self._types is None:
            self._types = []
            for name, settings in sorted(self._confs("eventtypes").items()):
                text = settings.get("search", "")
                if settings.get("disabled", "0") in ("1", "true") or not text:
                    continue
                try:
                    parsed = parse_search(text, 0, len(text), _Plain(self, self._now))
                except SplError as error:
                    self.problems.append(f"eventtypes.conf [{name}]: {error.message}")
                    continue
                self._types.append((name, parsed.test, parsed.fields))
        return self._types

    def eventtype(self, name: str) -> str | None:
        settings = self._confs("eventtypes").get(name)
        if settings is None or settings.get("disabled", "0") in ("1", "true"):
            return None
        return settings.get("search", "*")

    def tag_pairs(self, tag: str) -> list[tuple[str, str]]:
        test = wildcard_regex(tag, ignore_case=False).match if "*" in tag else tag.__eq__
        return [pair for pair, labels in self.tags.items() if any(test(label) for label in labels)]


class _Plain:
    """The surroundings of an event type's search: no subsearches there (docs: Define event types)."""

    def __init__(self, knowledge: Knowledge, now: float) -> None:
        self._knowledge = knowledge
        self.now = now

    def subsearch(self, text: str, position: int) -> str:  # noqa: ARG002
        raise SplError("Event types cannot hold subsearches")

    def eventtype(self, name: str) -> str | None:
        return self._knowledge.eventtype(name)

    def tag_pairs(self, tag: str) -> list[tuple[str, str]]:
        return self._knowledge.tag_pairs(tag)


def _alias_pairs(words: list[str]) -> Pairs:
    pairs: Pairs = []
    place = 0
    while place < len(words):
        if place + 2 < len(words) and words[place + 1].upper() == "AS":
            pairs.append((words[place], words[place + 2]))
            place += 3
        else:
            pairs.append((words[place], words[place]))
            place += 1
    return pairs


def _transform(settings: Settings, name: str) -> Extraction:
    source = settings.get("SOURCE_KEY", "_raw")
    multiple = settings.get("MV_ADD", "false").strip().lower() in ("1", "true")
    if "DELIMS" in settings:
        return _delimited(settings, name)
    if "REGEX" not in settings:
        raise SplError(f"transforms.conf [{name}] has neither REGEX nor DELIMS")
    pattern = regex(settings["REGEX"])
    layout = [
        (part.partition("::")[0].strip(), part.partition("::")[2].strip().strip('"'))
        for part in settings.get("FORMAT", "").split(" ")
        if "::" in part
    ]
    return Extraction(pattern, source, layout, multiple)


def _delimited(settings: Settings, name: str) -> Extraction:
    """DELIMS with two sets: pairs and the character between key and value."""
    parts = re.findall(r'"((?:[^"\\]|\\.)*)"', settings["DELIMS"])
    if len(parts) != 2:
        raise SplError(f"transforms.conf [{name}]: only DELIMS with two sets is supported")
    pairs, equals = (re.escape(part) for part in parts)
    pattern = re.compile(rf"([^{pairs}{equals}\s]+)[{equals}]([^{pairs}]*)")
    return Extraction(pattern, settings.get("SOURCE_KEY", "_raw"), [("$1", "$2")])
