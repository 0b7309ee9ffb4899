"""The index-time pipeline as one object: configuration in, events out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.spl import jsonpath
from apisec_sandbox.splunkd.indexes import Event
from apisec_sandbox.splunkd.parsing.rules import Rules, Stanzas, resolve
from apisec_sandbox.splunkd.parsing.strptime import Clock
from apisec_sandbox.splunkd.parsing.transforms import Draft, RuleError

LOG = logging.getLogger("apisec_sandbox.parsing")
MAX_KNOWN = 10_000  # combinations of host, source and source type whose rules are kept


class ParsingError(SandboxError):
    """Configuration that cannot be applied to the data; nothing of the text was indexed."""


class Meta(NamedTuple):
    """What an input knows of its data."""

    host: str
    source: str
    sourcetype: str
    index_name: str


class Source(Protocol):
    """Where configuration comes from: Confs, or whoever keeps what it said."""

    def stanzas(self, conf: str, /) -> Stanzas: ...


class Parser:
    """Index-time parsing by the configuration that holds now."""

    def __init__(self, confs: Source, clock: Callable[[], float]) -> None:
        self._confs = confs
        self._clock = clock
        self._read: tuple[Stanzas, Stanzas] = ({}, {})
        self._known: dict[tuple[str, str, str], Rules] = {}

    def refresh(self) -> None:
        """Take over changed configuration; cheap, and meant to be called once for each request."""
        now = (self._confs.stanzas("props"), self._confs.stanzas("transforms"))
        if now[0] is not self._read[0] or now[1] is not self._read[1]:
            self._read, self._known = now, {}

    def rules(self, host: str, source: str, sourcetype: str) -> Rules:
        """Raise ParsingError when a setting for these cannot be applied."""
        key = (host, source, sourcetype)
        known = self._known.get(key)
        if known is None:
            try:
                known = resolve(*self._read, *key)
            except RuleError as error:
                raise ParsingError(str(error)) from error
            if len(self._known) >= MAX_KNOWN:
                self._known = {}
            self._known[key] = known
        return known

    def raw(self, text: str, meta: Meta, when: float | None = None) -> Iterator[Event]:
        """Break text into events. ``when`` is the time of all of them, else each states its own.

        An event without a time has that of the one before it, the first one the current time (Getting Data In,
        "How timestamp assignment works").

        Raises:
            ParsingError: a setting for this source type cannot be applied.
        """
        rules = self.rules(meta.host, meta.source, meta.sourcetype)
        clock = Clock(self._clock(), rules.zone)
        last = clock.now
        try:
            for line in rules.lines.events(text, lambda line: rules.times.find(line, clock) is not None):
                draft = Draft(line, meta.host, meta.source, meta.sourcetype, meta.index_name, last)
                self._extract(draft, rules)
                found = when if when is not None else self._time(draft, rules, clock)
                draft.time = last = last if found is None else found
                yield from self._finish(draft, rules, clock.now)
        except SandboxError as error:  # a pattern that takes too long
            raise ParsingError(str(error)) from error

    def cooked(self, event: Event, rules: Rules) -> Iterator[Event]:
        """Apply what remains to an event with known borders and time; nothing comes out when it is discarded."""
        draft = Draft(
            event.raw, event.host, event.source, event.sourcetype, event.index_name, event.time, dict(event.fields)
        )
        try:
            self._extract(draft, rules)
            yield from self._finish(draft, rules, event.indextime)
        except SandboxError as error:
            raise ParsingError(str(error)) from error

    def time_of(self, text: str, rules: Rules) -> float | None:
        """The time that a text states by these rules."""
        return rules.times.find(text, Clock(self._clock(), rules.zone))

    @staticmethod
    def _extract(draft: Draft, rules: Rules) -> None:
        if not rules.indexed_json or draft.raw[:1] not in ("{", "["):
            return
        document = jsonpath.parse(draft.raw)
        if document is not None:
            for name, value in jsonpath.flatten(document).items():
                for item in value if isinstance(value, list) else [value]:
                    draft.add(name, str(item))

    @staticmethod
    def _time(draft: Draft, rules: Rules, clock: Clock) -> float | None:
        if not rules.time_fields:
            return rules.times.find(draft.raw, clock)
        for name in rules.time_fields:
            value = draft.fields.get(name)
            if value is not None:
                return rules.times.find(" ".join(value) if isinstance(value, list) else value, clock)
        return None

    @staticmethod
    def _finish(draft: Draft, rules: Rules, indextime: float) -> Iterator[Event]:
        for step in rules.steps:
            step(draft)
        if draft.queue.strip().lower() == "nullqueue":
            return
        if not draft.raw.strip():
            return
        # A source type that a transform gave counts at search time; index-time rules are not run a second time.
        yield Event(
            draft.time,
            indextime,
            draft.host,
            draft.source,
            draft.sourcetype,
            draft.raw,
            draft.fields,
            draft.index,
        )
