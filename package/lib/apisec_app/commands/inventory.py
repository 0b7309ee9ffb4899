"""``apisecinventory``: what APIs there are, with a map phase that runs on the indexers.

Map gives one record per operation with the state of its inventory as JSON; reduce merges states. The SDK calls
``map`` and ``reduce`` once for each chunk of a large search; map answers each chunk, so that no record depends on a
last one, and the rows of reduce come only with the last one. The class's name is the command's: the SDK builds the map
phase's search from it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Dict, List

from splunklib.searchcommands import Configuration, Option, ReportingCommand, validators

from apisec.classification.event import by_place
from apisec.classification.fields import summary, verdicts
from apisec.classification.overrides import Overrides
from apisec.endpoints import performance
from apisec.endpoints.inventory import Inventory
from apisec.endpoints.learning import PathModel
from apisec.openapi.export import documents

from ..records import first, same_fields
from ..verdicts import overrides_of
from .chunks import ByLine
from .events import event_from
from .options import Duplicates
from .unique import EVENT_FIELD, IDS_FIELD, Once, Together, id_hash

STATE_FIELD = "apisec_state"
PATHS_FIELD = "apisec_paths"

Record = Dict[str, Any]


class Gathered:
    """What one process learned: the inventory, and the paths where they are wanted."""

    def __init__(self, with_paths: bool) -> None:
        self.inventory = Inventory()
        self._paths = PathModel() if with_paths else None

    def add(self, event: Record) -> None:
        self.inventory.add(event)
        if self._paths is not None:
            self._paths.add_event(event)

    def state(self, record: Record) -> bool:
        """Merge a state that map made or a lookup holds; False when the record holds none."""
        state, paths = first(record.get(STATE_FIELD)), first(record.get(PATHS_FIELD))
        if state:
            self.inventory.merge(Inventory.from_state(state))
        elif paths and self._paths is not None:
            self._paths.merge(PathModel.from_state(paths))
        return bool(state or paths)

    def states(self) -> Iterator[Record]:
        """One record for each operation and service, so that no state grows beyond what a field may hold."""
        for part in self.inventory.split():
            yield {STATE_FIELD: part.to_state()}
        for paths in self._paths.split() if self._paths is not None else ():
            yield {PATHS_FIELD: paths.to_state()}


def operations(inventory: Inventory, overrides: Overrides) -> Iterator[Record]:
    """One row for each service and operation, with its level and what it does with data."""
    for (service, operation), stats in inventory.items():
        handled = summary(verdicts(stats, overrides, service, operation), stats)
        yield {
            **stats.row(service, operation),
            "level": handled.level,
            "flags": [flag.text for flag in handled.flags],
            "conflicts": handled.conflicts,
        }


def fields(inventory: Inventory, overrides: Overrides) -> Iterator[Record]:
    """One row for each field of each operation, of requests and of the answers of each status, with its verdict."""
    for (service, operation), stats in inventory.items():
        known = by_place(verdicts(stats, overrides, service, operation))
        for name, message in stats.messages():
            for row in message.rows():
                verdict = known[name, row["in"], row["path"]]
                yield {
                    "service": service,
                    "team": stats.latest[1],
                    "operation": operation,
                    "message": name,
                    "messages": message.count,
                    **row,
                    **verdict.row(),
                }


def openapi(inventory: Inventory) -> List[Record]:
    """One row for each service, with its OpenAPI document as JSON."""
    return [
        {"service": service, "operations": sum(map(len, made["paths"].values())), "openapi": json.dumps(made)}
        for service, made in documents(inventory, time.time()).items()
    ]


CLASSIFIED: Dict[str, Callable[[Inventory, Overrides], Iterable[Record]]] = {"operations": operations, "fields": fields}
OUTPUTS: Dict[str, Callable[[Inventory], Iterable[Record]]] = {
    "versions": performance.version_rows,
    "body_operations": performance.body_operation_rows,
    "hours": performance.hour_rows,
    "slowest": performance.slowest,
    "regressions": performance.regressions,
    "openapi": openapi,
}
STATE = "state"


@Configuration(requires_preop=True)
class ApisecInventoryCommand(ByLine, ReportingCommand):  # type: ignore[misc]
    """
    ##Syntax
    apisecinventory (output=<kind>)? (unique=<bool>)? (duplicates=<ids>)?

    ##Description
    Summarises transactions, or states that it made before, into one row for each service and operation.

    ##Example
    `apisec_transactions` | fields _raw, _time | apisecinventory
    """

    output = Option(
        doc="**Syntax:** output=operations|fields|body_operations|versions|hours|slowest|regressions|openapi|state "
        "**Description:** What to give. Default: operations.",
        default="operations",
        validate=validators.Set(*CLASSIFIED, *OUTPUTS, STATE),
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
        """On the indexers: the states of one chunk."""
        gathered = Gathered(self.output == STATE)
        found: List[Record] = []
        if self.unique:
            if not hasattr(self, "_once"):
                self._once = Once(self.duplicates or ())
            wanted = (record for record in records if not gathered.state(record))
            found += self._once.sift(wanted, event_from, gathered.add)
        else:
            for record in records:
                if not gathered.state(record):
                    gathered.add(event_from(record))
        found += gathered.states()
        yield from same_fields(found)

    def reduce(self, records: Iterable[Record]) -> Iterator[Record]:
        """On the search head: rows, once the last chunk is here."""
        if not hasattr(self, "_gathered"):
            self._gathered, self._together = Gathered(self.output == STATE), Together()
        for record in records:
            self._reduce(record)
        if self._finished:
            self._warn()
            rows = list(self._gathered.states() if self.output == STATE else self._rows())
            rows += self._together.told()
            yield from same_fields(rows)

    def _rows(self) -> Iterable[Record]:
        classified = CLASSIFIED.get(str(self.output))
        if classified is None:
            return OUTPUTS[str(self.output)](self._gathered.inventory)
        overrides, problems = overrides_of(self.service)
        for problem in problems:
            self.write_warning("{}", f"apisecinventory: {problem}")
        return classified(self._gathered.inventory, overrides)

    def _reduce(self, record: Record) -> None:
        ids, event = first(record.get(IDS_FIELD)), first(record.get(EVENT_FIELD))
        if ids:
            self._together.add(ids)
        elif event:
            whole = event_from({"_raw": event})
            if self._together.first(id_hash(str(whole.get("id")))):
                self._gathered.add(whole)
        elif not self._gathered.state(record) and IDS_FIELD not in record:
            self._gathered.add(event_from(record))

    def _warn(self) -> None:
        if self._gathered.inventory.dropped:
            text = f"apisecinventory: {self._gathered.inventory.dropped} events left out: no operation, or too many"
            self.write_warning("{}", text)
