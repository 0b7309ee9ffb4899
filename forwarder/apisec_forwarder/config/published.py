"""The configuration's JSON Schema, for editors and for pipelines that check a file before it is rolled out.

It says what each key may hold; what only the whole can say (two keys that belong together) ``check-config`` says.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from apisec_forwarder.config.reader import Reader, options
from apisec_forwarder.config.schema import Config

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """Return the schema of the whole file, each section once under ``$defs``."""
    definitions: dict[str, Any] = {}
    whole = _section(Config, definitions)
    return {"$schema": DIALECT, "title": "apisec-forwarder's configuration", **whole, "$defs": definitions}


def _section(cls: type, definitions: dict[str, Any]) -> dict[str, Any]:
    known = options(cls)
    return {
        "description": (cls.__doc__ or "").strip(),
        "type": "object",
        "additionalProperties": False,
        "required": [name for name, field in known.items() if field.metadata["required"]],
        "properties": {name: _property(field, definitions) for name, field in known.items()},
    }


def _property(field: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    read: Reader = field.metadata["read"]
    schema = {"description": field.metadata["text"], **read.schema}
    if read.section is not None:
        name = read.section.__name__
        if name not in definitions:
            definitions[name] = {}  # reserves the place; sections do not nest in themselves
            definitions[name] = _section(read.section, definitions)
        reference = {"$ref": f"#/$defs/{name}"}
        schema.update({"items": reference} if schema.get("type") == "array" else reference)
    if isinstance(field.default, (bool, int, float, str)):
        schema["default"] = field.default
    elif isinstance(field.default, tuple):
        schema["default"] = [str(one) if isinstance(one, Path) else one for one in field.default]
    return schema
