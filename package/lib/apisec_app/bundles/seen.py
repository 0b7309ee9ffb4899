"""The sensitive fields that a service carried, from the inventory: no event leaves Splunk for it.

The inventory counts each field once for all environments of an operation. So an operation that the environment has seen
counts with all its fields: of a Splunk for several environments that is too much rather than too little.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Dict, Optional

from apisec.bundles import seen
from apisec.bundles.seen import Field
from apisec.classification.fields import verdicts
from apisec.classification.overrides import Overrides
from apisec.endpoints.inventory import Inventory, OperationStats

from ..kvstore import Collection

_NONE = Overrides()  # what traffic shows counts here, and not what somebody says of it


def of_inventory(
    collection: Collection, service: str, environment: str, sees: Callable[[str], bool]
) -> Optional[Dict[str, Any]]:
    """Return the document of fields seen of a service in an environment; None where it had no traffic there.

    ``collection`` is ``INVENTORY``; ``sees`` says of an operation whether it is the caller's. DocumentError for a
    document that cannot be read, splunklib's HTTPError.
    """
    inventory = Inventory.from_documents(collection.load({"service": service}, fields=("_key", "state")))
    operations = {name: stats for (_, name), stats in inventory.items() if environment in stats.envs and sees(name)}
    if not operations:
        return None
    return seen.of_fields(
        (field for name, stats in operations.items() for field in _fields(stats, service, name)),
        service,
        environment,
        min(stats.first_seen for stats in operations.values()),
        max(stats.last_seen for stats in operations.values()),
        sum(stats.envs[environment] for stats in operations.values()),
    )


def _fields(stats: OperationStats, service: str, operation: str) -> Iterator[Field]:
    """Yield each field with the most sensitive class that traffic showed in it, and not by chance."""
    for one in verdicts(stats, _NONE, service, operation):
        hits = next((shown.hits for shown in one.classes if shown.data_class == one.gravest), 0)
        if hits:
            yield Field(operation, one.location, one.path, one.gravest, hits)
