"""``apisecspec``: how the traffic of services differs from the OpenAPI documents that they publish."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Dict, List

from splunklib.searchcommands import Configuration, GeneratingCommand, Option, validators

from apisec.errors import ApisecError
from apisec.openapi.compare import Settings
from apisec.openapi.drift import KINDS, SEVERITIES, Drift

from ..access import caller_of
from ..kvstore import INVENTORY, SPECS, Collection
from ..records import field_of
from ..specs.drift import drifts_of, rank
from ..specs.store import Specs, filtered
from ..teams import Owners, owners
from .read import MAX_ROWS, PAGE, ReadError, rows_of


def row_of(row: Dict[str, Any]) -> Dict[str, Any]:
    """The row of one difference, with the same fields for all of them."""
    shown = {name: field_of(value) for name, value in row.items() if name != "operation_id"}
    return {"_time": f"{float(row['last_seen']):.3f}", **shown}


@Configuration(type="reporting")
class ApisecSpecCommand(GeneratingCommand):  # type: ignore[misc]
    """
    ##Syntax
    apisecspec (service=<service>)? (kind=<kind>)? (severity=<severity>)? (orphan_days=<number>)?

    ##Description
    Gives one row for each difference between published OpenAPI documents and the inventory, the gravest first.

    ##Example
    | apisecspec severity=medium
    """

    # The SDK's commands have a property ``service``, which is the connection.
    of_service = Option(
        name="service",
        doc="**Syntax:** service=<service> **Description:** Only this one. Default: all.",
        default=None,
    )
    kind = Option(
        doc="**Syntax:** kind=<kind> **Description:** Only this kind. Default: all.",
        default=None,
        validate=validators.Set(*KINDS),
    )
    severity = Option(
        doc="**Syntax:** severity=critical|high|medium|low|info **Description:** The least grave. Default: info.",
        default="info",
        validate=validators.Set(*SEVERITIES),
    )
    orphan_days = Option(
        doc="**Syntax:** orphan_days=<number> **Description:** Days without a request to an orphan. Default: 30.",
        default=30,
        validate=validators.Integer(1, 3650),
    )

    def generate(self) -> Iterator[Dict[str, Any]]:
        connection = self.service
        if connection is None:
            raise ValueError("apisecspec needs the session of its search: run it in Splunk")
        if caller_of(connection).everything:
            yield from self._own(connection)
        else:
            yield from self._asked(connection)

    def _asked(self, connection: Any) -> Iterator[Dict[str, Any]]:
        """Differences that concern the teams of the search's user, as the app's REST API finds them."""
        asked = {"severity": str(self.severity), "orphan_days": str(self.orphan_days), "limit": str(PAGE)}
        wanted = {"service": self.of_service, "kind": self.kind}
        try:
            found, _ = rows_of(
                connection, "drift", {**asked, **{name: one for name, one in wanted.items() if one}}, MAX_ROWS
            )
        except ReadError as error:
            self.error_exit(error, f"apisecspec: {error}")
            return
        yield from map(row_of, found)

    def _own(self, connection: Any) -> Iterator[Dict[str, Any]]:
        """Differences of all services, compared here."""
        specs, inventory = Specs(Collection(connection, SPECS)), Collection(connection, INVENTORY)
        settings = Settings(now=time.time(), orphan_days=float(self.orphan_days))
        present: Owners = owners(connection)
        found: List[Drift] = []
        for service in filtered(specs.services(), self.of_service):
            found += self._compared(specs, inventory, service, settings)
        least = rank(str(self.severity))
        for drift in sorted(found, key=lambda one: (rank(one.severity), one.service)):
            if rank(drift.severity) <= least and self.kind in (None, drift.kind):
                row = drift.row()
                yield row_of({**row, "team": present.team_of(row)})

    def _compared(self, specs: Specs, inventory: Collection, service: str, settings: Settings) -> List[Drift]:
        """One service; a document that cannot be compared takes no other service's differences with it."""
        try:
            return drifts_of(specs, inventory, service, settings)
        except ApisecError as error:
            self.write_warning("{}", f"apisecspec: {service} was left out: {error}")
            return []
