"""Search-time knowledge: what props, transforms, eventtypes and tags make of a raw event.

Order of operations (Knowledge Manager Manual, "The sequence of search-time operations"): inline extractions
(EXTRACT), extractions by transform (REPORT), automatic key-value extraction (KV_MODE), aliases, calculated fields,
lookups, event types, tags. Within one kind classes apply in ASCII order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from apisec_sandbox.spl import jsonpath, xmlpath
from apisec_sandbox.spl.context import Fields, LookupTable
from apisec_sandbox.spl.defaultfields import DEFAULT_FIELDS, NOT_MADE, add_default_fields
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.expressions import Scope
from apisec_sandbox.spl.extractions import Settings, auto_pairs, flag
from apisec_sandbox.spl.macros import from_conf, prepare
from apisec_sandbox.spl.props import Confs, Place, Props, PropsCompiler
from apisec_sandbox.spl.searchexpr import Test, parse_search
from apisec_sandbox.spl.values import Row, collapse, to_number, to_text, values_of, wildcard_regex

METADATA = frozenset(("_time", "_raw", "host", "source", "sourcetype", "index", "_indextime", "splunk_server"))
MAX_PLACES = 10_000  # compiled combinations of host, source and source type that are kept
LEAST_PRIORITY = 10  # eventtypes.conf: 1 is the strongest, 10 the weakest
Enrich = Callable[[Row], None]


class Knowledge:
    """Compiled knowledge of one app's context; made anew when configuration changes."""

    def __init__(self, confs: Confs, lookup: Callable[[str], LookupTable | None], now: float) -> None:
        self._confs = confs
        self._now = now
        self._macros = from_conf(confs("macros"))
        self._compiler = PropsCompiler(confs, lookup, Scope(now, services=_Lookups(lookup)))
        self.problems = self._compiler.problems
        self.renames = self._compiler.renames
        self._props: dict[Place, Props] = {}
        self._types: list[tuple[str, Test]] | None = None
        self._type_fields: frozenset[str] = frozenset()
        self._type_texts: dict[str, str] = {}
        self.tags = self._tags()
        self._tags_by_field: dict[str, dict[str, list[str]]] = {}
        for (name, value), labels in self.tags.items():
            if labels:
                self._tags_by_field.setdefault(name, {})[value] = labels

    def _tags(self) -> dict[tuple[str, str], list[str]]:
        """Tags by (field, value)."""
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
            if len(self._props) > MAX_PLACES:
                self._props.clear()
            known = self._props[key] = self._compiler.compile(host, source, sourcetype)
        return known

    # Applying

    def enricher(self, wanted: Fields, named: frozenset[str] = frozenset()) -> Enrich:
        """Return what adds search-time fields to a row that holds metadata and indexed fields.

        ``named``: the default fields to make where everything is wanted.
        """
        classify = wanted is None or "eventtype" in wanted or any(name.startswith("tag") for name in wanted)
        asked = named if wanted is None else wanted
        for name in sorted(asked & NOT_MADE):
            self._compiler.problem(f"The default field {name} is not made by this stand-in: it has no value here.")
        plans: dict[Place, tuple[Props, Fields, frozenset[str]]] = {}

        def run(row: Row) -> None:
            key = (row["host"], row["source"], row["sourcetype"])
            plan = plans.get(key)
            if plan is None:
                props = self.props(*key)
                need = None if classify else props.wanted(wanted)
                defaults = asked | (props.sources() if need is None else need)
                if classify:
                    defaults |= self._classifying()
                plan = plans[key] = (props, need, defaults & DEFAULT_FIELDS)
            self._apply(row, *plan)
            if classify:
                self._classify(row)

        return run

    @staticmethod
    def _apply(row: Row, props: Props, need: Fields, defaults: frozenset[str]) -> None:
        if need is None or not need <= METADATA:
            _extract_fields(row, props, need)
        if defaults:
            add_default_fields(row, defaults)
        if props.aliases:
            props.alias(row)
        if props.calculated:
            props.calculate(row)
        for lookup in props.lookups:
            lookup.run(row)

    def _classify(self, row: Row) -> None:
        types = [name for name, test in self._eventtypes() if test(row)]
        if types:
            row["eventtype"] = collapse(types)
        tags: dict[str, None] = {}
        for name, by_value in self._tags_by_field.items():
            held = row.get(name)
            if held is None:
                continue
            labels = [label for item in values_of(held) for label in by_value.get(to_text(item), ())]
            if labels:
                tags.update(dict.fromkeys(labels))
                own = values_of(row.get(f"tag::{name}"))
                row[f"tag::{name}"] = collapse(sorted({*own, *labels}))
        if tags:
            row["tag"] = collapse(sorted(tags))

    # Event types and tags

    def _classifying(self) -> frozenset[str]:
        """The fields that event types and tags look at."""
        self._eventtypes()
        return self._type_fields | self._tags_by_field.keys()

    def _eventtypes(self) -> list[tuple[str, Test]]:
        if self._types is None:
            ranked: list[tuple[float, str, Test]] = []
            fields: set[str] = set()
            for name, settings in self._confs("eventtypes").items():
                if name == "default":
                    continue
                try:
                    text = self.eventtype(name)
                    if text is None:
                        continue
                    parsed = parse_search(text, 0, len(text), _Plain(self, self._now))
                except SplError as error:
                    self._compiler.problem(f"eventtypes.conf [{name}] search: {error.message}")
                    continue
                rank = to_number(settings.get("priority", "")) or LEAST_PRIORITY
                ranked.append((float(rank), name, parsed.test))
                fields |= parsed.fields
            ranked.sort(key=lambda item: item[:2])
            self._types = [(name, test) for _, name, test in ranked]
            self._type_fields = frozenset(fields)
        return self._types

    def eventtype(self, name: str) -> str | None:
        """The search of an event type, its macros expanded; None when there is none or it is disabled.

        Raises:
            SplError: a macro in it does not exist, or it has more than conditions.
        """
        known = self._type_texts.get(name)
        if known is not None:
            return known
        settings = self._confs("eventtypes").get(name)
        if settings is None or flag(settings, "disabled") or not settings.get("search", "").strip():
            return None
        text = str(prepare(settings["search"], self._macros)).strip()
        if text.startswith("|"):
            raise SplError(f"Eventtype '{name}' starts with a pipe: it can hold conditions only")
        self._type_texts[name] = text = text.removeprefix("search ")
        return text

    def tag_pairs(self, tag: str) -> list[tuple[str, str]]:
        test = wildcard_regex(tag, ignore_case=False).match if "*" in tag else tag.__eq__
        return [pair for pair, labels in self.tags.items() if any(test(label) for label in labels)]


