"""``apisecread``: the lists of the app's REST API as rows of a search, with what the search's user may see.

Dashboards and reports read through it what a team cannot read in the KV store itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Dict, List, Tuple
from urllib.parse import parse_qsl

from splunklib.binding import HTTPError
from splunklib.searchcommands import Configuration, GeneratingCommand, Option, validators

from ..access import caller_of, reader
from ..kvstore import INVENTORY, Collection
from ..records import same_fields
from ..teams import owners, with_team

API = "/services/apisec/v1/"
PAGE = 1_000
MAX_ROWS = 50_000
LEARNED = "learned"  # what was learned of every operation, for apisecinventory to read
STATE_FIELD = "apisec_state"
_LEARNED = ("_key", "service", "operation", "team", "servers", "gateways", "state")
# Other names of resources, with what they leave out of documents that are for programs.
_LIGHT = {"omit": "state,request_fields,response_fields,statuses,status_classes"}
COLLECTIONS: Dict[str, Tuple[str, Dict[str, str]]] = {
    "inventory": ("state/apisec_inventory", _LIGHT),
    "archive": ("state/apisec_inventory_archive", _LIGHT),
    "patterns": ("state/apisec_patterns", {}),
}
FILTERS = ("service", "operation", "team", "kind", "severity", "sort")
_RESOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,127}(/[A-Za-z0-9][A-Za-z0-9._~-]{0,127}){0,5}")

Row = Dict[str, Any]


class ReadError(Exception):
    """The API refused; the message is its detail and remedy."""


def rows_of(service: Any, resource: str, filters: Dict[str, str], most: int) -> Tuple[List[Row], bool]:
    """Return rows of a list of the API, and whether there are more than ``most``.

    A resource that is one thing, and no list, gives one row. Raises ReadError.
    """
    path, given = COLLECTIONS.get(resource, (resource, {}))
    arguments: Dict[str, Any] = {**given, **filters}
    # A list that is known to be one comes in large pages at once; another resource may be one thing, without a limit.
    page = _get(service, path, {**arguments, "limit": PAGE} if resource in COLLECTIONS else arguments)
    if "items" not in page:
        return [page], False
    found: List[Row] = list(page["items"])
    while page["next"] and len(found) < most:
        page = _get(service, path, {**arguments, "limit": PAGE, "cursor": page["next"]})
        found += page["items"]
    return found[:most], bool(page["next"]) or len(found) > most


def _get(service: Any, path: str, arguments: Dict[str, Any]) -> Row:
    try:
        answer: Row = json.loads(service.get(API + path, **arguments).body.read())
    except HTTPError as error:
        raise ReadError(problem_of(error)) from error
    return answer


def problem_of(error: HTTPError) -> str:
    """Return what a problem says: detail and remedy."""
    try:
        problem = json.loads(error.body)
        return f"{problem['detail']}. {problem['remedy']}"
    except (ValueError, KeyError, TypeError):
        return f"splunkd answered {error.status}: {error.reason}"


def learned(service: Any) -> Iterator[Row]:
    """Yield the state of every operation that the search's user sees, with its present team."""
    caller = caller_of(service)
    documents = reader(service, INVENTORY, caller)
    if not caller.everything:
        yield from ({STATE_FIELD: one["state"]} for one in documents.load(fields=("state",)))
        return
    present = owners(service)
    for document in Collection(service, INVENTORY).load(fields=_LEARNED):
        yield {STATE_FIELD: with_team(document, present.team_of(document))["state"]}


@Configuration(type="reporting")
class ApisecReadCommand(GeneratingCommand):  # type: ignore[misc]
    """
    ##Syntax
    apisecread <resource> (service=<service>)? (operation=<operation>)? (team=<team>)? (filters=<query>)? (limit=<int>)?

    ##Description
    Gives the rows of a list of the app's REST API that the search's user may see.

    ##Example
    | apisecread operations service=shop
    """

    # The SDK's commands have a property ``service``, which is the connection.
    of_service = Option(name="service", doc="**Syntax:** service=<service> **Description:** Only of this one.")
    operation = Option(doc="**Syntax:** operation=<operation> **Description:** Only this one: GET /orders/{order_id}.")
    team = Option(doc="**Syntax:** team=<team> **Description:** Only of this one.")
    kind = Option(doc="**Syntax:** kind=<kind> **Description:** Only of this kind, where rows have kinds.")
    severity = Option(doc="**Syntax:** severity=<severity> **Description:** As the resource says.")
    sort = Option(doc="**Syntax:** sort=<field> **Description:** A field of the rows; - before it: the highest first.")
    filters = Option(
        doc="**Syntax:** filters=<query> **Description:** Other parameters of the list: http_method=GET&auth=none."
    )
    limit = Option(
        doc="**Syntax:** limit=<int> **Description:** The most rows. Default: 10000.",
        default=10_000,
        validate=validators.Integer(1, MAX_ROWS),
    )

    def generate(self) -> Iterator[Row]:
        connection = self.service
        if connection is None:
            raise ValueError("apisecread needs the session of its search: run it in Splunk")
        resource = self._resource()
        if resource == LEARNED:
            yield from learned(connection)
            return
        try:
            found, more = rows_of(connection, resource, self._asked(), int(self.limit))
        except ReadError as error:
            self.error_exit(error, f"apisecread {resource}: {error}")
            return
        if more:
            self.write_warning("{}", f"apisecread: there are more than {self.limit} rows; raise limit, or filter")
        yield from same_fields(found)

    def _resource(self) -> str:
        names = self.fieldnames
        if len(names) != 1 or not _RESOURCE.fullmatch(names[0]):
            raise ValueError("apisecread needs one resource, such as operations: | apisecread operations service=shop")
        return str(names[0])

    def _asked(self) -> Dict[str, str]:
        named = {"service": self.of_service, **{name: getattr(self, name) for name in FILTERS if name != "service"}}
        found = dict(parse_qsl(self.filters or "", keep_blank_values=True))
        return {**found, **{name: str(value) for name, value in named.items() if value is not None}}
