"""``apisecinventory``: one row for each service and operation, with a map phase that runs on the indexers.

Map gives one record per operation with the state of its inventory as JSON; reduce merges states. The SDK calls
``reduce`` once for each chunk of a large search, so rows come out only with the last one. The class's name is the
command's: the SDK builds the map phase's search from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Dict, List

from splunklib.searchcommands import Configuration, Option, ReportingCommand, validators

from apisec.endpoints.inventory import Inventory

from ..records import event_of, field_of, first

STATE_FIELD = "apisec_state"


def take(inventory: Inventory, record: Dict[str, Any]) -> None:
    """Add one record of either phase: a state that map made, or an event."""
    state = first(record.get(STATE_FIELD))
    if state:
        inventory.merge(Inventory.from_state(state))
    else:
        inventory.add(event_of(record))


def states(inventory: Inventory) -> Iterator[Dict[str, Any]]:
    """One record for each operation, so that no state grows beyond what a field may hold."""
    for part in inventory.split():
        yield {STATE_FIELD: part.to_state()}


def rows(inventory: Inventory, with_state: bool) -> Iterator[Dict[str, Any]]:
    """The rows that an analyst sees; ``with_state`` adds what merges with other windows."""
    for document in inventory.to_documents():
        state = document.pop("state")
        row = {name: field_of(value) for name, value in document.items() if name not in ("_key", "version")}
        if with_state:
            row[STATE_FIELD] = state
        yield row


def same_fields(rows: Iterable[Dict[str, Any]]) -> List[Dict[str, Any]]:
    """Give all rows all fields: the SDK takes a chunk's header from its first record."""
    listed = list(rows)
    names = list(dict.fromkeys(name for row in listed for name in row))
    return [{name: row.get(name) for name in names} for row in listed]


@Configuration(requires_preop=True)
class ApisecInventoryCommand(ReportingCommand):  # type: ignore[misc]
    """
    ##Syntax
    apisecinventory (state=<bool>)?

    ##Description
    Summarises transactions into one row for each service and operation.

    ##Example
    `apisec_transactions` | fields _raw, _time | apisecinventory
    """

    state = Option(
        doc="**Syntax:** state=<bool> **Description:** Add apisec_state, which merges with other windows.",
        default=False,
        validate=validators.Boolean(),
    )

    @Configuration()  # type: ignore[untyped-decorator]
    def map(self, records: Iterable[Dict[str, Any]]) -> Iterator[Dict[str, Any]]:
        """On the indexers: the states of one chunk."""
        inventory = Inventory()
        for record in records:
            take(inventory, record)
        yield from states(inventory)

    def reduce(self, records: Iterable[Dict[str, Any]]) -> Iterator[Dict[str, Any]]:
        """On the search head: rows, once the last chunk is here."""
        if not hasattr(self, "_inventory"):
            self._inventory = Inventory()
        for record in records:
            take(self._inventory, record)
        if self._finished:
            if self._inventory.dropped:
                text = f"apisecinventory: {self._inventory.dropped} events left out: no operation, or too many"
                self.write_warning("{}", text)
            yield from same_fields(rows(self._inventory, bool(self.state)))