def _extract_fields(row: Row, props: Props, need: Fields) -> None:
    indexed = row.keys() - METADATA
    for extraction in props.extractions:
        if need is None or extraction.names is None or not extraction.names.isdisjoint(need):
            extraction.run(row)
    raw, mode = to_text(row["_raw"]), props.kv_mode
    auto = mode in ("auto", "auto_escaped")
    if mode == "json" or (auto and props.auto_json and raw.lstrip()[:1] in ("{", "[")):
        document = jsonpath.parse(raw)
        if document is not None:
            _merge(row, jsonpath.flatten(document, need), indexed)
            return
    if mode == "xml":
        _merge(row, xmlpath.flatten(raw), indexed)
    elif auto:
        for name, text in auto_pairs(raw).items():
            row.setdefault(name, text)


def _merge(row: Row, fields: Mapping[str, Any], indexed: set[str]) -> None:
    for name, value in fields.items():
        if name in indexed:
            # Indexed and extracted again: both are values of the field, as in Splunk.
            row[name] = [*values_of(row[name]), *values_of(value)]
        else:
            row.setdefault(name, value)


class _Lookups:
    """What the lookup() of a calculated field may ask."""

    def __init__(self, lookup: Callable[[str], LookupTable | None]) -> None:
        self.lookup = lookup

    def eventtype(self, name: str) -> str | None:  # noqa: ARG002 - calculated fields come before event types
        return None

    def tag_pairs(self, tag: str) -> list[tuple[str, str]]:  # noqa: ARG002
        return []


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


__all__ = ["METADATA", "Knowledge", "Props", "Settings"]
