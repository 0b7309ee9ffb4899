"""From stored events to rows: of a JSON event only the fields that someone reads, without building the others.

``RowMaker`` takes the short way for plain JSON events (no extractions, aliases, lookups or event types in play) and the
general one (``Knowledge.enricher``) for all others. Both give the same row, except that a field which is read as a
number only may come as one instead of as its text; tests hold them against each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import orjson

from apisec_sandbox.spl.context import Fields, Hints
from apisec_sandbox.spl.defaultfields import DEFAULT_FIELDS
from apisec_sandbox.spl.knowledge import METADATA, Knowledge, Props
from apisec_sandbox.spl.values import Row

SHORT = 5_000  # characters; longer events go the general way, which knows limits of extraction (limits.conf)
BIG = 10**18  # whole numbers from here on are doubles in SPL (values.to_number)
NUMBER = re.compile(r"\s*:\s*([^\s,\]}]+)")
MISSING, SEVERAL = object(), object()
MAX_KINDS = 10_000  # combinations of host, source, sourcetype and index that are remembered
KIND = ("host", "source", "sourcetype", "index")
PLAIN = Props()
PLACES = {"_time": 0, "_indextime": 1, "host": 2, "source": 3, "sourcetype": 4, "_raw": 5, "index": 7}
Values = Sequence[Any]  # time, indextime, host, source, sourcetype, raw, indexed fields, index, document
Early = Callable[[Row], bool]


def event_row(values: Values) -> Row:
    """An event with its metadata and indexed fields."""
    when, indextime, host, source, sourcetype, raw, fields, index, _ = values
    row: Row = {
        "_time": int(when) if when == int(when) else when,
        "_raw": raw,
        "host": host,
        "source": source,
        "sourcetype": sourcetype,
        "index": index,
        "_indextime": int(indextime),
        "splunk_server": "apisec-sandbox",
    }
    if fields:
        row.update(fields)
    return row


class RowMaker:
    """Makes rows of the events of one scan."""

    def __init__(self, knowledge: Knowledge, wanted: Fields, early: Early | None, hints: Hints) -> None:
        self._knowledge = knowledge
        self._enrich = knowledge.enricher(wanted, hints.named)
        self._by_kind = early if hints.by_kind else None
        self._early = early = None if hints.by_kind else early
        self._leaves = _leaves(wanted, hints.numeric)
        self._places: list[tuple[str, int]] | None = None  # of the metadata that rows carry; None for all
        if hints.exact is not None and early is None:
            self._places = [(name, PLACES[name]) for name in hints.exact & PLACES.keys()]
        self._kinds: dict[tuple[str, ...], tuple[bool, bool]] = {}

    def rows(self, events: Iterable[Values]) -> list[Row]:
        """Return the rows of the events that pass the early test."""
        early, leaves = self._early, self._leaves
        if self._knowledge.renames:
            events = map(self._renamed, events)
        last: tuple[str, ...] = ()
        keep, plain = True, False
        found: list[Row] = []
        for values in events:
            kind = (values[2], values[3], values[4], values[7])
            if kind != last:
                last = kind
                keep, plain = self._judge(kind)
            if not keep:
                continue
            row = None
            if early is not None:  # on metadata and text, before anything is looked up or parsed
                row = event_row(values)
                if not early(row):
                    continue
            if plain and leaves is not None and not values[6]:
                if row is None:
                    row = self._metadata(values) if self._places != [] else {}
                if not leaves or _take(values[5], values[8], leaves, row):
                    found.append(row)
                    continue
            row = event_row(values)
            self._enrich(row)
            found.append(row)
        return found

    def _renamed(self, values: Values) -> Values:
        """``rename`` of props.conf: the source type that a search sees (props.conf.spec)."""
        name = self._knowledge.renames.get(values[4])
        if name is None:
            return values
        fields = {**(values[6] or {}), "_sourcetype": values[4]}
        return (*values[:4], name, values[5], fields, *values[7:])

    def _judge(self, kind: tuple[str, str, str, str]) -> tuple[bool, bool]:
        """Whether events of this host, source, sourcetype and index are asked for, and whether they are plain."""
        known = self._kinds.get(kind)
        if known is None:
            if len(self._kinds) >= MAX_KINDS:
                self._kinds.clear()
            keep = self._by_kind is None or self._by_kind(dict(zip(KIND, kind, strict=True)))
            known = self._kinds[kind] = (keep, keep and self._leaves is not None and self._is_plain(kind[:3]))
        return known

    def _metadata(self, values: Values) -> Row:
        if self._places is None:
            return event_row(values)
        row = {name: values[place] for name, place in self._places}
        for name in ("_time", "_indextime"):
            if name in row and row[name] == int(row[name]):
                row[name] = int(row[name])
        return row

    def _is_plain(self, kind: tuple[str, str, str]) -> bool:
        """Whether nothing but automatic extraction from JSON applies."""
        props = self._knowledge.props(*kind)
        return props.kv_mode in ("auto", "json") and replace(props, kv_mode=PLAIN.kv_mode) == PLAIN


def _leaves(wanted: Fields, numeric: frozenset[str]) -> list[tuple[str, bool, bool]] | None:
    """Return (field, read as a number only, may be nested) of what is taken; None when the general way has to."""
    if wanted is None or "eventtype" in wanted or any(name.startswith("tag") for name in wanted):
        return None
    names = sorted(wanted - METADATA)
    if any("{" in name for name in names) or not DEFAULT_FIELDS.isdisjoint(names):
        return None
    return [(name, name in numeric, "." in name) for name in names]


def _take(raw: str, document: Any, leaves: list[tuple[str, bool, bool]], row: Row) -> bool:
    """Put fields of a JSON object into the row; False where the general way is to decide.

    orjson does not keep the text of a number: a whole one is its own text (but for -0), a fraction may not be.
    """
    if raw[:1] != "{" or len(raw) > SHORT:
        return False
    if document is None:
        try:
            document = orjson.loads(raw)
        except orjson.JSONDecodeError:
            return False
    for name, numeric, nested in leaves:
        value = _dig(document, name) if nested else document.get(name, MISSING)
        kind = type(value)
        if kind is str:
            row[name] = value
        elif kind is int or kind is float:
            text = "" if numeric else repr(value)
            if not _is_text(value, text, raw, name):
                return False
            row[name] = text or value
        elif kind is bool:
            row[name] = "true" if value else "false"
        elif value is None:
            row[name] = "null"
        elif value is SEVERAL:
            return False
    return True


def _dig(document: dict[str, Any], name: str) -> Any:
    """Return what stands at ``a.b``: a member of that name, or ``b`` in the object ``a``."""
    found = document.get(name, MISSING)
    found = MISSING if type(found) in (dict, list) else found
    at = name.find(".")
    while at >= 0:
        inner = document.get(name[:at])
        if type(inner) is dict:
            more = _dig(inner, name[at + 1 :])
            if more is not MISSING:
                found = more if found is MISSING else SEVERAL
        at = name.find(".", at + 1)
    return found


def _is_text(value: int | float, text: str, raw: str, name: str) -> bool:
    """Whether Python's text of a number is what stands there; without ``text``, whether SPL reads the same number."""
    if type(value) is int:
        return -BIG < value < BIG and (value != 0 or "-0" not in raw)
    if not text:
        return True
    key = f'"{name.rpartition(".")[2]}"'
    at = raw.find(key)
    end = at + len(key)
    if at < 0 or raw.find(key, end) >= 0:
        return False
    begin = end + (2 if raw.startswith(": ", end) else 1)
    if raw.startswith(text, begin) and raw[end] == ":" and raw[begin + len(text)] in ",}":  # as nearly all write it
        return True
    match = NUMBER.match(raw, end)
    return match is not None and match[1] == text
