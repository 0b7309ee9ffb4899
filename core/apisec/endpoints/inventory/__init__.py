"""The inventory: what each operation of each service is, carries and costs, learned from events.

Mergeable, so that it is built where the events are: the merge of the inventories of any split of the events
is the inventory of all of them (counts exactly; quantiles and distinct counts within the sketches' bounds).

``inventory``   operations by service and name; state, documents
``operation``   one operation: callers, credentials, statuses, classes, sizes
``messages``    its requests, and its answers of each status: fields, media types, shapes of values
``fields`` ``shapes`` ``formats``   one field: presence, types, classes; formats, ranges, enumerations
``bodies``   values of bodies that are no whole JSON
``asked``   what bodies ask for behind one path: GraphQL, JSON-RPC, SOAP
``timing`` ``versions``   latency by version and status, hours and days; versions of the API, families of agents
``reading``     events from JSON text
``fit`` ``upgrades``   documents of bounded size; states of earlier versions
"""

from apisec.endpoints.inventory.fields import MAX_FIELDS
from apisec.endpoints.inventory.inventory import MAX_OPERATIONS, Inventory, document_key
from apisec.endpoints.inventory.operation import OperationStats
from apisec.endpoints.inventory.reading import read
from apisec.endpoints.inventory.upgrades import STATE_VERSION

__all__ = ["MAX_FIELDS", "MAX_OPERATIONS", "STATE_VERSION", "Inventory", "OperationStats", "document_key", "read"]
