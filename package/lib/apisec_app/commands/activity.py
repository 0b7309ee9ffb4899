"""``apisecactivity``: what each principal did to each service in five minutes, with a map phase on the indexers.

Map gives one record a row with the row as JSON; reduce merges those of one key, and reads only those that several
processes have. The class's name is the command's: the SDK builds the map phase's search from it.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterable, Iterator
from typing import Any, Dict, List, Tuple, Union

from splunklib.searchcommands import Configuration, Option, ReportingCommand, validators

from apisec.activity import Activity, Row
from apisec.errors import DocumentError

from ..records import first, same_fields
from .chunks import ByLine
from .events import event_from
from .options import Duplicates
from .unique import EVENT_FIELD, IDS_FIELD, Once, Together, id_hash

ROW_FIELD = "apisec_row"
STATE, ROWS = "state", "rows"
KEY_FIELDS = ("service", "principal", "slot")
MAX_HELD = 2_000_000  # rows on the search head; what is beyond is left out, and the command says so
YOUNGEST = 200_000  # new objects between two collections of what no name leads to any more: rows hold no cycles

Record = Dict[str, Any]
Key = Tuple[str, str, str]


def row_text(row: Row) -> str:
    return json.dumps(row.to_document(), separators=(",", ":"))


def row_of(text: str) -> Row:
    """Read a row's text. Raises DocumentError."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DocumentError("not JSON", where="apisec_row") from error
    return Row.from_document(document)


def row_record(row: Row) -> Record:
    """A row as a record that travels to the search head."""
    return {"service": row.service, "principal": row.principal, "slot": row.slot, ROW_FIELD: row_text(row)}


class Rows:
    """Rows by key; those that came alone stay the texts that they came as."""

    def __init__(self, most: int = MAX_HELD) -> None:
        self._held: Dict[Key, Union[str, Row]] = {}
        self._most = most
        self.dropped = 0  # rows

    def __len__(self) -> int:
        return len(self._held)

    def add(self, key: Key, row: Union[str, Row]) -> None:
        """Take a row, or its text. Raises DocumentError for a text that is none, at the latest when it is read."""
        held = self._held.get(key)
        if held is None:
            if len(self._held) < self._most:
                self._held[key] = row
            else:
                self.dropped += 1
            return
        one, other = (row_of(r) if isinstance(r, str) else r for r in (held, row))
        try:
            one.merge(other)
        except ValueError as error:
            raise DocumentError("is of another principal or time than its record says", where="apisec_row") from error
        self._held[key] = one

    def texts(self) -> Iterator[Tuple[Key, str]]:
        """Yield keys and rows as text by service and principal, in the order of slots."""
        for key in sorted(self._held):
            row = self._held[key]
            yield key, row if isinstance(row, str) else row_text(row)

    def rows(self) -> Iterator[Row]:
        for key in sorted(self._held):
            row = self._held[key]
            yield row_of(row) if isinstance(row, str) else row


def shown(row: Row) -> Record:
    """A row as an analyst reads it: figures of its operations together; ids of events to look at."""
    used = row.operations.values()
    return {
        "_time": f"{row.start:.0f}",
        "service": row.service,
        "team": row.team,
        "principal": row.principal,
        "principal_kind": row.kind,
        "first": f"{row.first:.3f}",
        "last": f"{row.last:.3f}",
        "requests": row.requests,
        "failures": row.failures,
        "blocked": row.blocked,
        "operations": sorted(row.operations, key=lambda name: (-row.operations[name].requests, name)),
        "operation_count": row.operation_count,
        "objects": sum(one.object_count for one in used),
        "objects_refused": sum(one.objects_refused for one in used),
        "objects_walked": sum(one.walked for one in used),
        "issued": len(row.issued) + row.issued_dropped,
        "identities": sum(one.identities.count for one in used),
        "logins": row.accounts.attempts,
        "logins_failed": row.accounts.failures,
        "accounts": row.accounts.tried_count,
        "bytes_in": sum(one.bytes_in for one in used),
        "bytes_out": sum(one.bytes_out for one in used),
        "largest_out": max((one.largest_out for one in used), default=0),
        "records": sum(one.records for one in used),
        "sensitive": sum(one.sensitive for one in used),
        "data_classes": sorted({name for one in used for name in one.classes}),
        "response_time": round(sum(one.response_time for one in used) / max(1, row.requests), 1),
        "clients": [key.text for key in sorted(row.clients)],
        "sources": row.sources,
        "source_count": row.source_count,
        "credentials": row.credential_count,
        "signals": sorted(row.signals),
        "signal_requests": sum(one.requests for one in row.signals.values()),
        "examples": list(dict.fromkeys(one for listed in row.examples.values() for one in listed))[:6],
    }


