"""Values of a request by the paths of their fields, in its redacted text: who logs in, which ids it names."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, List, Optional, Tuple
from urllib.parse import parse_qsl

from apisec.baselines.values import text

MAX_BODY = 65_536  # characters
MAX_VALUE = 256


def identity(event: Mapping[str, Any], fields: Sequence[Tuple[str, str]]) -> Optional[str]:
    """Return the value of the first of these fields (place, path) that is visible."""
    body: Any = None
    for place, path in fields:
        if place == "query":
            found = _of_form(text(event.get("uri_query"), MAX_BODY), path)
        else:
            body = _body(event) if body is None else body
            found = _of_form(body, path) if isinstance(body, str) else _of_json(body, path)
        if found:
            return found[:MAX_VALUE]
    return None


def values_of(event: Mapping[str, Any], fields: Sequence[Tuple[str, str]]) -> List[str]:
    """Return these fields (place, path) as name=value, where they are visible."""
    found = ((path.rpartition(".")[2], identity(event, [(place, path)])) for place, path in fields)
    return [f"{name}={value}" for name, value in found if value]


def _body(event: Mapping[str, Any]) -> Any:
    """The body as JSON where it is, else as text; empty when it is not visible."""
    body = text(event.get("request_body"), MAX_BODY)
    if body[:1] in ("{", "["):
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            return ""
    return body


def _of_json(document: Any, path: str) -> str:
    for part in path.split("."):
        name = part[:-2] if part.endswith("[]") else part
        if isinstance(document, dict):
            document = document.get(name)
        if part.endswith("[]") and isinstance(document, list):
            document = document[0] if document else None
    return document if isinstance(document, str) else str(document) if type(document) is int else ""


def _of_form(form: str, name: str) -> str:
    try:
        pairs = parse_qsl(form, max_num_fields=256)
    except ValueError:
        return ""
    return next((value for key, value in pairs if key == name), "")
