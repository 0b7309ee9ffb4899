"""JSON functions. Source: Search Reference, "JSON functions"."""

from __future__ import annotations

import json
from typing import Any

from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.functions.registry import MANY, Call, Evaluate, function, simple
from apisec_sandbox.spl.jsonpath import extract as json_path
from apisec_sandbox.spl.values import (
    Row,
    collapse,
    to_number,
    to_text,
    values_of,
)


def _json_value(value: Any) -> Any:
    """What a field's value becomes inside JSON: JSON text stays JSON, numbers numbers."""
    if isinstance(value, list):
        return [_json_value(item) for item in value]
    if isinstance(value, str):
        if value[:1] in ("{", "["):
            try:
                return json.loads(value)
            except (ValueError, RecursionError):
                return value
        number = to_number(value)
        return value if number is None else number
    return value


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@function("json_object", 0, MANY)
def _json_object(call: Call) -> Evaluate:
    if len(call.args) % 2:
        raise SplError("The 'json_object' function takes pairs of a name and a value")
    pairs = list(zip(call.args[::2], call.args[1::2], strict=True))
    return lambda row: _dump({to_text(name(row)): _json_value(value(row)) for name, value in pairs})


@function("json_array", 0, MANY)
def _json_array(call: Call) -> Evaluate:
    return lambda row: _dump([_json_value(arg(row)) for arg in call.args])


@simple("mv_to_json_array", 1, 2)
def _mv_to_json_array(field: Any, infer: Any = False) -> str:
    values = values_of(field)
    return _dump([_json_value(value) if infer is True else to_text(value) for value in values])


@simple("json_array_to_mv", 1, 2)
def _json_array_to_mv(text: Any, quotes: Any = False) -> Any:
    loaded = _load(text)
    if not isinstance(loaded, list):
        return None
    return collapse([_dump(item) if quotes is True or not isinstance(item, str) else item for item in loaded])


def _load(text: Any) -> Any:
    try:
        return json.loads(to_text(text))
    except (ValueError, RecursionError):
        return None


@function("json_extract", 1, MANY)
def _json_extract(call: Call) -> Evaluate:
    subject, paths = call.args[0], call.args[1:]

    def run(row: Row) -> Any:
        text = subject(row)
        loaded = None if text is None else _load(text)
        if loaded is None:
            return None
        if not paths:
            return to_text(text)
        found = [_found(loaded, to_text(path(row))) for path in paths]
        return found[0] if len(found) == 1 else collapse([item for value in found for item in values_of(value)])

    return run


def _found(document: Any, path: str) -> Any:
    """One match as itself, several as a JSON array; what is not a text or a number stays JSON."""
    matches = json_path(document, path)
    if not matches:
        return None
    return _plain(matches[0]) if len(matches) == 1 else _dump(matches)


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, (str, int, float)) else None if value is None else _dump(value)


@simple("json_keys", 1)
def _json_keys(text: Any) -> str | None:
    loaded = _load(text)
    return _dump(list(loaded)) if isinstance(loaded, dict) else None


@simple("json_valid", 1, boolean=True)
def _json_valid(text: Any) -> bool:
    return _load(text) is not None or to_text(text).strip() == "null"


@function("spath", 2)
def _spath(call: Call) -> Evaluate:
    subject, path = call.args

    def run(row: Row) -> Any:
        text, where = subject(row), path(row)
        loaded = None if text is None else _load(text)
        if loaded is None or where is None:
            return None
        return collapse([plain for item in json_path(loaded, to_text(where)) if (plain := _plain(item)) is not None])

    return run