@Configuration(requires_preop=True)
class ApisecActivityCommand(ByLine, ReportingCommand):  # type: ignore[misc]
    """
    ##Syntax
    apisecactivity (output=rows|state)? (unique=<bool>)? (duplicates=<ids>)?

    ##Description
    Summarises transactions into one row for each service, principal and five minutes.

    ##Example
    `apisec_transactions` | fields _raw, _time | apisecactivity
    """

    output = Option(
        doc="**Syntax:** output=rows|state **Description:** rows: figures to read; state: rows as JSON, as detection "
        "takes them. Default: rows.",
        default=ROWS,
        validate=validators.Set(ROWS, STATE),
    )
    unique = Option(
        doc="**Syntax:** unique=<bool> **Description:** Count each id once; ids that lie on several indexers are told "
        "in apisec_duplicates, and counted right when they are given back. Default: false.",
        default=False,
        validate=validators.Boolean(),
    )
    duplicates = Option(
        doc="**Syntax:** duplicates=<ids> **Description:** apisec_duplicates of a run before.",
        default=None,
        validate=Duplicates(),
    )

    @Configuration()  # type: ignore[untyped-decorator]
    def map(self, records: Iterable[Record]) -> Iterator[Record]:
        """On the indexers: the rows of one chunk."""
        gc.set_threshold(YOUNGEST)
        activity = Activity()
        found: List[Record] = []
        if self.unique:
            if not hasattr(self, "_once"):
                self._once = Once(self.duplicates or ())
            found += self._once.sift(records, event_from, activity.add)
        else:
            for record in records:
                if ROW_FIELD in record:
                    found.append(record)
                else:
                    activity.add(event_from(record))
        found += (row_record(row) for row in activity.rows())
        self._tell(activity)
        yield from same_fields(found)

    def reduce(self, records: Iterable[Record]) -> Iterator[Record]:
        """On the search head: rows, once the last chunk is here."""
        if not hasattr(self, "_rows"):
            gc.set_threshold(YOUNGEST)
            self._rows, self._together, self._activity = Rows(), Together(), Activity()
        try:
            for record in records:
                self._reduce(record)
            if self._finished:
                yield from same_fields(self._finish())
        except DocumentError as error:
            self.error_exit(error, f"apisecactivity: {error}")

    def _reduce(self, record: Record) -> None:
        ids, event, row = first(record.get(IDS_FIELD)), first(record.get(EVENT_FIELD)), first(record.get(ROW_FIELD))
        if ids:
            self._together.add(ids)
        elif event:
            whole = event_from({"_raw": event})
            if self._together.first(id_hash(str(whole.get("id")))):
                self._activity.add(whole)
        elif row:
            service, principal, slot = (first(record.get(name)) or "" for name in KEY_FIELDS)
            self._rows.add((service, principal, slot), row)
        elif IDS_FIELD not in record:
            self._activity.add(event_from(record))

    def _finish(self) -> Iterator[Record]:
        for row in self._activity.rows():
            self._rows.add((row.service, row.principal, str(row.slot)), row)
        self._tell(self._activity)
        if self._rows.dropped:
            self.write_warning("{}", f"apisecactivity: {self._rows.dropped} rows left out: search a shorter time")
        if self.output == STATE:
            for (service, principal, slot), text in self._rows.texts():
                yield {"service": service, "principal": principal, "slot": slot, ROW_FIELD: text}
        else:
            yield from (shown(row) for row in self._rows.rows())
        yield from self._together.told()

    def _tell(self, activity: Activity) -> None:
        if activity.dropped:
            text = f"apisecactivity: {activity.dropped} events left out: no operation, principal or time, or too many"
            self.write_warning("{}", text)
