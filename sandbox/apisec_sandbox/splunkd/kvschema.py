"""What collections.conf says of a collection: types of fields, accelerations.

Source: collections.conf.spec. With ``enforceTypes`` an insert that does not fit fails; without it only the field
that does not fit is dropped. Values convert where they can: "12" becomes 12 in a field of type number.
"""

from __future__ import annotations

import ipaddress
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from apisec_sandbox.splunkd.confs import is_true
from apisec_sandbox.splunkd.web import HttpError

BOOLEANS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


def _number(value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        number = float(value)
        if math.isfinite(number):
            return int(value) if value.strip().lstrip("+-").isdigit() else number
    raise ValueError(value)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    folded = str(value).lower() if isinstance(value, (str, int)) else ""
    if folded not in BOOLEANS:
        raise ValueError(value)
    return BOOLEANS[folded]


def _string(value: Any) -> str:
    if isinstance(value, (dict, list)):
        raise TypeError(value)
    return value if isinstance(value, str) else json.dumps(value)


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(value)
    return value


def _cidr(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    ipaddress.ip_network(value, strict=False)
    return value


CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "number": _number,
    "time": _number,
    "bool": _boolean,
    "string": _string,
    "array": _array,
    "cidr": _cidr,
}


@dataclass(frozen=True)
class Schema:
    """``types`` by field; ``accelerated`` are the fields that an acceleration names."""

    types: Mapping[str, str] = field(default_factory=dict)
    enforce: bool = False
    accelerated: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> Schema:
        """Read a stanza. Accelerations that are no JSON objects are ignored, and so are repeated ones (the spec)."""
        fields: dict[str, None] = {}
        for key, text in settings.items():
            if key.startswith("accelerated_fields."):
                fields.update(dict.fromkeys(_fields_of(text)))
        types = {key[6:]: text.strip().lower() for key, text in settings.items() if key.startswith("field.")}
        return cls(types, is_true(settings.get("enforceTypes", "false")), tuple(fields))

    def conform(self, document: Any) -> Any:
        """Return the document with its fields converted.

        Raises:
            HttpError: 400 when types are enforced and a value does not fit.
        """
        if not self.types or not isinstance(document, dict):
            return document
        fitted: dict[str, Any] = {}
        for name, value in document.items():
            convert = CONVERTERS.get(self.types.get(name, ""))
            try:
                fitted[name] = value if convert is None or value is None else convert(value)
            except (ValueError, TypeError) as error:
                if self.enforce:
                    kind = self.types[name]
                    raise HttpError(400, f"JSON in the request is invalid. ( Field '{name}' is no {kind} )") from error
        return fitted


def _fields_of(text: str) -> list[str]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return [str(name) for name in value] if isinstance(value, dict) else []
