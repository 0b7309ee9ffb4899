"""``apisecclassify``: what data events carry, and how closely they have to be held.

Of transactions it says what their fields are, by the forwarder's detectors, the overrides of teams and the verdicts of
the inventory. Those stand in the KV store, so that it runs on the search head. With ``state=off`` it uses what the
event says alone, and with ``field=`` it looks at any text with core's own detectors: both run on the indexers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Dict, List, Optional

from splunklib.searchcommands import Configuration, Option, StreamingCommand, validators

from apisec.classification import levels
from apisec.classification.event import EventClass, of_event
from apisec.endpoints.inventory.reading import Listed
from apisec.redaction.masks import Masked, masked

from ..records import values
from ..verdicts import Known
from .chunks import ByLine
from .events import event_from

Record = Dict[str, Any]
MAX_FIELDS = 20
REMEMBERED = 4_096  # lists of fields whose answer is kept
_LISTS = ("request_fields", "response_fields")
_NAME = re.compile(r"[^,\s]{1,256}")


class Names(validators.Validator):  # type: ignore[misc]
    """Names of fields, with commas between them."""

    def __call__(self, value: Optional[str]) -> Optional[List[str]]:
        if value is None:
            return None
        names = list(dict.fromkeys(_NAME.findall(str(value))))
        if not 1 <= len(names) <= MAX_FIELDS:
            raise ValueError(f"Expected the names of 1 to {MAX_FIELDS} fields, not {value}")
        return names

    def format(self, value: Optional[List[str]]) -> Optional[str]:
        return None if value is None else ",".join(value)


class Transactions:
    """Adds what transactions carry to their records."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._answers: Dict[Any, Record] = {}

    def add(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield the records of one chunk; what the inventory knows of their operations is read together."""
        pairs = [(record, event_from(record)) for record in records]
        self._known.ask({(str(event.get("service")), str(event.get("operation"))) for _, event in pairs})
        for record, event in pairs:
            record.update(self._answer(event))
            yield record

    def _answer(self, event: Record) -> Record:
        """Return the fields for an event; those of one operation share most lists of fields, and so their answer."""
        lists = [event.get(name) for name in _LISTS]
        if not all(one is None or type(one) is Listed for one in lists):
            return self._classified(event)
        texts = [one.text if one is not None else "" for one in lists]
        key = (*[event.get(name) for name in ("service", "operation", "status", "coverage")], *texts)
        found = self._answers.get(key)
        if found is None:
            if len(self._answers) >= REMEMBERED:
                self._answers.clear()
            found = self._answers[key] = self._classified(event)
        return found

    def _classified(self, event: Record) -> Record:
        known = self._known.operation(str(event.get("service")), str(event.get("operation")))
        found = of_event(event, self._known.overrides, known.verdicts)
        return {
            **columns(found),
            "apisec_operation_level": known.handled.level if known.handled is not None else "",
            "apisec_flags": [flag.text for flag in known.handled.flags] if known.handled is not None else [],
        }


def columns(found: EventClass) -> Record:
    """Return what an event carries as fields of its record."""
    return {
        "apisec_level": found.level,
        "apisec_classes": list(found.classes),
        "apisec_fields": [field.text() for field in found.fields],
        "apisec_conflicts": list(found.conflicts),
    }


def added(record: Record, fields: List[str], strict: bool, redact: bool) -> Record:
    """Return what stands in fields of any record: classes, level, counts, and with ``redact`` the fields with masks."""
    counts: Dict[str, int] = {}
    shown: Dict[str, Any] = {}
    skipped = 0
    for field in fields:
        found = [masked(text, "" if field == "_raw" else field, strict=strict) for text in values(record.get(field))]
        for one in found:
            skipped += one.skipped
            for name, times in one.counts.items():
                counts[name] = counts.get(name, 0) + times
        if redact:
            shown["apisec_redacted" if len(fields) == 1 else f"apisec_redacted_{field}"] = _texts(found)
    return {
        "apisec_level": levels.highest(map(levels.level, counts)),
        "apisec_classes": sorted(counts),
        "apisec_counts": [f"{name}={counts[name]}" for name in sorted(counts)],
        "apisec_skipped": skipped,
        **shown,
    }


def _texts(found: List[Masked]) -> Any:
    texts = [one.text for one in found]
    return texts if len(texts) > 1 else "".join(texts)


@Configuration()
class ApisecClassifyCommand(ByLine, StreamingCommand):  # type: ignore[misc]
    """
    ##Syntax
    apisecclassify (field=<fields>)? (redact=<bool>)? (mode=balanced|strict)? (state=on|off)?

    ##Description
    Adds apisec_level and apisec_classes to events: to transactions from their fields, overrides and the inventory; with
    field= to any events, from the text of these fields.

    ##Example
    `apisec_transactions` | apisecclassify | stats count by operation, apisec_level
    """

    field = Option(
        doc="**Syntax:** field=<field>,<field> **Description:** Look at the text of these fields of any events, such "
        "as _raw. Without it events are transactions.",
        default=None,
        validate=Names(),
    )
    redact = Option(
        doc="**Syntax:** redact=<bool> **Description:** With field=: add apisec_redacted, the text with masks such as "
        "<pci.pan>. Default: false.",
        default=False,
        validate=validators.Boolean(),
    )
    mode = Option(
        doc="**Syntax:** mode=balanced|strict **Description:** With field=: strict takes a checksum alone for proof. "
        "Default: balanced.",
        default="balanced",
        validate=validators.Set("balanced", "strict"),
    )
    state = Option(
        doc="**Syntax:** state=on|off **Description:** off: without overrides and inventory, on the indexers. "
        "Default: on.",
        default="on",
        validate=validators.Set("on", "off"),
    )

    def prepare(self) -> None:
        """Called by the SDK before it tells splunkd where it may run: anywhere, where no collection is read."""
        self._configuration.distributed = self.field is not None or self.state == "off"

    def stream(self, records: Iterable[Record]) -> Iterator[Record]:
        """Called by the SDK once for each chunk."""
        if self.field is not None:
            for record in records:
                record.update(added(record, self.field, self.mode == "strict", bool(self.redact)))
                yield record
            return
        if not hasattr(self, "_known"):
            self._known = Known.nothing() if self.state == "off" else Known.of(self.service)
            self._transactions = Transactions(self._known)
        yield from self._transactions.add(records)
        for problem in self._known.problems:
            self.logger.warning("%s", problem)
            self.write_warning("{}", f"apisecclassify: {problem}")
        self._known.problems.clear()
