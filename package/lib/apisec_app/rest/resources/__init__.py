"""The resources of the API, one module each; a module listed here is all that a new one needs."""

from __future__ import annotations

from typing import Any, Dict

from apisec.http.table import Table

from . import (
    bundles,
    changes,
    dispositions,
    drift,
    fields,
    meta,
    models,
    operations,
    overrides,
    paths,
    performance,
    services,
    specs,
    state,
    teams,
)

MODULES = (
    meta,
    services,
    operations,
    fields,
    paths,
    performance,
    drift,
    changes,
    dispositions,
    bundles,
    models,
    overrides,
    specs,
    state,
    teams,
)


def _table() -> Table:
    schemas: Dict[str, Any] = {}
    for module in MODULES:
        for name, schema in module.SCHEMAS.items():
            if schemas.setdefault(name, schema) is not schema:
                raise ValueError(f"two resources define the schema {name}")
    return Table([operation for module in MODULES for operation in module.OPERATIONS], schemas)


TABLE = _table()
